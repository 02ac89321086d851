//! What a thread used of the processor between starts and stops.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Adds up laps of the calling thread's processor time, without what it costs to look at it.
pub(crate) struct Stopwatch {
    look: Duration,
    started: Duration,
    total: Duration,
    laps: u32,
}

impl Stopwatch {
    /// Finds out what it costs to look at the clock.
    pub(crate) fn new() -> Stopwatch {
        let mut looks: Vec<Duration> = (0..LOOKS)
            .map(|_| {
                let before = thread_time();
                thread_time() - before
            })
            .collect();
        looks.sort_unstable();
        Stopwatch {
            look: looks[LOOKS / 2],
            started: Duration::ZERO,
            total: Duration::ZERO,
            laps: 0,
        }
    }

    pub(crate) fn start(&mut self) {
        self.started = thread_time();
    }

    pub(crate) fn stop(&mut self) {
        self.total += thread_time() - self.started;
        self.laps += 1;
    }

    /// What the laps since the last call took together.
    pub(crate) fn take(&mut self) -> Duration {
        let total = self.total.saturating_sub(self.look * self.laps);
        (self.total, self.laps) = (Duration::ZERO, 0);
        total
    }
}

/// What this thread has used of the processor: others may run beside it, and are not counted.
pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.try_into().expect("processor time is not negative")
}

const LOOKS: usize = 1001;
