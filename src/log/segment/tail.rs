//! The end of a segment: learned when the log is opened, rewound when it is checked again, cut when
//! the log is truncated.

use super::{LargestTimestamp, Place, Segment, damaged, start_of};
use crate::base::ids::Offset;
use crate::base::time::Timestamp;
use crate::log::config::LogConfig;
use crate::log::error::{ReadError, StorageError};
use crate::log::file_name;
use crate::log::index_file::{IndexEntry, LoadError, Patience};
use crate::log::offset_index::{OffsetEntry, OffsetIndex};
use crate::log::scan::Walk;
use crate::log::time_index::{TimeEntry, TimeIndex};

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

/// The last entries of the offset and the time index.
type LastEntries = (Option<OffsetEntry>, Option<TimeEntry>);

impl Segment {
    /// Cuts the file to the batches that count, where it is longer, and gives back what was reserved.
    ///
    /// # Errors
    /// What the file system said.
    pub fn trim_file(&self, place: Place<'_>) -> Result<(), StorageError> {
        let path = self.path(place.directory, file_name::LOG);
        let failed = |error| StorageError::io("cut", &path, error);
        let file = self.file(place)?;
        if file.len().map_err(failed)? != self.bytes || self.reserved.get() > self.bytes {
            file.set_len(self.bytes).map_err(failed)?;
            self.reserved.set(0);
        }
        self.zeros_to.set(0);
        Ok(())
    }

    /// Cuts the segment to its first `bytes`, which end where a batch starts, and the indexes with
    /// it. Offsets from `end_offset` on are gone. Answers with the end of the last batch.
    ///
    /// # Errors
    /// What the file system said.
    pub fn truncate(
        &mut self,
        place: Place<'_>,
        config: &LogConfig,
        bytes: u64,
        end_offset: Offset,
    ) -> Result<Offset, ReadError> {
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
        self.set_bytes(bytes);
        self.trim_file(place)?;
        self.repair_indexes(place, config)?;
        let tail = self.load_tail(place)?;
        self.persist_indexes(place)?;
        match tail {
            Tail::Sound(end) => Ok(end),
            Tail::IndexUnusable | Tail::Broken { .. } => {
                let path = self.path(place.directory, file_name::LOG);
                Err(damaged(&path, bytes).into())
            }
        }
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
        self.set_bytes(start);
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
    fn last_entries(&self, place: Place<'_>) -> Result<Option<LastEntries>, ReadError> {
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
}
