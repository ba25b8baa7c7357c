//! The consuming side of the client: partitions are assigned with a position, one long-poll fetch
//! per broker asks for all of them that have nothing waiting, and what comes back is opened batch
//! by batch. A plain state machine: it is given the cluster as known, and the answers.

use super::cluster::Cluster;
use super::error::ClientError;
use crate::base::ids::{NodeId, Offset};
use crate::base::time::Instant;
use crate::base::uuid::Uuid;
use crate::protocol::messages::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData,
};
use crate::protocol::{ErrorCode, Records};
use crate::record::{BatchError, HEADER_BYTES, OpenBatch, Record, RecordBatch};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

/// What a compressed batch may grow to when it is opened.
const OPENED_BYTES_MAX: usize = 512 << 20;

/// Key of a control record: version, then type. A type of 0 ends a transaction by aborting it.
const CONTROL_KEY_BYTES: usize = 4;

/// Which records of transactions are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// All, of whatever outcome.
    ReadUncommitted,
    /// Those of committed transactions only.
    ReadCommitted,
}

/// What a consumer is told when it is made. Kafka's names and defaults.
#[derive(Clone, Debug)]
pub struct ConsumerOptions {
    /// `fetch.max.wait.ms`.
    pub max_wait: Duration,
    /// `fetch.min.bytes`.
    pub min_bytes: i32,
    /// `fetch.max.bytes`.
    pub max_bytes: i32,
    /// `max.partition.fetch.bytes`.
    pub partition_bytes: i32,
    /// `isolation.level`.
    pub isolation: Isolation,
    /// `check.crcs`.
    pub check_crcs: bool,
    /// `client.rack`.
    pub rack: String,
    /// How long a partition rests after an error.
    pub retry_backoff: Duration,
}

impl Default for ConsumerOptions {
    fn default() -> ConsumerOptions {
        ConsumerOptions {
            max_wait: Duration::from_millis(500),
            min_bytes: 1,
            max_bytes: 50 << 20,
            partition_bytes: 1 << 20,
            isolation: Isolation::ReadUncommitted,
            check_crcs: true,
            rack: String::new(),
            retry_backoff: Duration::from_millis(100),
        }
    }
}

/// A request to send: the machine does not know sockets.
#[derive(Debug)]
pub struct OutgoingFetch {
    /// To that broker.
    pub node: NodeId,
    /// The request.
    pub request: FetchRequest,
    /// Whether topic ids are known for all its topics: versions 13 and later need them.
    pub has_topic_ids: bool,
}

/// What the caller has to find out before fetching can go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutOfRange {
    /// Name of the topic.
    pub topic: Rc<str>,
    /// Which partition of it.
    pub partition: i32,
    /// The position that does not exist there.
    pub position: Offset,
}

/// A batch that is ready to be read.
#[derive(Debug)]
pub struct FetchedBatch {
    /// Name of the topic.
    pub topic: Rc<str>,
    /// Which partition of it.
    pub partition: i32,
    /// First offset not to skip: a batch may begin before what was asked for.
    pub from: Offset,
    /// The batch, opened.
    pub batch: OpenBatch,
}

impl FetchedBatch {
    /// Its records, from the position on.
    pub fn records(&self) -> impl Iterator<Item = Result<Record<'_>, BatchError>> {
        self.batch.iter().filter(|record| match record {
            Ok(record) => record.offset >= self.from,
            Err(_) => true,
        })
    }
}

#[derive(Debug)]
struct Assigned {
    position: Offset,
    /// The end of the log as the last answer gave it; `None` before the first.
    high_watermark: Option<Offset>,
    /// Whether fetched bytes wait to be read.
    has_fetched: bool,
    paused: bool,
    not_before: Instant,
}

#[derive(Debug)]
struct Fetched {
    topic: Rc<str>,
    partition: i32,
    rest: Bytes,
    whole: usize,
    /// Aborted transactions that begin further on: (first offset, producer), by offset.
    aborted_ahead: VecDeque<(i64, i64)>,
    /// Producers whose aborted transaction the position is within.
    aborted_now: Vec<i64>,
}

