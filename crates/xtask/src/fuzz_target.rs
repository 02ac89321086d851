//! Fuzzing with libFuzzer, on the Rust that the project is built with.
//!
//! cargo-fuzz asks for nightly because of its sanitizers. There is no unsafe code here for them to
//! watch, and what libFuzzer itself needs, counters at every edge and comparison, LLVM puts in for
//! stable Rust as well.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::failure::Failure;
use crate::runner::{Runner, root};

/// A program of `fuzz/fuzz_targets`.
struct FuzzTarget {
    name: &'static str,
    /// Folder of captured input to begin with.
    seeds: &'static str,
}

/// Lists the targets, or runs one of them or all for some seconds each, 60 unless told.
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
    if name == "all" {
        return run_all(runner, seconds);
    }
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.ok_or_else(|| Failure::new(format!("there is no target {name}")))?;
    let folder = build(runner)?;
    make_folders(target)?;
    let arguments = target.arguments(seconds);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    runner.run(&program(&folder, target), &arguments)
}

/// Runs every target for some seconds, as many at a time as there are processors.
pub(crate) fn run_all(runner: &Runner, seconds: u32) -> Result<(), Failure> {
    let folder = build(runner)?;
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let work = || -> Result<(), Failure> {
            while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
                run_quietly(runner, &program(&folder, target), target, seconds)?;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut results = workers.into_iter().map(|worker| worker.join());
        results.try_for_each(|result| result.expect("a worker does not panic"))
    })
}

/// Keeps libFuzzer's output to itself unless it found something.
fn run_quietly(
    runner: &Runner,
    program: &str,
    target: &FuzzTarget,
    seconds: u32,
) -> Result<(), Failure> {
    make_folders(target)?;
    runner.say(&format!("fuzzing {} for {seconds} s", target.name));
    let output = Command::new(program)
        .args(target.arguments(seconds))
        .current_dir(root())
        .output()
        .map_err(|error| Failure::new(format!("{program}: {error}")))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        let done = text.lines().find(|line| line.starts_with("Done "));
        runner.say(&format!("{}: {}", target.name, done.unwrap_or("no runs")));
        return Ok(());
    }
    // Before that stand the inputs found, one a line.
    let crash = CRASH.iter().find_map(|start| text.find(start));
    eprintln!("{}", &text[crash.unwrap_or(0)..]);
    let command = format!("fuzzing {0}; see fuzz/artifacts/{0}", target.name);
    Err(Failure::of_command(&command, output.status.code()))
}

/// Builds all targets; gives their folder.
fn build(runner: &Runner) -> Result<PathBuf, Failure> {
    let host = host()?;
    let flags = format!("RUSTFLAGS={}", RUSTFLAGS.join(" "));
    let environment = [flags.as_str(), OPTIMISED];
    let cargo = ["cargo", "build", "--package", "skywave-fuzz", "--bins"];
    // With a target named, build scripts and procedural macros are built without the flags.
    let places = ["--target", &host, "--target-dir", TARGET_FOLDER];
    runner.run("env", &[&environment, &cargo[..], &places].concat())?;
    Ok(root().join(TARGET_FOLDER).join(&host).join("debug"))
}

/// The triple of the machine this runs on.
fn host() -> Result<String, Failure> {
    let failure = |what: &str| Failure::new(format!("rustc -vV: {what}"));
    let Output { stdout, .. } = Command::new("rustc")
        .arg("-vV")
        .output()
        .map_err(|error| failure(&error.to_string()))?;
    let text = String::from_utf8_lossy(&stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| failure("no host"))
}

fn program(folder: &std::path::Path, target: &FuzzTarget) -> String {
    folder.join(target.name).display().to_string()
}

/// libFuzzer writes into folders, and does not make them.
fn make_folders(target: &FuzzTarget) -> Result<(), Failure> {
    for folder in [target.corpus(), target.artifacts(), target.known_bad()] {
        fs::create_dir_all(root().join(&folder))
            .map_err(|error| Failure::new(format!("{folder}: {error}")))?;
    }
    Ok(())
}

impl FuzzTarget {
    /// What libFuzzer takes: limits, then folders of inputs, of which it writes to the first.
    fn arguments(&self, seconds: u32) -> Vec<String> {
        vec![
            format!("-max_total_time={seconds}"),
            format!("-artifact_prefix={}/", self.artifacts()),
            "-max_len=8192".to_owned(),
            "-timeout=10".to_owned(),
            "-print_final_stats=1".to_owned(),
            self.corpus(),
            self.seeds.to_owned(),
            self.known_bad(),
        ]
    }

    fn corpus(&self) -> String {
        format!("fuzz/corpus/{}", self.name)
    }

    fn artifacts(&self) -> String {
        format!("fuzz/artifacts/{}", self.name)
    }

    fn known_bad(&self) -> String {
        format!("fuzz/known_bad/{}", self.name)
    }
}

/// Those of cargo-fuzz 0.13, without its sanitizer.
const RUSTFLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];
/// Everything, and with its checks.
const OPTIMISED: &str = "CARGO_PROFILE_DEV_OPT_LEVEL=2";
/// Not the usual one, as the flags are for everything in it.
const TARGET_FOLDER: &str = "target/fuzzing";
/// How the message of a panic begins, and libFuzzer's of anything else.
const CRASH: [&str; 2] = ["thread '", "ERROR: libFuzzer"];

const TARGETS: [FuzzTarget; 12] = [
    FuzzTarget {
        name: "dtls_record",
        seeds: "fuzz/seeds/dtls_record",
    },
    FuzzTarget {
        name: "header_extensions",
        seeds: "fuzz/seeds/header_extensions",
    },
    FuzzTarget {
        name: "http_body",
        seeds: "fuzz/seeds/http_body",
    },
    FuzzTarget {
        name: "peer_datagram",
        seeds: "fuzz/seeds/peer_datagram",
    },
    FuzzTarget {
        name: "red",
        seeds: "fuzz/seeds/red",
    },
    FuzzTarget {
        name: "rtcp",
        seeds: "fuzz/seeds/rtcp",
    },
    FuzzTarget {
        name: "rtp_packet",
        seeds: "fuzz/seeds/rtp_packet",
    },
    FuzzTarget {
        name: "sdp_answer",
        seeds: "crates/skywave-sdp/testdata",
    },
    FuzzTarget {
        name: "sdp_offer",
        seeds: "crates/skywave-sdp/testdata",
    },
    FuzzTarget {
        name: "srtp_session",
        seeds: "fuzz/seeds/srtp_session",
    },
    FuzzTarget {
        name: "srtp_unprotect",
        seeds: "fuzz/seeds/srtp_unprotect",
    },
    FuzzTarget {
        name: "stun",
        seeds: "crates/skywave-ice/tests/data",
    },
];

const USAGE: &str = "usage: cargo xtask fuzz [TARGET|all [SECONDS]]";
