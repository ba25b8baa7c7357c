//! `klamm topics`: create, delete, describe, change topics, as `kafka-topics` does. What a description
//! looks like is in `describe.rs`.

mod describe;

use super::BootstrapArguments;
use super::error::CliError;
use super::output::{Output, OutputArguments, OutputFormat};
use super::property::{Properties, split_pair};
use super::topic_filter::{IncludeList, is_internal};
use crate::client::Client;
use crate::client::admin::NewTopic;
use crate::runtime::disk::Disk;
use describe::describe;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Most partitions of one topic that a command line is believed about.
const PARTITIONS_MAX: i32 = 1 << 20;

/// Create, delete, describe, or change a topic.
#[derive(clap::Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("action")
    .required(true)
    .args(["list", "describe", "create", "alter", "delete"]))]
pub struct TopicsArguments {
    #[command(flatten)]
    bootstrap: BootstrapArguments,
    /// List all available topics.
    #[arg(long)]
    list: bool,
    /// List details for the given topics.
    #[arg(long)]
    describe: bool,
    /// Create a new topic.
    #[arg(long)]
    create: bool,
    /// Alter the number of partitions. (Topic configurations: klamm configs.)
    #[arg(long)]
    alter: bool,
    /// Delete a topic.
    #[arg(long)]
    delete: bool,
    /// The topic to create, alter, describe or delete; a regular expression, except for --create.
    #[arg(long, value_name = "topic")]
    topic: Option<String>,
    /// The id of the topic to describe.
    #[arg(
        long,
        value_name = "topic-id",
        conflicts_with = "topic",
        requires = "describe"
    )]
    topic_id: Option<String>,
    /// The number of partitions of the topic; the cluster's default where it is not given.
    #[arg(long, value_name = "# of partitions", allow_negative_numbers = true)]
    partitions: Option<i32>,
    /// The replication factor of each partition; the cluster's default where it is not given.
    #[arg(
        long,
        value_name = "replication factor",
        allow_negative_numbers = true,
        requires = "create"
    )]
    replication_factor: Option<i16>,
    /// Brokers of each partition: 1:2,2:3 puts partition 0 on 1 and 2, partition 1 on 2 and 3.
    #[arg(long, value_name = "broker:broker,...", conflicts_with_all = ["replication_factor"])]
    replica_assignment: Option<String>,
    /// A configuration of the topic being created, as name=value; may be given many times.
    #[arg(long, value_name = "name=value", requires = "create")]
    config: Vec<String>,
    /// No longer supported by Kafka since 4.0.
    #[arg(long, value_name = "name", hide = true)]
    delete_config: Vec<String>,
    /// Altering, deleting or describing a topic that does not exist is not an error.
    #[arg(long)]
    if_exists: bool,
    /// Creating a topic that already exists is not an error.
    #[arg(long, requires = "create")]
    if_not_exists: bool,
    /// Leave Kafka's own topics out.
    #[arg(long)]
    exclude_internal: bool,
    /// Describe only partitions that are under-replicated.
    #[arg(long, requires = "describe")]
    under_replicated_partitions: bool,
    /// Describe only partitions whose leader is not available.
    #[arg(long, requires = "describe")]
    unavailable_partitions: bool,
    /// Describe only partitions with fewer in-sync replicas than configured.
    #[arg(long, requires = "describe")]
    under_min_isr_partitions: bool,
    /// Describe only partitions with as many in-sync replicas as configured at least.
    #[arg(long, requires = "describe")]
    at_min_isr_partitions: bool,
    /// Describe only topics that have overridden configs.
    #[arg(long, requires = "describe")]
    topics_with_overrides: bool,
    /// The most partitions in one DescribeTopicPartitions response.
    #[arg(long, value_name = "count", default_value_t = 2000)]
    partition_size_limit_per_response: i32,
    /// Property file with settings of the client.
    #[arg(long, value_name = "file")]
    command_config: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

