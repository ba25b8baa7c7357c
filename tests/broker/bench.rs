//! `klamm bench` as a user meets it: real short runs against a real broker, its page in a real
//! browser, and what goes wrong as one sentence each.

use crate::broker::{Broker, free_port};
use crate::command_line::{done, json, klamm, refused};
use crate::deadline::wait_for;
use crate::installed::root;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Looks at each chart as it was laid out, and says what it saw, and what the page loaded.
const LOOK: &str = r##"<script>
const seen = [...document.querySelectorAll('figure[data-chart]')].map((figure) => {
  const svg = figure.querySelector('svg');
  const box = svg ? svg.getBoundingClientRect() : {width: 0, height: 0};
  const visible = (mark) => { const m = mark.getBoundingClientRect(); return m.width + m.height > 1; };
  const texts = svg ? [...svg.querySelectorAll('text')] : [];
  const inside = (text) => {
    const t = text.getBoundingClientRect();
    return t.left >= box.left - 1 && t.right <= box.right + 1 && t.top >= box.top - 1 && t.bottom <= box.bottom + 1;
  };
  const drawn = svg ? [...svg.querySelectorAll('[stroke="#0B6E99"], [fill="#0B6E99"], [stroke="#C25A00"], [fill="#C25A00"], [stroke="#7A7A72"], [fill="#7A7A72"]')] : [];
  return {
    kind: figure.dataset.chart,
    caption: figure.querySelector('figcaption').textContent,
    width: box.width, height: box.height,
    marks: drawn.filter(visible).length,
    labels: texts.map((text) => text.textContent.trim()).filter((text) => text !== ''),
    outside: texts.filter((text) => !inside(text)).map((text) => text.textContent.trim()),
  };
});
const loaded = performance.getEntriesByType('resource').map((entry) => entry.name);
const pre = document.createElement('pre');
pre.id = 'seen';
pre.textContent = btoa(unescape(encodeURIComponent(JSON.stringify({seen, loaded}))));
document.body.appendChild(pre);
</script></body>"##;

