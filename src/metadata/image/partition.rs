//! One partition as its records describe it: who holds it, who leads it, in which epoch. Kept
//! small: a shard's image may hold 100,000 of them.

use super::node_list::NodeList;
use crate::base::ids::{LeaderEpoch, NodeId};
use crate::base::uuid::Uuid;
use crate::metadata::features::MetadataVersion;
use crate::protocol::metadata_records::{PartitionChangeRecord, PartitionRecord};

/// The partition has no leader: as the leader of a partition record.
pub const NO_LEADER: NodeId = NodeId(-1);

/// "The leader stays": as the leader of a partition change record.
pub const NO_LEADER_CHANGE: i32 = -2;

/// "The recovery state stays": in a partition change record.
pub const NO_RECOVERY_STATE_CHANGE: i8 = -1;

/// Log directories that are not real ones (KIP-858).
pub mod directory {
    use crate::base::uuid::Uuid;

    const fn reserved_id(number: u8) -> Uuid {
        let mut bytes = [0; 16];
        bytes[15] = number;
        Uuid(bytes)
    }

    /// The replica was created before directories were recorded.
    pub const MIGRATING: Uuid = reserved_id(0);
    /// The broker has not yet chosen a directory.
    pub const UNASSIGNED: Uuid = reserved_id(1);
    /// The replica lay on a directory that is offline; which one is not known.
    pub const LOST: Uuid = reserved_id(2);

    /// Whether the id is one of the first hundred, which name no real directory.
    #[must_use]
    pub fn is_reserved(id: Uuid) -> bool {
        id.0[..15].iter().all(|&byte| byte == 0) && id.0[15] < 100
    }
}

/// Whether the leader was elected from outside the ISR and still has to make the logs agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LeaderRecoveryState {
    /// The leader came from the ISR, or recovered since.
    #[default]
    Recovered,
    /// The leader was elected uncleanly.
    Recovering,
}

impl LeaderRecoveryState {
    /// The state as records carry it, or `None` for an unknown one.
    #[must_use]
    pub fn from_code(code: i8) -> Option<LeaderRecoveryState> {
        match code {
            0 => Some(LeaderRecoveryState::Recovered),
            1 => Some(LeaderRecoveryState::Recovering),
            _ => None,
        }
    }

    /// The code that records carry.
    #[must_use]
    pub fn code(self) -> i8 {
        match self {
            LeaderRecoveryState::Recovered => 0,
            LeaderRecoveryState::Recovering => 1,
        }
    }
}

/// The log directory of each replica, in the order of the replicas.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Directories {
    One(Uuid),
    Many(Box<[Uuid]>),
}

/// What most partitions have none of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Rare {
    adding_replicas: NodeList,
    removing_replicas: NodeList,
    eligible_leader_replicas: NodeList,
    last_known_elr: NodeList,
}

/// One partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Brokers that hold a replica; the first is the preferred leader.
    pub replicas: NodeList,
    /// Replicas that hold every committed record.
    pub isr: NodeList,
    /// The leader, or [`NO_LEADER`].
    pub leader: NodeId,
    /// Counts the changes of the leader.
    pub leader_epoch: LeaderEpoch,
    /// Counts all changes of the partition.
    pub partition_epoch: i32,
    /// Whether the leader was elected from outside the ISR.
    pub leader_recovery_state: LeaderRecoveryState,
    directories: Directories,
    rare: Option<Box<Rare>>,
}

const _: () = assert!(size_of::<Partition>() <= 88);

impl Partition {
    /// A partition nobody has described yet: a record for a higher number came first.
    pub(super) fn absent() -> Partition {
        Partition {
            replicas: NodeList::EMPTY,
            isr: NodeList::EMPTY,
            leader: NO_LEADER,
            leader_epoch: LeaderEpoch::NONE,
            partition_epoch: -1,
            leader_recovery_state: LeaderRecoveryState::Recovered,
            directories: Directories::Many(Box::default()),
            rare: None,
        }
    }

