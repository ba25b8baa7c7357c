//! BeginQuorumEpoch, API 53: KRaft new leader announcement.

pub use request::BeginQuorumEpochRequest;
pub use response::BeginQuorumEpochResponse;

/// [`BeginQuorumEpochRequest`] and what it holds: the names collide with its counterpart's.
pub mod request {
    use crate::base::uuid::Uuid;
    use crate::protocol::string::Str;

    declare! {
        /// The request of BeginQuorumEpoch.
        message BeginQuorumEpochRequest [0-1 flexible(1+)] {
            cluster_id: Option<Str> [0+ nullable(0+) default(None)],
            voter_id: i32 [1+ default(-1) ignorable],
            topics: Vec<TopicData> [0+],
            leader_endpoints: Vec<LeaderEndpoint> [1+ ignorable],
        }

        /// In [`BeginQuorumEpochRequest`].
        struct TopicData {
            topic_name: Str [0+],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`BeginQuorumEpochRequest`].
        struct PartitionData {
            partition_index: i32 [0+],
            voter_directory_id: Uuid [1+ ignorable],
            leader_id: i32 [0+],
            leader_epoch: i32 [0+],
        }

        /// In [`BeginQuorumEpochRequest`].
        struct LeaderEndpoint {
            name: Str [1+],
            host: Str [1+],
            port: u16 [1+],
        }
    }
}

/// [`BeginQuorumEpochResponse`] and what it holds: the names collide with its counterpart's.
pub mod response {
    use crate::protocol::string::Str;

    declare! {
        /// The response of BeginQuorumEpoch.
        message BeginQuorumEpochResponse [0-1 flexible(1+)] {
            error_code: i16 [0+],
            topics: Vec<TopicData> [0+],
            node_endpoints: Vec<NodeEndpoint> [1+ tag(0)],
        }

        /// In [`BeginQuorumEpochResponse`].
        struct TopicData {
            topic_name: Str [0+],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`BeginQuorumEpochResponse`].
        struct PartitionData {
            partition_index: i32 [0+],
            error_code: i16 [0+],
            leader_id: i32 [0+],
            leader_epoch: i32 [0+],
        }

        /// In [`BeginQuorumEpochResponse`].
        struct NodeEndpoint {
            node_id: i32 [1+],
            host: Str [1+],
            port: u16 [1+],
        }
    }
}
