//! The rows of reading and of small requests.

use super::{
    ACKED_IN_MEMORY, CLOSED_LOOP, RESIDENT, Row, SAME_CORES, against, against_kafka, one_of,
};
use crate::results::{Comparison, Goal};
use crate::{loads, reading_loads};

const CPU: &str = "broker_cpu_s_per_gb";
const RATE: &str = "mb_per_s";
/// What a loop pays that only sends resident pages.
const SENDFILE: (&str, &str) = ("limit", "sendfile_cpu_s_per_gb");

/// The broker alone.
pub const FETCH_PLAIN: Row = Row {
    name: "fetch-plain",
    title: "fetch of resident data, 16 partitions, a reader that discards",
    description: "Sockets ask for 16 partitions that lie in memory, again and again, and let the kernel \
                  throw the answers away: the broker alone, beside a loop that only sends pages.",
    shows_not: &[
        RESIDENT,
        "A consumer that looks at its records is slower than this reader, and so lets the broker sleep: the other rows of fetching have it.",
    ],
    measure: reading_loads::fetch_plain,
    comparisons: &[
        against_kafka("broker CPU, s/GB", CPU, one_of(3.0)),
        against(
            "of a sendfile loop, MB/s",
            ("klamm", RATE),
            ("sendfile", RATE),
            Goal::MedianAtLeast(0.85),
        ),
        against_kafka("throughput, MB/s", RATE, Goal::None),
        against_kafka("machine busy, s/GB", "machine_busy_s_per_gb", Goal::None),
    ],
};

/// Apache's consumer, round and round.
pub const FETCH_JAVA: Row = Row {
    name: "fetch-java",
    title: "fetch of resident data, 16 partitions, Apache's consumer",
    description: "Apache's consumer reads 16 partitions that lie in memory, round and round.",
    shows_not: &[RESIDENT, SAME_CORES],
    measure: reading_loads::fetch_java,
    comparisons: &[
        against_kafka("broker CPU, s/GB", CPU, one_of(3.0)),
        against(
            "CPU of a sendfile loop, s/GB",
            ("klamm", CPU),
            SENDFILE,
            Goal::None,
        ),
        against_kafka("throughput, MB/s", RATE, Goal::None),
        against_kafka("machine busy, s/GB", "machine_busy_s_per_gb", Goal::None),
    ],
};

/// The perf tools, as groups of one.
pub const FETCH_DRIVERS: Row = Row {
    name: "fetch-drivers",
    title: "fetch of resident data, 16 partitions, three perf tools in a group",
    description: "klamm's, Apache's and librdkafka's perf tools read the same partitions, each in a \
                  group, once through: does the ratio depend on who measures?",
    shows_not: &[RESIDENT, SAME_CORES],
    measure: reading_loads::fetch_drivers,
    comparisons: &[
        against_kafka("broker CPU, s/GB, klamm's tool", CPU, one_of(3.0)),
        against(
            "the same with Apache's tool",
            ("klamm-java", CPU),
            ("kafka-java", CPU),
            one_of(3.0),
        ),
        against(
            "the same with librdkafka's",
            ("klamm-rdkafka", CPU),
            ("kafka-rdkafka", CPU),
            one_of(3.0),
        ),
        against(
            "CPU of a sendfile loop, s/GB, klamm's tool",
            ("klamm", CPU),
            SENDFILE,
            Goal::None,
        ),
        against(
            "the same with Apache's tool",
            ("klamm-java", CPU),
            SENDFILE,
            Goal::None,
        ),
        against(
            "the same with librdkafka's",
            ("klamm-rdkafka", CPU),
            SENDFILE,
            Goal::None,
        ),
        against_kafka("throughput, MB/s, klamm's tool", RATE, Goal::None),
        against(
            "the same with Apache's tool",
            ("klamm-java", RATE),
            ("kafka-java", RATE),
            Goal::None,
        ),
        against(
            "the same with librdkafka's",
            ("klamm-rdkafka", RATE),
            ("kafka-rdkafka", RATE),
            Goal::None,
        ),
    ],
};

/// As many readers of the same data as it is written for.
pub const FETCH_GROUPS: Row = Row {
    name: "fetch-groups",
    title: "fetch of resident data, 16 partitions, by 1, 3 and 5 groups at once",
    description: "What was produced once is read by one group, by three and by five at the same time: \
                  what does another reader of the same data cost?",
    shows_not: &[RESIDENT, SAME_CORES],
    measure: reading_loads::fetch_groups,
    comparisons: &[
        against(
            "1 group: broker CPU, s/GB",
            ("klamm-1", CPU),
            ("kafka-1", CPU),
            one_of(3.0),
        ),
        against(
            "3 groups: broker CPU, s/GB",
            ("klamm-3", CPU),
            ("kafka-3", CPU),
            one_of(3.0),
        ),
        against(
            "5 groups: broker CPU, s/GB",
            ("klamm-5", CPU),
            ("kafka-5", CPU),
            one_of(3.0),
        ),
        against(
            "1 group: throughput, MB/s",
            ("klamm-1", RATE),
            ("kafka-1", RATE),
            Goal::MedianAtLeast(1.5),
        ),
        against(
            "3 groups: throughput, MB/s",
            ("klamm-3", RATE),
            ("kafka-3", RATE),
            Goal::MedianAtLeast(1.5),
        ),
        against(
            "5 groups: throughput, MB/s",
            ("klamm-5", RATE),
            ("kafka-5", RATE),
            Goal::MedianAtLeast(1.5),
        ),
        against(
            "5 groups over 1: broker CPU, s/GB",
            ("klamm-5", CPU),
            ("klamm-1", CPU),
            Goal::None,
        ),
    ],
};

const PER_CPU: &str = "requests_per_broker_cpu_s";

/// Of requests that are small: what Kafka pays for each, and what any server must.
pub const REQUESTED: [Comparison; 5] = [
    against_kafka(
        "broker CPU, µs/request",
        "broker_cpu_us_per_request",
        one_of(4.0),
    ),
    against_kafka("requests/s", "requests_per_s", Goal::None),
    against_kafka("p99, ms", "latency_p99_ms", Goal::None),
    against(
        "of an echo server's requests per CPU second",
        ("klamm", PER_CPU),
        ("echo", PER_CPU),
        Goal::MedianAtLeast(0.5),
    ),
    against_kafka("requests per CPU second", PER_CPU, Goal::None),
];

/// A wake-up for each.
pub const REQUESTS_1: Row = Row {
    name: "requests-1",
    title: "one record of 100 B per batch, 64 connections, 1 in flight",
    description: "64 connections, each with a record of 100 bytes, and the next when it is \
                  acknowledged: what does a request cost, beside a server that only echoes?",
    shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, SAME_CORES],
    measure: |bench, measured| loads::small_requests(bench, measured, 1),
    comparisons: &REQUESTED,
};

/// Several at a time.
pub const REQUESTS_5: Row = Row {
    name: "requests-5",
    title: "one record of 100 B per batch, 64 connections, 5 in flight",
    description: "The same with five requests under way on each connection, so that a broker can serve \
                  several at a time.",
    shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, SAME_CORES],
    measure: |bench, measured| loads::small_requests(bench, measured, 5),
    comparisons: &REQUESTED,
};
