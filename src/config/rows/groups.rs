//! Consumer groups, classic and new (KIP-848), and committed offsets.

use super::reasons::{NOT_YET, SHARDS};
use crate::config::setting::Class::WithoutEffect;
use crate::config::setting::Validator::{Any, AtLeast, ListOf, OneOfIgnoringCase};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static GROUPS: &[Setting] = rows! {
    "group.consumer.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.consumer.assignors": List = "uniform,range",
        Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "group.consumer.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.consumer.max.assignment.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.consumer.max.heartbeat.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.consumer.max.session.timeout.ms": Int = "60000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.consumer.max.size": Int = "2147483647",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.consumer.migration.policy": String = "bidirectional",
        Medium, ReadOnly, OneOfIgnoringCase(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]), WithoutEffect(NOT_YET),
        "";
    "group.consumer.min.assignment.interval.ms": Int = "0",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.consumer.min.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.consumer.min.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.consumer.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.coordinator.append.linger.ms": Int = "-1",
        Medium, ReadOnly, AtLeast(-1), WithoutEffect(NOT_YET),
        "";
    "group.coordinator.background.threads": Int = "2",
        High, ReadOnly, AtLeast(1), WithoutEffect(SHARDS),
        "";
    "group.coordinator.cached.buffer.max.bytes": Int = "1048588",
        Medium, ClusterWide, AtLeast(524_288), WithoutEffect(NOT_YET),
        "";
    "group.coordinator.rebalance.protocols": List = "classic,consumer,streams",
        Medium, ReadOnly, ListOf(&["consumer", "classic", "share", "streams"]), WithoutEffect(NOT_YET),
        "";
    "group.coordinator.threads": Int = "4", High, ReadOnly, AtLeast(1), WithoutEffect(SHARDS),
        "";
    "group.initial.rebalance.delay.ms": Int = "3000", Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "group.max.session.timeout.ms": Int = "1800000", Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "group.max.size": Int = "2147483647", Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.min.session.timeout.ms": Int = "6000", Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "offset.metadata.max.bytes": Int = "4096", High, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "offsets.commit.timeout.ms": Int = "5000", High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "offsets.load.buffer.size": Int = "5242880", High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "offsets.retention.check.interval.ms": Long = "600000",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "offsets.retention.minutes": Int = "10080", High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "offsets.topic.compression.codec": Int = "0", High, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "offsets.topic.num.partitions": Int = "50", High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "offsets.topic.replication.factor": Short = "3",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "offsets.topic.segment.bytes": Int = "104857600",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
};
