//! Candidate: has started an epoch, voted for itself, and collects votes.

use super::leader::LeaderState;
use super::voters::{ReplicaKey, VoterSet};
use crate::base::ids::{LeaderEpoch, Offset};

/// The votes so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CandidateState {
    /// The epoch it wants to lead.
    pub epoch: LeaderEpoch,
    /// Voters that voted for it, itself among them.
    pub granting: Vec<ReplicaKey>,
}

impl CandidateState {
    /// Whether enough voters voted for this node.
    #[must_use]
    pub fn has_majority(&self, voters: &VoterSet) -> bool {
        let granting = self
            .granting
            .iter()
            .filter(|&&voter| voters.contains(voter))
            .count();
        granting >= voters.majority()
    }

    /// Leads the epoch, from the end of its log on.
    pub(super) fn become_leader(self, log_end_offset: Offset, voters: &VoterSet) -> LeaderState {
        LeaderState::new(self.epoch, log_end_offset, self.granting, voters)
    }
}
