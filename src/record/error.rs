//! What can be wrong with the bytes of a batch.

use crate::record::compress::Compression;
use std::fmt;

/// Why bytes are not a batch of records. Each variant says what was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchError {
    /// Fewer bytes than a batch header has, or than its length field announces.
    CutOff {
        /// Bytes that the batch would take.
        needed: usize,
        /// Bytes there are.
        have: usize,
    },
    /// More bytes follow where exactly one batch was expected.
    Trailing {
        /// Bytes that follow the first batch.
        extra: usize,
    },
    /// The magic byte is not 2.
    Magic(i8),
    /// The length field is negative, or less than a header without records.
    Length(i32),
    /// The checksum in the header is not that of the bytes.
    Checksum {
        /// What the header says.
        stored: u32,
        /// What the bytes give.
        computed: u32,
    },
    /// The attributes name a codec that does not exist.
    Codec(i16),
    /// The count of records is negative, or more than the bytes could hold.
    RecordCount(i32),
    /// A record, or a field of one, reaches beyond the end of its bytes.
    RecordCutOff,
    /// A varint does not end within 5 (a varlong: 10) bytes.
    Varint,
    /// A record's length field is negative or does not match its fields.
    RecordLength,
    /// A length of a key, value, header key or header value is below what is legal there.
    FieldLength(i32),
    /// A count of headers is negative, or more than the record could hold.
    HeaderCount(i32),
    /// Bytes follow the last record.
    AfterLastRecord {
        /// How many.
        extra: usize,
    },
    /// The compressed records could not be opened.
    Decompress(Compression),
    /// The compressed records are larger, once opened, than the caller allows.
    TooLargeOpened {
        /// The most bytes the caller allows.
        limit: usize,
    },
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BatchError::CutOff { needed, have } => {
                write!(
                    f,
                    "The batch is cut off: it takes {needed} bytes, and there are {have}."
                )
            }
            BatchError::Trailing { extra } => {
                write!(f, "{extra} bytes follow the only batch that may be here.")
            }
            BatchError::Magic(magic) => {
                write!(
                    f,
                    "The batch has magic {magic}; only magic 2 (Kafka 0.11 and later) is known."
                )
            }
            BatchError::Length(length) => {
                write!(
                    f,
                    "The length field of the batch is {length}; the least is 49."
                )
            }
            BatchError::Checksum { stored, computed } => write!(
                f,
                "The checksum in the batch is {stored:#010x}, its bytes give {computed:#010x}: \
                 they changed on the way or on disk."
            ),
            BatchError::Codec(attributes) => {
                write!(
                    f,
                    "The attributes {attributes:#06x} name no known compression."
                )
            }
            BatchError::RecordCount(count) => {
                write!(
                    f,
                    "A count of {count} records cannot be true of this batch."
                )
            }
            BatchError::RecordCutOff => {
                write!(f, "A record reaches beyond the end of its batch.")
            }
            BatchError::Varint => write!(f, "A variable-length number in a record does not end."),
            BatchError::RecordLength => {
                write!(f, "The length of a record does not match its fields.")
            }
            BatchError::FieldLength(length) => {
                write!(f, "A field of a record has the length {length}.")
            }
            BatchError::HeaderCount(count) => {
                write!(
                    f,
                    "A count of {count} headers cannot be true of this record."
                )
            }
            BatchError::AfterLastRecord { extra } => {
                write!(f, "{extra} bytes follow the last record of the batch.")
            }
            BatchError::Decompress(compression) => {
                write!(f, "The records could not be opened as {compression}.")
            }
            BatchError::TooLargeOpened { limit } => {
                write!(
                    f,
                    "The records open to more than the allowed {limit} bytes."
                )
            }
        }
    }
}

impl std::error::Error for BatchError {}
