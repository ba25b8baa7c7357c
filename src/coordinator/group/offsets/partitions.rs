//! The committed offsets of one topic in one group, sorted by partition. There may be a million of
//! them on a broker: an entry has 32 bytes, and what most entries lack is kept elsewhere.
//!
//! ```text
//!   runs   [ 0 1 2 … 255 ]  [ 256 … 511 ]  [ 512 … ]      each run a vector, sorted, never empty
//! ```
//! Two levels, so that a client that commits hostile partitions in a hostile order moves at most one
//! run at each insertion. Partitions that come in order, as they do, leave runs that are full.

use crate::base::ids::TopicId;

/// Entries of a full run.
const RUN: usize = 256;

/// What is committed for one partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub partition: i32,
    pub leader_epoch: i32,
    pub offset: i64,
    pub commit_timestamp: i64,
    /// `None` where the metadata is empty, nothing was said of expiry, and the topic's id is the one
    /// that the topic's other partitions have.
    pub rare: Option<Box<Rare>>,
}

const _: () = assert!(size_of::<Entry>() == 32);

/// What most committed offsets do not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rare {
    pub metadata: Box<str>,
    pub expire_timestamp: i64,
    pub topic_id: TopicId,
}

/// The entries of a topic.
#[derive(Default, Debug)]
pub(super) struct Partitions {
    runs: Vec<Vec<Entry>>,
}

impl Partitions {
    pub fn get(&self, partition: i32) -> Option<&Entry> {
        let run = self.runs.get(self.run_of(partition))?;
        let index = position(run, partition).ok()?;
        run.get(index)
    }

    /// Puts an entry in, instead of the one that its partition had.
    pub fn insert(&mut self, entry: Entry) {
        let at = self.run_of(entry.partition);
        let Some(run) = self.runs.get_mut(at) else {
            // The first: with no room to spare, for groups that have no more of the topic.
            self.runs = vec![vec![entry]];
            return;
        };
        match position(run, entry.partition) {
            Ok(index) => run[index] = entry,
            Err(index) if run.len() < RUN => run.insert(index, entry),
            Err(index) if index == RUN => self.runs.insert(at + 1, vec![entry]),
            Err(index) => {
                let mut upper = run.split_off(RUN / 2);
                match index.checked_sub(RUN / 2) {
                    Some(index) => upper.insert(index, entry),
                    None => run.insert(index, entry),
                }
                self.runs.insert(at + 1, upper);
            }
        }
    }

    /// Takes an entry out. False where there was none.
    pub fn remove(&mut self, partition: i32) -> bool {
        let at = self.run_of(partition);
        let Some(run) = self.runs.get_mut(at) else {
            return false;
        };
        let Ok(index) = position(run, partition) else {
            return false;
        };
        run.remove(index);
        if run.is_empty() {
            self.runs.remove(at);
        } else if run.len() * 4 <= run.capacity() {
            run.shrink_to_fit();
        }
        true
    }

    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub fn len(&self) -> usize {
        self.runs.iter().map(Vec::len).sum()
    }

    /// All entries, sorted by partition.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.runs.iter().flatten()
    }

    /// The run in which a partition is, or would be: the last that begins at or before it.
    fn run_of(&self, partition: i32) -> usize {
        self.runs
            .partition_point(|run| {
                run.first()
                    .is_some_and(|first| first.partition <= partition)
            })
            .saturating_sub(1)
    }
}

/// Where a partition is in its run, or where it would go.
fn position(run: &[Entry], partition: i32) -> Result<usize, usize> {
    run.binary_search_by_key(&partition, |entry| entry.partition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use std::collections::BTreeMap;

    fn entry(partition: i32, offset: i64) -> Entry {
        Entry {
            partition,
            leader_epoch: -1,
            offset,
            commit_timestamp: 0,
            rare: None,
        }
    }

    #[test]
    fn is_a_sorted_map_whatever_is_done_to_it() {
        for seed in 0..50 {
            let mut prng = Prng::new(seed);
            let mut partitions = Partitions::default();
            let mut expected = BTreeMap::new();
            let bound = [4, 300, 5_000][prng.index(3)];
            for step in 0..3_000 {
                let partition = i32::try_from(prng.below(bound)).expect("small") - 2;
                if prng.one_in(3) {
                    let removed = partitions.remove(partition);
                    assert_eq!(removed, expected.remove(&partition).is_some());
                } else {
                    partitions.insert(entry(partition, step));
                    expected.insert(partition, step);
                }
            }
            assert_eq!(partitions.len(), expected.len());
            assert_eq!(partitions.is_empty(), expected.is_empty());
            let found: Vec<(i32, i64)> = partitions
                .iter()
                .map(|entry| (entry.partition, entry.offset))
                .collect();
            assert_eq!(found, expected.clone().into_iter().collect::<Vec<_>>());
            for partition in [i32::MIN, -2, 0, 77, i32::MAX] {
                let offset = partitions.get(partition).map(|entry| entry.offset);
                assert_eq!(offset, expected.get(&partition).copied());
            }
        }
    }

    #[test]
    fn partitions_in_order_leave_full_runs() {
        let mut partitions = Partitions::default();
        for partition in 0..1_000 {
            partitions.insert(entry(partition, 1));
        }
        assert_eq!(partitions.runs.len(), 4);
        for partition in 0..1_000 {
            assert!(partitions.remove(partition));
        }
        assert!(partitions.is_empty());
    }
}
