//! AlterPartitionReassignments, API 45: reassign partitions (fwd).

use crate::protocol::string::Str;

declare! {
    /// The request of AlterPartitionReassignments.
    message AlterPartitionReassignmentsRequest [0-1 flexible(0+)] {
        timeout_ms: i32 [0+ default(60000)],
        allow_replication_factor_change: bool [1+ default(true)],
        topics: Vec<ReassignableTopic> [0+],
    }

    /// In [`AlterPartitionReassignmentsRequest`].
    struct ReassignableTopic {
        name: Str [0+],
        partitions: Vec<ReassignablePartition> [0+],
    }

    /// In [`AlterPartitionReassignmentsRequest`].
    struct ReassignablePartition {
        partition_index: i32 [0+],
        replicas: Option<Vec<i32>> [0+ nullable(0+) default(None)],
    }

    /// The response of AlterPartitionReassignments.
    message AlterPartitionReassignmentsResponse [0-1 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        allow_replication_factor_change: bool [1+ default(true) ignorable],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
        responses: Vec<ReassignableTopicResponse> [0+],
    }

    /// In [`AlterPartitionReassignmentsResponse`].
    struct ReassignableTopicResponse {
        name: Str [0+],
        partitions: Vec<ReassignablePartitionResponse> [0+],
    }

    /// In [`AlterPartitionReassignmentsResponse`].
    struct ReassignablePartitionResponse {
        partition_index: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
    }
}
