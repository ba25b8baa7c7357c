//! SyncGroup: members ask for their assignments, and the leader brings them. They are given out
//! when they are written.

use super::turn::{Turn, sync_refusal};
use super::{ClassicGroup, State};
use crate::coordinator::group::{Asked, GroupReply, Groups, Kind, Step, consumer};
use crate::coordinator::machine::World;
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use crate::protocol::string::Str;
use bytes::Bytes;
use std::collections::BTreeMap;

/// From this version on the protocol must be named. KIP-559.
const PROTOCOL_REQUIRED: i16 = 5;

/// Answers SyncGroup.
pub fn handle(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    asked: &Asked,
    request: SyncGroupRequest,
) -> Step {
    let refused = |error| Step::reply(origin, GroupReply::SyncGroup(sync_refusal(error)));
    let Some(asker) = origin else {
        return Step::nothing();
    };
    if asked.version >= PROTOCOL_REQUIRED
        && (request.protocol_type.is_none() || request.protocol_name.is_none())
    {
        return refused(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    if request.group_id.is_empty() {
        return refused(ErrorCode::INVALID_GROUP_ID);
    }
    match groups
        .groups
        .get(&request.group_id)
        .map(|group| &group.kind)
    {
        Some(Kind::Consumer(consumers)) if !consumers.is_empty() => {
            return consumer::classic_member::sync(groups, world, origin, asked, request);
        }
        Some(Kind::Classic(group)) => {
            if let Err(error) = group.validate_sync(&request) {
                return refused(error);
            }
        }
        Some(Kind::Consumer(_)) | None => return refused(ErrorCode::UNKNOWN_MEMBER_ID),
    }
    let mut turn = Turn::begin(groups, world, &request.group_id).expect("a classic group");
    turn.sync(asker, &request);
    turn.step
}

impl ClassicGroup {
    fn validate_sync(&self, request: &SyncGroupRequest) -> Result<(), ErrorCode> {
        let differs = |asked: &Option<Str>, ours: &Option<Str>| {
            asked.is_some() && ours.is_some() && asked != ours
        };
        self.validate_member(&request.member_id, request.group_instance_id.as_ref())?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        if differs(&request.protocol_type, &self.protocol_type)
            || differs(&request.protocol_name, &self.protocol_name)
        {
            return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
        }
        Ok(())
    }
}

impl Turn<'_, '_> {
    fn sync(&mut self, origin: Origin, request: &SyncGroupRequest) {
        let member_id = &request.member_id;
        match self.group.state {
            State::Empty => self.refuse_sync(origin, ErrorCode::UNKNOWN_MEMBER_ID),
            State::PreparingRebalance => {
                self.refuse_sync(origin, ErrorCode::REBALANCE_IN_PROGRESS);
            }
            State::CompletingRebalance => {
                self.has_synced(member_id);
                self.await_sync(member_id, origin);
                if self.group.is_leader(member_id) {
                    self.assign(request);
                }
            }
            State::Stable => {
                self.has_synced(member_id);
                let member = self.group.members.get(member_id);
                let assignment = member.map(|member| member.assignment.clone());
                let response = self.assignment_response(assignment.unwrap_or_default());
                self.reply(origin, response);
            }
        }
    }

    /// The member is not waited for any more.
    fn has_synced(&mut self, member_id: &Str) {
        self.group.pending_sync.remove(member_id);
        if self.group.pending_sync.is_empty() {
            self.timers.cancel(&self.sync_key());
        }
    }

    /// The leader has spoken. The group becomes stable when its record is replayed; the answers
    /// leave after that. Should it not be written, they are errors, nobody waits any more, and the
    /// members join again with what they have: the leader is asked to assign once more.
    fn assign(&mut self, request: &SyncGroupRequest) {
        // Members that the leader forgot have nothing; members that it invented are not there.
        let assignments: BTreeMap<&Str, &Bytes> = request
            .assignments
            .iter()
            .map(|assignment| (&assignment.member_id, &assignment.assignment))
            .collect();
        let mut waiting = Vec::new();
        for member in self.group.members.values_mut() {
            if let Some(origin) = member.awaiting_sync.take() {
                waiting.push((member.member_id.clone(), origin));
            }
        }
        for (member_id, origin) in waiting {
            let assignment = assignments.get(&member_id).copied().cloned();
            let response = self.assignment_response(assignment.unwrap_or_default());
            self.reply(origin, response);
            self.renew_session(&member_id);
        }
        self.write_group(|member| match assignments.get(&member.member_id) {
            Some(assignment) => Bytes::copy_from_slice(assignment),
            None => Bytes::new(),
        });
    }

    fn assignment_response(&self, assignment: Bytes) -> GroupReply {
        GroupReply::SyncGroup(SyncGroupResponse {
            error_code: ErrorCode::NONE.code(),
            protocol_type: self.group.protocol_type.clone(),
            protocol_name: self.group.protocol_name.clone(),
            assignment,
            ..SyncGroupResponse::default()
        })
    }
}
