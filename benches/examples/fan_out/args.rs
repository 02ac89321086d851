//! The command line.

use std::time::Duration;

use clap::{Parser, ValueEnum};

/// What the engine costs a packet and how punctual it is, beside a bare loop around the kernel's
/// send in the same run.
#[derive(Debug, Parser)]
#[command(name = "fan_out")]
pub(crate) struct Args {
    /// What to measure; everything if nothing is named
    #[arg(value_enum)]
    pub(crate) what: Vec<What>,

    /// Listeners of `stages` (10,000 if not given) and `kernel` (5,000), and those of the first run
    /// of the bare loop in `lateness` (2,000)
    #[arg(long, value_name = "N")]
    pub(crate) listeners: Option<usize>,

    /// Length of what is measured in one go, other than turns
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    pub(crate) seconds: f64,

    /// How often the engine and the bare loop take turns of 2 s
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub(crate) turns: usize,

    /// The core that media threads and the bare loop are kept to
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) core: usize,

    /// Media threads stay normal threads, even where they may go before those
    #[arg(long)]
    pub(crate) normal: bool,

    /// Only shows that it runs: 100 listeners, half a second
    #[arg(long)]
    pub(crate) quick: bool,
}

/// A part of the bench.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum What {
    /// User space alone, by stage
    Stages,
    /// The media thread of a real engine beside a bare loop, on loopback
    Kernel,
    /// How punctual the engine is, and how many listeners it holds, on loopback
    Lateness,
    /// Both of these with a device that drops everything; needs root
    NullDevice,
    /// The same, already in a network namespace of its own
    #[value(hide = true)]
    InsideNamespace,
}

impl Args {
    /// Reads the command line; ends the program if it cannot be understood.
    pub(crate) fn read() -> Args {
        let mut args = Args::parse();
        if args.what.is_empty() {
            args.what = EVERYTHING.to_vec();
        }
        if args.quick {
            args.seconds = 0.5;
            args.turns = 1;
        }
        args
    }

    /// Listeners, if the command line names no other number.
    pub(crate) fn listeners(&self, usual: usize) -> usize {
        self.listeners
            .unwrap_or(if self.quick { 100 } else { usual })
    }

    /// All but what to measure, to be read again.
    pub(crate) fn options(&self) -> Vec<String> {
        let mut options = vec![
            format!("--seconds={}", self.seconds),
            format!("--turns={}", self.turns),
            format!("--core={}", self.core),
        ];
        options.extend(self.listeners.map(|number| format!("--listeners={number}")));
        options.extend(self.normal.then(|| "--normal".to_owned()));
        options.extend(self.quick.then(|| "--quick".to_owned()));
        options
    }

    /// Frames in a window.
    pub(crate) fn frames(&self) -> usize {
        let frames = self.seconds / crate::offer::FRAME.as_secs_f64();
        (frames as usize).max(1)
    }

    /// How long the engine or the bare loop runs before the other one does: short, as what else
    /// the machine does shall happen to both.
    pub(crate) fn turn(&self) -> Duration {
        self.window().min(Duration::from_secs(2))
    }

    /// The length of a window.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

const EVERYTHING: [What; 4] = [What::Stages, What::Kernel, What::Lateness, What::NullDevice];
