//! ConsumerGroupMetadata: records of type 3 in `__consumer_offsets`.

use crate::protocol::string::Str;

declare! {
    /// The key of record type 3.
    message ConsumerGroupMetadataKey [0] {
        group_id: Str [0],
    }

    /// The value of record type 3.
    message ConsumerGroupMetadataValue [0 flexible(0+)] {
        epoch: i32 [0+],
        metadata_hash: i64 [0+ tag(0)],
    }
}