    /// A new partition, led by the first of its ISR.
    #[must_use]
    pub fn new(replicas: NodeList, directories: Vec<Uuid>, isr: NodeList) -> Partition {
        Partition {
            leader: isr.first().copied().unwrap_or(NO_LEADER),
            replicas,
            isr,
            leader_epoch: LeaderEpoch(0),
            partition_epoch: 0,
            leader_recovery_state: LeaderRecoveryState::Recovered,
            directories: Directories::from(directories),
            rare: None,
        }
    }

    /// The partition of a record, or a sentence that says what is wrong with the record.
    pub(super) fn from_record(record: &PartitionRecord) -> Result<Partition, String> {
        if record.replicas.is_empty() {
            return Err("the record names no replica".to_owned());
        }
        let directories = if record.directories.is_empty() {
            vec![directory::MIGRATING; record.replicas.len()] // as written below metadata.version 17
        } else {
            record.directories.clone()
        };
        if directories.len() != record.replicas.len() {
            return Err(format!(
                "{} replicas have {} directories",
                record.replicas.len(),
                directories.len()
            ));
        }
        let mut partition = Partition {
            replicas: NodeList::from_ids(&record.replicas),
            isr: NodeList::from_ids(&record.isr),
            leader: NodeId(record.leader),
            leader_epoch: LeaderEpoch(record.leader_epoch),
            partition_epoch: record.partition_epoch,
            leader_recovery_state: recovery_state(record.leader_recovery_state)?,
            directories: Directories::from(directories),
            rare: None,
        };
        partition.set_rare(Rare {
            adding_replicas: NodeList::from_ids(&record.adding_replicas),
            removing_replicas: NodeList::from_ids(&record.removing_replicas),
            eligible_leader_replicas: optional_list(record.eligible_leader_replicas.as_deref()),
            last_known_elr: optional_list(record.last_known_elr.as_deref()),
        });
        Ok(partition)
    }

    /// Applies a change record: what it does not mention stays; a leader, even the same one again,
    /// starts a new leader epoch; the partition epoch always moves on.
    pub(super) fn merge(&mut self, record: &PartitionChangeRecord) -> Result<(), String> {
        if let Some(replicas) = &record.replicas {
            self.replicas = NodeList::from_ids(replicas);
        }
        if let Some(directories) = &record.directories {
            self.directories = Directories::from(directories.clone());
        } else if record.replicas.is_some() {
            self.directories = Directories::from(vec![directory::MIGRATING; self.replicas.len()]);
        }
        if self.directories().len() != self.replicas.len() {
            return Err(format!(
                "{} replicas have {} directories",
                self.replicas.len(),
                self.directories().len()
            ));
        }
        if let Some(isr) = &record.isr {
            self.isr = NodeList::from_ids(isr);
        }
        if record.leader != NO_LEADER_CHANGE {
            self.leader = NodeId(record.leader);
            self.leader_epoch = LeaderEpoch(self.leader_epoch.0.saturating_add(1));
        }
        if record.leader_recovery_state != NO_RECOVERY_STATE_CHANGE {
            self.leader_recovery_state = recovery_state(record.leader_recovery_state)?;
        }
        let mut rare = self.rare.take().map_or_else(Rare::default, |rare| *rare);
        let changes = [
            (&mut rare.adding_replicas, &record.adding_replicas),
            (&mut rare.removing_replicas, &record.removing_replicas),
            (
                &mut rare.eligible_leader_replicas,
                &record.eligible_leader_replicas,
            ),
            (&mut rare.last_known_elr, &record.last_known_elr),
        ];
        for (list, change) in changes {
            if let Some(change) = change {
                *list = NodeList::from_ids(change);
            }
        }
        self.set_rare(rare);
        self.partition_epoch = self.partition_epoch.saturating_add(1);
        Ok(())
    }

