//! TransactionLog: records of type 0 in `__transaction_state`.

use crate::protocol::string::Str;

declare! {
    /// The key of record type 0.
    message TransactionLogKey [0] {
        transactional_id: Str [0],
    }

    /// The value of record type 0.
    message TransactionLogValue [0-1 flexible(1+)] {
        producer_id: i64 [0+],
        previous_producer_id: i64 [1+ tag(0) default(-1)],
        next_producer_id: i64 [1+ tag(1) default(-1)],
        producer_epoch: i16 [0+],
        next_producer_epoch: i16 [1+ tag(3) default(-1)],
        transaction_timeout_ms: i32 [0+],
        transaction_status: i8 [0+],
        transaction_partitions: Option<Vec<PartitionsSchema>> [0+ nullable(0+)],
        transaction_last_update_timestamp_ms: i64 [0+],
        transaction_start_timestamp_ms: i64 [0+],
        client_transaction_version: i16 [1+ tag(2)],
    }

    /// In [`TransactionLogValue`].
    struct PartitionsSchema {
        topic: Str [0+],
        partition_ids: Vec<i32> [0+],
    }
}
