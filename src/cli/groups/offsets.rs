//! Which partitions `--topic` means, and `klamm groups --delete-offsets`.

use super::{Errand, NAME_WIDTH, column, java};
use crate::cli::error::CliError;
use crate::client::ClientError;
use crate::client::group::range::TopicIndex;
use crate::client::group_admin::PartitionErrors;
use crate::protocol::ErrorCode;
use serde_json::{Value, json};
use std::rc::Rc;

/// What `--topic` names: a topic, and which of its partitions; all where there are none.
pub fn parse_topic(text: &str) -> Result<(Rc<str>, Vec<i32>), CliError> {
    let Some((topic, partitions)) = text.split_once(':') else {
        return Ok((Rc::from(text), Vec::new()));
    };
    if partitions.is_empty() || partitions.contains(':') || topic.is_empty() {
        return Err(CliError::Usage(format!(
            "Invalid topic arg '{text}', expected topic name and partitions"
        )));
    }
    let partitions = partitions
        .split(',')
        .map(|partition| {
            partition.parse::<i32>().map_err(|_| {
                CliError::Usage(format!(
                    "Invalid partition '{partition}' specified in topic arg '{text}'"
                ))
            })
        })
        .collect::<Result<_, _>>()?;
    Ok((Rc::from(topic), partitions))
}

impl Errand<'_, '_> {
    /// The partitions that `--topic` names, and the topics among them that do not exist.
    pub fn named_partitions(&mut self) -> Result<(Vec<TopicIndex>, Vec<Rc<str>>), CliError> {
        let topics = self
            .arguments
            .topic
            .iter()
            .map(|topic| parse_topic(topic))
            .collect::<Result<Vec<_>, _>>()?;
        let names: Vec<TopicIndex> = topics
            .iter()
            .map(|(topic, _)| (Rc::clone(topic), 0))
            .collect();
        self.look_up(&names)?;
        let mut partitions = Vec::new();
        let mut missing = Vec::new();
        for (topic, indexes) in topics {
            let count = self.client.cluster().partition_count(&topic);
            if indexes.is_empty() && count == 0 {
                missing.push(topic);
                continue;
            }
            let all = if indexes.is_empty() {
                (0..count).collect()
            } else {
                indexes
            };
            partitions.extend(all.into_iter().map(|index| (Rc::clone(&topic), index)));
        }
        partitions.sort();
        partitions.dedup();
        Ok((partitions, missing))
    }

    /// Deletes the offsets of the partitions of `--topic`.
    pub fn delete_offsets(&mut self) -> Result<(), CliError> {
        let (partitions, missing) = self.named_partitions()?;
        let group = self.arguments.group.first().cloned().unwrap_or_default();
        let (whole, mut results) = match self.client.delete_group_offsets(&group, &partitions) {
            Ok(results) => (ErrorCode::NONE, results),
            Err(ClientError::Kafka { error, .. }) => {
                let each = partitions
                    .iter()
                    .map(|partition| (partition.clone(), error));
                (error, each.collect())
            }
            Err(error) => return Err(java::failed(&error)),
        };
        let in_part = results.values().copied().find(|error| !error.is_none());
        self.has_failed = in_part.is_some() || !missing.is_empty();
        // -1: the topic has no partitions, because there is no such topic.
        for topic in missing {
            results.insert((topic, -1), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        }
        if self.is_json() {
            return self.output.line(deleted_json(&group, &results));
        }
        match (whole, in_part) {
            (ErrorCode::NONE, None) => self.output.line(format_args!(
                "Request succeeded for deleting offsets from group {group}."
            ))?,
            (ErrorCode::NONE, Some(_)) => {
                self.complain("Encountered some partition-level error, see the follow-up details.")?
            }
            (
                ErrorCode::INVALID_GROUP_ID
                | ErrorCode::GROUP_ID_NOT_FOUND
                | ErrorCode::GROUP_AUTHORIZATION_FAILED
                | ErrorCode::NON_EMPTY_GROUP,
                _,
            ) => self.complain(java::sentence(whole))?,
            (error, _) => self.complain(format_args!(
                "Encountered some unknown error: {}",
                error.name()
            ))?,
        }
        for line in deleted_lines(&results) {
            self.output.line(line)?;
        }
        Ok(())
    }
}

/// The table of `--delete-offsets`.
pub fn deleted_lines(results: &PartitionErrors) -> Vec<String> {
    let width = column(NAME_WIDTH, results.keys().map(|(topic, _)| &**topic));
    let line = |topic: &str, partition: &str, status: &str| {
        format!("{topic:<width$} {partition:<10} {status:<15}")
    };
    let mut lines = vec![String::new(), line("TOPIC", "PARTITION", "STATUS")];
    lines.extend(results.iter().map(|((topic, index), error)| {
        let status = if error.is_none() {
            "Successful".to_owned()
        } else {
            format!("Error: {}", java::exception_of(*error, None))
        };
        let index = if *index < 0 {
            "-".to_owned()
        } else {
            index.to_string()
        };
        line(topic, &index, &status)
    }));
    lines
}

fn deleted_json(group: &str, results: &PartitionErrors) -> Value {
    let partitions: Vec<Value> = results
        .iter()
        .map(|((topic, index), error)| {
            json!({
                "topic": &**topic, "partition": index,
                "error": (!error.is_none()).then(|| java::sentence(*error)),
            })
        })
        .collect();
    json!({ "group": group, "partitions": partitions })
}
