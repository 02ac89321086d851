//! What a handshake agreed on.

use std::fmt;

use skywave_dtls::Version;
use skywave_srtp::Profile;

/// How a listener's packets are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Of DTLS.
    pub version: Version,
    /// Of SRTP.
    pub profile: Profile,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.version {
            Version::Dtls12 => "1.2",
            Version::Dtls13 => "1.3",
        };
        write!(f, "DTLS {version}, {}", self.profile.name())
    }
}
