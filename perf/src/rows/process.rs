//! The rows of the process itself: what it takes to be there, and for how many.

use super::{EMPTY, KERNEL_SOCKETS, ONE_NODE, Row, against, against_kafka, alone, one_of};
use crate::results::{Comparison, Goal};
use crate::{loads, scale_loads};

const CONNECTED: [Comparison; 5] = [
    alone(
        "memory of a connection, KiB",
        ("klamm", "kib_per_connection"),
        Goal::MedianAtMost(8.0),
    ),
    against(
        "memory of a connection (Apache's: its heap alone), KiB",
        ("klamm", "kib_per_connection"),
        ("kafka", "heap_kib_per_connection"),
        one_of(10.0),
    ),
    against_kafka(
        "all connected and answered once, s",
        "connect_s",
        Goal::None,
    ),
    against_kafka("CPU with all idle, % of a core", "cpu_percent", Goal::None),
    against_kafka("resident, MB", "rss_mb", Goal::None),
];

/// Many.
pub const CONNECTIONS_1000: Row = Row {
    name: "connections-1000",
    title: "1,000 idle connections",
    description: "A thousand clients connect, ask once, and say nothing more: what does each of them \
                  cost?",
    shows_not: &[KERNEL_SOCKETS],
    measure: |bench, measured| scale_loads::connections(bench, measured, 1_000),
    comparisons: &CONNECTED,
};

/// Very many.
pub const CONNECTIONS_10000: Row = Row {
    name: "connections-10000",
    title: "10,000 idle connections",
    description: "Ten thousand clients connect, ask once, and say nothing more: what does each of them \
                  cost?",
    shows_not: &[KERNEL_SOCKETS],
    measure: |bench, measured| scale_loads::connections(bench, measured, 10_000),
    comparisons: &CONNECTED,
};

const EACH_PARTITION: Comparison = alone(
    "memory of a partition, KiB",
    ("klamm", "kib_per_partition"),
    Goal::MedianAtMost(10.0),
);
const QUIET_PARTITIONS: Comparison = alone(
    "CPU with all idle, % of a core",
    ("klamm", "cpu_percent"),
    Goal::MedianAtMost(1.0),
);

/// Topics of a thousand each.
pub const PARTITIONS_10000: Row = Row {
    name: "partitions-10000",
    title: "10,000 partitions, in 10 topics",
    description: "Ten topics of a thousand partitions are made, and nobody uses them: how long does it \
                  take, and what do they cost?",
    shows_not: &[EMPTY, ONE_NODE],
    measure: |bench, measured| scale_loads::partitions(bench, measured, 10, &bench.labels()),
    comparisons: &[
        against_kafka("created, s", "create_s", one_of(10.0)),
        EACH_PARTITION,
        QUIET_PARTITIONS,
        against_kafka(
            "memory of a partition, KiB",
            "kib_per_partition",
            Goal::None,
        ),
        against_kafka("CPU with all idle, % of a core", "cpu_percent", Goal::None),
        against_kafka("broker CPU of the creation, s", "create_cpu_s", Goal::None),
    ],
};

/// As many as a node has seldom. klamm alone: Apache Kafka's indexes are two mappings a partition, of which Linux
/// allows a process 65,530 unless told otherwise.
pub const PARTITIONS_100000: Row = Row {
    name: "partitions-100000",
    title: "100,000 partitions, in 100 topics, klamm alone",
    description: "A hundred topics of a thousand partitions are made, and nobody uses them: how long \
                  does it take, and what do they cost?",
    shows_not: &[
        EMPTY,
        ONE_NODE,
        "Apache Kafka is not beside it: its indexes are two mappings a partition, of which Linux allows a process 65,530 unless told otherwise.",
    ],
    measure: |bench, measured| {
        let labels = bench.labels();
        scale_loads::partitions(bench, measured, 100, &labels[1..])
    },
    comparisons: &[
        EACH_PARTITION,
        QUIET_PARTITIONS,
        alone("created, s", ("klamm", "create_s"), Goal::None),
        alone(
            "created, s of broker CPU",
            ("klamm", "create_cpu_s"),
            Goal::None,
        ),
        alone("resident, MB", ("klamm", "rss_mb"), Goal::None),
    ],
};

/// Nothing to do.
pub const IDLE: Row = Row {
    name: "idle",
    title: "idle, freshly started, no connection",
    description: "A broker that was just started, and nobody comes: what does it take to be there?",
    shows_not: &["Neither broker has a topic."],
    measure: loads::idle,
    comparisons: &[
        alone("resident, MB", ("klamm", "rss_mb"), Goal::EveryAtMost(15.0)),
        alone(
            "CPU, % of a core",
            ("klamm", "cpu_percent"),
            Goal::EveryAtMost(0.5),
        ),
        against_kafka("resident, MB", "rss_mb", Goal::None),
        against_kafka("CPU, % of a core", "cpu_percent", Goal::None),
    ],
};

/// From nothing to the first ack.
pub const START: Row = Row {
    name: "start",
    title: "exec to first acknowledged record",
    description: "From exec until a client that tries all the time has its first record acknowledged, \
                  on a folder that was used before and on a fresh one.",
    shows_not: &["The program is in memory where the row before has run it."],
    measure: loads::start,
    comparisons: &[
        alone(
            "formatted folder, ms",
            ("klamm", "first_ack_ms"),
            Goal::MedianAtMost(20.0),
        ),
        alone(
            "fresh folder, topic created, ms",
            ("klamm-fresh", "first_ack_ms"),
            Goal::MedianAtMost(20.0),
        ),
        against_kafka("formatted folder, ms", "first_ack_ms", Goal::None),
        against(
            "fresh folder, topic created, ms",
            ("klamm-fresh", "first_ack_ms"),
            ("kafka-fresh", "first_ack_ms"),
            Goal::None,
        ),
    ],
};
