//! How often one peer is answered.

use std::time::{Duration, Instant};

/// Lets so many checks a second pass, as many of them at once: the generic cell rate algorithm.
#[derive(Default)]
pub(crate) struct CheckRate {
    /// When all checks so far would be over if they came evenly.
    busy_until: Option<Instant>,
}

impl CheckRate {
    /// Whether a check that comes now is within the rate; then it counts.
    pub(crate) fn pass(&mut self, now: Instant) -> bool {
        let start = self.busy_until.map_or(now, |busy| busy.max(now));
        let next = start + INTERVAL;
        let passes = next <= now + SECOND;
        if passes {
            self.busy_until = Some(next);
        }
        passes
    }
}

/// Checks of one peer that are answered in a second; the others are dropped. It is five times what
/// the pacing of checks allows (one in 50 ms, RFC 8445 §14.2), which leaves room for
/// retransmissions.
pub const MAX_CHECKS_PER_SECOND: u32 = 100;

const SECOND: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / MAX_CHECKS_PER_SECOND as u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_checks_passes_at_once_and_then_one_at_a_time() {
        let (start, mut rate) = (Instant::now(), CheckRate::default());
        let mut passed = |now| (0..1000).filter(|_| rate.pass(now)).count();
        assert_eq!(passed(start), 100);
        assert_eq!(passed(start + INTERVAL), 1);
        assert_eq!(passed(start + INTERVAL * 3 / 2), 0);
        assert_eq!(passed(start + INTERVAL * 4), 3);
        // Nothing is saved up beyond a second.
        assert_eq!(passed(start + SECOND * 60), 100);
    }
}
