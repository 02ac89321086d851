//! Which core a thread runs on, how it is scheduled, and what it used of the processor.

use std::fs;
use std::time::Duration;

use rustix::thread::{CpuSet, Pid, sched_setaffinity};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use crate::machine;

/// A thread of this process.
#[derive(Clone, Copy)]
pub(crate) struct Thread(Pid);

impl Thread {
    /// The one whose name begins so.
    pub(crate) fn named(prefix: &str) -> Option<Thread> {
        let tasks = fs::read_dir("/proc/self/task").ok()?;
        let named = |folder: &fs::DirEntry| {
            let name = fs::read_to_string(folder.path().join("comm"));
            name.is_ok_and(|name| name.starts_with(prefix))
        };
        let folder = tasks.flatten().find(named)?;
        let number = folder.file_name().to_str()?.parse().ok()?;
        Pid::from_raw(number).map(Thread)
    }

    /// What it has used of the processor.
    pub(crate) fn cpu_time(self) -> Duration {
        let path = format!("/proc/self/task/{}/schedstat", self.0.as_raw_nonzero());
        let schedstat = fs::read_to_string(path).unwrap_or_default();
        let nanos = schedstat.split(' ').next().map(str::parse);
        Duration::from_nanos(nanos.and_then(Result::ok).unwrap_or(0))
    }

    /// Keeps it to one core. Where there is no such core nothing happens.
    pub(crate) fn keep_to(self, core: usize) {
        set(Some(self.0), |other| other == core);
    }
}

/// Keeps the calling thread to one core.
pub(crate) fn keep_to(core: usize) {
    set(None, |other| other == core);
}

/// Keeps the calling thread, and those it starts, to all other cores.
pub(crate) fn keep_off(core: usize) {
    set(None, |other| other != core);
}

/// Puts the calling thread before all normal ones, as the engine puts its media threads.
pub(crate) fn run_first() {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let priority = ThreadPriorityValue::try_from(10).map(ThreadPriority::Crossplatform);
    let priority = priority.expect("10 lies between 0 and 99");
    // The engine's thread was allowed to.
    let _ = set_thread_priority_and_policy(thread_native_id(), priority, policy);
}

fn set(thread: Option<Pid>, wanted: impl Fn(usize) -> bool) {
    let mut cores = CpuSet::new();
    let there = machine::cores().min(CpuSet::MAX_CPU);
    for core in (0..there).filter(|&core| wanted(core)) {
        cores.set(core);
    }
    // With one core there is nothing to choose.
    let _ = sched_setaffinity(thread, &cores);
}
