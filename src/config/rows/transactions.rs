//! Transactions and idempotent producers.

use super::reasons::{NOT_YET, TWO_PHASE};
use crate::config::setting::Class::{Implemented, Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static TRANSACTIONS: &[Setting] = rows! {
    "add.partitions.to.txn.retry.backoff.max.ms": Int = "100",
        High, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "add.partitions.to.txn.retry.backoff.ms": Int = "20",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "producer.id.expiration.ms": Int = "86400000", Low, ClusterWide, AtLeast(1), Implemented,
        "";
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": Int = "10000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "transaction.max.timeout.ms": Int = "900000",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "transaction.partition.verification.enable": Boolean = "true",
        Low, ClusterWide, Any, WithoutEffect(NOT_YET),
        "";
    "transaction.remove.expired.transaction.cleanup.interval.ms": Int = "3600000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "transaction.state.log.load.buffer.size": Int = "5242880",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "transaction.state.log.min.isr": Int = "2", High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "transaction.state.log.num.partitions": Int = "50",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "transaction.state.log.replication.factor": Short = "3",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "transaction.state.log.segment.bytes": Int = "104857600",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "transaction.two.phase.commit.enable": Boolean = "false",
        Low, ReadOnly, Any, Refused(TWO_PHASE),
        "";
    "transactional.id.expiration.ms": Int = "604800000",
        High, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
};
