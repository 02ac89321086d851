//! `If-Match` (RFC 9110 §13.1.1): which ICE session a PATCH means (RFC 9725 §4.3.1).

use axum::http::{HeaderMap, StatusCode, header};

use crate::Problem;

/// Checks that the request means the ICE session of this entity-tag, or whichever there is.
pub(crate) fn check(headers: &HeaderMap, etag: &str) -> Result<(), Problem> {
    let mut given = headers.get_all(header::IF_MATCH).iter().peekable();
    if given.peek().is_none() {
        return Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "A PATCH names the ICE session it is for: If-Match with the newest ETag, or with * \
             for a restart.",
        ));
    }
    let mut tags = given.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    // The examples of RFC 9725 and of WHEP write the asterisk in quotes. A weak tag is not equal
    // to a strong one, which is what is asked for here (RFC 9110 §8.8.3.2).
    if tags.any(|tag| matches!(tag.trim(), "*" | "\"*\"") || tag.trim() == etag) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "The ICE session of this ETag is over: the session was restarted.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(values: &[&'static str]) -> Option<StatusCode> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, value.parse().unwrap());
        }
        check(&headers, "\"new\"")
            .err()
            .map(|problem| problem.status())
    }

    #[test]
    fn rfc9110_13_1_1_any_of_the_tags_given_may_match() {
        for matching in [
            &["\"new\""][..],
            &["\"old\", \"new\""],
            &["\"old\"", "\"new\""],
            &["*"],
            &["\"*\""],
        ] {
            assert_eq!(status(matching), None, "{matching:?}");
        }
    }

    #[test]
    fn rfc6585_3_a_request_without_a_tag_is_told_to_bring_one() {
        assert_eq!(status(&[]), Some(StatusCode::PRECONDITION_REQUIRED));
    }

    #[test]
    fn rfc9110_13_1_1_other_and_weak_tags_fail() {
        for other in [&["\"old\""][..], &["W/\"new\""], &["new"], &[""]] {
            let failed = Some(StatusCode::PRECONDITION_FAILED);
            assert_eq!(status(other), failed, "{other:?}");
        }
    }
}
