//! ListOffsets, API 2: offset by timestamp / earliest / latest / max-ts / local / tiered.

use crate::protocol::string::Str;

declare! {
    /// The request of ListOffsets.
    message ListOffsetsRequest [1-11 flexible(6+)] {
        replica_id: i32 [0+],
        isolation_level: i8 [2+],
        topics: Vec<ListOffsetsTopic> [0+],
        timeout_ms: i32 [10+ ignorable],
    }

    /// In [`ListOffsetsRequest`].
    struct ListOffsetsTopic {
        name: Str [0+],
        partitions: Vec<ListOffsetsPartition> [0+],
    }

    /// In [`ListOffsetsRequest`].
    struct ListOffsetsPartition {
        partition_index: i32 [0+],
        current_leader_epoch: i32 [4+ default(-1) ignorable],
        timestamp: i64 [0+],
    }

    /// The response of ListOffsets.
    message ListOffsetsResponse [1-11 flexible(6+)] {
        throttle_time_ms: i32 [2+ ignorable],
        topics: Vec<ListOffsetsTopicResponse> [0+],
    }

    /// In [`ListOffsetsResponse`].
    struct ListOffsetsTopicResponse {
        name: Str [0+],
        partitions: Vec<ListOffsetsPartitionResponse> [0+],
    }

    /// In [`ListOffsetsResponse`].
    struct ListOffsetsPartitionResponse {
        partition_index: i32 [0+],
        error_code: i16 [0+],
        timestamp: i64 [1+ default(-1)],
        offset: i64 [1+ default(-1)],
        leader_epoch: i32 [4+ default(-1)],
    }
}
