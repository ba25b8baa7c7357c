//! Settings that exist only while the broker runs: they are altered and described, but never
//! stand in a file, and DescribeConfigs names them only where they are set.

use super::reasons::REPLICAS_THROTTLE;
use crate::config::setting::Class::WithoutEffect;
use crate::config::setting::Validator::AtLeast;
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static DYNAMIC_ONLY: &[Setting] = rows! {
    "follower.replication.throttled.rate": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(REPLICAS_THROTTLE),
        "Bytes a second that this broker takes from leaders, for throttled replicas.";
    "leader.replication.throttled.rate": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(REPLICAS_THROTTLE),
        "Bytes a second that this broker gives to followers, for throttled replicas.";
    "replica.alter.log.dirs.io.max.bytes.per.second": Long = "9223372036854775807",
        Medium, ClusterWide, AtLeast(0), WithoutEffect(REPLICAS_THROTTLE),
        "Bytes a second that move between the log directories of this broker.";
};
