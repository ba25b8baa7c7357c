//! One segment: a file of batches, its indexes, and when it is to be rolled.
//!
//! Only the active segment, the last of a log, is written. The file and the indexes of the others
//! are opened when a reader asks, and let go when nobody has asked for a while.

mod lookup;
mod tail;

pub use tail::Tail;

use crate::base::convert::{u64_from, usize_from_u32};
use crate::base::ids::Offset;
use crate::base::prng::Prng;
use crate::base::time::Timestamp;
use crate::log::config::LogConfig;
use crate::log::error::StorageError;
use crate::log::file_name;
use crate::log::index_file::IndexEntry;
use crate::log::offset_index::{OffsetEntry, OffsetIndex};
use crate::log::time_index::{TimeEntry, TimeIndex};
use crate::log::transaction_index::{self, AbortedTransaction};
use crate::record::batch::BatchHeader;
use crate::runtime::disk::{Disk, File, OpenMode};
use bytes::Bytes;
use std::cell::{Cell, OnceCell};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A segment of this size is likely to grow further: blocks are reserved ahead of it.
const RESERVED_FROM_BYTES: u64 = 1 << 20;
/// Most bytes for which blocks are reserved ahead.
const RESERVED_BYTES_MAX: u64 = 16 << 20;
/// What is written behind the end of a segment whose appends are synced one by one.
static ZEROS: [u8; 256 << 10] = [0; 256 << 10];

/// A file system and a partition's directory in it.
#[derive(Clone, Copy)]
pub struct Place<'d> {
    /// The file system.
    pub disk: &'d Disk,
    /// The partition's directory.
    pub directory: &'d Path,
}

/// The largest timestamp of a segment, and the last offset of the first batch that has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LargestTimestamp {
    /// The timestamp, or none.
    pub timestamp: Timestamp,
    /// The offset.
    pub offset: Offset,
}

/// Where a batch lies in a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Located {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// Byte at which it starts.
    pub position: u64,
    /// Its size.
    pub bytes: usize,
}

/// One segment of a log.
#[derive(Debug)]
pub struct Segment {
    /// The offset in its name: no record in it is below.
    pub base_offset: Offset,
    /// Bytes of batches; the file may be longer only while it is preallocated, has zeros ahead or is torn.
    pub bytes: u64,
    /// When the segment was made, or found: stands in for timestamps that records lack.
    pub created: Timestamp,
    pub(super) offset_index: OffsetIndex,
    pub(super) time_index: TimeIndex,
    /// Whether there is a `.txnindex`.
    pub(super) has_transaction_index: bool,
    /// Aborted transactions that the `.txnindex` does not have yet: the disk was full.
    pub(super) aborted_pending: Vec<AbortedTransaction>,
    file: OnceCell<Arc<File>>,
    /// Up to here the file system has blocks for the file.
    reserved: Cell<u64>,
    /// Up to here zeros may have been written into the file.
    zeros_to: Cell<u64>,
    /// What is written of the file's last block, where that is known: empty where it is not.
    open_block: Bytes,
    bytes_since_index_entry: u64,
    /// `None` where it has not been read from the time index yet.
    largest_timestamp: Cell<Option<LargestTimestamp>>,
    /// Maximum timestamp of the first batch: what `segment.ms` counts from.
    first_timestamp: Option<Timestamp>,
    /// An index was found unusable: `housekeeping` builds both anew.
    is_index_suspect: Cell<bool>,
    /// Until then, the indexes as the log says they should be.
    rebuilt: OnceCell<Box<Indexes>>,
    /// Somebody has read since the last `housekeeping`.
    is_touched: Cell<bool>,
}

/// Both indexes of a segment.
#[derive(Debug)]
struct Indexes {
    offset: OffsetIndex,
    time: TimeIndex,
}

