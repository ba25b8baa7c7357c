//! Apache's own Java clients as load generators, and a plain producer that fills topics.

use crate::broker::{CLIENT_JVM, Installation};
use crate::drivers::{PRODUCER, Payload, Production};
use crate::figures::Figures;
use crate::{orphans, wire};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs ProducerPerformance; its figures: records/s, latencies in ms, and bytes as they left it.
pub fn produce(
    installation: &Installation,
    port: u16,
    production: &Production<'_>,
) -> Result<Figures, String> {
    let mut command = installation.java(&CLIENT_JVM);
    command
        .arg("org.apache.kafka.tools.ProducerPerformance")
        .args(["--bootstrap-server", &format!("127.0.0.1:{port}")])
        .args(["--topic", production.topic])
        .args(["--num-records", &production.records.to_string()])
        .args([
            "--throughput",
            "-1",
            "--reporting-interval",
            "3600000",
            "--print-metrics",
        ]);
    match production.payload {
        Payload::Bytes(bytes) => command.args(["--record-size", &bytes.to_string()]),
        Payload::Lines(path) => command.arg("--payload-file").arg(path),
    };
    command.arg("--command-property").args(PRODUCER);
    command.arg(format!("compression.type={}", production.compression));
    let output = finish(command, Duration::from_secs(300))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    summary(&printed, production.records).ok_or_else(|| {
        let complaints = String::from_utf8_lossy(&output.stderr);
        format!("ProducerPerformance did not send all records: {printed}{complaints}")
    })
}

/// Reads "1000 records sent, 12.3 records/sec (4.5 MB/sec), 6.7 ms avg latency, …".
fn summary(printed: &str, records: u64) -> Option<Figures> {
    let wanted = format!("{records} records sent, ");
    let line = printed.lines().find(|line| line.starts_with(&wanted))?;
    let mut figures = Figures::new();
    for part in line.split(", ") {
        let words: Vec<&str> = part.split(' ').collect();
        let value = || words.first()?.parse::<f64>().ok();
        let name = match words.get(1..)? {
            ["records/sec", ..] => "records_per_s",
            ["ms", "avg", ..] => "latency_avg_ms",
            ["ms", "max", ..] => "latency_max_ms",
            ["ms", "50th" | "50th."] => "latency_p50_ms",
            ["ms", "99th" | "99th."] => "latency_p99_ms",
            ["ms", "99.9th" | "99.9th."] => "latency_p999_ms",
            _ => continue,
        };
        figures.insert(name.into(), value()?);
    }
    figures.get("records_per_s")?;
    let sent = printed
        .lines()
        .find(|line| line.starts_with("producer-metrics:outgoing-byte-total:"))
        .and_then(|line| line.rsplit(':').next()?.trim().parse::<f64>().ok());
    if let Some(bytes) = sent {
        figures.insert("wire_bytes".into(), bytes);
    }
    Some(figures)
}

/// Runs AssignConsumer for `seconds`; its figures: bytes of records read, and in which time.
pub fn consume(
    installation: &Installation,
    port: u16,
    topic: &str,
    partitions: usize,
    duration: Duration,
) -> Result<Figures, String> {
    let mut command = installation.java(&CLIENT_JVM);
    command
        .arg("AssignConsumer")
        .arg(format!("127.0.0.1:{port}"))
        .arg(topic)
        .arg(partitions.to_string())
        .arg(format!("{:.3}", duration.as_secs_f64()));
    let output = finish(command, duration + Duration::from_secs(120))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let figures: Figures = printed
        .split_whitespace()
        .filter_map(|word| {
            let (name, value) = word.split_once('=')?;
            Some((name.to_owned(), value.parse().ok()?))
        })
        .collect();
    if figures.get("bytes").is_some_and(|bytes| *bytes > 0.0) {
        return Ok(figures);
    }
    let complaints = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "AssignConsumer read nothing: {printed}{complaints}"
    ))
}

/// Runs Apache's ConsumerPerformance, which reads a topic as a group of one.
pub fn consume_in_group(
    installation: &Installation,
    port: u16,
    topic: &str,
    group: &str,
    records: u64,
) -> Result<Figures, String> {
    let mut command = installation.java(&CLIENT_JVM);
    command
        .arg("org.apache.kafka.tools.ConsumerPerformance")
        .args(["--bootstrap-server", &format!("127.0.0.1:{port}")])
        .args(["--topic", topic, "--group", group, "--hide-header"])
        .args(["--num-records", &records.to_string()])
        .args(["--timeout", "30000"]);
    let output = finish(command, Duration::from_secs(300))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let read = printed.lines().find_map(consumed);
    read.filter(|(read, _)| *read >= crate::machine::real(records))
        .map(|(_, figures)| figures)
        .ok_or_else(|| {
            let complaints = String::from_utf8_lossy(&output.stderr);
            format!("ConsumerPerformance did not read all records: {printed}{complaints}")
        })
}

/// Reads "start, end, MiB, MiB/s, records, records/s, rebalance ms, fetch ms, MiB/s of fetching,
/// records/s of fetching": how many records, and the figures.
fn consumed(line: &str) -> Option<(f64, Figures)> {
    const MEBIBYTE: f64 = 1_048_576.0;
    let columns: Vec<&str> = line.split(", ").collect();
    let number = |place: usize| columns.get(place)?.trim().parse::<f64>().ok();
    let figures = Figures::from([
        ("bytes".into(), number(2)? * MEBIBYTE),
        ("mb_per_s".into(), number(8)? * MEBIBYTE / 1e6),
    ]);
    Some((number(4)?, figures))
}

