//! CreatePartitions, API 37: add partitions (fwd).

use crate::protocol::string::Str;

declare! {
    /// The request of CreatePartitions.
    message CreatePartitionsRequest [0-3 flexible(2+)] {
        topics: Vec<CreatePartitionsTopic> [0+],
        timeout_ms: i32 [0+],
        validate_only: bool [0+],
    }

    /// In [`CreatePartitionsRequest`].
    struct CreatePartitionsTopic {
        name: Str [0+],
        count: i32 [0+],
        assignments: Option<Vec<CreatePartitionsAssignment>> [0+ nullable(0+)],
    }

    /// In [`CreatePartitionsRequest`].
    struct CreatePartitionsAssignment {
        broker_ids: Vec<i32> [0+],
    }

    /// The response of CreatePartitions.
    message CreatePartitionsResponse [0-3 flexible(2+)] {
        throttle_time_ms: i32 [0+],
        results: Vec<CreatePartitionsTopicResult> [0+],
    }

    /// In [`CreatePartitionsResponse`].
    struct CreatePartitionsTopicResult {
        name: Str [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+) default(None)],
    }
}
