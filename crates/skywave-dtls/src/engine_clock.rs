//! The clock by which the engine repeats its flights, which runs ahead of the real one.
//!
//! The engine doubles its waiting time with every repetition (RFC 6347 §4.2.4.1), up to a
//! minute and more. That spares a congested path; here ICE shows that the path is alive,
//! a flight is two packets, and somebody waits to hear something. So whenever the engine
//! would wait too long, it is told that the time has come.

use std::time::{Duration, Instant};

/// How far the engine's time is ahead, and what it waits for.
#[derive(Default)]
pub(crate) struct EngineClock {
    ahead: Duration,
    /// The engine's time, and the real time at which it shall be that late.
    due: Option<(Instant, Instant)>,
}

impl EngineClock {
    /// The engine's time at `now`.
    pub(crate) fn advance(&mut self, now: Instant) -> Instant {
        if let Some((engine_due, due)) = self.due
            && due <= now
        {
            self.ahead = self.ahead.max(engine_due.saturating_duration_since(now));
        }
        now + self.ahead
    }

    /// The real time for what the engine wants to do at `engine_due`, by its own time.
    pub(crate) fn due(&mut self, now: Instant, engine_due: Instant) -> Option<Instant> {
        if let Some((same, due)) = self.due
            && same == engine_due
        {
            return Some(due);
        }
        let wait = engine_due.saturating_duration_since(now + self.ahead);
        // Its word for "nothing to do" is a time years away.
        self.due = (wait < NEVER).then(|| (engine_due, now + wait.min(LONGEST_WAIT)));
        self.due.map(|(_, due)| due)
    }
}

const LONGEST_WAIT: Duration = Duration::from_millis(1600);
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn short_waits_are_kept_and_long_ones_cut() {
        let (mut clock, begin) = (EngineClock::default(), Instant::now());
        assert_eq!(clock.due(begin, begin + SECOND), Some(begin + SECOND));
        let mut now = begin + SECOND;
        assert_eq!(clock.advance(now), now);
        // The engine waits twice as long each time, and never again finds out.
        let mut engine_due = now;
        for doubled in [2, 4, 8, 16] {
            engine_due += doubled * SECOND;
            let due = now + LONGEST_WAIT;
            assert_eq!(clock.due(now, engine_due), Some(due));
            // Asked again in the meantime, it says the same.
            let between = clock.advance(now + SECOND);
            assert!(between < engine_due);
            assert_eq!(clock.due(now + SECOND, engine_due), Some(due));
            now = due;
            assert_eq!(clock.advance(now), engine_due);
        }
    }

    #[test]
    fn nothing_to_do_is_no_time() {
        let (mut clock, now) = (EngineClock::default(), Instant::now());
        assert_eq!(clock.due(now, now + NEVER), None);
        assert_eq!(clock.advance(now + SECOND), now + SECOND);
    }
}
