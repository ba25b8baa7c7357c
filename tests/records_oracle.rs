//! klamm's record batches held against Apache's own classes (`tests/java/records/Records.java`):
//! each side reads what the other wrote, control batches are equal to the byte, and damaged
//! batches are judged alike, but for the differences listed here and in
//! `docs/decisions/validation.md`.
//!
//! The jars are those of `tests/java/codec/pom.xml`, which `cargo dev install` (and `cargo dev test`) brings into
//! `$KLAMM_CACHE/java/codec/jars` (`.cache/java/codec/jars`). Without them the tests fail, and say so.

use bytes::Bytes;
use klamm::base::ids::{LeaderEpoch, NodeId, Offset, ProducerEpoch, ProducerId, Sequence};
use klamm::base::prng::Prng;
use klamm::base::time::Timestamp;
use klamm::base::uuid::Uuid;
use klamm::record::batch::HEADER_BYTES;
use klamm::record::build::seal;
use klamm::record::control::{
    ControlRecord, KRaftVoter, LeaderChange, Voter, VoterEndpoint, control_batch,
    end_transaction_batch,
};
use klamm::record::{
    BatchBuilder, BatchHeader, Compression, Header, ProduceRules, RecordBatch, RecordError,
    Thoroughness, TimestampType, validate_produce,
};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const OPENED_BYTES_MAX: usize = 4 << 20;
const NOW: i64 = 1_700_000_000_000;

