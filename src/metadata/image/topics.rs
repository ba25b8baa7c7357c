//! The topics of an image, by id and by name, with their partitions.

use super::partition::{NO_LEADER, Partition};
use crate::base::collections::HashMap;
use crate::base::convert::usize_from_u32;
use crate::base::ids::{LeaderEpoch, NodeId, PartitionIndex, TopicId};
use crate::base::limits::PARTITIONS_PER_TOPIC_MAX;
use crate::metadata::delta::MetadataDelta;
use crate::metadata::error::ReplayError;
use crate::protocol::metadata_records::{
    ClearElrRecord, PartitionChangeRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One topic. Its partitions are numbered from 0 without a gap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// Unique among the topics that exist now.
    pub name: Arc<str>,
    /// Unique for ever.
    pub id: TopicId,
    partitions: Vec<Partition>,
}

/// All topics.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TopicsImage {
    by_id: HashMap<TopicId, Topic>,
    // Clients choose the names: an ordered map, which no choice of names degrades, and in whose
    // order DescribeTopicPartitions pages.
    by_name: BTreeMap<Arc<str>, TopicId>,
    partition_count: usize,
}

impl Topic {
    /// One partition.
    #[must_use]
    pub fn partition(&self, partition: PartitionIndex) -> Option<&Partition> {
        let index = usize::try_from(partition.0).ok()?;
        self.partitions
            .get(index)
            .filter(|partition| partition.exists())
    }

    /// How many partitions there are.
    #[must_use]
    pub fn partition_count(&self) -> usize {
        self.partitions.len()
    }

    /// All partitions, from 0 on.
    pub fn partitions(&self) -> impl Iterator<Item = (PartitionIndex, &Partition)> {
        (0_i32..)
            .map(PartitionIndex)
            .zip(&self.partitions)
            .filter(|(_, partition)| partition.exists())
    }
}

impl TopicsImage {
    /// A topic by its id.
    #[must_use]
    pub fn by_id(&self, id: TopicId) -> Option<&Topic> {
        self.by_id.get(&id)
    }

