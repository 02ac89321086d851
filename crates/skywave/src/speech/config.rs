//! What can be set of a speech queue.

use std::time::Duration;

/// The limits of a [`SpeechQueue`](crate::SpeechQueue).
#[derive(Clone, Debug)]
pub struct SpeechQueueConfig {
    /// How much speech may wait to be sent, 40 ms to an hour. Beyond, pushes wait. A second that
    /// waits takes 384 kB of memory, whatever format it was pushed in; it is freed by the next push
    /// or [`drained`](crate::SpeechQueue::drained). Default: 60 s.
    pub max_queued: Duration,
    /// Marks and ends of utterances that may wait, one to a million. Default: 1,024.
    pub max_marks: usize,
    /// Events that may wait for [`next_event`](crate::SpeechQueue::next_event), one to a million.
    /// Those beyond are missed, and [counted](crate::SpeechQueue::missed_events). Default: 1,024.
    pub max_events: usize,
}

impl Default for SpeechQueueConfig {
    fn default() -> Self {
        Self {
            max_queued: Duration::from_secs(60),
            max_marks: 1_024,
            max_events: 1_024,
        }
    }
}
