//! From a topic as a request names it to the partition that is meant, or Kafka's error.

use super::Context;
use crate::base::ids::{PartitionIndex, TopicId, TopicPartition};
use crate::metadata::image::topics::Topic;
use crate::protocol::errors::ErrorCode;
use crate::protocol::string::Str;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

impl<'a> Context<'a> {
    /// Finds a topic by id where the request has one, else by name.
    pub(super) fn find_topic(&self, id: TopicId, name: &str) -> Result<&'a Topic, ErrorCode> {
        if id == TopicId::ZERO {
            self.image
                .topics
                .by_name(name)
                .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
        } else {
            self.image
                .topics
                .by_id(id)
                .ok_or(ErrorCode::UNKNOWN_TOPIC_ID)
        }
    }

    /// Finds a topic by what the request's version calls it. An id of zero is then an id like
    /// another, of no topic.
    pub(super) fn find_called(
        &self,
        uses_topic_ids: bool,
        id: TopicId,
        name: &str,
    ) -> Result<&'a Topic, ErrorCode> {
        match uses_topic_ids {
            true => self
                .image
                .topics
                .by_id(id)
                .ok_or(ErrorCode::UNKNOWN_TOPIC_ID),
            false => self.find_topic(TopicId::ZERO, name),
        }
    }

    /// Finds a partition of a topic by name.
    pub(super) fn find(&self, name: &str, partition: i32) -> Result<TopicPartition, ErrorCode> {
        let topic = self.find_topic(TopicId::ZERO, name)?;
        within(topic, partition)
    }
}

/// A partition of a topic, if the topic has it.
pub(super) fn within(topic: &Topic, partition: i32) -> Result<TopicPartition, ErrorCode> {
    let partition = PartitionIndex(partition);
    match topic.partition(partition) {
        Some(_) => Ok(TopicPartition {
            topic_id: topic.id,
            partition,
        }),
        None => Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
    }
}

/// What is asked of partitions, each topic and each partition once, as Apache keeps them in a map:
/// topics in the order of the request, without those that name no partition. Where a partition is
/// named again, `again` is given what was asked of it before and what is asked now.
pub(super) fn once_each<P>(
    asked: impl Iterator<Item = (Str, i32, P)>,
    again: impl Fn(&mut P, P),
) -> Vec<(Str, BTreeMap<i32, P>)> {
    let mut places: BTreeMap<Str, usize> = BTreeMap::new();
    let mut topics: Vec<(Str, BTreeMap<i32, P>)> = Vec::new();
    for (topic, partition, what) in asked {
        let place = *places.entry(topic).or_insert_with_key(|topic| {
            topics.push((topic.clone(), BTreeMap::new()));
            topics.len() - 1
        });
        match topics[place].1.entry(partition) {
            Entry::Vacant(vacant) => {
                vacant.insert(what);
            }
            Entry::Occupied(mut known) => again(known.get_mut(), what),
        }
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_twice_is_asked_once() {
        let asked = [("b", 2, 'x'), ("a", 0, 'y'), ("b", 1, 'z'), ("b", 2, 'w')];
        let asked = asked.map(|(topic, partition, what)| (Str::from(topic), partition, what));
        let topics = once_each(asked.into_iter(), |before, now| *before = now);
        let shown: Vec<_> = topics
            .iter()
            .map(|(topic, partitions)| (topic.as_str(), partitions.iter().collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            shown,
            [("b", vec![(&1, &'z'), (&2, &'w')]), ("a", vec![(&0, &'y')])]
        );
    }
}
