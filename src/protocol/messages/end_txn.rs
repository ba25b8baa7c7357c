//! EndTxn, API 26: commit/abort txn (v5 bumps epoch).

use crate::protocol::string::Str;

declare! {
    /// The request of EndTxn.
    message EndTxnRequest [0-5 flexible(3+)] {
        transactional_id: Str [0+],
        producer_id: i64 [0+],
        producer_epoch: i16 [0+],
        committed: bool [0+],
    }

    /// The response of EndTxn.
    message EndTxnResponse [0-5 flexible(3+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        producer_id: i64 [5+ default(-1) ignorable],
        producer_epoch: i16 [5+ default(-1) ignorable],
    }
}
