//! The workload of somebody who catches up: producers send at a rate, first alone, then while a consumer
//! reads what is no longer in memory. The producers have a thread, the consumer the one that waits for it.

use super::fetch::{self, Reading};
use super::produce;
use super::row::Run;
use super::session::Session;
use super::side::Side;
use super::workload::{Fetching, Producing};
use crate::base::convert::f64_from;
use crate::base::time::Instant;
use crate::cli::error::CliError;

/// One run: what it says of producing is about the time beside the reader.
pub fn run(
    side: &mut Side,
    session: &Session<'_>,
    workload: &str,
    producing: &Producing,
    reading: &Fetching,
) -> Result<Run, CliError> {
    let before = produce::run(side, session, workload, producing, session.duration)?;
    let history = fetch::write(side, session, workload, reading)?;
    let files = fetch::files(side, &history)?;
    // This waits for the disk, too: the producers do not pay for what was just written.
    fetch::forget(&files).map_err(|why| side.failed(&why))?;
    let mut reading = Reading::connect(side, session, &history, reading)?;
    let mut read = Ok(());
    let mut go_on = |until: Instant| {
        if read.is_ok() {
            read = reading.go_on(session, &files, until);
        }
    };
    let during = produce::run_beside(
        side,
        session,
        workload,
        producing,
        session.duration,
        &mut go_on,
    );
    read.map_err(|why| side.failed(&why))?;
    let mut run = during?;
    if reading.work.bytes == 0 {
        return Err(side.failed(&"nothing could be read beside the producers"));
    }
    for (name, figure) in [
        ("before_p99_ms", "latency_p99_ms"),
        ("before_p999_ms", "latency_p999_ms"),
    ] {
        if let Some(value) = before.figures.get(figure) {
            run.figures.insert(name.to_owned(), *value);
        }
    }
    let p99 = |run: &Run| run.figures.get("latency_p99_ms").copied();
    if let (Some(during), Some(before)) = (p99(&run), p99(&before)) {
        run.figures
            .insert("p99_growth".to_owned(), during / before.max(1e-3));
    }
    let seconds = reading.work.elapsed.as_secs_f64().max(1e-6);
    let megabytes = f64_from(reading.work.bytes) / 1e6;
    run.figures
        .insert("read_mb_per_s".to_owned(), megabytes / seconds);
    Ok(run)
}
