//! How long to wait before the next attempt.

use std::time::Duration;

use crate::UrlConfig;

/// Doubling delays, and the count of attempts in vain.
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { attempts: 0 }
    }

    /// The delay before the next attempt; None when there were enough.
    ///
    /// `random` is any number: many listeners of one server shall not come back
    /// in step.
    pub(crate) fn next(&mut self, config: &UrlConfig, random: u64) -> Option<Duration> {
        if config.max_retries.is_some_and(|most| self.attempts >= most) {
            return None;
        }
        let doubled = 2_u32.saturating_pow(self.attempts);
        self.attempts = self.attempts.saturating_add(1);
        let delay = config
            .min_retry_delay
            .saturating_mul(doubled)
            .min(config.max_retry_delay)
            .min(MAX_DELAY);
        // 3/4 to 5/4 of it.
        Some(delay.mul_f64(0.75 + (random % 1_024) as f64 / 2_048.0))
    }

    pub(crate) fn succeeded(&mut self) {
        self.attempts = 0;
    }
}

/// More is taken for this.
const MAX_DELAY: Duration = Duration::from_secs(24 * 3_600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_limit_and_begin_anew_after_success() {
        let config = UrlConfig {
            max_retries: Some(8),
            ..UrlConfig::default()
        };
        let mut backoff = Backoff::new();
        let delays: Vec<u128> = std::iter::from_fn(|| backoff.next(&config, 512))
            .map(|delay| delay.as_millis())
            .collect();
        assert_eq!(
            delays,
            [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
        );
        backoff.succeeded();
        for (random, milliseconds) in [(0, 375), (1_023, 1_249)] {
            let delay = backoff.next(&config, random).unwrap();
            assert_eq!(delay.as_millis(), milliseconds);
        }
    }
}
