//! A simulated producer: idempotent or plain, several requests under way, retries with the same
//! sequences after errors and lost connections, as Apache's does.

use super::ledger::{Place, Value};
use super::link::{Happened, Link, Reply, any_version};
use super::world::{Scene, Topic};
use crate::base::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::time::{Instant, Timestamp};
use crate::base::uuid::Uuid;
use crate::protocol::ErrorCode;
use crate::protocol::messages::init_producer_id::InitProducerIdRequest;
use crate::protocol::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse,
};
use crate::protocol::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use crate::protocol::records::Records;
use crate::record::{BatchBuilder, Compression, Header};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// First version of Metadata that can say "do not create it".
const NO_AUTO_CREATION_SINCE: i16 = 4;
/// First version of Produce that names topics by id.
const TOPIC_IDS_SINCE: i16 = 13;
/// Requests of an idempotent producer that may be under way: as many as the broker remembers.
const IN_FLIGHT_MAX: usize = 5;

/// Asks for the topics of the workload.
pub fn ask_metadata(link: &mut Link, scene: &mut Scene<'_>) {
    let version = any_version::<MetadataRequest>(scene.prng, NO_AUTO_CREATION_SINCE);
    let names = scene.topics.iter().map(|topic| MetadataRequestTopic {
        name: Some(topic.name.as_str().into()),
        ..MetadataRequestTopic::default()
    });
    let request = MetadataRequest {
        topics: Some(names.collect()),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    };
    link.request(scene, version, 0, &request);
}

/// The ids of the topics (nil in old versions), where all of them are there.
pub fn topic_ids(topics: &[Topic], response: &MetadataResponse) -> Option<Vec<Uuid>> {
    let find = |wanted: &Topic| {
        let found = response.topics.iter().find(|topic| {
            topic.error_code == 0 && topic.name.as_deref() == Some(wanted.name.as_str())
        });
        let is_whole = |count: usize| i32::try_from(count) == Ok(wanted.partitions);
        let found = found.filter(|topic| is_whole(topic.partitions.len()));
        let is_led = |topic: &&_| led(topic);
        found.filter(is_led).map(|topic| topic.topic_id)
    };
    topics.iter().map(find).collect()
}

fn led(topic: &crate::protocol::messages::metadata::MetadataResponseTopic) -> bool {
    topic
        .partitions
        .iter()
        .all(|partition| partition.error_code == 0 && partition.leader_id >= 0)
}

/// What the producer is to ask next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Metadata,
    Id,
    Ready,
    /// An answer is awaited.
    Waiting,
}

/// The producer.
pub struct Producer {
    pub link: Link,
    index: u32,
    is_idempotent: bool,
    acks: i16,
    compression: Compression,
    in_flight_max: usize,
    id: Option<(i64, i16)>,
    stage: Stage,
    topic_ids: Vec<Uuid>,
    lanes: Vec<Lane>,
    /// What each request under way carries: lane and batch.
    requests: BTreeMap<u64, Vec<(usize, u64)>>,
    next_token: u64,
    next_number: u32,
    next_serial: u64,
    batches_left: usize,
    retry_at: Instant,
    /// Batches that were sent before a restart, and refused after it as out of order.
    pub forgotten: u64,
}

/// The batches of one partition, in order.
struct Lane {
    place: Place,
    next_sequence: i32,
    batches: VecDeque<Batch>,
    /// An error came: nothing more is sent until all that is under way has come back.
    is_draining: bool,
}

struct Batch {
    serial: u64,
    bytes: Bytes,
    records: Vec<(Value, i64)>,
    is_in_flight: bool,
    /// In which life of the process it was sent first.
    first_life: Option<u64>,
}

