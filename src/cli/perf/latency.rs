//! `klamm e2e-latency`: Kafka's `kafka-e2e-latency`, how long a record takes from the producer
//! through the broker to a consumer. As there, one record is on its way at a time; with
//! `--throughput`, records are sent when they are due, however many are on their way.
//!
//! Unlike Kafka's tool, whose consumer asks again and again (`fetch.max.wait.ms=0`), the consumer
//! waits at the broker, as consumers do, unless the setting says otherwise.

use super::hdr::HdrFiles;
use super::live::Live;
use super::page::{Ending, PageFile};
use super::schedule::Schedule;
use super::settings;
use super::tally::Tally;
use crate::base::convert::{u64_from, usize_from_u32};
use crate::base::prng::Prng;
use crate::base::time::Instant;
use crate::cli::error::CliError;
use crate::cli::output::{Output, OutputArguments, OutputFormat, notice};
use crate::cli::page::figure::short;
use crate::cli::property::Properties;
use crate::client::admin::{NewTopic, OffsetSpec};
use crate::client::consumer::{Consumer, FetchedBatch};
use crate::client::partitioner::{StickyPartitioner, partition_of_key};
use crate::client::producer::{Acks, Producer, ProducerOptions, ProducerRecord};
use crate::client::{Client, ClientOptions, pump_all};
use crate::record::{Header, Record};
use crate::runtime::blocking::{Clock, Interrupt};
use crate::runtime::disk::Disk;
use serde_json::json;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// How long a record may take before the measurement is given up: Kafka's POLL_TIMEOUT_MS.
const RECORD_TIMEOUT: Duration = Duration::from_secs(60);

/// Every so many records one is printed.
const PRINT_EVERY: u64 = 1000;

/// Longest wait: a signal is noticed by then.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// Bytes at the start of a value that say which record it is, where many are on their way.
const NUMBER_BYTES: usize = 8;

/// This tool measures end-to-end latency in Kafka by sending messages and timing their reception.
///
/// Without --throughput one record is on its way at a time. Kafka's older form, HOST:PORT TOPIC
/// NUM-RECORDS ACKS RECORD-SIZE [CONFIG-FILE] without flags, is taken, too.
#[derive(clap::Args, Clone, Debug)]
pub struct LatencyArguments {
    /// The Kafka broker list string in the form HOST1:PORT1,HOST2:PORT2.
    #[arg(long, value_name = "HOST:PORT,...")]
    bootstrap_server: Option<String>,
    /// The topic to use for the test; made with one partition where it does not exist.
    #[arg(long, value_name = "topic-name")]
    topic: Option<String>,
    /// The number of messages to send.
    #[arg(long, value_name = "count")]
    num_records: Option<u64>,
    /// Producer acknowledgements. Must be '1' or 'all'.
    #[arg(long, value_name = "producer-acks")]
    producer_acks: Option<String>,
    /// The size of each message payload in bytes.
    #[arg(long, value_name = "bytes")]
    record_size: Option<u32>,
    /// The size of the message key in bytes. If not set, messages are sent without a key.
    #[arg(long, value_name = "bytes", default_value_t = 0)]
    record_key_size: u32,
    /// The size of the message header key in bytes. Used together with record-header-size.
    #[arg(long, value_name = "bytes", default_value_t = 0)]
    record_header_key_size: u32,
    /// The size of message header value in bytes. Use -1 for null header value.
    #[arg(
        long,
        value_name = "bytes",
        default_value_t = 0,
        allow_hyphen_values = true
    )]
    record_header_size: i32,
    /// The number of headers to include in each message.
    #[arg(long, value_name = "count", default_value_t = 0)]
    num_headers: u16,
    /// A property file for Kafka producer/consumer/admin client configuration.
    #[arg(long, value_name = "config-file")]
    command_config: Option<PathBuf>,
    /// klamm's: send so many records per second, and count latency from when each was due.
    #[arg(long, value_name = "THROUGHPUT")]
    throughput: Option<f64>,
    /// klamm's: write latencies as an HdrHistogram interval log (.hlog) or percentile distribution
    /// (.hgrm); may be given many times.
    #[arg(long, value_name = "FILE")]
    hdr_file: Vec<PathBuf>,
    /// klamm's: write one page with the latency curve and what happened over time.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
    /// Kafka's older form.
    #[arg(hide = true)]
    positional: Vec<String>,
}

