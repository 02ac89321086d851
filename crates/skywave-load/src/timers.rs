//! When which seat has something to do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// The times of all seats. A time that was overtaken stays in until it comes up: whoever is called
/// too early finds nothing to do.
#[derive(Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
}

impl Timers {
    pub(crate) fn set(&mut self, due: Instant, seat: usize) {
        self.heap.push(Reverse((due, seat)));
    }

    /// The first of all times.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((due, _))| *due)
    }

    /// A seat whose time has come.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<usize> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, seat))| seat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn seats_come_up_in_the_order_of_their_times() {
        let now = Instant::now();
        let later = |millis| now + Duration::from_millis(millis);
        let mut timers = Timers::default();
        for (millis, seat) in [(30, 3), (10, 1), (20, 2)] {
            timers.set(later(millis), seat);
        }
        assert_eq!(timers.next(), Some(later(10)));
        assert_eq!(timers.expire(now), None);
        assert_eq!(timers.expire(later(25)), Some(1));
        assert_eq!(timers.expire(later(25)), Some(2));
        assert_eq!(timers.expire(later(25)), None);
    }
}
