//! ConsumerGroupCurrentMemberAssignment: records of type 8 in `__consumer_offsets`.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The key of record type 8.
    message ConsumerGroupCurrentMemberAssignmentKey [0] {
        group_id: Str [0],
        member_id: Str [0],
    }

    /// The value of record type 8.
    message ConsumerGroupCurrentMemberAssignmentValue [0 flexible(0+)] {
        member_epoch: i32 [0+],
        previous_member_epoch: i32 [0+],
        state: i8 [0+],
        assigned_partitions: Vec<TopicPartitions> [0+],
        partitions_pending_revocation: Vec<TopicPartitions> [0+],
    }

    /// In [`ConsumerGroupCurrentMemberAssignmentValue`].
    struct TopicPartitions {
        topic_id: Uuid [0+],
        partitions: Vec<i32> [0+],
        assignment_epochs: Option<Vec<i32>> [0+ nullable(0+) tag(0)],
    }
}
