//! The codecs of a batch's records: what each writes, what each reads, and a bound on both.
//!
//! Klamm writes what Apache's clients write, and reads every legal form:
//! - gzip: one member written; several, one after the other, are read.
//! - snappy: the Java framing written (`record::snappy`); that, and one raw block, are read.
//! - lz4: a frame of independent 64 KiB blocks without checksums of content written, as
//!   `Lz4BlockOutputStream` does; any frame is read, linked blocks and checksums too. The wrong
//!   header checksum of Kafka before 0.10 (KIP-57) belongs to magic 0 and 1, which klamm does not
//!   read: in a v2 batch it is an error, for Apache too.
//! - zstd: one frame with its size written, any frames are read.

use crate::record::error::BatchError;
use crate::record::snappy;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use std::fmt;
use std::io::{Read, Write};

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

/// The level Kafka's own producer and broker use where none is configured: KIP-390.
const ZSTD_LEVEL: i32 = 3;

/// How often larger than its compressed form an output is expected to be: the first allocation.
const EXPANSION_EXPECTED: usize = 4;

/// Appends `records`, compressed, to `out`. A `level` means what Kafka's `compression.gzip.level`
/// and `compression.zstd.level` mean, and is clamped to what the codec has; snappy and lz4 have
/// one level here.
///
/// # Panics
/// Where memory for the codec's own tables cannot be had.
pub fn compress(compression: Compression, level: Option<i32>, records: &[u8], out: &mut Vec<u8>) {
    match compression {
        Compression::None => out.extend_from_slice(records),
        Compression::Gzip => gzip(level, records, out),
        Compression::Snappy => snappy::compress(records, out),
        Compression::Lz4 => lz4(records, out),
        Compression::Zstd => zstd(level, records, out),
    }
}

fn gzip(level: Option<i32>, records: &[u8], out: &mut Vec<u8>) {
    let level = match level.and_then(|level| u32::try_from(level).ok()) {
        Some(level) => flate2::Compression::new(level.clamp(1, 9)),
        None => flate2::Compression::default(),
    };
    let mut encoder = GzEncoder::new(out, level);
    encoder.write_all(records).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte");
}

fn lz4(records: &[u8], out: &mut Vec<u8>) {
    let frame = FrameInfo::new()
        .block_size(BlockSize::Max64KB)
        .block_mode(BlockMode::Independent)
        .block_checksums(false)
        .content_checksum(false);
    let mut encoder = FrameEncoder::with_frame_info(frame, out);
    encoder.write_all(records).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte");
}

fn zstd(level: Option<i32>, records: &[u8], out: &mut Vec<u8>) {
    let range = zstd::compression_level_range();
    let level = level
        .unwrap_or(ZSTD_LEVEL)
        .clamp(*range.start(), *range.end());
    let mut encoder =
        zstd::stream::write::Encoder::new(out, level).expect("memory for the encoder's tables");
    let size = crate::base::convert::u64_from(records.len());
    encoder
        .set_pledged_src_size(Some(size))
        .expect("nothing has been written yet");
    encoder.write_all(records).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte");
}

/// The records of a batch, opened; at most `limit` bytes. A bomb costs no more than twice the
/// limit, whatever sizes its frames announce.
///
/// # Errors
/// `BatchError::Decompress` where the bytes are not of that codec, `BatchError::TooLargeOpened`
/// beyond the limit.
pub fn decompress(
    compression: Compression,
    bytes: &[u8],
    limit: usize,
) -> Result<Vec<u8>, BatchError> {
    let mut out = Vec::with_capacity(bytes.len().saturating_mul(EXPANSION_EXPECTED).min(limit));
    decompress_into(compression, bytes, limit, &mut out)?;
    Ok(out)
}

/// As `decompress`, into the place of what `out` held, so that a buffer can be used again.
///
/// # Errors
/// As `decompress`; `out` then holds what was opened until the error.
pub fn decompress_into(
    compression: Compression,
    bytes: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), BatchError> {
    out.clear();
    match compression {
        Compression::None if bytes.len() <= limit => {
            out.extend_from_slice(bytes);
            Ok(())
        }
        Compression::None => Err(BatchError::TooLargeOpened { limit }),
        Compression::Gzip => stream(MultiGzDecoder::new(bytes), compression, limit, out),
        Compression::Snappy => snappy::decompress(bytes, limit, out),
        Compression::Lz4 => stream(FrameDecoder::new(bytes), compression, limit, out),
        Compression::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(bytes)
                .map_err(|_| BatchError::Decompress(compression))?;
            stream(decoder, compression, limit, out)
        }
    }
}

fn stream(
    decoder: impl Read,
    compression: Compression,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), BatchError> {
    // One byte beyond the limit tells what is too large from what just fits.
    let bound = crate::base::convert::u64_from(limit).saturating_add(1);
    let opened = decoder.take(bound).read_to_end(out);
    if out.len() > limit {
        return Err(BatchError::TooLargeOpened { limit });
    }
    opened
        .map(|_| ())
        .map_err(|_| BatchError::Decompress(compression))
}

#[cfg(test)]
#[path = "compress_tests.rs"]
mod tests;
