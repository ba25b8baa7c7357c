//! Vote, API 52: KRaft vote / pre-vote.

pub use request::VoteRequest;
pub use response::VoteResponse;

/// [`VoteRequest`] and what it holds: the names collide with its counterpart's.
pub mod request {
    use crate::base::uuid::Uuid;
    use crate::protocol::string::Str;

    declare! {
        /// The request of Vote.
        message VoteRequest [0-2 flexible(0+)] {
            cluster_id: Option<Str> [0+ nullable(0+) default(None)],
            voter_id: i32 [1+ default(-1) ignorable],
            topics: Vec<TopicData> [0+],
        }

        /// In [`VoteRequest`].
        struct TopicData {
            topic_name: Str [0+],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`VoteRequest`].
        struct PartitionData {
            partition_index: i32 [0+],
            replica_epoch: i32 [0+],
            replica_id: i32 [0+],
            replica_directory_id: Uuid [1+ ignorable],
            voter_directory_id: Uuid [1+ ignorable],
            last_offset_epoch: i32 [0+],
            last_offset: i64 [0+],
            pre_vote: bool [2+],
        }
    }
}

/// [`VoteResponse`] and what it holds: the names collide with its counterpart's.
pub mod response {
    use crate::protocol::string::Str;

    declare! {
        /// The response of Vote.
        message VoteResponse [0-2 flexible(0+)] {
            error_code: i16 [0+],
            topics: Vec<TopicData> [0+],
            node_endpoints: Vec<NodeEndpoint> [1+ tag(0)],
        }

        /// In [`VoteResponse`].
        struct TopicData {
            topic_name: Str [0+],
            partitions: Vec<PartitionData> [0+],
        }

        /// In [`VoteResponse`].
        struct PartitionData {
            partition_index: i32 [0+],
            error_code: i16 [0+],
            leader_id: i32 [0+],
            leader_epoch: i32 [0+],
            vote_granted: bool [0+],
        }

        /// In [`VoteResponse`].
        struct NodeEndpoint {
            node_id: i32 [1+],
            host: Str [1+],
            port: u16 [1+],
        }
    }
}
