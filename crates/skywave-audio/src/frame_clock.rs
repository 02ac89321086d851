//! The media clock of a track: which samples are to be read when.
//!
//! It goes from packet boundary to packet boundary. Every deadline is computed from one start and
//! a number of samples, never from the last wake-up, so lateness is not accumulated and nothing
//! drifts.

use std::time::{Duration, Instant};

use crate::{PacketGrid, Ptime, SAMPLE_RATE};

/// The steps in which a track is read, with their deadlines.
///
/// A step reaches from one packet boundary to the next of any length in use. It is due when its
/// last sample is over, as it would be with a microphone. So a packet of 60 ms leaves at the same
/// moment whether the track is read in one step or, for the sake of other listeners, in three.
#[derive(Clone, Debug)]
pub struct FrameClock {
    start: Instant,
    /// The first sample of the step now due, of 48 kHz, counted from the start.
    position: u64,
    /// Behind its last one.
    end: u64,
    max_catch_up: Duration,
}

impl FrameClock {
    /// The most that [`set_max_catch_up`](Self::set_max_catch_up) takes.
    pub const MAX_CATCH_UP: Duration = Duration::from_secs(1);

    /// A clock whose sample 0 is taken at `start`, and whose first step ends at the first boundary
    /// of `grid`.
    #[must_use]
    pub fn new(start: Instant, grid: PacketGrid) -> Self {
        Self {
            start,
            position: 0,
            end: grid.next(0),
            max_catch_up: Duration::ZERO,
        }
    }

    /// How long ago the next step may have been due without any being skipped; zero unless set:
    /// then no two steps are ever made up for at once. No more than
    /// [`MAX_CATCH_UP`](Self::MAX_CATCH_UP).
    pub fn set_max_catch_up(&mut self, max_catch_up: Duration) {
        self.max_catch_up = max_catch_up.min(Self::MAX_CATCH_UP);
    }

    /// The first sample of the step now due, counted from the start.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many samples the step has: a multiple of 120, no more than
    /// [`Ptime::MAX`](crate::Ptime::MAX) has.
    #[must_use]
    pub fn step_samples(&self) -> usize {
        // A grid has a boundary every 120 ms.
        (self.end - self.position) as usize
    }

    /// When the step is due: when its last sample is over.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.instant(self.end)
    }

    /// True if a packet of that length begins with the step now due.
    #[must_use]
    pub fn begins_packet(&self, ptime: Ptime) -> bool {
        let len = ptime.samples() as u64;
        self.position.is_multiple_of(len) && self.end - self.position <= len
    }

    /// When a sample, counted from the start, is taken.
    #[must_use]
    pub fn instant(&self, position: u64) -> Instant {
        let rate = u64::from(SAMPLE_RATE);
        // Less than a second: the product is below 2^32 and the quotient below 10^9.
        let nanos = position % rate * 62_500 / 3;
        self.start + Duration::new(position / rate, nanos as u32)
    }

    /// Goes on to the next step, having done one at `now`, and returns how many samples were
    /// skipped.
    ///
    /// A step that can be done before the one behind it is due is not skipped: the timeline is
    /// whole and the listener's jitter buffer absorbs the lateness. Steps that are over with the
    /// one behind them are skipped, unless the next of them was due within the time that
    /// [may be caught up](Self::set_max_catch_up): their time is left out, and there is no burst
    /// to catch up. All of them are, as one that was late by so much would make the next late.
    pub fn advance(&mut self, grid: PacketGrid, now: Instant) -> u64 {
        self.position = self.end;
        self.end = grid.next(self.position);
        let over = grid.last(self.samples_at(now));
        let overdue = now.saturating_duration_since(self.deadline());
        if over <= self.end || overdue < self.max_catch_up {
            return 0;
        }
        let begin = grid.last(over - 1);
        let skipped = begin - self.position;
        (self.position, self.end) = (begin, over);
        skipped
    }

    /// How many samples are over at `now`.
    fn samples_at(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.start);
        let samples = elapsed.as_nanos() * 3 / 62_500;
        u64::try_from(samples).unwrap_or(u64::MAX)
    }
}

/// The RTP timestamp of a sample, counted from the track's start, in units of `clock_rate` Hz;
/// wraps at 2^32 (RFC 3550 §5.1).
#[must_use]
pub fn rtp_timestamp(position: u64, clock_rate: u32) -> u32 {
    (u128::from(position) * u128::from(clock_rate) / u128::from(SAMPLE_RATE)) as u32
}

#[cfg(test)]
mod tests;
