//! The `.index` file of a segment: where the batches with some offsets start.
//!
//! ```text
//! 0 relativeOffset i32 | 4 position i32      (8 bytes, big-endian, increasing)
//! ```
//!
//! The offset is the *last* of the batch that starts at the position, relative to the segment's
//! base offset. `OffsetIndex` of Apache Kafka.

use crate::log::index_file::{IndexEntry, IndexFile};

/// The offset index of one segment.
pub type OffsetIndex = IndexFile<OffsetEntry>;

/// One entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OffsetEntry {
    /// Last offset of the batch, relative to the segment's base offset.
    pub relative_offset: u32,
    /// Byte at which the batch starts.
    pub position: u32,
}

impl IndexEntry for OffsetEntry {
    const BYTES: usize = 8;

    fn decode(bytes: &[u8]) -> OffsetEntry {
        let (offset, position) = bytes.split_at(4);
        OffsetEntry {
            relative_offset: u32::from_be_bytes(offset.try_into().expect("four bytes")),
            position: u32::from_be_bytes(position.try_into().expect("four bytes")),
        }
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.relative_offset.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }

    fn follows(self, previous: Option<OffsetEntry>) -> bool {
        let bounded = self.relative_offset < 1 << 31 && self.position < 1 << 31;
        bounded
            && match previous {
                // An entry is made after a batch, never for the first one.
                None => self.position > 0,
                Some(previous) => {
                    self.relative_offset > previous.relative_offset
                        && self.position > previous.position
                }
            }
    }
}
