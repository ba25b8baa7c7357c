//! One v2 record batch: its header as plain numbers, and the owner of its bytes.
//!
//! ```text
//!  0  baseOffset            i64   set by the broker, outside the checksum
//!  8  batchLength           i32   bytes after this field
//! 12  partitionLeaderEpoch  i32   set by the broker, outside the checksum
//! 16  magic                 i8    2
//! 17  crc                   u32   CRC-32C of bytes 21..end
//! 21  attributes            i16   0-2 codec, 3 timestamp type, 4 transactional, 5 control,
//!                                 6 baseTimestamp is the delete horizon (KIP-534)
//! 23  lastOffsetDelta       i32   last offset - baseOffset, kept by compaction
//! 27  baseTimestamp         i64   ms
//! 35  maxTimestamp          i64   ms
//! 43  producerId            i64   -1 none (KIP-98)
//! 51  producerEpoch         i16
//! 53  baseSequence          i32
//! 57  recordsCount          i32
//! 61  records, compressed as one where the attributes say so
//! ```
//!
//! KIP-98, and `DefaultRecordBatch` of Apache Kafka.

use crate::base::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::time::Timestamp;
use crate::record::checksum::crc32c;
use crate::record::compress::Compression;
use crate::record::error::BatchError;
use bytes::Bytes;

/// Bytes of a batch before its records.
pub const HEADER_BYTES: usize = 61;

/// Bytes of a batch up to and with its length field: Kafka's `LOG_OVERHEAD`.
pub const LOG_OVERHEAD_BYTES: usize = 12;

/// Bytes of a batch that the checksum does not cover, and that the broker may set freely are the
/// first 16 of these.
pub const CHECKSUM_START: usize = 21;

/// The bytes that `RecordBatch::patched_head` gives: base offset, length, leader epoch.
pub const PATCHED_HEAD_BYTES: usize = 16;

/// The only batch format klamm reads and writes.
pub const MAGIC: i8 = 2;

/// Where the attributes lie.
pub const ATTRIBUTES_POSITION: usize = 21;

/// Where the maximum timestamp lies.
pub const MAX_TIMESTAMP_POSITION: usize = 35;

/// Where the count of records lies.
pub const RECORDS_COUNT_POSITION: usize = 57;

/// The least value of the length field: a header without records.
const BATCH_LENGTH_MIN: i32 = 49;

const _: () = assert!(HEADER_BYTES == LOG_OVERHEAD_BYTES + 49);

/// Attribute: the broker stamps the records with its own clock.
pub const ATTRIBUTE_LOG_APPEND_TIME: i16 = 1 << 3;
/// Attribute: the batch belongs to a transaction.
pub const ATTRIBUTE_TRANSACTIONAL: i16 = 1 << 4;
/// Attribute: the batch holds control records, which no consumer sees.
pub const ATTRIBUTE_CONTROL: i16 = 1 << 5;
/// Attribute: the base timestamp is the delete horizon.
pub const ATTRIBUTE_DELETE_HORIZON: i16 = 1 << 6;

/// The attributes that have a meaning: codec and flags.
pub const ATTRIBUTES_KNOWN: i16 = 0x7F;

/// Who stamps records: `message.timestamp.type`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TimestampType {
    /// The producer.
    #[default]
    CreateTime,
    /// The broker, when it appends: all records of a batch carry its maximum timestamp.
    LogAppendTime,
}

