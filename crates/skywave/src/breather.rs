//! The turn of others on the core of a thread that goes before all of them.
//!
//! A real-time thread that never waits, as in a storm of handshakes or when there is more to send
//! than it can, would leave nothing to the threads that encode and negotiate, until the kernel
//! takes the core from it for longer than a listener's buffer lasts.

use std::time::{Duration, Instant};

/// How long a thread has gone without waiting, and how much of that was not for audio.
pub(crate) struct Breather {
    since: Instant,
    other_work: Duration,
}

impl Breather {
    /// How long others have their turn.
    pub(crate) const LENGTH: Duration = Duration::from_micros(250);

    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
            other_work: Duration::ZERO,
        }
    }

    /// Takes note of work that was not for audio.
    pub(crate) fn worked(&mut self, time: Duration) {
        self.other_work += time;
    }

    /// Whether others had no turn for so long that they must get one.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.other_work >= OTHER_WORK_LIMIT || now.saturating_duration_since(self.since) >= LIMIT
    }

    /// Whether they must get one if an encoder missed its deadline.
    pub(crate) fn is_due_to_encoders(&self) -> bool {
        self.other_work >= ENCODER_LIMIT
    }

    /// Takes note of a wait.
    pub(crate) fn waited(&mut self, from: Instant, until: Instant) {
        if until.saturating_duration_since(from) >= TURN {
            self.since = until;
            self.other_work = Duration::ZERO;
        }
    }
}

/// Of work other than audio: others are left a ninth of the core by a thread that never waits else.
const OTHER_WORK_LIMIT: Duration = Duration::from_millis(2);

/// The same while an encoder is behind its deadline. No more than what is done between two looks:
/// in a storm of handshakes an encoder on the same core is late by the time between these.
const ENCODER_LIMIT: Duration = Duration::from_micros(250);

/// Of anything: others are left a fortieth of the core by a thread that never waits else. Who is
/// behind with audio needs it to catch up, and the less of it the longer everybody hears that.
const LIMIT: Duration = Duration::from_millis(10);

/// What counts as a turn of others.
const TURN: Duration = Duration::from_micros(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_get_their_turn_when_there_was_no_wait_for_long() {
        let start = Instant::now();
        let mut breather = Breather::new(start);
        let at = |micros| start + Duration::from_micros(micros);
        assert!(!breather.is_due(at(9_999)));
        breather.waited(at(9_900), at(9_949));
        assert!(breather.is_due(at(10_000)), "that was no wait");
        breather.waited(at(10_000), at(10_050));
        assert!(!breather.is_due(at(20_049)));
        assert!(breather.is_due(at(20_050)));
        breather.waited(at(20_050), at(20_050) + Breather::LENGTH);
        assert!(!breather.is_due(at(30_000)));
    }

    #[test]
    fn others_get_their_turn_at_once_when_an_encoder_missed_its_deadline() {
        let start = Instant::now();
        let mut breather = Breather::new(start);
        let at = |micros| start + Duration::from_micros(micros);
        breather.worked(Duration::from_micros(249));
        assert!(!breather.is_due_to_encoders());
        breather.worked(Duration::from_micros(1));
        assert!(!breather.is_due(at(4_000)));
        assert!(breather.is_due_to_encoders());
        breather.waited(at(4_000), at(4_000) + Breather::LENGTH);
        assert!(!breather.is_due_to_encoders());
    }

    #[test]
    fn others_get_their_turn_sooner_when_it_is_not_audio_that_takes_the_time() {
        let start = Instant::now();
        let mut breather = Breather::new(start);
        let at = |micros| start + Duration::from_micros(micros);
        breather.worked(Duration::from_micros(1_999));
        assert!(!breather.is_due(at(4_000)));
        breather.worked(Duration::from_micros(1));
        assert!(breather.is_due(at(4_001)));
        breather.waited(at(4_001), at(4_001) + Breather::LENGTH);
        assert!(!breather.is_due(at(6_000)));
    }
}
