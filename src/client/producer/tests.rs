//! The producer against answers made here: order, sequences, retries, what is given up.

use super::*;
use crate::base::prng::Prng;
use crate::base::time::Timestamp;
use crate::client::cluster::tests::cluster;
use crate::protocol::messages::produce::TopicProduceResponse;
use crate::record::RecordBatch;

const NOW: Instant = Instant(1_000_000_000);

fn later(milliseconds: u64) -> Instant {
    NOW + Duration::from_millis(milliseconds)
}

fn producer(options: ProducerOptions) -> Producer {
    let mut producer = Producer::new(options);
    if producer.needs_identity() {
        producer.set_identity(ProducerId(7), ProducerEpoch(0));
    }
    producer
}

fn options() -> ProducerOptions {
    ProducerOptions {
        linger: Duration::ZERO,
        ..ProducerOptions::default()
    }
}

fn enqueue(producer: &mut Producer, partition: i32, cookie: u64, value: &[u8]) {
    let record = ProducerRecord {
        timestamp: Timestamp(5),
        key: None,
        value: Some(value),
        headers: &[],
        cookie,
    };
    producer.enqueue(NOW, &Rc::from("t"), partition, record);
}

/// Partition, first sequence and count of each batch of a request.
fn batches(outgoing: &Outgoing) -> Vec<(i32, i32, i32)> {
    let partitions = outgoing
        .request
        .topic_data
        .iter()
        .flat_map(|topic| &topic.partition_data);
    partitions
        .map(|partition| {
            let Some(Records::Elsewhere { bytes, token }) = partition.records else {
                panic!("batches are sent from where they lie")
            };
            let records = outgoing.records[token].clone();
            assert_eq!(records.len(), bytes);
            let batch = RecordBatch::parse(records).unwrap();
            batch.check_crc().unwrap();
            let header = batch.header();
            (partition.index, header.base_sequence.0, header.record_count)
        })
        .collect()
}

fn answer(partitions: &[(i32, ErrorCode, i64)]) -> ProduceResponse {
    ProduceResponse {
        responses: vec![TopicProduceResponse {
            name: "t".into(),
            partition_responses: partitions
                .iter()
                .map(|&(index, error, base_offset)| PartitionProduceResponse {
                    index,
                    error_code: error.into(),
                    base_offset,
                    ..PartitionProduceResponse::default()
                })
                .collect(),
            ..TopicProduceResponse::default()
        }],
        ..ProduceResponse::default()
    }
}

#[expect(clippy::type_complexity, reason = "the pairs are taken apart at once")]
fn delivered(producer: &mut Producer) -> Vec<(Vec<u64>, Result<Option<i64>, DeliveryError>)> {
    std::iter::from_fn(|| producer.poll_delivery())
        .map(|delivery| {
            let result = delivery.result.map(|offset| offset.map(|offset| offset.0));
            let cookies = delivery.runs.iter().flat_map(Run::cookies).collect();
            (cookies, result)
        })
        .collect()
}

#[test]
fn records_gather_into_one_batch_per_partition_and_one_request_per_broker() {
    let cluster = cluster(&[("t", &[1, 1, 2])]);
    let mut producer = producer(options());
    for cookie in 0..6 {
        enqueue(
            &mut producer,
            i32::try_from(cookie % 3).unwrap(),
            cookie,
            b"v",
        );
    }
    let first = producer.poll_request(NOW, &cluster).unwrap();
    assert_eq!(first.node, NodeId(1));
    assert_eq!(batches(&first), [(0, 0, 2), (1, 0, 2)]);
    assert!(first.has_topic_ids);
    let second = producer.poll_request(NOW, &cluster).unwrap();
    assert_eq!(
        (second.node, batches(&second)),
        (NodeId(2), vec![(2, 0, 2)])
    );
    assert!(producer.poll_request(NOW, &cluster).is_none());
    let response = answer(&[(0, ErrorCode::NONE, 40), (1, ErrorCode::NONE, 50)]);
    producer.handle_response(NOW, &cluster, first.request_id, &response);
    assert_eq!(
        delivered(&mut producer),
        [(vec![0, 3], Ok(Some(40))), (vec![1, 4], Ok(Some(50)))]
    );
    assert!(!producer.is_idle());
    // A broker that does not name a partition has not answered for it.
    producer.handle_response(NOW, &cluster, second.request_id, &answer(&[]));
    let again = producer.poll_request(later(100), &cluster).unwrap();
    assert_eq!(batches(&again), [(2, 0, 2)]);
    producer.handle_response(
        NOW,
        &cluster,
        again.request_id,
        &answer(&[(2, ErrorCode::NONE, 0)]),
    );
    assert!(producer.is_idle());
}

