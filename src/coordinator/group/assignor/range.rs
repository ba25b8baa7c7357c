//! Ranges: of each topic, its subscribers get equal ranges of partitions, one after the other in
//! the order of their instance ids and then of their member ids; the first get one more where it
//! does not come out even. Topics with equally many partitions and the same subscribers are so
//! assigned alike, which joins of streams rely on.

use super::{Assignment, Spec};
use crate::base::ids::{PartitionIndex, TopicPartition};

/// What each member shall have.
#[must_use]
pub fn assign(spec: &Spec<'_>) -> Assignment {
    let mut order: Vec<usize> = (0..spec.members.len()).collect();
    order.sort_by_key(|&member| {
        let member = &spec.members[member];
        // Members with an instance id come first.
        (member.instance_id.is_none(), member.instance_id, member.id)
    });

    let mut subscriber_counts = vec![0_usize; spec.topics.len()];
    for member in &spec.members {
        for &topic in &spec.subscriptions[member.subscription] {
            subscriber_counts[topic] += 1;
        }
    }

    // Of each topic: the next partition, and how many still get one more than the others.
    let mut next = vec![0_usize; spec.topics.len()];
    let mut extra: Vec<usize> = spec
        .topics
        .iter()
        .zip(&subscriber_counts)
        .map(|(topic, &count)| topic.partition_count.checked_rem(count).unwrap_or(0))
        .collect();

    let mut assignment = vec![Vec::new(); spec.members.len()];
    for member in order {
        for &topic in &spec.subscriptions[spec.members[member].subscription] {
            let mut quota = spec.topics[topic].partition_count / subscriber_counts[topic];
            if extra[topic] > 0 {
                extra[topic] -= 1;
                quota += 1;
            }
            let range = next[topic]..next[topic] + quota;
            next[topic] = range.end;
            assignment[member].extend(range.filter_map(|number| {
                Some(TopicPartition {
                    topic_id: spec.topics[topic].id,
                    partition: PartitionIndex(i32::try_from(number).ok()?),
                })
            }));
        }
    }
    assignment
}
