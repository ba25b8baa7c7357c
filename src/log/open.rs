//! Opening a partition's directory after a clean or an unclean stop.
//!
//! After a clean stop nothing is scanned: the sizes of the files, the last entries of the active
//! segment's indexes, and the headers after them tell all. `LogLoader` of Apache Kafka.

use crate::base::ids::Offset;
use crate::base::time::Now;
use crate::log::config::LogConfig;
use crate::log::error::{ReadError, StorageError};
use crate::log::file_name;
use crate::log::leader_epochs::{self, LeaderEpochs};
use crate::log::partition_log::Log;
use crate::log::partition_metadata;
use crate::log::segment::{Segment, Tail};
use crate::runtime::disk::{Disk, Entry};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Largest `leader-epoch-checkpoint` klamm reads.
const EPOCHS_BYTES_MAX: usize = 16 << 20;

/// What the log directory's files say about a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenInput {
    /// The broker was stopped cleanly: there was a `.kafka_cleanshutdown`.
    pub clean: bool,
    /// From `recovery-point-offset-checkpoint`, or 0: all below had been synced.
    pub recovery_point: Offset,
    /// From `log-start-offset-checkpoint`, or 0.
    pub log_start_offset: Offset,
}

/// What opening had to do.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Recovered {
    /// Bytes of records that were read and checked.
    pub bytes_scanned: u64,
    /// Bytes cut off the end of the log: torn by the stop.
    pub bytes_truncated: u64,
    /// Segments that were read and checked.
    pub segments_scanned: usize,
    /// Segments behind the cut, which were removed.
    pub segments_removed: usize,
}

/// The files of a directory, by what they are.
#[derive(Default)]
pub(super) struct Listing {
    /// Sizes by base offset and kind.
    pub files: BTreeMap<(Offset, String), u64>,
}

impl Listing {
    fn size(&self, offset: Offset, kind: &str) -> Option<u64> {
        self.files.get(&(offset, kind.to_owned())).copied()
    }

    pub(super) fn offsets(&self, kind: &str) -> Vec<Offset> {
        self.files
            .keys()
            .filter(|(_, found)| found == kind)
            .map(|(offset, _)| *offset)
            .collect()
    }
}

impl Log {
    /// Opens the log in a directory, which is made a log where it holds no segment.
    ///
    /// # Errors
    /// The file system refuses; a file that cannot be derived is not in its format; or records
    /// below the recovery point are damaged ([`StorageError::Damaged`]).
    pub fn open(
        disk: &Disk,
        directory: &Path,
        config: impl Into<Arc<LogConfig>>,
        input: OpenInput,
        now: Now,
    ) -> Result<(Log, Recovered), StorageError> {
        let mut log = Log::without_segments(directory, config.into(), now);
        log.is_directory_unsynced = false;
        log.topic_id = partition_metadata::read(disk, directory)?.unwrap_or_default();
        let listing = log.clean_up(disk)?;
        log.find_segments(disk, &listing, now)?;
        log.snapshots = listing.offsets(file_name::SNAPSHOT);
        let first = log.segments.first().map(|segment| segment.base_offset);
        log.log_start_offset = input.log_start_offset.max(first.unwrap_or(Offset(0)));
        if log.segments.is_empty() {
            log.start_segment(disk, log.log_start_offset, now)?;
        }
        let has_epochs = log.read_leader_epochs(disk)?;

        let mut recovered = Recovered::default();
        let sound_end = if input.clean {
            log.end_of_active(disk)?
        } else {
            None
        };
        match sound_end {
            Some(end) => {
                log.log_end_offset = end;
                if !has_epochs {
                    log.rebuild_leader_epochs(disk)?;
                }
                log.load_producers(disk, end, true, now)?;
                log.recovery_point = end;
            }
            None => {
                log.recover(disk, input, has_epochs, &mut recovered, now)?;
                log.recovery_point = input.recovery_point.min(log.log_end_offset);
            }
        }
        if log.log_start_offset > log.log_end_offset {
            // Records were deleted up to an offset that the log, as it was found, does not reach.
            log.truncate_fully_and_start_at(disk, log.log_start_offset, now)?;
        }
        log.next_offset = log.log_end_offset;
        log.batch_end_offset = log.log_end_offset;
        log.synced_to = log.recovery_point;
        log.leader_epochs.truncate_from_end(log.log_end_offset);
        log.leader_epochs.truncate_from_start(log.log_start_offset);
        log.drop_stray_snapshots(disk)?;
        log.remember_older_batches(disk);
        for segment in &mut log.segments {
            segment.let_go_of_file();
        }
        Ok((log, recovered))
    }

