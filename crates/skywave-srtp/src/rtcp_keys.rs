//! The keys of SRTCP between packets.

use crate::aes_cm::AesCm;
use crate::aes_gcm::NonceSalt;
use crate::cipher::Cipher;
use crate::key_derivation::SessionKeys;
use crate::packet::{INDEX_LEN, read_u32};
use crate::{MasterKey, Profile};

/// The session keys of one direction of SRTCP.
///
/// A packet comes every few seconds, so its cipher is set up for it and wiped after: that takes
/// some thousand instructions, and a key schedule that lies ready half a kilobyte of each peer.
pub(crate) struct RtcpKeys {
    profile: Profile,
    keys: SessionKeys,
}

impl RtcpKeys {
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self {
            profile: master.profile(),
            keys: SessionKeys::srtcp(master),
        }
    }

    /// Bytes added to a packet.
    pub(crate) fn overhead(&self) -> usize {
        self.profile.rtcp_overhead()
    }

    /// The word with the E bit and the SRTCP index of a received packet, which is no shorter than
    /// header and overhead together.
    pub(crate) fn index_word(&self, packet: &[u8]) -> u32 {
        let tag_behind = match self.profile {
            Profile::Aes128CmHmacSha1_80 | Profile::Aes128CmHmacSha1_32 => AesCm::RTCP_TAG_LEN,
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => 0,
        };
        let end = packet.len() - tag_behind;
        read_u32(&packet[end - INDEX_LEN..end])
    }

    /// What a packet is sealed or opened with.
    pub(crate) fn set_up(&self) -> (Cipher, NonceSalt) {
        (
            Cipher::new(self.profile, &self.keys),
            self.keys.nonce_salt(),
        )
    }
}

// A peer has two.
const _: () = assert!(size_of::<RtcpKeys>() <= 96);
