//! How a verb of the command line ends when it does not end well: one sentence, one exit code.

use crate::client::ClientError;
use std::fmt;
use std::io;

/// Why a verb stopped early.
#[derive(Debug)]
pub enum CliError {
    /// The command line cannot be meant: exit code 2.
    Usage(String),
    /// It was tried and did not work: exit code 1.
    Failed(String),
    /// It did not work, and everything about it was said where Kafka's tool says it: exit code 1.
    Reported,
    /// Ctrl-C or SIGTERM, after what was done until then was said: exit code 130, as a shell has it.
    Interrupted(String),
    /// Nobody reads standard output any more: not an error, exit code 0.
    ClosedPipe,
}

impl CliError {
    /// The code that a script sees.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            CliError::Usage(_) => 2,
            CliError::Failed(_) | CliError::Reported => 1,
            CliError::Interrupted(_) => 130,
            CliError::ClosedPipe => 0,
        }
    }

    /// An error of standard output: a closed pipe ends the verb quietly.
    #[must_use]
    pub fn from_output(error: &io::Error) -> CliError {
        if error.kind() == io::ErrorKind::BrokenPipe {
            CliError::ClosedPipe
        } else {
            CliError::Failed(format!("cannot write to standard output: {error}"))
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CliError::Usage(why) => write!(f, "{why} (see --help)"),
            CliError::Failed(why) | CliError::Interrupted(why) => f.write_str(why),
            CliError::Reported => f.write_str("it did not work, as said above"),
            CliError::ClosedPipe => f.write_str("nobody reads the output"),
        }
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> CliError {
        CliError::Failed(error.to_string())
    }
}
