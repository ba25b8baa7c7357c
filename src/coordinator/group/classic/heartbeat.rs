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
    // Heartbeats are most of what a group asks: each id is looked up once, in memory that is seldom
    // warm, and the id that timers keep only where a timer is set.
    let classic = match groups.groups.get_mut(&request.group_id) {
        Some(group) => match &mut group.kind {
            Kind::Classic(classic) => classic,
            Kind::Consumer(_) => {
                return consumer::classic_member::heartbeat(groups, world, origin, request);
            }
        },
        None => return answer(origin, ErrorCode::UNKNOWN_MEMBER_ID),
    };
    let now = world.now.instant;
    let (error, timer) = match classic.hear(request, now) {
        Ok(timer) => (classic.told_by_heartbeat(), timer),
        Err(error) => (error, None),
    };
    if let Some(at) = timer
        && let Some(mut turn) = Turn::begin(groups, world, &request.group_id)
    {
        turn.set_session_timer(&request.member_id, at);
    }
    answer(origin, error)
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
    /// A member of this generation was heard of: its session begins anew. Returns when its timer is
    /// to be set to, where it has to be.
    fn hear(
        &mut self,
        request: &HeartbeatRequest,
        now: Instant,
    ) -> Result<Option<Instant>, ErrorCode> {
        self.validate_instance(&request.member_id, request.group_instance_id.as_ref())?;
        let generation = self.generation;
        let Some(member) = self.members.get_mut(&request.member_id) else {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        };
        if request.generation_id != generation {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        let timeout = member.session_timeout();
        Ok(member.session.begin(now, timeout))
    }

    fn told_by_heartbeat(&self) -> ErrorCode {
        match self.state {
            State::PreparingRebalance => ErrorCode::REBALANCE_IN_PROGRESS,
            State::CompletingRebalance | State::Stable => ErrorCode::NONE,
            State::Empty => ErrorCode::UNKNOWN_MEMBER_ID,
        }
    }
}