/// The machine.
#[derive(Debug)]
pub struct Consumer {
    options: ConsumerOptions,
    partitions: BTreeMap<(Rc<str>, i32), Assigned>,
    /// What each broker was asked for and has not answered: partitions, and from where on.
    in_flight: BTreeMap<NodeId, BTreeMap<(Rc<str>, i32), Offset>>,
    fetched: VecDeque<Fetched>,
    out_of_range: VecDeque<OutOfRange>,
    needs_metadata: bool,
}

impl Consumer {
    /// A consumer of nothing.
    #[must_use]
    pub fn new(options: ConsumerOptions) -> Consumer {
        Consumer {
            options,
            partitions: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            fetched: VecDeque::new(),
            out_of_range: VecDeque::new(),
            needs_metadata: false,
        }
    }

    /// What it was told.
    #[must_use]
    pub fn options(&self) -> &ConsumerOptions {
        &self.options
    }

    /// Reads a partition from that offset on; one that is already read is moved there.
    pub fn assign(&mut self, topic: &Rc<str>, partition: i32, position: Offset) {
        self.fetched
            .retain(|fetched| fetched.topic != *topic || fetched.partition != partition);
        self.partitions.insert(
            (Rc::clone(topic), partition),
            Assigned {
                position,
                high_watermark: None,
                has_fetched: false,
                paused: false,
                not_before: Instant(0),
            },
        );
    }

    /// Reads no partition any more. What is on its way is left out when it comes.
    pub fn unassign_all(&mut self) {
        self.partitions.clear();
        self.fetched.clear();
        self.out_of_range.clear();
    }

    /// Every assigned partition with the next offset that will be read from it.
    pub fn positions(&self) -> impl Iterator<Item = ((Rc<str>, i32), Offset)> {
        self.partitions
            .iter()
            .map(|(key, assigned)| (key.clone(), assigned.position))
    }

    /// Does not fetch from a partition any more, or does so again.
    pub fn set_paused(&mut self, topic: &Rc<str>, partition: i32, paused: bool) {
        if let Some(assigned) = self.partitions.get_mut(&(Rc::clone(topic), partition)) {
            assigned.paused = paused;
        }
    }

    /// The next offset that will be read from a partition.
    #[must_use]
    pub fn position(&self, topic: &Rc<str>, partition: i32) -> Option<Offset> {
        let key = (Rc::clone(topic), partition);
        self.partitions.get(&key).map(|assigned| assigned.position)
    }

