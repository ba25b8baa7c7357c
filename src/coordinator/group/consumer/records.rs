//! The records that consumer groups write.

use super::member::Member;
use super::partitions::by_topic;
use crate::base::ids::TopicPartition;
use crate::coordinator::group::GroupRecord;
use crate::protocol::coordinator_records::consumer_group_target_assignment_member as target_member;
use crate::protocol::coordinator_records::{
    ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupMemberMetadataKey,
    ConsumerGroupMetadataKey, ConsumerGroupMetadataValue, ConsumerGroupPartitionMetadataKey,
    ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue,
    ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue,
    ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue,
};
use crate::protocol::string::Str;

/// The group's epoch, and what its topics were like. Type 3.
#[must_use]
pub fn epoch(group_id: &Str, epoch: i32, metadata_hash: i64) -> GroupRecord {
    let value = ConsumerGroupMetadataValue {
        epoch,
        metadata_hash,
        ..ConsumerGroupMetadataValue::default()
    };
    GroupRecord::ConsumerGroupMetadata(epoch_key(group_id), Some(value))
}

/// The group is gone. Type 3.
#[must_use]
pub fn no_epoch(group_id: &Str) -> GroupRecord {
    GroupRecord::ConsumerGroupMetadata(epoch_key(group_id), None)
}

fn epoch_key(group_id: &Str) -> ConsumerGroupMetadataKey {
    ConsumerGroupMetadataKey {
        group_id: group_id.clone(),
        ..ConsumerGroupMetadataKey::default()
    }
}

/// What Kafka 4.0 wrote of the group's topics is gone. Type 4.
#[must_use]
pub fn no_partition_metadata(group_id: &Str) -> GroupRecord {
    let key = ConsumerGroupPartitionMetadataKey {
        group_id: group_id.clone(),
        ..ConsumerGroupPartitionMetadataKey::default()
    };
    GroupRecord::ConsumerGroupPartitionMetadata(key, None)
}

/// What a member wants. Type 5.
#[must_use]
pub fn subscription(group_id: &Str, member: &Member) -> GroupRecord {
    let value = member.subscription.to_record();
    GroupRecord::ConsumerGroupMemberMetadata(member_key(group_id, &member.id), Some(value))
}

fn member_key(group_id: &Str, member_id: &Str) -> ConsumerGroupMemberMetadataKey {
    ConsumerGroupMemberMetadataKey {
        group_id: group_id.clone(),
        member_id: member_id.clone(),
        ..ConsumerGroupMemberMetadataKey::default()
    }
}

/// The epoch of the target assignment, and when it was made, in milliseconds. Type 6.
#[must_use]
pub fn target_epoch(group_id: &Str, epoch: i32, timestamp: i64) -> GroupRecord {
    let value = ConsumerGroupTargetAssignmentMetadataValue {
        assignment_epoch: epoch,
        assignment_timestamp: timestamp,
        ..ConsumerGroupTargetAssignmentMetadataValue::default()
    };
    GroupRecord::ConsumerGroupTargetAssignmentMetadata(target_epoch_key(group_id), Some(value))
}

/// There is no target assignment. Type 6.
#[must_use]
pub fn no_target_epoch(group_id: &Str) -> GroupRecord {
    GroupRecord::ConsumerGroupTargetAssignmentMetadata(target_epoch_key(group_id), None)
}

fn target_epoch_key(group_id: &Str) -> ConsumerGroupTargetAssignmentMetadataKey {
    ConsumerGroupTargetAssignmentMetadataKey {
        group_id: group_id.clone(),
        ..ConsumerGroupTargetAssignmentMetadataKey::default()
    }
}

/// What a member shall have. Type 7.
#[must_use]
pub fn target(group_id: &Str, member_id: &Str, partitions: &[TopicPartition]) -> GroupRecord {
    let topic_partitions = by_topic(partitions.iter().copied())
        .into_iter()
        .map(|(topic_id, partitions)| target_member::TopicPartition {
            topic_id,
            partitions,
            ..target_member::TopicPartition::default()
        })
        .collect();
    let value = ConsumerGroupTargetAssignmentMemberValue {
        topic_partitions,
        ..ConsumerGroupTargetAssignmentMemberValue::default()
    };
    GroupRecord::ConsumerGroupTargetAssignmentMember(target_key(group_id, member_id), Some(value))
}

fn target_key(group_id: &Str, member_id: &Str) -> ConsumerGroupTargetAssignmentMemberKey {
    ConsumerGroupTargetAssignmentMemberKey {
        group_id: group_id.clone(),
        member_id: member_id.clone(),
        ..ConsumerGroupTargetAssignmentMemberKey::default()
    }
}

/// What a member has. Type 8.
#[must_use]
pub fn current(group_id: &Str, member: &Member) -> GroupRecord {
    let value = member.current.to_record();
    let key = current_key(group_id, &member.id);
    GroupRecord::ConsumerGroupCurrentMemberAssignment(key, Some(value))
}

fn current_key(group_id: &Str, member_id: &Str) -> ConsumerGroupCurrentMemberAssignmentKey {
    ConsumerGroupCurrentMemberAssignmentKey {
        group_id: group_id.clone(),
        member_id: member_id.clone(),
        ..ConsumerGroupCurrentMemberAssignmentKey::default()
    }
}

/// A member is gone. Types 8, 7, 5: first what it has, so that others can have it.
pub fn no_member(group_id: &Str, member_id: &Str, records: &mut Vec<GroupRecord>) {
    let key = current_key(group_id, member_id);
    records.push(GroupRecord::ConsumerGroupCurrentMemberAssignment(key, None));
    let key = target_key(group_id, member_id);
    records.push(GroupRecord::ConsumerGroupTargetAssignmentMember(key, None));
    let key = member_key(group_id, member_id);
    records.push(GroupRecord::ConsumerGroupMemberMetadata(key, None));
}

/// The topics that a regular expression means. Type 16.
#[must_use]
pub fn regex(
    group_id: &Str,
    regex: &Str,
    topics: Vec<Str>,
    version: i64,
    timestamp: i64,
) -> GroupRecord {
    let value = ConsumerGroupRegularExpressionValue {
        topics,
        version,
        timestamp,
        ..ConsumerGroupRegularExpressionValue::default()
    };
    GroupRecord::ConsumerGroupRegularExpression(regex_key(group_id, regex), Some(value))
}

/// Nobody uses the regular expression any more. Type 16.
#[must_use]
pub fn no_regex(group_id: &Str, regex: &Str) -> GroupRecord {
    GroupRecord::ConsumerGroupRegularExpression(regex_key(group_id, regex), None)
}

fn regex_key(group_id: &Str, regex: &Str) -> ConsumerGroupRegularExpressionKey {
    ConsumerGroupRegularExpressionKey {
        group_id: group_id.clone(),
        regular_expression: regex.clone(),
        ..ConsumerGroupRegularExpressionKey::default()
    }
}
