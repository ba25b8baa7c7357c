//! Apache's own command-line tools against the broker, and its `kafka-dump-log` over every file
//! the broker wrote.

use crate::broker::{Broker, unique};
use crate::installed;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// One run of a tool: what it is called, and what it is given.
pub struct Call {
    tool: &'static str,
    arguments: Vec<String>,
    stdin: String,
}

/// How a run of a tool ended.
pub struct Ended {
    pub code: i64,
    pub stdout: String,
    pub stderr: String,
}

pub const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
pub const CONSOLE_PRODUCER: &str = "org.apache.kafka.tools.ConsoleProducer";
pub const CONSOLE_CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const GET_OFFSETS: &str = "org.apache.kafka.tools.GetOffsetShell";
pub const PRODUCER_PERF: &str = "org.apache.kafka.tools.ProducerPerformance";
const API_VERSIONS: &str = "org.apache.kafka.tools.BrokerApiVersionsCommand";
const CLUSTER: &str = "org.apache.kafka.tools.ClusterTool";
pub const CONFIGS: &str = "kafka.admin.ConfigCommand";
const DELETE_RECORDS: &str = "org.apache.kafka.tools.DeleteRecordsCommand";
pub const CONSUMER_GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
pub const CONSUMER_PERF: &str = "org.apache.kafka.tools.ConsumerPerformance";
pub const E2E_LATENCY: &str = "org.apache.kafka.tools.EndToEndLatency";
const LOG_DIRS: &str = "org.apache.kafka.tools.LogDirsCommand";
pub const DUMP_LOG: &str = "org.apache.kafka.tools.DumpLogSegments";

/// A run of a tool with these words, separated by spaces.
pub fn call(tool: &'static str, arguments: &str) -> Call {
    Call {
        tool,
        arguments: arguments.split_whitespace().map(str::to_owned).collect(),
        stdin: String::new(),
    }
}

