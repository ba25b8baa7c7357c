//! Appending: a batch gets its offsets, its producer is checked, and its bytes are queued. Nothing
//! is on disk until `Log::write`.

use crate::base::convert::usize_from_u32;
use crate::base::ids::{LeaderEpoch, Offset};
use crate::base::time::{Now, Timestamp};
use crate::log::error::AppendError;
use crate::log::partition_log::{Log, Queued};
use crate::log::producer_state::Origin;
use crate::record::batch::{RecordBatch, TimestampType};

/// What a queued batch was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// Offset of its last record: it is written when the log end offset lies beyond.
    pub last_offset: Offset,
    /// The time of the append where the topic stamps records so, else none.
    pub log_append_time: Timestamp,
    /// The log's start, which producers are told.
    pub log_start_offset: Offset,
}

impl Log {
    /// Appends a validated batch as the leader of that epoch: it gets the next offsets. The batch
    /// is only queued; [`Log::write`] writes it, or fails and forgets it.
    ///
    /// A duplicate of a batch that is still queued is answered with that batch's offsets: it
    /// succeeds or fails with it, as its `last_offset` and the log end offset tell.
    ///
    /// Control batches, and batches of a producer without a sequence, are taken for a
    /// coordinator's: clients' are refused when they are validated.
    ///
    /// # Errors
    /// As [`AppendError`] says; nothing has changed then.
    pub fn append(
        &mut self,
        batch: RecordBatch,
        leader_epoch: LeaderEpoch,
        _now: Now,
    ) -> Result<Appended, AppendError> {
        let bytes_max = usize_from_u32(self.config.max_message_bytes);
        if batch.bytes().len() > bytes_max {
            return Err(AppendError::MessageTooLarge {
                bytes: batch.bytes().len(),
                bytes_max,
            });
        }
        if let Some(known) = self.producers.find_duplicate(batch.header()) {
            return Err(AppendError::Duplicate {
                base_offset: known.last_offset.plus(-i64::from(known.offset_delta)),
                last_offset: known.last_offset,
                timestamp: known.timestamp,
                log_start_offset: self.log_start_offset,
            });
        }
        self.queue_batch(batch, Origin::Leader, self.next_offset, leader_epoch)
    }

    /// Appends a batch with the offsets and the epoch that it has: from the leader's log, or from
    /// a snapshot. Its producer is noted, not checked.
    ///
    /// # Errors
    /// `AppendError::OffsetNotMonotonic` below the end of the log, `AppendError::Corrupt`,
    /// `AppendError::LargerThanSegment`; nothing has changed then.
    pub fn append_as_is(&mut self, batch: RecordBatch) -> Result<Appended, AppendError> {
        let header = batch.header();
        let (base_offset, leader_epoch) = (header.base_offset, header.partition_leader_epoch);
        if base_offset < self.next_offset {
            return Err(AppendError::OffsetNotMonotonic {
                next_offset: self.next_offset,
                base_offset,
            });
        }
        self.queue_batch(batch, Origin::Replication, base_offset, leader_epoch)
    }

    fn queue_batch(
        &mut self,
        batch: RecordBatch,
        origin: Origin,
        base_offset: Offset,
        leader_epoch: LeaderEpoch,
    ) -> Result<Appended, AppendError> {
        let bytes = batch.bytes().len();
        let bytes_max = usize_from_u32(self.config.segment_bytes);
        if bytes > bytes_max {
            return Err(AppendError::LargerThanSegment { bytes, bytes_max });
        }
        let mut header = *batch.header();
        if header.last_offset_delta < 0 {
            return Err(AppendError::Corrupt {
                why: "the last offset lies before the first",
            });
        }
        let delta = i64::from(header.last_offset_delta);
        let last_offset = match base_offset.0.checked_add(delta) {
            Some(last) if last < i64::MAX => Offset(last),
            Some(_) | None => {
                return Err(AppendError::Corrupt {
                    why: "the offsets exceed 2^63",
                });
            }
        };
        let completed = self
            .producers
            .append(origin, &header, base_offset, batch.bytes())?;
        header.base_offset = base_offset;
        header.partition_leader_epoch = leader_epoch;
        self.queue.push(Queued {
            head: header.patched_head(base_offset, leader_epoch),
            bytes: batch.into_bytes(),
            header,
            completed,
        });
        self.next_offset = last_offset.next();
        let log_append_time = match header.timestamp_type() {
            TimestampType::CreateTime => Timestamp::NONE,
            TimestampType::LogAppendTime => header.max_timestamp,
        };
        Ok(Appended {
            base_offset,
            last_offset,
            log_append_time,
            log_start_offset: self.log_start_offset,
        })
    }
}
