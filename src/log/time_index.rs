//! The `.timeindex` file of a segment: up to which offset no timestamp was larger.
//!
//! ```text
//! 0 timestamp i64 | 8 relativeOffset i32     (12 bytes, big-endian, timestamps increasing)
//! ```
//!
//! The offset is the last of the batch that holds the largest timestamp so far, relative to the
//! segment's base offset. `TimeIndex` of Apache Kafka.

use crate::base::time::Timestamp;
use crate::log::index_file::{IndexEntry, IndexFile};

/// The time index of one segment.
pub type TimeIndex = IndexFile<TimeEntry>;

/// One entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeEntry {
    /// The largest timestamp up to that offset.
    pub timestamp: Timestamp,
    /// Relative to the segment's base offset.
    pub relative_offset: u32,
}

impl IndexEntry for TimeEntry {
    const BYTES: usize = 12;

    fn decode(bytes: &[u8]) -> TimeEntry {
        let (timestamp, offset) = bytes.split_at(8);
        TimeEntry {
            timestamp: Timestamp(i64::from_be_bytes(
                timestamp.try_into().expect("eight bytes"),
            )),
            relative_offset: u32::from_be_bytes(offset.try_into().expect("four bytes")),
        }
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.timestamp.0.to_be_bytes());
        out.extend_from_slice(&self.relative_offset.to_be_bytes());
    }

    fn follows(self, previous: Option<TimeEntry>) -> bool {
        self.relative_offset < 1 << 31
            && match previous {
                None => self.timestamp > Timestamp::NONE,
                Some(previous) => {
                    self.timestamp > previous.timestamp
                        && self.relative_offset >= previous.relative_offset
                }
            }
    }
}
