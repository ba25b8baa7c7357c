//! HdrHistogram files, for the tools that draw and compare them: the interval log (`.hlog`) that
//! HistogramLogProcessor reads, and the percentile distribution (`.hgrm`) that the plotter reads.
//!
//! ```text
//! #[Histogram log format version 1.3]
//! #[StartTime: SECONDS (seconds since epoch)]
//! "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
//! 0.000,5.000,12.345,HISTFAAA…           seconds, seconds, milliseconds, V2 + deflate + base64
//! #[The run is not complete: …]          where it is not: a comment to every reader, as in .hgrm
//!
//!        Value     Percentile TotalCount 1/(1-Percentile)
//!        0.512 0.500000000000      51200           2.00    milliseconds
//! ```
//! The histograms themselves count microseconds.

use crate::base::convert::{f64_from, u64_from};
use crate::base::time::Timestamp;
use crate::cli::error::CliError;
use crate::runtime::disk::Disk;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Microseconds of the unit that is shown.
const MICROS_PER_MS: f64 = 1000.0;

/// Lines of a percentile distribution per halving of the distance to 100 %.
const TICKS_PER_HALF: u32 = 5;

/// The files asked for, and the log as far as it has come.
#[derive(Debug)]
pub struct HdrFiles {
    paths: Vec<PathBuf>,
    log: String,
}

impl HdrFiles {
    /// Files at these paths: by their ending, `.hgrm` is the distribution, any other the log.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>) -> HdrFiles {
        HdrFiles {
            paths,
            log: String::new(),
        }
    }

    /// Whether none is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Opens the log.
    pub fn start(&mut self, at: Timestamp) {
        let seconds = f64_from(u64::try_from(at.0).unwrap_or(0)) / 1000.0;
        self.line(format_args!("#[Histogram log format version 1.3]"));
        self.line(format_args!(
            "#[StartTime: {seconds:.3} (seconds since epoch)]"
        ));
        self.line(format_args!(
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\""
        ));
    }

    /// Adds an interval, which began so long after the start.
    pub fn interval(&mut self, began: Duration, length: Duration, histogram: &Histogram<u64>) {
        let mut bytes = Vec::new();
        let written = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
        written.expect("memory takes every byte, and the counts are below 2^63");
        self.line(format_args!(
            "{:.3},{:.3},{:.3},{}",
            began.as_secs_f64(),
            length.as_secs_f64(),
            f64_from(histogram.max()) / MICROS_PER_MS,
            STANDARD.encode(&bytes)
        ));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.log, "{line}").expect("memory takes every byte");
    }

    /// Writes the files; `all` is the whole run, and `incomplete` says why it ended early, where it
    /// did.
    pub fn write(
        &self,
        disk: &Disk,
        all: &Histogram<u64>,
        incomplete: Option<&str>,
    ) -> Result<(), CliError> {
        for path in &self.paths {
            let mut text = if is_distribution(path) {
                distribution(all)
            } else {
                self.log.clone()
            };
            if let Some(why) = incomplete {
                // A comment ends with its line, and a broker's message may have several.
                let why = why.replace(['\r', '\n'], " ");
                writeln!(text, "#[{why}]").expect("memory takes every byte");
            }
            disk.write_atomically(path, text.as_bytes())
                .map_err(|error| {
                    CliError::Failed(format!("cannot write {}: {error}", path.display()))
                })?;
        }
        Ok(())
    }
}

fn is_distribution(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("hgrm"))
}

/// The percentile distribution as HdrHistogram's `outputPercentileDistribution` prints it.
fn distribution(histogram: &Histogram<u64>) -> String {
    let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    let mut put = |line: std::fmt::Arguments<'_>| {
        writeln!(text, "{line}").expect("memory takes every byte");
    };
    let mut seen = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF) {
        seen += step.count_since_last_iteration();
        let value = f64_from(step.value_iterated_to()) / MICROS_PER_MS;
        let quantile = step.quantile_iterated_to();
        if quantile < 1.0 {
            let inverse = 1.0 / (1.0 - quantile);
            put(format_args!(
                "{value:12.3} {quantile:2.12} {seen:10} {inverse:14.2}"
            ));
        } else {
            put(format_args!("{value:12.3} {quantile:2.12} {seen:10}"));
        }
    }
    let scaled = |micros: f64| micros / MICROS_PER_MS;
    put(format_args!(
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]",
        scaled(histogram.mean()),
        scaled(histogram.stdev())
    ));
    put(format_args!(
        "#[Max     = {:12.3}, Total count    = {:12}]",
        scaled(f64_from(histogram.max())),
        histogram.len()
    ));
    let sub_buckets = u64_from(2 * 10_usize.pow(u32::from(histogram.sigfig()))).next_power_of_two();
    put(format_args!(
        "#[Buckets = {:12}, SubBuckets     = {sub_buckets:12}]",
        histogram.buckets()
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::perf::tally::histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    fn sample() -> Histogram<u64> {
        let mut sample = histogram();
        for micros in 1..=1000 {
            sample.record(micros).unwrap();
        }
        sample
    }

    #[test]
    fn the_log_is_read_back_by_hdrhistogram() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latency.hlog");
        let mut files = HdrFiles::new(vec![path.clone()]);
        files.start(Timestamp(1_700_000_000_123));
        files.interval(Duration::ZERO, Duration::from_secs(5), &sample());
        files.interval(
            Duration::from_secs(5),
            Duration::from_millis(10),
            &histogram(),
        );
        let why = "The run is not complete: a broker said\nso";
        files.write(&Disk::Native, &sample(), Some(why)).unwrap();
        let log = Disk::Native.read(&path, 1 << 20).unwrap();
        assert!(log.ends_with(b"\n#[The run is not complete: a broker said so]\n"));
        let mut read = Vec::new();
        for entry in IntervalLogIterator::new(&log) {
            if let LogEntry::Interval(interval) = entry.unwrap() {
                let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
                let histogram: Histogram<u64> = Deserializer::new()
                    .deserialize(&mut bytes.as_slice())
                    .unwrap();
                read.push((interval.start_timestamp(), interval.max(), histogram.len()));
            }
        }
        assert_eq!(
            read,
            [
                (Duration::ZERO, 1.0, 1000),
                (Duration::from_secs(5), 0.0, 0)
            ]
        );
    }

    #[test]
    fn the_distribution_is_hdrhistograms() {
        let text = distribution(&sample());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "       Value     Percentile TotalCount 1/(1-Percentile)"
        );
        assert_eq!(
            lines[2],
            "       0.001 0.000000000000          1           1.00"
        );
        assert!(
            lines
                .iter()
                .any(|line| line
                    .starts_with("       0.500 0.500000000000        500           2.00"))
        );
        let footer = &lines[lines.len() - 3..];
        assert_eq!(
            footer[0],
            "#[Mean    =        0.500, StdDeviation   =        0.289]"
        );
        assert_eq!(
            footer[1],
            "#[Max     =        1.000, Total count    =         1000]"
        );
        assert!(
            footer[2].ends_with("SubBuckets     =         2048]"),
            "{}",
            footer[2]
        );
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let files = HdrFiles::new(vec![PathBuf::from("/no/such/folder/x.hgrm")]);
        let error = files.write(&Disk::Native, &histogram(), None).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot write /no/such/folder/x.hgrm"),
            "{error}"
        );
    }
}
