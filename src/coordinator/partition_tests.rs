//! Tests of a coordinator's partition with a machine of counters, on the simulated disk.

use super::*;
use crate::base::ids::{LeaderEpoch, PartitionIndex, ProducerEpoch, ProducerId, Sequence};
use crate::base::prng::Prng;
use crate::base::time::Timestamp;
use crate::base::uuid::Uuid;
use crate::config::Configuration;
use crate::coordinator::machine::DamagedRecord;
use crate::log::{Log, LogConfig};
use crate::metadata::image::MetadataImage;
use crate::partition::work::RequestId;
use crate::partition::{Partition, TurnEffects};
use crate::protocol::reader::{DecodeError, DecodeReason};
use crate::protocol::writer::EncodeError;
use crate::record::control::{ControlRecord, end_transaction_batch};
use crate::record::{BatchBuilder, RecordBatch};
use crate::runtime::simulated::disk::SimulatedDisk;
use bytes::Bytes;
use std::path::Path;

/// Counters by name.
#[derive(Default)]
struct Counters {
    counts: BTreeMap<Str, i64>,
    alarm: Option<Instant>,
    loads: usize,
}

#[derive(Clone, Debug)]
enum Ask {
    Add(&'static str, i64),
    /// Does not look at the counter, so that many share a round.
    Set(&'static str, i64),
    Get(&'static str),
    Sum,
    /// So many records, each with so many bytes in its key.
    Bulk(usize, usize),
    Alarm,
}

#[derive(Clone, PartialEq, Debug)]
enum Told {
    Is(i64),
    Failed(ErrorCode),
}

type Count = (Str, Option<i64>);

impl Machine for Counters {
    type Command = Ask;
    type Record = Count;
    type Reply = Told;

    fn subject(command: &Ask) -> Option<&Str> {
        static A: Str = Str::from_static("a");
        static B: Str = Str::from_static("b");
        match command {
            Ask::Add(name, _) | Ask::Set(name, _) | Ask::Get(name) => {
                Some(if *name == "a" { &A } else { &B })
            }
            Ask::Bulk(..) | Ask::Alarm => Some(&B),
            Ask::Sum => None,
        }
    }

    fn shares_round(command: &Ask) -> bool {
        matches!(command, Ask::Set(..))
    }

    fn handle(&mut self, _: &mut World<'_>, origin: Option<Origin>, ask: Ask) -> Step<Self> {
        match ask {
            Ask::Add(name, more) => {
                let sum = self.counts.get(name).copied().unwrap_or(0) + more;
                Step::written(vec![(name.into(), Some(sum))], origin, Told::Is(sum))
            }
            Ask::Set(name, to) => {
                Step::written(vec![(name.into(), Some(to))], origin, Told::Is(to))
            }
            Ask::Get(name) => {
                let count = self.counts.get(name).copied().unwrap_or(0);
                Step::reply(origin, Told::Is(count))
            }
            Ask::Sum => Step::reply(origin, Told::Is(self.counts.values().sum())),
            Ask::Bulk(records, bytes) => {
                let name = Str::from("x".repeat(bytes));
                let record = (name, Some(1));
                Step::written(vec![record; records], origin, Told::Is(0))
            }
            Ask::Alarm => Step::written(vec![("alarm".into(), Some(1))], origin, Told::Is(1)),
        }
    }

    fn replay(&mut self, _: Now, (name, count): Count) {
        match count {
            Some(count) => self.counts.insert(name.detached(), count),
            None => self.counts.remove(&name),
        };
    }

    fn on_loaded(&mut self, _: &mut World<'_>) -> Step<Self> {
        self.loads += 1;
        Step::nothing()
    }

    fn on_metadata(&mut self, _: &mut World<'_>, changed: &TopicsChanged) -> Vec<Ask> {
        changed.deleted.iter().map(|_| Ask::Add("a", 100)).collect()
    }

    fn next_deadline(&self) -> Instant {
        self.alarm.unwrap_or(Instant::NEVER)
    }

    fn due(&mut self, now: Instant) -> Vec<Ask> {
        match self.alarm.take_if(|at| *at <= now) {
            Some(_) => vec![Ask::Alarm],
            None => Vec::new(),
        }
    }

    fn refusal(_: &Ask, error: ErrorCode) -> Option<Told> {
        Some(Told::Failed(error))
    }

    fn failed(_: Told, error: ErrorCode) -> Told {
        Told::Failed(error)
    }

    fn encode((name, count): &Count) -> Result<(Bytes, Option<Bytes>), EncodeError> {
        let value = count.map(|count| Bytes::copy_from_slice(&count.to_be_bytes()));
        Ok((Bytes::copy_from_slice(name.as_bytes()), value))
    }

    fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Option<Count>, DamagedRecord> {
        let name = Str::from_utf8(key.clone()).expect("only text is written");
        let Some(value) = value else {
            return Ok(Some((name, None)));
        };
        match <[u8; 8]>::try_from(&value[..]) {
            Ok(bytes) => Ok(Some((name, Some(i64::from_be_bytes(bytes))))),
            Err(_) => Err(DamagedRecord {
                subject: Some(name),
                error: DecodeError::new(DecodeReason::Null),
            }),
        }
    }

    fn owner(key: &Bytes) -> Option<Str> {
        Str::from_utf8(key.clone())
    }
}

const TOPIC_PARTITION: TopicPartition = TopicPartition {
    topic_id: Uuid([7; 16]),
    partition: PartitionIndex(0),
};
const NOW: Now = Now {
    instant: Instant(1_000),
    timestamp: Timestamp(1_000),
};

struct Scene {
    disk: Disk,
    simulated: SimulatedDisk,
    partitions: Partitions,
    coordinator: Coordinator<Counters>,
    replies: Vec<(Origin, Told)>,
    now: Now,
    asked: u32,
}

impl Scene {
    fn new(config: LogConfig) -> Scene {
        let simulated = SimulatedDisk::new();
        let disk = Disk::Simulated(simulated.clone());
        let path = Path::new("/data/counters-0");
        let log = Log::create(&disk, path, TOPIC_PARTITION.topic_id, config, NOW).expect("room");
        let mut partitions = Partitions::default();
        let epoch = Some(LeaderEpoch(1));
        let partition = Partition::new(TOPIC_PARTITION, "counters".into(), log, 0, epoch);
        partitions.insert(partition);
        let mut scene = Scene {
            disk,
            simulated,
            partitions,
            coordinator: Scene::coordinator(),
            replies: Vec::new(),
            now: NOW,
            asked: 0,
        };
        scene.load();
        scene
    }

    fn coordinator() -> Coordinator<Counters> {
        let name = "counters-0".to_owned();
        Coordinator::new(TOPIC_PARTITION, name, Counters::default(), Offset(0), NOW)
    }

    fn load(&mut self) {
        loop {
            match self
                .coordinator
                .load(self.now, &self.disk, &mut self.partitions)
            {
                Progress::More => {}
                Progress::Done => break,
                Progress::Cold { .. } | Progress::Failed => panic!("it can be read"),
            }
        }
        self.settle();
    }

    fn restart(&mut self) {
        self.coordinator = Scene::coordinator();
        self.load();
    }

    fn ask(&mut self, ask: Ask) {
        self.asked += 1;
        let request = RequestId {
            index: self.asked,
            generation: 0,
        };
        let origin = Origin { core: 0, request };
        self.coordinator
            .submit(origin, Box::new(ask), &mut self.replies);
    }

    /// One round; its number of batches.
    fn round(&mut self) -> usize {
        let configuration = Configuration::from_overrides(&[]).expect("the defaults are sound");
        let image = MetadataImage::empty();
        let mut random = Prng::new(1);
        let mut world = World {
            now: self.now,
            image: &image,
            configuration: &configuration,
            random: &mut random,
        };
        let partitions = &mut self.partitions;
        let replies = &mut self.replies;
        self.coordinator
            .begin_round(&mut world, partitions, Compression::None, replies);
        let batches = self.coordinator.written.len();
        partitions.write_logs(&self.disk, self.now, &mut TurnEffects::default());
        self.coordinator
            .end_round(self.now, partitions, &mut self.replies);
        batches
    }

    fn settle(&mut self) {
        while self.coordinator.has_commands() {
            self.round();
        }
    }

    /// What was told since, in the order of the asking.
    fn told(&mut self) -> Vec<Told> {
        let mut replies = std::mem::take(&mut self.replies);
        replies.sort_by_key(|(origin, _)| *origin);
        replies.into_iter().map(|(_, told)| told).collect()
    }

    fn append(&mut self, batch: Bytes) {
        let batch = RecordBatch::parse(batch).expect("a batch");
        self.partitions
            .append_own(self.now, TOPIC_PARTITION, batch)
            .expect("it is led");
        let effects = &mut TurnEffects::default();
        self.partitions.write_logs(&self.disk, self.now, effects);
    }

    fn count(&self, name: &str) -> Option<i64> {
        self.coordinator.machine().counts.get(name).copied()
    }

    fn log_end_offset(&mut self) -> Offset {
        let partition = self.partitions.get_mut(TOPIC_PARTITION);
        partition.expect("it is here").log.log_end_offset()
    }
}

fn batch(builder: BatchBuilder, records: &[(&str, &[u8])]) -> Bytes {
    let mut builder = builder;
    for &(key, value) in records {
        builder.append(NOW.timestamp, Some(key.as_bytes()), Some(value), &[]);
    }
    builder.finish()
}

fn transactional(producer: i64) -> BatchBuilder {
    BatchBuilder::new(Offset(0))
        .producer(ProducerId(producer), ProducerEpoch(0), Sequence::NONE)
        .transactional()
}

fn marker(producer: i64, marker: &ControlRecord) -> Bytes {
    end_transaction_batch(
        Offset(0),
        LeaderEpoch(1),
        NOW.timestamp,
        ProducerId(producer),
        ProducerEpoch(0),
        marker,
    )
}

#[test]
fn each_command_sees_what_those_before_it_did() {
    let mut scene = Scene::new(LogConfig::default());
    for ask in [
        Ask::Add("a", 1),
        Ask::Add("a", 2),
        Ask::Add("b", 5),
        Ask::Get("a"),
        Ask::Sum,
        Ask::Add("a", 4),
    ] {
        scene.ask(ask);
    }
    scene.settle();
    let told: Vec<Told> = [1, 3, 5, 3, 8, 7].map(Told::Is).into();
    assert_eq!(scene.told(), told);
    assert_eq!(scene.count("a"), Some(7));
}

#[test]
fn commands_that_do_not_look_share_a_batch() {
    let mut scene = Scene::new(LogConfig::default());
    for number in 1..=50 {
        scene.ask(Ask::Set("a", number));
    }
    scene.ask(Ask::Get("a"));
    scene.ask(Ask::Set("a", 51));
    assert_eq!(scene.round(), 1);
    assert_eq!(scene.count("a"), Some(50));
    assert_eq!(scene.log_end_offset(), Offset(50));
    scene.settle();
    assert_eq!(scene.told()[50..], [Told::Is(50), Told::Is(51)]);
    assert_eq!(scene.count("a"), Some(51));
}

#[test]
fn what_only_reads_writes_nothing() {
    let mut scene = Scene::new(LogConfig::default());
    scene.ask(Ask::Get("a"));
    scene.ask(Ask::Sum);
    assert_eq!(scene.round(), 0);
    assert_eq!(scene.told(), [Told::Is(0), Told::Is(0)]);
    assert_eq!(scene.log_end_offset(), Offset(0));
}

#[test]
fn a_write_that_fails_changes_nothing_and_timers_try_again() {
    let mut scene = Scene::new(LogConfig::default());
    scene.ask(Ask::Add("a", 1));
    scene.settle();
    scene.told();
    scene.simulated.set_free_bytes(0);
    scene.ask(Ask::Add("a", 1));
    scene.coordinator.machine.alarm = Some(NOW.instant);
    scene.coordinator.on_timers(NOW.instant);
    scene.settle();
    assert_eq!(scene.told(), [Told::Failed(ErrorCode::NOT_COORDINATOR)]);
    assert_eq!(scene.count("a"), Some(1));
    assert_eq!(scene.count("alarm"), None);

    scene.simulated.set_free_bytes(1 << 30);
    let again_at = scene.coordinator.next_deadline();
    assert_eq!(again_at, NOW.instant + RETRY_BACKOFF);
    scene.coordinator.on_timers(again_at);
    scene.ask(Ask::Add("a", 1));
    scene.settle();
    assert_eq!(scene.told(), [Told::Is(2)]);
    assert_eq!(scene.count("alarm"), Some(1));
    assert_eq!(scene.coordinator.next_deadline(), Instant::NEVER);
}

#[test]
fn replies_wait_for_the_high_watermark_and_so_do_readers() {
    let config = LogConfig {
        flush_messages: 1,
        ..LogConfig::default()
    };
    let mut scene = Scene::new(config);
    scene.ask(Ask::Add("a", 1));
    scene.settle();
    scene.ask(Ask::Get("a"));
    scene.settle();
    assert_eq!(scene.told(), []);
    assert!(scene.coordinator.has_parked());
    // What was written is durable at last.
    let partition = scene.partitions.get_mut(TOPIC_PARTITION).expect("here");
    partition.high_watermark = partition.log.log_end_offset();
    scene.round();
    assert_eq!(scene.told(), [Told::Is(1), Told::Is(1)]);
    assert!(!scene.coordinator.has_parked());
}

#[test]
fn steps_stay_whole_and_batches_below_their_limit() {
    let config = LogConfig {
        max_message_bytes: 10_000,
        ..LogConfig::default()
    };
    let mut scene = Scene::new(config);
    for _ in 0..3 {
        scene.ask(Ask::Set("a", 1));
        scene.ask(Ask::Bulk(5, 1000));
    }
    scene.settle();
    assert_eq!(scene.told().len(), 6);
    assert_eq!(scene.log_end_offset(), Offset(18));
    scene.ask(Ask::Bulk(20, 1000));
    scene.settle();
    let refused = Told::Failed(ErrorCode::UNKNOWN_SERVER_ERROR);
    assert_eq!(scene.told(), [refused]);
    assert_eq!(scene.log_end_offset(), Offset(18));
}

#[test]
fn what_is_loaded_is_what_was_written() {
    let mut scene = Scene::new(LogConfig {
        segment_bytes: 5_000,
        ..LogConfig::default()
    });
    let mut prng = Prng::new(3);
    for _ in 0..300 {
        let name = if prng.one_in(2) { "a" } else { "b" };
        scene.ask(Ask::Add(name, 1));
        scene.settle();
    }
    let before = scene.coordinator.machine().counts.clone();
    scene.coordinator = Scene::coordinator();
    scene.ask(Ask::Get("a"));
    let refused = Told::Failed(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
    assert_eq!(scene.told().pop(), Some(refused));
    scene.load();
    assert_eq!(scene.coordinator.machine().counts, before);
    assert_eq!(scene.coordinator.machine().loads, 1);
}

#[test]
fn cold_pages_are_asked_for() {
    let mut scene = Scene::new(LogConfig::default());
    scene.ask(Ask::Add("a", 1));
    scene.settle();
    scene.simulated.set_reads_are_cold(true);
    scene.coordinator = Scene::coordinator();
    let progress = scene
        .coordinator
        .load(NOW, &scene.disk, &mut scene.partitions);
    assert!(matches!(progress, Progress::Cold { .. }));
    assert!(scene.coordinator.is_loading());
    scene.simulated.set_reads_are_cold(false);
    scene.load();
    assert_eq!(scene.count("a"), Some(1));
}

#[test]
fn damage_is_passed_over_and_the_rest_is_loaded() {
    let mut scene = Scene::new(LogConfig::default());
    scene.ask(Ask::Add("a", 1));
    scene.settle();
    let two = 2i64.to_be_bytes();
    scene.append(batch(
        BatchBuilder::new(Offset(0)),
        &[("a", b"short"), ("b", &two)],
    ));
    // A whole batch whose checksum is wrong is not believed.
    let mut broken = batch(BatchBuilder::new(Offset(0)), &[("a", &two)]).to_vec();
    let last = broken.len() - 3;
    broken[last] ^= 1;
    scene.append(Bytes::from(broken));
    scene.append(batch(BatchBuilder::new(Offset(0)), &[("c", &two)]));
    scene.restart();
    assert_eq!(scene.count("a"), Some(1));
    assert_eq!(scene.count("b"), Some(2));
    assert_eq!(scene.count("c"), Some(2));
}

#[test]
fn transactions_count_when_they_are_committed() {
    let mut scene = Scene::new(LogConfig::default());
    let value = |number: i64| number.to_be_bytes();
    let commit = ControlRecord::Commit {
        coordinator_epoch: 0,
    };
    let abort = ControlRecord::Abort {
        coordinator_epoch: 0,
    };
    // Committed, but "a" was written again, outside of it, before its end.
    scene.append(batch(
        transactional(1),
        &[("a", &value(1)), ("b", &value(2))],
    ));
    // Aborted.
    scene.append(batch(transactional(2), &[("c", &value(3))]));
    // Never ended.
    scene.append(batch(transactional(3), &[("d", &value(4))]));
    scene.append(batch(BatchBuilder::new(Offset(0)), &[("a", &value(5))]));
    scene.append(marker(2, &abort));
    scene.append(marker(1, &commit));
    scene.restart();
    assert_eq!(scene.count("a"), Some(5));
    assert_eq!(scene.count("b"), Some(2));
    assert_eq!(scene.count("c"), None);
    assert_eq!(scene.count("d"), None);
}

#[test]
fn a_load_that_fails_goes_on_later_where_it_stopped() {
    let mut scene = Scene::new(LogConfig::default());
    scene.ask(Ask::Add("a", 1));
    scene.settle();
    scene.told();
    scene.coordinator = Scene::coordinator();
    scene.simulated.set_reads_fail(true);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let progress = scene
            .coordinator
            .load(scene.now, &scene.disk, &mut scene.partitions);
        assert!(matches!(progress, Progress::Failed));
        // Nothing is answered as if nothing had been there.
        scene.ask(Ask::Get("a"));
        let loading = Told::Failed(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
        assert_eq!(scene.told(), [loading]);
        scene.round();
        let at = scene.coordinator.next_deadline();
        waits.push(at.since(scene.now.instant).as_secs());
        assert!(!scene.coordinator.goes_on_loading(scene.now.instant));
        assert!(scene.coordinator.goes_on_loading(at));
        scene.now.instant = at;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    scene.coordinator.on_unreadable(scene.now.instant);
    let at = scene.coordinator.next_deadline();
    assert_ne!(
        at,
        Instant::NEVER,
        "cold pages that fail are tried again too"
    );
    assert!(scene.coordinator.goes_on_loading(at));
    scene.simulated.set_reads_fail(false);
    scene.load();
    assert_eq!(scene.count("a"), Some(1));
    assert_eq!(scene.coordinator.next_deadline(), Instant::NEVER);
}

#[test]
fn topics_that_went_while_it_was_loaded_are_not_forgotten() {
    let mut scene = Scene::new(LogConfig::default());
    scene.coordinator = Scene::coordinator();
    let configuration = Configuration::from_overrides(&[]).expect("the defaults are sound");
    let image = MetadataImage::empty();
    let mut world = World {
        now: NOW,
        image: &image,
        configuration: &configuration,
        random: &mut Prng::new(1),
    };
    let changed = TopicsChanged {
        changed: Vec::new(),
        deleted: vec![("t".into(), Uuid([1; 16]))],
    };
    scene.coordinator.on_metadata(&mut world, &changed);
    assert_eq!(scene.count("a"), None);
    scene.load();
    assert_eq!(scene.count("a"), Some(100));
}

#[test]
fn who_waits_is_told_when_the_partition_goes() {
    let mut scene = Scene::new(LogConfig::default());
    scene.ask(Ask::Add("a", 1));
    scene.coordinator.resign(&mut scene.replies);
    scene.ask(Ask::Get("a"));
    let gone = Told::Failed(ErrorCode::NOT_COORDINATOR);
    assert_eq!(scene.told(), [gone.clone(), gone]);
    assert_eq!(scene.coordinator.next_deadline(), Instant::NEVER);
}
