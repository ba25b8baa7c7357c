//! One partition that this broker leads: its log, its high watermark, and who watches it.

use super::work::{Origin, Watcher};
use crate::base::ids::{LeaderEpoch, Offset, TopicPartition};
use crate::base::time::Instant;
use crate::log::Log;
use crate::protocol::errors::ErrorCode;
use crate::protocol::string::Str;

/// A sync of one log, file by file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sync {
    /// Everything below this offset will be durable.
    pub(super) up_to: Offset,
    /// Files, and the directory, that are still being synced.
    pub(super) files: usize,
    /// Whether one of them could not be opened, for lack of descriptors: it is done again.
    pub(super) is_unopened: bool,
}

/// What became of an appended batch after the turn's write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It stands in the log.
    Written,
    /// It is still being written, or waits for that.
    Pending,
    /// It could not be written.
    Lost,
}

/// A partition with this broker as its leader. A single node is the whole ISR: what is written
/// (and synced, where the topic wants that before it counts) is below the high watermark.
pub struct Partition {
    /// Which one.
    pub topic_partition: TopicPartition,
    /// The topic's name.
    pub topic: Str,
    /// The log on disk.
    pub log: Log,
    /// The log directory that holds it, as a place in `log.dirs`.
    pub directory: usize,
    /// How often leadership has changed, when this broker last led; -1 before.
    pub leader_epoch: LeaderEpoch,
    /// Whether this broker leads it now.
    pub(super) leads: bool,
    /// Records below it are in every in-sync replica: consumers see them.
    pub high_watermark: Offset,
    /// A sync that is under way.
    pub(super) sync: Option<Sync>,
    /// Whether it stands in the queue of those whose sync may wait.
    pub(super) is_sync_due: bool,
    /// Where it stands in the queue of those that wait for their `flush.ms`.
    pub(super) flush_at: Option<Instant>,
    /// Whether the log was found broken: it answers KAFKA_STORAGE_ERROR until the broker restarts.
    pub(super) is_offline: bool,
    /// Whether batches wait in the log's queue for this turn's write.
    pub(super) is_dirty: bool,
    /// Whether this turn's write failed: what was queued is lost, and answered so.
    pub(super) write_failed: bool,
    /// How many writes failed, and where the log ended after the last that did.
    failed_writes: (u64, Offset),
    /// Whether its file of leader epochs is being replaced.
    pub(super) are_epochs_pending: bool,
    /// Fetches that wait for more records.
    pub(super) watchers: Vec<Watcher>,
}

impl Partition {
    /// A partition whose log was just opened: everything in it counts.
    #[must_use]
    pub fn new(
        topic_partition: TopicPartition,
        topic: Str,
        mut log: Log,
        directory: usize,
        leader_epoch: Option<LeaderEpoch>,
    ) -> Partition {
        let high_watermark = log.log_end_offset();
        log.update_high_watermark(high_watermark);
        let mut partition = Partition {
            topic_partition,
            topic,
            log,
            directory,
            leader_epoch: LeaderEpoch::NONE,
            leads: false,
            high_watermark,
            sync: None,
            is_sync_due: false,
            flush_at: None,
            is_offline: false,
            is_dirty: false,
            write_failed: false,
            failed_writes: (0, Offset(0)),
            are_epochs_pending: false,
            watchers: Vec::new(),
        };
        partition.follow_metadata(leader_epoch);
        partition
    }

    /// Checks the leader epoch that a client knows against this leader's. KIP-320.
    pub fn check_leader_epoch(&self, current: LeaderEpoch) -> Result<(), ErrorCode> {
        match current {
            LeaderEpoch::NONE => Ok(()),
            epoch if epoch < self.leader_epoch => Err(ErrorCode::FENCED_LEADER_EPOCH),
            epoch if epoch > self.leader_epoch => Err(ErrorCode::UNKNOWN_LEADER_EPOCH),
            _ => Ok(()),
        }
    }

    /// The end of what a reader may see.
    #[must_use]
    pub fn readable_end(&self, read_committed: bool) -> Offset {
        if read_committed {
            self.last_stable_offset()
        } else {
            self.high_watermark
        }
    }

    /// Where the first open transaction begins, at most the high watermark.
    #[must_use]
    pub fn last_stable_offset(&self) -> Offset {
        self.log.last_stable_offset(self.high_watermark)
    }

    /// Watches for more records; replaces an older watch of the same connection.
    pub(super) fn watch(&mut self, watcher: Watcher) {
        let same = self.watchers.iter_mut().find(|known| {
            known.connection == watcher.connection && known.origin.core == watcher.origin.core
        });
        match same {
            Some(known) => *known = watcher,
            None => self.watchers.push(watcher),
        }
    }

