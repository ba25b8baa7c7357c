//! Settings of a topic, each with the broker setting that is its default.

use super::reasons::{NO_COMPACTION, NO_REMOTE, NOT_YET, REMOTE_STORAGE, REPLICAS_THROTTLE};
use crate::config::setting::Class::{Implemented, Refused, WithoutEffect};
use crate::config::setting::Validator::{
    Any, AtLeast, Between, BetweenDouble, GzipLevel, ListOf, OneOf, ThrottledReplicas,
};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static TOPIC: &[Setting] = rows! {
    "cleanup.policy": List = "delete",
        Medium, ClusterWide, ListOf(&["compact", "delete"]), Implemented,
        "What happens to old records: delete, compact, both.";
    "compression.gzip.level": Int = "-1", Medium, ClusterWide, GzipLevel, Implemented,
        "Level of gzip where the broker compresses; -1 is the codec's own.";
    "compression.lz4.level": Int = "9", Medium, ClusterWide, Between(1, 17), Implemented,
        "Level of lz4 where the broker compresses.";
    "compression.type": String = "producer",
        Medium, ClusterWide, OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Implemented,
        "How batches are compressed in the log; producer keeps them as they came.";
    "compression.zstd.level": Int = "3", Medium, ClusterWide, Between(-131_072, 22), Implemented,
        "Level of zstd where the broker compresses.";
    "delete.retention.ms": Long = "86400000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NO_COMPACTION),
        "How long a tombstone outlives what it deletes.";
    "errors.deadletterqueue.group.enable": Boolean = "false",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Whether share groups may write what they give up to this topic.";
    "file.delete.delay.ms": Long = "60000", Medium, ClusterWide, AtLeast(0), Implemented,
        "How long the files of a deleted segment stay.";
    "flush.messages": Long = "9223372036854775807", Medium, ClusterWide, AtLeast(1), Implemented,
        "Messages after which the log is synced to disk.";
    "flush.ms": Long = "9223372036854775807", Medium, ClusterWide, AtLeast(0), Implemented,
        "Time after which the log is synced to disk.";
    "follower.replication.throttled.replicas": List = "",
        Medium, ClusterWide, ThrottledReplicas, WithoutEffect(REPLICAS_THROTTLE),
        "Replicas that fetch at a throttled rate: partition:broker pairs, or *.";
    "index.interval.bytes": Int = "4096", Medium, ClusterWide, AtLeast(0), Implemented,
        "Bytes of records between two entries of the offset index.";
    "leader.replication.throttled.replicas": List = "",
        Medium, ClusterWide, ThrottledReplicas, WithoutEffect(REPLICAS_THROTTLE),
        "Replicas that are given at a throttled rate: partition:broker pairs, or *.";
    "local.retention.bytes": Long = "-2",
        Medium, ClusterWide, AtLeast(-2), WithoutEffect(NO_REMOTE),
        "Bytes that stay on local disk in tiered storage; -2 is retention.bytes.";
    "local.retention.ms": Long = "-2", Medium, ClusterWide, AtLeast(-2), WithoutEffect(NO_REMOTE),
        "Time that records stay on local disk in tiered storage; -2 is retention.ms.";
    "max.compaction.lag.ms": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_COMPACTION),
        "Longest time that a record stays uncompacted.";
    "max.decompressed.message.bytes": Int = "2147483639",
        Medium, ClusterWide, Between(1, 2_147_483_639), Implemented,
        "Largest record after decompression, where the broker decompresses it.";
    "max.message.bytes": Int = "1048588", Medium, ClusterWide, AtLeast(0), Implemented,
        "Largest batch, after compression.";
    "message.timestamp.after.max.ms": Long = "3600000",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "How far a record's time may lie ahead of the broker's.";
    "message.timestamp.before.max.ms": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "How far a record's time may lie behind the broker's.";
    "message.timestamp.type": String = "CreateTime",
        Medium, ClusterWide, OneOf(&["CreateTime", "LogAppendTime"]), Implemented,
        "Whose time a record bears: the producer's or the broker's.";
    "min.cleanable.dirty.ratio": Double = "0.5",
        Medium, ClusterWide, BetweenDouble(0.0, 1.0), WithoutEffect(NO_COMPACTION),
        "Share of the log that must be uncompacted before it is compacted.";
    "min.compaction.lag.ms": Long = "0",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NO_COMPACTION),
        "Shortest time that a record stays uncompacted.";
    "min.insync.replicas": Int = "1", Medium, ClusterWide, AtLeast(1), Implemented,
        "Replicas that must be in sync before a write with acks=all is taken.";
    "preallocate": Boolean = "false", Medium, ClusterWide, Any, Implemented,
        "Whether segment files are made at full size.";
    "remote.copy.lag.bytes": Long = "-1",
        Medium, ClusterWide, AtLeast(-1), WithoutEffect(NO_REMOTE),
        "Bytes of newer records at which a segment is copied to remote storage.";
    "remote.copy.lag.ms": Long = "0", Medium, ClusterWide, AtLeast(-1), WithoutEffect(NO_REMOTE),
        "Age at which a segment is copied to remote storage.";
    "remote.log.copy.disable": Boolean = "false",
        Medium, ClusterWide, Any, WithoutEffect(NO_REMOTE),
        "Whether segments are no longer copied to remote storage.";
    "remote.log.delete.on.disable": Boolean = "false",
        Medium, ClusterWide, Any, WithoutEffect(NO_REMOTE),
        "Whether switching remote storage off deletes what lies there.";
    "remote.storage.enable": Boolean = "false", Medium, ClusterWide, Any, Refused(REMOTE_STORAGE),
        "Whether segments are copied to remote storage.";
    "retention.bytes": Long = "-1", Medium, ClusterWide, Any, Implemented,
        "Size of a partition beyond which its oldest segments go; -1 is unlimited.";
    "retention.ms": Long = "604800000", Medium, ClusterWide, AtLeast(-1), Implemented,
        "Age beyond which segments go; -1 is unlimited.";
    "segment.bytes": Int = "1073741824", Medium, ClusterWide, AtLeast(1_048_576), Implemented,
        "Size of a segment.";
    "segment.index.bytes": Int = "10485760", Medium, ClusterWide, AtLeast(4), Implemented,
        "Size of an offset index.";
    "segment.jitter.ms": Long = "0", Medium, ClusterWide, AtLeast(0), Implemented,
        "Largest random time taken off segment.ms.";
    "segment.ms": Long = "604800000", Medium, ClusterWide, AtLeast(1), Implemented,
        "Age at which a segment is closed.";
    "unclean.leader.election.enable": Boolean = "false", Medium, ClusterWide, Any, Implemented,
        "Whether a replica that is not in sync may lead when no other can.";
};

/// Accepted for a topic, but not listed.
pub static TOPIC_INTERNAL: &[Setting] = rows! {
    "internal.segment.bytes": Int = null, Medium, ClusterWide, Any, Implemented,
        "Size of a segment, for tests.";
};
