//! Micro benchmarks of what happens to every produced batch: its header, its checksum, its
//! validation at each thoroughness; and of the codecs, for where a topic's configuration opens
//! batches. They guard the loops; claims about throughput come from `perf/`.

use bytes::Bytes;
use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher, black_box};
use klamm::base::ids::Offset;
use klamm::base::prng::Prng;
use klamm::base::time::Timestamp;
use klamm::record::checksum::crc32c;
use klamm::record::{
    BatchBuilder, BatchHeader, Compression, ProduceRules, RecordBatch, Thoroughness, TimestampType,
    compress, validate_produce,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const SIZES: [usize; 2] = [16 * KIB, MIB];
const CODECS: [Compression; 4] = [
    Compression::Gzip,
    Compression::Snappy,
    Compression::Lz4,
    Compression::Zstd,
];

fn main() {
    divan::main();
}

/// A batch of about `bytes` open bytes, in records of `value_bytes`, half of each random.
fn batch(bytes: usize, value_bytes: usize, compression: Compression) -> Bytes {
    let mut prng = Prng::new(1);
    let mut value = vec![b'v'; value_bytes];
    let mut builder = BatchBuilder::new(Offset(0)).compression(compression);
    while builder.bytes_len() + value_bytes + 16 < bytes {
        prng.fill(&mut value[..value_bytes / 2]);
        builder.append(NOW, Some(b"key"), Some(&value), &[]);
    }
    builder.finish()
}

fn rules(thoroughness: Thoroughness) -> ProduceRules {
    ProduceRules {
        thoroughness,
        message_bytes_max: 2 * MIB,
        ..ProduceRules::default()
    }
}

fn bench_validate(bencher: Bencher<'_, '_>, bytes: &Bytes, rules: &ProduceRules) {
    bencher
        .counter(BytesCount::new(bytes.len()))
        .with_inputs(|| bytes.clone())
        .bench_values(|bytes| validate_produce(black_box(bytes), rules, NOW));
}

#[divan::bench]
fn header_read(bencher: Bencher<'_, '_>) {
    let bytes = batch(16 * KIB, KIB, Compression::None);
    bencher.bench(|| BatchHeader::read(black_box(&bytes)));
}

#[divan::bench(args = SIZES)]
fn crc(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = batch(size, KIB, Compression::None);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| crc32c(black_box(&bytes)));
}

#[divan::bench(args = SIZES)]
fn validate_header(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = batch(size, KIB, Compression::None);
    bench_validate(bencher, &bytes, &rules(Thoroughness::Header));
}

#[divan::bench(args = SIZES)]
fn validate_open_records_of_1_kib(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = batch(size, KIB, Compression::None);
    bench_validate(bencher, &bytes, &rules(Thoroughness::OpenRecords));
}

#[divan::bench(args = SIZES)]
fn validate_open_records_of_100_bytes(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = batch(size, 100, Compression::None);
    bench_validate(bencher, &bytes, &rules(Thoroughness::OpenRecords));
}

#[divan::bench(args = CODECS)]
fn validate_all_records_of_16_kib(bencher: Bencher<'_, '_>, codec: Compression) {
    let bytes = batch(16 * KIB, KIB, codec);
    bench_validate(bencher, &bytes, &rules(Thoroughness::AllRecords));
}

#[divan::bench(args = SIZES)]
fn validate_log_append_time(bencher: Bencher<'_, '_>, size: usize) {
    let bytes = batch(size, KIB, Compression::None);
    let rules = ProduceRules {
        timestamp_type: TimestampType::LogAppendTime,
        ..rules(Thoroughness::Header)
    };
    bench_validate(bencher, &bytes, &rules);
}

#[divan::bench(args = [100, KIB])]
fn build_16_kib(bencher: Bencher<'_, '_>, value_bytes: usize) {
    let value = vec![b'v'; value_bytes];
    bencher.counter(BytesCount::new(16 * KIB)).bench(|| {
        let mut builder = BatchBuilder::new(Offset(0));
        while builder.bytes_len() + value_bytes + 16 < 16 * KIB {
            builder.append(NOW, Some(b"key"), Some(black_box(&value)), &[]);
        }
        builder.finish()
    });
}

#[divan::bench(args = CODECS)]
fn compress_16_kib(bencher: Bencher<'_, '_>, codec: Compression) {
    let bytes = batch(16 * KIB, KIB, Compression::None);
    let mut out = Vec::with_capacity(32 * KIB);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| {
            out.clear();
            compress::compress(codec, None, black_box(&bytes), &mut out);
        });
}

#[divan::bench(args = CODECS)]
fn decompress_16_kib(bencher: Bencher<'_, '_>, codec: Compression) {
    let batch = RecordBatch::parse(batch(16 * KIB, KIB, codec)).expect("a batch");
    let small = batch.record_bytes();
    let mut out = Vec::with_capacity(32 * KIB);
    bencher
        .counter(BytesCount::new(16 * KIB))
        .bench_local(|| compress::decompress_into(codec, black_box(&small), MIB, &mut out));
}
