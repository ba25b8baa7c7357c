//! Produce and DeleteRecords.

use crate::side::{Pair, Side, text};
use bytes::Bytes;
use klamm::base::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use klamm::base::time::Timestamp;
use klamm::protocol::Records;
use klamm::protocol::api::ApiKey;
use klamm::protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use klamm::protocol::messages::init_producer_id::InitProducerIdRequest;
use klamm::protocol::messages::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use klamm::record::build::{BatchBuilder, seal};
use klamm::record::compress::Compression;

/// When the first record was made.
pub const TIME: i64 = 1_700_000_000_000;

/// Fields that tell when a record was appended.
const CLOCKS: [&str; 1] = ["log_append_time_ms"];

pub fn compare(pair: &mut Pair) {
    good(pair);
    bad_requests(pair);
    bad_batches(pair);
    idempotence(pair);
    delete_records(pair);
}

fn builder(records: i64, value: &[u8]) -> BatchBuilder {
    let mut builder = BatchBuilder::new(Offset(0));
    for at in 0..records {
        builder.append(Timestamp(TIME + at), Some(b"key"), Some(value), &[]);
    }
    builder
}

fn batch(records: i64) -> Vec<u8> {
    builder(records, b"value").finish().to_vec()
}

/// A batch with bytes changed, and its checksum made right again.
fn changed(mut batch: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    seal(&mut batch);
    batch
}

fn entry(partition: i32, batch: &[u8]) -> PartitionProduceData {
    of!(PartitionProduceData {
        index: partition,
        records: Some(Records::Bytes(Bytes::copy_from_slice(batch))),
    })
}

fn request(acks: i16, topics: Vec<TopicProduceData>) -> ProduceRequest {
    of!(ProduceRequest {
        acks: acks,
        timeout_ms: 5000,
        topic_data: topics
    })
}

fn produce(pair: &mut Pair, what: &str, acks: i16, topic: &str, entries: &[(i32, Vec<u8>)]) {
    for version in ApiKey::Produce.versions().iter() {
        let make = |side: &Side| {
            let partition_data = entries
                .iter()
                .map(|(partition, batch)| entry(*partition, batch))
                .collect();
            request(
                acks,
                vec![TopicProduceData {
                    name: text(topic),
                    topic_id: side.id(topic),
                    partition_data,
                    ..TopicProduceData::default()
                }],
            )
        };
        pair.ask_adjusted(what, version, &CLOCKS, make, without_words);
    }
}

/// Takes away what klamm says where Apache says nothing, the words where both say something, the
/// time in what both say of a record, and the order of partitions, which is that of a hash map.
fn without_words(apache: &mut ProduceResponse, klamm: &mut ProduceResponse) {
    let theirs = apache.responses.iter_mut();
    for (theirs, ours) in theirs.zip(&mut klamm.responses) {
        for partitions in [
            &mut theirs.partition_responses,
            &mut ours.partition_responses,
        ] {
            partitions.sort_by_key(|partition| partition.index);
        }
        let theirs = theirs.partition_responses.iter_mut();
        for (theirs, ours) in theirs.zip(&mut ours.partition_responses) {
            if theirs.error_message.is_none() && theirs.error_code != 0 {
                ours.error_message = None;
            } else if ours.error_message.is_some() {
                ours.error_message.clone_from(&theirs.error_message);
            }
            for error in theirs
                .record_errors
                .iter_mut()
                .chain(&mut ours.record_errors)
            {
                let words = error.batch_index_error_message.clone().unwrap_or_default();
                let timeless = words.split(" The timestamp should be within").next();
                error.batch_index_error_message = timeless.map(text);
            }
        }
    }
}

