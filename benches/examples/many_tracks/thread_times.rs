//! How long the threads of this process have run, by their names (Linux).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

/// Number of threads and time on a processor, by name.
pub(crate) type ThreadTimes = BTreeMap<String, (usize, Duration)>;

/// Reads them from `/proc`.
pub(crate) fn thread_times() -> io::Result<ThreadTimes> {
    let mut times = ThreadTimes::new();
    for thread in fs::read_dir("/proc/self/task")? {
        let folder = thread?.path();
        // A thread may end while it is looked at.
        let Ok(name) = fs::read_to_string(folder.join("comm")) else {
            continue;
        };
        let Ok(statistics) = fs::read_to_string(folder.join("schedstat")) else {
            continue;
        };
        let nanos = statistics
            .split(' ')
            .next()
            .and_then(|first| first.parse().ok());
        let (threads, time) = times.entry(name.trim_end().to_owned()).or_default();
        *threads += 1;
        *time += Duration::from_nanos(nanos.unwrap_or(0));
    }
    Ok(times)
}
