//! What is said about a load while it runs and when it has ended. Standard output has Kafka's lines
//! and nothing else, or with `--output json` one object; what Kafka does not say goes to standard
//! error: a live line on a terminal, the latency from the time at which records were due, a rate that
//! was not kept, records that were not delivered.

use super::hdr::HdrFiles;
use super::live::{LIVE_INTERVAL, Live};
use super::load::{Ended, LoadPlan, Together};
use super::page::{Ending, PageFile};
use super::rate::RateKept;
use super::tally::{Tally, Window, interval_line, total_line};
use super::timeline::INTERVAL_MIN;
use crate::base::convert::f64_from;
use crate::base::time::Instant;
use crate::cli::error::CliError;
use crate::cli::output::{Output, OutputFormat, notice};
use crate::client::Throttled;
use crate::client::producer::ProducerCounters;
use crate::runtime::disk::Disk;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Reports a load.
#[derive(Debug)]
pub struct Report<'a, 'o> {
    plan: &'a LoadPlan,
    together: &'a Together,
    windows: &'a [Mutex<Window>],
    output: &'a mut Output<'o>,
    format: OutputFormat,
    interval: Duration,
    files: Files,
    live: Live,
    spare: Window,
    /// Since the last line about an interval.
    recent: Window,
    all: Window,
    recent_since: Option<Instant>,
    steady_since: Option<Instant>,
    has_steady_line: bool,
    is_silent: bool,
    intervals: Vec<Value>,
    error: Option<CliError>,
}

/// What is written beside what is printed.
#[derive(Debug)]
pub struct Files {
    /// HdrHistogram's.
    pub hdr: HdrFiles,
    /// A page, where one is asked for.
    pub page: Option<PageFile>,
}

/// How the load went on the whole.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Time from the start to the last acknowledgement.
    pub elapsed: Duration,
    /// All threads together.
    pub ended: Ended,
    /// What was asked and what was done, where there is a rate.
    pub rate: Option<RateKept>,
}

impl<'a, 'o> Report<'a, 'o> {
    /// A report on standard output every `interval`.
    pub fn new(
        plan: &'a LoadPlan,
        together: &'a Together,
        windows: &'a [Mutex<Window>],
        output: &'a mut Output<'o>,
        format: OutputFormat,
        interval: Duration,
        files: Files,
    ) -> Report<'a, 'o> {
        Report {
            plan,
            together,
            windows,
            output,
            format,
            interval,
            files,
            live: Live::on_standard_error(),
            spare: Window::default(),
            recent: Window::default(),
            all: Window::default(),
            recent_since: None,
            steady_since: None,
            has_steady_line: false,
            is_silent: false,
            intervals: Vec::new(),
            error: None,
        }
    }

    /// How often [`Report::tick`] is to be called.
    #[must_use]
    pub fn tick_interval(&self) -> Duration {
        let mut interval = self.interval;
        if self.live.is_wanted() {
            interval = interval.min(LIVE_INTERVAL);
        }
        if self.files.page.is_some() {
            interval = interval.min(INTERVAL_MIN);
        }
        interval
    }

    /// Looks at what was acknowledged since the last time, and says so where it is time to.
    pub fn tick(&mut self) {
        let Some(started) = self.together.started() else {
            return;
        };
        self.gather(started);
        let now = self.together.clock.now().instant;
        let since = self.recent_since.unwrap_or(started);
        // A tick that comes a little early still is the one of this interval.
        if now.since(since) + self.interval / 100 >= self.interval
            && let Err(error) = self.end_interval(now, since, started)
        {
            self.error.get_or_insert(error);
            // Nobody reads it: there is no sense in going on.
            self.together.stop();
        }
        self.draw(now);
    }

