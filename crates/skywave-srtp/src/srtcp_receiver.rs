//! Unprotects SRTCP packets: RFC 3711 §3.4, RFC 7714 §9.

use std::fmt;

use crate::packet::{E_BIT, RTCP_HEADER_LEN, VERSION, read_u32};
use crate::replay_list::ReplayList;
use crate::rtcp_keys::RtcpKeys;
use crate::{DropReason, MasterKey};

/// Unprotects the SRTCP packets of one direction, of up to 32 SSRCs.
///
/// Packets that are not encrypted are dropped, although RFC 3711 knows them: the profiles of
/// DTLS-SRTP encrypt.
pub struct SrtcpReceiver {
    keys: RtcpKeys,
    replay_list: ReplayList,
}

impl SrtcpReceiver {
    /// Derives the session keys of SRTCP.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            keys: RtcpKeys::new(master),
            replay_list: ReplayList::default(),
        }
    }

    /// Makes RTCP of SRTCP in place; `packet[..n]` is the RTCP packet, where `n` is returned.
    ///
    /// # Errors
    /// The reason to drop the packet, whose bytes may then be lost.
    pub fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, DropReason> {
        let overhead = self.keys.overhead();
        if packet.len() < RTCP_HEADER_LEN + overhead {
            return Err(DropReason::TooShort);
        }
        if packet[0] >> 6 != VERSION {
            return Err(DropReason::BadVersion);
        }
        let word = self.keys.index_word(packet);
        if word & E_BIT == 0 {
            return Err(DropReason::Unencrypted);
        }
        let index = word & !E_BIT;
        let ssrc = read_u32(&packet[4..8]);
        self.replay_list.check(ssrc, u64::from(index))?;
        // Only now: what is dropped before must cost nothing.
        let (cipher, salt) = self.keys.set_up();
        cipher.open_rtcp(&salt, packet, ssrc, index)?;
        self.replay_list.insert(ssrc, u64::from(index));
        Ok(packet.len() - overhead)
    }
}

impl fmt::Debug for SrtcpReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtcpReceiver").finish_non_exhaustive()
    }
}
