//! Where a classic group ends: it becomes a consumer group (KIP-848), or another broker's.

use super::ClassicGroup;
use super::turn::{join_refusal, sync_refusal};
use crate::coordinator::group::{GroupReply, Groups, Kind};
use crate::partition::work::Origin;
use crate::protocol::coordinator_records::GroupMetadataValue;
use crate::protocol::errors::ErrorCode;
use crate::protocol::string::Str;
use bytes::Bytes;

/// This broker coordinates these groups no more: whoever waits in them is told so.
#[must_use]
pub fn resign(groups: &mut Groups, error: ErrorCode) -> Vec<(Origin, GroupReply)> {
    let mut replies = Vec::new();
    for group in groups.groups.values_mut() {
        match &mut group.kind {
            Kind::Classic(classic) => replies.extend(classic.interrupt(error)),
            Kind::Consumer(_) => {}
        }
    }
    replies
}

impl ClassicGroup {
    /// The group with its members of now, as a record would tell of it.
    #[must_use]
    pub fn for_upgrade(&self) -> GroupMetadataValue {
        self.to_record(|member| member.assignment.clone())
    }

    /// All protocols that a member has offered, the preferred first; after a restart the chosen
    /// one alone is known.
    #[must_use]
    pub fn protocols_of(&self, member_id: &Str) -> Vec<(Str, Bytes)> {
        let member = self.members.get(member_id);
        member.map_or_else(Vec::new, |member| {
            member.protocols.iter().cloned().collect()
        })
    }

    /// Answers whoever waits with an error, and forgets that they wait.
    #[must_use]
    pub fn interrupt(&mut self, error: ErrorCode) -> Vec<(Origin, GroupReply)> {
        let mut replies = Vec::new();
        for member in self.members.values_mut() {
            if let Some(origin) = member.awaiting_join.take() {
                let response = join_refusal(member.member_id.clone(), error);
                replies.push((origin, GroupReply::JoinGroup(response)));
            }
            if let Some(origin) = member.awaiting_sync.take() {
                replies.push((origin, GroupReply::SyncGroup(sync_refusal(error))));
            }
        }
        self.awaiting_join = 0;
        replies
    }
}
