//! Quotas: the windows over which they are measured.

use super::reasons::{ALONE, NOT_YET, QUOTA_CALLBACK};
use crate::config::setting::Class::{Refused, WithoutEffect};
use crate::config::setting::Validator::{Any, AtLeast};
use crate::config::setting::{Setting, rows};

/// The rows, in the order of their names.
pub static QUOTAS: &[Setting] = rows! {
    "alter.log.dirs.replication.quota.window.num": Int = "11",
        Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "";
    "alter.log.dirs.replication.quota.window.size.seconds": Int = "1",
        Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "";
    "client.quota.callback.class": Class = null, Low, ReadOnly, Any, Refused(QUOTA_CALLBACK),
        "";
    "controller.quota.window.num": Int = "11", Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "controller.quota.window.size.seconds": Int = "1",
        Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "quota.window.num": Int = "11", Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "quota.window.size.seconds": Int = "1", Low, ReadOnly, AtLeast(1), WithoutEffect(NOT_YET),
        "";
    "replication.quota.window.num": Int = "11", Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "";
    "replication.quota.window.size.seconds": Int = "1",
        Low, ReadOnly, AtLeast(1), WithoutEffect(ALONE),
        "";
};