impl Producer {
    pub fn new(scene: &mut Scene<'_>, index: u32, batches: usize) -> Producer {
        let mut lanes = Vec::new();
        for (topic, spec) in scene.topics.iter().enumerate() {
            lanes.extend((0..spec.partitions).map(|partition| Lane {
                place: Place { topic, partition },
                next_sequence: 0,
                batches: VecDeque::new(),
                is_draining: false,
            }));
        }
        let is_idempotent = !scene.prng.one_in(4);
        let compressions = Compression::ALL;
        Producer {
            link: Link::new(format!("producer {index}")),
            index,
            is_idempotent,
            acks: if scene.prng.one_in(2) { 1 } else { -1 },
            compression: compressions[scene.prng.index(compressions.len())],
            in_flight_max: if scene.prng.one_in(3) {
                1
            } else {
                IN_FLIGHT_MAX
            },
            id: None,
            stage: Stage::Waiting,
            topic_ids: Vec::new(),
            lanes,
            requests: BTreeMap::new(),
            next_token: 1,
            next_number: 0,
            next_serial: 0,
            batches_left: batches,
            retry_at: Instant(0),
            forgotten: 0,
        }
    }

    /// Everything was produced and acknowledged.
    pub fn is_done(&self) -> bool {
        self.batches_left == 0 && self.lanes.iter().all(|lane| lane.batches.is_empty())
    }

    pub fn step(&mut self, scene: &mut Scene<'_>) -> Result<(), String> {
        for happened in self.link.step(scene)? {
            match happened {
                Happened::Connected => self.on_connected(),
                Happened::Reply(reply) => self.on_reply(scene, &reply)?,
            }
        }
        if !self.link.is_connected() || scene.now().instant < self.retry_at {
            return Ok(());
        }
        match self.stage {
            Stage::Metadata => {
                self.stage = Stage::Waiting;
                ask_metadata(&mut self.link, scene);
            }
            Stage::Id => {
                self.stage = Stage::Waiting;
                let version = any_version::<InitProducerIdRequest>(scene.prng, 0);
                let request = InitProducerIdRequest {
                    // Kafka's default is the empty id, which is not the same as none.
                    transactional_id: None,
                    transaction_timeout_ms: 60_000,
                    ..InitProducerIdRequest::default()
                };
                self.link.request(scene, version, 0, &request);
            }
            Stage::Ready => self.produce(scene),
            Stage::Waiting => {}
        }
        Ok(())
    }

    fn on_connected(&mut self) {
        self.stage = Stage::Metadata;
        self.requests.clear();
        for lane in &mut self.lanes {
            lane.is_draining = false;
            for batch in &mut lane.batches {
                batch.is_in_flight = false;
            }
        }
    }

    fn on_reply(&mut self, scene: &mut Scene<'_>, reply: &Reply) -> Result<(), String> {
        if reply.token > 0 {
            return self.on_produced(scene, reply);
        }
        if reply.is_of::<MetadataRequest>() {
            let response = reply.decode::<MetadataRequest>()?;
            match topic_ids(scene.topics, &response) {
                Some(ids) => {
                    self.topic_ids = ids;
                    let needs_id = self.is_idempotent && self.id.is_none();
                    self.stage = if needs_id { Stage::Id } else { Stage::Ready };
                }
                None => self.again_later(scene, Stage::Metadata),
            }
            return Ok(());
        }
        let response = reply.decode::<InitProducerIdRequest>()?;
        let error = ErrorCode::from(response.error_code);
        scene.note(|| format!("{} gets {response:?}", self.link.name()));
        if !error.is_none() {
            self.again_later(scene, Stage::Id);
            return if scene.may_refuse(error) {
                Ok(())
            } else {
                Err(format!("InitProducerId was refused with {error:?}"))
            };
        }
        scene.ledger.producer_id(response.producer_id)?;
        self.id = Some((response.producer_id, response.producer_epoch));
        self.stage = Stage::Ready;
        Ok(())
    }

    fn again_later(&mut self, scene: &mut Scene<'_>, stage: Stage) {
        self.stage = stage;
        self.retry_at = scene.now().instant + Duration::from_millis(10);
    }

