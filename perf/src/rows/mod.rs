//! The rows of the table: what is run against each broker, and what klamm must reach.

mod groups;
mod latency;
mod process;
mod producing;
mod reading;

use crate::bench::Bench;
use crate::results::{Comparison, Goal, Measured, Run};
use serde_json::Value;

/// One row.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its name on the command line and in file names.
    pub name: &'static str,
    /// Its title in the table.
    pub title: &'static str,
    /// What it does and asks, in words that need no code.
    pub description: &'static str,
    /// What it does not show.
    pub shows_not: &'static [&'static str],
    measure: fn(&Bench, &mut Measured) -> Result<(), String>,
    comparisons: &'static [Comparison],
}

/// All rows, in the order of the table.
pub const ROWS: [Row; 32] = [
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
    reading::FETCH_GROUPS,
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
    process::PARTITIONS_100000,
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

/// The loads under which no core may be away for long: a writer faster than the disk, a steady rate, and
/// readers of what is not in memory.
const SHORT_TURNS: [&str; 3] = ["produce-16", "rate-50k", "cold"];
const SHORT_TURN_MS: f64 = 2.0;

// What several rows do not show.
const CLOSED_LOOP: &str = "The load asks again when it is answered, so a slow broker is asked less: latency here is that of a full pipe.";
const ACKED_IN_MEMORY: &str = "A record is acknowledged when it is in the page cache, on both sides: nothing waits for a disk.";
const SAME_CORES: &str = "Clients and broker share the machine's cores and the loopback: a rate is that of both together.";
const RESIDENT: &str = "All that is read lies in memory.";
const CODEC_FIRST: &str = "Compressing costs the producers more than storing costs the broker, on the same cores: rates are not compared.";
const ONE_DISK: &str =
    "One disk of a virtual machine, whose time for a sync changes from hour to hour.";
const KERNEL_SOCKETS: &str =
    "Memory is the broker's own: what the kernel keeps for a socket is not in it.";
const EMPTY: &str = "The partitions are empty: no segment but the first, no producers' state.";
const ONE_NODE: &str = "One node: nothing is replicated.";
const MEMBERS_ARE_ONE: &str =
    "All members live in one thread of one client, whose own time is in the figure.";

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

/// How long klamm's cores were away at once, the worst of them: Apache has no such figure.
const fn turns(what: &'static str, klamm: &'static str, goal: Goal) -> Comparison {
    alone(what, (klamm, "turn_p9999_ms"), goal)
}

impl Row {
    /// Measures the row.
    pub fn run(&self, bench: &Bench) -> Result<Measured, String> {
        let mut measured = Measured::default();
        (self.measure)(bench, &mut measured)?;
        Ok(measured)
    }

    /// What its runs say: the comparisons that they have the figures for.
    pub fn evaluate(&self, runs: &[Run], is_same: bool) -> Vec<Value> {
        self.comparisons()
            // Against itself a system is only compared with itself.
            .filter(|comparison| !is_same || comparison.is_between_systems())
            .filter_map(|comparison| comparison.evaluate(runs, is_same))
            .collect()
    }

    /// Its own, and what is told of every row.
    fn comparisons(&self) -> impl Iterator<Item = Comparison> {
        let goal = match SHORT_TURNS.contains(&self.name) {
            true => Goal::MedianAtMost(SHORT_TURN_MS),
            false => Goal::None,
        };
        let longest = ("klamm", "turn_longest_ms");
        self.comparisons.iter().copied().chain([
            turns("turns of a core, p99.99 in ms", "klamm", goal),
            alone("the longest turn, ms", longest, Goal::None),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_comparisons_of_a_row_are_of_the_same_figures() {
        for row in ROWS {
            let sides = row.comparisons().map(|one| (one.subject, one.base));
            let all: Vec<_> = sides.collect();
            for (place, one) in all.iter().enumerate() {
                assert!(!all[..place].contains(one), "{}: {one:?}", row.name);
            }
        }
    }

    #[test]
    fn rows_that_are_held_to_short_turns_are_there() {
        for name in SHORT_TURNS {
            assert!(ROWS.iter().any(|row| row.name == name), "{name}");
        }
    }
}
