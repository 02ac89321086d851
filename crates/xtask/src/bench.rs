//! The criterion benches, and how their figures stand to each other.

use std::time::SystemTime;

use crate::failure::Failure;
use crate::ratio;
use crate::requirement;
use crate::runner::Runner;

/// Runs them, with other implementations if the first argument is `--peers`; what else there is
/// goes to criterion.
pub(crate) fn run(runner: &Runner, arguments: &[&str]) -> Result<(), Failure> {
    let mut bench = vec!["bench", "--package", "skywave-benches"];
    let arguments = match arguments {
        ["--peers", arguments @ ..] => {
            requirement::install_missing(runner, &requirement::PEERS)?;
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
