//! Payload type numbers as written in formats and attributes.

/// Reads a number of 0 to 127 in its only spelling: `08` and `+8` are no payload types (RFC 8866
/// §9, zero-based-integer), and an answer with `8` would not have what the offer has.
pub(crate) fn parse_payload_type(text: &str) -> Option<u8> {
    let is_spelled_out = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
    let number = text.parse().ok()?;
    (is_spelled_out && number < 128).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_spelling() {
        for (text, number) in [("0", 0), ("8", 8), ("127", 127)] {
            assert_eq!(parse_payload_type(text), Some(number));
        }
        for bad in ["", "00", "08", "+8", "-0", " 8", "8 ", "128", "255", "opus"] {
            assert_eq!(parse_payload_type(bad), None, "{bad:?}");
        }
    }
}
