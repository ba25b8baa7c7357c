//! klamm's own settings. They are few, and each has a good default.

use crate::config::setting::Class::Implemented;
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static KLAMM: &[Setting] = rows! {
    "klamm.cores": Int = null, High, ReadOnly, AtLeast(1), Implemented,
        "How many cores serve, one shard on each; all that the process may use where it is not set.";
    "klamm.validate.compressed.records": Boolean = "false", Low, ClusterWide, Any, Implemented,
        "Whether records of compressed batches are looked at too, as Apache Kafka does.";
};
