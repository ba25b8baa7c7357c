//! ConsumerGroupTargetAssignmentMetadata: records of type 6 in `__consumer_offsets`.

use crate::protocol::string::Str;

declare! {
    /// The key of record type 6.
    message ConsumerGroupTargetAssignmentMetadataKey [0] {
        group_id: Str [0],
    }

    /// The value of record type 6.
    message ConsumerGroupTargetAssignmentMetadataValue [0 flexible(0+)] {
        assignment_epoch: i32 [0+],
        assignment_timestamp: i64 [0+ tag(0) ignorable],
    }
}
