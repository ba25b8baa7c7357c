//! Hash tables whose order does not depend on a random seed, so that two runs of one
//! simulation seed walk them alike. The hash is multiply-and-fold: fast on small keys. Keys that
//! a hostile client chooses freely go into a `BTreeMap` instead, which no choice of keys degrades.

use std::hash::{BuildHasherDefault, Hasher};

/// A hash map with a fixed hash: the same keys give the same order in every run.
#[expect(
    clippy::disallowed_types,
    reason = "this is the alias that fixes the hasher"
)]
pub type HashMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<FoldHasher>>;

/// A hash set with a fixed hash: the same keys give the same order in every run.
#[expect(
    clippy::disallowed_types,
    reason = "this is the alias that fixes the hasher"
)]
pub type HashSet<K> = std::collections::HashSet<K, BuildHasherDefault<FoldHasher>>;

/// Folds each word into the state with one wide multiplication.
#[derive(Default, Clone, Copy)]
pub struct FoldHasher(u64);

impl FoldHasher {
    fn fold(&mut self, word: u64) {
        let wide =
            u128::from(self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        let bytes = wide.to_le_bytes();
        let (low, high) = bytes.split_at(8);
        self.0 = u64::from_le_bytes(low.try_into().expect("eight bytes"))
            ^ u64::from_le_bytes(high.try_into().expect("eight bytes"))
            ^ 0x517C_C1B7_2722_0A95;
    }
}

impl Hasher for FoldHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.fold(u64::from_le_bytes(chunk.try_into().expect("eight bytes")));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.fold(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.fold(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.fold(word);
    }

    fn write_i32(&mut self, word: i32) {
        self.fold(u64::from(word.cast_unsigned()));
    }

    fn write_usize(&mut self, word: usize) {
        self.fold(crate::base::convert::u64_from(word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_kind_are_found_again() {
        let ids: HashSet<[u8; 16]> = (0..=255).map(|byte| [byte; 16]).collect();
        assert!((0..=255).all(|byte| ids.contains(&[byte; 16])));
        let words: HashMap<u64, u64> = [0, 1, u64::MAX]
            .into_iter()
            .map(|word| (word, word))
            .collect();
        assert_eq!(words.get(&u64::MAX), Some(&u64::MAX));
        let names: HashSet<String> = (0..1000).map(|number| format!("topic-{number}")).collect();
        assert_eq!(names.len(), 1000);
        assert!(names.contains("topic-999"));
    }
}
