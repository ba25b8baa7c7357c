//! Requests by klamm's own codec over a plain socket: for tests that need exact bytes.

use bytes::Bytes;
use klamm::protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use klamm::protocol::messages::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};
use klamm::protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use klamm::protocol::messages::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use klamm::protocol::{Message, Records, Request, decode_response_header, encode_request};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends a request and waits for its response.
pub fn call<R: Request>(stream: &mut TcpStream, version: i16, request: &R) -> R::Response {
    let encoded = encode_request(R::KEY, version, 7, Some("test"), request).unwrap();
    stream.write_all(&encoded.bytes).unwrap();
    let mut size = [0; 4];
    stream.read_exact(&mut size).unwrap();
    let mut frame = vec![0; usize::try_from(i32::from_be_bytes(size)).unwrap()];
    stream.read_exact(&mut frame).unwrap();
    let (id, mut reader) = decode_response_header(Bytes::from(frame), R::KEY, version).unwrap();
    assert_eq!(id, 7);
    R::Response::decode(&mut reader, version).unwrap()
}

/// Makes a topic of one partition.
pub fn create_topic(stream: &mut TcpStream, name: &str) {
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: 1,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        ..CreateTopicsRequest::default()
    };
    let response = call(stream, 2, &request);
    assert_eq!(response.topics[0].error_code, 0);
}

/// Sets something of all brokers while they run: the broker that has no name stands for all of them.
pub fn alter_all_brokers(stream: &mut TcpStream, name: &str, value: &str) {
    const BROKER: i8 = 4;
    let setting = AlterableConfig {
        name: name.into(),
        value: Some(value.into()),
        ..AlterableConfig::default()
    };
    let all_brokers = AlterConfigsResource {
        resource_type: BROKER,
        configs: vec![setting],
        ..AlterConfigsResource::default()
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![all_brokers],
        ..IncrementalAlterConfigsRequest::default()
    };
    let response = call(stream, 1, &request);
    assert_eq!(response.responses[0].error_code, 0);
}

/// Produces one batch to partition 0, with acks=all.
pub fn produce(stream: &mut TcpStream, name: &str, records: Bytes) -> ProduceResponse {
    let partition = PartitionProduceData {
        index: 0,
        records: Some(Records::Bytes(records)),
        ..PartitionProduceData::default()
    };
    let topic = TopicProduceData {
        name: name.into(),
        partition_data: vec![partition],
        ..TopicProduceData::default()
    };
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![topic],
        ..ProduceRequest::default()
    };
    call(stream, 7, &request)
}

/// Fetches from partition 0.
pub fn fetch(stream: &mut TcpStream, name: &str, offset: i64) -> FetchResponse {
    let request = FetchRequest {
        max_wait_ms: 500,
        ..fetching(name, offset)
    };
    call(stream, 11, &request)
}

/// A request for partition 0, without a session, that waits for nothing.
pub fn fetching(name: &str, offset: i64) -> FetchRequest {
    let partition = FetchPartition {
        fetch_offset: offset,
        partition_max_bytes: 8 << 20,
        ..FetchPartition::default()
    };
    let topic = FetchTopic {
        topic: name.into(),
        partitions: vec![partition],
        ..FetchTopic::default()
    };
    FetchRequest {
        min_bytes: 1,
        max_bytes: 32 << 20,
        topics: vec![topic],
        ..FetchRequest::default()
    }
}
