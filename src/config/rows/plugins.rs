//! What Kafka loads as Java classes: metrics, policies, secret providers.

use super::reasons::{JAVA_METRICS, NOT_YET, POLICY, PROVIDERS};
use crate::config::setting::Class::{Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static PLUGINS: &[Setting] = rows! {
    "alter.config.policy.class.name": Class = null, Low, ReadOnly, Any, Refused(POLICY),
        "";
    "config.providers": List = "", Low, ClusterWide, Any, Refused(PROVIDERS),
        "";
    "create.topic.policy.class.name": Class = null, Low, ReadOnly, Any, Refused(POLICY),
        "";
    "kafka.metrics.polling.interval.secs": Int = "10",
        Low, ReadOnly, AtLeast(1), WithoutEffect(JAVA_METRICS),
        "";
    "kafka.metrics.reporters": List = "", Low, ReadOnly, Any, WithoutEffect(JAVA_METRICS),
        "";
    "metric.reporters": List = "org.apache.kafka.common.metrics.JmxReporter",
        Low, ClusterWide, Any, WithoutEffect(JAVA_METRICS),
        "";
    "metrics.num.samples": Int = "2", Low, ReadOnly, AtLeast(1), WithoutEffect(JAVA_METRICS),
        "";
    "metrics.recording.level": String = "INFO", Low, ReadOnly, Any, WithoutEffect(JAVA_METRICS),
        "";
    "metrics.sample.window.ms": Long = "30000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(JAVA_METRICS),
        "";
    "telemetry.max.bytes": Int = "1048576", Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
};
