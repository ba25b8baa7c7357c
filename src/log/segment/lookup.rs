//! Finding a batch in a segment by its offset or its time, through the indexes; and building those
//! anew where they are missing, damaged, or lead astray.

use super::{Indexes, LargestTimestamp, Located, Place, Segment, damaged, start_of};
use crate::base::ids::Offset;
use crate::base::time::Timestamp;
use crate::log::config::LogConfig;
use crate::log::error::{ReadError, StorageError};
use crate::log::file_name;
use crate::log::index_file::{IndexEntry, LoadError, Patience};
use crate::log::offset_index::{OffsetEntry, OffsetIndex};
use crate::log::scan::{Extent, Walk};
use crate::log::time_index::{TimeEntry, TimeIndex};
use crate::runtime::disk::File;
use std::path::Path;
use std::sync::Arc;

impl Segment {
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
        let file = self.spare_file(place)?;
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

    /// The first entry of the index whose batch does not start before byte `position`.
    ///
    /// # Errors
    /// As [`Segment::locate`].
    pub fn ceiling(
        &self,
        place: Place<'_>,
        position: u64,
        patience: Patience,
    ) -> Result<Option<OffsetEntry>, ReadError> {
        let path = self.path(place.directory, file_name::INDEX);
        self.with_indexes(place, |index, _| {
            index.ceiling(place.disk, &path, patience, |entry| {
                u64::from(entry.position) < position
            })
        })
    }

    /// Where the batch of the index's entry starts that has `count - 1` others after it, and
    /// `count`; where the index has fewer, the segment's start, and how many parts it has. `None`
    /// where that cannot be told without waiting, or not be believed.
    pub fn start_of_last(&self, place: Place<'_>, count: usize) -> Option<(u64, usize)> {
        if self.is_index_suspect() {
            return None;
        }
        let entries = self.offset_index.entries();
        if entries < count {
            return Some((0, entries + 1));
        }
        let path = self.path(place.directory, file_name::INDEX);
        let found = self
            .offset_index
            .nth_last(place.disk, &path, Patience::Resident, count);
        let entry = found.ok()??;
        let start = start_of(Some(entry));
        let first = self.with_extent(place, |extent| {
            extent.walk(start, Patience::Resident, |_, _| true)
        });
        match first.ok()? {
            Walk::Found { header, .. } => {
                let relative = self.relative(header.last_offset());
                (relative == Some(entry.relative_offset)).then_some((start, count))
            }
            Walk::End | Walk::Broken { .. } => None,
        }
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
