//! What a run used: CPU time and memory of the broker, of this process, and of every core, between
//! a start and a stop; and how what was gathered becomes the figures of a run.

use super::machine::CoreTimes;
use super::process::{Meter, Usage};
use super::row::{Run, Series};
use crate::base::convert::f64_from;
use crate::cli::perf::rate::RateKept;
use crate::cli::perf::tally::Tally;
use crate::cli::tune::machine::Tree;
use crate::runtime::blocking::{clock_ticks_per_second, cpu_time};
use std::collections::BTreeMap;
use std::time::Duration;

/// MB: 10^6 bytes, as everywhere on the page.
const MEGABYTE: f64 = 1e6;

/// Runs between start and stop.
#[derive(Debug)]
pub struct Stopwatch<'a> {
    tree: Tree<'a>,
    meter: &'a Meter,
    ticks_per_second: u64,
    broker: Option<Usage>,
    own: Duration,
    cores: CoreTimes,
}

/// What was used.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Used {
    /// CPU seconds of the broker, where they are known.
    pub broker_cpu_s: Option<f64>,
    /// Bytes of memory that the broker has more than at the start.
    pub resident_growth: Option<f64>,
    /// Bytes of memory that the broker has at the end.
    pub resident: Option<f64>,
    /// CPU seconds of this process.
    pub own_cpu_s: f64,
    /// Seconds that all cores together were busy.
    pub machine_busy_s: f64,
    /// Part of each core that was busy.
    pub core_busy: Vec<f64>,
}

impl<'a> Stopwatch<'a> {
    /// Starts.
    #[must_use]
    pub fn start(tree: Tree<'a>, meter: &'a Meter) -> Stopwatch<'a> {
        let ticks_per_second = clock_ticks_per_second();
        Stopwatch {
            tree,
            meter,
            ticks_per_second,
            broker: meter.read(tree, ticks_per_second).ok(),
            own: cpu_time(),
            cores: CoreTimes::read(tree),
        }
    }

    /// Stops.
    #[must_use]
    pub fn stop(&self) -> Used {
        let own = cpu_time().saturating_sub(self.own);
        let cores = CoreTimes::read(self.tree);
        let now = self.meter.read(self.tree, self.ticks_per_second).ok();
        let both = self.broker.zip(now);
        Used {
            broker_cpu_s: both.map(|(then, now)| now.cpu.saturating_sub(then.cpu).as_secs_f64()),
            resident_growth: both.map(|(then, now)| {
                f64_from(now.resident_bytes.saturating_sub(then.resident_bytes))
            }),
            resident: now.map(|now| f64_from(now.resident_bytes)),
            own_cpu_s: own.as_secs_f64(),
            machine_busy_s: cores.busy_seconds_since(&self.cores, self.ticks_per_second),
            core_busy: cores.busy_since(&self.cores),
        }
    }
}

/// How much was done, and in what time.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct Work {
    /// Bytes of values that were produced or fetched.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Requests, where they are counted.
    pub requests: u64,
    /// From start to end.
    pub elapsed: Duration,
}

/// The figures of a run, as far as they mean something.
#[must_use]
pub fn figures(work: &Work, used: &Used) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    let mut put = |name: &str, value: f64| {
        figures.insert(name.to_owned(), value);
    };
    let seconds = work.elapsed.as_secs_f64().max(1e-6);
    let gigabytes = f64_from(work.bytes) / 1e9;
    put("wall_s", seconds);
    put("generator_cpu_s", used.own_cpu_s);
    put("machine_busy_s", used.machine_busy_s);
    if let Some(cpu) = used.broker_cpu_s {
        put("broker_cpu_s", cpu);
        put("cpu_percent", 100.0 * cpu / seconds);
    }
    if let Some(resident) = used.resident {
        put("rss_mb", resident / MEGABYTE);
    }
    if work.bytes > 0 {
        put("gb", gigabytes);
        put("mb_per_s", gigabytes * 1e3 / seconds);
        put("machine_busy_s_per_gb", used.machine_busy_s / gigabytes);
    }
    if let (Some(cpu), true) = (used.broker_cpu_s, work.bytes > 0) {
        put("broker_cpu_s_per_gb", cpu / gigabytes);
    }
    for (count, rate, cost) in [
        (work.records, "records_per_s", "broker_cpu_us_per_record"),
        (work.requests, "requests_per_s", "broker_cpu_us_per_request"),
    ] {
        if count == 0 {
            continue;
        }
        put(rate, f64_from(count) / seconds);
        if let Some(cpu) = used.broker_cpu_s {
            put(cost, cpu * 1e6 / f64_from(count));
        }
    }
    if let Some(cpu) = used
        .broker_cpu_s
        .filter(|cpu| *cpu > 0.0 && work.requests > 0)
    {
        put("requests_per_broker_cpu_s", f64_from(work.requests) / cpu);
    }
    figures
}

/// Adds what a tally says of latency.
pub fn add_latency(run: &mut Run, tally: &Tally) {
    if tally.count == 0 {
        return;
    }
    for (name, quantile) in [
        ("latency_p50_ms", 0.5),
        ("latency_p95_ms", 0.95),
        ("latency_p99_ms", 0.99),
        ("latency_p999_ms", 0.999),
        ("latency_p9999_ms", 0.9999),
    ] {
        run.figures
            .insert(name.to_owned(), tally.quantile_ms(quantile));
    }
    run.figures
        .insert("latency_max_ms".to_owned(), tally.max_ms());
    run.latency_ms = tally.curve();
}

