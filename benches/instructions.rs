//! The hot loops, each run so many times and nothing else: `cargo dev instructions` counts them under
//! callgrind, twice, with two counts; the difference is what one costs. Whole requests go to a broker of
//! one core in its simulated world, whose own work is counted with them.
//!
//! ```text
//! instructions LOOP COUNT
//! instructions --list
//! ```

use bytes::Bytes;
use klamm::base::ids::{LeaderEpoch, Offset};
use klamm::base::prng::Prng;
use klamm::base::time::{Instant, Now, Timestamp};
use klamm::base::uuid::Uuid;
use klamm::config::Configuration;
use klamm::log::{Log, LogConfig};
use klamm::protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use klamm::protocol::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use klamm::protocol::messages::find_coordinator::FindCoordinatorRequest;
use klamm::protocol::messages::heartbeat::HeartbeatRequest;
use klamm::protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use klamm::protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use klamm::protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceData, TopicProduceResponse,
};
use klamm::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use klamm::protocol::{
    Message, Records, Request, Str, decode_request, decode_request_header, decode_response_header,
    encode_request, encode_response,
};
use klamm::record::{BatchBuilder, ProduceRules, RecordBatch, Thoroughness, validate_produce};
use klamm::runtime::disk::Disk;
use klamm::runtime::io::{Received, Sent};
use klamm::runtime::simulated::disk::SimulatedDisk;
use klamm::runtime::simulated::drive::{ClientSocket, Simulation};
use klamm::shard::{Shard, Start};
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const NOW: Now = Now {
    instant: Instant(1),
    timestamp: Timestamp(1_700_000_000_000),
};
const TOPIC: Str = Str::from_static("orders");
const GROUP: Str = Str::from_static("payments");
/// No error.
const NONE: i16 = 0;
/// Steps of the simulated world that one answer may take.
const STEPS_MAX: usize = 1_000_000;

/// What is run so many times.
type Loop = fn(u64);

const LOOPS: [(&str, Loop); 9] = [
    ("validate a batch of 16 KiB", validate),
    ("walk 160 records of 100 B in a batch", walk),
    ("decode a Produce of 16 partitions", decode_produce),
    ("encode the answer to it", encode_produce_answer),
    ("append a batch of 1 KiB and write it", append),
    ("serve a Produce of one record of 1 KiB", serve_produce),
    ("serve a Fetch of one record of 1 KiB", serve_fetch),
    ("serve an OffsetCommit of one partition", serve_commit),
    ("serve a Heartbeat", serve_heartbeat),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let found = |name: &str| LOOPS.iter().find(|(known, _)| *known == name);
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [name, count] if let (Some((_, run)), Ok(count)) = (found(name), count.parse()) => {
            run(count);
            ExitCode::SUCCESS
        }
        ["--list"] => {
            for (name, _) in LOOPS {
                println!("{name}");
            }
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("instructions LOOP COUNT; --list names the loops");
            ExitCode::FAILURE
        }
    }
}

fn batch(records: usize, value_bytes: usize) -> Bytes {
    let mut prng = Prng::new(1);
    let mut value = vec![b'v'; value_bytes];
    let mut builder = BatchBuilder::new(Offset(0));
    for _ in 0..records {
        prng.fill(&mut value);
        builder.append(NOW.timestamp, None, Some(&value), &[]);
    }
    builder.finish()
}

fn validate_all(count: u64, bytes: &Bytes, thoroughness: Thoroughness) {
    let rules = ProduceRules {
        thoroughness,
        message_bytes_max: 1 << 20,
        ..ProduceRules::default()
    };
    for _ in 0..count {
        let validated = validate_produce(black_box(bytes).clone(), &rules, NOW.timestamp);
        black_box(validated.is_ok());
    }
}

fn validate(count: u64) {
    validate_all(count, &batch(16, 1000), Thoroughness::Header);
}

fn walk(count: u64) {
    validate_all(count, &batch(160, 100), Thoroughness::OpenRecords);
}