    /// Completes or undoes what was under way when the broker stopped, and lists what remains.
    fn clean_up(&self, disk: &Disk) -> Result<Listing, StorageError> {
        let entries = self.list(disk)?;
        // Compaction writes `.cleaned` files, renames all to `.swap`, then removes the segments
        // they replace. While one is still `.cleaned`, the swap has not begun: all go.
        let first_cleaned = entries
            .iter()
            .filter(|entry| entry.name.ends_with(file_name::CLEANED))
            .filter_map(|entry| Some(file_name::parse(&entry.name)?.0))
            .min();
        let mut has_swap = false;
        for entry in &entries {
            let is_removed = entry.name.ends_with(file_name::DELETED)
                || entry.name.ends_with(file_name::CLEANED)
                || entry.name.ends_with(".tmp");
            let is_swap = entry.name.ends_with(file_name::SWAP);
            let is_undone = is_swap
                && first_cleaned.is_some_and(|first| {
                    file_name::parse(&entry.name).is_none_or(|(offset, _)| offset >= first)
                });
            if !entry.is_directory && (is_removed || is_undone) {
                let path = self.directory.join(&entry.name);
                disk.remove_file(&path)
                    .map_err(|error| StorageError::io("remove", &path, error))?;
            } else {
                has_swap |= is_swap;
            }
        }
        if has_swap {
            self.complete_swaps(disk)?;
        }
        let mut listing = Listing::default();
        for entry in self.list(disk)? {
            if let (false, Some((offset, kind))) =
                (entry.is_directory, file_name::parse(&entry.name))
            {
                listing.files.insert((offset, kind.to_owned()), entry.bytes);
            }
        }
        Ok(listing)
    }

    fn list(&self, disk: &Disk) -> Result<Vec<Entry>, StorageError> {
        disk.list(&self.directory)
            .map_err(|error| StorageError::io("list", &self.directory, error))
    }

    /// Removes the segments that each `.log.swap` replaces, then gives the swap files their names.
    fn complete_swaps(&self, disk: &Disk) -> Result<(), StorageError> {
        let entries = self.list(disk)?;
        let rename_failed = |path: &Path, error| StorageError::io("rename", path, error);
        for entry in &entries {
            let Some((base_offset, ".log.swap")) = file_name::parse(&entry.name) else {
                continue;
            };
            let end_offset = self.end_of_swap(disk, base_offset, entry)?;
            for other in &entries {
                let Some((offset, ".log")) = file_name::parse(&other.name) else {
                    continue;
                };
                if offset >= base_offset && offset < end_offset {
                    let replaced = Segment::empty(offset, crate::base::time::Timestamp::NONE);
                    self.remove_files(disk, &replaced)?;
                }
            }
        }
        // The `.log` comes last: as long as it is a swap file, this is done again after a stop.
        let (logs, others): (Vec<&Entry>, Vec<&Entry>) = entries
            .iter()
            .filter(|entry| entry.name.ends_with(file_name::SWAP))
            .partition(|entry| entry.name.ends_with(".log.swap"));
        for entry in others.into_iter().chain(logs) {
            let path = self.directory.join(&entry.name);
            let name = entry.name.trim_end_matches(file_name::SWAP);
            disk.rename(&path, &self.directory.join(name))
                .map_err(|error| rename_failed(&path, error))?;
        }
        Ok(())
    }

    fn end_of_swap(
        &self,
        disk: &Disk,
        base_offset: Offset,
        entry: &Entry,
    ) -> Result<Offset, StorageError> {
        use crate::log::index_file::Patience;
        use crate::log::scan::Extent;
        use crate::runtime::disk::OpenMode;
        let path = self.directory.join(&entry.name);
        let file = disk
            .open(&path, OpenMode::Read)
            .map_err(|error| StorageError::io("open", &path, error))?;
        let extent = Extent {
            file: &file,
            path: &path,
            end: entry.bytes,
        };
        let mut end_offset = base_offset.next();
        extent
            .walk(0, Patience::Wait, |_, header| {
                end_offset = end_offset.max(header.next_offset());
                false
            })
            .map_err(storage)?;
        Ok(end_offset)
    }