/// The header of a batch, as numbers. A copy: it does not hold on to the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchHeader {
    /// Offset of the first record, also where compaction has removed that record.
    pub base_offset: Offset,
    /// The length field: bytes of the batch after it. At least 49.
    pub batch_length: i32,
    /// Epoch of the leader that appended the batch.
    pub partition_leader_epoch: LeaderEpoch,
    /// 2, or the header would not have been read.
    pub magic: i8,
    /// CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Codec and flags; see the picture above.
    pub attributes: i16,
    /// Offset of the last record, relative to the first.
    pub last_offset_delta: i32,
    /// What records' timestamp deltas count from; or the delete horizon.
    pub base_timestamp: Timestamp,
    /// The largest timestamp of a record, or the time of the append.
    pub max_timestamp: Timestamp,
    /// The idempotent producer, or none.
    pub producer_id: ProducerId,
    /// That producer's epoch.
    pub producer_epoch: ProducerEpoch,
    /// Sequence of the first record.
    pub base_sequence: Sequence,
    /// How many records follow. As the sender says: unbounded, perhaps negative, until validated.
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header from the first 61 bytes. Checks the magic and that the length is that of
    /// a batch, and nothing else: not that the batch is all there.
    ///
    /// # Errors
    /// `BatchError::CutOff`, `BatchError::Magic`, `BatchError::Length`.
    #[inline]
    pub fn read(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
        // The magic lies at the same place in every format, so it is judged before the length
        // of a header is asked for: an old message can be shorter than that.
        if let Some(&magic) = bytes.get(16)
            && magic.cast_signed() != MAGIC
        {
            return Err(BatchError::Magic(magic.cast_signed()));
        }
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(BatchError::CutOff {
                needed: HEADER_BYTES,
                have: bytes.len(),
            });
        };
        let batch_length = i32::from_be_bytes(array(head, 8));
        if batch_length < BATCH_LENGTH_MIN {
            return Err(BatchError::Length(batch_length));
        }
        Ok(BatchHeader {
            base_offset: Offset(i64::from_be_bytes(array(head, 0))),
            batch_length,
            partition_leader_epoch: LeaderEpoch(i32::from_be_bytes(array(head, 12))),
            magic: MAGIC,
            crc: u32::from_be_bytes(array(head, 17)),
            attributes: i16::from_be_bytes(array(head, ATTRIBUTES_POSITION)),
            last_offset_delta: i32::from_be_bytes(array(head, 23)),
            base_timestamp: Timestamp(i64::from_be_bytes(array(head, 27))),
            max_timestamp: Timestamp(i64::from_be_bytes(array(head, MAX_TIMESTAMP_POSITION))),
            producer_id: ProducerId(i64::from_be_bytes(array(head, 43))),
            producer_epoch: ProducerEpoch(i16::from_be_bytes(array(head, 51))),
            base_sequence: Sequence(i32::from_be_bytes(array(head, 53))),
            record_count: i32::from_be_bytes(array(head, RECORDS_COUNT_POSITION)),
        })
    }

    /// The header as its 61 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut head = [0; HEADER_BYTES];
        head[0..8].copy_from_slice(&self.base_offset.0.to_be_bytes());
        head[8..12].copy_from_slice(&self.batch_length.to_be_bytes());
        head[12..16].copy_from_slice(&self.partition_leader_epoch.0.to_be_bytes());
        head[16..17].copy_from_slice(&self.magic.to_be_bytes());
        head[17..21].copy_from_slice(&self.crc.to_be_bytes());
        head[21..23].copy_from_slice(&self.attributes.to_be_bytes());
        head[23..27].copy_from_slice(&self.last_offset_delta.to_be_bytes());
        head[27..35].copy_from_slice(&self.base_timestamp.0.to_be_bytes());
        head[35..43].copy_from_slice(&self.max_timestamp.0.to_be_bytes());
        head[43..51].copy_from_slice(&self.producer_id.0.to_be_bytes());
        head[51..53].copy_from_slice(&self.producer_epoch.0.to_be_bytes());
        head[53..57].copy_from_slice(&self.base_sequence.0.to_be_bytes());
        head[57..61].copy_from_slice(&self.record_count.to_be_bytes());
        head
    }

    /// Bytes of the whole batch, header and records: at least 61.
    #[must_use]
    pub fn batch_bytes(&self) -> usize {
        let length = usize::try_from(self.batch_length).expect("a header has a length of 49 up");
        LOG_OVERHEAD_BYTES + length
    }

    /// Offset of the last record. Saturates where a hostile header would overflow.
    #[must_use]
    pub fn last_offset(&self) -> Offset {
        let delta = i64::from(self.last_offset_delta);
        Offset(self.base_offset.0.saturating_add(delta))
    }

    /// Offset of the record after this batch. Saturates where a hostile header would overflow.
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        Offset(self.last_offset().0.saturating_add(1))
    }

    /// Sequence of the last record; none where the batch has no sequence.
    #[must_use]
    pub fn last_sequence(&self) -> Sequence {
        if self.base_sequence == Sequence::NONE {
            Sequence::NONE
        } else {
            self.base_sequence.plus(self.last_offset_delta)
        }
    }

    /// The batch comes from an idempotent producer.
    #[must_use]
    pub fn has_producer_id(&self) -> bool {
        self.producer_id.0 > ProducerId::NONE.0
    }

    /// The batch belongs to a transaction.
    #[must_use]
    pub fn is_transactional(&self) -> bool {
        self.attributes & ATTRIBUTE_TRANSACTIONAL != 0
    }

    /// The batch holds control records.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.attributes & ATTRIBUTE_CONTROL != 0
    }

    /// How the records are compressed.
    ///
    /// # Errors
    /// `BatchError::Codec` where the attributes name none.
    pub fn compression(&self) -> Result<Compression, BatchError> {
        Compression::from_attributes(self.attributes)
    }

    /// Who stamped the records.
    #[must_use]
    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & ATTRIBUTE_LOG_APPEND_TIME != 0 {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }

    /// When the tombstones and markers of a compacted batch may go, where that is known. KIP-534.
    #[must_use]
    pub fn delete_horizon(&self) -> Option<Timestamp> {
        let known = self.attributes & ATTRIBUTE_DELETE_HORIZON != 0;
        known.then_some(self.base_timestamp)
    }

    /// The first 16 bytes with another base offset and leader epoch; see
    /// `RecordBatch::patched_head`.
    #[must_use]
    pub fn patched_head(
        &self,
        base_offset: Offset,
        leader_epoch: LeaderEpoch,
    ) -> [u8; PATCHED_HEAD_BYTES] {
        let mut head = [0; PATCHED_HEAD_BYTES];
        head[0..8].copy_from_slice(&base_offset.0.to_be_bytes());
        head[8..12].copy_from_slice(&self.batch_length.to_be_bytes());
        head[12..16].copy_from_slice(&leader_epoch.0.to_be_bytes());
        head
    }
}

