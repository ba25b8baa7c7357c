//! Records that are written become state: nothing else changes what they say. After a restart the
//! same records give the same state; what compaction has removed of them makes no difference,
//! because each record holds all of what its key names.

use super::member::{Current, LEAVE_EPOCH, Member, Subscription};
use super::partitions::{Partitions, partition};
use super::{ConsumerGroup, member};
use crate::base::time::Now;
use crate::coordinator::group::classic::ClassicGroup;
use crate::coordinator::group::{GroupRecord, Groups, Kind};
use crate::protocol::string::Str;

/// Takes a record of type 3 to 8 or 16.
pub fn replay(groups: &mut Groups, _: Now, record: GroupRecord) {
    let group_id = record.group_id();
    if let GroupRecord::ConsumerGroupMetadata(_, None) = &record {
        remove_group(groups, &group_id.clone());
    } else if record.is_tombstone() {
        // A group that is not there, or is classic by now, has nothing to lose.
        if let Some(group) = groups.consumer_mut(&group_id.clone()) {
            group.replay(record);
        }
    } else {
        group_for(groups, &group_id.clone()).replay(record);
    }
}

/// The group that a record with a value makes, where it does not exist. Offsets may have come
/// first: then it is a simple group so far.
fn group_for<'a>(groups: &'a mut Groups, group_id: &Str) -> &'a mut ConsumerGroup {
    let group = groups.get_or_simple(group_id);
    if let Kind::Classic(_) = group.kind {
        // Where members of a classic group stand in the way, their record's tombstone is lost, and
        // the later record counts.
        group.kind = Kind::Consumer(ConsumerGroup::new());
    }
    match &mut group.kind {
        Kind::Consumer(group) => group,
        Kind::Classic(_) => unreachable!("it was made a consumer group just now"),
    }
}

fn remove_group(groups: &mut Groups, group_id: &Str) {
    let Some(group) = groups.groups.get_mut(group_id) else {
        return;
    };
    if let Kind::Classic(_) = group.kind {
        return;
    }
    if group.offsets.is_empty() {
        groups.groups.remove(group_id);
    } else {
        group.kind = Kind::Classic(ClassicGroup::simple());
    }
}

impl ConsumerGroup {
    /// Takes one record of the group.
    pub(super) fn replay(&mut self, record: GroupRecord) {
        match record {
            GroupRecord::ConsumerGroupMetadata(_, Some(value)) => {
                self.group_epoch = value.epoch;
                self.metadata_hash = value.metadata_hash;
            }
            GroupRecord::ConsumerGroupMemberMetadata(key, Some(value)) => {
                self.set_subscription(&key.member_id, Subscription::from_record(&value));
            }
            GroupRecord::ConsumerGroupMemberMetadata(key, None) => {
                self.remove_member(&key.member_id);
            }
            GroupRecord::ConsumerGroupTargetAssignmentMetadata(_, value) => {
                self.target_epoch = value.as_ref().map_or(0, |value| value.assignment_epoch);
                self.target_timestamp = value.map_or(0, |value| value.assignment_timestamp);
            }
            GroupRecord::ConsumerGroupTargetAssignmentMember(key, Some(value)) => {
                let mut partitions: Partitions = value
                    .topic_partitions
                    .iter()
                    .flat_map(|topic| {
                        let id = topic.topic_id;
                        topic.partitions.iter().map(move |&one| partition(id, one))
                    })
                    .collect();
                partitions.sort_unstable();
                partitions.dedup();
                match self.targets.get_mut(&key.member_id) {
                    Some(target) => *target = partitions,
                    None => drop(self.targets.insert(key.member_id.detached(), partitions)),
                }
            }
            GroupRecord::ConsumerGroupTargetAssignmentMember(key, None) => {
                self.targets.remove(&key.member_id);
            }
            GroupRecord::ConsumerGroupCurrentMemberAssignment(key, Some(value)) => {
                self.set_current(&key.member_id, Current::from_record(&value));
            }
            GroupRecord::ConsumerGroupCurrentMemberAssignment(key, None) => {
                if self.members.contains_key(&key.member_id) {
                    let current = Current {
                        epoch: LEAVE_EPOCH,
                        previous_epoch: LEAVE_EPOCH,
                        ..Current::default()
                    };
                    self.set_current(&key.member_id, current);
                }
            }
            GroupRecord::ConsumerGroupRegularExpression(key, Some(value)) => {
                let topics = member::sorted_names(&value.topics);
                match self.regexes.get_mut(&key.regular_expression) {
                    Some(known) => *known = topics,
                    None => {
                        let regex = key.regular_expression.detached();
                        self.regexes.insert(regex, topics);
                    }
                }
            }
            GroupRecord::ConsumerGroupRegularExpression(key, None) => {
                self.regexes.remove(&key.regular_expression);
            }
            // The hash of type 3 stands for what Kafka 4.0 wrote here: it differs from 0, so the
            // group looks at its topics anew. The group's own tombstone is its group's business,
            // and the other records are not of consumer groups.
            GroupRecord::ConsumerGroupMetadata(_, None)
            | GroupRecord::ConsumerGroupPartitionMetadata(..)
            | GroupRecord::LegacyOffsetCommit(..)
            | GroupRecord::OffsetCommit(..)
            | GroupRecord::GroupMetadata(..) => {}
        }
    }

