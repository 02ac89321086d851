//! Reading an offer from the body of a request: its type, its size, its encoding.
//!
//! Refuses other content types, more than [`MAX_OFFER_BYTES`], text that is not
//! UTF-8 and bodies that take longer than [`READ_TIMEOUT`].

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};

use crate::Problem;

/// The SDP text of a request.
pub(crate) async fn read(request: Request) -> Result<String, Problem> {
    if !is_sdp(request.headers()) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "An offer is sent as application/sdp.",
        ));
    }
    let body = tokio::time::timeout(READ_TIMEOUT, read_body(request.into_body()))
        .await
        .map_err(|_| {
            Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "The offer did not arrive in time.",
            )
        })??;
    String::from_utf8(body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The offer is not text in UTF-8."))
}

/// True for `application/sdp` in any case and with any parameters (RFC 9110 §8.3.1).
fn is_sdp(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/sdp"))
}

/// The whole body, or 413 when it is too large.
///
/// Somewhat more than the limit is read and thrown away: a client that is still
/// writing when the connection closes would see a reset instead of the answer.
async fn read_body(mut body: Body) -> Result<Vec<u8>, Problem> {
    let mut offer = Vec::new();
    let mut received = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame =
            frame.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The offer broke off."))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        received += data.len();
        if received <= MAX_OFFER_BYTES {
            offer.extend_from_slice(&data);
        } else if received > DISCARD_BYTES {
            break;
        }
    }
    if received > MAX_OFFER_BYTES {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The offer is larger than {MAX_OFFER_BYTES} bytes."),
        ));
    }
    Ok(offer)
}

/// The largest offer read; those of browsers have 2 to 10 KiB.
const MAX_OFFER_BYTES: usize = 64 * 1024;

/// Where reading an offer that is too large stops.
const DISCARD_BYTES: usize = 16 * 1024 * 1024;

/// How long a client may take to send its offer.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

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
    fn content_type_may_have_parameters_and_any_case() {
        for accepted in [
            "application/sdp",
            "Application/SDP",
            "application/sdp; charset=utf-8",
            "application/sdp ;x=y",
        ] {
            assert!(is_sdp(&headers(accepted)), "{accepted}");
        }
    }

    #[test]
    fn other_content_types_are_not_offers() {
        for refused in [
            "text/plain",
            "application/sdpfrag",
            "application/trickle-ice-sdpfrag",
            "text/plain; a=application/sdp",
            "",
        ] {
            assert!(!is_sdp(&headers(refused)), "{refused}");
        }
        assert!(!is_sdp(&HeaderMap::new()));
    }
}