    /// Whether every assigned partition has been read up to its high watermark, as last told.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.partitions.values().all(|assigned| {
            !assigned.has_fetched
                && assigned
                    .high_watermark
                    .is_some_and(|end| assigned.position >= end)
        })
    }

    /// Whether an answer said that the cluster as known is out of date; asking clears it.
    pub fn take_needs_metadata(&mut self) -> bool {
        std::mem::take(&mut self.needs_metadata)
    }

    /// A partition whose position does not exist: assign it anew.
    pub fn poll_out_of_range(&mut self) -> Option<OutOfRange> {
        self.out_of_range.pop_front()
    }

    /// The next fetch that can be sent, or `None`. Call it until it gives none.
    pub fn poll_request(&mut self, now: Instant, cluster: &Cluster) -> Option<OutgoingFetch> {
        let mut node: Option<NodeId> = None;
        let mut asked = BTreeMap::new();
        let mut topics: Vec<FetchTopic> = Vec::new();
        let mut has_topic_ids = true;
        for ((topic, index), assigned) in &self.partitions {
            if assigned.has_fetched || assigned.paused || assigned.not_before > now {
                continue;
            }
            let Some(leader) = cluster.leader(topic, *index) else {
                self.needs_metadata = true;
                continue;
            };
            if self.in_flight.contains_key(&leader) || node.is_some_and(|node| node != leader) {
                continue;
            }
            node = Some(leader);
            let topic_id = cluster.topic_id(topic).unwrap_or(Uuid::ZERO);
            has_topic_ids &= topic_id != Uuid::ZERO;
            let epoch = cluster
                .partition(topic, *index)
                .map_or(-1, |partition| partition.leader_epoch);
            let partition = FetchPartition {
                partition: *index,
                current_leader_epoch: epoch,
                fetch_offset: assigned.position.0,
                partition_max_bytes: self.options.partition_bytes,
                ..FetchPartition::default()
            };
            asked.insert((Rc::clone(topic), *index), assigned.position);
            match topics.last_mut().filter(|last| *last.topic == **topic) {
                Some(last) => last.partitions.push(partition),
                None => topics.push(FetchTopic {
                    topic: (&**topic).into(),
                    topic_id,
                    partitions: vec![partition],
                    ..FetchTopic::default()
                }),
            }
        }
        let node = node?;
        self.in_flight.insert(node, asked);
        let max_wait = self.options.max_wait.as_millis();
        Some(OutgoingFetch {
            node,
            request: FetchRequest {
                max_wait_ms: i32::try_from(max_wait).unwrap_or(i32::MAX),
                min_bytes: self.options.min_bytes,
                max_bytes: self.options.max_bytes,
                isolation_level: match self.options.isolation {
                    Isolation::ReadUncommitted => 0,
                    Isolation::ReadCommitted => 1,
                },
                topics,
                rack_id: self.options.rack.as_str().into(),
                ..FetchRequest::default()
            },
            has_topic_ids,
        })
    }

    /// When a resting partition may be fetched again.
    #[must_use]
    pub fn next_deadline(&self, now: Instant) -> Instant {
        self.partitions
            .values()
            .map(|assigned| assigned.not_before)
            .filter(|&at| at > now)
            .min()
            .unwrap_or(Instant::NEVER)
    }

    /// The connection broke before the broker answered.
    pub fn handle_disconnect(&mut self, now: Instant, node: NodeId) {
        self.needs_metadata = true;
        let backoff = self.options.retry_backoff;
        for key in self.in_flight.remove(&node).unwrap_or_default().into_keys() {
            if let Some(assigned) = self.partitions.get_mut(&key) {
                assigned.not_before = now + backoff;
            }
        }
    }

    /// A broker's answer. An error of one partition concerns that one; what no retry mends is
    /// returned, the other partitions having been taken in.
    pub fn handle_response(
        &mut self,
        now: Instant,
        cluster: &Cluster,
        node: NodeId,
        response: &FetchResponse,
    ) -> Result<(), ClientError> {
        let asked = self.in_flight.remove(&node).unwrap_or_default();
        let error = ErrorCode::from(response.error_code);
        let mut outcome = match error {
            ErrorCode::NONE => Ok(()),
            error if error.is_retriable() => {
                self.needs_metadata = true;
                Ok(())
            }
            error => Err(ClientError::kafka("Fetch", error, None)),
        };
        for topic in &response.responses {
            let name = if topic.topic.is_empty() {
                cluster.topic_name(topic.topic_id)
            } else {
                Some(Rc::from(&*topic.topic))
            };
            let Some(name) = name else {
                continue;
            };
            for partition in &topic.partitions {
                // What was moved or assigned anew meanwhile was not asked for.
                let key = (Rc::clone(&name), partition.partition_index);
                let position = self.position(&name, partition.partition_index);
                if asked.get(&key).is_some_and(|&from| Some(from) != position) {
                    continue;
                }
                let result = self.handle_partition(now, &name, partition);
                outcome = outcome.and(result);
            }
        }
        outcome
    }

    fn handle_partition(
        &mut self,
        now: Instant,
        topic: &Rc<str>,
        data: &PartitionData,
    ) -> Result<(), ClientError> {
        let key = (Rc::clone(topic), data.partition_index);
        let Some(assigned) = self.partitions.get_mut(&key) else {
            return Ok(());
        };
        let error = ErrorCode::from(data.error_code);
        if error == ErrorCode::OFFSET_OUT_OF_RANGE {
            assigned.paused = true;
            self.out_of_range.push_back(OutOfRange {
                topic: key.0,
                partition: key.1,
                position: assigned.position,
            });
            return Ok(());
        }
        if error != ErrorCode::NONE {
            assigned.not_before = now + self.options.retry_backoff;
            if error.is_retriable() {
                self.needs_metadata = true;
                return Ok(());
            }
            let what = format!("Fetch of {topic}-{}", data.partition_index);
            return Err(ClientError::kafka(&what, error, None));
        }
        assigned.high_watermark = Some(Offset(data.high_watermark));
        let records = data.records.as_ref().and_then(Records::bytes);
        let Some(records) = records.filter(|records| !records.is_empty()) else {
            return Ok(());
        };
        assigned.has_fetched = true;
        let mut aborted: Vec<(i64, i64)> = data
            .aborted_transactions
            .iter()
            .flatten()
            .map(|aborted| (aborted.first_offset, aborted.producer_id))
            .collect();
        aborted.sort_unstable();
        self.fetched.push_back(Fetched {
            topic: key.0,
            partition: key.1,
            whole: records.len(),
            rest: records.clone(),
            aborted_ahead: aborted.into(),
            aborted_now: Vec::new(),
        });
        Ok(())
    }

    /// The next batch with records to read, or `None` where a fetch has to be answered first.
    /// The position moves behind it. A batch that cannot be read is an error that names it.
    pub fn poll_batch(&mut self) -> Result<Option<FetchedBatch>, ClientError> {
        while let Some(mut fetched) = self.fetched.pop_front() {
            let key = (Rc::clone(&fetched.topic), fetched.partition);
            let Some(assigned) = self.partitions.get_mut(&key) else {
                continue;
            };
            let Some(batch) = first_batch(&mut fetched, assigned.position)? else {
                assigned.has_fetched = false;
                continue;
            };
            let from = assigned.position;
            assigned.position = from.max(batch.header().next_offset());
            let result = self.open(&mut fetched, &batch, from);
            self.fetched.push_front(fetched);
            if let Some(batch) = result? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Opens a batch, or leaves it out: control records, aborted ones, those before the position.
    fn open(
        &self,
        fetched: &mut Fetched,
        batch: &RecordBatch,
        from: Offset,
    ) -> Result<Option<FetchedBatch>, ClientError> {
        let header = batch.header();
        let wrong = |error: BatchError| ClientError::Batch {
            topic: fetched.topic.to_string(),
            partition: fetched.partition,
            offset: header.base_offset,
            error,
        };
        if self.options.check_crcs {
            batch.check_crc().map_err(wrong)?;
        }
        if header.next_offset() <= from {
            return Ok(None);
        }
        if header.is_control() {
            let open = batch.open(OPENED_BYTES_MAX).map_err(wrong)?;
            if ends_by_abort(&open) {
                let producer = header.producer_id.0;
                fetched.aborted_now.retain(|&aborted| aborted != producer);
            }
            return Ok(None);
        }
        if self.options.isolation == Isolation::ReadCommitted && header.is_transactional() {
            let last = header.last_offset().0;
            while let Some(&(first_offset, producer)) = fetched.aborted_ahead.front() {
                if first_offset > last {
                    break;
                }
                fetched.aborted_ahead.pop_front();
                fetched.aborted_now.push(producer);
            }
            if fetched.aborted_now.contains(&header.producer_id.0) {
                return Ok(None);
            }
        }
        let open = batch.open(OPENED_BYTES_MAX).map_err(wrong)?;
        Ok(Some(FetchedBatch {
            topic: Rc::clone(&fetched.topic),
            partition: fetched.partition,
            from,
            batch: open,
        }))
    }
}

/// Takes the first whole batch off what was fetched; `None` at its end, which may be a batch cut
/// off by the limit of the fetch.
fn first_batch(
    fetched: &mut Fetched,
    position: Offset,
) -> Result<Option<RecordBatch>, ClientError> {
    if fetched.rest.is_empty() {
        return Ok(None);
    }
    let wrong = |error: BatchError| ClientError::Batch {
        topic: fetched.topic.to_string(),
        partition: fetched.partition,
        offset: position,
        error,
    };
    match RecordBatch::split_first(fetched.rest.clone()) {
        Ok((batch, rest)) => {
            fetched.rest = rest;
            Ok(Some(batch))
        }
        Err(error @ BatchError::CutOff { .. }) => {
            // Without one whole batch in all that was fetched there is no way forward.
            if fetched.rest.len() == fetched.whole && fetched.whole > HEADER_BYTES {
                return Err(wrong(error));
            }
            fetched.rest = Bytes::new();
            Ok(None)
        }
        Err(error) => Err(wrong(error)),
    }
}

fn ends_by_abort(batch: &OpenBatch) -> bool {
    batch.iter().next().is_some_and(|record| {
        record.is_ok_and(|record| {
            record
                .key
                .and_then(|key| key.get(2..CONTROL_KEY_BYTES))
                .is_some_and(|kind| kind == [0, 0])
        })
    })
}

#[cfg(test)]
#[path = "consumer_tests.rs"]
mod tests;
