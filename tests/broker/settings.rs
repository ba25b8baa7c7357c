//! Settings of the broker whose effect a client sees.

use crate::broker::Broker;
use crate::exact::{alter_all_brokers, call, create_topic, produce};
use klamm::base::ids::Offset;
use klamm::base::time::Timestamp;
use klamm::protocol::ErrorCode;
use klamm::protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use klamm::protocol::messages::describe_topic_partitions::DescribeTopicPartitionsRequest;
use klamm::protocol::messages::describe_topic_partitions::request::TopicRequest;
use klamm::record::compress::Compression;
use klamm::record::{BatchBuilder, batch::HEADER_BYTES, build};

#[test]
fn a_page_of_partitions_is_as_large_as_the_broker_allows() {
    let broker = Broker::start_with(1, &["max.request.partition.size.limit=3"]);
    let mut stream = broker.connect();
    let topic = CreatableTopic {
        name: "paged".into(),
        num_partitions: 5,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        ..CreateTopicsRequest::default()
    };
    let response = call(&mut stream, 2, &request);
    assert_eq!(response.topics[0].error_code, 0);
    let mut request = DescribeTopicPartitionsRequest {
        topics: vec![TopicRequest {
            name: "paged".into(),
            ..TopicRequest::default()
        }],
        response_partition_limit: 2000,
        ..DescribeTopicPartitionsRequest::default()
    };
    for (limit, partitions, next) in [(2000, 3, 3), (2, 2, 2)] {
        request.response_partition_limit = limit;
        let page = call(&mut stream, 0, &request);
        assert_eq!(page.topics[0].partitions.len(), partitions);
        let cursor = page.next_cursor.expect("there are more");
        assert_eq!(cursor.partition_index, next);
    }
}

#[test]
fn a_compressed_record_may_open_to_as_much_as_the_broker_allows() {
    let broker = Broker::start_with(1, &["max.decompressed.message.bytes=1000"]);
    if !broker.is_klamm() {
        // Of 4.4: the Apache that these tests run against does not know it yet.
        return;
    }
    let mut stream = broker.connect();
    create_topic(&mut stream, "bounded");
    let answer = |stream: &mut std::net::TcpStream, value_bytes: usize| {
        let mut builder = BatchBuilder::new(Offset(0)).compression(Compression::Gzip);
        let value = vec![b'v'; value_bytes];
        builder.append(Timestamp(1_700_000_000_000), None, Some(&value), &[]);
        let batch = builder.finish();
        assert!(batch.len() < HEADER_BYTES + 200, "it compresses well");
        let response = produce(stream, "bounded", batch);
        response.responses[0].partition_responses[0].error_code
    };
    assert_eq!(answer(&mut stream, 900), 0);
    assert_eq!(answer(&mut stream, 1100), ErrorCode::INVALID_RECORD.0);
}

/// A producer that lies: the payload of its batch does not open, and the checksum says that this is
/// how it was meant.
#[test]
fn compressed_records_are_looked_at_where_the_operator_says_so() {
    let broker = Broker::start(1);
    let mut stream = broker.connect();
    create_topic(&mut stream, "believed");
    let mut builder = BatchBuilder::new(Offset(0)).compression(Compression::Gzip);
    builder.append(Timestamp(1_700_000_000_000), None, Some(&[b'v'; 100]), &[]);
    let mut batch = builder.finish().to_vec();
    batch[HEADER_BYTES + 15] ^= 0xff;
    build::seal(&mut batch);
    let answer = |stream: &mut std::net::TcpStream| {
        let response = produce(stream, "believed", batch.clone().into());
        response.responses[0].partition_responses[0].error_code
    };
    if broker.is_klamm() {
        assert_eq!(answer(&mut stream), 0, "klamm passes batches through");
        alter_all_brokers(&mut stream, "klamm.validate.compressed.records", "true");
    }
    // As Apache answers where a payload does not open.
    assert_eq!(answer(&mut stream), ErrorCode::UNKNOWN_SERVER_ERROR.0);
}
