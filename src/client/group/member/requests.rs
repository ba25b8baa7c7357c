//! Requests about offsets, as members and administrators make them: by topic names, which the
//! versions up to 9 of OffsetCommit and OffsetFetch take.

use crate::base::ids::Offset;
use crate::client::group::range::TopicIndex;
use crate::protocol::Str;
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use std::collections::BTreeMap;

/// Last version of OffsetCommit and OffsetFetch that names topics rather than giving their ids.
pub const NAMED_TOPICS_VERSION: i16 = 9;

/// First version of OffsetFetch that asks about groups, of Kafka 3.0.
pub const GROUPS_VERSION: i16 = 8;

/// A commit of these offsets, without membership.
#[must_use]
pub fn offset_commit(
    group_id: &str,
    offsets: &BTreeMap<TopicIndex, Offset>,
) -> OffsetCommitRequest {
    let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
    for ((topic, index), offset) in offsets {
        let partition = OffsetCommitRequestPartition {
            partition_index: *index,
            committed_offset: offset.0,
            committed_metadata: Some(Str::EMPTY),
            ..OffsetCommitRequestPartition::default()
        };
        match topics.last_mut().filter(|last| *last.name == **topic) {
            Some(last) => last.partitions.push(partition),
            None => topics.push(OffsetCommitRequestTopic {
                name: (&**topic).into(),
                partitions: vec![partition],
                ..OffsetCommitRequestTopic::default()
            }),
        }
    }
    OffsetCommitRequest {
        group_id: group_id.into(),
        topics,
        ..OffsetCommitRequest::default()
    }
}

/// A question for the committed offsets of these partitions, sorted by topic; for stable ones
/// only (KIP-447).
#[must_use]
pub fn offset_fetch(group_id: &str, partitions: &[TopicIndex]) -> OffsetFetchRequest {
    let mut topics: Vec<OffsetFetchRequestTopics> = Vec::new();
    for (topic, index) in partitions {
        match topics.last_mut().filter(|last| *last.name == **topic) {
            Some(last) => last.partition_indexes.push(*index),
            None => topics.push(OffsetFetchRequestTopics {
                name: (&**topic).into(),
                partition_indexes: vec![*index],
                ..OffsetFetchRequestTopics::default()
            }),
        }
    }
    OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group_id.into(),
            topics: Some(topics),
            ..OffsetFetchRequestGroup::default()
        }],
        require_stable: true,
        ..OffsetFetchRequest::default()
    }
}
