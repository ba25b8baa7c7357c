//! `klamm groups`: list, describe, delete groups, and reset their offsets, in the very lines of
//! `kafka-consumer-groups`. Unlike there, what did not work makes the exit code 1.

mod describe;
mod java;
mod offsets;
mod plan;
mod reset;
mod time;

use super::BootstrapArguments;
use super::error::CliError;
use super::output::{Output, OutputArguments, OutputFormat};
use super::property::Properties;
use crate::base::time::milliseconds;
use crate::client::Client;
use crate::client::group_admin::GroupListing;
use crate::runtime::disk::Disk;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Kafka's states of consumer groups, classic ones included.
const STATES: [&str; 7] = [
    "PreparingRebalance",
    "CompletingRebalance",
    "Stable",
    "Dead",
    "Empty",
    "Assigning",
    "Reconciling",
];

/// Kafka's types of consumer groups.
const TYPES: [&str; 2] = ["Consumer", "Classic"];

/// The least width of a column that holds names.
const NAME_WIDTH: usize = 15;

/// List all consumer groups, describe a consumer group, delete consumer group info, or reset
/// consumer group offsets.
#[derive(clap::Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("action")
    .required(true)
    .args(["list", "describe", "delete", "reset_offsets", "delete_offsets"]))]
#[command(group = clap::ArgGroup::new("scenario").args([
    "to_offset", "shift_by", "to_datetime", "by_duration",
    "to_earliest", "to_latest", "to_current", "from_file",
]))]
pub struct GroupsArguments {
    #[command(flatten)]
    bootstrap: BootstrapArguments,
    /// List all consumer groups.
    #[arg(long)]
    list: bool,
    /// Describe consumer groups and their lag: the messages not yet processed.
    #[arg(long)]
    describe: bool,
    /// Delete whole consumer groups with their offsets. They must have no members.
    #[arg(long)]
    delete: bool,
    /// Reset offsets of groups that have no members: where to is one of --to-…, --shift-by,
    /// --by-duration or --from-file, of which partitions --topic or --all-topics.
    #[arg(long)]
    reset_offsets: bool,
    /// Delete offsets of a group: of the partitions of --topic.
    #[arg(long)]
    delete_offsets: bool,
    /// The consumer group to act on; may be given many times.
    #[arg(long, value_name = "consumer group", conflicts_with = "all_groups")]
    group: Vec<String>,
    /// Apply to all consumer groups.
    #[arg(long)]
    all_groups: bool,
    /// A topic, or some of its partitions as topic:0,1,2; may be given many times.
    #[arg(long, value_name = "topic", conflicts_with = "all_topics")]
    topic: Vec<String>,
    /// All topics of which the group has offsets.
    #[arg(long)]
    all_topics: bool,
    /// Describe the members of the group.
    #[arg(long, conflicts_with_all = ["offsets", "state"])]
    members: bool,
    /// Describe the offsets of the group, with their lag. What --describe does without any other.
    #[arg(long, conflicts_with = "state")]
    offsets: bool,
    /// With --describe: the state of the group. With --list: show states, and only groups in one
    /// of those given.
    #[arg(long, value_name = "state,...", num_args = 0..=1, default_missing_value = "")]
    state: Option<String>,
    /// With --list: show types, and only groups of one of those given.
    #[arg(
        long = "type",
        value_name = "type,...",
        num_args = 0..=1,
        default_missing_value = ""
    )]
    group_type: Option<String>,
    /// Describe more of it.
    #[arg(long)]
    verbose: bool,
    /// Only show what a reset would do. The default.
    #[arg(long, conflicts_with = "execute")]
    dry_run: bool,
    /// Do the reset.
    #[arg(long)]
    execute: bool,
    /// Print the reset as CSV, which --from-file takes.
    #[arg(long)]
    export: bool,
    /// Reset to this offset.
    #[arg(long, value_name = "offset", allow_negative_numbers = true)]
    to_offset: Option<i64>,
    /// Reset by so many messages, forward or backward.
    #[arg(long, value_name = "number-of-offsets", allow_negative_numbers = true)]
    shift_by: Option<i64>,
    /// Reset to the first message of a time: YYYY-MM-DDTHH:mm:SS.sss, of UTC where it names no
    /// other zone.
    #[arg(long, value_name = "datetime")]
    to_datetime: Option<String>,
    /// Reset to the first message not older than a duration: PnDTnHnMnS.
    #[arg(long, value_name = "duration", allow_hyphen_values = true)]
    by_duration: Option<String>,
    /// Reset to the earliest offset.
    #[arg(long)]
    to_earliest: bool,
    /// Reset to the latest offset.
    #[arg(long)]
    to_latest: bool,
    /// Reset to the current offset.
    #[arg(long)]
    to_current: bool,
    /// Reset to the offsets of a CSV file.
    #[arg(long, value_name = "path to CSV file")]
    from_file: Option<PathBuf>,
    /// How long to wait for an answer, in ms.
    #[arg(long, value_name = "timeout (ms)", default_value_t = 5000)]
    timeout: i64,
    /// Property file with settings of the client.
    #[arg(long, value_name = "file")]
    command_config: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

