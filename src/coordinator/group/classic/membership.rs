//! Who is in a classic group: members come, change and go; counts, votes and the leader follow.
//! Nothing here knows time or answers anybody.

use super::{ClassicGroup, Member, Protocols, State};
use crate::base::time::{Timestamp, milliseconds};
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::join_group::JoinGroupResponseMember;
use crate::protocol::string::Str;
use std::collections::BTreeMap;
use std::time::Duration;

impl ClassicGroup {
    /// Takes a member in. The first one leads, until it goes or does not come back.
    pub(super) fn add(&mut self, member: Member, protocol_type: &Str) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.detached());
        }
        let id = member.member_id.clone();
        if let Some(instance) = &member.group_instance_id {
            self.static_members.insert(instance.clone(), id.clone());
        }
        if self.leader.is_none() {
            self.leader = Some(id.clone());
        }
        self.pending_join.remove(&id);
        self.count(&member.protocols);
        if member.awaiting_join.is_some() {
            self.awaiting_join += 1;
        }
        let before = self.members.insert(id, member);
        assert!(before.is_none(), "a member joins once");
    }

    /// Takes a member out, or forgets an id that was given and not used.
    pub(super) fn remove(&mut self, member_id: &Str) -> Option<Member> {
        self.pending_join.remove(member_id);
        self.pending_sync.remove(member_id);
        let member = self.members.remove(member_id)?;
        self.uncount(&member.protocols);
        if member.awaiting_join.is_some() {
            self.awaiting_join -= 1;
        }
        if let Some(instance) = &member.group_instance_id {
            self.static_members.remove(instance);
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
        Some(member)
    }

    /// A member says anew what it offers and how long it may take.
    pub(super) fn update(
        &mut self,
        member_id: &Str,
        protocols: Protocols,
        rebalance_timeout_ms: i32,
        session_timeout_ms: i32,
    ) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        member.rebalance_timeout_ms = rebalance_timeout_ms;
        member.session_timeout_ms = session_timeout_ms;
        if member.protocols == protocols {
            return;
        }
        let before = std::mem::replace(&mut member.protocols, protocols.clone());
        self.uncount(&before);
        self.count(&protocols);
    }

    /// Gives the static member `old` the id `new`; all else of it stays.
    pub(super) fn rename(&mut self, old: &Str, new: &Str) {
        let Some(mut member) = self.members.remove(old) else {
            return;
        };
        member.member_id = new.clone();
        if let Some(instance) = &member.group_instance_id {
            self.static_members.insert(instance.clone(), new.clone());
        }
        if self.is_leader(old) {
            self.leader = Some(new.clone());
        }
        if self.pending_sync.remove(old) {
            self.pending_sync.insert(new.clone());
        }
        self.members.insert(new.clone(), member);
    }

    /// A member waits for the answer to JoinGroup, or no more. Returns who waited before.
    pub(super) fn await_join(&mut self, member_id: &Str, origin: Option<Origin>) -> Option<Origin> {
        let member = self.members.get_mut(member_id)?;
        self.awaiting_join += usize::from(origin.is_some());
        let before = std::mem::replace(&mut member.awaiting_join, origin);
        self.awaiting_join -= usize::from(before.is_some());
        before
    }

    pub(super) fn is_leader(&self, member_id: &Str) -> bool {
        self.leader.as_ref() == Some(member_id)
    }

    /// Whether everybody who is known, also by a given id alone, waits for the next generation.
    pub(super) fn has_all_joined(&self) -> bool {
        self.members.len() == self.awaiting_join && self.pending_join.is_empty()
    }

    /// Makes sure that the leader is one who has joined. False where nobody has.
    pub(super) fn elect_joined_leader(&mut self) -> bool {
        let leader = self.leader.as_ref().and_then(|id| self.members.get(id));
        if leader.is_some_and(|leader| leader.awaiting_join.is_some()) {
            return true;
        }
        let mut joined = self
            .members
            .values()
            .filter(|member| member.awaiting_join.is_some());
        match joined.next() {
            Some(member) => {
                self.leader = Some(member.member_id.clone());
                true
            }
            None => false,
        }
    }

    /// The longest that any member may take.
    pub(super) fn rebalance_timeout(&self) -> Duration {
        let timeouts = self
            .members
            .values()
            .map(|member| member.rebalance_timeout_ms);
        milliseconds(i64::from(timeouts.max().unwrap_or(0)))
    }

    /// Whether one who offers these protocols could be a member: all must support one of them.
    pub(super) fn supports(&self, protocol_type: &Str, protocols: &Protocols) -> bool {
        if self.state == State::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let everyone = self.members.len();
        let supporters = |name: &Str| self.supported.get(name).copied().unwrap_or(0);
        self.protocol_type.as_ref() == Some(protocol_type)
            && protocols.names().any(|name| supporters(name) == everyone)
    }

    /// The protocol of the next generation: of those that all support, each member votes for the
    /// one it prefers. Among equals the first by name, so that replicas of a run agree.
    pub(super) fn select_protocol(&self) -> Option<Str> {
        let everyone = self.members.len();
        let mut votes: BTreeMap<&Str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let mut candidates = member
                .protocols
                .names()
                .filter(|name| self.supported.get(*name) == Some(&everyone));
            if let Some(name) = candidates.next() {
                *votes.entry(name).or_default() += 1;
            }
        }
        // `max_by_key` takes the last of equals.
        let (chosen, _) = votes.into_iter().rev().max_by_key(|(_, count)| *count)?;
        // The name as counted lies in memory of its own, the member's lies among its metadata.
        let (name, _) = self.supported.get_key_value(chosen)?;
        Some(name.clone())
    }

    /// The next generation begins: of those who are there.
    pub(super) fn begin_generation(&mut self, now: Timestamp) {
        // Only a forged record brings the last generation there is.
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.pending_sync.clear();
        self.protocol_name = self.select_protocol();
        if self.members.is_empty() {
            self.enter(State::Empty, now);
        } else {
            self.enter(State::CompletingRebalance, now);
        }
    }

    pub(super) fn enter(&mut self, state: State, now: Timestamp) {
        self.state = state;
        self.state_timestamp = Some(now);
        if state != State::PreparingRebalance {
            self.initial = None;
        }
    }

    /// All members with what they say about the chosen protocol, for the leader to assign.
    pub(super) fn members_for_leader(&self) -> Vec<JoinGroupResponseMember> {
        let protocol = self.protocol_name.clone().unwrap_or_default();
        let members = self.members.values().map(|member| JoinGroupResponseMember {
            member_id: member.member_id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            metadata: member
                .protocols
                .metadata(&protocol)
                .cloned()
                .unwrap_or_default(),
            ..JoinGroupResponseMember::default()
        });
        members.collect()
    }

    /// Whether this member may speak: it is known, and a static one is the last of its name.
    ///
    /// # Errors
    /// UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID where another member has its instance id.
    pub(super) fn validate_member(
        &self,
        member_id: &Str,
        group_instance_id: Option<&Str>,
    ) -> Result<(), ErrorCode> {
        self.validate_instance(member_id, group_instance_id)?;
        if self.members.contains_key(member_id) {
            Ok(())
        } else {
            Err(ErrorCode::UNKNOWN_MEMBER_ID)
        }
    }

    /// Whether an instance id, where a request has one, is this member's.
    pub(super) fn validate_instance(
        &self,
        member_id: &Str,
        group_instance_id: Option<&Str>,
    ) -> Result<(), ErrorCode> {
        let Some(instance) = group_instance_id else {
            return Ok(());
        };
        match self.static_members.get(instance) {
            None => Err(ErrorCode::UNKNOWN_MEMBER_ID),
            Some(current) if current != member_id => Err(ErrorCode::FENCED_INSTANCE_ID),
            Some(_) => Ok(()),
        }
    }

    fn count(&mut self, protocols: &Protocols) {
        for name in protocols.names() {
            match self.supported.get_mut(name) {
                Some(count) => *count += 1,
                // A name shares the memory of its member's metadata, which may be large.
                None => {
                    self.supported.insert(name.detached(), 1);
                }
            }
        }
    }

    fn uncount(&mut self, protocols: &Protocols) {
        for name in protocols.names() {
            if let Some(count) = self.supported.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    self.supported.remove(name);
                }
            }
        }
    }
}
