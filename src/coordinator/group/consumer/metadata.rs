//! The topics of a group: when one that it wants is made, grows or goes, or moves between racks, the
//! group's epoch rises.

use super::draft::Draft;
use super::{regex, target, timer};
use crate::base::collections::FoldHasher;
use crate::base::convert::u64_from;
use crate::coordinator::group::{GroupCommand, Groups, Kind, Step};
use crate::coordinator::{TopicsChanged, World};
use crate::metadata::image::MetadataImage;
use crate::metadata::image::topics::Topic;
use crate::protocol::string::Str;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

/// What the topics of a group are like, as one number: it differs where a topic came, went, has
/// other partitions, or replicas in other racks. 0 where none of the topics exists. It is only ever
/// compared with itself.
#[must_use]
pub fn hash(image: &MetadataImage, topics: &BTreeSet<Str>) -> i64 {
    let has_racks = has_racks(image);
    topics
        .iter()
        .filter_map(|name| image.topics.by_name(name))
        .fold(0, |sum: u64, topic| {
            sum.wrapping_add(topic_hash(image, topic, has_racks))
        })
        .cast_signed()
}

fn topic_hash(image: &MetadataImage, topic: &Topic, has_racks: bool) -> u64 {
    let mut hasher = FoldHasher::default();
    topic.name.hash(&mut hasher);
    topic.id.0.hash(&mut hasher);
    hasher.write_u64(u64_from(topic.partition_count()));
    if has_racks {
        for (_, partition) in topic.partitions() {
            let racks: BTreeSet<&str> = partition
                .replicas
                .iter()
                .filter_map(|&node| image.cluster.broker(node)?.rack.as_deref())
                .collect();
            racks.hash(&mut hasher);
        }
    }
    hasher.finish()
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
