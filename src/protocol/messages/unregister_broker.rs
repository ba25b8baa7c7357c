//! UnregisterBroker, API 64: unregister broker (fwd).

use crate::protocol::string::Str;

declare! {
    /// The request of UnregisterBroker.
    message UnregisterBrokerRequest [0 flexible(0+)] {
        broker_id: i32 [0+],
    }

    /// The response of UnregisterBroker.
    message UnregisterBrokerResponse [0 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
    }
}