fn produce_request(partitions: i32, records: &Bytes) -> ProduceRequest {
    ProduceRequest {
        acks: 1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: TOPIC,
            partition_data: (0..partitions)
                .map(|index| PartitionProduceData {
                    index,
                    records: Some(Records::Bytes(records.clone())),
                    ..PartitionProduceData::default()
                })
                .collect(),
            ..TopicProduceData::default()
        }],
        ..ProduceRequest::default()
    }
}

/// A request's whole frame.
fn frame<R: Request>(version: i16, message: &R) -> Bytes {
    let encoded = encode_request(R::KEY, version, 1, Some("producer-1"), message);
    encoded.expect("the version has these fields").bytes
}

fn decode_produce(count: u64) {
    let frame = frame(12, &produce_request(16, &Bytes::from(vec![7; 1024]))).slice(4..);
    for _ in 0..count {
        let (header, mut reader) =
            decode_request_header(black_box(&frame).clone()).expect("our frame");
        let request = decode_request::<ProduceRequest>(&mut reader, &header);
        black_box(request.expect("our frame"));
    }
}

fn encode_produce_answer(count: u64) {
    let message = ProduceResponse {
        responses: vec![TopicProduceResponse {
            name: TOPIC,
            partition_responses: (0..16)
                .map(|index| PartitionProduceResponse {
                    index,
                    base_offset: 1_000_000,
                    ..PartitionProduceResponse::default()
                })
                .collect(),
            ..TopicProduceResponse::default()
        }],
        ..ProduceResponse::default()
    };
    for _ in 0..count {
        let encoded = encode_response(ProduceRequest::KEY, 12, 1, black_box(&message));
        black_box(encoded.is_ok());
    }
}

fn append(count: u64) {
    let disk = Disk::Simulated(SimulatedDisk::new());
    let path = Path::new("/orders-0");
    let log = Log::create(&disk, path, Uuid([7; 16]), LogConfig::default(), NOW);
    let mut log = log.expect("there is room");
    let bytes = batch(1, 1000);
    for _ in 0..count {
        let batch = RecordBatch::parse(black_box(&bytes).clone()).expect("our batch");
        let appended = log.append(batch, LeaderEpoch(1), NOW);
        appended.expect("it is small enough");
        log.write(&disk, NOW).expect("there is room");
    }
}

/// A broker of one core in its simulated world, and a client.
struct Broker {
    simulation: Simulation<Shard>,
    socket: ClientSocket,
    buffer: Vec<u8>,
}

impl Broker {
    fn start() -> Broker {
        let mut simulation = Simulation::new(1);
        let settings = [
            "log.dirs=/data",
            "listeners=PLAINTEXT://127.0.0.1:9092",
            "offsets.topic.num.partitions=1",
            "offsets.topic.replication.factor=1",
            "group.initial.rebalance.delay.ms=0",
        ];
        let configuration = Configuration::from_overrides(&settings).expect("sound settings");
        simulation.disk().set_free_bytes(1 << 40);
        let disk = Disk::Simulated(simulation.disk().clone());
        let now = simulation.now();
        let start = Start::prepare(&disk, configuration, now, &mut Prng::new(1), |_| {});
        let start = Arc::new(start.expect("an empty disk is sound"));
        let started = simulation.start(1, |io| start.build(io));
        started.expect("an empty disk is sound");
        let socket = simulation.connect().expect("a process runs");
        let mut broker = Broker {
            simulation,
            socket,
            buffer: Vec::new(),
        };
        let topic = CreatableTopic {
            name: TOPIC,
            num_partitions: 1,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let create = CreateTopicsRequest {
            topics: vec![topic],
            timeout_ms: 30_000,
            ..CreateTopicsRequest::default()
        };
        let created = broker.ask(5, &create);
        assert_eq!(created.topics[0].error_code, NONE);
        broker
    }

    /// Makes the topic of offsets and waits until it is loaded.
    fn with_group() -> Broker {
        let mut broker = Broker::start();
        let find = FindCoordinatorRequest {
            coordinator_keys: vec![GROUP],
            ..FindCoordinatorRequest::default()
        };
        for _ in 0..100 {
            broker.ask(4, &find);
            let committed = broker.ask(8, &commit());
            if committed.topics[0].partitions[0].error_code == NONE {
                return broker;
            }
        }
        panic!("the group has no coordinator");
    }

    fn ask<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let answer = self.ask_frame(&frame(version, request));
        let (_, mut reader) = decode_response_header(answer, R::KEY, version).expect("an answer");
        R::Response::decode(&mut reader, version).expect("an answer")
    }

