//! Members of a consumer group that speak the classic protocol: consumers that have not been
//! upgraded yet, or not rolled back yet. To the group they are members like the others; what they
//! want and have, they say by JoinGroup, and what they may have, they learn by SyncGroup.
//!
//! ```text
//!   consumer protocol          classic protocol
//!   member epoch               generation
//!   owned partitions           owned_partitions of the subscription, at each JoinGroup
//!   a new target, partitions   REBALANCE_IN_PROGRESS to a heartbeat: join again
//!     to give back or to take
//! ```
//! JoinGroup is answered at once, and there is no leader: nobody waits for anybody.

use super::admit::{Admitted, Applicant, fenced_instance, unknown_member};
use super::advance::advance;
use super::draft::Draft;
use super::heartbeat::{check_size, new_member_id};
use super::member::{ClassicMember, Member, MemberState, Subscription, client, sorted_names};
use super::migration::{self, CONSUMER, read_subscription, topic_id, write_assignment};
use super::partitions::{Owned, epoch_of};
use super::{ConsumerGroup, Refusal, leave, settings, target, timer};
use crate::base::time::milliseconds;
use crate::coordinator::World;
use crate::coordinator::group::{Asked, GroupReply, Groups, Step};
use crate::partition::work::Origin;
use crate::protocol::consumer_protocol::ConsumerProtocolSubscription;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::consumer_group_heartbeat::request::TopicPartitions;
use crate::protocol::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use crate::protocol::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use crate::protocol::messages::leave_group::{
    LeaveGroupRequest, LeaveGroupResponse, MemberIdentity, MemberResponse,
};
use crate::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use crate::protocol::string::Str;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The first version in which a dynamic member joins twice: for its id, and with it. KIP-394.
const JOIN_WITH_KNOWN_ID: i16 = 4;

/// The first version of LeaveGroup that answers for each member.
const LEAVE_BY_MEMBER: i16 = 3;

/// JoinGroup to a consumer group that has members.
pub fn join(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    asked: &Asked,
    request: JoinGroupRequest,
) -> Step {
    let is_unknown = request.member_id.is_empty();
    let member_id = if is_unknown {
        new_member_id(world.random)
    } else {
        request.member_id.clone()
    };
    match joined(groups, world, asked, &request, &member_id) {
        Ok((mut step, response)) => {
            let reply = GroupReply::JoinGroup(response);
            step.replies.extend(origin.map(|origin| (origin, reply)));
            step
        }
        Err(refusal) => {
            let is_required = refusal.code == ErrorCode::MEMBER_ID_REQUIRED;
            let response = JoinGroupResponse {
                error_code: refusal.code.code(),
                member_id: if is_required {
                    member_id
                } else {
                    request.member_id
                },
                ..JoinGroupResponse::default()
            };
            Step::reply(origin, GroupReply::JoinGroup(response))
        }
    }
}

