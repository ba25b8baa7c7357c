//! Settings that Kafka keeps to itself: accepted, but not listed by DescribeConfigs.

use super::reasons::{ALONE, METADATA_BATCHES, NO_REMOTE, NOT_YET, SHARDS, UNSTABLE};
use crate::config::setting::Class::{Implemented, Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast, BetweenDouble};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static INTERNAL: &[Setting] = rows! {
    "controller.performance.always.log.threshold.ms": Long = "2000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "A controller event that takes longer is always logged.";
    "controller.performance.sample.period.ms": Long = "60000",
        Medium, ReadOnly, AtLeast(100), WithoutEffect(NOT_YET),
        "How often the controller logs how long its events take.";
    "group.consumer.assignor.offload.enable": Boolean = "true",
        Medium, ClusterWide, Any, WithoutEffect(SHARDS),
        "Whether background threads compute the assignments of consumer groups.";
    "group.consumer.regex.refresh.interval.ms": Int = "600000",
        Medium, ReadOnly, AtLeast(10_000), Implemented,
        "How often a group's regular expressions are matched to the topics anew.";
    "group.share.assignor.offload.enable": Boolean = "true",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Whether background threads compute the assignments of share groups.";
    "group.share.dlq.manager.class.name": String = "org.apache.kafka.server.share.dlq.DefaultShareGroupDLQManager",
        Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "Java class that writes what share groups give up.";
    "group.share.initialize.retry.interval.ms": Int = "30000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Pause before the state of a share partition is initialized again.";
    "group.share.persister.class.name": String = "org.apache.kafka.server.share.persister.DefaultStatePersister",
        Medium, ReadOnly, Any, WithoutEffect(NOT_YET),
        "Java class that keeps the state of share groups.";
    "group.streams.acceptable.recovery.lag": Long = "10000",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "Offsets behind at which a member of a streams group counts as caught up.";
    "group.streams.assignor.offload.enable": Boolean = "true",
        Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Whether background threads compute the assignments of streams groups.";
    "group.streams.max.warmup.replicas": Int = "20",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "Largest streams.num.warmup.replicas that a group may have.";
    "group.streams.min.task.offset.interval.ms": Int = "15000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Smallest streams.task.offset.interval.ms that a group may have.";
    "group.streams.num.warmup.replicas": Int = "2",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "Copies of tasks that may warm up at once in a streams group.";
    "group.streams.task.offset.interval.ms": Int = "60000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "How often members report how far their warming tasks have come.";
    "internal.metadata.delete.delay.millis": Long = "60000", Low, ReadOnly, Any, Implemented,
        "How long the files of a deleted metadata segment or snapshot stay.";
    "internal.metadata.log.segment.bytes": Int = null, Low, ReadOnly, Any, Implemented,
        "Size of a segment of the metadata log, for tests.";
    "internal.metadata.max.batch.size.in.bytes": Int = "8388608",
        Low, ReadOnly, Any, WithoutEffect(METADATA_BATCHES),
        "Largest batch of the metadata log, for tests.";
    "log.initial.task.delay.ms": Long = "30000", Low, ReadOnly, AtLeast(0), Implemented,
        "How long the upkeep of logs waits after the start.";
    "producer.id.expiration.check.interval.ms": Int = "600000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "How often it is looked whether producer ids have expired.";
    "remote.log.index.file.cache.ttl.ms": Long = "900000",
        Low, ReadOnly, AtLeast(-1), WithoutEffect(NO_REMOTE),
        "How long such an index stays unused before it goes.";
    "remote.log.manager.task.retry.backoff.max.ms": Long = "30000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "Longest pause before a remote task is tried again.";
    "remote.log.manager.task.retry.backoff.ms": Long = "500",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NO_REMOTE),
        "First pause before a remote task is tried again.";
    "remote.log.manager.task.retry.jitter": Double = "0.2",
        Low, ReadOnly, BetweenDouble(0.0, 0.5), WithoutEffect(NO_REMOTE),
        "Random part of that pause.";
    "server.max.startup.time.ms": Long = "9223372036854775807",
        Medium, ReadOnly, AtLeast(0), WithoutEffect(NOT_YET),
        "How long a start may take before it is given up.";
    "share.coordinator.cold.partition.snapshot.interval.ms": Int = "300000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "How often the state of a share partition at rest is written whole.";
    "share.coordinator.state.topic.prune.interval.ms": Int = "300000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "How often old records of __share_group_state are deleted.";
    "unclean.leader.election.interval.ms": Long = "300000",
        Medium, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "How often leaders are sought among replicas that are not in sync.";
    "unstable.api.versions.enable": Boolean = "false", High, ReadOnly, Any, Refused(UNSTABLE),
        "Whether unreleased versions of APIs are spoken.";
    "unstable.feature.versions.enable": Boolean = "false", High, ReadOnly, Any, Refused(UNSTABLE),
        "Whether unreleased versions of features are allowed.";
};
