//! Logs: where they lie, when they roll, what they keep.

use super::reasons::{NOT_YET, SHARDS};
use crate::config::setting::Class::{Implemented, WithoutEffect};
use crate::config::setting::Validator::{
    Any, AtLeast, Between, BetweenDouble, GzipLevel, ListOf, OneOf,
};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static LOG: &[Setting] = rows! {
    "auto.create.topics.enable": Boolean = "true", High, ReadOnly, Any, Implemented,
        "";
    "compression.gzip.level": Int = "-1", Medium, ClusterWide, GzipLevel, Implemented,
        "";
    "compression.lz4.level": Int = "9", Medium, ClusterWide, Between(1, 17), Implemented,
        "";
    "compression.type": String = "producer",
        High, ClusterWide, OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Implemented,
        "";
    "compression.zstd.level": Int = "3", Medium, ClusterWide, Between(-131_072, 22), Implemented,
        "";
    "cordoned.log.dirs": List = "", Medium, PerBroker, Any, WithoutEffect(NOT_YET),
        "";
    "default.replication.factor": Int = "1", Medium, ReadOnly, Any, Implemented,
        "";
    "delete.topic.enable": Boolean = "true", High, ReadOnly, Any, Implemented,
        "";
    "log.cleaner.backoff.ms": Long = "15000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "log.cleaner.dedupe.buffer.size": Long = "134217728",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "";
    "log.cleaner.delete.retention.ms": Long = "86400000",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "log.cleaner.enable": Boolean = "true", Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "log.cleaner.io.buffer.load.factor": Double = "0.9",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "";
    "log.cleaner.io.buffer.size": Int = "524288",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "log.cleaner.io.max.bytes.per.second": Double = "1.7976931348623157E308",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "";
    "log.cleaner.max.compaction.lag.ms": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(1), Implemented,
        "";
    "log.cleaner.min.cleanable.ratio": Double = "0.5",
        Medium, ClusterWide, BetweenDouble(0.0, 1.0), Implemented,
        "";
    "log.cleaner.min.compaction.lag.ms": Long = "0", Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "log.cleaner.threads": Int = "1", Medium, ClusterWide, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "log.cleanup.policy": List = "delete",
        Medium, ClusterWide, ListOf(&["compact", "delete"]), Implemented,
        "";
    "log.dir": List = "/tmp/kafka-logs", High, ReadOnly, Any, Implemented,
        "";
    "log.dir.failure.timeout.ms": Long = "30000", Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "log.dirs": List = null, High, ReadOnly, Any, Implemented,
        "";
    "log.flush.interval.messages": Long = "9223372036854775807",
        High, ClusterWide, AtLeast(1), Implemented,
        "";
    "log.flush.interval.ms": Long = null, High, ClusterWide, Any, Implemented,
        "";
    "log.flush.offset.checkpoint.interval.ms": Int = "60000",
        High, ReadOnly, AtLeast(0), Implemented,
        "";
    "log.flush.scheduler.interval.ms": Long = "9223372036854775807",
        High, ReadOnly, Any, Implemented,
        "";
    "log.flush.start.offset.checkpoint.interval.ms": Int = "60000",
        High, ReadOnly, AtLeast(0), Implemented,
        "";
    "log.index.interval.bytes": Int = "4096", Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "log.index.size.max.bytes": Int = "10485760", Medium, ClusterWide, AtLeast(4), Implemented,
        "";
    "log.message.timestamp.after.max.ms": Long = "3600000",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "log.message.timestamp.before.max.ms": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "";
    "log.message.timestamp.type": String = "CreateTime",
        Medium, ClusterWide, OneOf(&["CreateTime", "LogAppendTime"]), Implemented,
        "";
    "log.preallocate": Boolean = "false", Medium, ClusterWide, Any, Implemented,
        "";
    "log.retention.bytes": Long = "-1", High, ClusterWide, Any, Implemented,
        "";
    "log.retention.check.interval.ms": Long = "300000", Medium, ReadOnly, AtLeast(1), Implemented,
        "";
    "log.retention.hours": Int = "168", High, ReadOnly, Any, Implemented,
        "";
    "log.retention.minutes": Int = null, High, ReadOnly, Any, Implemented,
        "";
    "log.retention.ms": Long = null, High, ClusterWide, Any, Implemented,
        "";
    "log.roll.hours": Int = "168", High, ReadOnly, AtLeast(1), Implemented,
        "";
    "log.roll.jitter.hours": Int = "0", High, ReadOnly, AtLeast(0), Implemented,
        "";
    "log.roll.jitter.ms": Long = null, High, ClusterWide, Any, Implemented,
        "";
    "log.roll.ms": Long = null, High, ClusterWide, Any, Implemented,
        "";
    "log.segment.bytes": Int = "1073741824", High, ClusterWide, AtLeast(1_048_576), Implemented,
        "";
    "log.segment.delete.delay.ms": Long = "60000", High, ClusterWide, AtLeast(0), Implemented,
        "";
    "message.max.bytes": Int = "1048588", High, ClusterWide, AtLeast(0), Implemented,
        "";
    "num.partitions": Int = "1", Medium, ReadOnly, AtLeast(1), Implemented,
        "";
    "num.recovery.threads.per.data.dir": Int = "2",
        High, ClusterWide, AtLeast(1), WithoutEffect(SHARDS),
        "";
};
