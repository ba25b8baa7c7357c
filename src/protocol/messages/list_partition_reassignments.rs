//! ListPartitionReassignments, API 46: list reassignments (fwd).

use crate::protocol::string::Str;

declare! {
    /// The request of ListPartitionReassignments.
    message ListPartitionReassignmentsRequest [0 flexible(0+)] {
        timeout_ms: i32 [0+ default(60000)],
        topics: Option<Vec<ListPartitionReassignmentsTopics>> [0+ nullable(0+) default(None)],
    }

    /// In [`ListPartitionReassignmentsRequest`].
    struct ListPartitionReassignmentsTopics {
        name: Str [0+],
        partition_indexes: Vec<i32> [0+],
    }

    /// The response of ListPartitionReassignments.
    message ListPartitionReassignmentsResponse [0 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
        topics: Vec<OngoingTopicReassignment> [0+],
    }

    /// In [`ListPartitionReassignmentsResponse`].
    struct OngoingTopicReassignment {
        name: Str [0+],
        partitions: Vec<OngoingPartitionReassignment> [0+],
    }

    /// In [`ListPartitionReassignmentsResponse`].
    struct OngoingPartitionReassignment {
        partition_index: i32 [0+],
        replicas: Vec<i32> [0+],
        adding_replicas: Vec<i32> [0+],
        removing_replicas: Vec<i32> [0+],
    }
}
