//! What is due in a consumer group. A timer's step may fail to be written, and then nothing would
//! ever ask again: so timers that fence are set anew when they fire, and taken away when the member
//! comes back or is gone.

use super::advance::Revocation;
use super::member::MemberState;
use super::{draft::Draft, leave, metadata, migration, settings, target};
use crate::base::time::{Instant, milliseconds};
use crate::coordinator::World;
use crate::coordinator::group::{Groups, Step, TimerKey};
use crate::protocol::string::Str;
use std::time::Duration;

/// After this time a member is fenced again, where the first time could not be written.
const RETRY: Duration = Duration::from_secs(1);

/// A timer of a consumer group is due.
pub fn on_timer(groups: &mut Groups, world: &mut World<'_>, key: &TimerKey) -> Step {
    match key {
        TimerKey::ConsumerSession {
            group_id,
            member_id,
        }
        | TimerKey::ConsumerClassicMember {
            group_id,
            member_id,
        } => fence(groups, world, key, group_id, member_id),
        TimerKey::ConsumerRebalance {
            group_id,
            member_id,
        } => {
            let must_revoke = groups
                .consumer(group_id)
                .and_then(|group| group.member(member_id))
                .is_some_and(|one| one.current.state == MemberState::UnrevokedPartitions);
            if must_revoke {
                fence(groups, world, key, group_id, member_id)
            } else {
                Step::nothing()
            }
        }
        TimerKey::ConsumerAssignment(group_id) => assign(groups, world, group_id),
        TimerKey::ConsumerRegex(group_id) => metadata::refresh(groups, world, group_id),
        TimerKey::ClassicSession { .. }
        | TimerKey::ClassicPendingMember { .. }
        | TimerKey::ClassicJoin(_)
        | TimerKey::ClassicSync(_)
        | TimerKey::OffsetsExpiry => Step::nothing(),
    }
}

fn fence(
    groups: &mut Groups,
    world: &mut World<'_>,
    key: &TimerKey,
    group_id: &Str,
    member_id: &Str,
) -> Step {
    let step = leave::remove(groups, world, group_id, std::slice::from_ref(member_id));
    if !step.records.is_empty() {
        let again = world.now.instant + RETRY;
        groups.timers.set(key.clone(), again);
    }
    step
}

/// The assignment interval has passed; or the group has become classic and its members are to join.
fn assign(groups: &mut Groups, world: &mut World<'_>, group_id: &Str) -> Step {
    let Some(group) = groups.consumer(group_id) else {
        return migration::rebalance(groups, world, group_id);
    };
    if group.is_empty() {
        return Step::nothing();
    }
    let mut draft = Draft::new(group_id, group);
    let later = target::renew(&mut draft, world);
    let records = draft.records;
    assign_later(groups, group_id, later);
    Step {
        records,
        replies: Vec::new(),
    }
}

/// The log was loaded: every member has its whole time before it.
pub fn begin(groups: &mut Groups, world: &World<'_>, group_id: &Str) {
    let Some(group) = groups.consumer(group_id) else {
        return;
    };
    let mut timers = Vec::new();
    for member in group.members() {
        let session = settings::session_timeout_of(world, group_id, member);
        timers.push((session_key(group_id, &member.id), session));
        let revokes = member.current.state == MemberState::UnrevokedPartitions;
        if revokes && !member.is_classic() {
            let timeout = milliseconds(i64::from(member.subscription.rebalance_timeout_ms));
            timers.push((rebalance_key(group_id, &member.id), timeout));
        }
    }
    for (key, after) in timers {
        groups.timers.set(key, world.now.instant + after);
    }
}

/// A member was heard of.
pub fn session(
    groups: &mut Groups,
    world: &World<'_>,
    group_id: &Str,
    member_id: &Str,
    timeout: Duration,
) {
    let at = world.now.instant + timeout;
    groups.timers.set(session_key(group_id, member_id), at);
}

/// A member has to give partitions back, or has done so.
pub(super) fn revocation(
    groups: &mut Groups,
    world: &World<'_>,
    group_id: &Str,
    member_id: &Str,
    revocation: Revocation,
) {
    match revocation {
        Revocation::Unchanged => {}
        Revocation::Begins(timeout) => {
            let at = world.now.instant + timeout;
            groups.timers.set(rebalance_key(group_id, member_id), at);
        }
        Revocation::Over => no_rebalance(groups, group_id, member_id),
    }
}

/// A member need not give anything back.
pub fn no_rebalance(groups: &mut Groups, group_id: &Str, member_id: &Str) {
    groups.timers.cancel(&rebalance_key(group_id, member_id));
}

/// A member that speaks the classic protocol is to join, or to sync, in time.
pub fn classic_member(
    groups: &mut Groups,
    world: &World<'_>,
    group_id: &Str,
    member_id: &Str,
    timeout: Duration,
) {
    let at = world.now.instant + timeout;
    groups
        .timers
        .set(classic_member_key(group_id, member_id), at);
}

/// The same, where it is not waited for already.
pub fn classic_member_if_absent(
    groups: &mut Groups,
    world: &World<'_>,
    group_id: &Str,
    member_id: &Str,
    timeout: Duration,
) {
    let key = classic_member_key(group_id, member_id);
    if groups.timers.get(&key).is_none() {
        groups.timers.set(key, world.now.instant + timeout);
    }
}

/// It did.
pub fn no_classic_member(groups: &mut Groups, group_id: &Str, member_id: &Str) {
    groups
        .timers
        .cancel(&classic_member_key(group_id, member_id));
}

/// A member is about to go. Its session goes on: should the step not be written, it still ends.
pub fn forget(groups: &mut Groups, group_id: &Str, member_id: &Str) {
    no_rebalance(groups, group_id, member_id);
    no_classic_member(groups, group_id, member_id);
}

/// A target assignment is due at that time.
pub fn assign_later(groups: &mut Groups, group_id: &Str, at: Option<Instant>) {
    if let Some(at) = at {
        let key = TimerKey::ConsumerAssignment(group_id.clone());
        groups.timers.set(key, at);
    }
}

fn session_key(group_id: &Str, member_id: &Str) -> TimerKey {
    TimerKey::ConsumerSession {
        group_id: group_id.clone(),
        member_id: member_id.clone(),
    }
}

fn rebalance_key(group_id: &Str, member_id: &Str) -> TimerKey {
    TimerKey::ConsumerRebalance {
        group_id: group_id.clone(),
        member_id: member_id.clone(),
    }
}

fn classic_member_key(group_id: &Str, member_id: &Str) -> TimerKey {
    TimerKey::ConsumerClassicMember {
        group_id: group_id.clone(),
        member_id: member_id.clone(),
    }
}
