//! One node of a quorum: its role, and how far its log goes.

use super::leader::LeaderState;
use super::quorum_state::ElectionState;
use super::resigned::ResignedState;
use super::unattached::UnattachedState;
use super::voters::{ReplicaKey, VoterSet};
use crate::base::ids::{LeaderEpoch, Offset};
use crate::base::time::Timestamp;
use crate::base::uuid::Uuid;
use crate::record::BatchBuilder;
use crate::record::control::{ControlRecord, LeaderChange, Voter, control_batch};
use bytes::Bytes;
use std::fmt;

/// What a node is in its epoch. The states between, prospective and candidate, do not last in a
/// quorum of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// It knows no leader.
    Unattached(UnattachedState),
    /// It leads.
    Leader(LeaderState),
    /// It led, and appends nothing more.
    Resigned(ResignedState),
}

/// A node of the quorum.
#[derive(Clone, Debug)]
pub struct RaftNode {
    own: ReplicaKey,
    voters: VoterSet,
    kraft_version: i16,
    role: Role,
    log_end_offset: Offset,
}

/// A batch that the leader appended: the shell writes its bytes to the end of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appended {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// The epoch it was written in.
    pub leader_epoch: LeaderEpoch,
    /// When.
    pub timestamp: Timestamp,
    /// The batch as it stands in the log.
    pub bytes: Bytes,
}

/// Why a node cannot take part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RaftError {
    /// The quorum has voters other than this node, which klamm cannot join yet.
    OtherVoters {
        /// This node.
        own: ReplicaKey,
        /// The voters.
        voters: VoterSet,
    },
    /// The epoch cannot go further.
    EpochsExhausted,
}

impl RaftNode {
    /// A node whose log ends at `log_end_offset` with a batch of `last_epoch`, and whose
    /// `quorum-state` says `election`.
    pub fn new(
        own: ReplicaKey,
        voters: VoterSet,
        kraft_version: i16,
        election: Option<&ElectionState>,
        log_end_offset: Offset,
        last_epoch: LeaderEpoch,
    ) -> Result<RaftNode, RaftError> {
        if !voters.is_only(own) {
            return Err(RaftError::OtherVoters { own, voters });
        }
        // The log may know an epoch that the file does not: a file restored from an old copy.
        let of_log = LeaderEpoch(last_epoch.0.max(0));
        let of_file = election.map_or(LeaderEpoch(0), |election| election.epoch);
        let epoch = of_log.max(of_file);
        if epoch.0 == i32::MAX {
            return Err(RaftError::EpochsExhausted);
        }
        let voted = election.filter(|election| election.epoch == epoch);
        let voted = voted.and_then(|election| election.voted);
        let role = Role::Unattached(UnattachedState { epoch, voted });
        Ok(RaftNode {
            own,
            voters,
            kraft_version,
            role,
            log_end_offset,
        })
    }

    /// Elects itself: a quorum of one is its own majority. The state that comes back must be on
    /// disk before anything is appended. `None` where it was started before.
    pub fn start(&mut self) -> Option<ElectionState> {
        let Role::Unattached(unattached) = &self.role else {
            return None;
        };
        let prospective = unattached.clone().start_pre_vote(self.own);
        assert!(
            prospective.has_majority(&self.voters),
            "a quorum of one is its own majority"
        );
        let candidate = prospective.start_election(self.own);
        assert!(
            candidate.has_majority(&self.voters),
            "a quorum of one is its own majority"
        );
        let leader = candidate.become_leader(self.log_end_offset, &self.voters);
        let election = ElectionState::of_leader(leader.epoch, self.own, &self.voters);
        self.role = Role::Leader(leader);
        Some(election)
    }

    /// The first batch of the epoch: it says who leads, and nothing is committed before it.
    ///
    /// # Panics
    /// Where this node does not lead.
    pub fn append_leader_change(&mut self, timestamp: Timestamp) -> Appended {
        let leader = self.leader().expect("only a leader appends");
        // Apache 4.4 writes and reads version 0 always, whatever kraft.version is.
        let version = 0;
        let voter = |replica: &ReplicaKey| Voter {
            voter_id: replica.id,
            directory_id: Uuid::ZERO,
        };
        let change = LeaderChange {
            version,
            leader_id: self.own.id,
            voters: self.voters.voters().iter().map(voter).collect(),
            granting_voters: leader.granting.iter().map(voter).collect(),
        };
        let epoch = leader.epoch;
        let record = ControlRecord::LeaderChange(change);
        let bytes = control_batch(self.log_end_offset, epoch, timestamp, &[record]);
        self.appended(1, epoch, timestamp, bytes)
    }

