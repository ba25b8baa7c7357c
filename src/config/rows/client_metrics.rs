//! Settings of a client metrics subscription (KIP-714).

use super::reasons::NOT_YET;
use crate::config::setting::Class::WithoutEffect;
use crate::config::setting::Validator::Any;
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static CLIENT_METRICS: &[Setting] = rows! {
    "interval.ms": Int = "300000", Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "How often the matching clients push their metrics.";
    "match": List = "", Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Which clients push their metrics: patterns such as client_id=app-.*.";
    "metrics": List = "", Medium, ClusterWide, Any, WithoutEffect(NOT_YET),
        "Which metrics they push, as prefixes of names; * is all.";
};
