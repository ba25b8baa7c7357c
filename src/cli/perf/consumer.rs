//! `klamm consumer-perf`: Kafka's `kafka-consumer-perf-test`, its flags and its lines. It reads as a
//! member of a group, counts records and bytes, and does nothing else with them.

use super::date::{DateFormat, PATTERN_DEFAULT};
use super::live::Live;
use super::page::{Ending, PageFile};
use super::report::throttle_remark;
use super::settings;
use crate::base::convert::{f64_from, u64_from};
use crate::base::time::{Instant, Now};
use crate::cli::begin::{catch_interrupt, generated_group_id};
use crate::cli::error::CliError;
use crate::cli::output::{Output, OutputArguments, OutputFormat, notice};
use crate::cli::property::{Properties, Spelled, gather};
use crate::cli::topic_filter::IncludeList;
use crate::client::consumer::FetchedBatch;
use crate::client::group::{GroupConsumer, GroupConsumerOptions, Subscription};
use crate::client::{Client, ClientError, ClientOptions, Throttled};
use crate::runtime::blocking::{Interrupt, local_offset_seconds};
use crate::runtime::disk::Disk;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Longest wait: a signal is noticed by then. Kafka's tool polls as long.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// Kafka's MB.
const MEBIBYTE: f64 = 1_048_576.0;

/// This tool is used to verify the consumer performance.
#[derive(clap::Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["topic", "include"]))]
#[command(group = clap::ArgGroup::new("count").required(true).args(["num_records", "messages"]))]
pub struct ConsumerPerfArguments {
    /// The servers to connect to.
    #[arg(long, value_name = "HOST:PORT,...")]
    bootstrap_server: String,
    /// The topic to consume from.
    #[arg(long, value_name = "topic")]
    topic: Option<String>,
    /// Regular expression specifying list of topics to include for consumption.
    #[arg(long, value_name = "regex")]
    include: Option<String>,
    /// The number of records to consume.
    #[arg(long, value_name = "count")]
    num_records: Option<u64>,
    /// Deprecated: use --num-records.
    #[arg(long, value_name = "count", hide = true)]
    messages: Option<u64>,
    /// The group id to consume on. [default: perf-consumer- and a random number]
    #[arg(long, value_name = "gid")]
    group: Option<String>,
    /// The maximum amount of data to fetch from a single partition per request.
    #[arg(long, value_name = "size", default_value_t = 1 << 20)]
    fetch_size: i32,
    /// If the group has no committed offset, start with the latest record rather than the earliest.
    #[arg(long)]
    from_latest: bool,
    /// The size of the tcp RECV size.
    #[arg(long, value_name = "size", default_value_t = 2 << 20, allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-1..))]
    socket_buffer_size: i32,
    /// A setting of the consumer as key=value.
    #[arg(long, value_name = "prop1=val1")]
    command_property: Vec<String>,
    /// Property file with settings of the consumer.
    #[arg(long, value_name = "config file")]
    command_config: Option<PathBuf>,
    /// Deprecated: use --command-config.
    #[arg(long = "consumer.config", value_name = "config file", hide = true)]
    consumer_config: Option<PathBuf>,
    /// Print out the metrics.
    #[arg(long)]
    print_metrics: bool,
    /// If set, stats are reported for each reporting interval as configured by reporting-interval.
    #[arg(long)]
    show_detailed_stats: bool,
    /// The maximum allowed time in milliseconds between returned records.
    #[arg(long, value_name = "milliseconds", default_value_t = 10_000, num_args = 0..=1, default_missing_value = "10000")]
    timeout: u64,
    /// Interval in milliseconds at which to print progress info.
    #[arg(long, value_name = "interval_ms", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..))]
    reporting_interval: u64,
    /// The date format to use for formatting the time field, as java.text.SimpleDateFormat has it.
    #[arg(long, value_name = "date format", default_value = PATTERN_DEFAULT)]
    date_format: String,
    /// If set, skips printing the header for the stats.
    #[arg(long)]
    hide_header: bool,
    /// klamm's: write one page with what was read over time.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

impl ConsumerPerfArguments {
    fn settings(&self) -> Result<Properties, CliError> {
        gather(
            &Disk::Native,
            Spelled {
                name: "--command-config",
                current: self.command_config.as_deref(),
                deprecated_name: "--consumer.config",
                deprecated: self.consumer_config.as_deref(),
            },
            Spelled {
                name: "--command-property",
                current: &self.command_property,
                deprecated_name: "--command-property",
                deprecated: &[],
            },
        )
    }

