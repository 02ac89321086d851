//! What a datagram of RTCP asks of the peer that it came to.

use skywave_rtp::{LostPackets, SentLog, Trip};

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Heard {
    /// Something was understood.
    pub(crate) anything: bool,
    /// Hang up.
    pub(crate) bye: bool,
    /// Take another SSRC: the peer uses ours (RFC 3550 §8.2).
    pub(crate) collision: bool,
    /// Stop sending (RFC 8083).
    pub(crate) trip: Option<Trip>,
    /// Send no more than so many bit/s (RFC 5104).
    pub(crate) limit: Option<u64>,
    /// Send these once more.
    pub(crate) lost: Lost,
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
