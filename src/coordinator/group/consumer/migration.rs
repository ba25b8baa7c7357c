//! Groups that change over while they work: a classic group becomes a consumer group when a consumer
//! of that protocol joins it, and classic again when the last of them leaves.
//!
//! Either way one step writes the old group's tombstones and the new group's records. Members that
//! speak the classic protocol go on in the consumer group (`classic_member.rs`): what their leader
//! assigned them last is what they have and shall have.

use super::member::{ClassicMember, Current, Member, MemberState, Subscription, sorted_names};
use super::partitions::{Held, by_topic, partition};
use super::settings::MigrationPolicy;
use super::{ConsumerGroup, records, timer};
use crate::base::ids::{TopicId, TopicPartition};
use crate::base::time::milliseconds;
use crate::coordinator::World;
use crate::coordinator::group::classic::{self, ClassicGroup};
use crate::coordinator::group::{Client, GroupRecord, GroupReply, Groups, Kind, Step, TimerKey};
use crate::metadata::image::MetadataImage;
use crate::partition::work::Origin;
use crate::protocol::Message;
use crate::protocol::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, assignment,
};
use crate::protocol::coordinator_records::group_metadata::MemberMetadata;
use crate::protocol::coordinator_records::{GroupMetadataKey, GroupMetadataValue, encode_value};
use crate::protocol::errors::ErrorCode;
use crate::protocol::reader::Reader;
use crate::protocol::string::Str;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// The protocol type of Kafka's consumers.
pub const CONSUMER: Str = Str::from_static("consumer");

/// Reads what a consumer says of itself by the classic protocol, and the version that it said it in.
/// A newer version is read as the newest that is known: its fields come first.
#[must_use]
pub fn read_subscription(metadata: &Bytes) -> Option<(ConsumerProtocolSubscription, i16)> {
    read_versioned(metadata)
}

fn read_versioned<M: Message>(bytes: &Bytes) -> Option<(M, i16)> {
    let mut reader = Reader::new(bytes.clone());
    let version = reader.i16().ok().filter(|&version| version >= 0)?;
    let version = version.min(M::VERSIONS.high);
    Some((M::decode(&mut reader, version).ok()?, version))
}

/// An assignment as consumers of the classic protocol read it.
#[must_use]
pub fn write_assignment(
    image: &MetadataImage,
    partitions: impl IntoIterator<Item = TopicPartition>,
    version: i16,
) -> Bytes {
    let assigned_partitions = by_topic(partitions)
        .into_iter()
        .filter_map(|(topic_id, partitions)| {
            Some(assignment::TopicPartition {
                topic: Str::from(&*image.topics.by_id(topic_id)?.name),
                partitions,
                ..assignment::TopicPartition::default()
            })
        })
        .collect();
    let message = ConsumerProtocolAssignment {
        assigned_partitions,
        ..ConsumerProtocolAssignment::default()
    };
    // Names of topics and numbers of partitions fit in every version.
    encode_value(&message, version).unwrap_or_default()
}

/// A classic group as a consumer group, with the records that make it so. `None` where it may not
/// be, or its members are no consumers, or what they say cannot be read.
pub(super) fn upgrade(
    world: &World<'_>,
    group_id: &Str,
    classic: &ClassicGroup,
) -> Option<(ConsumerGroup, Vec<GroupRecord>)> {
    let most = world.configuration.group_consumer_max_size();
    let fits = usize::try_from(most).is_ok_and(|most| classic.member_count() <= most);
    if !MigrationPolicy::of(world.configuration).upgrade
        || !classic.uses_consumer_protocol()
        || !fits
    {
        return None;
    }
    let value = classic.for_upgrade();
    let mut taken = BTreeSet::new();
    let members: Option<Vec<Member>> = value
        .members
        .iter()
        .map(|member| {
            let protocols = classic.protocols_of(&member.member_id);
            upgraded_member(world.image, member, protocols, value.generation, &mut taken)
        })
        .collect();
    let members = members?;

    let epoch = value.generation;
    let mut made = Vec::new();
    for member in &members {
        made.push(records::subscription(group_id, member));
    }
    made.push(records::epoch(group_id, epoch, 0));
    for member in &members {
        let target: Vec<TopicPartition> = member.holds().collect();
        made.push(records::target(group_id, &member.id, &target));
    }
    made.push(records::target_epoch(group_id, epoch, 0));
    for member in &members {
        made.push(records::current(group_id, member));
    }
    let mut group = ConsumerGroup::new();
    for record in &made {
        group.replay(record.clone());
    }
    let mut all = Vec::new();
    classic.tombstones(group_id, &mut all);
    all.append(&mut made);
    Some((group, all))
}

