//! `klamm get-offsets`: the offsets of partitions, as `kafka-get-offsets` prints them.

use super::BootstrapArguments;
use super::error::CliError;
use super::output::{Output, OutputArguments, OutputFormat, notice};
use super::property::Properties;
use super::topic_filter::{IncludeList, PartitionFilter, is_internal};
use crate::client::Client;
use crate::client::admin::OffsetSpec;
use crate::runtime::disk::Disk;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Print the offsets of partitions: the end, the start, or those of a time.
#[derive(clap::Args, Clone, Debug)]
pub struct GetOffsetsArguments {
    #[command(flatten)]
    bootstrap: BootstrapArguments,
    /// The topic to get the offsets for; a regular expression. All topics where it is not given.
    #[arg(long, value_name = "topic")]
    topic: Option<String>,
    /// Comma separated list of partition numbers; all where it is not given.
    #[arg(long, value_name = "partition ids")]
    partitions: Option<String>,
    /// Comma separated list of topic-partition patterns: topic1:1,topic2:0-3,topic3,topic4:5-,:-3.
    #[arg(long, value_name = "patterns", conflicts_with_all = ["topic", "partitions"])]
    topic_partitions: Option<String>,
    /// A timestamp in ms, or: -1 latest, -2 earliest, -3 max-timestamp, -4 earliest-local,
    /// -5 latest-tiered, -6 earliest-pending-upload.
    #[arg(
        long,
        value_name = "time",
        default_value = "latest",
        allow_hyphen_values = true
    )]
    time: String,
    /// Leave Kafka's own topics out.
    #[arg(long)]
    exclude_internal_topics: bool,
    /// Property file with settings of the client.
    #[arg(long, value_name = "file")]
    command_config: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

/// Reads `--time`.
fn offset_spec(time: &str) -> Result<OffsetSpec, CliError> {
    let spec = match time.trim().to_ascii_lowercase().as_str() {
        "latest" => OffsetSpec::LATEST,
        "earliest" => OffsetSpec::EARLIEST,
        "max-timestamp" => OffsetSpec::MAX_TIMESTAMP,
        "earliest-local" => OffsetSpec::EARLIEST_LOCAL,
        "latest-tiered" => OffsetSpec::LATEST_TIERED,
        "earliest-pending-upload" => OffsetSpec::EARLIEST_PENDING_UPLOAD,
        number => OffsetSpec(number.parse().map_err(|_| {
            CliError::Usage(format!(
                "Malformed time argument {time}. Please use -1 or latest / -2 or earliest / -3 or \
                 max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 or \
                 earliest-pending-upload, or a specified long format timestamp"
            ))
        })?),
    };
    Ok(spec)
}

/// Asks and prints: `topic:partition:offset`; partitions without such an offset are left out.
pub fn run(arguments: &GetOffsetsArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    let spec = offset_spec(&arguments.time)?;
    let filter = match &arguments.topic_partitions {
        Some(patterns) => PartitionFilter::parse_patterns(patterns)?,
        None => PartitionFilter::Topics {
            topics: arguments
                .topic
                .as_deref()
                .map(IncludeList::parse)
                .transpose()?,
            partitions: PartitionFilter::parse_partitions(
                arguments.partitions.as_deref().unwrap_or_default(),
            )?,
        },
    };
    let mut properties = Properties::default();
    if let Some(path) = &arguments.command_config {
        properties.add_file(&Disk::Native, path)?;
    }
    let mut client = Client::connect(super::client_options(&arguments.bootstrap, &properties)?)?;
    let mut wanted = Vec::new();
    client.refresh_all_topics()?;
    for topic in client.cluster().topics() {
        let internal = topic.is_internal || is_internal(&topic.name);
        if internal && arguments.exclude_internal_topics || !filter.allows_topic(&topic.name) {
            continue;
        }
        for partition in &topic.partitions {
            if filter.allows(&topic.name, partition.index) {
                wanted.push((topic.name.clone(), partition.index));
            }
        }
    }
    if wanted.is_empty() {
        return Err(CliError::Failed(
            "Could not match any topic-partitions with the specified filters".to_owned(),
        ));
    }
    let offsets = client.list_offsets(&wanted, spec)?;
    let mut objects = Vec::new();
    for listed in offsets {
        match listed.result {
            Err(error) => notice(format_args!(
                "Skip getting offsets for topic-partition {}-{} due to error: {error}",
                listed.topic, listed.partition
            )),
            Ok(None) => {}
            Ok(Some(offset)) => match arguments.output.output {
                OutputFormat::Text => {
                    output.line(format_args!(
                        "{}:{}:{offset}",
                        listed.topic, listed.partition
                    ))?;
                }
                OutputFormat::Json => objects.push(json!({
                    "topic": &*listed.topic, "partition": listed.partition, "offset": offset.0,
                })),
            },
        }
    }
    if arguments.output.output == OutputFormat::Json {
        output.line(Value::from(objects))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_names_or_numbers() {
        assert_eq!(offset_spec("-1").unwrap(), OffsetSpec::LATEST);
        assert_eq!(offset_spec("Earliest").unwrap(), OffsetSpec(-2));
        assert_eq!(offset_spec("max-timestamp").unwrap(), OffsetSpec(-3));
        assert_eq!(
            offset_spec("1500000000000").unwrap(),
            OffsetSpec(1_500_000_000_000)
        );
        assert!(offset_spec("bogus").is_err());
    }
}
