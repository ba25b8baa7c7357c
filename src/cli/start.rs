//! `klamm start`: a broker, from its configuration to its last sync.

use super::StartArguments;
use super::output::notice;
use std::process::ExitCode;

/// Runs a broker until it is told to stop.
#[must_use]
pub fn run(arguments: StartArguments) -> ExitCode {
    drop(arguments);
    notice("klamm: this build has no broker yet");
    ExitCode::FAILURE
}
