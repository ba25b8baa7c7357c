//! Quotas: the windows over which they are measured.

use super::reasons::{ALONE, NOT_YET, QUOTA_CALLBACK};
use crate::config::setting::Class::{Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static QUOTAS: &[Setting] = rows! {
    "alter.log.dirs.replication.quota.window.num": Int = "11",
        Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "Samples kept to throttle moves between log directories.";
    "alter.log.dirs.replication.quota.window.size.seconds": Int = "1",
        Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "Length of each such sample, in seconds.";
    "client.quota.callback.class": Class = null, Low, ReadOnly, Any, Refused(QUOTA_CALLBACK),
        "Java class that decides which quota holds for a client.";
    "controller.quota.window.num": Int = "11", Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Samples kept to measure how much each client changes the metadata.";
    "controller.quota.window.size.seconds": Int = "1",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Length of each such sample, in seconds.";
    "quota.window.num": Int = "11", Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Samples kept to measure what clients produce and consume.";
    "quota.window.size.seconds": Int = "1", Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "Length of each such sample, in seconds.";
    "replication.quota.window.num": Int = "11", Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "Samples kept to throttle replication.";
    "replication.quota.window.size.seconds": Int = "1",
        Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "Length of each such sample, in seconds.";
};
