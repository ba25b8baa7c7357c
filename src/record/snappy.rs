//! Snappy as Java writes it: raw blocks in the framing of snappy-java (xerial), which is neither
//! Google's framing nor a raw block.
//!
//! ```text
//!  0  0x82 'S' 'N' 'A' 'P' 'P' 'Y' 0
//!  8  version            i32   1
//! 12  lowest compatible  i32   1
//! 16  (blockLength i32 | raw snappy block)*      32 KiB each, before compression
//! ```
//!
//! Streams may follow each other, header and all. librdkafka sends one raw block without any
//! framing; `SnappyInputStream` takes what lacks the magic for that, and so does klamm.

use crate::record::compress::Compression;
use crate::record::error::BatchError;

const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const HEADER_BYTES: usize = 16;
const VERSION: [u8; 4] = [0, 0, 0, 1];
/// Bytes that one block holds, before compression, as snappy-java's default.
const BLOCK_BYTES: usize = 32 << 10;

const CORRUPT: BatchError = BatchError::Decompress(Compression::Snappy);

/// Appends `records` in the Java framing.
pub fn compress(records: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION);
    out.extend_from_slice(&VERSION);
    let mut encoder = snap::raw::Encoder::new();
    for block in records.chunks(BLOCK_BYTES) {
        let length_position = out.len();
        let start = length_position + 4;
        out.resize(start + snap::raw::max_compress_len(block.len()), 0);
        let length = encoder
            .compress(block, &mut out[start..])
            .expect("the output has room for the worst case");
        out.truncate(start + length);
        let length = i32::try_from(length).expect("a block is 32 KiB");
        out[length_position..start].copy_from_slice(&length.to_be_bytes());
    }
}

/// Appends what `bytes` hold, of either form, until `out` holds `limit` bytes.
pub fn decompress(bytes: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), BatchError> {
    if !bytes.starts_with(&MAGIC) {
        return block(bytes, limit, out);
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        if rest.starts_with(&MAGIC) {
            rest = rest.get(HEADER_BYTES..).ok_or(CORRUPT)?;
            continue;
        }
        let (length, tail) = rest.split_first_chunk::<4>().ok_or(CORRUPT)?;
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| CORRUPT)?;
        let (compressed, tail) = tail.split_at_checked(length).ok_or(CORRUPT)?;
        block(compressed, limit, out)?;
        rest = tail;
    }
    Ok(())
}

fn block(compressed: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), BatchError> {
    let length = snap::raw::decompress_len(compressed).map_err(|_| CORRUPT)?;
    let start = out.len();
    if length > limit - start {
        return Err(BatchError::TooLargeOpened { limit });
    }
    // No snappy block grows more than 64 bytes out of three: a larger claim is a lie, and is
    // refused before memory is set aside for it.
    if length / 32 > compressed.len() {
        return Err(CORRUPT);
    }
    out.resize(start + length, 0);
    let written = snap::raw::Decoder::new()
        .decompress(compressed, &mut out[start..])
        .map_err(|_| CORRUPT)?;
    debug_assert_eq!(written, length);
    Ok(())
}
