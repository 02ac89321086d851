//! Who may do what: tokens (RFC 6750), and what is for this computer only.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use skywave_whip::Problem;
use subtle::ConstantTimeEq;

/// A secret word that a request shows in `Authorization: Bearer`. Never in the address: those
/// stand in logs and histories.
#[derive(Clone)]
pub(crate) struct Token(Arc<str>);

impl Token {
    /// Checks what a request shows, in a time that does not tell how much of it is right.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let shown = headers
            .get(header::AUTHORIZATION)
            .map(|value| value.as_bytes());
        let shown = shown.and_then(|value| value.split_at_checked(BEARER.len()));
        // RFC 9110 §11.1: a scheme may be written in any case.
        let token = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(BEARER));
        let Some((_, token)) = token else {
            // RFC 6750 §3.1: who shows none is not told what is wrong with it.
            let problem = Problem::new(
                StatusCode::UNAUTHORIZED,
                "This needs a token: Authorization: Bearer TOKEN.",
            );
            return Err(problem.with_header(header::WWW_AUTHENTICATE, CHALLENGE));
        };
        if bool::from(token.trim_ascii_start().ct_eq(self.0.as_bytes())) {
            return Ok(());
        }
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "The token is not the right one.");
        Err(problem.with_header(header::WWW_AUTHENTICATE, INVALID_TOKEN))
    }
}

/// b64token of RFC 6750 §2.1, without an end of `=`.
impl FromStr for Token {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if text.len() < MIN_TOKEN || !text.bytes().all(is_token) {
            return Err("a token has at least 16 letters, digits and -._~+/=");
        }
        Ok(Self(text.into()))
    }
}

/// Says nothing of it.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// Middleware: no request without the token, except that pages ask by OPTIONS first.
pub(crate) async fn require(State(token): State<Token>, request: Request, next: Next) -> Response {
    if *request.method() != Method::OPTIONS
        && let Err(problem) = token.check(request.headers())
    {
        return problem.into_response();
    }
    next.run(request).await
}

/// Who may control the programme and see who listens: whoever has the token; without one, who is
/// on this computer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Control {
    pub(crate) token: Option<Token>,
}

impl Control {
    pub(crate) fn check(&self, client: SocketAddr, headers: &HeaderMap) -> Result<(), Problem> {
        match &self.token {
            Some(token) => token.check(headers),
            None if is_local(client, headers) => Ok(()),
            None => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "Only the computer that skywave runs on may do that, as it has no --control-token.",
            )),
        }
    }

    pub(crate) fn allows(&self, client: SocketAddr, headers: &HeaderMap) -> bool {
        self.check(client, headers).is_ok()
    }

    /// What a page shows: `allowed`, or what is missing, the `token` or to be `local`.
    pub(crate) fn standing(&self, client: SocketAddr, headers: &HeaderMap) -> &'static str {
        match self.token {
            _ if self.allows(client, headers) => "allowed",
            Some(_) => "token",
            None => "local",
        }
    }
}

/// True for a client on this computer that also meant this computer.
///
/// The address alone is not enough. A web page whose name was made to point at
/// 127.0.0.1 (DNS rebinding) comes from loopback as well, with its own name in
/// `Host` or `Origin`; so does a reverse proxy, which mostly says that it
/// forwards. One that says nothing and puts a loopback name into `Host` cannot be
/// told from a client here: it must pass `Host` on.
fn is_local(client: SocketAddr, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let meant = text(header::HOST).is_some_and(is_loopback_host);
    let from_here = match text(header::ORIGIN) {
        Some(origin) => origin
            .split_once("://")
            .is_some_and(|(_, host)| is_loopback_host(host)),
        None => !headers.contains_key(header::ORIGIN),
    };
    let forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
    client.ip().to_canonical().is_loopback() && meant && from_here && !forwarded
}

fn is_loopback_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Headers by which a reverse proxy says that it is one.
const FORWARDING: [&str; 5] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
];

const BEARER: &[u8] = b"Bearer ";
const CHALLENGE: &str = "Bearer realm=\"skywave\"";
const INVALID_TOKEN: &str = "Bearer realm=\"skywave\", error=\"invalid_token\"";

