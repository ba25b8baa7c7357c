//! Records pass through: what a fetch brings is what the producer compressed, and it went from the
//! page cache, or from the device, to the socket without passing through the broker's memory.

use crate::broker::Broker;
use crate::exact::{create_topic, fetch, produce};
use bytes::Bytes;
use klamm::base::ids::Offset;
use klamm::base::prng::Prng;
use klamm::base::time::Timestamp;
use klamm::protocol::Records;
use klamm::record::compress::Compression;
use klamm::record::{BatchBuilder, RecordBatch};
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::process::Command;

/// Batches of the test, each of about half a MiB.
const BATCHES: i64 = 24;
/// Bytes of a batch that the broker gives it: base offset, and leader epoch.
const GIVEN: [std::ops::Range<usize>; 2] = [0..8, 12..16];

/// A compressed batch whose records do not compress well.
fn batch(seed: u64) -> Bytes {
    let mut prng = Prng::new(seed);
    let mut builder = BatchBuilder::new(Offset(0)).compression(Compression::Lz4);
    for _ in 0..512 {
        let mut value = vec![0; 1024];
        prng.fill(&mut value);
        builder.append(
            Timestamp(1_700_000_000_000),
            Some(b"key"),
            Some(&value),
            &[],
        );
    }
    builder.finish()
}

/// Reads everything and holds it against what was produced.
fn read_all(stream: &mut TcpStream, produced: &[Bytes]) -> u64 {
    let mut offset = 0;
    let mut bytes = 0;
    let mut expected = produced.iter();
    while offset < BATCHES * 512 {
        let mut response = fetch(stream, "copies", offset);
        let partition = response.responses.remove(0).partitions.remove(0);
        assert_eq!(partition.error_code, 0);
        let Some(Records::Bytes(mut rest)) = partition.records else {
            panic!("a fetch brings bytes")
        };
        while let Ok((fetched, after)) = RecordBatch::split_first(rest.clone()) {
            rest = after;
            assert_eq!(fetched.header().base_offset, Offset(offset));
            assert!(fetched.is_valid_crc());
            let mut fetched = fetched.bytes().to_vec();
            let mut sent = expected.next().expect("no more than was produced").to_vec();
            for range in GIVEN {
                fetched[range.clone()].fill(0);
                sent[range].fill(0);
            }
            assert!(
                fetched == sent,
                "the batch at {offset} is not what was sent"
            );
            bytes += u64::try_from(sent.len()).unwrap();
            offset += 512;
        }
    }
    bytes
}

/// The counters that each shard says when it stops, added up.
pub fn counters(printed: &str) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for word in printed.split_whitespace() {
        if let Some((name, value)) = word.split_once('=')
            && let Ok(value) = value.parse::<u64>()
        {
            *sums.entry(name.to_owned()).or_insert(0) += value;
        }
    }
    sums
}

#[test]
fn a_large_fetch_copies_nothing_and_brings_what_was_sent() {
    let mut broker = Broker::start(2);
    if !broker.is_klamm() {
        return;
    }
    let mut stream = broker.connect();
    create_topic(&mut stream, "copies");
    let produced: Vec<Bytes> = (0..BATCHES)
        .map(|seed| batch(seed.cast_unsigned()))
        .collect();
    for (place, records) in produced.iter().enumerate() {
        let response = produce(&mut stream, "copies", records.clone());
        let answer = &response.responses[0].partition_responses[0];
        assert_eq!(answer.error_code, 0);
        assert_eq!(answer.base_offset, i64::try_from(place).unwrap() * 512);
    }
    let bytes = read_all(&mut stream, &produced);
    drop(stream);
    assert!(broker.stop().success());
    let sums = counters(&broker.printed());
    assert!(sums["sent_file_bytes"] >= bytes, "{sums:?}");
    assert!(
        sums["sent_memory_bytes"] < 64 << 10,
        "only headers pass through memory: {sums:?}"
    );

    // Cold: the pages are dropped, and the ring splices from the device.
    broker.start_again();
    let segment = broker.data().join("copies-0/00000000000000000000.log");
    let dropped = Command::new("dd")
        .arg(format!("if={}", segment.display()))
        .args(["of=/dev/null", "iflag=nocache", "count=0"])
        .output()
        .expect("dd is on every Linux");
    assert!(dropped.status.success());
    let mut stream = broker.connect();
    assert_eq!(read_all(&mut stream, &produced), bytes);
    drop(stream);
    assert!(broker.stop().success());
    let after = counters(&broker.printed());
    let sent = |name: &str| after[name] - sums[name];
    assert!(
        sent("sent_file_bytes") + sent("sent_splice_bytes") >= bytes,
        "{after:?}"
    );
    assert!(sent("sent_memory_bytes") < 64 << 10, "{after:?}");
    // Where the file system keeps no page cache (tmpfs), nothing is ever cold.
    eprintln!(
        "spliced from cold pages: {} bytes",
        sent("sent_splice_bytes")
    );
}