fn good(pair: &mut Pair) {
    for acks in [1, -1] {
        produce(
            pair,
            &format!("acks {acks}"),
            acks,
            "plain",
            &[(0, batch(3))],
        );
    }
    produce(
        pair,
        "two partitions",
        1,
        "many",
        &[(0, batch(1)), (1, batch(2))],
    );
    produce(pair, "log append time", 1, "stamped", &[(0, batch(1))]);
    for codec in [
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ] {
        let compressed = builder(3, &[b'v'; 200])
            .compression(codec)
            .finish()
            .to_vec();
        produce(pair, &format!("{codec:?}"), 1, "plain", &[(0, compressed)]);
    }
}

fn bad_requests(pair: &mut Pair) {
    for acks in [2, -2] {
        produce(
            pair,
            &format!("acks {acks}"),
            acks,
            "plain",
            &[(0, batch(1))],
        );
    }
    produce(
        pair,
        "unknown partition",
        1,
        "plain",
        &[(7, batch(1)), (0, batch(1))],
    );
    produce(pair, "negative partition", 1, "plain", &[(-1, batch(1))]);
    produce(pair, "unknown topic", 1, "missing", &[(0, batch(1))]);
    // Not asked: null records. Apache fails on them where it counts their bytes, and never answers.
    produce(pair, "no records", 1, "plain", &[(0, Vec::new())]);
    produce(pair, "no partitions", 1, "plain", &[]);
    produce(
        pair,
        "a partition twice",
        1,
        "many",
        &[(2, batch(1)), (2, batch(1))],
    );
    pair.ask("no topics", |_| request(1, vec![]));
    pair.ask("an unknown id", |_| {
        request(
            1,
            vec![of!(TopicProduceData {
                topic_id: klamm::base::uuid::Uuid([7; 16]),
                partition_data: vec![entry(0, &batch(1))],
            })],
        )
    });
    pair.ask("a topic twice", |side| {
        let topic = of!(TopicProduceData {
            name: text("plain"),
            topic_id: side.id("plain"),
            partition_data: vec![entry(0, &batch(1))],
        });
        request(1, vec![topic.clone(), topic])
    });
    pair.ask("a transactional id for a plain batch", |side| {
        ProduceRequest {
            transactional_id: Some(text("t")),
            ..request(
                1,
                vec![of!(TopicProduceData {
                    name: text("plain"),
                    topic_id: side.id("plain"),
                    partition_data: vec![entry(0, &batch(1))],
                })],
            )
        }
    });
}

