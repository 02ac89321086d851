//! A child process in a process group of its own, read line by line with timeouts.
//!
//! The group dies with the value: a browser's helpers do not outlive the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// A running child process with piped standard streams.
pub(crate) struct Child {
    name: &'static str,
    process: Process,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Child {
    /// Starts `command`; `name` is what failures call it.
    pub(crate) fn spawn(name: &'static str, command: &mut Command) -> Child {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {command:?} does not start: {error}"));
        let stdout = lines(process.stdout.take().expect("stdout was piped above"));
        let stderr = lines(process.stderr.take().expect("stderr was piped above"));
        Child {
            name,
            process,
            stdout,
            stderr,
        }
    }

    /// Writes one line to the child's standard input.
    pub(crate) fn write_line(&mut self, line: &str) {
        let stdin = self.process.stdin.as_mut().expect("stdin was piped");
        writeln!(stdin, "{line}").unwrap_or_else(|error| panic!("{}: stdin: {error}", self.name));
    }

    /// Writes bytes to the child's standard input from a thread of their own, until the child
    /// is gone; it may read as slowly as it likes.
    pub(crate) fn feed(&mut self, bytes: Vec<u8>) {
        let mut stdin = self.process.stdin.take().expect("stdin was piped");
        thread::spawn(move || stdin.write_all(&bytes));
    }

    /// The next line of standard output.
    pub(crate) fn read_line(&mut self, timeout: Duration) -> String {
        next_line(self.name, &self.stdout, timeout)
    }

    /// Reads standard output up to the line from which `pick` makes a value.
    pub(crate) fn find_in_stdout<T>(
        &mut self,
        timeout: Duration,
        pick: impl Fn(&str) -> Option<T>,
    ) -> T {
        find(self.name, &self.stdout, timeout, pick)
    }

    /// Reads standard error up to the line from which `pick` makes a value.
    pub(crate) fn find_in_stderr<T>(
        &mut self,
        timeout: Duration,
        pick: impl Fn(&str) -> Option<T>,
    ) -> T {
        find(self.name, &self.stderr, timeout, pick)
    }

    /// All of standard output, up to its end.
    pub(crate) fn read_to_end(&mut self, timeout: Duration) -> String {
        let deadline = Instant::now() + timeout;
        let mut text = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.stdout.recv_timeout(left) {
                Ok(line) => text = text + &line + "\n",
                Err(RecvTimeoutError::Disconnected) => return text,
                Err(RecvTimeoutError::Timeout) => panic!("{} still talks", self.name),
            }
        }
    }

    /// Sends SIGINT to the child alone, as Ctrl-C in a terminal would.
    pub(crate) fn interrupt(&self) {
        kill("-INT", &self.process.id().to_string());
    }

    /// Waits for the end of the child.
    pub(crate) fn wait(&mut self, timeout: Duration) -> ExitStatus {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.process.try_wait().expect("the child is ours") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "{} still runs after {timeout:?}",
                self.name
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        kill("-KILL", &format!("-{}", self.process.id()));
        let _ = self.process.wait();
        if thread::panicking() {
            for line in self.stderr.try_iter() {
                eprintln!("{}: {line}", self.name);
            }
        }
    }
}

/// Moves the lines of a pipe into a channel until the pipe ends.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn next_line(name: &str, lines: &Receiver<String>, timeout: Duration) -> String {
    match lines.recv_timeout(timeout) {
        Ok(line) => line,
        Err(RecvTimeoutError::Timeout) => panic!("{name} said nothing for {timeout:?}"),
        Err(RecvTimeoutError::Disconnected) => panic!("{name} has ended"),
    }
}

fn find<T>(
    name: &str,
    lines: &Receiver<String>,
    timeout: Duration,
    pick: impl Fn(&str) -> Option<T>,
) -> T {
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = next_line(name, lines, left);
        if let Some(value) = pick(&line) {
            return value;
        }
        // Swallowed here, so `drop` could not show it any more.
        eprintln!("{name}: {line}");
    }
}

/// Signals a process, or with a leading minus a group; one that has ended is no fault.
fn kill(signal: &str, target: &str) {
    let _ = Command::new("kill")
        .args([signal, "--", target])
        .stderr(Stdio::null())
        .status();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        Child::spawn("sh", Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn lines_are_found_on_both_streams() {
        let mut child = shell("echo one; echo two=2; echo err=3 >&2; cat");
        let patience = Duration::from_secs(5);
        let value = |line: &str| line.split_once('=').map(|(_, v)| v.to_owned());
        assert_eq!(child.find_in_stdout(patience, value), "2");
        assert_eq!(child.find_in_stderr(patience, value), "3");
        child.write_line("echoed");
        assert_eq!(child.read_line(patience), "echoed");
    }

    #[test]
    #[should_panic(expected = "sh has ended")]
    fn a_child_that_ends_is_reported_before_the_timeout() {
        shell("exit 1").read_line(Duration::from_secs(60));
    }

    #[test]
    #[should_panic(expected = "said nothing")]
    fn silence_is_reported() {
        shell("exec cat").read_line(Duration::ZERO);
    }

    #[test]
    fn an_interrupt_reaches_the_child() {
        let mut child = shell("trap 'exit 7' INT; echo ready; while :; do sleep 0.01; done");
        child.read_line(Duration::from_secs(5));
        child.interrupt();
        assert_eq!(child.wait(Duration::from_secs(5)).code(), Some(7));
    }

    #[test]
    fn dropping_kills_the_whole_group() {
        let mut child = shell("sleep 1000 & echo started; wait");
        let patience = Duration::from_secs(5);
        child.read_line(patience);
        // The grandchild holds the other end of this pipe open as long as it lives.
        let stdout = std::mem::replace(&mut child.stdout, mpsc::channel().1);
        drop(child);
        let ended = stdout.recv_timeout(patience);
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected));
    }
}
