//! Fuzzing with cargo-fuzz and libFuzzer on nightly Rust.

use crate::failure::Failure;
use crate::runner::{Runner, root, succeeds};

/// A program of `fuzz/fuzz_targets`.
struct FuzzTarget {
    name: &'static str,
    /// Folder of captured input to begin with.
    seeds: &'static str,
}

/// Runs a target for some seconds, 60 unless told, or lists the targets.
pub(crate) fn run(runner: &Runner, arguments: &[&str]) -> Result<(), Failure> {
    let (name, seconds) = match arguments {
        [] => {
            for target in &TARGETS {
                println!("{}", target.name);
            }
            return Ok(());
        }
        [name] => (*name, 60),
        [name, seconds] => {
            let seconds = seconds.parse::<u32>();
            (*name, seconds.map_err(|_| Failure::new(USAGE))?)
        }
        _ => return Err(Failure::new(USAGE)),
    };
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.ok_or_else(|| Failure::new(format!("there is no target {name}")))?;
    install_missing(runner)?;
    fuzz(runner, target, seconds)
}

fn install_missing(runner: &Runner) -> Result<(), Failure> {
    if !succeeds("rustup", &["run", "nightly", "rustc", "--version"]) {
        return Err(Failure::new(
            "libFuzzer needs nightly Rust: rustup toolchain install nightly",
        ));
    }
    if !succeeds("cargo-fuzz", &["--version"]) {
        runner.cargo(&["install", "cargo-fuzz", "--locked"])?;
    }
    Ok(())
}

fn fuzz(runner: &Runner, target: &FuzzTarget, seconds: u32) -> Result<(), Failure> {
    let corpus = format!("fuzz/corpus/{}", target.name);
    std::fs::create_dir_all(root().join(&corpus))
        .map_err(|error| Failure::new(format!("{corpus}: {error}")))?;
    let known_bad = format!("fuzz/known_bad/{}", target.name);
    // There is no unsafe code for a sanitizer to watch, and without one it runs twice as fast.
    let cargo = ["run", "nightly", "cargo", "fuzz", "run", "--sanitizer=none"];
    let inputs = [target.name, &corpus, target.seeds, &known_bad];
    let limit = format!("-max_total_time={seconds}");
    let libfuzzer = ["--", &limit, "-max_len=8192", "-print_final_stats=1"];
    runner.run("rustup", &[&cargo[..], &inputs, &libfuzzer].concat())
}

const TARGETS: [FuzzTarget; 1] = [FuzzTarget {
    name: "sdp_offer",
    seeds: "crates/skywave-sdp/testdata",
}];

const USAGE: &str = "usage: cargo xtask fuzz [TARGET [SECONDS]]";
