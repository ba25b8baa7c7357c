//! OffsetCommit, API 8: commit offsets.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The request of OffsetCommit.
    message OffsetCommitRequest [2-10 flexible(8+)] {
        group_id: Str [0+],
        generation_id_or_member_epoch: i32 [1+ default(-1) ignorable],
        member_id: Str [1+ ignorable],
        group_instance_id: Option<Str> [7+ nullable(7+) default(None)],
        retention_time_ms: i64 [2-4 default(-1) ignorable],
        topics: Vec<OffsetCommitRequestTopic> [0+],
    }

    /// In [`OffsetCommitRequest`].
    struct OffsetCommitRequestTopic {
        name: Str [0-9 ignorable],
        topic_id: Uuid [10+ ignorable],
        partitions: Vec<OffsetCommitRequestPartition> [0+],
    }

    /// In [`OffsetCommitRequest`].
    struct OffsetCommitRequestPartition {
        partition_index: i32 [0+],
        committed_offset: i64 [0+],
        committed_leader_epoch: i32 [6+ default(-1) ignorable],
        committed_metadata: Option<Str> [0+ nullable(0+)],
    }

    /// The response of OffsetCommit.
    message OffsetCommitResponse [2-10 flexible(8+)] {
        throttle_time_ms: i32 [3+ ignorable],
        topics: Vec<OffsetCommitResponseTopic> [0+],
    }

    /// In [`OffsetCommitResponse`].
    struct OffsetCommitResponseTopic {
        name: Str [0-9 ignorable],
        topic_id: Uuid [10+ ignorable],
        partitions: Vec<OffsetCommitResponsePartition> [0+],
    }

    /// In [`OffsetCommitResponse`].
    struct OffsetCommitResponsePartition {
        partition_index: i32 [0+],
        error_code: i16 [0+],
    }
}
