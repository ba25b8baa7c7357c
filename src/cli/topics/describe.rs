//! What `klamm topics --describe` prints of a topic, as `kafka-topics` does, or as JSON.

use super::{TopicsArguments, executing, matching};
use crate::base::uuid::Uuid;
use crate::cli::error::CliError;
use crate::cli::output::{Output, OutputFormat};
use crate::cli::topic_filter::IncludeList;
use crate::client::Client;
use crate::client::admin::{ConfigEntry, PartitionDescription, Reassignment, TopicDescription};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Prints what the arguments ask about.
pub(super) fn describe(
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
    use super::super::tests::arguments;
    use super::*;
    use expect_test::{Expect, expect};

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
}
