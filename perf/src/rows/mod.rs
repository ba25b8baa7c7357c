//! The rows of the table: what is run against each broker, and what klamm must reach.

mod groups;
mod latency;
mod process;
mod producing;
mod reading;

use crate::bench::Bench;
use crate::results::{Comparison, Goal, Measured};

/// One row.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its name on the command line and in file names.
    pub name: &'static str,
    /// Its title in the table.
    pub title: &'static str,
    measure: fn(&Bench, &mut Measured) -> Result<(), String>,
    comparisons: &'static [Comparison],
}

/// All rows, in the order of the table.
pub const ROWS: [Row; 30] = [
    producing::PRODUCE_16,
    producing::PRODUCE_100,
    producing::PRODUCE_SMALL,
    producing::CODECS,
    producing::CODECS_JAVA,
    latency::RATE_50K,
    latency::ONE_AT_A_TIME,
    latency::END_TO_END,
    reading::FETCH_PLAIN,
    reading::FETCH_JAVA,
    reading::FETCH_DRIVERS,
    latency::COLD,
    producing::FSYNC_1,
    producing::FSYNC_64,
    producing::FSYNC_64_SHARED,
    reading::REQUESTS_1,
    reading::REQUESTS_5,
    latency::PRODUCERS,
    process::CONNECTIONS_1000,
    process::CONNECTIONS_10000,
    process::PARTITIONS_10000,
    groups::COMMITS_1,
    groups::COMMITS_5,
    groups::GROUPS_1000,
    groups::JOIN_CLASSIC,
    groups::JOIN_CLASSIC_AT_ONCE,
    groups::JOIN_848,
    groups::LOAD_OFFSETS,
    process::IDLE,
    process::START,
];

/// A part of what Kafka has.
const fn one_of(parts: f64) -> Goal {
    Goal::MedianAtMost(1.0 / parts)
}

/// The same figure of both systems.
const fn against_kafka(what: &'static str, figure: &'static str, goal: Goal) -> Comparison {
    against(what, ("klamm", figure), ("kafka", figure), goal)
}

const fn against(
    what: &'static str,
    subject: (&'static str, &'static str),
    base: (&'static str, &'static str),
    goal: Goal,
) -> Comparison {
    Comparison {
        what,
        subject,
        base: Some(base),
        goal,
    }
}

const fn alone(
    what: &'static str,
    subject: (&'static str, &'static str),
    goal: Goal,
) -> Comparison {
    Comparison {
        what,
        subject,
        base: None,
        goal,
    }
}

impl Row {
    /// Measures the row.
    pub fn run(&self, bench: &Bench) -> Result<Measured, String> {
        let mut measured = Measured::default();
        (self.measure)(bench, &mut measured)?;
        Ok(measured)
    }

    /// What the table says of it.
    pub fn comparisons(&self, bench: &Bench) -> Vec<Comparison> {
        // Against itself a system is only compared with itself.
        let is_same = bench.same.is_some();
        let comparisons = self.comparisons.iter();
        comparisons
            .filter(|comparison| !is_same || comparison.is_between_systems())
            .copied()
            .collect()
    }
}
