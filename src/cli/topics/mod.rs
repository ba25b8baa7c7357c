//! `klamm topics`: create, delete, describe, change topics, as `kafka-topics` does.

use super::BootstrapArguments;
use super::error::CliError;
use super::output::{Output, OutputArguments, OutputFormat};
use super::property::{Properties, split_pair};
use super::topic_filter::{IncludeList, is_internal};
use crate::base::uuid::Uuid;
use crate::client::Client;
use crate::client::admin::{
    ConfigEntry, NewTopic, PartitionDescription, Reassignment, TopicDescription,
};
use crate::runtime::disk::Disk;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
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

fn describe(
    client: &mut Client,
    arguments: &TopicsArguments,
    filter: Option<&IncludeList>,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let names = match &arguments.topic_id {
        None => matching(client, arguments, filter)?,
        Some(text) => named_by_id(client, arguments, text)?,
    };
    if names.is_empty() {
        return Ok(());
    }
    let limit = arguments.partition_size_limit_per_response;
    let topics = client
        .describe_topics(&names, limit)
        .map_err(|error| executing(&error))?;
    let configs = client
        .topic_configs(&names)
        .map_err(|error| executing(&error))?;
    let reassignments = client.reassignments(&names).unwrap_or_default();
    let live: Vec<i32> = client
        .cluster()
        .brokers()
        .map(|broker| broker.node.0)
        .collect();
    let view = View {
        arguments,
        configs: &configs,
        reassignments: &reassignments,
        live: &live,
    };
    match arguments.output.output {
        OutputFormat::Text => topics
            .iter()
            .try_for_each(|topic| view.print(topic, output)),
        OutputFormat::Json => output.line(Value::from(
            topics
                .iter()
                .filter_map(|topic| view.json(topic))
                .collect::<Vec<_>>(),
        )),
    }
}

fn named_by_id(
    client: &mut Client,
    arguments: &TopicsArguments,
    text: &str,
) -> Result<Vec<String>, CliError> {
    let id = Uuid::parse(text)
        .ok_or_else(|| CliError::Usage(format!("--topic-id takes a topic id, not '{text}'")))?;
    client.refresh_all_topics()?;
    match client.cluster().topic_name(id) {
        Some(name) => Ok(vec![name.to_string()]),
        None if arguments.if_exists => Ok(Vec::new()),
        None => Err(executing(&format_args!(
            "TopicId '{text}' does not exist as expected"
        ))),
    }
}

/// What a description is made from.
struct View<'a> {
    arguments: &'a TopicsArguments,
    configs: &'a BTreeMap<String, Vec<ConfigEntry>>,
    reassignments: &'a BTreeMap<(String, i32), Reassignment>,
    live: &'a [i32],
}

