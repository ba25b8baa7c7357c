//! A classic group in the hands of one command: the group, its timers, the world, and what comes
//! of it. Whoever waits in the group is answered through here, once.

use super::{ClassicGroup, Member, State};
use crate::base::time::Instant;
use crate::coordinator::Timers;
use crate::coordinator::group::{GroupReply, Groups, Kind, Step, TimerKey};
use crate::coordinator::machine::World;
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::join_group::JoinGroupResponse;
use crate::protocol::messages::sync_group::SyncGroupResponse;
use crate::protocol::string::Str;
use std::time::Duration;

/// One command at work on one classic group.
pub(super) struct Turn<'a, 'w> {
    pub(super) group_id: Str,
    pub(super) group: &'a mut ClassicGroup,
    pub(super) timers: &'a mut Timers<TimerKey>,
    pub(super) world: &'a mut World<'w>,
    pub(super) step: Step,
}

impl<'a, 'w> Turn<'a, 'w> {
    /// Takes a group in hand, where there is one of this id and it is classic.
    pub(super) fn begin(
        groups: &'a mut Groups,
        world: &'a mut World<'w>,
        group_id: &Str,
    ) -> Option<Turn<'a, 'w>> {
        // Timers and records keep the id: the request's own would keep its frame.
        let (kept_id, _) = groups.groups.get_key_value(group_id)?;
        let kept_id = kept_id.clone();
        let Kind::Classic(group) = &mut groups.groups.get_mut(group_id)?.kind else {
            return None;
        };
        Some(Turn {
            group_id: kept_id,
            group,
            timers: &mut groups.timers,
            world,
            step: Step::nothing(),
        })
    }

    pub(super) fn now(&self) -> Instant {
        self.world.now.instant
    }

    pub(super) fn enter(&mut self, state: State) {
        self.group.enter(state, self.world.now.timestamp);
    }

    pub(super) fn reply(&mut self, origin: Origin, reply: GroupReply) {
        self.step.replies.push((origin, reply));
    }

    pub(super) fn reply_join(&mut self, origin: Origin, response: JoinGroupResponse) {
        self.reply(origin, GroupReply::JoinGroup(response));
    }

    pub(super) fn refuse_join(&mut self, origin: Origin, member_id: Str, error: ErrorCode) {
        self.reply_join(origin, join_refusal(member_id, error));
    }

    pub(super) fn refuse_sync(&mut self, origin: Origin, error: ErrorCode) {
        self.reply(origin, GroupReply::SyncGroup(sync_refusal(error)));
    }

    /// A member's session begins anew, with a timeout that need not be its own.
    pub(super) fn begin_session(&mut self, member_id: &Str, timeout: Duration) {
        let now = self.now();
        begin_session(
            self.group,
            self.timers,
            &self.group_id,
            member_id,
            now,
            Some(timeout),
        );
    }

    /// A member was heard of.
    pub(super) fn renew_session(&mut self, member_id: &Str) {
        let now = self.now();
        begin_session(
            self.group,
            self.timers,
            &self.group_id,
            member_id,
            now,
            None,
        );
    }

    /// A member's session is looked at then.
    pub(super) fn set_session_timer(&mut self, member_id: &Str, at: Instant) {
        // The request's own id would keep its frame.
        let Some((kept_id, _)) = self.group.members.get_key_value(member_id) else {
            return;
        };
        let key = self.session_key(&kept_id.clone());
        self.timers.set(key, at);
    }

    pub(super) fn session_key(&self, member_id: &Str) -> TimerKey {
        TimerKey::ClassicSession {
            group_id: self.group_id.clone(),
            member_id: member_id.clone(),
        }
    }

    pub(super) fn pending_key(&self, member_id: &Str) -> TimerKey {
        TimerKey::ClassicPendingMember {
            group_id: self.group_id.clone(),
            member_id: member_id.clone(),
        }
    }

    pub(super) fn join_key(&self) -> TimerKey {
        TimerKey::ClassicJoin(self.group_id.clone())
    }

    pub(super) fn sync_key(&self) -> TimerKey {
        TimerKey::ClassicSync(self.group_id.clone())
    }

    /// A member waits for the next generation. Where it did already, its earlier request was given
    /// up by the client, or is a hostile one's: it ends, so that each request has an answer.
    pub(super) fn await_join(&mut self, member_id: &Str, origin: Origin) {
        if let Some(before) = self.group.await_join(member_id, Some(origin)) {
            self.refuse_join(before, member_id.clone(), ErrorCode::REBALANCE_IN_PROGRESS);
        }
    }

    /// The same for the assignment.
    pub(super) fn await_sync(&mut self, member_id: &Str, origin: Origin) {
        let Some(member) = self.group.members.get_mut(member_id) else {
            return;
        };
        if let Some(before) = member.awaiting_sync.replace(origin) {
            self.refuse_sync(before, ErrorCode::REBALANCE_IN_PROGRESS);
        }
    }

    /// Takes a member, or an id that was given, out of the group. Whoever still waits in its name
    /// is told to begin anew.
    pub(super) fn remove(&mut self, member_id: &Str) {
        if self.group.pending_join.contains(member_id) {
            self.timers.cancel(&self.pending_key(member_id));
        }
        let Some(member) = self.group.remove(member_id) else {
            return;
        };
        self.timers.cancel(&self.session_key(member_id));
        self.dismiss(&member, Str::EMPTY, ErrorCode::UNKNOWN_MEMBER_ID);
    }

    /// Answers who waits in the name of a member that is no more.
    pub(super) fn dismiss(&mut self, member: &Member, member_id: Str, error: ErrorCode) {
        if let Some(origin) = member.awaiting_join {
            self.refuse_join(origin, member_id, error);
        }
        if let Some(origin) = member.awaiting_sync {
            self.refuse_sync(origin, error);
        }
    }

    /// What a member is told of the generation; only the leader is told of the members.
    pub(super) fn generation_for(&self, member_id: &Str, with_members: bool) -> JoinGroupResponse {
        JoinGroupResponse {
            error_code: ErrorCode::NONE.code(),
            generation_id: self.group.generation,
            protocol_type: self.group.protocol_type.clone(),
            protocol_name: self.group.protocol_name.clone(),
            leader: self.group.leader.clone().unwrap_or_default(),
            member_id: member_id.clone(),
            members: if with_members {
                self.group.members_for_leader()
            } else {
                Vec::new()
            },
            ..JoinGroupResponse::default()
        }
    }
}

/// A session begins anew, with its member's own timeout where none is given. The timer is set only
/// where it would be too late.
pub(super) fn begin_session(
    group: &mut ClassicGroup,
    timers: &mut Timers<TimerKey>,
    group_id: &Str,
    member_id: &Str,
    now: Instant,
    timeout: Option<Duration>,
) {
    let Some(member) = group.members.get_mut(member_id) else {
        return;
    };
    let timeout = timeout.unwrap_or_else(|| member.session_timeout());
    if let Some(at) = member.session.begin(now, timeout) {
        let key = TimerKey::ClassicSession {
            group_id: group_id.clone(),
            member_id: member.member_id.clone(),
        };
        timers.set(key, at);
    }
}

/// An answer to JoinGroup that is an error.
pub(super) fn join_refusal(member_id: Str, error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: error.code(),
        member_id,
        ..JoinGroupResponse::default()
    }
}

/// An answer to SyncGroup that is an error.
pub(super) fn sync_refusal(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        error_code: error.code(),
        ..SyncGroupResponse::default()
    }
}
