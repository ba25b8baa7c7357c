//! A classic group as a record of type 2 in `__consumer_offsets`, and back.
//!
//! ```text
//! key     2 | group id
//! value   3 | protocol type | generation | protocol | leader | state timestamp
//!           | [member id | instance id | client id | client host | rebalance timeout
//!              | session timeout | subscription | assignment]
//! ```
//! A record that this coordinator has written finds the group alive when it is replayed: members
//! that wait and timers that run stay, the assignments are what is new. Any other record is all
//! that is known of its group.

use super::member::Session;
use super::turn::Turn;
use super::{ClassicGroup, Member, Protocols, State};
use crate::base::time::{Now, Timestamp};
use crate::coordinator::Timers;
use crate::coordinator::group::{Client, GroupRecord, Groups, Kind, Step, TimerKey};
use crate::coordinator::machine::World;
use crate::protocol::coordinator_records::group_metadata::MemberMetadata;
use crate::protocol::coordinator_records::{GroupMetadataKey, GroupMetadataValue};
use crate::protocol::string::Str;
use bytes::Bytes;
use std::collections::BTreeMap;

impl Turn<'_, '_> {
    /// Adds the group as it is to what is written, its members with these assignments.
    pub(super) fn write_group(&mut self, assignment: impl Fn(&Member) -> Bytes) {
        self.group.writing = Some(self.group.generation);
        let value = self.group.to_record(assignment);
        let key = GroupMetadataKey {
            group: self.group_id.clone(),
            ..GroupMetadataKey::default()
        };
        let record = GroupRecord::GroupMetadata(key, Some(value));
        self.step.records.push(record);
    }
}

impl ClassicGroup {
    /// The group as a record's value.
    pub(super) fn to_record(&self, assignment: impl Fn(&Member) -> Bytes) -> GroupMetadataValue {
        let members = self.members.values().map(|member| MemberMetadata {
            member_id: member.member_id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            client_id: member.client.id.clone(),
            client_host: member.client.host.clone(),
            rebalance_timeout: member.rebalance_timeout_ms,
            session_timeout: member.session_timeout_ms,
            subscription: self.subscription_of(member),
            assignment: assignment(member),
            ..MemberMetadata::default()
        });
        GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol_name.clone(),
            leader: self.leader.clone(),
            current_state_timestamp: self.state_timestamp.unwrap_or(Timestamp::NONE).0,
            members: members.collect(),
            ..GroupMetadataValue::default()
        }
    }

    /// What a member says with the chosen protocol; where none is chosen, or it has changed its
    /// mind since, with the one that it prefers.
    fn subscription_of(&self, member: &Member) -> Bytes {
        let chosen = self.protocol_name.as_ref();
        let chosen = chosen.and_then(|name| member.protocols.metadata(name));
        let preferred = || member.protocols.iter().next().map(|(_, metadata)| metadata);
        chosen.or_else(preferred).cloned().unwrap_or_default()
    }

    /// The group that a record tells of. It copies what it keeps: records lie in large blocks.
    fn from_record(value: &GroupMetadataValue) -> ClassicGroup {
        let mut group = ClassicGroup::simple();
        let protocol_type = value.protocol_type.detached();
        let protocol = value.protocol.as_ref().map(Str::detached);
        let leader = value.leader.as_ref().filter(|leader| !leader.is_empty());
        group.generation = value.generation;
        group.leader = leader.map(Str::detached);
        for member in &value.members {
            if group.members.contains_key(&member.member_id) {
                continue;
            }
            let name = protocol.clone().unwrap_or_default();
            group.add(member_from(member, name), &protocol_type);
        }
        if !group.members.is_empty() {
            group.state = State::Stable;
        }
        group.protocol_type = Some(protocol_type).filter(|name| !name.is_empty());
        group.protocol_name = protocol;
        let timestamp = Some(Timestamp(value.current_state_timestamp));
        group.state_timestamp = timestamp.filter(|timestamp| *timestamp != Timestamp::NONE);
        group
    }

    /// The record of this generation is written, and the group is alive.
    fn is_written(&mut self, now: Now, value: GroupMetadataValue) {
        let mut assignments: BTreeMap<Str, Bytes> = value
            .members
            .into_iter()
            .map(|member| (member.member_id, member.assignment))
            .collect();
        for member in self.members.values_mut() {
            if let Some(assignment) = assignments.remove(&member.member_id) {
                member.assignment = assignment;
            }
        }
        if self.state == State::CompletingRebalance {
            self.enter(State::Stable, now.timestamp);
        }
    }

    /// No timer of the group runs any more.
    fn cancel_timers(&self, group_id: &Str, timers: &mut Timers<TimerKey>) {
        let group_id = || group_id.clone();
        for member_id in self.members.keys() {
            timers.cancel(&TimerKey::ClassicSession {
                group_id: group_id(),
                member_id: member_id.clone(),
            });
        }
        for member_id in &self.pending_join {
            timers.cancel(&TimerKey::ClassicPendingMember {
                group_id: group_id(),
                member_id: member_id.clone(),
            });
        }
        timers.cancel(&TimerKey::ClassicJoin(group_id()));
        timers.cancel(&TimerKey::ClassicSync(group_id()));
    }
}

