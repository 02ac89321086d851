//! The machine, and what it does beside.

use std::fs;

/// What kind of machine this is.
pub(crate) fn describe() -> String {
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |model| {
        model.trim_matches([' ', '\t', ':'])
    });
    let cores = cores();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}

/// All that there are, whichever this program is kept to.
pub(crate) fn cores() -> usize {
    let cpu = read("/proc/cpuinfo");
    let cores = cpu.lines().filter(|line| line.starts_with("processor"));
    let may_use = std::thread::available_parallelism().map_or(1, usize::from);
    cores.count().max(may_use)
}

/// What else runs: the load averages of 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let load = read("/proc/loadavg");
    let averages: Vec<&str> = load.split(' ').take(3).collect();
    format!("load average {}", averages.join(", "))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
