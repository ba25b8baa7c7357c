//! Unattached: knows an epoch, and no leader of it. Every node starts here.

use super::prospective::ProspectiveState;
use super::voters::ReplicaKey;
use crate::base::ids::LeaderEpoch;

/// The latest epoch this node has seen, and whom it voted for in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnattachedState {
    /// The epoch.
    pub epoch: LeaderEpoch,
    /// The vote of this node in that epoch: it is given once.
    pub voted: Option<ReplicaKey>,
}

impl UnattachedState {
    /// Asks whether an election could be won, before the epoch is disturbed (KIP-996).
    pub(super) fn start_pre_vote(self, own: ReplicaKey) -> ProspectiveState {
        ProspectiveState {
            epoch: self.epoch,
            voted: self.voted,
            granting: vec![own],
        }
    }
}