/// Does what the action says.
pub fn run(arguments: &TopicsArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    check(arguments)?;
    let mut properties = Properties::default();
    if let Some(path) = &arguments.command_config {
        properties.add_file(&Disk::Native, path)?;
    }
    let options = super::client_options(&arguments.bootstrap, &properties)?;
    let new_topic = arguments.create.then(|| new_topic(arguments)).transpose()?;
    let filter = match &arguments.topic {
        Some(topic) if !arguments.create => Some(IncludeList::parse(topic)?),
        Some(_) | None => None,
    };
    let mut client = Client::connect(options)?;
    if let Some(topic) = new_topic {
        create(&mut client, arguments, &topic, output)
    } else if arguments.list {
        list(&mut client, arguments, filter.as_ref(), output)
    } else if arguments.alter {
        alter(&mut client, arguments, filter.as_ref())
    } else if arguments.delete {
        delete(&mut client, arguments, filter.as_ref())
    } else {
        describe(&mut client, arguments, filter.as_ref(), output)
    }
}

/// What clap cannot check.
fn check(arguments: &TopicsArguments) -> Result<(), CliError> {
    let usage = |why: &str| Err(CliError::Usage(why.to_owned()));
    let changes = arguments.create || arguments.alter || arguments.delete;
    if changes && arguments.topic.is_none() {
        return usage("Missing required argument \"[topic]\"");
    }
    if !arguments.delete_config.is_empty() {
        return usage("--delete-config is not supported by Kafka since 4.0: use klamm configs");
    }
    if arguments
        .partitions
        .is_some_and(|count| !(1..=PARTITIONS_MAX).contains(&count))
    {
        return usage("The partitions must be greater than 0");
    }
    if arguments
        .replication_factor
        .is_some_and(|factor| factor < 1)
    {
        return usage("The replication factor must be between 1 and 32767 inclusive");
    }
    if arguments.alter && arguments.partitions.is_none() {
        return usage("Missing required argument \"[partitions]\"");
    }
    if arguments.create && arguments.replica_assignment.is_some() && arguments.partitions.is_some()
    {
        return usage("Option [replica-assignment] can't be used with option [partitions]");
    }
    let filters = [
        arguments.under_replicated_partitions,
        arguments.unavailable_partitions,
        arguments.under_min_isr_partitions,
        arguments.at_min_isr_partitions,
        arguments.topics_with_overrides,
    ];
    if filters.iter().filter(|&&filter| filter).count() > 1 {
        return usage("Only one of the filters of --describe can be given");
    }
    Ok(())
}

fn new_topic(arguments: &TopicsArguments) -> Result<NewTopic, CliError> {
    let configs = arguments
        .config
        .iter()
        .map(|pair| {
            let (name, value) = split_pair("--config", pair)?;
            Ok((name.to_owned(), value.trim().to_owned()))
        })
        .collect::<Result<_, CliError>>()?;
    Ok(NewTopic {
        name: arguments.topic.clone().unwrap_or_default(),
        partitions: arguments.partitions,
        replication_factor: arguments.replication_factor,
        assignments: assignments(arguments)?,
        configs,
    })
}

/// Reads `--replica-assignment`: partitions by comma, brokers by colon.
fn assignments(arguments: &TopicsArguments) -> Result<Vec<Vec<i32>>, CliError> {
    let Some(text) = &arguments.replica_assignment else {
        return Ok(Vec::new());
    };
    let wrong = |why: &str| {
        CliError::Usage(format!(
            "--replica-assignment takes broker ids such as 1:2,2:3, and '{text}' {why}"
        ))
    };
    let mut assignments: Vec<Vec<i32>> = Vec::new();
    for partition in text.split(',') {
        let brokers = partition
            .split(':')
            .map(|broker| broker.trim().parse::<i32>())
            .collect::<Result<Vec<i32>, _>>()
            .map_err(|_| wrong("is not that"))?;
        let mut sorted = brokers.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != brokers.len() {
            return Err(wrong("names a broker twice for one partition"));
        }
        if assignments
            .first()
            .is_some_and(|first| first.len() != brokers.len())
        {
            return Err(wrong("gives partitions different numbers of brokers"));
        }
        assignments.push(brokers);
    }
    Ok(assignments)
}