/// Does what the action says.
pub fn run(arguments: &GroupsArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    check(arguments)?;
    let mut properties = Properties::default();
    if let Some(path) = &arguments.command_config {
        properties.add_file(&Disk::Native, path)?;
    }
    let states = arguments.state.as_deref().map_or(Ok(Vec::new()), |text| {
        chosen(text, &STATES, "states", "state")
    })?;
    let types = arguments
        .group_type
        .as_deref()
        .map_or(Ok(Vec::new()), |text| {
            chosen(text, &TYPES, "types", "types")
        })?;
    let target = reset::target(arguments)?;
    let mut options = super::client_options(&arguments.bootstrap, &properties)?;
    options.request_timeout = milliseconds(arguments.timeout).max(Duration::from_millis(1));
    let mut errand = Errand {
        client: Client::connect(options)?,
        arguments,
        output,
        has_failed: false,
    };
    let result = if arguments.list {
        errand.list(&states, &types)
    } else if arguments.describe {
        errand.describe()
    } else if arguments.delete {
        errand.delete()
    } else if let Some(target) = target {
        errand.reset(&target)
    } else {
        errand.delete_offsets()
    };
    match result {
        // Kafka's tool says it on standard output, and so do scripts expect it.
        Err(CliError::Failed(why)) => errand.complain(why)?,
        result => result?,
    }
    if errand.has_failed {
        return Err(CliError::Reported);
    }
    Ok(())
}

/// What clap cannot check, in Kafka's words.
fn check(arguments: &GroupsArguments) -> Result<(), CliError> {
    let usage = |why: &str| Err(CliError::Usage(why.to_owned()));
    let has_group = !arguments.group.is_empty() || arguments.all_groups;
    if arguments.describe && !has_group {
        return usage("Option [describe] takes one of these options: [group], [all-groups]");
    }
    if arguments.describe
        && arguments
            .state
            .as_deref()
            .is_some_and(|state| !state.is_empty())
    {
        return usage("Option [describe] does not take a value for [state]");
    }
    if arguments.state.is_some() && !arguments.describe && !arguments.list {
        return usage("Option [state] is for [describe] and [list]");
    }
    // Clap lets these pass: it asks for nothing that conflicts with what is there.
    let only_described = arguments.members || arguments.offsets || arguments.verbose;
    if only_described && !arguments.describe {
        return usage("Options [members], [offsets] and [verbose] are for [describe]");
    }
    if arguments.group_type.is_some() && !arguments.list {
        return usage("Option [type] is for [list]");
    }
    let only_reset =
        arguments.execute || arguments.dry_run || arguments.export || arguments.all_topics;
    if only_reset && !arguments.reset_offsets {
        return usage(
            "Options [execute], [dry-run], [export] and [all-topics] are for [reset-offsets]",
        );
    }
    if arguments.delete && !has_group {
        return usage("Option [delete] takes one of these options: [group], [all-groups]");
    }
    if arguments.delete && !arguments.topic.is_empty() {
        return usage(
            "The consumer does not support topic-specific offset deletion from a consumer group.",
        );
    }
    if arguments.delete_offsets && (arguments.group.len() != 1 || arguments.topic.is_empty()) {
        return usage("Option [delete-offsets] takes the following options: [group], [topic]");
    }
    if arguments.list && has_group {
        return usage("Option \"[group]\" can't be used with option \"[list]\"");
    }
    if (arguments.list || arguments.describe) && !arguments.topic.is_empty() {
        return usage("Option \"[topic]\" is for [reset-offsets] and [delete-offsets]");
    }
    if arguments.reset_offsets && !has_group {
        return usage("Option [reset-offsets] takes one of these options: [group], [all-groups]");
    }
    let has_scope = !arguments.topic.is_empty() || arguments.all_topics;
    if arguments.reset_offsets && !has_scope && arguments.from_file.is_none() {
        return usage("One of the reset scopes should be defined: --all-topics, --topic.");
    }
    Ok(())
}

/// Reads a list of states or types, in Kafka's spelling, whatever the case.
fn chosen(
    text: &str,
    valid: &[&'static str],
    list: &str,
    what: &str,
) -> Result<Vec<&'static str>, CliError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|word| {
            let word = word.trim();
            let found = valid.iter().find(|valid| valid.eq_ignore_ascii_case(word));
            found.copied().ok_or_else(|| {
                let valid = valid.join(", ");
                CliError::Usage(format!(
                    "Invalid {what} list '{text}'. Valid {list} are: {valid}"
                ))
            })
        })
        .collect()
}

/// One run of the verb.
struct Errand<'a, 'o> {
    client: Client,
    arguments: &'a GroupsArguments,
    output: &'a mut Output<'o>,
    /// Whether something was complained of: the exit code says so.
    has_failed: bool,
}

