//! One encoded stream and the peers that receive it.

use std::time::Instant;

use skywave_rtp::{History, OwnedFrame, rtp_timestamp_at};

/// Names a stream: one way of encoding one track. The caller gives the numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct StreamKey(pub u64);

/// One frame for all peers of a stream.
#[derive(Clone, Debug)]
pub struct StreamFrame {
    /// Whose peers get it.
    pub stream: StreamKey,
    /// Payload, media time, level.
    pub frame: OwnedFrame,
    /// When the first sample of the frame was due.
    pub captured: Instant,
    /// Ticks of the media time in a second.
    pub clock_rate: u32,
}

/// How far one frame has got through its audience. Made by [`crate::Hub::begin`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    pub(crate) stream: StreamKey,
    /// Members below this position are still to be served.
    pub(crate) unserved: usize,
    /// The number of the frame in the stream's history, so that a member that changes its position while others leave is
    /// neither forgotten nor served twice.
    pub(crate) number: u32,
}

/// The members of a stream and its media clock.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Slab positions of the peers that are ready to receive.
    pub(crate) members: Vec<u32>,
    /// The last frames: for redundancy and for those who miss some.
    pub(crate) history: History,
    clock: Option<MediaClock>,
}

impl Stream {
    /// Starts a frame.
    pub(crate) fn begin(&mut self, frame: StreamFrame) -> Cursor {
        self.clock = Some(MediaClock {
            captured: frame.captured,
            timestamp: frame.frame.timestamp,
            rate: frame.clock_rate,
        });
        Cursor {
            stream: frame.stream,
            unserved: self.members.len(),
            number: self.history.push(frame.frame),
        }
    }

    /// The media time at `now`, which runs on between frames and in silence (RFC 3550 §6.4.1).
    pub(crate) fn timestamp_at(&self, now: Instant) -> Option<u32> {
        self.clock
            .map(|clock| rtp_timestamp_at(clock.timestamp, clock.captured, clock.rate, now))
    }

    /// Takes a member out. A frame in flight still reaches everybody else, because the member that
    /// takes the free position comes from the end, which is served first.
    pub(crate) fn remove(&mut self, index: u32) {
        if let Some(position) = self.members.iter().position(|&member| member == index) {
            self.members.swap_remove(position);
        }
    }
}

/// A media time with the moment it belongs to.
#[derive(Clone, Copy, Debug)]
struct MediaClock {
    captured: Instant,
    timestamp: u32,
    rate: u32,
}
