//! Frames on their way to their audiences.
//!
//! The first batch of a frame goes at once; a larger audience is spread over the frame, so that
//! small ones gain no latency and large ones make no burst of 20 ms.

use std::time::{Duration, Instant};

use skywave_peer::{Cursor, Hub, Outbox, StreamFrame};
use skywave_rtp::Frame;

use crate::media_thread::Delivery;

/// The frames that have not reached everybody.
#[derive(Default)]
pub(crate) struct FanOut {
    on_their_way: Vec<OnItsWay>,
}

struct OnItsWay {
    delivery: Delivery,
    cursor: Cursor,
    audience: usize,
    started: Instant,
    served: usize,
}

impl FanOut {
    /// Starts a frame. False if the stream's frame before is still on its way: then this one is
    /// left out for everybody.
    pub(crate) fn start(&mut self, delivery: Delivery, now: Instant, hub: &mut Hub) -> bool {
        let busy = |other: &OnItsWay| other.delivery.stream == delivery.stream;
        if self.on_their_way.iter().any(busy) {
            return false;
        }
        let audience = hub.listeners(delivery.stream);
        let cursor = hub.begin(&delivery.frame());
        self.on_their_way.push(OnItsWay {
            delivery,
            cursor,
            audience,
            started: now,
            served: 0,
        });
        true
    }

    /// Writes packets that are due until the outbox is full. True if more are due: send these
    /// and call again.
    pub(crate) fn fill(&mut self, now: Instant, hub: &mut Hub, outbox: &mut Outbox) -> bool {
        for frame in &mut self.on_their_way {
            frame.fill(now, hub, outbox);
            if outbox.free() == 0 {
                break;
            }
        }
        self.on_their_way.retain(|frame| !frame.done());
        outbox.free() == 0
    }

    /// When the next packets are due. None if no frame is on its way.
    pub(crate) fn next_slot(&self) -> Option<Instant> {
        let due = self.on_their_way.iter().map(OnItsWay::next_slot);
        due.min()
    }
}

impl OnItsWay {
    fn fill(&mut self, now: Instant, hub: &mut Hub, outbox: &mut Outbox) {
        let due = self.due(now).saturating_sub(self.served);
        let limit = due.min(outbox.free());
        let left = hub.fill(&self.delivery.frame(), &mut self.cursor, limit, outbox);
        self.served += limit;
        if left == 0 {
            self.served = self.audience;
        }
    }

    /// How many listeners should have the frame at `now`.
    fn due(&self, now: Instant) -> usize {
        let elapsed = now.saturating_duration_since(self.started);
        let share = (elapsed.as_secs_f64() / SPREAD.as_secs_f64()).min(1.0);
        let later = self.audience.saturating_sub(Outbox::SLOTS);
        Outbox::SLOTS + (later as f64 * share) as usize
    }

    fn next_slot(&self) -> Instant {
        let elapsed = self.started.elapsed().as_nanos() / SLOT.as_nanos();
        // A frame is on its way for far less than 2^32 slots.
        self.started + SLOT * (elapsed as u32 + 1)
    }

    fn done(&self) -> bool {
        self.served >= self.audience
    }
}

impl Delivery {
    fn frame(&self) -> StreamFrame<'_> {
        StreamFrame {
            stream: self.stream,
            frame: Frame {
                payload: &self.frame.payload,
                timestamp: self.frame.timestamp,
                marker: self.frame.marker,
                audio_level: self.frame.audio_level,
                voice: self.frame.voice,
            },
            captured: self.captured,
            clock_rate: self.clock_rate,
        }
    }
}

/// The last listener has the frame this long after the first: time is left before the next.
const SPREAD: Duration = Duration::from_millis(15);

/// The grid of sending while an audience is being served.
const SLOT: Duration = Duration::from_millis(1);
