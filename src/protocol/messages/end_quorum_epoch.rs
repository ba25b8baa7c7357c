//! EndQuorumEpoch, API 54: KRaft leader resignation.

pub use request::EndQuorumEpochRequest;
pub use response::EndQuorumEpochResponse;

/// [`EndQuorumEpochRequest`] and what it holds: the names collide with its counterpart's.
pub mod request {
    use crate::base::uuid::Uuid;
    use crate::protocol::string::Str;

    declare! {
        /// The request of EndQuorumEpoch.
        message EndQuorumEpochRequest [0-1 flexible(1+)] {
            cluster_id: Option<Str> [0+ nullable(0+) default(None)],
            topics: Vec<TopicData> [0+],
            leader_endpoints: Vec<LeaderEndpoint> [1+ ignorable],
        }

        /// In [`EndQuorumEpochRequest`].
        struct TopicData {
            topic_name: Str [0+],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`EndQuorumEpochRequest`].
        struct PartitionData {
            partition_index: i32 [0+],
            leader_id: i32 [0+],
            leader_epoch: i32 [0+],
            preferred_successors: Vec<i32> [0 ignorable],
            preferred_candidates: Vec<ReplicaInfo> [1+ ignorable],
        }

        /// In [`EndQuorumEpochRequest`].
        struct ReplicaInfo {
            candidate_id: i32 [1+],
            candidate_directory_id: Uuid [1+],
        }

        /// In [`EndQuorumEpochRequest`].
        struct LeaderEndpoint {
            name: Str [1+],
            host: Str [1+],
            port: u16 [1+],
        }
    }
}

/// [`EndQuorumEpochResponse`] and what it holds: the names collide with its counterpart's.
pub mod response {
    use crate::protocol::string::Str;

    declare! {
        /// The response of EndQuorumEpoch.
        message EndQuorumEpochResponse [0-1 flexible(1+)] {
            error_code: i16 [0+],
            topics: Vec<TopicData> [0+],
            node_endpoints: Vec<NodeEndpoint> [1+ tag(0)],
        }

        /// In [`EndQuorumEpochResponse`].
        struct TopicData {
            topic_name: Str [0+],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`EndQuorumEpochResponse`].
        struct PartitionData {
            partition_index: i32 [0+],
            error_code: i16 [0+],
            leader_id: i32 [0+],
            leader_epoch: i32 [0+],
        }

        /// In [`EndQuorumEpochResponse`].
        struct NodeEndpoint {
            node_id: i32 [1+],
            host: Str [1+],
            port: u16 [1+],
        }
    }
}
