//! Settings of a client metrics subscription (KIP-714).

use super::reasons::NOT_YET;
use crate::config::setting::Class::WithoutEffect;
use crate::config::setting::Validator::Any;
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static CLIENT_METRICS: &[Setting] = rows! {
    "interval.ms": Int = "300000", Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "";
    "match": List = "", Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "";
    "metrics": List = "", Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "";
};
