//! ConsumerGroupPartitionMetadata: records of type 4 in `__consumer_offsets`.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The key of record type 4.
    message ConsumerGroupPartitionMetadataKey [0] {
        group_id: Str [0],
    }

    /// The value of record type 4.
    message ConsumerGroupPartitionMetadataValue [0 flexible(0+)] {
        topics: Vec<TopicMetadata> [0+],
    }

    /// In [`ConsumerGroupPartitionMetadataValue`].
    struct TopicMetadata {
        topic_id: Uuid [0+],
        topic_name: Str [0+],
        num_partitions: i32 [0+],
        partition_metadata: Vec<PartitionMetadata> [0+],
    }

    /// In [`ConsumerGroupPartitionMetadataValue`].
    struct PartitionMetadata {
        partition: i32 [0+],
        racks: Vec<Str> [0+],
    }
}
