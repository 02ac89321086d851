//! ICE user name fragment and password (RFC 8839 §5.4).

use std::fmt;

/// What one end signs and checks its STUN messages with.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// User name fragment, 4 to 256 characters.
    pub ufrag: String,
    /// Password, 22 to 256 characters.
    pub pwd: String,
}

/// Without the password, which is a secret of the call.
impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceCredentials")
            .field("ufrag", &self.ufrag)
            .finish_non_exhaustive()
    }
}

pub(crate) fn is_ufrag(text: &str) -> bool {
    (4..=256).contains(&text.len()) && text.bytes().all(is_credential_byte)
}

pub(crate) fn is_pwd(text: &str) -> bool {
    (22..=256).contains(&text.len()) && text.bytes().all(is_credential_byte)
}

/// RFC 8839 allows letters, digits, `+` and `/`; peers in the field use more. A colon would make
/// STUN's USERNAME ambiguous.
fn is_credential_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b':'
}
