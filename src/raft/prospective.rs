//! Prospective: asks the voters whether they would vote for it, in the epoch there is (KIP-996).
//! Only a majority of such promises starts a new epoch.

use super::candidate::CandidateState;
use super::voters::{ReplicaKey, VoterSet};
use crate::base::ids::LeaderEpoch;

/// The promises so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProspectiveState {
    /// The epoch, not yet moved on.
    pub epoch: LeaderEpoch,
    /// The vote of this node in that epoch.
    pub voted: Option<ReplicaKey>,
    /// Voters that would vote for this node, itself among them.
    pub granting: Vec<ReplicaKey>,
}

impl ProspectiveState {
    /// Whether enough voters would vote for this node.
    #[must_use]
    pub fn has_majority(&self, voters: &VoterSet) -> bool {
        let granting = self
            .granting
            .iter()
            .filter(|&&voter| voters.contains(voter))
            .count();
        granting >= voters.majority()
    }

    /// Starts the next epoch with a vote for itself; that must be persisted before it is told.
    pub(super) fn start_election(self, own: ReplicaKey) -> CandidateState {
        CandidateState {
            epoch: LeaderEpoch(self.epoch.0 + 1),
            granting: vec![own],
        }
    }
}
