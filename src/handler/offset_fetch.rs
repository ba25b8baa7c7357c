//! OffsetFetch (key 9): how far groups have come, in some partitions or in all. Until version 7 one
//! group is asked, later several: they may live on different cores.

use super::group;
use super::per_group::PerGroup;
use super::{Context, Outcome, Request, Responder, State, decode};
use crate::base::ids::TopicId;
use crate::coordinator::group::GroupCommand;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    OffsetFetchResponse, OffsetFetchResponseGroup, OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use crate::protocol::string::Str;

/// First version that has an error for the whole group.
const GROUP_ERROR_SINCE: i16 = 2;
/// First version that asks for several groups. KIP-709.
const GROUPS_SINCE: i16 = 8;
/// First version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 10;
/// "Nothing is committed."
const INVALID_OFFSET: i64 = -1;

/// An OffsetFetch that is with its groups.
pub struct Waiting {
    responder: Responder,
    groups: PerGroup<OffsetFetchResponseGroup>,
    /// Of each group: topics that the cluster does not have.
    refused: Vec<Vec<OffsetFetchResponseTopics>>,
    /// Version 1: what was asked, to be answered one by one where the whole group is refused.
    topics: Vec<OffsetFetchRequestTopic>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let mut message: OffsetFetchRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::OffsetFetch);
    let version = responder.version;
    let mut waiting = Waiting {
        responder,
        groups: PerGroup::new(),
        refused: Vec::new(),
        topics: Vec::new(),
    };
    if version < GROUP_ERROR_SINCE {
        waiting.topics = message.topics.clone().unwrap_or_default();
    }
    if version < GROUPS_SINCE {
        message.groups = vec![OffsetFetchRequestGroup {
            group_id: message.group_id,
            topics: message.topics.map(renamed),
            ..OffsetFetchRequestGroup::default()
        }];
    }
    for mut group in message.groups {
        let refused = if version >= TOPIC_IDS_SINCE {
            resolve(context, &mut group)
        } else {
            Vec::new()
        };
        waiting.refused.push(refused);
        let command = GroupCommand::OffsetFetch {
            version,
            group,
            require_stable: message.require_stable,
        };
        waiting.groups.ask(context, request.id, command);
    }
    waiting.proceed(context)
}

pub(super) fn on_reply(
    context: &Context<'_>,
    mut waiting: Waiting,
    reply: OffsetFetchResponseGroup,
) -> Outcome {
    waiting.groups.answer(reply);
    waiting.proceed(context)
}

fn renamed(topics: Vec<OffsetFetchRequestTopic>) -> Vec<OffsetFetchRequestTopics> {
    topics
        .into_iter()
        .map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..OffsetFetchRequestTopics::default()
        })
        .collect()
}

/// Gives topics their names; those that do not exist are taken out, and answered so.
fn resolve(
    context: &Context<'_>,
    group: &mut OffsetFetchRequestGroup,
) -> Vec<OffsetFetchResponseTopics> {
    let mut refused = Vec::new();
    let Some(topics) = group.topics.take() else {
        return refused;
    };
    let mut known = Vec::with_capacity(topics.len());
    for mut topic in topics {
        match context.image.topics.by_id(topic.topic_id) {
            Some(found) => {
                topic.name = Str::from(&*found.name);
                known.push(topic);
            }
            None => refused.push(OffsetFetchResponseTopics {
                topic_id: topic.topic_id,
                partitions: topic
                    .partition_indexes
                    .into_iter()
                    .map(|partition_index| OffsetFetchResponsePartitions {
                        partition_index,
                        committed_offset: INVALID_OFFSET,
                        metadata: Some(Str::EMPTY),
                        error_code: ErrorCode::UNKNOWN_TOPIC_ID.code(),
                        ..OffsetFetchResponsePartitions::default()
                    })
                    .collect(),
                ..OffsetFetchResponseTopics::default()
            }),
        }
    }
    group.topics = Some(known);
    refused
}

impl Waiting {
    fn proceed(self, context: &Context<'_>) -> Outcome {
        if !self.groups.is_complete() {
            return Outcome::Waits(State::Group(group::Waiting::OffsetFetch(self)));
        }
        let version = self.responder.version;
        let mut groups: Vec<OffsetFetchResponseGroup> = self.groups.into_answers().collect();
        if version < GROUPS_SINCE {
            let group = groups.pop().unwrap_or_default();
            return self
                .responder
                .reply(&of_one_group(version, group, self.topics));
        }
        for (group, refused) in groups.iter_mut().zip(self.refused) {
            if version >= TOPIC_IDS_SINCE {
                name_by_id(context, group);
            }
            if group.error_code == ErrorCode::NONE.code() {
                group.topics.extend(refused);
            }
        }
        self.responder.reply(&OffsetFetchResponse {
            groups,
            ..OffsetFetchResponse::default()
        })
    }
}

/// What a group has committed in all topics it knows by name; the answer names them by id, and leaves
/// out what does not exist any more.
fn name_by_id(context: &Context<'_>, group: &mut OffsetFetchResponseGroup) {
    group.topics.retain_mut(|topic| {
        if topic.topic_id == TopicId::ZERO
            && let Some(found) = context.image.topics.by_name(&topic.name)
        {
            topic.topic_id = found.id;
        }
        topic.topic_id != TopicId::ZERO
    });
}

/// The answer until version 7.
fn of_one_group(
    version: i16,
    group: OffsetFetchResponseGroup,
    asked: Vec<OffsetFetchRequestTopic>,
) -> OffsetFetchResponse {
    if version < GROUP_ERROR_SINCE && group.error_code != ErrorCode::NONE.code() {
        let failed = |partition_index| OffsetFetchResponsePartition {
            partition_index,
            committed_offset: INVALID_OFFSET,
            metadata: Some(Str::EMPTY),
            error_code: group.error_code,
            ..OffsetFetchResponsePartition::default()
        };
        let topics = asked.into_iter().map(|topic| OffsetFetchResponseTopic {
            name: topic.name,
            partitions: topic.partition_indexes.into_iter().map(failed).collect(),
            ..OffsetFetchResponseTopic::default()
        });
        return OffsetFetchResponse {
            topics: topics.collect(),
            ..OffsetFetchResponse::default()
        };
    }
    let topics = group
        .topics
        .into_iter()
        .map(|topic| OffsetFetchResponseTopic {
            name: topic.name,
            partitions: topic
                .partitions
                .into_iter()
                .map(|partition| OffsetFetchResponsePartition {
                    partition_index: partition.partition_index,
                    committed_offset: partition.committed_offset,
                    committed_leader_epoch: partition.committed_leader_epoch,
                    metadata: partition.metadata,
                    error_code: partition.error_code,
                    ..OffsetFetchResponsePartition::default()
                })
                .collect(),
            ..OffsetFetchResponseTopic::default()
        });
    OffsetFetchResponse {
        topics: topics.collect(),
        error_code: group.error_code,
        ..OffsetFetchResponse::default()
    }
}