fn upgraded_member(
    image: &MetadataImage,
    member: &MemberMetadata,
    protocols: Vec<(Str, Bytes)>,
    generation: i32,
    taken: &mut BTreeSet<TopicPartition>,
) -> Option<Member> {
    let (subscription, _) = read_subscription(&member.subscription)?;
    let assigned = if member.assignment.is_empty() {
        Vec::new()
    } else {
        let (assigned, _) = read_versioned::<ConsumerProtocolAssignment>(&member.assignment)?;
        assigned.assigned_partitions
    };
    let mut held: Held = assigned
        .iter()
        .filter_map(|topic| Some((image.topics.by_name(&topic.topic)?.id, &topic.partitions)))
        .flat_map(|(id, numbers)| numbers.iter().map(move |&one| partition(id, one)))
        // What the members' leader gave to two is the first one's.
        .filter(|partition| taken.insert(*partition))
        .map(|partition| (partition, generation))
        .collect();
    held.sort_unstable();
    Some(Member {
        id: member.member_id.detached(),
        subscription: Subscription {
            instance_id: member.group_instance_id.as_ref().map(Str::detached),
            rack_id: subscription.rack_id.as_ref().map(Str::detached),
            client: Client {
                id: member.client_id.detached(),
                host: member.client_host.detached(),
            },
            topic_names: sorted_names(&subscription.topics),
            topic_regex: None,
            rebalance_timeout_ms: member.rebalance_timeout,
            server_assignor: None,
            classic: Some(ClassicMember {
                session_timeout_ms: member.session_timeout,
                protocols,
            }),
        },
        current: Current {
            epoch: generation,
            previous_epoch: generation,
            state: MemberState::Stable,
            assigned: held,
            pending_revocation: Held::new(),
        },
    })
}

/// The upgrade is about to be written: who waits in the classic group is told to come again, and the
/// sessions of its members go on.
pub(super) fn upgraded(
    groups: &mut Groups,
    world: &World<'_>,
    group_id: &Str,
) -> Vec<(Origin, GroupReply)> {
    let Some(group) = groups.groups.get_mut(group_id) else {
        return Vec::new();
    };
    let Kind::Classic(classic) = &mut group.kind else {
        return Vec::new();
    };
    let replies = classic.interrupt(ErrorCode::REBALANCE_IN_PROGRESS);
    for member in classic.for_upgrade().members {
        let timeout = milliseconds(i64::from(member.session_timeout));
        timer::session(
            groups,
            world,
            group_id,
            &member.member_id.detached(),
            timeout,
        );
    }
    replies
}

/// The records by which a consumer group becomes classic when these members go, and perhaps another
/// takes the place of one of them. `None` where it stays: because others that speak the consumer
/// protocol are left, or nobody is, or it may not.
pub(super) fn downgrade(
    world: &World<'_>,
    group_id: &Str,
    group: &ConsumerGroup,
    going: &[&Str],
    joining: Option<&Member>,
) -> Option<Vec<GroupRecord>> {
    let staying: Vec<&Member> = group
        .members()
        .filter(|member| !going.contains(&&member.id))
        .chain(joining)
        .collect();
    let most = world.configuration.group_max_size();
    if staying.is_empty()
        || !staying.iter().all(|member| member.is_classic())
        || !MigrationPolicy::of(world.configuration).downgrade
        || usize::try_from(most).is_ok_and(|most| staying.len() > most)
    {
        return None;
    }
    let protocol = common_protocol(&staying)?;
    let members = staying
        .iter()
        .map(|member| {
            // Who takes another's place takes over what that one was to have.
            let heir = joining.is_some_and(|joining| joining.id == member.id);
            let target = match going.first() {
                Some(old) if heir => group.target(old),
                Some(_) | None => group.target(&member.id),
            };
            downgraded_member(world.image, member, protocol, target)
        })
        .collect::<Option<Vec<MemberMetadata>>>()?;

    let mut all = Vec::new();
    if let Some(joining) = joining {
        records::no_member(group_id, &joining.id, &mut all);
    }
    group.tombstones(group_id, &mut all);
    let key = GroupMetadataKey {
        group: group_id.clone(),
        ..GroupMetadataKey::default()
    };
    let value = GroupMetadataValue {
        protocol_type: CONSUMER,
        generation: group.group_epoch,
        protocol: Some(protocol.clone()),
        leader: None,
        current_state_timestamp: world.now.timestamp.0,
        members,
        ..GroupMetadataValue::default()
    };
    all.push(GroupRecord::GroupMetadata(key, Some(value)));
    Some(all)
}

