//! A static member has started anew (KIP-345): it has lost its id, but it has a name of its own.
//! It takes the place of who it was before; nobody else need notice.

use super::State;
use super::join::Joining;
use super::member::Session;
use super::turn::Turn;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::join_group::JoinGroupResponse;
use crate::protocol::string::Str;

/// From this version on a leader can be told not to assign. KIP-814.
const SKIP_ASSIGNMENT: i16 = 9;

impl Turn<'_, '_> {
    /// Gives a static member another id and fences the one before.
    pub(super) fn replace_static_member(&mut self, joining: Joining<'_>, old: &Str, new: Str) {
        let leader_before = self.group.leader.clone();
        self.fence(old, &new);
        let rebalance_timeout_ms = joining.rebalance_timeout_ms();
        let origin = joining.origin;
        let version = joining.asked.version;
        self.group.update(
            &new,
            joining.protocols,
            rebalance_timeout_ms,
            joining.request.session_timeout_ms,
        );
        self.renew_session(&new);
        match self.group.state {
            State::Stable if self.group.select_protocol() == self.group.protocol_name => {
                let response = self.unchanged_generation(&new, leader_before, version);
                self.write_group(|member| member.assignment.clone());
                self.reply_join(origin, response);
            }
            // Where assignments are under way, the leader knows the old id only.
            State::Stable | State::CompletingRebalance | State::Empty => {
                self.await_join(&new, origin);
                self.prepare();
            }
            State::PreparingRebalance => {
                self.await_join(&new, origin);
                self.complete_if_joined();
            }
        }
    }

    /// The member of the old id is no more: who waits in its name is told so.
    fn fence(&mut self, old: &Str, new: &Str) {
        let error = ErrorCode::FENCED_INSTANCE_ID;
        if let Some(origin) = self.group.await_join(old, None) {
            self.refuse_join(origin, old.clone(), error);
        }
        let member = self.group.members.get_mut(old);
        if let Some(origin) = member.and_then(|member| member.awaiting_sync.take()) {
            self.refuse_sync(origin, error);
        }
        self.timers.cancel(&self.session_key(old));
        self.group.rename(old, new);
        if let Some(member) = self.group.members.get_mut(new) {
            member.session = Session::NONE;
        }
    }

    /// The generation goes on. A leader that came back must not assign anew: new clients are told
    /// to skip it, old ones are told of a leader that is not they.
    fn unchanged_generation(
        &self,
        member_id: &Str,
        leader_before: Option<Str>,
        version: i16,
    ) -> JoinGroupResponse {
        if version >= SKIP_ASSIGNMENT {
            let is_leader = self.group.is_leader(member_id);
            JoinGroupResponse {
                skip_assignment: is_leader,
                ..self.generation_for(member_id, is_leader)
            }
        } else {
            JoinGroupResponse {
                leader: leader_before.unwrap_or_default(),
                ..self.generation_for(member_id, false)
            }
        }
    }
}
