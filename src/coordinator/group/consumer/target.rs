//! The target assignment: what each member shall have, computed by an assignor from what the members
//! want and what they were to have until now.
//!
//! It is computed when the group epoch has risen, but at most once in the assignment interval
//! (KIP-1263): of a thousand members that come together, the first is assigned at once and the
//! others together.

use super::draft::Draft;
use super::member::Subscription;
use super::{metadata, settings};
use crate::base::time::{Instant, milliseconds};
use crate::coordinator::World;
use crate::coordinator::group::assignor::{MemberSpec, Spec, TopicSpec};
use crate::metadata::image::MetadataImage;
use crate::metadata::image::topics::Topic;
use crate::protocol::string::Str;
use std::collections::BTreeMap;

/// Makes a new target assignment where the group epoch asks for one. `Some` where it is too early:
/// then it is to be made at that time.
pub fn renew(draft: &mut Draft<'_>, world: &World<'_>) -> Option<Instant> {
    if draft.group_epoch <= draft.target_epoch {
        return None;
    }
    let wait_ms = early_by_ms(draft, world);
    if wait_ms > 0 {
        return Some(world.now.instant + milliseconds(wait_ms));
    }
    let targets = compute(draft, world);
    draft.put_targets(targets, world.now.timestamp.0);
    None
}

/// How long until the assignment interval has passed.
fn early_by_ms(draft: &Draft<'_>, world: &World<'_>) -> i64 {
    let last = draft.group.target_timestamp;
    let interval = settings::assignment_interval_ms(world, draft.group_id);
    let passed = world.now.timestamp.0.saturating_sub(last);
    // A clock that was set back says nothing about how long ago it was. A group that nobody has
    // anything of has no reason to wait.
    let has_assignment = draft
        .group
        .targets
        .values()
        .any(|target| !target.is_empty());
    if passed < 0 || last <= 0 || !has_assignment {
        return 0;
    }
    interval.saturating_sub(passed).max(0)
}

fn compute(
    draft: &Draft<'_>,
    world: &World<'_>,
) -> Vec<(Str, Vec<crate::base::ids::TopicPartition>)> {
    let wishes = draft
        .members()
        .filter_map(|member| member.subscription.server_assignor.as_ref());
    let assignor = settings::preferred_assignor(world.configuration, wishes);

    let names = draft.topics();
    let mut topics: Vec<&Topic> = names
        .iter()
        .filter_map(|name| world.image.topics.by_name(name))
        .collect();
    topics.sort_unstable_by_key(|topic| topic.id);
    let places: BTreeMap<&str, usize> = topics
        .iter()
        .enumerate()
        .map(|(place, topic)| (&*topic.name, place))
        .collect();

    let mut racks = Racks::new(draft, world.image);
    let mut subscriptions = Subscriptions::default();
    let members = draft
        .members()
        .map(|member| MemberSpec {
            id: &member.id,
            instance_id: member.subscription.instance_id.as_ref(),
            rack: racks.of_member(member.subscription.rack_id.as_ref()),
            subscription: subscriptions.place_of(draft, &places, &member.subscription),
            target: draft.target(&member.id).unwrap_or_default(),
        })
        .collect();
    let spec = Spec {
        topics: topics
            .iter()
            .map(|topic| TopicSpec {
                id: topic.id,
                partition_count: topic.partition_count(),
                racks: racks.of_topic(world.image, topic),
            })
            .collect(),
        subscriptions: subscriptions.sets,
        members,
    };
    let assignment = assignor.assign(&spec);
    let ids = spec.members.iter().map(|member| member.id.clone());
    ids.zip(assignment).collect()
}

/// The different sets of topics that members want. Most groups have one.
#[derive(Default)]
struct Subscriptions<'a> {
    sets: Vec<Vec<usize>>,
    by_topics: BTreeMap<(&'a [Str], Option<&'a Str>), usize>,
    by_set: BTreeMap<Vec<usize>, usize>,
}

impl<'a> Subscriptions<'a> {
    fn place_of(
        &mut self,
        draft: &'a Draft<'_>,
        places: &BTreeMap<&str, usize>,
        subscription: &'a Subscription,
    ) -> usize {
        let regex = subscription.topic_regex.as_ref();
        let key = (subscription.topic_names.as_slice(), regex);
        if let Some(&place) = self.by_topics.get(&key) {
            return place;
        }
        let by_regex = regex.map(|regex| draft.resolved(regex)).unwrap_or_default();
        let mut set: Vec<usize> = by_regex
            .iter()
            .chain(&subscription.topic_names)
            .filter_map(|name| places.get(name.as_str()).copied())
            .collect();
        set.sort_unstable();
        set.dedup();
        let place = match self.by_set.get(&set) {
            Some(&place) => place,
            None => {
                self.sets.push(set.clone());
                self.by_set.insert(set, self.sets.len() - 1);
                self.sets.len() - 1
            }
        };
        self.by_topics.insert(key, place);
        place
    }
}

/// Racks as numbers; none at all where no member or no broker has one.
struct Racks<'a> {
    numbers: Option<BTreeMap<&'a str, usize>>,
}

impl<'a> Racks<'a> {
    fn new(draft: &Draft<'_>, image: &'a MetadataImage) -> Racks<'a> {
        let matter = metadata::has_racks(image)
            && draft
                .members()
                .any(|member| member.subscription.rack_id.is_some());
        let mut numbers = BTreeMap::new();
        let brokers = image.cluster.brokers.values();
        for rack in brokers.filter_map(|broker| broker.rack.as_deref()) {
            let next = numbers.len();
            numbers.entry(rack).or_insert(next);
        }
        Racks {
            numbers: matter.then_some(numbers),
        }
    }

    fn of_member(&mut self, rack: Option<&Str>) -> Option<usize> {
        self.numbers.as_ref()?.get(rack?.as_str()).copied()
    }

    fn of_topic(&self, image: &MetadataImage, topic: &Topic) -> Vec<Vec<usize>> {
        let Some(numbers) = &self.numbers else {
            return Vec::new();
        };
        topic
            .partitions()
            .map(|(_, partition)| {
                let brokers = partition.replicas.iter();
                let racks = brokers
                    .filter_map(|&node| image.cluster.broker(node)?.rack.as_deref())
                    .filter_map(|rack| numbers.get(rack).copied());
                racks.collect()
            })
            .collect()
    }
}
