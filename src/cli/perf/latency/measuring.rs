//! The measuring itself: a producer and a consumer, each over connections of its own, and the time
//! between what one sends and the other receives.

use super::message::Message;
use super::{LatencyArguments, Plan};
use crate::base::convert::u64_from;
use crate::base::prng::Prng;
use crate::base::time::Instant;
use crate::cli::error::CliError;
use crate::cli::output::{Output, OutputFormat, notice};
use crate::cli::page::figure::short;
use crate::cli::perf::hdr::HdrFiles;
use crate::cli::perf::live::Live;
use crate::cli::perf::page::{Ending, PageFile};
use crate::cli::perf::rate::RateKept;
use crate::cli::perf::report::{object_of, throttle_remark, why_incomplete};
use crate::cli::perf::settings;
use crate::cli::perf::tally::Tally;
use crate::cli::property::Properties;
use crate::client::admin::{NewTopic, OffsetSpec};
use crate::client::consumer::{Consumer, FetchedBatch};
use crate::client::partitioner::{StickyPartitioner, partition_of_key};
use crate::client::producer::{Acks, Producer, ProducerOptions, ProducerRecord};
use crate::client::{Client, ClientOptions, pump_all};
use crate::record::Record;
use crate::runtime::blocking::{Clock, Interrupt};
use crate::runtime::disk::Disk;
use serde_json::json;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// How long a record may take before the measurement is given up: Kafka's POLL_TIMEOUT_MS.
const RECORD_TIMEOUT: Duration = Duration::from_secs(60);

/// Every so many records one is printed.
const PRINT_EVERY: u64 = 1000;

/// Longest wait: a signal is noticed by then.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// A measurement under way.
pub(super) struct Measuring<'a, 'o> {
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
    pub(super) page: Option<PageFile>,
    live: Live,
    started: Instant,
    /// When the last record came.
    last_received_at: Instant,
    /// Longest time that a record was sent after it was due.
    late_max: Duration,
}

impl<'a, 'o> Measuring<'a, 'o> {
    /// Connects, and makes the topic where it is not there.
    pub(super) fn start(
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
        let message = Message::new(&mut prng, arguments, plan.record_bytes);
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
            last_received_at: Instant(0),
            late_max: Duration::ZERO,
        })
    }

    /// Measures, and says what was found, whatever went wrong.
    pub(super) fn run(mut self) -> Result<(), CliError> {
        let result = self.measure();
        self.live.clear();
        self.finish(result)
    }

    fn measure(&mut self) -> Result<(), CliError> {
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
            let (count, records, tally) = (self.received, self.plan.records, &self.tally);
            self.live.draw(now, count, |rate| {
                // Only where it is drawn: what is measured is not to wait for it.
                let p99 = tally.quantile_ms(0.99);
                format!("{count} of {records} records, {rate:.0} records/sec, p99 {p99:.3} ms")
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
                    let since = self.started + schedule.due_at(self.sent);
                    self.late_max = self.late_max.max(now.instant.since(since));
                    self.send(since);
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
        let number = self.plan.schedule.map(|_| self.sent);
        self.message.renew(&mut self.prng, number);
        let key = self.message.key.as_deref();
        let partition = match key {
            Some(key) => partition_of_key(key, self.partitions),
            None => {
                let bytes = self.message.value.len();
                self.partitioner
                    .choose(&self.plan.topic, self.partitions, bytes)
            }
        };
        let headers = self.message.headers();
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
        let since = match self.plan.schedule {
            None => {
                self.validate(record)?;
                self.on_their_way.pop_front()
            }
            // By the number it bears: partitions overtake each other.
            Some(schedule) => record
                .value
                .and_then(|value| self.message.number(value))
                .filter(|&number| number < self.sent)
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
        let bytes = u64_from(record.value.map_or(0, <[u8]>::len));
        self.tally.record(latency, 1, bytes);
        self.last_received_at = now;
        if let Some(page) = &mut self.page {
            let elapsed = now.since(self.started);
            page.timeline().record(elapsed, latency, bytes);
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
        let wrong = if self.on_their_way.is_empty() {
            Some(format!(
                "Only one result was expected during this test. We found more in {}: somebody else \
                 writes there",
                self.plan.topic
            ))
        } else {
            self.message.differs(record)
        };
        wrong.map_or(Ok(()), |why| Err(CliError::Failed(why)))
    }

    /// Whether the rate was kept, where there is one.
    fn rate_kept(&self) -> Option<RateKept> {
        let taken = self.last_received_at.since(self.started);
        RateKept::of(self.plan.schedule?, self.received, taken, self.late_max)
    }

    /// That Ctrl-C ended it, where records are missing for that.
    fn interruption(&self) -> Option<CliError> {
        (self.interrupt.arrived() && self.received < self.plan.records).then(|| {
            CliError::Interrupted(format!(
                "interrupted: {} of {} records were measured until then",
                self.received, self.plan.records
            ))
        })
    }

    fn finish(mut self, result: Result<(), CliError>) -> Result<(), CliError> {
        let now = self.clock.now().instant;
        let elapsed = now.since(self.started);
        let rate = self.rate_kept();
        let [sending, receiving] = self.clients.each_ref().map(Client::throttled);
        let throttled = sending.plus(receiving);
        let tally = &self.tally;
        match self.arguments.output.output {
            OutputFormat::Json => {
                let mut object = object_of(tally, elapsed);
                object["records_asked"] = json!(self.plan.records);
                object["interrupted"] = json!(self.interrupt.arrived());
                object["error"] = json!(result.as_ref().err().map(ToString::to_string));
                object["rate_asked"] = json!(self.plan.schedule.map(|schedule| schedule.rate()));
                object["rate"] = json!(rate.map(|rate| rate.json()));
                object["throttle_time_ms"] = json!(throttled.time.as_secs_f64() * 1000.0);
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
        let missed = rate.and_then(|rate| rate.remark());
        let remarks: Vec<String> = missed
            .into_iter()
            .chain(throttle_remark(throttled))
            .collect();
        for remark in &remarks {
            notice(remark);
        }
        let failure = result.err().or_else(|| self.interruption());
        let incomplete = failure.as_ref().map(why_incomplete);
        if !self.hdr.is_empty() {
            let histogram = tally.histogram();
            self.hdr.interval(Duration::ZERO, elapsed, histogram);
            self.hdr
                .write(&Disk::Native, histogram, incomplete.as_deref())?;
        }
        if let Some(page) = &mut self.page {
            page.timeline().end(elapsed);
            let since = match self.plan.schedule {
                None => "from when a record was sent",
                Some(_) => "from when a record was due",
            };
            page.write(&Ending {
                summary: vec![format!(
                    "{} records, {} ms on average, {} ms at most",
                    tally.count,
                    short(tally.average_ms()),
                    short(tally.max_ms())
                )],
                remarks: incomplete.into_iter().chain(remarks).collect(),
                latencies: vec![(since, tally)],
            })?;
        }
        failure.map_or(Ok(()), Err)
    }
}
