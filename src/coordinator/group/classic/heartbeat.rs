//! Heartbeat: a member lives, and hears whether it must join again.

use super::turn::{Turn, begin_session};
use super::{ClassicGroup, State};
use crate::base::time::Instant;
use crate::coordinator::group::{GroupReply, Groups, Kind, Step, consumer};
use crate::coordinator::machine::World;
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use crate::protocol::string::Str;

/// Answers Heartbeat.
pub fn handle(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    request: &HeartbeatRequest,
) -> Step {
    if request.group_id.is_empty() {
        return answer(origin, ErrorCode::INVALID_GROUP_ID);
    }
    let group = groups.groups.get(&request.group_id);
    let classic = match group.map(|group| &group.kind) {
        Some(Kind::Classic(classic)) => classic,
        Some(Kind::Consumer(_)) => {
            return consumer::classic_member::heartbeat(groups, world, origin, request);
        }
        None => return answer(origin, ErrorCode::UNKNOWN_MEMBER_ID),
    };
    if let Err(error) = classic.validate_heartbeat(request) {
        return answer(origin, error);
    }
    let mut turn = Turn::begin(groups, world, &request.group_id).expect("a classic group");
    turn.renew_session(&request.member_id);
    answer(
        origin,
        match turn.group.state {
            State::PreparingRebalance => ErrorCode::REBALANCE_IN_PROGRESS,
            State::CompletingRebalance | State::Stable => ErrorCode::NONE,
            State::Empty => ErrorCode::UNKNOWN_MEMBER_ID,
        },
    )
}

fn answer(origin: Option<Origin>, error: ErrorCode) -> Step {
    let response = HeartbeatResponse {
        error_code: error.code(),
        ..HeartbeatResponse::default()
    };
    Step::reply(origin, GroupReply::Heartbeat(response))
}

/// A member was heard of in another way: it has committed offsets. Its session begins anew, as in
/// Kafka only where the group is stable or gathers its members.
pub fn touch(groups: &mut Groups, now: Instant, group_id: &Str, member_id: &Str) {
    let Groups { groups, timers, .. } = groups;
    let Some((kept_id, _)) = groups.get_key_value(group_id) else {
        return;
    };
    let kept_id = kept_id.clone();
    let group = groups.get_mut(group_id).map(|group| &mut group.kind);
    let Some(Kind::Classic(group)) = group else {
        return;
    };
    match group.state {
        State::Stable | State::PreparingRebalance => {
            begin_session(group, timers, &kept_id, member_id, now, None);
        }
        State::Empty | State::CompletingRebalance => {}
    }
}

impl ClassicGroup {
    fn validate_heartbeat(&self, request: &HeartbeatRequest) -> Result<(), ErrorCode> {
        self.validate_member(&request.member_id, request.group_instance_id.as_ref())?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        Ok(())
    }
}
