//! KRaft: the quorum that agrees on one log of metadata. Sans-IO: a node is told what happened (its
//! log ends here, it is synced up to there) and says what must happen (persist this, append that).
//!
//! ```text
//!                      start                      majority               majority
//!   quorum-state → Unattached ──────→ Prospective ────────→ Candidate ──────────→ Leader
//!                                     (pre-vote, KIP-996)   (epoch + 1, voted     │
//!                                                            for itself)          │ stop
//!                                                                                 ↓
//!                                                                              Resigned
//! ```
//!
//! A quorum of one is its own majority: it walks through all of them when it starts. Followers and
//! observers come with the second voter.

mod candidate;
mod leader;
mod node;
mod prospective;
pub mod quorum_state;
mod resigned;
mod snapshot_policy;
mod unattached;
mod voters;

pub use candidate::CandidateState;
pub use leader::LeaderState;
pub use node::{Appended, RaftError, RaftNode, Role};
pub use prospective::ProspectiveState;
pub use quorum_state::{ElectionState, QuorumStateError};
pub use resigned::ResignedState;
pub use snapshot_policy::SnapshotPolicy;
pub use unattached::UnattachedState;
pub use voters::{ReplicaKey, VoterSet};