/// A state of a segment to return to when a write fails.
pub struct SegmentMark {
    bytes: u64,
    bytes_since_index_entry: u64,
    largest_timestamp: Option<LargestTimestamp>,
    first_timestamp: Option<Timestamp>,
    offset_index: (usize, Option<OffsetEntry>),
    time_index: (usize, Option<TimeEntry>),
}

impl Segment {
    /// A segment without records, whose file does not exist yet.
    #[must_use]
    pub fn empty(base_offset: Offset, now: Timestamp) -> Segment {
        Segment {
            base_offset,
            bytes: 0,
            created: now,
            offset_index: OffsetIndex::empty(),
            time_index: TimeIndex::empty(),
            has_transaction_index: false,
            aborted_pending: Vec::new(),
            file: OnceCell::new(),
            reserved: Cell::new(0),
            zeros_to: Cell::new(0),
            open_block: Bytes::new(),
            bytes_since_index_entry: 0,
            largest_timestamp: Cell::new(Some(LargestTimestamp {
                timestamp: Timestamp::NONE,
                offset: base_offset,
            })),
            first_timestamp: None,
            is_index_suspect: Cell::new(false),
            rebuilt: OnceCell::new(),
            is_touched: Cell::new(false),
        }
    }

    /// A segment that stands on disk with files of these sizes; `None` is a missing index.
    #[must_use]
    pub fn stored(
        base_offset: Offset,
        bytes: u64,
        index_bytes: Option<u64>,
        time_index_bytes: Option<u64>,
        now: Timestamp,
    ) -> Segment {
        let is_sound = |found: Option<u64>, entry: usize| {
            found.is_some_and(|bytes| bytes.is_multiple_of(u64_from(entry)))
        };
        let is_suspect = !is_sound(index_bytes, OffsetEntry::BYTES)
            || !is_sound(time_index_bytes, TimeEntry::BYTES);
        Segment {
            bytes,
            offset_index: OffsetIndex::stored(index_bytes.unwrap_or(0)),
            time_index: TimeIndex::stored(time_index_bytes.unwrap_or(0)),
            largest_timestamp: Cell::new(None),
            is_index_suspect: Cell::new(is_suspect),
            ..Segment::empty(base_offset, now)
        }
    }

    /// Its end is elsewhere now, in a block of which nothing is known.
    fn set_bytes(&mut self, bytes: u64) {
        self.bytes = bytes;
        self.open_block = Bytes::new();
    }

    /// Takes what is known of the last block. A write that begins with it covers the block, so that the
    /// file system need not read it first where its page was dropped.
    pub fn take_open_block(&mut self) -> Bytes {
        std::mem::take(&mut self.open_block)
    }

    /// Says what is written of the last block, from its beginning to the segment's end.
    pub fn set_open_block(&mut self, written: Bytes) {
        self.open_block = written;
    }

    /// The path of one of its files.
    #[must_use]
    pub fn path(&self, directory: &Path, kind: &str) -> PathBuf {
        file_name::path(directory, self.base_offset, kind)
    }

    /// Makes its file, empty.
    ///
    /// # Errors
    /// What the file system said.
    pub fn create_file(&mut self, place: Place<'_>, preallocate: u64) -> Result<(), StorageError> {
        let path = self.path(place.directory, file_name::LOG);
        let failed = |error| StorageError::io("create", &path, error);
        let file = place.disk.open(&path, OpenMode::Truncate).map_err(failed)?;
        if preallocate > 0 {
            file.set_len(preallocate).map_err(failed)?;
        }
        self.file = OnceCell::from(file);
        Ok(())
    }

    /// Its file, opened where it is not.
    ///
    /// # Errors
    /// What the file system said.
    pub fn file(&self, place: Place<'_>) -> Result<&Arc<File>, StorageError> {
        self.open_with(|path| place.disk.open(path, OpenMode::Write), place)
    }

    /// The same, but not with one of the last descriptors of the process: for turns, which can do it later.
    ///
    /// # Errors
    /// What the file system said; [`StorageError::is_out_of_descriptors`] where none is to spare.
    pub fn spare_file(&self, place: Place<'_>) -> Result<&Arc<File>, StorageError> {
        self.open_with(|path| place.disk.open_spare(path, OpenMode::Write), place)
    }

