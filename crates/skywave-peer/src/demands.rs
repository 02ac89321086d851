//! What a peer's RTCP demands of the stream that it receives.

use skywave_rtp::{LostPackets, SentLog};

/// What is to change, and what to send again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demands {
    /// Go on as another source: the peer uses our SSRC (RFC 3550 §8.2).
    pub(crate) source: Option<Source>,
    /// Send no more than so many bit/s (RFC 5104).
    pub(crate) max_bitrate: Option<u64>,
    /// Repeat so many earlier frames in each packet, by the loss that was reported (RFC 2198).
    pub(crate) redundancy: Option<u8>,
    /// Send these once more (RFC 4585 §6.2.1).
    pub(crate) lost: Lost,
}

/// Where a source begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) ssrc: u32,
    /// Below 2^15, so that a loss of the first packets cannot be taken for a wrap
    /// (RFC 3711 §3.3.1).
    pub(crate) first_sequence_number: u16,
}

/// Numbers of packets that the peer misses, at most as many as are kept; of more, the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lost {
    numbers: [u16; SentLog::DEPTH],
    len: usize,
}

impl Lost {
    /// The numbers, in the order of the request.
    pub(crate) fn numbers(&self) -> &[u16] {
        &self.numbers[..self.len]
    }

    /// Takes over as many as there is room for.
    pub(crate) fn extend(&mut self, lost: LostPackets<'_>) {
        let (_, room) = self.numbers.split_at_mut(self.len);
        for (place, number) in room.iter_mut().zip(lost) {
            *place = number;
            self.len += 1;
        }
    }
}

impl Default for Lost {
    fn default() -> Self {
        Self {
            numbers: [0; SentLog::DEPTH],
            len: 0,
        }
    }
}
