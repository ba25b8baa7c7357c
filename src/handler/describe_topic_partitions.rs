//! DescribeTopicPartitions (key 75): topics page by page, with their eligible leader replicas. KIP-966.

use super::describe_cluster::TOPIC_OPERATIONS;
use super::metadata::is_internal;
use super::{Context, Outcome, Request, Responder, code, decode};
use crate::controller::check_topic_name;
use crate::metadata::image::topics::Topic;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::describe_topic_partitions::request::{
    self, DescribeTopicPartitionsRequest, TopicRequest,
};
use crate::protocol::messages::describe_topic_partitions::response::{
    Cursor, DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
};
use crate::protocol::string::Str;

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: DescribeTopicPartitionsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::DescribeTopicPartitions);
    if let Some(cursor) = &message.cursor
        && !is_valid(cursor, &message.topics)
    {
        return responder.reply(&refusal(message.topics));
    }
    let mut names: Vec<Str> = if message.topics.is_empty() {
        let topics = context.image.topics.iter();
        topics.map(|topic| Str::from(&*topic.name)).collect()
    } else {
        message.topics.into_iter().map(|topic| topic.name).collect()
    };
    names.sort();
    names.dedup();
    if let Some(cursor) = &message.cursor {
        names.retain(|name| *name >= cursor.topic_name);
    }
    let asked = usize::try_from(message.response_partition_limit).unwrap_or(0);
    // No page is larger, whatever is asked for; none is empty.
    let page_max = context.configuration.max_request_partition_size_limit();
    let mut room = asked.min(page_max).max(1);
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names {
        if room == 0 {
            response.next_cursor = Some(next(name, 0));
            break;
        }
        let Some(topic) = context.image.topics.by_name(&name) else {
            response.topics.push(DescribeTopicPartitionsResponseTopic {
                error_code: code(match check_topic_name(&name) {
                    Ok(()) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                    Err(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
                }),
                name: Some(name),
                topic_authorized_operations: TOPIC_OPERATIONS,
                ..DescribeTopicPartitionsResponseTopic::default()
            });
            continue;
        };
        let cursor = message.cursor.as_ref();
        let cursor = cursor.filter(|cursor| cursor.topic_name == name);
        let first = cursor.map_or(0, |cursor| cursor.partition_index);
        let (described, next_partition) = describe(topic, first, room);
        room -= described.partitions.len();
        response.topics.push(described);
        if let Some(partition_index) = next_partition {
            response.next_cursor = Some(next(name, partition_index));
            break;
        }
    }
    responder.reply(&response)
}

/// Whether a page may begin there: at a topic that is asked for, where some are.
fn is_valid(cursor: &request::Cursor, topics: &[TopicRequest]) -> bool {
    let is_asked_for = || topics.iter().any(|topic| topic.name == cursor.topic_name);
    cursor.partition_index >= 0 && (topics.is_empty() || is_asked_for())
}

/// The response has no place for an error of its own: each topic has it.
fn refusal(topics: Vec<TopicRequest>) -> DescribeTopicPartitionsResponse {
    let topics = topics
        .into_iter()
        .map(|topic| DescribeTopicPartitionsResponseTopic {
            error_code: code(ErrorCode::INVALID_REQUEST),
            name: Some(topic.name),
            ..DescribeTopicPartitionsResponseTopic::default()
        });
    DescribeTopicPartitionsResponse {
        topics: topics.collect(),
        ..DescribeTopicPartitionsResponse::default()
    }
}

fn next(topic_name: Str, partition_index: i32) -> Cursor {
    Cursor {
        topic_name,
        partition_index,
        ..Cursor::default()
    }
}

/// A topic from a partition on, and the first partition that had no room.
fn describe(
    topic: &Topic,
    first: i32,
    room: usize,
) -> (DescribeTopicPartitionsResponseTopic, Option<i32>) {
    let mut described = DescribeTopicPartitionsResponseTopic {
        name: Some(Str::from(&*topic.name)),
        topic_id: topic.id,
        is_internal: is_internal(&topic.name),
        topic_authorized_operations: TOPIC_OPERATIONS,
        ..DescribeTopicPartitionsResponseTopic::default()
    };
    for (index, partition) in topic.partitions().filter(|(index, _)| index.0 >= first) {
        if described.partitions.len() == room {
            return (described, Some(index.0));
        }
        let leader = partition.leader();
        let error = match leader {
            Some(_) => ErrorCode::NONE,
            None => ErrorCode::LEADER_NOT_AVAILABLE,
        };
        described
            .partitions
            .push(DescribeTopicPartitionsResponsePartition {
                error_code: code(error),
                partition_index: index.0,
                leader_id: leader.map_or(-1, |(node, _)| node.0),
                leader_epoch: partition.leader_epoch.0,
                replica_nodes: partition.replicas.iter().map(|node| node.0).collect(),
                isr_nodes: partition.isr.iter().map(|node| node.0).collect(),
                eligible_leader_replicas: Some(
                    partition
                        .eligible_leader_replicas()
                        .iter()
                        .map(|node| node.0)
                        .collect(),
                ),
                last_known_elr: Some(
                    partition
                        .last_known_elr()
                        .iter()
                        .map(|node| node.0)
                        .collect(),
                ),
                ..DescribeTopicPartitionsResponsePartition::default()
            });
    }
    (described, None)
}