impl View<'_> {
    /// Prints a topic as `kafka-topics --describe` does.
    fn print(&self, topic: &TopicDescription, output: &mut Output<'_>) -> Result<(), CliError> {
        let configs = self.overrides(topic);
        if self.shows_topics() && self.has_wanted_overrides(&configs) {
            let configs: Vec<String> = configs
                .iter()
                .map(|entry| format!("{}={}", entry.name, entry.value.as_deref().unwrap_or("")))
                .collect();
            output.line(format_args!(
                "Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}",
                topic.name,
                topic.topic_id,
                topic.partitions.len(),
                self.replication_factor(topic),
                configs.join(",")
            ))?;
        }
        for partition in self.partitions(topic) {
            let mut line = format!(
                "\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: {}\tLastKnownElr: {}",
                topic.name,
                partition.index,
                partition
                    .leader
                    .map_or("none".to_owned(), |leader| leader.to_string()),
                joined(&partition.replicas),
                joined(&partition.isr),
                partition.elr.as_deref().map_or("N/A".to_owned(), joined),
                partition
                    .last_known_elr
                    .as_deref()
                    .map_or("N/A".to_owned(), joined),
            );
            if let Some(moving) = self.reassignment(topic, partition) {
                line += &format!("\tAdding Replicas: {}", joined(&moving.adding));
                line += &format!("\tRemoving Replicas: {}", joined(&moving.removing));
            }
            output.line(line)?;
        }
        Ok(())
    }

    fn json(&self, topic: &TopicDescription) -> Option<Value> {
        let partitions: Vec<Value> = self
            .partitions(topic)
            .map(|partition| {
                json!({
                    "partition": partition.index, "leader": partition.leader,
                    "replicas": partition.replicas, "isr": partition.isr,
                    "elr": partition.elr, "lastKnownElr": partition.last_known_elr,
                })
            })
            .collect();
        let configs = self.overrides(topic);
        if !self.has_wanted_overrides(&configs) || !self.shows_topics() && partitions.is_empty() {
            return None;
        }
        let configs: Map<String, Value> = configs
            .iter()
            .map(|entry| (entry.name.clone(), json!(entry.value)))
            .collect();
        Some(json!({
            "topic": topic.name, "topicId": topic.topic_id.to_string(),
            "partitionCount": topic.partitions.len(),
            "replicationFactor": self.replication_factor(topic),
            "configs": configs, "partitions": partitions,
        }))
    }

    /// Whether the line of the topic itself is wanted, and not only some partitions.
    fn shows_topics(&self) -> bool {
        !(self.arguments.under_replicated_partitions
            || self.arguments.unavailable_partitions
            || self.arguments.under_min_isr_partitions
            || self.arguments.at_min_isr_partitions)
    }

    fn has_wanted_overrides(&self, configs: &[&ConfigEntry]) -> bool {
        !self.arguments.topics_with_overrides || !configs.is_empty()
    }

    /// Settings that are not Kafka's defaults, in the order the broker gives them.
    fn overrides(&self, topic: &TopicDescription) -> Vec<&ConfigEntry> {
        self.configs
            .get(&topic.name)
            .into_iter()
            .flatten()
            .filter(|entry| !entry.is_default)
            .collect()
    }

    fn replication_factor(&self, topic: &TopicDescription) -> usize {
        let Some(first) = topic.partitions.first() else {
            return 0;
        };
        // While it moves, a partition has the brokers of both ends.
        let adding = self
            .reassignment(topic, first)
            .map_or(0, |moving| moving.adding.len());
        first.replicas.len().saturating_sub(adding)
    }

    fn reassignment(
        &self,
        topic: &TopicDescription,
        partition: &PartitionDescription,
    ) -> Option<&Reassignment> {
        self.reassignments
            .get(&(topic.name.clone(), partition.index))
    }

    /// The partitions that the filters let through.
    fn partitions<'t>(
        &'t self,
        topic: &'t TopicDescription,
    ) -> impl Iterator<Item = &'t PartitionDescription> {
        let min_isr = self
            .configs
            .get(&topic.name)
            .into_iter()
            .flatten()
            .find(|entry| entry.name == "min.insync.replicas")
            .and_then(|entry| entry.value.as_deref()?.parse::<usize>().ok());
        let arguments = self.arguments;
        topic.partitions.iter().filter(move |partition| {
            let isr = partition.isr.len();
            if arguments.topics_with_overrides {
                false
            } else if arguments.under_replicated_partitions {
                let adding = self
                    .reassignment(topic, partition)
                    .map_or(0, |moving| moving.adding.len());
                isr < partition.replicas.len().saturating_sub(adding)
            } else if arguments.unavailable_partitions {
                partition
                    .leader
                    .is_none_or(|leader| !self.live.contains(&leader))
            } else if arguments.under_min_isr_partitions {
                min_isr.is_some_and(|least| isr < least)
            } else if arguments.at_min_isr_partitions {
                min_isr.is_some_and(|least| isr == least)
            } else {
                true
            }
        })
    }
}

