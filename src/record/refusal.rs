//! Why a producer's batch is refused, and with which of Kafka's errors.

use crate::base::ids::{Offset, ProducerId, Sequence};
use crate::base::time::Timestamp;
use crate::record::error::BatchError;
use std::fmt;

/// Why a producer's batch is not appended. The text goes into the response's error message.
#[derive(Clone, PartialEq, Eq, Debug)]
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
    /// Records that the topic does not take.
    Faults(RecordFaults),
    /// A record of a compressed batch is larger than `max.decompressed.message.bytes`.
    RecordTooLarge {
        /// Which record of the batch.
        batch_index: i32,
        /// Its bytes, without the length.
        body_bytes: usize,
        /// What the topic allows.
        limit: usize,
    },
    /// The records of a compressed batch are not numbered one by one.
    OffsetDelta {
        /// Which record of the batch.
        batch_index: i32,
        /// How it is numbered.
        offset_delta: i32,
    },
    /// The records cannot be read.
    Records(BatchError),
}

/// The records of a batch that its topic does not take: how many, and the first of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecordFaults {
    /// How many there are.
    pub count: usize,
    /// The first ones, in their order; at least one.
    pub first: Vec<RecordFault>,
    /// Whether the timestamp of any of them is at fault, which then names the error.
    pub is_timestamp: bool,
}

/// One record at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordFault {
    /// Which record of the batch, from 0 on.
    pub batch_index: i32,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// What is wrong with a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// A compacted topic needs keys.
    MissingKey,
    /// The timestamp is out of the topic's range.
    Timestamp {
        /// Its offset, as the producer numbers it.
        offset: Offset,
        /// The timestamp.
        timestamp: Timestamp,
        /// The earliest allowed.
        earliest: Timestamp,
        /// The latest allowed.
        latest: Timestamp,
    },
    /// Only brokers set the time of the append.
    AppendTimeFromProducer {
        /// Its offset, as the producer numbers it.
        offset: Offset,
        /// The timestamp.
        timestamp: Timestamp,
        /// Bytes of its key, where it has one.
        key_bytes: Option<usize>,
        /// Bytes of its value, where it has one.
        value_bytes: Option<usize>,
    },
}

impl RecordFaults {
    /// Takes note of one more; the first `named_max` are kept.
    pub(super) fn push(&mut self, fault: RecordFault, named_max: usize) {
        self.count += 1;
        self.is_timestamp |= match fault.kind {
            FaultKind::MissingKey => false,
            FaultKind::Timestamp { .. } | FaultKind::AppendTimeFromProducer { .. } => true,
        };
        if self.first.len() < named_max {
            self.first.push(fault);
        }
    }

    /// What Apache says of all of them, in the words of its `LogValidator`.
    #[must_use]
    pub fn text(&self, partition: &str) -> String {
        if self.is_timestamp {
            return "One or more records have been rejected due to invalid timestamp".to_owned();
        }
        let shown: Vec<String> = self
            .first
            .iter()
            .take(3)
            .map(|fault| {
                let text = fault.text(partition);
                format!(
                    "RecordError(batchIndex={}, message='{text}')",
                    fault.batch_index
                )
            })
            .collect();
        format!(
            "One or more records have been rejected due to {} record errors in total, and only \
             showing the first three errors at most: [{}]",
            self.count,
            shown.join(", ")
        )
    }
}

impl RecordFault {
    /// What Apache says of it, in the words of its `LogValidator`. `partition` is the name of topic
    /// and partition, with a hyphen between.
    #[must_use]
    pub fn text(&self, partition: &str) -> String {
        match self.kind {
            FaultKind::MissingKey => format!(
                "Compacted topic cannot accept message without key in topic partition {partition}"
            ),
            FaultKind::Timestamp {
                offset,
                timestamp,
                earliest,
                latest,
            } => format!(
                "Timestamp {} of message with offset {offset} is out of range. The timestamp \
                 should be within [{}, {}]",
                timestamp.0, earliest.0, latest.0
            ),
            FaultKind::AppendTimeFromProducer {
                offset,
                timestamp,
                key_bytes,
                value_bytes,
            } => format!(
                "Invalid timestamp type in message DefaultRecord(offset={offset}, timestamp={}, \
                 key={} bytes, value={} bytes). Producer should not set timestamp type to \
                 LogAppendTime.",
                timestamp.0,
                key_bytes.unwrap_or(0),
                value_bytes.unwrap_or(0)
            ),
        }
    }
}

impl RecordError {
    /// The number of Kafka's error.
    #[must_use]
    pub fn kafka_code(&self) -> i16 {
        match self {
            // Apache has no answer of its own to these: its code throws what it does not expect.
            RecordError::Codec(_)
            | RecordError::OffsetDelta { .. }
            | RecordError::Records(BatchError::Decompress(_)) => -1,
            RecordError::NotABatch(_) | RecordError::Checksum(_) => 2,
            RecordError::TooLarge { .. }
            | RecordError::Records(BatchError::TooLargeOpened { .. }) => 10,
            RecordError::Faults(faults) if faults.is_timestamp => 32,
            RecordError::ZstdNotAllowed => 76,
            RecordError::NoBatch
            | RecordError::MoreThanOneBatch { .. }
            | RecordError::OldMagic(_)
            | RecordError::BaseOffset(_)
            | RecordError::Count { .. }
            | RecordError::Control
            | RecordError::Sequence { .. }
            | RecordError::Faults(_)
            | RecordError::RecordTooLarge { .. }
            | RecordError::Records(_) => 87,
        }
    }

    /// The name of Kafka's error.
    #[must_use]
    pub fn kafka_name(&self) -> &'static str {
        match self.kafka_code() {
            -1 => "UNKNOWN_SERVER_ERROR",
            2 => "CORRUPT_MESSAGE",
            10 => "MESSAGE_TOO_LARGE",
            32 => "INVALID_TIMESTAMP",
            76 => "UNSUPPORTED_COMPRESSION_TYPE",
            _ => "INVALID_RECORD",
        }
    }

    /// Whether Apache finds this while it appends, and then says where the log starts; not when it
    /// takes the request apart, nor where the batch is too large or corrupt.
    #[must_use]
    pub fn names_log_start(&self) -> bool {
        match self {
            RecordError::BaseOffset(_)
            | RecordError::Codec(_)
            | RecordError::Count { .. }
            | RecordError::Control
            | RecordError::Sequence { .. }
            | RecordError::Faults(_)
            | RecordError::RecordTooLarge { .. }
            | RecordError::OffsetDelta { .. } => true,
            RecordError::Records(error) => !matches!(error, BatchError::TooLargeOpened { .. }),
            RecordError::NoBatch
            | RecordError::MoreThanOneBatch { .. }
            | RecordError::OldMagic(_)
            | RecordError::NotABatch(_)
            | RecordError::ZstdNotAllowed
            | RecordError::TooLarge { .. }
            | RecordError::Checksum(_) => false,
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
            RecordError::Faults(faults) => write!(f, "{}", faults.text("of the request")),
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
                "Record {batch_index} of the compressed batch is numbered {offset_delta}."
            ),
            RecordError::NotABatch(error)
            | RecordError::Codec(error)
            | RecordError::Checksum(error)
            | RecordError::Records(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for RecordError {}
