//! The username fragment and password of one end (RFC 8445 §5.3, RFC 8839 §5.4).

use std::fmt;

/// The username fragment and password of one end, sent to the other in its SDP.
///
/// `Debug` shows the fragment and hides the password.
#[derive(Clone)]
pub struct Credentials {
    ufrag: Box<str>,
    pwd: Box<str>,
}

impl Credentials {
    /// Credentials from 24 bytes of a cryptographic random source: 48 bits become the fragment,
    /// 144 bits the password. RFC 8445 §5.3 asks for 24 and 128.
    #[must_use]
    pub fn from_random(bytes: [u8; 24]) -> Self {
        let (ufrag, pwd) = bytes.split_at(6);
        Self {
            ufrag: ice_chars(ufrag),
            pwd: ice_chars(pwd),
        }
    }

    /// Credentials as a description has them.
    #[must_use]
    pub fn new(ufrag: &str, pwd: &str) -> Self {
        Self {
            ufrag: ufrag.into(),
            pwd: pwd.into(),
        }
    }

    /// The username fragment: 8 ice-chars if it is ours.
    #[must_use]
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The password: 24 ice-chars if it is ours.
    #[must_use]
    pub fn pwd(&self) -> &str {
        &self.pwd
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("ufrag", &self.ufrag)
            .finish_non_exhaustive()
    }
}

/// Four ice-chars for every three bytes; the length of `bytes` is a multiple of three.
fn ice_chars(bytes: &[u8]) -> Box<str> {
    let mut text = String::with_capacity(bytes.len() / 3 * 4);
    for three in bytes.chunks_exact(3) {
        let bits = three
            .iter()
            .fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        for shift in [18, 12, 6, 0] {
            text.push(char::from(ICE_CHARS[bits >> shift & 63]));
        }
    }
    text.into_boxed_str()
}

/// ice-char of RFC 8839 §5.1, in the order of base64.
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_base64() {
        let credentials = Credentials::from_random(*b"ABCDEFghijklmnopqrstuvwx");
        assert_eq!(credentials.ufrag(), "QUJDREVG");
        assert_eq!(credentials.pwd(), "Z2hpamtsbW5vcHFyc3R1dnd4");
        let ones = Credentials::from_random([0xff; 24]);
        assert_eq!(ones.ufrag(), "////////");
    }

    #[test]
    fn debug_hides_the_password() {
        let credentials = Credentials::from_random([0; 24]);
        assert_eq!(
            format!("{credentials:?}"),
            r#"Credentials { ufrag: "AAAAAAAA", .. }"#
        );
    }
}
