//! When the encoder threads have to run next, for a thread that could keep one of them from its
//! core.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A deadline for each encoder thread of an engine.
pub(crate) struct EncoderDeadlines {
    started: Instant,
    /// Nanoseconds from the start on.
    deadlines: Vec<AtomicU64>,
}

impl EncoderDeadlines {
    /// Of so many threads that have nothing to do yet.
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            started: Instant::now(),
            deadlines: (0..threads).map(|_| AtomicU64::new(u64::MAX)).collect(),
        }
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.deadlines.len()
    }

    /// Takes note that the thread of this number has to run by `deadline` next.
    pub(crate) fn set(&self, thread: usize, deadline: Instant) {
        if let Some(place) = self.deadlines.get(thread) {
            place.store(self.nanos(deadline), Relaxed);
        }
    }

    /// Whether a thread is behind its deadline, and not hopelessly.
    pub(crate) fn is_missed(&self, now: Instant) -> bool {
        let now = self.nanos(now);
        self.deadlines.iter().any(|deadline| {
            let late = now.checked_sub(deadline.load(Relaxed));
            late.is_some_and(|late| late > 0 && Duration::from_nanos(late) < HOPELESS)
        })
    }

    fn nanos(&self, time: Instant) -> u64 {
        let nanos = time.saturating_duration_since(self.started).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}

/// So late a thread waits for something other than a core, such as a source that blocks, or for
/// one that nobody here keeps from it.
const HOPELESS: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadline_is_missed_for_a_while_after_it() {
        let deadlines = EncoderDeadlines::new(2);
        let start = Instant::now();
        let at = |micros| start + Duration::from_micros(micros);
        assert!(!deadlines.is_missed(at(1_000_000)), "nobody has one");
        deadlines.set(0, at(9_000));
        deadlines.set(1, at(5_000));
        assert!(!deadlines.is_missed(at(5_000)));
        assert!(deadlines.is_missed(at(5_001)));
        deadlines.set(1, at(25_000));
        assert!(!deadlines.is_missed(at(9_000)));
        assert!(deadlines.is_missed(at(28_999)), "one of two is enough");
        deadlines.set(1, at(45_000));
        assert!(
            !deadlines.is_missed(at(29_000)),
            "that one is not to be helped"
        );
    }
}