    fn gather(&mut self, started: Instant) {
        if self.recent_since.is_none() {
            self.recent_since = Some(started);
            self.files.hdr.start(self.together.clock.now().timestamp);
        }
        for window in self.windows {
            // The thread goes on with an empty one while this one is added up.
            let mut shared = window.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *shared, &mut self.spare);
            shared.steady_since = self.spare.steady_since;
            drop(shared);
            for sum in [&mut self.recent, &mut self.all] {
                sum.sent.add(&self.spare.sent);
                sum.steady.add(&self.spare.steady);
                sum.due.add(&self.spare.due);
            }
            if let Some(page) = &mut self.files.page {
                let elapsed = self.together.clock.now().instant.since(started);
                let tally = main_tally(self.plan, &self.spare);
                page.timeline().add(elapsed, tally, self.spare.sent.bytes);
            }
            if let Some(since) = self.spare.steady_since {
                if self.steady_since.is_none() {
                    self.recent_since = Some(since);
                }
                let first = self.steady_since.map_or(since, |first| first.min(since));
                self.steady_since = Some(first);
            }
            self.spare.clear();
            self.spare.steady_since = None;
        }
    }

    fn end_interval(
        &mut self,
        now: Instant,
        since: Instant,
        started: Instant,
    ) -> Result<(), CliError> {
        let elapsed = now.since(since);
        let is_steady = self.steady_since.is_some();
        let tally = if is_steady {
            &self.recent.steady
        } else {
            &self.recent.sent
        };
        if tally.count == 0 {
            if !self.is_silent {
                let timeout = self.plan.producer.delivery_timeout.as_millis();
                self.live.clear();
                notice(format_args!(
                    "Nothing was acknowledged for {:.1} s: records wait for a broker at most \
                     delivery.timeout.ms, {timeout} ms.",
                    elapsed.as_secs_f64()
                ));
            }
            self.is_silent = true;
            return Ok(());
        }
        self.is_silent = false;
        match self.format {
            OutputFormat::Text => {
                let line = interval_line(tally, elapsed);
                self.live.clear();
                if is_steady && !self.has_steady_line {
                    self.has_steady_line = true;
                    self.output.line("In steady state.")?;
                }
                self.output.line(line)?;
                self.output.flush()?;
            }
            OutputFormat::Json => {
                let mut object = object_of(tally, elapsed);
                object["start_seconds"] = json!(since.since(started).as_secs_f64());
                self.intervals.push(object);
            }
        }
        self.log_interval(now, since, started);
        self.recent.clear();
        self.recent_since = Some(now);
        Ok(())
    }

    fn log_interval(&mut self, now: Instant, since: Instant, started: Instant) {
        if !self.files.hdr.is_empty() {
            let histogram = main_tally(self.plan, &self.recent).histogram();
            self.files
                .hdr
                .interval(since.since(started), now.since(since), histogram);
        }
    }

    fn draw(&mut self, now: Instant) {
        let count = self.all.sent.count;
        let p99 = main_tally(self.plan, &self.recent).quantile_ms(0.99);
        let records = self.plan.records;
        self.live.draw(now, count, |rate| {
            format!("{count} of {records} records, {rate:.0} records/sec, p99 {p99:.2} ms")
        });
    }

    /// Says how it went on the whole, and writes the files. What went wrong is the error.
    pub fn finish(mut self, ended: &[Ended], print_metrics: bool) -> Result<(), CliError> {
        let now = self.together.clock.now().instant;
        let ended = sum(ended);
        let Some(started) = self.together.started().filter(|_| ended.made > 0) else {
            return Err(self.failure(&ended).unwrap_or(CliError::Reported));
        };
        self.gather(started);
        self.live.clear();
        let since = self.recent_since.unwrap_or(started);
        if main_tally(self.plan, &self.recent).count > 0 {
            self.log_interval(now, since, started);
        }
        let summary = Summary {
            elapsed: now.since(started),
            rate: rate_kept(self.plan, &ended, started),
            ended,
        };
        let steady = self
            .steady_since
            .map(|since| (&self.all.steady, now.since(since)));
        match self.format {
            OutputFormat::Text => {
                self.output
                    .line(total_line(&self.all.sent, summary.elapsed, ""))?;
                if let Some((tally, elapsed)) = steady {
                    self.output
                        .line(total_line(tally, elapsed, " steady state"))?;
                }
                if print_metrics {
                    let id = &self.plan.client.client_id;
                    for line in metrics(id, &summary, &self.all.sent) {
                        self.output.line(line)?;
                    }
                }
            }
            OutputFormat::Json => {
                let object = self.object(&summary);
                self.output.line(object)?;
            }
        }
        self.output.flush()?;
        let is_object = self.format == OutputFormat::Json;
        for line in remarks(self.plan, &self.all, &summary) {
            // The object has the latencies already.
            if !(is_object && line.starts_with(FROM_DUE)) {
                notice(line);
            }
        }
        let failure = self.failure(&summary.ended);
        let incomplete = failure.as_ref().map(why_incomplete);
        if !self.files.hdr.is_empty() {
            let histogram = main_tally(self.plan, &self.all).histogram();
            self.files
                .hdr
                .write(&Disk::Native, histogram, incomplete.as_deref())?;
        }
        self.write_page(&summary, incomplete)?;
        failure.map_or(Ok(()), Err)
    }

    /// Writes the page, where one is asked for: of a run that failed, too.
    fn write_page(
        &mut self,
        summary: &Summary,
        incomplete: Option<String>,
    ) -> Result<(), CliError> {
        let Some(page) = &mut self.files.page else {
            return Ok(());
        };
        page.timeline().end(summary.elapsed);
        let mut remarks = remarks(self.plan, &self.all, summary);
        remarks.extend(incomplete);
        let mut latencies = vec![("from when a record was sent", &self.all.sent)];
        if self.plan.schedule.is_some() {
            latencies.push(("from when a record was due", &self.all.due));
        }
        page.write(&Ending {
            summary: vec![total_line(&self.all.sent, summary.elapsed, "")],
            remarks,
            latencies,
        })
    }

    fn failure(&mut self, ended: &Ended) -> Option<CliError> {
        if let Some(error) = self.error.take() {
            return Some(error);
        }
        if self.together.interrupt.arrived() {
            return Some(CliError::Interrupted(format!(
                "interrupted: {} of {} records were acknowledged until then",
                self.all.sent.count, self.plan.records
            )));
        }
        // What could not be done any more after records were given up says less than that they were.
        if let (Some(error), 0) = (&ended.error, ended.failed) {
            return Some(CliError::Failed(error.clone()));
        }
        let missing = self.plan.records.saturating_sub(self.all.sent.count);
        if ended.failed > 0 || missing > 0 {
            let why = ended.failure.as_deref().unwrap_or("no answer came");
            return Some(CliError::Failed(format!(
                "{missing} of {} records were not delivered: {why}",
                self.plan.records
            )));
        }
        None
    }

    fn object(&mut self, summary: &Summary) -> Value {
        let counters = &summary.ended.counters;
        let mut object = object_of(&self.all.sent, summary.elapsed);
        object["records_asked"] = json!(self.plan.records);
        object["records_failed"] = json!(summary.ended.failed);
        object["producers"] = json!(self.plan.producers);
        object["interrupted"] = json!(self.together.interrupt.arrived());
        object["error"] = json!(
            summary
                .ended
                .error
                .as_ref()
                .or(summary.ended.failure.as_ref())
        );
        object["requests"] = json!(counters.requests);
        object["batches"] = json!(counters.batches);
        object["batch_bytes"] = json!(counters.bytes);
        object["throttle_time_ms"] = json!(milliseconds(counters.throttled.time));
        object["intervals"] = Value::from(std::mem::take(&mut self.intervals));
        object["steady_state"] = match self.steady_since {
            Some(since) => {
                let now = self.together.clock.now().instant;
                object_of(&self.all.steady, now.since(since))
            }
            None => Value::Null,
        };
        object["latency_from_due_ms"] = match self.plan.schedule {
            Some(_) => latencies(&self.all.due),
            None => Value::Null,
        };
        object["rate"] = json!(summary.rate.map(|rate| rate.json()));
        object
    }
}

