//! Dumps of files made here, held against the lines that Kafka's own tool printed for its like.

use super::*;
use crate::base::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::prng::Prng;
use crate::base::time::Timestamp;
use crate::record::{BatchBuilder, Compression, Header};
use clap::Parser;
use expect_test::{Expect, expect};

#[derive(Parser, Debug)]
struct Line {
    #[command(flatten)]
    dump: DumpLogArguments,
}

fn segment() -> Vec<u8> {
    let mut first = BatchBuilder::new(Offset(0))
        .leader_epoch(LeaderEpoch(0))
        .producer(ProducerId(0), ProducerEpoch(0), Sequence(0));
    let headers = [
        Header {
            key: b"h1",
            value: Some(b"v1"),
        },
        Header {
            key: b"h2",
            value: None,
        },
    ];
    first.append(Timestamp(1000), Some(b"k1"), Some(b"value one"), &headers);
    let mut second = BatchBuilder::new(Offset(1))
        .leader_epoch(LeaderEpoch(0))
        .compression(Compression::Lz4);
    second.append(Timestamp(1001), Some(b""), None, &[]);
    second.append(Timestamp(1002), None, Some(b"zz"), &[]);
    let marker = crate::record::control::end_transaction_batch(
        Offset(3),
        LeaderEpoch(0),
        Timestamp(1003),
        ProducerId(7),
        ProducerEpoch(1),
        &crate::record::control::ControlRecord::Commit {
            coordinator_epoch: 4,
        },
    );
    [first.finish(), second.finish(), marker].concat()
}

/// Writes the files into a directory, dumps the named ones, and gives the lines and the problems.
fn dumped(files: &[(&str, Vec<u8>)], flags: &str, names: &[&str]) -> (String, Result<u64, String>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        Disk::Native.write_atomically(&path, content).unwrap();
    }
    let line = format!("dump --files x {flags}");
    let options = Line::try_parse_from(line.split_whitespace())
        .unwrap()
        .dump
        .options()
        .unwrap();
    let mut out = Vec::new();
    let mut said = Vec::new();
    let mut listener = |line: &str| said.push(format!("! {line}\n"));
    let mut findings = Findings {
        problems: 0,
        listener: &mut listener,
    };
    let mut output = Output::to(&mut out);
    let mut result = Ok(());
    for name in names {
        let path = directory.path().join(name);
        result = result.and(dump(
            &Disk::Native,
            &path,
            &options,
            &mut output,
            &mut findings,
        ));
    }
    output.flush().unwrap();
    drop(output);
    let root = format!("{}/", directory.path().display());
    let result = result.map(|()| findings.problems);
    let text = String::from_utf8_lossy(&out).into_owned() + &said.concat();
    (
        text.replace(&root, ""),
        result.map_err(|error| error.to_string()),
    )
}

const LOG: &str = "00000000000000000000.log";

fn check(files: &[(&str, Vec<u8>)], flags: &str, names: &[&str], problems: u64, expected: &Expect) {
    let (text, found) = dumped(files, flags, names);
    expected.assert_eq(&text);
    assert_eq!(found, Ok(problems));
}