/// The `N` bytes of the header that start at `position`.
#[inline]
fn array<const N: usize>(head: &[u8; HEADER_BYTES], position: usize) -> [u8; N] {
    *head[position..]
        .first_chunk()
        .expect("every field ends within the header")
}

/// Exactly one batch, with its bytes. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordBatch {
    bytes: Bytes,
    header: BatchHeader,
}

impl RecordBatch {
    /// The one batch that `bytes` are. Its checksum and records are not looked at.
    ///
    /// # Errors
    /// As `BatchHeader::read`; `BatchError::Trailing` where bytes follow the batch.
    pub fn parse(bytes: Bytes) -> Result<RecordBatch, BatchError> {
        let (batch, rest) = RecordBatch::split_first(bytes)?;
        if !rest.is_empty() {
            return Err(BatchError::Trailing { extra: rest.len() });
        }
        Ok(batch)
    }

    /// The first batch of `bytes`, and what follows it. Both share the memory of `bytes`.
    ///
    /// # Errors
    /// As `BatchHeader::read`; `BatchError::CutOff` where the batch is not all there.
    pub fn split_first(mut bytes: Bytes) -> Result<(RecordBatch, Bytes), BatchError> {
        let header = BatchHeader::read(&bytes)?;
        if bytes.len() < header.batch_bytes() {
            return Err(BatchError::CutOff {
                needed: header.batch_bytes(),
                have: bytes.len(),
            });
        }
        let rest = bytes.split_off(header.batch_bytes());
        Ok((RecordBatch { bytes, header }, rest))
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch, header and records.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Gives the bytes up.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The records, compressed as they came.
    #[must_use]
    pub fn record_bytes(&self) -> Bytes {
        self.bytes.slice(HEADER_BYTES..)
    }

    /// CRC-32C of what the header's checksum should cover.
    #[must_use]
    pub fn computed_crc(&self) -> u32 {
        crc32c(&self.bytes[CHECKSUM_START..])
    }

    /// The checksum in the header is that of the bytes.
    #[must_use]
    pub fn is_valid_crc(&self) -> bool {
        self.computed_crc() == self.header.crc
    }

    /// Compares the checksum.
    ///
    /// # Errors
    /// `BatchError::Checksum` with both values.
    pub fn check_crc(&self) -> Result<(), BatchError> {
        let computed = self.computed_crc();
        if computed == self.header.crc {
            return Ok(());
        }
        Err(BatchError::Checksum {
            stored: self.header.crc,
            computed,
        })
    }

    /// The first 16 bytes as they must be written: base offset, length, leader epoch. They lie
    /// outside the checksum, so `bytes()[16..]` is written after them untouched.
    #[must_use]
    pub fn patched_head(
        &self,
        base_offset: Offset,
        leader_epoch: LeaderEpoch,
    ) -> [u8; PATCHED_HEAD_BYTES] {
        self.header.patched_head(base_offset, leader_epoch)
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
