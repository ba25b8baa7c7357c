//! Works out the record that changes one partition: who leads when a broker came or went, which
//! replicas stay eligible (KIP-966), and whether a new leader epoch must begin. It decides as
//! Kafka's `PartitionChangeBuilder` does, because brokers of both kinds act on what it writes.

use crate::base::ids::{NodeId, TopicId};
use crate::base::uuid::Uuid;
use crate::metadata::features::MetadataVersion;
use crate::metadata::image::node_list::NodeList;
use crate::metadata::image::partition::{
    LeaderRecoveryState, NO_LEADER, NO_LEADER_CHANGE, NO_RECOVERY_STATE_CHANGE, Partition,
};
use crate::protocol::metadata_records::PartitionChangeRecord;

/// Which leader may be elected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Election {
    /// The first replica, where it is in the ISR.
    Preferred,
    /// One of the ISR, or of the eligible replicas where the ISR is empty.
    Online,
    /// As `Online`, or else any replica that is there: records may be lost.
    Unclean,
}

/// A change of one partition, before it is worked out.
pub struct PartitionChange<'a> {
    partition: &'a Partition,
    topic_id: TopicId,
    partition_id: i32,
    version: MetadataVersion,
    is_elr_enabled: bool,
    min_isr: usize,
    is_acceptable_leader: &'a dyn Fn(NodeId) -> bool,
    default_directory: &'a dyn Fn(NodeId) -> Uuid,
    election: Election,
    target_isr: NodeList,
    target_replicas: NodeList,
    target_elr: NodeList,
    unclean_shutdown: Option<NodeId>,
}

/// What holds for every partition of a topic while its changes are worked out.
#[derive(Clone, Copy)]
pub struct ChangeContext<'a> {
    /// Decides the version of the records.
    pub version: MetadataVersion,
    /// Whether `eligible.leader.replicas.version` is on.
    pub is_elr_enabled: bool,
    /// The topic's `min.insync.replicas`, at most its replication factor.
    pub min_isr: usize,
    /// Whether a broker is active and can serve its replica.
    pub is_acceptable_leader: &'a dyn Fn(NodeId) -> bool,
    /// The directory of a new replica on a broker.
    pub default_directory: &'a dyn Fn(NodeId) -> Uuid,
}

struct Elected {
    leader: NodeId,
    is_unclean: bool,
}

