//! The keys of records: none, all of a range equally often, all of it in turn, or skewed by Zipf's
//! law, as the keys of real traffic are. A key is its number in decimal digits.

use crate::base::convert::{f64_from, u64_from_f64};
use crate::base::prng::Prng;
use std::io::Write;

/// Which keys records have.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum KeyPlan {
    /// Null.
    None,
    /// One of so many, each as often as the others.
    Uniform(u64),
    /// One of so many, in turn: by the number of the record. KIP-1299's `range`.
    InTurn(u64),
    /// One of so many: the first most often, the k-th by the factor 1 / k^exponent less.
    Zipf(u64, f64),
}

/// A source of keys.
#[derive(Debug)]
pub struct Keys {
    plan: KeyPlan,
    prng: Prng,
    zipf: Option<Zipf>,
    text: Vec<u8>,
}

impl Keys {
    /// The keys of a plan; the same seed gives the same keys.
    #[must_use]
    pub fn new(plan: KeyPlan, prng: Prng) -> Keys {
        let zipf = match plan {
            KeyPlan::None | KeyPlan::Uniform(_) | KeyPlan::InTurn(_) => None,
            KeyPlan::Zipf(count, exponent) => Some(Zipf::new(count, exponent)),
        };
        Keys {
            plan,
            prng,
            zipf,
            text: Vec::with_capacity(20),
        }
    }

    /// The key of the record with that number.
    pub fn next(&mut self, number: u64) -> Option<&[u8]> {
        let key = match (self.plan, &self.zipf) {
            (KeyPlan::None, _) => return None,
            (KeyPlan::Uniform(count), _) => self.prng.below(count),
            (KeyPlan::InTurn(count), _) => number % count.max(1),
            (KeyPlan::Zipf(..), Some(zipf)) => zipf.draw(&mut self.prng),
            (KeyPlan::Zipf(..), None) => return None,
        };
        self.text.clear();
        write!(self.text, "{key}").expect("memory takes every byte");
        Some(&self.text)
    }
}

/// Numbers from 0 up to, not including, `count` by Zipf's law, without a table: rejection-inversion
/// (Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete
/// distributions", 1996).
#[derive(Clone, Copy, Debug)]
struct Zipf {
    count: f64,
    exponent: f64,
    area_first: f64,
    area_all: f64,
    threshold: f64,
}

impl Zipf {
    fn new(count: u64, exponent: f64) -> Zipf {
        let mut zipf = Zipf {
            count: f64_from(count.max(1)),
            exponent,
            area_first: 0.0,
            area_all: 0.0,
            threshold: 0.0,
        };
        zipf.area_first = zipf.area(1.5) - 1.0;
        zipf.area_all = zipf.area(zipf.count + 0.5);
        zipf.threshold = 2.0 - zipf.inverse_area(zipf.area(2.5) - zipf.weight(2.0));
        zipf
    }

    fn draw(&self, prng: &mut Prng) -> u64 {
        // 53 bits are what a number between 0 and 1 has.
        const STEPS: u64 = 1 << 53;
        loop {
            let fraction = f64_from(prng.below(STEPS)) / f64_from(STEPS);
            let area = self.area_all + fraction * (self.area_first - self.area_all);
            let x = self.inverse_area(area);
            let rank = x.round().clamp(1.0, self.count);
            if rank - x <= self.threshold || area >= self.area(rank + 0.5) - self.weight(rank) {
                return u64_from_f64(rank - 1.0);
            }
        }
    }

    /// 1 / x^exponent.
    fn weight(&self, x: f64) -> f64 {
        (-self.exponent * x.ln()).exp()
    }

    /// The integral of the weight up to x.
    fn area(&self, x: f64) -> f64 {
        let log = x.ln();
        let power = (1.0 - self.exponent) * log;
        let factor = if power.abs() > 1e-8 {
            power.exp_m1() / power
        } else {
            1.0 + power / 2.0
        };
        factor * log
    }

    fn inverse_area(&self, area: f64) -> f64 {
        let power = (area * (1.0 - self.exponent)).max(-1.0);
        let factor = if power.abs() > 1e-8 {
            power.ln_1p() / power
        } else {
            1.0 - power / 2.0
        };
        (factor * area).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::convert::usize_from;

    fn counts(plan: KeyPlan, keys: usize) -> Vec<u64> {
        let mut counts = vec![0; keys];
        let mut source = Keys::new(plan, Prng::new(9));
        for number in 0..100_000 {
            let key = std::str::from_utf8(source.next(number).unwrap()).unwrap();
            counts[usize_from(key.parse().unwrap())] += 1;
        }
        counts
    }

    #[test]
    fn no_key_is_null() {
        assert_eq!(Keys::new(KeyPlan::None, Prng::new(1)).next(0), None);
    }

    #[test]
    fn uniform_keys_come_equally_often() {
        for count in counts(KeyPlan::Uniform(10), 10) {
            assert!((9_500..10_500).contains(&count), "{count}");
        }
    }

    #[test]
    fn keys_in_turn_begin_again_at_the_end_of_the_range() {
        let mut source = Keys::new(KeyPlan::InTurn(12), Prng::new(9));
        for (number, key) in [(11, "11"), (12, "0"), (25, "1"), (u64::MAX, "3")] {
            assert_eq!(source.next(number), Some(key.as_bytes()), "{number}");
        }
        for count in counts(KeyPlan::InTurn(10), 10) {
            assert_eq!(count, 10_000);
        }
    }

    #[test]
    fn skewed_keys_follow_zipfs_law() {
        for exponent in [0.5, 0.99, 1.0, 1.5] {
            let keys = 100;
            let seen = counts(KeyPlan::Zipf(100, exponent), keys);
            let weights: Vec<f64> = (1..=100_u64).map(|k| f64_from(k).powf(-exponent)).collect();
            let all: f64 = weights.iter().sum();
            for rank in [0, 1, 2, 9, 40] {
                let expected = 100_000.0 * weights[rank] / all;
                let off = (f64_from(seen[rank]) - expected).abs();
                let allowed = 5.0 * expected.sqrt() + 1.0;
                assert!(
                    off < allowed,
                    "{exponent} {rank}: {} {expected}",
                    seen[rank]
                );
            }
        }
    }

    #[test]
    fn hostile_ranges_end() {
        let mut prng = Prng::new(2);
        for count in [1, 2, u64::MAX] {
            for exponent in [1e-9, 1.0, 50.0] {
                let zipf = Zipf::new(count, exponent);
                for _ in 0..100 {
                    assert!(zipf.draw(&mut prng) < count);
                }
            }
        }
        assert_eq!(Zipf::new(1, 1.0).draw(&mut prng), 0);
    }
}
