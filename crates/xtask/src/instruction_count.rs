//! Instructions per packet, counted by valgrind, beside the figures committed.
//!
//! They do not depend on the machine's load, but on its compiler and on what of the processor
//! valgrind knows: 3.19 hides AVX-512, VAES and the SHA extensions from the program. So a
//! difference is shown and judged by nobody.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::requirement;
use crate::runner::{Runner, root, target};

/// Counts, and shows the difference to the committed file, which `--update` writes anew.
pub(crate) fn run(runner: &Runner, arguments: &[&str]) -> Result<(), Failure> {
    let update = match arguments {
        [] => false,
        ["--update"] => true,
        _ => return Err(Failure::new("usage: cargo xtask instructions [--update]")),
    };
    requirement::install_missing(runner, &[&requirement::INSTRUCTIONS])?;
    let build = ["build", "--release", "--package", "skywave-benches"];
    runner.cargo(&[&build[..], &["--bin", "instructions"]].concat())?;
    let program = target()?.join("release/instructions");
    let committed = if update {
        String::new()
    } else {
        read(COMMITTED)?
    };
    let committed = parse(&committed)?;

    println!(
        "{:<40} {:>8} {:>10}",
        "instructions a packet", "now", "committed"
    );
    let mut written = HEADING.to_owned();
    for work in output(&mut Command::new(&program))?.0.lines() {
        let now = per_packet(&program, work)?;
        println!("{}", line(work, now, committed.get(work).copied()));
        written += &format!("{work} {now}\n");
    }
    if update {
        fs::write(root().join(COMMITTED), written)
            .map_err(|error| Failure::new(format!("{COMMITTED}: {error}")))?;
        runner.say(&format!("wrote {COMMITTED}"));
    }
    Ok(())
}

/// Of two runs, so that what comes before the first packet drops out.
fn per_packet(program: &Path, work: &str) -> Result<u64, Failure> {
    let few = instructions(program, work, PACKETS)?;
    let many = instructions(program, work, 2 * PACKETS)?;
    Ok(many.saturating_sub(few) / PACKETS)
}

fn instructions(program: &Path, work: &str, packets: u64) -> Result<u64, Failure> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([work, &packets.to_string()]);
    let (_, report) = output(&mut valgrind)?;
    collected(&report)
        .ok_or_else(|| Failure::new(format!("valgrind counted no instructions:\n{report}")))
}

/// The total in callgrind's report.
fn collected(report: &str) -> Option<u64> {
    let (_, total) = report.split_once("Collected : ")?;
    total.split_whitespace().next()?.parse().ok()
}

/// What a command that succeeds writes to its two outputs.
fn output(command: &mut Command) -> Result<(String, String), Failure> {
    let output = command
        .output()
        .map_err(|error| Failure::new(format!("{command:?}: {error}")))?;
    let [out, err] =
        [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
    if output.status.success() {
        Ok((out, err))
    } else {
        let line = format!("{command:?}\n{err}");
        Err(Failure::of_command(&line, output.status.code()))
    }
}

fn read(file: &str) -> Result<String, Failure> {
    fs::read_to_string(root().join(file)).map_err(|error| Failure::new(format!("{file}: {error}")))
}

/// A name and a number a line; lines that begin with # are for the reader.
fn parse(committed: &str) -> Result<BTreeMap<&str, u64>, Failure> {
    let lines = committed.lines().filter(|line| !line.starts_with('#'));
    let parsed = lines.map(|line| {
        let (name, count) = line.split_once(' ')?;
        Some((name, count.parse().ok()?))
    });
    let parsed: Option<BTreeMap<_, _>> = parsed.collect();
    parsed.ok_or_else(|| Failure::new(format!("{COMMITTED} has a line that is no name and number")))
}

fn line(work: &str, now: u64, committed: Option<u64>) -> String {
    match committed {
        Some(committed) => {
            let percent = (now as f64 / committed as f64 - 1.0) * 100.0;
            format!("{work:<40} {now:>8} {committed:>10} {percent:>+7.1} %")
        }
        None => format!("{work:<40} {now:>8} {:>10}", "-"),
    }
}

const COMMITTED: &str = "benches/instructions.txt";
const HEADING: &str = "\
# Instructions a packet with payloads of 160 octets, and a received SRTCP packet of 32 octets:
# cargo xtask instructions --update. See docs/performance.md.
";
const PACKETS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found_in_the_report_of_callgrind_3_19() {
        let report = "==7== Events    : Ir\n==7== Collected : 36208315\n==7== \n";
        assert_eq!(collected(report), Some(36_208_315));
        assert_eq!(collected("==7== Events    : Ir\n"), None);
    }

    #[test]
    fn the_committed_file_is_understood() {
        let committed = read(COMMITTED).unwrap();
        assert!(committed.starts_with(HEADING));
        assert!(parse(&committed).unwrap()["packetize"] > 0);
    }

    #[test]
    fn a_line_that_is_no_count_is_refused() {
        assert!(parse("packetize").is_err());
        assert!(parse("packetize many").is_err());
    }

    #[test]
    fn the_difference_is_in_percent_of_the_committed() {
        assert!(line("packetize", 90, Some(100)).ends_with("90        100   -10.0 %"));
        assert!(line("packetize", 90, None).ends_with("90          -"));
    }
}
