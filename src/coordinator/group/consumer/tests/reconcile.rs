//! One step towards a target: each row of the table is a member, a target, what it says, and what
//! becomes of it.

use crate::base::ids::TopicPartition;
use crate::base::uuid::Uuid;
use crate::coordinator::group::consumer::member::{Current, MemberState};
use crate::coordinator::group::consumer::partitions::{Owned, partition};
use crate::coordinator::group::consumer::reconcile::{Target, reconcile};
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::consumer_group_heartbeat::request::TopicPartitions;

const TOPIC: Uuid = Uuid([1; 16]);

fn partitions(numbers: &[i32]) -> Vec<TopicPartition> {
    numbers
        .iter()
        .map(|&number| partition(TOPIC, number))
        .collect()
}

fn held(numbers: &[i32], epoch: i32) -> Vec<(TopicPartition, i32)> {
    partitions(numbers)
        .into_iter()
        .map(|one| (one, epoch))
        .collect()
}

fn numbers(held: &[(TopicPartition, i32)]) -> Vec<i32> {
    held.iter().map(|(one, _)| one.partition.0).collect()
}

struct Row {
    state: MemberState,
    epoch: i32,
    assigned: &'static [i32],
    pending: &'static [i32],
    target_epoch: i32,
    target: &'static [i32],
    owned: Option<&'static [i32]>,
    taken: &'static [i32],
    then: (MemberState, i32, &'static [i32], &'static [i32]),
}

