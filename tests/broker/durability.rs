//! What was acknowledged is there again: after kill -9 in the midst of producing, and after SIGTERM.

use crate::broker::{Broker, unique};
use crate::deadline::wait_for;
use crate::exact;
use crate::installed;
use crate::kcat;
use bytes::Bytes;
use klamm::base::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use klamm::base::time::Timestamp;
use klamm::protocol::ErrorCode;
use klamm::protocol::messages::init_producer_id::InitProducerIdRequest;
use klamm::record::BatchBuilder;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Acknowledged values by partition and offset.
type Acked = BTreeMap<(i32, i64), String>;

#[test]
fn every_acked_record_survives_kill_9_on_one_core() {
    every_acked_record_survives(1);
}

#[test]
fn every_acked_record_survives_kill_9_on_two_cores() {
    every_acked_record_survives(2);
}

fn every_acked_record_survives(cores: u16) {
    let mut broker = Broker::start_with(cores, &["num.partitions=3"]);
    let topic = unique("survivor");
    let mut acked = Acked::new();
    for round in 0..3 {
        acked.extend(produce_until_killed(&mut broker, &topic, round));
        broker.start_again();
        assert_found(&broker, &topic, &acked);
    }
    broker.stop();
    broker.start_again();
    assert_found(&broker, &topic, &acked);
}

/// An endless producer; the broker is killed when some thousand records were acknowledged, with
/// many more on their way. Everything acknowledged before the producer was told of the end counts.
fn produce_until_killed(broker: &mut Broker, topic: &str, round: u16) -> Acked {
    let mut producer = installed::python("endless_producer.py")
        .args([&broker.bootstrap, topic, &round.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let mut acked = Acked::new();
    let mut lines = BufReader::new(producer.stdout.take().expect("a pipe")).lines();
    let mut take = |acked: &mut Acked| -> bool {
        let Some(line) = lines.next() else {
            return false;
        };
        let line = line.expect("the producer prints text");
        let fields: Vec<&str> = line.split(' ').collect();
        let [partition, offset, value] = fields[..] else {
            panic!("the producer printed {line:?}");
        };
        let place = (
            partition.parse().expect("a partition"),
            offset.parse().expect("an offset"),
        );
        let before = acked.insert(place, value.to_owned());
        assert_eq!(before, None, "two records were acknowledged at {place:?}");
        true
    };
    while acked.len() < 5_000 {
        assert!(take(&mut acked), "the producer ended early");
    }
    broker.kill();
    while take(&mut acked) {}
    producer.wait().expect("the producer is our child");
    acked
}

/// Each acknowledged record lies where it was acknowledged; each producer's records are in order,
/// none of them twice.
fn assert_found(broker: &Broker, topic: &str, acked: &Acked) {
    let mut found = Acked::new();
    let mut last: BTreeMap<(i32, String), u64> = BTreeMap::new();
    let mut next: BTreeMap<i32, i64> = BTreeMap::new();
    for seen in kcat::read(broker, topic) {
        let partition = seen.record.partition;
        let expected = next.entry(partition).or_default();
        assert_eq!(seen.offset, *expected, "partition {partition} has a gap");
        *expected += 1;
        let value = seen.record.value.expect("the producer sends values");
        let value = String::from_utf8(value).expect("the producer sends text");
        let (producer, number) = value.split_once('-').expect("values are ROUND-NUMBER");
        let number: u64 = number.parse().expect("a number");
        let before = last.insert((partition, producer.to_owned()), number);
        assert!(
            before.is_none_or(|before| before < number),
            "partition {partition}: {value} came after number {before:?}"
        );
        found.insert((partition, seen.offset), value);
    }
    for (place, value) in acked {
        assert_eq!(
            found.get(place),
            Some(value),
            "acknowledged at partition and offset {place:?}, and not found there"
        );
    }
}

/// A producer may have five batches on their way when the broker ends. It sends all of them again,
/// and those that were written are answered with the offsets that they had.
#[test]
fn a_batch_that_is_sent_again_after_a_restart_keeps_its_offset() {
    // A producer whose last record is older than a day is forgotten: the broker stamps them.
    let mut broker = Broker::start_with(1, &["log.message.timestamp.type=LogAppendTime"]);
    let mut stream = broker.connect();
    exact::create_topic(&mut stream, "retried");
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: i32::MAX,
        ..InitProducerIdRequest::default()
    };
    // Apache Kafka has to fetch a block of ids first.
    let producer = wait_for("a producer id", || {
        let producer = exact::call(&mut stream, 4, &request);
        (producer.error_code == 0).then_some(producer)
    });
    let batch = |number: i32| -> Bytes {
        let mut builder = BatchBuilder::new(Offset(0)).producer(
            ProducerId(producer.producer_id),
            ProducerEpoch(producer.producer_epoch),
            Sequence(3 * number),
        );
        for _ in 0..3 {
            builder.append(Timestamp(0), None, Some(b"value"), &[]);
        }
        builder.finish()
    };
    // Right after its start, Apache Kafka does not lead yet.
    let not_yet = [
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0,
        ErrorCode::LEADER_NOT_AVAILABLE.0,
        ErrorCode::NOT_LEADER_OR_FOLLOWER.0,
    ];
    let send = |broker: &Broker, number: i32| {
        wait_for("the partition to be led", || {
            let response = exact::produce(&mut broker.connect(), "retried", batch(number));
            let answer = &response.responses[0].partition_responses[0];
            let told = (answer.error_code, answer.base_offset);
            (!not_yet.contains(&told.0)).then_some(told)
        })
    };
    for number in 0..10 {
        let offset = 3 * i64::from(number);
        assert_eq!(send(&broker, number), (0, offset));
    }
    drop(stream);
    for is_clean in [false, true] {
        if is_clean {
            broker.stop();
        } else {
            broker.kill();
        }
        broker.start_again();
        let refused = (ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER.0, -1);
        for number in 5..10 {
            let offset = 3 * i64::from(number);
            // Apache Kafka knows only the last one, after a kill, too.
            let is_known = broker.is_klamm() || number == 9;
            let expected = if is_known { (0, offset) } else { refused };
            let answer = send(&broker, number);
            assert_eq!(answer, expected, "batch {number}, clean stop: {is_clean}");
        }
        assert_eq!(send(&broker, 4), refused);
    }
    assert_eq!(send(&broker, 10), (0, 30));
}
