//! What pairs of runs say: the ratio within each pair, its median and its spread, and who is better,
//! if that can be said at all.

use super::row::Run;
use crate::base::convert::{u64_from, usize_from};
use crate::cli::page::figure::{Better, better, median, spread};
use serde_json::{Value, json};

/// A contestant's figure.
#[derive(Clone, PartialEq, Debug)]
pub struct Side {
    /// Whose.
    pub contestant: String,
    /// Which.
    pub figure: String,
    /// Its median over the pairs.
    pub median: Option<f64>,
}

/// A figure of one contestant, over that of another in the same pair; without a base alone.
#[derive(Clone, PartialEq, Debug)]
pub struct Comparison {
    /// What is compared, with its unit.
    pub what: String,
    /// Whose figure.
    pub subject: Side,
    /// What it is divided by.
    pub base: Option<Side>,
    /// How many pairs had both.
    pub rounds: usize,
    /// The median of the ratios.
    pub median: f64,
    /// The least of them.
    pub min: f64,
    /// The largest of them.
    pub max: f64,
    /// What was to be reached, in words; empty where there is nothing to reach.
    pub goal: String,
    /// Whether it was.
    pub met: Option<bool>,
}

/// What a comparison says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The subject is better.
    Subject,
    /// The base is better.
    Base,
    /// The pairs do not agree, or differ by no more than noise does.
    NoDifference,
    /// There is nobody to compare with, or no better and worse.
    None,
}

/// Contestants that are no brokers but limits of the machine.
const LIMITS: [&str; 4] = ["limit", "sendfile", "none", "echo"];

impl Comparison {
    /// Compares over all rounds; `None` where no pair has both figures.
    #[must_use]
    pub fn of(
        runs: &[Run],
        what: &str,
        subject: (&str, &str),
        base: Option<(&str, &str)>,
    ) -> Option<Comparison> {
        let figure = |(who, name): (&str, &str), round: usize| {
            runs.iter()
                .find(|run| run.round == round && run.contestant == who)
                .and_then(|run| run.figures.get(name).copied())
        };
        let rounds = runs.iter().map(|run| run.round + 1).max()?;
        let (mut subjects, mut bases, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let Some(value) = figure(subject, round) else {
                continue;
            };
            match base {
                None => ratios.push(value),
                Some(base) => {
                    let Some(divisor) = figure(base, round).filter(|divisor| *divisor != 0.0)
                    else {
                        continue;
                    };
                    bases.push(divisor);
                    ratios.push(value / divisor);
                }
            }
            subjects.push(value);
        }
        let (min, max) = spread(&ratios)?;
        let side = |(who, name): (&str, &str), values: &[f64]| Side {
            contestant: who.to_owned(),
            figure: name.to_owned(),
            median: median(values),
        };
        Some(Comparison {
            what: what.to_owned(),
            subject: side(subject, &subjects),
            base: base.map(|base| side(base, &bases)),
            rounds: ratios.len(),
            median: median(&ratios)?,
            min,
            max,
            goal: String::new(),
            met: None,
        })
    }

    /// Whether it is between two brokers: not alone, not with a limit of the machine.
    #[must_use]
    pub fn is_between_brokers(&self) -> bool {
        self.base.as_ref().is_some_and(|base| {
            base.figure == self.subject.figure && !LIMITS.contains(&base.contestant.as_str())
        })
    }

    /// How many times better the subject is, at the median, least and most; the figure's unit says
    /// which way that is.
    #[must_use]
    pub fn times_better(&self) -> Option<(f64, f64, f64)> {
        if !self.is_between_brokers() || self.min <= 0.0 {
            return None;
        }
        match better(&self.subject.figure) {
            Better::More => Some((self.median, self.min, self.max)),
            Better::Less => Some((1.0 / self.median, 1.0 / self.max, 1.0 / self.min)),
            Better::Unsaid => None,
        }
    }

    /// Who is better. `noise` is how far the same figure of one broker was from itself, as a factor:
    /// what differs by less is no difference.
    #[must_use]
    pub fn verdict(&self, noise: Option<f64>) -> Verdict {
        let Some((times, least, most)) = self.times_better() else {
            return Verdict::None;
        };
        let noise = noise.unwrap_or(1.0).max(1.0);
        if times >= noise && least > 1.0 {
            Verdict::Subject
        } else if times <= 1.0 / noise && most < 1.0 {
            Verdict::Base
        } else {
            Verdict::NoDifference
        }
    }

    /// Of a comparison of one with itself: how far a pair was from 1, as a factor.
    #[must_use]
    pub fn noise(&self) -> Option<f64> {
        let far = f64::max(self.max, 1.0 / self.min);
        (self.is_between_brokers() && far.is_finite() && far > 0.0).then_some(far)
    }

