//! Micro benchmark of a group coordinator that is loaded: how fast committed offsets are replayed from
//! the page cache. The aim is a million records a second on one core.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use klamm::base::ids::{LeaderEpoch, Offset, PartitionIndex, TopicPartition};
use klamm::base::time::{Instant, Now, Timestamp};
use klamm::base::uuid::Uuid;
use klamm::coordinator::group::{GroupRecord, Groups};
use klamm::coordinator::{Coordinator, Progress};
use klamm::log::{Log, LogConfig};
use klamm::partition::{Partition, Partitions, TurnEffects};
use klamm::protocol::Str;
use klamm::protocol::coordinator_records::{OffsetCommitKey, OffsetCommitValue};
use klamm::record::{BatchBuilder, RecordBatch};
use klamm::runtime::disk::Disk;
use tempfile::TempDir;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const NOW: Now = Now {
    instant: Instant(0),
    timestamp: Timestamp(1_700_000_000_000),
};
const TOPIC_PARTITION: TopicPartition = TopicPartition {
    topic_id: Uuid([7; 16]),
    partition: PartitionIndex(0),
};
const GROUPS: u32 = 200;
const PARTITIONS: i32 = 50;
const RECORDS_PER_BATCH: u32 = 50;

fn main() {
    divan::main();
}

fn commit(group: u32, partition: i32, offset: i64) -> GroupRecord {
    GroupRecord::OffsetCommit(
        OffsetCommitKey {
            group: Str::from(format!("payments-{group:05}")),
            topic: Str::from("transactions-of-the-day"),
            partition,
            ..OffsetCommitKey::default()
        },
        Some(OffsetCommitValue {
            offset,
            leader_epoch: 3,
            commit_timestamp: NOW.timestamp.0,
            topic_id: Uuid([9; 16]),
            ..OffsetCommitValue::default()
        }),
    )
}

/// A log of so many committed offsets, as groups that commit all their partitions leave it.
fn log(records: u32) -> (TempDir, Partitions) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let path = directory.path().join("__consumer_offsets-0");
    let config = LogConfig::default();
    let log = Log::create(&Disk::Native, &path, TOPIC_PARTITION.topic_id, config, NOW);
    let mut partitions = Partitions::default();
    let topic = Str::from("__consumer_offsets");
    let epoch = Some(LeaderEpoch(0));
    let log = log.expect("a log");
    partitions.insert(Partition::new(TOPIC_PARTITION, topic, log, 0, epoch));
    for batch in 0..records / RECORDS_PER_BATCH {
        let mut builder = BatchBuilder::new(Offset(0));
        for partition in 0..PARTITIONS {
            let record = commit(batch % GROUPS, partition, i64::from(batch));
            let (key, value) = record.encode().expect("it can be written");
            builder.append(NOW.timestamp, Some(&key[..]), value.as_deref(), &[]);
        }
        let batch = RecordBatch::parse(builder.finish()).expect("our batch");
        let appended = partitions.append_own(NOW, TOPIC_PARTITION, batch);
        appended.expect("it is small enough");
        partitions.write_logs(&Disk::Native, NOW, &mut TurnEffects::default());
    }
    (directory, partitions)
}

/// 10,000 offsets of 200 groups, each committed many times over.
#[divan::bench(args = [1_000_000], sample_count = 5, sample_size = 1)]
fn load_committed_offsets(bencher: Bencher<'_, '_>, records: u32) {
    let (_directory, mut partitions) = log(records);
    bencher.counter(ItemsCount::new(records)).bench_local(|| {
        let name = "__consumer_offsets-0".to_owned();
        let mut coordinator =
            Coordinator::new(TOPIC_PARTITION, name, Groups::default(), Offset(0), NOW);
        loop {
            match coordinator.load(NOW, &Disk::Native, &mut partitions) {
                Progress::More => {}
                Progress::Done => break,
                Progress::Cold { .. } | Progress::Failed => panic!("it was just written"),
            }
        }
        coordinator
    });
}
