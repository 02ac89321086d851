//! Why a chore ended early.

use std::fmt;
use std::process::ExitCode;

/// A sentence for the person at the terminal, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// A failure of this program itself.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            code: 1,
        }
    }

    /// A command that ended with `code`; none if a signal ended it.
    pub(crate) fn of_command(command: &str, code: Option<i32>) -> Failure {
        let code = code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        Failure {
            message: format!("failed with {code}: {command}"),
            code,
        }
    }

    /// Arguments that make no sense.
    pub(crate) fn usage(usage: &str) -> Failure {
        Failure {
            message: format!("no such command\n\n{usage}"),
            code: 2,
        }
    }

    /// What this program ends with; never success.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code.max(1))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
