//! A bench as it goes: rows one after the other, each in pairs of runs that alternate, limits measured
//! in the same minutes. What was measured before something went wrong is kept.

use super::compare::{Comparison, turns};
use super::machine::{self, LIMIT};
use super::row::{Row, Run};
use super::side::Side;
use super::workload::{Kind, Pace, Workload};
use super::{catch_up, end_to_end, fetch, produce, quiet};
use crate::base::time::Timestamp;
use crate::cli::error::CliError;
use crate::cli::output::notice;
use crate::cli::page::figure::{median, short};
use crate::cli::perf::date::DateFormat;
use crate::cli::tune::machine::Tree;
use crate::record::Compression;
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
    let measured = prepare(session, workload, sides).and_then(|prepared| {
        row.load = load(session, &prepared);
        measure_runs(session, &prepared, sides, names, &mut row.runs)
    });
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

/// Warms all sides up. Where the rate is a part of the most that the slower one delivers, finds that
/// out, too: the workload that is given back has it.
fn prepare(
    session: &Session<'_>,
    workload: &Workload,
    sides: &mut [Side],
) -> Result<Workload, CliError> {
    for side in sides.iter_mut() {
        warm_up(session, workload, side)?;
    }
    let Kind::EndToEnd {
        pace: Pace::Part { percent, .. },
        record_bytes,
    } = workload.kind
    else {
        return Ok(*workload);
    };
    let mut most = f64::INFINITY;
    for side in sides.iter_mut() {
        let run = run_once(session, workload, side)?;
        let rate = run.figures.get("records_per_s").copied().unwrap_or(0.0);
        if rate <= 0.0 {
            return Err(side.failed(&"no record was delivered"));
        }
        notice(format_args!(
            "{}, {}: {} records/s at most",
            workload.name,
            side.name,
            short(rate)
        ));
        most = most.min(rate);
    }
    let pace = Pace::Part {
        percent,
        most: Some(most),
    };
    Ok(Workload {
        kind: Kind::EndToEnd { pace, record_bytes },
        ..*workload
    })
}

fn measure_runs(
    session: &Session<'_>,
    workload: &Workload,
    sides: &mut [Side],
    names: Option<[&'static str; 2]>,
    runs: &mut Vec<Run>,
) -> Result<(), CliError> {
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
        // What is to be read takes longer to write than a warm-up.
        Kind::CatchUp { producing, .. } => {
            produce::run(side, &warming, workload.name, producing, warming.duration).map(drop)
        }
        Kind::IdleConnections(_) | Kind::IdlePartitions(_) | Kind::Idle => Ok(()),
    }
}

