//! The workload that times records from when they are due until a consumer has them. The producer and
//! the consumer have a connection each, and share a thread.

use super::row::Run;
use super::session::Session;
use super::side::Side;
use super::stopwatch::{Recorder, Stopwatch, Work, add_latency, add_rate, figures};
use super::workload::Pace;
use crate::base::convert::{u64_from, usize_from_u32};
use crate::base::ids::Offset;
use crate::base::time::Instant;
use crate::cli::error::CliError;
use crate::cli::perf::rate::RateKept;
use crate::cli::perf::schedule::Schedule;
use crate::cli::perf::tally::Tally;
use crate::client::consumer::{Consumer, ConsumerOptions};
use crate::client::producer::{Acks, Producer, ProducerOptions, ProducerRecord};
use crate::client::{Client, ClientError, pump_all};
use std::rc::Rc;
use std::time::Duration;

/// Longest wait: a signal is noticed by then.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// How long records that were sent are waited for.
const DRAIN_MAX: Duration = Duration::from_secs(15);

/// Part of a run that is sent before it counts.
const WARM_UP_PART: u32 = 10;

/// What waits in a producer that sends as fast as it goes through: all of it has to be delivered yet.
const UNBOUNDED_BUFFER_BYTES: usize = 4 << 20;

/// Bytes at the start of a value that say which record it is.
const NUMBER_BYTES: usize = 8;

/// Partitions of the topic; records go to them in turn.
const PARTITIONS: i32 = 4;

/// One run on a topic of its own.
pub fn run(
    side: &mut Side,
    session: &Session<'_>,
    workload: &str,
    pace: Pace,
    record_bytes: u32,
) -> Result<Run, CliError> {
    let (topic, _) = side.create_topic(workload, PARTITIONS, &[])?;
    let failed = |error: ClientError| side.failed(&error);
    let mut stream = Stream::open(side, session, &topic, pace, record_bytes).map_err(failed)?;
    // What the warm-up sends is received before the run begins.
    let warm_up = session.duration / WARM_UP_PART;
    stream.flow(session, warm_up).map_err(failed)?;
    stream.begin(session);
    let stopwatch = Stopwatch::start(session.tree, &side.meter);
    let flowed = stream.flow(session, session.duration);
    let used = stopwatch.stop();
    if session.interrupt.arrived() {
        return Err(session.interrupted());
    }
    flowed.map_err(failed)?;
    let mut run = Run {
        contestant: side.name.to_owned(),
        figures: figures(&stream.work, &used),
        series: stream.recorder.into_series(),
        core_busy: used.core_busy,
        ..Run::default()
    };
    let (taken, late_max) = (stream.work.elapsed, stream.late_max);
    if let Some(kept) = RateKept::of(stream.schedule, stream.received, taken, late_max) {
        add_rate(&mut run, &kept);
    }
    add_latency(&mut run, &stream.latency);
    side.delete_topics();
    Ok(run)
}

struct Stream {
    /// The producer's and the consumer's.
    clients: [Client; 2],
    producer: Producer,
    consumer: Consumer,
    topic: Rc<str>,
    schedule: Schedule,
    value: Vec<u8>,
    sent: u64,
    received: u64,
    started: Instant,
    /// Longest time that a record was sent after it was due.
    late_max: Duration,
    latency: Tally,
    recent: Tally,
    before: Work,
    work: Work,
    recorder: Recorder,
}

impl Stream {
    fn open(
        side: &Side,
        session: &Session<'_>,
        topic: &str,
        pace: Pace,
        record_bytes: u32,
    ) -> Result<Stream, ClientError> {
        let mut sending = Client::connect_by(session.clock, side.options.clone())?;
        let mut receiving = Client::connect_by(session.clock, side.options.clone())?;
        let topic = Rc::<str>::from(topic);
        sending.partition_count(&topic)?;
        receiving.partition_count(&topic)?;
        let mut consumer = Consumer::new(ConsumerOptions::default());
        for partition in 0..PARTITIONS {
            consumer.assign(&topic, partition, Offset(0));
        }
        let mut options = ProducerOptions {
            acks: Acks::All,
            idempotent: false,
            linger: Duration::ZERO,
            delivery_timeout: DRAIN_MAX,
            request_timeout: DRAIN_MAX / 2,
            ..ProducerOptions::default()
        };
        if !pace.is_bounded() {
            options.buffer_bytes = UNBOUNDED_BUFFER_BYTES;
        }
        let producer = Producer::new(options);
        Ok(Stream {
            clients: [sending, receiving],
            producer,
            consumer,
            topic,
            schedule: Schedule::new(pace.rate(), Duration::ZERO),
            value: vec![b'x'; usize_from_u32(record_bytes).max(NUMBER_BYTES)],
            sent: 0,
            received: 0,
            started: session.clock.now().instant,
            late_max: Duration::ZERO,
            latency: Tally::default(),
            recent: Tally::default(),
            before: Work::default(),
            work: Work::default(),
            recorder: Recorder::new(session.duration),
        })
    }

