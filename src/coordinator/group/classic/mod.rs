//! Classic groups: members join, the coordinator picks a leader and a protocol, the leader says who
//! gets what, the coordinator passes it on and understands nothing of it. Offsets without members
//! are a classic group too, an empty one.
//!
//! ```text
//!            first member joins                     all have joined, or their time is over
//!   Empty ─────────────────────► PreparingRebalance ─────────────────────► CompletingRebalance
//!     ▲                            │     ▲      ▲    generation + 1                │    │
//!     └────── nobody is left ──────┘     │      └── a member comes, changes, goes ─┘    │
//!        generation + 1, written         │                                             │
//!                                        └── a member comes, changes, goes ── Stable ◄─┘
//!                                                          the leader's assignment is written
//! ```
//! What a restart must know is in records of type 2 (`GroupMetadata`): one generation with its
//! members and their assignments, written when it becomes stable or empty. All else (who waits, who
//! has joined, timers) is lost with the coordinator; members then come again.
//!
//! | file | what it has |
//! |--|--|
//! | `member` | a member, its protocols, its session |
//! | `membership` | who is in the group: counts, votes, leader, static members |
//! | `turn` | a group in the hands of one command: waiters, sessions |
//! | `rebalance` | from one generation to the next |
//! | `join`, `static_member`, `sync`, `heartbeat`, `leave`, `timer` | what may happen to it |
//! | `record` | the group as a record, and back |
//! | `view`, `upgrade` | what other rooms ask of it |

pub mod heartbeat;
pub mod join;
pub mod leave;
mod member;
mod membership;
pub mod rebalance;
mod record;
mod static_member;
pub mod sync;
pub mod timer;
mod turn;
mod upgrade;
mod view;

#[cfg(test)]
mod tests;

use crate::base::time::Timestamp;
use crate::protocol::string::Str;
pub use member::{Member, Protocols};
use rebalance::InitialDelay;
pub use record::{on_loaded, replay};
use std::collections::{BTreeMap, BTreeSet};
pub use upgrade::resign;

/// The protocol type of Kafka's consumers. Connect's and schema registries' are others.
pub const CONSUMER: &str = "consumer";

/// A group whose members share by JoinGroup and SyncGroup.
#[derive(Debug)]
pub struct ClassicGroup {
    state: State,
    generation: i32,
    protocol_type: Option<Str>,
    protocol_name: Option<Str>,
    leader: Option<Str>,
    /// When it came into its state, where a record says that or it happened here.
    state_timestamp: Option<Timestamp>,
    /// By member id. The ids are ours, but records could bring others: a tree.
    members: BTreeMap<Str, Member>,
    /// Member ids by group instance id. KIP-345.
    static_members: BTreeMap<Str, Str>,
    /// How many members support each protocol.
    supported: BTreeMap<Str, usize>,
    /// Ids that were given to members which have not come back with them. KIP-394.
    pending_join: BTreeSet<Str>,
    /// Members of this generation that have not sent SyncGroup.
    pending_sync: BTreeSet<Str>,
    /// How many members wait for the answer to JoinGroup.
    awaiting_join: usize,
    /// Set while the first generation of an empty group waits for members.
    initial: Option<InitialDelay>,
    /// The generation whose record is being written: its replay finds the group as it is.
    writing: Option<i32>,
}

/// What a classic group is doing. A group that is gone ("Dead") is not there at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// No members.
    Empty,
    /// Members are asked to join again.
    PreparingRebalance,
    /// The leader is to say who gets what.
    CompletingRebalance,
    /// All know what they have.
    Stable,
}

impl State {
    /// Kafka's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }
}

impl ClassicGroup {
    /// No members, and no record behind it: what holds offsets that were committed without a group.
    #[must_use]
    pub fn simple() -> ClassicGroup {
        ClassicGroup {
            state: State::Empty,
            generation: 0,
            protocol_type: None,
            protocol_name: None,
            leader: None,
            state_timestamp: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            supported: BTreeMap::new(),
            pending_join: BTreeSet::new(),
            pending_sync: BTreeSet::new(),
            awaiting_join: 0,
            initial: None,
            writing: None,
        }
    }
}
