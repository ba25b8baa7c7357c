//! `klamm storage`: format the log directories of a node, or say what is in them.

use super::error::CliError;
use super::output::Output;
use crate::base::uuid::Uuid;
use crate::runtime::blocking::random_bits;
use std::path::PathBuf;

/// Format the log directories of a node, or say what is in them.
#[derive(clap::Args, Clone, Debug)]
pub struct StorageArguments {
    #[command(subcommand)]
    action: StorageAction,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum StorageAction {
    /// Get information about the log directories on this node.
    Info {
        /// The Kafka configuration file to use.
        #[arg(short = 'c', long, value_name = "file")]
        config: PathBuf,
    },
    /// Format the log directories on this node.
    Format(FormatArguments),
    /// Print a random UUID.
    RandomUuid,
}

/// What `storage format` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct FormatArguments {
    /// The Kafka configuration file to use.
    #[arg(short = 'c', long, value_name = "file")]
    config: PathBuf,
    /// The cluster id to use; klamm storage random-uuid makes one.
    #[arg(short = 't', long, value_name = "id")]
    cluster_id: String,
    /// Skip directories that are already formatted, instead of refusing.
    #[arg(short = 'g', long)]
    ignore_formatted: bool,
    /// This controller alone is the first quorum.
    #[arg(short = 's', long)]
    standalone: bool,
}

/// Does what the action says.
pub fn run(arguments: &StorageArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    match &arguments.action {
        StorageAction::RandomUuid => output.line(random_uuid()?),
        StorageAction::Info { .. } | StorageAction::Format(_) => Err(CliError::Failed(
            "this build cannot format directories yet".to_owned(),
        )),
    }
}

fn random_uuid() -> Result<Uuid, CliError> {
    let (high, low) = random_bits()
        .map_err(|error| CliError::Failed(format!("cannot read /dev/urandom: {error}")))?;
    Ok(Uuid::from_random(high, low))
}