    /// Sends one request with batches for some partitions.
    fn produce(&mut self, scene: &mut Scene<'_>) {
        if self.link.in_flight() >= self.in_flight_max || scene.prng.one_in(2) {
            return;
        }
        let mut chosen = Vec::new();
        for index in 0..self.lanes.len() {
            if scene.prng.one_in(2)
                && let Some(serial) = self.next_batch(scene, index)
            {
                chosen.push((index, serial));
            }
        }
        if chosen.is_empty() {
            return;
        }
        let can_use_ids = self.topic_ids.iter().all(|id| *id != Uuid::default());
        let mut version = any_version::<ProduceRequest>(scene.prng, 0);
        if !can_use_ids {
            version = version.min(TOPIC_IDS_SINCE - 1);
        }
        // The codec came with version 7, and the broker may hold older clients to that.
        if self.compression == Compression::Zstd {
            version = version.max(7);
        }
        let mut request = ProduceRequest {
            acks: self.acks,
            timeout_ms: 30_000,
            ..ProduceRequest::default()
        };
        for &(index, serial) in &chosen {
            let lane = &mut self.lanes[index];
            let place = lane.place;
            let batch = lane.batches.iter_mut().find(|batch| batch.serial == serial);
            let batch = batch.expect("it was chosen from there");
            batch.is_in_flight = true;
            batch.first_life.get_or_insert(scene.life);
            let data = PartitionProduceData {
                index: place.partition,
                records: Some(Records::Bytes(batch.bytes.clone())),
                ..PartitionProduceData::default()
            };
            let name = scene.topics[place.topic].name.as_str();
            match request.topic_data.last_mut() {
                Some(topic) if &*topic.name == name => topic.partition_data.push(data),
                Some(_) | None => request.topic_data.push(TopicProduceData {
                    name: name.into(),
                    topic_id: self.topic_ids[place.topic],
                    partition_data: vec![data],
                    ..TopicProduceData::default()
                }),
            }
        }
        let token = self.next_token;
        self.next_token += 1;
        self.requests.insert(token, chosen);
        self.link.request(scene, version, token, &request);
    }

    /// The batch that a partition shall get next: one that must be sent again, or a new one.
    fn next_batch(&mut self, scene: &mut Scene<'_>, index: usize) -> Option<u64> {
        let lane = &self.lanes[index];
        if lane.is_draining {
            return None;
        }
        if let Some(again) = lane.batches.iter().find(|batch| !batch.is_in_flight) {
            return Some(again.serial);
        }
        if self.batches_left == 0 || lane.batches.len() >= IN_FLIGHT_MAX {
            return None;
        }
        self.batches_left -= 1;
        let batch = self.build(scene, index);
        let serial = batch.serial;
        self.lanes[index].batches.push_back(batch);
        Some(serial)
    }

    fn build(&mut self, scene: &mut Scene<'_>, index: usize) -> Batch {
        let mut builder = BatchBuilder::new(Offset(0)).compression(self.compression);
        let count = 1 + i32::try_from(scene.prng.below(6)).expect("a few");
        if let Some((id, epoch)) = self.id.filter(|_| self.is_idempotent) {
            let lane = &mut self.lanes[index];
            let sequence = Sequence(lane.next_sequence);
            builder = builder.producer(ProducerId(id), ProducerEpoch(epoch), sequence);
            lane.next_sequence += count;
        }
        let mut records = Vec::new();
        for _ in 0..count {
            let value = Value {
                is_idempotent: self.is_idempotent,
                producer: self.index,
                number: self.next_number,
            };
            self.next_number += 1;
            let skew = i64::try_from(scene.prng.below(40)).expect("small");
            let timestamp = scene.now().timestamp.0 - skew;
            let padding = scene.prng.index(300);
            let key = value.number.to_be_bytes();
            let headers = [Header {
                key: b"from",
                value: Some(b"simulation"),
            }];
            let headers = if scene.prng.one_in(4) {
                &headers[..]
            } else {
                &[]
            };
            let bytes = value.encode(padding);
            builder.append(Timestamp(timestamp), Some(&key), Some(&bytes), headers);
            records.push((value, timestamp));
        }
        self.next_serial += 1;
        Batch {
            serial: self.next_serial,
            bytes: builder.finish(),
            records,
            is_in_flight: false,
            first_life: None,
        }
    }

