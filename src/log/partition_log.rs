//! One partition's log: what stands on disk, what is queued to be written, and what is known of
//! both. Lives on the partition's shard.
//!
//! ```text
//!     log_start_offset            recovery_point  synced_to  log_end_offset   next_offset
//!        │                              │             │             │              │
//!  ──────┼──────┬───────────┬───────────┼─────────────┼─────────────┤  queued      │
//!  segment      │ segment   │ active segment                        │  batches     │
//!  ─────────────┴───────────┴───────────────────────────────────────┴──────────────┘
//! ```

use crate::base::ids::{LeaderEpoch, Offset, TopicId};
use crate::base::time::{Instant, Now, Timestamp};
use crate::log::config::LogConfig;
use crate::log::error::{ReadError, StorageError};
use crate::log::file_name;
use crate::log::leader_epochs::LeaderEpochs;
use crate::log::partition_metadata;
use crate::log::producer_state::{CompletedTransaction, ProducerState};
use crate::log::segment::{Located, Place, Segment};
use crate::log::write_away::Run;
use crate::record::batch::{BatchHeader, PATCHED_HEAD_BYTES};
use crate::runtime::disk::{Disk, File};
use bytes::Bytes;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Batches at the end of the log whose places are remembered, for readers that follow it.
pub(super) const RECENT_BATCHES_MAX: usize = 64;

/// A batch that waits to be written.
#[derive(Debug)]
pub(super) struct Queued {
    /// The batch as it came.
    pub bytes: Bytes,
    /// What is written in place of its first bytes.
    pub head: [u8; PATCHED_HEAD_BYTES],
    /// Its header, with the offset and the epoch it will have.
    pub header: BatchHeader,
    /// The transaction that it ends.
    pub completed: Option<CompletedTransaction>,
}

/// A segment that is no longer part of the log, and whose files go when readers have had time.
#[derive(Debug)]
pub(super) struct Retired {
    pub paths: Vec<PathBuf>,
    pub remove_at: Timestamp,
}

/// One partition on disk.
#[derive(Debug)]
pub struct Log {
    pub(super) directory: PathBuf,
    pub(super) topic_id: TopicId,
    pub(super) config: Arc<LogConfig>,
    /// In the order of their offsets; the last is the active one. Never empty.
    pub(super) segments: Vec<Segment>,
    pub(super) log_start_offset: Offset,
    pub(super) log_end_offset: Offset,
    pub(super) next_offset: Offset,
    /// End of the last batch: below the log end offset after a truncation into a batch.
    pub(super) batch_end_offset: Offset,
    pub(super) queue: Vec<Queued>,
    /// Rolled files with blocks reserved beyond their ends.
    pub(super) trims: Vec<(Arc<File>, u64)>,
    /// Rolled files whose cut ends are not durable yet: the next sync covers them, or a recovery that begins behind
    /// them would believe what lay there.
    pub(super) cuts: Vec<Arc<File>>,
    /// Rolled files that could not be cut where their records end: base offset, and that end. Neither a sync nor a
    /// clean stop succeeds before they are.
    pub(super) uncut: Vec<(Offset, Arc<File>, u64)>,
    /// What is being written away from the turn.
    pub(super) writing: Option<Run>,
    /// The last batches of the active segment, one after the other.
    pub(super) recent: VecDeque<Located>,
    pub(super) producers: ProducerState,
    /// Offsets of the producer snapshots on disk, increasing.
    pub(super) snapshots: Vec<Offset>,
    pub(super) leader_epochs: LeaderEpochs,
    /// What may be recorded as synced: the derived files are up to date with it.
    pub(super) recovery_point: Offset,
    pub(super) synced_to: Offset,
    pub(super) synced_at: Instant,
    pub(super) is_directory_unsynced: bool,
    pub(super) retired: Vec<Retired>,
    /// Something was appended since the last housekeeping.
    pub(super) is_busy: bool,
}

/// What DescribeLogDirs and tools are told of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentInfo {
    /// The offset in its name.
    pub base_offset: Offset,
    /// Bytes of records.
    pub bytes: u64,
}

