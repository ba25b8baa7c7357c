//! Consumer groups (KIP-848): each member says by its heartbeats what it wants and what it has; the
//! coordinator computes a *target assignment* for the group and leads each member towards it, one
//! heartbeat after the other.
//!
//! ```text
//!   group epoch      rises when a member comes, goes, or wants other topics, or a topic changes
//!        │  target.rs: an assignor
//!   target epoch     the group epoch for which the target assignment was made
//!        │  reconcile.rs: first give back, then take what others have given back
//!   member epoch     the target epoch to which a member has come
//! ```
//!
//! | file | role |
//! |---|---|
//! | `member.rs`, `partitions.rs` | a member: what it wants, what it has; lists of partitions |
//! | `records.rs`, `replay.rs` | records made; records taken into the state, which nothing else changes |
//! | `heartbeat.rs`, `admit.rs`, `advance.rs` | a heartbeat; who it is from, and whether it may; what it makes |
//! | `draft.rs` | the group with the changes of one step, while they are not written |
//! | `leave.rs` | a member goes, or is fenced |
//! | `target.rs`, `reconcile.rs` | the two arrows above |
//! | `metadata.rs`, `regex.rs` | topics that change; topics by regular expression |
//! | `settings.rs`, `timer.rs` | settings of a group; what is due |
//! | `classic_member.rs`, `migration.rs` | members that speak the classic protocol; groups that change over |
//! | `describe.rs` | ConsumerGroupDescribe |

mod admit;
mod advance;
pub mod classic_member;
pub mod describe;
pub mod draft;
pub mod heartbeat;
pub mod leave;
pub mod member;
pub mod metadata;
pub mod migration;
pub mod partitions;
pub mod reconcile;
pub mod records;
pub mod regex;
pub mod replay;
pub mod settings;
pub mod target;
pub mod timer;

use super::{GroupRecord, Groups, Kind, Step};
use crate::base::collections::HashMap;
use crate::base::ids::{TopicId, TopicPartition};
use crate::base::time::Instant;
use crate::coordinator::World;
use crate::protocol::errors::ErrorCode;
use crate::protocol::string::Str;
use member::Member;
use partitions::{Partitions, epoch_of, partition};
use std::collections::{BTreeMap, BTreeSet};

/// A consumer group, as its records say.
#[derive(Default)]
pub struct ConsumerGroup {
    group_epoch: i32,
    metadata_hash: i64,
    target_epoch: i32,
    // When the target assignment was made, in milliseconds; 0 where that is not known.
    target_timestamp: i64,
    members: BTreeMap<Str, Member>,
    // What each member shall have.
    targets: BTreeMap<Str, Partitions>,
    // The topics that regular expressions mean, sorted.
    regexes: BTreeMap<Str, Vec<Str>>,

    // What follows from the members: instance ids; how many members name each topic; partitions that
    // are not free, with the epoch of who has them.
    static_members: BTreeMap<Str, Str>,
    named_topics: BTreeMap<Str, usize>,
    owners: HashMap<TopicPartition, i32>,

    // Not recorded: when regular expressions were last looked up.
    regexes_refreshed: Option<Instant>,
}

/// How the partitions of a commit are checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommitCheck {
    /// Any partition may be committed.
    EveryPartition,
    /// The member's epoch is an old one: each partition is to be asked for. KIP-1251.
    EachPartition,
}

/// Why a request is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    /// Kafka's code.
    pub(super) code: ErrorCode,
    /// A sentence for the client.
    pub(super) message: String,
}

impl Refusal {
    fn new(code: ErrorCode, message: String) -> Refusal {
        Refusal { code, message }
    }
}

/// What a group's epoch is before anything has made it rise; the first member that wants a topic
/// makes it 2. 0 is no epoch: so members say that they join.
const FIRST_EPOCH: i32 = 1;

