//! Reading: an offset becomes a slice of a segment file, which is sent from where it lies.

use crate::base::convert::{u64_from, usize_from};
use crate::base::ids::Offset;
use crate::log::error::{ReadError, StorageError};
use crate::log::file_name;
use crate::log::index_file::Patience;
use crate::log::open::storage;
use crate::log::partition_log::Log;
use crate::log::scan::Walk;
use crate::log::segment::{Located, Place, start_of};
use crate::log::transaction_index::{AbortedTransaction, Search};
use crate::runtime::disk::{Disk, File};
use std::path::PathBuf;
use std::sync::Arc;

/// Whole batches in a segment file, of which the last may be cut off, as in Kafka's.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The segment, `None` where there is nothing to read. It stays readable when the segment is deleted.
    pub file: Option<Arc<File>>,
    /// Byte at which the first batch starts.
    pub position: u64,
    /// How many bytes; 0 where there is nothing to read yet.
    pub bytes: usize,
    /// How many of them the first batch takes; more than `bytes` never.
    pub first_batch_bytes: usize,
    /// Offset of the first record of the first batch: it may lie below the one asked for.
    pub base_offset: Offset,
    /// The offset after the last batch, where it is known without another look: the slice ends
    /// at the end of a segment or at the bound.
    pub next_offset: Option<Offset>,
}

impl Log {
    /// Where to read from `offset` on: at most `bytes_max` bytes (but the first batch is whole
    /// where `at_least_one_batch`), and nothing from `upper` on, which is the high watermark, the
    /// last stable offset, or the log end offset. A slice without bytes is the answer where there
    /// is nothing below `upper`, or where the first batch does not fit.
    ///
    /// # Errors
    /// `ReadError::OffsetOutOfRange`; `ReadError::Cold` where the answer is not in memory;
    /// `ReadError::Storage`.
    pub fn read(
        &self,
        disk: &Disk,
        offset: Offset,
        bytes_max: usize,
        upper: Offset,
        at_least_one_batch: bool,
    ) -> Result<Slice, ReadError> {
        self.read_with(
            disk,
            Patience::Resident,
            offset,
            bytes_max,
            upper,
            at_least_one_batch,
        )
    }

    /// As [`Log::read`], but it may wait for the device: for tools and background work.
    ///
    /// # Errors
    /// `ReadError::OffsetOutOfRange`, `ReadError::Storage`.
    pub fn read_waiting(
        &self,
        disk: &Disk,
        offset: Offset,
        bytes_max: usize,
        upper: Offset,
        at_least_one_batch: bool,
    ) -> Result<Slice, ReadError> {
        self.read_with(
            disk,
            Patience::Wait,
            offset,
            bytes_max,
            upper,
            at_least_one_batch,
        )
    }

    fn read_with(
        &self,
        disk: &Disk,
        patience: Patience,
        offset: Offset,
        bytes_max: usize,
        upper: Offset,
        at_least_one_batch: bool,
    ) -> Result<Slice, ReadError> {
        if offset < self.log_start_offset || offset > self.log_end_offset {
            return Err(ReadError::OffsetOutOfRange {
                offset,
                log_start_offset: self.log_start_offset,
                log_end_offset: self.log_end_offset,
            });
        }
        let place = self.place(disk);
        let upper = upper.min(self.log_end_offset);
        if offset >= upper {
            return Ok(self.nothing(offset));
        }
        let mut index = self.segment_of(offset);
        // Compaction can leave a segment without records from this offset on: the next has them.
        while index < self.segments.len() {
            if let Some(first) = self.locate(place, index, offset, patience)? {
                if first.last_offset >= upper
                    || (first.bytes > bytes_max && !at_least_one_batch)
                    || bytes_max == 0 && !at_least_one_batch
                {
                    return Ok(self.nothing(offset));
                }
                return self.slice(place, index, first, bytes_max, upper, patience);
            }
            index += 1;
        }
        Ok(self.nothing(offset))
    }

    /// No file is opened for it: who waits at the end of many quiet partitions would have as many open.
    fn nothing(&self, offset: Offset) -> Slice {
        Slice {
            file: None,
            position: self.active().bytes,
            bytes: 0,
            first_batch_bytes: 0,
            base_offset: offset,
            next_offset: Some(offset),
        }
    }

    fn slice(
        &self,
        place: Place<'_>,
        index: usize,
        first: Located,
        bytes_max: usize,
        upper: Offset,
        patience: Patience,
    ) -> Result<Slice, ReadError> {
        let segment = &self.segments[index];
        let wanted = first.position + u64_from(bytes_max.max(first.bytes));
        let (mut end, end_offset) = if upper < self.end_of_segment(index) {
            let bound = self.position_of(place, index, upper, wanted, first, patience)?;
            (bound, upper)
        } else {
            (segment.bytes, self.end_of_segment(index))
        };
        let is_cut = end > wanted;
        end = end.min(wanted);
        Ok(Slice {
            file: Some(Arc::clone(segment.spare_file(place)?)),
            position: first.position,
            bytes: usize_from(end - first.position),
            first_batch_bytes: first.bytes,
            base_offset: first.base_offset,
            next_offset: (!is_cut).then_some(end_offset),
        })
    }