impl Log {
    /// Makes the directory, its `partition.metadata`, and an empty first segment.
    ///
    /// # Errors
    /// What the file system said.
    pub fn create(
        disk: &Disk,
        directory: &Path,
        topic_id: TopicId,
        config: impl Into<Arc<LogConfig>>,
        now: Now,
    ) -> Result<Log, StorageError> {
        disk.create_directories(directory)
            .map_err(|error| StorageError::io("create", directory, error))?;
        let mut log = Log::without_segments(directory, config.into(), now);
        if topic_id != TopicId::ZERO {
            partition_metadata::write(disk, directory, topic_id)?;
            log.topic_id = topic_id;
        }
        log.start_segment(disk, Offset(0), now)?;
        // Whoever makes thousands of partitions has records for few of them at first.
        log.active_mut().let_go_of_file();
        Ok(log)
    }

    pub(super) fn without_segments(directory: &Path, config: Arc<LogConfig>, now: Now) -> Log {
        Log {
            directory: directory.to_owned(),
            topic_id: TopicId::ZERO,
            config,
            segments: Vec::with_capacity(1),
            log_start_offset: Offset(0),
            log_end_offset: Offset(0),
            next_offset: Offset(0),
            batch_end_offset: Offset(0),
            queue: Vec::new(),
            trims: Vec::new(),
            cuts: Vec::new(),
            uncut: Vec::new(),
            writing: None,
            recent: VecDeque::new(),
            producers: ProducerState::default(),
            snapshots: Vec::new(),
            leader_epochs: LeaderEpochs::default(),
            recovery_point: Offset(0),
            synced_to: Offset(0),
            synced_at: now.instant,
            is_directory_unsynced: true,
            retired: Vec::new(),
            is_busy: false,
        }
    }

    /// Appends an empty segment that starts at `base_offset`.
    pub(super) fn start_segment(
        &mut self,
        disk: &Disk,
        base_offset: Offset,
        now: Now,
    ) -> Result<(), StorageError> {
        let mut segment = Segment::empty(base_offset, now.timestamp);
        let preallocate = if self.config.preallocate {
            u64::from(self.config.segment_bytes)
        } else {
            0
        };
        let place = Place {
            disk,
            directory: &self.directory,
        };
        segment.create_file(place, preallocate)?;
        // Indexes of a segment of that name which is gone would be taken for this one's.
        for kind in [
            file_name::INDEX,
            file_name::TIME_INDEX,
            file_name::TRANSACTION_INDEX,
        ] {
            let path = segment.path(&self.directory, kind);
            disk.remove_file(&path)
                .map_err(|error| StorageError::io("remove", &path, error))?;
        }
        self.segments.push(segment);
        self.recent.clear();
        self.is_directory_unsynced = true;
        Ok(())
    }

    /// The partition's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The id of the topic, or zero where the directory does not say.
    #[must_use]
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// Writes the topic id into a directory that does not have one.
    ///
    /// # Errors
    /// What the file system said.
    pub fn set_topic_id(&mut self, disk: &Disk, topic_id: TopicId) -> Result<(), StorageError> {
        partition_metadata::write(disk, &self.directory, topic_id)?;
        self.topic_id = topic_id;
        Ok(())
    }

    /// The directory has been renamed: for a deletion, or a future replica that becomes current.
    ///
    /// # Errors
    /// What the file system said; the log then stays where it was.
    pub fn rename_directory(&mut self, disk: &Disk, to: &Path) -> Result<(), StorageError> {
        disk.rename(&self.directory, to)
            .map_err(|error| StorageError::io("rename", &self.directory, error))?;
        for retired in &mut self.retired {
            for path in &mut retired.paths {
                if let Some(name) = path.file_name() {
                    *path = to.join(name);
                }
            }
        }
        to.clone_into(&mut self.directory);
        Ok(())
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Arc<LogConfig> {
        &self.config
    }

    /// Takes other settings, from now on.
    pub fn set_config(&mut self, config: impl Into<Arc<LogConfig>>) {
        self.config = config.into();
    }

    /// The first offset there is.
    #[must_use]
    pub fn log_start_offset(&self) -> Offset {
        self.log_start_offset
    }

    /// The first offset that has not been written.
    #[must_use]
    pub fn log_end_offset(&self) -> Offset {
        self.log_end_offset
    }

    /// The offset that the next appended batch gets: after all that is queued.
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        self.next_offset
    }

