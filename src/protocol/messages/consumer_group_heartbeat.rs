//! ConsumerGroupHeartbeat, API 68: KIP-848 consumer group heartbeat.

pub use request::ConsumerGroupHeartbeatRequest;
pub use response::ConsumerGroupHeartbeatResponse;

/// [`ConsumerGroupHeartbeatRequest`] and what it holds: the names collide with its counterpart's.
pub mod request {
    use crate::base::uuid::Uuid;
    use crate::protocol::string::Str;

    declare! {
        /// The request of ConsumerGroupHeartbeat.
        message ConsumerGroupHeartbeatRequest [0-1 flexible(0+)] {
            group_id: Str [0+],
            member_id: Str [0+],
            member_epoch: i32 [0+],
            instance_id: Option<Str> [0+ nullable(0+) default(None)],
            rack_id: Option<Str> [0+ nullable(0+) default(None)],
            rebalance_timeout_ms: i32 [0+ default(-1)],
            subscribed_topic_names: Option<Vec<Str>> [0+ nullable(0+) default(None)],
            subscribed_topic_regex: Option<Str> [1+ nullable(1+) default(None)],
            server_assignor: Option<Str> [0+ nullable(0+) default(None)],
            topic_partitions: Option<Vec<TopicPartitions>> [0+ nullable(0+) default(None)],
        }

        /// In [`ConsumerGroupHeartbeatRequest`].
        struct TopicPartitions {
            topic_id: Uuid [0+],
            partitions: Vec<i32> [0+],
        }
    }
}

/// [`ConsumerGroupHeartbeatResponse`] and what it holds: the names collide with its counterpart's.
pub mod response {
    use crate::base::uuid::Uuid;
    use crate::protocol::string::Str;

    declare! {
        /// The response of ConsumerGroupHeartbeat.
        message ConsumerGroupHeartbeatResponse [0-1 flexible(0+)] {
            throttle_time_ms: i32 [0+],
            error_code: i16 [0+],
            error_message: Option<Str> [0+ nullable(0+) default(None)],
            member_id: Option<Str> [0+ nullable(0+) default(None)],
            member_epoch: i32 [0+],
            heartbeat_interval_ms: i32 [0+],
            assignment: Option<Assignment> [0+ nullable(0+) default(None)],
        }

        /// In [`ConsumerGroupHeartbeatResponse`].
        struct Assignment {
            topic_partitions: Vec<TopicPartitions> [0+],
        }

        /// In [`ConsumerGroupHeartbeatResponse`].
        struct TopicPartitions {
            topic_id: Uuid [0+],
            partitions: Vec<i32> [0+],
        }
    }
}
