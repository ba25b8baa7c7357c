//! OffsetFetch: how far a group is, in some partitions or in all that it has committed.

use super::Committed;
use crate::base::ids::TopicId;
use crate::coordinator::group::{Group, GroupReply, Groups, Kind, Step};
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponseGroup,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use crate::protocol::string::Str;

/// "Nothing is committed."
const INVALID_OFFSET: i64 = -1;

/// Answers with an offset of -1 for what is not committed, and for a group that is not there: a
/// consumer that asks before anybody committed is no mistake.
///
/// `require_stable` changes nothing until offsets can be committed in transactions: there are none
/// that are pending.
pub fn handle(
    groups: &Groups,
    origin: Option<Origin>,
    _version: i16,
    request: OffsetFetchRequestGroup,
    _require_stable: bool,
) -> Step {
    let group = groups.groups.get(&request.group_id);
    let (group, error) = match group.map_or(Ok(()), |group| check(group, &request)) {
        Ok(()) => (group, ErrorCode::NONE),
        // A group that is dead is as one that is not there.
        Err(ErrorCode::GROUP_ID_NOT_FOUND) => (None, ErrorCode::NONE),
        Err(error) => (None, error),
    };
    let topics = if error != ErrorCode::NONE {
        Vec::new()
    } else if let Some(topics) = request.topics {
        let topics = topics.into_iter();
        topics.map(|topic| named_topic(group, topic)).collect()
    } else {
        group.map_or_else(Vec::new, every_topic)
    };
    let response = OffsetFetchResponseGroup {
        group_id: request.group_id,
        topics,
        error_code: error.code(),
        ..OffsetFetchResponseGroup::default()
    };
    Step::reply(origin, GroupReply::OffsetFetch(response))
}

/// Whether the one who asks is whom it says it is. Version 9 and later; those before say nothing.
fn check(group: &Group, request: &OffsetFetchRequestGroup) -> Result<(), ErrorCode> {
    match &group.kind {
        Kind::Classic(group) => group.validate_offset_fetch(),
        Kind::Consumer(group) => {
            group.validate_offset_fetch(request.member_id.as_ref(), request.member_epoch)
        }
    }
}

fn named_topic(
    group: Option<&Group>,
    topic: OffsetFetchRequestTopics,
) -> OffsetFetchResponseTopics {
    let offsets = group.and_then(|group| group.offsets.topic(&topic.name));
    let partitions = topic
        .partition_indexes
        .into_iter()
        .map(|partition| {
            let committed = offsets
                .and_then(|offsets| offsets.get(partition))
                .filter(|committed| !is_of_another_topic(committed, topic.topic_id));
            answer(partition, committed)
        })
        .collect();
    OffsetFetchResponseTopics {
        name: topic.name,
        topic_id: topic.topic_id,
        partitions,
        ..OffsetFetchResponseTopics::default()
    }
}

/// The handler, which knows the cluster's topics, gives them their ids.
fn every_topic(group: &Group) -> Vec<OffsetFetchResponseTopics> {
    let topics = group.offsets.topics();
    topics
        .map(|(name, offsets)| OffsetFetchResponseTopics {
            name: Str::from(name),
            topic_id: TopicId::ZERO,
            partitions: offsets
                .iter()
                .map(|(partition, committed)| answer(partition, Some(committed)))
                .collect(),
            ..OffsetFetchResponseTopics::default()
        })
        .collect()
}

/// Whether it was committed for a topic that had the same name, and is gone.
fn is_of_another_topic(committed: &Committed<'_>, topic_id: TopicId) -> bool {
    committed.topic_id != TopicId::ZERO
        && topic_id != TopicId::ZERO
        && committed.topic_id != topic_id
}

fn answer(partition_index: i32, committed: Option<Committed<'_>>) -> OffsetFetchResponsePartitions {
    match committed {
        Some(committed) => OffsetFetchResponsePartitions {
            partition_index,
            committed_offset: committed.offset.0,
            committed_leader_epoch: committed.leader_epoch.0,
            metadata: Some(text(committed.metadata)),
            ..OffsetFetchResponsePartitions::default()
        },
        None => OffsetFetchResponsePartitions {
            partition_index,
            committed_offset: INVALID_OFFSET,
            metadata: Some(Str::EMPTY),
            ..OffsetFetchResponsePartitions::default()
        },
    }
}

/// Most offsets have no metadata: nothing is allocated for it.
fn text(metadata: &str) -> Str {
    if metadata.is_empty() {
        Str::EMPTY
    } else {
        Str::from(metadata)
    }
}
