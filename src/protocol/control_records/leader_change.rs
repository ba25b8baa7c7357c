//! What a new KRaft leader writes first: who leads, and who voted for it.

use crate::base::uuid::Uuid;

declare! {
    /// The value of control record type 2.
    message LeaderChangeMessage [0-1 flexible(0+)] {
        version: i16 [0+],
        leader_id: i32 [0+],
        voters: Vec<Voter> [0+],
        granting_voters: Vec<Voter> [0+],
    }

    /// In [`LeaderChangeMessage`].
    struct Voter {
        voter_id: i32 [0+],
        voter_directory_id: Uuid [1+],
    }
}
