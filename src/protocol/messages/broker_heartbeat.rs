//! BrokerHeartbeat, API 63: broker liveness + fencing.

use crate::base::uuid::Uuid;

declare! {
    /// The request of BrokerHeartbeat.
    message BrokerHeartbeatRequest [0-2 flexible(0+)] {
        broker_id: i32 [0+],
        broker_epoch: i64 [0+ default(-1)],
        current_metadata_offset: i64 [0+],
        want_fence: bool [0+],
        want_shut_down: bool [0+],
        offline_log_dirs: Vec<Uuid> [1+ tag(0)],
        cordoned_log_dirs: Option<Vec<Uuid>> [2+ nullable(2+) tag(1) default(None)],
    }

    /// The response of BrokerHeartbeat.
    message BrokerHeartbeatResponse [0-2 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        is_caught_up: bool [0+],
        is_fenced: bool [0+ default(true)],
        should_shut_down: bool [0+],
    }
}
