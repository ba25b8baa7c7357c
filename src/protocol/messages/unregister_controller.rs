//! UnregisterController, API 94: unregister controller (KIP-1312, fwd).

use crate::protocol::string::Str;

declare! {
    /// The request of UnregisterController.
    message UnregisterControllerRequest [0 flexible(0+)] {
        controller_id: i32 [0+],
    }

    /// The response of UnregisterController.
    message UnregisterControllerResponse [0 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+)],
    }
}
