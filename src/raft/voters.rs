//! The voters of a quorum: who counts towards a majority.

use crate::base::ids::NodeId;
use crate::base::uuid::Uuid;

/// A replica of the metadata log. The directory tells a node whose disk was replaced from the one
/// that voted before (KIP-853); it is zero where kraft.version is 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ReplicaKey {
    /// Its `node.id`.
    pub id: NodeId,
    /// Its metadata log directory.
    pub directory_id: Uuid,
}

/// The voters, in the order of their ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VoterSet {
    voters: Vec<ReplicaKey>,
}

impl VoterSet {
    /// The voters, whatever their order was.
    #[must_use]
    pub fn new(mut voters: Vec<ReplicaKey>) -> VoterSet {
        voters.sort_unstable();
        voters.dedup_by_key(|voter| voter.id);
        VoterSet { voters }
    }

    /// All of them.
    #[must_use]
    pub fn voters(&self) -> &[ReplicaKey] {
        &self.voters
    }

    /// How many are a majority.
    #[must_use]
    pub fn majority(&self) -> usize {
        self.voters.len() / 2 + 1
    }

    /// Whether the replica is one of them.
    #[must_use]
    pub fn contains(&self, replica: ReplicaKey) -> bool {
        self.voters.contains(&replica)
    }

    /// Whether the replica is the only one.
    #[must_use]
    pub fn is_only(&self, replica: ReplicaKey) -> bool {
        self.voters == [replica]
    }
}
