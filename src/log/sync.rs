//! What is durable: which files a sync has to cover, the recovery point that may be recorded, and
//! the clean close.

use crate::base::ids::Offset;
use crate::base::time::{Instant, Now, Timestamp, milliseconds};
use crate::log::error::StorageError;
use crate::log::file_name;
use crate::log::leader_epochs;
use crate::log::partition_log::Log;
use crate::runtime::disk::{Disk, File};
use std::path::PathBuf;
use std::sync::Arc;

impl Log {
    /// The segment files that hold records from the synced offset up to the log end offset, and those that were
    /// cut when they were rolled. Sync each, wait for all, then call [`Log::mark_synced`] with the log end
    /// offset of now. Where [`Log::take_directory_unsynced`] says so, sync the directory as well.
    ///
    /// # Errors
    /// A file that was let go cannot be opened again; a rolled one cannot be cut where its records end.
    pub fn unsynced(&mut self, disk: &Disk) -> Result<Vec<Arc<File>>, StorageError> {
        if self.synced_to >= self.log_end_offset {
            return Ok(Vec::new());
        }
        self.cut_again()?;
        let mut files = self.segments[self.segment_of(self.synced_to)..]
            .iter()
            .filter(|segment| segment.bytes > 0)
            .map(|segment| segment.file(self.place(disk)).cloned())
            .collect::<Result<Vec<_>, _>>()?;
        for cut in std::mem::take(&mut self.cuts) {
            if !files.iter().any(|file| Arc::ptr_eq(file, &cut)) {
                files.push(cut);
            }
        }
        Ok(files)
    }

    /// Cuts what could not be cut when it was rolled: what lies there would else be believed once the recovery point
    /// has passed it.
    fn cut_again(&mut self) -> Result<(), StorageError> {
        while let Some((base_offset, file, bytes)) = self.uncut.pop() {
            if let Err(error) = file.set_len(bytes) {
                let path = file_name::path(&self.directory, base_offset, file_name::LOG);
                self.uncut.push((base_offset, file, bytes));
                return Err(StorageError::io("cut", &path, error));
            }
            self.cuts.push(file);
        }
        Ok(())
    }

    /// Whether a file was made in the directory since this was asked last: its name is durable
    /// when the directory is synced.
    pub fn take_directory_unsynced(&mut self) -> bool {
        std::mem::take(&mut self.is_directory_unsynced)
    }

    /// The directory could not be synced, for want of a descriptor: it has to be.
    pub fn doubt_directory(&mut self) {
        self.is_directory_unsynced = true;
    }

    /// All records below `offset` are durable.
    pub fn mark_synced(&mut self, offset: Offset, now: Now) {
        // The log may have been truncated while the sync was under way.
        let offset = offset.min(self.log_end_offset);
        self.synced_to = self.synced_to.max(offset);
        self.synced_at = now.instant;
    }

    /// All records below are durable.
    #[must_use]
    pub fn synced_to(&self) -> Offset {
        self.synced_to
    }

    /// Whether `flush.messages` or `flush.ms` ask for a sync.
    #[must_use]
    pub fn flush_due(&self, now: Now) -> bool {
        let unsynced = self.log_end_offset.0 - self.synced_to.0;
        unsynced > 0
            && (unsynced >= self.config.flush_messages
                || self.flush_at().is_some_and(|at| at <= now.instant))
    }

    /// When `flush.ms` asks for a sync, counted from the last one as Kafka does; `None` where
    /// nothing is unsynced, and where it never asks.
    #[must_use]
    pub fn flush_at(&self) -> Option<Instant> {
        let is_bounded = self.config.flush_ms < i64::MAX;
        let is_unsynced = self.synced_to < self.log_end_offset;
        (is_bounded && is_unsynced).then(|| self.synced_at + milliseconds(self.config.flush_ms))
    }

    /// What may stand in `recovery-point-offset-checkpoint` for this log.
    #[must_use]
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// Brings the files that are derived from the records (indexes, leader epochs, producer state)
    /// up to date, so that after an unclean stop only what lies above the synced offset has to be
    /// read. Answers with the recovery point, which may now be recorded.
    ///
    /// # Errors
    /// What the file system said; the recovery point then stays.
    pub fn checkpoint(&mut self, disk: &Disk) -> Result<Offset, StorageError> {
        // Between the last batch and the log's end there may be nothing: then nothing is synced.
        let recovery_point = self.synced_to.min(self.batch_end_offset);
        if self.recovery_point < recovery_point {
            // Only records make an epoch worth a file: at each start every log has a new one, and
            // ten thousand logs without news would be ten thousand files to write and to sync.
            self.write_leader_epochs(disk)?;
            if self.queue.is_empty() && !self.is_writing() {
                self.write_checkpoint_snapshot(disk)?;
            }
            let first = self.segment_of(self.recovery_point);
            self.persist_indexes(disk, first)?;
            self.recovery_point = recovery_point;
        }
        Ok(self.recovery_point)
    }

