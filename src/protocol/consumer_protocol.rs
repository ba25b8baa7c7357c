//! What consumers of a classic group tell each other through the coordinator, which need not
//! understand it: their subscriptions, and their assignments. Before each stands its version, int16.

pub use assignment::ConsumerProtocolAssignment;
pub use subscription::ConsumerProtocolSubscription;

/// [`ConsumerProtocolSubscription`] and what it holds: the names collide with its counterpart's.
pub mod subscription {
    use crate::protocol::string::Str;
    use bytes::Bytes;

    declare! {
        /// What a member subscribes to.
        message ConsumerProtocolSubscription [0-3] {
            topics: Vec<Str> [0+],
            user_data: Option<Bytes> [0+ nullable(0+) default(None)],
            owned_partitions: Vec<TopicPartition> [1+ ignorable],
            generation_id: i32 [2+ default(-1) ignorable],
            rack_id: Option<Str> [3+ nullable(3+) default(None) ignorable],
        }

        /// In [`ConsumerProtocolSubscription`].
        struct TopicPartition {
            topic: Str [1+],
            partitions: Vec<i32> [1+],
        }
    }
}

/// [`ConsumerProtocolAssignment`] and what it holds: the names collide with its counterpart's.
pub mod assignment {
    use crate::protocol::string::Str;
    use bytes::Bytes;

    declare! {
        /// What a member is assigned.
        message ConsumerProtocolAssignment [0-3] {
            assigned_partitions: Vec<TopicPartition> [0+],
            user_data: Option<Bytes> [0+ nullable(0+) default(None)],
        }

        /// In [`ConsumerProtocolAssignment`].
        struct TopicPartition {
            topic: Str [0+],
            partitions: Vec<i32> [0+],
        }
    }
}
