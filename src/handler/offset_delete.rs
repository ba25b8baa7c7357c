//! OffsetDelete (key 47): a group forgets how far it was. KIP-496.

use super::{Context, Outcome, Request, Responder, code, decode, group};
use crate::base::ids::TopicId;
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestTopic, OffsetDeleteResponse,
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};

/// An OffsetDelete that is with its group.
pub struct Waiting {
    responder: Responder,
    /// Topics that do not exist.
    refused: Vec<OffsetDeleteResponseTopic>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &Request) -> Outcome {
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
    let exists =
        |topic: &OffsetDeleteRequestTopic| context.find_topic(TopicId::ZERO, &topic.name).is_ok();
    let (known, unknown): (Vec<_>, Vec<_>) = message.topics.into_iter().partition(exists);
    let waiting = Waiting {
        responder,
        refused: unknown.into_iter().map(refuse).collect(),
    };
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

pub(super) fn on_reply(waiting: Waiting, mut response: OffsetDeleteResponse) -> Outcome {
    if response.error_code == code(ErrorCode::NONE) {
        response.topics.extend(waiting.refused);
    }
    waiting.responder.reply(&response)
}

fn refuse(topic: OffsetDeleteRequestTopic) -> OffsetDeleteResponseTopic {
    let partitions = topic.partitions.into_iter();
    OffsetDeleteResponseTopic {
        name: topic.name,
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
