//! CreateTopics, API 19: create topics (forwarded to controller).

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The request of CreateTopics.
    message CreateTopicsRequest [2-7 flexible(5+)] {
        topics: Vec<CreatableTopic> [0+],
        timeout_ms: i32 [0+ default(60000)],
        validate_only: bool [1+],
    }

    /// In [`CreateTopicsRequest`].
    struct CreatableTopic {
        name: Str [0+],
        num_partitions: i32 [0+],
        replication_factor: i16 [0+],
        assignments: Vec<CreatableReplicaAssignment> [0+],
        configs: Vec<CreatableTopicConfig> [0+],
    }

    /// In [`CreateTopicsRequest`].
    struct CreatableReplicaAssignment {
        partition_index: i32 [0+],
        broker_ids: Vec<i32> [0+],
    }

    /// In [`CreateTopicsRequest`].
    struct CreatableTopicConfig {
        name: Str [0+],
        value: Option<Str> [0+ nullable(0+)],
    }

    /// The response of CreateTopics.
    message CreateTopicsResponse [2-7 flexible(5+)] {
        throttle_time_ms: i32 [2+ ignorable],
        topics: Vec<CreatableTopicResult> [0+],
    }

    /// In [`CreateTopicsResponse`].
    struct CreatableTopicResult {
        name: Str [0+],
        topic_id: Uuid [7+ ignorable],
        error_code: i16 [0+],
        error_message: Option<Str> [1+ nullable(0+) ignorable],
        topic_config_error_code: i16 [5+ tag(0) ignorable],
        num_partitions: i32 [5+ default(-1) ignorable],
        replication_factor: i16 [5+ default(-1) ignorable],
        configs: Option<Vec<CreatableTopicConfigs>> [5+ nullable(5+) ignorable],
    }

    /// In [`CreateTopicsResponse`].
    struct CreatableTopicConfigs {
        name: Str [5+],
        value: Option<Str> [5+ nullable(5+)],
        read_only: bool [5+],
        config_source: i8 [5+ default(-1) ignorable],
        is_sensitive: bool [5+],
    }
}
