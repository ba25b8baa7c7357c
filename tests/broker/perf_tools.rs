//! The measuring tools as scripts use them: their flags and lines are those of Apache's tools, and
//! every record they count has arrived. What goes wrong is in `perf_trouble.rs`.

use crate::broker::{Broker, unique};
use crate::command_line::{create_topic, done, json, klamm};
use crate::deadline::wait_for;
use crate::kcat;
use crate::tools::{self, call};
use regex_lite::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

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

/// The flags of Kafka 4.4's tools, deprecated or not. Those that can be asked for theirs are 4.3.1's.
const FLAGS_OF_4_4: [(&str, &[&str]); 3] = [
    (
        "producer-perf",
        &[
            "--bootstrap-server",
            "--topic",
            "--num-records",
            "--record-size",
            "--payload-file",
            "--payload-delimiter",
            "--payload-monotonic",
            "--throughput",
            "--command-property",
            "--producer-props",
            "--command-config",
            "--producer.config",
            "--print-metrics",
            "--transactional-id",
            "--transaction-duration-ms",
            "--warmup-records",
            "--reporting-interval",
            "--record-key-range",
            "--key-distribution",
            "--random-seed",
        ],
    ),
    (
        "consumer-perf",
        &[
            "--bootstrap-server",
            "--topic",
            "--include",
            "--num-records",
            "--messages",
            "--group",
            "--fetch-size",
            "--from-latest",
            "--socket-buffer-size",
            "--command-property",
            "--command-config",
            "--consumer.config",
            "--print-metrics",
            "--show-detailed-stats",
            "--timeout",
            "--reporting-interval",
            "--date-format",
            "--hide-header",
        ],
    ),
    (
        "e2e-latency",
        &[
            "--bootstrap-server",
            "--topic",
            "--num-records",
            "--producer-acks",
            "--record-size",
            "--record-key-size",
            "--num-headers",
            "--record-header-key-size",
            "--record-header-size",
            "--command-config",
        ],
    ),
];

/// A wrong value is complained about; a flag that is not known, otherwise.
fn takes(tool: &str, flag: &str) {
    let ended = klamm(&[tool, &format!("{flag}=?")], "");
    assert!(
        !ended.stderr.contains("unexpected argument"),
        "klamm {tool} {flag}: {}",
        ended.stderr
    );
}

