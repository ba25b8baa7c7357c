//! From a topic as a request names it to the partition that is meant, or Kafka's error.

use super::Context;
use crate::base::ids::{PartitionIndex, TopicId, TopicPartition};
use crate::metadata::image::topics::Topic;
use crate::protocol::errors::ErrorCode;

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
