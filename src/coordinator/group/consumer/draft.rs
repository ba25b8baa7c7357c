//! A group, and what one step changes in it. The records of the step are not written yet, so the
//! group is as it was; who computes further looks at the draft, which shows what will be.

use super::member::{Member, Subscription};
use super::partitions::Partitions;
use super::{ConsumerGroup, metadata, records, regex};
use crate::base::ids::{TopicId, TopicPartition};
use crate::coordinator::World;
use crate::coordinator::group::GroupRecord;
use crate::protocol::string::Str;
use std::collections::{BTreeMap, BTreeSet};

/// A group with the changes of one step.
pub struct Draft<'a> {
    /// The group's id.
    pub group_id: &'a Str,
    /// The group without them.
    pub group: &'a ConsumerGroup,
    /// What is to be written.
    pub records: Vec<GroupRecord>,
    /// The group epoch with them.
    pub group_epoch: i32,
    /// The epoch of the target assignment with them.
    pub target_epoch: i32,
    // Ids of members that go.
    gone: BTreeSet<Str>,
    // The member that comes or changes.
    member: Option<Member>,
    // What members shall have, where that changes.
    targets: BTreeMap<Str, Partitions>,
    // Regular expressions that are new, resolved anew, or (None) no longer used.
    regexes: BTreeMap<Str, Option<Vec<Str>>>,
    metadata_hash: i64,
}

