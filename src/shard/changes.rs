//! What committed metadata asks of this core's logs: done in the order of the metadata, some of it in
//! each turn. A topic of a thousand partitions is a thousand directories to make, or to rename: in one
//! turn that would hold up every other partition of the core.
//!
//! ```text
//!   Mail::Committed ─► the image, at once ─► changes: delete … make … follow … end ─► Mail::Replayed
//! ```

use super::Shard;
use super::logs::{Wanted, wanted_of};
use super::mail::Mail;
use crate::base::ids::{LeaderEpoch, TopicId, TopicPartition};
use crate::metadata::delta::{MetadataDelta, PartitionDelta};
use crate::partition::placement::owner;
use crate::runtime::io::Io;

/// Most logs that are made or deleted in one turn.
const LOGS_MAX: usize = 16;

/// One of the things to do.
pub(super) enum Change {
    /// A topic was deleted.
    Delete(TopicPartition),
    /// The checkpoint files must not say of the next topic by a name what was true of a deleted one.
    CheckpointSoon,
    /// Settings of topics are others.
    Reconfigure,
    /// A partition is new.
    Create(Wanted),
    /// A partition is led in another epoch, or no more.
    Follow(TopicPartition, Option<LeaderEpoch>),
    /// All that one batch of metadata asks for is done.
    End(Box<MetadataDelta>),
}

impl Shard {
    /// Takes note of what a batch of committed metadata asks for.
    pub(super) fn note_changes(&mut self, delta: MetadataDelta) {
        let (core, cores) = (self.core, self.cores);
        let is_own = |topic_partition| owner(topic_partition, cores) == core;
        let changes = &mut self.logs.changes;
        for topic in &delta.topics_deleted {
            let of_topic = topic.partitions().map(|(partition, _)| TopicPartition {
                topic_id: topic.id,
                partition,
            });
            changes.extend(of_topic.filter(|it| is_own(*it)).map(Change::Delete));
        }
        if !delta.topics_deleted.is_empty() {
            changes.push_back(Change::CheckpointSoon);
        }
        if !delta.configs.is_empty() {
            changes.push_back(Change::Reconfigure);
        }
        let node_id = self.configuration.node_id();
        let mut topic_ids: Vec<TopicId> = delta.partitions.keys().map(|it| it.topic_id).collect();
        topic_ids.dedup();
        for topic in topic_ids
            .iter()
            .filter_map(|id| self.image.topics.by_id(*id))
        {
            for wanted in wanted_of(topic, node_id) {
                let topic_partition = wanted.topic_partition;
                if !is_own(topic_partition) {
                    continue;
                }
                changes.extend(
                    delta
                        .partitions
                        .get(&topic_partition)
                        .map(|change| match change {
                            PartitionDelta::Created => Change::Create(wanted),
                            PartitionDelta::Changed { .. } => {
                                Change::Follow(topic_partition, wanted.leader_epoch)
                            }
                        }),
                );
            }
        }
        changes.push_back(Change::End(Box::new(delta)));
    }

    /// Does the next of what is to be done: of logs to make and to delete only some.
    pub(super) fn apply_changes(&mut self, io: &mut Io<Mail>) {
        let mut logs = 0;
        while logs < LOGS_MAX
            && let Some(change) = self.logs.changes.pop_front()
        {
            match change {
                Change::Delete(topic_partition) => {
                    self.delete_log(io, topic_partition);
                    logs += 1;
                }
                Change::CheckpointSoon => self.checkpoint_soon(io.now().instant),
                Change::Reconfigure => self.reconfigure_logs(),
                Change::Create(wanted) => {
                    self.make_log(io, &wanted);
                    logs += 1;
                }
                Change::Follow(topic_partition, leader_epoch) => {
                    if let Some(partition) = self.partitions.get_mut(topic_partition) {
                        partition.follow_metadata(leader_epoch);
                    }
                }
                Change::End(delta) => {
                    self.follow_coordinators(io, Some(&delta));
                    let core = self.core;
                    self.pass(io, 0, Mail::Replayed { core });
                }
            }
        }
    }

    /// Does all that is left: the logs are about to be closed.
    pub(super) fn apply_all_changes(&mut self, io: &mut Io<Mail>) {
        while !self.logs.changes.is_empty() {
            self.apply_changes(io);
        }
    }
}
