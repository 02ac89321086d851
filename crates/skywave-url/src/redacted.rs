//! URLs as they may be shown.

/// A URL without what may be secret in it: who asks (`user:password@`), query and fragment. For
/// logs and messages; what is no URL stays as it is.
#[must_use]
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_is_left_out() {
        let url = "https://me:pass@word@radio.example:8000/live/a@b.mp3?token=1#part";
        assert_eq!(redacted(url), "https://radio.example:8000/live/a@b.mp3");
        assert_eq!(redacted("http://u:p@host"), "http://host");
        assert_eq!(redacted("http://host?token=1/2"), "http://host");
        assert_eq!(redacted("tone:440"), "tone:440");
    }
}
