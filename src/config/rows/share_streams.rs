//! Share groups (KIP-932) and streams groups (KIP-1071), and their coordinator.

use super::reasons::{NOT_YET, PURGATORY, SHARDS};
use crate::config::setting::Class::WithoutEffect;
use crate::config::setting::Validator::{Any, AtLeast, Between};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static SHARE_STREAMS: &[Setting] = rows! {
    "group.share.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.share.assignors": List = "simple", Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "group.share.delivery.count.limit": Int = "5",
        Medium, ReadOnly, Between(2, 10), WithoutEffect(NOT_YET),
        "";
    "group.share.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.share.max.assignment.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.share.max.delivery.count.limit": Int = "10",
        Medium, ReadOnly, Between(5, 25), WithoutEffect(NOT_YET),
        "";
    "group.share.max.heartbeat.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.share.max.partition.max.record.locks": Int = "4000",
        Medium, ReadOnly, Between(2_000, 10_000), WithoutEffect(NOT_YET),
        "";
    "group.share.max.record.lock.duration.ms": Int = "60000",
        Medium, ReadOnly, Between(30_000, 3_600_000), WithoutEffect(NOT_YET),
        "";
    "group.share.max.session.timeout.ms": Int = "60000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.share.max.share.sessions": Int = "2000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.share.max.size": Int = "200",
        Medium, ReadOnly, Between(1, 1_000), WithoutEffect(NOT_YET),
        "";
    "group.share.min.assignment.interval.ms": Int = "0",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.share.min.delivery.count.limit": Int = "2",
        Medium, ReadOnly, Between(2, 5), WithoutEffect(NOT_YET),
        "";
    "group.share.min.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.share.min.partition.max.record.locks": Int = "100",
        Medium, ReadOnly, Between(100, 2_000), WithoutEffect(NOT_YET),
        "";
    "group.share.min.record.lock.duration.ms": Int = "15000",
        Medium, ReadOnly, Between(1_000, 30_000), WithoutEffect(NOT_YET),
        "";
    "group.share.min.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.share.partition.max.record.locks": Int = "2000",
        Medium, ReadOnly, Between(100, 10_000), WithoutEffect(NOT_YET),
        "";
    "group.share.record.lock.duration.ms": Int = "30000",
        Medium, ReadOnly, Between(1_000, 3_600_000), WithoutEffect(NOT_YET),
        "";
    "group.share.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.streams.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.streams.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.streams.initial.rebalance.delay.ms": Int = "3000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.streams.max.assignment.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.streams.max.heartbeat.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.streams.max.session.timeout.ms": Int = "60000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.streams.max.size": Int = "2147483647",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.streams.max.standby.replicas": Int = "2",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.streams.min.assignment.interval.ms": Int = "0",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.streams.min.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.streams.min.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.streams.num.standby.replicas": Int = "0",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "group.streams.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.append.linger.ms": Int = "-1",
        Medium, ReadOnly, AtLeast(-1), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.cached.buffer.max.bytes": Int = "1048588",
        Medium, ClusterWide, AtLeast(524_288), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.load.buffer.size": Int = "5242880",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.snapshot.update.records.per.snapshot": Int = "500",
        Medium, ReadOnly, Between(0, 500), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.state.topic.compression.codec": Int = "0",
        High, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "share.coordinator.state.topic.min.isr": Short = "2",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.state.topic.num.partitions": Int = "50",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.state.topic.replication.factor": Short = "3",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.state.topic.segment.bytes": Int = "104857600",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.threads": Int = "1", Medium, ReadOnly, AtLeast(1), WithoutEffect(SHARDS),
        "";
    "share.coordinator.write.timeout.ms": Int = "5000",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "share.fetch.purgatory.purge.interval.requests": Int = "1000",
        Medium, ReadOnly, Any, WithoutEffect(PURGATORY),
        "";
};
