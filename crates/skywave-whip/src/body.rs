//! Reading a description, or a fragment of one, from the body of a request: its type, its size,
//! its encoding.
//!
//! Refuses other content types, bodies that are too large or take too long, and text that is not
//! UTF-8.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};

use crate::{Problem, WhepConfig};

/// The text of a request whose content type has to be `media_type`.
pub(crate) async fn read(
    request: Request,
    media_type: &'static str,
    config: &WhepConfig,
) -> Result<String, Problem> {
    if !is(request.headers(), media_type) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("The body has to be {media_type}."),
        ));
    }
    let reading = read_body(request.into_body(), config.max_body);
    let body = tokio::time::timeout(config.body_timeout, reading)
        .await
        .map_err(|_| {
            let detail = "The body did not arrive in time.";
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
        })??;
    String::from_utf8(body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The body is not text in UTF-8."))
}

/// True for this type in any case and with any parameters (RFC 9110 §8.3.1).
fn is(headers: &HeaderMap, media_type: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

/// The whole body, or 413 when it is larger than `limit`.
///
/// Somewhat more than the limit is read and thrown away: a client that is still
/// writing when the connection closes would see a reset instead of the answer.
async fn read_body(mut body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut text = Vec::new();
    let mut received = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame =
            frame.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The body broke off."))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        received += data.len();
        if received <= limit {
            text.extend_from_slice(&data);
        } else if received > limit.saturating_add(DISCARD_BYTES) {
            break;
        }
    }
    if received > limit {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is larger than {limit} bytes."),
        ));
    }
    Ok(text)
}

/// The largest description read unless configured; those of browsers have 2 to 10 KiB.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// How long a client may take to send it unless configured.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a body that is too large is thrown away before the connection is closed on it.
const DISCARD_BYTES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(content_type: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers
    }

    #[test]
    fn rfc9110_8_3_1_content_type_may_have_parameters_and_any_case() {
        for accepted in [
            "application/sdp",
            "Application/SDP",
            "application/sdp; charset=utf-8",
            "application/sdp ;x=y",
        ] {
            assert!(is(&headers(accepted), "application/sdp"), "{accepted}");
        }
    }

    #[test]
    fn other_content_types_are_not_descriptions() {
        for refused in [
            "text/plain",
            "application/sdpfrag",
            "application/trickle-ice-sdpfrag",
            "text/plain; a=application/sdp",
            "",
        ] {
            assert!(!is(&headers(refused), "application/sdp"), "{refused}");
        }
        assert!(!is(&HeaderMap::new(), "application/sdp"));
    }
}
