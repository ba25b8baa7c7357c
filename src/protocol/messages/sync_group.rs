//! SyncGroup, API 14: classic group sync.

use crate::protocol::string::Str;
use bytes::Bytes;

declare! {
    /// The request of SyncGroup.
    message SyncGroupRequest [0-5 flexible(4+)] {
        group_id: Str [0+],
        generation_id: i32 [0+],
        member_id: Str [0+],
        group_instance_id: Option<Str> [3+ nullable(3+) default(None)],
        protocol_type: Option<Str> [5+ nullable(5+) default(None) ignorable],
        protocol_name: Option<Str> [5+ nullable(5+) default(None) ignorable],
        assignments: Vec<SyncGroupRequestAssignment> [0+],
    }

    /// In [`SyncGroupRequest`].
    struct SyncGroupRequestAssignment {
        member_id: Str [0+],
        assignment: Bytes [0+],
    }

    /// The response of SyncGroup.
    message SyncGroupResponse [0-5 flexible(4+)] {
        throttle_time_ms: i32 [1+ ignorable],
        error_code: i16 [0+],
        protocol_type: Option<Str> [5+ nullable(5+) default(None) ignorable],
        protocol_name: Option<Str> [5+ nullable(5+) default(None) ignorable],
        assignment: Bytes [0+],
    }
}
