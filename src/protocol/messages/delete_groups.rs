//! DeleteGroups, API 42: delete groups.

use crate::protocol::string::Str;

declare! {
    /// The request of DeleteGroups.
    message DeleteGroupsRequest [0-3 flexible(2+)] {
        groups_names: Vec<Str> [0+],
    }

    /// The response of DeleteGroups.
    message DeleteGroupsResponse [0-3 flexible(2+)] {
        throttle_time_ms: i32 [0+],
        results: Vec<DeletableGroupResult> [0+],
    }

    /// In [`DeleteGroupsResponse`].
    struct DeletableGroupResult {
        group_id: Str [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [3+ nullable(3+) default(None) ignorable],
    }
}