    /// Appends records, given by their values, as one batch.
    ///
    /// # Panics
    /// Where this node does not lead, or there is no record.
    pub fn append(&mut self, values: &[Bytes], timestamp: Timestamp) -> Appended {
        assert!(!values.is_empty(), "an append has at least one record");
        let epoch = self.leader().expect("only a leader appends").epoch;
        let mut builder = BatchBuilder::new(self.log_end_offset).leader_epoch(epoch);
        for value in values {
            builder.append(timestamp, None, Some(value), &[]);
        }
        let bytes = builder.finish();
        self.appended(values.len(), epoch, timestamp, bytes)
    }

    /// The log is on disk up to `end_offset`. Returns whether more is committed now.
    pub fn on_synced(&mut self, end_offset: Offset) -> bool {
        assert!(
            end_offset <= self.log_end_offset,
            "what was not appended cannot be synced"
        );
        match &mut self.role {
            Role::Leader(leader) => leader.on_synced(self.own, end_offset),
            Role::Unattached(_) | Role::Resigned(_) => false,
        }
    }

    /// The log ends at `end_offset` after all: what was appended behind it could not be written.
    pub fn truncate(&mut self, end_offset: Offset) {
        assert!(
            self.high_watermark()
                .is_none_or(|committed| committed <= end_offset),
            "what is committed stays"
        );
        self.log_end_offset = self.log_end_offset.min(end_offset);
    }

    /// End of the committed log; `None` until this node has committed its own LeaderChange record.
    #[must_use]
    pub fn high_watermark(&self) -> Option<Offset> {
        match &self.role {
            Role::Leader(leader) => leader.high_watermark(),
            Role::Resigned(resigned) => resigned.high_watermark,
            Role::Unattached(_) => None,
        }
    }

    /// Stops leading: nothing more is appended in this epoch.
    pub fn resign(&mut self) {
        if let Role::Leader(leader) = &self.role {
            self.role = Role::Resigned(leader.clone().resign());
        }
    }

    /// What the node is now.
    #[must_use]
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// The state of a leader, where this node leads.
    #[must_use]
    pub fn leader(&self) -> Option<&LeaderState> {
        match &self.role {
            Role::Leader(leader) => Some(leader),
            Role::Unattached(_) | Role::Resigned(_) => None,
        }
    }

    /// The epoch the node is in.
    #[must_use]
    pub fn epoch(&self) -> LeaderEpoch {
        match &self.role {
            Role::Unattached(state) => state.epoch,
            Role::Leader(state) => state.epoch,
            Role::Resigned(state) => state.epoch,
        }
    }

    /// Offset of the next record.
    #[must_use]
    pub fn log_end_offset(&self) -> Offset {
        self.log_end_offset
    }

    /// Who votes.
    #[must_use]
    pub fn voters(&self) -> &VoterSet {
        &self.voters
    }

    /// 0: voters stand in the configuration; 1: in the log (KIP-853).
    #[must_use]
    pub fn kraft_version(&self) -> i16 {
        self.kraft_version
    }

    fn appended(
        &mut self,
        record_count: usize,
        leader_epoch: LeaderEpoch,
        timestamp: Timestamp,
        bytes: Bytes,
    ) -> Appended {
        let base_offset = self.log_end_offset;
        let count = i64::try_from(record_count).expect("a batch holds fewer than 2^31 records");
        self.log_end_offset = base_offset.plus(count);
        let last_offset = base_offset.plus(count - 1);
        Appended {
            base_offset,
            last_offset,
            leader_epoch,
            timestamp,
            bytes,
        }
    }
}

