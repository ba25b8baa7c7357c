//! Settings of a group.

use super::reasons::{NOT_YET, SHARDS};
use crate::config::setting::Class::{Implemented, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast, AutoOffsetReset, OneOf};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static GROUP: &[Setting] = rows! {
    "consumer.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "Shortest time between two assignments of the group.";
    "consumer.heartbeat.interval.ms": Int = "5000",
        Medium, ClusterWide, AtLeast(1), Implemented,
        "Time between two heartbeats of a member.";
    "consumer.session.timeout.ms": Int = "45000",
        Medium, ClusterWide, AtLeast(1), Implemented,
        "Time without a heartbeat after which a member is taken for dead.";
    "errors.deadletterqueue.copy.record.enable": Boolean = "false",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Whether a record that is given up is copied whole.";
    "errors.deadletterqueue.topic.name": String = "",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Topic for records that the share group gives up; none where it is empty.";
    "share.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "Shortest time between two assignments of the share group.";
    "share.auto.offset.reset": String = "latest",
        Medium, ClusterWide, AutoOffsetReset, WithoutEffect(NOT_YET),
        "Where the share group starts to read: latest, earliest, by_duration:PT1H.";
    "share.delivery.count.limit": Int = "5",
        Medium, ClusterWide, AtLeast(2), WithoutEffect(NOT_YET),
        "How often a record is delivered before it is given up.";
    "share.heartbeat.interval.ms": Int = "5000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "Time between two heartbeats of a member of the share group.";
    "share.isolation.level": String = "read_uncommitted",
        Medium, ClusterWide, OneOf(&["read_committed", "read_uncommitted"]), WithoutEffect(NOT_YET),
        "Whether the share group reads records of open transactions.";
    "share.partition.max.record.locks": Int = "2000",
        Medium, ClusterWide, AtLeast(100), WithoutEffect(NOT_YET),
        "Most records of a share partition that are being worked on.";
    "share.record.lock.duration.ms": Int = "30000",
        Medium, ClusterWide, AtLeast(1_000), WithoutEffect(NOT_YET),
        "How long a member may work on a record before others may have it.";
    "share.renew.acknowledge.enable": Boolean = "true",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Whether a member may prolong its work on a record.";
    "share.session.timeout.ms": Int = "45000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "Time without a heartbeat after which a member of the share group is dead.";
    "streams.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "Shortest time between two assignments of the streams group.";
    "streams.assignor.name": String = null, Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "How tasks are shared out; the broker's first way where it is not set.";
    "streams.heartbeat.interval.ms": Int = "5000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "Time between two heartbeats of a member of the streams group.";
    "streams.initial.rebalance.delay.ms": Int = "3000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "How long the empty streams group waits before its first assignment.";
    "streams.num.standby.replicas": Int = "0",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "Standby copies of each task's state.";
    "streams.rack.aware.assignment.tags": List = "", Low, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Client tags over which standby copies of tasks are spread.";
    "streams.session.timeout.ms": Int = "45000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "Time without a heartbeat after which a member of the streams group is dead.";
};

/// Accepted for a group, but not listed.
pub static GROUP_INTERNAL: &[Setting] = rows! {
    "consumer.assignor.offload.enable": Boolean = "true",
        Medium, ClusterWide, Any, WithoutEffect(SHARDS),
        "Whether background threads compute the assignments of the group.";
    "share.assignor.offload.enable": Boolean = "true",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Whether background threads compute the assignments of the share group.";
    "streams.acceptable.recovery.lag": Long = "10000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "Offsets behind at which a member of the streams group counts as caught up.";
    "streams.assignor.offload.enable": Boolean = "true",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Whether background threads compute the assignments of the streams group.";
    "streams.num.warmup.replicas": Int = "2",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "Copies of tasks that may warm up at once.";
    "streams.task.offset.interval.ms": Int = "60000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NOT_YET),
        "How often members report how far their warming tasks have come.";
};