    fn on_produced(&mut self, scene: &mut Scene<'_>, reply: &Reply) -> Result<(), String> {
        let response = reply.decode::<ProduceRequest>()?;
        let Some(carried) = self.requests.remove(&reply.token) else {
            return Err("an answer to a Produce that was never sent".to_owned());
        };
        let mut answers = Vec::new();
        for topic in &response.responses {
            let place = self
                .topic_ids
                .iter()
                .zip(scene.topics)
                .position(|(id, spec)| {
                    if reply.version >= TOPIC_IDS_SINCE {
                        *id == topic.topic_id
                    } else {
                        *topic.name == *spec.name
                    }
                });
            let Some(place) = place else {
                return Err(format!("Produce is answered for another topic: {topic:?}"));
            };
            answers.extend(topic.partition_responses.iter().map(|answer| {
                let partition = answer.index;
                let topic = place;
                (Place { topic, partition }, answer)
            }));
        }
        if answers.len() != carried.len() {
            return Err(format!(
                "Produce of {} partitions is answered for {}",
                carried.len(),
                answers.len()
            ));
        }
        for ((index, serial), (place, answer)) in carried.into_iter().zip(answers) {
            if self.lanes[index].place != place {
                return Err(format!("Produce is answered out of order: {answer:?}"));
            }
            let error = ErrorCode::from(answer.error_code);
            let base_offset = answer.base_offset;
            self.on_batch(scene, index, serial, error, base_offset)
                .map_err(|what| {
                    let why = answer.error_message.as_deref().unwrap_or_default();
                    format!("{} to {place:?}: {what} {why}", self.link.name())
                })?;
        }
        Ok(())
    }

    fn on_batch(
        &mut self,
        scene: &mut Scene<'_>,
        index: usize,
        serial: u64,
        error: ErrorCode,
        base_offset: i64,
    ) -> Result<(), String> {
        let lane = &mut self.lanes[index];
        let found = lane.batches.iter().position(|batch| batch.serial == serial);
        let Some(at) = found else {
            return Err("a batch is answered twice".to_owned());
        };
        let place = lane.place;
        scene.note(|| format!("{place:?}: batch {serial} {error:?} at offset {base_offset}"));
        if error.is_none() {
            if at > 0 && self.is_idempotent {
                return Err(format!(
                    "a batch was taken at offset {base_offset} although the one before it was not"
                ));
            }
            let batch = lane.batches.remove(at).expect("it was found there");
            let now = scene.now().instant;
            return scene.ledger.ack(place, base_offset, &batch.records, now);
        }
        let is_first = at == 0;
        // After a restart the broker may know only the last batch of a producer: Apache's snapshots
        // hold no more. An older one that is sent again is refused, and stands in the log or not.
        let is_forgotten = error == ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER
            && is_first
            && lane.batches[at].first_life != Some(scene.life);
        if is_forgotten {
            lane.batches.remove(at);
            lane.is_draining = lane.batches.iter().any(|batch| batch.is_in_flight);
            self.forgotten += 1;
            return Ok(());
        }
        let follows_a_failure =
            error == ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER && !is_first && lane.is_draining;
        let is_excused = error.is_retriable() && scene.may_refuse(error);
        if !follows_a_failure && !is_excused {
            return Err(format!("a good batch was refused with {error:?}:"));
        }
        lane.batches[at].is_in_flight = false;
        lane.is_draining = lane.batches.iter().any(|batch| batch.is_in_flight);
        self.retry_at = scene.now().instant + Duration::from_millis(5);
        Ok(())
    }
}
