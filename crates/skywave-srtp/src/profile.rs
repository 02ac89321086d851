//! SRTP protection profiles: RFC 5764 §4.1.2 and RFC 7714 §14.2.
//!
//! The NULL profiles are not known here.

/// An SRTP protection profile: cipher, authentication and their lengths.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// AES in counter mode with a 128-bit key, HMAC-SHA1 with an 80-bit tag (RFC 3711).
    Aes128CmHmacSha1_80,
    /// The same with a 32-bit tag on SRTP; SRTCP keeps its 80 bits (RFC 5764 §4.1.2).
    Aes128CmHmacSha1_32,
    /// AES in Galois/counter mode with a 128-bit key and a 128-bit tag (RFC 7714).
    AeadAes128Gcm,
    /// AES in Galois/counter mode with a 256-bit key and a 128-bit tag (RFC 7714).
    AeadAes256Gcm,
}

impl Profile {
    /// The profile with this number in IANA's registry of DTLS-SRTP protection profiles.
    #[must_use]
    pub const fn from_iana(id: u16) -> Option<Self> {
        match id {
            0x0001 => Some(Self::Aes128CmHmacSha1_80),
            0x0002 => Some(Self::Aes128CmHmacSha1_32),
            0x0007 => Some(Self::AeadAes128Gcm),
            0x0008 => Some(Self::AeadAes256Gcm),
            _ => None,
        }
    }

    /// The number in IANA's registry of DTLS-SRTP protection profiles.
    #[must_use]
    pub const fn iana(self) -> u16 {
        match self {
            Self::Aes128CmHmacSha1_80 => 0x0001,
            Self::Aes128CmHmacSha1_32 => 0x0002,
            Self::AeadAes128Gcm => 0x0007,
            Self::AeadAes256Gcm => 0x0008,
        }
    }

    /// The registered name without the `SRTP_` prefix, as in `srtpCipher` of W3C webrtc-stats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128CmHmacSha1_80 => "AES128_CM_HMAC_SHA1_80",
            Self::Aes128CmHmacSha1_32 => "AES128_CM_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// Bytes of the master key; the session's encryption key is as long.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 | Self::Aes128CmHmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of the master salt; the session's salt is as long.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 | Self::Aes128CmHmacSha1_32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    /// Bytes by which an SRTP packet is longer than its RTP packet.
    #[must_use]
    pub const fn rtp_overhead(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 => 10,
            Self::Aes128CmHmacSha1_32 => 4,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }

    /// Bytes by which an SRTCP packet is longer than its RTCP packet: the tag, and the word
    /// with the E bit and the SRTCP index.
    #[must_use]
    pub const fn rtcp_overhead(self) -> usize {
        match self {
            Self::Aes128CmHmacSha1_80 | Self::Aes128CmHmacSha1_32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 20,
        }
    }
}

/// The largest [`Profile::rtp_overhead`] of all profiles, in bytes.
pub const MAX_RTP_OVERHEAD: usize = 16;

/// The largest [`Profile::rtcp_overhead`] of all profiles, in bytes.
pub const MAX_RTCP_OVERHEAD: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Profile; 4] = [
        Profile::Aes128CmHmacSha1_80,
        Profile::Aes128CmHmacSha1_32,
        Profile::AeadAes128Gcm,
        Profile::AeadAes256Gcm,
    ];

    #[test]
    fn iana_numbers_lead_back_to_their_profile() {
        let known: Vec<Profile> = (0..=u16::MAX).filter_map(Profile::from_iana).collect();
        assert_eq!(known, ALL);
        assert_eq!(ALL.map(Profile::iana), [1, 2, 7, 8]);
    }

    #[test]
    fn published_maxima_are_those_of_the_profiles() {
        assert_eq!(
            ALL.map(Profile::rtp_overhead).into_iter().max(),
            Some(MAX_RTP_OVERHEAD)
        );
        assert_eq!(
            ALL.map(Profile::rtcp_overhead).into_iter().max(),
            Some(MAX_RTCP_OVERHEAD)
        );
    }

    #[test]
    fn rfc5764_4_1_2_short_tags_are_of_srtp_alone() {
        let profile = Profile::Aes128CmHmacSha1_32;
        assert_eq!((profile.rtp_overhead(), profile.rtcp_overhead()), (4, 14));
    }
}