impl ConsumerGroup {
    /// A group that has nobody yet.
    #[must_use]
    pub fn new() -> ConsumerGroup {
        ConsumerGroup {
            group_epoch: FIRST_EPOCH,
            ..ConsumerGroup::default()
        }
    }

    /// Whether it has no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many members it has.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Its members, in the order of their ids.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// One member.
    #[must_use]
    pub fn member(&self, member_id: &str) -> Option<&Member> {
        self.members.get(member_id)
    }

    /// The member of that instance id.
    #[must_use]
    pub fn static_member(&self, instance_id: &str) -> Option<&Member> {
        self.members.get(self.static_members.get(instance_id)?)
    }

    /// What a member shall have, sorted.
    #[must_use]
    pub fn target(&self, member_id: &str) -> &[TopicPartition] {
        self.targets
            .get(member_id)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Its epoch.
    #[must_use]
    pub fn group_epoch(&self) -> i32 {
        self.group_epoch
    }

    /// The epoch of its target assignment.
    #[must_use]
    pub fn target_epoch(&self) -> i32 {
        self.target_epoch
    }

    /// Kafka's name of its state.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        let reconciled = |member: &Member| member.is_reconciled_to(self.target_epoch);
        if self.members.is_empty() {
            "Empty"
        } else if self.group_epoch > self.target_epoch {
            "Assigning"
        } else if self.members.values().all(reconciled) {
            "Stable"
        } else {
            "Reconciling"
        }
    }

    /// Whether a member wants the topic, by name or by regular expression.
    #[must_use]
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        self.named_topics.contains_key(topic)
            || self
                .regexes
                .values()
                .any(|topics| topics.binary_search_by(|one| (**one).cmp(topic)).is_ok())
    }

    /// Whether the partition is free: no member has it, or still has to give it back.
    #[must_use]
    pub fn is_free(&self, partition: TopicPartition) -> bool {
        !self.owners.contains_key(&partition)
    }

    /// Whether members use any regular expression.
    #[must_use]
    pub fn has_regexes(&self) -> bool {
        !self.regexes.is_empty()
    }

    /// Whether a member may commit. -1 as epoch is an administrator, or a consumer without a group:
    /// both may while the group has no members.
    ///
    /// # Errors
    /// UNKNOWN_MEMBER_ID; UNSUPPORTED_VERSION for a member that speaks the consumer protocol and
    /// commits as classic ones do; STALE_MEMBER_EPOCH, or ILLEGAL_GENERATION for a classic member,
    /// where the epoch lies ahead.
    pub fn validate_offset_commit(
        &self,
        member_id: &str,
        member_epoch: i32,
        version: i16,
    ) -> Result<CommitCheck, ErrorCode> {
        // The first version whose generation may be a member epoch.
        const COMMIT_WITH_MEMBER_EPOCH: i16 = 9;
        if member_epoch < 0 && self.members.is_empty() {
            return Ok(CommitCheck::EveryPartition);
        }
        let member = self.known(member_id)?;
        if !member.is_classic() && version < COMMIT_WITH_MEMBER_EPOCH {
            return Err(ErrorCode::UNSUPPORTED_VERSION);
        }
        match member_epoch.cmp(&member.current.epoch) {
            std::cmp::Ordering::Equal => Ok(CommitCheck::EveryPartition),
            std::cmp::Ordering::Less => Ok(CommitCheck::EachPartition),
            std::cmp::Ordering::Greater => Err(wrong_epoch(member)),
        }
    }

    /// Whether a member of an older epoch may still commit a partition: it must have had the
    /// partition in that epoch already, and must have it still. KIP-1251.
    ///
    /// # Errors
    /// UNKNOWN_MEMBER_ID; STALE_MEMBER_EPOCH, or ILLEGAL_GENERATION for a classic member.
    pub fn validate_partition_commit(
        &self,
        member_id: &str,
        member_epoch: i32,
        topic_id: TopicId,
        number: i32,
    ) -> Result<(), ErrorCode> {
        let member = self.known(member_id)?;
        let partition = partition(topic_id, number);
        let current = &member.current;
        let assigned_in = epoch_of(&current.assigned, partition)
            .or_else(|| epoch_of(&current.pending_revocation, partition));
        match assigned_in {
            Some(epoch) if epoch <= member_epoch => Ok(()),
            Some(_) | None => Err(wrong_epoch(member)),
        }
    }

    /// Whether somebody may fetch offsets. No member and epoch -1 is an administrator.
    ///
    /// # Errors
    /// UNKNOWN_MEMBER_ID; STALE_MEMBER_EPOCH, or ILLEGAL_GENERATION for a classic member.
    pub fn validate_offset_fetch(
        &self,
        member_id: Option<&Str>,
        member_epoch: i32,
    ) -> Result<(), ErrorCode> {
        if member_id.is_none() && member_epoch < 0 {
            return Ok(());
        }
        let member = self.known(member_id.map(Str::as_str).unwrap_or_default())?;
        if member.current.epoch == member_epoch {
            Ok(())
        } else {
            Err(wrong_epoch(member))
        }
    }

    /// Everything of the group is gone: its members first, the group last.
    pub fn tombstones(&self, group_id: &Str, records: &mut Vec<GroupRecord>) {
        let ids: BTreeSet<&Str> = self.members.keys().chain(self.targets.keys()).collect();
        for member_id in ids {
            records::no_member(group_id, member_id, records);
        }
        for regex in self.regexes.keys() {
            records.push(records::no_regex(group_id, regex));
        }
        records.push(records::no_target_epoch(group_id));
        records.push(records::no_partition_metadata(group_id));
        records.push(records::no_epoch(group_id));
    }

    fn known(&self, member_id: &str) -> Result<&Member, ErrorCode> {
        self.members
            .get(member_id)
            .ok_or(ErrorCode::UNKNOWN_MEMBER_ID)
    }
}

