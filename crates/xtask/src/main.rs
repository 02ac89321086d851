//! The project's chores: `cargo xtask test`, `bench`, `instructions`, `fuzz`, `miri`,
//! `screenshots`, `setup`.
//!
//! It says every command before it runs it, stops at the first that fails, and ends with that
//! command's exit code. It skips nothing silently: what is missing is installed, or named.

mod bench;
mod failure;
mod fuzz_target;
mod instruction_count;
mod miri;
mod npm;
mod pion;
mod ratio;
mod requirement;
mod runner;
mod screenshot;
mod test_suite;
mod venv;

use std::process::ExitCode;

use crate::failure::Failure;
use crate::runner::Runner;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&Runner::new(), &words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            failure.exit_code()
        }
    }
}

fn dispatch(runner: &Runner, words: &[&str]) -> Result<(), Failure> {
    match words {
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        ["setup"] => setup(runner),
        ["test"] => {
            setup(runner)?;
            test_suite::run(runner)
        }
        ["bench", arguments @ ..] => bench::run(runner, arguments),
        ["instructions", arguments @ ..] => instruction_count::run(runner, arguments),
        ["fuzz", arguments @ ..] => fuzz_target::run(runner, arguments),
        ["miri"] => miri::run(runner),
        ["screenshots"] => {
            setup(runner)?;
            screenshot::run(runner)
        }
        _ => Err(Failure::usage(USAGE)),
    }
}

/// Installs what the tests need and the system lacks, and what it takes to compile all features.
fn setup(runner: &Runner) -> Result<(), Failure> {
    requirement::install_missing(runner, &[&requirement::TESTS, &requirement::PEERS])?;
    npm::install_missing(runner)?;
    venv::install_missing(runner)?;
    pion::build(runner)
}

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  setup                     install what tests and benches need: browsers, players, aiortc,
                            GStreamer, Pion, libopus, libclang, OpenSSL's headers
  test                      setup, then all tests; those against real peers too
  bench [--peers] [ARGUMENT ...]
                            criterion benches, and the ratios they are judged by; with --peers
                            also other implementations; further arguments go to criterion
  bench fan-out [ARGUMENT ...]
                            a whole engine with thousands of listeners: what a packet costs
                            beside the kernel's send alone, and how late it is
  instructions [--update]   instructions per packet under valgrind, beside those committed
  fuzz [TARGET [SECONDS]]   libFuzzer; `all` for TARGET runs every one, none lists them
  miri                      the unit tests of the pure crates under Miri, on nightly Rust
  screenshots               make docs/screenshot.png from the browser test
";
