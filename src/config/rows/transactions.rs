//! Transactions and idempotent producers.

use super::reasons::{NOT_YET, TWO_PHASE};
use crate::config::setting::Class::{Implemented, Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static TRANSACTIONS: &[Setting] = rows! {
    "add.partitions.to.txn.retry.backoff.max.ms": Int = "100",
        High, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "Longest pause between two tries to add partitions to a transaction.";
    "add.partitions.to.txn.retry.backoff.ms": Int = "20",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "First pause between two tries to add partitions to a transaction.";
    "producer.id.expiration.ms": Int = "86400000", Low, ClusterWide, AtLeast(1), Implemented,
        "Time without a write after which a partition forgets a producer.";
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": Int = "10000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "How often it is looked whether transactions have timed out.";
    "transaction.max.timeout.ms": Int = "900000",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Longest timeout that a transactional producer may ask for.";
    "transaction.partition.verification.enable": Boolean = "true",
        Low, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Whether a write is checked to belong to a running transaction.";
    "transaction.remove.expired.transaction.cleanup.interval.ms": Int = "3600000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "How often it is looked whether transactional ids have expired.";
    "transaction.state.log.load.buffer.size": Int = "5242880",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Bytes read at once when the state of transactions is loaded.";
    "transaction.state.log.min.isr": Int = "2", High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "min.insync.replicas of __transaction_state.";
    "transaction.state.log.num.partitions": Int = "50",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Partitions of __transaction_state; not to be changed once it exists.";
    "transaction.state.log.replication.factor": Short = "3",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Replicas of __transaction_state.";
    "transaction.state.log.segment.bytes": Int = "104857600",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Size of a segment of __transaction_state.";
    "transaction.two.phase.commit.enable": Boolean = "false",
        Low, ReadOnly, Any, Refused(TWO_PHASE),
        "Whether a transaction may stay prepared for ever, for an outer coordinator.";
    "transactional.id.expiration.ms": Int = "604800000",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Time without a transaction after which a transactional id is forgotten.";
};
