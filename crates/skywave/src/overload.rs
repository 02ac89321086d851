//! Tells the log, once a second, that there is more to send than the system takes.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::port_counters::PortCounters;

/// What was told so far.
pub(crate) struct Overload {
    frames_dropped: u64,
    sends_refused: u64,
    next: Instant,
}

impl Overload {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            frames_dropped: 0,
            sends_refused: 0,
            next: now,
        }
    }

    /// Tells what was lost since the last time, if a second has passed and something was.
    pub(crate) fn report(&mut self, now: Instant, counters: &PortCounters) {
        if now < self.next {
            return;
        }
        self.next = now + INTERVAL;
        let dropped = counters.frames_dropped.load(Relaxed);
        let refused = counters.sends_refused.load(Relaxed);
        if (dropped, refused) != (self.frames_dropped, self.sends_refused) {
            tracing::warn!(
                frames_dropped = dropped - self.frames_dropped,
                sends_refused = refused - self.sends_refused,
                "overload: more is due than the system sends"
            );
            (self.frames_dropped, self.sends_refused) = (dropped, refused);
        }
    }
}

const INTERVAL: Duration = Duration::from_secs(1);
