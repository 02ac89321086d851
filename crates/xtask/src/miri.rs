//! The tests of the wire formats under Miri, which interprets them and sees what the standard
//! library and the dependencies do with `unsafe`.

use crate::failure::Failure;
use crate::runner::{Runner, succeeds};

/// Runs them; needs nightly Rust.
pub(crate) fn run(runner: &Runner) -> Result<(), Failure> {
    if !succeeds("rustup", &["run", "nightly", "cargo", "miri", "--version"]) {
        return Err(Failure::new(
            "Miri is part of nightly Rust, which is missing or has none:\n\
             rustup toolchain install nightly --component miri --component rust-src",
        ));
    }
    STEPS.into_iter().try_for_each(|step| {
        let arguments: Vec<&str> = step.split_whitespace().collect();
        runner.run("env", &[&MIRI[..], &arguments].concat())
    })
}

const MIRI: [&str; 9] = [
    // Proptest looks for files of failures it has seen, which isolation forbids. Interpreted, its
    // usual 256 cases would take hours.
    "MIRIFLAGS=-Zmiri-disable-isolation",
    "PROPTEST_CASES=4",
    "rustup",
    "run",
    "nightly",
    "cargo",
    "miri",
    "test",
    "--target-dir=target/miri",
];

/// Arguments of `cargo miri test`, separated by blanks.
const STEPS: [&str; 2] = [
    "--package skywave-ice --package skywave-rtp --package skywave-sdp",
    // Its unit tests leave out ring, which is C and assembly; the others do not.
    "--package skywave-srtp --lib",
];