/// The protocol that all members have and most prefer.
fn common_protocol<'a>(members: &[&'a Member]) -> Option<&'a Str> {
    let protocols = |member: &'a Member| -> &'a [(Str, Bytes)] {
        let classic = member.subscription.classic.as_ref();
        classic.map_or(&[], |classic| &classic.protocols)
    };
    let mut supported: BTreeMap<&Str, usize> = BTreeMap::new();
    for &member in members {
        let names: BTreeSet<&Str> = protocols(member).iter().map(|(name, _)| name).collect();
        for name in names {
            *supported.entry(name).or_default() += 1;
        }
    }
    let mut votes: BTreeMap<&Str, usize> = BTreeMap::new();
    for &member in members {
        let mut names = protocols(member).iter().map(|(name, _)| name);
        let vote = names.find(|name| supported.get(name) == Some(&members.len()))?;
        *votes.entry(vote).or_default() += 1;
    }
    votes
        .into_iter()
        .max_by_key(|&(_, count)| count)
        .map(|(name, _)| name)
}

fn downgraded_member(
    image: &MetadataImage,
    member: &Member,
    protocol: &Str,
    target: &[TopicPartition],
) -> Option<MemberMetadata> {
    let classic = member.subscription.classic.as_ref()?;
    let (_, metadata) = classic
        .protocols
        .iter()
        .find(|(name, _)| name == protocol)?;
    let (_, version) = read_subscription(metadata)?;
    Some(MemberMetadata {
        member_id: member.id.clone(),
        group_instance_id: member.subscription.instance_id.clone(),
        client_id: member.subscription.client.id.clone(),
        client_host: member.subscription.client.host.clone(),
        rebalance_timeout: member.subscription.rebalance_timeout_ms,
        session_timeout: classic.session_timeout_ms,
        subscription: metadata.clone(),
        assignment: write_assignment(image, target.iter().copied(), version),
        ..MemberMetadata::default()
    })
}

/// The downgrade is about to be written: when it is, the members are to join anew.
pub(super) fn downgraded(groups: &mut Groups, world: &World<'_>, group_id: &Str) {
    let members: Vec<Str> = groups
        .consumer(group_id)
        .into_iter()
        .flat_map(|group| group.members().map(|member| member.id.clone()))
        .collect();
    for member_id in members {
        timer::forget(groups, group_id, &member_id);
    }
    let key = TimerKey::ConsumerAssignment(group_id.clone());
    groups.timers.set(key, world.now.instant);
}

/// A group that was a consumer group, and is classic by now, makes its members join.
pub(super) fn rebalance(groups: &mut Groups, world: &mut World<'_>, group_id: &Str) -> Step {
    match groups.groups.get(group_id).map(|group| &group.kind) {
        Some(Kind::Classic(group)) if !group.is_empty() => {
            classic::rebalance::begin(groups, world, group_id)
        }
        Some(Kind::Classic(_) | Kind::Consumer(_)) | None => Step::nothing(),
    }
}

/// Ids of topics by their names, for what members say that they own.
#[must_use]
pub fn topic_id(image: &MetadataImage, name: &str) -> Option<TopicId> {
    image.topics.by_name(name).map(|topic| topic.id)
}
