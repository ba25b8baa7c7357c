//! What a group promised its members, and what was committed: checked at every answer.

use super::ledger::Place;
use crate::base::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the one group of a run.
#[derive(Default)]
pub struct GroupLedger {
    /// Classic: who was given a partition in a generation.
    claims: BTreeMap<(i32, Place), String>,
    /// The newest generation that anybody was told of.
    newest: i32,
    /// Consumer: who has a partition, and until when the coordinator surely counts on it.
    holders: BTreeMap<Place, Holder>,
    last: i64,
    sent: BTreeMap<Place, i64>,
    acked: BTreeMap<Place, i64>,
    /// Partitions given to members.
    pub grants: u64,
    /// Commits acknowledged.
    pub commits: u64,
    /// Committed offsets read and judged.
    pub fetches: u64,
    /// Times that somebody's membership was found gone.
    pub fenced: u64,
}

struct Holder {
    member: usize,
    until: Instant,
}

impl GroupLedger {
    /// A member of a classic group was told its share.
    pub fn claim(
        &mut self,
        generation: i32,
        member: &str,
        places: &BTreeSet<Place>,
    ) -> Result<(), String> {
        self.newest = self.newest.max(generation);
        for place in places {
            self.grants += 1;
            let owner = self
                .claims
                .entry((generation, *place))
                .or_insert_with(|| member.to_owned());
            if owner != member {
                return Err(format!(
                    "{place:?} belongs to {owner} and to {member} in generation {generation}"
                ));
            }
        }
        Ok(())
    }

    /// The newest generation that somebody was told of.
    pub fn newest_generation(&self) -> i32 {
        self.newest
    }

    /// A member of a consumer group was given a partition; the others must have let go of it, or not
    /// have been heard of for their session's time.
    pub fn hold(
        &mut self,
        now: Instant,
        member: usize,
        place: Place,
        until: Instant,
    ) -> Result<(), String> {
        if let Some(holder) = self.holders.get(&place)
            && holder.member != member
            && holder.until > now
        {
            return Err(format!(
                "{place:?} was given to member {member}, and member {} has it",
                holder.member
            ));
        }
        if self
            .holders
            .insert(place, Holder { member, until })
            .is_none()
        {
            self.grants += 1;
        }
        Ok(())
    }

    /// A member has let go of a partition.
    pub fn let_go(&mut self, member: usize, place: Place) {
        if self
            .holders
            .get(&place)
            .is_some_and(|holder| holder.member == member)
        {
            self.holders.remove(&place);
        }
    }

    /// An offset to commit: larger than all before.
    pub fn next_commit(&mut self, place: Place) -> i64 {
        self.last += 1;
        self.sent.insert(place, self.last);
        self.last
    }

    /// A commit was acknowledged.
    pub fn committed(&mut self, place: Place, offset: i64) {
        self.commits += 1;
        let acked = self.acked.entry(place).or_insert(offset);
        *acked = (*acked).max(offset);
    }

    /// The largest offset whose commit was acknowledged, or -1.
    pub fn acked(&self, place: Place) -> i64 {
        self.acked.get(&place).copied().unwrap_or(-1)
    }

    /// A committed offset was read. `known` was acknowledged before it was asked for.
    pub fn fetched(&mut self, place: Place, offset: i64, known: i64) -> Result<(), String> {
        self.fetches += 1;
        if offset < known {
            return Err(format!(
                "{place:?}: offset {known} was committed, and {offset} is found"
            ));
        }
        let sent = self.sent.get(&place).copied().unwrap_or(-1);
        if offset > sent {
            return Err(format!("{place:?}: nobody ever committed offset {offset}"));
        }
        Ok(())
    }
}
