//! One step of a member towards its target, at each of its heartbeats. A partition is given to a
//! member only when no other has it, or still has to give it back: so none is ever owned by two.
//!
//! ```text
//!                        target has less than the member
//!            ┌──────────────────────────────────────────────┐
//!            │                                              ▼
//!         STABLE ◄──────── all is given back ──── UNREVOKED_PARTITIONS
//!          ▲  │                                             │
//!   all is │  │ others still have some                      │ others still have some
//!    free  │  ▼                                             ▼
//!        UNRELEASED_PARTITIONS ◄────────────────────────────┘
//! ```
//! The member's epoch becomes the target's when it has given back all it must; until then it stays.

use super::member::{Current, MemberState};
use super::partitions::{Held, Owned, contains, epoch_of};
use crate::base::ids::TopicPartition;
use crate::protocol::errors::ErrorCode;

/// Where a member is led to.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The epoch of the target assignment.
    pub epoch: i32,
    /// What the member shall have, sorted.
    pub partitions: &'a [TopicPartition],
    /// The member has partitions of topics that it no longer wants, and its target was made before
    /// it said so: it gives them back at once.
    pub is_outdated: bool,
}

/// What a member has after a heartbeat in which it said that it has `owned`.
///
/// # Errors
/// FENCED_MEMBER_EPOCH for a member whose state a newer version wrote, until it has given up
/// everything.
pub fn reconcile(
    current: &Current,
    target: Target<'_>,
    owned: Owned<'_>,
    is_free: impl Fn(TopicPartition) -> bool,
) -> Result<Current, ErrorCode> {
    match current.state {
        MemberState::Stable if current.epoch == target.epoch && !target.is_outdated => {
            Ok(current.clone())
        }
        MemberState::Stable | MemberState::UnreleasedPartitions => {
            Ok(next(current, current.epoch, target, owned, is_free))
        }
        MemberState::UnrevokedPartitions if owned.has_any_of(&current.pending_revocation) => {
            Ok(current.clone())
        }
        MemberState::UnrevokedPartitions => {
            let epoch = current.epoch.saturating_add(1).min(target.epoch);
            Ok(next(current, epoch, target, owned, is_free))
        }
        MemberState::Unknown if !owned.is_nothing() => Err(ErrorCode::FENCED_MEMBER_EPOCH),
        MemberState::Unknown => Ok(next(current, target.epoch, target, owned, is_free)),
    }
}

fn next(
    current: &Current,
    epoch: i32,
    target: Target<'_>,
    owned: Owned<'_>,
    is_free: impl Fn(TopicPartition) -> bool,
) -> Current {
    let (mut assigned, pending_revocation): (Held, Held) = current
        .assigned
        .iter()
        .partition(|(partition, _)| contains(target.partitions, *partition));
    if !pending_revocation.is_empty() && owned.has_any_of(&pending_revocation) {
        let state = MemberState::UnrevokedPartitions;
        return moved(current, epoch, state, assigned, pending_revocation);
    }
    let mut state = MemberState::Stable;
    for &partition in target.partitions {
        if epoch_of(&current.assigned, partition).is_some() {
            continue;
        }
        // What the member itself has just given back is free for it.
        if is_free(partition) || epoch_of(&current.pending_revocation, partition).is_some() {
            assigned.push((partition, target.epoch));
        } else {
            state = MemberState::UnreleasedPartitions;
        }
    }
    assigned.sort_unstable();
    moved(current, target.epoch, state, assigned, Held::new())
}

/// What was before is the previous epoch; but where nothing changed, nothing need be written.
fn moved(
    current: &Current,
    epoch: i32,
    state: MemberState,
    assigned: Held,
    pending_revocation: Held,
) -> Current {
    let mut new = Current {
        epoch,
        previous_epoch: current.previous_epoch,
        state,
        assigned,
        pending_revocation,
    };
    if new != *current {
        new.previous_epoch = current.epoch;
    }
    new
}
