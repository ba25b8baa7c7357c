//! DescribeQuorum, API 55: describe quorum (fwd).

pub use request::DescribeQuorumRequest;
pub use response::DescribeQuorumResponse;

/// [`DescribeQuorumRequest`] and what it holds: the names collide with its counterpart's.
pub mod request {
    use crate::protocol::string::Str;

    declare! {
        /// The request of DescribeQuorum.
        message DescribeQuorumRequest [0-2 flexible(0+)] {
            topics: Vec<TopicData> [0+],
        }

        /// In [`DescribeQuorumRequest`].
        struct TopicData {
            topic_name: Str [0+],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`DescribeQuorumRequest`].
        struct PartitionData {
            partition_index: i32 [0+],
        }
    }
}

/// [`DescribeQuorumResponse`] and what it holds: the names collide with its counterpart's.
pub mod response {
    use crate::base::uuid::Uuid;
    use crate::protocol::string::Str;

    declare! {
        /// The response of DescribeQuorum.
        message DescribeQuorumResponse [0-2 flexible(0+)] {
            error_code: i16 [0+],
            error_message: Option<Str> [2+ nullable(2+) ignorable],
            topics: Vec<TopicData> [0+],
            nodes: Vec<Node> [2+],
        }

        /// In [`DescribeQuorumResponse`].
        struct TopicData {
            topic_name: Str [0+],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`DescribeQuorumResponse`].
        struct PartitionData {
            partition_index: i32 [0+],
            error_code: i16 [0+],
            error_message: Option<Str> [2+ nullable(2+) ignorable],
            leader_id: i32 [0+],
            leader_epoch: i32 [0+],
            high_watermark: i64 [0+],
            current_voters: Vec<ReplicaState> [0+],
            observers: Vec<ReplicaState> [0+],
        }

        /// In [`DescribeQuorumResponse`].
        struct ReplicaState {
            replica_id: i32 [0+],
            replica_directory_id: Uuid [2+],
            log_end_offset: i64 [0+],
            last_fetch_timestamp: i64 [1+ default(-1) ignorable],
            last_caught_up_timestamp: i64 [1+ default(-1) ignorable],
        }

        /// In [`DescribeQuorumResponse`].
        struct Node {
            node_id: i32 [2+],
            listeners: Vec<Listener> [2+],
        }

        /// In [`DescribeQuorumResponse`].
        struct Listener {
            name: Str [2+],
            host: Str [2+],
            port: u16 [2+],
        }
    }
}
