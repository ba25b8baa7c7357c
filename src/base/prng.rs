//! A small, fast, seeded source of random numbers (xoshiro256**). Not for secrets.

/// The same seed gives the same numbers, for ever.
#[derive(Clone, Debug)]
pub struct Prng {
    state: [u64; 4],
}

impl Prng {
    /// A source that starts from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Prng {
        // splitmix64 spreads a small seed over the whole state.
        let mut mix = seed;
        let mut next = || {
            mix = mix.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut word = mix;
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^ (word >> 31)
        };
        Prng {
            state: [next(), next(), next(), next()],
        }
    }

    /// 64 random bits.
    #[expect(
        clippy::should_implement_trait,
        reason = "an endless source is no iterator to collect"
    )]
    pub fn next(&mut self) -> u64 {
        let result = self.state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = self.state[1] << 17;
        self.state[2] ^= self.state[0];
        self.state[3] ^= self.state[1];
        self.state[1] ^= self.state[2];
        self.state[0] ^= self.state[3];
        self.state[2] ^= shifted;
        self.state[3] = self.state[3].rotate_left(45);
        result
    }

    /// A number from 0 up to, not including, `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = (u128::from(self.next()) * u128::from(bound)) >> 64;
        u64::try_from(wide).expect("a product of two words, shifted by one, is one word")
    }

    /// An index into something of `count` elements.
    pub fn index(&mut self, count: usize) -> usize {
        crate::base::convert::usize_from(self.below(crate::base::convert::u64_from(count)))
    }

    /// True once in `times` calls, on average.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A source of its own, split off this one.
    pub fn split(&mut self) -> Prng {
        Prng::new(self.next())
    }

    /// Fills `bytes` with random bits.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}
