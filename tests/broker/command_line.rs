//! klamm's own command line as a user types it, against the broker: what it prints, what it returns
//! to a script, and that nothing which it acknowledged is lost.

use crate::broker::{Broker, free_port, klamm_start, terminate, unique};
use crate::deadline::wait_for;
use serde_json::Value;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How a run of klamm ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs klamm with these words; where `stdin` is not empty the words read it.
pub fn klamm(words: &[&str], stdin: &str) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_klamm"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("klamm can be run");
    let mut pipe = child.stdin.take().expect("a pipe");
    // A verb that reads no standard input may have closed it.
    let _ = pipe.write_all(stdin.as_bytes());
    drop(pipe);
    let output = child.wait_with_output().expect("klamm is our child");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A run that must end well: what it printed.
pub fn done(line: &str, stdin: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ended = klamm(&words, stdin);
    assert_eq!(ended.code, Some(0), "klamm {line}: {}", ended.stderr);
    ended.stdout
}

/// Makes a topic.
pub fn create_topic(broker: &Broker, topic: &str, partitions: i32) {
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let create = format!("topics {at} --create --topic {topic} --partitions {partitions}");
    done(&create, "");
}

/// A run that must be refused with this code, and one sentence that holds these words.
pub fn refused(line: &str, code: i32, words: &[&str]) {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let ended = klamm(&arguments, "");
    assert_eq!(ended.code, Some(code), "klamm {line}: {}", ended.stderr);
    assert_eq!(
        ended.stderr.lines().count(),
        1,
        "klamm {line}: {}",
        ended.stderr
    );
    for word in words {
        assert!(
            ended.stderr.contains(word),
            "klamm {line}: {}",
            ended.stderr
        );
    }
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn topics_are_made_changed_and_deleted() {
    let broker = Broker::start(1);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let name = unique("made");
    let create = format!("topics {at} --create --topic {name} --partitions 2");
    assert_eq!(done(&create, ""), format!("Created topic {name}.\n"));
    refused(&create, 1, &["already exists"]);
    done(&format!("{create} --if-not-exists"), "");

    assert_eq!(
        done(&format!("topics {at} --list"), ""),
        format!("{name}\n")
    );
    let listed = json(&done(&format!("topics {at} --list -o json"), ""));
    assert_eq!(listed, serde_json::json!([name]));

    done(
        &format!("topics {at} --alter --topic {name} --partitions 3"),
        "",
    );
    let text = done(&format!("topics {at} --describe --topic {name}"), "");
    for words in [
        "PartitionCount: 3",
        "ReplicationFactor: 1",
        "Partition: 2\tLeader: 1",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let described = json(&done(
        &format!("topics {at} --describe --topic {name} -o json"),
        "",
    ));
    assert_eq!(described[0]["partitions"][2]["isr"], serde_json::json!([1]));

    done(&format!("topics {at} --delete --topic {name}"), "");
    refused(
        &format!("topics {at} --delete --topic {name}"),
        1,
        &["does not exist"],
    );
    assert_eq!(done(&format!("topics {at} --list"), ""), "");
}

#[test]
fn what_the_producer_took_the_consumer_prints() {
    let broker = Broker::start(2);
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let name = unique("printed");
    done(
        &format!("topics {at} --create --topic {name} --partitions 1"),
        "",
    );
    let produce = format!(
        "console-producer {at} --topic {name} --reader-property parse.key=true \
         --reader-property parse.headers=true --reader-property null.marker=NULL"
    );
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let lines = "h1:v1,h2:v2\tk1\tv1\nNULL\tNULL\tNULL\nh:\tk3\t\n";
        done(&format!("{produce} --compression-codec {codec}"), lines);
    }
    let consume = format!(
        "console-consumer {at} --topic {name} --partition 0 --offset earliest --timeout-ms 30000"
    );
    let text = done(
        &format!(
            "{consume} --max-messages 3 --formatter-property print.key=true \
             --formatter-property print.headers=true --formatter-property print.offset=true"
        ),
        "",
    );
    assert_eq!(
        text,
        "Offset:0\th1:v1,h2:v2\tk1\tv1\nOffset:1\tNO_HEADERS\tnull\tnull\nOffset:2\th:\tk3\t\n"
    );
    let text = done(&format!("{consume} --max-messages 15 -o json"), "");
    let records: Vec<Value> = text.lines().map(json).collect();
    assert_eq!(records.len(), 15);
    for (offset, record) in (0..).zip(&records) {
        assert_eq!(record["offset"], Value::from(offset));
        let same = &records[usize::try_from(offset % 3).expect("small")];
        for field in ["key", "value", "headers"] {
            assert_eq!(record[field], same[field]);
        }
    }
    assert_eq!(records[1]["value"], Value::Null);
    assert_eq!(records[2]["value"], Value::from(""));

    let offsets = format!("get-offsets {at} --topic {name}");
    assert_eq!(done(&offsets, ""), format!("{name}:0:15\n"));
    assert_eq!(
        done(&format!("{offsets} --time earliest"), ""),
        format!("{name}:0:0\n")
    );
    assert_eq!(
        json(&done(&format!("{offsets} -o json"), ""))[0]["offset"],
        Value::from(15)
    );
}

#[test]
fn what_cannot_be_done_is_one_sentence_and_a_code() {
    let port = free_port();
    let nowhere = format!("--bootstrap-server 127.0.0.1:{port}");
    let address = format!("127.0.0.1:{port}");
    refused(
        &format!("topics {nowhere} --list"),
        1,
        &["no broker answers", &address],
    );
    refused(
        &format!("get-offsets {nowhere}"),
        1,
        &["no broker answers", &address],
    );
    refused("topics --list", 2, &["--bootstrap-server"]);
    refused("topcs", 2, &["topics"]);
    refused(
        "dump-log --files /nowhere/00000000000000000000.log",
        1,
        &["cannot read /nowhere/"],
    );
    refused(
        "storage format -t x -c /nowhere/f",
        1,
        &["cannot read /nowhere/f"],
    );
}

#[test]
fn acked_lines_survive_kill_9() {
    let mut broker = Broker::start(1);
    let name = unique("console");
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    done(
        &format!("topics {at} --create --topic {name} --partitions 1"),
        "",
    );
    let mut sent = String::new();
    for round in 0..3 {
        // The producer returns 0 only after every line was acknowledged.
        let lines: String = (0..500).map(|line| format!("{round}-{line}\n")).collect();
        let produce = format!("console-producer {at} --topic {name} --request-required-acks all");
        done(&produce, &lines);
        sent += &lines;
        broker.kill();
        broker.start_again();
    }
    let consume = format!(
        "console-consumer {at} --topic {name} --partition 0 --offset earliest \
         --max-messages 1500 --timeout-ms 30000"
    );
    assert_eq!(done(&consume, ""), sent);
}

#[test]
fn dump_log_reads_every_file_that_a_broker_wrote() {
    let mut broker = Broker::start(2);
    if !broker.is_klamm() {
        return;
    }
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    let name = unique("dumped");
    done(
        &format!("topics {at} --create --topic {name} --partitions 2"),
        "",
    );
    done(
        &format!("console-producer {at} --topic {name}"),
        "one\ntwo\nthree\n",
    );
    broker.stop();
    let files = files(&broker.data());
    assert!(
        files
            .iter()
            .any(|file| file.ends_with("bootstrap.checkpoint")),
        "{files:?}"
    );
    for file in files {
        done(
            &format!("dump-log --print-data-log --files {}", file.display()),
            "",
        );
    }
    let log = broker
        .data()
        .join("__cluster_metadata-0/00000000000000000000.log");
    let decoded = format!(
        "dump-log --cluster-metadata-decoder --skip-record-metadata --files {}",
        log.display()
    );
    let payloads: Vec<Value> = done(&decoded, "")
        .lines()
        .filter_map(|line| line.strip_prefix("| payload: ").map(json))
        .collect();
    let topic = payloads
        .iter()
        .find(|payload| payload["type"] == "TOPIC_RECORD")
        .expect("the topic was recorded");
    assert_eq!(topic["data"]["name"], Value::from(name));
    let id = &topic["data"]["topicId"];
    let partitions = payloads
        .iter()
        .filter(|payload| payload["type"] == "PARTITION_RECORD")
        .filter(|payload| payload["data"]["topicId"] == *id);
    assert_eq!(partitions.count(), 2);
}

/// Every file with contents that klamm's dump-log knows, which is every one but the lock and the
/// properties.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)
        .expect("a folder of the broker")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.ends_with(".lock") && !path.ends_with("meta.properties") {
            found.push(path);
        }
    }
    found
}

