//! How much of pushed speech was heard.

use std::time::Duration;

/// How far a [`SpeechQueue`](crate::SpeechQueue) has come, in samples of 48 kHz since it was made.
///
/// `n` samples pushed at another rate count as `ceil(n * 48000 / rate)`, taken over the whole
/// utterance: nothing is lost to rounding from push to push.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SpeechPosition {
    /// Taken by pushes.
    pub pushed: u64,
    /// Handed over for the packet now due, or before.
    pub sent: u64,
    /// Cleared, and never sent. A clear counts from the next packet on.
    pub discarded: u64,
}

impl SpeechPosition {
    /// What waits to be sent.
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.pushed.saturating_sub(self.sent + self.discarded)
    }

    /// How long samples of 48 kHz last.
    #[must_use]
    pub fn duration(samples: u64) -> Duration {
        let rate = u64::from(skywave_audio::SAMPLE_RATE);
        // Less than a second: the product is below 2^32 and the quotient below 10^9.
        let nanos = samples % rate * 62_500 / 3;
        Duration::new(samples / rate, nanos as u32)
    }
}