fn joined(
    groups: &mut Groups,
    world: &mut World<'_>,
    asked: &Asked,
    request: &JoinGroupRequest,
    member_id: &Str,
) -> Result<(Step, JoinGroupResponse), Refusal> {
    let group_id = &groups.own_id(&request.group_id);
    let is_unknown = request.member_id.is_empty();
    let group = groups
        .consumer(group_id)
        .ok_or_else(|| unknown_member(group_id, member_id))?;
    check_size(group, world, member_id)?;
    let (preferred, subscription) = check_protocols(group, member_id, request)?;
    if is_unknown && request.group_instance_id.is_none() && asked.version >= JOIN_WITH_KNOWN_ID {
        let why = "The member joins again with the id that it is given.".to_owned();
        return Err(Refusal::new(ErrorCode::MEMBER_ID_REQUIRED, why));
    }

    let owned = owned_partitions(world, &subscription);
    let owned = Owned(Some(&owned));
    let applicant = Applicant {
        group_id,
        member_id,
        instance_id: request.group_instance_id.as_ref(),
        epoch: None,
        owned,
        joins: is_unknown || request.group_instance_id.is_none(),
    };
    let admitted = applicant.admit(group)?;
    let replaced = match &admitted {
        Admitted::Replacing(old, _) => Some(old.id.clone()),
        Admitted::Known(_) | Admitted::New(_) => None,
    };
    let mut draft = Draft::new(group_id, group);
    let advanced = advance(
        &mut draft,
        world,
        admitted,
        |known| Some(wanted(known, asked, request, &subscription)),
        owned,
    )?;
    let member = advanced.member;
    let mut written = draft.records;

    // The last that spoke the consumer protocol may be the one whose place is taken.
    let downgrade = replaced
        .as_ref()
        .and_then(|old| migration::downgrade(world, group_id, group, &[old], Some(&member)));
    let is_downgraded = downgrade.is_some();
    written.extend(downgrade.into_iter().flatten());

    let response = JoinGroupResponse {
        generation_id: member.current.epoch,
        protocol_type: Some(CONSUMER),
        protocol_name: Some(preferred.name.clone()),
        member_id: member.id.clone(),
        ..JoinGroupResponse::default()
    };
    if let Some(old) = replaced {
        timer::forget(groups, group_id, &old);
    }
    if is_downgraded {
        migration::downgraded(groups, world, group_id);
    } else {
        let session = settings::session_timeout_of(world, group_id, &member);
        timer::session(groups, world, group_id, &member.id, session);
        timer::no_rebalance(groups, group_id, &member.id);
        timer::classic_member(groups, world, group_id, &member.id, time_to_join(&member));
        timer::assign_later(groups, group_id, advanced.assign_at);
    }
    let step = Step {
        records: written,
        replies: Vec::new(),
    };
    Ok((step, response))
}

/// The member's preferred protocol and what it says with it, where it is a consumer that has a
/// protocol in common with all others that speak the classic one.
fn check_protocols<'a>(
    group: &ConsumerGroup,
    member_id: &Str,
    request: &'a JoinGroupRequest,
) -> Result<(&'a JoinGroupRequestProtocol, ConsumerProtocolSubscription), Refusal> {
    let inconsistent = |why: String| Refusal::new(ErrorCode::INCONSISTENT_GROUP_PROTOCOL, why);
    let others = group
        .members()
        .filter(|member| member.id != *member_id)
        .filter_map(|member| member.subscription.classic.as_ref());
    let mut other_count = 0;
    let mut supported: BTreeMap<&Str, usize> = BTreeMap::new();
    for other in others {
        other_count += 1;
        let names: BTreeSet<&Str> = other.protocols.iter().map(|(name, _)| name).collect();
        for name in names {
            *supported.entry(name).or_default() += 1;
        }
    }
    let in_common = |name| supported.get(name).copied().unwrap_or(0) == other_count;
    let is_supported = request.protocol_type == CONSUMER
        && request.protocols.iter().any(|one| in_common(&one.name));
    let preferred = request.protocols.first().filter(|_| is_supported);
    let preferred = preferred.ok_or_else(|| {
        inconsistent(format!("Member {member_id}'s protocols are not supported."))
    })?;
    let (subscription, _) = read_subscription(&preferred.metadata).ok_or_else(|| {
        inconsistent(format!(
            "The subscription of member {member_id} cannot be read."
        ))
    })?;
    Ok((preferred, subscription))
}

fn owned_partitions(
    world: &World<'_>,
    subscription: &ConsumerProtocolSubscription,
) -> Vec<TopicPartitions> {
    subscription
        .owned_partitions
        .iter()
        .filter_map(|topic| {
            Some(TopicPartitions {
                topic_id: topic_id(world.image, &topic.topic)?,
                partitions: topic.partitions.clone(),
                ..TopicPartitions::default()
            })
        })
        .collect()
}

fn wanted(
    known: &Subscription,
    asked: &Asked,
    request: &JoinGroupRequest,
    subscription: &ConsumerProtocolSubscription,
) -> Subscription {
    let own = |text: &Option<Str>| text.as_ref().map(Str::detached);
    Subscription {
        instance_id: own(&request.group_instance_id).or_else(|| known.instance_id.clone()),
        rack_id: own(&subscription.rack_id).or_else(|| known.rack_id.clone()),
        client: client(&known.client, &asked.client),
        topic_names: sorted_names(&subscription.topics),
        topic_regex: None,
        rebalance_timeout_ms: match request.rebalance_timeout_ms {
            -1 => request.session_timeout_ms,
            given => given,
        },
        server_assignor: known.server_assignor.clone(),
        classic: Some(ClassicMember {
            session_timeout_ms: request.session_timeout_ms,
            protocols: request
                .protocols
                .iter()
                .map(|one| (one.name.detached(), Bytes::copy_from_slice(&one.metadata)))
                .collect(),
        }),
    }
}