    fn open_with(
        &self,
        open: impl FnOnce(&Path) -> io::Result<Arc<File>>,
        place: Place<'_>,
    ) -> Result<&Arc<File>, StorageError> {
        self.is_touched.set(true);
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let path = self.path(place.directory, file_name::LOG);
        let file = open(&path).map_err(|error| StorageError::io("open", &path, error))?;
        Ok(self.file.get_or_init(|| file))
    }

    /// The part of the file for which blocks are to be found before so many bytes, from `from` on, are
    /// written: see [`Segment::reserve`]. Asked for once.
    #[must_use]
    pub fn take_reservation(&self, config: &LogConfig, bytes: u64) -> Option<(u64, u64)> {
        if !self.wants_reservation(bytes) {
            return None;
        }
        let after = self.bytes + bytes;
        let start = self.reserved.get().max(self.bytes);
        let full = u64::from(config.segment_bytes).max(after);
        let end = (after + after.min(RESERVED_BYTES_MAX)).min(full);
        self.reserved.set(end);
        Some((start, end - start))
    }

    /// Whether blocks are to be found before so many bytes are written.
    #[must_use]
    pub fn wants_reservation(&self, bytes: u64) -> bool {
        let after = self.bytes + bytes;
        after > self.reserved.get() && after >= RESERVED_FROM_BYTES
    }

    /// Whether blocks are reserved beyond its end; it will not be told again.
    pub fn take_reserved(&self) -> bool {
        self.reserved.replace(0) > self.bytes
    }

    /// Has the file system find blocks for what is about to be written, and for as much again, up to
    /// [`RESERVED_BYTES_MAX`]: one search for many appends, and the segment lies in one piece. Small
    /// segments, of which there may be thousands, take no more than they hold. The next write starts
    /// at `from`.
    pub fn reserve(&self, file: &File, config: &LogConfig, from: u64) {
        if self.bytes <= self.reserved.get() || self.bytes < RESERVED_FROM_BYTES {
            return;
        }
        let start = self.reserved.get().max(from);
        let full = u64::from(config.segment_bytes).max(self.bytes);
        let end = (self.bytes + self.bytes.min(RESERVED_BYTES_MAX)).min(full);
        file.reserve(start, end - start);
        self.reserved.set(end);
    }

    /// Writes zeros behind the end, where none are left and the appends are small, of which this was `appended`
    /// bytes: as long as the next ones lie on them, the file does not grow, and a sync of it has the inode left
    /// alone, which is a third of the sync. Whoever reads the file (a recovery, Apache's too) ends at the zeros, as
    /// with `preallocate`. A hint: where they find no room, files grow as they do without.
    pub fn write_zeros(&self, file: &File, appended: u64) {
        let are_few = appended * 4 <= u64_from(ZEROS.len());
        if are_few && self.zeros_to.get() < self.bytes {
            // Also where it fails: how much of it was written is not known.
            self.zeros_to.set(self.bytes + u64_from(ZEROS.len()));
            let _ = file.write_at(self.bytes, &ZEROS);
        }
    }

    /// Whether its file may have zeros beyond its end.
    #[must_use]
    pub fn has_zeros(&self) -> bool {
        self.zeros_to.get() > self.bytes
    }

    /// Whether the next batch belongs into a new segment. `LogSegment.shouldRoll`.
    #[must_use]
    pub fn should_roll(
        &self,
        config: &LogConfig,
        batch_bytes: usize,
        last_offset: Offset,
        max_timestamp: Timestamp,
        now: Timestamp,
    ) -> bool {
        let is_too_old = || {
            let waited = match self.first_timestamp {
                Some(first) if first.0 >= 0 => max_timestamp.0.saturating_sub(first.0),
                Some(_) | None => now.0.saturating_sub(self.created.0),
            };
            waited > config.segment_ms.saturating_sub(self.jitter_ms(config))
        };
        let index_bytes = usize_from_u32(config.segment_index_bytes);
        self.bytes + u64_from(batch_bytes) > u64::from(config.segment_bytes)
            || (self.bytes > 0 && is_too_old())
            || self.offset_index.entries() >= index_bytes / OffsetEntry::BYTES
            // One slot is kept free for the entry that is made when the segment is rolled.
            || self.time_index.entries() + 1 >= index_bytes / TimeEntry::BYTES
            || self.relative(last_offset).is_none()
    }

