//! AddPartitionsToTxn, API 24: v0-3 client: add partitions; v4-5 broker-to-coordinator batched add/verify.

use crate::protocol::string::Str;

declare! {
    /// The request of AddPartitionsToTxn.
    message AddPartitionsToTxnRequest [0-5 flexible(3+)] {
        transactions: Vec<AddPartitionsToTxnTransaction> [4+],
        v3_and_below_transactional_id: Str [0-3],
        v3_and_below_producer_id: i64 [0-3],
        v3_and_below_producer_epoch: i16 [0-3],
        v3_and_below_topics: Vec<AddPartitionsToTxnTopic> [0-3],
    }

    /// In [`AddPartitionsToTxnRequest`].
    struct AddPartitionsToTxnTransaction {
        transactional_id: Str [4+],
        producer_id: i64 [4+],
        producer_epoch: i16 [4+],
        verify_only: bool [4+],
        topics: Vec<AddPartitionsToTxnTopic> [4+],
    }

    /// In [`AddPartitionsToTxnRequest`].
    struct AddPartitionsToTxnTopic {
        name: Str [0+],
        partitions: Vec<i32> [0+],
    }

    /// The response of AddPartitionsToTxn.
    message AddPartitionsToTxnResponse [0-5 flexible(3+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [4+ ignorable],
        results_by_transaction: Vec<AddPartitionsToTxnResult> [4+],
        results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult> [0-3],
    }

    /// In [`AddPartitionsToTxnResponse`].
    struct AddPartitionsToTxnResult {
        transactional_id: Str [4+],
        topic_results: Vec<AddPartitionsToTxnTopicResult> [4+],
    }

    /// In [`AddPartitionsToTxnResponse`].
    struct AddPartitionsToTxnTopicResult {
        name: Str [0+],
        results_by_partition: Vec<AddPartitionsToTxnPartitionResult> [0+],
    }

    /// In [`AddPartitionsToTxnResponse`].
    struct AddPartitionsToTxnPartitionResult {
        partition_index: i32 [0+],
        partition_error_code: i16 [0+],
    }
}