    fn member_for(&mut self, member_id: &Str) -> &mut Member {
        if !self.members.contains_key(member_id) {
            let member_id = member_id.detached();
            let member = Member::new(member_id.clone());
            self.members.insert(member_id.clone(), member);
        }
        self.members
            .get_mut(member_id)
            .expect("it was put there where it was missing")
    }

    fn set_subscription(&mut self, member_id: &Str, subscription: Subscription) {
        let member = self.member_for(member_id);
        let before = std::mem::replace(&mut member.subscription, subscription);
        let (member_id, after) = (member.id.clone(), member.subscription.topic_names.clone());
        let instance_id = member.subscription.instance_id.clone();
        if before.instance_id != instance_id {
            self.forget_instance(before.instance_id.as_ref(), &member_id);
        }
        if let Some(instance_id) = instance_id {
            self.static_members.insert(instance_id, member_id);
        }
        if before.topic_names != after {
            self.forget_topics(&before.topic_names);
            for name in after {
                *self.named_topics.entry(name).or_default() += 1;
            }
        }
    }

    fn set_current(&mut self, member_id: &Str, current: Current) {
        let member = self.member_for(member_id);
        let before = std::mem::replace(&mut member.current, current);
        let after = &self.members[member_id];
        for (partition, _) in before.assigned.iter().chain(&before.pending_revocation) {
            // Another member's record may have come first: then the partition is that member's.
            if self.owners.get(partition) == Some(&before.epoch) {
                self.owners.remove(partition);
            }
        }
        for partition in after.holds() {
            self.owners.insert(partition, after.current.epoch);
        }
    }

    fn remove_member(&mut self, member_id: &Str) {
        if !self.members.contains_key(member_id) {
            return;
        }
        self.set_current(member_id, Current::default());
        self.targets.remove(member_id);
        if let Some(member) = self.members.remove(member_id) {
            self.forget_instance(member.subscription.instance_id.as_ref(), &member.id);
            self.forget_topics(&member.subscription.topic_names);
        }
    }

    fn forget_instance(&mut self, instance_id: Option<&Str>, member_id: &Str) {
        let Some(instance_id) = instance_id else {
            return;
        };
        // The instance may have come back as another member, whose record came first.
        if self.static_members.get(instance_id) == Some(member_id) {
            self.static_members.remove(instance_id);
        }
    }

    fn forget_topics(&mut self, names: &[Str]) {
        for name in names {
            if let Some(count) = self.named_topics.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    self.named_topics.remove(name);
                }
            }
        }
    }
}