/// The Java process.
struct Apache {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Apache {
    fn start() -> Apache {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let cache = std::env::var_os("KLAMM_CACHE").map_or(root.join(".cache"), PathBuf::from);
        let jars = cache.join("java/codec/jars");
        let is_installed = std::fs::read_dir(&jars).is_ok_and(|entries| {
            let mut names = entries.flatten().map(|entry| entry.file_name());
            names.any(|name| name.to_string_lossy().starts_with("kafka-storage-"))
        });
        assert!(
            is_installed,
            "Apache's classes are not in {}: `cargo dev install` brings them",
            jars.display()
        );
        let mut process = Command::new("java")
            .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .arg("-cp")
            .arg(jars.join("*"))
            .arg(root.join("tests/java/records/Records.java"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("java runs: install a JDK of 17 or later");
        Apache {
            input: process.stdin.take().expect("piped"),
            output: BufReader::new(process.stdout.take().expect("piped")),
            process,
        }
    }

    fn ask(&mut self, command: &str) -> String {
        writeln!(self.input, "{command}").expect("Java listens");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("Java answers");
        assert!(answer.ends_with('\n'), "Java has gone: {answer}");
        answer.trim_end().to_owned()
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("memory takes every byte");
        text
    })
}

fn unhex(text: &str) -> Bytes {
    assert!(text.len().is_multiple_of(2), "hex: {text}");
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex"))
        .collect()
}

fn field(bytes: Option<&[u8]>) -> String {
    bytes.map_or("-".to_owned(), |bytes| format!("x{}", hex(bytes)))
}

/// What Java's `read` says, said by klamm.
fn read(bytes: &Bytes) -> String {
    let batch = RecordBatch::parse(bytes.clone()).expect("a batch");
    batch.check_crc().expect("a good checksum");
    let header = batch.header();
    let timestamp_type = match header.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    };
    let mut out = format!(
        "batch,{},{},{},{},{timestamp_type},{},{},{},{},{},{},{},{};",
        header.base_offset,
        header.last_offset(),
        header.partition_leader_epoch,
        header.compression().expect("a codec"),
        header.max_timestamp.0,
        header.producer_id,
        header.producer_epoch,
        header.base_sequence,
        header.last_sequence(),
        header.is_transactional(),
        header.is_control(),
        header.record_count,
    );
    for record in &batch.open(OPENED_BYTES_MAX).expect("it opens") {
        let record = record.expect("a record");
        let (key, value) = (field(record.key), field(record.value));
        write!(
            out,
            "record,{},{},{key},{value}",
            record.offset, record.timestamp.0
        )
        .expect("memory");
        for header in record.headers {
            let key = str::from_utf8(header.key).expect("Java writes UTF-8");
            write!(out, ",{key}={}", field(header.value)).expect("memory");
        }
        out.push(';');
    }
    out
}

/// The batch built anew by klamm from its records.
fn rebuilt(bytes: &Bytes, codec: Compression) -> Bytes {
    let batch = RecordBatch::parse(bytes.clone()).expect("a batch");
    let header = batch.header();
    let mut builder = BatchBuilder::new(header.base_offset)
        .leader_epoch(header.partition_leader_epoch)
        .compression(codec)
        .producer(
            header.producer_id,
            header.producer_epoch,
            header.base_sequence,
        );
    if header.is_transactional() {
        builder = builder.transactional();
    }
    if header.timestamp_type() == TimestampType::LogAppendTime {
        builder = builder.log_append_time(header.max_timestamp);
    }
    for record in &batch.open(OPENED_BYTES_MAX).expect("it opens") {
        let record = record.expect("a record");
        let headers: Vec<Header<'_>> = record.headers.collect();
        builder.append(record.timestamp, record.key, record.value, &headers);
    }
    builder.finish()
}

#[test]
fn each_side_reads_what_the_other_wrote() {
    let mut apache = Apache::start();
    for codec in Compression::ALL {
        for seed in 0..40 {
            let answer = apache.ask(&format!("write {seed} {codec}"));
            let (batch, said) = answer.split_once(' ').expect("hex and listing");
            let batch = unhex(batch);
            assert_eq!(read(&batch), said, "{codec} {seed}: klamm reads Apache's");
            let header = BatchHeader::read(&batch).expect("a batch");
            let ours = rebuilt(&batch, codec);
            let said_of_ours = apache.ask(&format!("read {}", hex(&ours)));
            assert_eq!(said_of_ours, said, "{codec} {seed}: Apache reads klamm's");
            if codec == Compression::None && header.timestamp_type() == TimestampType::CreateTime {
                assert_eq!(ours, batch, "{seed}: equal to the byte");
            }
        }
    }
}

#[test]
fn control_batches_are_apaches_to_the_byte() {
    let mut apache = Apache::start();
    let marker = |record: ControlRecord| {
        end_transaction_batch(
            Offset(10),
            LeaderEpoch(3),
            Timestamp(99),
            ProducerId(77),
            ProducerEpoch(2),
            &record,
        )
    };
    let batch =
        |record: ControlRecord| control_batch(Offset(10), LeaderEpoch(3), Timestamp(99), &[record]);
    let voter = |id: i32, directory_id: Uuid| Voter {
        voter_id: NodeId(id),
        directory_id,
    };
    let change = |version, first, second| {
        ControlRecord::LeaderChange(LeaderChange {
            version,
            leader_id: NodeId(2),
            voters: vec![voter(1, first), voter(2, second)],
            granting_voters: vec![voter(2, second)],
        })
    };
    let (first, second) = (Uuid([1; 16]), Uuid([2; 16]));
    let voters = ControlRecord::KRaftVoters(vec![KRaftVoter {
        voter_id: NodeId(1),
        directory_id: first,
        endpoints: vec![VoterEndpoint {
            name: "CONTROLLER".to_owned(),
            host: "localhost".to_owned(),
            port: 49093,
        }],
        kraft_version_min: 0,
        kraft_version_max: 1,
    }]);
    let (abort, commit) = (
        ControlRecord::Abort {
            coordinator_epoch: 5,
        },
        ControlRecord::Commit {
            coordinator_epoch: 5,
        },
    );
    let header = ControlRecord::SnapshotHeader {
        last_contained_log_timestamp: Timestamp(12345),
    };
    for (name, ours) in [
        ("abort", marker(abort)),
        ("commit", marker(commit)),
        ("leader-change-0", batch(change(0, Uuid::ZERO, Uuid::ZERO))),
        ("leader-change-1", batch(change(1, first, second))),
        ("snapshot-header", batch(header)),
        ("snapshot-footer", batch(ControlRecord::SnapshotFooter)),
        ("kraft-version", batch(ControlRecord::KRaftVersion(1))),
        ("kraft-voters", batch(voters)),
    ] {
        let theirs = unhex(&apache.ask(&format!("control {name}")));
        assert_eq!(hex(&theirs), hex(&ours), "{name}");
    }
}

/// A produced batch, damaged as a hostile client would: often with the checksum put right.
fn damaged(prng: &mut Prng) -> Vec<u8> {
    let codec = Compression::ALL[prng.index(5)];
    let mut builder = BatchBuilder::new(Offset(0)).compression(codec);
    if prng.one_in(2) {
        builder = builder.producer(ProducerId(5), ProducerEpoch(0), Sequence(7));
    }
    for index in 0..1 + prng.below(5) {
        let key = (!prng.one_in(4)).then_some(b"key".as_slice());
        let timestamp = Timestamp(NOW + index.cast_signed() * 400 - 1000);
        builder.append(timestamp, key, Some(&[b'v'; 40]), &[]);
    }
    let mut bytes = builder.finish().to_vec();
    match prng.index(8) {
        0 => {}
        1 => bytes.truncate(prng.index(bytes.len())),
        2 => bytes.extend_from_within(..),
        3 => bytes[16] = u8::try_from(prng.below(4)).expect("below 4"),
        _ => {
            for _ in 0..=prng.index(2) {
                let from = [0, 8, 17, HEADER_BYTES][prng.index(4)];
                let at = from + prng.index(bytes.len() - from);
                bytes[at] ^= 1 << prng.index(8);
            }
        }
    }
    if bytes.len() > HEADER_BYTES && !prng.one_in(4) {
        let length = BatchHeader::read(&bytes).map_or(bytes.len(), |header| header.batch_bytes());
        let end = length.min(bytes.len());
        seal(&mut bytes[..end]);
    }
    bytes
}

/// Why klamm may answer otherwise than Apache; none where it may not.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other error is excused")]
fn excuse(
    rules: &ProduceRules,
    ours: &Result<RecordBatch, RecordError>,
    theirs: &str,
) -> Option<&'static str> {
    let Err(error) = ours else {
        // Elsewhere every negative id is none to Apache, too, and the batch is taken.
        return theirs
            .contains("Invalid negative producer epoch")
            .then_some("Apache fails where it writes such a batch anew");
    };
    match error {
        // It skips over the fields of compressed records, and takes every negative length for null.
        RecordError::Records(_) => Some("what consumers could not read is refused"),
        RecordError::TooLarge { .. } if rules.compression.is_some() => {
            Some("codecs of other make give other sizes")
        }
        _ => None,
    }
}

