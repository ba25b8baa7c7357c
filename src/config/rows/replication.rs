//! Replication between brokers, and what of it a single broker has.

use super::reasons::{ALONE, NOT_YET, SHARDS};
use crate::config::setting::Class::{Implemented, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static REPLICATION: &[Setting] = rows! {
    "auto.leader.rebalance.enable": Boolean = "true", High, ReadOnly, Any, WithoutEffect(ALONE),
        "Whether leadership goes back to preferred replicas by itself.";
    "background.threads": Int = "10", High, ClusterWide, AtLeast(1), WithoutEffect(SHARDS),
        "Threads for odd jobs.";
    "controlled.shutdown.enable": Boolean = "true", Medium, ReadOnly, Any, WithoutEffect(ALONE),
        "Whether a broker that stops hands its leaderships over first.";
    "leader.imbalance.check.interval.seconds": Long = "300",
        High, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "How often preferred replicas get their leadership back, in seconds.";
    "min.insync.replicas": Int = "1", High, ClusterWide, AtLeast(1), Implemented,
        "Replicas that must be in sync before a write with acks=all is taken.";
    "num.replica.alter.log.dirs.threads": Int = null, High, ReadOnly, Any, WithoutEffect(SHARDS),
        "Threads that move replicas between directories.";
    "num.replica.fetchers": Int = "1", High, ClusterWide, AtLeast(1), WithoutEffect(ALONE),
        "Threads that fetch from each other broker.";
    "replica.fetch.backoff.ms": Int = "1000", Medium, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "Pause before a follower fetches again after an error.";
    "replica.fetch.max.bytes": Int = "1048576", Medium, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "Bytes that a follower fetches of each partition at once.";
    "replica.fetch.min.bytes": Int = "1", High, ReadOnly, Any, WithoutEffect(ALONE),
        "Bytes that a follower waits for.";
    "replica.fetch.response.max.bytes": Int = "10485760",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(ALONE),
        "Most bytes in one answer to a follower.";
    "replica.fetch.wait.max.ms": Int = "500", High, ReadOnly, Any, WithoutEffect(ALONE),
        "How long a follower waits for those bytes.";
    "replica.high.watermark.checkpoint.interval.ms": Long = "5000",
        High, ReadOnly, Any, Implemented,
        "How often high watermarks are written down.";
    "replica.lag.time.max.ms": Long = "30000", High, ReadOnly, Any, WithoutEffect(ALONE),
        "Time behind the leader after which a follower is no longer in sync.";
    "replica.selector.class": String = null, Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "Java class that chooses the replica from which a consumer reads.";
    "replica.socket.receive.buffer.bytes": Int = "65536",
        High, ReadOnly, Any, WithoutEffect(ALONE),
        "Receive buffer of a follower's connection.";
    "replica.socket.timeout.ms": Int = "30000", High, ReadOnly, Any, WithoutEffect(ALONE),
        "How long a follower waits for an answer.";
    "unclean.leader.election.enable": Boolean = "false", High, ClusterWide, Any, Implemented,
        "Whether a replica that is not in sync may lead when no other can.";
};