fn member_from(member: &MemberMetadata, protocol: Str) -> Member {
    let copy = Bytes::copy_from_slice;
    let rebalance_timeout_ms = match member.rebalance_timeout {
        -1 => member.session_timeout,
        timeout => timeout,
    };
    Member {
        member_id: member.member_id.detached(),
        group_instance_id: member.group_instance_id.as_ref().map(Str::detached),
        client: Client {
            id: member.client_id.detached(),
            host: member.client_host.detached(),
        },
        rebalance_timeout_ms,
        session_timeout_ms: member.session_timeout,
        protocols: Protocols::one(protocol, copy(&member.subscription)),
        assignment: copy(&member.assignment),
        awaiting_join: None,
        awaiting_sync: None,
        is_new: false,
        session: Session::NONE,
    }
}

/// Takes a record of type 2 into the state.
pub fn replay(
    groups: &mut Groups,
    now: Now,
    key: GroupMetadataKey,
    value: Option<GroupMetadataValue>,
) {
    let Some(value) = value else {
        remove(groups, &key.group);
        return;
    };
    let group = groups.get_or_simple(&key.group);
    match &mut group.kind {
        Kind::Classic(classic) => {
            let written = classic.writing.take();
            if written == Some(value.generation) {
                classic.is_written(now, value);
                return;
            }
            let before = std::mem::replace(classic, ClassicGroup::from_record(&value));
            if !before.members.is_empty() || !before.pending_join.is_empty() {
                before.cancel_timers(&key.group, &mut groups.timers);
            }
        }
        Kind::Consumer(_) => group.kind = Kind::Classic(ClassicGroup::from_record(&value)),
    }
}

/// The group's tombstone. Its offsets have tombstones of their own.
fn remove(groups: &mut Groups, group_id: &Str) {
    let Some(group) = groups.groups.get_mut(group_id) else {
        return;
    };
    match &group.kind {
        Kind::Classic(classic) => classic.cancel_timers(group_id, &mut groups.timers),
        // The group has become a consumer group; it is the classic one that is gone.
        Kind::Consumer(_) => return,
    }
    if group.offsets.is_empty() {
        groups.groups.remove(group_id);
    } else {
        group.kind = Kind::Classic(ClassicGroup::simple());
    }
}

/// The log is replayed: members must be heard of from now on. A group that has become too large
/// gathers its members, so that some of them go.
pub fn on_loaded(groups: &mut Groups, world: &mut World<'_>) -> Step {
    let with_members = |kind: &Kind| match kind {
        Kind::Classic(classic) => !classic.members.is_empty(),
        Kind::Consumer(_) => false,
    };
    let ids: Vec<Str> = groups
        .groups
        .iter()
        .filter(|(_, group)| with_members(&group.kind))
        .map(|(group_id, _)| group_id.clone())
        .collect();
    let size_max = usize::try_from(world.configuration.group_max_size()).unwrap_or(0);
    let mut step = Step::nothing();
    for group_id in ids {
        let Some(mut turn) = Turn::begin(groups, world, &group_id) else {
            continue;
        };
        turn.begin_sessions();
        if turn.group.members.len() > size_max {
            turn.prepare();
        }
        step.extend(turn.step);
    }
    step
}
