//! AddRaftVoter, API 80: add KRaft voter (fwd).

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The request of AddRaftVoter.
    message AddRaftVoterRequest [0-1 flexible(0+)] {
        cluster_id: Option<Str> [0+ nullable(0+)],
        timeout_ms: i32 [0+],
        voter_id: i32 [0+],
        voter_directory_id: Uuid [0+],
        listeners: Vec<Listener> [0+],
        ack_when_committed: bool [1+ default(true)],
    }

    /// In [`AddRaftVoterRequest`].
    struct Listener {
        name: Str [0+],
        host: Str [0+],
        port: u16 [0+],
    }

    /// The response of AddRaftVoter.
    message AddRaftVoterResponse [0-1 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+) ignorable],
    }
}
