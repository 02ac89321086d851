//! Runs commands in the workspace's root, each announced with the time since the start.
//!
//! Nothing is written after a command, so that a test runner's last lines stay the last.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// Runs the commands of one chore.
pub(crate) struct Runner {
    started: Instant,
}

impl Runner {
    /// Starts the clock.
    pub(crate) fn new() -> Runner {
        Runner {
            started: Instant::now(),
        }
    }

    /// Runs a program and waits for its end.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<(), Failure> {
        let line = format!("{program} {}", arguments.join(" "));
        self.say(&line);
        let mut command = Command::new(program);
        // Set by the cargo that runs this program. Build scripts take note of them: that of ring
        // would run anew, and all that depends on it, whenever cargo is called in the other way.
        for (name, _) in std::env::vars_os() {
            if is_of_this_package(&name) {
                command.env_remove(name);
            }
        }
        let status = command.args(arguments).current_dir(root()).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::of_command(&line, status.code())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(Failure::new(format!("{program} is not installed")))
            }
            Err(error) => Err(Failure::new(format!("{line}: {error}"))),
        }
    }

    /// Runs cargo, of the toolchain that runs this program: rustup hands it on.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<(), Failure> {
        self.run("cargo", arguments)
    }

    /// Writes a line with the time since the start.
    pub(crate) fn say(&self, line: &str) {
        println!("[{}] {line}", clock(self.started.elapsed()));
    }
}

/// Whether a program runs and ends with success. Its output is thrown away.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether a variable tells about the package that this program is.
fn is_of_this_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// The folder that cargo builds into: this program lies in its `debug`.
pub(crate) fn target() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe();
    let program = program.map_err(|error| Failure::new(format!("own path: {error}")))?;
    let target = program.ancestors().nth(2).map(Path::to_path_buf);
    target.ok_or_else(|| Failure::new(format!("{} is in no target folder", program.display())))
}

/// The root folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .ancestors()
        .nth(2)
        .expect("the package lies in crates/xtask")
}

/// Minutes and seconds.
fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:2}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_has_minutes_and_two_digits_of_seconds() {
        assert_eq!(clock(Duration::from_millis(9_999)), " 0:09");
        assert_eq!(clock(Duration::from_secs(3_661)), "61:01");
    }

    #[test]
    fn the_exit_code_of_a_command_is_kept() {
        let failure = Runner::new().run("sh", &["-c", "exit 7"]).unwrap_err();
        assert_eq!(failure.exit_code(), std::process::ExitCode::from(7));
    }

    #[test]
    fn commands_do_not_see_the_package_of_this_program() {
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
        let script = "test -z \"$CARGO_PKG_NAME$CARGO_MANIFEST_DIR\" && test -n \"$PATH\"";
        Runner::new().run("sh", &["-c", script]).unwrap();
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = Runner::new().run("skywave-no-such", &[]).unwrap_err();
        assert_eq!(failure.to_string(), "skywave-no-such is not installed");
    }

    #[test]
    fn the_root_has_the_lock_file() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
