//! Extended reports (RFC 3611): the receiver reference time and the answer to it (§4.4, §4.5).
//!
//! Blocks of any other type, Statistics Summary and VoIP Metrics among them, are skipped.

use std::slice;
use std::time::Duration;

use crate::octets::Octets;
use crate::{Malformed, NtpTime};

/// A received XR packet, checked to its last block.
///
/// Somebody who only receives sends its time in a Receiver Reference Time block, to learn the
/// round-trip time from the answer (see [`Dlrr`]). A pure sender has no use for that: it measures
/// with its sender reports, so none is written here.
#[derive(Clone, Copy, Debug)]
pub struct ExtendedReport<'a> {
    ssrc: u32,
    blocks: Blocks<'a>,
}

impl<'a> ExtendedReport<'a> {
    pub(crate) fn parse(mut octets: Octets<'a>) -> Result<Self, Malformed> {
        let ssrc = octets.u32().ok_or(Malformed::Count)?;
        let blocks = Blocks(octets);
        let mut unread = blocks;
        unread.by_ref().for_each(drop);
        // The iterator stops before a block that does not fit.
        match unread.0.0 {
            [] => Ok(Self { ssrc, blocks }),
            _ => Err(Malformed::Count),
        }
    }

    /// Who reports.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The remote's time when it sent this, if it asks for an answer (§4.4).
    pub fn reference_time(&self) -> Option<NtpTime> {
        Octets(self.block(RECEIVER_REFERENCE_TIME)?)
            .u64()
            .map(NtpTime)
    }

    /// The remote's answers to reference times (§4.5); none if it gave no answer.
    pub fn dlrr(&self) -> DlrrBlocks<'a> {
        let block = self.block(DLRR).unwrap_or_default();
        DlrrBlocks(block.as_chunks().0.iter())
    }

    fn block(&self, wanted: u8) -> Option<&'a [u8]> {
        let mut blocks = self.blocks;
        blocks.find_map(|(block_type, body)| (block_type == wanted).then_some(body))
    }
}

/// Types and bodies of blocks.
#[derive(Clone, Copy, Debug)]
struct Blocks<'a>(Octets<'a>);

impl<'a> Iterator for Blocks<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut octets = self.0;
        let [block_type, _] = octets.take()?;
        let words = octets.u16()?;
        let body = octets.slice(usize::from(words) * 4)?;
        self.0 = octets;
        Some((block_type, body))
    }
}

/// The sub-blocks of a DLRR block.
#[derive(Clone, Debug)]
pub struct DlrrBlocks<'a>(slice::Iter<'a, [u8; Dlrr::LEN]>);

impl Iterator for DlrrBlocks<'_> {
    type Item = Dlrr;

    fn next(&mut self) -> Option<Dlrr> {
        let mut octets = Octets(self.0.next()?);
        Some(Dlrr {
            ssrc: octets.u32()?,
            last_rr: octets.u32()?,
            delay: octets.u32()?,
        })
    }
}

/// Delay since last receiver reference time report (§4.5): the answer to one receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dlrr {
    /// Whose reference time is answered.
    pub ssrc: u32,
    /// The middle of that reference time.
    pub last_rr: u32,
    /// Time between its arrival and this answer, in 1/65536 s.
    pub delay: u32,
}

impl Dlrr {
    pub(crate) const LEN: usize = 12;

    /// The answer to the `reference_time` of `ssrc` that arrived `held` ago (at most 18 hours,
    /// which is the longest delay that can be written).
    pub fn new(ssrc: u32, reference_time: NtpTime, held: Duration) -> Self {
        let ticks = (held.as_nanos() << 16) / 1_000_000_000;
        Self {
            ssrc,
            last_rr: reference_time.middle(),
            delay: u32::try_from(ticks).unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn to_octets(self) -> [u8; Self::LEN] {
        let mut octets = [0; Self::LEN];
        octets[..4].copy_from_slice(&self.ssrc.to_be_bytes());
        octets[4..8].copy_from_slice(&self.last_rr.to_be_bytes());
        octets[8..].copy_from_slice(&self.delay.to_be_bytes());
        octets
    }
}

const RECEIVER_REFERENCE_TIME: u8 = 4;
pub(crate) const DLRR: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3611_4_4_reference_time_behind_skipped_blocks() {
        // Statistics Summary (6), VoIP Metrics (7), one nobody knows, then the one wanted.
        let body = [
            &b"\0\0\0\x01\x06\xe0\x00\x09"[..],
            &[0xaa; 36],
            b"\x07\x00\x00\x08",
            &[0xbb; 32],
            b"\xfe\x00\x00\x00",
            b"\x04\x00\x00\x02\x01\x02\x03\x04\x05\x06\x07\x08",
        ]
        .concat();
        let report = ExtendedReport::parse(Octets(&body)).unwrap();
        assert_eq!(report.ssrc(), 1);
        assert_eq!(
            report.reference_time(),
            Some(NtpTime(0x0102_0304_0506_0708))
        );
        assert_eq!(report.dlrr().count(), 0);
    }

    #[test]
    fn rfc3611_4_5_sub_blocks_are_read() {
        let body = b"\0\0\0\x01\x05\x00\x00\x06\
            \0\0\0\x07\0\0\0\x08\0\0\0\x09\0\0\0\x0a\0\0\0\x0b\0\0\0\x0c";
        let report = ExtendedReport::parse(Octets(body)).unwrap();
        let block = |ssrc, last_rr, delay| Dlrr {
            ssrc,
            last_rr,
            delay,
        };
        assert!(report.dlrr().eq([block(7, 8, 9), block(10, 11, 12)]));
        assert_eq!(report.reference_time(), None);
    }

    #[test]
    fn block_past_the_end_is_refused_and_a_short_one_says_nothing() {
        for body in [
            &b"\0\0\0\x01\x04\x00\x00\x02\0\0\0\x01"[..],
            b"\0\0\0\x01\x04\x00\x00",
            b"\0\0\0",
        ] {
            let error = ExtendedReport::parse(Octets(body)).unwrap_err();
            assert_eq!(error, Malformed::Count, "{body:?}");
        }
        let short = b"\0\0\0\x01\x04\x00\x00\x01\0\0\0\x01\x05\x00\x00\x02\0\0\0\x01\0\0\0\x01";
        let report = ExtendedReport::parse(Octets(short)).unwrap();
        assert_eq!((report.reference_time(), report.dlrr().count()), (None, 0));
    }

    #[test]
    fn rfc3611_4_5_delay_is_in_65536ths_of_a_second() {
        let reference = NtpTime(0x1111_2222_3333_4444);
        let dlrr = Dlrr::new(7, reference, Duration::from_millis(1500));
        assert_eq!((dlrr.last_rr, dlrr.delay), (0x2222_3333, 0x0001_8000));
        assert_eq!(Dlrr::new(7, reference, Duration::MAX).delay, u32::MAX);
    }
}
