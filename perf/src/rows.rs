//! The rows of the table: what is run against each broker, and what klamm must reach.

use crate::bench::Bench;
use crate::group_loads;
use crate::loads;
use crate::offsets;
use crate::results::{Comparison, Goal, Measured};

/// One row.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its name on the command line and in file names.
    pub name: &'static str,
    /// Its title in the table.
    pub title: &'static str,
    measure: fn(&Bench, &mut Measured) -> Result<(), String>,
    comparisons: &'static [Comparison],
}

const ONE_SIXTH: f64 = 1.0 / 6.0;

const fn against_kafka(what: &'static str, figure: &'static str, goal: Goal) -> Comparison {
    Comparison {
        what,
        subject: ("klamm", figure),
        base: Some(("kafka", figure)),
        goal,
    }
}

const fn alone(
    what: &'static str,
    subject: (&'static str, &'static str),
    goal: Goal,
) -> Comparison {
    Comparison {
        what,
        subject,
        base: None,
        goal,
    }
}

const PRODUCED: [Comparison; 5] = [
    against_kafka(
        "broker CPU, s/GB",
        "broker_cpu_s_per_gb",
        Goal::MedianAtMost(ONE_SIXTH),
    ),
    against_kafka("throughput, MB/s", "mb_per_s", Goal::EveryAbove(1.0)),
    against_kafka("machine busy, s/GB", "machine_busy_s_per_gb", Goal::None),
    against_kafka("p99 of the client, ms", "latency_p99_ms", Goal::None),
    Comparison {
        what: "of receive + CRC + write, MB/s",
        subject: ("klamm", "mb_per_s"),
        base: Some(("limit", "recv_crc_write_mb_per_s")),
        goal: Goal::None,
    },
];

const fn codec(what: &'static str, name: &'static str) -> Comparison {
    Comparison {
        what,
        subject: (name, "broker_cpu_s_per_wire_gb"),
        base: Some(("none", "broker_cpu_s_per_wire_gb")),
        goal: Goal::MedianAtMost(1.3),
    }
}

const REQUESTED: [Comparison; 3] = [
    against_kafka(
        "requests per CPU second",
        "requests_per_broker_cpu_s",
        Goal::MedianAtLeast(3.0),
    ),
    against_kafka(
        "broker CPU, µs/request",
        "broker_cpu_us_per_request",
        Goal::None,
    ),
    against_kafka("requests/s", "requests_per_s", Goal::None),
];

const COMMITTED: [Comparison; 3] = [
    against_kafka(
        "requests per CPU second",
        "requests_per_broker_cpu_s",
        Goal::MedianAtLeast(5.0),
    ),
    REQUESTED[1],
    REQUESTED[2],
];