#[test]
fn a_batch_lingers_until_it_is_full_or_flushed() {
    let cluster = cluster(&[("t", &[1])]);
    let mut producer = producer(ProducerOptions {
        linger: Duration::from_millis(50),
        batch_bytes: 400,
        ..options()
    });
    enqueue(&mut producer, 0, 1, b"small");
    assert!(producer.poll_request(later(49), &cluster).is_none());
    assert_eq!(producer.next_deadline(), later(50));
    enqueue(&mut producer, 0, 2, &[b'x'; 400]);
    // The first no longer waits: what follows did not fit in.
    assert_eq!(
        batches(&producer.poll_request(NOW, &cluster).unwrap()),
        [(0, 0, 1)]
    );
    assert_eq!(
        batches(&producer.poll_request(NOW, &cluster).unwrap()),
        [(0, 1, 1)]
    );
    enqueue(&mut producer, 0, 3, b"small");
    assert!(producer.poll_request(NOW, &cluster).is_none());
    producer.set_flushing(true);
    assert_eq!(
        batches(&producer.poll_request(NOW, &cluster).unwrap()),
        [(0, 2, 1)]
    );
}

#[test]
fn a_failed_batch_and_those_after_it_go_again_in_their_order() {
    let cluster = cluster(&[("t", &[1])]);
    let mut producer = producer(options());
    let mut sent = Vec::new();
    for cookie in 0..3 {
        enqueue(&mut producer, 0, cookie, b"v");
        sent.push(producer.poll_request(NOW, &cluster).unwrap().request_id);
    }
    // The first finds no leader; the others, a gap. They come back in another order.
    let moved = answer(&[(0, ErrorCode::NOT_LEADER_OR_FOLLOWER, -1)]);
    let gap = answer(&[(0, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1)]);
    producer.handle_response(NOW, &cluster, sent[0], &moved);
    producer.handle_response(NOW, &cluster, sent[2], &gap);
    assert!(
        producer.poll_request(later(200), &cluster).is_none(),
        "one is still on its way"
    );
    producer.handle_response(NOW, &cluster, sent[1], &gap);
    assert!(producer.take_needs_metadata());
    assert!(
        producer.poll_request(later(99), &cluster).is_none(),
        "it rests first"
    );
    for sequence in 0..3 {
        let again = producer.poll_request(later(200), &cluster).unwrap();
        assert_eq!(batches(&again), [(0, sequence, 1)]);
        assert!(
            producer.poll_request(later(200), &cluster).is_none(),
            "one at a time"
        );
        let response = answer(&[(0, ErrorCode::NONE, i64::from(sequence))]);
        producer.handle_response(later(200), &cluster, again.request_id, &response);
    }
    let cookies: Vec<Vec<u64>> = delivered(&mut producer)
        .into_iter()
        .map(|(c, _)| c)
        .collect();
    assert_eq!(cookies, [[0], [1], [2]]);
}

