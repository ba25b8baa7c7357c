//! Two programs that lean on groups with all their weight: a Kafka Streams application with a
//! repartition topic and a changelog, and a Connect worker in distributed mode.

use crate::broker::{Broker, free_port, unique};
use crate::command_line::create_topic;
use crate::deadline::wait_for;
use crate::installed;
use crate::kcat;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// A process that is ended with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Everything that is in a topic, as `key=value` lines.
fn content(broker: &Broker, topic: &str) -> Vec<String> {
    let at = ["-C", "-e", "-q", "-b", &broker.bootstrap, "-t", topic];
    let format = ["-o", "beginning", "-f", "%k=%s\\n"];
    let text = kcat::printed(&[&at[..], &format].concat());
    text.lines().map(str::to_owned).collect()
}

#[test]
fn kafka_streams_counts_words_through_a_repartition_topic() {
    let broker = Broker::start(2);
    let (from, to) = (unique("lines"), unique("counts"));
    create_topic(&broker, &from, 3);
    create_topic(&broker, &to, 1);
    let application = unique("word-count");
    let state = broker.folder().join("streams");
    let start = || {
        Ends(
            installed::java("streams", "WordCount")
                .args([&broker.bootstrap, &application, &from, &to])
                .arg(&state)
                .stdin(Stdio::piped())
                .spawn()
                .expect("java runs"),
        )
    };
    let lines = ["the moldau", "the elbe the rhine"].map(str::to_owned);
    kcat::write_lines(&broker, &from, None, &lines);
    let mut first = start();
    wait_for("the counts", || {
        let counts = content(&broker, &to);
        let has = |line: &str| counts.iter().any(|count| count == line);
        (has("the=3") && has("moldau=1") && has("rhine=1")).then_some(())
    });
    // It leaves cleanly, and its successor goes on counting where it was.
    drop(first.0.stdin.take());
    let status = wait_for("streams to end", || first.0.try_wait().expect("our child"));
    assert!(status.success());
    let _second = start();
    kcat::write_lines(&broker, &from, None, &["the danube".to_owned()]);
    wait_for("the count to go on", || {
        let counts = content(&broker, &to);
        let has = |line: &str| counts.iter().any(|count| count == line);
        (has("the=4") && has("danube=1")).then_some(())
    });
    let again = content(&broker, &to);
    let threes = again.iter().filter(|line| *line == "the=3").count();
    assert_eq!(threes, 1, "a line was counted twice: {again:?}");
}

#[test]
fn a_connect_worker_moves_a_file_through_a_topic_to_a_file() {
    let broker = Broker::start(2);
    let topic = unique("connected");
    create_topic(&broker, &topic, 1);
    let port = free_port();
    let folder = broker.folder();
    let (source, sink) = (folder.join("source.txt"), folder.join("sink.txt"));
    std::fs::write(&source, "one\ntwo\nthree\n").expect("a writable temporary folder");
    let settings = folder.join("connect.properties");
    let lines = [
        format!("bootstrap.servers={}", broker.bootstrap),
        format!("group.id={}", unique("connect")),
        "key.converter=org.apache.kafka.connect.storage.StringConverter".to_owned(),
        "value.converter=org.apache.kafka.connect.storage.StringConverter".to_owned(),
        "config.storage.topic=connect-configs".to_owned(),
        "offset.storage.topic=connect-offsets".to_owned(),
        "offset.storage.partitions=5".to_owned(),
        "status.storage.topic=connect-status".to_owned(),
        "config.storage.replication.factor=1".to_owned(),
        "offset.storage.replication.factor=1".to_owned(),
        "status.storage.replication.factor=1".to_owned(),
        "offset.flush.interval.ms=500".to_owned(),
        format!("listeners=HTTP://127.0.0.1:{port}"),
        format!(
            "plugin.path={}",
            installed::cached("java/connect/jars").display()
        ),
        "plugin.discovery=only_scan".to_owned(),
    ];
    std::fs::write(&settings, lines.join("\n")).expect("a writable temporary folder");
    let _worker = Ends(
        installed::java("connect", "org.apache.kafka.connect.cli.ConnectDistributed")
            .arg(&settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("java runs"),
    );
    let connector = |name: &str, class: &str, file: &std::path::Path, key: &str| {
        let config = json!({
            "name": name,
            "config": {
                "connector.class": class,
                "tasks.max": "1",
                "file": file.display().to_string(),
                key: topic,
            },
        });
        wait_for("the worker to take a connector", || {
            let (code, _) = http(port, "POST", "/connectors", &config.to_string())?;
            (code == 201 || code == 409 && status_of(port, name).is_some()).then_some(())
        });
    };
    connector("source", "FileStreamSource", &source, "topic");
    connector("sink", "FileStreamSink", &sink, "topics");
    wait_for("the lines to arrive", || {
        let text = std::fs::read_to_string(&sink).ok()?;
        (text == "one\ntwo\nthree\n").then_some(())
    });
    let mut file = std::fs::File::options()
        .append(true)
        .open(&source)
        .expect("it was just written");
    file.write_all(b"four\n")
        .expect("a writable temporary folder");
    wait_for("the line that came later", || {
        let text = std::fs::read_to_string(&sink).ok()?;
        (text == "one\ntwo\nthree\nfour\n").then_some(())
    });
}

/// A connector's state, where the worker knows it.
fn status_of(port: u16, name: &str) -> Option<Value> {
    let (code, body) = http(port, "GET", &format!("/connectors/{name}/status"), "")?;
    (code == 200).then(|| serde_json::from_str(&body).ok())?
}

/// One HTTP request; `None` while nobody answers.
fn http(port: u16, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: connect\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let code = answer.split(' ').nth(1)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n")?.1.to_owned();
    Some((code, body))
}
