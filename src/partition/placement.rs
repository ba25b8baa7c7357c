//! Which core owns a partition: computed alike on every core, so that nobody has to ask.

use crate::base::collections::FoldHasher;
use crate::base::convert::{u64_from, usize_from};
use crate::base::ids::TopicPartition;
use std::hash::Hasher;

/// The core that owns a partition. The partitions of one topic follow each other around the cores,
/// beginning at a core that its id decides.
#[must_use]
pub fn owner(topic_partition: TopicPartition, cores: usize) -> usize {
    let mut hasher = FoldHasher::default();
    hasher.write(&topic_partition.topic_id.0);
    let index = u64::from(topic_partition.partition.0.unsigned_abs());
    let start = hasher.finish() >> 32;
    usize_from((start + index) % u64_from(cores))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::PartitionIndex;
    use crate::base::uuid::Uuid;

    #[test]
    fn partitions_spread_evenly() {
        let topic_id = Uuid::from_random(3, 9);
        let mut counts = [0; 4];
        for index in 0..16 {
            counts[owner(
                TopicPartition {
                    topic_id,
                    partition: PartitionIndex(index),
                },
                4,
            )] += 1;
        }
        assert_eq!(counts, [4; 4]);
    }
}
