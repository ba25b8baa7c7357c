//! A member of a consumer group: what it wants (a record of type 5), and what it has (a record of
//! type 8).

use super::partitions::{Held, by_topic, partition};
use crate::base::ids::TopicPartition;
use crate::coordinator::group::{Asked, Client};
use crate::protocol::coordinator_records::consumer_group_current_member_assignment::{
    ConsumerGroupCurrentMemberAssignmentValue, TopicPartitions,
};
use crate::protocol::coordinator_records::consumer_group_member_metadata::{
    ClassicMemberMetadata, ClassicProtocol, ConsumerGroupMemberMetadataValue,
};
use crate::protocol::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use crate::protocol::string::Str;
use bytes::Bytes;

/// Epoch of a request by which a member leaves.
pub const LEAVE_EPOCH: i32 = -1;

/// Epoch of a static member that is away and may come back; of a request by which it goes away.
pub const STATIC_LEAVE_EPOCH: i32 = -2;

/// What a member wants. Strings are in memory of their own.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Subscription {
    /// The name by which it comes back. KIP-345.
    pub instance_id: Option<Str>,
    /// Its rack.
    pub rack_id: Option<Str>,
    /// Who it is.
    pub client: Client,
    /// Topics by name, sorted, each once.
    pub topic_names: Vec<Str>,
    /// Topics by regular expression; never empty text.
    pub topic_regex: Option<Str>,
    /// How long it may take to give partitions back.
    pub rebalance_timeout_ms: i32,
    /// The assignor that it would like.
    pub server_assignor: Option<Str>,
    /// How it joined, where it speaks the classic protocol.
    pub classic: Option<ClassicMember>,
}

/// A member that speaks the classic protocol.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ClassicMember {
    /// Its own session timeout.
    pub session_timeout_ms: i32,
    /// Its protocols, the preferred first, with their metadata.
    pub protocols: Vec<(Str, Bytes)>,
}

/// Where a member is on its way to its target.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum MemberState {
    /// It has what it shall have.
    #[default]
    Stable,
    /// It has to give partitions back first.
    UnrevokedPartitions,
    /// Others have not yet given back what it shall have.
    UnreleasedPartitions,
    /// Written by a version that knows more states.
    Unknown,
}

impl MemberState {
    /// The state of a record.
    #[must_use]
    pub fn from_code(code: i8) -> MemberState {
        match code {
            0 => MemberState::Stable,
            1 => MemberState::UnrevokedPartitions,
            2 => MemberState::UnreleasedPartitions,
            _ => MemberState::Unknown,
        }
    }

    /// The code that records carry.
    #[must_use]
    pub fn code(self) -> i8 {
        match self {
            MemberState::Stable => 0,
            MemberState::UnrevokedPartitions => 1,
            MemberState::UnreleasedPartitions => 2,
            MemberState::Unknown => 127,
        }
    }
}

/// What a member has.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Current {
    /// Its epoch: up to which target it is reconciled.
    pub epoch: i32,
    /// The epoch before. A member that did not get the answer still comes with it.
    pub previous_epoch: i32,
    /// Where it is on its way.
    pub state: MemberState,
    /// Its partitions.
    pub assigned: Held,
    /// Partitions that it has been told to give back, and has not yet.
    pub pending_revocation: Held,
}

/// A member.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Member {
    /// Its id.
    pub id: Str,
    /// What it wants.
    pub subscription: Subscription,
    /// What it has.
    pub current: Current,
}

impl Member {
    /// A member that nothing is known of.
    #[must_use]
    pub fn new(id: Str) -> Member {
        Member {
            id,
            subscription: Subscription {
                rebalance_timeout_ms: -1,
                ..Subscription::default()
            },
            ..Member::default()
        }
    }

    /// Whether it has all of the target of that epoch, and nothing else.
    #[must_use]
    pub fn is_reconciled_to(&self, target_epoch: i32) -> bool {
        self.current.state == MemberState::Stable && self.current.epoch == target_epoch
    }

    /// Whether it speaks the classic protocol.
    #[must_use]
    pub fn is_classic(&self) -> bool {
        self.subscription.classic.is_some()
    }

    /// Every partition that is not free because of it.
    pub fn holds(&self) -> impl Iterator<Item = TopicPartition> + '_ {
        let current = &self.current;
        let held = current.assigned.iter().chain(&current.pending_revocation);
        held.map(|(partition, _)| *partition)
    }
}

impl Subscription {
    /// What a heartbeat makes of it. What the request leaves out stays.
    #[must_use]
    pub fn updated(&self, asked: &Asked, request: &ConsumerGroupHeartbeatRequest) -> Subscription {
        let or = |new: &Option<Str>, old: &Option<Str>| match new {
            Some(new) => Some(kept(old.as_ref(), new)),
            None => old.clone(),
        };
        Subscription {
            instance_id: or(&request.instance_id, &self.instance_id),
            rack_id: or(&request.rack_id, &self.rack_id),
            client: client(&self.client, &asked.client),
            topic_names: match &request.subscribed_topic_names {
                Some(names) => sorted_names(names),
                None => self.topic_names.clone(),
            },
            topic_regex: or(&request.subscribed_topic_regex, &self.topic_regex)
                .filter(|regex| !regex.is_empty()),
            rebalance_timeout_ms: match request.rebalance_timeout_ms {
                -1 => self.rebalance_timeout_ms,
                given => given,
            },
            server_assignor: or(&request.server_assignor, &self.server_assignor),
            classic: None,
        }
    }

