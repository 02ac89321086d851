//! How the system schedules threads that have deadlines.

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
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

/// Keeps the calling thread to one core: the one of this number, counted from 0 and round again,
/// among those that it may use.
pub(crate) fn pin(number: usize) {
    #[cfg(target_os = "linux")]
    if let Err(error) = pin_to_core(number) {
        tracing::warn!("an encoder thread keeps to no core: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = number;
}

#[cfg(target_os = "linux")]
fn pin_to_core(number: usize) -> rustix::io::Result<()> {
    let allowed = sched_getaffinity(None)?;
    let mut cores = (0..CpuSet::MAX_CPU)
        .filter(|&core| allowed.is_set(core))
        .cycle();
    let mut only = CpuSet::new();
    // A thread that runs may use one at least.
    only.set(cores.nth(number).unwrap_or_default());
    sched_setaffinity(None, &only)
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

    #[cfg(target_os = "linux")]
    #[test]
    fn threads_keep_to_cores_in_turn() {
        let cores = |set: &CpuSet| -> Vec<_> {
            let all = 0..CpuSet::MAX_CPU;
            all.filter(|&core| set.is_set(core)).collect()
        };
        let allowed = cores(&sched_getaffinity(None).unwrap());
        let pinned = |number| {
            let thread = std::thread::spawn(move || {
                pin(number);
                sched_getaffinity(None).unwrap()
            });
            cores(&thread.join().unwrap())
        };
        for (number, &core) in allowed.iter().cycle().take(2 * allowed.len()).enumerate() {
            assert_eq!(pinned(number), [core]);
        }
    }
}
