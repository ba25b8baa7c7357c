//! The consumer against answers made here: positions, aborted transactions, hostile bytes.

use super::*;
use crate::base::ids::{LeaderEpoch, ProducerEpoch, ProducerId, Sequence};
use crate::base::prng::Prng;
use crate::base::time::Timestamp;
use crate::client::cluster::tests::cluster;
use crate::protocol::messages::fetch::{AbortedTransaction, FetchableTopicResponse};
use crate::record::control::{ControlRecord, end_transaction_batch};
use crate::record::{BatchBuilder, Compression};
use bytes::BytesMut;

const NOW: Instant = Instant(1_000_000_000);

fn batch(base_offset: i64, values: &[&str], producer: Option<i64>) -> Bytes {
    let mut builder = BatchBuilder::new(Offset(base_offset)).compression(Compression::Lz4);
    if let Some(id) = producer {
        builder = builder
            .producer(ProducerId(id), ProducerEpoch(0), Sequence(0))
            .transactional();
    }
    for value in values {
        builder.append(Timestamp(1), None, Some(value.as_bytes()), &[]);
    }
    builder.finish()
}

fn marker(offset: i64, producer: i64, marker: &ControlRecord) -> Bytes {
    end_transaction_batch(
        Offset(offset),
        LeaderEpoch(0),
        Timestamp(1),
        ProducerId(producer),
        ProducerEpoch(0),
        marker,
    )
}

fn answer(
    partition: i32,
    error: ErrorCode,
    records: Bytes,
    aborted: &[(i64, i64)],
) -> FetchResponse {
    FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic: "t".into(),
            partitions: vec![PartitionData {
                partition_index: partition,
                error_code: error.into(),
                high_watermark: 100,
                aborted_transactions: Some(
                    aborted
                        .iter()
                        .map(|&(producer_id, first_offset)| AbortedTransaction {
                            producer_id,
                            first_offset,
                            ..AbortedTransaction::default()
                        })
                        .collect(),
                ),
                records: Some(records.into()),
                ..PartitionData::default()
            }],
            ..FetchableTopicResponse::default()
        }],
        ..FetchResponse::default()
    }
}

fn consumer(isolation: Isolation, position: i64) -> Consumer {
    let mut consumer = Consumer::new(ConsumerOptions {
        isolation,
        ..ConsumerOptions::default()
    });
    consumer.assign(&Rc::from("t"), 0, Offset(position));
    consumer
}

/// All that can be read now, as offset:value.
fn read(consumer: &mut Consumer) -> Result<Vec<String>, ClientError> {
    let mut seen = Vec::new();
    while let Some(batch) = consumer.poll_batch()? {
        for record in batch.records() {
            let record = record.unwrap();
            let value = String::from_utf8_lossy(record.value.unwrap()).into_owned();
            seen.push(format!("{}:{value}", record.offset));
        }
    }
    Ok(seen)
}

#[test]
fn one_fetch_per_broker_asks_for_what_is_not_waiting() {
    let cluster = cluster(&[("t", &[1, 1, 2]), ("u", &[1])]);
    let mut consumer = consumer(Isolation::ReadUncommitted, 5);
    for (topic, partition) in [("t", 1), ("t", 2), ("u", 0)] {
        consumer.assign(&Rc::from(topic), partition, Offset(0));
    }
    let first = consumer.poll_request(NOW, &cluster).unwrap();
    assert_eq!(first.node, NodeId(1));
    let asked: Vec<(String, usize)> = first
        .request
        .topics
        .iter()
        .map(|topic| (topic.topic.to_string(), topic.partitions.len()))
        .collect();
    assert_eq!(asked, [("t".to_owned(), 2), ("u".to_owned(), 1)]);
    assert_eq!(first.request.topics[0].partitions[0].fetch_offset, 5);
    assert_eq!(
        consumer.poll_request(NOW, &cluster).unwrap().node,
        NodeId(2)
    );
    assert!(consumer.poll_request(NOW, &cluster).is_none());
    let records = batch(4, &["before", "five", "six"], None);
    let response = answer(0, ErrorCode::NONE, records, &[]);
    consumer
        .handle_response(NOW, &cluster, NodeId(1), &response)
        .unwrap();
    // Partition 0 has something waiting now: only the others are asked for again.
    let next = consumer.poll_request(NOW, &cluster).unwrap();
    assert_eq!(next.request.topics[0].partitions.len(), 1);
    assert_eq!(read(&mut consumer).unwrap(), ["5:five", "6:six"]);
    assert_eq!(consumer.position(&Rc::from("t"), 0), Some(Offset(7)));
    assert!(!consumer.is_at_end());
}

