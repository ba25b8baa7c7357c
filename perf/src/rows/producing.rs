//! The rows of producing.

use super::{
    ACKED_IN_MEMORY, CLOSED_LOOP, CODEC_FIRST, ONE_DISK, Row, SAME_CORES, against, against_kafka,
    one_of,
};
use crate::drivers::Driver;
use crate::produce_loads;
use crate::results::{Comparison, Goal};

const CPU: &str = "broker_cpu_s_per_gb";
const RATE: &str = "mb_per_s";
/// What a loop pays that receives, checks and writes.
const RECEIVE_CHECK_WRITE: (&str, &str) = ("limit", "recv_crc_write_cpu_s_per_gb");
/// What a loop pays that does the same to files that grow, as a log does.
const RECEIVE_CHECK_APPEND: (&str, &str) = ("limit", "recv_crc_append_cpu_s_per_gb");

/// Rates are compared with klamm's generator: with the others on the same cores the client is the
/// limit. CPU per GB is compared with all three.
const PRODUCED: [Comparison; 12] = [
    against_kafka("broker CPU, s/GB", CPU, one_of(10.0)),
    against(
        "the same with Apache's client",
        ("klamm-java", CPU),
        ("kafka-java", CPU),
        one_of(10.0),
    ),
    against(
        "the same with librdkafka",
        ("klamm-rdkafka", CPU),
        ("kafka-rdkafka", CPU),
        one_of(10.0),
    ),
    against_kafka("throughput, MB/s", RATE, Goal::MedianAtLeast(3.0)),
    against(
        "the same with Apache's client",
        ("klamm-java", RATE),
        ("kafka-java", RATE),
        Goal::EveryAbove(1.0),
    ),
    against(
        "the same with librdkafka",
        ("klamm-rdkafka", RATE),
        ("kafka-rdkafka", RATE),
        Goal::None,
    ),
    against(
        "of receive + CRC + write, MB/s",
        ("klamm", RATE),
        ("limit", "recv_crc_write_mb_per_s"),
        Goal::MedianAtLeast(0.6),
    ),
    against(
        "CPU of receive + CRC + write, s/GB",
        ("klamm", CPU),
        RECEIVE_CHECK_WRITE,
        Goal::None,
    ),
    against(
        "of receive + CRC + append to growing files, MB/s",
        ("klamm", RATE),
        ("limit", "recv_crc_append_mb_per_s"),
        Goal::None,
    ),
    against(
        "CPU of receive + CRC + append, s/GB",
        ("klamm", CPU),
        RECEIVE_CHECK_APPEND,
        Goal::None,
    ),
    against_kafka("machine busy, s/GB", "machine_busy_s_per_gb", Goal::None),
    against(
        "p99 of Apache's client, ms",
        ("klamm-java", "latency_p99_ms"),
        ("kafka-java", "latency_p99_ms"),
        Goal::None,
    ),
];

/// The plain case.
pub const PRODUCE_16: Row = Row {
    name: "produce-16",
    title: "produce 1 KiB, 16 partitions, acks=1",
    description: "Records of 1 KiB to 16 partitions, as fast as they are taken: what does a GB cost the \
                  broker, and how many can the machine take, with three clients in turn?",
    shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, SAME_CORES],
    measure: |bench, measured| produce_loads::produce(bench, measured, 16, 1024, 1_000_000),
    comparisons: &PRODUCED,
};

/// Batches to many partitions.
pub const PRODUCE_100: Row = Row {
    name: "produce-100",
    title: "produce 1 KiB, 100 partitions, acks=1",
    description: "The same to a hundred partitions: batches are smaller and more files grow at once.",
    shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, SAME_CORES],
    measure: |bench, measured| produce_loads::produce(bench, measured, 100, 1024, 1_000_000),
    comparisons: &PRODUCED,
};

/// Many records per batch.
pub const PRODUCE_SMALL: Row = Row {
    name: "produce-small",
    title: "produce 100 B, 6 partitions, acks=1",
    description: "Records of 100 bytes: ten times as many in a GB, and a broker that walks through them \
                  pays for each.",
    shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, SAME_CORES],
    measure: |bench, measured| produce_loads::produce(bench, measured, 6, 100, 5_000_000),
    comparisons: &[
        PRODUCED[0],
        PRODUCED[1],
        PRODUCED[2],
        against_kafka("records/s", "records_per_s", Goal::MedianAtLeast(4.0)),
        against(
            "the same with Apache's client",
            ("klamm-java", "records_per_s"),
            ("kafka-java", "records_per_s"),
            Goal::None,
        ),
        against(
            "the same with librdkafka",
            ("klamm-rdkafka", "records_per_s"),
            ("kafka-rdkafka", "records_per_s"),
            Goal::None,
        ),
        PRODUCED[7],
        PRODUCED[9],
        PRODUCED[10],
        PRODUCED[11],
    ],
};

const fn codec(what: &'static str, klamm: &'static str, kafka: &'static str) -> Comparison {
    against(what, (klamm, CPU), (kafka, CPU), one_of(20.0))
}

const WIRE: &str = "broker_cpu_s_per_wire_gb";

