//! Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01
//! §3.1): which packets of the whole transport arrived, and when.

use std::slice;

use crate::Malformed;
use crate::octets::Octets;

/// A received transport-wide feedback.
#[derive(Clone, Debug)]
pub struct TransportCc<'a> {
    sender_ssrc: u32,
    media_ssrc: u32,
    base_sequence_number: u16,
    status_count: u16,
    reference_time: i32,
    feedback_count: u8,
    chunks: &'a [[u8; 2]],
    deltas: &'a [u8],
}

impl<'a> TransportCc<'a> {
    /// Refuses what is shorter than the fixed part. A count of statuses that the chunks do not
    /// hold, or a missing delta, only makes [`Self::statuses`] end sooner.
    pub(crate) fn parse(mut octets: Octets<'a>) -> Result<Self, Malformed> {
        let (sender_ssrc, media_ssrc) = octets.feedback_ssrcs()?;
        Self::parse_information(sender_ssrc, media_ssrc, &mut octets).ok_or(Malformed::Count)
    }

    fn parse_information(
        sender_ssrc: u32,
        media_ssrc: u32,
        octets: &mut Octets<'a>,
    ) -> Option<Self> {
        let base_sequence_number = octets.u16()?;
        let status_count = octets.u16()?;
        let time = octets.u32()?;
        let rest = octets.0;
        let chunk_count = chunks_for(status_count, rest.as_chunks().0);
        let (chunks, deltas) = rest.split_at_checked(chunk_count * 2)?;
        Some(Self {
            sender_ssrc,
            media_ssrc,
            base_sequence_number,
            status_count,
            // An arithmetic shift extends the sign of the upper 24 bits.
            reference_time: time as i32 >> 8,
            feedback_count: time as u8,
            chunks: chunks.as_chunks().0,
            deltas,
        })
    }

    /// Who reports.
    pub fn sender_ssrc(&self) -> u32 {
        self.sender_ssrc
    }

    /// A stream of the transport; the statuses are about all of them.
    pub fn media_ssrc(&self) -> u32 {
        self.media_ssrc
    }

    /// The transport-wide sequence number of the first status.
    pub fn base_sequence_number(&self) -> u16 {
        self.base_sequence_number
    }

    /// How many statuses are announced; there may be fewer.
    pub fn status_count(&self) -> u16 {
        self.status_count
    }

    /// Where the first delta counts from, in units of 64 ms on the remote's clock: 24 bits with
    /// sign.
    pub fn reference_time(&self) -> i32 {
        self.reference_time
    }

    /// The number of this feedback; wraps.
    pub fn feedback_count(&self) -> u8 {
        self.feedback_count
    }

    /// One status a packet, in the order of their numbers: 65,535 at most, out of as few as 16
    /// octets.
    pub fn statuses(&self) -> PacketStatuses<'a> {
        PacketStatuses {
            sequence_number: self.base_sequence_number,
            left: self.status_count,
            chunk: Chunk::default(),
            chunks: self.chunks.iter(),
            deltas: Octets(self.deltas),
        }
    }
}

/// The statuses of a [`TransportCc`]: the sequence number, and for a packet that arrived the time
/// since the arrival of the one before (the first: since the reference time) in units of 250 us.
/// Ends at the first status that is not there, has no delta, or has the reserved symbol.
#[derive(Clone, Debug)]
pub struct PacketStatuses<'a> {
    sequence_number: u16,
    left: u16,
    chunk: Chunk,
    chunks: slice::Iter<'a, [u8; 2]>,
    deltas: Octets<'a>,
}

impl PacketStatuses<'_> {
    fn symbol(&mut self) -> Option<u8> {
        loop {
            if let Some(symbol) = self.chunk.next() {
                return Some(symbol);
            }
            self.chunk = Chunk::parse(*self.chunks.next()?);
        }
    }

    /// The delta of the next packet, if it arrived; the outer `None` ends it all.
    fn delta(&mut self) -> Option<Option<i16>> {
        match self.symbol()? {
            NOT_RECEIVED => Some(None),
            SMALL_DELTA => Some(Some(self.deltas.u8()?.into())),
            LARGE_DELTA => Some(Some(self.deltas.u16()? as i16)),
            _ => None,
        }
    }
}

impl Iterator for PacketStatuses<'_> {
    type Item = (u16, Option<i16>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let Some(delta) = self.delta() else {
            self.left = 0;
            return None;
        };
        let sequence_number = self.sequence_number;
        self.sequence_number = sequence_number.wrapping_add(1);
        Some((sequence_number, delta))
    }
}

/// What is left of a packet status chunk: a run of one symbol, or a vector of them (§3.1.3,
/// §3.1.4).
#[derive(Clone, Copy, Debug, Default)]
struct Chunk {
    left: u16,
    /// Bits of a symbol in a vector; 0 for a run.
    width: u16,
    /// The symbols of a vector, the last one lowest; or the symbol of a run.
    symbols: u16,
}

impl Chunk {
    fn parse(octets: [u8; 2]) -> Self {
        let word = u16::from_be_bytes(octets);
        let (left, width, symbols) = match word >> 14 {
            0b10 => (14, 1, word & 0x3fff),
            0b11 => (7, 2, word & 0x3fff),
            _ => (word & 0x1fff, 0, word >> 13),
        };
        Self {
            left,
            width,
            symbols,
        }
    }
}

