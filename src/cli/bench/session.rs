//! A bench as it goes: rows one after the other, each in pairs of runs that alternate, limits measured
//! in the same minutes. What was measured before something went wrong is kept.

use super::compare::{Comparison, turns};
use super::machine::{self, LIMIT};
use super::row::{Row, Run};
use super::side::Side;
use super::workload::{Kind, Workload};
use super::{end_to_end, fetch, produce, quiet};
use crate::base::time::Timestamp;
use crate::cli::error::CliError;
use crate::cli::output::notice;
use crate::cli::page::figure::short;
use crate::cli::perf::date::DateFormat;
use crate::cli::tune::machine::Tree;
use crate::runtime::blocking::{Clock, Interrupt};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The names of the two where a side runs against itself, as in `perf/`.
const SAME: [&str; 2] = ["first", "second"];

/// How long each limit probe takes.
const PROBE: Duration = Duration::from_millis(250);

/// What all runs have in common.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    /// The clock that all go by.
    pub clock: Clock,
    /// Ctrl-C.
    pub interrupt: Interrupt,
    /// The files of this machine.
    pub tree: Tree<'a>,
    /// How long a run takes.
    pub duration: Duration,
    /// How long each side is loaded before the first pair of a row.
    pub warm_up: Duration,
    /// Pairs of runs.
    pub rounds: u32,
    /// Where the limit probes write.
    pub folder: &'a Path,
    /// Decides everything random of the load.
    pub seed: u64,
}

impl Session<'_> {
    /// What Ctrl-C makes of a run.
    #[must_use]
    pub fn interrupted(&self) -> CliError {
        CliError::Interrupted("interrupted: what was measured until then is above".to_owned())
    }

    /// Now, as result files write it.
    fn date(&self) -> Result<String, CliError> {
        let format = DateFormat::parse("yyyy-MM-dd'T'HH:mm:ss'Z'")?;
        let Timestamp(now) = self.clock.now().timestamp;
        Ok(format.format(Timestamp(now), 0))
    }
}

/// A row as far as it came, and what stopped it.
#[derive(Debug)]
pub struct Outcome {
    /// What was measured.
    pub row: Row,
    /// What went wrong, where something did.
    pub error: Option<CliError>,
}

/// Measures a row; with `noise`, the first side against itself.
pub fn measure(
    session: &Session<'_>,
    workload: &Workload,
    sides: &mut [Side],
    noise: bool,
) -> Result<Outcome, CliError> {
    let names = match (noise, sides.len()) {
        (true, _) => Some(SAME),
        (false, 1) => None,
        (false, _) => Some(["a", "b"]),
    };
    let mut configurations = BTreeMap::new();
    for (index, side) in sides.iter_mut().enumerate() {
        let name = match names {
            Some(names) => names[index.min(1)],
            None => side.name,
        };
        configurations.insert(name.to_owned(), side.configuration(session.tree));
    }
    let version = BTreeMap::from([(
        "generator".to_owned(),
        format!("klamm {}", env!("CARGO_PKG_VERSION")),
    )]);
    let mut row = Row {
        name: workload.name.to_owned(),
        title: workload.title.to_owned(),
        description: workload.description.to_owned(),
        shows_not: workload.shows_not.iter().map(ToString::to_string).collect(),
        started: session.date()?,
        machine: machine::describe(session.tree),
        versions: version,
        configurations,
        load: load(session, workload),
        same: noise.then(|| "a".to_owned()),
        ..Row::default()
    };
    let measured = measure_runs(session, workload, sides, names, &mut row.runs);
    for side in sides.iter_mut() {
        side.delete_topics();
    }
    remark(&mut row, sides);
    row.comparisons = comparisons(workload, names.map(|names| names.map(str::to_owned)), &row);
    Ok(Outcome {
        row,
        error: measured.err(),
    })
}

