//! The criterion benches, and how their figures stand to each other; and the program that measures
//! a whole engine.

use std::time::SystemTime;

use crate::failure::Failure;
use crate::ratio;
use crate::requirement;
use crate::runner::Runner;

/// Runs them, with other implementations if the first argument is `--peers`; what else there is
/// goes to criterion. If the first is `fan-out`, runs that program with the others.
pub(crate) fn run(runner: &Runner, arguments: &[&str]) -> Result<(), Failure> {
    if let ["fan-out", arguments @ ..] = arguments {
        let program = ["run", "--release", "--package", "skywave-benches"];
        let program = [&program[..], &["--example", "fan_out", "--"]].concat();
        return runner.cargo(&[&program, arguments].concat());
    }
    let mut bench = vec!["bench", "--package", "skywave-benches"];
    let arguments = match arguments {
        ["--peers", arguments @ ..] => {
            requirement::install_missing(runner, &[&requirement::PEERS])?;
            bench.extend(["--features", "peers"]);
            arguments
        }
        _ => arguments,
    };
    bench.push("--");
    let started = SystemTime::now();
    runner.cargo(&[&bench, arguments].concat())?;
    ratio::print(started)
}
