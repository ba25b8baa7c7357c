//! UpdateRaftVoter, API 82: voter updates its endpoints.

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The request of UpdateRaftVoter.
    message UpdateRaftVoterRequest [0 flexible(0+)] {
        cluster_id: Option<Str> [0+ nullable(0+)],
        current_leader_epoch: i32 [0+],
        voter_id: i32 [0+],
        voter_directory_id: Uuid [0+],
        listeners: Vec<Listener> [0+],
        kraft_version_feature: KRaftVersionFeature [0+],
    }

    /// In [`UpdateRaftVoterRequest`].
    struct Listener {
        name: Str [0+],
        host: Str [0+],
        port: u16 [0+],
    }

    /// In [`UpdateRaftVoterRequest`].
    struct KRaftVersionFeature {
        min_supported_version: i16 [0+],
        max_supported_version: i16 [0+],
    }

    /// The response of UpdateRaftVoter.
    message UpdateRaftVoterResponse [0 flexible(0+)] {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        current_leader: CurrentLeader [0+ tag(0)],
    }

    /// In [`UpdateRaftVoterResponse`].
    struct CurrentLeader {
        leader_id: i32 [0+ default(-1)],
        leader_epoch: i32 [0+ default(-1)],
        host: Str [0+],
        port: i32 [0+],
    }
}