    /// What is taken off `segment.ms`: the same each time for one segment, other for others.
    fn jitter_ms(&self, config: &LogConfig) -> i64 {
        let bound = config.segment_jitter_ms.min(config.segment_ms).max(0);
        let seed = self.created.0.cast_unsigned() ^ self.base_offset.0.cast_unsigned();
        let jitter = Prng::new(seed).below(bound.cast_unsigned());
        jitter.cast_signed()
    }

    /// The offset relative to the base; `None` where it does not fit in an index.
    #[must_use]
    pub fn relative(&self, offset: Offset) -> Option<u32> {
        let relative = offset.0.checked_sub(self.base_offset.0)?;
        u32::try_from(relative).ok().filter(|&it| it < 1 << 31)
    }

    /// Counts a batch that follows the last one. The order is Kafka's: an index entry is decided on
    /// before the batch is counted.
    pub fn count(&mut self, config: &LogConfig, header: &BatchHeader, last_offset: Offset) {
        let largest = self.largest_known();
        if header.max_timestamp > largest.timestamp {
            self.largest_timestamp.set(Some(LargestTimestamp {
                timestamp: header.max_timestamp,
                offset: last_offset,
            }));
        }
        if self.bytes == 0 {
            self.first_timestamp = Some(header.max_timestamp);
        }
        if self.bytes_since_index_entry > u64::from(config.index_interval_bytes) {
            let relative = self.relative(last_offset);
            self.offset_index.push(OffsetEntry {
                relative_offset: relative.expect("a batch beyond 2^31 offsets rolls the segment"),
                position: u32::try_from(self.bytes).expect("segment.bytes is below 2^31"),
            });
            self.add_time_entry();
            self.bytes_since_index_entry = 0;
        }
        let bytes = u64_from(header.batch_bytes());
        self.set_bytes(self.bytes + bytes);
        self.bytes_since_index_entry += bytes;
    }

    /// An entry for the largest timestamp so far, where it has grown since the last entry.
    pub fn add_time_entry(&mut self) {
        let largest = self.largest_known();
        let last = self.time_index.last();
        let has_grown = largest.timestamp > last.map_or(Timestamp::NONE, |last| last.timestamp);
        if let (true, Some(relative_offset)) = (has_grown, self.relative(largest.offset)) {
            self.time_index.push(TimeEntry {
                timestamp: largest.timestamp,
                relative_offset,
            });
        }
    }

    /// What the active segment always knows; nothing, for one that has not been asked.
    fn largest_known(&self) -> LargestTimestamp {
        self.largest_timestamp.get().unwrap_or(LargestTimestamp {
            timestamp: Timestamp::NONE,
            offset: self.base_offset,
        })
    }

    /// The state to return to when a write fails.
    #[must_use]
    pub fn mark(&self) -> SegmentMark {
        SegmentMark {
            bytes: self.bytes,
            bytes_since_index_entry: self.bytes_since_index_entry,
            largest_timestamp: self.largest_timestamp.get(),
            first_timestamp: self.first_timestamp,
            offset_index: self.offset_index.mark(),
            time_index: self.time_index.mark(),
        }
    }

    /// Returns to that state.
    pub fn restore(&mut self, mark: SegmentMark) {
        self.set_bytes(mark.bytes);
        self.bytes_since_index_entry = mark.bytes_since_index_entry;
        self.largest_timestamp.set(mark.largest_timestamp);
        self.first_timestamp = mark.first_timestamp;
        self.offset_index.restore(mark.offset_index);
        self.time_index.restore(mark.time_index);
    }

