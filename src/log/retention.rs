//! Deleting old segments: by time, by size, and below the log start. `UnifiedLog.deleteOldSegments`
//! of Apache Kafka.

use crate::base::ids::Offset;
use crate::base::time::{Now, Timestamp};
use crate::log::error::{ReadError, StorageError};
use crate::log::file_name::{self, DELETED};
use crate::log::index_file::Patience;
use crate::log::open::storage;
use crate::log::partition_log::{Log, Retired};
use crate::log::segment::{LargestTimestamp, Segment};
use crate::runtime::disk::Disk;
use std::path::{Path, PathBuf};

/// What a round of deletion did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Deleted {
    /// Segments that are no longer part of the log.
    pub segments: usize,
    /// Their bytes of records.
    pub bytes: u64,
    /// Whether the log start offset has moved.
    pub has_start_moved: bool,
}

impl Log {
    /// Takes segments out of the log that lie below the log start, and, where the policy is to
    /// delete, those that are too old or too many. Nothing from the high watermark on goes. Their
    /// files get the name `.deleted`, and go after `file.delete.delay.ms`:
    /// [`Log::take_removable`]. It may wait for the device. With something queued, or being
    /// written, it does nothing.
    ///
    /// # Errors
    /// What the file system said.
    pub fn delete_old_segments(
        &mut self,
        disk: &Disk,
        now: Now,
        high_watermark: Offset,
    ) -> Result<Deleted, StorageError> {
        self.delete_old(disk, now, high_watermark, Patience::Wait)
            .map_err(storage)
    }

    /// As [`Log::delete_old_segments`], but it does not wait to learn how old segments are.
    ///
    /// # Errors
    /// `ReadError::Cold` where that is not in memory; nothing was deleted then. Or what the file
    /// system said.
    pub fn delete_old_segments_if_resident(
        &mut self,
        disk: &Disk,
        now: Now,
        high_watermark: Offset,
    ) -> Result<Deleted, ReadError> {
        self.delete_old(disk, now, high_watermark, Patience::Resident)
    }

    fn delete_old(
        &mut self,
        disk: &Disk,
        now: Now,
        high_watermark: Offset,
        patience: Patience,
    ) -> Result<Deleted, ReadError> {
        let mut deleted = Deleted::default();
        if !self.queue.is_empty() || self.is_writing() {
            return Ok(deleted);
        }
        let mut count = self.count_below_start(high_watermark);
        if self.config.cleanup_policy.delete {
            count = count.max(self.count_beyond_size(high_watermark));
            count = count.max(self.count_too_old(disk, now.timestamp, high_watermark, patience)?);
        }
        if count == 0 {
            return Ok(deleted);
        }
        if count == self.segments.len() {
            // The log goes on in an empty segment at its end.
            self.roll(disk, now)?;
        }
        let gone: Vec<Segment> = self.segments.drain(..count).collect();
        deleted.segments = gone.len();
        deleted.bytes = gone.iter().map(|segment| segment.bytes).sum();
        let start = self.segments[0].base_offset;
        deleted.has_start_moved = self.delete_records_before(start);
        self.retire(disk, &gone, now.timestamp)?;
        Ok(deleted)
    }

    /// How many of the oldest segments end at or below the high watermark and are `expired`.
    fn count_deletable(
        &self,
        high_watermark: Offset,
        mut expired: impl FnMut(&Segment, Option<&Segment>) -> bool,
    ) -> usize {
        let mut count = 0;
        for (index, segment) in self.segments.iter().enumerate() {
            let next = self.segments.get(index + 1);
            let is_empty_end = next.is_none() && segment.bytes == 0;
            if is_empty_end
                || high_watermark < self.end_of_segment(index)
                || !expired(segment, next)
            {
                break;
            }
            count += 1;
        }
        count
    }

    fn count_below_start(&self, high_watermark: Offset) -> usize {
        let start = self.log_start_offset;
        self.count_deletable(high_watermark, |_, next| {
            next.is_some_and(|next| next.base_offset <= start)
        })
    }