#[test]
fn a_batch_given_up_spends_the_identity_and_what_follows_gets_a_new_one() {
    let cluster = cluster(&[("t", &[1])]);
    let mut producer = producer(options());
    enqueue(&mut producer, 0, 1, b"too large");
    let first = producer.poll_request(NOW, &cluster).unwrap();
    enqueue(&mut producer, 0, 2, b"after");
    let second = producer.poll_request(NOW, &cluster).unwrap();
    let refused = answer(&[(0, ErrorCode::MESSAGE_TOO_LARGE, -1)]);
    producer.handle_response(NOW, &cluster, first.request_id, &refused);
    assert!(!producer.needs_identity(), "one is still on its way");
    let gap = answer(&[(0, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1)]);
    producer.handle_response(NOW, &cluster, second.request_id, &gap);
    assert!(producer.needs_identity());
    assert!(producer.poll_request(later(200), &cluster).is_none());
    producer.set_identity(ProducerId(8), ProducerEpoch(0));
    let again = producer.poll_request(later(200), &cluster).unwrap();
    assert_eq!(
        batches(&again),
        [(0, 0, 1)],
        "sealed anew under the new identity"
    );
    let results = delivered(&mut producer);
    assert_eq!(results.len(), 1);
    assert!(matches!(
        results[0].1,
        Err(DeliveryError::Refused {
            error: ErrorCode::MESSAGE_TOO_LARGE,
            ..
        })
    ));
}

#[test]
fn a_broker_that_throttles_is_left_alone_for_so_long() {
    let cluster = cluster(&[("t", &[1])]);
    let mut producer = producer(options());
    enqueue(&mut producer, 0, 0, b"v");
    let first = producer.poll_request(NOW, &cluster).unwrap();
    enqueue(&mut producer, 0, 1, b"v");
    let mut response = answer(&[(0, ErrorCode::NONE, 0)]);
    response.throttle_time_ms = 300;
    producer.handle_response(NOW, &cluster, first.request_id, &response);
    assert!(producer.poll_request(later(299), &cluster).is_none());
    assert!(producer.next_deadline() <= later(300));
    assert!(producer.poll_request(later(300), &cluster).is_some());
    let counters = producer.counters();
    assert_eq!(counters.throttled.time, Duration::from_millis(300));
    assert_eq!(
        (
            counters.throttled.answers,
            counters.requests,
            counters.records
        ),
        (1, 2, 2)
    );
}

#[test]
fn records_added_together_are_one_run() {
    let cluster = cluster(&[("t", &[1])]);
    let mut producer = producer(options());
    for cookie in [5, 6, 7, 9] {
        enqueue(&mut producer, 0, cookie, b"value");
    }
    let sent = producer.poll_request(NOW, &cluster).unwrap();
    assert_eq!(producer.waiting_bytes(), 0);
    producer.handle_response(
        NOW,
        &cluster,
        sent.request_id,
        &answer(&[(0, ErrorCode::NONE, 0)]),
    );
    let delivery = producer.poll_delivery().unwrap();
    let runs: Vec<_> = delivery
        .runs
        .iter()
        .map(|run| (run.cookie, run.count, run.value_bytes))
        .collect();
    assert_eq!(runs, [(5, 3, 15), (9, 1, 5)]);
    assert_eq!(delivery.record_count(), 4);
}