    /// Whether batches wait to be written.
    #[must_use]
    pub fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Bytes of records on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = SegmentInfo> + '_ {
        self.segments.iter().map(|segment| SegmentInfo {
            base_offset: segment.base_offset,
            bytes: segment.bytes,
        })
    }

    /// Where each leader's records begin.
    #[must_use]
    pub fn leader_epochs(&self) -> &LeaderEpochs {
        &self.leader_epochs
    }

    /// A leader begins at `start_offset`. The file is written with the next checkpoint: until then
    /// the entry can be found again from the records that carry the epoch.
    pub fn assign_leader_epoch(&mut self, epoch: LeaderEpoch, start_offset: Offset) {
        self.leader_epochs.assign(epoch, start_offset);
    }

    /// The largest epoch not above `epoch`, and where it ends. KIP-101, KIP-279.
    #[must_use]
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        self.leader_epochs
            .end_offset_for(epoch, self.log_end_offset)
    }

    /// What each idempotent producer wrote last, with what is queued.
    #[must_use]
    pub fn producers(&self) -> &ProducerState {
        &self.producers
    }

    /// The first offset that a read_committed consumer may not see yet: at most the high watermark.
    #[must_use]
    pub fn last_stable_offset(&self, high_watermark: Offset) -> Offset {
        match self.producers.first_unstable_offset(high_watermark) {
            Some(unstable) => unstable.min(high_watermark),
            None => high_watermark,
        }
    }

    /// The high watermark has moved: ended transactions below it are settled.
    pub fn update_high_watermark(&mut self, high_watermark: Offset) {
        self.producers.update_high_watermark(high_watermark);
    }

    /// Forgets what only speeds up access, lets go of files that nobody reads, removes the files
    /// of segments deleted long ago, and forgets idle producers. To be called every few seconds.
    ///
    /// # Errors
    /// What the file system said; the next call goes on.
    pub fn housekeeping(&mut self, disk: &Disk, now: Now) -> Result<(), StorageError> {
        if !std::mem::take(&mut self.is_busy) && self.queue.is_empty() {
            self.recent = VecDeque::new();
            self.queue = Vec::new();
        }
        for (file, bytes) in self.take_trims() {
            let _ = file.set_len(bytes);
        }
        self.producers
            .expire(now.timestamp, self.config.producer_id_expiration_ms);
        let is_at_rest = self.is_at_rest();
        let place = Place {
            disk,
            directory: &self.directory,
        };
        let active = self.segments.len() - 1;
        for (index, segment) in self.segments.iter_mut().enumerate() {
            let repaired = segment.repair_indexes(place, &self.config);
            if index < active {
                segment.drop_cold();
            } else if is_at_rest {
                segment.drop_cold_file();
            }
            match repaired {
                Ok(()) | Err(ReadError::OffsetOutOfRange { .. } | ReadError::Cold { .. }) => {}
                Err(ReadError::Storage(error)) => return Err(error),
            }
        }
        self.remove_retired(disk, now.timestamp)
    }

    /// The files of segments deleted long enough ago: the caller removes them. What it does not
    /// get to, the next [`Log::open`] does.
    pub fn take_removable(&mut self, now: Now) -> Vec<PathBuf> {
        let due = self
            .retired
            .iter()
            .take_while(|retired| now.timestamp >= retired.remove_at)
            .count();
        self.retired
            .drain(..due)
            .flat_map(|retired| retired.paths)
            .collect()
    }

    pub(super) fn remove_retired(
        &mut self,
        disk: &Disk,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        while let Some(retired) = self.retired.first() {
            if now < retired.remove_at {
                break;
            }
            for path in &retired.paths {
                disk.remove_file(path)
                    .map_err(|error| StorageError::io("remove", path, error))?;
            }
            self.retired.remove(0);
        }
        Ok(())
    }

    pub(super) fn active(&self) -> &Segment {
        self.segments.last().expect("a log has an active segment")
    }

    pub(super) fn active_mut(&mut self) -> &mut Segment {
        self.segments
            .last_mut()
            .expect("a log has an active segment")
    }

    /// Index of the segment that holds `offset`, or would.
    pub(super) fn segment_of(&self, offset: Offset) -> usize {
        self.segments
            .partition_point(|segment| segment.base_offset <= offset)
            .saturating_sub(1)
    }

    /// The offset at which a segment ends.
    pub(super) fn end_of_segment(&self, index: usize) -> Offset {
        match self.segments.get(index + 1) {
            Some(next) => next.base_offset,
            None => self.log_end_offset,
        }
    }
}
