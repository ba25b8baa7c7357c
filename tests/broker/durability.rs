//! What was acknowledged is there again: after kill -9 in the midst of producing, and after SIGTERM.

use crate::broker::{Broker, unique};
use crate::installed;
use crate::kcat;
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