#[test]
fn the_flags_are_those_of_4_4() {
    for (tool, flags) in FLAGS_OF_4_4 {
        for flag in flags {
            takes(tool, flag);
        }
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
            takes(tool, flag);
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

/// KIP-1299: a key is a number below the range, in digits; `range` gives each record its own number
/// modulo the range, whichever producer makes it.
#[test]
fn keys_lie_in_the_range_of_kafkas_own_flags() {
    let broker = Broker::start(1);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let number = |field: Option<Vec<u8>>| -> u64 {
        let digits = String::from_utf8(field.expect("it is not null")).expect("digits");
        digits.parse().expect("digits")
    };
    for keys in [
        "--key-distribution range --record-key-range 7",
        "--key-distribution range --record-key-range 7 --producers 3",
        "--key-distribution random --record-key-range 7 --random-seed -1",
    ] {
        let name = topic(&broker, "ranged", 3);
        done(
            &format!(
                "producer-perf {at} --topic {name} --num-records 1001 --payload-monotonic {keys}"
            ),
            "",
        );
        let arrived = kcat::read(&broker, &name);
        assert_eq!(arrived.len(), 1001, "{keys}");
        let mut found = BTreeSet::new();
        for seen in arrived {
            let (key, value) = (number(seen.record.key), number(seen.record.value));
            if keys.starts_with("--key-distribution range") {
                assert_eq!(key, value % 7, "{keys}");
            }
            found.insert(key);
        }
        assert!(found.into_iter().eq(0..7), "{keys}");
    }
    let name = topic(&broker, "keyless", 1);
    done(
        &format!(
            "producer-perf {at} --topic {name} --num-records 10 --payload-monotonic \
             --key-distribution none"
        ),
        "",
    );
    let arrived = kcat::read(&broker, &name);
    assert_eq!(arrived.len(), 10);
    assert!(arrived.iter().all(|seen| seen.record.key.is_none()));
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
             --ramp 1000 --reporting-interval 200 -o json --hdr-file {} --hdr-file {}",
            log.display(),
            distribution.display()
        ),
        "",
    );
    let figures = json(&printed);
    assert_eq!(figures["records"], 2000);
    assert_eq!(figures["value_bytes"], 100_000);
    assert_eq!(figures["records_failed"], 0);
    // How many fit into the time that this takes is up to the machine.
    let intervals = figures["intervals"].as_array().expect("an array");
    assert!(!intervals.is_empty(), "{printed}");
    let within = |object: &Value, name: &str| object[name].as_f64().expect("a number");
    // The ramp costs half of its time: so much later the last record is due, on any machine.
    let planned = 1999.0 / (1999.0 / 2000.0 + 0.5);
    let asked = within(&figures["rate"], "asked");
    assert!((asked - planned).abs() < 1e-3, "{asked} {planned}");
    // And by no time more can have been acknowledged than were due by then.
    let due_by = |seconds: f64| {
        if seconds < 1.0 {
            1000.0 * seconds * seconds
        } else {
            2000.0 * (seconds - 0.5)
        }
    };
    let mut acknowledged = 0.0;
    for interval in intervals {
        acknowledged += within(interval, "records");
        let end = within(interval, "start_seconds") + within(interval, "seconds");
        assert!(acknowledged <= due_by(end) + 2.0, "{interval} {printed}");
    }
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

/// Runs a tool on a pseudo terminal until that was shown what looks so, and ends it there by Ctrl-C.
/// Gives all that was shown.
fn on_a_terminal(line: &str, pattern: &str) -> String {
    let pattern = Regex::new(pattern).expect("a regular expression");
    let command = format!("exec {} {line}", env!("CARGO_BIN_EXE_klamm"));
    let mut child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is not there: every Debian has it");
    let mut keyboard = child.stdin.take().expect("a pipe");
    let mut screen = child.stdout.take().expect("a pipe");
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    let mut is_interrupted = false;
    loop {
        let read = screen.read(&mut buffer).expect("a pipe can be read");
        if read == 0 {
            break;
        }
        shown.extend_from_slice(&buffer[..read]);
        if !is_interrupted && pattern.is_match(&String::from_utf8_lossy(&shown)) {
            keyboard.write_all(b"\x03").expect("script reads its keys");
            is_interrupted = true;
        }
    }
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(is_interrupted, "nothing as {pattern} in:\n{shown:?}");
    let ended = child.wait().expect("script is our child");
    assert_eq!(ended.code(), Some(130), "{shown:?}");
    shown
}

/// A terminal is shown how far a tool is, and how fast it goes; a pipe, only what stays.
#[test]
fn a_live_line_is_for_terminals() {
    let broker = Broker::start_with(1, &["group.initial.rebalance.delay.ms=0"]);
    let name = topic(&broker, "live", 1);
    let lines = |records: u64, timeout: u64| {
        let at = format!("--bootstrap-server {} --topic {name}", broker.bootstrap);
        let rate = format!("--num-records {records} --record-size 10 --throughput 2000");
        [
            format!("producer-perf {at} {rate}"),
            format!("e2e-latency {at} {rate} --producer-acks 1"),
            format!("consumer-perf {at} --num-records 100000 --timeout {timeout}"),
        ]
    };
    // Where there is no such line, each ends by itself within a minute.
    for line in lines(100_000, 50_000) {
        let latency = if line.starts_with("consumer-perf") {
            ""
        } else {
            ", p99 [\\d.]+ ms"
        };
        // Carriage return, the words, erase to the end of the line (ECMA-48).
        let live = format!("\r\\d+ of 100000 records, [1-9]\\d* records/sec{latency}\x1b\\[K");
        let shown = on_a_terminal(&line, &live);
        assert!(shown.contains("\r\x1b[K"), "it is taken away: {shown:?}");
        holds("interrupted: \\d+ of 100000 records", &shown);
    }
    // By their rate, or their patience, these take so long that a line would have been drawn.
    for line in lines(4000, 2000) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ended = klamm(&words, "");
        assert_eq!(ended.code, Some(0), "{line}: {}", ended.stderr);
        for printed in [&ended.stdout, &ended.stderr] {
            assert!(!printed.contains(['\r', '\x1b']), "{line}: {printed:?}");
        }
    }
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
