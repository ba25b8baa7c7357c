//! Workloads in which next to nothing happens: what a broker uses when nobody asks anything, alone, with
//! connections, or with partitions.

use super::row::Run;
use super::session::Session;
use super::side::Side;
use super::stopwatch::{Stopwatch, Work, figures};
use crate::base::convert::f64_from;
use crate::cli::error::CliError;
use crate::client::admin::OffsetSpec;
use crate::client::{Client, pump_all};
use crate::runtime::blocking::wait;
use std::rc::Rc;
use std::time::Duration;

/// Longest wait: a signal is noticed by then.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// Before the clock runs, what was asked before comes to rest.
const SETTLING: Duration = Duration::from_millis(500);

/// Partitions that were just made are left alone for as long as a run takes, at most for so long.
const PARTITIONS_SETTLING_MAX: Duration = Duration::from_secs(5);

/// Partitions of one topic.
const TOPIC_PARTITIONS: i32 = 1000;

/// How long the leaders of a topic may take to answer, and how long they are left alone in between.
const SERVED_MAX: Duration = Duration::from_secs(300);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Nothing at all.
pub fn idle(side: &Side, session: &Session<'_>) -> Result<Run, CliError> {
    needs_meter(side, "idle")?;
    rest(session, SETTLING)?;
    let started = session.clock.now().instant;
    let stopwatch = Stopwatch::start(session.tree, &side.meter);
    rest(session, session.duration)?;
    let used = stopwatch.stop();
    let work = Work {
        elapsed: session.clock.now().instant.since(started),
        ..Work::default()
    };
    Ok(Run {
        contestant: side.name.to_owned(),
        figures: figures(&work, &used),
        core_busy: used.core_busy,
        ..Run::default()
    })
}

/// So many connections that ask nothing after they were made.
pub fn connections(side: &Side, session: &Session<'_>, count: u32) -> Result<Run, CliError> {
    needs_meter(side, "idle-connections")?;
    let growing = Stopwatch::start(session.tree, &side.meter);
    let started = session.clock.now().instant;
    let mut clients = Vec::new();
    for _ in 0..count {
        if session.interrupt.arrived() {
            return Err(session.interrupted());
        }
        let client = Client::connect_by(session.clock, side.options.clone());
        clients.push(client.map_err(|error| {
            side.failed(&format_args!(
                "connection {} of {count} could not be made: {error}",
                clients.len() + 1
            ))
        })?);
    }
    let connected = session.clock.now().instant;
    let growth = growing.stop().resident_growth;
    let stopwatch = Stopwatch::start(session.tree, &side.meter);
    let end = connected + session.duration;
    while session.clock.now().instant < end {
        if session.interrupt.arrived() {
            return Err(session.interrupted());
        }
        let until = end.min(session.clock.now().instant + WAIT_MAX);
        pump_all(&mut clients, until, false).map_err(|error| side.failed(&error))?;
    }
    let used = stopwatch.stop();
    let work = Work {
        elapsed: session.clock.now().instant.since(connected),
        ..Work::default()
    };
    let mut figures = figures(&work, &used);
    let connect_ms = connected.since(started).as_secs_f64() * 1e3;
    figures.insert("connect_ms".to_owned(), connect_ms);
    figures.insert("connections".to_owned(), f64::from(count));
    if let Some(growth) = growth {
        let each = growth / 1024.0 / f64_from(u64::from(count)).max(1.0);
        figures.insert("kib_per_connection".to_owned(), each);
    }
    Ok(Run {
        contestant: side.name.to_owned(),
        figures,
        core_busy: used.core_busy,
        ..Run::default()
    })
}

/// So many partitions that nobody uses after they were made.
pub fn partitions(
    side: &mut Side,
    session: &Session<'_>,
    workload: &str,
    count: i32,
) -> Result<Run, CliError> {
    needs_meter(side, workload)?;
    let meter = side.meter.clone();
    let growing = Stopwatch::start(session.tree, &meter);
    let started = session.clock.now().instant;
    let mut left = count;
    while left > 0 {
        let some = left.min(TOPIC_PARTITIONS);
        let (topic, _) = side.create_topic(workload, some, &[])?;
        wait_until_served(side, session, &topic, some)?;
        left -= some;
    }
    let created = session.clock.now().instant.since(started);
    rest(session, session.duration.min(PARTITIONS_SETTLING_MAX))?;
    let growth = growing.stop().resident_growth;
    let resting = session.clock.now().instant;
    let stopwatch = Stopwatch::start(session.tree, &meter);
    rest(session, session.duration)?;
    let used = stopwatch.stop();
    let work = Work {
        elapsed: session.clock.now().instant.since(resting),
        ..Work::default()
    };
    let mut figures = figures(&work, &used);
    let create_ms = created.as_secs_f64() * 1e3;
    figures.insert("create_ms".to_owned(), create_ms);
    figures.insert("partitions".to_owned(), f64::from(count));
    if let Some(growth) = growth {
        let each = growth / 1024.0 / f64::from(count).max(1.0);
        figures.insert("kib_per_partition".to_owned(), each);
    }
    side.delete_topics();
    Ok(Run {
        contestant: side.name.to_owned(),
        figures,
        core_busy: used.core_busy,
        ..Run::default()
    })
}

/// The cluster knows of a partition before its leader serves it: only that one says where it ends.
fn wait_until_served(
    side: &mut Side,
    session: &Session<'_>,
    topic: &str,
    count: i32,
) -> Result<(), CliError> {
    let topic = Rc::<str>::from(topic);
    let partitions: Vec<(Rc<str>, i32)> = (0..count)
        .map(|partition| (Rc::clone(&topic), partition))
        .collect();
    let end = session.clock.now().instant + SERVED_MAX;
    loop {
        if session.interrupt.arrived() {
            return Err(session.interrupted());
        }
        let listed = side.client.list_offsets(&partitions, OffsetSpec::LATEST);
        let listed = listed.map_err(|error| side.failed(&error))?;
        if listed.iter().all(|offset| offset.result.is_ok()) {
            return Ok(());
        }
        if session.clock.now().instant > end {
            return Err(side.failed(&format_args!(
                "the partitions of topic {topic} are not served yet"
            )));
        }
        side.client
            .pause(BETWEEN_LOOKS)
            .map_err(|error| side.failed(&error))?;
    }
}

/// Without the broker's process there is nothing to see here.
fn needs_meter(side: &Side, workload: &str) -> Result<(), CliError> {
    if side.meter.is_known() {
        return Ok(());
    }
    let why = side.meter.describe_unknown();
    Err(side.failed(&format_args!(
        "{workload} is about the broker's process: {why}"
    )))
}

fn rest(session: &Session<'_>, duration: Duration) -> Result<(), CliError> {
    let end = session.clock.now().instant + duration;
    loop {
        if session.interrupt.arrived() {
            return Err(session.interrupted());
        }
        let left = end.since(session.clock.now().instant);
        if left.is_zero() {
            return Ok(());
        }
        wait(&[], left.min(WAIT_MAX))
            .map_err(|error| CliError::Failed(format!("cannot wait: {error}")))?;
    }
}