fn measure_runs(
    session: &Session<'_>,
    workload: &Workload,
    sides: &mut [Side],
    names: Option<[&'static str; 2]>,
    runs: &mut Vec<Run>,
) -> Result<(), CliError> {
    for side in sides.iter_mut() {
        warm_up(session, workload, side)?;
    }
    for (round, order) in turns(session.rounds) {
        let mut limits = machine::limits(session.folder, round, PROBE)?;
        limits.round = round;
        runs.push(limits);
        let order: &[usize] = match names {
            Some(_) => &order,
            None => &[0],
        };
        for place in order {
            if session.interrupt.arrived() {
                return Err(session.interrupted());
            }
            let index = (*place).min(sides.len() - 1);
            let mut run = run_once(session, workload, &mut sides[index])?;
            run.round = round;
            if let Some(names) = names {
                names[*place].clone_into(&mut run.contestant);
            }
            tell(workload, &run);
            runs.push(run);
        }
    }
    Ok(())
}

/// A broker that has just been started, or has slept, is not what is to be measured.
fn warm_up(session: &Session<'_>, workload: &Workload, side: &mut Side) -> Result<(), CliError> {
    if session.warm_up.is_zero() {
        return Ok(());
    }
    let warming = Session {
        duration: session.warm_up,
        ..session.clone()
    };
    match &workload.kind {
        Kind::Produce(_) | Kind::Fetch(_) | Kind::EndToEnd { .. } => {
            run_once(&warming, workload, side).map(drop)
        }
        Kind::IdleConnections(_) | Kind::Idle => Ok(()),
    }
}

fn run_once(session: &Session<'_>, workload: &Workload, side: &mut Side) -> Result<Run, CliError> {
    match &workload.kind {
        Kind::Produce(shape) => produce::run(side, session, workload.name, shape, session.duration),
        Kind::Fetch(shape) => fetch::run(side, session, workload.name, shape, session.duration),
        Kind::EndToEnd { rate, record_bytes } => {
            end_to_end::run(side, session, workload.name, *rate, *record_bytes)
        }
        Kind::IdleConnections(count) => quiet::connections(side, session, *count),
        Kind::Idle => quiet::idle(side, session),
    }
}

/// One line of progress.
fn tell(workload: &Workload, run: &Run) {
    let figures: Vec<String> = workload
        .compared
        .iter()
        .filter_map(|(what, figure)| {
            let value = run.figures.get(*figure)?;
            Some(format!("{what} {}", short(*value)))
        })
        .collect();
    notice(format_args!(
        "{}, pair {}, {}: {}",
        workload.name,
        run.round + 1,
        run.contestant,
        figures.join("; ")
    ));
}

fn load(session: &Session<'_>, workload: &Workload) -> String {
    let what = match &workload.kind {
        Kind::Produce(shape) => shape.load(),
        Kind::Fetch(shape) => format!(
            "{} consumers, {} partitions, {} MB of records of 1 KiB written before, \
             max.partition.fetch.bytes=1048576, fetch.max.bytes=52428800",
            shape.consumers,
            shape.partitions,
            shape.bytes / 1_000_000
        ),
        Kind::EndToEnd { rate, record_bytes } => format!(
            "1 producer and 1 consumer, 4 partitions, {rate} records/s of {record_bytes} bytes, \
             acks=all, linger.ms=0"
        ),
        Kind::IdleConnections(count) => format!("{count} connections"),
        Kind::Idle => "none".to_owned(),
    };
    format!(
        "{what}; {} s a run, each on a fresh topic, {} s of warm-up before the first",
        session.duration.as_secs_f64(),
        session.warm_up.as_secs_f64()
    )
}

/// What the figures alone do not say.
fn remark(row: &mut Row, sides: &[Side]) {
    if let [first, second] = sides
        && first.identity() == second.identity()
    {
        row.remarks
            .push("Both sides are the same broker: what differs is noise.".to_owned());
    }
    for side in sides {
        if !side.meter.is_known() {
            row.remarks.push(format!(
                "{}: {}",
                side.servers,
                side.meter.describe_unknown()
            ));
        }
    }
    if let Some(line) = throttled(row) {
        notice(&line);
        row.remarks.push(line);
    }
}

/// That a broker asked to wait: then its rate is that of a quota.
fn throttled(row: &Row) -> Option<String> {
    row.contestants().into_iter().find_map(|contestant| {
        let asked: f64 = row.values(contestant, "throttled_ms").iter().sum();
        (asked > 0.0).then(|| {
            format!(
                "{contestant} throttled the producers: its answers asked to wait {} ms together, so \
                 its rate is that of a quota.",
                short(asked)
            )
        })
    })
}

fn comparisons(workload: &Workload, names: Option<[String; 2]>, row: &Row) -> Vec<Comparison> {
    let runs = &row.runs;
    let mut found = Vec::new();
    for (what, figure) in workload.compared {
        let comparison = match &names {
            Some([first, second]) => Comparison::of(
                runs,
                what,
                (first.as_str(), *figure),
                Some((second.as_str(), *figure)),
            ),
            None => Comparison::of(runs, what, ("a", *figure), None),
        };
        found.extend(comparison);
    }
    let limit = match &workload.kind {
        Kind::Produce(shape) if shape.synced => Some((
            "of appends of one writer that wait for the disk",
            "requests_per_s",
            "synced_appends_per_s",
        )),
        Kind::Produce(shape) if shape.batch_bytes > 1 && shape.rate.is_none() => Some((
            "of receive + CRC + write, MB/s",
            "mb_per_s",
            "recv_crc_write_mb_per_s",
        )),
        Kind::Fetch(_) => Some((
            "of a loopback stream, MB/s",
            "mb_per_s",
            "loopback_mb_per_s",
        )),
        Kind::Produce(_) | Kind::EndToEnd { .. } | Kind::IdleConnections(_) | Kind::Idle => None,
    };
    if let (Some((what, figure, limit)), false) = (limit, row.same.is_some()) {
        for contestant in row.contestants() {
            if contestant != LIMIT {
                let base = Some((LIMIT, limit));
                found.extend(Comparison::of(runs, what, (contestant, figure), base));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_side_is_named() {
        let run = |contestant: &str, figure: &str| Run {
            contestant: contestant.to_owned(),
            figures: [(figure.to_owned(), 250.0)].into(),
            ..Run::default()
        };
        let mut row = Row {
            runs: vec![run("a", "mb_per_s")],
            ..Row::default()
        };
        assert_eq!(throttled(&row), None);
        row.runs.push(run("b", "throttled_ms"));
        let line = throttled(&row).unwrap();
        assert!(line.starts_with("b throttled the producers"), "{line}");
    }
}
