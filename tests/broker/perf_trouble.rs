//! What goes wrong around the measuring tools: nobody there, a broker that dies, throttles, is old,
//! is not Kafka at all; files that are not what was meant; rates that cannot be kept; Ctrl-C. Each
//! ends in a sentence that says what it was, with what was measured until then.

use crate::between::{Asked, Between, FETCH, PRODUCE, Versions};
use crate::broker::{Broker, free_port, unique};
use crate::command_line::{Ended, done, json, klamm, refused};
use crate::deadline::wait_for;
use crate::kcat;
use crate::perf_tools::{CONSUMED, INTERVAL, LATENCY, TOTAL, count, holds, topic};
use crate::tools::{self, call};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// An hour: whoever heeds it sends nothing more in a test.
const AN_HOUR_MS: i32 = 3_600_000;

#[test]
fn what_cannot_be_meant_or_done_is_one_sentence() {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").expect("a writable temporary folder");
    let nobody = format!("--bootstrap-server 127.0.0.1:{}", free_port());
    let produce = format!("producer-perf {nobody} --topic t --num-records 10");
    let sized = format!("{produce} --record-size 10");
    refused(&sized, 1, &["no broker answers at 127.0.0.1"]);
    let consume = format!("consumer-perf {nobody} --topic t --num-records 10");
    refused(&consume, 1, &["no broker answers at 127.0.0.1"]);
    let latency = format!("e2e-latency {nobody} --topic t --num-records 10 --record-size 10");
    refused(
        &format!("{latency} --producer-acks 1"),
        1,
        &["no broker answers"],
    );
    refused(
        &format!("{latency} --producer-acks 0"),
        2,
        &["'1' or 'all'"],
    );
    refused(&produce, 2, &["--record-size"]);
    refused(
        &format!("{produce} --payload-file {}", empty.display()),
        1,
        &["empty", "is empty"],
    );
    refused(
        &format!("{produce} --payload-file {}/none", folder.path().display()),
        1,
        &["none cannot be read"],
    );
    refused(
        &format!("{sized} --warmup-records 10"),
        2,
        &["strictly fewer"],
    );
    refused(&format!("{sized} --throughput 0"), 2, &["-1 for as many"]);
    refused(&format!("{sized} --ramp 5"), 2, &["--throughput"]);
    refused(&format!("{sized} --keys 5 --key-skew 0"), 2, &["above 0"]);
    refused(
        &format!("{sized} --key-distribution random"),
        2,
        &["how many there are by --record-key-range"],
    );
    refused(
        &format!("{sized} --record-key-range 5"),
        2,
        &["give --key-distribution range or random"],
    );
    refused(
        &format!("{sized} --key-distribution range --record-key-range 0"),
        2,
        &["--record-key-range", "0 is not in 1..=2147483647"],
    );
    refused(
        &format!("{sized} --key-distribution zipf --record-key-range 5"),
        2,
        &["'zipf'", "--key-distribution", "none, range, random"],
    );
    refused(
        &format!("{sized} --keys 5 --key-distribution range --record-key-range 5"),
        2,
        &["--keys and --key-distribution", "only one"],
    );
    refused(
        &format!("{sized} --transactional-id x"),
        1,
        &["no transactions yet"],
    );
    refused(
        &format!("{sized} --transaction-duration-ms 5"),
        1,
        &["no transactions yet"],
    );
    refused(
        &format!("{sized} --command-property security.protocol=SSL"),
        1,
        &["neither TLS nor SASL"],
    );
    refused(
        &format!("{produce} --record-size 2000000"),
        1,
        &["max.request.size", "1048576"],
    );
    refused(
        "producer-perf --topic t --num-records 1 --payload-monotonic",
        2,
        &["bootstrap"],
    );
}

/// What a port that is no broker's does with a connection.
#[derive(Clone, Copy)]
enum Stranger {
    /// Answers the first bytes it gets with these.
    Says(&'static [u8]),
    /// Answers nothing.
    Silent,
    /// Closes the connection.
    Closes,
}

fn stranger(kind: Stranger) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            let mut request = [0; 512];
            // What the other side does after the answer is not of interest.
            let _ = connection.read(&mut request);
            match kind {
                Stranger::Says(answer) => drop(connection.write_all(answer)),
                Stranger::Silent => open.push(connection),
                Stranger::Closes => drop(connection),
            }
        }
    });
    address.to_string()
}

