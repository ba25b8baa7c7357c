//! The classic protocol, one rule after another, against a coordinator in the hand of the test.

mod churn;
mod generations;
mod members;
mod refusals;
mod static_members;

use super::{ClassicGroup, State};
use crate::coordinator::group::harness::{Harness, Ticket, asked};
use crate::coordinator::group::{GroupCommand, GroupRecord, GroupReply, Kind};
use crate::protocol::coordinator_records::GroupMetadataValue;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::heartbeat::HeartbeatRequest;
use crate::protocol::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use crate::protocol::messages::leave_group::{
    LeaveGroupRequest, LeaveGroupResponse, MemberIdentity,
};
use crate::protocol::messages::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use crate::protocol::string::Str;
use bytes::Bytes;

const NO_DELAY: &[&str] = &["group.initial.rebalance.delay.ms=0"];

/// A JoinGroup in the making, of version 3 where nothing else is said: such need no id.
#[derive(Clone)]
struct Join {
    version: i16,
    request: JoinGroupRequest,
}

fn protocol(name: &str, metadata: &str) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol {
        name: name.into(),
        metadata: Bytes::from(metadata.to_owned()),
        ..JoinGroupRequestProtocol::default()
    }
}

fn join() -> Join {
    Join {
        version: 3,
        request: JoinGroupRequest {
            group_id: "g".into(),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 60_000,
            protocol_type: "consumer".into(),
            protocols: vec![protocol("range", "m")],
            ..JoinGroupRequest::default()
        },
    }
}

impl Join {
    fn version(mut self, version: i16) -> Join {
        self.version = version;
        self
    }

    fn member(mut self, member_id: &Str) -> Join {
        self.request.member_id = member_id.clone();
        self
    }

    fn instance(mut self, instance: &str) -> Join {
        self.version = self.version.max(5);
        self.request.group_instance_id = Some(instance.into());
        self
    }

    fn protocols(mut self, protocols: &[&str]) -> Join {
        self.request.protocols = protocols.iter().map(|name| protocol(name, name)).collect();
        self
    }

    /// The same protocol, but something new to say with it.
    fn changed(mut self) -> Join {
        self.request.protocols = vec![protocol("range", "more topics")];
        self
    }

    fn ask(&self, harness: &mut Harness) -> Ticket {
        let command = GroupCommand::JoinGroup(asked(self.version), self.request.clone());
        harness.ask(command)
    }

    fn ask_now(&self, harness: &mut Harness) -> JoinGroupResponse {
        let ticket = self.ask(harness);
        joined(harness, ticket)
    }

    /// Asked, and told this error at once.
    fn refused(&self, harness: &mut Harness) -> ErrorCode {
        ErrorCode(self.ask_now(harness).error_code)
    }
}

fn joined(harness: &mut Harness, ticket: Ticket) -> JoinGroupResponse {
    match harness.answer(ticket) {
        Some(GroupReply::JoinGroup(response)) => response,
        other => panic!("no answer to JoinGroup: {other:?}"),
    }
}

fn synced(harness: &mut Harness, ticket: Ticket) -> SyncGroupResponse {
    match harness.answer(ticket) {
        Some(GroupReply::SyncGroup(response)) => response,
        other => panic!("no answer to SyncGroup: {other:?}"),
    }
}

fn sync_request(response: &JoinGroupResponse, assignments: &[(&Str, &str)]) -> SyncGroupRequest {
    let assignments = assignments
        .iter()
        .map(|(member_id, text)| SyncGroupRequestAssignment {
            member_id: (*member_id).clone(),
            assignment: Bytes::from((*text).to_owned()),
            ..SyncGroupRequestAssignment::default()
        });
    SyncGroupRequest {
        group_id: "g".into(),
        generation_id: response.generation_id,
        member_id: response.member_id.clone(),
        assignments: assignments.collect(),
        ..SyncGroupRequest::default()
    }
}

