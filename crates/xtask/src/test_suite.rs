//! All tests, the fast ones first.
//!
//! Every command takes the whole workspace, also where it runs the tests of one package: Cargo
//! unites the features of what it is told to build, so `--package` would build the dependencies
//! again with other features.

use crate::failure::Failure;
use crate::fuzz_target;
use crate::runner::{Runner, target};

/// Runs the suite.
pub(crate) fn run(runner: &Runner) -> Result<(), Failure> {
    let cargo = |arguments: &str| runner.cargo(&arguments.split_whitespace().collect::<Vec<_>>());
    STEPS.into_iter().try_for_each(cargo)?;
    // The bench of a whole engine likewise; cargo has left it there with the tests.
    let fan_out = target()?.join("debug/examples/fan_out");
    runner.run(&fan_out.to_string_lossy(), &["--quick"])?;
    fuzz_target::run_all(runner, FUZZ_SECONDS)?;
    STEPS_WITH_PEERS.into_iter().try_for_each(cargo)
}

/// Arguments of cargo, separated by blanks.
const STEPS: [&str; 2] = [
    // Needs nothing but Rust. Leaves the program in target/debug for the calls with real peers.
    "test --workspace",
    // Every bench once, unoptimised: that it runs, not how fast.
    "test --workspace --bench *",
];

/// Likewise; these call real peers, and the system's libopus and libasound.
const STEPS_WITH_PEERS: [&str; 3] = [
    "test --workspace --features skywave-tests/interop --test interop_*",
    // Once more with the system's libopus; the tests of the program are named to have it built.
    // The microphone's devices are made of configuration: they need no sound card.
    "test --workspace --features skywave-cli/audiopus,skywave-cli/microphone,skywave-tests/interop \
     --lib --test microphone",
    "test --workspace --features skywave-cli/audiopus,skywave-cli/microphone,skywave-tests/interop \
     --test serve --test interop_aiortc opus_is_heard",
];

/// For each target: enough to find what a change broke at once. More is for `cargo xtask fuzz`.
const FUZZ_SECONDS: u32 = 20;
