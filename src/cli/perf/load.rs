//! The load: one thread drives some producers, each with connections of its own, in one loop:
//! make the records that are due, send what can be sent, wait, take in what was acknowledged.
//!
//! Without a rate, records are made when they can be sent and not before: at most one request per
//! broker waits for its turn. Kafka's tool fills `buffer.memory` instead, and then measures mostly
//! how long its own buffer is. What is on the wire is the same: full batches, one per partition in a
//! request, at most `max.in.flight.requests.per.connection` of them.

use super::keys::{KeyPlan, Keys};
use super::payload::{PayloadPlan, Payloads};
use super::schedule::Schedule;
use super::tally::Window;
use crate::base::prng::Prng;
use crate::base::time::{Instant, Now};
use crate::cli::output::notice;
use crate::client::partitioner::partition_of_key;
use crate::client::producer::{
    Delivery, DeliveryError, Producer, ProducerCounters, ProducerOptions, ProducerRecord,
    QueueIndex, Run,
};
use crate::client::{Client, ClientError, ClientOptions, pump_all};
use crate::runtime::blocking::{Clock, Interrupt};
use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Longest wait: a signal or another thread's failure is noticed by then.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// Shortest wait for the next record that is due: at high rates some are sent together.
const WAIT_MIN: Duration = Duration::from_micros(200);

/// How long what is on its way is waited for after an interruption.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// How often a thread sends before it looks at what has arrived.
const SENDS_MAX: u32 = 16;

/// How many kinds of failure one producer names.
const FAILURES_NAMED_MAX: usize = 3;

/// With keys, records do not fill batches one after the other: so many batches of each partition
/// are made ahead, so that most requests have one for each.
const KEYED_BATCHES_AHEAD: usize = 4;

/// What is to be sent, by all producers together.
#[derive(Debug)]
pub struct LoadPlan {
    /// Where the brokers are.
    pub client: ClientOptions,
    /// What each producer is told.
    pub producer: ProducerOptions,
    /// Where the records go.
    pub topic: String,
    /// How many producers.
    pub producers: u64,
    /// How many records.
    pub records: u64,
    /// How many of them are warm-up.
    pub warmup_records: u64,
    /// When they are due; `None`: as fast as they are taken.
    pub schedule: Option<Schedule>,
    /// Their values.
    pub payloads: PayloadPlan,
    /// Their keys.
    pub keys: KeyPlan,
    /// Decides everything random.
    pub seed: u64,
}

/// What the threads have in common.
#[derive(Debug)]
pub struct Together {
    /// The clock that all go by.
    pub clock: Clock,
    /// Ctrl-C.
    pub interrupt: Interrupt,
    meeting: Barrier,
    started: OnceLock<Instant>,
    stopped: AtomicBool,
}

impl Together {
    /// For so many threads.
    #[must_use]
    pub fn new(clock: Clock, interrupt: Interrupt, threads: usize) -> Together {
        Together {
            clock,
            interrupt,
            meeting: Barrier::new(threads),
            started: OnceLock::new(),
            stopped: AtomicBool::new(false),
        }
    }

    /// When all producers were connected and the first record was due.
    pub fn started(&self) -> Option<Instant> {
        self.started.get().copied()
    }

    /// No more records, in no thread.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.interrupt.arrived()
    }

    /// Waits until every thread has connected, or failed to. `None`: one has failed.
    fn meet(&self, connected: bool) -> Option<Instant> {
        if !connected {
            self.stop();
        }
        self.meeting.wait();
        let started = *self.started.get_or_init(|| self.clock.now().instant);
        (!self.stopped.load(Ordering::Relaxed)).then_some(started)
    }
}

/// How a thread's producers ended.
#[derive(Clone, Default, Debug)]
pub struct Ended {
    /// Records made.
    pub made: u64,
    /// Records given up.
    pub failed: u64,
    /// Why the last of them was.
    pub failure: Option<String>,
    /// Why the thread ended before its time.
    pub error: Option<String>,
    /// When the last record's fate was known: what is made and waits in memory is not sent.
    pub last_delivered_at: Instant,
    /// Longest time that a record was made after it was due.
    pub late_max: Duration,
    /// What the producers counted.
    pub counters: ProducerCounters,
}

