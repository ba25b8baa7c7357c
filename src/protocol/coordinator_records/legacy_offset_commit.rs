//! LegacyOffsetCommit: records of type 0 in `__consumer_offsets`.

use crate::protocol::string::Str;

declare! {
    /// The key of record type 0.
    message LegacyOffsetCommitKey [0] {
        group: Str [0],
        topic: Str [0],
        partition: i32 [0],
    }

    /// The value of record type 0.
    message LegacyOffsetCommitValue [0] {
        offset: i64 [0],
        metadata: Str [0],
        commit_timestamp: i64 [0],
    }
}
