//! The Pion peer, in `target/pion_peer`, built with the packages of Debian: no module proxy.
//!
//! `SKYWAVE_PION` names another program; then nothing is built.

use crate::failure::Failure;
use crate::runner::Runner;

/// Builds it, anew every time: Go's cache makes that short.
pub(crate) fn build(runner: &Runner) -> Result<(), Failure> {
    if is_named() {
        return Ok(());
    }
    // Flags of the user's own may be for modules only.
    let packages = ["GO111MODULE=off", "GOPATH=/usr/share/gocode", "GOFLAGS="];
    let build = [
        "go",
        "build",
        "-o",
        "target/pion_peer",
        "./tests/peers/pion_peer",
    ];
    runner.run("env", &[&packages[..], &build].concat())
}

/// Whether the program to use is another one.
pub(crate) fn is_named() -> bool {
    std::env::var_os("SKYWAVE_PION").is_some()
}

/// Where Debian puts it.
pub(crate) const SOURCE: &str = "/usr/share/gocode/src/github.com/pion/webrtc";
