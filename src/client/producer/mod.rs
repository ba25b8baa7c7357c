//! The producing side of the client: records gather into one open batch per partition, full or
//! lingering batches go into one request per broker, and each batch ends in one [`Delivery`].
//! A plain state machine: it is given the time, the cluster as known, and the answers.
//!
//! ```text
//! enqueue → open batch → ready → in flight → delivered
//!                          ↑________│ retriable error: again, in the order of its sequence
//! ```

mod batch;
mod counters;
mod delivery;
mod options;
#[cfg(test)]
mod tests;

pub use counters::ProducerCounters;
pub use delivery::{Delivery, DeliveryError, ProducerRecord, Run};
pub use options::{Acks, ProducerOptions};

use crate::base::ids::{NodeId, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::time::{Instant, milliseconds};
use crate::base::uuid::Uuid;
use crate::client::cluster::Cluster;
use crate::protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceData,
};
use crate::protocol::{ErrorCode, Records};
use batch::{Batch, record_bytes};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

/// A request to send: the machine does not know sockets.
#[derive(Debug)]
pub struct Outgoing {
    /// To that broker.
    pub node: NodeId,
    /// Give this back with the answer.
    pub request_id: u64,
    /// The request; with acks=0 no answer comes, and the machine already counts it as sent.
    pub request: ProduceRequest,
    /// The batches: the request names each by its place here.
    pub records: Vec<Bytes>,
    /// Whether an answer comes.
    pub expects_response: bool,
    /// Whether topic ids are known for all its topics: versions 13 and later need them.
    pub has_topic_ids: bool,
}

/// A partition that records are added to: found once by [`Producer::queue`], then used for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueIndex(usize);

#[derive(Debug)]
struct Queue {
    topic: Rc<str>,
    partition: i32,
    open: Option<Batch>,
    /// In the order they are sent.
    ready: VecDeque<Batch>,
    in_flight: usize,
    /// A batch failed and is sent again: nothing else goes until it is through.
    retrying: bool,
    next_sequence: Sequence,
    next_ordinal: u64,
}

#[derive(Debug)]
struct InFlight {
    node: NodeId,
    batches: Vec<(usize, Batch)>,
}

/// The machine. One queue per partition; queues are never removed.
#[derive(Debug)]
pub struct Producer {
    options: ProducerOptions,
    identity: Option<(ProducerId, ProducerEpoch)>,
    /// The identity is spent: a batch was given up, and its sequence leaves a gap.
    identity_spent: bool,
    queues: Vec<Queue>,
    by_partition: BTreeMap<(Rc<str>, i32), usize>,
    in_flight: BTreeMap<u64, InFlight>,
    in_flight_per_node: BTreeMap<NodeId, usize>,
    next_request_id: u64,
    /// Until when a broker has asked not to be sent anything. KIP-219.
    throttled_until: BTreeMap<NodeId, Instant>,
    buffered_bytes: usize,
    /// Those of them that are not on their way.
    waiting_bytes: usize,
    /// Which queue is looked at first for the next request: a request that is full takes no more,
    /// and the last ones would starve.
    next_queue: usize,
    counters: ProducerCounters,
    flushing: bool,
    needs_metadata: bool,
    deliveries: VecDeque<Delivery>,
}

impl Producer {
    /// A producer with nothing to send.
    #[must_use]
    pub fn new(options: ProducerOptions) -> Producer {
        Producer {
            options,
            identity: None,
            identity_spent: false,
            queues: Vec::new(),
            by_partition: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            in_flight_per_node: BTreeMap::new(),
            next_request_id: 0,
            throttled_until: BTreeMap::new(),
            buffered_bytes: 0,
            waiting_bytes: 0,
            next_queue: 0,
            counters: ProducerCounters::default(),
            flushing: false,
            needs_metadata: false,
            deliveries: VecDeque::new(),
        }
    }

    /// What it was told.
    #[must_use]
    pub fn options(&self) -> &ProducerOptions {
        &self.options
    }

