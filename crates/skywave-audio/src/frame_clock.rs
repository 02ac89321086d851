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
}

impl FrameClock {
    /// A clock whose sample 0 is taken at `start`, and whose first step ends at the first boundary
    /// of `grid`.
    #[must_use]
    pub fn new(start: Instant, grid: PacketGrid) -> Self {
        Self {
            start,
            position: 0,
            end: grid.next(0),
        }
    }

    /// The first sample of the step now due, counted from the start.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many samples the step has: a multiple of 480, no more than
    /// [`Ptime::MAX`](crate::Ptime::MAX) has.
    #[must_use]
    pub fn step_samples(&self) -> usize {
        // A grid has a boundary every 60 ms.
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
    /// one behind them are skipped: their time is left out, and there is never a burst to catch
    /// up.
    pub fn advance(&mut self, grid: PacketGrid, now: Instant) -> u64 {
        self.position = self.end;
        self.end = grid.next(self.position);
        let over = grid.last(self.samples_at(now));
        if over <= self.end {
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
mod tests {
    use super::*;

    fn grid(ptimes: &[Ptime]) -> PacketGrid {
        PacketGrid::new(ptimes.iter().copied(), Ptime::Ms20)
    }

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_year_of_steps_is_exact() {
        let (start, grid) = (Instant::now(), grid(&[]));
        let mut clock = FrameClock::new(start, grid);
        let year = 365 * 24 * 3_600;
        clock.end = year * 48_000;
        assert_eq!(clock.advance(grid, start), 0);
        let (begin, end) = (clock.instant(clock.position()), clock.deadline());
        assert_eq!(begin, start + Duration::from_secs(year));
        assert_eq!(end, begin + ms(20));
        assert_eq!(
            rtp_timestamp(clock.position(), 48_000),
            (year * 48_000) as u32
        );
        assert_eq!(
            rtp_timestamp(clock.position(), 8_000),
            (year * 8_000) as u32
        );
    }

    #[test]
    fn timestamp_wraps_and_still_steps_by_one_packet() {
        for (rate, step) in [(48_000, 960), (8_000, 160)] {
            let wrap = (1 << 32) * 48_000 / u64::from(rate) / 960 * 960;
            let at = |packet: u64| rtp_timestamp(wrap + packet * 960, rate);
            for packet in 0_u64..3 {
                assert_eq!(at(packet + 1).wrapping_sub(at(packet)), step);
            }
            assert!(at(3) < 10_000);
        }
    }

    #[test]
    fn late_wake_ups_do_not_accumulate() {
        let (start, grid) = (Instant::now(), grid(&[]));
        let mut clock = FrameClock::new(start, grid);
        for step in 0..1_000 {
            assert_eq!((clock.position(), clock.step_samples()), (step * 960, 960));
            let woken = clock.deadline() + Duration::from_micros(1_600);
            assert_eq!(clock.advance(grid, woken), 0);
        }
        assert_eq!(clock.deadline(), start + ms(20) * 1_001);
    }

    #[test]
    fn steps_reach_to_the_nearest_boundary_of_what_is_in_use() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, grid(&[Ptime::Ms60]));
        assert_eq!(
            (clock.step_samples(), clock.deadline()),
            (2_880, start + ms(60))
        );
        // A listener of 40 ms comes: its packets end at 80, 120 ...
        let both = grid(&[Ptime::Ms40, Ptime::Ms60]);
        for (samples, end) in [(960, 80), (1_920, 120), (1_920, 160), (960, 180)] {
            let now = clock.deadline();
            assert_eq!(clock.advance(both, now), 0);
            assert_eq!(
                (clock.step_samples(), clock.deadline()),
                (samples, start + ms(end))
            );
        }
        // ... and goes.
        let now = clock.deadline();
        clock.advance(grid(&[Ptime::Ms60]), now);
        assert_eq!(
            (clock.step_samples(), clock.deadline()),
            (2_880, start + ms(240))
        );
    }

    #[test]
    fn packet_begins_at_a_multiple_of_its_length_unless_the_step_is_longer() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, grid(&[Ptime::Ms40]));
        let begins = |clock: &FrameClock| Ptime::ALL.map(|ptime| clock.begins_packet(ptime));
        assert_eq!(begins(&clock), [false, false, true, true]);
        clock.advance(grid(&[Ptime::Ms10, Ptime::Ms60]), start);
        assert_eq!(begins(&clock), [true, true, true, false]);
        clock.advance(grid(&[Ptime::Ms20]), start);
        assert_eq!(begins(&clock), [true, false, false, false]);
    }

    #[test]
    fn step_less_than_a_period_late_is_made_up() {
        let (start, grid) = (Instant::now(), grid(&[]));
        let mut clock = FrameClock::new(start, grid);
        // The second step is due at 40 ms, the third at 60.
        assert_eq!(
            clock.advance(grid, start + Duration::from_micros(59_999)),
            0
        );
        assert_eq!(clock.position(), 960);
    }

    #[test]
    fn stall_skips_the_missed_steps_and_moves_the_position() {
        let (start, grid) = (Instant::now(), grid(&[]));
        let mut clock = FrameClock::new(start, grid);
        // Step 0 done at 1.025 s: step 50 ended last.
        assert_eq!(clock.advance(grid, start + ms(1_025)), 49 * 960);
        assert_eq!(clock.position(), 50 * 960);
        assert_eq!(clock.deadline(), start + ms(1_020));
        assert_eq!(clock.advance(grid, start + ms(1_025)), 0);
    }

    #[test]
    fn stall_among_several_lengths_ends_at_a_boundary() {
        let (start, grid) = (Instant::now(), grid(&[Ptime::Ms40, Ptime::Ms60]));
        let mut clock = FrameClock::new(start, grid);
        // Boundaries: 40, 60, 80, 120, 160, 180 ms.
        assert_eq!(clock.advance(grid, start + ms(159)), 40 * 48);
        assert_eq!(
            (clock.position(), clock.deadline()),
            (80 * 48, start + ms(120))
        );
    }

    #[test]
    fn early_wake_up_is_harmless() {
        let (start, grid) = (Instant::now(), grid(&[]));
        let mut clock = FrameClock::new(start + ms(20), grid);
        assert_eq!(clock.advance(grid, start), 0);
    }
}