fn run_once(session: &Session<'_>, workload: &Workload, side: &mut Side) -> Result<Run, CliError> {
    match &workload.kind {
        Kind::Produce(shape) => produce::run(side, session, workload.name, shape, session.duration),
        Kind::Fetch(shape) => fetch::run(side, session, workload.name, shape, session.duration),
        Kind::CatchUp { producing, reading } => {
            catch_up::run(side, session, workload.name, producing, reading)
        }
        Kind::EndToEnd { pace, record_bytes } => {
            end_to_end::run(side, session, workload.name, *pace, *record_bytes)
        }
        Kind::IdleConnections(count) => quiet::connections(side, session, *count),
        Kind::IdlePartitions(count) => quiet::partitions(side, session, workload.name, *count),
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
        Kind::Fetch(shape) => shape.load(),
        Kind::CatchUp { producing, reading } => format!(
            "{}; first alone, then beside {}, dropped from memory before each round",
            producing.load(),
            reading.load()
        ),
        Kind::EndToEnd { pace, record_bytes } => format!(
            "1 producer and 1 consumer, 4 partitions, records of {record_bytes} bytes, acks=all, \
             linger.ms=0; {}",
            pace.told()
        ),
        Kind::IdleConnections(count) => format!("{count} connections"),
        Kind::IdlePartitions(count) => format!("{count} partitions, 1000 of a topic"),
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
    for line in throttled(row).into_iter().chain(not_kept(row)) {
        notice(&line);
        row.remarks.push(line);
    }
}

/// Of each side that did not keep its rate: how often, and by how much at worst.
fn not_kept(row: &Row) -> Vec<String> {
    let told = |contestant: &str| {
        let missed = row.values(contestant, "rate_missed_percent");
        let worst = missed.iter().copied().max_by(f64::total_cmp)?;
        let asked = median(&row.values(contestant, "rate_asked_per_s"))?;
        Some(format!(
            "{contestant} did not keep the rate in {} of {} runs: at worst it was {} % less than the \
             {} records/s that were asked for, so its latencies are those of a queue that grew.",
            missed.len(),
            row.runs_of(contestant).count(),
            short(worst),
            short(asked)
        ))
    };
    row.contestants().into_iter().filter_map(told).collect()
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
        // What is compressed is received and written as fewer bytes than are counted.
        Kind::Produce(shape)
            if shape.batch_bytes > 1
                && shape.rate.is_none()
                && shape.compression == Compression::None =>
        {
            Some((
                "of receive + CRC + write, MB/s",
                "mb_per_s",
                "recv_crc_write_mb_per_s",
            ))
        }
        Kind::Fetch(shape) if shape.cold => Some((
            "of a loopback stream, MB/s",
            "mb_per_s",
            "loopback_mb_per_s",
        )),
        Kind::Fetch(_) => Some(("of a sendfile loop, MB/s", "mb_per_s", "sendfile_mb_per_s")),
        Kind::EndToEnd { .. } => Some((
            "p50 over a ping-pong's, ms",
            "latency_p50_ms",
            "ping_pong_p50_ms",
        )),
        Kind::Produce(_)
        | Kind::CatchUp { .. }
        | Kind::IdleConnections(_)
        | Kind::IdlePartitions(_)
        | Kind::Idle => None,
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
    use crate::cli::bench::workload::named;

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

    #[test]
    fn a_side_that_did_not_keep_its_rate_is_named_with_how_far_it_was_off() {
        let run = |contestant: &str, kept: f64, missed: Option<f64>| {
            let mut figures = BTreeMap::from([
                ("rate_asked_per_s".to_owned(), 20_000.0),
                ("rate_kept".to_owned(), kept),
            ]);
            figures.extend(missed.map(|missed| ("rate_missed_percent".to_owned(), missed)));
            Run {
                contestant: contestant.to_owned(),
                figures,
                ..Run::default()
            }
        };
        let mut row = Row {
            runs: vec![run("a", 1.0, None), run("b", 0.99, None)],
            ..Row::default()
        };
        assert!(not_kept(&row).is_empty());
        row.runs.push(run("b", 0.75, Some(25.0)));
        row.runs.push(run("b", 0.5, Some(50.0)));
        let lines = not_kept(&row);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].starts_with(
                "b did not keep the rate in 2 of 3 runs: at worst it was 50.0 % less than the \
                 20.0 k records/s"
            ),
            "{lines:?}"
        );
    }

    #[test]
    fn each_side_is_held_against_what_the_machine_gives() {
        let figures = |all: &[(&str, f64)]| -> BTreeMap<String, f64> {
            let owned = all.iter().map(|(name, value)| ((*name).to_owned(), *value));
            owned.collect()
        };
        let run = |contestant: &str, all: &[(&str, f64)]| Run {
            contestant: contestant.to_owned(),
            figures: figures(all),
            ..Run::default()
        };
        let row = Row {
            runs: vec![
                run(
                    LIMIT,
                    &[
                        ("sendfile_mb_per_s", 2000.0),
                        ("loopback_mb_per_s", 1000.0),
                        ("recv_crc_write_mb_per_s", 800.0),
                        ("ping_pong_p50_ms", 0.05),
                    ],
                ),
                run("a", &[("mb_per_s", 400.0), ("latency_p50_ms", 0.2)]),
            ],
            ..Row::default()
        };
        let against_limit = |name: &str| {
            let workload = named(name).unwrap();
            let found = comparisons(workload, None, &row);
            let mut limits = found.into_iter().filter(|one| one.base.is_some());
            limits.next().map(|one| (one.what, one.median))
        };
        for (name, what, ratio) in [
            ("produce-1k", "of receive + CRC + write, MB/s", 0.5),
            ("fetch-hot", "of a sendfile loop, MB/s", 0.2),
            ("fetch-cold", "of a loopback stream, MB/s", 0.4),
            ("end-to-end", "p50 over a ping-pong's, ms", 4.0),
        ] {
            assert_eq!(
                against_limit(name),
                Some((what.to_owned(), ratio)),
                "{name}"
            );
        }
        assert_eq!(against_limit("produce-gzip"), None);
    }
}