/// Adds how much of a rate was kept; `rate_missed_percent` is there only where it was not.
pub fn add_rate(run: &mut Run, rate: &RateKept) {
    let kept = (rate.sent / rate.asked).min(1.0);
    let mut put = |name: &str, value: f64| {
        run.figures.insert(name.to_owned(), value);
    };
    put("late_max_ms", rate.late_max.as_secs_f64() * 1e3);
    put("rate_asked_per_s", rate.asked);
    put("rate_kept", kept);
    if !rate.is_kept {
        put("rate_missed_percent", 100.0 * (1.0 - kept));
    }
}

/// Takes down what happened in each of the intervals of a run, at most so many.
#[derive(Debug)]
pub struct Recorder {
    series: Series,
    length: Duration,
    since: Duration,
}

/// Points of a series.
const SERIES_POINTS: u32 = 60;

/// Shortest interval: below it a p99 is that of a handful.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// Points at most, however long a run takes.
const SERIES_POINTS_MAX: usize = 120;

impl Recorder {
    /// For a run that is to take so long.
    #[must_use]
    pub fn new(duration: Duration) -> Recorder {
        Recorder {
            series: Series::default(),
            length: (duration / SERIES_POINTS).max(INTERVAL_MIN),
            since: Duration::ZERO,
        }
    }

    /// How long an interval is.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.length
    }

    /// Whether an interval has passed.
    #[must_use]
    pub fn is_due(&self, elapsed: Duration) -> bool {
        elapsed >= self.since + self.length
    }

    /// Ends an interval, in which so much was done.
    pub fn end_interval(
        &mut self,
        elapsed: Duration,
        bytes: u64,
        records: u64,
        p99_ms: Option<f64>,
    ) {
        let seconds = elapsed.saturating_sub(self.since).as_secs_f64();
        if seconds <= 0.0 || self.series.seconds.len() >= SERIES_POINTS_MAX {
            return;
        }
        self.since = elapsed;
        self.series.seconds.push(elapsed.as_secs_f64());
        let mut put = |name: &str, value: f64| {
            let values = self.series.values.entry(name.to_owned()).or_default();
            values.push(value);
        };
        put("mb_per_s", f64_from(bytes) / MEGABYTE / seconds);
        put("records_per_s", f64_from(records) / seconds);
        // Where nothing came there is no latency: the curve goes on at the last one.
        let last = self
            .series
            .values
            .get("p99_ms")
            .and_then(|all| all.last().copied());
        if let Some(p99) = p99_ms.or(last) {
            let values = self.series.values.entry("p99_ms".to_owned()).or_default();
            while values.len() + 1 < self.series.seconds.len() {
                values.push(p99);
            }
            values.push(p99);
        }
    }

    /// The series.
    #[must_use]
    pub fn into_series(self) -> Series {
        self.series
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::perf::schedule::Schedule;

    #[test]
    fn figures_are_those_that_mean_something() {
        let work = Work {
            bytes: 2_000_000_000,
            records: 1000,
            requests: 0,
            elapsed: Duration::from_secs(4),
        };
        let used = Used {
            broker_cpu_s: Some(3.0),
            ..Used::default()
        };
        let found = figures(&work, &used);
        assert_eq!(found["broker_cpu_s_per_gb"], 1.5);
        assert_eq!(found["mb_per_s"], 500.0);
        assert!(!found.contains_key("requests_per_s"));
        let idle = figures(&Work::default(), &Used::default());
        assert!(!idle.contains_key("broker_cpu_s"));
        assert!(!idle.contains_key("mb_per_s"));
    }

    #[test]
    fn a_rate_is_missed_only_where_it_was_not_kept() {
        let of = |taken| {
            let schedule = Schedule::new(1000.0, Duration::ZERO);
            let kept = RateKept::of(schedule, 1001, Duration::from_millis(taken), Duration::ZERO);
            let mut run = Run::default();
            add_rate(&mut run, &kept.unwrap());
            run.figures
        };
        let kept = of(1010);
        assert_eq!(kept["rate_asked_per_s"], 1000.0);
        assert!(kept["rate_kept"] > 0.98 && !kept.contains_key("rate_missed_percent"));
        let missed = of(2000);
        assert_eq!(missed["rate_kept"], 0.5);
        assert_eq!(missed["rate_missed_percent"], 50.0);
        // What is delivered before the last record was due is not more than all.
        assert_eq!(of(900)["rate_kept"], 1.0);
    }

    #[test]
    fn every_list_of_a_series_is_as_long_as_its_seconds() {
        let mut recorder = Recorder::new(Duration::from_secs(6));
        assert!(recorder.is_due(Duration::from_millis(100)));
        for (step, p99) in [(1, None), (2, Some(5.0)), (3, None)] {
            recorder.end_interval(Duration::from_secs(step), 1_000_000, 10, p99);
        }
        // Time that stands still makes no point.
        recorder.end_interval(Duration::from_secs(3), 1, 1, None);
        let series = recorder.into_series();
        assert_eq!(series.seconds, [1.0, 2.0, 3.0]);
        assert_eq!(series.values["mb_per_s"], [1.0, 1.0, 1.0]);
        assert_eq!(series.values["p99_ms"], [5.0, 5.0, 5.0]);
    }
}
