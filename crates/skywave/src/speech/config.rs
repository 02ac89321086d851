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
    /// How long after the last sample was read everything has left the machine, for
    /// [`drained`](crate::SpeechQueue::drained): three packets of the track, as one may still have
    /// to fill up, the codec's delay reaches into a second, and a large audience is served until
    /// the next. More than 10 s is taken for 10 s. Default: 180 ms, enough for packets of 60 ms;
    /// 40 ms will do for a few listeners and 20 ms, and a track of 120 ms needs 360 ms.
    pub settling: Duration,
}

impl Default for SpeechQueueConfig {
    fn default() -> Self {
        Self {
            max_queued: Duration::from_secs(60),
            max_marks: 1_024,
            max_events: 1_024,
            settling: Duration::from_millis(180),
        }
    }
}
