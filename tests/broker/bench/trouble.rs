//! What goes wrong with a bench: one sentence each, with the side in front, and what was found until then.

use crate::broker::{Broker, free_port};
use crate::command_line::{done, json, klamm, refused};
use crate::deadline::{wait_for, wait_up_to};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

#[test]
fn what_a_bench_cannot_do_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = format!("127.0.0.1:{}", free_port());
    refused("bench", 2, &["--bootstrap-server"]);
    refused("bench --render x", 2, &["--report"]);
    refused(
        &format!("bench produce-1m --bootstrap-server {nobody}"),
        2,
        &["no workload 'produce-1m'", "produce-1k"],
    );
    refused(
        &format!("bench idle --bootstrap-server {nobody} --duration 0"),
        2,
        &["--duration"],
    );
    refused(
        &format!("bench idle --bootstrap-server {nobody}"),
        1,
        &["side A", "no broker answers"],
    );
    // Found before the broker is asked, not after an hour of runs.
    let unwritable = folder.path().join("no/report.html");
    refused(
        &format!(
            "bench idle --bootstrap-server {nobody} --report {}",
            unwritable.display()
        ),
        1,
        &["report.html cannot be written"],
    );
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    refused(
        &format!(
            "bench idle --bootstrap-server {nobody} --results {}",
            file.display()
        ),
        1,
        &["results cannot be written"],
    );
    let report = folder.path().join("report.html");
    refused(
        &format!(
            "bench --render {} --report {}",
            folder.path().display(),
            report.display()
        ),
        1,
        &["no result files"],
    );
    assert!(!report.exists(), "a page of nothing was left");
    let broker = Broker::start(1);
    refused(
        &format!(
            "bench idle --bootstrap-server {} --pid 4194305",
            broker.bootstrap
        ),
        1,
        &["there is no process 4194305"],
    );
    refused(
        &format!(
            "bench idle --bootstrap-server {} --cgroup /nowhere",
            broker.bootstrap
        ),
        1,
        &["/nowhere is no control group"],
    );
    refused(
        &format!(
            "bench idle --bootstrap-server {} --against {nobody}",
            broker.bootstrap
        ),
        1,
        &["side B", "no broker answers"],
    );
}

/// A server that answers the first bytes it gets with these.
fn fake(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            let mut request = [0; 512];
            // What the other side does after the answer is not of interest.
            let _ = connection.read(&mut request);
            let _ = connection.write_all(answer);
        }
    });
    address.to_string()
}

