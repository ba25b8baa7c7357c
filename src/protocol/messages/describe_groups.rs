//! DescribeGroups, API 15: describe classic groups.

use crate::protocol::string::Str;
use bytes::Bytes;

declare! {
    /// The request of DescribeGroups.
    message DescribeGroupsRequest [0-6 flexible(5+)] {
        groups: Vec<Str> [0+],
        include_authorized_operations: bool [3+],
    }

    /// The response of DescribeGroups.
    message DescribeGroupsResponse [0-6 flexible(5+)] {
        throttle_time_ms: i32 [1+ ignorable],
        groups: Vec<DescribedGroup> [0+],
    }

    /// In [`DescribeGroupsResponse`].
    struct DescribedGroup {
        error_code: i16 [0+],
        error_message: Option<Str> [6+ nullable(6+) default(None)],
        group_id: Str [0+],
        group_state: Str [0+],
        protocol_type: Str [0+],
        protocol_data: Str [0+],
        members: Vec<DescribedGroupMember> [0+],
        authorized_operations: i32 [3+ default(i32::MIN)],
    }

    /// In [`DescribeGroupsResponse`].
    struct DescribedGroupMember {
        member_id: Str [0+],
        group_instance_id: Option<Str> [4+ nullable(4+) default(None) ignorable],
        client_id: Str [0+],
        client_host: Str [0+],
        member_metadata: Bytes [0+],
        member_assignment: Bytes [0+],
    }
}
