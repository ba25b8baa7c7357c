//! Lists of partitions, sorted and each once: what members shall have and have. A list is searched
//! by halves and costs 20 to 24 bytes a partition.

use crate::base::ids::{PartitionIndex, TopicId, TopicPartition};
use crate::protocol::messages::consumer_group_heartbeat::request;

/// Partitions, sorted, each once.
pub type Partitions = Vec<TopicPartition>;

/// Partitions that a member has, sorted, each once, each with the epoch of the member in which it
/// was assigned. KIP-1251.
pub type Held = Vec<(TopicPartition, i32)>;

/// The partition of that topic and number.
#[must_use]
pub fn partition(topic_id: TopicId, number: i32) -> TopicPartition {
    TopicPartition {
        topic_id,
        partition: PartitionIndex(number),
    }
}

/// Whether a sorted list has the partition.
#[must_use]
pub fn contains(sorted: &[TopicPartition], partition: TopicPartition) -> bool {
    sorted.binary_search(&partition).is_ok()
}

/// The epoch in which a held partition was assigned.
#[must_use]
pub fn epoch_of(held: &[(TopicPartition, i32)], partition: TopicPartition) -> Option<i32> {
    let place = held.binary_search_by(|(one, _)| one.cmp(&partition)).ok()?;
    Some(held[place].1)
}

/// Partitions by topic, as messages list them: numbers in the order in which they come.
pub fn by_topic(partitions: impl IntoIterator<Item = TopicPartition>) -> Vec<(TopicId, Vec<i32>)> {
    let mut topics: Vec<(TopicId, Vec<i32>)> = Vec::new();
    for partition in partitions {
        match topics.last_mut() {
            Some((id, numbers)) if *id == partition.topic_id => numbers.push(partition.partition.0),
            Some(_) | None => topics.push((partition.topic_id, vec![partition.partition.0])),
        }
    }
    topics
}

/// What a member says that it has. `None` where it did not say: it may have anything.
#[derive(Clone, Copy, Debug)]
pub struct Owned<'a>(pub Option<&'a [request::TopicPartitions]>);

impl Owned<'_> {
    /// Whether it has none that is not in `held`; false where it did not say.
    #[must_use]
    pub fn is_subset_of(self, held: &[(TopicPartition, i32)]) -> bool {
        self.0.is_some_and(|topics| {
            topics.iter().all(|topic| {
                topic
                    .partitions
                    .iter()
                    .all(|&number| epoch_of(held, partition(topic.topic_id, number)).is_some())
            })
        })
    }

    /// Whether it has one of `held`; true where it did not say.
    #[must_use]
    pub fn has_any_of(self, held: &[(TopicPartition, i32)]) -> bool {
        self.0.is_none_or(|topics| {
            topics.iter().any(|topic| {
                topic
                    .partitions
                    .iter()
                    .any(|&number| epoch_of(held, partition(topic.topic_id, number)).is_some())
            })
        })
    }

    /// Whether it said that it has nothing.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self.0.is_some_and(<[_]>::is_empty)
    }
}