#[test]
fn what_is_not_kafka_is_named_by_its_side() {
    let broker = Broker::start(1);
    let http = fake(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let workloads = [
        "idle",
        "produce-lz4",
        "fetch-hot",
        "catch-up",
        "end-to-end",
        "end-to-end-80",
    ];
    for workload in workloads {
        refused(
            &format!(
                "bench {workload} --bootstrap-server {} --against {http}",
                broker.bootstrap
            ),
            1,
            &["side B", "an HTTP server answers there"],
        );
    }
    // Correlation id 0, no error, one API: ApiVersions in versions 0 to 4; no throttling.
    let nothing_but_versions = fake(&[
        0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 2, 0, 18, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0,
    ]);
    for workload in workloads {
        refused(
            &format!("bench {workload} --bootstrap-server {nothing_but_versions}"),
            1,
            &["side A", "the broker does not serve Metadata"],
        );
    }
}

/// A bench without a warm-up.
fn started(broker: &Broker, workload: &str, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_klamm"))
        .args(["bench", workload, "--warm-up", "0"])
        .args(["--bootstrap-server", &broker.bootstrap])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("klamm can be run")
}

/// A bench of many runs, once its first pair has begun to be told.
fn under_way(broker: &Broker, more: &[&str]) -> (Child, BufReader<ChildStderr>) {
    let long = ["--runs", "1000", "--duration", "0.5"];
    let mut child = started(broker, "produce-1k", &[&long[..], more].concat());
    let mut told = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.starts_with("produce-1k, pair 1, a:") {
        line.clear();
        let read = told.read_line(&mut line).expect("it prints text");
        assert!(read > 0, "it ended before its first pair");
    }
    (child, told)
}

/// How a bench ended, what it printed, and what it complained about.
fn ended(mut child: Child, mut told: BufReader<ChildStderr>) -> (Option<i32>, String, String) {
    let code = wait_for("the bench to end", || {
        child.try_wait().expect("it is our child")
    });
    let (mut printed, mut complained) = (String::new(), String::new());
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_string(&mut printed).expect("it prints text");
    told.read_to_string(&mut complained)
        .expect("it prints text");
    (code.code(), printed, complained)
}

#[test]
fn an_interrupted_bench_tells_what_it_found_and_leaves_no_topic() {
    let broker = Broker::start(1);
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.html");
    let (child, told) = under_way(&broker, &["--report", &report.display().to_string()]);
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill is on every Linux");
    assert!(sent.success());
    let (code, printed, complained) = ended(child, told);
    assert_eq!(code, Some(130), "{complained}");
    assert!(complained.contains("interrupted: "), "{complained}");
    assert!(printed.contains("throughput, MB/s"), "{printed}");
    assert!(
        std::fs::read_to_string(&report)
            .unwrap()
            .contains("The row is not complete")
    );
    let listed = done(
        &format!("topics --bootstrap-server {} --list", broker.bootstrap),
        "",
    );
    assert!(!listed.contains("klamm-bench-"), "{listed}");
}

#[test]
fn a_broker_that_dies_in_the_middle_is_named_and_what_was_found_is_told() {
    let mut broker = Broker::start(1);
    let (child, told) = under_way(&broker, &[]);
    broker.kill();
    let (code, printed, complained) = ended(child, told);
    assert_eq!(code, Some(1), "{complained}");
    assert!(printed.contains("throughput, MB/s"), "{printed}");
    let last = complained.lines().last().unwrap_or_default();
    assert!(last.contains("produce-1k: side A, "), "{complained}");
}

/// How many records all topics hold.
fn written(broker: &Broker) -> u64 {
    let asked = klamm(
        &["get-offsets", "--bootstrap-server", &broker.bootstrap],
        "",
    );
    let ends = asked.stdout.lines().filter_map(|line| {
        let (_, end) = line.rsplit_once(':')?;
        end.parse::<u64>().ok()
    });
    ends.sum()
}

/// The broker dies within the first run, once so many records are written.
fn dies_within(workload: &str, seconds: &str, records: u64) {
    let mut broker = Broker::start(1);
    let mut child = started(&broker, workload, &["--runs", "1", "--duration", seconds]);
    wait_for("what the bench writes", || {
        (written(&broker) >= records).then_some(())
    });
    broker.kill();
    let told = BufReader::new(child.stderr.take().expect("a pipe"));
    let (code, printed, complained) = ended(child, told);
    assert_eq!(code, Some(1), "{complained}");
    assert_eq!(printed, "", "no pair was whole");
    let last = complained.lines().last().unwrap_or_default();
    assert!(
        last.contains(&format!("{workload}: side A, ")),
        "{complained}"
    );
}

#[test]
fn a_broker_that_dies_while_it_is_read_from_is_named() {
    // All of what is read then.
    dies_within("fetch-hot", "60", (512 << 20) / 1024);
}

#[test]
fn a_broker_that_dies_between_producer_and_consumer_is_named() {
    // More than the part of the run that does not count sends: 2 s at 2,000 records/s.
    dies_within("end-to-end", "20", 5000);
}

/// The broker stands still nearly all of the time. A run begins while it does not, and has ended when it
/// goes on; what is acknowledged then is late.
#[test]
fn a_rate_that_was_not_kept_is_said_on_the_page_and_by_how_much() {
    const STANDS: Duration = Duration::from_millis(2200);
    const GOES_ON: Duration = Duration::from_millis(200);
    let broker = Broker::start(1);
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.html");
    let to = report.display().to_string();
    let once = [
        "--runs",
        "1",
        "--duration",
        "1",
        "-o",
        "json",
        "--report",
        &to,
    ];
    let mut child = started(&broker, "produce-steady", &once);
    wait_for("the bench to end", || {
        let mut has_ended = || child.try_wait().expect("it is our child");
        broker.signal("STOP");
        let status = wait_up_to(STANDS, &mut has_ended);
        broker.signal("CONT");
        status.or_else(|| wait_up_to(GOES_ON, &mut has_ended))
    });
    let told = BufReader::new(child.stderr.take().expect("a pipe"));
    let (code, printed, complained) = ended(child, told);
    assert_eq!(code, Some(0), "{complained}");
    let rows = json(&printed);
    let runs = rows[0]["runs"].as_array().expect("runs");
    let figures = &runs.last().expect("a run")["figures"];
    let figure = |name: &str| {
        let value = figures[name].as_f64();
        value.unwrap_or_else(|| panic!("{name}: {figures}"))
    };
    assert_eq!(figure("rate_asked_per_s"), 20_000.0);
    assert!(figure("rate_kept") < 1.0 && figure("rate_missed_percent") > 0.0);
    let remark = rows[0]["remarks"][0].as_str().expect("a remark");
    assert!(
        remark.starts_with("a did not keep the rate in 1 of 1 runs: at worst it was "),
        "{remark}"
    );
    assert!(complained.contains(remark), "{complained}");
    let page = std::fs::read_to_string(&report).unwrap();
    assert!(page.contains(remark), "{page}");
}
