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

    /// Listeners of `stages` (10,000 if not given) and `kernel` (5,000)
    #[arg(long, value_name = "N")]
    pub(crate) listeners: Option<usize>,

    /// Length of a window
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    pub(crate) seconds: f64,

    /// How often the engine and the bare loop take turns
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) turns: usize,

    /// The core that media threads and the bare loop are kept to
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) core: usize,

    /// Only shows that it runs: 100 listeners, half a second
    #[arg(long)]
    pub(crate) quick: bool,
}

/// A part of the bench.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum What {
    /// User space alone, by stage
    Stages,
}

impl Args {
    /// Reads the command line; ends the program if it cannot be understood.
    pub(crate) fn read() -> Args {
        let mut args = Args::parse();
        if args.what.is_empty() {
            args.what = vec![What::Stages];
        }
        if args.quick {
            args.seconds = 0.5;
            args.turns = 1;
        }
        args
    }

    /// Frames in a window.
    pub(crate) fn frames(&self) -> usize {
        let frames = self.seconds / crate::offer::FRAME.as_secs_f64();
        (frames as usize).max(1)
    }

    /// The length of a window.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}
