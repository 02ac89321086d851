//! Problem details (RFC 9457): what every refused request answers.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refused request: a status and one sentence for a person.
///
/// As a response it is `application/problem+json` with the members `type`
/// (`about:blank`: the status says what kind it is), `title`, `status` and
/// `detail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    retry_after: Option<Duration>,
    header: Option<(HeaderName, &'static str)>,
}

impl Problem {
    /// A problem with this status and sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after: None,
            header: None,
        }
    }

    /// The server takes no more listeners: another may, or this one after a restart.
    pub(crate) fn going_down() -> Self {
        let detail = "The server is shutting down.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_retry_after(RESTART)
    }

    /// The same, with the time after which it is worth trying again (RFC 9110 §10.2.3).
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// The same with one more header: what is allowed in place of this, say.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The HTTP status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence that says what is wrong.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Json(json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        }));
        let mut response = (self.status, body).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Some((name, value)) = self.header {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        if let Some(delay) = self.retry_after {
            let seconds = delay.as_millis().div_ceil(1000).max(1);
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<skywave::Error> for Problem {
    fn from(error: skywave::Error) -> Self {
        use skywave::Error;
        if let Some(delay) = error.retry_after() {
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
                .with_retry_after(delay);
        }
        let status = match error {
            Error::InvalidDescription(_) => StatusCode::BAD_REQUEST,
            Error::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
            Error::Closed => return Self::going_down(),
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// How long a server takes to come back.
const RESTART: Duration = Duration::from_secs(5);
