//! Cutting a log: at its end, where it diverged from the leader's; at its start, where records were
//! deleted.

use crate::base::ids::Offset;
use crate::base::time::Now;
use crate::log::error::StorageError;
use crate::log::index_file::Patience;
use crate::log::open::storage;
use crate::log::partition_log::Log;
use crate::log::segment::Place;
use crate::runtime::disk::Disk;
use std::sync::Arc;

impl Log {
    /// Cuts everything from `offset` on, queued batches as well: the next offset is `offset`, even
    /// where the batch that held it began earlier. Answers whether anything was cut. The recovery
    /// point moves back too: record it before appending again.
    ///
    /// # Errors
    /// What the file system said.
    pub fn truncate_to(
        &mut self,
        disk: &Disk,
        offset: Offset,
        now: Now,
    ) -> Result<bool, StorageError> {
        self.forget_queue();
        // KAFKA-10706: the epochs are cut even where the log does not reach that far.
        self.leader_epochs.truncate_from_end(offset);
        if offset >= self.log_end_offset {
            return Ok(false);
        }
        if offset <= self.segments[0].base_offset {
            self.truncate_fully_and_start_at(disk, offset, now)?;
            return Ok(true);
        }
        let index = self.segment_of(offset);
        self.remove_segments_from(disk, index + 1)?;
        // The one that is appended to again would be cut by the length that it had when it was rolled.
        let active = self.active().base_offset;
        self.uncut.retain(|(rolled, ..)| *rolled < active);
        self.recent.clear();
        let directory = self.directory.clone();
        let config = Arc::clone(&self.config);
        let place = Place {
            disk,
            directory: &directory,
        };
        let segment = self.active_mut();
        let located = segment
            .locate(place, offset, Patience::Wait)
            .map_err(storage)?;
        let position = located.map_or(segment.bytes, |located| located.position);
        let end = segment
            .truncate(place, &config, position, offset)
            .map_err(storage)?;
        self.cut_transaction_index(disk, offset)?;
        self.set_end(offset);
        self.set_batch_end(end);
        let beyond = self.snapshots.partition_point(|it| *it <= offset);
        let removed = self.snapshots.split_off(beyond);
        self.remove_snapshots(disk, &removed)?;
        self.load_producers(disk, offset, false, now)?;
        self.write_leader_epochs(disk)?;
        Ok(true)
    }

    /// Removes everything; the log is empty and goes on at `offset`.
    ///
    /// # Errors
    /// What the file system said.
    pub fn truncate_fully_and_start_at(
        &mut self,
        disk: &Disk,
        offset: Offset,
        now: Now,
    ) -> Result<(), StorageError> {
        self.forget_queue();
        self.remove_segments_from(disk, 0)?;
        self.uncut.clear();
        self.start_segment(disk, offset, now)?;
        let snapshots = std::mem::take(&mut self.snapshots);
        self.remove_snapshots(disk, &snapshots)?;
        self.producers.clear();
        self.leader_epochs.clear();
        self.log_start_offset = offset;
        self.set_end(offset);
        self.set_batch_end(offset);
        self.write_leader_epochs(disk)
    }

    /// Deletes the records below `offset`: the log starts there. Their segments go with the next
    /// [`Log::delete_old_segments`]. The caller holds the offset below the high watermark, and
    /// records it in `log-start-offset-checkpoint`. Answers whether the start has moved.
    pub fn delete_records_before(&mut self, offset: Offset) -> bool {
        let offset = offset.min(self.log_end_offset);
        if offset <= self.log_start_offset {
            return false;
        }
        self.log_start_offset = offset;
        self.leader_epochs.truncate_from_start(offset);
        true
    }

    fn set_end(&mut self, offset: Offset) {
        self.log_end_offset = offset;
        self.next_offset = offset;
        self.log_start_offset = self.log_start_offset.min(offset);
        self.recovery_point = self.recovery_point.min(offset);
        self.synced_to = self.synced_to.min(offset);
    }

    /// The last batch ends at `end`, which can lie below the log end offset: of the batch that held
    /// the offset, the beginning is gone as well.
    fn set_batch_end(&mut self, end: Offset) {
        self.batch_end_offset = end;
        self.recovery_point = self.recovery_point.min(end);
    }

    /// Drops what is queued, as if it had not come.
    pub(super) fn forget_queue(&mut self) {
        assert!(
            !self.is_writing(),
            "what is being written cannot be forgotten"
        );
        self.queue.clear();
        self.producers.roll_back_from(self.log_end_offset);
        self.next_offset = self.log_end_offset;
    }

    fn cut_transaction_index(&mut self, disk: &Disk, offset: Offset) -> Result<(), StorageError> {
        use crate::log::{file_name, transaction_index};
        let directory = self.directory.clone();
        let segment = self.active_mut();
        segment
            .aborted_pending
            .retain(|entry| entry.last_offset < offset);
        if !segment.has_transaction_index {
            return Ok(());
        }
        let path = segment.path(&directory, file_name::TRANSACTION_INDEX);
        let bytes = disk
            .read(&path, transaction_index::FILE_BYTES_MAX)
            .map_err(|error| StorageError::io("read", &path, error))?;
        let mut entries = transaction_index::decode(&bytes).unwrap_or_default();
        entries.retain(|entry| entry.last_offset < offset);
        segment.has_transaction_index = !entries.is_empty();
        let result = if entries.is_empty() {
            disk.remove_file(&path)
        } else {
            let bytes: Vec<u8> = entries.iter().flat_map(transaction_index::encode).collect();
            disk.write_atomically(&path, &bytes)
        };
        result.map_err(|error| StorageError::io("write", &path, error))
    }
}