    fn options(&self, settings: &Properties) -> Result<GroupConsumerOptions, CliError> {
        // As in Kafka's tool, the flag wins over the setting.
        let group_id = match (&self.group, settings.get("group.id")) {
            (Some(group), _) => group.clone(),
            (None, Some(group)) => group.to_owned(),
            (None, None) => generated_group_id("perf-consumer")?,
        };
        let mut options = settings::group_consumer(settings, &group_id, !self.from_latest)?;
        options.consumer.partition_bytes = self.fetch_size.max(1);
        Ok(options)
    }

    /// What the tool was told, for its page.
    fn told(&self, options: &GroupConsumerOptions) -> Vec<(String, String)> {
        let read = self.topic.as_ref().or(self.include.as_ref());
        let wanted = self.num_records.or(self.messages).unwrap_or(0);
        [
            ("topics", read.cloned().unwrap_or_default()),
            ("records", wanted.to_string()),
            ("group", options.member.group_id.clone()),
            (
                "fetch size",
                format!("{} bytes", options.consumer.partition_bytes),
            ),
            ("fetch.min.bytes", options.consumer.min_bytes.to_string()),
            ("check.crcs", options.consumer.check_crcs.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    fn subscription(&self) -> Result<Subscription, CliError> {
        match &self.include {
            None => Ok(Subscription::Topics(self.topic.iter().cloned().collect())),
            Some(include) => {
                let list = IncludeList::parse(include)?;
                Ok(Subscription::Matching(Box::new(
                    move |topic, is_internal| list.allows(topic) && !is_internal,
                )))
            }
        }
    }
}

/// What was read until some moment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Counts {
    records: u64,
    /// Of keys and values.
    bytes: u64,
    /// How long the consumer had no partitions.
    rebalancing: Duration,
}

impl Counts {
    fn since(self, earlier: Counts) -> Counts {
        Counts {
            records: self.records - earlier.records,
            bytes: self.bytes - earlier.bytes,
            rebalancing: self.rebalancing.saturating_sub(earlier.rebalancing),
        }
    }

    fn megabytes(self) -> f64 {
        f64_from(self.bytes) / MEBIBYTE
    }
}

/// A row of figures: a time, how long it took, and what was read in it.
#[derive(Clone, Copy, Debug)]
struct Figures {
    elapsed: Duration,
    counts: Counts,
}

impl Figures {
    fn fetching(&self) -> Duration {
        self.elapsed.saturating_sub(self.counts.rebalancing)
    }

    fn megabytes_rate(&self) -> f64 {
        per_second(self.counts.megabytes(), self.elapsed)
    }

    fn rate(&self) -> f64 {
        per_second(f64_from(self.counts.records), self.elapsed)
    }

    /// ", rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec".
    fn extended(&self) -> String {
        let fetching = self.fetching();
        format!(
            ", {}, {}, {:.4}, {:.4}",
            self.counts.rebalancing.as_millis(),
            fetching.as_millis(),
            per_second(self.counts.megabytes(), fetching),
            per_second(f64_from(self.counts.records), fetching),
        )
    }

    fn json(&self) -> Value {
        json!({
            "records": self.counts.records,
            "bytes": self.counts.bytes,
            "seconds": self.elapsed.as_secs_f64(),
            "rebalance_seconds": self.counts.rebalancing.as_secs_f64(),
            "records_per_second": self.rate(),
            "mebibytes_per_second": self.megabytes_rate(),
            "fetch_records_per_second": per_second(f64_from(self.counts.records), self.fetching()),
            "fetch_mebibytes_per_second": per_second(self.counts.megabytes(), self.fetching()),
        })
    }
}

fn per_second(quantity: f64, elapsed: Duration) -> f64 {
    if elapsed.is_zero() {
        return 0.0;
    }
    quantity / elapsed.as_secs_f64()
}

const EXTENDED: &str = ", rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec";

/// Why reading ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// All records wanted have come.
    Complete,
    /// None came for so long.
    TimedOut,
    /// Ctrl-C.
    Interrupted,
}

/// Reads, and says how fast.
pub fn run(arguments: &ConsumerPerfArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    let date_format = DateFormat::parse(&arguments.date_format)?;
    for (flag, new, is_given) in [
        ("--messages", "--num-records", arguments.messages.is_some()),
        (
            "--consumer.config",
            "--command-config",
            arguments.consumer_config.is_some(),
        ),
    ] {
        if is_given {
            notice(format_args!(
                "Warning: {flag} is deprecated. Use {new} instead."
            ));
        }
    }
    let settings = arguments.settings()?;
    settings::refuse_unsupported(&settings)?;
    let options = arguments.options(&settings)?;
    let subscription = arguments.subscription()?;
    let client_id = settings.get("client.id").unwrap_or("perf-consumer-client");
    let mut client_options = ClientOptions::new(&arguments.bootstrap_server, client_id)
        .map_err(|error| CliError::Usage(error.to_string()))?;
    settings::client(&settings, &mut client_options)?;
    // As in Kafka's tool, the flag wins over the setting.
    client_options.buffers.receive_bytes = usize::try_from(arguments.socket_buffer_size).ok();
    let told = arguments.told(&options);
    let title = "consumer-perf".to_owned();
    let page = PageFile::new(arguments.report.as_deref(), title, told)?;
    let interrupt = catch_interrupt()?;
    let mut client = Client::connect(client_options)?;
    let mut reading = Reading {
        wanted: arguments.num_records.or(arguments.messages).unwrap_or(0),
        timeout: Duration::from_millis(arguments.timeout),
        interval: Duration::from_millis(arguments.reporting_interval),
        is_detailed: arguments.show_detailed_stats,
        format: arguments.output.output,
        date_format,
        interrupt,
        counts: Counts::default(),
        throttled: Throttled::default(),
        intervals: Vec::new(),
        page,
        live: Live::on_standard_error(),
        output,
    };
    if !arguments.hide_header && reading.format == OutputFormat::Text {
        let times = if reading.is_detailed {
            "time, threadId"
        } else {
            "start.time, end.time"
        };
        reading.output.line(format_args!(
            "{times}, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec{EXTENDED}"
        ))?;
        reading.output.flush()?;
    }
    let mut consumer = GroupConsumer::new(&mut client, options, subscription)?;
    let started = client.now();
    let read = reading.read(&mut client, &mut consumer, started);
    let ended = client.now();
    reading.live.clear();
    // The group is left in any case; what was read is told first where something went wrong.
    let closed = match &read {
        Ok(_) => consumer.close(&mut client),
        Err(_) => Ok(()),
    };
    reading.throttled = client.throttled();
    reading.summary(&read, started, ended)?;
    reading.write_page(&read, started, ended)?;
    if let Some(remark) = throttle_remark(reading.throttled) {
        notice(remark);
    }
    if arguments.print_metrics && reading.format == OutputFormat::Text {
        reading.metrics(client_id, started, ended)?;
    }
    reading.output.flush()?;
    match read? {
        End::Interrupted => Err(CliError::Interrupted(format!(
            "interrupted: {} of {} records were read until then",
            reading.counts.records, reading.wanted
        ))),
        End::Complete | End::TimedOut => Ok(closed?),
    }
}

struct Reading<'a, 'o> {
    wanted: u64,
    timeout: Duration,
    interval: Duration,
    is_detailed: bool,
    format: OutputFormat,
    date_format: DateFormat,
    interrupt: Interrupt,
    counts: Counts,
    /// What brokers asked to wait, when all is over.
    throttled: Throttled,
    intervals: Vec<Value>,
    page: Option<PageFile>,
    live: Live,
    output: &'a mut Output<'o>,
}

impl Reading<'_, '_> {
    fn read(
        &mut self,
        client: &mut Client,
        consumer: &mut GroupConsumer,
        started: Now,
    ) -> Result<End, CliError> {
        let mut last_read = started.instant;
        let mut reported = (started.instant, Counts::default());
        // Since when there are no partitions.
        let mut rebalancing = Some(started.instant);
        while self.counts.records < self.wanted {
            if self.interrupt.arrived() {
                return Ok(End::Interrupted);
            }
            let batch = consumer.poll_batch(client)?;
            let now = client.now();
            match (rebalancing, consumer.member().is_stable()) {
                (Some(since), true) => {
                    self.counts.rebalancing += now.instant.since(since);
                    rebalancing = None;
                }
                (None, false) => rebalancing = Some(now.instant),
                (Some(_), false) | (None, true) => {}
            }
            for line in consumer.take_notices() {
                self.live.clear();
                notice(line);
            }
            match batch {
                Some(batch) => {
                    let before = self.counts;
                    self.count(&batch)?;
                    if let Some(page) = &mut self.page {
                        let read = self.counts.since(before);
                        let elapsed = now.instant.since(started.instant);
                        page.timeline().counted(elapsed, read.records, read.bytes);
                    }
                    last_read = now.instant;
                }
                None if now.instant.since(last_read) > self.timeout => return Ok(End::TimedOut),
                None => consumer.wait(client, now.instant + WAIT_MAX)?,
            }
            if now.instant.since(reported.0) >= self.interval {
                self.report(now, reported.0, reported.1)?;
                reported = (now.instant, self.counts);
            }
            // Without a p99, which the other tools have: what is read was written whenever, and how
            // old it is says nothing of the broker.
            let (count, wanted) = (self.counts.records, self.wanted);
            self.live.draw(now.instant, count, |rate| {
                format!("{count} of {wanted} records, {rate:.0} records/sec")
            });
        }
        Ok(End::Complete)
    }

