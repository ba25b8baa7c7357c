//! Produce, API 0: append record batches (exactly one v2 batch per partition).

use crate::base::uuid::Uuid;
use crate::protocol::records::Records;
use crate::protocol::string::Str;

declare! {
    /// The request of Produce.
    message ProduceRequest [3-13 flexible(9+)] {
        transactional_id: Option<Str> [3+ nullable(3+) default(None)],
        acks: i16 [0+],
        timeout_ms: i32 [0+],
        topic_data: Vec<TopicProduceData> [0+],
    }

    /// In [`ProduceRequest`].
    struct TopicProduceData {
        name: Str [0-12 ignorable],
        topic_id: Uuid [13+ ignorable],
        partition_data: Vec<PartitionProduceData> [0+],
    }

    /// In [`ProduceRequest`].
    struct PartitionProduceData {
        index: i32 [0+],
        records: Option<Records> [0+ nullable(0+) default(None)],
    }

    /// The response of Produce.
    message ProduceResponse [3-13 flexible(9+)] {
        responses: Vec<TopicProduceResponse> [0+],
        throttle_time_ms: i32 [1+ ignorable],
        node_endpoints: Vec<NodeEndpoint> [10+ tag(0)],
    }

    /// In [`ProduceResponse`].
    struct TopicProduceResponse {
        name: Str [0-12 ignorable],
        topic_id: Uuid [13+ ignorable],
        partition_responses: Vec<PartitionProduceResponse> [0+],
    }

    /// In [`ProduceResponse`].
    struct PartitionProduceResponse {
        index: i32 [0+],
        error_code: i16 [0+],
        base_offset: i64 [0+],
        log_append_time_ms: i64 [2+ default(-1) ignorable],
        log_start_offset: i64 [5+ default(-1) ignorable],
        record_errors: Vec<BatchIndexAndErrorMessage> [8+ ignorable],
        error_message: Option<Str> [8+ nullable(8+) default(None) ignorable],
        current_leader: LeaderIdAndEpoch [10+ tag(0)],
    }

    /// In [`ProduceResponse`].
    struct BatchIndexAndErrorMessage {
        batch_index: i32 [8+],
        batch_index_error_message: Option<Str> [8+ nullable(8+) default(None)],
    }

    /// In [`ProduceResponse`].
    struct LeaderIdAndEpoch {
        leader_id: i32 [10+ default(-1)],
        leader_epoch: i32 [10+ default(-1)],
    }

    /// In [`ProduceResponse`].
    struct NodeEndpoint {
        node_id: i32 [10+],
        host: Str [10+],
        port: i32 [10+],
        rack: Option<Str> [10+ nullable(10+) default(None)],
    }
}
