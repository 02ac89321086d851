//! How the system schedules threads that have deadlines.

use serde::Serialize;
#[cfg(unix)]
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// How the system lets a media thread run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheduling {
    /// As any thread: others on the same core may make it late by some milliseconds.
    #[default]
    Normal,
    /// Before all normal threads (SCHED_FIFO). Needs `CAP_SYS_NICE` or a limit `RTPRIO`.
    Realtime,
}

/// Lets the calling thread wake up on time: Linux otherwise adds 50 us to every wait.
pub(crate) fn precise_timers() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
        tracing::debug!("timer slack stays as it is: {error}");
    }
}

/// Puts the calling thread before all normal ones, if the process may.
#[cfg(unix)]
pub(crate) fn realtime() -> Scheduling {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let set = ThreadPriorityValue::try_from(PRIORITY)
        .map(ThreadPriority::Crossplatform)
        .map(|priority| set_thread_priority_and_policy(thread_native_id(), priority, policy));
    match set {
        Ok(Ok(())) => Scheduling::Realtime,
        _ => Scheduling::Normal,
    }
}

/// Windows has no such order of threads.
#[cfg(not(unix))]
pub(crate) fn realtime() -> Scheduling {
    Scheduling::Normal
}

/// Puts the calling thread somewhat before other normal ones, if the process may: others can make
/// it late, but so it cannot shut them out whatever the source that it reads does.
pub(crate) fn prefer() {
    #[cfg(target_os = "linux")]
    // Of a thread on Linux; of the whole process elsewhere.
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!("an encoder thread has no priority: {error}");
    }
}

/// Nine times the weight of others.
#[cfg(target_os = "linux")]
const NICE: i32 = -10;

/// Of 1 to 99. Above the threads that share the policy by its lowest value, below the kernel's
/// own (50).
#[cfg(unix)]
const PRIORITY: u8 = 10;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_what_the_system_does() {
        let told = std::thread::spawn(|| (realtime(), thread_priority::thread_schedule_policy()));
        let (told, policy) = told.join().unwrap();
        let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
        assert_eq!(told == Scheduling::Realtime, policy == Ok(fifo));
    }
}
