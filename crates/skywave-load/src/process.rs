//! What a process costs, as Linux tells in `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use crate::Error;

/// One reading of a process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    at: Instant,
    /// Clock ticks of all threads, those that have ended included.
    user: u64,
    kernel: u64,
    /// By the number of the thread.
    threads: BTreeMap<u64, Thread>,
    pub(crate) size: Size,
}

/// One thread, with its nanoseconds as `schedstat` has them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Thread {
    name: String,
    running: u64,
    waiting: u64,
}

/// How large a process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Resident memory in KiB.
    pub rss_kib: u64,
    /// Threads.
    pub threads: u64,
    /// Open descriptors; 0 if they may not be looked at.
    pub descriptors: u64,
}

/// The processor time of a process over a stretch of time. 100 % is one core.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CpuUse {
    /// All threads, in percent of one core.
    pub percent: f64,
    /// The share in user mode, in percent of one core: of `percent`, as the ticks divide.
    pub user_percent: f64,
    /// The share in the kernel.
    pub kernel_percent: f64,
    /// What the one thread that waited most waited for a core that others had, other programs or
    /// threads beside it, in percent of the time.
    pub waiting_percent: f64,
    /// Its name. Empty if none waited.
    pub waiting_thread: String,
    /// By the name of the threads, in percent of one core.
    pub threads: BTreeMap<String, f64>,
    /// Nanoseconds on a processor.
    pub nanos: u64,
}

impl Process {
    /// Reads `/proc` of a process.
    pub(crate) fn read(pid: u32) -> Result<Self, Error> {
        Self::read_from(&format!("/proc/{pid}")).map_err(|source| Error::Process { pid, source })
    }

    fn read_from(folder: &str) -> io::Result<Self> {
        let at = Instant::now();
        let (user, kernel) = ticks(&fs::read_to_string(format!("{folder}/stat"))?)?;
        let mut threads = BTreeMap::new();
        for thread in fs::read_dir(format!("{folder}/task"))? {
            let thread = thread?;
            let number = thread.file_name().to_str().and_then(first_word);
            // One that has ended meanwhile counts as not there.
            if let Some((number, thread)) = number.zip(Thread::read(&thread.path())) {
                threads.insert(number, thread);
            }
        }
        let descriptors = fs::read_dir(format!("{folder}/fd")).map_or(0, Iterator::count);
        Ok(Self {
            at,
            user,
            kernel,
            size: Size {
                rss_kib: rss(folder)?,
                threads: threads.len() as u64,
                descriptors: descriptors as u64,
            },
            threads,
        })
    }

    /// The processor time from `before` to this reading.
    pub(crate) fn cpu_since(&self, before: &Self) -> CpuUse {
        let seconds = self.at.saturating_duration_since(before.at).as_secs_f64();
        let percent = |nanos: u64| nanos as f64 / seconds.max(1e-9) / 1e7;
        let none = Thread::default();
        let (mut nanos, mut waited, mut waiting_thread) = (0, 0, "");
        let mut threads: BTreeMap<String, f64> = BTreeMap::new();
        for (number, thread) in &self.threads {
            let earlier = before.threads.get(number).unwrap_or(&none);
            let running = thread.running.saturating_sub(earlier.running);
            nanos += running;
            let waiting = thread.waiting.saturating_sub(earlier.waiting);
            if waiting > waited {
                (waited, waiting_thread) = (waiting, &thread.name);
            }
            *threads.entry(thread.name.clone()).or_default() += percent(running);
        }
        let user = self.user.saturating_sub(before.user);
        let kernel = self.kernel.saturating_sub(before.kernel);
        let user_share = user as f64 / (user + kernel).max(1) as f64;
        let total = percent(nanos);
        CpuUse {
            percent: total,
            user_percent: total * user_share,
            kernel_percent: total * (1.0 - user_share),
            waiting_percent: percent(waited),
            waiting_thread: waiting_thread.to_owned(),
            threads,
            nanos,
        }
    }
}

impl Thread {
    fn read(folder: &Path) -> Option<Self> {
        let name = fs::read_to_string(folder.join("comm")).ok()?;
        // A kernel without it gives no times.
        let schedstat = fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
        let mut words = schedstat.split_ascii_whitespace();
        let mut next = || words.next().and_then(first_word).unwrap_or(0);
        Some(Self {
            name: name.trim_end().to_owned(),
            running: next(),
            waiting: next(),
        })
    }
}

/// Resident memory in KiB: counted by walking the pages, or else as the kernel keeps count.
fn rss(folder: &str) -> io::Result<u64> {
    let exact = fs::read_to_string(format!("{folder}/smaps_rollup"));
    if let Some(kib) = exact.ok().and_then(|text| field(&text, "Rss:")) {
        return Ok(kib);
    }
    let status = fs::read_to_string(format!("{folder}/status"))?;
    field(&status, "VmRSS:").ok_or_else(malformed)
}

fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    first_word(value)
}

fn first_word(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// `utime` and `stime`, fields 14 and 15 of proc_pid_stat(5). The name, field 2, may hold blanks.
fn ticks(stat: &str) -> io::Result<(u64, u64)> {
    let (_, rest) = stat.rsplit_once(')').ok_or_else(malformed)?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse().ok();
    next().zip(next()).ok_or_else(malformed)
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn this_process_can_be_read() {
        let before = Process::read(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while Process::read(std::process::id()).unwrap().threads == before.threads {
            sum = (0..100_000).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        }
        let after = Process::read(std::process::id()).unwrap();
        let used = after.cpu_since(&before);
        assert!(used.nanos > 0 && used.percent > 0.0);
        assert!(after.size.rss_kib > 100 && after.size.threads > 0);
        assert!(after.size.descriptors > 2);
    }

    #[test]
    fn thread_that_waited_most_is_named() {
        let reading = |at, waiting: [u64; 2]| Process {
            at,
            user: 0,
            kernel: 0,
            threads: (["media", "encoder"].into_iter().zip(waiting).enumerate())
                .map(|(number, (name, waiting))| {
                    let name = name.to_owned();
                    let running = 0;
                    (
                        number as u64,
                        Thread {
                            name,
                            running,
                            waiting,
                        },
                    )
                })
                .collect(),
            size: Size::default(),
        };
        let start = Instant::now();
        let before = reading(start, [900_000_000, 0]);
        let after = reading(start + Duration::from_secs(1), [950_000_000, 250_000_000]);
        let used = after.cpu_since(&before);
        assert_eq!(used.waiting_thread, "encoder");
        assert!((used.waiting_percent - 25.0).abs() < 1e-9);
    }

    #[test]
    fn names_with_blanks_and_brackets_do_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 123 45 0 0 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat).unwrap(), (123, 45));
    }

    #[test]
    fn process_that_is_not_there_is_an_error() {
        assert!(matches!(
            Process::read(u32::MAX),
            Err(Error::Process { .. })
        ));
    }
}