    fn persist_indexes(&mut self, disk: &Disk, first: usize) -> Result<(), StorageError> {
        let directory = self.directory.clone();
        let place = crate::log::segment::Place {
            disk,
            directory: &directory,
        };
        for segment in &mut self.segments[first..] {
            if !segment.is_persisted() {
                segment.add_time_entry();
                segment.persist_indexes(place)?;
            }
        }
        Ok(())
    }

    /// A snapshot of the producers at the log's end. The one before stays: it may be the last that
    /// lies below the recovery point. The one before that goes, unless a segment begins there.
    fn write_checkpoint_snapshot(&mut self, disk: &Disk) -> Result<(), StorageError> {
        self.write_producer_snapshot(disk, self.log_end_offset)?;
        let Some(index) = self.snapshots.len().checked_sub(3) else {
            return Ok(());
        };
        let former = self.snapshots[index];
        let is_base = self
            .segments
            .binary_search_by_key(&former, |segment| segment.base_offset)
            .is_ok();
        if !is_base {
            self.snapshots.remove(index);
            let path = file_name::path(&self.directory, former, file_name::SNAPSHOT);
            // Whoever does the housekeeping removes it: that may wait for the device.
            self.retire_file_at(disk, &path, Timestamp(0))?;
        }
        Ok(())
    }

    /// The file of leader epochs and what it shall hold, where it has to be written before
    /// [`Log::checkpoint`] may move the recovery point. The caller replaces it, and calls that then;
    /// where it fails, [`Log::doubt_leader_epochs`].
    pub fn take_leader_epochs(&mut self) -> Option<(PathBuf, Vec<u8>)> {
        let is_behind = self.recovery_point < self.synced_to.min(self.batch_end_offset);
        if !is_behind || !self.leader_epochs.is_dirty() {
            return None;
        }
        self.leader_epochs.set_clean();
        let path = self.directory.join(leader_epochs::FILE_NAME);
        Some((path, self.leader_epochs.to_text().into_bytes()))
    }

    /// What [`Log::take_leader_epochs`] gave may not stand in the file.
    pub fn doubt_leader_epochs(&mut self) {
        self.leader_epochs.set_dirty();
    }

    pub(super) fn write_leader_epochs(&mut self, disk: &Disk) -> Result<(), StorageError> {
        if !self.leader_epochs.is_dirty() {
            return Ok(());
        }
        let path = self.directory.join(leader_epochs::FILE_NAME);
        disk.write_atomically(&path, self.leader_epochs.to_text().as_bytes())
            .map_err(|error| StorageError::io("write", &path, error))?;
        self.leader_epochs.set_clean();
        Ok(())
    }

    /// A clean stop of one log: [`Log::close_unsynced`], and all of it is durable.
    ///
    /// # Errors
    /// What the file system said: the stop is then not a clean one.
    pub fn close(&mut self, disk: &Disk, now: Now) -> Result<(), StorageError> {
        self.close_unsynced(disk, now)?;
        disk.sync_file_system(&self.directory)
            .map_err(|error| StorageError::io("sync", &self.directory, error))
    }

    /// A clean stop, with no write under way: writes what is queued, and leaves the directory as a clean
    /// open (klamm's or Apache's) expects it. What the log says of itself from now on holds once the caller has called
    /// [`Disk::sync_file_system`]: once for all logs of a file system, of which there may be tens of thousands.
    ///
    /// # Errors
    /// What the file system said: the stop is then not a clean one.
    pub fn close_unsynced(&mut self, disk: &Disk, now: Now) -> Result<(), StorageError> {
        self.write(disk, now)?;
        for (file, bytes) in self.take_trims() {
            let _ = file.set_len(bytes);
        }
        self.cut_again()?;
        self.mark_synced(self.log_end_offset, now);
        let directory = self.directory.clone();
        let place = crate::log::segment::Place {
            disk,
            directory: &directory,
        };
        let segment = self.active_mut();
        segment.add_time_entry();
        segment.persist_indexes(place)?;
        if segment.may_need_cut() {
            segment.trim_file(place)?;
        }
        self.persist_indexes(disk, 0)?;
        if self.log_end_offset > Offset(0) {
            self.write_checkpoint_snapshot(disk)?;
            // An epoch without records says nothing, and its file takes three syncs.
            self.write_leader_epochs(disk)?;
        }
        self.remove_retired(disk, crate::base::time::Timestamp(i64::MAX))?;
        self.recovery_point = self.batch_end_offset;
        Ok(())
    }
}