    /// The record that describes this partition whole, as far as `version` can carry it.
    #[must_use]
    pub fn to_record(
        &self,
        topic_id: Uuid,
        partition_id: i32,
        version: MetadataVersion,
    ) -> PartitionRecord {
        let optional_ids = |list: &NodeList| {
            (version.is_elr_supported() && !list.is_empty()).then(|| list.to_ids())
        };
        let directories = if version.is_directory_assignment_supported() {
            self.directories().to_vec()
        } else {
            Vec::new()
        };
        PartitionRecord {
            partition_id,
            topic_id,
            replicas: self.replicas.to_ids(),
            isr: self.isr.to_ids(),
            removing_replicas: self.removing_replicas().to_ids(),
            adding_replicas: self.adding_replicas().to_ids(),
            leader: self.leader.0,
            leader_recovery_state: self.leader_recovery_state.code(),
            leader_epoch: self.leader_epoch.0,
            partition_epoch: self.partition_epoch,
            directories,
            eligible_leader_replicas: optional_ids(self.eligible_leader_replicas()),
            last_known_elr: optional_ids(self.last_known_elr()),
            ..PartitionRecord::default()
        }
    }

    /// Whether a record has described this partition.
    #[must_use]
    pub fn exists(&self) -> bool {
        !self.replicas.is_empty()
    }

    /// The log directory of each replica, in the order of the replicas.
    #[must_use]
    pub fn directories(&self) -> &[Uuid] {
        match &self.directories {
            Directories::One(directory) => std::slice::from_ref(directory),
            Directories::Many(directories) => directories,
        }
    }

    /// The log directory of one broker's replica, where it has one.
    #[must_use]
    pub fn directory_of(&self, node: NodeId) -> Option<Uuid> {
        let position = self.replicas.iter().position(|&replica| replica == node)?;
        self.directories().get(position).copied()
    }

    /// Replicas that a reassignment adds.
    #[must_use]
    pub fn adding_replicas(&self) -> &NodeList {
        self.rare
            .as_ref()
            .map_or(&NodeList::EMPTY, |rare| &rare.adding_replicas)
    }

    /// Replicas that a reassignment removes.
    #[must_use]
    pub fn removing_replicas(&self) -> &NodeList {
        self.rare
            .as_ref()
            .map_or(&NodeList::EMPTY, |rare| &rare.removing_replicas)
    }

    /// Replicas outside the ISR that still hold every committed record (KIP-966).
    #[must_use]
    pub fn eligible_leader_replicas(&self) -> &NodeList {
        self.rare
            .as_ref()
            .map_or(&NodeList::EMPTY, |rare| &rare.eligible_leader_replicas)
    }

    /// The last leader before ISR and eligible replicas ran empty (KIP-966).
    #[must_use]
    pub fn last_known_elr(&self) -> &NodeList {
        self.rare
            .as_ref()
            .map_or(&NodeList::EMPTY, |rare| &rare.last_known_elr)
    }

    /// Forgets the eligible replicas, as a ClearElrRecord asks; says whether there were any.
    pub(super) fn clear_elr(&mut self) -> bool {
        let Some(rare) = self.rare.take() else {
            return false;
        };
        let mut rare = *rare;
        let had = !rare.eligible_leader_replicas.is_empty() || !rare.last_known_elr.is_empty();
        rare.eligible_leader_replicas = NodeList::EMPTY;
        rare.last_known_elr = NodeList::EMPTY;
        self.set_rare(rare);
        had
    }

    fn set_rare(&mut self, rare: Rare) {
        self.rare = (rare != Rare::default()).then(|| Box::new(rare));
    }
}

impl From<Vec<Uuid>> for Directories {
    fn from(directories: Vec<Uuid>) -> Directories {
        match directories.as_slice() {
            [directory] => Directories::One(*directory),
            _ => Directories::Many(directories.into_boxed_slice()),
        }
    }
}

fn recovery_state(code: i8) -> Result<LeaderRecoveryState, String> {
    LeaderRecoveryState::from_code(code)
        .ok_or_else(|| format!("{code} is no leader recovery state"))
}

fn optional_list(ids: Option<&[i32]>) -> NodeList {
    ids.map_or(NodeList::EMPTY, NodeList::from_ids)
}
