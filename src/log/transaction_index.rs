//! The `.txnindex` file of a segment: the transactions whose abort markers lie in it. The file
//! exists only where there is one.
//!
//! ```text
//! 0 version i16 = 0 | 2 producerId i64 | 10 firstOffset i64 | 18 lastOffset i64
//! 26 lastStableOffset i64      (34 bytes, big-endian, last offsets increasing)
//! ```
//!
//! `TransactionIndex` of Apache Kafka.

use crate::base::ids::{Offset, ProducerId};
use crate::log::producer_state::CompletedTransaction;

/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 34;

/// The largest file klamm reads.
pub const FILE_BYTES_MAX: usize = 64 << 20;

/// A transaction that was aborted, as read_committed consumers have to know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AbortedTransaction {
    /// Whose.
    pub producer_id: ProducerId,
    /// Its first offset.
    pub first_offset: Offset,
    /// Offset of its marker.
    pub last_offset: Offset,
    /// The last stable offset once the marker is below the high watermark.
    pub last_stable_offset: Offset,
}

impl From<CompletedTransaction> for AbortedTransaction {
    fn from(completed: CompletedTransaction) -> AbortedTransaction {
        AbortedTransaction {
            producer_id: completed.producer_id,
            first_offset: completed.first_offset,
            last_offset: completed.last_offset,
            last_stable_offset: completed.last_stable_offset,
        }
    }
}

/// The entry of that transaction.
#[must_use]
pub fn encode(aborted: &AbortedTransaction) -> [u8; ENTRY_BYTES] {
    let mut out = [0; ENTRY_BYTES];
    out[2..10].copy_from_slice(&aborted.producer_id.0.to_be_bytes());
    out[10..18].copy_from_slice(&aborted.first_offset.0.to_be_bytes());
    out[18..26].copy_from_slice(&aborted.last_offset.0.to_be_bytes());
    out[26..34].copy_from_slice(&aborted.last_stable_offset.0.to_be_bytes());
    out
}

/// The entries of a file, or `None` where it is not such a file: it is then built anew from
/// the log.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Vec<AbortedTransaction>> {
    if !bytes.len().is_multiple_of(ENTRY_BYTES) {
        return None;
    }
    let mut entries: Vec<AbortedTransaction> = Vec::with_capacity(bytes.len() / ENTRY_BYTES);
    for chunk in bytes.chunks_exact(ENTRY_BYTES) {
        let number = |position: usize| {
            let bytes = chunk[position..].first_chunk::<8>();
            i64::from_be_bytes(*bytes.expect("an entry has 34 bytes"))
        };
        let entry = AbortedTransaction {
            producer_id: ProducerId(number(2)),
            first_offset: Offset(number(10)),
            last_offset: Offset(number(18)),
            last_stable_offset: Offset(number(26)),
        };
        let is_after_last = entries
            .last()
            .is_none_or(|last| entry.last_offset > last.last_offset);
        let is_plausible = chunk[..2] == [0, 0]
            && entry.first_offset >= Offset(0)
            && entry.last_offset >= entry.first_offset;
        if !is_after_last || !is_plausible {
            return None;
        }
        entries.push(entry);
    }
    Some(entries)
}
