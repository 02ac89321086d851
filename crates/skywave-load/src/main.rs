//! The program `skywave-load`: see the library of the same name for what it measures.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod args;

use std::io::{Write, stdout};
use std::process::ExitCode;

use clap::Parser;
use rustix::thread::{CpuSet, sched_setaffinity};
use skywave_load::{Error, Report};

use crate::args::Args;

fn main() -> ExitCode {
    let args = Args::parse();
    match measure(&args) {
        Ok(report) => {
            print(&report, args.json);
            if report.held() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(1)
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn measure(args: &Args) -> Result<Report, Error> {
    if let Some(core) = args.cpu {
        keep_to(core)?;
    }
    skywave_load::run(&args.plan())
}

/// Before there are other threads, which inherit it.
fn keep_to(core: usize) -> Result<(), Error> {
    let mut cores = CpuSet::new();
    let failed = |source: std::io::Error| Error::Core { core, source };
    if core >= CpuSet::MAX_CPU {
        return Err(failed(std::io::ErrorKind::InvalidInput.into()));
    }
    cores.set(core);
    sched_setaffinity(None, &cores).map_err(|error| failed(error.into()))
}

fn print(report: &Report, as_json: bool) {
    let text = if as_json {
        // Numbers, texts and maps by text: nothing that JSON has no form for.
        serde_json::to_string_pretty(report).unwrap_or_default() + "\n"
    } else {
        report.to_string()
    };
    // A closed standard output wants no report.
    let _ = stdout().write_all(text.as_bytes());
}
