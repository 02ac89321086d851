//! The turn of others on the core of a thread that goes before all of them.
//!
//! A real-time thread that never waits, as in a storm of handshakes or when there is more to send
//! than it can, would leave nothing to the threads that encode and negotiate, until the kernel
//! takes the core from it for longer than a listener's buffer lasts.

use std::time::{Duration, Instant};

/// How long a thread has gone without waiting.
pub(crate) struct Breather {
    since: Instant,
}

impl Breather {
    /// How long others have their turn.
    pub(crate) const LENGTH: Duration = Duration::from_micros(250);

    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now }
    }

    /// Whether others had no turn for so long that they must get one.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= LIMIT
    }

    /// Takes note of a wait.
    pub(crate) fn waited(&mut self, from: Instant, until: Instant) {
        if until.saturating_duration_since(from) >= TURN {
            self.since = until;
        }
    }
}

/// Then others are left a ninth of the core. It is how late an encoder on the same core can be in a
/// storm of handshakes: with twice of both, audio was up to 8 ms late, and is 4 ms now.
const LIMIT: Duration = Duration::from_millis(2);

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
        assert!(!breather.is_due(at(1_999)));
        breather.waited(at(1_900), at(1_949));
        assert!(breather.is_due(at(2_000)), "that was no wait");
        breather.waited(at(2_000), at(2_050));
        assert!(!breather.is_due(at(4_049)));
        assert!(breather.is_due(at(4_050)));
        breather.waited(at(4_050), at(4_050) + Breather::LENGTH);
        assert!(!breather.is_due(at(5_000)));
    }
}