/// The three tools with little to do, each told to wait a short time only.
fn three_tools(address: &str, folder: &Path) -> [String; 3] {
    let config = folder.join("short.properties");
    std::fs::write(&config, "request.timeout.ms=400\n").expect("a writable temporary folder");
    let config = format!("--command-config {}", config.display());
    let at = format!("--bootstrap-server {address} --topic t --num-records 1 {config}");
    [
        format!("producer-perf {at} --record-size 1"),
        format!("consumer-perf {at}"),
        format!("e2e-latency {at} --record-size 1 --producer-acks 1"),
    ]
}

#[test]
fn what_is_not_kafka_or_not_enough_of_it_is_named() {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    // Correlation id 0, no error, one API: ApiVersions in versions 0 to 4; no throttling.
    let nothing_but_versions = Stranger::Says(&[
        0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 2, 0, 18, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0,
    ]);
    let http = Stranger::Says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    // An alert: unexpected message.
    let tls = Stranger::Says(&[0x15, 3, 3, 0, 2, 2, 10]);
    let noise = Stranger::Says(b"\x93\x1f\xa7\x00\xfe\x42\x81\x0c\x55\xaa\x07");
    // A size that an answer may have, and then nothing that makes sense.
    let mimicry = Stranger::Says(b"\x00\x00\x00\x08SSH-2.0-");
    for (kind, words) in [
        (http, "an HTTP server answers there"),
        (tls, "that listener wants TLS"),
        (noise, "which no answer has"),
        (mimicry, "its correlation id is"),
        (Stranger::Closes, "closed the connection"),
        (Stranger::Silent, "was not answered within 400 ms"),
        (nothing_but_versions, "the broker does not serve Metadata"),
    ] {
        for line in three_tools(&stranger(kind), folder.path()) {
            refused(&line, 1, &[words]);
        }
    }
}

/// The highest versions that Apache 2.1 serves (what KIP-896 calls the oldest for clients of 4.x), as
/// far as the tools ask for them.
const APACHE_2_1: Versions = &[
    (0, 7),
    (1, 10),
    (2, 4),
    (3, 7),
    (8, 6),
    (9, 5),
    (10, 2),
    (11, 3),
    (12, 2),
    (13, 2),
    (14, 2),
    (18, 2),
    (19, 3),
    (22, 1),
];

/// Apache 0.11's: the first with batches of version 2, and so the first that klamm's client, or Apache
/// 4.x's, has a version of Produce in common with.
const APACHE_0_11: Versions = &[
    (0, 3),
    (1, 5),
    (2, 2),
    (3, 4),
    (8, 3),
    (9, 3),
    (10, 1),
    (11, 2),
    (12, 1),
    (13, 1),
    (14, 1),
    (18, 1),
    (19, 2),
    (22, 0),
];

/// Apache 0.11's, but for batches of version 2 and all that came with them.
const TOO_OLD: Versions = &[
    (0, 2),
    (1, 3),
    (2, 2),
    (3, 4),
    (8, 3),
    (9, 3),
    (10, 1),
    (11, 2),
    (12, 1),
    (13, 1),
    (14, 1),
    (18, 1),
    (19, 2),
];

#[test]
fn a_broker_as_old_as_apache_0_11_is_served() {
    for (versions, produce, fetch) in [(APACHE_2_1, 7, 10), (APACHE_0_11, 3, 5)] {
        let (between, broker) = Between::start(
            &["group.initial.rebalance.delay.ms=0"],
            Some(versions),
            as_it_is,
        );
        let name = topic(&broker, "old", 2);
        let at = format!("--bootstrap-server {} --topic {name}", between.address);
        for more in ["", "--command-property acks=1", "--throughput 10000"] {
            let printed = done(
                &format!("producer-perf {at} --num-records 1000 --record-size 10 {more}"),
                "",
            );
            assert_eq!(count(TOTAL, &printed), 1000);
        }
        let printed = done(&format!("consumer-perf {at} --num-records 3000"), "");
        assert_eq!(count(CONSUMED, &printed), 3000);
        for more in ["", "--throughput 1000"] {
            let printed = done(
                &format!(
                    "e2e-latency {at} --num-records 20 --record-size 10 --producer-acks all {more}"
                ),
                "",
            );
            holds(LATENCY, &printed);
        }
        assert_eq!(between.version(PRODUCE), Some(produce));
        assert_eq!(between.version(FETCH), Some(fetch));
    }
}