    pub(super) fn to_json(&self) -> Value {
        let side = |side: &Side| {
            json!({
                "contestant": side.contestant,
                "figure": side.figure,
                "median": side.median,
            })
        };
        json!({
            "what": self.what,
            "subject": side(&self.subject),
            "base": self.base.as_ref().map(side),
            "rounds": self.rounds,
            "median": self.median,
            "min": self.min,
            "max": self.max,
            "goal": self.goal,
            "met": self.met,
        })
    }

    pub(super) fn from_json(value: &Value) -> Option<Comparison> {
        let side = |value: &Value| {
            Some(Side {
                contestant: value.get("contestant")?.as_str()?.to_owned(),
                figure: value.get("figure")?.as_str()?.to_owned(),
                median: value.get("median").and_then(Value::as_f64),
            })
        };
        let number = |key: &str| value.get(key).and_then(Value::as_f64);
        let goal = value.get("goal").and_then(Value::as_str);
        Some(Comparison {
            what: value.get("what")?.as_str()?.to_owned(),
            subject: side(value.get("subject")?)?,
            base: value.get("base").and_then(side),
            rounds: usize_from(value.get("rounds").and_then(Value::as_u64).unwrap_or(0)),
            median: number("median")?,
            min: number("min")?,
            max: number("max")?,
            goal: goal.unwrap_or_default().to_owned(),
            met: value.get("met").and_then(Value::as_bool),
        })
    }
}

/// Whose turn it is, first to last: A B, B A, A B, …, so that what drifts hits both alike.
pub fn turns(rounds: u32) -> impl Iterator<Item = (usize, [usize; 2])> {
    (0..rounds).map(|round| {
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        (usize_from(u64::from(round)), order)
    })
}

/// The smallest number of pairs from which a claim may be made.
pub const PAIRS_FOR_A_CLAIM: u64 = 10;

/// Whether there are enough of them.
#[must_use]
pub fn is_enough(rounds: usize) -> bool {
    u64_from(rounds) >= PAIRS_FOR_A_CLAIM
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn run(round: usize, contestant: &str, figure: &str, value: f64) -> Run {
        Run {
            round,
            contestant: contestant.to_owned(),
            figures: BTreeMap::from([(figure.to_owned(), value)]),
            ..Run::default()
        }
    }

    fn compared(figure: &str, pairs: &[(f64, f64)]) -> Comparison {
        let mut runs = Vec::new();
        for (round, (a, b)) in pairs.iter().enumerate() {
            runs.push(run(round, "a", figure, *a));
            runs.push(run(round, "b", figure, *b));
        }
        Comparison::of(&runs, "x", ("a", figure), Some(("b", figure))).unwrap()
    }

    #[test]
    fn a_ratio_is_taken_within_its_pair() {
        let found = compared("mb_per_s", &[(1.0, 10.0), (4.0, 20.0), (2.0, 8.0)]);
        assert_eq!((found.min, found.median, found.max), (0.1, 0.2, 0.25));
        assert_eq!(found.rounds, 3);
        let lonely = [run(0, "a", "mb_per_s", 1.0)];
        let base = Some(("b", "mb_per_s"));
        assert_eq!(Comparison::of(&lonely, "x", ("a", "mb_per_s"), base), None);
    }

    #[test]
    fn less_cpu_is_better_and_more_throughput_is() {
        let cpu = compared("broker_cpu_s_per_gb", &[(1.0, 4.0), (1.0, 5.0)]);
        assert_eq!(cpu.verdict(None), Verdict::Subject);
        assert_eq!(cpu.times_better().unwrap().1, 4.0);
        let rate = compared("mb_per_s", &[(1.0, 4.0), (1.0, 5.0)]);
        assert_eq!(rate.verdict(None), Verdict::Base);
    }

    #[test]
    fn what_noise_explains_is_no_difference() {
        let close = compared("mb_per_s", &[(11.0, 10.0), (9.0, 10.0)]);
        assert_eq!(close.verdict(None), Verdict::NoDifference);
        let better = compared("mb_per_s", &[(11.0, 10.0), (12.0, 10.0)]);
        assert_eq!(better.verdict(None), Verdict::Subject);
        assert_eq!(better.verdict(Some(1.3)), Verdict::NoDifference);
        assert_eq!(better.noise(), Some(1.2));
    }

    #[test]
    fn a_limit_is_nobody_to_win_against() {
        let runs = [
            run(0, "a", "mb_per_s", 1.0),
            run(0, "limit", "mb_per_s", 2.0),
        ];
        let base = Some(("limit", "mb_per_s"));
        let found = Comparison::of(&runs, "x", ("a", "mb_per_s"), base).unwrap();
        assert_eq!(found.verdict(None), Verdict::None);
        assert_eq!(found.median, 0.5);
    }

    #[test]
    fn both_go_first_equally_often() {
        let order: Vec<usize> = turns(4).flat_map(|(_, order)| order).collect();
        assert_eq!(order, [0, 1, 1, 0, 0, 1, 1, 0]);
    }
}