/// What is to be measured.
#[derive(Debug)]
struct Plan {
    servers: String,
    topic: Rc<str>,
    records: u64,
    acks: Acks,
    record_bytes: u32,
    config: Option<PathBuf>,
    schedule: Option<Schedule>,
}

impl Plan {
    /// What the tool was told, for its page.
    fn told(&self) -> Vec<(String, String)> {
        let rate = match self.schedule {
            None => "one record at a time".to_owned(),
            Some(schedule) => format!("{} records/s", schedule.rate()),
        };
        [
            ("topic", self.topic.to_string()),
            ("records", self.records.to_string()),
            ("acks", self.acks.code().to_string()),
            ("record", format!("{} bytes", self.record_bytes)),
            ("throughput", rate),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

impl LatencyArguments {
    fn plan(&self) -> Result<Plan, CliError> {
        let mut named = self.clone();
        if !self.positional.is_empty() {
            named.take_positional()?;
        }
        let missing = |flag: &str| CliError::Usage(format!("Missing required argument {flag}"));
        let acks = named
            .producer_acks
            .ok_or_else(|| missing("--producer-acks"))?;
        let acks = match acks.as_str() {
            "1" => Acks::Leader,
            "all" => Acks::All,
            other => {
                return Err(CliError::Usage(format!(
                    "Invalid value for --producer-acks, '{other}'. Latency testing requires \
                     synchronous acknowledgement. Please use '1' or 'all'."
                )));
            }
        };
        let records = named.num_records.ok_or_else(|| missing("--num-records"))?;
        let record_bytes = named.record_size.ok_or_else(|| missing("--record-size"))?;
        if records == 0 {
            let why = "Value for --num-records must be a positive integer.";
            return Err(CliError::Usage(why.to_owned()));
        }
        if named.record_header_size < -1 {
            let why = "Value for --record-header-size must be a non-negative integer or -1 for null \
                       header value.";
            return Err(CliError::Usage(why.to_owned()));
        }
        let schedule = match named.throughput {
            None => None,
            Some(rate) if rate > 0.0 && rate.is_finite() => {
                Some(Schedule::new(rate, Duration::ZERO))
            }
            Some(rate) => {
                return Err(CliError::Usage(format!(
                    "--throughput takes records per second, not {rate}"
                )));
            }
        };
        if schedule.is_some() && usize_from_u32(record_bytes) < NUMBER_BYTES {
            return Err(CliError::Usage(format!(
                "With --throughput a record says which one it is: --record-size takes at least \
                 {NUMBER_BYTES}"
            )));
        }
        Ok(Plan {
            servers: named
                .bootstrap_server
                .ok_or_else(|| missing("--bootstrap-server"))?,
            topic: Rc::from(named.topic.ok_or_else(|| missing("--topic"))?.as_str()),
            records,
            acks,
            record_bytes,
            config: named.command_config,
            schedule,
        })
    }

    /// bootstrap-server topic num-records producer-acks record-size [optional] command-config.
    fn take_positional(&mut self) -> Result<(), CliError> {
        let words = std::mem::take(&mut self.positional);
        let (first, config) = match words.as_slice() {
            [first @ .., config] if first.len() == 5 => (first, Some(PathBuf::from(config))),
            first => (first, None),
        };
        let [servers, topic, records, acks, bytes] = first else {
            return Err(CliError::Usage(format!(
                "Invalid number of arguments. Expected 5 or 6 positional arguments, but got {}. \
                 Usage: bootstrap-server topic num-records producer-acks record-size [optional] \
                 command-config",
                words.len()
            )));
        };
        notice(
            "WARNING: Positional argument usage is deprecated and will be removed in Apache Kafka \
             5.0. Please use named arguments instead: --bootstrap-server, --topic, --num-records, \
             --producer-acks, --record-size, --command-config",
        );
        let wrong = |word: &str| CliError::Usage(format!("'{word}' is no number"));
        self.bootstrap_server = Some(servers.clone());
        self.topic = Some(topic.clone());
        self.num_records = Some(records.parse().map_err(|_| wrong(records))?);
        self.producer_acks = Some(acks.clone());
        self.record_size = Some(bytes.parse().map_err(|_| wrong(bytes))?);
        self.command_config = config;
        Ok(())
    }
}

/// Measures, and says what was found.
pub fn run(arguments: &LatencyArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    let plan = arguments.plan()?;
    let mut settings = Properties::default();
    if let Some(path) = &plan.config {
        settings.add_file(&Disk::Native, path)?;
    }
    settings::refuse_unsupported(&settings)?;
    let title = format!("e2e-latency over {}", plan.topic);
    let page = PageFile::new(arguments.report.as_deref(), title, plan.told())?;
    let interrupt = Interrupt::catch()
        .map_err(|error| CliError::Failed(format!("cannot catch Ctrl-C: {error}")))?;
    let mut measuring = Measuring::start(arguments, &plan, &settings, interrupt, output)?;
    measuring.page = page;
    let result = measuring.run();
    measuring.live.clear();
    measuring.finish(result)
}

/// Where a message comes from: what it is made of.
#[derive(Debug)]
struct Message {
    value: Vec<u8>,
    key: Option<Vec<u8>>,
    /// Keys and values.
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

struct Measuring<'a, 'o> {
    plan: &'a Plan,
    arguments: &'a LatencyArguments,
    output: &'a mut Output<'o>,
    interrupt: Interrupt,
    clock: Clock,
    /// The producer's and the consumer's: a fetch that waits would hold up what comes after it.
    clients: [Client; 2],
    producer: Producer,
    consumer: Consumer,
    partitioner: StickyPartitioner,
    partitions: i32,
    prng: Prng,
    message: Message,
    sent: u64,
    received: u64,
    /// When each record that is on its way was sent or due, by its number, from `received` on.
    on_their_way: VecDeque<Instant>,
    tally: Tally,
    hdr: HdrFiles,
    page: Option<PageFile>,
    live: Live,
    started: Instant,
}

impl<'a, 'o> Measuring<'a, 'o> {
    fn start(
        arguments: &'a LatencyArguments,
        plan: &'a Plan,
        settings: &Properties,
        interrupt: Interrupt,
        output: &'a mut Output<'o>,
    ) -> Result<Measuring<'a, 'o>, CliError> {
        let mut options =
            ClientOptions::new(&plan.servers, settings.get("client.id").unwrap_or(""))
                .map_err(|error| CliError::Usage(error.to_string()))?;
        settings::client(settings, &mut options)?;
        let clock = Clock::start();
        let mut sending = Client::connect_by(clock, options.clone())?;
        sending.refresh_all_topics()?;
        if sending.cluster().topic(&plan.topic).is_none() {
            if arguments.output.output == OutputFormat::Text {
                output.line(format_args!(
                    "Topic \"{}\" does not exist. Will create topic with 1 partition(s) and \
                     replication factor = 1",
                    plan.topic
                ))?;
            }
            sending.create_topic(&NewTopic {
                name: plan.topic.to_string(),
                partitions: Some(1),
                replication_factor: Some(1),
                ..NewTopic::default()
            })?;
        }
        let mut receiving = Client::connect_by(clock, options)?;
        let partitions = sending.partition_count(&plan.topic)?;
        receiving.partition_count(&plan.topic)?;
        let mut consumer_options = settings::consumer(settings)?;
        consumer_options.check_crcs = settings.is_true("check.crcs", true);
        let mut consumer = Consumer::new(consumer_options);
        let all: Vec<(Rc<str>, i32)> = (0..partitions)
            .map(|partition| (Rc::clone(&plan.topic), partition))
            .collect();
        for listed in receiving.list_offsets(&all, OffsetSpec::LATEST)? {
            let end = listed.result.map_err(|error| {
                CliError::Failed(format!(
                    "cannot find the end of {}-{}: {error}",
                    listed.topic, listed.partition
                ))
            })?;
            consumer.assign(&listed.topic, listed.partition, end.unwrap_or_default());
        }
        let producer_options = settings::producer(settings)?;
        let mut producer = Producer::new(ProducerOptions {
            acks: plan.acks,
            idempotent: producer_options.idempotent && plan.acks == Acks::All,
            linger: match settings.get("linger.ms") {
                None => Duration::ZERO,
                Some(_) => producer_options.linger,
            },
            ..producer_options
        });
        sending.prepare_producer(&mut producer)?;
        // As in Kafka's tool, what is sent is the same in every run.
        let mut prng = Prng::new(0);
        let message = Message {
            value: vec![0; usize_from_u32(plan.record_bytes)],
            key: (arguments.record_key_size > 0)
                .then(|| letters(&mut prng, usize_from_u32(arguments.record_key_size))),
            headers: (0..arguments.num_headers)
                .map(|_| {
                    let key = letters(&mut prng, usize_from_u32(arguments.record_header_key_size));
                    let bytes = usize::try_from(arguments.record_header_size).ok();
                    (key, bytes.map(|bytes| letters(&mut prng, bytes)))
                })
                .collect(),
        };
        let mut hdr = HdrFiles::new(arguments.hdr_file.clone());
        hdr.start(clock.now().timestamp);
        Ok(Measuring {
            plan,
            arguments,
            output,
            interrupt,
            clock,
            partitioner: StickyPartitioner::new(prng.split(), producer.options().batch_bytes),
            clients: [sending, receiving],
            producer,
            consumer,
            partitions,
            prng,
            message,
            sent: 0,
            received: 0,
            on_their_way: VecDeque::new(),
            tally: Tally::default(),
            hdr,
            page: None,
            live: Live::on_standard_error(),
            started: clock.now().instant,
        })
    }

    fn run(&mut self) -> Result<(), CliError> {
        // The consumer waits at the broker before anything is sent.
        self.serve(self.clock.now().instant)?;
        self.started = self.clock.now().instant;
        let mut last = self.started;
        while self.received < self.plan.records && !self.interrupt.arrived() {
            self.send_due();
            let now = self.clock.now().instant;
            let received = self.received;
            self.serve(self.next_due().min(now + WAIT_MAX))?;
            let now = self.clock.now().instant;
            if self.received > received || self.on_their_way.is_empty() {
                last = now;
            } else if now.since(last) > RECORD_TIMEOUT {
                return Err(CliError::Failed(
                    "poll() timed out before finding a result (timeout:[60000ms])".to_owned(),
                ));
            }
            let (count, records) = (self.received, self.plan.records);
            let p99 = self.tally.quantile_ms(0.99);
            self.live.draw(now, |_| {
                (
                    count,
                    format!("{count} of {records} records, p99 {p99:.3} ms"),
                )
            });
        }
        Ok(())
    }

    /// Sends the records that are due: one after the other, or as many as the rate has it.
    fn send_due(&mut self) {
        let now = self.clock.now();
        match self.plan.schedule {
            None => {
                let is_free = self.on_their_way.is_empty() && self.producer.is_idle();
                if is_free && self.sent < self.plan.records {
                    self.send(now.instant);
                }
            }
            Some(schedule) => {
                let due = schedule.due_by(now.instant.since(self.started));
                while self.sent < due.min(self.plan.records) && !self.producer.is_full() {
                    self.send(self.started + schedule.due_at(self.sent));
                }
            }
        }
    }

    fn next_due(&self) -> Instant {
        match self.plan.schedule {
            Some(schedule) if self.sent < self.plan.records && !self.producer.is_full() => {
                self.started + schedule.due_at(self.sent)
            }
            Some(_) | None => Instant::NEVER,
        }
    }

    /// Sends a record whose time counts from `since` on.
    fn send(&mut self, since: Instant) {
        fill_letters(&mut self.prng, &mut self.message.value);
        if self.plan.schedule.is_some() {
            let number = self.sent.to_be_bytes();
            self.message.value[..NUMBER_BYTES].copy_from_slice(&number);
        }
        let key = self.message.key.as_deref();
        let partition = match key {
            Some(key) => partition_of_key(key, self.partitions),
            None => {
                let bytes = self.message.value.len();
                self.partitioner
                    .choose(&self.plan.topic, self.partitions, bytes)
            }
        };
        let headers: Vec<Header<'_>> = self
            .message
            .headers
            .iter()
            .map(|(key, value)| Header {
                key,
                value: value.as_deref(),
            })
            .collect();
        let now = self.clock.now();
        let record = ProducerRecord {
            timestamp: now.timestamp,
            key,
            value: Some(&self.message.value),
            headers: &headers,
            cookie: self.sent,
        };
        self.producer
            .enqueue(now.instant, &self.plan.topic, partition, record);
        self.sent += 1;
        self.on_their_way.push_back(since);
    }

    /// Sends, waits at most until `until`, and takes in what came.
    fn serve(&mut self, until: Instant) -> Result<(), CliError> {
        let [sending, receiving] = &mut self.clients;
        let due = sending.send_produces(&mut self.producer)?;
        let due = due.min(receiving.send_fetches(&mut self.consumer)?);
        pump_all(&mut self.clients, until.min(due), false)?;
        let now = self.clock.now().instant;
        let [sending, receiving] = &mut self.clients;
        sending.receive_produces(&mut self.producer)?;
        receiving.receive_fetches(&mut self.consumer)?;
        while let Some(delivery) = self.producer.poll_delivery() {
            if let Err(error) = delivery.result {
                return Err(CliError::Failed(format!(
                    "a record was not taken by {}-{}: {error}",
                    delivery.topic, delivery.partition
                )));
            }
        }
        if let Some(lost) = self.consumer.poll_out_of_range() {
            return Err(CliError::Failed(format!(
                "the end of {}-{} moved backwards: somebody deletes its records",
                lost.topic, lost.partition
            )));
        }
        while let Some(batch) = self.consumer.poll_batch()? {
            self.receive(now, &batch)?;
        }
        Ok(())
    }

    fn receive(&mut self, now: Instant, batch: &FetchedBatch) -> Result<(), CliError> {
        for record in batch.records() {
            let record = record.map_err(|error| {
                CliError::Failed(format!(
                    "a record of {}-{} cannot be read: {error}",
                    batch.topic, batch.partition
                ))
            })?;
            self.receive_record(now, &record)?;
        }
        Ok(())
    }

    fn receive_record(&mut self, now: Instant, record: &Record<'_>) -> Result<(), CliError> {
        let value = record.value.unwrap_or_default();
        let since = match self.plan.schedule {
            None => {
                self.validate(record)?;
                self.on_their_way.pop_front()
            }
            // By the number it bears: partitions overtake each other.
            Some(schedule) => value
                .first_chunk::<NUMBER_BYTES>()
                .map(|number| u64::from_be_bytes(*number))
                .filter(|&number| number < self.sent && value.len() == self.message.value.len())
                .map(|number| {
                    self.on_their_way.pop_front();
                    self.started + schedule.due_at(number)
                }),
        };
        let since = since.ok_or_else(|| {
            CliError::Failed(format!(
                "a record came that was not sent from here: somebody else writes to {}",
                self.plan.topic
            ))
        })?;
        let latency = now.since(since);
        self.tally.record(latency, 1, u64_from(value.len()));
        if let Some(page) = &mut self.page {
            let elapsed = now.since(self.started);
            page.timeline()
                .record(elapsed, latency, u64_from(value.len()));
        }
        if self.received.is_multiple_of(PRINT_EVERY)
            && self.arguments.output.output == OutputFormat::Text
        {
            self.live.clear();
            let milliseconds = latency.as_secs_f64() * 1000.0;
            self.output
                .line(format_args!("{}\t{milliseconds}", self.received))?;
            self.output.flush()?;
        }
        self.received += 1;
        Ok(())
    }

    /// Whether what came is what was sent.
    fn validate(&self, record: &Record<'_>) -> Result<(), CliError> {
        let wrong = |why: String| Err(CliError::Failed(why));
        let text = |bytes: Option<&[u8]>| match bytes {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => "null".to_owned(),
        };
        let sent = &self.message;
        if self.on_their_way.is_empty() {
            return wrong(format!(
                "Only one result was expected during this test. We found more in {}: somebody else \
                 writes there",
                self.plan.topic
            ));
        }
        if record.value != Some(sent.value.as_slice()) {
            return wrong(format!(
                "The message value read [{}] did not match the message value sent [{}]",
                text(record.value),
                text(Some(&sent.value))
            ));
        }
        if record.key != sent.key.as_deref() {
            return wrong(format!(
                "The message key read [{}] did not match the message key sent [{}]",
                text(record.key),
                text(sent.key.as_deref())
            ));
        }
        let same = record.headers.len() == sent.headers.len()
            && record
                .headers
                .zip(&sent.headers)
                .all(|(read, (key, value))| read.key == key && read.value == value.as_deref());
        if same {
            Ok(())
        } else {
            wrong("The message headers read did not match those sent".to_owned())
        }
    }

    fn finish(mut self, result: Result<(), CliError>) -> Result<(), CliError> {
        let now = self.clock.now().instant;
        let elapsed = now.since(self.started);
        let tally = &self.tally;
        match self.arguments.output.output {
            OutputFormat::Json => {
                let mut object = super::report::object_of(tally, elapsed);
                object["records_asked"] = json!(self.plan.records);
                object["interrupted"] = json!(self.interrupt.arrived());
                object["error"] = json!(result.as_ref().err().map(ToString::to_string));
                object["rate_asked"] = json!(self.plan.schedule.map(|schedule| schedule.rate()));
                self.output.line(object)?;
            }
            OutputFormat::Text if tally.count > 0 => {
                self.output
                    .line(format_args!("Avg latency: {:.4} ms", tally.average_ms()))?;
                // Kafka's whole milliseconds are cut off, not rounded.
                let whole = |quantile| format!("{:.0}", tally.quantile_ms(quantile).floor());
                self.output.line(format_args!(
                    "Percentiles: 50th = {}, 99th = {}, 99.9th = {}",
                    whole(0.5),
                    whole(0.99),
                    whole(0.999)
                ))?;
                let what = match self.plan.schedule {
                    None => "In full",
                    Some(_) => "From the time each record was due",
                };
                self.output.flush()?;
                notice(format_args!(
                    "{what}: {:.3} ms 50th, {:.3} ms 90th, {:.3} ms 99th, {:.3} ms 99.9th, {:.3} ms \
                     99.99th, {:.3} ms max latency.",
                    tally.quantile_ms(0.5),
                    tally.quantile_ms(0.9),
                    tally.quantile_ms(0.99),
                    tally.quantile_ms(0.999),
                    tally.quantile_ms(0.9999),
                    tally.max_ms()
                ));
            }
            OutputFormat::Text => {}
        }
        self.output.flush()?;
        if !self.hdr.is_empty() {
            self.hdr
                .interval(Duration::ZERO, elapsed, self.tally.histogram());
            self.hdr.write(&Disk::Native, self.tally.histogram())?;
        }
        if let Some(page) = &mut self.page {
            page.timeline().end(elapsed);
            let since = match self.plan.schedule {
                None => "from when a record was sent",
                Some(_) => "from when a record was due",
            };
            let failure = result.as_ref().err();
            page.write(&Ending {
                summary: vec![format!(
                    "{} records, {} ms on average, {} ms at most",
                    tally.count,
                    short(tally.average_ms()),
                    short(tally.max_ms())
                )],
                remarks: failure
                    .map(|error| format!("The run is not complete: {error}"))
                    .into_iter()
                    .collect(),
                latencies: vec![(since, tally)],
            })?;
        }
        result?;
        if self.interrupt.arrived() && self.received < self.plan.records {
            return Err(CliError::Interrupted(format!(
                "interrupted: {} of {} records were measured until then",
                self.received, self.plan.records
            )));
        }
        Ok(())
    }
}

fn letters(prng: &mut Prng, count: usize) -> Vec<u8> {
    let mut letters = vec![0; count];
    fill_letters(prng, &mut letters);
    letters
}

/// Random letters A to Z, as Kafka's tool sends them.
fn fill_letters(prng: &mut Prng, bytes: &mut [u8]) {
    prng.fill(bytes);
    for byte in bytes {
        *byte = b'A' + *byte % 26;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Line {
        #[command(flatten)]
        latency: LatencyArguments,
    }

    fn plan(line: &str) -> Result<Plan, CliError> {
        let line = format!("e2e-latency {line}");
        let arguments = Line::try_parse_from(line.split_whitespace()).unwrap();
        arguments.latency.plan()
    }

    #[test]
    fn kafkas_old_and_new_forms_mean_the_same() {
        let old = plan("a:1 t 100 all 20 f.properties").unwrap();
        let new = plan(
            "--bootstrap-server a:1 --topic t --num-records 100 --producer-acks all --record-size 20 \
             --command-config f.properties",
        )
        .unwrap();
        for plan in [old, new] {
            assert_eq!((plan.servers.as_str(), &*plan.topic), ("a:1", "t"));
            assert_eq!(
                (plan.records, plan.acks, plan.record_bytes),
                (100, Acks::All, 20)
            );
            assert_eq!(plan.config, Some(PathBuf::from("f.properties")));
        }
        assert_eq!(plan("a:1 t 100 1 0").unwrap().config, None);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            "a:1 t 100 all",
            "a:1 t x all 20",
            "a:1 t 100 0 20",
            "a:1 t 0 1 20",
            "--bootstrap-server a:1 --topic t",
            "--bootstrap-server a:1 --topic t --num-records 1 --producer-acks 1 --record-size 1 --throughput 5",
            "--bootstrap-server a:1 --topic t --num-records 1 --producer-acks 1 --record-size 9 --throughput 0",
        ] {
            assert_eq!(plan(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
    }
}
