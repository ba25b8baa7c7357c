//! Leader: appends to the log, and commits what a majority of voters has on disk.

use super::resigned::ResignedState;
use super::voters::{ReplicaKey, VoterSet};
use crate::base::ids::{LeaderEpoch, Offset};

/// How far the voters hold the leader's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaderState {
    /// The epoch it leads.
    pub epoch: LeaderEpoch,
    /// Where its log ended when it was elected: its LeaderChange record stands there.
    pub epoch_start_offset: Offset,
    /// Voters that voted for it.
    pub granting: Vec<ReplicaKey>,
    high_watermark: Option<Offset>,
    synced: Vec<(ReplicaKey, Offset)>,
}

impl LeaderState {
    pub(super) fn new(
        epoch: LeaderEpoch,
        log_end_offset: Offset,
        granting: Vec<ReplicaKey>,
        voters: &VoterSet,
    ) -> LeaderState {
        LeaderState {
            epoch,
            epoch_start_offset: log_end_offset,
            granting,
            high_watermark: None,
            synced: voters
                .voters()
                .iter()
                .map(|&voter| (voter, Offset(0)))
                .collect(),
        }
    }

    /// End of the committed log; `None` until a record of this epoch is committed.
    #[must_use]
    pub fn high_watermark(&self) -> Option<Offset> {
        self.high_watermark
    }

    /// A voter, or this node, holds the log on disk up to `end_offset`. Returns whether the high
    /// watermark moved. KIP-595: offsets of earlier epochs are committed only together with one of
    /// the leader's own epoch.
    pub(super) fn on_synced(&mut self, replica: ReplicaKey, end_offset: Offset) -> bool {
        for (voter, synced) in &mut self.synced {
            if *voter == replica {
                *synced = (*synced).max(end_offset);
            }
        }
        let mut offsets: Vec<Offset> = self.synced.iter().map(|&(_, synced)| synced).collect();
        offsets.sort_unstable_by(|a, b| b.cmp(a));
        // Sorted from the highest: at least a majority of voters holds what the middle one holds.
        let Some(&majority) = offsets.get(offsets.len() / 2) else {
            return false;
        };
        if majority <= self.epoch_start_offset || Some(majority) <= self.high_watermark {
            return false;
        }
        self.high_watermark = Some(majority);
        true
    }

    /// Leads no longer, of its own will.
    pub(super) fn resign(self) -> ResignedState {
        ResignedState {
            epoch: self.epoch,
            high_watermark: self.high_watermark,
        }
    }
}
