//! The unit tests of the pure crates under Miri, which interprets them and sees what the standard
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
    runner.run("env", &[&MIRI[..], &CRATES].concat())
}

const MIRI: [&str; 10] = [
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
    "--lib",
    "--target-dir=target/miri",
];

/// Their integration tests are left out, as they take long: those of RTP and SDP reach no `unsafe`
/// but the standard library's, those of ICE none that its unit tests do not, and those of SRTP need
/// ring, which is C and assembly and which its unit tests do without.
const CRATES: [&str; 5] = [
    "--package=skywave-ice",
    "--package=skywave-prefetch",
    "--package=skywave-rtp",
    "--package=skywave-sdp",
    "--package=skywave-srtp",
];