/// Shorter ones are guessed.
const MIN_TOKEN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn local(client: &str, host: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        is_local(SocketAddr::new(client.parse().unwrap(), 50_000), &headers)
    }

    fn shown(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        headers
    }

    #[test]
    fn rfc6750_2_1_token_is_shown_as_bearer_in_any_case() {
        let token: Token = "0123456789abcdef".parse().unwrap();
        for right in [
            "Bearer 0123456789abcdef",
            "bearer 0123456789abcdef",
            "BEARER  0123456789abcdef",
        ] {
            assert!(token.check(&shown(right)).is_ok(), "{right}");
        }
        for wrong in [
            "Bearer 0123456789abcdeF",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
            "Bearer ",
            "Bearer",
            "Basic 0123456789abcdef",
            "0123456789abcdef",
        ] {
            let status = token.check(&shown(wrong)).unwrap_err().status();
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong}");
        }
        assert!(token.check(&HeaderMap::new()).is_err());
    }

    #[test]
    fn rfc6750_3_challenge_says_whether_a_token_was_wrong_or_missing() {
        let token: Token = "0123456789abcdef".parse().unwrap();
        let challenge = |headers: &HeaderMap| {
            let response = token.check(headers).unwrap_err().into_response();
            response.headers()[header::WWW_AUTHENTICATE].clone()
        };
        assert_eq!(challenge(&HeaderMap::new()), CHALLENGE);
        assert_eq!(challenge(&shown("Bearer other")), INVALID_TOKEN);
    }

    #[test]
    fn tokens_that_could_be_guessed_or_not_be_sent_are_refused() {
        for wrong in ["", "secret", "0123456789 abcdef", "0123456789abcd\u{e9}f"] {
            assert!(wrong.parse::<Token>().is_err(), "{wrong}");
        }
        let token: Token = "0123456789abcdef".parse().unwrap();
        assert_eq!(format!("{token:?}"), "Token");
    }

    #[test]
    fn control_is_for_the_token_wherever_it_comes_from_or_for_this_computer() {
        let here = SocketAddr::from(([127, 0, 0, 1], 50_000));
        let elsewhere = SocketAddr::from(([192, 0, 2, 9], 50_000));
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
        let without = Control::default();
        assert!(without.allows(here, &headers));
        assert!(!without.allows(elsewhere, &headers));
        assert_eq!(without.standing(here, &headers), "allowed");
        assert_eq!(without.standing(elsewhere, &headers), "local");

        let with = Control {
            token: "0123456789abcdef".parse().ok(),
        };
        assert!(!with.allows(here, &headers));
        assert_eq!(with.standing(here, &headers), "token");
        assert!(with.allows(elsewhere, &shown("Bearer 0123456789abcdef")));
        assert!(!with.allows(elsewhere, &shown("Bearer 0123456789abcdeg")));
    }

    #[test]
    fn this_computer_is_local_by_every_name() {
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(local("127.0.0.1", host), "{host}");
        }
        assert!(local("::1", "[::1]:8080"));
        assert!(local("::ffff:127.0.0.1", "127.0.0.1"));
    }

    #[test]
    fn other_computers_are_not_local() {
        assert!(!local("192.0.2.9", "127.0.0.1:8080"));
        assert!(!local("2001:db8::9", "[::1]:8080"));
    }

    #[test]
    fn name_that_points_at_loopback_is_not_local() {
        for host in [
            "radio.example:8080",
            "127.0.0.1.example",
            "localhost.example",
            "192.0.2.2",
            "",
        ] {
            assert!(!local("127.0.0.1", host), "{host}");
        }
        let client = SocketAddr::from(([127, 0, 0, 1], 50_000));
        assert!(!is_local(client, &HeaderMap::new()));
    }

    #[test]
    fn what_is_forwarded_or_of_another_origin_is_not_local() {
        let client = SocketAddr::from(([127, 0, 0, 1], 50_000));
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
        for (name, value, expected) in [
            ("origin", "http://127.0.0.1:8080", true),
            ("origin", "http://localhost", true),
            ("origin", "http://radio.example", false),
            ("origin", "null", false),
            ("x-forwarded-for", "203.0.113.9", false),
            ("forwarded", "for=203.0.113.9", false),
            ("via", "1.1 proxy", false),
        ] {
            let mut headers = headers.clone();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(is_local(client, &headers), expected, "{name}: {value}");
        }
    }
}
