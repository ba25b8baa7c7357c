//! Consumer groups, classic and new (KIP-848), and committed offsets.

use super::reasons::{ALONE, SHARDS, TURNS};
use crate::config::setting::Class::{Implemented, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast, ListOf, OneOfIgnoringCase};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static GROUPS: &[Setting] = rows! {
    "group.consumer.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "Shortest time between two assignments of a consumer group.";
    "group.consumer.assignors": List = "uniform,range",
        Medium, ReadOnly, Any, Implemented,
        "Ways to share out partitions to consumers, the preferred first.";
    "group.consumer.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), Implemented,
        "Time between two heartbeats of a consumer.";
    "group.consumer.max.assignment.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(0), Implemented,
        "Largest consumer.assignment.interval.ms that a group may have.";
    "group.consumer.max.heartbeat.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(1), Implemented,
        "Largest consumer.heartbeat.interval.ms that a group may have.";
    "group.consumer.max.session.timeout.ms": Int = "60000",
        Medium, ReadOnly, AtLeast(1), Implemented,
        "Largest consumer.session.timeout.ms that a group may have.";
    "group.consumer.max.size": Int = "2147483647",
        Medium, ReadOnly, AtLeast(1), Implemented,
        "Most members of a consumer group.";
    "group.consumer.migration.policy": String = "bidirectional",
        Medium, ReadOnly, OneOfIgnoringCase(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]), Implemented,
        "Which ways a group may change between the classic and the consumer protocol.";
    "group.consumer.min.assignment.interval.ms": Int = "0",
        Medium, ReadOnly, AtLeast(0), Implemented,
        "Smallest consumer.assignment.interval.ms that a group may have.";
    "group.consumer.min.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), Implemented,
        "Smallest consumer.heartbeat.interval.ms that a group may have.";
    "group.consumer.min.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), Implemented,
        "Smallest consumer.session.timeout.ms that a group may have.";
    "group.consumer.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), Implemented,
        "Time without a heartbeat after which a consumer is taken for dead.";
    "group.coordinator.append.linger.ms": Int = "-1",
        Medium, ReadOnly, AtLeast(-1), WithoutEffect(TURNS),
        "How long a group coordinator gathers records; -1 adapts to the load.";
    "group.coordinator.background.threads": Int = "2",
        High, ReadOnly, AtLeast(1), WithoutEffect(SHARDS),
        "Threads that compute assignments beside the group coordinators.";
    "group.coordinator.cached.buffer.max.bytes": Int = "1048588",
        Medium, ClusterWide, AtLeast(524_288), WithoutEffect(TURNS),
        "Largest write buffer that a group coordinator keeps for its next write.";
    "group.coordinator.rebalance.protocols": List = "classic,consumer,streams",
        Medium, ReadOnly, ListOf(&["consumer", "classic", "share", "streams"]), Implemented,
        "The protocols that groups may use.";
    "group.coordinator.threads": Int = "4", High, ReadOnly, AtLeast(1), WithoutEffect(SHARDS),
        "Threads of the group coordinators.";
    "group.initial.rebalance.delay.ms": Int = "3000", Medium, ReadOnly, Any, Implemented,
        "How long an empty group waits for more members before its first assignment.";
    "group.max.session.timeout.ms": Int = "1800000", Medium, ReadOnly, Any, Implemented,
        "Longest session timeout that a member of a classic group may ask for.";
    "group.max.size": Int = "2147483647", Medium, ReadOnly, AtLeast(1), Implemented,
        "Most members of a classic group.";
    "group.min.session.timeout.ms": Int = "6000", Medium, ReadOnly, Any, Implemented,
        "Shortest session timeout that a member of a classic group may ask for.";
    "offset.metadata.max.bytes": Int = "4096", High, ReadOnly, Any, Implemented,
        "Longest text that a client may commit with an offset.";
    "offsets.commit.timeout.ms": Int = "5000", High, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "How long a commit of offsets waits for its replicas.";
    "offsets.load.buffer.size": Int = "5242880", High, ReadOnly, AtLeast(1), WithoutEffect(TURNS),
        "Bytes read at once when committed offsets are loaded.";
    "offsets.retention.check.interval.ms": Long = "600000",
        High, ReadOnly, AtLeast(1), Implemented,
        "How often it is looked whether committed offsets have expired.";
    "offsets.retention.minutes": Int = "10080", High, ReadOnly, AtLeast(1), Implemented,
        "Time after which the offsets of an empty group expire, in minutes.";
    "offsets.topic.compression.codec": Int = "0", High, ReadOnly, Any, Implemented,
        "How __consumer_offsets is compressed; 0 is not at all.";
    "offsets.topic.num.partitions": Int = "50", High, ReadOnly, AtLeast(1), Implemented,
        "Partitions of __consumer_offsets; not to be changed once it exists.";
    "offsets.topic.replication.factor": Short = "3",
        High, ReadOnly, AtLeast(1), Implemented,
        "Replicas of __consumer_offsets.";
    "offsets.topic.segment.bytes": Int = "104857600",
        High, ReadOnly, AtLeast(1), Implemented,
        "Size of a segment of __consumer_offsets.";
};
