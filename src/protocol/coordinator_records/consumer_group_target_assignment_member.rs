//! ConsumerGroupTargetAssignmentMember: records of type 7 in `__consumer_offsets`.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The key of record type 7.
    message ConsumerGroupTargetAssignmentMemberKey [0] {
        group_id: Str [0],
        member_id: Str [0],
    }

    /// The value of record type 7.
    message ConsumerGroupTargetAssignmentMemberValue [0 flexible(0+)] {
        topic_partitions: Vec<TopicPartition> [0+],
    }

    /// In [`ConsumerGroupTargetAssignmentMemberValue`].
    struct TopicPartition {
        topic_id: Uuid [0+],
        partitions: Vec<i32> [0+],
    }
}