/// Runs a program to its end, which must come in time and be a good one.
pub fn finish(mut command: Command, patience: Duration) -> Result<Output, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = orphans::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    let process = child.id();
    // A load that hangs is killed: whoever waits below then sees a bad end.
    let (done, timer) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let late = timer.recv_timeout(patience) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
        if late {
            orphans::kill(process);
        }
    });
    let output = child.wait_with_output();
    orphans::release(process);
    drop(done);
    let _ = watch.join();
    let output = output.map_err(|error| format!("cannot wait for {program}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!(
        "the load generator failed ({}), killed after {} s at the latest: {}{}",
        output.status,
        patience.as_secs(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// Fills a topic's partitions with batches of 127 records of 1 KiB, `bytes` in all.
pub fn fill(
    port: u16,
    topic: &str,
    partitions: i32,
    bytes: u64,
    now_ms: i64,
) -> Result<(), String> {
    const WINDOW: u64 = 4;
    let said = |error: std::io::Error| format!("cannot fill topic {topic}: {error}");
    let mut value = vec![0_u8; 1024];
    for (index, byte) in value.iter_mut().enumerate() {
        *byte = u8::try_from(index * 7 % 251).expect("below 251");
    }
    let batch = wire::batch(127, &value, now_ms);
    let frames: Vec<Vec<u8>> = (0..partitions)
        .map(|partition| wire::produce(topic, partition, &batch))
        .collect();
    let each = u64::try_from(batch.len()).expect("a small batch");
    let mut connection = wire::Connection::open(port, Duration::from_secs(30)).map_err(said)?;
    let count = bytes.div_ceil(each);
    let mut replies = 0;
    let end = Instant::now() + Duration::from_secs(300);
    for (sent, frame) in (0..count).zip(frames.iter().cycle()) {
        connection.0.write_all(frame).map_err(said)?;
        while sent + 1 - replies >= WINDOW || (sent + 1 == count && replies < count) {
            let error = connection
                .reply()
                .and_then(|reply| wire::produce_error(&reply));
            match error.map_err(said)? {
                0 => replies += 1,
                code => return Err(format!("filling topic {topic} gave error code {code}")),
            }
        }
        if Instant::now() > end {
            return Err(format!("filling topic {topic} took more than 300 s"));
        }
    }
    Ok(())
}

/// Bytes of a line on average, without its end.
pub fn line_bytes(path: &Path) -> Result<f64, String> {
    let text = std::fs::read(path);
    let text = text.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    let bytes = text.len() - lines;
    Ok(crate::machine::real_length(bytes) / crate::machine::real_length(lines.max(1)))
}

/// Lines of JSON of about 1 KiB, as an order or an event would look: the same at every run.
pub fn write_json_lines(path: &Path) -> Result<(), String> {
    const LINES: u64 = 10_000;
    let mut state = 1_u64;
    let mut next = move |below: u64| {
        // SplitMix64: small, and the same everywhere.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    };
    const NAMES: [&str; 8] = [
        "ada", "grace", "alan", "barbara", "edsger", "frances", "leslie", "tony",
    ];
    const STATES: [&str; 4] = ["created", "paid", "shipped", "returned"];
    let mut text = String::new();
    for line in 0..LINES {
        let name = NAMES[usize::try_from(next(8)).expect("below 8")];
        let state = STATES[usize::try_from(next(4)).expect("below 4")];
        text.push_str(&format!(
            "{{\"order_id\":\"{:016x}\",\"sequence\":{line},\"state\":\"{state}\",\"customer\":\
             {{\"name\":\"{name}\",\"id\":{},\"email\":\"{name}.{}@example.com\"}},\
             \"created_at\":\"2026-0{}-1{}T0{}:{}5:{}7.{:03}Z\",\"items\":[",
            next(u64::MAX),
            next(1_000_000),
            next(10_000),
            next(9) + 1,
            next(10),
            next(10),
            next(6),
            next(6),
            next(1000)
        ));
        for item in 0..7 {
            let comma = if item == 0 { "" } else { "," };
            text.push_str(&format!(
                "{comma}{{\"sku\":\"SKU-{:08}\",\"title\":\"Article number {}\",\"quantity\":{},\
                 \"price_cents\":{},\"currency\":\"EUR\"}}",
                next(100_000_000),
                next(5_000),
                next(9) + 1,
                next(100_000)
            ));
        }
        text.push_str(&format!(
            "],\"shipping\":{{\"street\":\"Main Street {}\",\"city\":\"Berlin\",\"zip\":\"{:05}\"}}}}\n",
            next(400), next(100_000)
        ));
    }
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_consumer_is_read() {
        let line = "2026-11-28 11:00:00:000, 2026-11-28 11:00:05:000, 100.0000, 20.0000, 102400, \
                    20480.0000, 3000, 2000, 50.0000, 51200.0000";
        let (records, figures) = consumed(line).expect("it is whole");
        assert_eq!(records, 102_400.0);
        assert_eq!(figures.of("bytes"), 104_857_600.0);
        assert_eq!(figures.of("mb_per_s"), 52.4288);
        assert!(consumed("WARNING: Exiting").is_none());
    }
}
