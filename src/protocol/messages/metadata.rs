//! Metadata, API 3: cluster+topic metadata, auto-create.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The request of Metadata.
    message MetadataRequest [0-13 flexible(9+)] {
        topics: Option<Vec<MetadataRequestTopic>> [0+ nullable(1+)],
        allow_auto_topic_creation: bool [4+ default(true)],
        include_cluster_authorized_operations: bool [8-10],
        include_topic_authorized_operations: bool [8+],
    }

    /// In [`MetadataRequest`].
    struct MetadataRequestTopic {
        topic_id: Uuid [10+ ignorable],
        name: Option<Str> [0+ nullable(10+)],
    }

    /// The response of Metadata.
    message MetadataResponse [0-13 flexible(9+)] {
        throttle_time_ms: i32 [3+ ignorable],
        brokers: Vec<MetadataResponseBroker> [0+],
        cluster_id: Option<Str> [2+ nullable(2+) default(None) ignorable],
        controller_id: i32 [1+ default(-1) ignorable],
        topics: Vec<MetadataResponseTopic> [0+],
        cluster_authorized_operations: i32 [8-10 default(i32::MIN)],
        error_code: i16 [13+ ignorable],
    }

    /// In [`MetadataResponse`].
    struct MetadataResponseBroker {
        node_id: i32 [0+],
        host: Str [0+],
        port: i32 [0+],
        rack: Option<Str> [1+ nullable(1+) default(None) ignorable],
    }

    /// In [`MetadataResponse`].
    struct MetadataResponseTopic {
        error_code: i16 [0+],
        name: Option<Str> [0+ nullable(12+)],
        topic_id: Uuid [10+ ignorable],
        is_internal: bool [1+ ignorable],
        partitions: Vec<MetadataResponsePartition> [0+],
        topic_authorized_operations: i32 [8+ default(i32::MIN)],
    }

    /// In [`MetadataResponse`].
    struct MetadataResponsePartition {
        error_code: i16 [0+],
        partition_index: i32 [0+],
        leader_id: i32 [0+],
        leader_epoch: i32 [7+ default(-1) ignorable],
        replica_nodes: Vec<i32> [0+],
        isr_nodes: Vec<i32> [0+],
        offline_replicas: Vec<i32> [5+ ignorable],
    }
}
