//! Who gets which partitions: pure functions from what members want and have to what each shall
//! have. They know nothing of epochs, records and time.
//!
//! - [`uniform`]: everybody has as many as everybody else, and keeps what it has.
//! - [`range`]: of each topic, the members have ranges in the order of their names, so that
//!   partitions of the same number of several topics go to the same member.

mod chains;
pub mod range;
pub mod uniform;

use crate::base::ids::{TopicId, TopicPartition};
use crate::protocol::string::Str;

/// A topic that somebody subscribes to.
#[derive(Clone, Debug)]
pub struct TopicSpec {
    /// Its id.
    pub id: TopicId,
    /// How many partitions it has.
    pub partition_count: usize,
    /// Of each partition, the racks in which it has a replica; empty where racks do not matter.
    pub racks: Vec<Vec<usize>>,
}

/// A member that wants partitions.
#[derive(Clone, Debug)]
pub struct MemberSpec<'a> {
    /// Its id.
    pub id: &'a Str,
    /// The name by which it comes back, where it has one.
    pub instance_id: Option<&'a Str>,
    /// Its rack, where it has one that holds replicas.
    pub rack: Option<usize>,
    /// Which of [`Spec::subscriptions`] is its own.
    pub subscription: usize,
    /// What it was to have until now, sorted.
    pub target: &'a [TopicPartition],
}

/// What is to be assigned.
#[derive(Clone, Debug, Default)]
pub struct Spec<'a> {
    /// Topics, sorted by id, each once.
    pub topics: Vec<TopicSpec>,
    /// The different sets of topics that members want: sorted indices of `topics`.
    pub subscriptions: Vec<Vec<usize>>,
    /// Members, each once.
    pub members: Vec<MemberSpec<'a>>,
}

/// The partitions of each member, in the order of the members; sorted.
pub type Assignment = Vec<Vec<TopicPartition>>;

/// A way to assign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Assignor {
    /// [`uniform`].
    Uniform,
    /// [`range`].
    Range,
}

impl Assignor {
    /// The assignor of that name, or of that class of Apache's.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Assignor> {
        match name {
            "uniform" | "org.apache.kafka.coordinator.group.assignor.UniformAssignor" => {
                Some(Assignor::Uniform)
            }
            "range" | "org.apache.kafka.coordinator.group.assignor.RangeAssignor" => {
                Some(Assignor::Range)
            }
            _ => None,
        }
    }

    /// Kafka's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Assignor::Uniform => "uniform",
            Assignor::Range => "range",
        }
    }

    /// What each member shall have.
    #[must_use]
    pub fn assign(self, spec: &Spec<'_>) -> Assignment {
        match self {
            Assignor::Uniform => uniform::assign(spec),
            Assignor::Range => range::assign(spec),
        }
    }
}

/// Partitions of all topics in one row: the first topic's, then the second's.
pub(super) struct Row<'a> {
    topics: &'a [TopicSpec],
    first: Vec<usize>,
    count: usize,
}

impl<'a> Row<'a> {
    pub(super) fn new(topics: &'a [TopicSpec]) -> Row<'a> {
        let mut count = 0;
        let mut first = Vec::with_capacity(topics.len());
        for topic in topics {
            first.push(count);
            count += topic.partition_count;
        }
        Row {
            topics,
            first,
            count,
        }
    }

    /// How many partitions there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Places of a topic's partitions.
    pub(super) fn places(&self, topic: usize) -> std::ops::Range<usize> {
        let first = self.first[topic];
        first..first + self.topics[topic].partition_count
    }

    /// Topic and place of each partition of a sorted list that still exists.
    pub(super) fn existing<'b>(
        &'b self,
        partitions: &'b [TopicPartition],
    ) -> impl Iterator<Item = (usize, usize)> + 'b {
        let mut last: Option<(TopicId, Option<usize>)> = None;
        partitions.iter().filter_map(move |partition| {
            let topic = match last {
                Some((id, topic)) if id == partition.topic_id => topic,
                Some(_) | None => {
                    let found = self
                        .topics
                        .binary_search_by(|topic| topic.id.cmp(&partition.topic_id))
                        .ok();
                    last = Some((partition.topic_id, found));
                    found
                }
            }?;
            let number = usize::try_from(partition.partition.0).ok()?;
            (number < self.topics[topic].partition_count)
                .then(|| (topic, self.first[topic] + number))
        })
    }

    /// The partitions of each member, when it is known whose each place is.
    pub(super) fn assignment(&self, owners: &[usize], member_count: usize) -> Assignment {
        let mut counts = vec![0; member_count];
        for &owner in owners.iter().filter(|&&owner| owner < member_count) {
            counts[owner] += 1;
        }
        let mut assignment: Assignment = counts.into_iter().map(Vec::with_capacity).collect();
        for (topic, spec) in self.topics.iter().enumerate() {
            for (place, number) in self.places(topic).zip(0..) {
                if let Some(partitions) = assignment.get_mut(owners[place]) {
                    partitions.push(TopicPartition {
                        topic_id: spec.id,
                        partition: crate::base::ids::PartitionIndex(number),
                    });
                }
            }
        }
        assignment
    }
}

#[cfg(test)]
mod tests;