fn bad_batches(pair: &mut Pair) {
    let whole = batch(3);
    let mut wrong_crc = whole.clone();
    let last = wrong_crc.len() - 1;
    wrong_crc[last] ^= 1;
    let trailing = [&whole[..], &[0; 5]].concat();
    let more_trailing = [&whole[..], &[0; 20]].concat();
    let begun = [&whole[..], &whole[..40]].concat();
    let two = [&whole[..], &whole[..]].concat();
    let count = |count: i32| changed(whole.clone(), 57, &count.to_be_bytes());
    let delta = |delta: i32| changed(whole.clone(), 23, &delta.to_be_bytes());
    let attributes = |bits: i16| changed(whole.clone(), 21, &bits.to_be_bytes());
    let magic = |magic: u8| {
        let mut batch = whole.clone();
        batch[16] = magic;
        batch
    };
    let mut short_length = whole.clone();
    short_length[8..12].copy_from_slice(&10_i32.to_be_bytes());
    let mut negative_length = whole.clone();
    negative_length[8..12].copy_from_slice(&(-1_i32).to_be_bytes());
    let mut long_length = whole.clone();
    long_length[8..12].copy_from_slice(&100_000_i32.to_be_bytes());
    let mut base_offset = whole.clone();
    base_offset[..8].copy_from_slice(&5_i64.to_be_bytes());
    let mut wrong_record = whole.clone();
    wrong_record[61] = 0x7f;
    seal(&mut wrong_record);
    let mut gap = BatchBuilder::new(Offset(0));
    gap.append_at(Offset(0), Timestamp(TIME), None, Some(b"v"), &[]);
    gap.append_at(Offset(2), Timestamp(TIME), None, Some(b"v"), &[]);
    let mut future = BatchBuilder::new(Offset(0));
    future.append(Timestamp(TIME * 2), None, Some(b"v"), &[]);
    let mut untimed = BatchBuilder::new(Offset(0));
    untimed.append(Timestamp(-1), None, Some(b"v"), &[]);
    let mut unkeyed = BatchBuilder::new(Offset(0));
    unkeyed.append(Timestamp(TIME), Some(b"k"), Some(b"v"), &[]);
    unkeyed.append(Timestamp(TIME), None, Some(b"v"), &[]);
    let mut no_keys = BatchBuilder::new(Offset(0));
    for _ in 0..4 {
        no_keys.append(Timestamp(TIME), None, Some(b"v"), &[]);
    }
    let mut mixed = BatchBuilder::new(Offset(0));
    mixed.append(Timestamp(TIME), None, Some(b"v"), &[]);
    mixed.append(Timestamp(TIME * 2), Some(b"k"), Some(b"v"), &[]);
    let mut future_gzip = BatchBuilder::new(Offset(0)).compression(Compression::Gzip);
    future_gzip.append(Timestamp(TIME), Some(b"k"), Some(b"v"), &[]);
    future_gzip.append(Timestamp(TIME * 2), Some(b"k"), Some(b"v"), &[]);
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("wrong CRC", "plain", wrong_crc),
        ("magic 0", "plain", magic(0)),
        ("magic 1", "plain", magic(1)),
        ("magic 3", "plain", magic(3)),
        ("count 0", "plain", count(0)),
        ("count -1", "plain", count(-1)),
        ("count 2 of 3", "plain", count(2)),
        ("count 4 of 3", "plain", count(4)),
        (
            "count and delta too large",
            "plain",
            changed(count(9), 23, &8_i32.to_be_bytes()),
        ),
        (
            "count and delta too small",
            "plain",
            changed(count(2), 23, &1_i32.to_be_bytes()),
        ),
        ("delta 1 of 2", "plain", delta(1)),
        ("delta -1", "plain", delta(-1)),
        ("offsets with a gap", "plain", gap.finish().to_vec()),
        ("first offset 5", "plain", base_offset),
        ("control", "plain", attributes(0x20)),
        ("transactional", "plain", attributes(0x10)),
        ("log append time", "plain", attributes(0x08)),
        (
            "log append time of the producer",
            "stamped",
            attributes(0x08),
        ),
        ("unknown codec", "plain", attributes(0x05)),
        ("delete horizon", "plain", attributes(0x40)),
        ("garbage as gzip", "garbage", attributes(0x01)),
        ("garbage as snappy", "garbage", attributes(0x02)),
        ("garbage as lz4", "garbage", attributes(0x03)),
        ("garbage as zstd", "garbage", attributes(0x04)),
        ("a record's length is wrong", "plain", wrong_record),
        ("trailing bytes", "plain", trailing),
        ("more trailing bytes", "plain", more_trailing),
        ("a second batch, cut off", "plain", begun),
        ("two batches", "plain", two),
        ("short", "plain", whole[..whole.len() - 1].to_vec()),
        ("a few bytes", "plain", whole[..14].to_vec()),
        ("the length is too small", "plain", short_length),
        ("the length is negative", "plain", negative_length),
        ("the length is too large", "plain", long_length),
        ("a time far ahead", "plain", future.finish().to_vec()),
        ("no time", "plain", untimed.finish().to_vec()),
        (
            "too large",
            "small",
            builder(1, &[0; 400]).finish().to_vec(),
        ),
        (
            "too large when opened",
            "small",
            builder(1, &[0; 400])
                .compression(Compression::Gzip)
                .finish()
                .to_vec(),
        ),
        ("no keys", "compacted", unkeyed.finish().to_vec()),
        (
            "no keys, four times",
            "compacted",
            no_keys.finish().to_vec(),
        ),
        (
            "times far ahead, and no key",
            "compacted",
            mixed.finish().to_vec(),
        ),
        (
            "a time far ahead, compressed",
            "plain",
            future_gzip.finish().to_vec(),
        ),
        ("keys", "compacted", batch(2)),
    ];
    for (what, topic, batch) in cases {
        produce(pair, what, 1, topic, &[(0, batch)]);
    }
}

