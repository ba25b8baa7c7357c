//! RemoveRaftVoter, API 81: remove KRaft voter (fwd).

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The request of RemoveRaftVoter.
    message RemoveRaftVoterRequest [0 flexible(0+)] {
        cluster_id: Option<Str> [0+ nullable(0+)],
        voter_id: i32 [0+],
        voter_directory_id: Uuid [0+],
    }

    /// The response of RemoveRaftVoter.
    message RemoveRaftVoterResponse [0 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<Str> [0+ nullable(0+) ignorable],
    }
}
