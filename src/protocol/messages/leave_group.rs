//! LeaveGroup, API 13: classic group leave (also kicks members).

use crate::protocol::string::Str;

declare! {
    /// The request of LeaveGroup.
    message LeaveGroupRequest [0-5 flexible(4+)] {
        group_id: Str [0+],
        member_id: Str [0-2],
        members: Vec<MemberIdentity> [3+],
    }

    /// In [`LeaveGroupRequest`].
    struct MemberIdentity {
        member_id: Str [3+],
        group_instance_id: Option<Str> [3+ nullable(3+) default(None)],
        reason: Option<Str> [5+ nullable(5+) default(None) ignorable],
    }

    /// The response of LeaveGroup.
    message LeaveGroupResponse [0-5 flexible(4+)] {
        throttle_time_ms: i32 [1+ ignorable],
        error_code: i16 [0+],
        members: Vec<MemberResponse> [3+],
    }

    /// In [`LeaveGroupResponse`].
    struct MemberResponse {
        member_id: Str [3+],
        group_instance_id: Option<Str> [3+ nullable(3+)],
        error_code: i16 [3+],
    }
}