    fn find_segments(
        &mut self,
        disk: &Disk,
        listing: &Listing,
        now: Now,
    ) -> Result<(), StorageError> {
        let bases = listing.offsets(file_name::LOG);
        for &base_offset in &bases {
            let mut segment = Segment::stored(
                base_offset,
                listing.size(base_offset, file_name::LOG).unwrap_or(0),
                listing.size(base_offset, file_name::INDEX),
                listing.size(base_offset, file_name::TIME_INDEX),
                now.timestamp,
            );
            segment.has_transaction_index = listing
                .size(base_offset, file_name::TRANSACTION_INDEX)
                .is_some();
            self.segments.push(segment);
        }
        for kind in [
            file_name::INDEX,
            file_name::TIME_INDEX,
            file_name::TRANSACTION_INDEX,
        ] {
            for offset in listing.offsets(kind) {
                if bases.binary_search(&offset).is_err() {
                    let path = file_name::path(&self.directory, offset, kind);
                    disk.remove_file(&path)
                        .map_err(|error| StorageError::io("remove", &path, error))?;
                }
            }
        }
        Ok(())
    }

    /// Whether the file of epochs could be used; they can be found again in the log.
    fn read_leader_epochs(&mut self, disk: &Disk) -> Result<bool, StorageError> {
        let path = self.directory.join(leader_epochs::FILE_NAME);
        match disk.read(&path, EPOCHS_BYTES_MAX) {
            Ok(text) => match LeaderEpochs::parse(&text) {
                Ok(epochs) => {
                    self.leader_epochs = epochs;
                    Ok(true)
                }
                Err(_) => Ok(false),
            },
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::InvalidData
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(StorageError::io("read", &path, error)),
        }
    }

    /// The end of the active segment, where it is sound.
    pub(super) fn end_of_active(&mut self, disk: &Disk) -> Result<Option<Offset>, StorageError> {
        let directory = self.directory.clone();
        let place = crate::log::segment::Place {
            disk,
            directory: &directory,
        };
        let config = Arc::clone(&self.config);
        let segment = self.active_mut();
        if segment.bytes > 0 {
            match segment.repair_indexes(place, &config) {
                Ok(()) => {}
                Err(ReadError::Storage(StorageError::Malformed { .. })) => return Ok(None),
                Err(error) => return Err(storage(error)),
            }
        }
        let mut tail = segment.load_tail(place).map_err(storage)?;
        if tail == Tail::IndexUnusable {
            segment.suspect_indexes();
            match segment.repair_indexes(place, &config) {
                Ok(()) => {}
                Err(ReadError::Storage(StorageError::Malformed { .. })) => return Ok(None),
                Err(error) => return Err(storage(error)),
            }
            tail = segment.load_tail(place).map_err(storage)?;
        }
        match tail {
            Tail::Sound(end) => Ok(Some(end)),
            Tail::IndexUnusable | Tail::Broken { .. } => Ok(None),
        }
    }

    /// Removes snapshots that belong to no segment, except the newest, and those beyond the end.
    fn drop_stray_snapshots(&mut self, disk: &Disk) -> Result<(), StorageError> {
        let end = self.log_end_offset;
        let newest = self.snapshots.iter().copied().filter(|it| *it <= end).max();
        let (kept, stray): (Vec<Offset>, Vec<Offset>) =
            self.snapshots.iter().partition(|&&offset| {
                let is_base = self
                    .segments
                    .binary_search_by_key(&offset, |segment| segment.base_offset)
                    .is_ok();
                offset <= end && (is_base || Some(offset) == newest)
            });
        self.snapshots = kept;
        self.remove_snapshots(disk, &stray)
    }

    pub(super) fn remove_snapshots(
        &self,
        disk: &Disk,
        offsets: &[Offset],
    ) -> Result<(), StorageError> {
        for &offset in offsets {
            let path = file_name::path(&self.directory, offset, file_name::SNAPSHOT);
            disk.remove_file(&path)
                .map_err(|error| StorageError::io("remove", &path, error))?;
        }
        Ok(())
    }
}

/// An error of a read that was willing to wait.
pub(super) fn storage(error: ReadError) -> StorageError {
    match error {
        ReadError::Storage(error) => error,
        ReadError::OffsetOutOfRange { .. } | ReadError::Cold { .. } => StorageError::io(
            "read",
            Path::new("a segment"),
            io::Error::other(error.to_string()),
        ),
    }
}
