//! Latencies and counts, gathered where records are acknowledged and added up where they are
//! reported. Latencies are merged as histograms, never averaged.

use crate::base::convert::f64_from;
use crate::base::time::Instant;
use crate::cli::page::figure::percentiles;
use hdrhistogram::Histogram;
use std::time::Duration;

/// Longest latency that is told apart, in microseconds: an hour.
const MICROS_MAX: u64 = 3_600_000_000;

/// Kafka's MB.
const MEBIBYTE: f64 = 1_048_576.0;

/// Records and how long they took.
#[derive(Clone, Debug)]
pub struct Tally {
    /// How many records.
    pub count: u64,
    /// Bytes of their values.
    pub bytes: u64,
    micros_sum: u64,
    micros_max: u64,
    /// Microseconds, to three digits.
    histogram: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            count: 0,
            bytes: 0,
            micros_sum: 0,
            micros_max: 0,
            histogram: histogram(),
        }
    }
}

/// An empty histogram of microseconds.
#[must_use]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MICROS_MAX, 3).expect("these bounds are legal")
}

impl Tally {
    /// So many records of so many bytes together took so long.
    pub fn record(&mut self, latency: Duration, count: u64, bytes: u64) {
        let micros = u64::try_from(latency.as_micros())
            .unwrap_or(u64::MAX)
            .min(MICROS_MAX);
        self.count += count;
        self.bytes += bytes;
        self.micros_sum = self.micros_sum.saturating_add(micros.saturating_mul(count));
        self.micros_max = self.micros_max.max(micros);
        self.histogram.saturating_record_n(micros, count);
    }

    /// Adds what another one has.
    pub fn add(&mut self, other: &Tally) {
        if other.count == 0 {
            return;
        }
        self.count += other.count;
        self.bytes += other.bytes;
        self.micros_sum = self.micros_sum.saturating_add(other.micros_sum);
        self.micros_max = self.micros_max.max(other.micros_max);
        self.histogram
            .add(&other.histogram)
            .expect("both have the same bounds");
    }

    /// Forgets everything, but keeps its memory.
    pub fn clear(&mut self) {
        if self.count > 0 {
            self.histogram.reset();
        }
        self.count = 0;
        self.bytes = 0;
        self.micros_sum = 0;
        self.micros_max = 0;
    }

    /// The latencies, in microseconds.
    #[must_use]
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }

    /// Mean latency in milliseconds; 0 of nothing.
    #[must_use]
    pub fn average_ms(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        f64_from(self.micros_sum) / f64_from(self.count) / 1000.0
    }

    /// Longest latency in milliseconds.
    #[must_use]
    pub fn max_ms(&self) -> f64 {
        f64_from(self.micros_max) / 1000.0
    }

    /// The latency in milliseconds that this part of the records (0.99) did not exceed.
    #[must_use]
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        let micros = self
            .histogram
            .value_at_quantile(quantile)
            .min(self.micros_max);
        f64_from(micros) / 1000.0
    }

    /// Latencies in milliseconds by percentile; none of nothing.
    #[must_use]
    pub fn curve(&self) -> Vec<(f64, f64)> {
        if self.count == 0 {
            return Vec::new();
        }
        percentiles()
            .into_iter()
            .map(|percentile| (percentile, self.quantile_ms(percentile / 100.0)))
            .collect()
    }

    /// Records per second over so long a time.
    #[must_use]
    pub fn rate(&self, elapsed: Duration) -> f64 {
        per_second(f64_from(self.count), elapsed)
    }

    /// Kafka's MB (2^20 bytes) per second over so long a time.
    #[must_use]
    pub fn megabytes_rate(&self, elapsed: Duration) -> f64 {
        per_second(f64_from(self.bytes) / MEBIBYTE, elapsed)
    }
}

fn per_second(quantity: f64, elapsed: Duration) -> f64 {
    // Less than a microsecond is no time to divide by.
    quantity / elapsed.as_secs_f64().max(1e-6)
}

