//! DescribeGroups: a classic group, its members, and what they were assigned.

use crate::coordinator::group::{GroupReply, Groups, Kind, Step};
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::describe_groups::DescribedGroup;
use crate::protocol::string::Str;

/// From this version on a group that is not there is an error; before, it is in the state "Dead".
/// KIP-1043.
const GROUP_ID_NOT_FOUND_VERSION: i16 = 6;
const DEAD: &str = "Dead";

/// Describes a group. A group of KIP-848 is, to this API, not there.
pub fn handle(groups: &Groups, origin: Option<Origin>, version: i16, group_id: Str) -> Step {
    let described = match groups.groups.get(&group_id).map(|group| &group.kind) {
        Some(Kind::Classic(group)) => group.describe(&group_id),
        Some(Kind::Consumer(_)) => {
            let why = format!("Group {group_id} is not a classic group.");
            not_found(version, group_id, why)
        }
        None => {
            let why = format!("Group {group_id} not found.");
            not_found(version, group_id, why)
        }
    };
    Step::reply(origin, GroupReply::DescribeGroup(described))
}

fn not_found(version: i16, group_id: Str, why: String) -> DescribedGroup {
    let dead = DescribedGroup {
        group_id,
        group_state: Str::from_static(DEAD),
        ..DescribedGroup::default()
    };
    if version < GROUP_ID_NOT_FOUND_VERSION {
        return dead;
    }
    DescribedGroup {
        error_code: ErrorCode::GROUP_ID_NOT_FOUND.code(),
        error_message: Some(Str::from(why)),
        ..dead
    }
}
