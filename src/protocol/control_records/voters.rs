//! The voters of a KRaft quorum, as its log says them (KIP-853).

use crate::base::uuid::Uuid;
use crate::protocol::string::Str;

declare! {
    /// The value of control record type 6.
    message VotersRecord [0 flexible(0+)] {
        version: i16 [0+],
        voters: Vec<Voter> [0+],
    }

    /// In [`VotersRecord`].
    struct Voter {
        voter_id: i32 [0+],
        voter_directory_id: Uuid [0+],
        endpoints: Vec<Endpoint> [0+],
        kraft_version_feature: KRaftVersionFeature [0+],
    }

    /// In [`VotersRecord`].
    struct Endpoint {
        name: Str [0+],
        host: Str [0+],
        port: u16 [0+],
    }

    /// In [`VotersRecord`].
    struct KRaftVersionFeature {
        min_supported_version: i16 [0+],
        max_supported_version: i16 [0+],
    }
}
