//! Reception report blocks (RFC 3550 §6.4.1): how a stream arrives at the other side.

use std::slice;

use crate::octets::Octets;

/// What the remote says about the reception of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream reported on.
    pub ssrc: u32,
    /// Lost since the previous report, in 1/256 of the expected packets.
    pub fraction_lost: u8,
    /// Lost since the start of reception: 24 bits, negative if duplicates outnumber losses.
    pub cumulative_lost: i32,
    /// Highest sequence number received in the lower 16 bits, its cycles in the upper.
    pub highest_sequence: u32,
    /// Interarrival jitter in units of the stream's RTP clock.
    pub jitter: u32,
    /// Middle of the NTP time of the last sender report received; 0 before the first.
    pub last_sr: u32,
    /// Time from the arrival of that report to this one, in 1/65536 s.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    fn parse(block: &[u8; BLOCK_LEN]) -> Option<Self> {
        let mut octets = Octets(block);
        let ssrc = octets.u32()?;
        let lost = octets.u32()?;
        Some(Self {
            ssrc,
            fraction_lost: (lost >> 24) as u8,
            // Up and down again: an arithmetic shift extends the sign of the 24 bits.
            cumulative_lost: (lost << 8) as i32 >> 8,
            highest_sequence: octets.u32()?,
            jitter: octets.u32()?,
            last_sr: octets.u32()?,
            delay_since_last_sr: octets.u32()?,
        })
    }
}

/// The report blocks of one sender or receiver report, 31 at most.
#[derive(Clone, Debug)]
pub struct ReportBlocks<'a>(slice::Iter<'a, [u8; BLOCK_LEN]>);

impl<'a> ReportBlocks<'a> {
    /// The first `count` blocks; what follows them is a profile's extension and is ignored.
    pub(crate) fn parse(octets: &mut Octets<'a>, count: u8) -> Option<Self> {
        let blocks = octets.slice(usize::from(count) * BLOCK_LEN)?;
        Some(Self(blocks.as_chunks().0.iter()))
    }
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        ReportBlock::parse(self.0.next()?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for ReportBlocks<'_> {}

const BLOCK_LEN: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3550_6_4_1_loss_is_a_fraction_and_24_bits_with_sign() {
        let lost = |word: u32| {
            let mut block = [0; BLOCK_LEN];
            block[4..8].copy_from_slice(&word.to_be_bytes());
            let block = ReportBlock::parse(&block).unwrap();
            (block.fraction_lost, block.cumulative_lost)
        };
        assert_eq!(lost(0xff00_0001), (255, 1));
        assert_eq!(lost(0x00ff_ffff), (0, -1));
        assert_eq!(lost(0x007f_ffff), (0, 8_388_607));
        assert_eq!(lost(0x0180_0000), (1, -8_388_608));
    }

    #[test]
    fn blocks_beyond_the_count_are_not_read() {
        let mut body = Octets(&[1; 60]);
        let blocks = ReportBlocks::parse(&mut body, 2).unwrap();
        assert_eq!((blocks.len(), blocks.count()), (2, 2));
        assert!(ReportBlocks::parse(&mut Octets(&[1; 47]), 2).is_none());
    }
}
