//! Offsets that are deleted: because somebody asks (OffsetDelete), or with their topic.

use super::{STEP_BYTES_MAX, tombstone, tombstone_bytes};
use crate::base::ids::TopicId;
use crate::coordinator::group::{Group, GroupCommand, GroupReply, Groups, Kind, Step};
use crate::coordinator::machine::TopicsChanged;
use crate::metadata::image::MetadataImage;
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestTopic, OffsetDeleteResponse,
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use crate::protocol::string::Str;
use std::collections::BTreeSet;

/// Deletes offsets of topics that the group does not subscribe to. What was not committed is
/// deleted without a word.
pub fn handle(groups: &Groups, origin: Option<Origin>, request: &OffsetDeleteRequest) -> Step {
    let group_id = &request.group_id;
    let group = match check(groups, group_id) {
        Ok(group) => group,
        Err(error) => {
            let refused = OffsetDeleteResponse {
                error_code: error.code(),
                ..OffsetDeleteResponse::default()
            };
            return Step::reply(origin, GroupReply::OffsetDelete(refused));
        }
    };
    let mut records = Vec::new();
    let mut response = OffsetDeleteResponse::default();
    for topic in &request.topics {
        let error = if is_subscribed_to(group, &topic.name) {
            ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC
        } else {
            let partitions = topic.partitions.iter();
            records.extend(
                partitions
                    .map(|partition| partition.partition_index)
                    .filter(|&partition| group.offsets.get(&topic.name, partition).is_some())
                    .map(|partition| tombstone(group_id, &topic.name, partition)),
            );
            ErrorCode::NONE
        };
        response.topics.push(answer(topic, error));
    }
    Step::written(records, origin, GroupReply::OffsetDelete(response))
}

fn check<'a>(groups: &'a Groups, group_id: &Str) -> Result<&'a Group, ErrorCode> {
    if group_id.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID);
    }
    let group = groups.groups.get(group_id);
    let group = group.ok_or(ErrorCode::GROUP_ID_NOT_FOUND)?;
    match &group.kind {
        Kind::Classic(group) => group.validate_offset_delete()?,
        // What its members do not subscribe to may go while they are there.
        Kind::Consumer(_) => {}
    }
    Ok(group)
}

/// Whether a member of the group consumes a topic.
pub(super) fn is_subscribed_to(group: &Group, topic: &str) -> bool {
    match &group.kind {
        Kind::Classic(group) => group.is_subscribed_to(topic),
        Kind::Consumer(group) => group.is_subscribed_to(topic),
    }
}

fn answer(topic: &OffsetDeleteRequestTopic, error: ErrorCode) -> OffsetDeleteResponseTopic {
    let partitions = topic.partitions.iter();
    OffsetDeleteResponseTopic {
        name: topic.name.clone(),
        partitions: partitions
            .map(|partition| OffsetDeleteResponsePartition {
                partition_index: partition.partition_index,
                error_code: error.code(),
                ..OffsetDeleteResponsePartition::default()
            })
            .collect(),
        ..OffsetDeleteResponseTopic::default()
    }
}

/// Commands for each group that has committed offsets of topics that were deleted: one does the
/// work of one step, and there are as many as that takes.
pub fn on_metadata(groups: &Groups, changed: &TopicsChanged) -> Vec<GroupCommand> {
    let mut commands = Vec::new();
    if changed.deleted.is_empty() {
        return commands;
    }
    for (group_id, group) in &groups.groups {
        let mut topics = Vec::new();
        let mut steps = 0;
        for (name, topic_id) in &changed.deleted {
            if let Some(offsets) = group.offsets.topic(name) {
                topics.push((name.clone(), *topic_id));
                let records_per_step = STEP_BYTES_MAX / tombstone_bytes(group_id, name);
                steps += offsets.partition_count().div_ceil(records_per_step.max(1));
            }
        }
        for _ in 0..steps {
            commands.push(GroupCommand::DeleteTopicOffsets {
                group_id: group_id.clone(),
                topics: topics.clone(),
            });
        }
    }
    commands
}

/// The topics of which groups have offsets though they are gone: deleted while the coordinator was
/// down. Apache Kafka keeps such offsets until they expire, and gives them to whoever consumes
/// another topic of the same name.
///
/// Who is made the leader has replayed the metadata at least as far as any leader before it that
/// took a commit: a topic that is not in this image is gone, not new.
pub fn topics_gone(groups: &Groups, image: &MetadataImage) -> Vec<(Str, TopicId)> {
    let mut gone = BTreeSet::new();
    for group in groups.groups.values() {
        for (name, offsets) in group.offsets.topics() {
            let mut known = None;
            for (_, committed) in offsets.iter() {
                // Nearly always all partitions have one id.
                if known == Some(committed.topic_id) {
                    continue;
                }
                known = Some(committed.topic_id);
                let is_there = match committed.topic_id {
                    TopicId::ZERO => image.topics.by_name(name).is_some(),
                    id => image.topics.by_id(id).is_some(),
                };
                if !is_there {
                    gone.insert((name, committed.topic_id));
                }
            }
        }
    }
    let gone = gone.into_iter();
    gone.map(|(name, topic_id)| (Str::from(name), topic_id))
        .collect()
}

/// Deletes a group's offsets of topics that were deleted, as many as one step may. Offsets that
/// were committed for another topic of the same name, made since, stay.
pub fn on_topics_deleted(
    groups: &Groups,
    image: &MetadataImage,
    group_id: &Str,
    topics: &[(Str, TopicId)],
) -> Step {
    let mut step = Step::nothing();
    let Some(group) = groups.groups.get(group_id) else {
        return step;
    };
    let mut bytes = 0;
    for (name, topic_id) in topics {
        let Some(offsets) = group.offsets.topic(name) else {
            continue;
        };
        let is_made_anew = image.topics.by_name(name).is_some();
        for (partition, committed) in offsets.iter() {
            // What an old broker committed, without an id, is of the topic that there is.
            let is_gone = committed.topic_id == *topic_id
                || (committed.topic_id == TopicId::ZERO && !is_made_anew);
            if !is_gone {
                continue;
            }
            bytes += tombstone_bytes(group_id, name);
            if bytes > STEP_BYTES_MAX && !step.records.is_empty() {
                return step;
            }
            step.records.push(tombstone(group_id, name, partition));
        }
    }
    step
}
