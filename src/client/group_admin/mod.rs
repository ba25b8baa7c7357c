//! What administrators ask about groups, and what of it is whose:
//!
//! ```text
//!   coordinators   each group's coordinator is found and remembered; what a retry may mend is
//!                  retried, elsewhere where the coordinator moved, until `request.timeout.ms`
//!   describe       lists of groups, what each is and who is in it
//!   offsets        what groups have committed: read, set, deleted; groups that are deleted
//! ```

mod coordinators;
mod describe;
mod offsets;

pub use describe::{CoordinatorAddress, GroupDescription, GroupListing, MemberDescription};
pub use offsets::{CommittedOffset, PartitionErrors};

use super::error::ClientError;
use crate::protocol::{ErrorCode, Request, Str};

fn too_old<R: Request>(lowest: i16) -> ClientError {
    ClientError::Unsupported {
        api: R::KEY.name().to_owned(),
        broker: Some((0, lowest - 1)),
    }
}

fn said(message: Option<&Str>) -> Option<String> {
    message
        .map(ToString::to_string)
        .filter(|text| !text.is_empty())
}

fn failed(what: &str, group_id: &str, error: ErrorCode, message: Option<String>) -> ClientError {
    ClientError::kafka(&format!("{what} of group {group_id}"), error, message)
}

fn none_or(error: ErrorCode, failure: impl FnOnce() -> ClientError) -> Result<(), ClientError> {
    if error.is_none() {
        Ok(())
    } else {
        Err(failure())
    }
}
