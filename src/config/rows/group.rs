//! Settings of a group.

use super::reasons::NOT_YET;
use crate::config::setting::Class::WithoutEffect;
use crate::config::setting::Validator::{Any, AtLeast, AutoOffsetReset, OneOf};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static GROUP: &[Setting] = rows! {
    "consumer.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "consumer.heartbeat.interval.ms": Int = "5000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "consumer.session.timeout.ms": Int = "45000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "share.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "share.auto.offset.reset": String = "latest",
        Medium, ClusterWide, AutoOffsetReset, WithoutEffect(NOT_YET),
        "";
    "share.delivery.count.limit": Int = "5",
        Medium, ClusterWide, AtLeast(2), WithoutEffect(NOT_YET),
        "";
    "share.heartbeat.interval.ms": Int = "5000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "share.isolation.level": String = "read_uncommitted",
        Medium, ClusterWide, OneOf(&["read_committed", "read_uncommitted"]), WithoutEffect(NOT_YET),
        "";
    "share.partition.max.record.locks": Int = "2000",
        Medium, ClusterWide, AtLeast(100), WithoutEffect(NOT_YET),
        "";
    "share.record.lock.duration.ms": Int = "30000",
        Medium, ClusterWide, AtLeast(1_000), WithoutEffect(NOT_YET),
        "";
    "share.renew.acknowledge.enable": Boolean = "true",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "";
    "share.session.timeout.ms": Int = "45000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "streams.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "streams.heartbeat.interval.ms": Int = "5000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "streams.initial.rebalance.delay.ms": Int = "3000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "streams.num.standby.replicas": Int = "0",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "streams.session.timeout.ms": Int = "45000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "";
};
