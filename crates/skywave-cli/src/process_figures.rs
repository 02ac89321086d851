//! What the system says of this process, where there is a `/proc`.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use crate::exposition::Exposition;

/// Adds what can be read, by the names that all Prometheus clients use.
pub(crate) fn expose(metrics: &mut Exposition) {
    let stat = fs::read_to_string("/proc/self/stat").ok();
    let uptime = fs::read_to_string("/proc/uptime").ok();
    if let Some(stat) = stat.as_deref().and_then(Stat::parse) {
        stat.expose(metrics, uptime.as_deref());
    }
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        metrics.gauge(
            "process_open_fds",
            "Open file descriptors.",
            descriptors.count(),
        );
    }
    if let Some(limit) = getrlimit(Resource::Nofile).current {
        metrics.gauge(
            "process_max_fds",
            "File descriptors that may be open.",
            limit,
        );
    }
}

/// Of `/proc/self/stat` (proc_pid_stat(5)).
#[derive(PartialEq, Debug)]
struct Stat {
    /// In clock ticks, of user and system.
    cpu: u64,
    threads: u64,
    /// In clock ticks since the system started.
    started: u64,
    /// Resident pages.
    pages: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses and may hold anything.
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // The first of them is the third of all.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu: field(14)? + field(15)?,
            threads: field(20)?,
            started: field(22)?,
            pages: field(24)?,
        })
    }

    fn expose(&self, metrics: &mut Exposition, uptime: Option<&str>) {
        let seconds = |ticks: u64| ticks as f64 / clock_ticks_per_second() as f64;
        metrics.counter(
            "process_cpu_seconds_total",
            "CPU time of user and system.",
            seconds(self.cpu),
        );
        metrics.gauge(
            "process_resident_memory_bytes",
            "Memory in use.",
            self.pages * page_size() as u64,
        );
        metrics.gauge("process_threads", "Threads.", self.threads);
        let uptime = uptime.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
        if let (Some(uptime), Ok(now)) = (uptime, SystemTime::now().duration_since(UNIX_EPOCH)) {
            let age = uptime - seconds(self.started);
            metrics.gauge(
                "process_start_time_seconds",
                "When the process started, since 1970.",
                now.as_secs_f64() - age,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let text = "4711 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 200 30 13 14 15 16 9 18 5000 20 777 22";
        let expected = Stat {
            cpu: 230,
            threads: 9,
            started: 5_000,
            pages: 777,
        };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("4711 (a) S 1 2"), None);
        assert_eq!(Stat::parse(""), None);
    }
}
