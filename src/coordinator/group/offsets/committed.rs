//! What one group has committed, by topic and partition.

use super::partitions::{Entry, Partitions, Rare};
use crate::base::ids::{LeaderEpoch, Offset, TopicId};
use crate::base::time::Timestamp;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The committed offsets of one group.
#[derive(Default, Debug)]
pub struct Offsets {
    // Clients choose the names: a tree, which no choice of keys degrades.
    topics: BTreeMap<Box<str>, Topic>,
}

/// Those of one topic; it has at least one.
#[derive(Debug)]
struct Topic {
    /// The id that the first of them was committed with; those with another say so themselves.
    topic_id: TopicId,
    partitions: Partitions,
}

/// What is committed for one partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Committed<'a> {
    /// The next record to consume.
    pub offset: Offset,
    /// Of the last record consumed, or -1.
    pub leader_epoch: LeaderEpoch,
    /// What the client wants to remember with it, perhaps empty.
    pub metadata: &'a str,
    /// When it was committed.
    pub commit_timestamp: Timestamp,
    /// When it expires, where the client said so (OffsetCommit 2 to 4); else -1.
    pub expire_timestamp: Timestamp,
    /// The topic's, where it was known; else zero.
    pub topic_id: TopicId,
}

impl Offsets {
    /// Whether nothing is committed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// How many partitions have a committed offset.
    #[must_use]
    pub fn len(&self) -> usize {
        self.topics
            .values()
            .map(|topic| topic.partitions.len())
            .sum()
    }

    /// What is committed for a partition.
    #[must_use]
    pub fn get(&self, topic: &str, partition: i32) -> Option<Committed<'_>> {
        self.topic(topic)?.get(partition)
    }

    /// The offsets of one topic; `None` where it has none.
    #[must_use]
    pub fn topic(&self, topic: &str) -> Option<TopicOffsets<'_>> {
        self.topics.get(topic).map(TopicOffsets)
    }

    /// All topics with their offsets, sorted by name, partitions sorted by number.
    pub fn topics(&self) -> impl Iterator<Item = (&str, TopicOffsets<'_>)> {
        self.from_topic("")
    }

    /// The same, from a name on (itself included).
    pub fn from_topic(&self, name: &str) -> impl Iterator<Item = (&str, TopicOffsets<'_>)> {
        self.topics
            .range::<str, _>((Bound::Included(name), Bound::Unbounded))
            .map(|(name, topic)| (&**name, TopicOffsets(topic)))
    }

    /// Puts an offset in, instead of the one that its partition had.
    pub(super) fn insert(&mut self, topic: &str, partition: i32, committed: &Committed<'_>) {
        if let Some(known) = self.topics.get_mut(topic) {
            known.insert(partition, committed);
        } else {
            let mut made = Topic {
                topic_id: committed.topic_id,
                partitions: Partitions::default(),
            };
            made.insert(partition, committed);
            self.topics.insert(topic.into(), made);
        }
    }

    /// Takes an offset out. False where there was none.
    pub(super) fn remove(&mut self, topic: &str, partition: i32) -> bool {
        let Some(found) = self.topics.get_mut(topic) else {
            return false;
        };
        let removed = found.partitions.remove(partition);
        if found.partitions.is_empty() {
            self.topics.remove(topic);
        }
        removed
    }
}

/// The committed offsets of one topic.
#[derive(Clone, Copy, Debug)]
pub struct TopicOffsets<'a>(&'a Topic);

impl<'a> TopicOffsets<'a> {
    /// What is committed for a partition.
    #[must_use]
    pub fn get(self, partition: i32) -> Option<Committed<'a>> {
        let entry = self.0.partitions.get(partition)?;
        Some(self.0.committed(entry))
    }

    /// How many partitions have a committed offset.
    #[must_use]
    pub fn partition_count(self) -> usize {
        self.0.partitions.len()
    }

    /// All of them, sorted by partition.
    pub fn iter(self) -> impl Iterator<Item = (i32, Committed<'a>)> {
        let Topic { partitions, .. } = self.0;
        partitions
            .iter()
            .map(move |entry| (entry.partition, self.0.committed(entry)))
    }
}

impl Topic {
    fn insert(&mut self, partition: i32, committed: &Committed<'_>) {
        let is_plain = committed.metadata.is_empty()
            && committed.expire_timestamp == Timestamp::NONE
            && committed.topic_id == self.topic_id;
        let rare = (!is_plain).then(|| {
            Box::new(Rare {
                metadata: committed.metadata.into(),
                expire_timestamp: committed.expire_timestamp.0,
                topic_id: committed.topic_id,
            })
        });
        self.partitions.insert(Entry {
            partition,
            leader_epoch: committed.leader_epoch.0,
            offset: committed.offset.0,
            commit_timestamp: committed.commit_timestamp.0,
            rare,
        });
    }

    fn committed<'a>(&'a self, entry: &'a Entry) -> Committed<'a> {
        let (metadata, expire_timestamp, topic_id) = match &entry.rare {
            Some(rare) => (&*rare.metadata, rare.expire_timestamp, rare.topic_id),
            None => ("", Timestamp::NONE.0, self.topic_id),
        };
        Committed {
            offset: Offset(entry.offset),
            leader_epoch: LeaderEpoch(entry.leader_epoch),
            metadata,
            commit_timestamp: Timestamp(entry.commit_timestamp),
            expire_timestamp: Timestamp(expire_timestamp),
            topic_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(offset: i64, metadata: &str, topic_id: TopicId) -> Committed<'_> {
        Committed {
            offset: Offset(offset),
            leader_epoch: LeaderEpoch(3),
            metadata,
            commit_timestamp: Timestamp(1_000),
            expire_timestamp: Timestamp::NONE,
            topic_id,
        }
    }

    #[test]
    fn gives_back_what_was_put_in_whole() {
        let (one, other) = (TopicId::from_random(1, 1), TopicId::from_random(2, 2));
        let mut offsets = Offsets::default();
        let mut expiring = committed(5, "", one);
        expiring.expire_timestamp = Timestamp(9);
        let all = [
            committed(1, "", one),
            committed(2, "why", one),
            committed(3, "", other),
            committed(4, "", TopicId::ZERO),
            expiring,
        ];
        for (partition, committed) in (0..).zip(&all) {
            offsets.insert("t", partition, committed);
        }
        for (partition, committed) in (0..).zip(&all) {
            assert_eq!(offsets.get("t", partition), Some(*committed));
        }
        assert_eq!(offsets.len(), 5);
        assert_eq!(offsets.get("t", 5), None);
        assert_eq!(offsets.get("u", 0), None);

        let plain = offsets.topics["t"].partitions.get(0).expect("committed");
        assert_eq!(plain.rare, None, "a plain offset costs nothing more");
    }

    #[test]
    fn a_topic_without_offsets_is_gone() {
        let mut offsets = Offsets::default();
        offsets.insert("b", 0, &committed(1, "", TopicId::ZERO));
        offsets.insert("a", 7, &committed(2, "", TopicId::ZERO));
        let names: Vec<&str> = offsets.topics().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(!offsets.remove("a", 0));
        assert!(offsets.remove("a", 7));
        assert!(!offsets.remove("a", 7));
        assert!(offsets.topic("a").is_none());
        assert!(offsets.remove("b", 0));
        assert!(offsets.is_empty());
    }
}