/// What one thread has gathered since it was last emptied.
#[derive(Default, Debug)]
pub struct Window {
    /// All records, from their sending on.
    pub sent: Tally,
    /// Those after the warm-up, from their sending on; only where there is a warm-up.
    pub steady: Tally,
    /// All records, from the time on at which they were due; only where there is a rate.
    pub due: Tally,
    /// When the first record after the warm-up was sent.
    pub steady_since: Option<Instant>,
}

impl Window {
    /// Forgets everything, but keeps its memory.
    pub fn clear(&mut self) {
        self.sent.clear();
        self.steady.clear();
        self.due.clear();
    }
}

/// Kafka's line about a reporting interval, without its end of line.
#[must_use]
pub fn interval_line(tally: &Tally, elapsed: Duration) -> String {
    format!(
        "{} records sent, {:.1} records/sec ({:.2} MB/sec), {:.1} ms avg latency, {:.1} ms max latency.",
        tally.count,
        tally.rate(elapsed),
        tally.megabytes_rate(elapsed),
        tally.average_ms(),
        tally.max_ms(),
    )
}

/// Kafka's line about the whole run, without its end of line; `state` is "" or " steady state".
#[must_use]
pub fn total_line(tally: &Tally, elapsed: Duration, state: &str) -> String {
    let whole = |quantile| format!("{:.0}", tally.quantile_ms(quantile));
    format!(
        "{}{state} records sent, {:.6} records/sec ({:.2} MB/sec), {:.2} ms avg latency, \
         {:.2} ms max latency, {} ms 50th, {} ms 95th, {} ms 99th, {} ms 99.9th.",
        tally.count,
        tally.rate(elapsed),
        tally.megabytes_rate(elapsed),
        tally.average_ms(),
        tally.max_ms(),
        whole(0.5),
        whole(0.95),
        whole(0.99),
        whole(0.999),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn tally() -> Tally {
        let mut tally = Tally::default();
        tally.record(Duration::from_micros(1_500), 900, 90_000);
        tally.record(Duration::from_millis(7), 90, 9_000);
        tally.record(Duration::from_millis(70), 10, 1_000);
        tally
    }

    #[test]
    fn the_lines_are_kafkas() {
        let tally = tally();
        expect!["1000 records sent, 200.0 records/sec (0.02 MB/sec), 2.7 ms avg latency, 70.0 ms max latency."]
            .assert_eq(&interval_line(&tally, Duration::from_secs(5)));
        expect!["1000 records sent, 200.000000 records/sec (0.02 MB/sec), 2.68 ms avg latency, 70.00 ms max latency, 2 ms 50th, 7 ms 95th, 7 ms 99th, 70 ms 99.9th."]
            .assert_eq(&total_line(&tally, Duration::from_secs(5), ""));
        assert!(
            total_line(&tally, Duration::ZERO, " steady state")
                .starts_with("1000 steady state records sent, ")
        );
    }

    #[test]
    fn nothing_is_zero_and_not_nan() {
        let line = total_line(&Tally::default(), Duration::ZERO, "");
        assert!(
            line.starts_with("0 records sent, 0.000000 records/sec"),
            "{line}"
        );
    }

    #[test]
    fn merged_is_as_if_recorded_together() {
        let mut first = tally();
        let mut second = Tally::default();
        second.add(&first);
        second.add(&Tally::default());
        assert_eq!(second.quantile_ms(0.99), first.quantile_ms(0.99));
        second.record(Duration::MAX, 1, 1);
        first.add(&second);
        assert_eq!(first.count, 2001);
        assert_eq!(first.max_ms(), 3_600_000.0);
        first.clear();
        assert_eq!(
            (first.count, first.max_ms(), first.quantile_ms(1.0)),
            (0, 0.0, 0.0)
        );
    }
}
