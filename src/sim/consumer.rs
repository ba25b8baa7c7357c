//! A simulated consumer: long polls with and without sessions, any version, and between them
//! questions for the ends of the log and for offsets by time. Every record it reads is compared.

use super::ledger::{Place, Value};
use super::link::{Happened, Link, Reply, any_version};
use super::producer::{ask_metadata, topic_ids};
use super::world::Scene;
use crate::base::time::Instant;
use crate::base::uuid::Uuid;
use crate::protocol::ErrorCode;
use crate::protocol::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use crate::protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use crate::protocol::messages::metadata::MetadataRequest;
use crate::record::{BatchHeader, RecordBatch};
use bytes::Bytes;
use std::time::Duration;

const TOPIC_IDS_SINCE: i16 = 13;
/// Below it zstd is refused; all from here on know sessions.
const ZSTD_SINCE: i16 = 10;
/// ListOffsets: the end, the start.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
/// Largest batch after decompression.
const OPENED_BYTES_MAX: usize = 1 << 20;
/// A fetch that waits for one byte is answered this soon after there is one.
const WAKE_WAIT_MAX: Duration = Duration::from_secs(2);

/// What the consumer is to ask next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Metadata,
    Ready,
    Waiting,
}

/// What is under way.
enum Asked {
    Nothing,
    Fetch {
        /// Up to where each partition was known to be readable when it was asked.
        known: Vec<i64>,
        waits_for_one_byte: bool,
        version: i16,
    },
    Offsets {
        lane: usize,
        timestamp: i64,
        known: i64,
    },
}

/// The consumer.
pub struct Consumer {
    pub link: Link,
    /// The last one of a run: it reads everything once more, from the first record on.
    is_scan: bool,
    stage: Stage,
    topic_ids: Vec<Uuid>,
    lanes: Vec<Lane>,
    asked: Asked,
    /// Session id, and the epoch of the next request.
    session: Option<(i32, i32)>,
    wait_at: Instant,
    /// Since when a fetch waits although there is something for it.
    hungry_since: Option<Instant>,
    /// Fetches that were answered with records.
    pub fetches: u64,
}

struct Lane {
    place: Place,
    position: i64,
    /// The position that the session knows.
    told: Option<i64>,
    end: Option<i64>,
}

impl Consumer {
    pub fn new(scene: &Scene<'_>, name: String, is_scan: bool) -> Consumer {
        let mut lanes = Vec::new();
        for (topic, spec) in scene.topics.iter().enumerate() {
            lanes.extend((0..spec.partitions).map(|partition| Lane {
                place: Place { topic, partition },
                position: 0,
                told: None,
                end: None,
            }));
        }
        Consumer {
            link: Link::new(name),
            is_scan,
            stage: Stage::Waiting,
            topic_ids: Vec::new(),
            lanes,
            asked: Asked::Nothing,
            session: None,
            wait_at: Instant(0),
            hungry_since: None,
            fetches: 0,
        }
    }

    /// Everything that was acknowledged, or that is known to be readable, was read.
    pub fn is_done(&self, scene: &Scene<'_>) -> bool {
        self.lanes.iter().all(|lane| {
            let known = scene.ledger.visible_end(lane.place);
            let is_told = !self.is_scan || lane.end.is_some_and(|end| lane.position >= end);
            is_told && lane.position >= known.max(scene.ledger.acked_end(lane.place))
        })
    }

    pub fn step(&mut self, scene: &mut Scene<'_>) -> Result<(), String> {
        for happened in self.link.step(scene)? {
            match happened {
                Happened::Connected => {
                    self.stage = Stage::Metadata;
                    self.asked = Asked::Nothing;
                    self.session = None;
                }
                Happened::Reply(reply) => self.on_reply(scene, &reply)?,
            }
        }
        self.check_hunger(scene)?;
        if !self.link.is_connected() || scene.now().instant < self.wait_at {
            return Ok(());
        }
        match self.stage {
            Stage::Metadata => {
                self.stage = Stage::Waiting;
                ask_metadata(&mut self.link, scene);
            }
            Stage::Ready => {
                self.stage = Stage::Waiting;
                let unknown = self.lanes.iter().position(|lane| lane.end.is_none());
                match unknown.filter(|_| self.is_scan) {
                    Some(lane) => self.ask_offset(scene, lane, LATEST),
                    None if scene.prng.one_in(6) => {
                        let lane = scene.prng.index(self.lanes.len());
                        let back = i64::try_from(scene.prng.below(3000)).expect("small");
                        let timestamp = match scene.prng.below(3) {
                            0 => LATEST,
                            1 => EARLIEST,
                            _ => scene.now().timestamp.0 - back,
                        };
                        self.ask_offset(scene, lane, timestamp);
                    }
                    None => self.fetch(scene),
                }
            }
            Stage::Waiting => {}
        }
        Ok(())
    }