impl Iterator for Chunk {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        Some(match self.width {
            0 => self.symbols as u8,
            width => (self.symbols >> (self.left * width)) as u8 & ((1 << width) - 1),
        })
    }
}

/// How many of the words are chunks: as many as hold all statuses, the rest are deltas.
fn chunks_for(status_count: u16, words: &[[u8; 2]]) -> usize {
    let mut left = status_count;
    words
        .iter()
        .take_while(|&&word| {
            let needed = left > 0;
            left = left.saturating_sub(Chunk::parse(word).left);
            needed
        })
        .count()
}

const NOT_RECEIVED: u8 = 0;
const SMALL_DELTA: u8 = 1;
/// Or negative.
const LARGE_DELTA: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const SSRCS: &[u8] = b"\0\0\0\x01\0\0\0\x02";

    fn statuses(fixed: &[u8], rest: &[u8]) -> Vec<(u16, Option<i16>)> {
        let body = [SSRCS, fixed, rest].concat();
        let feedback = TransportCc::parse(Octets(&body)).unwrap();
        feedback.statuses().collect()
    }

    #[test]
    fn fixed_part_is_read_and_the_reference_time_has_a_sign() {
        let body = [SSRCS, b"\x00\x99\x00\x00\xff\xff\xfe\x07"].concat();
        let feedback = TransportCc::parse(Octets(&body)).unwrap();
        assert_eq!((feedback.sender_ssrc(), feedback.media_ssrc()), (1, 2));
        assert_eq!(
            (feedback.base_sequence_number(), feedback.status_count()),
            (0x99, 0)
        );
        assert_eq!(
            (feedback.reference_time(), feedback.feedback_count()),
            (-2, 7)
        );
        assert_eq!(feedback.statuses().count(), 0);
    }

    #[test]
    fn run_length_chunks_of_every_symbol() {
        // Two small, three missing, one large and negative; passing the wrap.
        let rest = b"\x20\x02\x00\x03\x40\x01\x04\xff\xff\xfe";
        assert_eq!(
            statuses(b"\xff\xfe\x00\x06\0\0\0\0", rest),
            [
                (0xfffe, Some(4)),
                (0xffff, Some(255)),
                (0, None),
                (1, None),
                (2, None),
                (3, Some(-2))
            ]
        );
    }

    #[test]
    fn longest_run_has_13_bits() {
        let seen = statuses(b"\x00\x00\x20\x00\0\0\0\0", b"\x1f\xff\x20\x01\x05");
        assert_eq!(seen.len(), 8192);
        assert_eq!(seen[8190..], [(8190, None), (8191, Some(5))]);
    }

    #[test]
    fn status_vectors_of_one_and_two_bits_begin_at_the_upper_end() {
        // 0b10_10000000000001: first and last of 14; 0b11_01_00_10_...: small, missing, large.
        let rest = b"\xa0\x01\xd2\x00\x01\x02\x03\x12\x34";
        let seen = statuses(b"\x00\x00\x00\x11\0\0\0\0", rest);
        assert_eq!(seen.len(), 17);
        let arrived: Vec<_> = seen
            .into_iter()
            .filter(|status| status.1.is_some())
            .collect();
        assert_eq!(
            arrived,
            [
                (0, Some(1)),
                (13, Some(2)),
                (14, Some(3)),
                (16, Some(0x1234))
            ]
        );
    }

    #[test]
    fn lying_count_missing_delta_and_reserved_symbol_end_the_statuses() {
        let (one, three) = (b"\x00\x00\x00\x01\0\0\0\0", b"\x00\x00\xff\xff\0\0\0\0");
        assert_eq!(statuses(one, b""), []);
        assert_eq!(statuses(three, b"\x00\x02\x00\x00"), [(0, None), (1, None)]);
        assert_eq!(statuses(one, b"\x20\x01"), [], "no delta");
        assert_eq!(statuses(one, b"\x40\x01\x01"), [], "half a delta");
        assert_eq!(statuses(one, b"\x60\x01\x01\x01"), [], "reserved");
        assert_eq!(
            statuses(b"\0\0\0\x02\0\0\0\0", b"\x20\x02\x09"),
            [(0, Some(9))]
        );
    }

    #[test]
    fn ended_statuses_stay_ended() {
        let body = [SSRCS, b"\0\0\0\x03\0\0\0\0\xd8\0\x01"].concat();
        let mut statuses = TransportCc::parse(Octets(&body)).unwrap().statuses();
        assert_eq!(statuses.next(), Some((0, Some(1))));
        assert_eq!((statuses.next(), statuses.next()), (None, None));
    }

    #[test]
    fn feedback_without_its_fixed_part_is_refused() {
        let body = [SSRCS, b"\x00\x99\x00\x00\xff\xff\xfe"].concat();
        for len in 0..body.len() {
            let error = TransportCc::parse(Octets(&body[..len])).unwrap_err();
            assert_eq!(error, Malformed::Count, "{len}");
        }
    }
}
