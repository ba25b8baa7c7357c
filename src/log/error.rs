//! What can go wrong with a log: the world's failures, the reader's, and the producer's.

use crate::base::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::time::Timestamp;
use crate::runtime::disk::{self, File};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file could not be read or written, or does not hold what it should.
#[derive(Debug)]
pub enum StorageError {
    /// The file system refused.
    Io {
        /// What was attempted, as a verb: "read", "append to".
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A text or JSON file is not in its format.
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where in the file.
        why: String,
    },
    /// Records that had been made durable are damaged. They are not cut off silently.
    Damaged {
        /// The segment file.
        path: PathBuf,
        /// Byte at which the first bad batch starts.
        position: u64,
        /// Everything below this offset had been synced.
        recovery_point: Offset,
        /// What is wrong with the batch.
        why: String,
    },
}

impl StorageError {
    /// Wraps what the file system said.
    #[must_use]
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> StorageError {
        StorageError::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// A file that is not in its format.
    #[must_use]
    pub fn malformed(path: &Path, why: impl Into<String>) -> StorageError {
        StorageError::Malformed {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    /// Whether the disk is full: writing works again when there is room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            StorageError::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            StorageError::Malformed { .. } | StorageError::Damaged { .. } => false,
        }
    }

    /// Whether a file could not be opened because too many are: it can be when some are closed.
    #[must_use]
    pub fn is_out_of_descriptors(&self) -> bool {
        match self {
            StorageError::Io { source, .. } => disk::is_out_of_descriptors(source),
            StorageError::Malformed { .. } | StorageError::Damaged { .. } => false,
        }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorageError::Io {
                action,
                path,
                source,
            } => write!(f, "cannot {action} {}: {source}", path.display()),
            StorageError::Malformed { path, why } => {
                write!(f, "{} is not in its format: {why}", path.display())
            }
            StorageError::Damaged {
                path,
                position,
                recovery_point,
                why,
            } => write!(
                f,
                "{} is damaged at byte {position}, below the recovery point {recovery_point}: \
                 {why}; bring the partition back from a replica or a backup, or remove its line \
                 from recovery-point-offset-checkpoint to keep only what lies before the damage",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StorageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StorageError::Io { source, .. } => Some(source),
            StorageError::Malformed { .. } | StorageError::Damaged { .. } => None,
        }
    }
}

/// Why nothing was read.
pub enum ReadError {
    /// The offset is below the log start or beyond the log end.
    OffsetOutOfRange {
        /// What was asked for.
        offset: Offset,
        /// The first offset there is.
        log_start_offset: Offset,
        /// The first offset there is not.
        log_end_offset: Offset,
    },
    /// The bytes that say where to read are not in memory: warm this range, then ask again.
    Cold {
        /// The segment, or an index of it.
        file: Arc<File>,
        /// First byte to warm.
        position: u64,
        /// How many.
        bytes: usize,
    },
    /// The file could not be read.
    Storage(StorageError),
}

// As it is displayed: a simulated file would print all it holds.
impl fmt::Debug for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::OffsetOutOfRange {
                offset,
                log_start_offset,
                log_end_offset,
            } => write!(
                f,
                "offset {offset} is outside the log, which holds {log_start_offset} up to, \
                 not including, {log_end_offset}"
            ),
            ReadError::Cold {
                position, bytes, ..
            } => write!(f, "{bytes} bytes from {position} are not in memory"),
            ReadError::Storage(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<StorageError> for ReadError {
    fn from(error: StorageError) -> ReadError {
        ReadError::Storage(error)
    }
}

/// Why a batch was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AppendError {
    /// The producer sent it before: it is answered with what it was given then. KIP-98.
    Duplicate {
        /// Offset of its first record.
        base_offset: Offset,
        /// Offset of its last record: the answer waits for the high watermark to pass it.
        last_offset: Offset,
        /// Its maximum timestamp.
        timestamp: Timestamp,
        /// The log's start now.
        log_start_offset: Offset,
    },
    /// The sequence does not follow the producer's last one. OUT_OF_ORDER_SEQUENCE_NUMBER.
    OutOfOrderSequence {
        /// The producer.
        producer_id: ProducerId,
        /// The sequence of its last batch, or none.
        last_sequence: Sequence,
        /// The sequence that came.
        sequence: Sequence,
    },
    /// A newer incarnation of the producer has written. INVALID_PRODUCER_EPOCH.
    InvalidProducerEpoch {
        /// The producer.
        producer_id: ProducerId,
        /// The newest epoch seen.
        current: ProducerEpoch,
        /// The epoch that came.
        epoch: ProducerEpoch,
    },
    /// A plain batch came while a transaction of that producer is open. INVALID_TXN_STATE.
    InvalidTransactionState {
        /// The producer.
        producer_id: ProducerId,
    },
    /// A marker came from a former transaction coordinator. TRANSACTION_COORDINATOR_FENCED.
    CoordinatorFenced {
        /// The producer.
        producer_id: ProducerId,
        /// The newest coordinator epoch seen.
        current: i32,
        /// The epoch that came.
        epoch: i32,
    },
    /// The batch is larger than `max.message.bytes`. MESSAGE_TOO_LARGE.
    MessageTooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The batch is larger than a segment. RECORD_LIST_TOO_LARGE.
    LargerThanSegment {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A batch that keeps its offsets lies below the end of the log.
    OffsetNotMonotonic {
        /// The least offset that would do.
        next_offset: Offset,
        /// The one that came.
        base_offset: Offset,
    },
    /// The header or a control record makes no sense. CORRUPT_MESSAGE.
    Corrupt {
        /// What is wrong.
        why: &'static str,
    },
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppendError::Duplicate { base_offset, .. } => {
                write!(f, "the batch was appended before, at offset {base_offset}")
            }
            AppendError::OutOfOrderSequence {
                producer_id,
                last_sequence,
                sequence,
            } => write!(
                f,
                "producer {producer_id} sent sequence {sequence} after {last_sequence}"
            ),
            AppendError::InvalidProducerEpoch {
                producer_id,
                current,
                epoch,
            } => write!(
                f,
                "producer {producer_id} has epoch {epoch}, but {current} has written already"
            ),
            AppendError::InvalidTransactionState { producer_id } => write!(
                f,
                "producer {producer_id} sent a batch outside its open transaction"
            ),
            AppendError::CoordinatorFenced {
                producer_id,
                current,
                epoch,
            } => write!(
                f,
                "the marker for producer {producer_id} has coordinator epoch {epoch}, but \
                 {current} was seen already"
            ),
            AppendError::MessageTooLarge { bytes, bytes_max } => write!(
                f,
                "the batch has {bytes} bytes, but max.message.bytes is {bytes_max}"
            ),
            AppendError::LargerThanSegment { bytes, bytes_max } => write!(
                f,
                "the batch has {bytes} bytes, but segment.bytes is {bytes_max}"
            ),
            AppendError::OffsetNotMonotonic {
                next_offset,
                base_offset,
            } => write!(
                f,
                "the batch starts at offset {base_offset}, but the log already reaches \
                 {next_offset}"
            ),
            AppendError::Corrupt { why } => write!(f, "the batch is corrupt: {why}"),
        }
    }
}

impl std::error::Error for AppendError {}
