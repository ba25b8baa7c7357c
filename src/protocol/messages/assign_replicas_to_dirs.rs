//! AssignReplicasToDirs, API 73: broker reports replica to log dir placement.

pub use request::AssignReplicasToDirsRequest;
pub use response::AssignReplicasToDirsResponse;

/// [`AssignReplicasToDirsRequest`] and what it holds: the names collide with its counterpart's.
pub mod request {
    use crate::base::uuid::Uuid;

    declare! {
        /// The request of AssignReplicasToDirs.
        message AssignReplicasToDirsRequest [0 flexible(0+)] {
            broker_id: i32 [0+],
            broker_epoch: i64 [0+ default(-1)],
            directories: Vec<DirectoryData> [0+],
        }

        /// In [`AssignReplicasToDirsRequest`].
        struct DirectoryData {
            id: Uuid [0+],
            topics: Vec<TopicData> [0+],
        }

        /// In [`AssignReplicasToDirsRequest`].
        struct TopicData {
            topic_id: Uuid [0+],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`AssignReplicasToDirsRequest`].
        struct PartitionData {
            partition_index: i32 [0+],
        }
    }
}

/// [`AssignReplicasToDirsResponse`] and what it holds: the names collide with its counterpart's.
pub mod response {
    use crate::base::uuid::Uuid;

    declare! {
        /// The response of AssignReplicasToDirs.
        message AssignReplicasToDirsResponse [0 flexible(0+)] {
            throttle_time_ms: i32 [0+],
            error_code: i16 [0+],
            directories: Vec<DirectoryData> [0+],
        }

        /// In [`AssignReplicasToDirsResponse`].
        struct DirectoryData {
            id: Uuid [0+],
            topics: Vec<TopicData> [0+],
        }

        /// In [`AssignReplicasToDirsResponse`].
        struct TopicData {
            topic_id: Uuid [0+],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`AssignReplicasToDirsResponse`].
        struct PartitionData {
            partition_index: i32 [0+],
            error_code: i16 [0+],
        }
    }
}
