//! Workloads that produce: klamm's load generator against one side, for a time rather than for a
//! number of records.

use super::orders;
use super::row::Run;
use super::session::Session;
use super::side::Side;
use super::stopwatch::{Recorder, Stopwatch, Work, add_latency, add_rate, figures};
use super::workload::Producing;
use crate::base::convert::f64_from;
use crate::base::prng::Prng;
use crate::base::time::Instant;
use crate::cli::error::CliError;
use crate::cli::perf::keys::KeyPlan;
use crate::cli::perf::load::{self, Ended, LoadPlan, Together};
use crate::cli::perf::payload::PayloadPlan;
use crate::cli::perf::rate::RateKept;
use crate::cli::perf::tally::{Tally, Window};
use crate::record::Compression;
use crate::runtime::blocking::side_by_side;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// No run is longer than this many records: it ends by the clock.
const ENDLESS: u64 = u64::MAX / 2;

/// Part of a run that is sent before it counts, and not counted.
const WARM_UP_PART: u32 = 10;

/// When a load ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// After so long.
    Elapsed(Duration),
    /// After so many records.
    Records(u64),
}

/// What a load did.
#[derive(Debug)]
pub struct Loaded {
    /// How much, and in what time.
    pub work: Work,
    /// How long each record took.
    pub latency: Tally,
    /// What happened over time.
    pub recorder: Recorder,
    /// How the producers ended.
    pub ended: Ended,
}

/// One run on a topic of its own.
pub fn run(
    side: &mut Side,
    session: &Session<'_>,
    workload: &str,
    shape: &Producing,
    duration: Duration,
) -> Result<Run, CliError> {
    run_beside(
        side,
        session,
        workload,
        shape,
        duration,
        &mut |_: Instant| {},
    )
}

/// The same, and while it counts, `beside` is called again and again on this thread: it may take until
/// the moment that it is given.
pub fn run_beside(
    side: &mut Side,
    session: &Session<'_>,
    workload: &str,
    shape: &Producing,
    duration: Duration,
    beside: &mut dyn FnMut(Instant),
) -> Result<Run, CliError> {
    let configs: &[(&str, &str)] = if shape.synced {
        &[("flush.messages", "1")]
    } else {
        &[]
    };
    let (topic, created) = side.create_topic(workload, shape.partitions, configs)?;
    send(
        side,
        session,
        &topic,
        shape,
        Until::Elapsed(duration / WARM_UP_PART),
    )?;
    let stopwatch = Stopwatch::start(session.tree, &side.meter);
    let until = Until::Elapsed(duration);
    let loaded = send_beside(side, session, &topic, shape, until, beside)?;
    let used = stopwatch.stop();
    if loaded.work.records == 0 {
        return Err(side.failed(&"no record was acknowledged"));
    }
    let mut run = Run {
        contestant: side.name.to_owned(),
        figures: figures(&loaded.work, &used),
        series: loaded.recorder.into_series(),
        core_busy: used.core_busy,
        ..Run::default()
    };
    let mut put = |name: &str, value: Duration| {
        let milliseconds = value.as_secs_f64() * 1e3;
        run.figures.insert(name.to_owned(), milliseconds);
    };
    put("create_ms", created);
    let counters = &loaded.ended.counters;
    if counters.throttled.answers > 0 {
        put("throttled_ms", counters.throttled.time);
    }
    if let Some(cpu) = used.broker_cpu_s
        && shape.compression != Compression::None
        && counters.bytes > 0
    {
        let sent_gb = f64_from(counters.bytes) / 1e9;
        run.figures
            .insert("broker_cpu_s_per_wire_gb".to_owned(), cpu / sent_gb);
    }
    // What is acknowledged counts, and the run has all of its time for it: what waits in a producer,
    // or in a broker that no longer answers, has not been sent at that rate.
    let kept = shape.schedule().and_then(|schedule| {
        let taken = loaded.work.elapsed.max(duration);
        let (records, late_max) = (loaded.work.records, loaded.ended.late_max);
        RateKept::of(schedule, records, taken, late_max)
    });
    if let Some(kept) = kept {
        add_rate(&mut run, &kept);
    }
    add_latency(&mut run, &loaded.latency);
    side.delete_topics();
    Ok(run)
}

/// Sends to a topic until the load is over.
pub fn send(
    side: &Side,
    session: &Session<'_>,
    topic: &str,
    shape: &Producing,
    until: Until,
) -> Result<Loaded, CliError> {
    send_beside(side, session, topic, shape, until, &mut |_: Instant| {})
}

