//! Protects the RTP packets of one stream: RFC 3711 §3.3, RFC 7714 §8.

use std::fmt;

use crate::cipher::Cipher;
use crate::key_derivation::SessionKeys;
use crate::packet::{RTP_HEADER_LEN, lend, read_u32};
use crate::packet_index::{self, PACKET_INDICES};
use crate::{Error, MasterKey};

/// Protects the RTP packets of one SSRC.
///
/// A stream's index starts with its first sequence number and a rollover counter of 0. Sequence
/// numbers that go forward, by less than 2^15, count the rollovers. One that goes back names the
/// packet sent earlier under it: protecting the *same* packet again gives the same bytes, as a
/// retransmission may. **A different packet under an earlier sequence number must never be
/// passed**: it would be encrypted with a key stream already used, which gives both plaintexts
/// away and, with AES-GCM, the authentication key (RFC 7714 §6).
///
/// Streams of the same association share the master key and have one sender each, with
/// different SSRCs.
pub struct SrtpSender {
    cipher: Cipher,
    /// Highest index so far.
    highest: u64,
    /// The stream, once the first packet has named it.
    ssrc: Option<u32>,
}

impl SrtpSender {
    /// Derives the session keys of SRTP.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            cipher: Cipher::new(master.profile(), &SessionKeys::srtp(master)),
            highest: 0,
            ssrc: None,
        }
    }

    /// Makes SRTP of RTP in place, without allocating.
    ///
    /// `packet[..len]` is an RTP packet whose header (fixed header, CSRCs and extension) has
    /// `header_len` bytes. Afterwards `packet[..n]` is the SRTP packet, where `n` is returned:
    /// `len` and the profile's [`rtp_overhead`](crate::Profile::rtp_overhead).
    ///
    /// # Errors
    /// [`Error::HeaderLength`], [`Error::PacketTooShort`], [`Error::PacketTooLong`],
    /// [`Error::BufferTooSmall`], [`Error::Ssrc`] and [`Error::BeforeStart`] for packets that
    /// are not taken; [`Error::IndexExhausted`] after 2^48 packets. The packet is then as it was.
    /// [`Error::Cipher`] if the cipher fails, which it has no reason to.
    pub fn protect(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        len: usize,
    ) -> Result<usize, Error> {
        if header_len < RTP_HEADER_LEN {
            return Err(Error::HeaderLength { header_len });
        }
        if len < header_len {
            return Err(Error::PacketTooShort { len, header_len });
        }
        let needed = len.saturating_add(self.cipher.rtp_overhead());
        let packet = lend(packet, needed)?;
        let ssrc = read_u32(&packet[8..12]);
        let index = self.index(ssrc, u16::from_be_bytes([packet[2], packet[3]]))?;
        // Counted first: whatever becomes of the packet, its index is used.
        self.ssrc = Some(ssrc);
        self.highest = self.highest.max(index);
        self.cipher.seal_rtp(packet, header_len, ssrc, index)?;
        Ok(needed)
    }

    fn index(&self, ssrc: u32, sequence_number: u16) -> Result<u64, Error> {
        let Some(expected) = self.ssrc else {
            return Ok(u64::from(sequence_number));
        };
        if ssrc != expected {
            return Err(Error::Ssrc {
                expected,
                actual: ssrc,
            });
        }
        match packet_index::estimate(self.highest, sequence_number) {
            Some(index) if index < PACKET_INDICES => Ok(index),
            Some(_) => Err(Error::IndexExhausted),
            None => Err(Error::BeforeStart { sequence_number }),
        }
    }
}

