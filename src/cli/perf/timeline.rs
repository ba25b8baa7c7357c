//! What was acknowledged in each interval of a run, for a page. How long a run takes is not known
//! when it begins: where there are too many intervals, two become one, and their histograms are added,
//! so that a percentile stays what it was.

use super::tally::Tally;
use crate::base::convert::{f64_from, u64_from};
use std::time::Duration;

/// Most intervals; an even number, since they are joined in pairs.
const INTERVALS_MAX: usize = 120;

/// Length of an interval in the beginning.
pub const INTERVAL_MIN: Duration = Duration::from_millis(250);

/// The intervals of a run.
#[derive(Debug)]
pub struct Timeline {
    length: Duration,
    intervals: Vec<Interval>,
    open: Tally,
    open_bytes: u64,
    since: Duration,
}

#[derive(Debug)]
struct Interval {
    length: Duration,
    ends: Duration,
    bytes: u64,
    tally: Tally,
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline {
            length: INTERVAL_MIN,
            intervals: Vec::new(),
            open: Tally::default(),
            open_bytes: 0,
            since: Duration::ZERO,
        }
    }
}

impl Timeline {
    /// Adds what was acknowledged since the last time, so long after the start: latencies, and the
    /// bytes of the records' values.
    pub fn add(&mut self, elapsed: Duration, tally: &Tally, bytes: u64) {
        self.open.add(tally);
        self.open_bytes += bytes;
        if elapsed >= self.since + self.length {
            self.end(elapsed);
        }
    }

    /// Adds one record, so long after the start.
    pub fn record(&mut self, elapsed: Duration, latency: Duration, bytes: u64) {
        self.open.record(latency, 1, bytes);
        self.open_bytes += bytes;
        if elapsed >= self.since + self.length {
            self.end(elapsed);
        }
    }

    /// Adds records whose latency is not known.
    pub fn counted(&mut self, elapsed: Duration, records: u64, bytes: u64) {
        self.open.count += records;
        self.open_bytes += bytes;
        if elapsed >= self.since + self.length {
            self.end(elapsed);
        }
    }

    /// Ends the last interval.
    pub fn end(&mut self, elapsed: Duration) {
        let length = elapsed.saturating_sub(self.since);
        if length.is_zero() {
            return;
        }
        self.intervals.push(Interval {
            length,
            ends: elapsed,
            bytes: std::mem::take(&mut self.open_bytes),
            tally: std::mem::take(&mut self.open),
        });
        self.since = elapsed;
        if self.intervals.len() >= INTERVALS_MAX {
            self.join_pairs();
        }
    }

    fn join_pairs(&mut self) {
        let mut joined: Vec<Interval> = Vec::with_capacity(INTERVALS_MAX);
        for (index, interval) in std::mem::take(&mut self.intervals).into_iter().enumerate() {
            match joined.last_mut() {
                Some(first) if index % 2 == 1 => {
                    first.tally.add(&interval.tally);
                    first.bytes += interval.bytes;
                    first.length += interval.length;
                    first.ends = interval.ends;
                }
                Some(_) | None => joined.push(interval),
            }
        }
        self.intervals = joined;
        self.length *= 2;
    }

    /// What a value was over time: points are (seconds, value).
    fn points(&self, value: impl Fn(&Interval) -> f64) -> Vec<(f64, f64)> {
        let seconds = |interval: &Interval| interval.ends.as_secs_f64();
        let intervals = self.intervals.iter();
        intervals
            .map(|interval| (seconds(interval), value(interval)))
            .collect()
    }

    /// MB (10^6 bytes) per second over time.
    #[must_use]
    pub fn megabytes(&self) -> Vec<(f64, f64)> {
        self.points(|interval| f64_from(interval.bytes) / 1e6 / seconds(interval.length))
    }

    /// Records per second over time.
    #[must_use]
    pub fn records(&self) -> Vec<(f64, f64)> {
        self.points(|interval| f64_from(interval.tally.count) / seconds(interval.length))
    }

    /// A percentile in milliseconds over time, where anything came.
    #[must_use]
    pub fn quantile_ms(&self, quantile: f64) -> Vec<(f64, f64)> {
        self.points(|interval| match interval.tally.count {
            0 => f64::NAN,
            _ => interval.tally.quantile_ms(quantile),
        })
    }

    /// How many intervals there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64_from(self.intervals.len())
    }
}

fn seconds(length: Duration) -> f64 {
    length.as_secs_f64().max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_has_as_few_intervals_as_a_short_one() {
        let mut timeline = Timeline::default();
        let mut all = Tally::default();
        for step in 1..=1000_u64 {
            let mut tally = Tally::default();
            tally.record(Duration::from_millis(step % 7), 10, 1000);
            all.add(&tally);
            timeline.add(INTERVAL_MIN * u32::try_from(step).unwrap(), &tally, 1000);
        }
        timeline.end(INTERVAL_MIN * 1001);
        assert!(timeline.count() < u64_from(INTERVALS_MAX));
        // Nothing is lost when intervals are joined.
        let records: f64 = timeline
            .records()
            .iter()
            .zip(&timeline.intervals)
            .map(|((_, rate), interval)| rate * interval.length.as_secs_f64())
            .sum();
        assert!((records - f64_from(all.count)).abs() < 1e-3, "{records}");
        let p99 = timeline.quantile_ms(0.99);
        assert!(p99.iter().all(|(_, p99)| *p99 <= 6.01));
    }

    #[test]
    fn an_interval_without_records_has_no_percentile() {
        let mut timeline = Timeline::default();
        timeline.add(Duration::from_secs(1), &Tally::default(), 0);
        assert!(timeline.quantile_ms(0.99)[0].1.is_nan());
        assert_eq!(timeline.megabytes(), [(1.0, 0.0)]);
    }
}