#[test]
fn aborted_transactions_are_left_out_where_that_is_asked() {
    let cluster = cluster(&[("t", &[1])]);
    let abort = ControlRecord::Abort {
        coordinator_epoch: 0,
    };
    let commit = ControlRecord::Commit {
        coordinator_epoch: 0,
    };
    let log = [
        batch(0, &["aborted"], Some(7)),
        batch(1, &["committed"], Some(8)),
        batch(2, &["plain"], None),
        marker(3, 7, &abort),
        batch(4, &["seven again"], Some(7)),
        marker(5, 8, &commit),
        marker(6, 7, &commit),
    ]
    .concat();
    for (isolation, expected) in [
        (
            Isolation::ReadUncommitted,
            &["0:aborted", "1:committed", "2:plain", "4:seven again"][..],
        ),
        (
            Isolation::ReadCommitted,
            &["1:committed", "2:plain", "4:seven again"],
        ),
    ] {
        let mut consumer = consumer(isolation, 0);
        let fetch = consumer.poll_request(NOW, &cluster).unwrap();
        assert_eq!(
            fetch.request.isolation_level != 0,
            isolation == Isolation::ReadCommitted
        );
        let response = answer(0, ErrorCode::NONE, Bytes::from(log.clone()), &[(7, 0)]);
        consumer
            .handle_response(NOW, &cluster, NodeId(1), &response)
            .unwrap();
        assert_eq!(read(&mut consumer).unwrap(), expected);
        assert_eq!(consumer.position(&Rc::from("t"), 0), Some(Offset(7)));
    }
}

#[test]
fn a_batch_cut_off_at_the_end_is_fetched_again_but_not_one_that_never_fits() {
    let cluster = cluster(&[("t", &[1])]);
    let mut consumer = consumer(Isolation::ReadUncommitted, 0);
    let mut log = [batch(0, &["zero"], None), batch(1, &["one"], None)].concat();
    log.truncate(log.len() - 3);
    consumer.poll_request(NOW, &cluster).unwrap();
    let response = answer(0, ErrorCode::NONE, Bytes::from(log.clone()), &[]);
    consumer
        .handle_response(NOW, &cluster, NodeId(1), &response)
        .unwrap();
    assert_eq!(read(&mut consumer).unwrap(), ["0:zero"]);
    let next = consumer.poll_request(NOW, &cluster).unwrap();
    assert_eq!(next.request.topics[0].partitions[0].fetch_offset, 1);
    let half = Bytes::from(log).slice(..70);
    let response = answer(0, ErrorCode::NONE, half, &[]);
    consumer
        .handle_response(NOW, &cluster, NodeId(1), &response)
        .unwrap();
    assert!(matches!(
        read(&mut consumer),
        Err(ClientError::Batch { .. })
    ));
}

#[test]
fn errors_rest_a_partition_lose_its_position_or_end_it() {
    let cluster = cluster(&[("t", &[1])]);
    let mut consumer = consumer(Isolation::ReadUncommitted, 50);
    consumer.poll_request(NOW, &cluster).unwrap();
    let moved = answer(0, ErrorCode::NOT_LEADER_OR_FOLLOWER, Bytes::new(), &[]);
    consumer
        .handle_response(NOW, &cluster, NodeId(1), &moved)
        .unwrap();
    assert!(consumer.take_needs_metadata());
    assert!(consumer.poll_request(NOW, &cluster).is_none());
    let rested = consumer.next_deadline(NOW);
    consumer.poll_request(rested, &cluster).unwrap();
    let lost = answer(0, ErrorCode::OFFSET_OUT_OF_RANGE, Bytes::new(), &[]);
    consumer
        .handle_response(rested, &cluster, NodeId(1), &lost)
        .unwrap();
    assert!(
        consumer.poll_request(rested, &cluster).is_none(),
        "it waits to be assigned anew"
    );
    let lost = consumer.poll_out_of_range().unwrap();
    assert_eq!((lost.partition, lost.position), (0, Offset(50)));
    consumer.assign(&lost.topic, 0, Offset(10));
    consumer.poll_request(rested, &cluster).unwrap();
    consumer.handle_disconnect(rested, NodeId(1));
    consumer
        .poll_request(rested + Duration::from_secs(1), &cluster)
        .unwrap();
    let denied = answer(0, ErrorCode::TOPIC_AUTHORIZATION_FAILED, Bytes::new(), &[]);
    assert!(
        consumer
            .handle_response(rested, &cluster, NodeId(1), &denied)
            .is_err()
    );
}

#[test]
fn hostile_records_do_not_panic() {
    let cluster = cluster(&[("t", &[1])]);
    let mut prng = Prng::new(5);
    let good = [
        batch(0, &["a", "b"], Some(7)),
        batch(2, &["plain"], None),
        marker(
            3,
            7,
            &ControlRecord::Abort {
                coordinator_epoch: 0,
            },
        ),
    ]
    .concat();
    for round in 0..3000 {
        let mut consumer = Consumer::new(ConsumerOptions {
            isolation: Isolation::ReadCommitted,
            check_crcs: round % 2 == 0,
            ..ConsumerOptions::default()
        });
        consumer.assign(
            &Rc::from("t"),
            0,
            Offset(prng.next().cast_signed() >> prng.below(64)),
        );
        consumer.poll_request(NOW, &cluster);
        let mut bytes = BytesMut::from(&good[..]);
        for _ in 0..prng.index(6) {
            let at = prng.index(bytes.len());
            bytes[at] ^= 1 << prng.index(8);
        }
        bytes.truncate(bytes.len() - prng.index(30));
        let aborted = [(7, prng.next().cast_signed() >> prng.below(64)), (9, -1)];
        let response = answer(0, ErrorCode::NONE, bytes.freeze(), &aborted);
        drop(consumer.handle_response(NOW, &cluster, NodeId(1), &response));
        for _ in 0..10 {
            match consumer.poll_batch() {
                Ok(Some(batch)) => assert!(batch.records().count() <= good.len()),
                Ok(None) | Err(_) => break,
            }
        }
    }
}
