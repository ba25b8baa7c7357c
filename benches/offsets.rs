//! Micro benchmarks of committed offsets: loading a compacted log of them, which is what a group
//! waits for when its coordinator starts, and commits. A claim about a broker comes from `perf/`.

use bytes::{BufMut, Bytes, BytesMut};
use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use klamm::base::prng::Prng;
use klamm::base::time::{Instant, Now, Timestamp};
use klamm::base::uuid::Uuid;
use klamm::config::Configuration;
use klamm::coordinator::group::{Asked, GroupCommand, GroupRecord, Groups};
use klamm::coordinator::{Machine, World};
use klamm::metadata::image::MetadataImage;
use klamm::protocol::Str;
use klamm::protocol::coordinator_records::{OffsetCommitKey, OffsetCommitValue};
use klamm::protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const NOW: Now = Now {
    instant: Instant(1),
    timestamp: Timestamp(1_700_000_000_000),
};

/// How offsets are spread: groups, topics in each, partitions of each.
const SHAPES: [(i32, i32, i32); 3] = [(10, 10, 1_000), (1_000, 10, 10), (20_000, 5, 1)];

fn main() {
    divan::main();
}

fn key(group: i32, topic: i32, partition: i32) -> OffsetCommitKey {
    OffsetCommitKey {
        group: Str::from(format!("payments-service-{group}")),
        topic: Str::from(format!("orders-of-region-{topic}")),
        partition,
        ..OffsetCommitKey::default()
    }
}

/// A log of one offset per partition, in the order in which members commit: each group by itself,
/// groups in turn. Records are slices of one buffer, as they are of a read.
fn log((groups, topics, partitions): (i32, i32, i32)) -> Vec<(Bytes, Option<Bytes>)> {
    let mut buffer = BytesMut::new();
    let mut ends = Vec::new();
    for topic in 0..topics {
        let topic_id = Uuid::from_random(1, u64::from(topic.unsigned_abs()));
        for group in 0..groups {
            for partition in 0..partitions {
                let value = OffsetCommitValue {
                    offset: i64::from(partition) + 12_345,
                    leader_epoch: 3,
                    commit_timestamp: NOW.timestamp.0,
                    topic_id,
                    ..OffsetCommitValue::default()
                };
                let record = GroupRecord::OffsetCommit(key(group, topic, partition), Some(value));
                let (key, value) = record.encode().expect("has all fields");
                buffer.put_slice(&key);
                let middle = buffer.len();
                buffer.put_slice(&value.expect("no tombstone"));
                ends.push((middle, buffer.len()));
            }
        }
    }
    let buffer = buffer.freeze();
    let mut start = 0;
    ends.into_iter()
        .map(|(middle, end)| {
            let record = (buffer.slice(start..middle), Some(buffer.slice(middle..end)));
            start = end;
            record
        })
        .collect()
}

fn load(records: &[(Bytes, Option<Bytes>)]) -> Groups {
    let mut groups = Groups::default();
    for (key, value) in records {
        let record = Groups::decode(key, value.as_ref()).expect("what was written");
        groups.replay(NOW, record.expect("an offset"));
    }
    groups
}

/// Records of offsets, decoded and replayed into an empty coordinator. The goal is a million in a
/// second and core.
#[divan::bench(args = SHAPES)]
fn replay(bencher: Bencher<'_, '_>, shape: (i32, i32, i32)) {
    let records = log(shape);
    bencher
        .counter(ItemsCount::new(records.len()))
        .bench_local(|| load(black_box(&records)));
}

/// A commit of this many partitions by a consumer without membership: command, records, replay.
#[divan::bench(args = [1, 16, 100])]
fn commit(bencher: Bencher<'_, '_>, partitions: i32) {
    let configuration = Configuration::default();
    let image = MetadataImage::empty();
    let mut random = Prng::new(1);
    let mut groups = load(&log(SHAPES[1]));
    let request = OffsetCommitRequest {
        group_id: Str::from_static("payments-service-500"),
        topics: vec![OffsetCommitRequestTopic {
            name: Str::from_static("orders-of-region-5"),
            partitions: (0..partitions)
                .map(|partition_index| OffsetCommitRequestPartition {
                    partition_index,
                    committed_offset: 54_321,
                    ..OffsetCommitRequestPartition::default()
                })
                .collect(),
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    };
    bencher
        .counter(ItemsCount::new(u32::try_from(partitions).expect("a count")))
        .with_inputs(|| request.clone())
        .bench_local_values(|request| {
            let mut world = World {
                now: NOW,
                image: &image,
                configuration: &configuration,
                random: &mut random,
            };
            let asked = Asked {
                version: 9,
                ..Asked::default()
            };
            let command = GroupCommand::OffsetCommit(asked, request);
            let step = groups.handle(&mut world, None, command);
            for record in step.records {
                black_box(Groups::encode(&record).expect("has all fields"));
                groups.replay(NOW, record);
            }
        });
}