/// Opens a page in headless Chromium, where no name can be resolved, and gives what was seen.
fn look_at(page: &str, folder: &Path) -> Value {
    for load in [
        "src=",
        "@import",
        "url(",
        "href=\"http",
        "<script",
        "<iframe",
    ] {
        assert!(!page.contains(load), "the page has {load}");
    }
    // The page's own rule forbids scripts: the one that looks at it needs it gone.
    let rule = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    assert!(page.contains(rule), "the page forbids nothing");
    let looked = page.replace(rule, "").replacen("</body>", LOOK, 1);
    let path = folder.join("looked-at.html");
    std::fs::write(&path, looked).expect("a writable temporary folder");
    let output = Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
        ])
        .args(["--no-first-run", "--disable-background-networking"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg("--window-size=1100,900")
        .arg(format!(
            "--user-data-dir={}",
            folder.join("browser").display()
        ))
        .arg(format!("file://{}", path.display()))
        .stdin(Stdio::null())
        .output()
        .expect("chromium is not there: run `cargo dev install`");
    let dom = String::from_utf8_lossy(&output.stdout);
    let encoded = dom
        .split_once("<pre id=\"seen\">")
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .unwrap_or_else(|| panic!("{}\n{dom}", String::from_utf8_lossy(&output.stderr)))
        .0;
    let decoded = from_base64(encoded);
    json(&decoded)
}

/// The browser's base64, by the coreutils: no dependency of the tests has it.
fn from_base64(encoded: &str) -> String {
    let mut child = Command::new("base64")
        .arg("--decode")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("base64 is on every Linux");
    let mut pipe = child.stdin.take().expect("a pipe");
    let encoded = encoded.to_owned();
    let writer = std::thread::spawn(move || pipe.write_all(encoded.as_bytes()));
    let output = child.wait_with_output().expect("it is our child");
    writer.join().unwrap().expect("it reads all");
    String::from_utf8(output.stdout).expect("JSON is UTF-8")
}

/// Every chart that was drawn has a size, marks and labelled axes; gives their kinds.
fn sound_charts(seen: &Value) -> Vec<String> {
    assert_eq!(
        seen["loaded"],
        serde_json::json!([]),
        "the page loads something"
    );
    let charts = seen["seen"].as_array().expect("a list of charts");
    let mut kinds = Vec::new();
    for chart in charts {
        let number = |key: &str| chart[key].as_f64().unwrap_or(0.0);
        assert!(
            number("width") > 300.0 && number("height") > 80.0,
            "{chart}"
        );
        assert!(number("marks") > 0.0, "nothing is drawn: {chart}");
        let labels = chart["labels"].as_array().expect("labels");
        assert!(labels.len() > 4, "axes without labels: {chart}");
        let has_title = |label: &Value| {
            let label = label.as_str().unwrap_or_default();
            label
                .chars()
                .filter(|letter| letter.is_alphabetic())
                .count()
                > 3
        };
        assert!(
            labels.iter().any(has_title),
            "no axis says what it is: {chart}"
        );
        assert_eq!(chart["outside"], serde_json::json!([]), "cut off: {chart}");
        kinds.push(chart["kind"].as_str().expect("a kind").to_owned());
    }
    kinds
}

#[test]
fn a_bench_of_two_sides_makes_a_page_that_a_browser_shows() {
    let first = Broker::start(1);
    let second = Broker::start(1);
    let folder = tempfile::tempdir().unwrap();
    let (report, results) = (
        folder.path().join("report.html"),
        folder.path().join("results"),
    );
    let printed = done(
        &format!(
            "bench produce-1k end-to-end idle --bootstrap-server {} --against {} --runs 2 \
             --duration 1 --warm-up 0.2 --noise --report {} --results {} -o json",
            first.bootstrap,
            second.bootstrap,
            report.display(),
            results.display()
        ),
        "",
    );
    let rows = json(&printed);
    let names: Vec<&str> = rows
        .as_array()
        .expect("an array of rows")
        .iter()
        .map(|row| row["row"].as_str().expect("a name"))
        .collect();
    // Each against itself first, then against the other.
    assert_eq!(
        names,
        [
            "produce-1k",
            "produce-1k",
            "end-to-end",
            "end-to-end",
            "idle",
            "idle"
        ]
    );
    assert_eq!(rows[0]["same"], "a");
    let produced = &rows[1];
    let runs = produced["runs"].as_array().expect("runs");
    let order: Vec<&str> = runs
        .iter()
        .map(|run| run["contestant"].as_str().expect("a contestant"))
        .collect();
    assert_eq!(order, ["limit", "a", "b", "limit", "b", "a"]);
    for run in runs.iter().filter(|run| run["contestant"] != "limit") {
        for figure in [
            "mb_per_s",
            "latency_p9999_ms",
            "broker_cpu_s",
            "machine_busy_s_per_gb",
        ] {
            assert!(run["figures"][figure].as_f64().is_some(), "{figure}: {run}");
        }
        assert!(
            run["latency_ms"]
                .as_array()
                .is_some_and(|curve| curve.len() > 10)
        );
        assert!(
            run["core_busy"]
                .as_array()
                .is_some_and(|cores| !cores.is_empty())
        );
        let seconds = run["series"]["s"].as_array().expect("a series").len();
        for name in ["mb_per_s", "p99_ms"] {
            let series = run["series"][name].as_array().expect("a series");
            assert_eq!(series.len(), seconds, "{name}");
        }
    }
    assert_eq!(std::fs::read_dir(&results).unwrap().count(), 6);
    for broker in [&first, &second] {
        let listed = done(
            &format!("topics --bootstrap-server {} --list", broker.bootstrap),
            "",
        );
        assert!(!listed.contains("klamm-bench-"), "{listed}");
    }

    let page = std::fs::read_to_string(&report).unwrap();
    let kinds = sound_charts(&look_at(&page, folder.path()));
    for kind in ["ratios", "latency", "throughput", "p99", "cpu", "cores"] {
        assert!(
            kinds.iter().any(|drawn| drawn == kind),
            "{kind} is not in {kinds:?}"
        );
    }
    assert!(page.contains("What this does not show"), "{page}");
    assert!(page.contains(&first.bootstrap) && page.contains(&second.bootstrap));

    // The files alone make the same page.
    let again = folder.path().join("again.html");
    done(
        &format!(
            "bench --render {} --report {}",
            results.display(),
            again.display()
        ),
        "",
    );
    let rendered = std::fs::read_to_string(&again).unwrap();
    assert_eq!(
        sound_charts(&look_at(&rendered, folder.path())).len(),
        kinds.len()
    );
}

/// What `cargo dev bench` has written so far has neither curves nor series: those charts are left out.
#[test]
fn the_results_of_this_repository_make_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.html");
    let results = root().join("perf/results");
    done(
        &format!(
            "bench --render {} --report {}",
            results.display(),
            report.display()
        ),
        "",
    );
    let page = std::fs::read_to_string(&report).unwrap();
    let kinds = sound_charts(&look_at(&page, folder.path()));
    assert!(kinds.iter().any(|kind| kind == "ratios"), "{kinds:?}");
    assert!(kinds.iter().any(|kind| kind == "cpu"), "{kinds:?}");
}

