//! Why a producer's batch is refused, and with which of Kafka's errors.

use crate::base::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::time::Timestamp;
use crate::record::error::BatchError;
use std::fmt;

/// Why a producer's batch is not appended. The text goes into the response's error message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordError {
    /// There is no batch, or not all of it.
    NoBatch,
    /// More than one batch for one partition.
    MoreThanOneBatch {
        /// Bytes that follow the first.
        extra: usize,
    },
    /// A message of the formats before Kafka 0.11.
    OldMagic(i8),
    /// The bytes are no batch of any format.
    NotABatch(BatchError),
    /// The attributes name no codec.
    Codec(BatchError),
    /// A request of this version may not carry zstd. KIP-110.
    ZstdNotAllowed,
    /// Producers count from 0.
    BaseOffset(Offset),
    /// The batch is larger than `max.message.bytes`.
    TooLarge {
        /// Bytes of the batch.
        batch_bytes: usize,
        /// What the topic allows.
        limit: usize,
    },
    /// The checksum is wrong.
    Checksum(BatchError),
    /// The count is not positive, or not that of the offsets.
    Count {
        /// What the header says of the last offset.
        last_offset_delta: i32,
        /// What it says of the count.
        record_count: i32,
    },
    /// Only brokers write control records.
    Control,
    /// An idempotent producer numbers its batches.
    Sequence {
        /// The producer.
        producer_id: ProducerId,
        /// The negative sequence.
        base_sequence: Sequence,
    },
    /// An idempotent producer has an id from 0 up, and an epoch.
    Epoch {
        /// The producer.
        producer_id: ProducerId,
        /// The negative epoch.
        producer_epoch: ProducerEpoch,
    },
    /// Only the cleaner sets a delete horizon.
    DeleteHorizon,
    /// Only brokers set the time of the append.
    AppendTimeFromProducer,
    /// A timestamp is out of the topic's range.
    Timestamp {
        /// Which record of the batch; none where the header itself is out of range.
        batch_index: Option<i32>,
        /// The timestamp.
        timestamp: Timestamp,
        /// The earliest allowed.
        earliest: Timestamp,
        /// The latest allowed.
        latest: Timestamp,
    },
    /// A compacted topic needs keys.
    MissingKey {
        /// Which record of the batch.
        batch_index: i32,
    },
    /// A record of a compressed batch is larger than `max.decompressed.message.bytes`.
    RecordTooLarge {
        /// Which record of the batch.
        batch_index: i32,
        /// Its bytes, without the length.
        body_bytes: usize,
        /// What the topic allows.
        limit: usize,
    },
    /// The records are not numbered one by one.
    OffsetDelta {
        /// Which record of the batch.
        batch_index: i32,
        /// How it is numbered.
        offset_delta: i32,
    },
    /// The records cannot be read.
    Records(BatchError),
}

impl RecordError {
    /// The number of Kafka's error.
    #[must_use]
    pub fn kafka_code(&self) -> i16 {
        match self {
            RecordError::NotABatch(_) | RecordError::Checksum(_) => 2,
            RecordError::TooLarge { .. }
            | RecordError::Records(BatchError::TooLargeOpened { .. }) => 10,
            RecordError::Timestamp { .. } | RecordError::AppendTimeFromProducer => 32,
            RecordError::Codec(_) | RecordError::ZstdNotAllowed => 76,
            RecordError::NoBatch
            | RecordError::MoreThanOneBatch { .. }
            | RecordError::OldMagic(_)
            | RecordError::BaseOffset(_)
            | RecordError::Count { .. }
            | RecordError::Control
            | RecordError::Sequence { .. }
            | RecordError::Epoch { .. }
            | RecordError::DeleteHorizon
            | RecordError::MissingKey { .. }
            | RecordError::RecordTooLarge { .. }
            | RecordError::OffsetDelta { .. }
            | RecordError::Records(_) => 87,
        }
    }

