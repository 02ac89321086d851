//! Waits of threads that have deadlines.

/// Lets the calling thread wake up on time: Linux otherwise adds 50 us to every wait.
pub(crate) fn precise_timers() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
        tracing::debug!("timer slack stays as it is: {error}");
    }
}
