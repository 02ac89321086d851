//! The Python environment of the aiortc peer, in `target/venv`.
//!
//! `SKYWAVE_PYTHON` names another interpreter; then nothing is installed.

use std::fs;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::runner::{Runner, root, succeeds};

/// Makes the environment, unless it is there and of the versions wanted.
pub(crate) fn install_missing(runner: &Runner) -> Result<(), Failure> {
    if std::env::var_os("SKYWAVE_PYTHON").is_some() || is_current() {
        return Ok(());
    }
    runner.run("python3", &["-m", "venv", "--clear", VENV])?;
    let install = ["-m", "pip", "install", "--disable-pip-version-check"];
    let pinned = ["--quiet", "--no-deps", "--requirement", REQUIREMENTS];
    runner.run(PYTHON, &[install, pinned].concat())?;
    if !is_usable() {
        return Err(Failure::new(format!("{PYTHON} cannot import aiortc")));
    }
    // Last, so that an installation broken off is done again.
    fs::copy(root().join(REQUIREMENTS), installed())
        .map(drop)
        .map_err(|error| Failure::new(format!("{}: {error}", installed().display())))
}

fn is_current() -> bool {
    let wanted = fs::read(root().join(REQUIREMENTS)).ok();
    wanted.is_some() && wanted == fs::read(installed()).ok() && is_usable()
}

fn is_usable() -> bool {
    succeeds(PYTHON, &["-c", "import aiortc, numpy, prometheus_client"])
}

/// A copy of the requirements that were installed.
fn installed() -> PathBuf {
    root().join(VENV).join("requirements.txt")
}

const VENV: &str = "target/venv";
const PYTHON: &str = "target/venv/bin/python";
/// All packages with their versions, dependencies too.
const REQUIREMENTS: &str = "tests/peers/requirements.txt";
