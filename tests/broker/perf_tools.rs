//! The measuring tools as scripts use them: their flags and lines are those of Apache's tools, and
//! every record they count has arrived. What goes wrong is in `perf_trouble.rs`.

use crate::broker::{Broker, unique};
use crate::command_line::{create_topic, done, json, klamm};
use crate::deadline::wait_for;
use crate::kcat;
use crate::tools::{self, call};
use regex_lite::Regex;
use std::collections::BTreeSet;

/// What scripts look for in the output of kafka-producer-perf-test.
pub const TOTAL: &str = r"(?m)^(\d+) records sent, ([\d.]+) records/sec \(([\d.]+) MB/sec\), ([\d.]+) ms avg latency, ([\d.]+) ms max latency, (\d+) ms 50th, (\d+) ms 95th, (\d+) ms 99th, (\d+) ms 99\.9th\.$";
const STEADY: &str = r"(?m)^(\d+) steady state records sent, [\d.]+ records/sec \([\d.]+ MB/sec\), [\d.]+ ms avg latency, [\d.]+ ms max latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99\.9th\.$";
pub const INTERVAL: &str = r"(?m)^(\d+) records sent, ([\d.]+) records/sec \(([\d.]+) MB/sec\), ([\d.]+) ms avg latency, ([\d.]+) ms max latency\.$";

/// And of kafka-consumer-perf-test.
pub const CONSUMED: &str = r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}, \d+\.\d{4}, \d+\.\d{4}, (\d+), \d+\.\d{4}, \d+, \d+, -?\d+\.\d{4}, -?\d+\.\d{4}$";
const DETAILED: &str = r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}, 0, \d+\.\d{4}, \d+\.\d{4}, \d+, \d+\.\d{4}, \d+, \d+, -?\d+\.\d{4}, -?\d+\.\d{4}$";

/// And of kafka-e2e-latency.
pub const LATENCY: &str = r"(?m)^0\t[\d.]+\nAvg latency: \d+\.\d{4} ms\nPercentiles: 50th = \d+, 99th = \d+, 99\.9th = \d+$";

pub fn count(pattern: &str, printed: &str) -> u64 {
    let found = Regex::new(pattern)
        .expect("a regular expression")
        .captures(printed);
    let found = found.unwrap_or_else(|| panic!("no line as {pattern} in:\n{printed}"));
    found[1].parse().expect("digits")
}

pub fn holds(pattern: &str, printed: &str) {
    let pattern = Regex::new(pattern).expect("a regular expression");
    assert!(
        pattern.is_match(printed),
        "no line as {pattern} in:\n{printed}"
    );
}

pub fn topic(broker: &Broker, name: &str, partitions: i32) -> String {
    let name = unique(name);
    create_topic(broker, &name, partitions);
    // Apache leads a moment later than it says; what is sent before with acks=0 is gone.
    let asks = format!(
        "get-offsets --bootstrap-server {} --topic {name}",
        broker.bootstrap
    );
    let asks: Vec<&str> = asks.split_whitespace().collect();
    wait_for("the topic's leaders", || {
        let partitions = usize::try_from(partitions).expect("a count");
        (klamm(&asks, "").stdout.lines().count() == partitions).then_some(())
    });
    name
}

