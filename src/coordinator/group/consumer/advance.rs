//! What the heartbeat of a member makes, by whichever protocol it came: the member is written where
//! it is new or wants something else; the group epoch rises, a target assignment is made, where that
//! asks for it; and the member takes a step towards its target.

use super::Refusal;
use super::admit::Admitted;
use super::draft::Draft;
use super::member::{Current, Member, MemberState, Subscription};
use super::partitions::{Owned, contains};
use super::reconcile::{Target, reconcile};
use super::{records, target};
use crate::base::ids::TopicPartition;
use crate::base::time::{Instant, milliseconds};
use crate::coordinator::World;
use crate::protocol::errors::ErrorCode;
use std::borrow::Cow;
use std::time::Duration;

/// What came of it, besides the records in the draft.
pub(super) struct Advanced {
    /// The member as it is then.
    pub(super) member: Member,
    /// Whether it has other partitions than before.
    pub(super) has_other_partitions: bool,
    /// What becomes of the time it has to give partitions back.
    pub(super) revocation: Revocation,
    /// When a target assignment is due for which it is too early.
    pub(super) assign_at: Option<Instant>,
}

/// What becomes of the time that a member has to give partitions back.
pub(super) enum Revocation {
    /// It runs, or does not, as before.
    Unchanged,
    /// It begins.
    Begins(Duration),
    /// The member need not give anything back any more.
    Over,
}

/// `subscription` is what the member wants now; `None` where that is what it wanted before.
pub(super) fn advance(
    draft: &mut Draft<'_>,
    world: &World<'_>,
    admitted: Admitted<'_>,
    subscription: impl FnOnce(&Subscription) -> Option<Subscription>,
    owned: Owned<'_>,
) -> Result<Advanced, Refusal> {
    let (mut member, is_new) = match admitted {
        Admitted::Known(member) => (member.clone(), false),
        Admitted::New(member) => (member, true),
        Admitted::Replacing(old, new) => {
            draft.replace(old, &new);
            (new, false)
        }
    };
    if let Some(wanted) = subscription(&member.subscription)
        && (is_new || wanted != member.subscription)
    {
        let before = std::mem::replace(&mut member.subscription, wanted);
        draft.put_subscription(member.clone());
        draft.want(world, &before, &member.subscription);
    }
    let assign_at = target::renew(draft, world);

    let current = step(draft, world, &member, owned).map_err(|code| {
        let why = "The consumer group member is in a unknown state. The member must abandon all its \
                   partitions and rejoin.";
        Refusal::new(code, why.to_owned())
    })?;
    let mut revocation = Revocation::Unchanged;
    let mut has_other_partitions = false;
    if current != member.current {
        let before = std::mem::replace(&mut member.current, current);
        draft
            .records
            .push(records::current(draft.group_id, &member));
        has_other_partitions = !has_same_partitions(&before, &member.current);
        revocation = if member.current.state == MemberState::UnrevokedPartitions {
            let timeout = i64::from(member.subscription.rebalance_timeout_ms);
            Revocation::Begins(milliseconds(timeout))
        } else {
            Revocation::Over
        };
    }
    Ok(Advanced {
        member,
        has_other_partitions,
        revocation,
        assign_at,
    })
}

fn step(
    draft: &Draft<'_>,
    world: &World<'_>,
    member: &Member,
    owned: Owned<'_>,
) -> Result<Current, ErrorCode> {
    let mut partitions: Cow<'_, [TopicPartition]> =
        Cow::Borrowed(draft.target(&member.id).unwrap_or_default());
    let mut is_outdated = false;
    if draft.group_epoch > draft.target_epoch {
        // The target is an old one: of topics that the member no longer wants, it gets nothing.
        let wanted = draft.topic_ids(world, &member.subscription);
        partitions
            .to_mut()
            .retain(|partition| wanted.contains(&partition.topic_id));
        let assigned = &member.current.assigned;
        is_outdated = assigned
            .iter()
            .any(|(partition, _)| !contains(&partitions, *partition));
    }
    let target = Target {
        epoch: draft.target_epoch,
        partitions: &partitions,
        is_outdated,
    };
    reconcile(&member.current, target, owned, |partition| {
        draft.group.is_free(partition)
    })
}

fn has_same_partitions(one: &Current, other: &Current) -> bool {
    let partitions = |current: &Current| {
        let all = current.assigned.iter();
        all.map(|(partition, _)| *partition).collect::<Vec<_>>()
    };
    one.assigned.len() == other.assigned.len() && partitions(one) == partitions(other)
}
