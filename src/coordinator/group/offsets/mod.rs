//! How far groups are: offsets are committed, fetched, deleted, and expire.
//!
//! ```text
//!   committed     what a group has committed, by topic and partition      (its state)
//!   partitions    the same, within a topic: where the memory goes
//!   commit        OffsetCommit: who may commit, and the records
//!   fetch         OffsetFetch
//!   delete        OffsetDelete, and topics that are deleted
//!   expire        offsets that nobody uses any longer, and groups that are left with none
//! ```
//! All of these make records; only [`replay`] changes what is committed. A group that has offsets
//! exists, though nobody ever joined it: a *simple* group, classic and empty.

#[cfg(test)]
pub(super) mod ask;
pub mod commit;
mod committed;
pub mod delete;
pub mod expire;
pub mod fetch;
mod partitions;
#[cfg(test)]
mod tests;

use super::{Group, GroupRecord, Groups, Kind};
use crate::base::ids::{LeaderEpoch, Offset, TopicId};
use crate::base::time::Timestamp;
use crate::coordinator::group::classic::ClassicGroup;
use crate::protocol::coordinator_records::{
    LegacyOffsetCommitKey, LegacyOffsetCommitValue, OffsetCommitKey, OffsetCommitValue,
};
use crate::protocol::string::Str;
pub use committed::{Committed, Offsets};
pub use expire::{Expiry, ExpiryBase};

/// Takes a committed offset, or its tombstone, into the state. A group that is not there yet is
/// made, because it has offsets; a tombstone never makes one.
pub fn replay(groups: &mut Groups, key: OffsetCommitKey, value: Option<OffsetCommitValue>) {
    match value {
        Some(value) => {
            let committed = Committed {
                offset: Offset(value.offset),
                leader_epoch: LeaderEpoch(value.leader_epoch.max(LeaderEpoch::NONE.0)),
                metadata: &value.metadata,
                commit_timestamp: Timestamp(value.commit_timestamp),
                expire_timestamp: Timestamp(value.expire_timestamp),
                topic_id: value.topic_id,
            };
            remember(groups, &key.group, &key.topic, key.partition, &committed);
        }
        None => forget(groups, &key.group, &key.topic, key.partition),
    }
}

/// The same, of a record as Kafka before 0.9 wrote it.
pub fn replay_legacy(
    groups: &mut Groups,
    key: LegacyOffsetCommitKey,
    value: Option<LegacyOffsetCommitValue>,
) {
    match value {
        Some(value) => {
            let committed = Committed {
                offset: Offset(value.offset),
                leader_epoch: LeaderEpoch::NONE,
                metadata: &value.metadata,
                commit_timestamp: Timestamp(value.commit_timestamp),
                expire_timestamp: Timestamp::NONE,
                topic_id: TopicId::ZERO,
            };
            remember(groups, &key.group, &key.topic, key.partition, &committed);
        }
        None => forget(groups, &key.group, &key.topic, key.partition),
    }
}

fn remember(
    groups: &mut Groups,
    group_id: &Str,
    topic: &Str,
    partition: i32,
    committed: &Committed<'_>,
) {
    // A load does this a million times: groups that are there are looked up once.
    if let Some(group) = groups.groups.get_mut(group_id) {
        group.offsets.insert(topic, partition, committed);
    } else {
        let group = groups.get_or_simple(group_id);
        group.offsets.insert(topic, partition, committed);
    }
}

fn forget(groups: &mut Groups, group_id: &Str, topic: &Str, partition: i32) {
    if let Some(group) = groups.groups.get_mut(group_id) {
        group.offsets.remove(topic, partition);
    }
}

impl Groups {
    /// A group; where there is none, a simple one is made: classic, empty, in memory only.
    pub fn get_or_simple(&mut self, group_id: &Str) -> &mut Group {
        if !self.groups.contains_key(group_id) {
            let group = Group {
                kind: Kind::Classic(ClassicGroup::simple()),
                offsets: Offsets::default(),
            };
            // The key outlives the frame that it came in.
            self.groups.insert(group_id.detached(), group);
        }
        self.groups
            .get_mut(group_id)
            .expect("it was there, or has just been made")
    }
}

/// Bytes of tombstones that one step makes where it need not make all at once: the other commands
/// have their turn, and a batch of `__consumer_offsets` holds them.
const STEP_BYTES_MAX: usize = 256 << 10;

/// What the tombstone of one offset takes in a batch, roughly.
fn tombstone_bytes(group_id: &str, topic: &str) -> usize {
    const FIXED_BYTES: usize = 32;
    FIXED_BYTES + group_id.len() + topic.len()
}

/// The tombstone of one offset.
fn tombstone(group_id: &Str, topic: &Str, partition: i32) -> GroupRecord {
    GroupRecord::OffsetCommit(
        OffsetCommitKey {
            group: group_id.clone(),
            topic: topic.clone(),
            partition,
            ..OffsetCommitKey::default()
        },
        None,
    )
}

/// The tombstones of everything that a group has committed.
pub(super) fn tombstones(group_id: &Str, offsets: &Offsets, records: &mut Vec<GroupRecord>) {
    for (topic, partitions) in offsets.topics() {
        let topic = Str::from(topic);
        for (partition, _) in partitions.iter() {
            records.push(tombstone(group_id, &topic, partition));
        }
    }
}
