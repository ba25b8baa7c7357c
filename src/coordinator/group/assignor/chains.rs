//! Moves through several members at once, where members want different topics: the first gives a
//! partition to the second, which gives one of another topic to the third, and only the third has more
//! in the end. Where no such chain leads from a member to one that has two partitions less, no other
//! assignment is more even.

use super::Row;
use std::collections::{BTreeMap, VecDeque};

/// How many subscriptions are looked at, all searches together: few groups need more than a handful
/// of chains, and none shall hold up its core.
const STEPS_MAX: usize = 1 << 22;

/// Of each member, by topic, the places of the partitions that it has.
type Places = Vec<BTreeMap<usize, Vec<usize>>>;

/// Who comes before a member in a chain, and of which topic it gives a partition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    First,
    After { giver: usize, topic: usize },
}

/// Makes `loads` as even as chains can. `subscribers` are those of each topic, `topics` those that
/// have some.
pub(super) fn even_out(
    row: &Row<'_>,
    topics: &[usize],
    subscribers: &[Vec<usize>],
    owners: &mut [usize],
    loads: &mut [usize],
) {
    let mut places: Places = vec![BTreeMap::new(); loads.len()];
    for &topic in topics {
        for place in row.places(topic) {
            if let Some(own) = places.get_mut(owners[place]) {
                own.entry(topic).or_default().push(place);
            }
        }
    }
    let mut steps = 0;
    while let Some((chain, last)) = find(subscribers, &places, loads, &mut steps) {
        let mut taker = last;
        while let Seen::After { giver, topic } = chain[taker] {
            let place = take(&mut places[giver], topic);
            places[taker].entry(topic).or_default().push(place);
            owners[place] = taker;
            taker = giver;
        }
        loads[taker] -= 1;
        loads[last] += 1;
    }
}

/// A chain from a member to one that has two partitions less: who was seen, and the last of it.
fn find(
    subscribers: &[Vec<usize>],
    places: &Places,
    loads: &[usize],
    steps: &mut usize,
) -> Option<(Vec<Seen>, usize)> {
    let least = loads.iter().min()?;
    let mut givers: Vec<usize> = (0..loads.len())
        .filter(|&member| loads[member] > least + 1)
        .collect();
    givers.sort_by_key(|&member| (std::cmp::Reverse(loads[member]), member));
    // Who was seen from a member with more and led nowhere leads nowhere from one with less.
    let mut seen = vec![Seen::Not; loads.len()];
    let mut has_seen_topic = vec![false; subscribers.len()];
    for first in givers {
        if seen[first] != Seen::Not {
            continue;
        }
        seen[first] = Seen::First;
        let mut queue = VecDeque::from([first]);
        while let Some(giver) = queue.pop_front() {
            for (&topic, own) in &places[giver] {
                if own.is_empty() || std::mem::replace(&mut has_seen_topic[topic], true) {
                    continue;
                }
                *steps += subscribers[topic].len();
                if *steps > STEPS_MAX {
                    return None;
                }
                for &taker in &subscribers[topic] {
                    if seen[taker] != Seen::Not {
                        continue;
                    }
                    seen[taker] = Seen::After { giver, topic };
                    if loads[taker] + 1 < loads[first] {
                        return Some((seen, taker));
                    }
                    queue.push_back(taker);
                }
            }
        }
    }
    None
}

fn take(own: &mut BTreeMap<usize, Vec<usize>>, topic: usize) -> usize {
    let places = own.get_mut(&topic).expect("it has partitions of the topic");
    places.pop().expect("it has a partition of the topic")
}
