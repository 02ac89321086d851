//! Protects the RTP packets of one stream: RFC 3711 §3.3, RFC 7714 §8.

use std::fmt;

use crate::aes_gcm::NonceSalt;
use crate::cipher::Cipher;
use crate::encrypted_portion::EncryptedPortion;
use crate::header_protection::HeaderProtection;
use crate::key_derivation::SessionKeys;
use crate::packet::{RTP_HEADER_LEN, lend, read_u32};
use crate::rtp_header::RtpHeader;
use crate::{Error, HeaderEncryption, MasterKey, StreamIndex};

/// Protects the RTP packets of one SSRC, and of further ones whose [`StreamIndex`] the caller
/// holds.
///
/// A stream's index starts with its first sequence number and a rollover counter of 0. Sequence
/// numbers that go forward, by less than 2^15, count the rollovers. One that goes back names the
/// packet sent earlier under it: protecting the *same* packet again gives the same bytes, as a
/// retransmission may. **A different packet under an earlier sequence number must never be
/// passed**: it would be encrypted with a key stream already used, which gives both plaintexts
/// away and, with AES-GCM, the authentication key (RFC 7714 §6).
///
/// Streams of the same association share the master key, in one sender or in several, with
/// different SSRCs.
pub struct SrtpSender {
    cipher: Cipher,
    salt: NonceSalt,
    stream: StreamIndex,
    header: Option<Box<HeaderProtection>>,
}

// A packet of AES-GCM touches key schedule and hash table, which are 544 bytes of these.
const _: () = assert!(size_of::<SrtpSender>() <= 576);

impl SrtpSender {
    /// Derives the session keys of SRTP; headers are not encrypted.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self::with_header_encryption(master, HeaderEncryption::None)
    }

    /// Derives the session keys of SRTP, to encrypt headers as well, as the peer agreed to.
    #[must_use]
    pub fn with_header_encryption(master: &MasterKey, encryption: HeaderEncryption) -> Self {
        let keys = SessionKeys::srtp(master);
        Self {
            cipher: Cipher::new(master.profile(), &keys),
            salt: keys.nonce_salt(),
            stream: StreamIndex::new(),
            header: HeaderProtection::new(master, encryption),
        }
    }

    /// Makes SRTP of RTP in place, without allocating.
    ///
    /// `packet[..len]` is an RTP packet whose header (fixed header, CSRCs and extension) has
    /// `header_len` bytes. Afterwards `packet[..n]` is the SRTP packet, where `n` is returned:
    /// `len` and the profile's [`rtp_overhead`](crate::Profile::rtp_overhead), and 4 more for
    /// packets with CSRCs and no extension under [`HeaderEncryption::Cryptex`].
    ///
    /// # Errors
    /// [`Error::HeaderLength`], [`Error::HeaderExtension`], [`Error::PacketTooShort`],
    /// [`Error::PacketTooLong`], [`Error::BufferTooSmall`], [`Error::Ssrc`] and
    /// [`Error::BeforeStart`] for packets that are not taken; [`Error::IndexExhausted`] after
    /// 2^48 packets. The packet is then as it was.
    /// [`Error::Cipher`] if the cipher fails, which it has no reason to.
    pub fn protect(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        len: usize,
    ) -> Result<usize, Error> {
        let packet = self.check(packet, header_len, len)?;
        let index = self.stream.index(packet.ssrc, packet.sequence_number)?;
        // Counted first: whatever becomes of the packet, its index is used.
        self.stream.advance(packet.ssrc, index);
        self.seal(packet, index)
    }

    /// Makes SRTP of RTP as [`protect`](Self::protect) does, for a further SSRC under the same
    /// keys, such as that of retransmissions (RFC 4588).
    ///
    /// Each of these SSRCs has one `stream`, used with this sender alone, from its first packet
    /// to its last.
    ///
    /// # Errors
    /// Those of [`protect`](Self::protect), and [`Error::SsrcInUse`] if the packet has the SSRC
    /// of the sender's own stream.
    pub fn protect_stream(
        &self,
        stream: &mut StreamIndex,
        packet: &mut [u8],
        header_len: usize,
        len: usize,
    ) -> Result<usize, Error> {
        let packet = self.check(packet, header_len, len)?;
        if self.stream.ssrc() == Some(packet.ssrc) {
            return Err(Error::SsrcInUse { ssrc: packet.ssrc });
        }
        let index = stream.index(packet.ssrc, packet.sequence_number)?;
        stream.advance(packet.ssrc, index);
        self.seal(packet, index)
    }

    /// Everything that can be refused but the index.
    #[inline]
    fn check<'a>(
        &self,
        buffer: &'a mut [u8],
        header_len: usize,
        len: usize,
    ) -> Result<Checked<'a>, Error> {
        if header_len < RTP_HEADER_LEN {
            return Err(Error::HeaderLength { header_len });
        }
        if len < header_len {
            return Err(Error::PacketTooShort { len, header_len });
        }
        let mut needed = len.saturating_add(self.cipher.rtp_overhead());
        let mut header = None;
        if let Some(protection) = &self.header {
            let packet = &lend(buffer, needed)?[..len];
            let parsed = RtpHeader::parse(packet)
                .ok()
                .filter(|header| header.len == header_len)
                .ok_or(Error::HeaderLength { header_len })?;
            needed += protection.growth(packet, &parsed)?;
            header = Some(parsed);
        }
        let bytes = lend(buffer, needed)?;
        Ok(Checked {
            ssrc: read_u32(&bytes[8..12]),
            sequence_number: u16::from_be_bytes([bytes[2], bytes[3]]),
            bytes,
            header_len,
            len,
            header,
        })
    }

    #[inline]
    fn seal(&self, packet: Checked<'_>, index: u64) -> Result<usize, Error> {
        let portion = match (&self.header, packet.header) {
            (Some(protection), Some(header)) => {
                protection.seal(packet.bytes, &header, packet.len, index)
            }
            _ => EncryptedPortion::payload(packet.header_len),
        };
        self.cipher
            .seal_rtp(&self.salt, packet.bytes, portion, packet.ssrc, index)?;
        Ok(packet.bytes.len())
    }
}

