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

    #[test]
    fn stall_within_the_time_to_catch_up_skips_nothing() {
        let (start, grid) = (Instant::now(), grid(&[]));
        let mut clock = FrameClock::new(start, grid);
        clock.set_max_catch_up(ms(100));
        // Step 1 is due at 40 ms. Steps 1 to 5 are made up for at once.
        for step in 1..6 {
            assert_eq!(clock.advance(grid, start + ms(139)), 0);
            assert_eq!(clock.position(), step * 960);
        }
        assert_eq!(clock.deadline(), start + ms(120));
        // Step 6 is due at 140 ms.
        assert_eq!(clock.advance(grid, start + ms(240)), 5 * 960);
        assert_eq!(clock.deadline(), start + ms(240));
        clock.set_max_catch_up(ms(5_000));
        assert_eq!(clock.max_catch_up, FrameClock::MAX_CATCH_UP);
    }

    /// What a [`PacketEncoder`](crate::PacketEncoder) makes of steps, without their samples.
    #[derive(Default)]
    struct Collected {
        begin: u64,
        samples: u64,
        packets: u64,
        /// Where the last one ended.
        end: Option<u64>,
    }

    impl Collected {
        /// Returns whether a packet became full.
        fn push(&mut self, ptime: Ptime, clock: &FrameClock) -> bool {
            let (position, step) = (clock.position(), clock.step_samples() as u64);
            let len = ptime.samples() as u64;
            if self.begin + self.samples != position {
                self.samples = 0;
            }
            if self.samples == 0 {
                self.begin = position;
            }
            if !self.begin.is_multiple_of(len) || self.samples + step > len {
                self.samples = 0;
                return false;
            }
            self.samples += step;
            if self.samples < len {
                return false;
            }
            self.samples = 0;
            self.packets += 1;
            self.end = Some(self.begin + len);
            true
        }
    }

    /// Ten hours in the life of a track whose listeners of one length stay while others come and
    /// go, on a host that is late at random by less than a step and, if `stalls`, at times by far
    /// more. Returns the packets of that length and those that skipped time took.
    fn ten_hours(ptime: Ptime, stalls: bool) -> (u64, u64) {
        let start = Instant::now();
        let mut state = u64::from(ptime.milliseconds()) << 32 | 0x9e37_79b9;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        let mut others = [false; Ptime::ALL.len()];
        let mut clock = FrameClock::new(start, grid(&[ptime]));
        let mut collected = Collected::default();
        let mut lost = 0;
        while clock.deadline() <= start + ms(10 * 3_600_000) {
            let deadline = clock.deadline();
            // A packet is due with its last sample, never before, and exactly then.
            assert_eq!(
                deadline,
                clock.instant(clock.position() + clock.step_samples() as u64)
            );
            let before = collected.end;
            if collected.push(ptime, &clock) {
                assert_eq!(deadline, clock.instant(collected.begin) + ptime.duration());
                let missing = collected.begin - before.unwrap_or(0);
                assert!(missing.is_multiple_of(ptime.samples() as u64));
                lost += missing / ptime.samples() as u64;
                assert!(stalls || missing == 0, "at {}", collected.begin);
            }
            let late = match random(3_000) {
                0 if stalls => ms(random(3_000)),
                // Less than until the step behind the next is due, whatever its length.
                _ => Duration::from_micros(random(10_000)),
            };
            if random(500) == 0 {
                let other = random(4) as usize;
                others[other] = !others[other];
            }
            let in_use = (0..4)
                .filter(|&other| others[other])
                .map(|other| Ptime::ALL[other]);
            let in_use = PacketGrid::new(in_use.chain([ptime]), ptime);
            clock.advance(in_use, deadline + late);
        }
        (collected.packets, lost)
    }

    #[test]
    fn ten_hours_have_as_many_packets_as_fit_whoever_comes_and_goes() {
        for ptime in Ptime::ALL {
            let expected = 10 * 3_600_000 / u64::from(ptime.milliseconds());
            assert_eq!(ten_hours(ptime, false), (expected, 0), "{ptime:?}");
        }
    }

    #[test]
    fn ten_hours_with_stalls_lose_just_the_packets_of_the_time_that_was_skipped() {
        for ptime in Ptime::ALL {
            let expected = 10 * 3_600_000 / u64::from(ptime.milliseconds());
            let (packets, lost) = ten_hours(ptime, true);
            assert!(lost > 1_000, "{ptime:?}: {lost}");
            // The last stall may go beyond the end.
            let all = packets + lost;
            assert!(all.abs_diff(expected) <= 3_000 / u64::from(ptime.milliseconds()));
        }
    }
}