/// The same, with what `beside` does meanwhile on this thread.
fn send_beside(
    side: &Side,
    session: &Session<'_>,
    topic: &str,
    shape: &Producing,
    until: Until,
    beside: &mut dyn FnMut(Instant),
) -> Result<Loaded, CliError> {
    let (records, duration) = match until {
        Until::Elapsed(duration) => (ENDLESS, duration),
        Until::Records(records) => (records, Duration::MAX),
    };
    let mut prng = Prng::new(session.seed);
    let plan = LoadPlan {
        client: side.options.clone(),
        producer: shape.options(),
        topic: topic.to_owned(),
        producers: shape.producers,
        records,
        warmup_records: 0,
        schedule: shape.schedule(),
        payloads: if shape.compression == Compression::None {
            PayloadPlan::letters(shape.record_bytes, &mut prng)
        } else {
            orders::payloads(&mut prng)
        },
        keys: shape.keys.map_or(KeyPlan::None, KeyPlan::Uniform),
        seed: prng.next(),
    };
    let threads = load::spread(plan.producers, 1);
    let together = Together::new(session.clock, session.interrupt.clone(), threads.len());
    let windows = load::windows(threads.len());
    let recorder = Recorder::new(if duration == Duration::MAX {
        Duration::from_secs(1)
    } else {
        duration
    });
    let tick = recorder
        .interval()
        .min(duration / 20)
        .max(Duration::from_millis(1));
    let mut gathering = Gathering {
        plan: &plan,
        windows: &windows,
        spare: Window::default(),
        latency: Tally::default(),
        recent: Tally::default(),
        work: Work::default(),
        before: Work::default(),
        recorder,
    };
    let jobs = threads
        .into_iter()
        .zip(&windows)
        .map(|(numbers, window)| {
            let (plan, together) = (&plan, &together);
            move || load::run(plan, numbers, together, window)
        })
        .collect();
    let watch = || {
        let Some(started) = together.started() else {
            return;
        };
        let now = session.clock.now().instant;
        let elapsed = now.since(started);
        gathering.look(elapsed);
        if elapsed >= duration {
            together.stop();
        } else {
            beside((now + tick).min(started + duration));
        }
    };
    let ended = side_by_side(jobs, tick, watch)
        .map_err(|error| CliError::Failed(format!("cannot start a thread: {error}")))?;
    let ended = ended.into_iter().next().unwrap_or_default();
    if session.interrupt.arrived() {
        return Err(session.interrupted());
    }
    let started = together.started().filter(|_| ended.made > 0);
    let failure = ended.error.as_ref().or(ended.failure.as_ref());
    let Some(started) = started.filter(|_| failure.is_none()) else {
        let why = failure.map_or("nothing could be sent", String::as_str);
        return Err(side.failed(&why));
    };
    let elapsed = ended.last_delivered_at.since(started);
    gathering.gather();
    let work = Work {
        requests: ended.counters.requests,
        elapsed,
        ..gathering.work
    };
    Ok(Loaded {
        work,
        latency: gathering.latency,
        recorder: gathering.recorder,
        ended,
    })
}

/// Adds up what the thread that sends has counted.
struct Gathering<'a> {
    plan: &'a LoadPlan,
    windows: &'a [Mutex<Window>],
    spare: Window,
    latency: Tally,
    /// Since the last interval.
    recent: Tally,
    work: Work,
    before: Work,
    recorder: Recorder,
}

impl Gathering<'_> {
    fn gather(&mut self) {
        for window in self.windows {
            // The thread goes on with an empty one while this one is added up.
            let mut shared = window.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *shared, &mut self.spare);
            drop(shared);
            self.work.bytes += self.spare.sent.bytes;
            self.work.records += self.spare.sent.count;
            // At a rate, latency counts from when a record was due.
            let tally = match self.plan.schedule {
                Some(_) => &self.spare.due,
                None => &self.spare.sent,
            };
            self.latency.add(tally);
            self.recent.add(tally);
            self.spare.clear();
        }
    }

    fn look(&mut self, elapsed: Duration) {
        self.gather();
        if !self.recorder.is_due(elapsed) {
            return;
        }
        let p99 = (self.recent.count > 0).then(|| self.recent.quantile_ms(0.99));
        self.recorder.end_interval(
            elapsed,
            self.work.bytes - self.before.bytes,
            self.work.records - self.before.records,
            p99,
        );
        self.before = self.work;
        self.recent.clear();
    }
}
