//! OffsetCommit (key 8): how far a group, or a consumer on its own, has come.

use super::group::{self, Refused, asked_in_version};
use super::{Context, Outcome, Request, Responder, decode};
use crate::base::ids::{PartitionIndex, TopicId};
use crate::coordinator::group::GroupCommand;
use crate::metadata::image::topics::Topic;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use crate::protocol::string::Str;

/// First version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 10;

/// An OffsetCommit that is with its group.
pub struct Waiting {
    responder: Responder,
    /// What the cluster does not have.
    refused: Vec<Refused<OffsetCommitResponseTopic>>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let mut message: OffsetCommitRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::OffsetCommit);
    let mut refused = Vec::new();
    let mut known = Vec::with_capacity(message.topics.len());
    for topic in std::mem::take(&mut message.topics) {
        let (ours, others) = sort_out(context, responder.version, topic);
        let place = ours.is_some().then_some(known.len());
        known.extend(ours);
        refused.extend(others.map(|topic| Refused { place, topic }));
    }
    let waiting = Waiting { responder, refused };
    if known.is_empty() {
        return on_reply(waiting, OffsetCommitResponse::default());
    }
    message.topics = known;
    let command = GroupCommand::OffsetCommit(asked_in_version(request), message);
    group::ask(
        context,
        request.id,
        command,
        group::Waiting::OffsetCommit(waiting),
    )
}

/// The partitions of a topic that exist, and those that do not.
fn sort_out(
    context: &Context<'_>,
    version: i16,
    mut topic: OffsetCommitRequestTopic,
) -> (
    Option<OffsetCommitRequestTopic>,
    Option<OffsetCommitResponseTopic>,
) {
    let found = if version >= TOPIC_IDS_SINCE {
        let by_id = context.image.topics.by_id(topic.topic_id);
        by_id.ok_or(ErrorCode::UNKNOWN_TOPIC_ID)
    } else {
        context.find_topic(TopicId::ZERO, &topic.name)
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            let partitions = std::mem::take(&mut topic.partitions);
            return (None, Some(refuse(&topic, partitions, error)));
        }
    };
    if version >= TOPIC_IDS_SINCE {
        topic.name = Str::from(&*found.name);
    } else {
        topic.topic_id = found.id;
    }
    let has = |partition: &OffsetCommitRequestPartition| has_partition(found, partition);
    if topic.partitions.iter().all(has) {
        return (Some(topic), None);
    }
    let (known, unknown): (Vec<_>, Vec<_>) = std::mem::take(&mut topic.partitions)
        .into_iter()
        .partition(has);
    let refused = refuse(&topic, unknown, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    topic.partitions = known;
    (
        (!topic.partitions.is_empty()).then_some(topic),
        Some(refused),
    )
}

fn has_partition(topic: &Topic, partition: &OffsetCommitRequestPartition) -> bool {
    topic
        .partition(PartitionIndex(partition.partition_index))
        .is_some()
}

fn refuse(
    topic: &OffsetCommitRequestTopic,
    partitions: Vec<OffsetCommitRequestPartition>,
    error: ErrorCode,
) -> OffsetCommitResponseTopic {
    OffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: partitions
            .into_iter()
            .map(|partition| OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: error.code(),
                ..OffsetCommitResponsePartition::default()
            })
            .collect(),
        ..OffsetCommitResponseTopic::default()
    }
}

pub(super) fn on_reply(waiting: Waiting, mut response: OffsetCommitResponse) -> Outcome {
    group::add_refused(&mut response.topics, waiting.refused, |topic, refused| {
        topic.partitions.extend(refused.partitions);
    });
    waiting.responder.reply(&response)
}
