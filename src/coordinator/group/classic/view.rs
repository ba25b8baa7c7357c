//! What offsets and administrators ask of a classic group. Kafka's state "Dead" is not here: such
//! a group is gone, and who asks finds none.

use super::{CONSUMER, ClassicGroup, Member, State};
use crate::coordinator::group::GroupRecord;
use crate::coordinator::group::offsets::ExpiryBase;
use crate::protocol::Message;
use crate::protocol::consumer_protocol::ConsumerProtocolSubscription;
use crate::protocol::coordinator_records::GroupMetadataKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::describe_groups::{DescribedGroup, DescribedGroupMember};
use crate::protocol::reader::Reader;
use crate::protocol::string::Str;
use bytes::Bytes;

impl ClassicGroup {
    /// What it is doing.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What it is doing, by Kafka's name.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        self.state.name()
    }

    /// Whether it has no members; ids may have been given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state == State::Empty
    }

    /// Whether nobody was ever a member and no record of type 2 stands behind it: it is there for
    /// its offsets.
    #[must_use]
    pub fn is_simple(&self) -> bool {
        self.protocol_type.is_none()
            && self.generation == 0
            && self.members.is_empty()
            && self.pending_join.is_empty()
    }

    /// How often it has rebalanced.
    #[must_use]
    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// What its members are: "consumer", "connect".
    #[must_use]
    pub fn protocol_type(&self) -> Option<&Str> {
        self.protocol_type.as_ref()
    }

    /// How this generation shares: "range".
    #[must_use]
    pub fn protocol_name(&self) -> Option<&Str> {
        self.protocol_name.as_ref()
    }

    /// The member that assigns.
    #[must_use]
    pub fn leader(&self) -> Option<&Str> {
        self.leader.as_ref()
    }

    /// How many members it has.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    /// The members, by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// A member.
    #[must_use]
    pub fn member(&self, member_id: &str) -> Option<&Member> {
        self.members.get(member_id)
    }

    /// The member that has an instance id.
    #[must_use]
    pub fn static_member(&self, group_instance_id: &str) -> Option<&Member> {
        self.members
            .get(self.static_members.get(group_instance_id)?)
    }

    /// Whether its members are Kafka's consumers, whose metadata klamm can read.
    #[must_use]
    pub fn uses_consumer_protocol(&self) -> bool {
        let protocol_type = self.protocol_type.as_ref();
        protocol_type.is_some_and(|name| *name == CONSUMER)
    }

    /// Whether a member subscribes to a topic, as far as klamm can tell: of consumers whose
    /// metadata it cannot read it supposes so.
    #[must_use]
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        if !self.uses_consumer_protocol() {
            return false;
        }
        let mut is_subscribed = false;
        let is_known = self.each_subscription(|topics| {
            is_subscribed |= topics.iter().any(|subscribed| *subscribed == *topic);
        });
        is_subscribed || !is_known
    }

    /// From when on the retention of its offsets is counted.
    #[must_use]
    pub fn offset_expiry(&self) -> ExpiryBase {
        if self.protocol_type.is_none() {
            // Nobody was ever a member: each offset has its own time.
            return ExpiryBase::CommitTimestamp;
        }
        match self.state {
            State::Empty => match self.state_timestamp {
                Some(since) => ExpiryBase::Since(since),
                None => ExpiryBase::CommitTimestamp,
            },
            State::Stable if self.uses_consumer_protocol() && self.each_subscription(|_| {}) => {
                ExpiryBase::CommitTimestamp
            }
            State::Stable | State::PreparingRebalance | State::CompletingRebalance => {
                ExpiryBase::Never
            }
        }
    }

    /// Whether offsets may be committed like this.
    ///
    /// # Errors
    /// UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS.
    pub fn validate_offset_commit(
        &self,
        member_id: &Str,
        group_instance_id: Option<&Str>,
        generation_id: i32,
    ) -> Result<(), ErrorCode> {
        let is_empty = self.state == State::Empty;
        if generation_id < 0 && is_empty {
            // A consumer without a group, or an administrator.
            return Ok(());
        }
        if generation_id >= 0 || !member_id.is_empty() || group_instance_id.is_some() {
            self.validate_member(member_id, group_instance_id)?;
            if generation_id != self.generation {
                return Err(ErrorCode::ILLEGAL_GENERATION);
            }
        } else if !is_empty {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        if self.state == State::CompletingRebalance {
            return Err(ErrorCode::REBALANCE_IN_PROGRESS);
        }
        Ok(())
    }

    /// Whether offsets may be read: always.
    ///
    /// # Errors
    /// None.
    pub fn validate_offset_fetch(&self) -> Result<(), ErrorCode> {
        Ok(())
    }

    /// Whether offsets may be deleted, of topics that no member subscribes to.
    ///
    /// # Errors
    /// NON_EMPTY_GROUP where it has members of which klamm cannot tell what they subscribe to.
    pub fn validate_offset_delete(&self) -> Result<(), ErrorCode> {
        if self.is_empty() || self.uses_consumer_protocol() {
            Ok(())
        } else {
            Err(ErrorCode::NON_EMPTY_GROUP)
        }
    }

    /// Whether the group may be deleted.
    ///
    /// # Errors
    /// NON_EMPTY_GROUP where it has members.
    pub fn validate_delete_group(&self) -> Result<(), ErrorCode> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(ErrorCode::NON_EMPTY_GROUP)
        }
    }

    /// Adds the tombstone of the group.
    pub fn tombstones(&self, group_id: &Str, records: &mut Vec<GroupRecord>) {
        let key = GroupMetadataKey {
            group: group_id.clone(),
            ..GroupMetadataKey::default()
        };
        records.push(GroupRecord::GroupMetadata(key, None));
    }

    /// The group as DescribeGroups tells it: what members say only while that holds.
    #[must_use]
    pub fn describe(&self, group_id: &Str) -> DescribedGroup {
        let protocol = match self.state {
            State::Stable => self.protocol_name.clone().unwrap_or_default(),
            State::Empty | State::PreparingRebalance | State::CompletingRebalance => Str::EMPTY,
        };
        let metadata = |member: &Member| match self.state {
            State::Stable => member.protocols.metadata(&protocol).cloned(),
            State::Empty | State::PreparingRebalance | State::CompletingRebalance => None,
        };
        let members = self.members.values().map(|member| DescribedGroupMember {
            member_id: member.member_id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            client_id: member.client.id.clone(),
            client_host: member.client.host.clone(),
            member_metadata: metadata(member).unwrap_or_default(),
            member_assignment: member.assignment.clone(),
            ..DescribedGroupMember::default()
        });
        DescribedGroup {
            group_id: group_id.clone(),
            group_state: Str::from_static(self.state.name()),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            members: members.collect(),
            protocol_data: protocol,
            ..DescribedGroup::default()
        }
    }

    /// Shows the topics of each member. False where a member's cannot be read, or no protocol is
    /// chosen by which it would have said so.
    fn each_subscription(&self, mut see: impl FnMut(&[Str])) -> bool {
        if self.members.is_empty() {
            return true;
        }
        let Some(protocol) = &self.protocol_name else {
            return false;
        };
        for member in self.members.values() {
            let Some(metadata) = member.protocols.metadata(protocol) else {
                return false;
            };
            match topics_of(metadata) {
                Some(topics) => see(&topics),
                None => return false,
            }
        }
        true
    }
}

/// The topics in a consumer's metadata. Version 0 is how every version begins.
fn topics_of(metadata: &Bytes) -> Option<Vec<Str>> {
    let mut reader = Reader::new(metadata.clone());
    let version = reader.i16().ok()?;
    if version < 0 {
        return None;
    }
    let subscription = ConsumerProtocolSubscription::decode(&mut reader, 0).ok()?;
    Some(subscription.topics)
}
