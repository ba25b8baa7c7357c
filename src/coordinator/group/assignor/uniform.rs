//! Equal shares. Where everybody wants the same topics, two members differ by at most one
//! partition; where they do not, shares are as even as the topics that each wants allow.
//! What a member has it keeps, as far as that goes.
//!
//! With the same topics for all, it is one pass over partitions and members:
//!
//! ```text
//!   quota = partitions / members, and some members may have one more
//!   keep     each member what it has, up to its quota (the first some: one more)
//!   place    what is left: first at members of a partition's rack, then in turn at all that lack
//! ```
//! With different topics, each topic's free partitions go to its least loaded subscribers, and then
//! partitions move from the most to the least loaded subscriber of a topic until nothing improves;
//! what is left to improve by more than one move at once, `chains.rs` does.

use super::{Assignment, Row, Spec, chains};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// No member.
const NOBODY: usize = usize::MAX;

/// How often all topics are levelled: each round has fewer moves than the one before, and few
/// groups need a fourth.
const LEVEL_ROUNDS_MAX: usize = 64;

/// What each member shall have.
#[must_use]
pub fn assign(spec: &Spec<'_>) -> Assignment {
    let row = Row::new(&spec.topics);
    let mut owners = vec![NOBODY; row.count()];
    match spec.members.as_slice() {
        [] => {}
        _ if spec.subscriptions.len() == 1 => same_topics(spec, &row, &mut owners),
        _ => different_topics(spec, &row, &mut owners),
    }
    row.assignment(&owners, spec.members.len())
}

fn same_topics(spec: &Spec<'_>, row: &Row<'_>, owners: &mut [usize]) {
    let topics = &spec.subscriptions[0];
    let total: usize = topics
        .iter()
        .map(|&topic| spec.topics[topic].partition_count)
        .sum();
    let quota = total / spec.members.len();
    let mut extra = total % spec.members.len();
    let mut counts = vec![0_usize; spec.members.len()];

    for (member, member_spec) in spec.members.iter().enumerate() {
        for (topic, place) in row.existing(member_spec.target) {
            if owners[place] != NOBODY || topics.binary_search(&topic).is_err() {
                continue;
            }
            if counts[member] == quota {
                if extra == 0 {
                    break;
                }
                extra -= 1;
            } else if counts[member] > quota {
                break;
            }
            owners[place] = member;
            counts[member] += 1;
        }
    }

    let mut free: Vec<(usize, usize)> = Vec::new();
    for &topic in topics {
        for (number, place) in row.places(topic).enumerate() {
            if owners[place] == NOBODY {
                free.push((topic, number));
            }
        }
    }
    // First everybody up to the quota, then those that get one more.
    for limit in [quota, quota + 1] {
        free = place_by_rack(spec, row, owners, &mut counts, limit, free);
        let mut lacking: VecDeque<usize> = (0..counts.len())
            .filter(|&member| counts[member] < limit)
            .collect();
        let mut left = Vec::new();
        for (topic, number) in free {
            let Some(member) = lacking.pop_front() else {
                left.push((topic, number));
                continue;
            };
            owners[row.places(topic).start + number] = member;
            counts[member] += 1;
            if counts[member] < limit {
                lacking.push_back(member);
            }
        }
        free = left;
    }
    debug_assert!(free.is_empty(), "the quotas hold every partition");
}

/// Places partitions at members of a rack that has a replica, and returns the others.
fn place_by_rack(
    spec: &Spec<'_>,
    row: &Row<'_>,
    owners: &mut [usize],
    counts: &mut [usize],
    limit: usize,
    free: Vec<(usize, usize)>,
) -> Vec<(usize, usize)> {
    let rack_count = spec
        .members
        .iter()
        .filter_map(|member| member.rack)
        .max()
        .map_or(0, |rack| rack + 1);
    if rack_count == 0 || spec.topics.iter().all(|topic| topic.racks.is_empty()) {
        return free;
    }
    let mut lacking = vec![VecDeque::new(); rack_count];
    for (member, member_spec) in spec.members.iter().enumerate() {
        if let Some(rack) = member_spec.rack.filter(|_| counts[member] < limit) {
            lacking[rack].push_back(member);
        }
    }
    let mut left = Vec::new();
    for (topic, number) in free {
        let racks = spec.topics[topic].racks.get(number);
        let rack = racks
            .into_iter()
            .flatten()
            .copied()
            .find(|&rack| lacking.get(rack).is_some_and(|members| !members.is_empty()));
        let Some((rack, member)) = rack.and_then(|rack| Some((rack, lacking[rack].pop_front()?)))
        else {
            left.push((topic, number));
            continue;
        };
        owners[row.places(topic).start + number] = member;
        counts[member] += 1;
        if counts[member] < limit {
            lacking[rack].push_back(member);
        }
    }
    left
}

