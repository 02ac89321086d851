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
    /// Members at this slab position and behind it are still to be served. It is no place in the
    /// list of members, so that nobody is forgotten or served twice while others come and go.
    pub(crate) next: u32,
    /// The number of the frame in the stream's history.
    pub(crate) number: u32,
}

/// The members of a stream and its media clock.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Slab positions of the peers that are ready to receive, in their order: walking through
    /// them walks through memory.
    members: Vec<u32>,
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
            next: 0,
            number: self.history.push(frame.frame),
        }
    }

    /// The media time at `now`, which runs on between frames and in silence (RFC 3550 §6.4.1).
    pub(crate) fn timestamp_at(&self, now: Instant) -> Option<u32> {
        self.clock
            .map(|clock| rtp_timestamp_at(clock.timestamp, clock.captured, clock.rate, now))
    }

    /// The members still to be served.
    pub(crate) fn unserved(&self, cursor: &Cursor) -> &[u32] {
        let served = self.members.partition_point(|&member| member < cursor.next);
        &self.members[served..]
    }

    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Takes a member in.
    pub(crate) fn insert(&mut self, index: u32) {
        if let Err(position) = self.members.binary_search(&index) {
            self.members.insert(position, index);
        }
    }

    /// Takes a member out. True if it was the last.
    pub(crate) fn remove(&mut self, index: u32) -> bool {
        if let Ok(position) = self.members.binary_search(&index) {
            self.members.remove(position);
        }
        self.members.is_empty()
    }
}

/// A media time with the moment it belongs to.
#[derive(Clone, Copy, Debug)]
struct MediaClock {
    captured: Instant,
    timestamp: u32,
    rate: u32,
}
