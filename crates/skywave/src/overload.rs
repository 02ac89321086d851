//! Tells the log, once a second, that there is more to send than the system takes.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::port_counters::PortCounters;

/// What was told so far.
pub(crate) struct Overload {
    frames_dropped: u64,
    sends_refused: u64,
    next: Instant,
}

impl Overload {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            frames_dropped: 0,
            sends_refused: 0,
            next: now,
        }
    }

    /// Tells what was lost since the last time, if a second has passed and something was.
    pub(crate) fn report(&mut self, now: Instant, counters: &PortCounters) {
        if now < self.next {
            return;
        }
        self.next = now + INTERVAL;
        let dropped = counters.frames_dropped.load(Relaxed);
        let refused = counters.sends_refused.load(Relaxed);
        if (dropped, refused) != (self.frames_dropped, self.sends_refused) {
            tracing::warn!(
                frames_dropped = dropped - self.frames_dropped,
                sends_refused = refused - self.sends_refused,
                "overload: more is due than the system sends"
            );
            (self.frames_dropped, self.sends_refused) = (dropped, refused);
        }
    }
}

const INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::io::{Read as _, pipe};
    use std::sync::Arc;

    use super::*;

    /// What goes to the log meanwhile.
    fn logged(work: impl FnOnce()) -> String {
        let (mut reader, writer) = pipe().unwrap();
        let log = tracing_subscriber::fmt()
            .with_writer(Arc::new(writer))
            .with_ansi(false)
            .without_time()
            .finish();
        // Closes the pipe's writing end when it is done.
        tracing::subscriber::with_default(log, work);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    }

    fn line(dropped: u64, refused: u64) -> String {
        format!(
            " WARN skywave::overload: overload: more is due than the system sends \
             frames_dropped={dropped} sends_refused={refused}\n"
        )
    }

    #[test]
    fn overload_is_told_once_a_second_with_what_was_lost_since() {
        let (counters, start) = (PortCounters::default(), Instant::now());
        let mut overload = Overload::new(start);
        let mut told = Vec::new();
        // Every 100 ms a frame is dropped and 64 datagrams are refused, until 2.5 s.
        for step in 0..40 {
            if step < 25 {
                counters.frames_dropped.fetch_add(1, Relaxed);
                counters.sends_refused.fetch_add(64, Relaxed);
            }
            let now = start + Duration::from_millis(100) * step;
            let text = logged(|| overload.report(now, &counters));
            if !text.is_empty() {
                told.push((step, text));
            }
        }
        let expected = [
            (0, line(1, 64)),
            (10, line(10, 640)),
            (20, line(10, 640)),
            (30, line(4, 256)),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn nothing_is_told_while_nothing_is_lost() {
        let (counters, start) = (PortCounters::default(), Instant::now());
        counters.slots_late.fetch_add(1, Relaxed);
        let mut overload = Overload::new(start);
        let text = logged(|| {
            for second in 0..5 {
                overload.report(start + Duration::from_secs(second), &counters);
            }
        });
        assert_eq!(text, "");
    }
}