const fn on_the_wire(what: &'static str, klamm: &'static str) -> Comparison {
    against(
        what,
        (klamm, WIRE),
        ("klamm-none", WIRE),
        Goal::MedianAtMost(1.3),
    )
}

/// The loop receives bytes, whatever they are: it is the limit of what was on the wire.
const fn over_the_loop(what: &'static str, klamm: &'static str) -> Comparison {
    against(what, (klamm, WIRE), RECEIVE_CHECK_WRITE, Goal::None)
}

const COMPRESSED: [Comparison; 12] = [
    codec("lz4: broker CPU, s/GB", "klamm-lz4", "kafka-lz4"),
    codec("zstd: broker CPU, s/GB", "klamm-zstd", "kafka-zstd"),
    codec("snappy: broker CPU, s/GB", "klamm-snappy", "kafka-snappy"),
    codec("gzip: broker CPU, s/GB", "klamm-gzip", "kafka-gzip"),
    on_the_wire("lz4: broker CPU, s/GB on the wire", "klamm-lz4"),
    on_the_wire("zstd: broker CPU, s/GB on the wire", "klamm-zstd"),
    on_the_wire("snappy: broker CPU, s/GB on the wire", "klamm-snappy"),
    on_the_wire("gzip: broker CPU, s/GB on the wire", "klamm-gzip"),
    over_the_loop("lz4: CPU of receive + CRC + write, s/GB", "klamm-lz4"),
    over_the_loop("zstd: CPU of receive + CRC + write, s/GB", "klamm-zstd"),
    over_the_loop("snappy: CPU of receive + CRC + write, s/GB", "klamm-snappy"),
    over_the_loop("gzip: CPU of receive + CRC + write, s/GB", "klamm-gzip"),
];

/// What the client compressed.
pub const CODECS: Row = Row {
    name: "produce-codecs",
    title: "produce 1 KiB of JSON, compressed (over uncompressed GB)",
    description: "Orders in JSON, compressed by the producer with each codec. A broker can keep a \
                  compressed batch as it comes: what does it cost for each GB that went into it?",
    shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, CODEC_FIRST],
    measure: |bench, measured| {
        produce_loads::produce_codecs(bench, measured, Driver::Klamm, 1_000_000)
    },
    comparisons: &COMPRESSED,
};

/// The same by Apache's client.
pub const CODECS_JAVA: Row = Row {
    name: "produce-codecs-java",
    title: "produce 1 KiB of JSON, compressed, Apache's client (over uncompressed GB)",
    description: "The same with Apache's own producer, which compresses more slowly and so sends \
                  smaller batches, more seldom.",
    shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, CODEC_FIRST],
    measure: |bench, measured| {
        produce_loads::produce_codecs(bench, measured, Driver::Java, 400_000)
    },
    comparisons: &COMPRESSED,
};

const SYNCED: &str = "acks_per_s";

const SYNCED_1: [Comparison; 4] = synced(Goal::None, Goal::MedianAtLeast(0.9));
const SYNCED_64: [Comparison; 4] = synced(Goal::MedianAtLeast(10.0), Goal::None);

/// Acknowledgements beside Kafka's, and beside a loop that appends and syncs.
const fn synced(of_kafka: Goal, of_loop: Goal) -> [Comparison; 4] {
    [
        against_kafka("acks/s", SYNCED, of_kafka),
        against(
            "of append + fdatasync, acks/s",
            ("klamm", SYNCED),
            ("fdatasync", SYNCED),
            of_loop,
        ),
        against_kafka("p99, ms", "latency_p99_ms", Goal::None),
        against_kafka(
            "broker CPU, µs/ack",
            "broker_cpu_us_per_request",
            Goal::None,
        ),
    ]
}

/// A sync for each record.
pub const FSYNC_1: Row = Row {
    name: "fsync-1",
    title: "1 KiB synced before its ack, 1 partition, one producer",
    description: "Each record is on the disk before it is acknowledged, one after the other: how near \
                  is that to a loop that appends and syncs?",
    shows_not: &[
        ONE_DISK,
        "Which core the partition lies on makes a fifth of it.",
    ],
    measure: |bench, measured| produce_loads::fsync(bench, measured, 1, 1, 1),
    comparisons: &SYNCED_1,
};

/// Syncs of many partitions side by side.
pub const FSYNC_64: Row = Row {
    name: "fsync-64",
    title: "1 KiB synced before its ack, 64 partitions, a producer each",
    description: "The same for 64 partitions with a producer each: how well are syncs of many files \
                  done side by side?",
    shows_not: &[ONE_DISK, SAME_CORES],
    measure: |bench, measured| produce_loads::fsync(bench, measured, 64, 1, 1),
    comparisons: &SYNCED_64,
};

/// Syncs that producers of one partition may share.
pub const FSYNC_64_SHARED: Row = Row {
    name: "fsync-64-shared",
    title: "1 KiB synced before its ack, 64 partitions, eight producers each, 5 in flight",
    description: "The same with eight producers for each partition, five requests in flight: a sync can \
                  serve all who wait for it.",
    shows_not: &[ONE_DISK, SAME_CORES],
    measure: |bench, measured| produce_loads::fsync(bench, measured, 64, 8, 5),
    comparisons: &SYNCED_64,
};