/// Drives the producers with these numbers, of all that the plan has.
pub fn run(
    plan: &LoadPlan,
    numbers: Range<u64>,
    together: &Together,
    window: &Mutex<Window>,
) -> Ended {
    let mut clients = Vec::new();
    let mut lanes = Vec::new();
    let mut failed = None;
    for number in numbers {
        if together.is_stopped() {
            break;
        }
        match connect(plan, number, together) {
            Ok((client, lane)) => {
                clients.push(client);
                lanes.push(lane);
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    let started = together.meet(failed.is_none());
    let mut ended = Ended::default();
    if let (Some(started), None) = (started, &failed) {
        failed = drive(&mut clients, &mut lanes, started, together, window).err();
    }
    if let Some(error) = failed {
        together.stop();
        ended.error = Some(error.to_string());
    }
    for lane in lanes {
        ended.made += lane.made;
        ended.failed += lane.failed;
        ended.failure = lane.failures.last().cloned().or(ended.failure);
        ended.last_delivered_at = ended.last_delivered_at.max(lane.last_delivered_at);
        ended.late_max = ended.late_max.max(lane.late_max);
        ended.counters = ended.counters.plus(*lane.producer.counters());
    }
    ended
}

fn connect(
    plan: &LoadPlan,
    number: u64,
    together: &Together,
) -> Result<(Client, Lane), ClientError> {
    let mut options = plan.client.clone();
    if plan.producers > 1 {
        options.client_id = format!("{}-{number}", options.client_id);
    }
    let mut client = Client::connect_by(together.clock, options)?;
    let partitions = client.partition_count(&plan.topic)?;
    let mut lane = Lane::new(plan, number, partitions, client.cluster().brokers().count());
    client.prepare_producer(&mut lane.producer)?;
    Ok((client, lane))
}

fn drive(
    clients: &mut [Client],
    lanes: &mut [Lane],
    started: Instant,
    together: &Together,
    window: &Mutex<Window>,
) -> Result<(), ClientError> {
    let mut drained_by = None;
    loop {
        let now = together.clock.now();
        if drained_by.is_none() && together.is_stopped() {
            drained_by = Some(now.instant + DRAIN_MAX);
            lanes.iter_mut().for_each(Lane::stop);
        }
        let mut until = now.instant + WAIT_MAX;
        for (client, lane) in clients.iter_mut().zip(&mut *lanes) {
            for _ in 0..SENDS_MAX {
                lane.make(now, started);
                until = until.min(client.send_produces(&mut lane.producer)?);
                if !lane.wants_more() {
                    break;
                }
                until = now.instant;
            }
            until = until.min(lane.next_due(now.instant, started));
        }
        pump_all(clients, until, false)?;
        let now = together.clock.now().instant;
        let mut is_done = true;
        for (client, lane) in clients.iter_mut().zip(&mut *lanes) {
            client.receive_produces(&mut lane.producer)?;
            lane.take_in(now, started, window);
            is_done &= lane.is_done();
        }
        if is_done {
            for client in clients {
                client.finish_sending()?;
            }
            return Ok(());
        }
        if drained_by.is_some_and(|end| end <= now) {
            return Ok(());
        }
        if lanes.iter().any(|lane| lane.gave_up) {
            together.stop();
        }
    }
}

/// One producer. Of all records it makes every n-th, n being the number of producers.
struct Lane {
    plan_producers: u64,
    number: u64,
    /// Records that it makes.
    share: u64,
    /// Those of them that are warm-up.
    warmup: u64,
    made: u64,
    schedule: Option<Schedule>,
    producer: Producer,
    /// One per partition.
    queues: Vec<QueueIndex>,
    /// The partition that records without a key go to, and how much it has had.
    sticky: usize,
    sticky_bytes: usize,
    /// Bytes that are made ahead.
    ahead_bytes: usize,
    payloads: Payloads,
    keys: Keys,
    failed: u64,
    failures: Vec<String>,
    gave_up: bool,
    last_delivered_at: Instant,
    late_max: Duration,
}

impl Lane {
    fn new(plan: &LoadPlan, number: u64, partitions: i32, brokers: usize) -> Lane {
        let mut producer = Producer::new(plan.producer.clone());
        let topic = Rc::<str>::from(plan.topic.as_str());
        let queues: Vec<QueueIndex> = (0..partitions)
            .map(|partition| producer.queue(&topic, partition))
            .collect();
        let options = &plan.producer;
        let batches = match plan.keys {
            KeyPlan::None => 1,
            KeyPlan::Uniform(_) | KeyPlan::InTurn(_) | KeyPlan::Zipf(..) => KEYED_BATCHES_AHEAD,
        };
        let request_bytes = options
            .batch_bytes
            .saturating_mul(queues.len().div_ceil(brokers.max(1)))
            .min(options.request_bytes);
        let mut prng = Prng::new(plan.seed);
        for _ in 0..number {
            prng = prng.split();
        }
        Lane {
            plan_producers: plan.producers,
            number,
            share: share(plan.records, number, plan.producers),
            warmup: share(plan.warmup_records, number, plan.producers),
            made: 0,
            schedule: plan.schedule,
            sticky: prng.index(queues.len()),
            sticky_bytes: 0,
            ahead_bytes: request_bytes
                .saturating_mul(brokers.max(1))
                .saturating_mul(batches)
                .clamp(1, options.buffer_bytes),
            payloads: Payloads::new(plan.payloads.clone(), prng.split()),
            keys: Keys::new(plan.keys, prng.split()),
            queues,
            producer,
            failed: 0,
            failures: Vec::new(),
            gave_up: false,
            last_delivered_at: Instant(0),
            late_max: Duration::ZERO,
        }
    }

    /// The number among all records of one of its own.
    fn number_of(&self, own: u64) -> u64 {
        own * self.plan_producers + self.number
    }

    /// Makes the records that are due, as far as there is room for them.
    fn make(&mut self, now: Now, started: Instant) {
        let first = self.made;
        match self.schedule {
            None => {
                while self.made < self.share && self.producer.waiting_bytes() < self.ahead_bytes {
                    self.make_one(now);
                }
            }
            Some(schedule) => {
                let elapsed = now.instant.since(started);
                let due = schedule.due_by(elapsed);
                let due = share(due, self.number, self.plan_producers).min(self.share);
                while self.made < due && !self.producer.is_full() {
                    self.make_one(now);
                }
                if self.made > first {
                    let late = elapsed.saturating_sub(schedule.due_at(self.number_of(first)));
                    self.late_max = self.late_max.max(late);
                }
            }
        }
        if self.made > first && self.made == self.share {
            self.producer.set_flushing(true);
        }
    }

    fn make_one(&mut self, now: Now) {
        let number = self.number_of(self.made);
        let record = ProducerRecord {
            timestamp: now.timestamp,
            key: self.keys.next(number),
            value: Some(self.payloads.next(number)),
            headers: &[],
            cookie: self.made,
        };
        let queue = match record.key {
            Some(key) => {
                let count = i32::try_from(self.queues.len()).expect("a topic's partitions");
                let partition = partition_of_key(key, count);
                self.queues[usize::try_from(partition).expect("never negative")]
            }
            None => {
                let mut queue = self.queues[self.sticky];
                let is_full = !self.producer.has_room(queue, &record);
                if is_full || self.sticky_bytes >= self.producer.options().batch_bytes {
                    if is_full {
                        self.producer.close(queue);
                    }
                    self.sticky = (self.sticky + 1) % self.queues.len();
                    self.sticky_bytes = 0;
                    queue = self.queues[self.sticky];
                }
                self.sticky_bytes += record.value.map_or(0, <[u8]>::len);
                queue
            }
        };
        self.producer.append(now.instant, queue, &record);
        self.made += 1;
    }

    /// Whether records can be made at once: what was waiting has been sent.
    fn wants_more(&self) -> bool {
        self.schedule.is_none()
            && self.made < self.share
            && self.producer.waiting_bytes() < self.ahead_bytes
    }

    /// When the next record is due that there is room for.
    fn next_due(&self, now: Instant, started: Instant) -> Instant {
        match self.schedule {
            Some(schedule) if self.made < self.share && !self.producer.is_full() => {
                let due = started + schedule.due_at(self.number_of(self.made));
                due.max(now + WAIT_MIN)
            }
            Some(_) | None => Instant::NEVER,
        }
    }

    /// Makes no more records.
    fn stop(&mut self) {
        self.share = self.made;
        self.producer.set_flushing(true);
    }

    fn is_done(&self) -> bool {
        self.made == self.share && self.producer.is_idle() && !self.producer.has_deliveries()
    }

    /// Counts what was delivered by now.
    fn take_in(&mut self, now: Instant, started: Instant, window: &Mutex<Window>) {
        if !self.producer.has_deliveries() {
            return;
        }
        self.last_delivered_at = now;
        // A thread that panicked has ended the process.
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(delivery) = self.producer.poll_delivery() {
            match &delivery.result {
                Ok(_) => {
                    for run in &delivery.runs {
                        self.count(run, now, started, &mut window);
                    }
                }
                Err(error) => self.fail(&delivery, error),
            }
        }
    }

    fn count(&self, run: &Run, now: Instant, started: Instant, window: &mut Window) {
        let latency = now.since(run.enqueued_at);
        window.sent.record(latency, run.count, run.value_bytes);
        if let Some(schedule) = self.schedule {
            for own in run.cookies() {
                let due = started + schedule.due_at(self.number_of(own));
                window.due.record(now.since(due), 1, 0);
            }
        }
        // Where there is no warm-up, there is no second account either.
        if self.warmup > 0 {
            let warm = self.warmup.saturating_sub(run.cookie).min(run.count);
            let steady = run.count - warm;
            if steady > 0 {
                let bytes = run.value_bytes / run.count * steady;
                window.steady.record(latency, steady, bytes);
                let since = window.steady_since.get_or_insert(run.enqueued_at);
                *since = (*since).min(run.enqueued_at);
            }
        }
    }

    fn fail(&mut self, delivery: &Delivery, error: &DeliveryError) {
        let count = delivery.record_count();
        self.failed += count;
        let failure = error.to_string();
        if self.failures.len() < FAILURES_NAMED_MAX && !self.failures.contains(&failure) {
            notice(format_args!(
                "Error when sending {count} record(s) to topic {}, partition {}: {failure}",
                delivery.topic, delivery.partition
            ));
            self.failures.push(failure);
        }
        // Nobody took it for all of delivery.timeout.ms: the next ones will fare no better.
        match error {
            DeliveryError::Expired { .. } => self.gave_up = true,
            DeliveryError::Refused { .. } => {}
        }
    }
}

/// How many of the first `all` records are made by the producer with that number, of so many.
fn share(all: u64, number: u64, producers: u64) -> u64 {
    all.saturating_sub(number).div_ceil(producers)
}

/// Which producers each thread drives: the numbers, as evenly as they go.
#[must_use]
pub fn spread(producers: u64, threads: u64) -> Vec<Range<u64>> {
    let threads = threads.clamp(1, producers.max(1));
    let bound = |thread: u64| {
        let product = u128::from(producers) * u128::from(thread) / u128::from(threads);
        u64::try_from(product).expect("at most the number of producers")
    };
    (0..threads)
        .map(|thread| bound(thread)..bound(thread + 1))
        .collect()
}

/// Makes an account for each thread.
#[must_use]
pub fn windows(threads: usize) -> Vec<Mutex<Window>> {
    (0..threads)
        .map(|_| Mutex::new(Window::default()))
        .collect()
}

/// Largest number of producers: each has a connection, and files are bounded.
pub const PRODUCERS_MAX: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_somebodys() {
        for (all, producers) in [(0, 3), (1, 3), (10, 3), (12, 4), (7, 100)] {
            let shares = (0..producers).map(|number| share(all, number, producers));
            assert_eq!(shares.sum::<u64>(), all);
        }
        assert_eq!(share(10, 0, 3), 4);
        assert_eq!(share(10, 1, 3), 3);
    }

    #[test]
    fn every_producer_is_some_threads() {
        assert_eq!(spread(5, 2), [0..2, 2..5]);
        assert_eq!(spread(1, 8).iter().collect::<Vec<_>>(), [&(0..1)]);
        assert_eq!(spread(4, 0).iter().collect::<Vec<_>>(), [&(0..4)]);
    }
}