#[test]
fn damaged_batches_are_judged_as_by_apache() {
    let mut apache = Apache::start();
    let mut prng = Prng::new(12);
    let mut differences = std::collections::BTreeMap::new();
    let mut passed = 0;
    for _ in 0..6_000 {
        let bytes = Bytes::from(damaged(&mut prng));
        let rules = ProduceRules {
            message_bytes_max: if prng.one_in(8) { 150 } else { 1 << 20 },
            timestamp_type: if prng.one_in(4) {
                TimestampType::LogAppendTime
            } else {
                TimestampType::CreateTime
            },
            timestamp_before_max_ms: if prng.one_in(4) { 700 } else { i64::MAX },
            timestamp_after_max_ms: if prng.one_in(4) { 300 } else { 3_600_000 },
            is_compacted: prng.one_in(4),
            record_opened_bytes_max: if prng.one_in(8) { 50 } else { 2_147_483_639 },
            thoroughness: Thoroughness::AllRecords,
            compression: prng
                .one_in(4)
                .then(|| (Compression::ALL[prng.index(5)], None)),
            ..ProduceRules::default()
        };
        let ours = validate_produce(bytes.clone(), &rules, Timestamp(NOW));
        let timestamp_type = match rules.timestamp_type {
            TimestampType::CreateTime => "CreateTime",
            TimestampType::LogAppendTime => "LogAppendTime",
        };
        let codec = rules
            .compression
            .map_or("producer", |(codec, _)| codec.name());
        let theirs = apache.ask(&format!(
            "validate {} {NOW} {} {} {} {timestamp_type} {codec} {} {}",
            hex(&bytes),
            rules.timestamp_before_max_ms,
            rules.timestamp_after_max_ms,
            rules.is_compacted,
            rules.message_bytes_max,
            rules.record_opened_bytes_max,
        ));
        let said = match &ours {
            Ok(batch) => {
                passed += 1;
                // Apache sets the offsets and the epoch in place.
                let mut bytes = batch.patched_head(Offset(0), LeaderEpoch(0)).to_vec();
                bytes.extend_from_slice(&batch.bytes()[16..]);
                match theirs.strip_prefix("ok ") {
                    Some(theirs) => {
                        let theirs = unhex(theirs);
                        if rules.compression.is_none() {
                            assert_eq!(hex(&theirs), hex(&bytes), "the same bytes");
                        } else {
                            assert_eq!(read(&theirs), read(&bytes.into()), "the same records");
                        }
                        continue;
                    }
                    None => "ok".to_owned(),
                }
            }
            Err(error) if theirs.starts_with(error.kafka_name()) => {
                if let RecordError::Faults(faults) = error {
                    let first = faults.first[0];
                    let (name, index) = (error.kafka_name(), first.batch_index);
                    // How much of a record Apache had opened when it saw the fault is its own affair.
                    let theirs = theirs.replace("PartialDefaultRecord", "DefaultRecord");
                    assert_eq!(theirs, format!("{name} {index} {}", first.text("t-0")));
                }
                continue;
            }
            Err(error) => format!("{} ({error})", error.kafka_name()),
        };
        if excuse(&rules, &ours, &theirs).is_none() {
            let theirs: String = theirs.chars().take(160).collect();
            let kind: String = format!("klamm {said} | Apache {theirs}")
                .chars()
                .filter(|c| !c.is_ascii_digit())
                .collect();
            differences.entry(kind).or_insert((0, hex(&bytes))).0 += 1;
        }
    }
    assert!(passed > 500, "{passed} batches passed");
    let list: Vec<_> = differences
        .iter()
        .map(|(kind, (count, example))| format!("{count} x {kind}, as in {example}"))
        .collect();
    assert!(list.is_empty(), "{}", list.join("\n"));
}
