//! Telling the protocols on one port apart by their first bytes (RFC 7983, RFC 5761).

/// What a datagram claims to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// First byte 0..=3.
    Stun,
    /// First byte 20..=63.
    Dtls,
    /// First byte 128..=191 and a payload type that is not RTCP's.
    Srtp,
    /// First byte 128..=191 and a second byte 192..=223 (RFC 5761 §4).
    Srtcp,
    /// None of them, or empty.
    Unknown,
}

impl Protocol {
    /// Classifies a datagram by RFC 7983 §7.
    pub fn of(datagram: &[u8]) -> Self {
        match datagram.first() {
            Some(0..=3) => Self::Stun,
            Some(20..=63) => Self::Dtls,
            Some(128..=191) if skywave_rtp::is_rtcp(datagram) => Self::Srtcp,
            Some(128..=191) => Self::Srtp,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7983_7_first_byte_decides() {
        assert_eq!(Protocol::of(&[]), Protocol::Unknown);
        assert_eq!(Protocol::of(&[0, 1]), Protocol::Stun);
        assert_eq!(Protocol::of(&[3]), Protocol::Stun);
        assert_eq!(Protocol::of(&[4]), Protocol::Unknown);
        assert_eq!(Protocol::of(&[20]), Protocol::Dtls);
        assert_eq!(Protocol::of(&[63]), Protocol::Dtls);
        assert_eq!(Protocol::of(&[64]), Protocol::Unknown);
        assert_eq!(Protocol::of(&[128, 111]), Protocol::Srtp);
        assert_eq!(Protocol::of(&[128, 200]), Protocol::Srtcp);
        assert_eq!(Protocol::of(&[191, 0x80 | 111]), Protocol::Srtp);
        assert_eq!(Protocol::of(&[192]), Protocol::Unknown);
    }
}
