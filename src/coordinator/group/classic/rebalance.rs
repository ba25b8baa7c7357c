//! From one generation of a classic group to the next: members are gathered, a generation begins,
//! its leader is waited for.

use super::turn::Turn;
use super::{ClassicGroup, State};
use crate::base::time::milliseconds;
use crate::coordinator::group::{Groups, Step};
use crate::coordinator::machine::World;
use crate::protocol::errors::ErrorCode;
use crate::protocol::string::Str;
use bytes::Bytes;
use std::time::Duration;

/// Where nobody has joined in time, but static members are still to be waited for, their session
/// timeouts decide; until then it is looked again, not more often than this.
const ANOTHER_LOOK: Duration = Duration::from_millis(100);

/// The first generation of an empty group waits for more members: those of one application start
/// within a few seconds, and each rebalance costs all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct InitialDelay {
    /// How long it waits at the moment.
    delay: Duration,
    /// How much longer it may.
    remaining: Duration,
    /// A member came meanwhile: others may follow.
    pub(super) has_new_member: bool,
}

/// Makes a stable group rebalance, and begins the sessions of its members: after it came to be
/// from a consumer group. Nothing happens to any other.
pub fn begin(groups: &mut Groups, world: &mut World<'_>, group_id: &Str) -> Step {
    let Some(mut turn) = Turn::begin(groups, world, group_id) else {
        return Step::nothing();
    };
    turn.begin_sessions();
    turn.prepare_or_complete();
    turn.step
}

impl ClassicGroup {
    fn can_rebalance(&self) -> bool {
        match self.state {
            State::Empty | State::CompletingRebalance | State::Stable => true,
            State::PreparingRebalance => false,
        }
    }
}

impl Turn<'_, '_> {
    /// Every member's session begins.
    pub(super) fn begin_sessions(&mut self) {
        let ids: Vec<Str> = self.group.members.keys().cloned().collect();
        for id in ids {
            self.renew_session(&id);
        }
    }

    /// Something about the members has changed: a rebalance begins, or the one that is under way
    /// may now be complete.
    pub(super) fn prepare_or_complete(&mut self) {
        if self.group.can_rebalance() {
            self.prepare();
        } else {
            self.complete_if_joined();
        }
    }

    /// Members are gathered.
    pub(super) fn prepare(&mut self) {
        if self.group.state == State::CompletingRebalance {
            self.interrupt_sync();
        }
        self.group.pending_sync.clear();
        self.timers.cancel(&self.sync_key());
        if self.group.state == State::Empty {
            self.enter(State::PreparingRebalance);
            self.begin_initial_delay();
            return;
        }
        self.enter(State::PreparingRebalance);
        if self.group.has_all_joined() {
            self.complete();
        } else {
            let until = self.now() + self.group.rebalance_timeout();
            self.timers.set(self.join_key(), until);
        }
    }

    /// Who waits for an assignment of this generation will not get one.
    fn interrupt_sync(&mut self) {
        let mut waiting = Vec::new();
        for member in self.group.members.values_mut() {
            member.assignment = Bytes::new();
            if let Some(origin) = member.awaiting_sync.take() {
                waiting.push((member.member_id.clone(), origin));
            }
        }
        for (member_id, origin) in waiting {
            self.refuse_sync(origin, ErrorCode::REBALANCE_IN_PROGRESS);
            self.renew_session(&member_id);
        }
    }

    fn initial_delay(&self) -> Duration {
        let configuration = self.world.configuration;
        milliseconds(i64::from(configuration.group_initial_rebalance_delay_ms()))
    }

    fn begin_initial_delay(&mut self) {
        let delay = self.initial_delay();
        self.group.initial = Some(InitialDelay {
            delay,
            remaining: self.group.rebalance_timeout().saturating_sub(delay),
            has_new_member: false,
        });
        let until = self.now() + delay;
        self.timers.set(self.join_key(), until);
    }

    /// The initial delay is over, or goes on because members came during it.
    pub(super) fn end_initial_delay(&mut self, initial: InitialDelay) {
        if !initial.has_new_member || initial.remaining.is_zero() {
            self.complete();
            return;
        }
        let configured = self.initial_delay();
        let delay = configured.min(initial.remaining);
        self.group.initial = Some(InitialDelay {
            delay,
            remaining: initial.remaining.saturating_sub(initial.delay),
            has_new_member: false,
        });
        let until = self.now() + delay;
        self.timers.set(self.join_key(), until);
    }

    /// Ends the gathering where everybody is there; the initial delay ends by its timer alone.
    pub(super) fn complete_if_joined(&mut self) {
        if self.group.state == State::PreparingRebalance
            && self.group.initial.is_none()
            && self.group.has_all_joined()
        {
            self.complete();
        }
    }

    /// Ends the gathering: who has not come is out, unless it is static, and the next generation
    /// begins.
    pub(super) fn complete(&mut self) {
        self.timers.cancel(&self.join_key());
        self.group.initial = None;
        let missing: Vec<Str> = self
            .group
            .members
            .values()
            .filter(|member| member.awaiting_join.is_none() && !member.is_static())
            .map(|member| member.member_id.clone())
            .collect();
        for member_id in missing {
            self.remove(&member_id);
        }
        if !self.group.elect_joined_leader() && !self.group.members.is_empty() {
            let wait = self.group.rebalance_timeout().max(ANOTHER_LOOK);
            let until = self.now() + wait;
            self.timers.set(self.join_key(), until);
            return;
        }
        self.group.begin_generation(self.world.now.timestamp);
        if self.group.state == State::Empty {
            self.write_group(|_| Bytes::new());
        } else {
            self.announce_generation();
        }
    }

    /// Tells the members their generation, and the leader all members.
    fn announce_generation(&mut self) {
        let ids: Vec<Str> = self.group.members.keys().cloned().collect();
        for id in &ids {
            if let Some(origin) = self.group.await_join(id, None) {
                let response = self.generation_for(id, self.group.is_leader(id));
                self.reply_join(origin, response);
            }
            if let Some(member) = self.group.members.get_mut(id) {
                member.is_new = false;
            }
            self.renew_session(id);
        }
        self.group.pending_sync = ids.into_iter().collect();
        let until = self.now() + self.group.rebalance_timeout();
        self.timers.set(self.sync_key(), until);
    }
}
