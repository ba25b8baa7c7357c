//! The `.txnindex` file of a segment: the transactions whose abort markers lie in it. The file
//! exists only where there is one.
//!
//! ```text
//! 0 version i16 = 0 | 2 producerId i64 | 10 firstOffset i64 | 18 lastOffset i64
//! 26 lastStableOffset i64      (34 bytes, big-endian, last offsets increasing)
//! ```
//!
//! `TransactionIndex` of Apache Kafka.

use crate::base::convert::u64_from;
use crate::base::ids::{Offset, ProducerId};
use crate::log::error::{ReadError, StorageError};
use crate::log::index_file::Patience;
use crate::log::producer_state::CompletedTransaction;
use crate::runtime::disk::{Disk, File, OpenMode, Resident};
use std::path::Path;
use std::sync::Arc;

/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 34;

/// Entries that a search reads at a time once it has found the first.
const ENTRIES_PER_READ: usize = 120;

/// The largest file klamm reads whole.
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
        let entry = decode_one(chunk)?;
        let is_after_last = entries
            .last()
            .is_none_or(|last| entry.last_offset > last.last_offset);
        if !is_after_last {
            return None;
        }
        entries.push(entry);
    }
    Some(entries)
}

/// One entry of exactly so many bytes, or `None` where it makes no sense.
fn decode_one(bytes: &[u8]) -> Option<AbortedTransaction> {
    let number = |position: usize| {
        let bytes = bytes[position..].first_chunk::<8>();
        i64::from_be_bytes(*bytes.expect("an entry has 34 bytes"))
    };
    let entry = AbortedTransaction {
        producer_id: ProducerId(number(2)),
        first_offset: Offset(number(10)),
        last_offset: Offset(number(18)),
        last_stable_offset: Offset(number(26)),
    };
    let is_plausible = bytes[..2] == [0, 0]
        && entry.first_offset >= Offset(0)
        && entry.last_offset >= entry.first_offset;
    is_plausible.then_some(entry)
}

/// What a search for aborted transactions has found.
#[derive(Debug)]
pub struct Search {
    /// The first offset that the reader is given.
    pub from: Offset,
    /// The first offset after those.
    pub to: Offset,
    /// Transactions that touch offsets between them, in the order of their markers.
    pub found: Vec<AbortedTransaction>,
    /// Whether no later transaction can touch them: at the marker of one that was looked at,
    /// everything below `to` was decided.
    pub is_complete: bool,
}

impl Search {
    /// A search for what touches `from` up to, not including, `to`.
    #[must_use]
    pub fn new(from: Offset, to: Offset) -> Search {
        Search {
            from,
            to,
            found: Vec::new(),
            is_complete: from >= to,
        }
    }

    /// Looks at the next entry. `TransactionIndex.collectAbortedTxns` of Apache Kafka.
    pub fn look_at(&mut self, entry: &AbortedTransaction) {
        if entry.last_offset >= self.from && entry.first_offset < self.to {
            self.found.push(*entry);
        }
        self.is_complete |= entry.last_stable_offset >= self.to;
    }

    /// Looks at the entries of a file from the first on that may matter. A part of an entry at
    /// the end of it is left of a write that found no room.
    ///
    /// # Errors
    /// `ReadError::Cold` where that is the patience, what the file system said, or that an entry
    /// makes no sense.
    pub fn look_into(
        &mut self,
        disk: &Disk,
        path: &Path,
        patience: Patience,
    ) -> Result<(), ReadError> {
        let failed = |error| StorageError::io("read", path, error);
        let file = disk.open(path, OpenMode::Read).map_err(failed)?;
        let end = file.len().map_err(failed)? / u64_from(ENTRY_BYTES);
        let entries = Entries {
            file: &file,
            path,
            patience,
        };
        // The entries stand in the order of their last offsets.
        let (mut low, mut high) = (0, end);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut entry = [0; ENTRY_BYTES];
            if entries.read(middle, &mut entry)?[0].last_offset < self.from {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut buffer = [0; ENTRIES_PER_READ * ENTRY_BYTES];
        while low < end && !self.is_complete {
            let left = usize::try_from(end - low).unwrap_or(usize::MAX);
            let count = left.min(ENTRIES_PER_READ);
            for entry in entries.read(low, &mut buffer[..count * ENTRY_BYTES])? {
                self.look_at(&entry);
                if self.is_complete {
                    return Ok(());
                }
            }
            low += u64_from(count);
        }
        Ok(())
    }
}

/// A file of entries.
struct Entries<'f> {
    file: &'f Arc<File>,
    path: &'f Path,
    patience: Patience,
}

impl Entries<'_> {
    /// Reads entries from the one with that number on, as many as fill the buffer.
    fn read(&self, number: u64, buffer: &mut [u8]) -> Result<Vec<AbortedTransaction>, ReadError> {
        let position = number * u64_from(ENTRY_BYTES);
        let failed = |error| StorageError::io("read", self.path, error);
        let read = match self.patience {
            Patience::Wait => self.file.read_at(position, buffer).map_err(failed)?,
            Patience::Resident => {
                let resident = self.file.read_resident(position, buffer);
                let read = match resident.map_err(failed)? {
                    Resident::Read(read) => read,
                    Resident::Cold => 0,
                };
                if read < buffer.len() {
                    return Err(ReadError::Cold {
                        file: Arc::clone(self.file),
                        position: position + u64_from(read),
                        bytes: buffer.len() - read,
                    });
                }
                read
            }
        };
        let whole = buffer[..read].chunks_exact(ENTRY_BYTES);
        let entries: Option<Vec<AbortedTransaction>> = whole.map(decode_one).collect();
        entries
            .filter(|entries| entries.len() * ENTRY_BYTES == buffer.len())
            .ok_or_else(|| {
                let why = format!("an entry from number {number} on makes no sense");
                StorageError::malformed(self.path, why).into()
            })
    }
}
