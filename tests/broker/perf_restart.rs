//! producer-perf's records are there exactly once although the broker is killed under it, again and
//! again: read back by kcat, which is none of ours.

use crate::broker::Broker;
use crate::kcat;
use crate::perf_tools::{INTERVAL, TOTAL, count, holds, topic};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

const RECORDS: u64 = 8000;
const KILLS: usize = 3;

#[test]
fn every_record_is_there_once_and_in_order_though_the_broker_is_killed() {
    let mut broker = Broker::start(1);
    let name = topic(&broker, "killed", 4);
    let line = format!(
        "producer-perf --bootstrap-server {} --topic {name} --num-records {RECORDS} \
         --payload-monotonic --throughput 2000 --reporting-interval 200 \
         --command-property acks=all enable.idempotence=true linger.ms=2",
        broker.bootstrap
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_klamm"))
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("klamm can be run");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    for _ in 0..KILLS {
        // In the middle of it: since the last kill, records were acknowledged.
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it prints text");
        holds(INTERVAL, line.trim_end());
        broker.kill();
        broker.start_again();
    }
    let mut printed = String::new();
    stdout.read_to_string(&mut printed).expect("it prints text");
    let output = child.wait_with_output().expect("it is our child");
    let complained = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{complained}");
    assert_eq!(count(TOTAL, &printed), RECORDS, "{complained}");

    let mut partitions: BTreeMap<i32, Vec<u64>> = BTreeMap::new();
    for seen in kcat::read(&broker, &name) {
        let value = String::from_utf8(seen.record.value.expect("a value")).expect("digits");
        let values = partitions.entry(seen.record.partition).or_default();
        values.push(value.parse().expect("digits"));
    }
    for values in partitions.values() {
        assert!(
            values.is_sorted_by(|before, after| before < after),
            "they were made in this order"
        );
    }
    let mut all: Vec<u64> = partitions.into_values().flatten().collect();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..RECORDS), "each once, and none lost");
}