fn idempotence(pair: &mut Pair) {
    let new_id = of!(InitProducerIdRequest {
        producer_id: -1,
        producer_epoch: -1,
        transactional_id: None
    });
    let answers = pair.ask_in("an id", 4, &["producer_id"], |_| new_id.clone());
    let (apache, klamm) = answers.expect("both give out ids");
    pair.apache.producer_id = apache.producer_id;
    pair.klamm.producer_id = klamm.producer_id;
    let mut story = |what: &str, partition: i32, epoch: i16, sequence: i32, records: i64| {
        for version in [7, 13] {
            let make = |side: &Side| {
                let batch = builder(records, b"value")
                    .producer(
                        ProducerId(side.producer_id),
                        ProducerEpoch(epoch),
                        Sequence(sequence),
                    )
                    .finish();
                request(
                    -1,
                    vec![of!(TopicProduceData {
                        name: text("many"),
                        topic_id: side.id("many"),
                        partition_data: vec![entry(partition, &batch)],
                    })],
                )
            };
            pair.ask_adjusted(what, version, &CLOCKS, make, without_words);
        }
    };
    story("sequence 0, and again", 3, 0, 0, 2);
    story("sequence 2, and again", 3, 0, 2, 1);
    story("sequence 2 with more records", 3, 0, 2, 2);
    story("sequence 9: a gap", 3, 0, 9, 1);
    story("sequence 0 again", 3, 0, 0, 1);
    story("sequence -1", 3, 0, -1, 1);
    story("epoch -1", 3, -1, 3, 1);
    story("epoch 1, sequence 3", 3, 1, 3, 1);
    story("epoch 1, sequence 0", 3, 1, 0, 1);
    story("epoch 0 is fenced", 3, 0, 3, 1);
    story("an unknown producer begins at 5", 1, 0, 5, 1);
    for at in 1..8 {
        story("more", 3, 1, at, 1);
    }
    story("a duplicate of long ago", 3, 1, 0, 1);
    story("a duplicate of just now", 3, 1, 6, 1);
}

fn delete_records(pair: &mut Pair) {
    let mut case = |what: &str, targets: &[(&str, i32, i64)]| {
        pair.ask(what, |_| {
            of!(DeleteRecordsRequest {
                topics: targets
                    .iter()
                    .map(|(topic, partition, offset)| {
                        of!(DeleteRecordsTopic {
                            name: text(topic),
                            partitions: vec![of!(DeleteRecordsPartition {
                                partition_index: *partition,
                                offset: *offset,
                            })],
                        })
                    })
                    .collect(),
                timeout_ms: 5000,
            })
        });
    };
    case("none", &[]);
    case("up to 0", &[("many", 0, 0)]);
    case("up to 2", &[("many", 0, 2)]);
    case("up to 1, which is below", &[("many", 0, 1)]);
    case("all", &[("many", 1, -1)]);
    case("all of nothing", &[("set", 0, -1)]);
    case("negative", &[("many", 0, -2)]);
    case("beyond", &[("many", 0, 1_000_000)]);
    case(
        "unknown",
        &[
            ("missing", 0, 0),
            ("many", 9, 0),
            ("many", -1, 0),
            ("many", 0, 3),
        ],
    );
    case("invalid name", &[("a b", 0, 0)]);
    case("compacted", &[("compacted", 0, 1)]);
    case("compacted and deleted", &[("set", 0, 0)]);
    case("twice", &[("many", 0, 3), ("many", 0, 4)]);
}