fn time_to_join(member: &Member) -> Duration {
    milliseconds(i64::from(member.subscription.rebalance_timeout_ms))
}

/// SyncGroup to a consumer group.
pub fn sync(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    _: &Asked,
    request: SyncGroupRequest,
) -> Step {
    let response = match synced(groups, world, &request) {
        Ok(assignment) => SyncGroupResponse {
            protocol_type: request.protocol_type,
            protocol_name: request.protocol_name,
            assignment,
            ..SyncGroupResponse::default()
        },
        Err(code) => SyncGroupResponse {
            error_code: code.code(),
            ..SyncGroupResponse::default()
        },
    };
    Step::reply(origin, GroupReply::SyncGroup(response))
}

fn synced(
    groups: &mut Groups,
    world: &World<'_>,
    request: &SyncGroupRequest,
) -> Result<Bytes, ErrorCode> {
    let group_id = &groups.own_id(&request.group_id);
    let group = groups
        .consumer(group_id)
        .ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
    let instance_id = request.group_instance_id.as_ref();
    let (member, classic) = find(group, &request.member_id, instance_id)?;
    if member.current.epoch != request.generation_id {
        return Err(ErrorCode::ILLEGAL_GENERATION);
    }
    let preferred = classic.protocols.first();
    let other_type = request
        .protocol_type
        .as_ref()
        .is_some_and(|one| *one != CONSUMER);
    let other_name = request
        .protocol_name
        .as_ref()
        .is_some_and(|one| preferred.is_none_or(|(name, _)| name != one));
    if other_type || other_name {
        return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    // One that gives partitions back has joined already: it finishes that first.
    let is_behind = group.target_epoch > member.current.epoch
        && member.current.state != MemberState::UnrevokedPartitions;
    let member_id = member.id.clone();
    if is_behind {
        let timeout = time_to_join(member);
        timer::classic_member_if_absent(groups, world, group_id, &member_id, timeout);
        return Err(ErrorCode::REBALANCE_IN_PROGRESS);
    }
    let version = preferred
        .and_then(|(_, metadata)| read_subscription(metadata))
        .map_or(0, |(_, version)| version);
    let assigned = member.current.assigned.iter();
    let assigned = assigned.map(|(partition, _)| *partition);
    let assignment = write_assignment(world.image, assigned, version);
    let session = settings::session_timeout_of(world, group_id, member);
    timer::no_classic_member(groups, group_id, &member_id);
    timer::session(groups, world, group_id, &member_id, session);
    Ok(assignment)
}

fn find<'a>(
    group: &'a ConsumerGroup,
    member_id: &Str,
    instance_id: Option<&Str>,
) -> Result<(&'a Member, &'a ClassicMember), ErrorCode> {
    let member = match instance_id {
        None => group.member(member_id),
        Some(instance_id) => group.static_member(instance_id),
    };
    let member = member.ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
    if member.id != *member_id {
        return Err(ErrorCode::FENCED_INSTANCE_ID);
    }
    let classic = member.subscription.classic.as_ref();
    let classic = classic.ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
    Ok((member, classic))
}

/// Heartbeat to a consumer group.
pub fn heartbeat(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    request: &HeartbeatRequest,
) -> Step {
    let (mut step, code) = match heard(groups, world, request) {
        Ok((step, code)) => (step, code),
        Err(code) => (Step::nothing(), code),
    };
    let reply = GroupReply::Heartbeat(HeartbeatResponse {
        error_code: code.code(),
        ..HeartbeatResponse::default()
    });
    step.replies.extend(origin.map(|origin| (origin, reply)));
    step
}