impl fmt::Display for RaftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RaftError::OtherVoters { own, voters } => {
                write!(f, "the quorum's voters are")?;
                for voter in voters.voters() {
                    write!(f, " {}", voter.id)?;
                    if voter.directory_id != Uuid::ZERO {
                        write!(f, " (directory {})", voter.directory_id)?;
                    }
                }
                write!(
                    f,
                    ", and this is node {} (directory {}): klamm runs only as a quorum of itself \
                     so far; set node.id and controller.quorum.voters to one and the same node",
                    own.id, own.directory_id
                )
            }
            RaftError::EpochsExhausted => {
                write!(
                    f,
                    "the quorum's epoch is the last of 31 bits: its directory is damaged"
                )
            }
        }
    }
}

impl std::error::Error for RaftError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::NodeId;
    use crate::record::RecordBatch;

    fn own() -> ReplicaKey {
        ReplicaKey {
            id: NodeId(1),
            directory_id: Uuid::ZERO,
        }
    }

    fn node(log_end_offset: i64, epoch: i32) -> RaftNode {
        let voters = VoterSet::new(vec![own()]);
        let election = ElectionState::of_leader(LeaderEpoch(epoch), own(), &voters);
        let end = Offset(log_end_offset);
        RaftNode::new(own(), voters, 0, Some(&election), end, LeaderEpoch(epoch)).unwrap()
    }

    #[test]
    fn a_quorum_of_one_elects_itself_in_the_next_epoch() {
        let mut node = node(33, 1);
        assert_eq!(node.high_watermark(), None);
        let election = node.start().unwrap();
        assert_eq!(
            (election.epoch, election.leader_id),
            (LeaderEpoch(2), Some(NodeId(1)))
        );
        assert_eq!(node.start(), None);
        let change = node.append_leader_change(Timestamp(5));
        assert_eq!(
            (change.base_offset, change.last_offset),
            (Offset(33), Offset(33))
        );
        let batch = RecordBatch::parse(change.bytes).unwrap();
        assert!(batch.header().is_control() && batch.is_valid_crc());
        assert_eq!(batch.header().partition_leader_epoch, LeaderEpoch(2));
    }

    #[test]
    fn only_what_is_synced_is_committed_and_only_with_the_own_epoch() {
        let mut node = node(33, 1);
        node.start();
        assert!(
            !node.on_synced(Offset(33)),
            "the old epoch's records alone are not committed"
        );
        node.append_leader_change(Timestamp(5));
        let values = [Bytes::from_static(b"a"), Bytes::from_static(b"b")];
        let appended = node.append(&values, Timestamp(6));
        assert_eq!(
            (appended.base_offset, appended.last_offset),
            (Offset(34), Offset(35))
        );
        assert_eq!(node.high_watermark(), None);
        assert!(node.on_synced(Offset(34)));
        assert_eq!(node.high_watermark(), Some(Offset(34)));
        assert!(node.on_synced(Offset(36)));
        assert!(!node.on_synced(Offset(35)), "it never goes back");
        assert_eq!(node.high_watermark(), Some(Offset(36)));
        node.resign();
        assert_eq!(node.high_watermark(), Some(Offset(36)));
        assert!(node.leader().is_none());
    }

    #[test]
    fn a_log_that_knows_a_later_epoch_than_the_file_wins() {
        let voters = VoterSet::new(vec![own()]);
        let election = ElectionState::of_leader(LeaderEpoch(2), own(), &voters);
        let node = |election, last_epoch| {
            RaftNode::new(
                own(),
                voters.clone(),
                0,
                election,
                Offset(9),
                LeaderEpoch(last_epoch),
            )
        };
        assert_eq!(node(Some(&election), 7).unwrap().epoch(), LeaderEpoch(7));
        assert_eq!(node(None, -1).unwrap().epoch(), LeaderEpoch(0));
    }

    #[test]
    fn other_voters_are_refused_in_one_sentence() {
        let other = ReplicaKey {
            id: NodeId(2),
            directory_id: Uuid::ZERO,
        };
        let voters = VoterSet::new(vec![other, own()]);
        let error = RaftNode::new(own(), voters, 0, None, Offset(0), LeaderEpoch::NONE);
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("the quorum's voters are 1 2, and this is node 1"),
            "{error}"
        );
    }
}
