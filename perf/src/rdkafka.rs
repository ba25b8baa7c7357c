//! librdkafka's `rdkafka_performance` as a load generator: a client that neither broker's authors
//! wrote.

use crate::broker::Installation;
use crate::clients::finish;
use crate::drivers::{PRODUCER, Payload, Production};
use crate::figures::Figures;
use crate::machine::real;
use std::process::{Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(300);

/// Sends; its figures: records/s by the clock of the program.
pub fn produce(
    installation: &Installation,
    port: u16,
    production: &Production<'_>,
) -> Result<Figures, String> {
    let Payload::Bytes(bytes) = production.payload else {
        return Err("rdkafka_performance takes no file of payloads".to_owned());
    };
    let mut command = program(installation, port)?;
    command
        .args(["-P", "-t", production.topic])
        .args(["-s", &bytes.to_string()])
        .args(["-c", &production.records.to_string()])
        .args(["-z", production.compression]);
    for setting in PRODUCER {
        command.args(["-X", setting]);
    }
    // Its queue shall hold back the program rather than refuse, as the buffers of the others do.
    command.args(["-X", "queue.buffering.max.messages=100000"]);
    let printed = run(command)?;
    let done = printed.lines().find_map(delivered);
    match done.filter(|done| done.records == production.records) {
        Some(done) => Ok(Figures::from([(
            "records_per_s".into(),
            real(done.records) / done.seconds,
        )])),
        None => Err(format!(
            "rdkafka_performance did not deliver all records: {printed}"
        )),
    }
}

/// Reads a topic as a group of one.
pub fn consume(
    installation: &Installation,
    port: u16,
    topic: &str,
    group: &str,
    records: u64,
) -> Result<Figures, String> {
    let mut command = program(installation, port)?;
    command
        .args(["-G", group, "-t", topic])
        .args(["-c", &records.to_string()])
        .args(["-X", "auto.offset.reset=earliest"]);
    let printed = run(command)?;
    let done = printed.lines().find_map(consumed);
    match done.filter(|done| done.records >= records) {
        Some(done) => Ok(Figures::from([
            ("bytes".into(), real(done.bytes)),
            ("mb_per_s".into(), real(done.bytes) / 1e6 / done.seconds),
        ])),
        None => Err(format!(
            "rdkafka_performance did not read all records: {printed}"
        )),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Done {
    records: u64,
    bytes: u64,
    seconds: f64,
}

/// "% 1000 messages produced (1024000 bytes), 1000 delivered (offset 99, 0 failed) in 50ms: …"
fn delivered(line: &str) -> Option<Done> {
    let (_, rest) = line
        .strip_prefix("% ")?
        .split_once(" messages produced (")?;
    let (bytes, rest) = rest.split_once(" bytes), ")?;
    let (records, rest) = rest.split_once(" delivered ")?;
    let (_, rest) = rest.split_once(" in ")?;
    done(records, bytes, rest)
}

/// "% 1000 messages (1024000 bytes) consumed in 50ms: 20000 msgs/s (20.48 MB/s)"
fn consumed(line: &str) -> Option<Done> {
    let (records, rest) = line.strip_prefix("% ")?.split_once(" messages (")?;
    let (bytes, rest) = rest.split_once(" bytes) consumed in ")?;
    done(records, bytes, rest)
}

fn done(records: &str, bytes: &str, rest: &str) -> Option<Done> {
    let (milliseconds, _) = rest.split_once("ms:")?;
    let milliseconds: u64 = milliseconds.parse().ok()?;
    Some(Done {
        records: records.parse().ok()?,
        bytes: bytes.parse().ok()?,
        seconds: real(milliseconds.max(1)) / 1e3,
    })
}

fn program(installation: &Installation, port: u16) -> Result<Command, String> {
    let path = &installation.rdkafka;
    if !path.is_file() {
        return Err(format!(
            "there is no {}; cargo dev install rdkafka builds it",
            path.display()
        ));
    }
    let mut command = Command::new(path);
    command
        .args(["-b", &format!("127.0.0.1:{port}")])
        .stdin(Stdio::null());
    Ok(command)
}

/// The last line of a kind counts: some say so as they go.
fn run(command: Command) -> Result<String, String> {
    let output = finish(command, PATIENCE)?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = printed.lines().rev().collect();
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_last_lines_are_understood() {
        let produced = "% 1000 messages produced (1024000 bytes), 999 delivered (offset 9, 1 failed) \
                        in 50ms: 19980 msgs/s and 20.46 MB/s, 0 produce failures, 0 in queue, no compression";
        let expected = Done {
            records: 999,
            bytes: 1_024_000,
            seconds: 0.05,
        };
        assert_eq!(delivered(produced), Some(expected));
        let read = "% 999 messages (1024000 bytes) consumed in 50ms: 20000 msgs/s (20.48 MB/s)";
        assert_eq!(consumed(read), Some(expected));
        assert_eq!(consumed(produced), None);
        assert_eq!(delivered("% ERROR: no broker"), None);
    }
}
