//! The topics of a group: when one that it wants is made, grows or goes, or moves between racks, the
//! group's epoch rises.

use super::draft::Draft;
use super::{regex, target, timer};
use crate::coordinator::group::{GroupCommand, Groups, Kind, Step};
use crate::coordinator::{TopicsChanged, World};
use crate::metadata::image::MetadataImage;
use crate::metadata::image::topics::Topic;
use crate::protocol::string::Str;
use std::collections::BTreeSet;
use twox_hash::XxHash3_64;

/// What the topics of a group are like, as one number: it differs where a topic came, went, has
/// other partitions, or replicas in other racks. 0 where none of the topics exists. It is Apache's, so
/// that a group which comes from there, or goes there, has nothing new.
#[must_use]
pub fn hash(image: &MetadataImage, topics: &BTreeSet<Str>) -> i64 {
    let mut bytes = Vec::new();
    let mut hashes = Vec::new();
    for topic in topics.iter().filter_map(|name| image.topics.by_name(name)) {
        write_topic(image, topic, &mut bytes);
        hashes.extend_from_slice(&XxHash3_64::oneshot(&bytes).to_le_bytes());
    }
    if hashes.is_empty() {
        return 0;
    }
    XxHash3_64::oneshot(&hashes).cast_signed()
}

/// What Apache's hash of a topic is made of.
fn write_topic(image: &MetadataImage, topic: &Topic, bytes: &mut Vec<u8>) {
    const MAGIC: u8 = 0;
    let length = |count: usize| i32::try_from(count).unwrap_or(i32::MAX).to_le_bytes();
    bytes.clear();
    bytes.push(MAGIC);
    // Two numbers of eight bytes each, the lowest first.
    for half in topic.id.0.chunks_exact(8) {
        bytes.extend(half.iter().rev());
    }
    write_text(&topic.name, bytes);
    bytes.extend_from_slice(&length(topic.partition_count()));
    let has_racks = has_racks(image);
    let mut racks: Vec<&str> = Vec::new();
    for (number, partition) in topic.partitions() {
        bytes.extend_from_slice(&number.0.to_le_bytes());
        if !has_racks {
            continue;
        }
        let brokers = partition.replicas.iter();
        racks.clear();
        racks.extend(brokers.filter_map(|&node| image.cluster.broker(node)?.rack.as_deref()));
        racks.sort_unstable();
        for rack in &racks {
            bytes.extend_from_slice(&length(rack.encode_utf16().count()));
            write_text(rack, bytes);
        }
    }
}

/// A text as Java holds it, and after it its length.
fn write_text(text: &str, bytes: &mut Vec<u8>) {
    let mut count = 0_i32;
    for unit in text.encode_utf16() {
        bytes.extend_from_slice(&unit.to_le_bytes());
        count = count.saturating_add(1);
    }
    bytes.extend_from_slice(&count.to_le_bytes());
}

/// Whether any broker has a rack.
#[must_use]
pub fn has_racks(image: &MetadataImage) -> bool {
    let mut brokers = image.cluster.brokers.values();
    brokers.any(|broker| broker.rack.is_some())
}

/// Topics changed: the groups that want one of them look at it.
pub fn on_metadata(
    groups: &mut Groups,
    _: &mut World<'_>,
    changed: &TopicsChanged,
) -> Vec<GroupCommand> {
    let deleted = changed.deleted.iter().map(|(name, _)| name);
    let names: Vec<&Str> = changed.changed.iter().chain(deleted).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let mut commands = Vec::new();
    for (group_id, group) in &groups.groups {
        let Kind::Consumer(group) = &group.kind else {
            continue;
        };
        // A regular expression may mean a topic that was not there before.
        if group.has_regexes() || names.iter().any(|name| group.is_subscribed_to(name)) {
            commands.push(GroupCommand::RefreshMetadata(group_id.clone()));
        }
    }
    commands
}

/// A group looks at its topics. Its members learn of it by their next heartbeats.
pub fn refresh(groups: &mut Groups, world: &mut World<'_>, group_id: &Str) -> Step {
    let look_up = regex::may_be_looked_up(groups, world, group_id);
    let Some(group) = groups.consumer(group_id) else {
        return Step::nothing();
    };
    if group.is_empty() {
        return Step::nothing();
    }
    let mut draft = Draft::new(group_id, group);
    draft.bump_if_topics_changed(world, look_up);
    let later = target::renew(&mut draft, world);
    let records = draft.records;
    timer::assign_later(groups, group_id, later);
    if !records.is_empty() {
        // Nobody would ask again, should they not be written: the group looks once more.
        regex::look_again(groups, world, group_id);
    }
    Step {
        records,
        replies: Vec::new(),
    }
}
