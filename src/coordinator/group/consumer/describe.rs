//! ConsumerGroupDescribe: what the members of a group want, have, and shall have.

use super::member::Member;
use super::partitions::by_topic;
use super::{ConsumerGroup, settings};
use crate::base::ids::TopicPartition;
use crate::coordinator::World;
use crate::coordinator::group::{GroupReply, Groups, Step};
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::consumer_group_describe::{
    Assignment, DescribedGroup, Member as DescribedMember, TopicPartitions,
};
use crate::protocol::string::Str;

/// The member speaks the classic protocol.
const CLASSIC_MEMBER: i8 = 0;
/// The member speaks the consumer protocol.
const CONSUMER_MEMBER: i8 = 1;

/// API 69, one group.
pub fn handle(
    groups: &mut Groups,
    world: &mut World<'_>,
    origin: Option<Origin>,
    group_id: Str,
) -> Step {
    let described = match groups.consumer(&group_id) {
        Some(group) => describe(group, world, group_id),
        None => {
            let why = if groups.groups.contains_key(&group_id) {
                format!("Group {group_id} is not a consumer group.")
            } else {
                format!("Group {group_id} not found.")
            };
            DescribedGroup {
                group_id,
                error_code: ErrorCode::GROUP_ID_NOT_FOUND.code(),
                error_message: Some(Str::from(why)),
                ..DescribedGroup::default()
            }
        }
    };
    Step::reply(origin, GroupReply::ConsumerGroupDescribe(described))
}

fn describe(group: &ConsumerGroup, world: &World<'_>, group_id: Str) -> DescribedGroup {
    let wishes = group
        .members()
        .filter_map(|member| member.subscription.server_assignor.as_ref());
    let assignor = settings::preferred_assignor(world.configuration, wishes);
    DescribedGroup {
        group_id,
        group_state: Str::from_static(group.state_name()),
        group_epoch: group.group_epoch,
        assignment_epoch: group.target_epoch,
        assignor_name: Str::from_static(assignor.name()),
        members: group
            .members()
            .map(|member| describe_member(group, world, member))
            .collect(),
        ..DescribedGroup::default()
    }
}

fn describe_member(group: &ConsumerGroup, world: &World<'_>, member: &Member) -> DescribedMember {
    let subscription = &member.subscription;
    let assigned = member.current.assigned.iter();
    DescribedMember {
        member_id: member.id.clone(),
        instance_id: subscription.instance_id.clone(),
        rack_id: subscription.rack_id.clone(),
        member_epoch: member.current.epoch,
        client_id: subscription.client.id.clone(),
        client_host: subscription.client.host.clone(),
        subscribed_topic_names: subscription.topic_names.clone(),
        subscribed_topic_regex: Some(subscription.topic_regex.clone().unwrap_or_default()),
        assignment: assignment(world, assigned.map(|(partition, _)| *partition)),
        target_assignment: assignment(world, group.target(&member.id).iter().copied()),
        member_type: if member.is_classic() {
            CLASSIC_MEMBER
        } else {
            CONSUMER_MEMBER
        },
        ..DescribedMember::default()
    }
}

/// Partitions of topics that exist: a topic that is gone has no name.
fn assignment(
    world: &World<'_>,
    partitions: impl IntoIterator<Item = TopicPartition>,
) -> Assignment {
    let topic_partitions = by_topic(partitions)
        .into_iter()
        .filter_map(|(topic_id, partitions)| {
            Some(TopicPartitions {
                topic_id,
                topic_name: Str::from(&*world.image.topics.by_id(topic_id)?.name),
                partitions,
                ..TopicPartitions::default()
            })
        })
        .collect();
    Assignment {
        topic_partitions,
        ..Assignment::default()
    }
}
