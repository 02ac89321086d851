//! Temporary maximum media stream bit rate: the request (TMMBR) and the notification (TMMBN) that
//! answers it (RFC 5104 §4.2.1, §4.2.2).

use std::slice;

use crate::Malformed;
use crate::octets::{Octets, bitrate};

/// A received TMMBR or TMMBN.
#[derive(Clone, Debug)]
pub struct Tmmb<'a> {
    sender_ssrc: u32,
    entries: &'a [[u8; TmmbEntry::LEN]],
}

impl<'a> Tmmb<'a> {
    /// A request has at least one entry; a notification may have none (`least` of 0).
    pub(crate) fn parse(mut octets: Octets<'a>, least: usize) -> Result<Self, Malformed> {
        let (sender_ssrc, _) = octets.feedback_ssrcs()?;
        let entries = octets.entries(least)?;
        if entries.iter().any(|entry| TmmbEntry::parse(entry).is_err()) {
            return Err(Malformed::Value);
        }
        Ok(Self {
            sender_ssrc,
            entries,
        })
    }

    /// Who asks or notifies.
    pub fn sender_ssrc(&self) -> u32 {
        self.sender_ssrc
    }

    /// What is asked, one entry a stream; or of a notification the limits in force, one entry
    /// for each who set one.
    pub fn entries(&self) -> TmmbEntries<'a> {
        TmmbEntries(self.entries.iter())
    }
}

/// The entries of a [`Tmmb`].
#[derive(Clone, Debug)]
pub struct TmmbEntries<'a>(slice::Iter<'a, [u8; TmmbEntry::LEN]>);

impl Iterator for TmmbEntries<'_> {
    type Item = TmmbEntry;

    fn next(&mut self) -> Option<TmmbEntry> {
        // Every entry was read once already.
        TmmbEntry::parse(self.0.next()?).ok()
    }
}

/// A limit.
///
/// A request's entry names the stream that is limited, a notification's the one who set the
/// limit. The answer to the peer's only request is hence
/// `TmmbEntry { ssrc: request.sender_ssrc(), ..entry }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TmmbEntry {
    /// The stream to limit (TMMBR), or who limits it (TMMBN).
    pub ssrc: u32,
    /// The limit in bit/s, headers included. Written with 17 significant bits, rounded down.
    pub max_bitrate: u64,
    /// The headers counted, in octets a packet: 0 to 511, of RTP and all below it.
    pub overhead: u16,
}

impl TmmbEntry {
    pub(crate) const LEN: usize = 8;

    fn parse(octets: &[u8; Self::LEN]) -> Result<Self, Malformed> {
        let word = u64::from_be_bytes(*octets);
        Ok(Self {
            ssrc: (word >> 32) as u32,
            max_bitrate: bitrate(word as u32 >> 26, word as u32 >> 9 & MAX_MANTISSA)?,
            overhead: word as u16 & MAX_OVERHEAD,
        })
    }

    /// The overhead was checked.
    pub(crate) fn to_octets(self) -> [u8; Self::LEN] {
        let significant = u64::BITS - self.max_bitrate.leading_zeros();
        let exponent = significant.saturating_sub(MAX_MANTISSA.count_ones());
        let mantissa = self.max_bitrate >> exponent;
        let limit = u64::from(exponent) << 26 | mantissa << 9 | u64::from(self.overhead);
        (u64::from(self.ssrc) << 32 | limit).to_be_bytes()
    }
}

const MAX_MANTISSA: u32 = 0x1_ffff;
pub(crate) const MAX_OVERHEAD: u16 = 0x1ff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc5104_4_2_1_entries_are_read() {
        // Exponent 2, mantissa 16,000, overhead 40 for 7; exponent 0, mantissa 1, 511 for 8.
        let body = b"\0\0\0\x01\0\0\0\0\0\0\0\x07\x08\x7d\x00\x28\0\0\0\x08\x00\x00\x03\xff";
        let request = Tmmb::parse(Octets(body), 1).unwrap();
        assert_eq!(request.sender_ssrc(), 1);
        let entry = |ssrc, max_bitrate, overhead| TmmbEntry {
            ssrc,
            max_bitrate,
            overhead,
        };
        let entries: Vec<_> = request.entries().collect();
        assert_eq!(entries, [entry(7, 64_000, 40), entry(8, 1, 511)]);
    }

    #[test]
    fn rfc5104_4_2_2_notification_may_be_empty_but_a_request_may_not() {
        let body = Octets(b"\0\0\0\x01\0\0\0\0");
        assert_eq!(Tmmb::parse(body, 0).unwrap().entries().count(), 0);
        assert_eq!(Tmmb::parse(body, 1).unwrap_err(), Malformed::Count);
    }

    #[test]
    fn bitrate_beyond_64_bits_and_half_an_entry_are_refused() {
        let body = b"\0\0\0\x01\0\0\0\0\0\0\0\x07\xff\xff\xfe\x00";
        assert_eq!(Tmmb::parse(Octets(body), 1).unwrap_err(), Malformed::Value);
        let half = Octets(&body[..12]);
        assert_eq!(Tmmb::parse(half, 1).unwrap_err(), Malformed::Count);
    }

    #[test]
    fn limit_is_written_with_17_significant_bits_rounded_down() {
        let read_back = |max_bitrate| {
            let entry = TmmbEntry {
                ssrc: 9,
                max_bitrate,
                overhead: 511,
            };
            let read = TmmbEntry::parse(&entry.to_octets()).unwrap();
            assert_eq!((read.ssrc, read.overhead), (9, 511));
            read.max_bitrate
        };
        for exact in [0, 1, 0x1_ffff, 0x2_0000, 96_000, 1 << 63] {
            assert_eq!(read_back(exact), exact);
        }
        assert_eq!(read_back(0x2_0001), 0x2_0000);
        assert_eq!(read_back(u64::MAX), 0x1_ffff << 47);
    }
}