    /// Forgets what was until now: the run begins.
    fn begin(&mut self, session: &Session<'_>) {
        self.latency.clear();
        self.recent.clear();
        self.late_max = Duration::ZERO;
        self.work = Work::default();
        self.before = Work::default();
        self.recorder = Recorder::new(session.duration);
        self.sent = 0;
        self.received = 0;
    }

    /// Sends for so long what is due, and receives all of it.
    fn flow(&mut self, session: &Session<'_>, duration: Duration) -> Result<(), ClientError> {
        self.started = session.clock.now().instant;
        let mut drained_by = None;
        loop {
            let now = session.clock.now();
            let elapsed = now.instant.since(self.started);
            if elapsed < duration {
                let due = self.schedule.due_by(elapsed);
                while self.sent < due && !self.producer.is_full() {
                    let late = elapsed.saturating_sub(self.schedule.due_at(self.sent));
                    self.late_max = self.late_max.max(late);
                    self.send(now);
                }
            } else if self.received == self.sent || session.interrupt.arrived() {
                self.work.elapsed = elapsed;
                return Ok(());
            } else {
                let end = *drained_by.get_or_insert(now.instant + DRAIN_MAX);
                if now.instant > end {
                    return Err(ClientError::TimedOut {
                        what: format!("{} records", self.sent - self.received),
                        after: DRAIN_MAX,
                    });
                }
            }
            if session.interrupt.arrived() {
                return Ok(());
            }
            let next = if elapsed < duration && !self.producer.is_full() {
                self.started + self.schedule.due_at(self.sent)
            } else {
                Instant::NEVER
            };
            self.serve(session, next.min(now.instant + WAIT_MAX))?;
            let elapsed = session.clock.now().instant.since(self.started);
            if self.recorder.is_due(elapsed) {
                let p99 = (self.recent.count > 0).then(|| self.recent.quantile_ms(0.99));
                let bytes = self.work.bytes - self.before.bytes;
                let records = self.work.records - self.before.records;
                self.recorder.end_interval(elapsed, bytes, records, p99);
                self.before = self.work;
                self.recent.clear();
            }
        }
    }

    fn send(&mut self, now: crate::base::time::Now) {
        self.value[..NUMBER_BYTES].copy_from_slice(&self.sent.to_be_bytes());
        let partition = i32::try_from(self.sent % u64::from(PARTITIONS.unsigned_abs()))
            .expect("below the number of partitions");
        let record = ProducerRecord {
            timestamp: now.timestamp,
            key: None,
            value: Some(&self.value),
            headers: &[],
            cookie: self.sent,
        };
        self.producer
            .enqueue(now.instant, &self.topic, partition, record);
        self.sent += 1;
    }

    fn serve(&mut self, session: &Session<'_>, until: Instant) -> Result<(), ClientError> {
        let [sending, receiving] = &mut self.clients;
        let due = sending.send_produces(&mut self.producer)?;
        let due = due.min(receiving.send_fetches(&mut self.consumer)?);
        pump_all(&mut self.clients, until.min(due), false)?;
        let now = session.clock.now().instant;
        let [sending, receiving] = &mut self.clients;
        sending.receive_produces(&mut self.producer)?;
        receiving.receive_fetches(&mut self.consumer)?;
        while let Some(delivery) = self.producer.poll_delivery() {
            if let Err(error) = delivery.result {
                return Err(ClientError::Malformed {
                    what: format!(
                        "an acknowledgement of {}-{}",
                        delivery.topic, delivery.partition
                    ),
                    why: error.to_string(),
                });
            }
        }
        while let Some(batch) = self.consumer.poll_batch()? {
            for record in batch.records() {
                let record = record.map_err(|error| ClientError::Batch {
                    topic: batch.topic.to_string(),
                    partition: batch.partition,
                    offset: batch.from,
                    error,
                })?;
                let value = record.value.unwrap_or_default();
                let number = value.first_chunk::<NUMBER_BYTES>();
                let number = number.map_or(0, |number| u64::from_be_bytes(*number));
                let due = self.started + self.schedule.due_at(number);
                for tally in [&mut self.latency, &mut self.recent] {
                    tally.record(now.since(due), 1, 0);
                }
                self.received += 1;
                self.work.records += 1;
                self.work.bytes += u64_from(value.len());
            }
        }
        Ok(())
    }
}