impl<'a> PartitionChange<'a> {
    /// No change yet.
    #[must_use]
    pub fn new(
        partition: &'a Partition,
        topic_id: TopicId,
        partition_id: i32,
        context: ChangeContext<'a>,
    ) -> PartitionChange<'a> {
        PartitionChange {
            partition,
            topic_id,
            partition_id,
            version: context.version,
            is_elr_enabled: context.is_elr_enabled,
            min_isr: context.min_isr,
            is_acceptable_leader: context.is_acceptable_leader,
            default_directory: context.default_directory,
            election: Election::Online,
            target_isr: partition.isr.clone(),
            target_replicas: partition.replicas.clone(),
            target_elr: partition.eligible_leader_replicas().clone(),
            unclean_shutdown: None,
        }
    }

    /// The ISR as it should be.
    #[must_use]
    pub fn target_isr(mut self, isr: NodeList) -> PartitionChange<'a> {
        self.target_isr = isr;
        self
    }

    /// Which leader may be elected.
    #[must_use]
    pub fn election(mut self, election: Election) -> PartitionChange<'a> {
        self.election = election;
        self
    }

    /// A broker that stopped without finishing: it may lack records it acknowledged, so it is no
    /// longer eligible.
    #[must_use]
    pub fn unclean_shutdown(mut self, broker: NodeId) -> PartitionChange<'a> {
        self.unclean_shutdown = Some(broker);
        self
    }

    /// The record, or `None` where nothing changes.
    #[must_use]
    pub fn build(mut self) -> Option<PartitionChangeRecord> {
        let mut record = PartitionChangeRecord {
            topic_id: self.topic_id,
            partition_id: self.partition_id,
            leader: NO_LEADER_CHANGE,
            leader_recovery_state: NO_RECOVERY_STATE_CHANGE,
            ..PartitionChangeRecord::default()
        };
        self.populate_target_elr();
        self.elect(&mut record);
        self.record_elr(&mut record);
        let may_be_empty = self.is_elr_enabled || !self.target_isr.is_empty();
        if record.isr.is_none() && may_be_empty && self.target_isr != self.partition.isr {
            record.isr = Some(self.target_isr.to_ids());
        }
        self.start_epoch_where_isr_shrinks(&mut record);
        self.record_last_known_leader(&mut record);
        self.record_directories(&mut record);
        (!is_without_effect(&record)).then_some(record)
    }

    /// An ISR below the minimum leaves behind replicas that still hold everything committed.
    fn populate_target_elr(&mut self) {
        if !self.is_elr_enabled {
            return;
        }
        if self.target_isr.len() >= self.min_isr {
            self.target_elr = NodeList::EMPTY;
            return;
        }
        let mut eligible: Vec<NodeId> = self.target_elr.to_vec();
        eligible.extend(
            self.partition
                .isr
                .iter()
                .filter(|node| !self.target_elr.contains(node)),
        );
        eligible.sort_unstable();
        eligible
            .retain(|node| !self.target_isr.contains(node) && self.unclean_shutdown != Some(*node));
        self.target_elr = eligible.into_iter().collect();
    }

    fn elect(&mut self, record: &mut PartitionChangeRecord) {
        let elected = self.choose_leader();
        if elected.leader == self.partition.leader {
            return;
        }
        if self.target_elr.contains(&elected.leader) {
            self.target_isr = [elected.leader].into_iter().collect();
            self.target_elr = self.target_elr.without(elected.leader);
        }
        record.leader = elected.leader.0;
        if elected.is_unclean {
            // Only the new leader is known to hold what it holds.
            record.isr = Some(vec![elected.leader.0]);
            if self.partition.leader_recovery_state != LeaderRecoveryState::Recovering {
                record.leader_recovery_state = LeaderRecoveryState::Recovering.code();
            }
        }
    }

    fn choose_leader(&self) -> Elected {
        let clean = |leader| Elected {
            leader,
            is_unclean: false,
        };
        let current = self.partition.leader;
        let preferred = self.target_replicas.first().copied();
        let preferred = preferred.filter(|_| self.election == Election::Preferred);
        if let Some(preferred) = preferred.filter(|&preferred| self.is_valid_leader(preferred)) {
            return clean(preferred);
        }
        if self.is_valid_leader(current) {
            return clean(current);
        }
        let mut replicas = self.target_replicas.iter().copied();
        if let Some(leader) = replicas
            .clone()
            .find(|&replica| self.is_valid_leader(replica))
        {
            return clean(leader);
        }
        if let Some(leader) = self.last_known_leader() {
            return Elected {
                leader,
                is_unclean: true,
            };
        }
        let unclean = replicas.find(|&replica| (self.is_acceptable_leader)(replica));
        match unclean.filter(|_| self.election == Election::Unclean) {
            Some(leader) => Elected {
                leader,
                is_unclean: true,
            },
            None => clean(NO_LEADER),
        }
    }

    fn is_valid_leader(&self, replica: NodeId) -> bool {
        let is_candidate = self.target_isr.contains(&replica)
            || (self.target_isr.is_empty() && self.target_elr.contains(&replica));
        is_candidate && (self.is_acceptable_leader)(replica)
    }

    /// Where nobody is left that is known to hold everything, the last leader is the best there is
    /// (KIP-966). Kafka does not ask whether it is there; klamm does, or a partition would be led by
    /// a broker that is gone.
    fn last_known_leader(&self) -> Option<NodeId> {
        let is_nobody_left = self.target_elr.is_empty() && self.target_isr.is_empty();
        match self.partition.last_known_elr()[..] {
            [last] if self.is_elr_enabled && is_nobody_left => {
                (self.is_acceptable_leader)(last).then_some(last)
            }
            _ => None,
        }
    }

    fn record_elr(&mut self, record: &mut PartitionChangeRecord) {
        let is_clean = record.isr.is_none();
        if !is_clean || !self.is_elr_enabled {
            self.target_elr = NodeList::EMPTY;
        }
        if self.target_elr != *self.partition.eligible_leader_replicas() {
            record.eligible_leader_replicas = Some(self.target_elr.to_ids());
        }
    }

    fn start_epoch_where_isr_shrinks(&self, record: &mut PartitionChangeRecord) {
        if !self.version.is_leader_epoch_bump_required_on_isr_shrink()
            || record.leader != NO_LEADER_CHANGE
        {
            return;
        }
        let Some(isr) = &record.isr else { return };
        if self
            .partition
            .isr
            .iter()
            .any(|member| !isr.contains(&member.0))
        {
            record.leader = self.partition.leader.0;
        }
    }

    fn record_last_known_leader(&self, record: &mut PartitionChangeRecord) {
        if !self.is_elr_enabled {
            return;
        }
        let leader = self.partition.leader;
        let last_known = self.partition.last_known_elr();
        let becomes_empty = record.isr.as_ref().is_some_and(Vec::is_empty);
        let stays_led = leader != NO_LEADER && record.leader != NO_LEADER.0;
        if becomes_empty && last_known[..] != [leader] {
            record.last_known_elr = Some(vec![leader.0]);
        } else if (record.leader >= 0 || stays_led) && !last_known.is_empty() {
            record.last_known_elr = Some(Vec::new());
        }
    }

    fn record_directories(&self, record: &mut PartitionChangeRecord) {
        if !self.version.is_directory_assignment_supported() {
            return;
        }
        let directories: Vec<Uuid> = self
            .target_replicas
            .iter()
            .map(|&replica| {
                let known = self.partition.directory_of(replica);
                known.unwrap_or_else(|| (self.default_directory)(replica))
            })
            .collect();
        if directories != self.partition.directories() {
            record.directories = Some(directories);
        }
    }
}

fn is_without_effect(record: &PartitionChangeRecord) -> bool {
    let empty = PartitionChangeRecord {
        topic_id: record.topic_id,
        partition_id: record.partition_id,
        leader: NO_LEADER_CHANGE,
        leader_recovery_state: NO_RECOVERY_STATE_CHANGE,
        ..PartitionChangeRecord::default()
    };
    *record == empty
}

#[cfg(test)]
#[path = "partition_change_tests.rs"]
mod tests;