impl fmt::Debug for SrtpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpSender")
            .field("ssrc", &self.ssrc)
            .field("highest", &self.highest)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PROFILES, master, rtp};

    /// The packet protected, or why it was not.
    fn protect(sender: &mut SrtpSender, packet: &[u8]) -> Result<Vec<u8>, Error> {
        let mut buffer = packet.to_vec();
        buffer.resize(packet.len() + crate::MAX_RTP_OVERHEAD, 0);
        let len = sender.protect(&mut buffer, 12, packet.len())?;
        buffer.truncate(len);
        Ok(buffer)
    }

    #[test]
    fn retransmission_across_the_wrap_gives_the_same_bytes() {
        for profile in PROFILES {
            let mut sender = SrtpSender::new(&master(profile));
            let late = rtp(7, 65_534, b"late");
            let first = protect(&mut sender, &late).unwrap();
            for sequence_number in [65_535, 0, 1, 2] {
                protect(&mut sender, &rtp(7, sequence_number, b"x")).unwrap();
            }
            assert_eq!(protect(&mut sender, &late).unwrap(), first, "{profile:?}");
        }
    }

    #[test]
    fn retransmission_does_not_turn_the_stream_back() {
        for profile in PROFILES {
            let mut steady = SrtpSender::new(&master(profile));
            let mut repeating = SrtpSender::new(&master(profile));
            for sequence_number in [0, 0x7fff, 0xffff, 0, 0x7fff] {
                let packet = rtp(7, sequence_number, b"x");
                protect(&mut steady, &packet).unwrap();
                protect(&mut repeating, &packet).unwrap();
            }
            protect(&mut repeating, &rtp(7, 0, b"x")).unwrap();
            let next = rtp(7, 0x8001, b"next");
            assert_eq!(
                protect(&mut repeating, &next),
                protect(&mut steady, &next),
                "{profile:?}"
            );
        }
    }

    #[test]
    fn rounds_of_the_sequence_number_differ() {
        for profile in PROFILES {
            let mut sender = SrtpSender::new(&master(profile));
            let packet = rtp(7, 0, b"again");
            let first = protect(&mut sender, &packet).unwrap();
            for sequence_number in [30_000, 60_000] {
                protect(&mut sender, &rtp(7, sequence_number, b"x")).unwrap();
            }
            assert_ne!(protect(&mut sender, &packet).unwrap(), first, "{profile:?}");
        }
    }

    #[test]
    fn the_last_index_is_used_and_none_after_it() {
        let mut sender = SrtpSender::new(&master(PROFILES[0]));
        protect(&mut sender, &rtp(7, 0, b"first")).unwrap();
        sender.highest = PACKET_INDICES - 2;
        assert!(protect(&mut sender, &rtp(7, 65_535, b"last")).is_ok());
        assert_eq!(
            protect(&mut sender, &rtp(7, 0, b"one more")),
            Err(Error::IndexExhausted)
        );
        assert!(protect(&mut sender, &rtp(7, 65_535, b"last")).is_ok());
    }

    #[test]
    fn sequence_number_before_the_start_is_refused() {
        let mut sender = SrtpSender::new(&master(PROFILES[1]));
        protect(&mut sender, &rtp(7, 3, b"first")).unwrap();
        assert_eq!(
            protect(&mut sender, &rtp(7, 65_530, b"before")),
            Err(Error::BeforeStart {
                sequence_number: 65_530
            })
        );
    }

    #[test]
    fn second_ssrc_is_refused() {
        let mut sender = SrtpSender::new(&master(PROFILES[1]));
        protect(&mut sender, &rtp(7, 3, b"first")).unwrap();
        assert_eq!(
            protect(&mut sender, &rtp(8, 4, b"other")),
            Err(Error::Ssrc {
                expected: 7,
                actual: 8
            })
        );
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused_and_leave_the_packet() {
        let mut sender = SrtpSender::new(&master(PROFILES[1]));
        let plain = rtp(7, 1, b"hello");
        let mut buffer = plain.clone();
        buffer.resize(17 + 15, 0);
        let before = buffer.clone();
        let mut refused = |header_len, len, error| {
            assert_eq!(sender.protect(&mut buffer, header_len, len), Err(error));
        };
        refused(11, 17, Error::HeaderLength { header_len: 11 });
        refused(
            18,
            17,
            Error::PacketTooShort {
                len: 17,
                header_len: 18,
            },
        );
        refused(
            12,
            17,
            Error::BufferTooSmall {
                needed: 33,
                available: 32,
            },
        );
        refused(12, usize::MAX, Error::PacketTooLong { needed: usize::MAX });
        assert_eq!(buffer, before);
    }

    #[test]
    fn debug_output_shows_no_key() {
        let sender = SrtpSender::new(&master(PROFILES[0]));
        assert_eq!(
            format!("{sender:?}"),
            "SrtpSender { ssrc: None, highest: 0, .. }"
        );
    }
}