#[test]
fn members_are_led_to_their_targets() {
    use MemberState::{
        Stable, UnreleasedPartitions as Unreleased, UnrevokedPartitions as Unrevoked,
    };
    let rows = [
        // Nothing is new.
        Row {
            state: Stable,
            epoch: 5,
            assigned: &[1, 2],
            pending: &[],
            target_epoch: 5,
            target: &[1, 2],
            owned: None,
            taken: &[1, 2],
            then: (Stable, 5, &[1, 2], &[]),
        },
        // The same partitions in a new epoch.
        Row {
            state: Stable,
            epoch: 5,
            assigned: &[1, 2],
            pending: &[],
            target_epoch: 7,
            target: &[1, 2],
            owned: None,
            taken: &[1, 2],
            then: (Stable, 7, &[1, 2], &[]),
        },
        // More, and all are free.
        Row {
            state: Stable,
            epoch: 5,
            assigned: &[1],
            pending: &[],
            target_epoch: 6,
            target: &[1, 3],
            owned: None,
            taken: &[1],
            then: (Stable, 6, &[1, 3], &[]),
        },
        // More, and one is not free yet.
        Row {
            state: Stable,
            epoch: 5,
            assigned: &[1],
            pending: &[],
            target_epoch: 6,
            target: &[1, 3, 4],
            owned: None,
            taken: &[1, 4],
            then: (Unreleased, 6, &[1, 3], &[]),
        },
        // It becomes free.
        Row {
            state: Unreleased,
            epoch: 6,
            assigned: &[1, 3],
            pending: &[],
            target_epoch: 6,
            target: &[1, 3, 4],
            owned: None,
            taken: &[1, 3],
            then: (Stable, 6, &[1, 3, 4], &[]),
        },
        // It does not.
        Row {
            state: Unreleased,
            epoch: 6,
            assigned: &[1, 3],
            pending: &[],
            target_epoch: 6,
            target: &[1, 3, 4],
            owned: None,
            taken: &[1, 3, 4],
            then: (Unreleased, 6, &[1, 3], &[]),
        },
        // Less: the epoch stays until all is given back, and nothing new is given.
        Row {
            state: Stable,
            epoch: 5,
            assigned: &[1, 2],
            pending: &[],
            target_epoch: 6,
            target: &[1, 9],
            owned: None,
            taken: &[1, 2],
            then: (Unrevoked, 5, &[1], &[2]),
        },
        // Still has it.
        Row {
            state: Unrevoked,
            epoch: 5,
            assigned: &[1],
            pending: &[2],
            target_epoch: 6,
            target: &[1, 9],
            owned: Some(&[1, 2]),
            taken: &[1, 2],
            then: (Unrevoked, 5, &[1], &[2]),
        },
        // Does not say.
        Row {
            state: Unrevoked,
            epoch: 5,
            assigned: &[1],
            pending: &[2],
            target_epoch: 6,
            target: &[1, 9],
            owned: None,
            taken: &[1, 2],
            then: (Unrevoked, 5, &[1], &[2]),
        },
        // Gave it back.
        Row {
            state: Unrevoked,
            epoch: 5,
            assigned: &[1],
            pending: &[2],
            target_epoch: 6,
            target: &[1, 9],
            owned: Some(&[1]),
            taken: &[1, 2],
            then: (Stable, 6, &[1, 9], &[]),
        },
        // Gave it back, but the target has moved on and takes more.
        Row {
            state: Unrevoked,
            epoch: 5,
            assigned: &[1],
            pending: &[2],
            target_epoch: 8,
            target: &[9],
            owned: Some(&[1]),
            taken: &[1, 2],
            then: (Unrevoked, 6, &[], &[1]),
        },
        // Gave back what it shall have again: nobody has it since.
        Row {
            state: Unrevoked,
            epoch: 5,
            assigned: &[1],
            pending: &[2],
            target_epoch: 7,
            target: &[1, 2],
            owned: Some(&[1]),
            taken: &[1, 2],
            then: (Stable, 7, &[1, 2], &[]),
        },
        // Less, but it has none of that anyway.
        Row {
            state: Stable,
            epoch: 5,
            assigned: &[1, 2],
            pending: &[],
            target_epoch: 6,
            target: &[3],
            owned: Some(&[]),
            taken: &[1, 2],
            then: (Stable, 6, &[3], &[]),
        },
        // A state that is not known, and a member that gave up everything.
        Row {
            state: MemberState::Unknown,
            epoch: 5,
            assigned: &[1],
            pending: &[],
            target_epoch: 6,
            target: &[1],
            owned: Some(&[]),
            taken: &[1],
            then: (Stable, 6, &[1], &[]),
        },
    ];
    for (place, row) in rows.iter().enumerate() {
        let current = Current {
            epoch: row.epoch,
            previous_epoch: row.epoch - 1,
            state: row.state,
            assigned: held(row.assigned, row.epoch),
            pending_revocation: held(row.pending, row.epoch),
        };
        let target = partitions(row.target);
        let owned = row.owned.map(|numbers| {
            vec![TopicPartitions {
                topic_id: TOPIC,
                partitions: numbers.to_vec(),
                ..TopicPartitions::default()
            }]
        });
        // That it has nothing it says by no topic at all.
        let owned = owned.map(|topics| match topics[0].partitions.is_empty() {
            true => Vec::new(),
            false => topics,
        });
        let target = Target {
            epoch: row.target_epoch,
            partitions: &target,
            is_outdated: false,
        };
        let new = reconcile(&current, target, Owned(owned.as_deref()), |one| {
            !row.taken.contains(&one.partition.0)
        });
        let new = new.expect("is not fenced");
        let then = (
            new.state,
            new.epoch,
            numbers(&new.assigned),
            numbers(&new.pending_revocation),
        );
        let (state, epoch, assigned, pending) = row.then;
        assert_eq!(
            then,
            (state, epoch, assigned.to_vec(), pending.to_vec()),
            "row {place}"
        );
        for (one, epoch) in &new.assigned {
            let is_old = row.assigned.contains(&one.partition.0);
            assert_eq!(*epoch, if is_old { row.epoch } else { row.target_epoch });
        }
        let previous = if new == current {
            row.epoch - 1
        } else {
            row.epoch
        };
        assert_eq!(new.previous_epoch, previous, "row {place}");
    }
}

#[test]
fn a_member_of_an_unknown_state_gives_up_everything_first() {
    let current = Current {
        epoch: 5,
        state: MemberState::Unknown,
        ..Current::default()
    };
    let target = Target {
        epoch: 6,
        partitions: &[],
        is_outdated: false,
    };
    let fenced = reconcile(&current, target, Owned(None), |_| true);
    assert_eq!(fenced, Err(ErrorCode::FENCED_MEMBER_EPOCH));
}
