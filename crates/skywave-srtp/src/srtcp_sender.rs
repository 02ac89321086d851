//! Protects RTCP packets: RFC 3711 §3.4, RFC 7714 §9.

use std::fmt;

use crate::packet::{E_BIT, RTCP_HEADER_LEN, lend, read_u32};
use crate::rtcp_keys::RtcpKeys;
use crate::{Error, MasterKey};

/// Protects the RTCP packets of one direction, always encrypted (E bit set).
///
/// It numbers the packets itself, from 0. It serves all SSRCs of its direction with one series
/// of numbers; there must be no second one with the same master key.
pub struct SrtcpSender {
    keys: RtcpKeys,
    next: u32,
}

impl SrtcpSender {
    /// Derives the session keys of SRTCP.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            keys: RtcpKeys::new(master),
            next: 0,
        }
    }

    /// Makes SRTCP of RTCP in place, without allocating.
    ///
    /// `packet[..len]` is a compound RTCP packet. Afterwards `packet[..n]` is the SRTCP packet,
    /// where `n` is returned: `len` and the profile's
    /// [`rtcp_overhead`](crate::Profile::rtcp_overhead).
    ///
    /// # Errors
    /// [`Error::PacketTooShort`], [`Error::PacketTooLong`] and [`Error::BufferTooSmall`] for
    /// packets that are not taken; [`Error::IndexExhausted`] after 2^31 packets. The packet is
    /// then as it was. [`Error::Cipher`] if the cipher fails, which it has no reason to.
    pub fn protect(&mut self, packet: &mut [u8], len: usize) -> Result<usize, Error> {
        if len < RTCP_HEADER_LEN {
            return Err(Error::PacketTooShort {
                len,
                header_len: RTCP_HEADER_LEN,
            });
        }
        let needed = len.saturating_add(self.keys.overhead());
        let packet = lend(packet, needed)?;
        let index = self.next;
        if index >= E_BIT {
            return Err(Error::IndexExhausted);
        }
        // Counted first: whatever becomes of the packet, its index is used.
        self.next += 1;
        let ssrc = read_u32(&packet[4..8]);
        let (cipher, salt) = self.keys.set_up();
        cipher.seal_rtcp(&salt, packet, ssrc, index)?;
        Ok(needed)
    }
}

impl fmt::Debug for SrtcpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtcpSender")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PROFILES, master, rtcp};

    fn index_word(sender: &mut SrtcpSender) -> Result<u32, Error> {
        let mut packet = rtcp(7, b"rest");
        let len = packet.len();
        packet.resize(len + crate::MAX_RTCP_OVERHEAD, 0);
        let len = sender.protect(&mut packet, len)?;
        Ok(sender.keys.index_word(&packet[..len]))
    }

    #[test]
    fn rfc3711_3_4_packets_are_numbered_from_zero_with_the_e_bit_set() {
        for &profile in PROFILES {
            let mut sender = SrtcpSender::new(&master(profile));
            let words: Vec<u32> = (0..3).map(|_| index_word(&mut sender).unwrap()).collect();
            assert_eq!(words, [0x8000_0000, 0x8000_0001, 0x8000_0002]);
        }
    }

    #[test]
    fn rfc3711_9_2_the_last_of_2_to_the_31_indices_is_used_and_none_after_it() {
        let mut sender = SrtcpSender::new(&master(PROFILES[0]));
        sender.next = 0x7fff_ffff;
        assert_eq!(index_word(&mut sender), Ok(0xffff_ffff));
        assert_eq!(index_word(&mut sender), Err(Error::IndexExhausted));
        assert_eq!(index_word(&mut sender), Err(Error::IndexExhausted));
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let mut sender = SrtcpSender::new(&master(PROFILES[0]));
        let mut packet = [0x80; 21];
        assert_eq!(
            sender.protect(&mut packet, 7),
            Err(Error::PacketTooShort {
                len: 7,
                header_len: 8
            })
        );
        assert_eq!(
            sender.protect(&mut packet, 8),
            Err(Error::BufferTooSmall {
                needed: 22,
                available: 21
            })
        );
    }
}
