//! OffsetDelete, API 47: delete committed offsets.

use crate::protocol::string::Str;

declare! {
    /// The request of OffsetDelete.
    message OffsetDeleteRequest [0] {
        group_id: Str [0+],
        topics: Vec<OffsetDeleteRequestTopic> [0+],
    }

    /// In [`OffsetDeleteRequest`].
    struct OffsetDeleteRequestTopic {
        name: Str [0+],
        partitions: Vec<OffsetDeleteRequestPartition> [0+],
    }

    /// In [`OffsetDeleteRequest`].
    struct OffsetDeleteRequestPartition {
        partition_index: i32 [0+],
    }

    /// The response of OffsetDelete.
    message OffsetDeleteResponse [0] {
        error_code: i16 [0+],
        throttle_time_ms: i32 [0+ ignorable],
        topics: Vec<OffsetDeleteResponseTopic> [0+],
    }

    /// In [`OffsetDeleteResponse`].
    struct OffsetDeleteResponseTopic {
        name: Str [0+],
        partitions: Vec<OffsetDeleteResponsePartition> [0+],
    }

    /// In [`OffsetDeleteResponse`].
    struct OffsetDeleteResponsePartition {
        partition_index: i32 [0+],
        error_code: i16 [0+],
    }
}