fn sync(
    harness: &mut Harness,
    response: &JoinGroupResponse,
    assignments: &[(&Str, &str)],
) -> Ticket {
    let request = sync_request(response, assignments);
    harness.ask(GroupCommand::SyncGroup(asked(3), request))
}

fn heartbeat(harness: &mut Harness, member_id: &Str, generation_id: i32) -> ErrorCode {
    heartbeat_of(harness, member_id, generation_id, None)
}

fn heartbeat_of(
    harness: &mut Harness,
    member_id: &Str,
    generation_id: i32,
    instance: Option<&str>,
) -> ErrorCode {
    let request = HeartbeatRequest {
        group_id: "g".into(),
        generation_id,
        member_id: member_id.clone(),
        group_instance_id: instance.map(Str::from),
        ..HeartbeatRequest::default()
    };
    let ticket = harness.ask(GroupCommand::Heartbeat(request));
    match harness.answer(ticket) {
        Some(GroupReply::Heartbeat(response)) => ErrorCode(response.error_code),
        other => panic!("no answer to Heartbeat: {other:?}"),
    }
}

fn leave(
    harness: &mut Harness,
    version: i16,
    members: &[(&str, Option<&str>)],
) -> LeaveGroupResponse {
    let members = members.iter().map(|(member_id, instance)| MemberIdentity {
        member_id: (*member_id).into(),
        group_instance_id: instance.map(Str::from),
        ..MemberIdentity::default()
    });
    let request = LeaveGroupRequest {
        group_id: "g".into(),
        members: members.collect(),
        ..LeaveGroupRequest::default()
    };
    let ticket = harness.ask(GroupCommand::LeaveGroup(asked(version), request));
    match harness.answer(ticket) {
        Some(GroupReply::LeaveGroup(response)) => response,
        other => panic!("no answer to LeaveGroup: {other:?}"),
    }
}

fn errors_of(response: &LeaveGroupResponse) -> Vec<ErrorCode> {
    let members = response.members.iter();
    members.map(|member| ErrorCode(member.error_code)).collect()
}

/// The group.
fn group(harness: &Harness) -> &ClassicGroup {
    match &harness.groups.groups.get("g").expect("a group").kind {
        Kind::Classic(group) => group,
        Kind::Consumer(_) => panic!("a consumer group"),
    }
}

fn state(harness: &Harness) -> State {
    group(harness).state()
}

/// The newest record, which is of the group and no tombstone.
fn last_record(harness: &Harness) -> GroupMetadataValue {
    match harness.records_since(0).pop() {
        Some(GroupRecord::GroupMetadata(_, Some(value))) => value,
        other => panic!("{other:?}"),
    }
}

/// Members with these joins, whose generation has begun; the leader first.
fn generation(harness: &mut Harness, joins: &[Join]) -> Vec<JoinGroupResponse> {
    let tickets: Vec<Ticket> = joins.iter().map(|join| join.ask(harness)).collect();
    harness.advance_ms(1);
    let members = tickets.into_iter().map(|ticket| joined(harness, ticket));
    let mut members: Vec<JoinGroupResponse> = members.collect();
    members.sort_by_key(|member| member.member_id != member.leader);
    members
}

/// The same, stable, each with the assignment "a".
fn stable(harness: &mut Harness, joins: &[Join]) -> Vec<JoinGroupResponse> {
    let members = generation(harness, joins);
    settle(harness, &members);
    members
}

/// All of these send SyncGroup, and the group is stable.
fn settle(harness: &mut Harness, members: &[JoinGroupResponse]) {
    let assignments: Vec<(&Str, &str)> = members
        .iter()
        .map(|member| (&member.member_id, "a"))
        .collect();
    let tickets: Vec<Ticket> = members
        .iter()
        .map(|member| {
            let leads = member.member_id == member.leader;
            sync(harness, member, if leads { &assignments } else { &[] })
        })
        .collect();
    for ticket in tickets {
        let assignment = synced(harness, ticket).assignment;
        assert_eq!(assignment, Bytes::from_static(b"a"));
    }
    assert_eq!(state(harness), State::Stable);
}
