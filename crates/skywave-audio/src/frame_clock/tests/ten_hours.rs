//! The clock through a long run, with all that may happen.

use super::*;

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

/// So many hours in the life of a track whose listeners of one length stay while others come and
/// go, on a host that is late at random by less than a step and, if `stalls`, at times by far
/// more. Returns the packets of that length and those that skipped time took.
fn live(ptime: Ptime, stalls: bool) -> (u64, u64) {
    let start = Instant::now();
    let mut state = (ptime.samples() as u64) << 32 | 0x9e37_79b9;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let shortest = ptime.duration().min(ms(20)).as_micros() as u64;
    let mut others = [false; Ptime::ALL.len()];
    let mut clock = FrameClock::new(start, grid(&[ptime]));
    let mut collected = Collected::default();
    let mut lost = 0;
    while clock.deadline() <= start + hours(ptime) {
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
            _ => Duration::from_micros(random(shortest)),
        };
        if random(500) == 0 {
            // Shorter ones would only make many more steps.
            let other = Ptime::Ms20 as usize + random(6) as usize;
            others[other] = !others[other];
        }
        let in_use = Ptime::ALL.into_iter().zip(others);
        let in_use = in_use.filter_map(|(ptime, in_use)| in_use.then_some(ptime));
        let in_use = PacketGrid::new(in_use.chain([ptime]), ptime);
        clock.advance(in_use, deadline + late);
    }
    (collected.packets, lost)
}

/// Ten; one if packets are so short that it has as many steps.
fn hours(ptime: Ptime) -> Duration {
    let hours = if ptime < Ptime::Ms10 { 1 } else { 10 };
    Duration::from_secs(hours * 3_600)
}

#[test]
fn ten_hours_have_as_many_packets_as_fit_whoever_comes_and_goes() {
    for ptime in Ptime::ALL {
        let expected = hours(ptime).as_secs() * 48_000 / ptime.samples() as u64;
        assert_eq!(live(ptime, false), (expected, 0), "{ptime:?}");
    }
}

#[test]
fn ten_hours_with_stalls_lose_just_the_packets_of_the_time_that_was_skipped() {
    for ptime in Ptime::ALL {
        let expected = hours(ptime).as_secs() * 48_000 / ptime.samples() as u64;
        let (packets, lost) = live(ptime, true);
        assert!(lost > 500, "{ptime:?}: {lost}");
        // The last stall may go beyond the end.
        let all = packets + lost;
        assert!(all.abs_diff(expected) <= 3 * 48_000 / ptime.samples() as u64);
    }
}
