//! Players from npm, in `target/npm`: a folder each, unpacked as they come.
//!
//! They are few files that a browser runs, so `curl` and `tar` do; npm itself would bring hundreds
//! of packages.

use std::fs;

use crate::failure::Failure;
use crate::runner::{Runner, root};

/// Fetches those that are not there in the version wanted.
pub(crate) fn install_missing(runner: &Runner) -> Result<(), Failure> {
    let list = root().join(LIST);
    let text = fs::read_to_string(&list)
        .map_err(|error| Failure::new(format!("{}: {error}", list.display())))?;
    for line in text.lines() {
        let Some((digest, url)) = line.split_once(' ') else {
            return Err(Failure::new(format!(
                "{LIST}: {line}: no digest and address"
            )));
        };
        install(runner, digest, url)?;
    }
    Ok(())
}

/// One package: its archive is kept and says what is installed.
fn install(runner: &Runner, digest: &str, url: &str) -> Result<(), Failure> {
    let file = url.rsplit('/').next().unwrap_or_default();
    let archive = format!("{FOLDER}/{file}");
    let unpacked = format!("{FOLDER}/{}", file.trim_end_matches(".tgz"));
    if root().join(&archive).exists() && root().join(&unpacked).exists() {
        return Ok(());
    }
    runner.run("mkdir", &["-p", &unpacked])?;
    let partial = format!("{archive}.part");
    runner.run("curl", &["-fsSL", "--retry", "3", "-o", &partial, url])?;
    let check = format!("echo '{digest}  {partial}' | sha512sum --check --quiet");
    runner.run("sh", &["-c", &check])?;
    let place = ["--strip-components=1", "--no-same-owner", "-C", &unpacked];
    runner.run("tar", &[&["-xzf", &partial], &place[..]].concat())?;
    // Last, so that an installation broken off is done again.
    runner.run("mv", &[&partial, &archive])
}

const FOLDER: &str = "target/npm";
/// A line a package: SHA-512 and address of its archive.
const LIST: &str = "tests/peers/npm.txt";
