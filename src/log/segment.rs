//! One segment: a file of batches, its indexes, and when it is to be rolled.
//!
//! Only the active segment, the last of a log, is written. The file and the indexes of the others
//! are opened when a reader asks, and let go when nobody has asked for a while.

use crate::base::convert::{u64_from, usize_from_u32};
use crate::base::ids::Offset;
use crate::base::prng::Prng;
use crate::base::time::Timestamp;
use crate::log::config::LogConfig;
use crate::log::error::{ReadError, StorageError};
use crate::log::file_name;
use crate::log::index_file::{IndexEntry, LoadError, Patience};
use crate::log::offset_index::{OffsetEntry, OffsetIndex};
use crate::log::scan::{Extent, Walk};
use crate::log::time_index::{TimeEntry, TimeIndex};
use crate::record::batch::BatchHeader;
use crate::runtime::disk::{Disk, File, OpenMode};
use std::cell::{Cell, OnceCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// What the end of a segment looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    /// Batches up to the end of the file; this offset follows the last.
    Sound(Offset),
    /// The index leads astray: it has to be built anew first.
    IndexUnusable,
    /// At this byte is no batch.
    Broken {
        /// The byte.
        position: u64,
    },
}

/// One segment of a log.
#[derive(Debug)]
pub struct Segment {
    /// The offset in its name: no record in it is below.
    pub base_offset: Offset,
    /// Bytes of batches; the file may be longer only while it is preallocated or torn.
    pub bytes: u64,
    /// When the segment was made, or found: stands in for timestamps that records lack.
    pub created: Timestamp,
    pub(super) offset_index: OffsetIndex,
    pub(super) time_index: TimeIndex,
    /// Whether there is a `.txnindex`.
    pub(super) has_transaction_index: bool,
    file: OnceCell<Arc<File>>,
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
            file: OnceCell::new(),
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
        self.is_touched.set(true);
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let path = self.path(place.directory, file_name::LOG);
        let file = place
            .disk
            .open(&path, OpenMode::Write)
            .map_err(|error| StorageError::io("open", &path, error))?;
        Ok(self.file.get_or_init(|| file))
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
        self.bytes += bytes;
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
        self.bytes = mark.bytes;
        self.bytes_since_index_entry = mark.bytes_since_index_entry;
        self.largest_timestamp.set(mark.largest_timestamp);
        self.first_timestamp = mark.first_timestamp;
        self.offset_index.restore(mark.offset_index);
        self.time_index.restore(mark.time_index);
    }

    /// Writes what the index files lack.
    ///
    /// # Errors
    /// What the file system said; nothing is lost, and a later call tries again.
    pub fn persist_indexes(&mut self, place: Place<'_>) -> Result<(), StorageError> {
        let path = self.path(place.directory, file_name::INDEX);
        self.offset_index.persist(place.disk, &path)?;
        let path = self.path(place.directory, file_name::TIME_INDEX);
        self.time_index.persist(place.disk, &path)
    }

    /// The batches of the file.
    fn extent<'s>(&self, file: &'s Arc<File>, path: &'s Path) -> Extent<'s> {
        Extent {
            file,
            path,
            end: self.bytes,
        }
    }

    /// Calls `with` with the batches of the file.
    ///
    /// # Errors
    /// The file cannot be opened, or what `with` says.
    pub fn with_extent<T, E: From<StorageError>>(
        &self,
        place: Place<'_>,
        with: impl FnOnce(Extent<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let path = self.path(place.directory, file_name::LOG);
        let file = self.file(place)?;
        with(self.extent(file, &path))
    }

    /// The first batch whose last offset is not below `offset`.
    ///
    /// # Errors
    /// `ReadError::Cold` where that is the patience, or what the file system said.
    pub fn locate(
        &self,
        place: Place<'_>,
        offset: Offset,
        patience: Patience,
    ) -> Result<Option<Located>, ReadError> {
        let floor = self.floor(place, offset, patience)?;
        self.locate_from(place, floor, offset, patience)
    }

    /// As [`Segment::locate`], from an entry of the index on.
    ///
    /// # Errors
    /// As [`Segment::locate`].
    pub fn locate_from(
        &self,
        place: Place<'_>,
        floor: Option<OffsetEntry>,
        offset: Offset,
        patience: Patience,
    ) -> Result<Option<Located>, ReadError> {
        self.with_extent(place, |extent| {
            let mut is_entry_right = true;
            let found = extent.walk(start_of(floor), patience, |position, header| {
                if let Some(floor) = floor
                    && position == start_of(Some(floor))
                {
                    is_entry_right =
                        self.relative(header.last_offset()) == Some(floor.relative_offset);
                }
                !is_entry_right || header.last_offset() >= offset
            })?;
            match found {
                Walk::Found { position, header } if is_entry_right => Ok(Some(Located {
                    base_offset: header.base_offset,
                    last_offset: header.last_offset(),
                    position,
                    bytes: header.batch_bytes(),
                })),
                Walk::End => Ok(None),
                // The index leads astray: from the segment's start there is no need of it.
                Walk::Found { .. } | Walk::Broken { .. } if floor.is_some() => {
                    self.is_index_suspect.set(true);
                    self.locate_from(place, None, offset, patience)
                }
                Walk::Found { position, .. } | Walk::Broken { position } => {
                    Err(damaged(extent.path, position).into())
                }
            }
        })
    }

    /// The last entry of the index that is not above `offset`.
    ///
    /// # Errors
    /// As [`Segment::locate`].
    pub fn floor(
        &self,
        place: Place<'_>,
        offset: Offset,
        patience: Patience,
    ) -> Result<Option<OffsetEntry>, ReadError> {
        let Some(relative) = offset.0.checked_sub(self.base_offset.0) else {
            return Ok(None);
        };
        let path = self.path(place.directory, file_name::INDEX);
        let is_floor = |entry: &OffsetEntry| i64::from(entry.relative_offset) <= relative;
        self.with_indexes(place, |index, _| {
            index.floor(place.disk, &path, patience, is_floor)
        })
        .map(|found| found.filter(|entry| u64::from(entry.position) < self.bytes))
    }

    /// The last entry of the time index that is below `timestamp`.
    ///
    /// # Errors
    /// As [`Segment::locate`].
    pub fn time_floor(
        &self,
        place: Place<'_>,
        timestamp: Timestamp,
        patience: Patience,
    ) -> Result<Option<TimeEntry>, ReadError> {
        let path = self.path(place.directory, file_name::TIME_INDEX);
        self.with_indexes(place, |_, index| {
            index.floor(place.disk, &path, patience, |entry| {
                entry.timestamp < timestamp
            })
        })
    }

    /// The largest timestamp of the segment.
    ///
    /// # Errors
    /// As [`Segment::locate`].
    pub fn largest_timestamp(
        &self,
        place: Place<'_>,
        patience: Patience,
    ) -> Result<LargestTimestamp, ReadError> {
        if let Some(known) = self.largest_timestamp.get() {
            return Ok(known);
        }
        let path = self.path(place.directory, file_name::TIME_INDEX);
        let last = self.with_indexes(place, |_, index| {
            let is_rebuilt = !std::ptr::eq(index, &self.time_index);
            match index.read_last(place.disk, &path, patience)? {
                Some(last) if last.follows(None) => Ok(Some(last)),
                // Rolling leaves an entry, except where no record has a timestamp.
                None if self.bytes == 0 || is_rebuilt => Ok(None),
                Some(_) | None => Err(LoadError::Unusable),
            }
        })?;
        let largest = match last {
            Some(entry) => LargestTimestamp {
                timestamp: entry.timestamp,
                offset: self.base_offset.plus(i64::from(entry.relative_offset)),
            },
            None => LargestTimestamp {
                timestamp: Timestamp::NONE,
                offset: self.base_offset,
            },
        };
        self.largest_timestamp.set(Some(largest));
        Ok(largest)
    }

    /// Whether the log bears out what the time index says of its largest timestamp.
    ///
    /// # Errors
    /// As [`Segment::locate`].
    pub fn is_confirmed(
        &self,
        place: Place<'_>,
        largest: LargestTimestamp,
        patience: Patience,
    ) -> Result<bool, ReadError> {
        let Some(located) = self.locate(place, largest.offset, patience)? else {
            return Ok(false);
        };
        self.with_extent(place, |extent| {
            let walk = extent.walk(located.position, patience, |_, _| true)?;
            Ok(match walk {
                Walk::Found { header, .. } => header.max_timestamp == largest.timestamp,
                Walk::End | Walk::Broken { .. } => false,
            })
        })
    }

    /// As [`Segment::largest_timestamp`], but borne out by the log: before anything is deleted.
    ///
    /// # Errors
    /// As [`Segment::locate`].
    pub fn confirmed_largest_timestamp(
        &self,
        place: Place<'_>,
        patience: Patience,
    ) -> Result<LargestTimestamp, ReadError> {
        let largest = self.largest_timestamp(place, patience)?;
        if largest.timestamp == Timestamp::NONE || self.is_confirmed(place, largest, patience)? {
            return Ok(largest);
        }
        self.suspect_indexes();
        self.largest_timestamp.set(None);
        self.largest_timestamp(place, patience)
    }

    /// Asks the indexes; where they are unusable, builds them anew from the log and asks those.
    fn with_indexes<T>(
        &self,
        place: Place<'_>,
        ask: impl Fn(&OffsetIndex, &TimeIndex) -> Result<T, LoadError>,
    ) -> Result<T, ReadError> {
        self.is_touched.set(true);
        if !self.is_index_suspect.get() {
            match ask(&self.offset_index, &self.time_index) {
                Ok(answer) => return Ok(answer),
                Err(LoadError::Read(error)) => return Err(error),
                Err(LoadError::Unusable) => self.suspect_indexes(),
            }
        }
        let rebuilt = match self.rebuilt.get() {
            Some(rebuilt) => rebuilt,
            None => {
                let built = self.built_indexes(place, &LogConfig::default())?;
                self.rebuilt.get_or_init(|| Box::new(built))
            }
        };
        match ask(&rebuilt.offset, &rebuilt.time) {
            Ok(answer) => Ok(answer),
            Err(LoadError::Read(error)) => Err(error),
            Err(LoadError::Unusable) => {
                let path = self.path(place.directory, file_name::INDEX);
                Err(StorageError::malformed(&path, "it cannot be built anew").into())
            }
        }
    }

    /// The indexes as the log says they should be. Reads every header; it may wait.
    fn built_indexes(&self, place: Place<'_>, config: &LogConfig) -> Result<Indexes, ReadError> {
        let mut shadow = Segment::empty(self.base_offset, self.created);
        self.with_extent(place, |extent| {
            let end = extent.walk(0, Patience::Wait, |_, header| {
                let fits = shadow.relative(header.last_offset()).is_some();
                if fits {
                    shadow.count(config, header, header.last_offset());
                }
                !fits
            })?;
            match end {
                Walk::End => Ok(()),
                Walk::Found { position, .. } | Walk::Broken { position } => {
                    Err(ReadError::Storage(damaged(extent.path, position)))
                }
            }
        })?;
        shadow.add_time_entry();
        Ok(Indexes {
            offset: shadow.offset_index,
            time: shadow.time_index,
        })
    }

    /// Builds the indexes anew where one was found unusable, and writes them.
    ///
    /// # Errors
    /// What the file system said.
    pub fn repair_indexes(
        &mut self,
        place: Place<'_>,
        config: &LogConfig,
    ) -> Result<(), ReadError> {
        if !self.is_index_suspect.get() {
            return Ok(());
        }
        let built = self.built_indexes(place, config)?;
        self.offset_index = built.offset;
        self.time_index = built.time;
        self.is_index_suspect.set(false);
        self.rebuilt.take();
        self.persist_indexes(place)?;
        Ok(())
    }

    /// Lets go of the file and the indexes where nobody has asked for them lately.
    pub fn drop_cold(&mut self) {
        if !self.is_touched.replace(false) {
            self.file.take();
            self.offset_index.drop_loaded();
            self.time_index.drop_loaded();
        }
    }

    /// Cuts the file to the batches that count, where it is longer.
    ///
    /// # Errors
    /// What the file system said.
    pub fn trim_file(&self, place: Place<'_>) -> Result<(), StorageError> {
        let path = self.path(place.directory, file_name::LOG);
        let failed = |error| StorageError::io("cut", &path, error);
        let file = self.file(place)?;
        if file.len().map_err(failed)? != self.bytes {
            file.set_len(self.bytes).map_err(failed)?;
        }
        Ok(())
    }

    /// Cuts the segment to its first `bytes`, which end where a batch starts, and the indexes with
    /// it. Offsets from `end_offset` on are gone.
    ///
    /// # Errors
    /// What the file system said.
    pub fn truncate(
        &mut self,
        place: Place<'_>,
        config: &LogConfig,
        bytes: u64,
        end_offset: Offset,
    ) -> Result<(), ReadError> {
        self.repair_indexes(place, config)?;
        let last = end_offset.0 - 1 - self.base_offset.0;
        let index = self.path(place.directory, file_name::INDEX);
        let time_index = self.path(place.directory, file_name::TIME_INDEX);
        let cut = self
            .offset_index
            .truncate(place.disk, &index, |entry| {
                u64::from(entry.position) < bytes
            })
            .and_then(|()| {
                self.time_index.truncate(place.disk, &time_index, |entry| {
                    i64::from(entry.relative_offset) <= last
                })
            });
        match cut {
            Ok(()) => {}
            Err(LoadError::Read(error)) => return Err(error),
            Err(LoadError::Unusable) => {
                self.offset_index = OffsetIndex::empty();
                self.time_index = TimeIndex::empty();
                self.is_index_suspect.set(true);
            }
        }
        self.bytes = bytes;
        self.trim_file(place)?;
        self.repair_indexes(place, config)?;
        self.load_tail(place)?;
        self.persist_indexes(place)?;
        Ok(())
    }

    /// Makes the segment end, in memory only, at the batch of an index entry, so that this one and
    /// those after it can be counted anew.
    ///
    /// # Errors
    /// What the file system said.
    pub fn rewind(&mut self, place: Place<'_>, start: u64) -> Result<(), ReadError> {
        let index = self.path(place.directory, file_name::INDEX);
        let time_index = self.path(place.directory, file_name::TIME_INDEX);
        let mut first = None;
        self.with_extent(place, |extent| {
            extent.walk(0, Patience::Wait, |_, header| {
                first = Some(header.max_timestamp);
                true
            })
        })?;
        let cut = self.offset_index.truncate(place.disk, &index, |entry| {
            u64::from(entry.position) <= start
        });
        let last = self.offset_index.last().map(|entry| entry.relative_offset);
        let cut = cut.and_then(|()| {
            self.time_index.truncate(place.disk, &time_index, |entry| {
                Some(entry.relative_offset) <= last
            })
        });
        match cut {
            Ok(()) => {}
            Err(LoadError::Read(error)) => return Err(error),
            Err(LoadError::Unusable) => {
                return Err(StorageError::malformed(&index, "it changed while it was read").into());
            }
        }
        self.bytes = start;
        self.bytes_since_index_entry = 0;
        self.first_timestamp = first;
        let largest = self.time_index.last().map(|entry| LargestTimestamp {
            timestamp: entry.timestamp,
            offset: self.base_offset.plus(i64::from(entry.relative_offset)),
        });
        self.largest_timestamp
            .set(Some(largest.unwrap_or(LargestTimestamp {
                timestamp: Timestamp::NONE,
                offset: self.base_offset,
            })));
        Ok(())
    }

    /// Learns what an active segment has to know, from its indexes and the batches after their last
    /// entries.
    ///
    /// # Errors
    /// What the file system said.
    pub fn load_tail(&mut self, place: Place<'_>) -> Result<Tail, ReadError> {
        self.first_timestamp = None;
        self.bytes_since_index_entry = 0;
        let mut largest = LargestTimestamp {
            timestamp: Timestamp::NONE,
            offset: self.base_offset,
        };
        if self.bytes == 0 {
            self.largest_timestamp.set(Some(largest));
            self.offset_index = OffsetIndex::empty();
            self.time_index = TimeIndex::empty();
            return Ok(Tail::Sound(self.base_offset));
        }
        let (offset_entry, time_entry) = match self.last_entries(place)? {
            Some(last) => last,
            None => return Ok(Tail::IndexUnusable),
        };
        self.offset_index.set_last(offset_entry);
        self.time_index.set_last(time_entry);
        if let Some(entry) = time_entry {
            largest.timestamp = entry.timestamp;
            largest.offset = self.base_offset.plus(i64::from(entry.relative_offset));
        }
        // The time entry made together with the last offset entry covers all before; but one
        // more could be made only if the timestamp grew, so batches from there are looked at.
        let start = start_of(offset_entry);
        let mut end_offset = self.base_offset;
        let mut is_entry_right = true;
        let mut first = None;
        let walk = self.with_extent(place, |extent| {
            extent.walk(0, Patience::Wait, |_, header| {
                first = Some(header.max_timestamp);
                true
            })?;
            extent.walk(start, Patience::Wait, |position, header| {
                if let (true, Some(entry)) = (position == start, offset_entry) {
                    is_entry_right =
                        self.relative(header.last_offset()) == Some(entry.relative_offset);
                }
                if header.max_timestamp > largest.timestamp {
                    largest.timestamp = header.max_timestamp;
                    largest.offset = header.last_offset();
                }
                end_offset = header.next_offset();
                !is_entry_right
            })
        })?;
        match walk {
            Walk::End => {
                self.first_timestamp = first;
                self.largest_timestamp.set(Some(largest));
                self.bytes_since_index_entry = self.bytes - start;
                Ok(Tail::Sound(end_offset))
            }
            Walk::Found { .. } => Ok(Tail::IndexUnusable),
            Walk::Broken { .. }
                if !is_entry_right || offset_entry.is_some() && end_offset == self.base_offset =>
            {
                Ok(Tail::IndexUnusable)
            }
            Walk::Broken { position } => Ok(Tail::Broken { position }),
        }
    }

    /// The last entries of both indexes, where those are usable.
    fn last_entries(
        &self,
        place: Place<'_>,
    ) -> Result<Option<(Option<OffsetEntry>, Option<TimeEntry>)>, ReadError> {
        let index = self.path(place.directory, file_name::INDEX);
        let time_index = self.path(place.directory, file_name::TIME_INDEX);
        let read = || -> Result<_, LoadError> {
            let offset = self
                .offset_index
                .read_last(place.disk, &index, Patience::Wait)?;
            let time = self
                .time_index
                .read_last(place.disk, &time_index, Patience::Wait)?;
            Ok((offset, time))
        };
        match read() {
            Ok((offset, time)) => {
                let is_sound = offset.is_none_or(|entry| {
                    entry.follows(None) && u64::from(entry.position) < self.bytes
                }) && time.is_none_or(|entry| entry.follows(None));
                Ok(is_sound.then_some((offset, time)))
            }
            Err(LoadError::Read(error)) => Err(error),
            Err(LoadError::Unusable) => Ok(None),
        }
    }

    /// Whether the index files have all entries.
    #[must_use]
    pub fn is_persisted(&self) -> bool {
        self.offset_index.is_persisted() && self.time_index.is_persisted()
    }

    /// Whether its file is open.
    #[must_use]
    pub fn has_file(&self) -> bool {
        self.file.get().is_some()
    }

    /// Whether an index is known to be unusable.
    #[must_use]
    pub fn is_index_suspect(&self) -> bool {
        self.is_index_suspect.get()
    }

    /// Marks the indexes as not to be believed.
    pub fn suspect_indexes(&self) {
        self.is_index_suspect.set(true);
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
