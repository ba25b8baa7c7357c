//! What one batch of records changed in an image: what a shard acts on. It names what changed; how
//! it is now stands in the image.

use crate::base::ids::{LeaderEpoch, NodeId, PartitionIndex, TopicId, TopicPartition};
use crate::metadata::image::configs::ConfigResource;
use crate::metadata::image::partition::Partition;
use crate::metadata::image::topics::Topic;
use std::collections::{BTreeMap, BTreeSet};

/// How a partition came to differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartitionDelta {
    /// It did not exist before.
    Created,
    /// It existed; this is how it was led.
    Changed {
        /// The leader before, or -1.
        leader_before: NodeId,
        /// Its epoch before.
        leader_epoch_before: LeaderEpoch,
        /// The partition epoch before.
        partition_epoch_before: i32,
    },
}

/// What one batch, or one metadata transaction, changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MetadataDelta {
    /// Topics that exist now and did not before. Their partitions stand in `partitions`.
    pub topics_created: BTreeSet<TopicId>,
    /// Topics that are gone, as they were: their logs are to be deleted.
    pub topics_deleted: Vec<Topic>,
    /// Partitions that exist and are new or different, in the order of their topics' ids.
    pub partitions: BTreeMap<TopicPartition, PartitionDelta>,
    /// Resources of which some setting was set or deleted.
    pub configs: BTreeSet<ConfigResource>,
    /// Brokers registered, changed, or unregistered.
    pub brokers: BTreeSet<NodeId>,
    /// Whether a controller was registered or unregistered.
    pub controllers: bool,
    /// Whether a feature level changed.
    pub features: bool,
    /// Whether the next producer id moved on.
    pub producer_ids: bool,
    /// Whether a client quota changed.
    pub client_quotas: bool,
    /// Whether an access control entry came or went.
    pub acls: bool,
    /// Whether a SCRAM credential came or went.
    pub scram: bool,
    /// Whether a delegation token came or went.
    pub delegation_tokens: bool,
}

impl MetadataDelta {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == MetadataDelta::default()
    }

    /// Adds what a later batch changed.
    pub fn absorb(&mut self, later: MetadataDelta) {
        for topic in later.topics_deleted {
            self.topic_deleted(topic);
        }
        self.topics_created.extend(later.topics_created);
        for (partition, delta) in later.partitions {
            self.partitions.entry(partition).or_insert(delta);
        }
        self.configs.extend(later.configs);
        self.brokers.extend(later.brokers);
        self.controllers |= later.controllers;
        self.features |= later.features;
        self.producer_ids |= later.producer_ids;
        self.client_quotas |= later.client_quotas;
        self.acls |= later.acls;
        self.scram |= later.scram;
        self.delegation_tokens |= later.delegation_tokens;
    }

    pub(super) fn topic_created(&mut self, id: TopicId) {
        self.topics_created.insert(id);
    }

    pub(super) fn topic_deleted(&mut self, topic: Topic) {
        let first = TopicPartition {
            topic_id: topic.id,
            partition: PartitionIndex(0),
        };
        let last = TopicPartition {
            topic_id: topic.id,
            partition: PartitionIndex(i32::MAX),
        };
        let gone: Vec<TopicPartition> = self
            .partitions
            .range(first..=last)
            .map(|(&partition, _)| partition)
            .collect();
        for partition in gone {
            self.partitions.remove(&partition);
        }
        // Who created a topic and deleted it in one batch has changed nothing.
        if !self.topics_created.remove(&topic.id) {
            self.topics_deleted.push(topic);
        }
    }

    pub(super) fn partition_created(&mut self, topic_id: TopicId, partition: PartitionIndex) {
        self.partitions.insert(
            TopicPartition {
                topic_id,
                partition,
            },
            PartitionDelta::Created,
        );
    }

    pub(super) fn partition_changed(
        &mut self,
        topic_id: TopicId,
        partition: PartitionIndex,
        before: &Partition,
    ) {
        self.partitions
            .entry(TopicPartition {
                topic_id,
                partition,
            })
            .or_insert(PartitionDelta::Changed {
                leader_before: before.leader,
                leader_epoch_before: before.leader_epoch,
                partition_epoch_before: before.partition_epoch,
            });
    }
}