fn different_topics(spec: &Spec<'_>, row: &Row<'_>, owners: &mut [usize]) {
    let mut subscribers = vec![Vec::new(); spec.topics.len()];
    for (member, member_spec) in spec.members.iter().enumerate() {
        for &topic in &spec.subscriptions[member_spec.subscription] {
            subscribers[topic].push(member);
        }
    }
    let mut loads = vec![0_usize; spec.members.len()];
    for (member, member_spec) in spec.members.iter().enumerate() {
        let topics = &spec.subscriptions[member_spec.subscription];
        for (topic, place) in row.existing(member_spec.target) {
            if owners[place] == NOBODY && topics.binary_search(&topic).is_ok() {
                owners[place] = member;
                loads[member] += 1;
            }
        }
    }

    // Topics that few members can take come first: the others can still make up for them.
    let mut order: Vec<usize> = (0..spec.topics.len())
        .filter(|&topic| !subscribers[topic].is_empty())
        .collect();
    order.sort_by_key(|&topic| (subscribers[topic].len(), topic));
    for &topic in &order {
        let free: Vec<usize> = row
            .places(topic)
            .filter(|&place| owners[place] == NOBODY)
            .collect();
        if free.is_empty() {
            continue;
        }
        let mut least: BinaryHeap<Reverse<(usize, usize)>> = subscribers[topic]
            .iter()
            .map(|&member| Reverse((loads[member], member)))
            .collect();
        for place in free {
            let Some(Reverse((load, member))) = least.pop() else {
                break;
            };
            owners[place] = member;
            loads[member] = load + 1;
            least.push(Reverse((load + 1, member)));
        }
    }

    for _ in 0..LEVEL_ROUNDS_MAX {
        let mut moved = false;
        for &topic in &order {
            moved |= level(row, topic, &subscribers[topic], owners, &mut loads);
        }
        if !moved {
            break;
        }
    }
    chains::even_out(row, &order, &subscribers, owners, &mut loads);
}

/// Moves partitions of one topic from its most to its least loaded subscribers, until the two differ
/// by at most one.
fn level(
    row: &Row<'_>,
    topic: usize,
    subscribers: &[usize],
    owners: &mut [usize],
    loads: &mut [usize],
) -> bool {
    let least = subscribers.iter().map(|&member| loads[member]).min();
    let most = row
        .places(topic)
        .filter_map(|place| loads.get(owners[place]).copied())
        .max();
    match (least, most) {
        (Some(least), Some(most)) if most > least + 1 => {}
        _ => return false,
    }
    // The places of each owner stand together, so that an owner gives from the end of its part.
    let mut places: Vec<(usize, usize)> = row
        .places(topic)
        .filter(|&place| owners[place] < loads.len())
        .map(|place| (owners[place], place))
        .collect();
    places.sort_unstable();
    // One entry for each owner, the most loaded first, and for each subscriber, the least loaded
    // first. Who gives or takes changes its load in the other's heap: there it is set right when it
    // comes up.
    let mut givers: BinaryHeap<(usize, usize, usize)> = BinaryHeap::new();
    let mut end = 0;
    for part in places.chunk_by(|(one, _), (other, _)| one == other) {
        end += part.len();
        givers.push((loads[part[0].0], part.len(), end));
    }
    let mut takers: BinaryHeap<Reverse<(usize, usize)>> = subscribers
        .iter()
        .map(|&member| Reverse((loads[member], member)))
        .collect();
    let mut moved = false;
    while let (Some((load, count, end)), Some(&Reverse((taker_load, taker)))) =
        (givers.pop(), takers.peek())
    {
        let (giver, place) = places[end - 1];
        if loads[giver] != load {
            givers.push((loads[giver], count, end));
            continue;
        }
        if loads[taker] != taker_load {
            takers.pop();
            takers.push(Reverse((loads[taker], taker)));
            givers.push((load, count, end));
            continue;
        }
        if load <= taker_load + 1 {
            break;
        }
        owners[place] = taker;
        loads[giver] -= 1;
        loads[taker] += 1;
        if count > 1 {
            givers.push((load - 1, count - 1, end - 1));
        }
        takers.pop();
        takers.push(Reverse((taker_load + 1, taker)));
        moved = true;
    }
    moved
}
