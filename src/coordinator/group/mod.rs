//! Groups: who consumes what together, and how far they are. One [`Groups`] is the coordinator of
//! one partition of `__consumer_offsets`.
//!
//! A group is *classic* (members join, one of them assigns; offsets without members are a classic
//! group that is empty) or *consumer* (KIP-848: members say what they want by heartbeats, the
//! coordinator assigns). Both hold offsets.

pub mod admin;
pub mod assignor;
pub mod classic;
pub mod command;
pub mod consumer;
#[cfg(test)]
mod harness;
pub mod machine;
pub mod offsets;
pub mod record;
pub mod topic;

use super::Timers;
use crate::protocol::string::Str;
use classic::ClassicGroup;
pub use command::{Asked, Client, GroupCommand, GroupReply, TimerKey};
use consumer::ConsumerGroup;
use offsets::{Expiry, Offsets};
pub use record::GroupRecord;
use std::collections::BTreeMap;

/// What a command on groups makes.
pub type Step = super::Step<Groups>;

/// The groups of one partition of `__consumer_offsets`.
#[derive(Default)]
pub struct Groups {
    /// By group id. Clients choose the ids: a tree, which no choice of keys degrades.
    groups: BTreeMap<Str, Group>,
    timers: Timers<TimerKey>,
    expiry: Expiry,
}

/// One group.
pub struct Group {
    /// Members and how they share.
    pub kind: Kind,
    /// How far the group is in each partition.
    pub offsets: Offsets,
}

/// By which protocol a group's members share partitions.
pub enum Kind {
    /// JoinGroup and SyncGroup; also a group that has only offsets.
    Classic(ClassicGroup),
    /// ConsumerGroupHeartbeat. KIP-848.
    Consumer(ConsumerGroup),
}