#[test]
fn a_version_that_the_broker_does_not_serve_is_named() {
    // Nobody could make a topic there but the broker itself.
    let (between, _broker) = Between::start(&[], Some(TOO_OLD), as_it_is);
    let name = unique("too-old");
    let at = format!("--bootstrap-server {} --topic {name}", between.address);
    let produce = "the broker serves Produce in versions 0 to 2, which klamm does not speak";
    refused(
        &format!("producer-perf {at} --num-records 1 --record-size 1 --command-property acks=1"),
        1,
        &[produce],
    );
    // An idempotent one misses its identity first.
    refused(
        &format!("producer-perf {at} --num-records 1 --record-size 1"),
        1,
        &["the broker does not serve InitProducerId"],
    );
    refused(
        &format!("e2e-latency {at} --num-records 1 --record-size 1 --producer-acks 1"),
        1,
        &["which klamm does not speak"],
    );
    let read = klamm(
        &[
            "consumer-perf",
            "--bootstrap-server",
            &between.address,
            "--topic",
            &name,
            "--num-records",
            "1",
        ],
        "",
    );
    assert_eq!(read.code, Some(1));
    assert!(
        read.stderr.contains("which klamm does not speak"),
        "{}",
        read.stderr
    );
}

fn as_it_is(_: Asked, frame: Vec<u8>) -> Vec<u8> {
    frame
}

/// Says an hour of throttling in each answer to this API.
fn throttles(api_key: i16) -> impl Fn(Asked, Vec<u8>) -> Vec<u8> + Send + Sync {
    move |asked, mut frame| {
        // Correlation id, tagged fields of the header; then Fetch begins with the time, and Produce ends
        // with it and no tagged fields.
        let at = match asked.api_key {
            FETCH => 5,
            _ => frame.len() - 5,
        };
        if asked.api_key == api_key {
            frame[at..at + 4].copy_from_slice(&AN_HOUR_MS.to_be_bytes());
        }
        frame
    }
}

/// KIP-219, as Apache's own tool does it: after an answer that asks to wait, nothing is sent.
#[test]
fn a_producer_that_is_throttled_waits() {
    let (between, broker) = Between::start(&[], None, throttles(PRODUCE));
    let name = topic(&broker, "throttled", 1);
    let line = format!(
        "--bootstrap-server {} --topic {name} --num-records 50 --record-size 10 --throughput -1 \
         --command-property batch.size=1 linger.ms=0 max.in.flight.requests.per.connection=1 \
         request.timeout.ms=500 delivery.timeout.ms=1500",
        between.address
    );
    let ended = run(&format!("producer-perf {line}"));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(between.asked(PRODUCE), 1, "{}", ended.stderr);
    assert_eq!(count(TOTAL, &ended.stdout), 1);
    holds("49 of 50 records were not delivered: ", &ended.stderr);
    holds(
        r"The broker throttled: 1 answers asked to wait, 3600000 ms together",
        &ended.stderr,
    );
    tools::run(broker.folder(), &[call(tools::PRODUCER_PERF, &line)]);
    assert_eq!(between.asked(PRODUCE), 2, "Apache's tool heeds it, too");
}