    /// Sends a frame and gives the answer, without its size.
    fn ask_frame(&mut self, frame: &[u8]) -> Bytes {
        let mut rest = frame;
        let mut chunk = [0; 4096];
        self.buffer.clear();
        let until = self.simulation.now().instant + Duration::from_secs(60);
        for _ in 0..STEPS_MAX {
            if !rest.is_empty()
                && let Sent::Bytes(sent) = self.simulation.send(self.socket, rest)
            {
                rest = &rest[sent..];
            }
            if let Received::Bytes(count) = self.simulation.receive(self.socket, &mut chunk) {
                self.buffer.extend_from_slice(&chunk[..count]);
            }
            if let Some((size, answer)) = self.buffer.split_first_chunk()
                && usize::try_from(i32::from_be_bytes(*size)).is_ok_and(|size| answer.len() == size)
            {
                return Bytes::copy_from_slice(answer);
            }
            self.simulation.step(until);
        }
        panic!("the broker does not answer");
    }

    /// The same frame, so many times.
    fn serve(&mut self, count: u64, frame: &[u8]) {
        for _ in 0..count {
            black_box(self.ask_frame(frame));
        }
    }
}

fn serve_produce(count: u64) {
    let mut broker = Broker::start();
    let request = produce_request(1, &batch(1, 1000));
    let produced = broker.ask(12, &request);
    let partition = &produced.responses[0].partition_responses[0];
    assert_eq!(partition.error_code, NONE);
    broker.serve(count, &frame(12, &request));
}

fn serve_fetch(count: u64) {
    let mut broker = Broker::start();
    broker.ask(12, &produce_request(1, &batch(1, 1000)));
    let request = FetchRequest {
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 1 << 20,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: TOPIC,
            partitions: vec![FetchPartition {
                partition_max_bytes: 1 << 20,
                ..FetchPartition::default()
            }],
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    };
    let answer = broker.ask_frame(&frame(12, &request));
    assert!(answer.len() > 1000, "the record is in it");
    broker.serve(count, &frame(12, &request));
}

fn commit() -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: GROUP,
        topics: vec![OffsetCommitRequestTopic {
            name: TOPIC,
            partitions: vec![OffsetCommitRequestPartition {
                committed_offset: 54_321,
                ..OffsetCommitRequestPartition::default()
            }],
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    }
}

fn serve_commit(count: u64) {
    let mut broker = Broker::with_group();
    broker.serve(count, &frame(8, &commit()));
}

fn serve_heartbeat(count: u64) {
    const MEMBERS: Str = Str::from_static("consumers");
    let mut broker = Broker::with_group();
    let join = JoinGroupRequest {
        group_id: MEMBERS,
        session_timeout_ms: 1_800_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: Str::from_static("consumer"),
        protocols: vec![JoinGroupRequestProtocol {
            name: Str::from_static("range"),
            ..JoinGroupRequestProtocol::default()
        }],
        ..JoinGroupRequest::default()
    };
    let joined = broker.ask(3, &join);
    assert_eq!(joined.error_code, NONE);
    let sync = SyncGroupRequest {
        group_id: MEMBERS,
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        assignments: vec![SyncGroupRequestAssignment {
            member_id: joined.member_id.clone(),
            ..SyncGroupRequestAssignment::default()
        }],
        ..SyncGroupRequest::default()
    };
    assert_eq!(broker.ask(3, &sync).error_code, NONE);
    let heartbeat = HeartbeatRequest {
        group_id: MEMBERS,
        generation_id: joined.generation_id,
        member_id: joined.member_id,
        ..HeartbeatRequest::default()
    };
    assert_eq!(broker.ask(3, &heartbeat).error_code, NONE);
    broker.serve(count, &frame(3, &heartbeat));
}