    /// Where the first batch that reaches `upper` starts; a byte beyond `wanted` where that is
    /// certain to be further off.
    fn position_of(
        &self,
        place: Place<'_>,
        index: usize,
        upper: Offset,
        wanted: u64,
        first: Located,
        patience: Patience,
    ) -> Result<u64, ReadError> {
        let segment = &self.segments[index];
        if let Some(recent) = self.find_recent(index, upper) {
            return Ok(recent.position);
        }
        let floor = segment.floor(place, upper.plus(-1), patience)?;
        if start_of(floor) > wanted {
            return Ok(wanted + 1);
        }
        let floor = floor.filter(|entry| u64::from(entry.position) >= first.position);
        if floor.is_some() {
            let found = segment.locate_from(place, floor, upper, patience)?;
            return Ok(found.map_or(segment.bytes, |located| located.position));
        }
        segment.with_extent(place, |extent| {
            let walk = extent.walk(first.position, patience, |position, header| {
                header.last_offset() >= upper || position > wanted
            })?;
            match walk {
                Walk::Found { position, .. } => Ok(position),
                Walk::End => Ok(segment.bytes),
                Walk::Broken { position } => Err(ReadError::Storage(StorageError::malformed(
                    extent.path,
                    format!("no record batch starts at byte {position}"),
                ))),
            }
        })
    }

    /// The batch of a segment that holds `offset`, or the first after it.
    fn locate(
        &self,
        place: Place<'_>,
        index: usize,
        offset: Offset,
        patience: Patience,
    ) -> Result<Option<Located>, ReadError> {
        if let Some(recent) = self.find_recent(index, offset) {
            return Ok(Some(recent));
        }
        self.segments[index].locate(place, offset, patience)
    }

    /// The batch that holds `offset`, where it is among those remembered.
    fn find_recent(&self, index: usize, offset: Offset) -> Option<Located> {
        let first = self.recent.front()?;
        if index + 1 != self.segments.len() || offset < first.base_offset {
            return None;
        }
        let count = self
            .recent
            .partition_point(|located| located.last_offset < offset);
        self.recent.get(count).copied()
    }

    /// The aborted transactions that a read_committed consumer needs to know to read a slice that
    /// [`Log::read`] gave for `offset` and the bound `upper`.
    ///
    /// # Errors
    /// `ReadError::Cold` where the answer is not in memory; `ReadError::Storage`.
    pub fn aborted_in_slice(
        &self,
        disk: &Disk,
        offset: Offset,
        slice: &Slice,
        upper: Offset,
    ) -> Result<Vec<AbortedTransaction>, ReadError> {
        if slice.bytes == 0 {
            return Ok(Vec::new());
        }
        let to = match slice.next_offset {
            Some(next_offset) => next_offset,
            None => self.bound_of(disk, slice)?.min(upper),
        };
        self.search_aborted(disk, offset, to, Patience::Resident)
    }

    /// An offset that no record reaches of a slice that ends within its segment, as the index
    /// knows it. `LogSegment.fetchUpperBoundOffset` of Apache Kafka.
    fn bound_of(&self, disk: &Disk, slice: &Slice) -> Result<Offset, ReadError> {
        let index = self.segment_of(slice.base_offset);
        let segment = &self.segments[index];
        let end = slice.position + u64_from(slice.bytes);
        let entry = segment.ceiling(self.place(disk), end, Patience::Resident)?;
        Ok(match entry {
            Some(entry) => segment.base_offset.plus(i64::from(entry.relative_offset)),
            None => self.end_of_segment(index),
        })
    }

    /// The aborted transactions that touch offsets from `from` up to, not including, `to`: what a
    /// read_committed consumer needs to skip their records. It may wait.
    ///
    /// # Errors
    /// What the file system said, or a `.txnindex` that is not in its format.
    pub fn aborted_transactions(
        &self,
        disk: &Disk,
        from: Offset,
        to: Offset,
    ) -> Result<Vec<AbortedTransaction>, StorageError> {
        self.search_aborted(disk, from, to, Patience::Wait)
            .map_err(storage)
    }

    fn search_aborted(
        &self,
        disk: &Disk,
        from: Offset,
        to: Offset,
        patience: Patience,
    ) -> Result<Vec<AbortedTransaction>, ReadError> {
        let mut search = Search::new(from, to);
        for segment in &self.segments[self.segment_of(from)..] {
            if search.is_complete {
                break;
            }
            if segment.has_transaction_index {
                let path: PathBuf = segment.path(&self.directory, file_name::TRANSACTION_INDEX);
                search.look_into(disk, &path, patience)?;
            }
            for aborted in &segment.aborted_pending {
                search.look_at(aborted);
            }
        }
        Ok(search.found)
    }

    pub(super) fn place<'p>(&'p self, disk: &'p Disk) -> Place<'p> {
        Place {
            disk,
            directory: &self.directory,
        }
    }
}