    /// A topic by its name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Topic> {
        self.by_id.get(self.by_name.get(name)?)
    }

    /// One partition of a topic, by id.
    #[must_use]
    pub fn partition(&self, topic_id: TopicId, partition: PartitionIndex) -> Option<&Partition> {
        self.by_id(topic_id)?.partition(partition)
    }

    /// All topics, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Topic> {
        self.by_name.values().filter_map(|id| self.by_id.get(id))
    }

    /// Topics sorted by name, from `name` on (itself included, where it exists).
    pub fn from_name(&self, name: &str) -> impl Iterator<Item = &Topic> {
        let from = (std::ops::Bound::Included(name), std::ops::Bound::Unbounded);
        self.by_name
            .range::<str, _>(from)
            .filter_map(|(_, id)| self.by_id.get(id))
    }

    /// How many topics there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// How many partitions all topics have together.
    #[must_use]
    pub fn partition_count(&self) -> usize {
        self.partition_count
    }

    pub(super) fn replay_topic(
        &mut self,
        record: &TopicRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        let name: Arc<str> = Arc::from(&*record.name);
        let id = record.topic_id;
        if self.by_name.contains_key(&name) || self.by_id.contains_key(&id) {
            let why = format!("topic {name} with id {id} exists already");
            return Err(ReplayError::record("TopicRecord", why));
        }
        self.by_name.insert(Arc::clone(&name), id);
        self.by_id.insert(
            id,
            Topic {
                name,
                id,
                partitions: Vec::new(),
            },
        );
        delta.topic_created(id);
        Ok(())
    }

    pub(super) fn replay_partition(
        &mut self,
        record: &PartitionRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        let error = error_in("PartitionRecord", record.topic_id, record.partition_id);
        let index = u32::try_from(record.partition_id)
            .map(usize_from_u32)
            .ok()
            .filter(|&index| index < PARTITIONS_PER_TOPIC_MAX)
            .ok_or_else(|| error(format!("a topic has at most {PARTITIONS_PER_TOPIC_MAX}")))?;
        let partition = Partition::from_record(record).map_err(&error)?;
        let topic = self
            .by_id
            .get_mut(&record.topic_id)
            .ok_or_else(|| error("there is no such topic".to_owned()))?;
        if index >= topic.partitions.len() {
            self.partition_count += index + 1 - topic.partitions.len();
            topic.partitions.resize(index + 1, Partition::absent());
        }
        let before = std::mem::replace(&mut topic.partitions[index], partition);
        let partition_index = PartitionIndex(record.partition_id);
        if before.exists() {
            delta.partition_changed(topic.id, partition_index, &before);
        } else {
            delta.partition_created(topic.id, partition_index);
        }
        Ok(())
    }

    pub(super) fn replay_partition_change(
        &mut self,
        record: &PartitionChangeRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        let error = error_in(
            "PartitionChangeRecord",
            record.topic_id,
            record.partition_id,
        );
        let partition = self
            .by_id
            .get_mut(&record.topic_id)
            .zip(usize::try_from(record.partition_id).ok())
            .and_then(|(topic, index)| topic.partitions.get_mut(index))
            .filter(|partition| partition.exists())
            .ok_or_else(|| error("there is no such partition".to_owned()))?;
        let before = partition.clone();
        partition.merge(record).map_err(error)?;
        delta.partition_changed(
            record.topic_id,
            PartitionIndex(record.partition_id),
            &before,
        );
        Ok(())
    }

    /// Returns the name of the removed topic.
    pub(super) fn replay_remove(
        &mut self,
        record: &RemoveTopicRecord,
        delta: &mut MetadataDelta,
    ) -> Result<Arc<str>, ReplayError> {
        let topic = self.by_id.remove(&record.topic_id).ok_or_else(|| {
            let why = format!("there is no topic with id {}", record.topic_id);
            ReplayError::record("RemoveTopicRecord", why)
        })?;
        self.by_name.remove(&topic.name);
        self.partition_count -= topic.partitions.len();
        let name = Arc::clone(&topic.name);
        delta.topic_deleted(topic);
        Ok(name)
    }

    pub(super) fn replay_clear_elr(&mut self, record: &ClearElrRecord, delta: &mut MetadataDelta) {
        // An empty name means every topic (KIP-966).
        let ids: Vec<TopicId> = if record.topic_name.is_empty() {
            self.by_name.values().copied().collect()
        } else {
            self.by_name
                .get(&*record.topic_name)
                .copied()
                .into_iter()
                .collect()
        };
        for id in ids {
            let Some(topic) = self.by_id.get_mut(&id) else {
                continue;
            };
            for (index, partition) in (0_i32..).zip(&mut topic.partitions) {
                let before = partition.clone();
                if partition.clear_elr() {
                    delta.partition_changed(id, PartitionIndex(index), &before);
                }
            }
        }
    }

    /// Whether every topic's partitions are numbered without a gap: what a whole batch leaves.
    pub(super) fn first_gap(&self, topic_id: TopicId) -> Option<PartitionIndex> {
        let topic = self.by_id.get(&topic_id)?;
        let gap = topic
            .partitions
            .iter()
            .position(|partition| !partition.exists())?;
        i32::try_from(gap).ok().map(PartitionIndex)
    }
}

/// What is wrong with a record about a partition.
fn error_in(
    record: &'static str,
    topic_id: TopicId,
    partition_id: i32,
) -> impl Fn(String) -> ReplayError {
    move |why| {
        let place = format!("partition {partition_id} of topic id {topic_id}");
        ReplayError::record(record, format!("{place}: {why}"))
    }
}

impl Partition {
    /// The leader, where there is one.
    #[must_use]
    pub fn leader(&self) -> Option<(NodeId, LeaderEpoch)> {
        (self.leader != NO_LEADER).then_some((self.leader, self.leader_epoch))
    }
}
