//! AlterPartition, API 56: leader to controller: propose ISR.

pub use request::AlterPartitionRequest;
pub use response::AlterPartitionResponse;

/// [`AlterPartitionRequest`] and what it holds: the names collide with its counterpart's.
pub mod request {
    use crate::base::uuid::Uuid;

    declare! {
        /// The request of AlterPartition.
        message AlterPartitionRequest [2-3 flexible(0+)] {
            broker_id: i32 [0+],
            broker_epoch: i64 [0+ default(-1)],
            topics: Vec<TopicData> [0+],
        }

        /// In [`AlterPartitionRequest`].
        struct TopicData {
            topic_id: Uuid [2+ ignorable],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`AlterPartitionRequest`].
        struct PartitionData {
            partition_index: i32 [0+],
            leader_epoch: i32 [0+],
            new_isr: Vec<i32> [0-2],
            new_isr_with_epochs: Vec<BrokerState> [3+],
            leader_recovery_state: i8 [1+],
            partition_epoch: i32 [0+],
        }

        /// In [`AlterPartitionRequest`].
        struct BrokerState {
            broker_id: i32 [3+],
            broker_epoch: i64 [3+ default(-1)],
        }
    }
}

/// [`AlterPartitionResponse`] and what it holds: the names collide with its counterpart's.
pub mod response {
    use crate::base::uuid::Uuid;

    declare! {
        /// The response of AlterPartition.
        message AlterPartitionResponse [2-3 flexible(0+)] {
            throttle_time_ms: i32 [0+],
            error_code: i16 [0+],
            topics: Vec<TopicData> [0+],
        }

        /// In [`AlterPartitionResponse`].
        struct TopicData {
            topic_id: Uuid [2+ ignorable],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`AlterPartitionResponse`].
        struct PartitionData {
            partition_index: i32 [0+],
            error_code: i16 [0+],
            leader_id: i32 [0+],
            leader_epoch: i32 [0+],
            isr: Vec<i32> [0+],
            leader_recovery_state: i8 [1+ ignorable],
            partition_epoch: i32 [0+],
        }
    }
}
