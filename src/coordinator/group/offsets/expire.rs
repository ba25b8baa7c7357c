//! Offsets that nobody uses any longer, and groups that are left with nothing: every
//! `offsets.retention.check.interval.ms` all groups are looked at, some at a time.

use super::delete::is_subscribed_to;
use super::{Committed, STEP_BYTES_MAX, tombstone, tombstone_bytes};
use crate::base::time::{Instant, Timestamp, milliseconds};
use crate::coordinator::group::{Group, GroupRecord, Groups, Kind, Step, TimerKey};
use crate::coordinator::machine::World;
use crate::protocol::string::Str;
use std::ops::Bound;
use std::time::Duration;

/// Tombstones that one step may make, before the other commands have their turn.
const RECORDS_MAX: usize = 5_000;
/// Offsets and groups that one step may look at.
const LOOKED_AT_MAX: usize = 100_000;
/// How soon the next step follows one that has not come to the end.
const CONTINUE_AFTER: Duration = Duration::from_millis(10);

/// From when on the retention of a group's offsets is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExpiryBase {
    /// They are in use.
    Never,
    /// For each, from when it was committed.
    CommitTimestamp,
    /// For all of them, from when the group became empty.
    Since(Timestamp),
}

/// How far the look at all groups is.
#[derive(Default, Debug)]
pub struct Expiry {
    /// What is looked at next; `None` between two looks.
    next: Option<Place>,
}

#[derive(Debug)]
struct Place {
    group_id: Str,
    topic: Str,
    partition: i32,
}

/// The log was replayed: the first look is one interval away.
pub fn on_loaded(groups: &mut Groups, world: &mut World<'_>) {
    groups.expiry.next = None;
    set_timer(groups, world, Duration::ZERO);
}

/// Looks at some groups, from where the last step stopped.
pub fn on_timer(groups: &mut Groups, world: &mut World<'_>) -> Step {
    let retention_minutes = i64::from(world.configuration.offsets_retention_minutes());
    let mut look = Look {
        now: world.now.timestamp,
        retention_ms: retention_minutes.saturating_mul(60_000),
        records: Vec::new(),
        bytes: 0,
        looked_at: 0,
    };
    let from = groups.expiry.next.take();
    groups.expiry.next = look.at_groups(groups, from);
    if groups.expiry.next.is_some() {
        let at = world.now.instant + CONTINUE_AFTER;
        groups.timers.set(TimerKey::OffsetsExpiry, at);
    } else {
        set_timer(groups, world, CONTINUE_AFTER);
    }
    Step {
        records: look.records,
        replies: Vec::new(),
    }
}

fn set_timer(groups: &mut Groups, world: &World<'_>, at_least: Duration) {
    let interval_ms = world.configuration.offsets_retention_check_interval_ms();
    let at: Instant = world.now.instant + milliseconds(interval_ms).max(at_least);
    groups.timers.set(TimerKey::OffsetsExpiry, at);
}

/// One step of a look.
struct Look {
    now: Timestamp,
    retention_ms: i64,
    records: Vec<GroupRecord>,
    bytes: usize,
    looked_at: usize,
}

impl Look {
    /// Looks at groups until all were seen or it is enough; then it says where to go on.
    fn at_groups(&mut self, groups: &Groups, from: Option<Place>) -> Option<Place> {
        let first = match &from {
            Some(place) => Bound::Included(&place.group_id),
            None => Bound::Unbounded,
        };
        for (group_id, group) in groups.groups.range::<Str, _>((first, Bound::Unbounded)) {
            // The group at which it stopped may be gone: then the next begins at its beginning.
            let (topic, partition) = match &from {
                Some(place) if place.group_id == *group_id => (&*place.topic, place.partition),
                Some(_) | None => ("", i32::MIN),
            };
            if self.is_enough() {
                return Some(Place::new(group_id, topic, partition));
            }
            self.looked_at += 1;
            if let Some(place) = self.at_group(group_id, group, topic, partition) {
                return Some(place);
            }
        }
        None
    }

    /// Looks at a group from a topic and its partition on. Where it is enough, what is next.
    fn at_group(
        &mut self,
        group_id: &Str,
        group: &Group,
        from_topic: &str,
        from_partition: i32,
    ) -> Option<Place> {
        let records_before = self.records.len();
        let base = expiry_base(group);
        if base != ExpiryBase::Never {
            for (name, offsets) in group.offsets.from_topic(from_topic) {
                let from = if name == from_topic {
                    from_partition
                } else {
                    i32::MIN
                };
                if self.is_enough() {
                    return Some(Place::new(group_id, name, from));
                }
                self.looked_at += offsets.partition_count();
                if is_subscribed_to(group, name) {
                    continue;
                }
                let topic = Str::from(name);
                for (partition, committed) in offsets.iter() {
                    if partition < from {
                        continue;
                    }
                    if self.is_full() {
                        return Some(Place::new(group_id, name, partition));
                    }
                    if self.is_expired(base, &committed) {
                        self.bytes += tombstone_bytes(group_id, &topic);
                        self.records.push(tombstone(group_id, &topic, partition));
                    }
                }
            }
        }
        // What expired in earlier steps has been replayed, and is not there any longer.
        let expired = self.records.len() - records_before;
        if expired == group.offsets.len() && is_empty(group) {
            match &group.kind {
                Kind::Classic(group) => group.tombstones(group_id, &mut self.records),
                Kind::Consumer(group) => group.tombstones(group_id, &mut self.records),
            }
        }
        None
    }

    fn is_expired(&self, base: ExpiryBase, committed: &Committed<'_>) -> bool {
        if committed.expire_timestamp != Timestamp::NONE {
            return self.now >= committed.expire_timestamp;
        }
        let since = match base {
            ExpiryBase::Never => return false,
            ExpiryBase::CommitTimestamp => committed.commit_timestamp,
            ExpiryBase::Since(timestamp) => timestamp,
        };
        self.now.0.saturating_sub(since.0) >= self.retention_ms
    }

    fn is_enough(&self) -> bool {
        self.is_full() || self.looked_at >= LOOKED_AT_MAX
    }

    fn is_full(&self) -> bool {
        self.records.len() >= RECORDS_MAX || self.bytes >= STEP_BYTES_MAX
    }
}

impl Place {
    fn new(group_id: &Str, topic: &str, partition: i32) -> Place {
        Place {
            group_id: group_id.clone(),
            topic: Str::from(topic),
            partition,
        }
    }
}

fn expiry_base(group: &Group) -> ExpiryBase {
    match &group.kind {
        Kind::Classic(group) => group.offset_expiry(),
        // Apache's rule: what a consumer group does not subscribe to, from its commit on, whether
        // the group has members or not.
        Kind::Consumer(_) => ExpiryBase::CommitTimestamp,
    }
}

fn is_empty(group: &Group) -> bool {
    match &group.kind {
        Kind::Classic(group) => group.is_empty(),
        Kind::Consumer(group) => group.is_empty(),
    }
}
