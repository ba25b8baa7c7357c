//! klamm's own tools as load generators, against any broker: `producer-perf`, `consumer-perf`,
//! `e2e-latency`. They say what they found as JSON, and the whole curve of latencies in a file.

use crate::broker::Installation;
use crate::clients::finish;
use crate::drivers::{PRODUCER, Payload, Production};
use crate::figures::{Figures, curve};
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Between two points of a series.
const INTERVAL_MS: u64 = 500;
const MEBIBYTE: f64 = 1_048_576.0;
/// Beyond the time that a load should take.
const PATIENCE: Duration = Duration::from_secs(300);

/// A load of `producer-perf`, beyond what all drivers know.
#[derive(Clone, Debug)]
pub struct Load<'a> {
    /// What is sent.
    pub production: Production<'a>,
    /// Records per second, sent when they are due; as many as are taken without it.
    pub rate: Option<f64>,
    /// Each with connections of its own.
    pub producers: u64,
    /// So many different keys; null without it.
    pub keys: Option<u64>,
    /// `linger.ms` where it is not that of [`PRODUCER`].
    pub linger_ms: Option<u64>,
}

/// Producers of a load without a rate: what one of them waits for, the others do meanwhile.
pub const PRODUCERS: u64 = 4;

/// As many records as are taken.
pub fn produce_all(
    installation: &Installation,
    port: u16,
    production: &Production<'_>,
) -> Result<Figures, String> {
    let load = Load {
        production: production.clone(),
        rate: None,
        producers: PRODUCERS,
        keys: None,
        linger_ms: None,
    };
    produce(installation, port, &load)
}

/// Runs `producer-perf`. With a rate, latencies count from when each record was due.
pub fn produce(installation: &Installation, port: u16, load: &Load<'_>) -> Result<Figures, String> {
    let production = &load.production;
    let mut command = tool(installation, "producer-perf", port);
    command
        .args(["--topic", production.topic])
        .args(["--num-records", &production.records.to_string()])
        .args(["--producers", &load.producers.to_string()])
        .args(["--reporting-interval", &INTERVAL_MS.to_string()]);
    match production.payload {
        Payload::Bytes(bytes) => command.args(["--record-size", &bytes.to_string()]),
        Payload::Lines(path) => command.arg("--payload-file").arg(path),
    };
    if let Some(rate) = load.rate {
        command.args(["--throughput", &rate.to_string()]);
    }
    if let Some(keys) = load.keys {
        command.args(["--keys", &keys.to_string()]);
    }
    command.arg("--command-property").args(PRODUCER);
    if let Some(linger) = load.linger_ms {
        command.arg(format!("linger.ms={linger}"));
    }
    command.arg(format!("compression.type={}", production.compression));
    let (said, points) = run(command, installation, production.topic)?;
    let mut figures = produced(&said);
    figures.latency_ms = points;
    Ok(figures)
}

/// What `producer-perf --output json` says.
fn produced(said: &Value) -> Figures {
    let mut figures = Figures::new();
    let mut put = |name: &str, value: &Value| {
        if let Some(value) = value.as_f64() {
            figures.insert(name.into(), value);
        }
    };
    put("records_per_s", &said["records_per_second"]);
    put("wire_bytes", &said["batch_bytes"]);
    let is_open = !said["latency_from_due_ms"].is_null();
    let latency = match is_open {
        true => &said["latency_from_due_ms"],
        false => &said["latency_ms"],
    };
    put_latencies(&mut put, latency);
    if let (Some(asked), Some(sent)) = (
        said["rate"]["asked"].as_f64(),
        said["rate"]["sent"].as_f64(),
    ) {
        figures.insert("rate_asked_per_s".into(), asked);
        figures.insert("rate_kept".into(), sent / asked);
    }
    series(&mut figures, &said["intervals"]);
    figures
}

fn put_latencies(put: &mut impl FnMut(&str, &Value), latency: &Value) {
    for (name, key) in [
        ("latency_avg_ms", "average"),
        ("latency_p50_ms", "p50"),
        ("latency_p99_ms", "p99"),
        ("latency_p999_ms", "p99.9"),
        ("latency_p9999_ms", "p99.99"),
        ("latency_max_ms", "max"),
    ] {
        put(name, &latency[key]);
    }
}

