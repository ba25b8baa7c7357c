//! OffsetCommit: records of type 1 in `__consumer_offsets`.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The key of record type 1.
    message OffsetCommitKey [0] {
        group: Str [0],
        topic: Str [0],
        partition: i32 [0],
    }

    /// The value of record type 1.
    message OffsetCommitValue [0-4 flexible(4+)] {
        offset: i64 [0+],
        leader_epoch: i32 [3+ default(-1) ignorable],
        metadata: Str [0+],
        commit_timestamp: i64 [0+],
        expire_timestamp: i64 [1 default(-1) ignorable],
        topic_id: Uuid [4+ tag(0) ignorable],
    }
}
