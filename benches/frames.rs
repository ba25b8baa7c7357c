//! Micro benchmarks of what happens to every request and reply before and after its records:
//! reading a Produce or Fetch frame, writing its reply.

use bytes::Bytes;
use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use klamm::protocol::messages::fetch::{
    FetchPartition, FetchTopic, FetchableTopicResponse, PartitionData,
};
use klamm::protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, TopicProduceData, TopicProduceResponse,
};
use klamm::protocol::messages::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse};
use klamm::protocol::{
    ApiKey, Message, Records, Request, Str, decode_request, decode_request_header, encode_request,
    encode_response,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const TOPIC: &str = "orders";
/// Old and plain; flexible with topic names; flexible with topic ids.
const PRODUCE_VERSIONS: [i16; 3] = [7, 12, 13];
const FETCH_VERSIONS: [i16; 3] = [11, 12, 17];
const PARTITIONS: [i32; 3] = [1, 16, 100];

fn main() {
    divan::main();
}

/// The frame of a request as the connection hands it on: without its size.
fn frame<M: Message>(api_key: ApiKey, version: i16, message: &M) -> Bytes {
    let encoded = encode_request(api_key, version, 1, Some("producer-1"), message)
        .expect("the version has these fields");
    encoded.bytes.slice(4..)
}

fn bench_decode<R: Request>(bencher: Bencher<'_, '_>, frame: &Bytes, partitions: i32) {
    bencher
        .counter(ItemsCount::new(u32::try_from(partitions).expect("a count")))
        .counter(BytesCount::new(frame.len()))
        .with_inputs(|| frame.clone())
        .bench_values(|frame| {
            let (header, mut reader) = decode_request_header(black_box(frame)).expect("our frame");
            decode_request::<R>(&mut reader, &header).expect("our frame")
        });
}

fn produce(version: i16, partitions: i32) -> Bytes {
    let records = Bytes::from(vec![7; 1024]);
    let message = ProduceRequest {
        acks: 1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: Str::from_static(TOPIC),
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
    };
    frame(ApiKey::Produce, version, &message)
}

#[divan::bench(args = PRODUCE_VERSIONS)]
fn decode_produce_of_16_partitions(bencher: Bencher<'_, '_>, version: i16) {
    bench_decode::<ProduceRequest>(bencher, &produce(version, 16), 16);
}

#[divan::bench(args = PARTITIONS)]
fn decode_produce(bencher: Bencher<'_, '_>, partitions: i32) {
    bench_decode::<ProduceRequest>(bencher, &produce(12, partitions), partitions);
}

fn fetch(version: i16, partitions: i32) -> Bytes {
    let message = FetchRequest {
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: vec![FetchTopic {
            topic: Str::from_static(TOPIC),
            partitions: (0..partitions)
                .map(|partition| FetchPartition {
                    partition,
                    fetch_offset: 1_000_000,
                    partition_max_bytes: 1 << 20,
                    ..FetchPartition::default()
                })
                .collect(),
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    };
    frame(ApiKey::Fetch, version, &message)
}

#[divan::bench(args = FETCH_VERSIONS)]
fn decode_fetch_of_16_partitions(bencher: Bencher<'_, '_>, version: i16) {
    bench_decode::<FetchRequest>(bencher, &fetch(version, 16), 16);
}

#[divan::bench(args = PARTITIONS)]
fn decode_fetch(bencher: Bencher<'_, '_>, partitions: i32) {
    bench_decode::<FetchRequest>(bencher, &fetch(12, partitions), partitions);
}

#[divan::bench(args = PARTITIONS)]
fn encode_produce_response(bencher: Bencher<'_, '_>, partitions: i32) {
    let message = ProduceResponse {
        responses: vec![TopicProduceResponse {
            name: Str::from_static(TOPIC),
            partition_responses: (0..partitions)
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
    bencher.bench(|| encode_response(ApiKey::Produce, 12, 1, black_box(&message)));
}

/// Records are not in the reply's bytes: they leave a hole that is filled from the file.
#[divan::bench(args = PARTITIONS)]
fn encode_fetch_response(bencher: Bencher<'_, '_>, partitions: i32) {
    let message = FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic: Str::from_static(TOPIC),
            partitions: (0..partitions)
                .map(|partition_index| PartitionData {
                    partition_index,
                    high_watermark: 1_000_000,
                    records: Some(Records::Elsewhere {
                        bytes: 1 << 20,
                        token: 1,
                    }),
                    ..PartitionData::default()
                })
                .collect(),
            ..FetchableTopicResponse::default()
        }],
        ..FetchResponse::default()
    };
    bencher.bench(|| encode_response(ApiKey::Fetch, 12, 1, black_box(&message)));
}
