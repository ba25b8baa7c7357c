//! How long the turns of klamm's cores took, as klamm says it when it is sent SIGUSR1: a line of each
//! core about the time since it was last asked.
//!
//! ```text
//! … INFO turns shard=0 count=1200 p50_us=20 … p9999_us=900 … longest_us=1100 over_2_ms=0 …
//! ```

use crate::figures::Figures;

/// The percentile that goals are about.
const HELD: f64 = 99.99;

/// The turns of one core.
#[derive(Clone, Debug, PartialEq)]
pub struct Turns {
    core: usize,
    /// Percentile and milliseconds, both rising; at 100 the longest.
    curve: Vec<(f64, f64)>,
}

impl Turns {
    fn read(line: &str) -> Option<Turns> {
        let (before, said) = line.split_once(" turns ")?;
        // All turns since the start are told at the end, in a line of the same shape.
        if before.ends_with(" all") {
            return None;
        }
        let fields = || {
            said.split_whitespace()
                .filter_map(|word| word.split_once('='))
        };
        let (_, core) = fields().find(|(name, _)| *name == "shard")?;
        let points = fields().filter_map(|(name, microseconds)| {
            let microseconds: f64 = microseconds.parse().ok()?;
            Some((percentile(name)?, microseconds / 1e3))
        });
        Some(Turns {
            core: core.parse().ok()?,
            curve: points.collect(),
        })
    }

    fn at(&self, percentile: f64) -> Option<f64> {
        let point = self.curve.iter().find(|(at, _)| *at == percentile);
        point.map(|(_, milliseconds)| *milliseconds)
    }
}

/// 99.9 of "p999_us".
fn percentile(name: &str) -> Option<f64> {
    if name == "longest_us" {
        return Some(100.0);
    }
    let digits = name.strip_prefix('p')?.strip_suffix("_us")?;
    let (whole, rest) = digits.split_at_checked(2)?;
    format!("{whole}.{rest}").parse().ok()
}

/// What is said in the whole lines of a text, once of each core.
pub fn read_all(text: &str) -> Vec<Turns> {
    let lines = text.split_inclusive('\n');
    let whole = lines.filter(|line| line.ends_with('\n'));
    let mut cores: Vec<Turns> = whole.filter_map(Turns::read).collect();
    cores.sort_by_key(|turns| turns.core);
    cores.dedup_by_key(|turns| turns.core);
    cores
}

/// How many cores klamm has, by what it prints when it starts: "cores      2 (one shard each)".
pub fn core_count(printed: &str) -> Option<usize> {
    printed.lines().find_map(|line| {
        let rest = line.strip_prefix("cores ")?;
        rest.split_whitespace().next()?.parse().ok()
    })
}

/// Puts them into the figures of a run: what the worst core had, and the curve of each.
pub fn put(figures: &mut Figures, cores: Vec<Turns>) {
    let worst = |percentile| {
        let all = cores.iter().filter_map(|turns| turns.at(percentile));
        all.max_by(f64::total_cmp)
    };
    for (name, percentile) in [("turn_p9999_ms", HELD), ("turn_longest_ms", 100.0)] {
        if let Some(milliseconds) = worst(percentile) {
            figures.insert(name.into(), milliseconds);
        }
    }
    figures.turns_ms = cores.into_iter().map(|turns| turns.curve).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "2026-11-30T09:00:00.0Z  INFO turns shard=1 count=2 p50_us=20 p99_us=80 \
        p9999_us=900 longest_us=1100 over_2_ms=0 waited=0 preempted=0\n\
        2026-11-30T09:00:00.0Z  INFO turns shard=0 count=9 p50_us=10 p99_us=90 p9999_us=500 \
        longest_us=2500 over_2_ms=1 waited=1 preempted=0\n\
        2026-11-30T09:00:00.0Z  INFO all turns shard=0 count=9 p50_us=10 longest_us=9000\n\
        2026-11-30T09:00:00.0Z  INFO turns shard=2 count=9 p50_us=";

    #[test]
    fn what_klamm_says_is_understood() {
        let cores = read_all(SAID);
        assert_eq!(cores.len(), 2, "whole lines of recent turns");
        assert_eq!(
            cores[0].curve,
            [(50.0, 0.01), (99.0, 0.09), (99.99, 0.5), (100.0, 2.5)]
        );
        let mut figures = Figures::new();
        put(&mut figures, cores);
        assert_eq!(figures.of("turn_p9999_ms"), 0.9);
        assert_eq!(figures.of("turn_longest_ms"), 2.5);
        assert_eq!(figures.turns_ms.len(), 2);
    }

    #[test]
    fn klamm_says_how_many_cores_it_has() {
        let printed = "klamm 0.1.0\nlisteners  PLAINTEXT://a\ncores      12 (one shard each)\n";
        assert_eq!(core_count(printed), Some(12));
        assert_eq!(core_count("[2026] INFO Kafka Server started"), None);
    }
}
