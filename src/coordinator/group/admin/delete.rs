//! DeleteGroups: a group that has no members goes, with all that it has committed.

use crate::coordinator::group::offsets::tombstones;
use crate::coordinator::group::{Group, GroupReply, Groups, Kind, Step};
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::delete_groups::DeletableGroupResult;
use crate::protocol::string::Str;

/// Makes the tombstones of a group: those of its offsets before its own, so that it is gone when
/// the last is replayed.
pub fn handle(groups: &Groups, origin: Option<Origin>, group_id: Str) -> Step {
    let mut records = Vec::new();
    let error = match groups.groups.get(&group_id) {
        None => ErrorCode::GROUP_ID_NOT_FOUND,
        Some(group) => match check(group) {
            Err(error) => error,
            Ok(()) => {
                tombstones(&group_id, &group.offsets, &mut records);
                match &group.kind {
                    Kind::Classic(group) => group.tombstones(&group_id, &mut records),
                    Kind::Consumer(group) => group.tombstones(&group_id, &mut records),
                }
                ErrorCode::NONE
            }
        },
    };
    let result = DeletableGroupResult {
        group_id,
        error_code: error.code(),
        ..DeletableGroupResult::default()
    };
    Step::written(records, origin, GroupReply::DeleteGroup(result))
}

fn check(group: &Group) -> Result<(), ErrorCode> {
    match &group.kind {
        Kind::Classic(group) => group.validate_delete_group(),
        Kind::Consumer(group) if group.is_empty() => Ok(()),
        Kind::Consumer(_) => Err(ErrorCode::NON_EMPTY_GROUP),
    }
}