fn joined(brokers: &[i32]) -> String {
    let brokers: Vec<String> = brokers.iter().map(ToString::to_string).collect();
    brokers.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use expect_test::{Expect, expect};

    #[derive(Parser, Debug)]
    #[command(infer_long_args = true)]
    struct Line {
        #[command(flatten)]
        topics: TopicsArguments,
    }

    fn arguments(line: &str) -> TopicsArguments {
        let line = format!("topics --bootstrap-server a:1 {line}");
        Line::try_parse_from(line.split(' ')).unwrap().topics
    }

    fn topic() -> TopicDescription {
        let partition = |index, leader, isr: &[i32]| PartitionDescription {
            index,
            leader,
            replicas: vec![1, 2, 3],
            isr: isr.to_vec(),
            elr: Some(Vec::new()),
            last_known_elr: None,
        };
        TopicDescription {
            name: "alpha".to_owned(),
            topic_id: Uuid::METADATA_TOPIC,
            is_internal: false,
            partitions: vec![
                partition(0, Some(1), &[1, 2, 3]),
                partition(1, Some(9), &[2, 3]),
                partition(2, None, &[3]),
            ],
        }
    }

    fn check_describe(line: &str, expected: &Expect) {
        let arguments = arguments(&format!("--describe {line}"));
        let entry = |name: &str, value: &str, is_default| ConfigEntry {
            name: name.to_owned(),
            value: Some(value.to_owned()),
            is_default,
        };
        let configs = BTreeMap::from([(
            "alpha".to_owned(),
            vec![
                entry("min.insync.replicas", "2", false),
                entry("segment.bytes", "1073741824", true),
                entry("cleanup.policy", "compact,delete", false),
            ],
        )]);
        let moving = Reassignment {
            adding: vec![3],
            removing: vec![1],
        };
        let reassignments = BTreeMap::from([(("alpha".to_owned(), 1), moving)]);
        let view = View {
            arguments: &arguments,
            configs: &configs,
            reassignments: &reassignments,
            live: &[1, 2, 3],
        };
        let mut out = Vec::new();
        let mut output = Output::to(&mut out);
        if arguments.output.output == OutputFormat::Json {
            output.line(Value::from(view.json(&topic()))).unwrap();
        } else {
            view.print(&topic(), &mut output).unwrap();
        }
        output.flush().unwrap();
        drop(output);
        // Tabs are shown as arrows: an expectation would lose those at the start of its lines.
        expected.assert_eq(&String::from_utf8(out).unwrap().replace('\t', "→"));
    }

    #[test]
    fn describes_as_kafka_does() {
        check_describe(
            "--topic alpha",
            &expect![[r#"
                Topic: alpha→TopicId: AAAAAAAAAAAAAAAAAAAAAQ→PartitionCount: 3→ReplicationFactor: 3→Configs: min.insync.replicas=2,cleanup.policy=compact,delete
                →Topic: alpha→Partition: 0→Leader: 1→Replicas: 1,2,3→Isr: 1,2,3→Elr: →LastKnownElr: N/A
                →Topic: alpha→Partition: 1→Leader: 9→Replicas: 1,2,3→Isr: 2,3→Elr: →LastKnownElr: N/A→Adding Replicas: 3→Removing Replicas: 1
                →Topic: alpha→Partition: 2→Leader: none→Replicas: 1,2,3→Isr: 3→Elr: →LastKnownElr: N/A
            "#]],
        );
        check_describe(
            "--under-replicated-partitions",
            &expect![[r#"
                →Topic: alpha→Partition: 2→Leader: none→Replicas: 1,2,3→Isr: 3→Elr: →LastKnownElr: N/A
            "#]],
        );
        check_describe(
            "--unavailable-partitions",
            &expect![[r#"
                →Topic: alpha→Partition: 1→Leader: 9→Replicas: 1,2,3→Isr: 2,3→Elr: →LastKnownElr: N/A→Adding Replicas: 3→Removing Replicas: 1
                →Topic: alpha→Partition: 2→Leader: none→Replicas: 1,2,3→Isr: 3→Elr: →LastKnownElr: N/A
            "#]],
        );
        check_describe(
            "--under-min-isr-partitions",
            &expect![[r#"
                →Topic: alpha→Partition: 2→Leader: none→Replicas: 1,2,3→Isr: 3→Elr: →LastKnownElr: N/A
            "#]],
        );
        check_describe(
            "--at-min-isr-partitions",
            &expect![[r#"
                →Topic: alpha→Partition: 1→Leader: 9→Replicas: 1,2,3→Isr: 2,3→Elr: →LastKnownElr: N/A→Adding Replicas: 3→Removing Replicas: 1
            "#]],
        );
        check_describe(
            "--topics-with-overrides",
            &expect![[r#"
                Topic: alpha→TopicId: AAAAAAAAAAAAAAAAAAAAAQ→PartitionCount: 3→ReplicationFactor: 3→Configs: min.insync.replicas=2,cleanup.policy=compact,delete
            "#]],
        );
        check_describe(
            "-o json",
            &expect![[r#"
            {"configs":{"cleanup.policy":"compact,delete","min.insync.replicas":"2"},"partitionCount":3,"partitions":[{"elr":[],"isr":[1,2,3],"lastKnownElr":null,"leader":1,"partition":0,"replicas":[1,2,3]},{"elr":[],"isr":[2,3],"lastKnownElr":null,"leader":9,"partition":1,"replicas":[1,2,3]},{"elr":[],"isr":[3],"lastKnownElr":null,"leader":null,"partition":2,"replicas":[1,2,3]}],"replicationFactor":3,"topic":"alpha","topicId":"AAAAAAAAAAAAAAAAAAAAAQ"}
        "#]],
        );
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
