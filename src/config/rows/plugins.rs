//! What Kafka loads as Java classes: metrics, policies, secret providers.

use super::reasons::{JAVA_METRICS, NOT_YET, POLICY, PROVIDERS};
use crate::config::setting::Class::{Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static PLUGINS: &[Setting] = rows! {
    "alter.config.policy.class.name": Class = null, Low, ReadOnly, Any, Refused(POLICY),
        "Java class that may forbid an alteration of configs.";
    "config.providers": List = "", Low, ClusterWide, Any, Refused(PROVIDERS),
        "Names of the Java classes that resolve ${...} in other values.";
    "create.topic.policy.class.name": Class = null, Low, ReadOnly, Any, Refused(POLICY),
        "Java class that may forbid the creation of a topic.";
    "kafka.metrics.polling.interval.secs": Int = "10",
        Low, ReadOnly, AtLeast(1), WithoutEffect(JAVA_METRICS),
        "How often Kafka's own metrics reporters look, in seconds.";
    "kafka.metrics.reporters": List = "", Low, ReadOnly, Any, WithoutEffect(JAVA_METRICS),
        "Java classes that report metrics in Kafka's older way.";
    "metric.reporters": List = "org.apache.kafka.common.metrics.JmxReporter",
        Low, ClusterWide, Any, WithoutEffect(JAVA_METRICS),
        "Java classes that report metrics.";
    "metrics.num.samples": Int = "2", Low, ReadOnly, AtLeast(1), WithoutEffect(JAVA_METRICS),
        "Samples kept to compute a metric.";
    "metrics.recording.level": String = "INFO", Low, ReadOnly, Any, WithoutEffect(JAVA_METRICS),
        "Which metrics are recorded: INFO, DEBUG, TRACE.";
    "metrics.sample.window.ms": Long = "30000",
        Low, ReadOnly, AtLeast(1), WithoutEffect(JAVA_METRICS),
        "Length of each sample of a metric.";
    "telemetry.max.bytes": Int = "1048576", Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Most bytes of metrics that a client may push at once, compressed.";
};