    /// The name of Kafka's error.
    #[must_use]
    pub fn kafka_name(&self) -> &'static str {
        match self.kafka_code() {
            2 => "CORRUPT_MESSAGE",
            10 => "MESSAGE_TOO_LARGE",
            32 => "INVALID_TIMESTAMP",
            76 => "UNSUPPORTED_COMPRESSION_TYPE",
            _ => "INVALID_RECORD",
        }
    }

    /// The fault is a timestamp: such a fault outranks others of records.
    pub(super) fn is_timestamp(&self) -> bool {
        matches!(self, RecordError::Timestamp { .. })
    }

    /// The record that is at fault, counted from 0 in its batch: for the `RecordErrors` of a
    /// Produce response, version 8 on. KIP-467.
    #[must_use]
    pub fn batch_index(&self) -> Option<i32> {
        match self {
            RecordError::Timestamp { batch_index, .. } => *batch_index,
            RecordError::MissingKey { batch_index }
            | RecordError::RecordTooLarge { batch_index, .. }
            | RecordError::OffsetDelta { batch_index, .. } => Some(*batch_index),
            RecordError::NoBatch
            | RecordError::MoreThanOneBatch { .. }
            | RecordError::OldMagic(_)
            | RecordError::NotABatch(_)
            | RecordError::Codec(_)
            | RecordError::ZstdNotAllowed
            | RecordError::BaseOffset(_)
            | RecordError::TooLarge { .. }
            | RecordError::Checksum(_)
            | RecordError::Count { .. }
            | RecordError::Control
            | RecordError::Sequence { .. }
            | RecordError::Epoch { .. }
            | RecordError::DeleteHorizon
            | RecordError::AppendTimeFromProducer
            | RecordError::Records(_) => None,
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::NoBatch => {
                write!(
                    f,
                    "A produce request must have one whole record batch a partition."
                )
            }
            RecordError::MoreThanOneBatch { extra } => write!(
                f,
                "A produce request may have one record batch a partition; {extra} bytes follow it."
            ),
            RecordError::OldMagic(magic) => write!(
                f,
                "A produce request may only have batches of magic 2; this one has magic {magic}."
            ),
            RecordError::ZstdNotAllowed => write!(
                f,
                "Produce requests before version 7 may not have records compressed with zstd."
            ),
            RecordError::BaseOffset(offset) => {
                write!(
                    f,
                    "The base offset of a produced batch must be 0, and is {offset}."
                )
            }
            RecordError::TooLarge { batch_bytes, limit } => write!(
                f,
                "The batch has {batch_bytes} bytes; max.message.bytes of the topic is {limit}."
            ),
            RecordError::Count {
                last_offset_delta,
                record_count,
            } => write!(
                f,
                "The batch counts {record_count} records, and its last offset is \
                 {last_offset_delta} after its first."
            ),
            RecordError::Control => write!(f, "Clients may not write control records."),
            RecordError::Sequence {
                producer_id,
                base_sequence,
            } => write!(
                f,
                "The batch of producer {producer_id} has the sequence {base_sequence}."
            ),
            RecordError::Epoch {
                producer_id,
                producer_epoch,
            } => write!(
                f,
                "The batch of producer {producer_id} has the epoch {producer_epoch}."
            ),
            RecordError::DeleteHorizon => {
                write!(f, "Clients may not set the delete horizon of a batch.")
            }
            RecordError::AppendTimeFromProducer => {
                write!(f, "Clients may not set the timestamp type LogAppendTime.")
            }
            RecordError::Timestamp {
                timestamp,
                earliest,
                latest,
                batch_index: _,
            } => write!(
                f,
                "The timestamp {} is out of range: the topic allows {} to {} now.",
                timestamp.0, earliest.0, latest.0
            ),
            RecordError::MissingKey { .. } => {
                write!(f, "A compacted topic does not take records without a key.")
            }
            RecordError::RecordTooLarge {
                batch_index: _,
                body_bytes,
                limit,
            } => write!(
                f,
                "A record has {body_bytes} bytes when opened; max.decompressed.message.bytes of \
                 the topic is {limit}."
            ),
            RecordError::OffsetDelta {
                batch_index,
                offset_delta,
            } => write!(
                f,
                "Record {batch_index} of the batch is numbered {offset_delta}."
            ),
            RecordError::NotABatch(error)
            | RecordError::Codec(error)
            | RecordError::Checksum(error)
            | RecordError::Records(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for RecordError {}
