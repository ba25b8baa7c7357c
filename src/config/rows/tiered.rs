//! Tiered storage: old segments in a remote store (KIP-405).

use super::reasons::{NO_REMOTE, REMOTE_STORAGE};
use crate::config::setting::Class::{Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast, NonEmpty};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static TIERED: &[Setting] = rows! {
    "follower.fetch.last.tiered.offset.enable": Boolean = "false",
        Medium, ClusterWide, Any, WithoutEffect(NO_REMOTE),
        "";
    "log.local.retention.bytes": Long = "-2",
        Medium, ClusterWide, AtLeast(-2), WithoutEffect(NO_REMOTE),
        "";
    "log.local.retention.ms": Long = "-2",
        Medium, ClusterWide, AtLeast(-2), WithoutEffect(NO_REMOTE),
        "";
    "remote.fetch.max.wait.ms": Int = "500",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.list.offsets.request.timeout.ms": Long = "30000",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.index.file.cache.total.size.bytes": Long = "1073741824",
        Low, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.copier.thread.pool.size": Int = "10",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.copy.max.bytes.per.second": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.copy.quota.window.num": Int = "11",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.copy.quota.window.size.seconds": Int = "1",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.expiration.thread.pool.size": Int = "10",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.fetch.max.bytes.per.second": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.fetch.quota.window.num": Int = "11",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.fetch.quota.window.size.seconds": Int = "1",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.follower.thread.pool.size": Int = "2",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.task.interval.ms": Long = "30000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.thread.pool.size": Int = "2",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.metadata.custom.metadata.max.bytes": Int = "128",
        Low, ReadOnly, AtLeast(0), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.metadata.manager.class.name": String = "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager",
        Medium, ReadOnly, NonEmpty, WithoutEffect(NO_REMOTE),
        "";
    "remote.log.metadata.manager.class.path": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_REMOTE),
        "";
    "remote.log.metadata.manager.impl.prefix": String = "rlmm.config.",
        Medium, ReadOnly, NonEmpty, WithoutEffect(NO_REMOTE),
        "";
    "remote.log.metadata.manager.listener.name": String = null,
        Medium, ReadOnly, NonEmpty, WithoutEffect(NO_REMOTE),
        "";
    "remote.log.reader.max.pending.tasks": Int = "100",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.reader.threads": Int = "10",
        Medium, ClusterWide, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.storage.manager.class.name": String = null,
        Medium, ReadOnly, NonEmpty, WithoutEffect(NO_REMOTE),
        "";
    "remote.log.storage.manager.class.path": String = null,
        Medium, ReadOnly, Any, WithoutEffect(NO_REMOTE),
        "";
    "remote.log.storage.manager.impl.prefix": String = "rsm.config.",
        Medium, ReadOnly, NonEmpty, WithoutEffect(NO_REMOTE),
        "";
    "remote.log.storage.system.enable": Boolean = "false",
        Medium, ReadOnly, Any, Refused(REMOTE_STORAGE),
        "";
};
