//! OffsetDelete (key 47): a group forgets how far it was. KIP-496.

use super::group::{self, Refused};
use super::{Context, Outcome, Request, Responder, code, decode};
use crate::base::ids::{PartitionIndex, TopicId};
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
    OffsetDeleteResponse, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use crate::protocol::string::Str;

/// An OffsetDelete that is with its group.
pub struct Waiting {
    responder: Responder,
    /// What the cluster does not have.
    refused: Vec<Refused<OffsetDeleteResponseTopic>>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let mut message: OffsetDeleteRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::OffsetDelete);
    if message.group_id.is_empty() {
        return responder.reply(&OffsetDeleteResponse {
            error_code: code(ErrorCode::INVALID_GROUP_ID),
            ..OffsetDeleteResponse::default()
        });
    }
    let mut refused = Vec::new();
    let mut known = Vec::with_capacity(message.topics.len());
    for topic in std::mem::take(&mut message.topics) {
        let (ours, others) = sort_out(context, topic);
        let place = ours.is_some().then_some(known.len());
        known.extend(ours);
        refused.extend(others.map(|topic| Refused { place, topic }));
    }
    let waiting = Waiting { responder, refused };
    if known.is_empty() {
        return on_reply(waiting, OffsetDeleteResponse::default());
    }
    message.topics = known;
    group::ask(
        context,
        request.id,
        GroupCommand::OffsetDelete(message),
        group::Waiting::OffsetDelete(waiting),
    )
}

/// The partitions of a topic that exist, and the answer for those that do not.
fn sort_out(
    context: &Context<'_>,
    mut topic: OffsetDeleteRequestTopic,
) -> (
    Option<OffsetDeleteRequestTopic>,
    Option<OffsetDeleteResponseTopic>,
) {
    let found = context.find_topic(TopicId::ZERO, &topic.name).ok();
    let (known, unknown): (Vec<_>, Vec<_>) = topic.partitions.into_iter().partition(|partition| {
        let index = PartitionIndex(partition.partition_index);
        found.is_some_and(|found| found.partition(index).is_some())
    });
    let refused = (!unknown.is_empty()).then(|| refuse(&topic.name, unknown));
    topic.partitions = known;
    ((!topic.partitions.is_empty()).then_some(topic), refused)
}

pub(super) fn on_reply(waiting: Waiting, mut response: OffsetDeleteResponse) -> Outcome {
    if response.error_code == code(ErrorCode::NONE) {
        group::add_refused(&mut response.topics, waiting.refused, |topic, refused| {
            topic.partitions.extend(refused.partitions);
        });
    }
    waiting.responder.reply(&response)
}

fn refuse(name: &Str, partitions: Vec<OffsetDeleteRequestPartition>) -> OffsetDeleteResponseTopic {
    let partitions = partitions.into_iter();
    OffsetDeleteResponseTopic {
        name: name.clone(),
        partitions: partitions
            .map(|partition| OffsetDeleteResponsePartition {
                partition_index: partition.partition_index,
                error_code: code(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
                ..OffsetDeleteResponsePartition::default()
            })
            .collect(),
        ..OffsetDeleteResponseTopic::default()
    }
}