#[test]
fn the_tools_make_a_page_of_one_run() {
    let broker = Broker::start(1);
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.html");
    let at = format!("--bootstrap-server {}", broker.bootstrap);
    done(
        &format!("topics {at} --create --topic paged --partitions 2"),
        "",
    );
    let produce = format!(
        "producer-perf {at} --topic paged --num-records 4000 --record-size 100 --throughput 4000 \
         --command-property acks=1 linger.ms=1"
    );
    let page_to = format!("--report {}", report.display());
    let printed = done(&format!("{produce} {page_to}"), "");
    assert!(printed.starts_with("4000 records sent, "), "{printed}");
    let page = std::fs::read_to_string(&report).unwrap();
    let kinds = sound_charts(&look_at(&page, folder.path()));
    assert_eq!(kinds, ["latency", "throughput", "records", "p99"]);
    assert!(page.contains("linger.ms"), "{page}");
    refused(
        &format!("{produce} --report {}/no/x.html", folder.path().display()),
        1,
        &["x.html cannot be written"],
    );
}

#[test]
fn one_broker_alone_has_absolute_figures() {
    let broker = Broker::start(1);
    let printed = done(
        &format!(
            "bench small-batches fsync fetch-hot fetch-cold many-partitions produce-steady idle-connections \
             --bootstrap-server {} --runs 1 --duration 0.5 --warm-up 0 -o json",
            broker.bootstrap
        ),
        "",
    );
    for row in json(&printed).as_array().expect("rows") {
        let comparisons = row["comparisons"].as_array().expect("comparisons");
        assert!(comparisons.len() > 1, "{row}");
        for comparison in comparisons {
            assert_ne!(comparison["base"]["contestant"], "b", "{comparison}");
        }
    }
}

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
    refused(
        &format!(
            "bench idle --bootstrap-server {} --against {http}",
            broker.bootstrap
        ),
        1,
        &["side B", "an HTTP server answers there"],
    );
    // Correlation id 0, no error, one API: ApiVersions in versions 0 to 4; no throttling.
    let nothing_but_versions = fake(&[
        0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 2, 0, 18, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0,
    ]);
    refused(
        &format!("bench idle --bootstrap-server {nothing_but_versions}"),
        1,
        &["side A", "the broker does not serve Metadata"],
    );
}

#[test]
fn a_broker_against_itself_is_said_to_be() {
    let broker = Broker::start(1);
    let words = format!(
        "bench small-batches --bootstrap-server {0} --against {0} --runs 1 --duration 0.3 --warm-up 0",
        broker.bootstrap
    );
    let ended = klamm(&words.split_whitespace().collect::<Vec<_>>(), "");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Both sides are the same broker"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.contains("requests/s"), "{}", ended.stdout);
}

/// A bench of many runs, once its first pair has begun to be told.
fn under_way(broker: &Broker, more: &[&str]) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_klamm"))
        .args([
            "bench",
            "produce-1k",
            "--bootstrap-server",
            &broker.bootstrap,
        ])
        .args(["--runs", "1000", "--duration", "0.5", "--warm-up", "0"])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("klamm can be run");
    let mut told = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.starts_with("produce-1k, pair 1, a:") {
        line.clear();
        let read = told.read_line(&mut line).expect("it prints text");
        assert!(read > 0, "it ended before its first pair");
    }
    (child, told)
}

fn ended(
    mut child: Child,
    mut told: BufReader<std::process::ChildStderr>,
) -> (Option<i32>, String, String) {
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
