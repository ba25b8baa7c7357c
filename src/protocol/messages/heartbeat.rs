//! Heartbeat, API 12: classic group heartbeat.

use crate::protocol::string::Str;

declare! {
    /// The request of Heartbeat.
    message HeartbeatRequest [0-4 flexible(4+)] {
        group_id: Str [0+],
        generation_id: i32 [0+],
        member_id: Str [0+],
        group_instance_id: Option<Str> [3+ nullable(3+) default(None)],
    }

    /// The response of Heartbeat.
    message HeartbeatResponse [0-4 flexible(4+)] {
        throttle_time_ms: i32 [1+ ignorable],
        error_code: i16 [0+],
    }
}