fn series(figures: &mut Figures, intervals: &Value) {
    for interval in intervals.as_array().into_iter().flatten() {
        let number = |value: &Value| value.as_f64().unwrap_or(0.0);
        let seconds = number(&interval["seconds"]);
        let bytes = number(&interval["value_bytes"]);
        for (name, value) in [
            ("s", number(&interval["start_seconds"]) + seconds),
            ("mb_per_s", bytes / 1e6 / seconds.max(1e-3)),
            ("p99_ms", number(&interval["latency_ms"]["p99"])),
        ] {
            figures.series.entry(name).or_default().push(value);
        }
    }
}

/// Runs `consumer-perf`.
pub fn consume(
    installation: &Installation,
    port: u16,
    topic: &str,
    group: &str,
    records: u64,
) -> Result<Figures, String> {
    let mut command = tool(installation, "consumer-perf", port);
    command
        .args(["--topic", topic, "--group", group])
        .args(["--num-records", &records.to_string()])
        .args(["--timeout", "30000"]);
    let said = printed(command)?;
    let number = |name: &str| said[name].as_f64().unwrap_or(0.0);
    if number("records") < crate::machine::real(records) {
        return Err(format!("consumer-perf did not read all records: {said}"));
    }
    Ok(Figures::from([
        ("bytes".into(), number("bytes")),
        (
            "mb_per_s".into(),
            number("fetch_mebibytes_per_second") * MEBIBYTE / 1e6,
        ),
    ]))
}

/// Runs `e2e-latency`: one record at a time, or so many per second, sent when they are due.
pub fn end_to_end(
    installation: &Installation,
    port: u16,
    topic: &str,
    records: u64,
    record_bytes: u64,
    rate: Option<f64>,
) -> Result<Figures, String> {
    let mut command = tool(installation, "e2e-latency", port);
    command
        .args(["--topic", topic, "--producer-acks", "1"])
        .args(["--num-records", &records.to_string()])
        .args(["--record-size", &record_bytes.to_string()]);
    if let Some(rate) = rate {
        command.args(["--throughput", &rate.to_string()]);
    }
    let (said, points) = run(command, installation, topic)?;
    let mut figures = Figures::new();
    let mut put = |name: &str, value: &Value| {
        if let Some(value) = value.as_f64() {
            figures.insert(name.into(), value);
        }
    };
    put("records_per_s", &said["records_per_second"]);
    put_latencies(&mut put, &said["latency_ms"]);
    if let Some(rate) = rate {
        let sent = figures.of("records_per_s");
        figures.insert("rate_kept".into(), (sent / rate).min(1.0));
    }
    figures.latency_ms = points;
    Ok(figures)
}

fn tool(installation: &Installation, name: &str, port: u16) -> Command {
    let mut command = Command::new(&installation.klamm);
    command
        .arg(name)
        .args(["--bootstrap-server", &format!("127.0.0.1:{port}")])
        .stdin(Stdio::null());
    command
}

/// What the tool says, and its percentile distribution.
fn run(
    mut command: Command,
    installation: &Installation,
    topic: &str,
) -> Result<(Value, Vec<(f64, f64)>), String> {
    let path = installation.work.join(format!("{topic}.hgrm"));
    command.arg("--hdr-file").arg(&path);
    let said = printed(command)?;
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    // The next run writes its own.
    let _ = std::fs::remove_file(&path);
    Ok((said, curve(&text)))
}

fn printed(mut command: Command) -> Result<Value, String> {
    command.args(["--output", "json"]);
    let output = finish(command, PATIENCE)?;
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).map_err(|error| format!("klamm printed no JSON: {error}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn latency_counts_from_when_records_were_due_where_there_is_a_rate() {
        let mut said = json!({
            "records_per_second": 100.0, "batch_bytes": 5,
            "latency_ms": {"p99": 1.0}, "latency_from_due_ms": null, "rate": null,
            "intervals": [{"start_seconds": 0.5, "seconds": 0.5, "value_bytes": 1_000_000, "latency_ms": {"p99": 3.0}}],
        });
        let closed = produced(&said);
        assert_eq!(closed.of("latency_p99_ms"), 1.0);
        assert_eq!(closed.series["s"], [1.0]);
        assert_eq!(closed.series["mb_per_s"], [2.0]);
        assert!(!closed.contains_key("rate_kept"));
        said["latency_from_due_ms"] = json!({"p99": 9.0});
        said["rate"] = json!({"asked": 200.0, "sent": 100.0});
        let open = produced(&said);
        assert_eq!(open.of("latency_p99_ms"), 9.0);
        assert_eq!(open.of("rate_kept"), 0.5);
    }
}
