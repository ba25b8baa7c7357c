//! The `.snapshot` file: producer state up to, not including, the offset in its name.
//!
//! ```text
//! 0 version i16 = 1 | 2 crc u32 (CRC-32C of bytes 6..end) | 6 count i32 | 10 entries of 46 bytes:
//!  0 producerId i64 | 8 epoch i16 | 10 lastSequence i32 | 14 lastOffset i64 | 22 offsetDelta i32
//! 26 timestamp i64 | 34 coordinatorEpoch i32 | 38 currentTxnFirstOffset i64 (-1 none)
//! ```
//!
//! Only the last batch of each producer is kept. `ProducerStateManager` of Apache Kafka.

use crate::base::convert::usize_from_u32;
use crate::base::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::limits::PRODUCERS_PER_PARTITION_MAX;
use crate::base::time::Timestamp;
use crate::log::producer_state::{ProducedBatch, Producer};
use crate::record::checksum::crc32c;

const HEAD_BYTES: usize = 10;
const ENTRY_BYTES: usize = 46;
const VERSION: i16 = 1;

/// The largest snapshot klamm reads.
pub const SNAPSHOT_BYTES_MAX: usize = HEAD_BYTES + 4 * PRODUCERS_PER_PARTITION_MAX * ENTRY_BYTES;

/// The file for these producers.
#[must_use]
pub fn encode(producers: &[(ProducerId, &Producer)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD_BYTES + producers.len() * ENTRY_BYTES);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    let count = i32::try_from(producers.len()).expect("bounded by PRODUCERS_PER_PARTITION_MAX");
    out.extend_from_slice(&count.to_be_bytes());
    for (id, producer) in producers {
        let last = producer.last_batch();
        let first = producer.current_transaction_first_offset;
        out.extend_from_slice(&id.0.to_be_bytes());
        out.extend_from_slice(&producer.epoch.0.to_be_bytes());
        out.extend_from_slice(&producer.last_sequence().0.to_be_bytes());
        out.extend_from_slice(&last.map_or(-1, |batch| batch.last_offset.0).to_be_bytes());
        out.extend_from_slice(&last.map_or(0, |batch| batch.offset_delta).to_be_bytes());
        out.extend_from_slice(&producer.last_timestamp.0.to_be_bytes());
        out.extend_from_slice(&producer.coordinator_epoch.to_be_bytes());
        out.extend_from_slice(&first.map_or(-1, |offset| offset.0).to_be_bytes());
    }
    let crc = crc32c(&out[6..]);
    out[2..6].copy_from_slice(&crc.to_be_bytes());
    out
}

/// The producers in a snapshot file.
///
/// # Errors
/// Says what is wrong with the file.
pub fn decode(bytes: &[u8]) -> Result<Vec<(ProducerId, Producer)>, String> {
    let Some(head) = bytes.first_chunk::<HEAD_BYTES>() else {
        return Err(format!("{} bytes are too few for a snapshot", bytes.len()));
    };
    let version = i16::from_be_bytes(field(head, 0));
    if version != VERSION {
        return Err(format!("version {version} is not {VERSION}"));
    }
    let stored = u32::from_be_bytes(field(head, 2));
    let computed = crc32c(&bytes[6..]);
    if stored != computed {
        return Err(format!(
            "the checksum is {stored:08x}, but the bytes give {computed:08x}"
        ));
    }
    let count = u32::from_be_bytes(field(head, 6));
    let entries = &bytes[HEAD_BYTES..];
    if usize_from_u32(count).checked_mul(ENTRY_BYTES) != Some(entries.len()) {
        return Err(format!(
            "{count} entries do not take {} bytes",
            entries.len()
        ));
    }
    Ok(entries.chunks_exact(ENTRY_BYTES).map(entry).collect())
}

fn entry(bytes: &[u8]) -> (ProducerId, Producer) {
    let last_offset = i64::from_be_bytes(field(bytes, 14));
    let timestamp = Timestamp(i64::from_be_bytes(field(bytes, 26)));
    let first_offset = i64::from_be_bytes(field(bytes, 38));
    let last_batch = ProducedBatch {
        last_sequence: Sequence(i32::from_be_bytes(field(bytes, 10))),
        last_offset: Offset(last_offset),
        offset_delta: i32::from_be_bytes(field(bytes, 22)),
        timestamp,
    };
    let producer = Producer::restored(
        ProducerEpoch(i16::from_be_bytes(field(bytes, 8))),
        i32::from_be_bytes(field(bytes, 34)),
        timestamp,
        (first_offset >= 0).then_some(Offset(first_offset)),
        (last_offset >= 0).then_some(last_batch),
    );
    (ProducerId(i64::from_be_bytes(field(bytes, 0))), producer)
}

fn field<const N: usize>(bytes: &[u8], position: usize) -> [u8; N] {
    *bytes[position..]
        .first_chunk()
        .expect("the caller has the whole entry")
}
