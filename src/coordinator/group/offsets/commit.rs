//! OffsetCommit: a member, or somebody without membership, says how far the group is.

use crate::base::convert::usize_from_u32;
use crate::base::ids::{LeaderEpoch, TopicId};
use crate::base::time::Timestamp;
use crate::coordinator::group::command::refused_commit;
use crate::coordinator::group::consumer::{CommitCheck, ConsumerGroup};
use crate::coordinator::group::{Asked, GroupRecord, GroupReply, Groups, Kind, Step, classic};
use crate::coordinator::machine::World;
use crate::partition::work::Origin;
use crate::protocol::coordinator_records::{OffsetCommitKey, OffsetCommitValue};
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use crate::protocol::string::Str;

/// From this version on a group that does not exist is called so.
const GROUP_ID_NOT_FOUND_VERSION: i16 = 9;
/// "As long as the broker keeps offsets." OffsetCommit 2 to 4.
const DEFAULT_RETENTION_TIME_MS: i64 = -1;

/// Makes a record of each offset that may be committed, and says which were refused. A commit is
/// refused as a whole where the one who commits is not, or no longer, whom it says it is.
pub fn handle(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    asked: &Asked,
    request: OffsetCommitRequest,
) -> Step {
    if let Err(error) = check(groups, asked.version, &request) {
        let refused = refused_commit(&request, error);
        return Step::reply(origin, GroupReply::OffsetCommit(refused));
    }
    let is_classic = groups
        .groups
        .get(&request.group_id)
        .is_some_and(|group| matches!(group.kind, Kind::Classic(_)));
    if is_classic && !request.member_id.is_empty() {
        // In the classic protocol a commit is a sign of life. Not so in KIP-848.
        let (group_id, member_id) = (&request.group_id, &request.member_id);
        classic::heartbeat::touch(groups, world.now.instant, group_id, member_id);
    }

    let commit_timestamp = world.now.timestamp;
    let terms = Terms {
        commit_timestamp,
        expire_timestamp: expire_timestamp(request.retention_time_ms, commit_timestamp),
        metadata_length_max: metadata_length_max(world),
    };
    let mut records = Vec::with_capacity(partition_count(&request));
    let mut response = OffsetCommitResponse {
        topics: Vec::with_capacity(request.topics.len()),
        ..OffsetCommitResponse::default()
    };
    for topic in request.topics {
        let answer = commit_topic(&request.group_id, topic, &terms, &mut records);
        response.topics.push(answer);
    }
    Step::written(records, origin, GroupReply::OffsetCommit(response))
}

/// What holds for all offsets of a request.
struct Terms {
    commit_timestamp: Timestamp,
    expire_timestamp: Timestamp,
    metadata_length_max: usize,
}

fn commit_topic(
    group_id: &Str,
    topic: OffsetCommitRequestTopic,
    terms: &Terms,
    records: &mut Vec<GroupRecord>,
) -> OffsetCommitResponseTopic {
    let mut partitions = Vec::with_capacity(topic.partitions.len());
    for partition in topic.partitions {
        let partition_index = partition.partition_index;
        let metadata = partition.committed_metadata.as_ref();
        let error = if metadata.is_some_and(|text| is_longer(text, terms.metadata_length_max)) {
            ErrorCode::OFFSET_METADATA_TOO_LARGE
        } else {
            let key = OffsetCommitKey {
                group: group_id.clone(),
                topic: topic.name.clone(),
                partition: partition_index,
                ..OffsetCommitKey::default()
            };
            let value = value(partition, topic.topic_id, terms);
            records.push(GroupRecord::OffsetCommit(key, Some(value)));
            ErrorCode::NONE
        };
        partitions.push(OffsetCommitResponsePartition {
            partition_index,
            error_code: error.code(),
            ..OffsetCommitResponsePartition::default()
        });
    }
    OffsetCommitResponseTopic {
        name: topic.name,
        topic_id: topic.topic_id,
        partitions,
        ..OffsetCommitResponseTopic::default()
    }
}

fn value(
    partition: OffsetCommitRequestPartition,
    topic_id: TopicId,
    terms: &Terms,
) -> OffsetCommitValue {
    OffsetCommitValue {
        offset: partition.committed_offset,
        // All that is negative is "none".
        leader_epoch: partition.committed_leader_epoch.max(LeaderEpoch::NONE.0),
        metadata: partition.committed_metadata.unwrap_or_default(),
        commit_timestamp: terms.commit_timestamp.0,
        expire_timestamp: terms.expire_timestamp.0,
        topic_id,
        ..OffsetCommitValue::default()
    }
}

/// Whether the request may commit at all.
fn check(groups: &Groups, version: i16, request: &OffsetCommitRequest) -> Result<(), ErrorCode> {
    let epoch = request.generation_id_or_member_epoch;
    let Some(group) = groups.groups.get(&request.group_id) else {
        // Without membership a group needs not to be there: its first offset makes it.
        return match epoch {
            ..0 => Ok(()),
            0.. if version >= GROUP_ID_NOT_FOUND_VERSION => Err(ErrorCode::GROUP_ID_NOT_FOUND),
            0.. => Err(ErrorCode::ILLEGAL_GENERATION),
        };
    };
    match &group.kind {
        Kind::Classic(group) => {
            let instance = request.group_instance_id.as_ref();
            group.validate_offset_commit(&request.member_id, instance, epoch)
        }
        Kind::Consumer(group) => check_consumer(group, version, request),
    }
}

fn check_consumer(
    group: &ConsumerGroup,
    version: i16,
    request: &OffsetCommitRequest,
) -> Result<(), ErrorCode> {
    let epoch = request.generation_id_or_member_epoch;
    match group.validate_offset_commit(&request.member_id, epoch, version)? {
        CommitCheck::EveryPartition => Ok(()),
        // KIP-1251: the epoch is an old one, but one in which the member had the partition already.
        CommitCheck::EachPartition => request.topics.iter().try_for_each(|topic| {
            topic.partitions.iter().try_for_each(|partition| {
                group.validate_partition_commit(
                    &request.member_id,
                    epoch,
                    topic.topic_id,
                    partition.partition_index,
                )
            })
        }),
    }
}

fn expire_timestamp(retention_time_ms: i64, now: Timestamp) -> Timestamp {
    if retention_time_ms == DEFAULT_RETENTION_TIME_MS {
        Timestamp::NONE
    } else {
        Timestamp(now.0.saturating_add(retention_time_ms))
    }
}

fn metadata_length_max(world: &World<'_>) -> usize {
    let length = world.configuration.offset_metadata_max_bytes();
    u32::try_from(length).map_or(0, usize_from_u32)
}

/// Kafka counts what Java calls characters, though the setting says bytes.
fn is_longer(text: &Str, length_max: usize) -> bool {
    // No text has more UTF-16 units than UTF-8 bytes.
    text.as_bytes().len() > length_max && text.encode_utf16().count() > length_max
}

fn partition_count(request: &OffsetCommitRequest) -> usize {
    request
        .topics
        .iter()
        .map(|topic| topic.partitions.len())
        .sum()
}
