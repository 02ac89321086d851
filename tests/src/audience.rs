//! The built `skywave-load` program as a child process: real listeners by the dozen, which count
//! what they hear.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::child::Child;
use crate::namespace::Namespace;
use crate::server::program;

/// Listeners that have been told to join, and then to measure what they hear.
pub struct Audience {
    child: Child,
}

/// What an audience heard in its window, all listeners together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard {
    /// Listeners that joined.
    pub joined: u64,
    /// Those that failed, at once or later.
    pub failed: u64,
    /// Packets that came, each counted once.
    pub received: u64,
    /// Packets that did not, by the gaps between the numbers of those that came.
    pub lost: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets that came after a later one.
    pub reordered: u64,
    /// Packets that the sender did not make.
    pub unauthentic: u64,
    /// The longest pause between two packets of a listener, in milliseconds.
    pub longest_gap: u64,
}

impl Audience {
    /// So many listeners, which join within some seconds and then listen for so long. They look for the
    /// server's media at `via` and lie in a network of their own where there is one.
    pub fn start(
        endpoint: &str,
        listeners: usize,
        time: Duration,
        via: Option<&str>,
        network: Option<&Namespace>,
    ) -> Self {
        let program = program("skywave-load");
        let mut command = match network {
            Some(network) => network.command(&program),
            None => Command::new(&program),
        };
        command.args([endpoint, "--json", "--settle", "0.5", "--sample", "1"]);
        command.args(["--listeners", &listeners.to_string()]);
        // Unoptimised, a handshake takes each end some milliseconds.
        command.args(["--patience", "30", "--ramp", "40"]);
        command.args(["--seconds", &time.as_secs_f64().to_string()]);
        command.args(via.map(|via| ["--via", via]).into_iter().flatten());
        Self {
            child: Child::spawn("skywave-load", &mut command),
        }
    }

    /// Kills it (SIGKILL): no listener says a word more.
    pub fn kill(self) {
        // The group of a child dies with it.
        drop(self);
    }

    /// Waits for the end of the measurement, up to `patience`.
    pub fn report(mut self, patience: Duration) -> Heard {
        let text = self.child.read_to_end(patience);
        let report: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("skywave-load: {error}: {text}"));
        let steady = &report["findings"]["steady"][0];
        let (joins, window) = (&steady["joins"], &steady["window"]);
        let number = |value: &Value| {
            let number = value.as_f64();
            number.unwrap_or_else(|| panic!("no number: {value} of {report:#}")) as u64
        };
        let reception = |name: &str| number(&window["reception"][name]);
        let failures = joins["failures"].as_object().into_iter().flatten();
        Heard {
            joined: number(&joins["connected"]),
            failed: failures.map(|(_, count)| number(count)).sum(),
            received: reception("received"),
            lost: reception("expected").saturating_sub(reception("received")),
            duplicates: reception("duplicates"),
            reordered: reception("reordered"),
            unauthentic: reception("unauthentic"),
            longest_gap: number(&window["arrivals"]["gaps"]["max"]),
        }
    }
}