    /// Whether an `InitProducerId` is due before anything can be sent.
    #[must_use]
    pub fn needs_identity(&self) -> bool {
        self.options.idempotent
            && (self.identity.is_none() || (self.identity_spent && self.in_flight.is_empty()))
    }

    /// The answer to `InitProducerId`. Sequences start anew.
    pub fn set_identity(&mut self, producer_id: ProducerId, producer_epoch: ProducerEpoch) {
        self.identity = Some((producer_id, producer_epoch));
        self.identity_spent = false;
        for queue in &mut self.queues {
            queue.next_sequence = Sequence(0);
            for batch in &mut queue.ready {
                batch.sequence = None;
            }
        }
    }

    /// Whether an answer said that the cluster as known is out of date; asking clears it.
    pub fn take_needs_metadata(&mut self) -> bool {
        std::mem::take(&mut self.needs_metadata)
    }

    /// Whether `buffer.memory` is used up: wait for deliveries before the next record.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.buffered_bytes >= self.options.buffer_bytes
    }

    /// Bytes of records that are not on their way to a broker.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// What it has done so far.
    #[must_use]
    pub fn counters(&self) -> &ProducerCounters {
        &self.counters
    }

    /// Whether every record has been delivered or given up.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
            && self
                .queues
                .iter()
                .all(|queue| queue.open.is_none() && queue.ready.is_empty())
    }

    /// From now on (or no longer) batches go out without lingering.
    pub fn set_flushing(&mut self, flushing: bool) {
        self.flushing = flushing;
    }

    /// Adds a record to the open batch of its partition.
    pub fn enqueue(
        &mut self,
        now: Instant,
        topic: &Rc<str>,
        partition: i32,
        record: ProducerRecord<'_>,
    ) {
        let queue = self.queue(topic, partition);
        self.append(now, queue, &record);
    }

    /// Adds a record to the open batch of a partition that has been looked up.
    pub fn append(&mut self, now: Instant, queue: QueueIndex, record: &ProducerRecord<'_>) {
        if !self.has_room(queue, record) {
            self.close(queue);
        }
        let queue = &mut self.queues[queue.0];
        let batch = match &mut queue.open {
            Some(batch) => batch,
            none @ None => {
                queue.next_ordinal += 1;
                none.insert(Batch::open(now, queue.next_ordinal, &self.options))
            }
        };
        batch.append(now, record);
        let grown = batch.grow();
        if batch.bytes >= self.options.batch_bytes {
            queue.ready.extend(queue.open.take());
        }
        self.buffered_bytes += grown;
        self.waiting_bytes += grown;
    }

    /// Whether the record fits into what is open of a partition's batch.
    #[must_use]
    pub fn has_room(&self, queue: QueueIndex, record: &ProducerRecord<'_>) -> bool {
        let open = &self.queues[queue.0].open;
        open.as_ref()
            .is_none_or(|batch| batch.bytes + record_bytes(record) <= self.options.batch_bytes)
    }

    /// Ends the open batch of a partition, if there is one: it waits for no more records.
    pub fn close(&mut self, queue: QueueIndex) {
        let queue = &mut self.queues[queue.0];
        queue.ready.extend(queue.open.take());
    }

    /// Where the records of a partition go.
    pub fn queue(&mut self, topic: &Rc<str>, partition: i32) -> QueueIndex {
        let key = (Rc::clone(topic), partition);
        if let Some(&index) = self.by_partition.get(&key) {
            return QueueIndex(index);
        }
        let index = self.queues.len();
        self.queues.push(Queue {
            topic: Rc::clone(topic),
            partition,
            open: None,
            ready: VecDeque::new(),
            in_flight: 0,
            retrying: false,
            next_sequence: Sequence(0),
            next_ordinal: 0,
        });
        self.by_partition.insert(key, index);
        QueueIndex(index)
    }

    /// The next request that can be sent now, or `None`. Call it until it gives none.
    pub fn poll_request(&mut self, now: Instant, cluster: &Cluster) -> Option<Outgoing> {
        self.expire(now);
        self.throttled_until.retain(|_, until| *until > now);
        if self.options.idempotent && (self.identity.is_none() || self.identity_spent) {
            return None;
        }
        let mut chosen: Option<NodeId> = None;
        let mut bytes = 0;
        let mut batches = Vec::new();
        let first = self.next_queue;
        let count = self.queues.len();
        for index in (first..count).chain(0..first.min(count)) {
            let Some(batch_bytes) = self.sendable(index, now) else {
                continue;
            };
            let queue = &self.queues[index];
            let Some(leader) = cluster.leader(&queue.topic, queue.partition) else {
                self.needs_metadata = true;
                continue;
            };
            let in_flight = self.in_flight_per_node.get(&leader).copied().unwrap_or(0);
            if in_flight >= self.options.in_flight_max
                || chosen.is_some_and(|node| node != leader)
                || self
                    .throttled_until
                    .get(&leader)
                    .is_some_and(|&until| until > now)
            {
                continue;
            }
            if !batches.is_empty() && bytes + batch_bytes > self.options.request_bytes {
                self.next_queue = index;
                break;
            }
            chosen = Some(leader);
            bytes += batch_bytes;
            batches.push((index, self.take_batch(index)));
        }
        let node = chosen?;
        Some(self.request(node, batches, cluster))
    }

    /// Bytes of the batch that may be sent from a queue now.
    fn sendable(&self, index: usize, now: Instant) -> Option<usize> {
        let queue = &self.queues[index];
        if queue.retrying && queue.in_flight > 0 {
            return None;
        }
        if let Some(batch) = queue.ready.front() {
            return (batch.not_before <= now).then_some(batch.bytes);
        }
        let batch = queue.open.as_ref()?;
        let due = self.flushing || batch.created + self.options.linger <= now || self.is_full();
        due.then_some(batch.bytes)
    }

    fn take_batch(&mut self, index: usize) -> Batch {
        let queue = &mut self.queues[index];
        let mut batch = queue
            .ready
            .pop_front()
            .or_else(|| queue.open.take())
            .expect("the queue has a batch that may be sent");
        queue.in_flight += 1;
        let known = batch.sequence;
        let sequence = known.unwrap_or(queue.next_sequence);
        if known.is_none() {
            queue.next_sequence = sequence.plus(batch.record_count);
        }
        batch.sequence = Some(sequence);
        batch.seal(self.identity, sequence);
        batch.attempts += 1;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(batch.bytes);
        self.counters.sent(&batch);
        batch
    }

    fn request(
        &mut self,
        node: NodeId,
        batches: Vec<(usize, Batch)>,
        cluster: &Cluster,
    ) -> Outgoing {
        let mut topic_data: Vec<TopicProduceData> = Vec::new();
        let mut has_topic_ids = true;
        let records: Vec<Bytes> = batches
            .iter()
            .map(|(_, batch)| batch.bytes_to_send())
            .collect();
        for (token, (index, batch)) in batches.iter().enumerate() {
            let queue = &self.queues[*index];
            let topic_id = cluster.topic_id(&queue.topic).unwrap_or(Uuid::ZERO);
            has_topic_ids &= topic_id != Uuid::ZERO;
            let partition = PartitionProduceData {
                index: queue.partition,
                records: Some(Records::Elsewhere {
                    bytes: batch.wire_bytes(),
                    token,
                }),
                ..PartitionProduceData::default()
            };
            let same = topic_data
                .iter_mut()
                .find(|topic| *topic.name == *queue.topic);
            match same {
                Some(topic) => topic.partition_data.push(partition),
                None => topic_data.push(TopicProduceData {
                    name: (&*queue.topic).into(),
                    topic_id,
                    partition_data: vec![partition],
                    ..TopicProduceData::default()
                }),
            }
        }
        let request_id = self.next_request_id;
        self.next_request_id += 1;
        self.counters.requests += 1;
        let expects_response = self.options.acks != Acks::None;
        if expects_response {
            *self.in_flight_per_node.entry(node).or_default() += 1;
            self.in_flight
                .insert(request_id, InFlight { node, batches });
        } else {
            for (index, batch) in batches {
                self.queues[index].in_flight -= 1;
                self.deliver(index, batch, Ok(None));
            }
        }
        let timeout = self.options.request_timeout.as_millis();
        Outgoing {
            node,
            request_id,
            request: ProduceRequest {
                transactional_id: None,
                acks: self.options.acks.code(),
                timeout_ms: i32::try_from(timeout).unwrap_or(i32::MAX),
                topic_data,
                ..ProduceRequest::default()
            },
            records,
            expects_response,
            has_topic_ids,
        }
    }

    /// The answer to a request. Partitions that it does not name count as not answered.
    pub fn handle_response(
        &mut self,
        now: Instant,
        cluster: &Cluster,
        request_id: u64,
        response: &ProduceResponse,
    ) {
        let Some(in_flight) = self.take_in_flight(request_id) else {
            return;
        };
        let throttle = milliseconds(i64::from(response.throttle_time_ms));
        if !throttle.is_zero() {
            self.throttled_until.insert(in_flight.node, now + throttle);
            self.counters.throttled.add(throttle);
        }
        let mut answers = BTreeMap::new();
        for topic in &response.responses {
            let named = cluster.topic_name(topic.topic_id);
            let name = match named {
                Some(name) if topic.name.as_bytes().is_empty() => name,
                Some(_) | None => Rc::from(&*topic.name),
            };
            for partition in &topic.partition_responses {
                answers.insert((Rc::clone(&name), partition.index), partition);
            }
        }
        for (index, batch) in in_flight.batches {
            let queue = &self.queues[index];
            let key = (Rc::clone(&queue.topic), queue.partition);
            match answers.get(&key) {
                Some(answer) => self.handle_answer(now, index, batch, answer),
                None => self.retry(now, index, batch, None),
            }
        }
    }

    fn handle_answer(
        &mut self,
        now: Instant,
        index: usize,
        batch: Batch,
        answer: &PartitionProduceResponse,
    ) {
        let error = ErrorCode::from(answer.error_code);
        if error == ErrorCode::NONE {
            let offset = (answer.base_offset >= 0).then_some(Offset(answer.base_offset));
            self.queues[index].in_flight -= 1;
            self.settle(index);
            self.deliver(index, batch, Ok(offset));
        } else if error == ErrorCode::DUPLICATE_SEQUENCE_NUMBER {
            // An earlier attempt was written, but so long ago that its offset is forgotten.
            self.queues[index].in_flight -= 1;
            self.settle(index);
            self.deliver(index, batch, Ok(None));
        } else if self.is_retriable(index, error) {
            self.needs_metadata = true;
            self.retry(now, index, batch, Some(error));
        } else {
            self.queues[index].in_flight -= 1;
            let message = answer.error_message.as_ref().map(ToString::to_string);
            self.give_up(index, batch, DeliveryError::Refused { error, message });
        }
    }

    fn is_retriable(&self, index: usize, error: ErrorCode) -> bool {
        // A gap is what a batch sees whose predecessor failed: it goes again after that one, or,
        // where that one was given up, under a new identity.
        let follows_a_failure = error == ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER
            && (self.queues[index].retrying || self.identity_spent);
        error.is_retriable() || follows_a_failure
    }

    /// The connection broke, or the answer made no sense: its batches may or may not be written.
    pub fn handle_disconnect(&mut self, now: Instant, request_id: u64) {
        let Some(in_flight) = self.take_in_flight(request_id) else {
            return;
        };
        self.needs_metadata = true;
        for (index, batch) in in_flight.batches {
            self.retry(now, index, batch, None);
        }
    }

    fn take_in_flight(&mut self, request_id: u64) -> Option<InFlight> {
        let in_flight = self.in_flight.remove(&request_id)?;
        if let Some(count) = self.in_flight_per_node.get_mut(&in_flight.node) {
            *count = count.saturating_sub(1);
        }
        Some(in_flight)
    }

    fn retry(&mut self, now: Instant, index: usize, mut batch: Batch, error: Option<ErrorCode>) {
        self.queues[index].in_flight -= 1;
        self.waiting_bytes += batch.bytes;
        self.counters.retried(&batch);
        batch.last_error = error;
        if batch.attempts > self.options.retries {
            let last_error = batch.last_error;
            self.waiting_bytes = self.waiting_bytes.saturating_sub(batch.bytes);
            self.give_up(index, batch, DeliveryError::Expired { last_error });
            return;
        }
        batch.not_before = now + self.options.retry_backoff;
        let queue = &mut self.queues[index];
        queue.retrying = true;
        // Those in flight may fail in any order: they stand again as they were first sent.
        let position = queue
            .ready
            .partition_point(|other| other.ordinal < batch.ordinal);
        queue.ready.insert(position, batch);
    }

    /// Ends the retrying of a partition when nothing that failed is left.
    fn settle(&mut self, index: usize) {
        let queue = &mut self.queues[index];
        if queue.ready.front().is_none_or(|batch| batch.attempts == 0) {
            queue.retrying = false;
        }
    }

    fn give_up(&mut self, index: usize, batch: Batch, error: DeliveryError) {
        self.settle(index);
        self.counters.failed(&batch);
        // Later batches would leave a gap in the sequence: they need a new identity.
        if self.options.idempotent && batch.sequence.is_some() {
            self.identity_spent = true;
        }
        self.deliver(index, batch, Err(error));
    }

    fn deliver(
        &mut self,
        index: usize,
        batch: Batch,
        result: Result<Option<Offset>, DeliveryError>,
    ) {
        self.buffered_bytes = self.buffered_bytes.saturating_sub(batch.bytes);
        let queue = &self.queues[index];
        self.deliveries.push_back(Delivery {
            topic: Rc::clone(&queue.topic),
            partition: queue.partition,
            runs: batch.runs,
            result,
        });
    }

    /// Gives up the batches that wait longer than `delivery.timeout.ms`.
    fn expire(&mut self, now: Instant) {
        let timeout = self.options.delivery_timeout;
        for index in 0..self.queues.len() {
            while let Some(batch) = self.queues[index].ready.front() {
                if batch.created + timeout > now {
                    break;
                }
                let batch = self.queues[index]
                    .ready
                    .pop_front()
                    .expect("looked at above");
                let last_error = batch.last_error;
                self.waiting_bytes = self.waiting_bytes.saturating_sub(batch.bytes);
                self.give_up(index, batch, DeliveryError::Expired { last_error });
            }
            let queue = &mut self.queues[index];
            if let Some(batch) = queue.open.take_if(|batch| batch.created + timeout <= now) {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(batch.bytes);
                self.give_up(index, batch, DeliveryError::Expired { last_error: None });
            }
        }
    }

    /// What became of a batch, oldest first.
    pub fn poll_delivery(&mut self) -> Option<Delivery> {
        self.deliveries.pop_front()
    }

    /// Whether [`Producer::poll_delivery`] has something to tell.
    #[must_use]
    pub fn has_deliveries(&self) -> bool {
        !self.deliveries.is_empty()
    }

    /// When something is due even if no answer comes.
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        let throttled = self.throttled_until.values().copied();
        let mut deadline = throttled.min().unwrap_or(Instant::NEVER);
        for queue in &self.queues {
            if let Some(batch) = &queue.open {
                let linger = if self.flushing {
                    Duration::ZERO
                } else {
                    self.options.linger
                };
                deadline = deadline.min(batch.created + linger);
            }
            if let Some(batch) = queue.ready.front() {
                deadline = deadline.min(batch.not_before.max(batch.created));
                deadline = deadline.min(batch.created + self.options.delivery_timeout);
            }
        }
        deadline
    }
}
