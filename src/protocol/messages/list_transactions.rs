//! ListTransactions, API 66: list transactions.

use crate::protocol::string::Str;

declare! {
    /// The request of ListTransactions.
    message ListTransactionsRequest [0-2 flexible(0+)] {
        state_filters: Vec<Str> [0+],
        producer_id_filters: Vec<i64> [0+],
        duration_filter: i64 [1+ default(-1)],
        transactional_id_pattern: Option<Str> [2+ nullable(2+) default(None)],
    }

    /// The response of ListTransactions.
    message ListTransactionsResponse [0-2 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        unknown_state_filters: Vec<Str> [0+],
        transaction_states: Vec<TransactionState> [0+],
    }

    /// In [`ListTransactionsResponse`].
    struct TransactionState {
        transactional_id: Str [0+],
        producer_id: i64 [0+],
        transaction_state: Str [0+],
    }
}