#[test]
fn a_consumer_that_is_throttled_waits_and_says_so() {
    let (between, broker) = Between::start(
        &["group.initial.rebalance.delay.ms=0"],
        None,
        throttles(FETCH),
    );
    let name = topic(&broker, "throttled", 1);
    done(
        &format!(
            "producer-perf --bootstrap-server {} --topic {name} --num-records 10 --record-size 1",
            broker.bootstrap
        ),
        "",
    );
    let line = format!(
        "--bootstrap-server {} --topic {name} --num-records 1000 --timeout 3000",
        between.address
    );
    let ended = run(&format!("consumer-perf {line}"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    holds(
        "WARNING: Exiting before consuming the expected number",
        &ended.stdout,
    );
    assert_eq!(count(CONSUMED, &ended.stdout), 10);
    holds(
        "The broker throttled: 1 answers asked to wait, 3600000 ms together",
        &ended.stderr,
    );
    assert_eq!(between.asked(FETCH), 1);
    let printed = tools::printed(broker.folder(), &[call(tools::CONSUMER_PERF, &line)]);
    assert_eq!(count(CONSUMED, &printed[0]), 10);
    assert_eq!(between.asked(FETCH), 2, "Apache's tool heeds it, too");
}

/// The record that the answer is about came; the next one is never sent, and given up.
#[test]
fn an_end_to_end_measurement_that_is_throttled_waits_and_says_so() {
    let (between, broker) = Between::start(&[], None, throttles(PRODUCE));
    let name = topic(&broker, "throttled", 1);
    let config = broker.folder().join("short.properties");
    let settings = "request.timeout.ms=1000\ndelivery.timeout.ms=1500\n";
    std::fs::write(&config, settings).expect("a writable temporary folder");
    let line = format!(
        "e2e-latency --bootstrap-server {} --topic {name} --num-records 50 --record-size 10 \
         --producer-acks all --command-config {}",
        between.address,
        config.display()
    );
    let ended = run(&line);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(between.asked(PRODUCE), 1, "{}", ended.stderr);
    holds(LATENCY, &ended.stdout);
    holds("a record was not taken by throttled-.*-0: ", &ended.stderr);
    holds(
        r"The broker throttled: 1 answers asked to wait, 3600000 ms together, 3600000 ms at most\.",
        &ended.stderr,
    );
    let figures = json(&run(&format!("{line} -o json")).stdout);
    assert_eq!(figures["records"], 1, "{figures}");
    assert_eq!(figures["throttle_time_ms"], 3_600_000.0, "{figures}");
}

/// A run of klamm, however it ends.
fn run(line: &str) -> Ended {
    let words: Vec<&str> = line.split_whitespace().collect();
    klamm(&words, "")
}

#[test]
fn what_a_payload_file_may_be() {
    let broker = Broker::start(1);
    let name = topic(&broker, "payloads", 1);
    let file = broker.folder().join("payloads");
    let produce = format!(
        "producer-perf --bootstrap-server {} --topic {name} --num-records 3 --payload-file {}",
        broker.bootstrap,
        file.display()
    );
    std::fs::create_dir(&file).expect("a writable temporary folder");
    refused(&produce, 1, &["payloads cannot be read"]);
    std::fs::remove_dir(&file).expect("it is there");
    std::fs::write(&file, "one\n").expect("a writable temporary folder");
    done(&produce, "");
    let seen = kcat::read(&broker, &name);
    assert_eq!(seen.len(), 3);
    for record in seen {
        assert_eq!(record.record.value.as_deref(), Some(&b"one"[..]));
    }
}

#[test]
fn a_rate_that_cannot_be_kept_is_told_by_how_much() {
    let broker = Broker::start(1);
    let name = topic(&broker, "too-fast", 1);
    let words = format!(
        "producer-perf --bootstrap-server {} --topic {name} --num-records 2000000 --record-size 100 \
         --throughput 1000000000",
        broker.bootstrap
    );
    let words: Vec<&str> = words.split_whitespace().collect();
    let ended = klamm(&words, "");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(count(TOTAL, &ended.stdout), 2_000_000);
    let pattern = r"The rate was not kept: [\d.]+ records/sec were sent, [\d.]+ % less than the 1000000000.0 asked for";
    holds(pattern, &ended.stderr);
    holds(
        r"From the time each record was due: [\d.]+ ms avg",
        &ended.stderr,
    );
}

/// A rate of 1,000,000,000 a second is kept by nobody.
#[test]
fn an_end_to_end_rate_that_cannot_be_kept_is_told_by_how_much() {
    let broker = Broker::start(1);
    let name = topic(&broker, "too-fast", 1);
    let line = format!(
        "e2e-latency --bootstrap-server {} --topic {name} --num-records 300000 --record-size 100 \
         --producer-acks 1 --throughput 1000000000",
        broker.bootstrap
    );
    let ended = run(&line);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let pattern = r"The rate was not kept: [\d.]+ records/sec were sent, [\d.]+ % less than the 1000000000.0 asked for";
    holds(pattern, &ended.stderr);
    let figures = json(&done(&format!("{line} -o json"), ""));
    assert_eq!(figures["rate"]["kept"], false);
    assert!(figures["rate"]["sent"].as_f64() < figures["rate"]["asked"].as_f64());
}

/// A run of a tool that would take long, once it has printed a line that looks so.
fn under_way(line: &str, pattern: &str) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_klamm"))
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("klamm can be run");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("it prints text");
    holds(pattern, line.trim_end());
    (child, stdout)
}

fn producing(broker: &Broker, name: &str, settings: &str) -> (Child, BufReader<ChildStdout>) {
    let line = format!(
        "producer-perf --bootstrap-server {} --topic {name} --num-records 100000000 --record-size 100 \
         --throughput 2000 --reporting-interval 100 {settings}",
        broker.bootstrap
    );
    under_way(&line, INTERVAL)
}

/// Reads what a producer wrote before, and waits for more.
fn consuming(broker: &Broker, name: &str, settings: &str) -> (Child, BufReader<ChildStdout>) {
    let line = format!(
        "consumer-perf --bootstrap-server {} --topic {name} --num-records 100000000 --hide-header \
         --show-detailed-stats --reporting-interval 100 {settings}",
        broker.bootstrap
    );
    under_way(&line, "^....-..-.. ")
}

fn measuring(broker: &Broker, name: &str, settings: &str) -> (Child, BufReader<ChildStdout>) {
    let line = format!(
        "e2e-latency --bootstrap-server {} --topic {name} --num-records 100000000 --record-size 100 \
         --producer-acks all {settings}",
        broker.bootstrap
    );
    under_way(&line, r"^0\t[\d.]+$")
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill is on every Linux");
    assert!(sent.success());
}

fn ended(mut child: Child, mut stdout: BufReader<ChildStdout>) -> (Option<i32>, String, String) {
    let code = wait_for("the tool to end", || {
        child.try_wait().expect("it is our child")
    });
    let mut printed = String::new();
    stdout.read_to_string(&mut printed).expect("it prints text");
    let mut complained = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr
        .read_to_string(&mut complained)
        .expect("it prints text");
    (code.code(), printed, complained)
}

#[test]
fn an_interrupted_run_tells_what_was_done() {
    let broker = Broker::start(1);
    let name = topic(&broker, "interrupted", 2);
    let (child, stdout) = producing(&broker, &name, "");
    interrupt(&child);
    let (code, printed, complained) = ended(child, stdout);
    assert_eq!(code, Some(130), "{complained}");
    let counted = count(TOTAL, &printed);
    holds(
        &format!("interrupted: {counted} of 100000000 records"),
        &complained,
    );
    let arrived = kcat::read(&broker, &name).len();
    assert_eq!(u64::try_from(arrived).expect("a count"), counted);

    let line = format!(
        "consumer-perf --bootstrap-server {} --topic {name} --num-records 100000000 --hide-header \
         -o json --show-detailed-stats --reporting-interval 100 --timeout 100000 \
         --group interrupted",
        broker.bootstrap
    );
    // All there is has been read when it has been committed, and that it is every 5 s.
    let mut child = Command::new(env!("CARGO_BIN_EXE_klamm"))
        .args(line.split_whitespace())
        .args(["--command-property", "auto.commit.interval.ms=100"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("klamm can be run");
    let describe = format!(
        "groups --bootstrap-server {} --describe --group interrupted -o json",
        broker.bootstrap
    );
    wait_for("the consumer to be through", || {
        let described = run(&describe);
        let described: serde_json::Value = serde_json::from_str(&described.stdout).ok()?;
        let text = described.to_string();
        (text.matches("\"lag\":0").count() >= 2).then_some(())
    });
    interrupt(&child);
    let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let (code, printed, complained) = ended(child, stdout);
    assert_eq!(code, Some(130), "{complained}");
    assert_eq!(json(&printed)["records"], counted, "{printed}");
    holds(
        &format!("interrupted: {counted} of 100000000 records"),
        &complained,
    );

    let (child, stdout) = measuring(&broker, &name, "");
    interrupt(&child);
    let (code, printed, complained) = ended(child, stdout);
    assert_eq!(code, Some(130), "{complained}");
    holds(
        r"(?m)^Avg latency: \d+\.\d{4} ms\nPercentiles: 50th = ",
        &printed,
    );
    holds(r"interrupted: \d+ of 100000000 records", &complained);
}

/// How many latencies an HdrHistogram log holds, by HdrHistogram's own reader.
fn logged(log: &str) -> u64 {
    let mut count = 0;
    for entry in IntervalLogIterator::new(log.as_bytes()) {
        if let LogEntry::Interval(interval) = entry.expect("a line of the format") {
            let encoded = STANDARD.decode(interval.encoded_histogram());
            let histogram: Histogram<u64> = Deserializer::new()
                .deserialize(&mut encoded.expect("base64").as_slice())
                .expect("a histogram");
            count += histogram.len();
        }
    }
    count
}

fn written(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it was written")
}

/// Whoever looks at a file later has not seen that the run was interrupted.
#[test]
fn an_interrupted_run_leaves_whole_files_that_say_so() {
    let broker = Broker::start_with(1, &["group.initial.rebalance.delay.ms=0"]);
    let name = topic(&broker, "cut-short", 2);
    for tool in ["producer-perf", "e2e-latency"] {
        let [log, distribution, page] =
            ["hlog", "hgrm", "html"].map(|ending| broker.folder().join(format!("{tool}.{ending}")));
        let files = format!(
            "--hdr-file {} --hdr-file {} --report {}",
            log.display(),
            distribution.display(),
            page.display()
        );
        let (child, stdout) = match tool {
            "producer-perf" => producing(&broker, &name, &files),
            _ => measuring(&broker, &name, &files),
        };
        interrupt(&child);
        let (code, _, complained) = ended(child, stdout);
        assert_eq!(code, Some(130), "{complained}");
        let counted = count(r"interrupted: (\d+) of 100000000 records", &complained);
        let why = format!("The run is not complete: interrupted: {counted} of 100000000 records");
        let (log, distribution) = (written(&log), written(&distribution));
        assert_eq!(logged(&log), counted, "{log}");
        assert!(
            distribution.contains(&format!("Total count    = {counted:12}]")),
            "{distribution}"
        );
        for text in [&log, &distribution] {
            let last = text.lines().next_back().unwrap_or_default();
            assert!(last.starts_with(&format!("#[{why}")), "{text}");
        }
        let page = written(&page);
        assert!(page.contains(&why) && page.ends_with("</html>"), "{page}");
    }
    let page = broker.folder().join("consumer-perf.html");
    let (child, stdout) = consuming(&broker, &name, &format!("--report {}", page.display()));
    interrupt(&child);
    let (code, _, complained) = ended(child, stdout);
    assert_eq!(code, Some(130), "{complained}");
    let page = written(&page);
    let why = "The run is not complete: it was interrupted";
    assert!(page.contains(why) && page.ends_with("</html>"), "{page}");
}

#[test]
fn a_broker_that_dies_in_the_middle_is_waited_for_and_then_named() {
    let mut broker = Broker::start_with(1, &["group.initial.rebalance.delay.ms=0"]);
    let name = topic(&broker, "dies", 2);
    let settings = "--command-property request.timeout.ms=500 delivery.timeout.ms=1500 linger.ms=5";
    let (producer, produced) = producing(&broker, &name, settings);
    let (consumer, consumed) = consuming(&broker, &name, "--timeout 3000");
    let config = broker.folder().join("short.properties");
    std::fs::write(
        &config,
        "request.timeout.ms=500\ndelivery.timeout.ms=1500\n",
    )
    .expect("a writable temporary folder");
    let other = topic(&broker, "dies-too", 1);
    let config = format!("--command-config {}", config.display());
    let (latency, measured) = measuring(&broker, &other, &config);
    broker.kill();

    let (code, printed, complained) = ended(producer, produced);
    assert_eq!(code, Some(1), "{complained}");
    let counted = count(TOTAL, &printed);
    assert!(counted > 0, "{printed}");
    holds(r"Nothing was acknowledged for [\d.]+ s", &complained);
    holds(
        r"\d+ of 100000000 records were not delivered: ",
        &complained,
    );

    // As Apache's: it waits for so long as it was told, says what it read, and ends well.
    let (code, printed, complained) = ended(consumer, consumed);
    assert_eq!(code, Some(0), "{complained}");
    holds(
        "(?m)^WARNING: Exiting before consuming the expected number",
        &printed,
    );

    let (code, printed, complained) = ended(latency, measured);
    assert_eq!(code, Some(1), "{complained}");
    holds(
        r"(?m)^Avg latency: \d+\.\d{4} ms\nPercentiles: 50th = ",
        &printed,
    );
    holds(
        // It may have been taken just before, and nobody could fetch it.
        r"a record was not taken by dies-too-.*-0: |poll\(\) timed out before finding a result",
        &complained,
    );
}