fn wrong_epoch(member: &Member) -> ErrorCode {
    if member.is_classic() {
        ErrorCode::ILLEGAL_GENERATION
    } else {
        ErrorCode::STALE_MEMBER_EPOCH
    }
}

impl Groups {
    /// The id of a group in memory of its own: what is kept, timers say, must not keep a request's
    /// frame alive.
    fn own_id(&self, group_id: &Str) -> Str {
        match self.groups.get_key_value(group_id) {
            Some((own, _)) => own.clone(),
            None => group_id.detached(),
        }
    }

    /// The consumer group of that id, where it is one.
    #[must_use]
    pub fn consumer(&self, group_id: &str) -> Option<&ConsumerGroup> {
        match &self.groups.get(group_id)?.kind {
            Kind::Consumer(group) => Some(group),
            Kind::Classic(_) => None,
        }
    }

    fn uses_regex(&self, group_id: &str, regex: &str) -> bool {
        self.consumer(group_id)
            .is_some_and(|group| group.regexes.contains_key(regex))
    }

    fn consumer_mut(&mut self, group_id: &str) -> Option<&mut ConsumerGroup> {
        match &mut self.groups.get_mut(group_id)?.kind {
            Kind::Consumer(group) => Some(group),
            Kind::Classic(_) => None,
        }
    }
}

/// The log was replayed: every member has its whole session before it, and the topics may have
/// changed since the group last looked at them.
pub fn on_loaded(groups: &mut Groups, world: &mut World<'_>) -> Step {
    let ids: Vec<Str> = groups
        .groups
        .iter()
        .filter(|(_, group)| matches!(group.kind, Kind::Consumer(_)))
        .map(|(group_id, _)| group_id.clone())
        .collect();
    let mut step = Step::nothing();
    for group_id in ids {
        timer::begin(groups, world, &group_id);
        step.extend(metadata::refresh(groups, world, &group_id));
    }
    step
}

#[cfg(test)]
mod tests;