/// Runs the tools one after the other in one JVM.
pub fn run(folder: &Path, calls: &[Call]) -> Vec<Ended> {
    let script = folder.join("tools.json");
    let results = folder.join("tools-results.json");
    let calls: Vec<Value> = calls
        .iter()
        .map(|call| json!({"tool": call.tool, "arguments": call.arguments, "stdin": call.stdin}))
        .collect();
    std::fs::write(&script, json!(calls).to_string()).expect("a writable temporary folder");
    let output = installed::java("tools", "Tools")
        .args([&script, &results])
        .output()
        .expect("java runs");
    assert!(
        output.status.success(),
        "the tools did not run: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(&results).expect("the tools' results were written");
    let results: Vec<Value> = serde_json::from_str(&text).expect("the results are JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    results
        .iter()
        .map(|result| Ended {
            code: result["code"].as_i64().expect("a code"),
            stdout: text(&result["stdout"]),
            stderr: text(&result["stderr"]),
        })
        .collect()
}

/// Runs the tools; panics unless each ends well and prints the words that stand beside it.
pub fn run_and_expect(folder: &Path, expectations: Vec<(Call, &[&str])>) {
    let (calls, words): (Vec<Call>, Vec<&[&str]>) = expectations.into_iter().unzip();
    for ((call, words), ended) in calls.iter().zip(words).zip(run(folder, &calls)) {
        let shown = format!(
            "{} {}\nstdout: {}\nstderr: {}",
            call.tool,
            call.arguments.join(" "),
            ended.stdout,
            ended.stderr
        );
        assert_eq!(ended.code, 0, "{shown}");
        for word in words {
            assert!(
                ended.stdout.contains(word),
                "{word:?} is not in what it printed: {shown}"
            );
        }
    }
}

/// Runs the tools; each must end well. What each printed on standard output.
pub fn printed(folder: &Path, calls: &[Call]) -> Vec<String> {
    let ended = run(folder, calls);
    for (call, ended) in calls.iter().zip(&ended) {
        assert_eq!(
            ended.code,
            0,
            "{} {}: {}",
            call.tool,
            call.arguments.join(" "),
            ended.stderr
        );
    }
    ended.into_iter().map(|ended| ended.stdout).collect()
}

/// The Java consumer reads the records of partition 0 whose values begin with these words, with
/// these further flags, and no others before them.
pub fn console_consumer_sees<'w>(
    broker: &Broker,
    topic_and_flags: &str,
    words: impl ExactSizeIterator<Item = &'w str>,
) {
    let consume = call(
        CONSOLE_CONSUMER,
        &format!(
            "--bootstrap-server {} --topic {topic_and_flags} --partition 0 --offset earliest \
             --max-messages {} --timeout-ms 30000",
            broker.bootstrap,
            words.len()
        ),
    );
    let [ended] = &run(broker.folder(), &[consume])[..] else {
        panic!("one tool ends once");
    };
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let seen = ended.stdout.lines();
    let seen: Vec<&str> = seen.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(seen, words.collect::<Vec<_>>());
}

#[test]
fn apaches_tools_work_on_one_core() {
    apaches_tools_work(1);
}

#[test]
fn apaches_tools_work_on_two_cores() {
    apaches_tools_work(2);
}

fn apaches_tools_work(cores: u16) {
    let broker = Broker::start(cores);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let name = unique("tools");
    let partitions_after: &[&str] = &["PartitionCount: 3", "ReplicationFactor: 1", "Leader: 1"];
    let deletion = broker.folder().join("delete.json");
    let plan = json!({"version": 1, "partitions": [{"topic": name, "partition": 0, "offset": 1}]});
    std::fs::write(&deletion, plan.to_string()).expect("a writable temporary folder");
    let deletion = deletion.display();

    run_and_expect(
        broker.folder(),
        vec![
            (
                call(
                    TOPICS,
                    &format!("{at} --create --topic {name} --partitions 1"),
                ),
                &["Created topic"],
            ),
            (call(TOPICS, &format!("{at} --list")), &[&name]),
            (
                Call {
                    stdin: "one:first\ntwo:second\nthree:third\n".to_owned(),
                    ..call(
                        CONSOLE_PRODUCER,
                        &format!(
                            "{at} --topic {name} --reader-property parse.key=true \
                             --reader-property key.separator=:"
                        ),
                    )
                },
                &[],
            ),
            (
                call(
                    CONSOLE_CONSUMER,
                    &format!(
                        "{at} --topic {name} --partition 0 --offset earliest --max-messages 3 \
                         --timeout-ms 30000 --formatter-property print.key=true \
                         --formatter-property print.offset=true"
                    ),
                ),
                &[
                    "Offset:0\tone\tfirst\n",
                    "Offset:1\ttwo\tsecond\n",
                    "Offset:2\tthree\tthird\n",
                ],
            ),
            (
                call(GET_OFFSETS, &format!("{at} --topic {name}")),
                &[&format!("{name}:0:3")],
            ),
            (
                call(GET_OFFSETS, &format!("{at} --topic {name} --time earliest")),
                &[&format!("{name}:0:0")],
            ),
            (
                call(
                    DELETE_RECORDS,
                    &format!("{at} --offset-json-file {deletion}"),
                ),
                &["low_watermark: 1"],
            ),
            (
                call(GET_OFFSETS, &format!("{at} --topic {name} --time earliest")),
                &[&format!("{name}:0:1")],
            ),
            (
                call(
                    TOPICS,
                    &format!("{at} --alter --topic {name} --partitions 3"),
                ),
                &[],
            ),
            (
                call(TOPICS, &format!("{at} --describe --topic {name}")),
                partitions_after,
            ),
            (
                call(
                    PRODUCER_PERF,
                    &format!(
                        "{at} --topic {name} --num-records 2000 --record-size 1024 --throughput -1"
                    ),
                ),
                &["2000 records sent"],
            ),
            (
                call(LOG_DIRS, &format!("{at} --describe --topic-list {name}")),
                &[&format!("{name}-0")],
            ),
            (
                call(
                    CONFIGS,
                    &format!(
                        "{at} --alter --entity-type topics --entity-name {name} --add-config retention.ms=777000"
                    ),
                ),
                &["Completed updating config"],
            ),
            (
                call(
                    CONFIGS,
                    &format!("{at} --describe --entity-type topics --entity-name {name}"),
                ),
                &["retention.ms=777000", "DYNAMIC_TOPIC_CONFIG"],
            ),
            (
                call(
                    CONFIGS,
                    &format!(
                        "{at} --alter --entity-type brokers --entity-name 1 --add-config log.retention.ms=888000"
                    ),
                ),
                &["Completed updating config"],
            ),
            (
                call(
                    CONFIGS,
                    &format!("{at} --describe --entity-type brokers --entity-name 1"),
                ),
                &["log.retention.ms=888000", "DYNAMIC_BROKER_CONFIG"],
            ),
            (
                call(
                    CONFIGS,
                    &format!("{at} --describe --all --entity-type brokers --entity-name 1"),
                ),
                &["num.network.threads=", "log.segment.bytes=1073741824"],
            ),
            (
                call(API_VERSIONS, &at),
                &[
                    "Produce(0): 0 to",
                    "Fetch(1): 4 to",
                    "ApiVersions(18): 0 to",
                ],
            ),
            (
                call(CLUSTER, &format!("cluster-id {at}")),
                &["Cluster ID: "],
            ),
            (call(TOPICS, &format!("{at} --delete --topic {name}")), &[]),
        ],
    );
}

#[test]
fn dump_log_reads_every_file_after_a_clean_stop() {
    dump_log_reads_every_file(|broker| {
        broker.stop();
    });
}

#[test]
fn dump_log_reads_every_file_after_a_kill() {
    dump_log_reads_every_file(Broker::kill);
}

fn dump_log_reads_every_file(end: impl Fn(&mut Broker)) {
    let mut broker = Broker::start(2);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let name = unique("dumped");
    let perf = |more: &str| {
        call(
            PRODUCER_PERF,
            &format!(
                "{at} --topic {name} --num-records 3000 --throughput -1 --record-size 1000 {more}"
            ),
        )
    };
    // Small segments: rolled files are dumped too, and they have indexes with entries.
    let create =
        format!("{at} --create --topic {name} --partitions 2 --config segment.bytes=1048576");
    run_and_expect(
        broker.folder(),
        vec![
            (call(TOPICS, &create), &[]),
            (perf(""), &["3000 records sent"]),
            (
                perf("--producer-props compression.type=zstd"),
                &["3000 records sent"],
            ),
        ],
    );
    end(&mut broker);
    broker.start_again();
    run_and_expect(broker.folder(), vec![(perf(""), &["3000 records sent"])]);
    end(&mut broker);

    let files = dumpable(&broker.data());
    let of_kind = |kind: &str| {
        files
            .iter()
            .any(|file| file.to_string_lossy().ends_with(kind))
    };
    for kind in [".log", ".index", ".timeindex", ".snapshot", ".checkpoint"] {
        assert!(of_kind(kind), "the broker wrote no file {kind}: {files:?}");
    }
    let calls: Vec<Call> = files
        .iter()
        .map(|file| {
            let in_metadata = file.to_string_lossy().contains("__cluster_metadata-0");
            let is_records = file
                .extension()
                .is_some_and(|it| it == "log" || it == "checkpoint");
            let how = match (in_metadata, is_records) {
                (true, true) => "--cluster-metadata-decoder --skip-record-metadata",
                (false, true) => "--print-data-log --deep-iteration",
                (_, false) => "",
            };
            call(DUMP_LOG, &format!("{how} --files {}", file.display()))
        })
        .collect();
    for (file, ended) in files.iter().zip(run(broker.folder(), &calls)) {
        assert_eq!(ended.code, 0, "{}: {}", file.display(), ended.stderr);
        let said = [ended.stdout, ended.stderr].concat();
        // The records themselves are random letters, which may spell anything.
        for line in said.lines().filter(|line| !line.starts_with("| ")) {
            assert!(
                !is_complaint(line),
                "dump-log of {} says: {line}",
                file.display()
            );
        }
    }
}

/// Whether dump-log finds fault with a file. Of a file that does not begin at offset 0 it says that
/// "-1 is followed by" the first one, Apache's own files included.
fn is_complaint(line: &str) -> bool {
    let faults = [
        "Exception",
        "Mismatch",
        "mismatch",
        "isvalid: false",
        "Could not",
        "error",
        "Error",
    ];
    let gap = line.contains(" is followed by ") && !line.trim_start().starts_with("-1 ");
    gap || faults.iter().any(|fault| line.contains(fault))
}

/// Every file of the data directory that dump-log understands.
fn dumpable(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)
        .expect("the broker made its directory")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            found.extend(dumpable(&path));
            continue;
        }
        let kinds = [
            "log",
            "index",
            "timeindex",
            "txnindex",
            "snapshot",
            "checkpoint",
        ];
        if path
            .extension()
            .is_some_and(|kind| kinds.iter().any(|known| kind == *known))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}
