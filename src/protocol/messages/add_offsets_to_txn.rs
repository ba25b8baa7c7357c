//! AddOffsetsToTxn, API 25: add consumer-offsets partition to txn.

use crate::protocol::string::Str;

declare! {
    /// The request of AddOffsetsToTxn.
    message AddOffsetsToTxnRequest [0-4 flexible(3+)] {
        transactional_id: Str [0+],
        producer_id: i64 [0+],
        producer_epoch: i16 [0+],
        group_id: Str [0+],
    }

    /// The response of AddOffsetsToTxn.
    message AddOffsetsToTxnResponse [0-4 flexible(3+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
    }
}
