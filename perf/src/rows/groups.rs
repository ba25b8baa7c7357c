//! The rows of groups and their offsets.

use super::reading::REQUESTED;
use super::{
    ACKED_IN_MEMORY, CLOSED_LOOP, MEMBERS_ARE_ONE, Row, SAME_CORES, against, against_kafka, alone,
};
use crate::results::{Comparison, Goal};
use crate::{group_loads, offsets};

const COMMITTED: [Comparison; 4] = [
    against_kafka(
        "requests per CPU second",
        "requests_per_broker_cpu_s",
        Goal::MedianAtLeast(5.0),
    ),
    REQUESTED[1],
    REQUESTED[2],
    REQUESTED[3],
];

/// Offsets, one at a time on each connection.
pub const COMMITS_1: Row = Row {
    name: "commits-1",
    title: "OffsetCommit of one partition, 64 groups and connections, 1 in flight",
    description: "64 consumers commit an offset, and the next when that is done: what does a commit \
                  cost, beside a server that only echoes?",
    shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, SAME_CORES],
    measure: |bench, measured| group_loads::commits(bench, measured, 1),
    comparisons: &COMMITTED,
};

/// Offsets, five at a time on each connection.
pub const COMMITS_5: Row = Row {
    name: "commits-5",
    title: "OffsetCommit of one partition, 64 groups and connections, 5 in flight",
    description: "The same with five commits under way for each, so that a broker can serve several at \
                  a time.",
    shows_not: &[CLOSED_LOOP, ACKED_IN_MEMORY, SAME_CORES],
    measure: |bench, measured| group_loads::commits(bench, measured, 5),
    comparisons: &COMMITTED,
};

/// Heartbeats of many small groups.
pub const GROUPS_1000: Row = Row {
    name: "groups-1000",
    title: "1,000 classic groups of 4 members, 10,000 partitions, only heartbeats",
    description: "4,000 members of 1,000 groups say every three seconds that they are alive, and \
                  nothing else: what does it cost to have them?",
    shows_not: &[
        "Members do not fetch: a consumer that waits for records asks twice a second besides.",
        SAME_CORES,
    ],
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
        against(
            "CPU, of an echo server's with the same connections and frames",
            ("klamm", "cpu_us_per_beat"),
            ("echo", "cpu_us_per_beat"),
            Goal::None,
        ),
        against_kafka("CPU without heartbeats, %", "quiet_cpu_percent", Goal::None),
        against_kafka("heartbeat answered, mean ms", "beat_mean_ms", Goal::None),
        against_kafka("4,000 joins to stable, s", "join_s", Goal::None),
    ],
};

/// One large classic group.
pub const JOIN_CLASSIC: Row = Row {
    name: "join-classic",
    title: "a classic group of 500 members on 5,000 partitions",
    description: "500 consumers join a group that has 5,000 partitions, with the rebalance protocol \
                  that the clients assign by: how long until all have theirs?",
    shows_not: &[MEMBERS_ARE_ONE],
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
};

/// The same group without the wait that both brokers are configured to.
pub const JOIN_CLASSIC_AT_ONCE: Row = Row {
    name: "join-classic-at-once",
    title: "the same group, `group.initial.rebalance.delay.ms=0`",
    description: "The same without the delay that a new group waits for more members.",
    shows_not: &[MEMBERS_ARE_ONE],
    measure: group_loads::join_classic_at_once,
    comparisons: &[
        against_kafka("first join to stable, s", "join_s", Goal::MedianAtMost(0.5)),
        against_kafka("all join again to stable, s", "rejoin_s", Goal::None),
        against_kafka("broker CPU of both, s", "broker_cpu_s", Goal::None),
    ],
};

/// One large group of KIP-848.
pub const JOIN_848: Row = Row {
    name: "join-848",
    title: "a KIP-848 group of 1,000 members on 10,000 partitions",
    description: "1,000 consumers join a group that has 10,000 partitions, with the protocol of \
                  KIP-848, where the broker assigns.",
    shows_not: &[MEMBERS_ARE_ONE],
    measure: group_loads::join_consumer,
    comparisons: &[
        against_kafka("first join to stable, s", "join_s", Goal::MedianAtMost(0.5)),
        against_kafka("broker CPU, s", "broker_cpu_s", Goal::None),
        against_kafka("heartbeats", "heartbeats", Goal::None),
    ],
};

/// Committed offsets after a restart.
pub const LOAD_OFFSETS: Row = Row {
    name: "load-offsets",
    title: "loading 3,000,000 committed offsets after a restart, pages not in memory",
    description: "A broker that holds three million committed offsets starts again, nothing of its \
                  files in memory: when does it serve the last group?",
    shows_not: &[
        "The records of one large partition of __consumer_offsets are not compacted beforehand.",
    ],
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
};
