//! JoinGroup, API 11: classic group join.

use crate::protocol::string::Str;
use bytes::Bytes;

declare! {
    /// The request of JoinGroup.
    message JoinGroupRequest [0-9 flexible(6+)] {
        group_id: Str [0+],
        session_timeout_ms: i32 [0+],
        rebalance_timeout_ms: i32 [1+ default(-1) ignorable],
        member_id: Str [0+],
        group_instance_id: Option<Str> [5+ nullable(5+) default(None)],
        protocol_type: Str [0+],
        protocols: Vec<JoinGroupRequestProtocol> [0+],
        reason: Option<Str> [8+ nullable(8+) default(None) ignorable],
    }

    /// In [`JoinGroupRequest`].
    struct JoinGroupRequestProtocol {
        name: Str [0+],
        metadata: Bytes [0+],
    }

    /// The response of JoinGroup.
    message JoinGroupResponse [0-9 flexible(6+)] {
        throttle_time_ms: i32 [2+ ignorable],
        error_code: i16 [0+],
        generation_id: i32 [0+ default(-1)],
        protocol_type: Option<Str> [7+ nullable(7+) default(None) ignorable],
        protocol_name: Option<Str> [0+ nullable(7+)],
        leader: Str [0+],
        skip_assignment: bool [9+],
        member_id: Str [0+],
        members: Vec<JoinGroupResponseMember> [0+],
    }

    /// In [`JoinGroupResponse`].
    struct JoinGroupResponseMember {
        member_id: Str [0+],
        group_instance_id: Option<Str> [5+ nullable(5+) default(None) ignorable],
        metadata: Bytes [0+],
    }
}
