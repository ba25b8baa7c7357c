//! `klamm bench` as a user meets it: real short runs against real brokers, and its page in a real
//! browser.

mod browser;
mod trouble;

use crate::broker::Broker;
use crate::command_line::{done, json, klamm, refused};
use crate::installed::root;
use crate::perf_tools::{CONSUMED, LATENCY, count, holds, topic};
use browser::{labels, look_at, sound_charts};
use serde_json::Value;
use std::path::Path;

/// The row of that name.
fn row_of<'r>(rows: &'r Value, name: &str) -> &'r Value {
    let mut rows = rows.as_array().expect("an array of rows").iter();
    rows.find(|row| row["row"] == name)
        .unwrap_or_else(|| panic!("no row is called {name}"))
}

/// Who ran, in turn.
fn order(row: &Value) -> Vec<&str> {
    let runs = row["runs"].as_array().expect("runs");
    runs.iter()
        .map(|run| run["contestant"].as_str().expect("a contestant"))
        .collect()
}

/// A figure of a contestant's first run.
fn figure(row: &Value, contestant: &str, name: &str) -> f64 {
    let mut runs = row["runs"].as_array().expect("runs").iter();
    let run = runs.find(|run| run["contestant"] == contestant);
    let value = run.and_then(|run| run["figures"][name].as_f64());
    value.unwrap_or_else(|| panic!("{contestant} has no {name}: {row}"))
}

/// That there are charts of these kinds.
fn drawn(wanted: &[&str], kinds: &[String]) {
    for kind in wanted {
        assert!(
            kinds.iter().any(|drawn| drawn == kind),
            "{kind} is not in {kinds:?}"
        );
    }
}

/// The page that is made of result files.
fn rendered(results: &Path, folder: &Path) -> String {
    let report = folder.join("rendered.html");
    done(
        &format!(
            "bench --render {} --report {}",
            results.display(),
            report.display()
        ),
        "",
    );
    std::fs::read_to_string(&report).expect("the page was written")
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
    assert_eq!(order(produced), ["limit", "a", "b", "limit", "b", "a"]);
    let runs = produced["runs"].as_array().expect("runs");
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
    let seen = look_at(&page, folder.path());
    let kinds = sound_charts(&seen);
    drawn(
        &["ratios", "latency", "throughput", "p99", "cpu", "cores"],
        &kinds,
    );
    let percentiles = labels(&seen, "latency");
    for tick in ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"] {
        assert!(
            percentiles.iter().any(|label| label == tick),
            "{tick} is not in {percentiles:?}"
        );
    }
    // A column for what A differed from itself, and how much that was.
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    for said in [
        "how far one was from itself",
        "± ",
        "What this does not show",
        "Machine and versions",
        "<dt>cores</dt>",
        "<dt>memory</dt>",
        "<dt>generator</dt>",
        "Configurations",
        &format!("Linux {}", kernel.trim()),
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
    for broker in [&first, &second] {
        let setting = format!("log.dirs={}", broker.data().display());
        for said in [&broker.bootstrap, &setting] {
            assert!(page.contains(said), "{said} is not in {page}");
        }
    }

    // The files alone make the same page.
    let again = rendered(&results, folder.path());
    assert_eq!(
        sound_charts(&look_at(&again, folder.path())).len(),
        kinds.len()
    );
}

/// Of what `cargo dev bench` has written, the older files have neither curves nor series: what they lack
/// is not drawn.
#[test]
fn the_results_of_this_repository_make_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = rendered(&root().join("perf/results"), folder.path());
    let kinds = sound_charts(&look_at(&page, folder.path()));
    drawn(
        &["ratios", "latency", "throughput", "p99", "cpu", "cores"],
        &kinds,
    );
}

/// How long cores were away only `cargo dev bench` finds out: klamm's, one by one, and Kafka's together.
#[test]
fn the_turns_of_a_stored_result_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    std::fs::create_dir(&results).unwrap();
    let curve =
        |worst: f64| serde_json::json!([[50.0, 0.02], [99.0, 0.1], [99.99, worst], [100.0, 50.0]]);
    let row = serde_json::json!({
        "row": "rate-50k",
        "title": "producers at a rate",
        "kernel": "6.1.0-stored",
        "machine": {"cpu": "a stored processor", "cores": 2},
        "configurations": {"klamm": "klamm.cores=2", "kafka": "num.io.threads=8"},
        "runs": [
            {"round": 0, "contestant": "klamm", "figures": {}, "turns_ms": [curve(0.9), curve(1.5)]},
            {"round": 0, "contestant": "kafka", "figures": {}, "stalls_ms": curve(40.0)},
        ],
    });
    std::fs::write(results.join("2026-11-30-rate-50k.json"), row.to_string()).unwrap();
    let page = rendered(&results, folder.path());
    let seen = look_at(&page, folder.path());
    assert_eq!(sound_charts(&seen), ["turns"]);
    // A curve of each core of klamm's, and dashes for Kafka's.
    let chart = &seen["seen"][0];
    assert!(chart["marks"].as_u64() > Some(3), "{chart}");
    let texts = labels(&seen, "turns");
    for text in ["at once, ms", "99.9 %", "99.99 %"] {
        assert!(texts.iter().any(|label| label == text), "{texts:?}");
    }
    for said in [
        "2 cores of a stored processor, Linux 6.1.0-stored.",
        "klamm.cores=2",
        "num.io.threads=8",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
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
    let rows = json(&printed);
    for row in rows.as_array().expect("rows") {
        let comparisons = row["comparisons"].as_array().expect("comparisons");
        assert!(comparisons.len() > 1, "{row}");
        for comparison in comparisons {
            assert_ne!(comparison["base"]["contestant"], "b", "{comparison}");
        }
        for limit in ["ping_pong_p50_ms", "sendfile_mb_per_s"] {
            assert!(figure(row, "limit", limit) > 0.0, "{limit}: {row}");
        }
    }
    let hot = row_of(&rows, "fetch-hot");
    let comparisons = hot["comparisons"].as_array().expect("comparisons");
    assert!(
        comparisons
            .iter()
            .any(|one| one["base"]["figure"] == "sendfile_mb_per_s"),
        "{hot}"
    );
    let steady = row_of(&rows, "produce-steady");
    assert_eq!(figure(steady, "a", "rate_asked_per_s"), 20_000.0);
    assert!(figure(steady, "a", "rate_kept") > 0.0, "{steady}");
}

