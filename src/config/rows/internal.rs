//! Settings that Kafka keeps to itself: accepted, but not listed by DescribeConfigs.

use super::reasons::{ALONE, NO_REMOTE, NOT_YET, UNSTABLE};
use crate::config::setting::Class::{Implemented, Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast, BetweenDouble};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static INTERNAL: &[Setting] = rows! {
    "controller.performance.always.log.threshold.ms": Long = "2000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "controller.performance.sample.period.ms": Long = "60000",
        Medium, ReadOnly, AtLeast(100), WithoutEffect(NOT_YET),
        "";
    "group.consumer.regex.refresh.interval.ms": Int = "600000",
        Medium, ReadOnly, AtLeast(10_000), WithoutEffect(NOT_YET),
        "";
    "group.share.initialize.retry.interval.ms": Int = "30000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "group.share.persister.class.name": String = "org.apache.kafka.server.share.persister.DefaultStatePersister",
        Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "";
    "internal.metadata.delete.delay.millis": Long = "60000", Low, ReadOnly, Any, Implemented,
        "";
    "internal.metadata.log.segment.bytes": Int = null, Low, ReadOnly, Any, Implemented,
        "";
    "internal.metadata.max.batch.size.in.bytes": Int = "8388608", Low, ReadOnly, Any, Implemented,
        "";
    "log.initial.task.delay.ms": Long = "30000", Low, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "producer.id.expiration.check.interval.ms": Int = "600000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "remote.log.index.file.cache.ttl.ms": Long = "900000",
        Low, ReadOnly, AtLeast(-1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.task.retry.backoff.max.ms": Long = "30000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.task.retry.backoff.ms": Long = "500",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "";
    "remote.log.manager.task.retry.jitter": Double = "0.2",
        Low, ReadOnly, BetweenDouble(0.0, 0.5), WithoutEffect(NO_REMOTE),
        "";
    "server.max.startup.time.ms": Long = "9223372036854775807",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.cold.partition.snapshot.interval.ms": Int = "300000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "share.coordinator.state.topic.prune.interval.ms": Int = "300000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "unclean.leader.election.interval.ms": Long = "300000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "";
    "unstable.api.versions.enable": Boolean = "false", High, ReadOnly, Any, Refused(UNSTABLE),
        "";
    "unstable.feature.versions.enable": Boolean = "false", High, ReadOnly, Any, Refused(UNSTABLE),
        "";
};
