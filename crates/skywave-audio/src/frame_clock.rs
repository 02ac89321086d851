//! The RTP clock: when each frame is due and which timestamp it carries.
//!
//! Every deadline is computed from one start and the index of the frame, never
//! from the last wake-up, so lateness is not accumulated and nothing drifts.

use std::time::{Duration, Instant};

/// Deadlines and timestamps of the frames of a track.
#[derive(Clone, Debug)]
pub struct FrameClock {
    start: Instant,
    frame: Duration,
    index: u64,
}

impl FrameClock {
    /// A clock whose frame 0 is due at `start` and whose frames last `frame`
    /// (at least 1 ns; a zero is taken as that).
    #[must_use]
    pub fn new(start: Instant, frame: Duration) -> Self {
        let frame = frame.max(Duration::from_nanos(1));
        Self {
            start,
            frame,
            index: 0,
        }
    }

    /// When the frame now due is to be sent.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        let nanos = self.frame.as_nanos().saturating_mul(self.index.into());
        // An offset past u64 is 584 years of audio.
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The index of the frame now due: 0, 1, ...
    #[must_use]
    pub fn frame_index(&self) -> u64 {
        self.index
    }

    /// The timestamp of the frame now due in units of `clock_rate` Hz, counted
    /// from the start of the track; wraps at 2^32 as RTP's does (RFC 3550 §5.1).
    #[must_use]
    pub fn timestamp(&self, clock_rate: u32) -> u32 {
        let nanos = self.frame.as_nanos().saturating_mul(self.index.into());
        let units = nanos.saturating_mul(clock_rate.into()) / 1_000_000_000;
        units as u32
    }

    /// Steps to the next frame after sending one at `now`, and returns how many
    /// frames were skipped.
    ///
    /// A frame less than one period late is sent at once: the timeline is whole
    /// and the listener's jitter buffer absorbs it. Frames whose whole period
    /// has passed are skipped: their timestamps are left out, and there is never
    /// a burst to catch up.
    pub fn advance(&mut self, now: Instant) -> u64 {
        self.index += 1;
        let late = now.saturating_duration_since(self.deadline());
        let missed = late.as_nanos() / self.frame.as_nanos();
        let missed = u64::try_from(missed).unwrap_or(u64::MAX);
        self.index = self.index.saturating_add(missed);
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    #[test]
    fn a_year_of_frames_is_exact() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, FRAME);
        let year = 365 * 24 * 3_600 * 50_u64;
        clock.index = year - 1;
        assert_eq!(clock.advance(start), 0);
        assert_eq!(
            clock.deadline(),
            start + Duration::from_secs(365 * 24 * 3_600)
        );
        assert_eq!(clock.timestamp(48_000), (year * 960) as u32);
        assert_eq!(clock.timestamp(8_000), (year * 160) as u32);
    }

    #[test]
    fn timestamp_wraps_and_still_steps_by_one_frame() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, FRAME);
        clock.index = u64::from(u32::MAX) / 960;
        for _ in 0..3 {
            let before = clock.timestamp(48_000);
            clock.advance(start);
            assert_eq!(clock.timestamp(48_000).wrapping_sub(before), 960);
        }
        assert!(clock.timestamp(48_000) < 10_000);
    }

    #[test]
    fn late_wake_ups_do_not_accumulate() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, FRAME);
        for frame in 0..1_000 {
            assert_eq!(clock.frame_index(), frame);
            let woken = clock.deadline() + Duration::from_micros(1_600);
            assert_eq!(clock.advance(woken), 0);
        }
        assert_eq!(clock.deadline(), start + FRAME * 1_000);
    }

    #[test]
    fn frame_less_than_a_period_late_is_made_up() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, FRAME);
        assert_eq!(clock.advance(start + Duration::from_micros(39_999)), 0);
        assert_eq!(clock.frame_index(), 1);
    }

    #[test]
    fn stall_skips_the_missed_frames_and_moves_the_timestamp() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, FRAME);
        // Frame 0 sent at 1.005 s: frame 50 is the one whose period runs now.
        assert_eq!(clock.advance(start + Duration::from_millis(1_005)), 49);
        assert_eq!(clock.frame_index(), 50);
        assert_eq!(clock.timestamp(48_000), 50 * 960);
        assert_eq!(clock.deadline(), start + Duration::from_secs(1));
        assert_eq!(clock.advance(start + Duration::from_millis(1_005)), 0);
    }

    #[test]
    fn zero_frame_and_early_wake_up_are_harmless() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, Duration::ZERO);
        clock.advance(start);
        let mut clock = FrameClock::new(start + FRAME, FRAME);
        assert_eq!(clock.advance(start), 0);
    }
}