    /// A fetch that waits for one byte must not sleep on when there is one.
    fn check_hunger(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let waits = self.link.is_connected()
            && matches!(
                self.asked,
                Asked::Fetch {
                    waits_for_one_byte: true,
                    ..
                }
            );
        let hungry = self.lanes.iter().find(|lane| {
            let acked = scene.ledger.acked_end(lane.place);
            waits && acked > lane.position
        });
        let Some(lane) = hungry else {
            self.hungry_since = None;
            return Ok(());
        };
        let now = scene.now().instant;
        let since = *self.hungry_since.get_or_insert(now);
        if now.since(since) > WAKE_WAIT_MAX {
            return Err(format!(
                "{}: {:?} has records from {} on, and the fetch that waits for them is not answered",
                self.link.name(),
                lane.place,
                lane.position
            ));
        }
        Ok(())
    }

    fn on_reply(&mut self, scene: &mut Scene<'_>, reply: &Reply) -> Result<(), String> {
        self.hungry_since = None;
        match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Nothing => {
                let response = reply.decode::<MetadataRequest>()?;
                match topic_ids(scene.topics, &response) {
                    Some(ids) => {
                        self.topic_ids = ids;
                        self.stage = Stage::Ready;
                    }
                    None => self.again_later(scene, Stage::Metadata),
                }
                Ok(())
            }
            Asked::Fetch { known, version, .. } => self.on_fetched(scene, reply, &known, version),
            Asked::Offsets {
                lane,
                timestamp,
                known,
            } => self.on_offset(scene, reply, lane, timestamp, known),
        }
    }

    fn again_later(&mut self, scene: &Scene<'_>, stage: Stage) {
        self.stage = stage;
        self.wait_at = scene.now().instant + Duration::from_millis(10);
    }

    fn ask_offset(&mut self, scene: &mut Scene<'_>, lane: usize, timestamp: i64) {
        let place = self.lanes[lane].place;
        let version = any_version::<ListOffsetsRequest>(scene.prng, 1);
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: scene.topics[place.topic].name.as_str().into(),
                partitions: vec![ListOffsetsPartition {
                    partition_index: place.partition,
                    timestamp,
                    ..ListOffsetsPartition::default()
                }],
                ..ListOffsetsTopic::default()
            }],
            ..ListOffsetsRequest::default()
        };
        self.asked = Asked::Offsets {
            lane,
            timestamp,
            known: scene.ledger.visible_end(place),
        };
        self.link.request(scene, version, 0, &request);
    }

    fn on_offset(
        &mut self,
        scene: &mut Scene<'_>,
        reply: &Reply,
        lane: usize,
        timestamp: i64,
        known: i64,
    ) -> Result<(), String> {
        let response = reply.decode::<ListOffsetsRequest>()?;
        let answer = response
            .topics
            .first()
            .and_then(|topic| topic.partitions.first())
            .ok_or("ListOffsets is answered for no partition")?;
        let error = ErrorCode::from(answer.error_code);
        if !error.is_none() {
            self.again_later(scene, Stage::Ready);
            return excuse(scene, error);
        }
        self.stage = Stage::Ready;
        let place = self.lanes[lane].place;
        match timestamp {
            EARLIEST if answer.offset != 0 => Err(format!(
                "{place:?} begins at {}, and nothing was deleted",
                answer.offset
            )),
            EARLIEST => Ok(()),
            LATEST => {
                self.lanes[lane].end = Some(answer.offset);
                scene.ledger.see_end(place, answer.offset, known)
            }
            timestamp => {
                scene.ledger.lookup(place, timestamp, answer.offset, known);
                Ok(())
            }
        }
    }

    fn fetch(&mut self, scene: &mut Scene<'_>) {
        let mut version = any_version::<FetchRequest>(scene.prng, ZSTD_SINCE);
        if !self.topic_ids.iter().all(|id| *id != Uuid::default()) {
            version = version.min(TOPIC_IDS_SINCE - 1);
        }
        let uses_ids = version >= TOPIC_IDS_SINCE;
        if scene.prng.one_in(10) {
            self.session = None;
        }
        let (session_id, session_epoch) = match self.session {
            Some(session) => session,
            // Epoch 0 asks for a session, -1 for none.
            None if scene.prng.one_in(3) => (0, -1),
            None => (0, 0),
        };
        let is_full = session_epoch <= 0;
        let mut topics: Vec<FetchTopic> = Vec::new();
        for lane in &mut self.lanes {
            if !is_full && lane.told == Some(lane.position) {
                continue;
            }
            lane.told = Some(lane.position);
            let partition = FetchPartition {
                partition: lane.place.partition,
                fetch_offset: lane.position,
                partition_max_bytes: i32::try_from(1 + scene.prng.below(20_000)).expect("small"),
                ..FetchPartition::default()
            };
            let name = scene.topics[lane.place.topic].name.as_str();
            match topics.last_mut() {
                Some(topic) if *topic.topic == *name => topic.partitions.push(partition),
                Some(_) | None => topics.push(FetchTopic {
                    topic: name.into(),
                    topic_id: if uses_ids {
                        self.topic_ids[lane.place.topic]
                    } else {
                        Uuid::default()
                    },
                    partitions: vec![partition],
                    ..FetchTopic::default()
                }),
            }
        }
        let waits_for_one_byte = scene.prng.one_in(2);
        let longest = if waits_for_one_byte { 10_000 } else { 300 };
        let min_bytes = if waits_for_one_byte {
            1
        } else {
            scene.prng.below(3000)
        };
        let request = FetchRequest {
            max_wait_ms: i32::try_from(scene.prng.below(longest)).expect("small"),
            min_bytes: i32::try_from(min_bytes).expect("small"),
            max_bytes: i32::try_from(1 + scene.prng.below(50_000)).expect("small"),
            isolation_level: i8::from(scene.prng.one_in(3)),
            session_id,
            session_epoch,
            topics,
            ..FetchRequest::default()
        };
        self.asked = Asked::Fetch {
            known: self
                .lanes
                .iter()
                .map(|lane| scene.ledger.visible_end(lane.place))
                .collect(),
            waits_for_one_byte,
            version,
        };
        self.session = (session_epoch >= 0).then_some((session_id, session_epoch));
        self.link.request(scene, version, 0, &request);
    }

    fn on_fetched(
        &mut self,
        scene: &mut Scene<'_>,
        reply: &Reply,
        known: &[i64],
        version: i16,
    ) -> Result<(), String> {
        let response = reply.decode::<FetchRequest>()?;
        self.stage = Stage::Ready;
        let error = ErrorCode::from(response.error_code);
        if !error.is_none() {
            self.session = None;
            let is_of_session = error == ErrorCode::FETCH_SESSION_ID_NOT_FOUND
                || error == ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR;
            return if is_of_session {
                Ok(())
            } else {
                excuse(scene, error)
            };
        }
        self.session = match self.session {
            Some(_) if response.session_id == 0 => None,
            Some((_, epoch)) => Some((response.session_id, epoch + 1)),
            None => None,
        };
        for topic in response.responses {
            for answer in topic.partitions {
                let found = self.lanes.iter().position(|lane| {
                    let spec = &scene.topics[lane.place.topic];
                    let is_topic = if version >= TOPIC_IDS_SINCE {
                        self.topic_ids[lane.place.topic] == topic.topic_id
                    } else {
                        *topic.topic == *spec.name
                    };
                    is_topic && lane.place.partition == answer.partition_index
                });
                let Some(index) = found else {
                    return Err(format!(
                        "Fetch is answered for what was not asked: {answer:?}"
                    ));
                };
                let error = ErrorCode::from(answer.error_code);
                let place = self.lanes[index].place;
                if !error.is_none() {
                    excuse(scene, error).map_err(|what| {
                        let position = self.lanes[index].position;
                        format!("{place:?} from {position}: {what}")
                    })?;
                    self.again_later(scene, Stage::Ready);
                    continue;
                }
                scene
                    .ledger
                    .see_end(place, answer.high_watermark, known[index])?;
                let records = answer.records.as_ref().and_then(|records| records.bytes());
                if let Some(records) = records.filter(|records| !records.is_empty()) {
                    self.fetches += 1;
                    let end = answer.high_watermark;
                    self.take(scene, index, records.clone(), end)?;
                }
            }
        }
        Ok(())
    }

    /// Walks the batches that one partition gave; the last may be cut off.
    fn take(
        &mut self,
        scene: &mut Scene<'_>,
        index: usize,
        mut records: Bytes,
        high_watermark: i64,
    ) -> Result<(), String> {
        let lane = &mut self.lanes[index];
        let place = lane.place;
        let wrong = |what: String| format!("{place:?}: {what}");
        while records.len() >= crate::record::HEADER_BYTES {
            let header = BatchHeader::read(&records)
                .map_err(|error| wrong(format!("what was fetched is no batch: {error}")))?;
            if records.len() < header.batch_bytes() {
                break;
            }
            let batch = RecordBatch::parse(records.split_to(header.batch_bytes()))
                .and_then(|batch| batch.check_crc().map(|()| batch))
                .and_then(|batch| batch.open(OPENED_BYTES_MAX))
                .map_err(|error| wrong(format!("a fetched batch is broken: {error}")))?;
            for record in &batch {
                let record =
                    record.map_err(|error| wrong(format!("a record is broken: {error}")))?;
                let offset = record.offset.0;
                let value = record.value.and_then(Value::decode);
                let value =
                    value.ok_or_else(|| wrong(format!("nobody produced record {offset}")))?;
                if offset >= high_watermark {
                    return Err(wrong(format!(
                        "record {offset} was read, and the high watermark is {high_watermark}"
                    )));
                }
                let timestamp = record.timestamp.0;
                scene
                    .ledger
                    .read(place, offset, value, timestamp, self.is_scan)?;
                // O5: the first batch may begin below what was asked for.
                if offset > lane.position {
                    return Err(wrong(format!(
                        "record {offset} follows {}: some are left out",
                        lane.position - 1
                    )));
                }
                if offset == lane.position {
                    lane.position += 1;
                }
            }
        }
        Ok(())
    }
}

/// Errors that a consumer may meet while the broker starts, or its disk fails.
fn excuse(scene: &Scene<'_>, error: ErrorCode) -> Result<(), String> {
    if error.is_retriable() && scene.may_refuse(error) {
        Ok(())
    } else {
        Err(format!("a good request was refused with {error:?}"))
    }
}
