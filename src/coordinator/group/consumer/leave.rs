//! A member goes: by a heartbeat, because it was not heard of, because it did not give its
//! partitions back in time, or by the hand of an administrator. What it had is free at once; the
//! group epoch rises, and the next heartbeat of another makes the new target assignment.

use super::admit::{fenced_instance, unknown_member};
use super::draft::Draft;
use super::member::{LEAVE_EPOCH, STATIC_LEAVE_EPOCH};
use super::{Refusal, migration, records, timer};
use crate::coordinator::World;
use crate::coordinator::group::{Groups, Step};
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use crate::protocol::string::Str;

/// A heartbeat with epoch -1 or -2.
pub(super) fn by_heartbeat(
    groups: &mut Groups,
    world: &mut World<'_>,
    request: &ConsumerGroupHeartbeatRequest,
) -> Result<(Step, ConsumerGroupHeartbeatResponse), Refusal> {
    let group_id = &groups.own_id(&request.group_id);
    let group = groups.consumer(group_id).ok_or_else(|| {
        let code = ErrorCode::GROUP_ID_NOT_FOUND;
        Refusal::new(code, format!("Group {group_id} is not a consumer group."))
    })?;
    let member = match &request.instance_id {
        None => group
            .member(&request.member_id)
            .ok_or_else(|| unknown_member(group_id, &request.member_id))?,
        Some(instance_id) => {
            let existing = group.static_member(instance_id).ok_or_else(|| {
                let why = format!("Instance id {instance_id} is unknown.");
                Refusal::new(ErrorCode::UNKNOWN_MEMBER_ID, why)
            })?;
            if existing.id != request.member_id {
                return Err(fenced_instance(&request.member_id, instance_id, existing));
            }
            existing
        }
    };
    let response = ConsumerGroupHeartbeatResponse {
        member_id: Some(member.id.clone()),
        member_epoch: request.member_epoch,
        ..ConsumerGroupHeartbeatResponse::default()
    };
    if request.member_epoch == STATIC_LEAVE_EPOCH {
        // It keeps its partitions, and has until its session ends to come back.
        let mut away = member.clone();
        away.current.epoch = STATIC_LEAVE_EPOCH;
        away.current.pending_revocation.clear();
        let records = vec![records::current(group_id, &away)];
        timer::no_rebalance(groups, group_id, &away.id);
        let step = Step {
            records,
            replies: Vec::new(),
        };
        return Ok((step, response));
    }
    debug_assert_eq!(request.member_epoch, LEAVE_EPOCH);
    let member_id = member.id.clone();
    let step = remove(groups, world, group_id, &[member_id]);
    Ok((step, response))
}

/// Members go, in one step. Those that are not there are passed over.
pub fn remove(
    groups: &mut Groups,
    world: &mut World<'_>,
    group_id: &Str,
    member_ids: &[Str],
) -> Step {
    let Some(group) = groups.consumer(group_id) else {
        return Step::nothing();
    };
    let going: Vec<&Str> = member_ids
        .iter()
        .filter(|id| group.member(id).is_some())
        .collect();
    if going.is_empty() {
        return Step::nothing();
    }
    let records = match migration::downgrade(world, group_id, group, &going, None) {
        Some(records) => {
            migration::downgraded(groups, world, group_id);
            records
        }
        None => {
            let mut draft = Draft::new(group_id, group);
            for member_id in &going {
                draft.remove(member_id);
            }
            draft.bump(world);
            draft.records
        }
    };
    for member_id in going {
        timer::forget(groups, group_id, member_id);
    }
    Step {
        records,
        replies: Vec::new(),
    }
}
