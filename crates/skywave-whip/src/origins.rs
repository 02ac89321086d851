//! Which web pages may listen: Cross-Origin Resource Sharing (WHATWG Fetch, "CORS protocol").

use std::str::FromStr;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Error;

/// The pages whose scripts may use the endpoint. A program that is no browser does not care.
///
/// The endpoint takes no cookies, so a page of any origin can do no more than its visitor could
/// without it. [`Any`](Self::Any) is therefore right for what is public or behind a token, and
/// wrong where being inside a network is the only entrance.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Origins {
    /// Pages of all origins, as WHEP has it.
    #[default]
    Any,
    /// Pages of these: scheme, host, and the port if it is not the scheme's. None at all leaves
    /// only those of the endpoint's own origin.
    Only(Vec<String>),
}

impl Origins {
    /// Adds what scripts may know and do to every answer, and answers preflight requests (OPTIONS)
    /// itself.
    ///
    /// The router of this crate does so already. Layer it once more around own middleware that
    /// refuses requests, such as that for tokens: a page must get through the preflight without a
    /// token and be able to read the refusal.
    ///
    /// ```
    /// # use axum::{Router, middleware::from_fn_with_state};
    /// # use skywave_whip::Origins;
    /// # let router: Router = Router::new();
    /// let router = router.layer(from_fn_with_state(Origins::Any, Origins::share));
    /// ```
    pub async fn share(State(origins): State<Self>, request: Request, next: Next) -> Response {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let is_preflight = *request.method() == Method::OPTIONS
            && (request.headers()).contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let mut response = if is_preflight {
            StatusCode::OK.into_response()
        } else {
            next.run(request).await
        };
        origins.add_headers(origin.as_ref(), is_preflight, response.headers_mut());
        response
    }

    fn add_headers(&self, origin: Option<&HeaderValue>, preflight: bool, headers: &mut HeaderMap) {
        let allowed = match self {
            Self::Any => HeaderValue::from_static("*"),
            Self::Only(origins) => {
                // Caches must not give one page what was said to another.
                headers.append(header::VARY, ORIGIN);
                let is_listed = |origin: &&HeaderValue| {
                    (origins.iter()).any(|listed| listed.as_bytes() == origin.as_bytes())
                };
                match origin.filter(is_listed) {
                    Some(origin) => origin.clone(),
                    None => return,
                }
            }
        };
        let mut set = |name: HeaderName, value| headers.insert(name, value);
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        set(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if preflight {
            set(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            set(header::ACCESS_CONTROL_ALLOW_HEADERS, SENT);
            set(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            set(ACCEPT_POST, SDP);
        }
    }
}

/// `*` or origins, separated by blanks.
impl FromStr for Origins {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let is_origin = |origin: &str| {
            let (scheme, host) = origin.split_once("://").unwrap_or_default();
            matches!(scheme, "http" | "https")
                && !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
                // Browsers write it so.
                && origin.to_ascii_lowercase() == origin
        };
        let origins: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        match origins.iter().find(|origin| !is_origin(origin)) {
            Some(wrong) => Err(Error::Origin(wrong.clone())),
            None => Ok(Self::Only(origins)),
        }
    }
}

/// RFC 9725 §4.2: what is posted to the endpoint.
pub(crate) const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
pub(crate) const SDP: HeaderValue = HeaderValue::from_static("application/sdp");

/// What a script may read of an answer beside its body and content type.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Location, ETag, Link, Retry-After, Accept-Post, Accept-Patch, Allow, WWW-Authenticate",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE, OPTIONS");
/// `*` would leave `Authorization` out.
const SENT: HeaderValue = HeaderValue::from_static("Authorization, Content-Type, If-Match");
const ORIGIN: HeaderValue = HeaderValue::from_static("Origin");
/// A day, in seconds; browsers keep it for two hours at most.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        assert_eq!("*".parse(), Ok(Origins::Any));
        let two = "https://radio.example http://localhost:3000";
        let Ok(Origins::Only(origins)) = two.parse() else {
            panic!("two origins");
        };
        assert_eq!(origins, ["https://radio.example", "http://localhost:3000"]);
        assert_eq!("".parse(), Ok(Origins::Only(Vec::new())));
        for wrong in [
            "radio.example",
            "https://radio.example/",
            "https://Radio.example",
            "ftp://radio.example",
            "https://",
            "https://radio.example *",
        ] {
            assert!(wrong.parse::<Origins>().is_err(), "{wrong}");
        }
    }
}
