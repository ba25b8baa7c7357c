//! Where groups live: `__consumer_offsets`, and which of its partitions is a group's.

use crate::base::convert::usize_from_u32;
use crate::base::ids::PartitionIndex;

/// The topic that groups are written to.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// The partition that coordinates a group: as Kafka's clients and brokers compute it.
#[must_use]
pub fn partition_of(group_id: &str, partitions: usize) -> PartitionIndex {
    // Kafka's `Utils.abs`: the one number whose absolute value is none becomes 0.
    let hash = java_hash(group_id)
        .checked_abs()
        .unwrap_or(0)
        .unsigned_abs();
    let index = usize_from_u32(hash) % partitions.max(1);
    PartitionIndex(i32::try_from(index).expect("it is at most the hash, which is an i32"))
}

/// `String.hashCode` of Java: over UTF-16 code units.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_javas() {
        assert_eq!(java_hash(""), 0);
        assert_eq!(java_hash("hello"), 99_162_322);
        assert_eq!(java_hash("Hello World"), -862_545_276);
        // Famous for it.
        assert_eq!(java_hash("polygenelubricants"), i32::MIN);
        // Two code units: D83D DE00.
        assert_eq!(java_hash("\u{1F600}"), 0xD83D * 31 + 0xDE00);
    }

    #[test]
    fn partitions_are_kafkas() {
        assert_eq!(partition_of("hello", 50), PartitionIndex(22));
        // The hash is negative: its absolute value counts, not its low 31 bits.
        assert_eq!(partition_of("Hello World", 50), PartitionIndex(26));
        assert_eq!(partition_of("polygenelubricants", 50), PartitionIndex(0));
        assert_eq!(partition_of("g", 1), PartitionIndex(0));
        assert_eq!(partition_of("", 50), PartitionIndex(0));
    }
}