/// How the line about latencies from the time at which records were due begins.
const FROM_DUE: &str = "From the time each record was due: ";

/// What Kafka's tool does not say.
fn remarks(plan: &LoadPlan, all: &Window, summary: &Summary) -> Vec<String> {
    let mut remarks = Vec::new();
    if plan.schedule.is_some() {
        let due = &all.due;
        remarks.push(format!(
            "{FROM_DUE}{:.2} ms avg latency, {:.2} ms max latency, {:.2} ms 50th, {:.2} ms 95th, \
             {:.2} ms 99th, {:.2} ms 99.9th, {:.2} ms 99.99th.",
            due.average_ms(),
            due.max_ms(),
            due.quantile_ms(0.5),
            due.quantile_ms(0.95),
            due.quantile_ms(0.99),
            due.quantile_ms(0.999),
            due.quantile_ms(0.9999),
        ));
    }
    remarks.extend(summary.rate.and_then(|rate| rate.remark()));
    remarks.extend(throttle_remark(summary.ended.counters.throttled));
    remarks
}

/// That the broker throttled, and by how much; nothing where it did not.
#[must_use]
pub fn throttle_remark(throttled: Throttled) -> Option<String> {
    (throttled.answers > 0).then(|| {
        format!(
            "The broker throttled: {} answers asked to wait, {} ms together, {} ms at most.",
            throttled.answers,
            throttled.time.as_millis(),
            throttled.longest.as_millis(),
        )
    })
}