/// klamm's tools and Apache's, each run against the same broker: what holds of one's lines holds of
/// the other's.
#[test]
fn the_lines_are_those_of_apaches_tools() {
    let broker = Broker::start(1);
    let name = topic(&broker, "lines", 3);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    // Where the machine is busy, the first record takes a second, and the rest come as fast as they can
    // to catch up with the rate: the interval is shorter than that.
    let produce = format!(
        "{at} --topic {name} --num-records 6000 --record-size 100 --throughput 4000 \
         --warmup-records 2000 --reporting-interval 20 --command-property acks=all linger.ms=1"
    );
    let consume = format!("{at} --topic {name} --num-records 5000 --timeout 20000");
    let detailed = format!("{consume} --show-detailed-stats --reporting-interval 1");
    let latency = format!(
        "{at} --topic {name} --num-records 50 --producer-acks all --record-size 20 \
         --record-key-size 4 --num-headers 2 --record-header-key-size 3 --record-header-size 5"
    );
    let apaches = tools::printed(
        broker.folder(),
        &[
            call(tools::PRODUCER_PERF, &produce),
            call(tools::CONSUMER_PERF, &consume),
            call(tools::CONSUMER_PERF, &detailed),
            call(tools::E2E_LATENCY, &latency),
        ],
    );
    let ours = [
        done(&format!("producer-perf {produce}"), ""),
        done(&format!("consumer-perf {consume}"), ""),
        done(&format!("consumer-perf {detailed}"), ""),
        done(&format!("e2e-latency {latency}"), ""),
    ];
    for printed in [apaches.as_slice(), &ours] {
        let [produced, consumed, detailed, latency] = printed else {
            panic!("four tools were run");
        };
        assert!(
            produced.starts_with(
                "Warmup first 2000 records. Steady state results will print after the complete test \
                 summary.\n"
            ),
            "{produced}"
        );
        assert_eq!(count(TOTAL, produced), 6000);
        assert_eq!(count(STEADY, produced), 4000);
        holds(INTERVAL, produced);
        holds("(?m)^In steady state\\.$", produced);
        assert!(
            consumed.starts_with(
                "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, \
                 rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n"
            ),
            "{consumed}"
        );
        assert!(count(CONSUMED, consumed) >= 5000, "{consumed}");
        assert!(
            detailed.starts_with("time, threadId, data.consumed.in.MB, MB.sec, "),
            "{detailed}"
        );
        holds(DETAILED, detailed);
        holds(LATENCY, latency);
    }
}

/// Whatever flag Apache's three tools take, deprecated or not, ours take, too.
#[test]
fn the_flags_are_those_of_apaches_tools() {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    let ours = ["producer-perf", "consumer-perf", "e2e-latency"];
    let theirs = [
        tools::PRODUCER_PERF,
        tools::CONSUMER_PERF,
        tools::E2E_LATENCY,
    ];
    // A flag alone is a positional argument to the last of them.
    let calls = theirs.map(|tool| call(tool, "--topic t --help"));
    // Where a flag is explained, not where an explanation names one.
    let flags = Regex::new(r"(?m)^ {0,4}(--[a-z][a-z0-9.-]+)").expect("a regular expression");
    for (tool, helped) in ours.iter().zip(tools::run(folder.path(), &calls)) {
        let help = helped.stdout + &helped.stderr;
        let found = flags
            .captures_iter(&help)
            .map(|found| found.extract::<1>().1[0]);
        let found: BTreeSet<&str> = found.collect();
        assert!(found.len() >= 10, "{tool}: {help}");
        for flag in found {
            // A wrong value is complained about; a flag that is not known, otherwise.
            let ended = klamm(&[tool, &format!("{flag}=?")], "");
            assert!(
                !ended.stderr.contains("unexpected argument"),
                "klamm {tool} {flag}: {}",
                ended.stderr
            );
        }
    }
    let unknown = klamm(&["consumer-perf", "--no-such-flag=?"], "");
    assert!(unknown.stderr.contains("unexpected argument"), "the canary");
}

#[test]
fn every_record_arrives_on_one_core() {
    every_record_arrives(&Broker::start(1));
}

#[test]
fn every_record_arrives_at_apache() {
    every_record_arrives(&Broker::start_apache(&[]));
}

/// By each codec, with each acknowledgement, idempotent or not, with one and with many producers.
fn every_record_arrives(broker: &Broker) {
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let mut cases: Vec<String> = ["none", "gzip", "snappy", "lz4", "zstd"]
        .map(|codec| format!("--command-property compression.type={codec}"))
        .to_vec();
    cases.extend(["0", "1", "all"].map(|acks| format!("--command-property acks={acks}")));
    cases.push("--command-property enable.idempotence=false batch.size=1 linger.ms=0".to_owned());
    cases.push("--producers 7 --threads 2 --throughput 20000".to_owned());
    for case in cases {
        let name = topic(broker, "arrives", 3);
        let printed = done(
            &format!(
                "producer-perf {at} --topic {name} --num-records 3001 --payload-monotonic {case}"
            ),
            "",
        );
        assert_eq!(count(TOTAL, &printed), 3001, "{case}");
        // With acks=0 the tool ends before the broker has written what was sent.
        let arrived = wait_for("all records", || {
            let seen = kcat::read(broker, &name);
            (seen.len() >= 3001).then_some(seen)
        });
        let mut values: Vec<u64> = arrived
            .into_iter()
            .map(|seen| {
                let value = String::from_utf8(seen.record.value.expect("a value")).expect("digits");
                value.parse().expect("digits")
            })
            .collect();
        values.sort_unstable();
        assert!(values.into_iter().eq(0..3001), "{case}");
    }
}

