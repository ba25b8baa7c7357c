//! Settings of a topic, each with the broker setting that is its default.

use super::reasons::{NO_REMOTE, REMOTE_STORAGE, REPLICAS_THROTTLE};
use crate::config::setting::Class::{Implemented, Refused, WithoutEffect};
use crate::config::setting::Validator::{
    Any, AtLeast, Between, BetweenDouble, GzipLevel, ListOf, OneOf, ThrottledReplicas,
};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static TOPIC: &[Setting] = rows! {
    "cleanup.policy": List = "delete",
        Medium, ClusterWide, ListOf(&["compact", "delete"]), Implemented,
        "";
    "compression.gzip.level": Int = "-1", Medium, ClusterWide, GzipLevel, Implemented,
        "";
    "compression.lz4.level": Int = "9", Medium, ClusterWide, Between(1, 17), Implemented,
        "";
    "compression.type": String = "producer",
        Medium, ClusterWide, OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Implemented,
        "";
    "compression.zstd.level": Int = "3", Medium, ClusterWide, Between(-131_072, 22), Implemented,
        "";
    "delete.retention.ms": Long = "86400000", Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "file.delete.delay.ms": Long = "60000", Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "flush.messages": Long = "9223372036854775807", Medium, ClusterWide, AtLeast(1), Implemented,
        "";
    "flush.ms": Long = "9223372036854775807", Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "follower.replication.throttled.replicas": List = "",
        Medium, ClusterWide, ThrottledReplicas, WithoutEffect(REPLICAS_THROTTLE),
        "";
    "index.interval.bytes": Int = "4096", Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "leader.replication.throttled.replicas": List = "",
        Medium, ClusterWide, ThrottledReplicas, WithoutEffect(REPLICAS_THROTTLE),
        "";
    "local.retention.bytes": Long = "-2",
        Medium, ClusterWide, AtLeast(-2), WithoutEffect(NO_REMOTE),
        "";
    "local.retention.ms": Long = "-2", Medium, ClusterWide, AtLeast(-2), WithoutEffect(NO_REMOTE),
        "";
    "max.compaction.lag.ms": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(1), Implemented,
        "";
    "max.message.bytes": Int = "1048588", Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "message.timestamp.after.max.ms": Long = "3600000",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "message.timestamp.before.max.ms": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "message.timestamp.type": String = "CreateTime",
        Medium, ClusterWide, OneOf(&["CreateTime", "LogAppendTime"]), Implemented,
        "";
    "min.cleanable.dirty.ratio": Double = "0.5",
        Medium, ClusterWide, BetweenDouble(0.0, 1.0), Implemented,
        "";
    "min.compaction.lag.ms": Long = "0", Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "min.insync.replicas": Int = "1", Medium, ClusterWide, AtLeast(1), Implemented,
        "";
    "preallocate": Boolean = "false", Medium, ClusterWide, Any, Implemented,
        "";
    "remote.log.copy.disable": Boolean = "false",
        Medium, ClusterWide, Any, WithoutEffect(NO_REMOTE),
        "";
    "remote.log.delete.on.disable": Boolean = "false",
        Medium, ClusterWide, Any, WithoutEffect(NO_REMOTE),
        "";
    "remote.storage.enable": Boolean = "false", Medium, ClusterWide, Any, Refused(REMOTE_STORAGE),
        "";
    "retention.bytes": Long = "-1", Medium, ClusterWide, Any, Implemented,
        "";
    "retention.ms": Long = "604800000", Medium, ClusterWide, AtLeast(-1), Implemented,
        "";
    "segment.bytes": Int = "1073741824", Medium, ClusterWide, AtLeast(1_048_576), Implemented,
        "";
    "segment.index.bytes": Int = "10485760", Medium, ClusterWide, AtLeast(4), Implemented,
        "";
    "segment.jitter.ms": Long = "0", Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "segment.ms": Long = "604800000", Medium, ClusterWide, AtLeast(1), Implemented,
        "";
    "unclean.leader.election.enable": Boolean = "false", Medium, ClusterWide, Any, Implemented,
        "";
};

/// Accepted for a topic, but not listed.
pub static TOPIC_INTERNAL: &[Setting] = rows! {
    "internal.segment.bytes": Int = null, Medium, ClusterWide, Any, Implemented,
        "";
};
