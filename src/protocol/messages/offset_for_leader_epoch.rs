//! OffsetForLeaderEpoch, API 23: end offset of a leader epoch (truncation detection).

use crate::protocol::string::Str;

declare! {
    /// The request of OffsetForLeaderEpoch.
    message OffsetForLeaderEpochRequest [2-4 flexible(4+)] {
        replica_id: i32 [3+ default(-2) ignorable],
        topics: Vec<OffsetForLeaderTopic> [0+],
    }

    /// In [`OffsetForLeaderEpochRequest`].
    struct OffsetForLeaderTopic {
        topic: Str [0+],
        partitions: Vec<OffsetForLeaderPartition> [0+],
    }

    /// In [`OffsetForLeaderEpochRequest`].
    struct OffsetForLeaderPartition {
        partition: i32 [0+],
        current_leader_epoch: i32 [2+ default(-1) ignorable],
        leader_epoch: i32 [0+],
    }

    /// The response of OffsetForLeaderEpoch.
    message OffsetForLeaderEpochResponse [2-4 flexible(4+)] {
        throttle_time_ms: i32 [2+ ignorable],
        topics: Vec<OffsetForLeaderTopicResult> [0+],
    }

    /// In [`OffsetForLeaderEpochResponse`].
    struct OffsetForLeaderTopicResult {
        topic: Str [0+],
        partitions: Vec<EpochEndOffset> [0+],
    }

    /// In [`OffsetForLeaderEpochResponse`].
    struct EpochEndOffset {
        error_code: i16 [0+],
        partition: i32 [0+],
        leader_epoch: i32 [1+ default(-1) ignorable],
        end_offset: i64 [0+ default(-1)],
    }
}