fn heard(
    groups: &mut Groups,
    world: &World<'_>,
    request: &HeartbeatRequest,
) -> Result<(Step, ErrorCode), ErrorCode> {
    let group_id = &groups.own_id(&request.group_id);
    let group = groups
        .consumer(group_id)
        .ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
    let instance_id = request.group_instance_id.as_ref();
    let (member, _) = find(group, &request.member_id, instance_id)?;
    if member.current.epoch != request.generation_id {
        return Err(ErrorCode::ILLEGAL_GENERATION);
    }
    // A group whose members are all of this kind has no other heartbeats that would assign.
    let mut draft = Draft::new(group_id, group);
    let assign_at = target::renew(&mut draft, world);
    let must_join = match member.current.state {
        MemberState::UnrevokedPartitions => true,
        MemberState::UnreleasedPartitions => !waits_for_others(group, member),
        MemberState::Stable | MemberState::Unknown => false,
    };
    let must_join = must_join || draft.target_epoch > member.current.epoch;
    let records = draft.records;
    let (member_id, timeout) = (member.id.clone(), time_to_join(member));
    let session = settings::session_timeout_of(world, group_id, member);
    timer::session(groups, world, group_id, &member_id, session);
    timer::assign_later(groups, group_id, assign_at);
    let code = if must_join {
        timer::classic_member_if_absent(groups, world, group_id, &member_id, timeout);
        ErrorCode::REBALANCE_IN_PROGRESS
    } else {
        ErrorCode::NONE
    };
    let step = Step {
        records,
        replies: Vec::new(),
    };
    Ok((step, code))
}

/// Whether others still have what the member shall have.
fn waits_for_others(group: &ConsumerGroup, member: &Member) -> bool {
    group.target(&member.id).iter().any(|&partition| {
        epoch_of(&member.current.assigned, partition).is_none() && !group.is_free(partition)
    })
}

/// LeaveGroup to a consumer group.
pub fn leave(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    asked: &Asked,
    request: LeaveGroupRequest,
) -> Step {
    let group_id = groups.own_id(&request.group_id);
    let mut going: BTreeSet<Str> = BTreeSet::new();
    let mut members = Vec::with_capacity(request.members.len());
    for identity in &request.members {
        let found = match groups.consumer(&group_id) {
            Some(group) => find_leaving(group, identity),
            None => Err(ErrorCode::UNKNOWN_MEMBER_ID),
        };
        let (member_id, code) = match found {
            // The second time it is no member any more.
            Ok(member) if going.contains(&member.id) => {
                (identity.member_id.clone(), ErrorCode::UNKNOWN_MEMBER_ID)
            }
            Ok(member) => {
                going.insert(member.id.clone());
                (member.id.clone(), ErrorCode::NONE)
            }
            Err(code) => (identity.member_id.clone(), code),
        };
        members.push(MemberResponse {
            member_id,
            group_instance_id: identity.group_instance_id.clone(),
            error_code: code.code(),
            ..MemberResponse::default()
        });
    }
    let going: Vec<Str> = going.into_iter().collect();
    let mut step = leave::remove(groups, world, &group_id, &going);
    let first = members.first().map_or(0, |member| member.error_code);
    let response = LeaveGroupResponse {
        error_code: if asked.version < LEAVE_BY_MEMBER {
            first
        } else {
            ErrorCode::NONE.code()
        },
        members,
        ..LeaveGroupResponse::default()
    };
    let reply = GroupReply::LeaveGroup(response);
    step.replies.extend(origin.map(|origin| (origin, reply)));
    step
}

fn find_leaving<'a>(
    group: &'a ConsumerGroup,
    identity: &MemberIdentity,
) -> Result<&'a Member, ErrorCode> {
    let Some(instance_id) = &identity.group_instance_id else {
        return find(group, &identity.member_id, None).map(|(member, _)| member);
    };
    let member = group
        .static_member(instance_id)
        .ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
    // An administrator removes by instance id alone.
    if !identity.member_id.is_empty() && identity.member_id != member.id {
        return Err(fenced_instance(&identity.member_id, instance_id, member).code);
    }
    match member.is_classic() {
        true => Ok(member),
        false => Err(ErrorCode::UNKNOWN_MEMBER_ID),
    }
}