/// What the files of a run say that ended so: whoever opens them later has not seen the error.
#[must_use]
pub fn why_incomplete(failure: &CliError) -> String {
    format!("The run is not complete: {failure}")
}

/// What the live line and the files show: latency from the time at which records were due, where
/// they were due at a time.
fn main_tally<'w>(plan: &LoadPlan, window: &'w Window) -> &'w Tally {
    match plan.schedule {
        Some(_) => &window.due,
        None => &window.sent,
    }
}

fn sum(ended: &[Ended]) -> Ended {
    let mut sum = Ended::default();
    for one in ended {
        sum.made += one.made;
        sum.failed += one.failed;
        sum.failure = sum.failure.or_else(|| one.failure.clone());
        sum.error = sum.error.or_else(|| one.error.clone());
        sum.last_delivered_at = sum.last_delivered_at.max(one.last_delivered_at);
        sum.late_max = sum.late_max.max(one.late_max);
        sum.counters = sum.counters.plus(one.counters);
    }
    sum
}

/// Compares the time until the records were delivered with the time that they were given.
fn rate_kept(plan: &LoadPlan, ended: &Ended, started: Instant) -> Option<RateKept> {
    let taken = ended.last_delivered_at.since(started);
    RateKept::of(plan.schedule?, ended.made, taken, ended.late_max)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Counts, rates and latencies as JSON.
#[must_use]
pub fn object_of(tally: &Tally, elapsed: Duration) -> Value {
    json!({
        "records": tally.count,
        "value_bytes": tally.bytes,
        "seconds": elapsed.as_secs_f64(),
        "records_per_second": tally.rate(elapsed),
        "mebibytes_per_second": tally.megabytes_rate(elapsed),
        "latency_ms": latencies(tally),
    })
}

fn latencies(tally: &Tally) -> Value {
    json!({
        "average": tally.average_ms(),
        "p50": tally.quantile_ms(0.5),
        "p90": tally.quantile_ms(0.9),
        "p95": tally.quantile_ms(0.95),
        "p99": tally.quantile_ms(0.99),
        "p99.9": tally.quantile_ms(0.999),
        "p99.99": tally.quantile_ms(0.9999),
        "max": tally.max_ms(),
    })
}

/// Kafka's producer metrics, those that klamm has, as `ToolsUtils.printMetrics` prints them.
fn metrics(client_id: &str, summary: &Summary, sent: &Tally) -> Vec<String> {
    let ProducerCounters {
        requests,
        batches,
        records,
        bytes,
        open_bytes,
        retried,
        failed,
        throttled,
    } = summary.ended.counters;
    let seconds = summary.elapsed.as_secs_f64().max(1e-6);
    let ratio = |part: u64, whole: u64| match whole {
        0 => 0.0,
        _ => f64_from(part) / f64_from(whole),
    };
    let values = [
        ("batch-size-avg", ratio(bytes, batches)),
        ("compression-rate-avg", ratio(bytes, open_bytes)),
        ("outgoing-byte-total", f64_from(bytes)),
        ("produce-throttle-time-avg", {
            ratio(1, throttled.answers) * milliseconds(throttled.time)
        }),
        ("produce-throttle-time-max", milliseconds(throttled.longest)),
        ("record-error-total", f64_from(failed)),
        ("record-retry-total", f64_from(retried)),
        ("record-send-rate", f64_from(records) / seconds),
        ("record-send-total", f64_from(records)),
        ("records-per-request-avg", ratio(records, requests)),
        ("request-latency-avg", sent.average_ms()),
        ("request-latency-max", sent.max_ms()),
        ("request-rate", f64_from(requests) / seconds),
        ("request-total", f64_from(requests)),
    ];
    metric_lines("producer-metrics", client_id, &values)
}

/// Metrics of a group as `ToolsUtils.printMetrics` prints them.
#[must_use]
pub fn metric_lines(group: &str, client_id: &str, values: &[(&str, f64)]) -> Vec<String> {
    let names: Vec<String> = values
        .iter()
        .map(|(name, _)| format!("{group}:{name}:{{client-id={client_id}}}"))
        .collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut lines = vec![format!("{:width$}   Value", "Metric Name")];
    for (name, (_, value)) in names.iter().zip(values) {
        lines.push(format!("{name:width$} : {value:.3}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::perf::keys::KeyPlan;
    use crate::cli::perf::payload::PayloadPlan;
    use crate::cli::perf::schedule::Schedule;
    use crate::client::ClientOptions;
    use crate::client::producer::ProducerOptions;

    fn plan(rate: f64) -> LoadPlan {
        LoadPlan {
            client: ClientOptions::new("a:1", "x").unwrap(),
            producer: ProducerOptions::default(),
            topic: "t".to_owned(),
            producers: 1,
            records: 1001,
            warmup_records: 0,
            schedule: Some(Schedule::new(rate, Duration::ZERO)),
            payloads: PayloadPlan::Monotonic,
            keys: KeyPlan::None,
            seed: 1,
        }
    }

    #[test]
    fn a_rate_that_was_not_kept_is_told_by_how_much() {
        let started = Instant(5);
        let ended = |milliseconds| Ended {
            made: 1001,
            last_delivered_at: started + Duration::from_millis(milliseconds),
            ..Ended::default()
        };
        let plan = plan(1000.0);
        let kept = rate_kept(&plan, &ended(1010), started).unwrap();
        assert!(kept.is_kept);
        let missed = rate_kept(&plan, &ended(2000), started).unwrap();
        assert!(!missed.is_kept);
        assert_eq!((missed.asked, missed.sent), (1000.0, 500.0));
        assert!(rate_kept(&plan, &Ended::default(), started).is_none());
    }

    #[test]
    fn metrics_are_aligned_as_kafkas() {
        let summary = Summary {
            elapsed: Duration::from_secs(2),
            ended: Ended {
                counters: ProducerCounters {
                    records: 10,
                    requests: 5,
                    ..ProducerCounters::default()
                },
                ..Ended::default()
            },
            rate: None,
        };
        let lines = metrics("perf", &summary, &Tally::default());
        let total = lines
            .iter()
            .find(|line| line.contains("record-send-total"))
            .unwrap();
        assert!(total.starts_with("producer-metrics:record-send-total:{client-id=perf} "));
        assert!(total.ends_with(" : 10.000"));
        let width = total.find(" : ").unwrap();
        assert!(
            lines[1..]
                .iter()
                .all(|line| line.find(" : ") == Some(width))
        );
    }
}
