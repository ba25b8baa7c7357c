//! Replication between brokers, and what of it a single broker has.

use super::reasons::{ALONE, KERNEL_BUFFERS, NOT_YET, SHARDS};
use crate::config::setting::Class::{Implemented, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static REPLICATION: &[Setting] = rows! {
    "auto.leader.rebalance.enable": Boolean = "true", High, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "background.threads": Int = "10", High, ClusterWide, AtLeast(1), WithoutEffect(SHARDS),
        "";
    "controlled.shutdown.enable": Boolean = "true", Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "leader.imbalance.check.interval.seconds": Long = "300",
        High, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "";
    "min.insync.replicas": Int = "1", High, ClusterWide, AtLeast(1), Implemented,
        "";
    "num.replica.alter.log.dirs.threads": Int = null, High, ReadOnly, Any, WithoutEffect(SHARDS),
        "";
    "num.replica.fetchers": Int = "1", High, ClusterWide, AtLeast(1), WithoutEffect(ALONE),
        "";
    "replica.fetch.backoff.ms": Int = "1000", Medium, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "";
    "replica.fetch.max.bytes": Int = "1048576", Medium, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "";
    "replica.fetch.min.bytes": Int = "1", High, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "replica.fetch.response.max.bytes": Int = "10485760",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "";
    "replica.fetch.wait.max.ms": Int = "500", High, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "replica.high.watermark.checkpoint.interval.ms": Long = "5000",
        High, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "replica.lag.time.max.ms": Long = "30000", High, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "replica.selector.class": String = null, Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "replica.socket.receive.buffer.bytes": Int = "65536",
        High, ReadOnly, Any, WithoutEffect(KERNEL_BUFFERS),
        "";
    "replica.socket.timeout.ms": Int = "30000", High, ReadOnly, Any, WithoutEffect(ALONE),
        "";
    "unclean.leader.election.enable": Boolean = "false", High, ClusterWide, Any, Implemented,
        "";
};
