//! What happens to a classic group because nothing happened in time.

use super::State;
use super::turn::Turn;
use crate::base::time::Instant;
use crate::coordinator::group::{Groups, Kind, Step, TimerKey};
use crate::coordinator::machine::World;
use crate::protocol::string::Str;

/// Does what a timer is for. A timer whose group or member is gone does nothing.
pub fn on_timer(groups: &mut Groups, world: &mut World<'_>, key: &TimerKey) -> Step {
    let Some(group_id) = key.group_id() else {
        return Step::nothing();
    };
    let Some(mut turn) = Turn::begin(groups, world, group_id) else {
        return Step::nothing();
    };
    match key {
        TimerKey::ClassicSession { member_id, .. } => turn.session_is_due(member_id),
        TimerKey::ClassicPendingMember { member_id, .. } => turn.pending_member_is_due(member_id),
        TimerKey::ClassicJoin(_) => turn.join_is_due(),
        TimerKey::ClassicSync(_) => turn.sync_is_due(),
        TimerKey::ConsumerSession { .. }
        | TimerKey::ConsumerRebalance { .. }
        | TimerKey::ConsumerClassicMember { .. }
        | TimerKey::ConsumerAssignment(_)
        | TimerKey::ConsumerRegex(_)
        | TimerKey::OffsetsExpiry => {}
    }
    let step = turn.step;
    forget_unwritten(groups, group_id);
    step
}

/// A group of which nothing is left and nothing was ever written goes without a trace: ids that
/// were given and never used leave no groups behind.
pub(super) fn forget_unwritten(groups: &mut Groups, group_id: &Str) {
    let is_nothing = groups.groups.get(group_id).is_some_and(|group| {
        let is_simple = match &group.kind {
            Kind::Classic(classic) => classic.is_simple(),
            Kind::Consumer(_) => false,
        };
        is_simple && group.offsets.is_empty()
    });
    if is_nothing {
        groups.groups.remove(group_id);
    }
}

impl Turn<'_, '_> {
    fn session_is_due(&mut self, member_id: &Str) {
        let now = self.now();
        let Some(member) = self.group.members.get_mut(member_id) else {
            return;
        };
        member.session.armed = Instant::NEVER;
        if member.session.deadline > now {
            // It was heard of since the timer was set.
            member.session.armed = member.session.deadline;
            let at = member.session.deadline;
            self.timers.set(self.session_key(member_id), at);
            return;
        }
        if member.is_excused() {
            // Its session begins anew when it is answered.
            return;
        }
        self.remove(member_id);
        match self.group.state {
            State::Stable | State::CompletingRebalance => self.prepare_or_complete(),
            // Also during the initial delay, as in Kafka.
            State::PreparingRebalance if self.group.has_all_joined() => self.complete(),
            State::PreparingRebalance | State::Empty => {}
        }
    }

    fn pending_member_is_due(&mut self, member_id: &Str) {
        let was_pending = self.group.pending_join.remove(member_id);
        if was_pending
            && self.group.state == State::PreparingRebalance
            && self.group.has_all_joined()
        {
            self.complete();
        }
    }

    fn join_is_due(&mut self) {
        // A timer that was set anew since this one was due is of another rebalance.
        let is_old = self.timers.get(&self.join_key()).is_some();
        if is_old || self.group.state != State::PreparingRebalance {
            return;
        }
        match self.group.initial {
            Some(initial) => self.end_initial_delay(initial),
            None => self.complete(),
        }
    }

    /// Members that did not ask for their assignments in time are out.
    fn sync_is_due(&mut self) {
        match self.group.state {
            State::CompletingRebalance | State::Stable => {}
            State::Empty | State::PreparingRebalance => return,
        }
        if self.timers.get(&self.sync_key()).is_some() {
            return;
        }
        let late: Vec<Str> = self.group.pending_sync.iter().cloned().collect();
        if late.is_empty() {
            return;
        }
        for member_id in late {
            self.remove(&member_id);
        }
        self.prepare();
    }
}