#[test]
fn keys_are_skewed_as_asked() {
    let broker = Broker::start(1);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let name = topic(&broker, "keyed", 4);
    done(
        &format!(
            "producer-perf {at} --topic {name} --num-records 20000 --record-size 10 --keys 50 \
             --key-skew 1.0"
        ),
        "",
    );
    let mut counts = [0; 50];
    let mut partitions = [None; 50];
    for seen in kcat::read(&broker, &name) {
        let key = String::from_utf8(seen.record.key.expect("a key")).expect("digits");
        let key: usize = key.parse().expect("digits");
        counts[key] += 1;
        let partition = partitions[key].get_or_insert(seen.record.partition);
        assert_eq!(*partition, seen.record.partition, "a key has one partition");
    }
    assert_eq!(counts.iter().sum::<i32>(), 20_000);
    // 1 / 1 against 1 / 10.
    assert!(
        counts[0] > 7 * counts[9] && counts[0] < 13 * counts[9],
        "{counts:?}"
    );
}

#[test]
fn figures_are_written_as_json_and_as_histograms() {
    let broker = Broker::start(1);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let name = topic(&broker, "figures", 2);
    let log = broker.folder().join("latency.hlog");
    let distribution = broker.folder().join("latency.hgrm");
    let printed = done(
        &format!(
            "producer-perf {at} --topic {name} --num-records 2000 --record-size 50 --throughput 2000 \
             --ramp 200 --reporting-interval 200 -o json --hdr-file {} --hdr-file {}",
            log.display(),
            distribution.display()
        ),
        "",
    );
    let figures = json(&printed);
    assert_eq!(figures["records"], 2000);
    assert_eq!(figures["value_bytes"], 100_000);
    assert_eq!(figures["records_failed"], 0);
    // How many fit into the second that this takes is up to the machine.
    let intervals = figures["intervals"].as_array().expect("an array");
    assert!(!intervals.is_empty(), "{printed}");
    for latency in ["latency_ms", "latency_from_due_ms"] {
        let of = |name: &str| figures[latency][name].as_f64().expect("a number");
        assert!(
            of("p50") <= of("p99") && of("p99") <= of("max"),
            "{printed}"
        );
        assert!(of("max") > 0.0);
    }
    let log = std::fs::read_to_string(log).expect("the log was written");
    let written = log.lines().filter(|line| line.contains(",HISTF")).count();
    assert!(written > 0, "{log}");
    let distribution = std::fs::read_to_string(distribution).expect("it was written");
    assert!(
        distribution.contains("Total count    =         2000]"),
        "{distribution}"
    );
    let consumed = json(&done(
        &format!("consumer-perf {at} --topic {name} --num-records 2000 -o json"),
        "",
    ));
    assert_eq!(
        (&consumed["records"], &consumed["bytes"]),
        (&2000.into(), &100_000.into())
    );
    let latency = json(&done(
        &format!(
            "e2e-latency {at} --topic {name} --num-records 500 --producer-acks 1 --record-size 30 \
             --throughput 1000 -o json"
        ),
        "",
    ));
    assert_eq!(latency["records"], 500);
}

#[test]
fn a_consumer_that_waits_in_vain_says_so() {
    let broker = Broker::start(1);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let name = topic(&broker, "vain", 1);
    done(
        &format!("producer-perf {at} --topic {name} --num-records 10 --record-size 1"),
        "",
    );
    let printed = done(
        &format!("consumer-perf {at} --topic {name} --num-records 11 --timeout 6000 --hide-header"),
        "",
    );
    assert!(
        printed.starts_with(
            "WARNING: Exiting before consuming the expected number of records: timeout (6000 ms) \
             exceeded. You can use the --timeout option to increase the timeout.\n"
        ),
        "{printed}"
    );
    assert_eq!(count(CONSUMED, &printed), 10);
}

#[test]
fn e2e_latency_makes_its_topic_and_takes_kafkas_old_form() {
    let broker = Broker::start(1);
    let name = unique("end-to-end");
    let printed = done(
        &format!("e2e-latency {} {name} 20 1 10", broker.bootstrap),
        "",
    );
    assert!(
        printed.starts_with(&format!(
            "Topic \"{name}\" does not exist. Will create topic with 1 partition(s) and replication \
             factor = 1\n"
        )),
        "{printed}"
    );
    holds(LATENCY, &printed);
}