/// Those of which no other test runs one of the same kind.
#[test]
fn codecs_keys_loads_readers_beside_and_partitions_are_measured() {
    let broker = Broker::start(1);
    let printed = done(
        &format!(
            "bench produce-gzip keyed-50 end-to-end-50 catch-up idle-partitions \
             --bootstrap-server {} --runs 1 --duration 2 --warm-up 0 -o json",
            broker.bootstrap
        ),
        "",
    );
    let rows = json(&printed);
    for (workload, figures) in [
        (
            "produce-gzip",
            &["broker_cpu_s_per_wire_gb", "mb_per_s"][..],
        ),
        ("keyed-50", &["rate_kept", "latency_p99_ms"]),
        ("end-to-end-50", &["rate_kept", "latency_p9999_ms"]),
        (
            "catch-up",
            &["p99_growth", "before_p99_ms", "read_mb_per_s"],
        ),
        (
            "idle-partitions",
            &["create_ms", "kib_per_partition", "cpu_percent"],
        ),
    ] {
        let row = row_of(&rows, workload);
        for name in figures {
            assert!(figure(row, "a", name) >= 0.0, "{name}: {row}");
        }
    }
    assert_eq!(
        figure(row_of(&rows, "idle-partitions"), "a", "partitions"),
        10_000.0
    );
    let end_to_end = row_of(&rows, "end-to-end-50");
    let load = end_to_end["load"].as_str().expect("text");
    assert!(load.contains(" records/s, 50 % of the "), "{load}");
    let comparisons = end_to_end["comparisons"].as_array().expect("comparisons");
    assert!(
        comparisons
            .iter()
            .any(|one| one["base"]["figure"] == "ping_pong_p50_ms"),
        "{end_to_end}"
    );
}

/// What a bench is for; and the two tools that read, which other tests run against klamm.
#[test]
fn apache_is_measured_beside_klamm() {
    let klamm = Broker::start(1);
    let apache = Broker::start_apache(&[]);
    let printed = done(
        &format!(
            "bench end-to-end idle --bootstrap-server {} --against {} --runs 1 --duration 0.5 \
             --warm-up 0.5 -o json",
            klamm.bootstrap, apache.bootstrap
        ),
        "",
    );
    let rows = json(&printed);
    for row in [row_of(&rows, "end-to-end"), row_of(&rows, "idle")] {
        assert_eq!(order(row), ["limit", "a", "b"]);
        let first = &row["comparisons"][0];
        assert_eq!(first["subject"]["contestant"], "a", "{row}");
        assert_eq!(first["base"]["contestant"], "b", "{row}");
        let told = row["configurations"]["b"].as_str().expect("text");
        assert!(told.contains("process java (pid "), "{told}");
    }

    let at = format!("--bootstrap-server {}", apache.bootstrap);
    let name = topic(&apache, "read", 2);
    done(
        &format!("producer-perf {at} --topic {name} --num-records 1000 --record-size 100"),
        "",
    );
    let consumed = done(
        &format!("consumer-perf {at} --topic {name} --num-records 1000 --timeout 60000"),
        "",
    );
    assert!(count(CONSUMED, &consumed) >= 1000, "{consumed}");
    let timed = done(
        &format!(
            "e2e-latency {at} --topic {name} --num-records 20 --producer-acks all --record-size 20"
        ),
        "",
    );
    holds(LATENCY, &timed);
}

/// The process of this test, and a folder that has what a control group has, stand for the brokers.
#[test]
fn what_a_side_uses_is_read_where_the_command_line_says() {
    let broker = Broker::start(1);
    let group = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("cpu.stat", "usage_usec 1000000\nuser_usec 1000000\n"),
        ("memory.current", "64000000\n"),
    ] {
        std::fs::write(group.path().join(name), content).unwrap();
    }
    let own = std::process::id();
    let printed = done(
        &format!(
            "bench idle --bootstrap-server {0} --against {0} --pid {own} --against-cgroup {1} \
             --runs 1 --duration 0.3 --warm-up 0 -o json",
            broker.bootstrap,
            group.path().display()
        ),
        "",
    );
    let rows = json(&printed);
    let row = row_of(&rows, "idle");
    for (side, told) in [
        ("a", format!("(pid {own})")),
        ("b", format!("control group {}", group.path().display())),
    ] {
        let configuration = row["configurations"][side].as_str().expect("text");
        assert!(configuration.contains(&told), "{configuration}");
    }
    assert!(figure(row, "a", "rss_mb") > 0.0, "{row}");
    assert!(figure(row, "a", "broker_cpu_s") >= 0.0, "{row}");
    assert_eq!(figure(row, "b", "rss_mb"), 64.0, "{row}");
    assert_eq!(figure(row, "b", "broker_cpu_s"), 0.0, "{row}");
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