impl fmt::Debug for SrtpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpSender")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// A packet that can be protected, with room for what it grows by.
struct Checked<'a> {
    bytes: &'a mut [u8],
    ssrc: u32,
    sequence_number: u16,
    header_len: usize,
    /// Bytes of the RTP packet.
    len: usize,
    /// Read only if headers are encrypted.
    header: Option<RtpHeader>,
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
    fn rfc3711_3_3_2_packet_sent_again_across_the_wrap_has_the_same_bytes() {
        for &profile in PROFILES {
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
    fn rfc3711_4_1_1_packet_sent_again_does_not_turn_the_index_back() {
        for &profile in PROFILES {
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
    fn rfc3711_4_1_1_rounds_of_the_sequence_number_differ() {
        for &profile in PROFILES {
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
    fn sequence_number_before_the_start_is_refused() {
        let mut sender = SrtpSender::new(&master(PROFILES[0]));
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
        let mut sender = SrtpSender::new(&master(PROFILES[0]));
        protect(&mut sender, &rtp(7, 3, b"first")).unwrap();
        assert_eq!(
            protect(&mut sender, &rtp(8, 4, b"other")),
            Err(Error::Ssrc {
                expected: 7,
                actual: 8
            })
        );
    }

    /// As [`protect`], for a further stream.
    fn protect_stream(
        sender: &SrtpSender,
        stream: &mut StreamIndex,
        packet: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let mut buffer = packet.to_vec();
        buffer.resize(packet.len() + crate::MAX_RTP_OVERHEAD, 0);
        let len = sender.protect_stream(stream, &mut buffer, 12, packet.len())?;
        buffer.truncate(len);
        Ok(buffer)
    }

    #[test]
    fn rfc3711_3_2_3_further_streams_have_an_index_each() {
        for &profile in PROFILES {
            // A sender for each SSRC tells what a further stream of one sender has to be.
            let mut apart = [0, 1].map(|_| SrtpSender::new(&master(profile)));
            let mut sender = SrtpSender::new(&master(profile));
            let mut further = StreamIndex::new();
            for (primary, other) in [(65_534, 30_000), (65_535, 60_000), (0, 20_000), (1, 50_000)] {
                let packet = rtp(7, primary, b"sent");
                assert_eq!(
                    protect(&mut sender, &packet),
                    protect(&mut apart[0], &packet)
                );
                let packet = rtp(8, other, b"sent");
                assert_eq!(
                    protect_stream(&sender, &mut further, &packet),
                    protect(&mut apart[1], &packet)
                );
            }
            assert_eq!(further.ssrc(), Some(8));
        }
    }

    #[test]
    fn rfc3711_9_1_further_stream_with_the_ssrc_of_the_first_is_refused() {
        let mut sender = SrtpSender::new(&master(PROFILES[0]));
        protect(&mut sender, &rtp(7, 3, b"first")).unwrap();
        let mut further = StreamIndex::new();
        assert_eq!(
            protect_stream(&sender, &mut further, &rtp(7, 4, b"other")),
            Err(Error::SsrcInUse { ssrc: 7 })
        );
        protect_stream(&sender, &mut further, &rtp(8, 4, b"other")).unwrap();
        assert_eq!(
            protect_stream(&sender, &mut further, &rtp(9, 5, b"third")),
            Err(Error::Ssrc {
                expected: 8,
                actual: 9
            })
        );
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused_and_leave_the_packet() {
        let mut sender = SrtpSender::new(&master(PROFILES[0]));
        let plain = rtp(7, 1, b"hello");
        let mut buffer = plain.clone();
        buffer.resize(17 + 9, 0);
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
                needed: 27,
                available: 26,
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
            "SrtpSender { stream: StreamIndex { ssrc: 0, roc: 0, sequence_number: 0, started: false }, .. }"
        );
    }
}
