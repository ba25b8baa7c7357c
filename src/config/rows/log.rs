//! Logs: where they lie, when they roll, what they keep.

use super::reasons::{NO_COMPACTION, NOT_YET, SHARDS};
use crate::config::setting::Class::{Implemented, WithoutEffect};
use crate::config::setting::Validator::{
    Any, AtLeast, Between, BetweenDouble, GzipLevel, ListOf, OneOf,
};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static LOG: &[Setting] = rows! {
    "auto.create.topics.enable": Boolean = "true", High, ReadOnly, Any, Implemented,
        "Whether a topic comes into being when a client first asks for it.";
    "compression.gzip.level": Int = "-1", Medium, ClusterWide, GzipLevel, Implemented,
        "Level of gzip where the broker compresses; -1 is the codec's own.";
    "compression.lz4.level": Int = "9", Medium, ClusterWide, Between(1, 17), Implemented,
        "Level of lz4 where the broker compresses.";
    "compression.type": String = "producer",
        High, ClusterWide, OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Implemented,
        "How batches are compressed in the log; producer keeps them as they came.";
    "compression.zstd.level": Int = "3", Medium, ClusterWide, Between(-131_072, 22), Implemented,
        "Level of zstd where the broker compresses.";
    "cordoned.log.dirs": List = "", Medium, PerBroker, Any, WithoutEffect(NOT_YET),
        "Log directories that take no new partitions.";
    "default.replication.factor": Int = "1", Medium, ReadOnly, Any, Implemented,
        "Replicas of a topic that is created without saying how many.";
    "delete.topic.enable": Boolean = "true", High, ReadOnly, Any, Implemented,
        "Whether topics can be deleted.";
    "log.cleaner.backoff.ms": Long = "15000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NO_COMPACTION),
        "How long the cleaner rests when there is nothing to compact.";
    "log.cleaner.dedupe.buffer.size": Long = "134217728",
        Medium, ClusterWide, Any, WithoutEffect(NO_COMPACTION),
        "Memory of the cleaner's table of keys, for all its threads.";
    "log.cleaner.delete.retention.ms": Long = "86400000",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NO_COMPACTION),
        "How long a tombstone outlives what it deletes.";
    "log.cleaner.enable": Boolean = "true", Medium, ReadOnly, Any, WithoutEffect(NO_COMPACTION),
        "Whether compacted topics are compacted.";
    "log.cleaner.io.buffer.load.factor": Double = "0.9",
        Medium, ClusterWide, Any, WithoutEffect(NO_COMPACTION),
        "How full the cleaner's table of keys may get.";
    "log.cleaner.io.buffer.size": Int = "524288",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NO_COMPACTION),
        "Memory of the cleaner's buffers, for all its threads.";
    "log.cleaner.io.max.bytes.per.second": Double = "1.7976931348623157E308",
        Medium, ClusterWide, Any, WithoutEffect(NO_COMPACTION),
        "Most bytes a second that the cleaner reads and writes.";
    "log.cleaner.max.compaction.lag.ms": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_COMPACTION),
        "Longest time that a record stays uncompacted.";
    "log.cleaner.min.cleanable.ratio": Double = "0.5",
        Medium, ClusterWide, BetweenDouble(0.0, 1.0), WithoutEffect(NO_COMPACTION),
        "Share of a log that must be uncompacted before it is compacted.";
    "log.cleaner.min.compaction.lag.ms": Long = "0",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NO_COMPACTION),
        "Shortest time that a record stays uncompacted.";
    "log.cleaner.threads": Int = "1",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(NO_COMPACTION),
        "Threads of the cleaner.";
    "log.cleanup.policy": List = "delete",
        Medium, ClusterWide, ListOf(&["compact", "delete"]), Implemented,
        "What happens to old records: delete, compact, both.";
    "log.dir": List = "/tmp/kafka-logs", High, ReadOnly, Any, Implemented,
        "The directory of the logs, where log.dirs does not name several.";
    "log.dir.failure.timeout.ms": Long = "30000", Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "How long a broker may fail to tell of a broken directory before it stops.";
    "log.dirs": List = null, High, ReadOnly, Any, Implemented,
        "The directories of the logs; log.dir where it is not set.";
    "log.flush.interval.messages": Long = "9223372036854775807",
        High, ClusterWide, AtLeast(1), Implemented,
        "Messages after which a log is synced to disk.";
    "log.flush.interval.ms": Long = null, High, ClusterWide, Any, Implemented,
        "Time after which a log is synced; log.flush.scheduler.interval.ms if not set.";
    "log.flush.offset.checkpoint.interval.ms": Int = "60000",
        High, ReadOnly, AtLeast(0), Implemented,
        "How often the point from which recovery starts is written down.";
    "log.flush.scheduler.interval.ms": Long = "9223372036854775807",
        High, ReadOnly, Any, Implemented,
        "How often it is looked whether log.flush.interval.ms has passed.";
    "log.flush.start.offset.checkpoint.interval.ms": Int = "60000",
        High, ReadOnly, AtLeast(0), Implemented,
        "How often the first offset of each log is written down.";
    "log.index.interval.bytes": Int = "4096", Medium, ClusterWide, AtLeast(0), Implemented,
        "Bytes of records between two entries of the offset index.";
    "log.index.size.max.bytes": Int = "10485760", Medium, ClusterWide, AtLeast(4), Implemented,
        "Size of an offset index.";
    "log.message.timestamp.after.max.ms": Long = "3600000",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "How far a record's time may lie ahead of the broker's.";
    "log.message.timestamp.before.max.ms": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(0), Implemented,
        "How far a record's time may lie behind the broker's.";
    "log.message.timestamp.type": String = "CreateTime",
        Medium, ClusterWide, OneOf(&["CreateTime", "LogAppendTime"]), Implemented,
        "Whose time a record bears: the producer's or the broker's.";
    "log.preallocate": Boolean = "false", Medium, ClusterWide, Any, Implemented,
        "Whether segment files are made at full size.";
    "log.retention.bytes": Long = "-1", High, ClusterWide, Any, Implemented,
        "Size of a partition beyond which its oldest segments go; -1 is unlimited.";
    "log.retention.check.interval.ms": Long = "300000", Medium, ReadOnly, AtLeast(1), Implemented,
        "How often it is looked whether segments must go.";
    "log.retention.hours": Int = "168", High, ReadOnly, Any, Implemented,
        "Age beyond which segments go, in hours, where nothing finer is set.";
    "log.retention.minutes": Int = null, High, ReadOnly, Any, Implemented,
        "Age beyond which segments go, in minutes, where log.retention.ms is not set.";
    "log.retention.ms": Long = null, High, ClusterWide, Any, Implemented,
        "Age beyond which segments go; -1 is unlimited.";
    "log.roll.hours": Int = "168", High, ReadOnly, AtLeast(1), Implemented,
        "Age at which a segment is closed, in hours, where log.roll.ms is not set.";
    "log.roll.jitter.hours": Int = "0", High, ReadOnly, AtLeast(0), Implemented,
        "Largest random time taken off that age, in hours.";
    "log.roll.jitter.ms": Long = null, High, ClusterWide, Any, Implemented,
        "Largest random time taken off the age at which a segment is closed.";
    "log.roll.ms": Long = null, High, ClusterWide, Any, Implemented,
        "Age at which a segment is closed; log.roll.hours where it is not set.";
    "log.segment.bytes": Int = "1073741824", High, ClusterWide, AtLeast(1_048_576), Implemented,
        "Size of a segment.";
    "log.segment.delete.delay.ms": Long = "60000", High, ClusterWide, AtLeast(0), Implemented,
        "How long the files of a deleted segment stay.";
    "max.decompressed.message.bytes": Int = "2147483639",
        Medium, ClusterWide, Between(1, 2_147_483_639), Implemented,
        "Largest record after decompression, where the broker decompresses it.";
    "message.max.bytes": Int = "1048588", High, ClusterWide, AtLeast(0), Implemented,
        "Largest batch, after compression.";
    "num.partitions": Int = "1", Medium, ReadOnly, AtLeast(1), Implemented,
        "Partitions of a topic that is created without saying how many.";
    "num.recovery.threads.per.data.dir": Int = "2",
        High, ClusterWide, AtLeast(1), WithoutEffect(SHARDS),
        "Threads that recover the logs of each directory at start.";
};