/// A broker that does not outlive its test, however that ends.
pub struct Started(pub Child);

impl Drop for Started {
    fn drop(&mut self) {
        // Most often it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_formatted_directory_is_one_that_starts() {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    let [first, second] = ["a", "b"].map(|name| folder.path().join(name));
    let properties = folder.path().join("server.properties");
    let text = format!(
        "node.id=7\nlog.dirs={},{}\n",
        first.display(),
        second.display()
    );
    std::fs::write(&properties, text).expect("a writable temporary folder");
    let cluster = "4L6g3nShT-eMCtK--X86sw";
    let format = format!("storage format -t {cluster} -c {}", properties.display());
    let said = done(&format!("{format} --standalone"), "");
    assert!(
        said.contains(&format!(
            "Formatting metadata directory {}",
            first.display()
        )),
        "{said}"
    );
    assert!(
        said.contains(&format!("Formatting data directory {}", second.display())),
        "{said}"
    );
    refused(
        &format,
        1,
        &["is already formatted. Use --ignore-formatted"],
    );
    done(&format!("{format} --ignore-formatted"), "");
    let info = done(&format!("storage info -c {}", properties.display()), "");
    assert!(
        info.contains(&format!("cluster.id={cluster}")) && info.contains("node.id=7"),
        "{info}"
    );

    let port = free_port();
    let directories = PathBuf::from(format!("{},{}", first.display(), second.display()));
    let child = klamm_start(port, &directories, &["node.id=7".to_owned()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("klamm can be run");
    let mut broker = Started(child);
    wait_for("the broker to serve", || {
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    let at = format!("--bootstrap-server 127.0.0.1:{port}");
    let described = done(
        &format!("topics {at} --create --topic t --partitions 2"),
        "",
    );
    assert_eq!(described, "Created topic t.\n");
    // A directory that a broker holds is not formatted under it.
    std::fs::remove_file(second.join("meta.properties")).expect("the file was written");
    refused(
        &format!("{format} --ignore-formatted"),
        1,
        &["in use by another process"],
    );
    terminate(&broker.0);
    let status = broker.0.wait().expect("our own child can be waited for");
    assert!(status.success(), "{status}");
}
