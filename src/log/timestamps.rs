//! Finding records by their time, for ListOffsets. The time index names a batch; the record in it
//! is found by opening it. `LogSegment.findOffsetByTimestamp` of Apache Kafka.

use crate::base::ids::{LeaderEpoch, Offset};
use crate::base::time::Timestamp;
use crate::log::error::ReadError;
use crate::log::index_file::Patience;
use crate::log::partition_log::Log;
use crate::log::scan::Walk;
use crate::log::segment::{LargestTimestamp, Segment, start_of};
use crate::record::batch::{BatchHeader, RecordBatch};
use crate::runtime::disk::Disk;
use bytes::Bytes;

/// Most bytes of one batch that are opened to find a record in it; beyond, the batch answers.
const OPENED_BYTES_MAX: usize = 64 << 20;

/// A record that was looked for by its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimestampedOffset {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp.
    pub timestamp: Timestamp,
    /// Epoch of the leader that appended it.
    pub leader_epoch: LeaderEpoch,
}

impl Log {
    /// The first record whose timestamp is not below `timestamp`; `None` where there is none. The
    /// caller compares the offset with the high watermark or the last stable offset.
    ///
    /// # Errors
    /// `ReadError::Cold` where the answer is not in memory; `ReadError::Storage`.
    pub fn offset_for_timestamp(
        &self,
        disk: &Disk,
        timestamp: Timestamp,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let place = self.place(disk);
        let start_offset = self.log_start_offset;
        for segment in &self.segments[self.segment_of(start_offset)..] {
            let largest = segment.largest_timestamp(place, Patience::Resident)?;
            if largest.timestamp < timestamp {
                continue;
            }
            // The entry says that nothing up to its offset is later than its own timestamp.
            let from = self.time_floor(disk, segment, timestamp)?;
            let wanted = |header: &BatchHeader| {
                header.max_timestamp >= timestamp && header.last_offset() >= start_offset
            };
            let found = self.find_batch(disk, segment, from.max(start_offset), wanted)?;
            if let Some((header, batch)) = found {
                return Ok(Some(first_record(&header, batch, |offset, found| {
                    offset >= start_offset && found >= timestamp
                })));
            }
        }
        Ok(None)
    }

    /// An offset of the segment up to which no timestamp is as large.
    fn time_floor(
        &self,
        disk: &Disk,
        segment: &Segment,
        timestamp: Timestamp,
    ) -> Result<Offset, ReadError> {
        let place = self.place(disk);
        loop {
            let floor = segment.time_floor(place, timestamp, Patience::Resident)?;
            let Some(entry) = floor else {
                return Ok(segment.base_offset);
            };
            let claim = LargestTimestamp {
                timestamp: entry.timestamp,
                offset: segment.base_offset.plus(i64::from(entry.relative_offset)),
            };
            let is_right = segment.is_confirmed(place, claim, Patience::Resident)?;
            if is_right || segment.is_index_suspect() {
                return Ok(claim.offset);
            }
            segment.suspect_indexes();
        }
    }

    /// The first record with the largest timestamp of all; `None` where no record has one.
    ///
    /// # Errors
    /// As [`Log::offset_for_timestamp`].
    pub fn max_timestamp(&self, disk: &Disk) -> Result<Option<TimestampedOffset>, ReadError> {
        let place = self.place(disk);
        let mut best: Option<(Timestamp, usize)> = None;
        for (index, segment) in self.segments.iter().enumerate() {
            let largest = segment.largest_timestamp(place, Patience::Resident)?;
            if largest.timestamp > best.map_or(Timestamp::NONE, |(timestamp, _)| timestamp) {
                best = Some((largest.timestamp, index));
            }
        }
        let Some((timestamp, index)) = best else {
            return Ok(None);
        };
        let segment = &self.segments[index];
        let largest = segment.largest_timestamp(place, Patience::Resident)?;
        let found = self.find_batch(disk, segment, largest.offset, |header| {
            header.max_timestamp >= timestamp
        })?;
        Ok(
            found
                .map(|(header, batch)| first_record(&header, batch, |_, found| found >= timestamp)),
        )
    }

    /// The first batch from about `from` on that is `wanted`, with its bytes.
    fn find_batch(
        &self,
        disk: &Disk,
        segment: &Segment,
        from: Offset,
        wanted: impl Fn(&BatchHeader) -> bool,
    ) -> Result<Option<(BatchHeader, Vec<u8>)>, ReadError> {
        let place = self.place(disk);
        let patience = Patience::Resident;
        let mut start = start_of(segment.floor(place, from, patience)?);
        loop {
            let walk = segment.with_extent(place, |extent| {
                let walk = extent.walk(start, patience, |_, header| wanted(header))?;
                match walk {
                    Walk::Found { position, header } => {
                        let batch = extent.batch(position, &header, patience)?;
                        Ok::<_, ReadError>(Some(Some((header, batch))))
                    }
                    // An index that leads astray: the segment's beginning does not.
                    Walk::Broken { .. } if start > 0 => Ok(None),
                    Walk::End | Walk::Broken { .. } => Ok(Some(None)),
                }
            })?;
            match walk {
                Some(found) => return Ok(found),
                None => start = 0,
            }
        }
    }
}

/// The first record of a batch that is `wanted`; the batch itself where it cannot be opened.
fn first_record(
    header: &BatchHeader,
    batch: Vec<u8>,
    wanted: impl Fn(Offset, Timestamp) -> bool,
) -> TimestampedOffset {
    let leader_epoch = header.partition_leader_epoch;
    let opened =
        RecordBatch::parse(Bytes::from(batch)).and_then(|batch| batch.open(OPENED_BYTES_MAX));
    let record = opened.ok().and_then(|opened| {
        opened
            .iter()
            .filter_map(Result::ok)
            .map(|record| (record.offset, record.timestamp))
            .find(|&(offset, timestamp)| wanted(offset, timestamp))
    });
    let (offset, timestamp) = record.unwrap_or((header.base_offset, header.max_timestamp));
    TimestampedOffset {
        offset,
        timestamp,
        leader_epoch,
    }
}
