//! When a peer was heard of last, and how long it usually pauses.

use std::time::{Duration, Instant};

/// What is known of a peer's signs of life: connectivity checks that passed, and RTCP that was
/// authentic.
#[derive(Default)]
pub(super) struct LifeSigns {
    last: Option<Instant>,
    longest_pause: Duration,
}

impl LifeSigns {
    /// Takes note of one.
    pub(super) fn record(&mut self, now: Instant) {
        let last = self.last.replace(now).unwrap_or(now);
        let pause = now.saturating_duration_since(last);
        if pause <= LONGEST_PAUSE {
            self.longest_pause = self.longest_pause.max(pause);
        }
    }

    /// The last one.
    pub(super) fn last(&self) -> Option<Instant> {
        self.last
    }

    /// How long there was none.
    pub(super) fn silence(&self, now: Instant) -> Duration {
        self.last
            .map_or(Duration::ZERO, |last| now.saturating_duration_since(last))
    }

    /// The silence that counts as an absence: `limit`, or a little more than this peer's longest
    /// pause, so that one that checks no oftener than it must does not come and go all the time.
    pub(super) fn patience(&self, limit: Duration) -> Duration {
        limit.max(self.longest_pause + GRACE)
    }
}

/// RFC 7675 §5.1: consent is checked every 5 s, randomised by 20 %. What is longer than that and
/// a network's hesitation is an absence, not a habit.
const LONGEST_PAUSE: Duration = Duration::from_millis(6_500);

/// From the longest pause until somebody is missed.
const GRACE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn heard_at(millis: &[u64]) -> LifeSigns {
        let start = Instant::now();
        let mut signs = LifeSigns::default();
        for &millis in millis {
            signs.record(start + Duration::from_millis(millis));
        }
        signs
    }

    #[test]
    fn frequent_peer_is_missed_after_the_limit() {
        assert_eq!(heard_at(&[]).patience(LIMIT), LIMIT);
        assert_eq!(heard_at(&[0, 2_500, 5_000]).patience(LIMIT), LIMIT);
    }

    #[test]
    fn rfc7675_5_1_peer_that_pauses_for_six_seconds_is_missed_later() {
        let patience = heard_at(&[0, 6_000, 10_000]).patience(LIMIT);
        assert_eq!(patience, Duration::from_millis(6_500));
    }

    #[test]
    fn absence_is_no_habit() {
        assert_eq!(heard_at(&[0, 20_000]).patience(LIMIT), LIMIT);
    }
}
