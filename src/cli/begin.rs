//! How tools begin that run until they are done or interrupted: Ctrl-C is caught, and a group that
//! nobody named gets a name.

use super::error::CliError;
use crate::base::prng::Prng;
use crate::runtime::blocking::{Interrupt, random_bits};

/// How many ids there are for groups that nobody named.
const GENERATED_IDS: u64 = 100_000;

/// From now on Ctrl-C sets a flag.
pub fn catch_interrupt() -> Result<Interrupt, CliError> {
    Interrupt::catch().map_err(|error| CliError::Failed(format!("cannot catch Ctrl-C: {error}")))
}

/// The id of a group of the tool's own making, as Kafka's tools make them.
pub fn generated_group_id(prefix: &str) -> Result<String, CliError> {
    let (seed, _) = random_bits()
        .map_err(|error| CliError::Failed(format!("the kernel gives no random bits: {error}")))?;
    let number = Prng::new(seed).below(GENERATED_IDS);
    Ok(format!("{prefix}-{number}"))
}