    /// Moves the high watermark to what counts; true where it moved.
    ///
    /// `flush.messages` says how many records may be ahead of the last sync: with 1 none may, and an
    /// acknowledged record is a durable one; by default all may, and it is in the page cache.
    pub(super) fn advance_high_watermark(&mut self) -> bool {
        let end = self.log.log_end_offset();
        let ahead_max = self.log.config().flush_messages.saturating_sub(1);
        let durable = self.log.synced_to().0;
        let counts = Offset(durable.saturating_add(ahead_max)).min(end);
        let moved = counts > self.high_watermark;
        if moved {
            self.high_watermark = counts;
            self.log.update_high_watermark(counts);
        }
        assert!(
            self.high_watermark <= end,
            "the high watermark is within the log"
        );
        moved
    }

    /// Leads in an epoch, whose records begin here; or, without one, leads no more.
    pub fn follow_metadata(&mut self, leader_epoch: Option<LeaderEpoch>) {
        self.leads = leader_epoch.is_some();
        if let Some(leader_epoch) = leader_epoch
            && leader_epoch > self.leader_epoch
        {
            self.leader_epoch = leader_epoch;
            // What is queued, or being written, was appended by the leader before.
            let start = self.log.next_offset();
            self.log.assign_leader_epoch(leader_epoch, start);
        }
    }

    /// Whether requests may be served from it: it is led here, and its log is sound.
    ///
    /// # Errors
    /// Kafka's code for why not.
    pub fn check_serves(&self) -> Result<(), ErrorCode> {
        if self.is_offline {
            Err(ErrorCode::KAFKA_STORAGE_ERROR)
        } else if self.leads {
            Ok(())
        } else {
            Err(ErrorCode::NOT_LEADER_OR_FOLLOWER)
        }
    }

    /// Whether its log was found broken: nothing that it says of itself is to be believed.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.is_offline
    }

    /// Its name in messages: topic and partition, as its directory is called.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.topic, self.topic_partition.partition)
    }

    /// The broker stops: a file of leader epochs that nobody has heard of is written once more.
    pub fn doubt_pending_epochs(&mut self) {
        if self.are_epochs_pending {
            self.log.doubt_leader_epochs();
        }
    }

    /// What was queued is lost: the disk is full, perhaps.
    pub(super) fn note_failed_write(&mut self, error: &dyn std::fmt::Display) {
        tracing::error!("{}: {error}", self.name());
        self.write_failed = true;
        self.failed_writes = (self.failed_writes.0 + 1, self.log.log_end_offset());
    }

    /// How many writes have failed so far.
    #[must_use]
    pub fn failed_writes(&self) -> u64 {
        self.failed_writes.0
    }

    /// What became of a batch that ends at `end` and was appended when so many writes had failed.
    #[must_use]
    pub fn fate(&self, end: Offset, failed_writes: u64) -> Fate {
        let (failed, lost_from) = self.failed_writes;
        if failed > failed_writes && end > lost_from {
            Fate::Lost
        } else if end <= self.log.log_end_offset() {
            Fate::Written
        } else if self.log.is_writing() || self.is_dirty {
            Fate::Pending
        } else {
            Fate::Lost
        }
    }

    /// The log cannot be trusted any more: nothing is served from it until the broker restarts. Who
    /// watches it joins `wakes`, and is told.
    pub(super) fn go_offline(&mut self, error: &dyn std::fmt::Display, wakes: &mut Vec<Origin>) {
        tracing::error!(
            "{} is offline until the broker restarts: {error}",
            self.name()
        );
        self.is_offline = true;
        wakes.extend(self.watchers.drain(..).map(|watcher| watcher.origin));
    }

    /// Whether something that was written does not count until it is synced.
    pub(super) fn needs_sync(&self) -> bool {
        self.high_watermark < self.log.log_end_offset()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::PartitionIndex;
    use crate::base::time::{Instant, Now, Timestamp};
    use crate::base::uuid::Uuid;
    use crate::log::LogConfig;
    use crate::partition::work::RequestId;
    use crate::runtime::disk::Disk;
    use crate::runtime::simulated::disk::SimulatedDisk;
    use std::path::Path;

    #[test]
    fn who_watches_a_partition_is_told_that_it_goes_offline() {
        let disk = Disk::Simulated(SimulatedDisk::new());
        let now = Now {
            instant: Instant(0),
            timestamp: Timestamp(1000),
        };
        let id = Uuid([7; 16]);
        let log = Log::create(&disk, Path::new("/data/t-0"), id, LogConfig::default(), now);
        let topic_partition = TopicPartition {
            topic_id: id,
            partition: PartitionIndex(0),
        };
        let epoch = Some(LeaderEpoch(0));
        let mut partition = Partition::new(topic_partition, "t".into(), log.unwrap(), 0, epoch);
        let origin = Origin {
            core: 1,
            request: RequestId {
                index: 4,
                generation: 2,
            },
        };
        let connection = 9;
        partition.watch(Watcher { origin, connection });
        let mut wakes = Vec::new();
        partition.go_offline(&"the disk is gone", &mut wakes);
        assert_eq!(wakes, [origin]);
        assert!(partition.watchers.is_empty());
        assert_eq!(
            partition.check_serves(),
            Err(ErrorCode::KAFKA_STORAGE_ERROR)
        );
    }
}