#[test]
fn a_segment_prints_as_kafka_prints_it() {
    let files = [(LOG, segment())];
    check(
        &files,
        "",
        &[LOG],
        0,
        &expect![[r#"
        Dumping 00000000000000000000.log
        Log starting offset: 0
        baseOffset: 0 lastOffset: 0 count: 1 baseSequence: 0 lastSequence: 0 producerId: 0 producerEpoch: 0 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1000 size: 89 magic: 2 compresscodec: none crc: 4280148543 isvalid: true
        baseOffset: 1 lastOffset: 2 count: 2 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 89 CreateTime: 1002 size: 92 magic: 2 compresscodec: lz4 crc: 3340602498 isvalid: true
        baseOffset: 3 lastOffset: 3 count: 1 baseSequence: -1 lastSequence: -1 producerId: 7 producerEpoch: 1 partitionLeaderEpoch: 0 isTransactional: true isControl: true deleteHorizonMs: OptionalLong.empty position: 181 CreateTime: 1003 size: 78 magic: 2 compresscodec: none crc: 1752356200 isvalid: true
    "#]],
    );
    check(
        &files,
        "--print-data-log",
        &[LOG],
        0,
        &expect![[r#"
        Dumping 00000000000000000000.log
        Log starting offset: 0
        baseOffset: 0 lastOffset: 0 count: 1 baseSequence: 0 lastSequence: 0 producerId: 0 producerEpoch: 0 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1000 size: 89 magic: 2 compresscodec: none crc: 4280148543 isvalid: true
        | offset: 0 CreateTime: 1000 keySize: 2 valueSize: 9 sequence: 0 headerKeys: [h1,h2] key: k1 payload: value one
        baseOffset: 1 lastOffset: 2 count: 2 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 89 CreateTime: 1002 size: 92 magic: 2 compresscodec: lz4 crc: 3340602498 isvalid: true
        | offset: 1 CreateTime: 1001 keySize: 0 valueSize: -1 sequence: -1 headerKeys: [] key: 
        | offset: 2 CreateTime: 1002 keySize: -1 valueSize: 2 sequence: -1 headerKeys: [] payload: zz
        baseOffset: 3 lastOffset: 3 count: 1 baseSequence: -1 lastSequence: -1 producerId: 7 producerEpoch: 1 partitionLeaderEpoch: 0 isTransactional: true isControl: true deleteHorizonMs: OptionalLong.empty position: 181 CreateTime: 1003 size: 78 magic: 2 compresscodec: none crc: 1752356200 isvalid: true
        | offset: 3 CreateTime: 1003 keySize: 4 valueSize: 6 sequence: -1 headerKeys: [] endTxnMarker: COMMIT coordinatorEpoch: 4
    "#]],
    );
    check(
        &files,
        "--print-data-log --skip-record-metadata",
        &[LOG],
        0,
        &expect![[r#"
            Dumping 00000000000000000000.log
            Log starting offset: 0
            baseOffset: 0 lastOffset: 0 count: 1 baseSequence: 0 lastSequence: 0 producerId: 0 producerEpoch: 0 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1000 size: 89 magic: 2 compresscodec: none crc: 4280148543 isvalid: true
            | key: k1 payload: value one
            baseOffset: 1 lastOffset: 2 count: 2 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 89 CreateTime: 1002 size: 92 magic: 2 compresscodec: lz4 crc: 3340602498 isvalid: true
            | key: 
            | payload: zz
            baseOffset: 3 lastOffset: 3 count: 1 baseSequence: -1 lastSequence: -1 producerId: 7 producerEpoch: 1 partitionLeaderEpoch: 0 isTransactional: true isControl: true deleteHorizonMs: OptionalLong.empty position: 181 CreateTime: 1003 size: 78 magic: 2 compresscodec: none crc: 1752356200 isvalid: true

        "#]],
    );
    check(
        &files,
        "--max-bytes 100",
        &[LOG],
        0,
        &expect![[r#"
        Dumping 00000000000000000000.log
        Log starting offset: 0
        baseOffset: 0 lastOffset: 0 count: 1 baseSequence: 0 lastSequence: 0 producerId: 0 producerEpoch: 0 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1000 size: 89 magic: 2 compresscodec: none crc: 4280148543 isvalid: true
    "#]],
    );
}

/// As of a segment that klamm writes with `flush.messages=1`, or Apache with `preallocate=true`.
#[test]
fn zeros_at_the_end_are_told_and_are_no_damage() {
    let mut longer = segment();
    longer.extend([0; 1000]);
    let (text, found) = dumped(&[(LOG, longer)], "", &[LOG]);
    assert!(
        text.contains("Found 1000 invalid bytes at the end of"),
        "{text}"
    );
    assert_eq!(found, Ok(0));
    let mut little = segment();
    little.extend([0; 7]);
    assert_eq!(dumped(&[(LOG, little)], "", &[LOG]).1, Ok(0));
    let mut torn = segment();
    torn.extend([0; 60]);
    torn.extend([7; 60]);
    assert_eq!(dumped(&[(LOG, torn)], "", &[LOG]).1, Ok(1));
}

#[test]
fn damage_is_found() {
    let mut cut = segment();
    cut.truncate(cut.len() - 7);
    check(
        &[(LOG, cut)],
        "",
        &[LOG],
        1,
        &expect![[r#"
        Dumping 00000000000000000000.log
        Log starting offset: 0
        baseOffset: 0 lastOffset: 0 count: 1 baseSequence: 0 lastSequence: 0 producerId: 0 producerEpoch: 0 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1000 size: 89 magic: 2 compresscodec: none crc: 4280148543 isvalid: true
        baseOffset: 1 lastOffset: 2 count: 2 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 89 CreateTime: 1002 size: 92 magic: 2 compresscodec: lz4 crc: 3340602498 isvalid: true
        Found 71 invalid bytes at the end of 00000000000000000000.log
    "#]],
    );
    let mut flipped = segment();
    flipped[80] ^= 1;
    let (text, found) = dumped(&[(LOG, flipped)], "", &[LOG]);
    assert!(text.contains("isvalid: false"));
    assert_eq!(found, Ok(1));
    let (_, found) = dumped(&[("nope.log", segment())], "", &["nope.log"]);
    assert!(found.is_err());
    let (_, found) = dumped(&[], "", &[LOG]);
    assert!(found.is_err());
}

fn index(entries: &[(i32, i32)], zeros: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries
        .iter()
        .flat_map(|(offset, position)| [offset.to_be_bytes(), position.to_be_bytes()].concat())
        .collect();
    bytes.extend(vec![0; zeros]);
    bytes
}

fn time_index(entries: &[(i64, i32)], zeros: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (timestamp, offset) in entries {
        bytes.extend(timestamp.to_be_bytes());
        bytes.extend(offset.to_be_bytes());
    }
    bytes.extend(vec![0; zeros]);
    bytes
}

#[test]
fn indexes_are_held_against_their_segment() {
    const INDEX: &str = "00000000000000000000.index";
    const TIME_INDEX: &str = "00000000000000000000.timeindex";
    let second = i32::try_from(
        crate::record::BatchHeader::read(&segment())
            .unwrap()
            .batch_bytes(),
    )
    .unwrap();
    let files = |index: Vec<u8>, time_index: Vec<u8>| {
        [(LOG, segment()), (INDEX, index), (TIME_INDEX, time_index)]
    };
    let names = [INDEX, TIME_INDEX];
    let good = files(index(&[(2, second)], 80), time_index(&[(1002, 2)], 120));
    check(
        &good,
        "",
        &names,
        0,
        &expect![[r#"
        Dumping 00000000000000000000.index
        offset: 2 position: 89
        Dumping 00000000000000000000.timeindex
        timestamp: 1002 offset: 2
    "#]],
    );
    check(
        &good,
        "--verify-index-only",
        &names,
        0,
        &expect![[r#"
        Dumping 00000000000000000000.index
        Dumping 00000000000000000000.timeindex
    "#]],
    );
    check(
        &good,
        "--index-sanity-check",
        &names,
        0,
        &expect![[r#"
        Dumping 00000000000000000000.index
        00000000000000000000.index passed sanity check.
        Dumping 00000000000000000000.timeindex
        00000000000000000000.timeindex passed sanity check.
    "#]],
    );
    check(
        &files(Vec::new(), Vec::new()),
        "",
        &names,
        0,
        &expect![[r#"
            Dumping 00000000000000000000.index
            00000000000000000000.index is empty.
            Dumping 00000000000000000000.timeindex
        "#]],
    );
    check(
        &files(vec![0; 16], vec![0; 24]),
        "",
        &names,
        0,
        &expect![[r#"
            Dumping 00000000000000000000.index
            offset: 0 position: 0
            Dumping 00000000000000000000.timeindex
            timestamp: 0 offset: 0
        "#]],
    );
    let bad = files(
        index(&[(1, second), (2, second + 1), (2, -5)], 0),
        time_index(&[(1002, 2), (1001, 2), (2000, 99)], 0),
    );
    check(
        &bad,
        "--verify-index-only",
        &names,
        4,
        &expect![[r#"
            Dumping 00000000000000000000.index
            Dumping 00000000000000000000.timeindex
            ! Mismatches in :00000000000000000000.index
            !   Index offset: 1, log offset: 2
            !   Index offset: 2, log offset: none
            !   Index offset: 2, log offset: none
            ! Found timestamp mismatch in :00000000000000000000.timeindex
            !   Index timestamp: 1001, log timestamp: 1002
            ! Found out of order timestamp in :00000000000000000000.timeindex
            !   Index timestamp: 1001, Previously indexed timestamp: 1002
            ! The following indexed offsets are not found in :00000000000000000000.timeindex
            ! Indexed offset: 99, found log offset: -1
        "#]],
    );
}

#[test]
fn small_files_print_and_are_checked() {
    let mut entry = Vec::new();
    entry.extend(7i64.to_be_bytes());
    entry.extend(4i16.to_be_bytes());
    entry.extend(1i32.to_be_bytes());
    entry.extend(11i64.to_be_bytes());
    entry.extend(1i32.to_be_bytes());
    entry.extend(1000i64.to_be_bytes());
    entry.extend((-1i32).to_be_bytes());
    entry.extend((-1i64).to_be_bytes());
    let tail = [&1i32.to_be_bytes()[..], &entry].concat();
    let crc = crate::record::checksum::crc32c(&tail).to_be_bytes();
    let good = [&1i16.to_be_bytes()[..], &crc, &tail].concat();
    let mut bad = good.clone();
    bad[20] ^= 1;
    let files = [
        ("00000000000000000012.snapshot", good),
        ("1.snapshot", bad),
        ("0.txnindex", [vec![0; 33], vec![1, 2]].concat()),
        ("leader-epoch-checkpoint", b"0\n1\n0 0\n".to_vec()),
        (
            "recovery-point-offset-checkpoint",
            b"0\n2\na 0 5\n".to_vec(),
        ),
        (
            "partition.metadata",
            b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ".to_vec(),
        ),
        ("odd.txt", Vec::new()),
    ];
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    check(
        &files,
        "",
        &names,
        3,
        &expect![[r#"
            Dumping 00000000000000000012.snapshot
            producerId: 7 producerEpoch: 4 coordinatorEpoch: -1 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: 1000 firstSequence: 0 lastSequence: 1 lastOffset: 11 offsetDelta: 1 timestamp: 1000
            Dumping 1.snapshot
            producerId: 7 producerEpoch: 4 coordinatorEpoch: -1 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: 1000 firstSequence: 16777216 lastSequence: 16777217 lastOffset: 11 offsetDelta: 1 timestamp: 1000
            Dumping 0.txnindex
            version: 0 producerId: 0 firstOffset: 0 lastOffset: 0 lastStableOffset: 1
            Dumping leader-epoch-checkpoint
            0
            1
            0 0
            Dumping recovery-point-offset-checkpoint
            0
            2
            a 0 5
            Dumping partition.metadata
            version: 0
            topic_id: AAAAAAAAAAAAAAAAAAAAAQ
            Dumping odd.txt
            ! Snapshot is corrupt (CRC is no longer valid): 1.snapshot says 3980570061, its bytes give 3733853809
            ! 1 bytes at the end of 0.txnindex are no whole entry
            ! recovery-point-offset-checkpoint is damaged: it announces 2 entries, and has 1
            ! Ignoring unknown file odd.txt
        "#]],
    );
}

#[test]
fn hostile_files_do_not_panic() {
    let mut prng = Prng::new(29);
    let names = [
        LOG,
        "00000000000000000000.index",
        "00000000000000000000.timeindex",
        "00000000000000000000.txnindex",
        "00000000000000000000.snapshot",
        "00000000000000000000-0000000000.checkpoint",
        "leader-epoch-checkpoint",
    ];
    for _ in 0..200 {
        let mut log = segment();
        for _ in 0..prng.index(4) {
            let at = prng.index(log.len());
            log[at] ^= 1 << prng.index(8);
        }
        let mut files = vec![(LOG, log)];
        for name in &names[1..] {
            let mut content = vec![0; prng.index(120)];
            prng.fill(&mut content);
            files.push((name, content));
        }
        drop(dumped(&files, "--print-data-log", &names));
        drop(dumped(&files, "--cluster-metadata-decoder", &names));
    }
}
