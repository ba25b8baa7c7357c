//! kcat, driven as its users drive it: records on standard input, a format for what it prints.
//! It cannot choose timestamps, and what it prints must not hold the separators used here.

use crate::broker::{Broker, unique};
use crate::plan::{PARTITIONS, Record, Topic};
use crate::report::Seen;
use std::io::Write;
use std::process::{Command, Stdio};

/// Separates the fields that kcat prints; no record holds it.
const FIELD: char = '\u{1}';

/// A topic of what kcat can express: printable records with and without keys and headers.
pub fn topic(codec: &'static str) -> Topic {
    let mut records = Vec::new();
    for index in 0..200 {
        records.push(Record {
            partition: index % PARTITIONS,
            timestamp: None,
            key: Some(format!("key-{index}").into_bytes()),
            value: Some(format!("value-{index} ").repeat(20).into_bytes()),
            headers: Vec::new(),
        });
    }
    let single = |key: Option<&str>, value: Option<&str>, headers: &[(&str, &str)]| Record {
        partition: 1,
        timestamp: None,
        key: key.map(|key| key.as_bytes().to_vec()),
        value: value.map(|value| value.as_bytes().to_vec()),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Some(value.as_bytes().to_vec())))
            .collect(),
    };
    records.push(single(None, Some("no key"), &[]));
    records.push(single(Some("deleted"), None, &[]));
    records.push(single(Some("empty"), Some(""), &[]));
    records.push(single(
        Some("with headers"),
        Some("x"),
        &[("a", "1"), ("b", "two"), ("a", "3")],
    ));
    Topic {
        name: unique(&format!("kcat-{codec}")),
        codec,
        acks: "all",
        idempotent: false,
        configs: Vec::new(),
        records,
    }
}

/// Writes the topic: consecutive records of one kind with one run of kcat for each partition.
pub fn produce(broker: &Broker, topic: &Topic) {
    let mut runs: Vec<(i32, Vec<String>, String)> = Vec::new();
    for record in &topic.records {
        let (flags, line) = as_arguments(record);
        match runs.iter_mut().rev().find(|run| run.0 == record.partition) {
            Some((_, last, lines)) if *last == flags => lines.push_str(&line),
            _ => runs.push((record.partition, flags, line)),
        }
    }
    for (_, flags, lines) in runs {
        let mut kcat = Command::new("kcat");
        kcat.args([
            "-P",
            "-b",
            &broker.bootstrap,
            "-t",
            &topic.name,
            "-z",
            topic.codec,
        ])
        .args(["-X", &format!("acks={}", topic.acks)])
        .args(flags);
        run(kcat, lines.as_bytes());
    }
}

/// Writes lines as the values of records: to one partition, or to whichever kcat chooses.
pub fn write_lines(broker: &Broker, topic: &str, partition: Option<i32>, lines: &[String]) {
    let mut kcat = Command::new("kcat");
    kcat.args(["-P", "-b", &broker.bootstrap, "-t", topic]);
    if let Some(partition) = partition {
        kcat.args(["-p", &partition.to_string()]);
    }
    run(kcat, (lines.join("\n") + "\n").as_bytes());
}

/// Writes lines of a key, a colon and a value, to the partition of each key.
pub fn write_keyed_lines(broker: &Broker, topic: &str, lines: &[String]) {
    let mut kcat = Command::new("kcat");
    kcat.args(["-P", "-b", &broker.bootstrap, "-t", topic, "-K:"]);
    run(kcat, (lines.join("\n") + "\n").as_bytes());
}

/// What kcat prints when it is called with these arguments.
pub fn printed(arguments: &[&str]) -> String {
    let mut kcat = Command::new("kcat");
    kcat.args(arguments);
    String::from_utf8(run(kcat, b"")).expect("the records are text")
}

fn as_arguments(record: &Record) -> (Vec<String>, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("kcat's records are text");
    let mut flags = vec!["-p".to_owned(), record.partition.to_string()];
    for (name, value) in &record.headers {
        let value = value
            .as_deref()
            .map(text)
            .expect("kcat's headers have values");
        flags.extend(["-H".to_owned(), format!("{name}={value}")]);
    }
    if record.value.is_none() {
        flags.push("-Z".to_owned());
    }
    let value = record.value.as_deref().map(text).unwrap_or_default();
    let line = match record.key.as_deref().map(text) {
        Some(key) => {
            flags.push("-K:".to_owned());
            format!("{key}:{value}\n")
        }
        None => format!("{value}\n"),
    };
    (flags, line)
}

/// Reads the topic from its beginning to its end, without what was aborted.
pub fn read(broker: &Broker, topic: &str) -> Vec<Seen> {
    read_isolated(broker, topic, "read_committed")
}

/// Reads the topic at an isolation level.
pub fn read_isolated(broker: &Broker, topic: &str, isolation: &str) -> Vec<Seen> {
    let format = ["%p", "%o", "%T", "%K", "%k", "%S", "%s", "%h"].join(&FIELD.to_string());
    let mut kcat = Command::new("kcat");
    kcat.args([
        "-C",
        "-q",
        "-e",
        "-b",
        &broker.bootstrap,
        "-t",
        topic,
        "-o",
        "beginning",
    ])
    .args(["-X", &format!("isolation.level={isolation}")])
    .args(["-X", "check.crcs=true", "-f", &format!("{format}\\n")]);
    let printed = String::from_utf8(run(kcat, b"")).expect("the records are text");
    printed.lines().map(seen).collect()
}

fn seen(line: &str) -> Seen {
    let fields: Vec<&str> = line.split(FIELD).collect();
    let [
        partition,
        offset,
        timestamp,
        key_length,
        key,
        value_length,
        value,
        headers,
    ] = fields[..]
    else {
        panic!("kcat printed {line:?}");
    };
    let bytes = |length: &str, text: &str| (length != "-1").then(|| text.as_bytes().to_vec());
    Seen {
        offset: offset.parse().expect("an offset"),
        record: Record {
            partition: partition.parse().expect("a partition"),
            timestamp: Some(timestamp.parse().expect("a timestamp")),
            // kcat says length 0 for a key that is null, too; none of ours is empty.
            key: bytes(key_length, key).filter(|key| !key.is_empty()),
            value: bytes(value_length, value),
            headers: headers
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), Some(value.as_bytes().to_vec())))
                .collect(),
        },
    }
}

fn run(mut kcat: Command, input: &[u8]) -> Vec<u8> {
    let mut child = kcat
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kcat is not there: run `cargo dev install`");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(input)
        .expect("kcat reads its input");
    let output = child.wait_with_output().expect("kcat ends");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{kcat:?} failed: {complaint}");
    output.stdout
}
