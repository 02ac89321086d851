//! The wall clock of sender reports.

use std::time::{Duration, Instant, SystemTime};

use skywave_rtp::NtpTime;

/// The wall clock as it was when the thread started, carried on by the monotonic one: steps of
/// the host's clock must not tear the mapping of NTP to RTP time in sender reports.
pub(crate) struct WallClock {
    pub(crate) started: Instant,
    since_epoch: Duration,
}

impl WallClock {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            // A clock before 1970 is no clock; 1970 is then as good as any time.
            since_epoch: SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(),
        }
    }

    pub(crate) fn ntp(&self, now: Instant) -> NtpTime {
        NtpTime::from_unix(self.since_epoch + now.saturating_duration_since(self.started))
    }
}