    fn count_beyond_size(&self, high_watermark: Offset) -> usize {
        let retention_bytes = self.config.retention_bytes;
        if retention_bytes < 0 {
            return 0;
        }
        let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let mut excess = signed(self.bytes()).saturating_sub(retention_bytes);
        self.count_deletable(high_watermark, |segment, _| {
            excess = excess.saturating_sub(signed(segment.bytes));
            excess >= 0
        })
    }

    fn count_too_old(
        &self,
        disk: &Disk,
        now: Timestamp,
        high_watermark: Offset,
        patience: Patience,
    ) -> Result<usize, ReadError> {
        let retention_ms = self.config.retention_ms;
        if retention_ms < 0 {
            return Ok(0);
        }
        let mut failed = None;
        let place = self.place(disk);
        let count = self.count_deletable(high_watermark, |segment, _| {
            // Records without timestamps age from when the segment was made or found.
            let is_old = |largest: LargestTimestamp| {
                let newest = if largest.timestamp.0 >= 0 {
                    largest.timestamp
                } else {
                    segment.created
                };
                now.0.saturating_sub(newest.0) > retention_ms
            };
            // An index has no checksum: before anything goes, the log has to bear it out.
            let answer = segment
                .largest_timestamp(place, patience)
                .and_then(|largest| {
                    let confirmed = || segment.confirmed_largest_timestamp(place, patience);
                    Ok(is_old(largest) && is_old(confirmed()?))
                });
            match answer {
                Ok(is_old) => is_old,
                Err(error) => {
                    failed = Some(error);
                    false
                }
            }
        });
        failed.map_or(Ok(count), Err)
    }

    /// Gives the files of these segments the name `.deleted`, to be removed later.
    fn retire(
        &mut self,
        disk: &Disk,
        gone: &[Segment],
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let mut paths = Vec::new();
        for segment in gone {
            let mut kinds = vec![file_name::LOG, file_name::INDEX, file_name::TIME_INDEX];
            if segment.has_transaction_index {
                kinds.push(file_name::TRANSACTION_INDEX);
            }
            let snapshot = self.snapshots.binary_search(&segment.base_offset);
            if let Ok(index) = snapshot {
                self.snapshots.remove(index);
                kinds.push(file_name::SNAPSHOT);
            }
            for kind in kinds {
                let path = segment.path(&self.directory, kind);
                if disk.exists(&path) {
                    paths.push(self.rename_deleted(disk, path)?);
                }
            }
        }
        self.retired.push(Retired {
            paths,
            remove_at: Timestamp(now.0.saturating_add(self.config.file_delete_delay_ms)),
        });
        Ok(())
    }

    /// Takes a file out of the log's directory as a deleted segment's is: it gets the name `.deleted`,
    /// and goes after `file.delete.delay.ms`.
    ///
    /// # Errors
    /// What the file system said.
    pub fn retire_file(&mut self, disk: &Disk, path: &Path, now: Now) -> Result<(), StorageError> {
        let delay_ms = self.config.file_delete_delay_ms;
        let remove_at = Timestamp(now.timestamp.0.saturating_add(delay_ms));
        self.retire_file_at(disk, path, remove_at)
    }

    pub(super) fn retire_file_at(
        &mut self,
        disk: &Disk,
        path: &Path,
        remove_at: Timestamp,
    ) -> Result<(), StorageError> {
        let deleted = self.rename_deleted(disk, path.to_owned())?;
        self.retired.push(Retired {
            paths: vec![deleted],
            remove_at,
        });
        Ok(())
    }

    fn rename_deleted(&self, disk: &Disk, path: PathBuf) -> Result<PathBuf, StorageError> {
        let deleted = file_name::with_suffix(&path, DELETED);
        disk.rename(&path, &deleted)
            .map_err(|error| StorageError::io("rename", &path, error))?;
        Ok(deleted)
    }
}
