//! Micro benchmarks of one partition's log on the machine's file system: appending and writing
//! batches into the page cache, and finding where an offset lies through the index.

use bytes::Bytes;
use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher, black_box};
use klamm::base::ids::{LeaderEpoch, Offset};
use klamm::base::prng::Prng;
use klamm::base::time::{Instant, Now, Timestamp};
use klamm::base::uuid::Uuid;
use klamm::log::{Log, LogConfig};
use klamm::record::{BatchBuilder, RecordBatch};
use klamm::runtime::disk::Disk;
use tempfile::TempDir;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const EPOCH: LeaderEpoch = LeaderEpoch(1);
const NOW: Now = Now {
    instant: Instant(0),
    timestamp: Timestamp(1_700_000_000_000),
};

fn main() {
    divan::main();
}

/// A log in a folder of the build directory: /tmp may be memory.
fn log() -> (TempDir, Log) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let log = Log::create(
        &Disk::Native,
        &directory.path().join("orders-0"),
        Uuid([7; 16]),
        LogConfig::default(),
        NOW,
    );
    (directory, log.expect("a log"))
}

fn batch(records: usize, value_bytes: usize) -> Bytes {
    let value = vec![b'v'; value_bytes];
    let mut builder = BatchBuilder::new(Offset(0));
    for _ in 0..records {
        builder.append(NOW.timestamp, None, Some(&value), &[]);
    }
    builder.finish()
}

fn append(log: &mut Log, batch: &Bytes) {
    let batch = RecordBatch::parse(batch.clone()).expect("our batch");
    log.append(batch, EPOCH, NOW).expect("it is small enough");
}

/// One batch of as many records of 1 KiB, written at once.
#[divan::bench(args = [1, 16, 127], max_time = 1)]
fn append_and_write(bencher: Bencher<'_, '_>, records: usize) {
    let (_directory, mut log) = log();
    let batch = batch(records, 1024);
    bencher
        .counter(BytesCount::new(batch.len()))
        .bench_local(|| {
            append(&mut log, black_box(&batch));
            log.write(&Disk::Native, NOW).expect("there is room")
        });
}

/// Batches of one small record that one turn brings to one partition: one write for all.
#[divan::bench(args = [1, 8, 64], max_time = 1)]
fn group_commit_of_small_batches(bencher: Bencher<'_, '_>, batches: usize) {
    let (_directory, mut log) = log();
    let batch = batch(1, 100);
    bencher
        .counter(BytesCount::new(batch.len() * batches))
        .bench_local(|| {
            for _ in 0..batches {
                append(&mut log, black_box(&batch));
            }
            log.write(&Disk::Native, NOW).expect("there is room")
        });
}

/// Somewhere in a log of so many batches, each large enough for an entry of the index.
#[divan::bench(args = [100, 10_000])]
fn look_up_an_offset(bencher: Bencher<'_, '_>, batches: i64) {
    let (_directory, mut log) = log();
    let batch = batch(4, 1024);
    for _ in 0..batches {
        append(&mut log, &batch);
    }
    log.write(&Disk::Native, NOW).expect("there is room");
    let end = log.log_end_offset();
    let mut prng = Prng::new(1);
    bencher.bench_local(|| {
        let offset = prng.below(u64::try_from(end.0).expect("it starts at 0"));
        let offset = Offset(i64::try_from(offset).expect("it is below the end"));
        log.read(&Disk::Native, black_box(offset), 1 << 20, end, true)
            .expect("the offset is in the log")
    });
}

/// What a follower or a consumer near the end asks for: the index leads to the last entry.
#[divan::bench]
fn look_up_the_end(bencher: Bencher<'_, '_>) {
    let (_directory, mut log) = log();
    let batch = batch(4, 1024);
    for _ in 0..10_000 {
        append(&mut log, &batch);
    }
    log.write(&Disk::Native, NOW).expect("there is room");
    let end = log.log_end_offset();
    bencher.bench_local(|| {
        log.read(
            &Disk::Native,
            black_box(Offset(end.0 - 1)),
            1 << 20,
            end,
            true,
        )
        .expect("the offset is in the log")
    });
}