#[test]
fn no_partition_starves_behind_a_full_request() {
    let cluster = cluster(&[("t", &[1, 1, 1])]);
    let mut producer = producer(ProducerOptions {
        request_bytes: 250,
        in_flight_max: 9,
        ..options()
    });
    let mut seen = std::collections::BTreeSet::new();
    for cookie in 0..6 {
        for partition in 0..3 {
            enqueue(&mut producer, partition, cookie, &[0; 50]);
        }
        let sent = producer.poll_request(NOW, &cluster).unwrap();
        seen.extend(
            batches(&sent)
                .into_iter()
                .map(|(partition, _, _)| partition),
        );
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn retries_and_time_are_bounded() {
    let cluster = cluster(&[("t", &[1])]);
    let mut few = producer(ProducerOptions {
        retries: 1,
        idempotent: false,
        ..options()
    });
    enqueue(&mut few, 0, 1, b"v");
    for attempt in 0..2 {
        let outgoing = few.poll_request(later(attempt * 200), &cluster).unwrap();
        assert_eq!(batches(&outgoing), [(0, -1, 1)]);
        few.handle_disconnect(later(attempt * 200), outgoing.request_id);
    }
    assert_eq!(
        delivered(&mut few),
        [(vec![1], Err(DeliveryError::Expired { last_error: None }))]
    );
    assert!(few.is_idle());
    // Without a leader nothing can be sent, and the record does not wait for ever.
    let mut waiting = producer(options());
    enqueue(&mut waiting, 9, 1, b"v");
    assert!(waiting.poll_request(NOW, &cluster).is_none());
    assert!(waiting.take_needs_metadata());
    assert!(waiting.poll_request(later(120_000), &cluster).is_none());
    assert_eq!(delivered(&mut waiting).len(), 1);
}

#[test]
fn acks_zero_is_delivered_when_sent_and_full_buffers_are_sent_at_once() {
    let cluster = cluster(&[("t", &[1])]);
    let mut producer = producer(ProducerOptions {
        acks: Acks::None,
        idempotent: false,
        linger: Duration::from_secs(9),
        buffer_bytes: 100,
        ..options()
    });
    assert!(producer.poll_request(NOW, &cluster).is_none());
    enqueue(&mut producer, 0, 4, &[0; 200]);
    assert!(producer.is_full());
    let outgoing = producer.poll_request(NOW, &cluster).unwrap();
    assert!(!outgoing.expects_response);
    assert_eq!(outgoing.request.acks, 0);
    assert!(producer.has_deliveries() && !producer.is_full() && producer.is_idle());
    assert_eq!(delivered(&mut producer), [(vec![4], Ok(None))]);
}

#[test]
fn whatever_a_broker_answers_every_record_is_told_of_once() {
    let cluster = cluster(&[("t", &[1, 2, 1])]);
    let errors = [
        ErrorCode::NONE,
        ErrorCode::NOT_LEADER_OR_FOLLOWER,
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
        ErrorCode::DUPLICATE_SEQUENCE_NUMBER,
        ErrorCode::MESSAGE_TOO_LARGE,
        ErrorCode::from(12_345),
    ];
    for seed in 0..200 {
        let mut prng = Prng::new(seed);
        let mut producer = producer(ProducerOptions {
            retries: 5,
            batch_bytes: 200,
            idempotent: seed % 2 == 0,
            ..options()
        });
        let mut told = vec![0; 60];
        let mut next = 0;
        let mut open: Vec<Outgoing> = Vec::new();
        let mut now = NOW;
        for _ in 0..5000 {
            now = now + Duration::from_millis(prng.below(80));
            if next < told.len() {
                let partition = i32::try_from(prng.below(3)).unwrap();
                enqueue(
                    &mut producer,
                    partition,
                    u64::try_from(next).unwrap(),
                    &[0; 60],
                );
                next += 1;
            }
            if producer.needs_identity() {
                producer.set_identity(ProducerId(9), ProducerEpoch(0));
            }
            open.extend(producer.poll_request(now, &cluster));
            if !open.is_empty() && prng.one_in(2) {
                let outgoing = open.swap_remove(prng.index(open.len()));
                if prng.one_in(5) {
                    producer.handle_disconnect(now, outgoing.request_id);
                } else {
                    // Answers for partitions that were not asked, twice, or not at all.
                    let partitions: Vec<_> = (0..prng.index(5))
                        .map(|_| {
                            let index = i32::try_from(prng.below(4)).unwrap() - 1;
                            (
                                index,
                                errors[prng.index(errors.len())],
                                prng.next().cast_signed(),
                            )
                        })
                        .collect();
                    let response = answer(&partitions);
                    producer.handle_response(now, &cluster, outgoing.request_id, &response);
                    producer.handle_response(now, &cluster, outgoing.request_id, &response);
                }
            }
            while let Some(delivery) = producer.poll_delivery() {
                for cookie in delivery.runs.iter().flat_map(Run::cookies) {
                    told[usize::try_from(cookie).unwrap()] += 1;
                }
            }
        }
        assert!(
            told.iter().all(|&count| count == 1),
            "seed {seed}: {told:?}"
        );
        assert!(producer.is_idle());
    }
}
