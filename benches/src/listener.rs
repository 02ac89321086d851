//! What is told to every candidate about a listener: keys and labels.

use skywave_srtp::Profile;

/// A listener with keys of its own.
#[derive(Clone, Debug)]
pub struct Listener {
    /// How its packets are protected.
    pub profile: Profile,
    /// Its stream.
    pub ssrc: u32,
    key: [u8; 32],
    salt: [u8; 14],
}

impl Listener {
    /// The listener of this number; its keys follow from it.
    #[must_use]
    pub fn new(profile: Profile, number: u32) -> Listener {
        let octet = |index: usize| number.to_be_bytes()[index % 4] ^ (index as u8).wrapping_mul(17);
        Listener {
            profile,
            ssrc: 0x1234_0000 + number,
            key: std::array::from_fn(octet),
            salt: std::array::from_fn(|index| octet(index + 32)),
        }
    }

    /// The master key, as long as the profile says.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key[..self.profile.key_len()]
    }

    /// The master salt, as long as the profile says.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.salt[..self.profile.salt_len()]
    }
}

/// The profiles that are measured.
pub const PROFILES: [Profile; 3] = [
    Profile::Aes128CmHmacSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];

/// The number of every session's first packet.
pub const FIRST_SEQUENCE_NUMBER: u16 = 4711;
/// Octets of RTP, extension header, audio level and mid.
pub const HEADER_OCTETS: usize = 12 + 4 + 2 + 2;

/// PCMU.
pub(crate) const PAYLOAD_TYPE: u8 = 0;
pub(crate) const AUDIO_LEVEL_ID: u8 = 1;
/// In -dBov, with voice.
pub(crate) const AUDIO_LEVEL: u8 = 30;
pub(crate) const MID_ID: u8 = 4;
pub(crate) const MID: &str = "0";