    fn count(&mut self, batch: &FetchedBatch) -> Result<(), CliError> {
        for record in batch.records() {
            let record = record.map_err(|error| ClientError::Batch {
                topic: batch.topic.to_string(),
                partition: batch.partition,
                offset: batch.from,
                error,
            })?;
            let bytes = |field: Option<&[u8]>| u64_from(field.map_or(0, <[u8]>::len));
            self.counts.records += 1;
            self.counts.bytes += bytes(record.key) + bytes(record.value);
        }
        Ok(())
    }

    fn report(&mut self, now: Now, since: Instant, before: Counts) -> Result<(), CliError> {
        if !self.is_detailed {
            return Ok(());
        }
        let figures = Figures {
            elapsed: now.instant.since(since),
            counts: self.counts.since(before),
        };
        match self.format {
            OutputFormat::Json => {
                self.intervals.push(figures.json());
                Ok(())
            }
            OutputFormat::Text => {
                self.live.clear();
                self.output.line(format_args!(
                    "{}, 0, {:.4}, {:.4}, {}, {:.4}{}",
                    self.date(now),
                    self.counts.megabytes(),
                    figures.megabytes_rate(),
                    self.counts.records,
                    figures.rate(),
                    figures.extended()
                ))?;
                self.output.flush()
            }
        }
    }

