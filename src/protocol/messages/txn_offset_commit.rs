//! TxnOffsetCommit, API 28: commit offsets inside txn.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The request of TxnOffsetCommit.
    message TxnOffsetCommitRequest [0-6 flexible(3+)] {
        transactional_id: Str [0+],
        group_id: Str [0+],
        producer_id: i64 [0+],
        producer_epoch: i16 [0+],
        generation_id_or_member_epoch: i32 [3+ default(-1)],
        member_id: Str [3+],
        group_instance_id: Option<Str> [3+ nullable(3+) default(None)],
        topics: Vec<TxnOffsetCommitRequestTopic> [0+],
    }

    /// In [`TxnOffsetCommitRequest`].
    struct TxnOffsetCommitRequestTopic {
        name: Str [0-5 ignorable],
        topic_id: Uuid [6+ ignorable],
        partitions: Vec<TxnOffsetCommitRequestPartition> [0+],
    }

    /// In [`TxnOffsetCommitRequest`].
    struct TxnOffsetCommitRequestPartition {
        partition_index: i32 [0+],
        committed_offset: i64 [0+],
        committed_leader_epoch: i32 [2+ default(-1) ignorable],
        committed_metadata: Option<Str> [0+ nullable(0+)],
    }

    /// The response of TxnOffsetCommit.
    message TxnOffsetCommitResponse [0-6 flexible(3+)] {
        throttle_time_ms: i32 [0+],
        topics: Vec<TxnOffsetCommitResponseTopic> [0+],
    }

    /// In [`TxnOffsetCommitResponse`].
    struct TxnOffsetCommitResponseTopic {
        name: Str [0-5 ignorable],
        topic_id: Uuid [6+ ignorable],
        partitions: Vec<TxnOffsetCommitResponsePartition> [0+],
    }

    /// In [`TxnOffsetCommitResponse`].
    struct TxnOffsetCommitResponsePartition {
        partition_index: i32 [0+],
        error_code: i16 [0+],
    }
}