    /// Whether a heartbeat asks for nothing but what is known: the usual one does, and then nothing
    /// need be copied.
    #[must_use]
    pub fn is_repeated_by(&self, asked: &Asked, request: &ConsumerGroupHeartbeatRequest) -> bool {
        let same = |new: &Option<Str>, old: &Option<Str>| new.is_none() || new == old;
        request.subscribed_topic_names.is_none()
            && request.subscribed_topic_regex.is_none()
            && self.classic.is_none()
            && self.client == asked.client
            && same(&request.instance_id, &self.instance_id)
            && same(&request.rack_id, &self.rack_id)
            && same(&request.server_assignor, &self.server_assignor)
            && (request.rebalance_timeout_ms == -1
                || request.rebalance_timeout_ms == self.rebalance_timeout_ms)
    }

    /// What a record says.
    #[must_use]
    pub fn from_record(value: &ConsumerGroupMemberMetadataValue) -> Subscription {
        let own = |text: &Option<Str>| text.as_ref().map(Str::detached);
        Subscription {
            instance_id: own(&value.instance_id),
            rack_id: own(&value.rack_id),
            client: Client {
                id: value.client_id.detached(),
                host: value.client_host.detached(),
            },
            topic_names: sorted_names(&value.subscribed_topic_names),
            topic_regex: own(&value.subscribed_topic_regex).filter(|regex| !regex.is_empty()),
            rebalance_timeout_ms: value.rebalance_timeout_ms,
            server_assignor: own(&value.server_assignor),
            classic: value
                .classic_member_metadata
                .as_ref()
                .map(|classic| ClassicMember {
                    session_timeout_ms: classic.session_timeout_ms,
                    protocols: classic
                        .supported_protocols
                        .iter()
                        .map(|protocol| {
                            let metadata = Bytes::copy_from_slice(&protocol.metadata);
                            (protocol.name.detached(), metadata)
                        })
                        .collect(),
                }),
        }
    }

    /// As a record.
    #[must_use]
    pub fn to_record(&self) -> ConsumerGroupMemberMetadataValue {
        ConsumerGroupMemberMetadataValue {
            instance_id: self.instance_id.clone(),
            rack_id: self.rack_id.clone(),
            client_id: self.client.id.clone(),
            client_host: self.client.host.clone(),
            subscribed_topic_names: self.topic_names.clone(),
            // Apache writes the empty text for none.
            subscribed_topic_regex: Some(self.topic_regex.clone().unwrap_or_default()),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            server_assignor: self.server_assignor.clone(),
            classic_member_metadata: self.classic.as_ref().map(|classic| ClassicMemberMetadata {
                session_timeout_ms: classic.session_timeout_ms,
                supported_protocols: classic
                    .protocols
                    .iter()
                    .map(|(name, metadata)| ClassicProtocol {
                        name: name.clone(),
                        metadata: metadata.clone(),
                        ..ClassicProtocol::default()
                    })
                    .collect(),
                ..ClassicMemberMetadata::default()
            }),
            ..ConsumerGroupMemberMetadataValue::default()
        }
    }
}

/// Names in memory of their own, sorted, each once.
#[must_use]
pub fn sorted_names(names: &[Str]) -> Vec<Str> {
    let mut sorted: Vec<Str> = names.iter().map(Str::detached).collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

/// The new client, in the old one's memory where it is the same.
#[must_use]
pub fn client(old: &Client, new: &Client) -> Client {
    Client {
        id: kept(Some(&old.id), &new.id),
        host: kept(Some(&old.host), &new.host),
    }
}

fn kept(old: Option<&Str>, new: &Str) -> Str {
    match old {
        Some(old) if old == new => old.clone(),
        Some(_) | None => new.detached(),
    }
}

impl Current {
    /// What a record says.
    #[must_use]
    pub fn from_record(value: &ConsumerGroupCurrentMemberAssignmentValue) -> Current {
        let held = |topics: &[TopicPartitions]| {
            let mut held: Held = topics
                .iter()
                .flat_map(|topic| {
                    let epochs = topic.assignment_epochs.as_deref().unwrap_or_default();
                    topic.partitions.iter().enumerate().map(|(place, &number)| {
                        // Before KIP-1251 only the member had an epoch.
                        let epoch = epochs.get(place).copied().unwrap_or(value.member_epoch);
                        (partition(topic.topic_id, number), epoch)
                    })
                })
                .collect();
            held.sort_unstable();
            held.dedup_by_key(|(partition, _)| *partition);
            held
        };
        Current {
            epoch: value.member_epoch,
            previous_epoch: value.previous_member_epoch,
            state: MemberState::from_code(value.state),
            assigned: held(&value.assigned_partitions),
            pending_revocation: held(&value.partitions_pending_revocation),
        }
    }

    /// As a record.
    #[must_use]
    pub fn to_record(&self) -> ConsumerGroupCurrentMemberAssignmentValue {
        let topics = |held: &Held| {
            let mut epochs = held.iter().map(|(_, epoch)| *epoch);
            by_topic(held.iter().map(|(partition, _)| *partition))
                .into_iter()
                .map(|(topic_id, partitions)| TopicPartitions {
                    topic_id,
                    assignment_epochs: Some(epochs.by_ref().take(partitions.len()).collect()),
                    partitions,
                    ..TopicPartitions::default()
                })
                .collect()
        };
        ConsumerGroupCurrentMemberAssignmentValue {
            member_epoch: self.epoch,
            previous_member_epoch: self.previous_epoch,
            state: self.state.code(),
            assigned_partitions: topics(&self.assigned),
            partitions_pending_revocation: topics(&self.pending_revocation),
            ..ConsumerGroupCurrentMemberAssignmentValue::default()
        }
    }
}
