//! LeaveGroup: members go, or an administrator sends them. Each is answered for itself.

use super::State;
use super::timer::forget_unwritten;
use super::turn::Turn;
use crate::coordinator::group::{Asked, GroupReply, Groups, Kind, Step, consumer};
use crate::coordinator::machine::World;
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::leave_group::{
    LeaveGroupRequest, LeaveGroupResponse, MemberIdentity, MemberResponse,
};

/// From this version on a request may name several members. KIP-345.
const BATCHED: i16 = 3;

/// Answers LeaveGroup.
pub fn handle(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    asked: &Asked,
    request: LeaveGroupRequest,
) -> Step {
    if request.group_id.is_empty() {
        let response = LeaveGroupResponse {
            error_code: ErrorCode::INVALID_GROUP_ID.code(),
            ..LeaveGroupResponse::default()
        };
        return Step::reply(origin, GroupReply::LeaveGroup(response));
    }
    let kind = groups
        .groups
        .get(&request.group_id)
        .map(|group| &group.kind);
    if matches!(kind, Some(Kind::Consumer(_))) {
        return consumer::classic_member::leave(groups, world, origin, asked, request);
    }
    let Some(mut turn) = Turn::begin(groups, world, &request.group_id) else {
        let unknown = |member| answer(member, ErrorCode::UNKNOWN_MEMBER_ID);
        let members = request.members.iter().map(unknown).collect();
        return Step::reply(origin, response_of(asked.version, members));
    };
    let members = turn.leave(&request.members);
    let mut step = turn.step;
    if let Some(origin) = origin {
        step.replies
            .push((origin, response_of(asked.version, members)));
    }
    forget_unwritten(groups, &request.group_id);
    step
}

impl Turn<'_, '_> {
    fn leave(&mut self, leaving: &[MemberIdentity]) -> Vec<MemberResponse> {
        let mut answers = Vec::with_capacity(leaving.len());
        let mut has_changed = false;
        for member in leaving {
            let error = self.leave_one(member);
            has_changed |= error == ErrorCode::NONE;
            answers.push(answer(member, error));
        }
        if has_changed {
            match self.group.state {
                State::Stable | State::CompletingRebalance => self.prepare_or_complete(),
                State::PreparingRebalance => self.complete_if_joined(),
                State::Empty => {}
            }
        }
        answers
    }

    fn leave_one(&mut self, leaving: &MemberIdentity) -> ErrorCode {
        let instance = leaving.group_instance_id.as_ref();
        let member_id = if leaving.member_id.is_empty() {
            // An administrator knows static members by their names.
            match instance.and_then(|instance| self.group.static_members.get(instance)) {
                Some(member_id) => member_id.clone(),
                None => return ErrorCode::UNKNOWN_MEMBER_ID,
            }
        } else {
            leaving.member_id.clone()
        };
        let is_pending = self.group.pending_join.contains(&member_id);
        if !is_pending && let Err(error) = self.group.validate_member(&member_id, instance) {
            return error;
        }
        self.remove(&member_id);
        ErrorCode::NONE
    }
}

fn answer(leaving: &MemberIdentity, error: ErrorCode) -> MemberResponse {
    MemberResponse {
        member_id: leaving.member_id.clone(),
        group_instance_id: leaving.group_instance_id.clone(),
        error_code: error.code(),
        ..MemberResponse::default()
    }
}

/// Before version 3 the error of the one member is the response's own.
fn response_of(version: i16, members: Vec<MemberResponse>) -> GroupReply {
    let response = if version >= BATCHED {
        LeaveGroupResponse {
            members,
            ..LeaveGroupResponse::default()
        }
    } else {
        LeaveGroupResponse {
            error_code: members.first().map_or(0, |member| member.error_code),
            ..LeaveGroupResponse::default()
        }
    };
    GroupReply::LeaveGroup(response)
}
