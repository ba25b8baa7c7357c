//! Tiered storage: old segments in a remote store (KIP-405).

use super::reasons::{NO_REMOTE, REMOTE_STORAGE};
use crate::config::setting::Class::{Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast, NonEmpty};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static TIERED: &[Setting] = rows! {
    "follower.fetch.last.tiered.offset.enable": Boolean = "false",
        Medium, ClusterWide, Any, WithoutEffect(NO_REMOTE),
        "Whether an empty follower starts at the last offset in remote storage.";
    "log.local.retention.bytes": Long = "-2",
        Medium, ClusterWide, AtLeast(-2), WithoutEffect(NO_REMOTE),
        "Bytes that stay on local disk in tiered storage; -2 is log.retention.bytes.";
    "log.local.retention.ms": Long = "-2",
        Medium, ClusterWide, AtLeast(-2), WithoutEffect(NO_REMOTE),
        "Time that records stay on local disk in tiered storage; -2 is log.retention.ms.";
    "log.remote.copy.lag.bytes": Long = "-1",
        Medium, ClusterWide, AtLeast(-1), WithoutEffect(NO_REMOTE),
        "Bytes of newer records at which a segment is copied to remote storage.";
    "log.remote.copy.lag.ms": Long = "0",
        Medium, ClusterWide, AtLeast(-1), WithoutEffect(NO_REMOTE),
        "Age at which a segment is copied to remote storage.";
    "remote.fetch.max.wait.ms": Int = "500",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "How long a fetch waits for remote storage.";
    "remote.list.offsets.request.timeout.ms": Long = "30000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "How long a search for an offset waits for remote storage.";
    "remote.log.index.file.cache.total.size.bytes": Long = "1073741824",
        Low, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Disk space for indexes that were fetched from remote storage.";
    "remote.log.manager.copier.thread.pool.size": Int = "10",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Threads that copy segments to remote storage.";
    "remote.log.manager.copy.max.bytes.per.second": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Most bytes a second that are copied to remote storage.";
    "remote.log.manager.copy.quota.window.num": Int = "11",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Samples kept to measure what is copied to remote storage.";
    "remote.log.manager.copy.quota.window.size.seconds": Int = "1",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Length of each such sample, in seconds.";
    "remote.log.manager.expiration.thread.pool.size": Int = "10",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Threads that delete expired segments in remote storage.";
    "remote.log.manager.fetch.max.bytes.per.second": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Most bytes a second that are fetched from remote storage.";
    "remote.log.manager.fetch.quota.window.num": Int = "11",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Samples kept to measure what is fetched from remote storage.";
    "remote.log.manager.fetch.quota.window.size.seconds": Int = "1",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Length of each such sample, in seconds.";
    "remote.log.manager.follower.thread.pool.size": Int = "2",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Threads that follow the remote segments of other leaders.";
    "remote.log.manager.task.interval.ms": Long = "30000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "How often it is looked whether segments must be copied or deleted remotely.";
    "remote.log.manager.thread.pool.size": Int = "2",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Threads that plan the work of remote storage.";
    "remote.log.metadata.custom.metadata.max.bytes": Int = "128",
        Low, ReadOnly, AtLeast(0), WithoutEffect(NO_REMOTE),
        "Most bytes that a storage plugin may add to a segment's metadata.";
    "remote.log.metadata.manager.class.name": String = "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager",
        Medium, ReadOnly, NonEmpty, WithoutEffect(NO_REMOTE),
        "Java class that keeps the metadata of remote segments.";
    "remote.log.metadata.manager.class.path": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_REMOTE),
        "Where that class is found.";
    "remote.log.metadata.manager.impl.prefix": String = "rlmm.config.",
        Medium, ReadOnly, NonEmpty, WithoutEffect(NO_REMOTE),
        "Prefix of the settings for that class.";
    "remote.log.metadata.manager.listener.name": String = null,
        Medium, ReadOnly, NonEmpty, WithoutEffect(NO_REMOTE),
        "Listener by which that class reaches the brokers.";
    "remote.log.reader.max.pending.tasks": Int = "100",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Reads from remote storage that may wait.";
    "remote.log.reader.threads": Int = "10",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Threads that read from remote storage.";
    "remote.log.storage.manager.class.name": String = null,
        Medium, ReadOnly, NonEmpty, WithoutEffect(NO_REMOTE),
        "Java class that stores segments remotely.";
    "remote.log.storage.manager.class.path": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_REMOTE),
        "Where that class is found.";
    "remote.log.storage.manager.impl.prefix": String = "rsm.config.",
        Medium, ReadOnly, NonEmpty, WithoutEffect(NO_REMOTE),
        "Prefix of the settings for that class.";
    "remote.log.storage.system.enable": Boolean = "false",
        Medium, ReadOnly, Any, Refused(REMOTE_STORAGE),
        "Whether this broker has remote storage.";
};