    fn date(&self, at: Now) -> String {
        let offset = local_offset_seconds(at.timestamp);
        self.date_format.format(at.timestamp, offset)
    }

    fn summary(
        &mut self,
        read: &Result<End, CliError>,
        started: Now,
        ended: Now,
    ) -> Result<(), CliError> {
        let figures = Figures {
            elapsed: ended.instant.since(started.instant),
            counts: self.counts,
        };
        if self.format == OutputFormat::Json {
            let mut object = figures.json();
            object["records_asked"] = json!(self.wanted);
            object["timed_out"] = json!(matches!(read, Ok(End::TimedOut)));
            object["interrupted"] = json!(matches!(read, Ok(End::Interrupted)));
            object["error"] = json!(read.as_ref().err().map(ToString::to_string));
            object["throttle_time_ms"] = json!(self.throttled.time.as_secs_f64() * 1e3);
            object["intervals"] = Value::from(std::mem::take(&mut self.intervals));
            return self.output.line(object);
        }
        if matches!(read, Ok(End::TimedOut)) {
            self.output.line(format_args!(
                "WARNING: Exiting before consuming the expected number of records: timeout ({} ms) \
                 exceeded. You can use the --timeout option to increase the timeout.",
                self.timeout.as_millis()
            ))?;
        }
        if self.is_detailed {
            return Ok(());
        }
        self.output.line(format_args!(
            "{}, {}, {:.4}, {:.4}, {}, {:.4}{}",
            self.date(started),
            self.date(ended),
            figures.counts.megabytes(),
            figures.megabytes_rate(),
            figures.counts.records,
            figures.rate(),
            figures.extended()
        ))
    }