fn create(
    client: &mut Client,
    arguments: &TopicsArguments,
    topic: &NewTopic,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    if topic.name.contains(['.', '_']) && arguments.output.output == OutputFormat::Text {
        output.line(
            "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore \
             ('_') could collide. To avoid issues it is best to use either, but not both.",
        )?;
    }
    match client.create_topic(topic) {
        Ok(()) => match arguments.output.output {
            OutputFormat::Text => output.line(format_args!("Created topic {}.", topic.name)),
            OutputFormat::Json => output.line(json!({ "created": topic.name })),
        },
        Err(error) if error.is_topic_exists() && arguments.if_not_exists => Ok(()),
        Err(error) => Err(executing(&error)),
    }
}

/// Kafka's words before what went wrong.
fn executing(error: &impl std::fmt::Display) -> CliError {
    CliError::Failed(format!("Error while executing topic command : {error}"))
}

/// The names that match, in order; an error where one was asked for and there is none.
fn matching(
    client: &mut Client,
    arguments: &TopicsArguments,
    filter: Option<&IncludeList>,
) -> Result<Vec<String>, CliError> {
    client.refresh_all_topics()?;
    let names: Vec<String> = client
        .cluster()
        .topics()
        .filter(|topic| {
            let internal = topic.is_internal || is_internal(&topic.name);
            !(internal && arguments.exclude_internal)
                && filter.is_none_or(|filter| filter.allows(&topic.name))
        })
        .map(|topic| topic.name.to_string())
        .collect();
    match &arguments.topic {
        Some(topic) if names.is_empty() && !arguments.if_exists && !arguments.list => Err(
            executing(&format_args!("Topic '{topic}' does not exist as expected")),
        ),
        Some(_) | None => Ok(names),
    }
}

fn list(
    client: &mut Client,
    arguments: &TopicsArguments,
    filter: Option<&IncludeList>,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let names = matching(client, arguments, filter)?;
    match arguments.output.output {
        OutputFormat::Json => output.line(Value::from(names)),
        OutputFormat::Text => names.iter().try_for_each(|name| output.line(name)),
    }
}

fn alter(
    client: &mut Client,
    arguments: &TopicsArguments,
    filter: Option<&IncludeList>,
) -> Result<(), CliError> {
    let count = arguments.partitions.expect("checked before");
    let assignments = assignments(arguments)?;
    for name in matching(client, arguments, filter)? {
        // The assignment covers all partitions; the request wants those that are new.
        let existing = usize::try_from(client.cluster().partition_count(&name)).unwrap_or(0);
        let added = assignments.get(existing..).unwrap_or_default();
        client
            .create_partitions(&name, count, added)
            .map_err(|error| executing(&error))?;
    }
    Ok(())
}

fn delete(
    client: &mut Client,
    arguments: &TopicsArguments,
    filter: Option<&IncludeList>,
) -> Result<(), CliError> {
    let names = matching(client, arguments, filter)?;
    client
        .delete_topics(&names)
        .map_err(|error| executing(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    #[command(infer_long_args = true)]
    struct Line {
        #[command(flatten)]
        topics: TopicsArguments,
    }

    pub(super) fn arguments(line: &str) -> TopicsArguments {
        let line = format!("topics --bootstrap-server a:1 {line}");
        Line::try_parse_from(line.split(' ')).unwrap().topics
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for line in [
            "--create",
            "--alter --topic t",
            "--create --topic t --partitions 0",
            "--create --topic t --replication-factor 0",
            "--create --topic t --replica-assignment 1:2 --partitions 2",
            "--describe --under-replicated-partitions --unavailable-partitions",
            "--alter --topic t --partitions 2 --delete-config x",
        ] {
            assert!(check(&arguments(line)).is_err(), "{line}");
        }
        for line in ["1:1", "1:2,3", "x", "1,,2", ""] {
            let arguments = TopicsArguments {
                replica_assignment: Some(line.to_owned()),
                ..arguments("--list")
            };
            assert!(assignments(&arguments).is_err(), "{line}");
        }
        let good = arguments("--create --topic t --replica-assignment 1:2,2:3");
        assert_eq!(assignments(&good).unwrap(), [[1, 2], [2, 3]]);
    }
}