/// All rows, in the order of the table.
pub const ROWS: [Row; 17] = [
    Row {
        name: "produce-16",
        title: "produce 1 KiB, 16 partitions, acks=1",
        measure: |bench, measured| loads::produce(bench, measured, 16, 1024, 1_000_000),
        comparisons: &PRODUCED,
    },
    Row {
        name: "produce-100",
        title: "produce 1 KiB, 100 partitions, acks=1",
        measure: |bench, measured| loads::produce(bench, measured, 100, 1024, 1_000_000),
        comparisons: &PRODUCED,
    },
    Row {
        name: "produce-small",
        title: "produce 100 B, 6 partitions, acks=1",
        measure: |bench, measured| loads::produce(bench, measured, 6, 100, 5_000_000),
        comparisons: &[
            PRODUCED[0],
            against_kafka("records/s", "records_per_s", Goal::None),
            PRODUCED[2],
            PRODUCED[3],
        ],
    },
    Row {
        name: "produce-codecs",
        title: "produce 1 KiB of JSON, compressed (over uncompressed)",
        measure: loads::produce_codecs,
        comparisons: &[
            codec("lz4: broker CPU, s/GB on the wire", "lz4"),
            codec("zstd: broker CPU, s/GB on the wire", "zstd"),
            codec("snappy: broker CPU, s/GB on the wire", "snappy"),
            codec("gzip: broker CPU, s/GB on the wire", "gzip"),
        ],
    },
    Row {
        name: "fetch-plain",
        title: "fetch of resident data, 16 partitions, a reader that discards",
        measure: loads::fetch_plain,
        comparisons: &[
            against_kafka(
                "broker CPU, s/GB",
                "broker_cpu_s_per_gb",
                Goal::MedianAtMost(0.5),
            ),
            Comparison {
                what: "of a sendfile loop, MB/s",
                subject: ("klamm", "mb_per_s"),
                base: Some(("sendfile", "mb_per_s")),
                goal: Goal::MedianAtLeast(0.8),
            },
            against_kafka("throughput, MB/s", "mb_per_s", Goal::None),
            against_kafka("machine busy, s/GB", "machine_busy_s_per_gb", Goal::None),
        ],
    },
    Row {
        name: "fetch-java",
        title: "fetch of resident data, 16 partitions, Apache's consumer",
        measure: loads::fetch_java,
        comparisons: &[
            against_kafka(
                "broker CPU, s/GB",
                "broker_cpu_s_per_gb",
                Goal::MedianAtMost(0.5),
            ),
            against_kafka("throughput, MB/s", "mb_per_s", Goal::None),
            against_kafka("machine busy, s/GB", "machine_busy_s_per_gb", Goal::None),
        ],
    },
    Row {
        name: "requests-1",
        title: "one record of 100 B per batch, 64 connections, 1 in flight",
        measure: |bench, measured| loads::small_requests(bench, measured, 1),
        comparisons: &REQUESTED,
    },
    Row {
        name: "requests-5",
        title: "one record of 100 B per batch, 64 connections, 5 in flight",
        measure: |bench, measured| loads::small_requests(bench, measured, 5),
        comparisons: &REQUESTED,
    },
    Row {
        name: "commits-1",
        title: "OffsetCommit of one partition, 64 groups and connections, 1 in flight",
        measure: |bench, measured| group_loads::commits(bench, measured, 1),
        comparisons: &COMMITTED,
    },
    Row {
        name: "commits-5",
        title: "OffsetCommit of one partition, 64 groups and connections, 5 in flight",
        measure: |bench, measured| group_loads::commits(bench, measured, 5),
        comparisons: &COMMITTED,
    },
    Row {
        name: "groups-1000",
        title: "1,000 classic groups of 4 members, 10,000 partitions, only heartbeats",
        measure: group_loads::groups,
        comparisons: &[
            alone(
                "CPU, % of a core",
                ("klamm", "cpu_percent"),
                Goal::MedianAtMost(2.0),
            ),
            alone(
                "memory of a member, KiB",
                ("klamm", "kib_per_member"),
                Goal::EveryAtMost(4.0),
            ),
            alone(
                "klamm groups --list, s",
                ("klamm", "list_s"),
                Goal::EveryAtMost(1.0),
            ),
            alone(
                "with its connection, KiB",
                ("klamm", "kib_per_connected_member"),
                Goal::None,
            ),
            against_kafka("CPU, % of a core", "cpu_percent", Goal::None),
            against_kafka("CPU without heartbeats, %", "quiet_cpu_percent", Goal::None),
            against_kafka("heartbeat answered, mean ms", "beat_mean_ms", Goal::None),
            against_kafka("4,000 joins to stable, s", "join_s", Goal::None),
        ],
    },
    Row {
        name: "join-classic",
        title: "a classic group of 500 members on 5,000 partitions",
        measure: group_loads::join_classic,
        comparisons: &[
            against_kafka(
                "all join again to stable, s",
                "rejoin_s",
                Goal::MedianAtMost(0.5),
            ),
            against_kafka("first join to stable, s", "join_s", Goal::None),
            against_kafka(
                "the same without the initial delay, s",
                "join_beyond_delay_s",
                Goal::None,
            ),
            against_kafka("broker CPU of both, s", "broker_cpu_s", Goal::None),
        ],
    },
    Row {
        name: "join-classic-at-once",
        title: "the same group, `group.initial.rebalance.delay.ms=0`",
        measure: group_loads::join_classic_at_once,
        comparisons: &[
            against_kafka("first join to stable, s", "join_s", Goal::MedianAtMost(0.5)),
            against_kafka("all join again to stable, s", "rejoin_s", Goal::None),
            against_kafka("broker CPU of both, s", "broker_cpu_s", Goal::None),
        ],
    },
    Row {
        name: "join-848",
        title: "a KIP-848 group of 1,000 members on 10,000 partitions",
        measure: group_loads::join_consumer,
        comparisons: &[
            against_kafka("first join to stable, s", "join_s", Goal::MedianAtMost(0.5)),
            against_kafka("broker CPU, s", "broker_cpu_s", Goal::None),
            against_kafka("heartbeats", "heartbeats", Goal::None),
        ],
    },
    Row {
        name: "load-offsets",
        title: "loading 3,000,000 committed offsets after a restart, pages not in memory",
        measure: offsets::load,
        comparisons: &[
            alone(
                "records per second and core",
                ("klamm", "records_per_s_and_core"),
                Goal::MedianAtLeast(1_000_000.0),
            ),
            against_kafka("exec to all loaded, s", "loaded_s", Goal::None),
            against_kafka("broker CPU until then, s", "broker_cpu_s", Goal::None),
            against_kafka("resident after it, MB", "rss_mb", Goal::None),
        ],
    },
    Row {
        name: "idle",
        title: "idle, freshly started, no connection",
        measure: loads::idle,
        comparisons: &[
            alone("resident, MB", ("klamm", "rss_mb"), Goal::EveryAtMost(20.0)),
            alone(
                "CPU, % of a core",
                ("klamm", "cpu_percent"),
                Goal::EveryAtMost(0.5),
            ),
            against_kafka("resident, MB", "rss_mb", Goal::None),
            against_kafka("CPU, % of a core", "cpu_percent", Goal::None),
        ],
    },
    Row {
        name: "start",
        title: "exec to first acknowledged record",
        measure: loads::start,
        comparisons: &[
            alone(
                "formatted folder, ms",
                ("klamm", "first_ack_ms"),
                Goal::EveryAtMost(50.0),
            ),
            alone(
                "fresh folder, topic created, ms",
                ("klamm-fresh", "first_ack_ms"),
                Goal::EveryAtMost(50.0),
            ),
            against_kafka("formatted folder, ms", "first_ack_ms", Goal::None),
            Comparison {
                what: "fresh folder, topic created, ms",
                subject: ("klamm-fresh", "first_ack_ms"),
                base: Some(("kafka-fresh", "first_ack_ms")),
                goal: Goal::None,
            },
        ],
    },
];

impl Row {
    /// Measures the row.
    pub fn run(&self, bench: &Bench) -> Result<Measured, String> {
        let mut measured = Measured::default();
        (self.measure)(bench, &mut measured)?;
        Ok(measured)
    }

    /// What the table says of it.
    pub fn comparisons(&self, bench: &Bench) -> Vec<Comparison> {
        let same = bench.same.is_some();
        self.comparisons
            .iter()
            // Against itself a system is only compared with itself.
            .filter(|comparison| !same || comparison.base.is_some())
            .map(|comparison| {
                if same {
                    comparison.of_the_same()
                } else {
                    *comparison
                }
            })
            .collect()
    }
}