    /// Writes the page, where one is asked for: of a run that failed, too.
    fn write_page(
        &mut self,
        read: &Result<End, CliError>,
        started: Now,
        ended: Now,
    ) -> Result<(), CliError> {
        let Some(page) = &mut self.page else {
            return Ok(());
        };
        let elapsed = ended.instant.since(started.instant);
        page.timeline().end(elapsed);
        let figures = Figures {
            elapsed,
            counts: self.counts,
        };
        let incomplete = match read {
            Ok(End::Complete) => None,
            Ok(End::TimedOut) => Some("nothing came any more".to_owned()),
            Ok(End::Interrupted) => Some("it was interrupted".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        page.write(&Ending {
            summary: vec![format!(
                "{} records, {:.4} MB, in {:.3} s: {:.4} MB.sec, {:.4} nMsg.sec{EXTENDED}{}",
                self.counts.records,
                self.counts.megabytes(),
                elapsed.as_secs_f64(),
                figures.megabytes_rate(),
                figures.rate(),
                figures.extended()
            )],
            remarks: incomplete
                .map(|why| format!("The run is not complete: {why}"))
                .into_iter()
                .chain(throttle_remark(self.throttled))
                .collect(),
            latencies: Vec::new(),
        })
    }

    /// Kafka's consumer metrics, those that klamm has, as `ToolsUtils.printMetrics` prints them.
    fn metrics(&mut self, client_id: &str, started: Now, ended: Now) -> Result<(), CliError> {
        let elapsed = ended.instant.since(started.instant);
        let (records, bytes) = (f64_from(self.counts.records), f64_from(self.counts.bytes));
        let values = [
            ("bytes-consumed-rate", per_second(bytes, elapsed)),
            ("bytes-consumed-total", bytes),
            ("records-consumed-rate", per_second(records, elapsed)),
            ("records-consumed-total", records),
        ];
        let group = "consumer-fetch-manager-metrics";
        for line in super::report::metric_lines(group, client_id, &values) {
            self.output.line(line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_row_is_kafkas() {
        let figures = Figures {
            elapsed: Duration::from_millis(3_500),
            counts: Counts {
                records: 1000,
                bytes: 10 << 20,
                rebalancing: Duration::from_millis(3_000),
            },
        };
        expect![", 3000, 500, 20.0000, 2000.0000"].assert_eq(&figures.extended());
        assert_eq!(format!("{:.4}", figures.megabytes_rate()), "2.8571");
    }

    #[test]
    fn no_time_is_no_rate() {
        let figures = Figures {
            elapsed: Duration::ZERO,
            counts: Counts::default(),
        };
        expect![", 0, 0, 0.0000, 0.0000"].assert_eq(&figures.extended());
        assert_eq!(figures.rate(), 0.0);
    }
}
