//! DeleteRecords, API 21: advance log start offset.

use crate::protocol::string::Str;

declare! {
    /// The request of DeleteRecords.
    message DeleteRecordsRequest [0-2 flexible(2+)] {
        topics: Vec<DeleteRecordsTopic> [0+],
        timeout_ms: i32 [0+],
    }

    /// In [`DeleteRecordsRequest`].
    struct DeleteRecordsTopic {
        name: Str [0+],
        partitions: Vec<DeleteRecordsPartition> [0+],
    }

    /// In [`DeleteRecordsRequest`].
    struct DeleteRecordsPartition {
        partition_index: i32 [0+],
        offset: i64 [0+],
    }

    /// The response of DeleteRecords.
    message DeleteRecordsResponse [0-2 flexible(2+)] {
        throttle_time_ms: i32 [0+],
        topics: Vec<DeleteRecordsTopicResult> [0+],
    }

    /// In [`DeleteRecordsResponse`].
    struct DeleteRecordsTopicResult {
        name: Str [0+],
        partitions: Vec<DeleteRecordsPartitionResult> [0+],
    }

    /// In [`DeleteRecordsResponse`].
    struct DeleteRecordsPartitionResult {
        partition_index: i32 [0+],
        low_watermark: i64 [0+],
        error_code: i16 [0+],
    }
}
