//! GroupMetadata: records of type 2 in `__consumer_offsets`.

use crate::protocol::string::Str;
use bytes::Bytes;

declare! {
    /// The key of record type 2.
    message GroupMetadataKey [0] {
        group: Str [0],
    }

    /// The value of record type 2.
    message GroupMetadataValue [0-4 flexible(4+)] {
        protocol_type: Str [0+],
        generation: i32 [0+],
        protocol: Option<Str> [0+ nullable(0+)],
        leader: Option<Str> [0+ nullable(0+)],
        current_state_timestamp: i64 [2+ default(-1) ignorable],
        members: Vec<MemberMetadata> [0+],
    }

    /// In [`GroupMetadataValue`].
    struct MemberMetadata {
        member_id: Str [0+],
        group_instance_id: Option<Str> [3+ nullable(3+) default(None) ignorable],
        client_id: Str [0+],
        client_host: Str [0+],
        rebalance_timeout: i32 [1+ default(-1) ignorable],
        session_timeout: i32 [0+],
        subscription: Bytes [0+],
        assignment: Bytes [0+],
    }
}
