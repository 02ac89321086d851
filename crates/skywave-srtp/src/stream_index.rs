//! Where a sent stream stands: its SSRC, rollover counter and highest sequence number
//! (RFC 3711 §3.2.1 and §3.3.1).

use crate::Error;
use crate::packet_index::{self, PACKET_INDICES};

/// Where the packets of one sent SSRC stand, from its first packet on.
///
/// It cannot be copied: the packet index of an SSRC under a key must never turn back.
#[derive(Debug, Default)]
pub struct StreamIndex {
    ssrc: u32,
    /// Rollover counter and sequence number of the highest index so far.
    roc: u32,
    sequence_number: u16,
    started: bool,
}

impl StreamIndex {
    /// The beginning of a stream; its first packet names the SSRC.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The SSRC, once the first packet has named it.
    #[must_use]
    pub fn ssrc(&self) -> Option<u32> {
        self.started.then_some(self.ssrc)
    }

    /// The index of a packet.
    pub(crate) fn index(&self, ssrc: u32, sequence_number: u16) -> Result<u64, Error> {
        let Some(expected) = self.ssrc() else {
            return Ok(u64::from(sequence_number));
        };
        if ssrc != expected {
            return Err(Error::Ssrc {
                expected,
                actual: ssrc,
            });
        }
        match packet_index::estimate(self.highest(), sequence_number) {
            Some(index) if index < PACKET_INDICES => Ok(index),
            Some(_) => Err(Error::IndexExhausted),
            None => Err(Error::BeforeStart { sequence_number }),
        }
    }

    /// Notes that `index`, which [`index`](Self::index) gave, is used.
    pub(crate) fn advance(&mut self, ssrc: u32, index: u64) {
        if !self.started || index > self.highest() {
            *self = Self {
                ssrc,
                roc: (index >> 16) as u32,
                sequence_number: index as u16,
                started: true,
            };
        }
    }

    fn highest(&self) -> u64 {
        u64::from(self.roc) << 16 | u64::from(self.sequence_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3711_9_2_the_last_of_2_to_the_48_indices_is_used_and_none_after_it() {
        let mut stream = StreamIndex {
            ssrc: 7,
            roc: u32::MAX,
            sequence_number: 65_534,
            started: true,
        };
        let last = stream.index(7, 65_535).unwrap();
        assert_eq!(last, (1 << 48) - 1);
        stream.advance(7, last);
        for sequence_number in [0, 1, 32_766] {
            assert_eq!(stream.index(7, sequence_number), Err(Error::IndexExhausted));
        }
        assert_eq!(stream.index(7, 65_535), Ok(last), "retransmitted");
    }

    #[test]
    fn index_does_not_turn_back() {
        let mut stream = StreamIndex::new();
        for (sequence_number, index) in [(65_530, 65_530), (3, 65_539), (65_535, 65_535)] {
            assert_eq!(stream.index(9, sequence_number), Ok(index));
            stream.advance(9, index);
        }
        assert_eq!(stream.highest(), 65_539);
        assert_eq!(stream.ssrc(), Some(9));
    }
}
