//! The keys of SRTCP between packets.

use crate::aes_gcm::NonceSalt;
use crate::cipher::Cipher;
use crate::key_derivation::SessionKeys;
use crate::{MasterKey, Profile};

/// The session keys of one direction of SRTCP.
///
/// A packet comes every few seconds, so its cipher is set up for it and wiped after: that takes
/// less than a microsecond, and a key schedule that lies ready half a kilobyte of each peer.
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
