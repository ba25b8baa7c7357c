//! Which partition a record goes to, as Kafka's default partitioner decides: a key always to the
//! same one, records without a key to one partition until it has had a batch's worth of bytes.

use crate::base::convert::u64_from;
use crate::base::prng::Prng;
use std::collections::BTreeMap;

/// Kafka's 32-bit murmur2 (`org.apache.kafka.common.utils.Utils.murmur2`), seed and all.
#[must_use]
pub fn murmur2(key: &[u8]) -> u32 {
    const MULTIPLIER: u32 = 0x5BD1_E995;
    let length = u32::try_from(u64_from(key.len()) & 0xFFFF_FFFF).expect("masked to 32 bits");
    let mut hash = 0x9747_B28C ^ length;
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let mut mixed = u32::from_le_bytes(word.try_into().expect("four bytes"));
        mixed = mixed.wrapping_mul(MULTIPLIER);
        mixed ^= mixed >> 24;
        mixed = mixed.wrapping_mul(MULTIPLIER);
        hash = hash.wrapping_mul(MULTIPLIER) ^ mixed;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (index, &byte) in rest.iter().enumerate() {
            hash ^= u32::from(byte) << (8 * index);
        }
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

/// The partition of a key, of so many partitions (at least one).
#[must_use]
pub fn partition_of_key(key: &[u8], partition_count: i32) -> i32 {
    // The sign bit is masked off, as `Utils.toPositive` does, so the remainder is never negative.
    let positive = (murmur2(key) & 0x7FFF_FFFF).cast_signed();
    positive % partition_count.max(1)
}

/// The partition that records without a key of each topic go to at the moment. KIP-794, without
/// its regard for slow brokers.
#[derive(Clone, Debug)]
pub struct StickyPartitioner {
    prng: Prng,
    batch_bytes: usize,
    topics: BTreeMap<String, Sticky>,
}

#[derive(Clone, Copy, Debug)]
struct Sticky {
    partition: i32,
    bytes: usize,
}

impl StickyPartitioner {
    /// Changes the partition whenever it has had `batch_bytes`.
    #[must_use]
    pub fn new(prng: Prng, batch_bytes: usize) -> StickyPartitioner {
        StickyPartitioner {
            prng,
            batch_bytes,
            topics: BTreeMap::new(),
        }
    }

    /// The partition for a record of so many bytes.
    pub fn choose(&mut self, topic: &str, partition_count: i32, record_bytes: usize) -> i32 {
        let count = u64::try_from(partition_count.max(1)).expect("at least one");
        let prng = &mut self.prng;
        let mut draw = || i32::try_from(prng.below(count)).expect("below an i32");
        if !self.topics.contains_key(topic) {
            let partition = draw();
            self.topics.insert(
                topic.to_owned(),
                Sticky {
                    partition,
                    bytes: 0,
                },
            );
        }
        let sticky = self.topics.get_mut(topic).expect("inserted above");
        if sticky.bytes >= self.batch_bytes || sticky.partition >= partition_count {
            *sticky = Sticky {
                partition: draw(),
                bytes: 0,
            };
        }
        sticky.bytes += record_bytes;
        sticky.partition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_gives_javas_values() {
        // From Kafka's own UtilsTest.testMurmur2.
        let cases: [(&[u8], i32); 7] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (
                b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            (b"abc", 479_470_107),
            (b"", 275_646_681),
        ];
        for (key, expected) in cases {
            assert_eq!(murmur2(key).cast_signed(), expected, "{key:?}");
        }
        assert_eq!(partition_of_key(b"abc", 10), 7);
        assert_eq!(partition_of_key(b"abc", 0), 0);
    }

    #[test]
    fn records_without_a_key_stick_for_a_batch_and_then_spread() {
        let mut partitioner = StickyPartitioner::new(Prng::new(1), 100);
        let mut seen = [0; 8];
        for _ in 0..400 {
            let first = partitioner.choose("t", 8, 60);
            assert_eq!(partitioner.choose("t", 8, 60), first);
            seen[usize::try_from(first).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&count| count > 0), "{seen:?}");
        // A topic that shrank (deleted and made anew) is not sent beyond its end.
        assert_eq!(partitioner.choose("t", 1, 1), 0);
    }
}