impl<'a> Draft<'a> {
    /// The group as it is.
    #[must_use]
    pub fn new(group_id: &'a Str, group: &'a ConsumerGroup) -> Draft<'a> {
        Draft {
            group_id,
            group,
            records: Vec::new(),
            group_epoch: group.group_epoch,
            target_epoch: group.target_epoch,
            gone: BTreeSet::new(),
            member: None,
            targets: BTreeMap::new(),
            regexes: BTreeMap::new(),
            metadata_hash: group.metadata_hash,
        }
    }

    /// A member goes.
    pub fn remove(&mut self, member_id: &Str) {
        records::no_member(self.group_id, member_id, &mut self.records);
        self.gone.insert(member_id.clone());
    }

    /// A member takes the place of another, with all that it has and shall have.
    pub fn replace(&mut self, old: &Member, new: &Member) {
        self.remove(&old.id);
        let target = self.group.target(&old.id);
        self.records.push(records::subscription(self.group_id, new));
        self.records
            .push(records::target(self.group_id, &new.id, target));
        self.records.push(records::current(self.group_id, new));
        self.targets.insert(new.id.clone(), target.to_vec());
        self.member = Some(new.clone());
    }

    /// A member comes, or wants something else.
    pub fn put_subscription(&mut self, member: Member) {
        self.records
            .push(records::subscription(self.group_id, &member));
        self.member = Some(member);
    }

    /// All members.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        let changed = self.member.as_ref();
        self.group
            .members
            .values()
            .filter(move |member| {
                !self.gone.contains(&member.id)
                    && changed.is_none_or(|changed| changed.id != member.id)
            })
            .chain(changed)
    }

    /// How many members there are.
    #[must_use]
    pub fn member_count(&self) -> usize {
        let coming = self
            .member
            .iter()
            .filter(|member| !self.group.members.contains_key(&member.id))
            .count();
        self.group.members.len() + coming - self.gone.len()
    }

    /// What a member shall have; `None` where nothing was ever said.
    #[must_use]
    pub fn target(&self, member_id: &str) -> Option<&[TopicPartition]> {
        let target = self.targets.get(member_id);
        target
            .or_else(|| self.group.targets.get(member_id))
            .map(Vec::as_slice)
    }

    /// There is a new target assignment. Only what differs is written.
    pub fn put_targets(&mut self, targets: Vec<(Str, Partitions)>, timestamp: i64) {
        for (member_id, target) in targets {
            if self.target(&member_id) != Some(target.as_slice()) {
                self.records
                    .push(records::target(self.group_id, &member_id, &target));
                self.targets.insert(member_id, target);
            }
        }
        self.target_epoch = self.group_epoch;
        self.records.push(records::target_epoch(
            self.group_id,
            self.target_epoch,
            timestamp,
        ));
    }

    /// Ids of the topics that a member wants and that exist.
    #[must_use]
    pub fn topic_ids(&self, world: &World<'_>, subscription: &Subscription) -> BTreeSet<TopicId> {
        let by_regex = subscription.topic_regex.iter();
        let names = by_regex
            .flat_map(|regex| self.resolved(regex))
            .chain(&subscription.topic_names);
        names
            .filter_map(|name| Some(world.image.topics.by_name(name)?.id))
            .collect()
    }

    /// The topics that a regular expression means, sorted.
    #[must_use]
    pub fn resolved(&self, regex: &Str) -> &[Str] {
        let known = match self.regexes.get(regex) {
            Some(changed) => changed.as_ref(),
            None => self.group.regexes.get(regex),
        };
        known.map(Vec::as_slice).unwrap_or_default()
    }

    /// Every topic that some member wants, whether it exists or not.
    #[must_use]
    pub fn topics(&self) -> BTreeSet<Str> {
        let mut change: BTreeMap<&Str, (usize, usize)> = BTreeMap::new();
        let changed = self.member.as_ref();
        let before = changed.and_then(|member| self.group.members.get(&member.id));
        let going = self.gone.iter().filter_map(|id| self.group.members.get(id));
        for name in going
            .chain(before)
            .flat_map(|one| &one.subscription.topic_names)
        {
            change.entry(name).or_default().0 += 1;
        }
        for name in changed.iter().flat_map(|one| &one.subscription.topic_names) {
            change.entry(name).or_default().1 += 1;
        }
        let mut topics: BTreeSet<Str> = self
            .group
            .named_topics
            .iter()
            .filter(|(name, count)| {
                let (less, more) = change.get(name).copied().unwrap_or_default();
                *count + more > less
            })
            .map(|(name, _)| name.clone())
            .collect();
        topics.extend(
            change
                .iter()
                .filter(|(_, (less, more))| more > less)
                .map(|(name, _)| Str::clone(name)),
        );
        let changed = self.regexes.values().flatten();
        let unchanged = self
            .group
            .regexes
            .iter()
            .filter(|(regex, _)| !self.regexes.contains_key(*regex))
            .map(|(_, topics)| topics);
        topics.extend(changed.chain(unchanged).flatten().cloned());
        topics
    }

    /// A member wants something else than before, or the same: the group epoch rises where that may
    /// mean other partitions for anybody. It does not for one who comes and wants nothing, or wants by
    /// a new expression what there is not.
    pub fn want(&mut self, world: &World<'_>, before: &Subscription, now: &Subscription) {
        if before.topic_names != now.topic_names {
            self.bump(world);
            return;
        }
        if before.topic_regex == now.topic_regex {
            return;
        }
        let is_first_expression = before.topic_regex.is_none();
        let means_nothing_new = now.topic_regex.as_ref().is_some_and(|regex| {
            !self.group.regexes.contains_key(regex) && regex::resolve(world.image, regex).is_empty()
        });
        if is_first_expression && means_nothing_new {
            self.settle_regexes(world);
        } else {
            self.bump(world);
        }
    }

    /// The group epoch rises: members came, went, or want something else. Topics are looked at on
    /// the way.
    pub fn bump(&mut self, world: &World<'_>) {
        self.settle_regexes(world);
        self.metadata_hash = metadata::hash(world.image, &self.topics());
        self.write_epoch();
    }

    /// The group epoch rises if the topics are not what they were when it last rose, or a regular
    /// expression means others.
    pub fn bump_if_topics_changed(&mut self, world: &World<'_>, look_up_regexes: bool) {
        if look_up_regexes {
            self.resolve_anew(world);
        }
        let hash = metadata::hash(world.image, &self.topics());
        if hash != self.metadata_hash {
            self.metadata_hash = hash;
            self.write_epoch();
        }
    }

    fn write_epoch(&mut self) {
        self.group_epoch = self.group_epoch.saturating_add(1);
        self.records.push(records::epoch(
            self.group_id,
            self.group_epoch,
            self.metadata_hash,
        ));
    }

    /// Regular expressions that are new are resolved, those that nobody uses any more go.
    fn settle_regexes(&mut self, world: &World<'_>) {
        let used: BTreeSet<Str> = self
            .members()
            .filter_map(|member| member.subscription.topic_regex.clone())
            .collect();
        let unused: Vec<Str> = self
            .group
            .regexes
            .keys()
            .filter(|regex| !used.contains(*regex))
            .cloned()
            .collect();
        for regex in unused {
            self.records.push(records::no_regex(self.group_id, &regex));
            self.regexes.insert(regex, None);
        }
        for regex in used {
            if !self.group.regexes.contains_key(&regex) {
                self.resolve(world, regex);
            }
        }
    }

    fn resolve_anew(&mut self, world: &World<'_>) {
        let group = self.group;
        for regex in group.regexes.keys() {
            self.resolve(world, regex.clone());
        }
    }

    fn resolve(&mut self, world: &World<'_>, regex: Str) {
        let topics = regex::resolve(world.image, &regex);
        if self.group.regexes.get(&regex) == Some(&topics) {
            return;
        }
        self.records.push(records::regex(
            self.group_id,
            &regex,
            topics.clone(),
            world.image.provenance.last_offset.0,
            world.now.timestamp.0,
        ));
        self.regexes.insert(regex, Some(topics));
    }
}