impl Errand<'_, '_> {
    fn is_json(&self) -> bool {
        self.arguments.output.output == OutputFormat::Json
    }

    /// Says what is wrong where Kafka's tool says it, on standard output; the rest goes on.
    fn complain(&mut self, what: impl std::fmt::Display) -> Result<(), CliError> {
        self.has_failed = true;
        if self.is_json() {
            super::output::notice(format_args!("klamm: {what}"));
            return Ok(());
        }
        self.output.line(format_args!("\nError: {what}"))
    }

    /// The groups to act on, sorted.
    fn groups(&mut self) -> Result<Vec<String>, CliError> {
        if self.arguments.all_groups {
            let listings = self.listings(&[], &TYPES)?;
            return Ok(listings
                .into_iter()
                .map(|listing| listing.group_id)
                .collect());
        }
        let mut groups = self.arguments.group.clone();
        groups.sort();
        groups.dedup();
        Ok(groups)
    }

    /// Groups of consumers: others (Connect's, schema registries') are not this tool's.
    fn listings(&mut self, states: &[&str], types: &[&str]) -> Result<Vec<GroupListing>, CliError> {
        let mut listings = self
            .client
            .list_groups(states, types)
            .map_err(|error| java::failed(&error))?;
        listings.retain(|listing| {
            listing.protocol_type.is_empty() || listing.protocol_type == "consumer"
        });
        Ok(listings)
    }

    fn list(&mut self, states: &[&str], types: &[&str]) -> Result<(), CliError> {
        let with_state = self.arguments.state.is_some();
        let with_type = self.arguments.group_type.is_some();
        let all = if with_state || with_type {
            types
        } else {
            &TYPES
        };
        let listings = self.listings(states, all)?;
        if self.is_json() {
            let groups = listings.iter().map(|listing| {
                json!({
                    "group": listing.group_id, "type": listing.group_type,
                    "state": listing.state, "protocolType": listing.protocol_type,
                })
            });
            return self.output.line(Value::from(groups.collect::<Vec<_>>()));
        }
        for line in list_lines(&listings, with_type, with_state) {
            self.output.line(line)?;
        }
        Ok(())
    }

    fn delete(&mut self) -> Result<(), CliError> {
        let groups = self.groups()?;
        let mut deleted = Vec::new();
        let mut failed = Vec::new();
        for group in groups {
            match self.client.delete_group(&group) {
                Ok(()) => deleted.push(group),
                Err(error) => failed.push((group, error)),
            }
        }
        let quoted: Vec<String> = deleted.iter().map(|group| format!("'{group}'")).collect();
        let quoted = quoted.join(", ");
        if self.is_json() {
            let failures = failed
                .iter()
                .map(|(group, error)| json!({ "group": group, "error": error.to_string() }));
            let failures: Vec<Value> = failures.collect();
            self.has_failed = !failures.is_empty();
            return self
                .output
                .line(json!({ "deleted": deleted, "failed": failures }));
        }
        if failed.is_empty() {
            return self.output.line(format_args!(
                "Deletion of requested consumer groups ({quoted}) was successful."
            ));
        }
        self.complain("Deletion of some consumer groups failed:")?;
        for (group, error) in &failed {
            self.output.line(format_args!(
                "* Group '{group}' could not be deleted due to: {}",
                java::exception(error)
            ))?;
        }
        if !deleted.is_empty() {
            self.output.line(format_args!(
                "\nThese consumer groups were deleted successfully: {quoted}"
            ))?;
        }
        Ok(())
    }
}

/// The lines of `--list`.
fn list_lines(listings: &[GroupListing], with_type: bool, with_state: bool) -> Vec<String> {
    if !with_type && !with_state {
        let ids = listings.iter().map(|listing| listing.group_id.clone());
        return ids.collect();
    }
    let ids = listings.iter().map(|listing| listing.group_id.as_str());
    let width = column(NAME_WIDTH, ids) + 10;
    let line = |group: &str, group_type: &str, state: &str| {
        let mut line = format!("{group:<width$}");
        for (cell, _) in [(group_type, with_type), (state, with_state)]
            .into_iter()
            .filter(|(_, is_shown)| *is_shown)
        {
            line += &format!(" {cell:<20}");
        }
        line
    };
    let known = |text: &str| {
        if text.is_empty() {
            "Unknown".to_owned()
        } else {
            text.to_owned()
        }
    };
    let mut lines = vec![line("GROUP", "TYPE", "STATE")];
    lines.extend(listings.iter().map(|listing| {
        line(
            &listing.group_id,
            &known(&listing.group_type),
            &known(&listing.state),
        )
    }));
    lines
}

/// The width of a column that holds these cells.
fn column<'a>(least: usize, cells: impl Iterator<Item = &'a str>) -> usize {
    cells
        .map(|cell| cell.chars().count())
        .max()
        .map_or(least, |widest| widest.max(least))
}

#[cfg(test)]
mod tests;
