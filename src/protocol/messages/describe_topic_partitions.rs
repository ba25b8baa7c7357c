//! DescribeTopicPartitions, API 75: paged topic describe incl. ELR.

pub use request::DescribeTopicPartitionsRequest;
pub use response::DescribeTopicPartitionsResponse;

/// [`DescribeTopicPartitionsRequest`] and what it holds: the names collide with its counterpart's.
pub mod request {
    use crate::protocol::string::Str;

    declare! {
        /// The request of DescribeTopicPartitions.
        message DescribeTopicPartitionsRequest [0 flexible(0+)] {
            topics: Vec<TopicRequest> [0+],
            response_partition_limit: i32 [0+ default(2000)],
            cursor: Option<Cursor> [0+ nullable(0+) default(None)],
        }

        /// In [`DescribeTopicPartitionsRequest`].
        struct TopicRequest {
            name: Str [0+],
        }

        /// In [`DescribeTopicPartitionsRequest`].
        struct Cursor {
            topic_name: Str [0+],
            partition_index: i32 [0+],
        }
    }
}

/// [`DescribeTopicPartitionsResponse`] and what it holds: the names collide with its counterpart's.
pub mod response {
    use crate::base::uuid::Uuid;
    use crate::protocol::string::Str;

    declare! {
        /// The response of DescribeTopicPartitions.
        message DescribeTopicPartitionsResponse [0 flexible(0+)] {
            throttle_time_ms: i32 [0+ ignorable],
            topics: Vec<DescribeTopicPartitionsResponseTopic> [0+],
            next_cursor: Option<Cursor> [0+ nullable(0+) default(None)],
        }

        /// In [`DescribeTopicPartitionsResponse`].
        struct DescribeTopicPartitionsResponseTopic {
            error_code: i16 [0+],
            name: Option<Str> [0+ nullable(0+)],
            topic_id: Uuid [0+ ignorable],
            is_internal: bool [0+ ignorable],
            partitions: Vec<DescribeTopicPartitionsResponsePartition> [0+],
            topic_authorized_operations: i32 [0+ default(i32::MIN)],
        }

        /// In [`DescribeTopicPartitionsResponse`].
        struct DescribeTopicPartitionsResponsePartition {
            error_code: i16 [0+],
            partition_index: i32 [0+],
            leader_id: i32 [0+],
            leader_epoch: i32 [0+ default(-1) ignorable],
            replica_nodes: Vec<i32> [0+],
            isr_nodes: Vec<i32> [0+],
            eligible_leader_replicas: Option<Vec<i32>> [0+ nullable(0+) default(None)],
            last_known_elr: Option<Vec<i32>> [0+ nullable(0+) default(None)],
            offline_replicas: Vec<i32> [0+ ignorable],
        }

        /// In [`DescribeTopicPartitionsResponse`].
        struct Cursor {
            topic_name: Str [0+],
            partition_index: i32 [0+],
        }
    }
}
