//! Share groups (KIP-932) and streams groups (KIP-1071), and their coordinator.

use super::reasons::{NOT_YET, PURGATORY, SHARDS};
use crate::config::setting::Class::WithoutEffect;
use crate::config::setting::Validator::{Any, AtLeast, Between};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static SHARE_STREAMS: &[Setting] = rows! {
    "errors.deadletterqueue.auto.create.topics.enable": Boolean = "false",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Whether the topic for what a share group gives up comes into being by itself.";
    "errors.deadletterqueue.topic.name.prefix": String = "dlq.",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "How the names of topics for what share groups give up must begin.";
    "group.share.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "Shortest time between two assignments of a share group.";
    "group.share.assignors": List = "simple", Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "Ways to share out partitions in share groups.";
    "group.share.delivery.count.limit": Int = "5",
        Medium, ReadOnly, Between(2, 10), WithoutEffect(NOT_YET),
        "How often a record is delivered before it is given up.";
    "group.share.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Time between two heartbeats of a member of a share group.";
    "group.share.max.assignment.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "Largest share.assignment.interval.ms that a group may have.";
    "group.share.max.delivery.count.limit": Int = "10",
        Medium, ReadOnly, Between(5, 25), WithoutEffect(NOT_YET),
        "Largest share.delivery.count.limit that a group may have.";
    "group.share.max.heartbeat.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Largest share.heartbeat.interval.ms that a group may have.";
    "group.share.max.partition.max.record.locks": Int = "4000",
        Medium, ReadOnly, Between(2_000, 10_000), WithoutEffect(NOT_YET),
        "Largest share.partition.max.record.locks that a group may have.";
    "group.share.max.record.lock.duration.ms": Int = "60000",
        Medium, ReadOnly, Between(30_000, 3_600_000), WithoutEffect(NOT_YET),
        "Largest share.record.lock.duration.ms that a group may have.";
    "group.share.max.session.timeout.ms": Int = "60000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Largest share.session.timeout.ms that a group may have.";
    "group.share.max.share.sessions": Int = "2000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Most share sessions of a broker.";
    "group.share.max.size": Int = "200",
        Medium, ReadOnly, Between(1, 1_000), WithoutEffect(NOT_YET),
        "Most members of a share group.";
    "group.share.min.assignment.interval.ms": Int = "0",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "Smallest share.assignment.interval.ms that a group may have.";
    "group.share.min.delivery.count.limit": Int = "2",
        Medium, ReadOnly, Between(2, 5), WithoutEffect(NOT_YET),
        "Smallest share.delivery.count.limit that a group may have.";
    "group.share.min.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Smallest share.heartbeat.interval.ms that a group may have.";
    "group.share.min.partition.max.record.locks": Int = "100",
        Medium, ReadOnly, Between(100, 2_000), WithoutEffect(NOT_YET),
        "Smallest share.partition.max.record.locks that a group may have.";
    "group.share.min.record.lock.duration.ms": Int = "15000",
        Medium, ReadOnly, Between(1_000, 30_000), WithoutEffect(NOT_YET),
        "Smallest share.record.lock.duration.ms that a group may have.";
    "group.share.min.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Smallest share.session.timeout.ms that a group may have.";
    "group.share.partition.max.record.locks": Int = "2000",
        Medium, ReadOnly, Between(100, 10_000), WithoutEffect(NOT_YET),
        "Most records of a share partition that are being worked on.";
    "group.share.record.lock.duration.ms": Int = "30000",
        Medium, ReadOnly, Between(1_000, 3_600_000), WithoutEffect(NOT_YET),
        "How long a member may work on a record before others may have it.";
    "group.share.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Time without a heartbeat after which a member of a share group is dead.";
    "group.streams.assignment.interval.ms": Int = "1000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "Shortest time between two assignments of a streams group.";
    "group.streams.assignors": List = "sticky", Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "Ways to share out tasks in streams groups, the preferred first.";
    "group.streams.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Time between two heartbeats of a member of a streams group.";
    "group.streams.initial.rebalance.delay.ms": Int = "3000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "How long an empty streams group waits before its first assignment.";
    "group.streams.max.assignment.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "Largest streams.assignment.interval.ms that a group may have.";
    "group.streams.max.heartbeat.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Largest streams.heartbeat.interval.ms that a group may have.";
    "group.streams.max.session.timeout.ms": Int = "60000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Largest streams.session.timeout.ms that a group may have.";
    "group.streams.max.size": Int = "2147483647",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Most members of a streams group.";
    "group.streams.max.standby.replicas": Int = "2",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "Largest streams.num.standby.replicas that a group may have.";
    "group.streams.min.assignment.interval.ms": Int = "0",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "Smallest streams.assignment.interval.ms that a group may have.";
    "group.streams.min.heartbeat.interval.ms": Int = "5000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Smallest streams.heartbeat.interval.ms that a group may have.";
    "group.streams.min.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Smallest streams.session.timeout.ms that a group may have.";
    "group.streams.num.standby.replicas": Int = "0",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "Standby copies of each task's state in a streams group.";
    "group.streams.rack.aware.assignment.tags": List = "",
        Low, ReadOnly, Any, WithoutEffect(NOT_YET),
        "Client tags over which standby copies of tasks are spread.";
    "group.streams.session.timeout.ms": Int = "45000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Time without a heartbeat after which a member of a streams group is dead.";
    "group.streams.topology.description.plugin.class": Class = null,
        Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "Java class that keeps the topologies of streams groups.";
    "share.coordinator.append.linger.ms": Int = "-1",
        Medium, ReadOnly, AtLeast(-1), WithoutEffect(NOT_YET),
        "How long a share coordinator gathers records; -1 adapts to the load.";
    "share.coordinator.cached.buffer.max.bytes": Int = "1048588",
        Medium, ClusterWide, AtLeast(524_288), WithoutEffect(NOT_YET),
        "Largest write buffer that a share coordinator keeps for its next write.";
    "share.coordinator.load.buffer.size": Int = "5242880",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Bytes read at once when the state of share groups is loaded.";
    "share.coordinator.snapshot.update.records.per.snapshot": Int = "500",
        Medium, ReadOnly, Between(0, 500), WithoutEffect(NOT_YET),
        "Updates of a share partition's state between two whole ones.";
    "share.coordinator.state.topic.compression.codec": Int = "0",
        High, ReadOnly, Any, WithoutEffect(NOT_YET),
        "How __share_group_state is compressed; 0 is not at all.";
    "share.coordinator.state.topic.min.isr": Short = "2",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "min.insync.replicas of __share_group_state.";
    "share.coordinator.state.topic.num.partitions": Int = "50",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Partitions of __share_group_state; not to be changed once it exists.";
    "share.coordinator.state.topic.replication.factor": Short = "3",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Replicas of __share_group_state.";
    "share.coordinator.state.topic.segment.bytes": Int = "104857600",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Size of a segment of __share_group_state.";
    "share.coordinator.threads": Int = "1", Medium, ReadOnly, AtLeast(1), WithoutEffect(SHARDS),
        "Threads of the share coordinators.";
    "share.coordinator.write.timeout.ms": Int = "5000",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "How long a write of a share coordinator waits for its replicas.";
    "share.fetch.purgatory.purge.interval.requests": Int = "1000",
        Medium, ReadOnly, Any, WithoutEffect(PURGATORY),
        "Finished share fetches after which their purgatory is swept.";
};