    /// Appends to the `.txnindex` what it lacks.
    ///
    /// # Errors
    /// What the file system said; nothing is lost, and a later call tries again.
    pub fn persist_aborted(&mut self, place: Place<'_>) -> Result<(), StorageError> {
        if self.aborted_pending.is_empty() {
            return Ok(());
        }
        let path = self.path(place.directory, file_name::TRANSACTION_INDEX);
        let failed = |error| StorageError::io("append to", &path, error);
        let file = place.disk.open(&path, OpenMode::Create).map_err(failed)?;
        // A part of an entry, from a write that failed, is overwritten.
        let entry_bytes = u64_from(transaction_index::ENTRY_BYTES);
        let end = file.len().map_err(failed)? / entry_bytes * entry_bytes;
        let entries = self.aborted_pending.iter();
        let bytes: Vec<u8> = entries.flat_map(transaction_index::encode).collect();
        file.write_at(end, &bytes).map_err(failed)?;
        self.aborted_pending = Vec::new();
        self.has_transaction_index = true;
        Ok(())
    }

    /// Writes what the index files lack.
    ///
    /// # Errors
    /// What the file system said; nothing is lost, and a later call tries again.
    pub fn persist_indexes(&mut self, place: Place<'_>) -> Result<(), StorageError> {
        self.persist_aborted(place)?;
        let path = self.path(place.directory, file_name::INDEX);
        self.offset_index.persist(place.disk, &path)?;
        let path = self.path(place.directory, file_name::TIME_INDEX);
        self.time_index.persist(place.disk, &path)
    }

    /// Lets go of the file and the indexes where nobody has asked for them lately.
    pub fn drop_cold(&mut self) {
        if !self.is_touched.replace(false) {
            self.file.take();
            self.offset_index.drop_loaded();
            self.time_index.drop_loaded();
        }
    }

    /// The same for the segment that is appended to, all of which is synced: the next record opens its file again. Not where the
    /// file is longer than the segment: whoever closes the log cuts that off, and knows it by the open file.
    pub fn drop_cold_file(&mut self) {
        if !self.is_touched.replace(false) {
            self.let_go_of_file();
        }
    }

    /// Closes its file, unless that is longer than the segment. True where it was open. What is reserved beyond its end
    /// stays so, and is known; zeros are cut off, so that an idle segment ends where its records do.
    pub fn let_go_of_file(&mut self) -> bool {
        if let (true, Some(file)) = (self.has_zeros(), self.file.get())
            && file.set_len(self.bytes).is_ok()
        {
            self.zeros_to.set(0);
        }
        let ends_here = |file: &Arc<File>| file.len().is_ok_and(|bytes| bytes == self.bytes);
        let lets_go = self.file.get().is_some_and(ends_here);
        if lets_go {
            self.file.take();
        }
        lets_go
    }

    /// Whether the index files have all entries.
    #[must_use]
    pub fn is_persisted(&self) -> bool {
        self.offset_index.is_persisted()
            && self.time_index.is_persisted()
            && self.aborted_pending.is_empty()
    }

    /// Whether its file may be longer than it, or have blocks beyond its end: it is cut before a clean stop.
    #[must_use]
    pub fn may_need_cut(&self) -> bool {
        self.has_file() || self.reserved.get() > self.bytes
    }

    /// Whether its file is open.
    #[must_use]
    pub fn has_file(&self) -> bool {
        self.file.get().is_some()
    }
}

/// Where the batch of an index entry starts; without one, where the first batch does.
#[must_use]
pub fn start_of(entry: Option<OffsetEntry>) -> u64 {
    entry.map_or(0, |entry| u64::from(entry.position))
}

fn damaged(path: &Path, position: u64) -> StorageError {
    StorageError::malformed(path, format!("no record batch starts at byte {position}"))
}
