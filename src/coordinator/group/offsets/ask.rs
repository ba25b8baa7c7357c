//! Requests on groups as tests write them, shortly.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names the one answer that it wants"
)]

use crate::base::uuid::Uuid;
use crate::coordinator::group::harness::{Harness, asked};
use crate::coordinator::group::{GroupCommand, GroupReply};
use crate::protocol::Message;
use crate::protocol::consumer_protocol::ConsumerProtocolSubscription;
use crate::protocol::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use crate::protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use crate::protocol::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
    OffsetDeleteResponse,
};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponseGroup,
};
use crate::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use crate::protocol::string::Str;
use crate::protocol::writer::Writer;
use bytes::Bytes;

/// A commit by somebody without membership.
pub fn commit(group_id: &str, offsets: &[(&str, i32, i64)]) -> OffsetCommitRequest {
    commit_with_ids(
        group_id,
        &offsets
            .iter()
            .map(|&(topic, partition, offset)| (topic, Uuid::ZERO, partition, offset))
            .collect::<Vec<_>>(),
    )
}

/// The same, of topics whose ids are known.
pub fn commit_with_ids(group_id: &str, offsets: &[(&str, Uuid, i32, i64)]) -> OffsetCommitRequest {
    let topics = offsets.iter().map(|&(name, topic_id, partition, offset)| {
        let partition = OffsetCommitRequestPartition {
            partition_index: partition,
            committed_offset: offset,
            ..OffsetCommitRequestPartition::default()
        };
        OffsetCommitRequestTopic {
            name: name.into(),
            topic_id,
            partitions: vec![partition],
            ..OffsetCommitRequestTopic::default()
        }
    });
    OffsetCommitRequest {
        group_id: group_id.into(),
        topics: topics.collect(),
        ..OffsetCommitRequest::default()
    }
}

/// Commits, and gives the error of each partition in the request's order.
pub fn commit_codes(harness: &mut Harness, version: i16, request: OffsetCommitRequest) -> Vec<i16> {
    match harness.ask_now(GroupCommand::OffsetCommit(asked(version), request)) {
        GroupReply::OffsetCommit(response) => response
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .map(|partition| partition.error_code)
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// Commits what must be accepted.
pub fn must_commit(harness: &mut Harness, group_id: &str, offsets: &[(&str, i32, i64)]) {
    let codes = commit_codes(harness, 9, commit(group_id, offsets));
    assert!(codes.iter().all(|&code| code == 0), "{codes:?}");
}

/// A fetch of one group.
pub fn fetch(harness: &mut Harness, request: OffsetFetchRequestGroup) -> OffsetFetchResponseGroup {
    let command = GroupCommand::OffsetFetch {
        version: 10,
        group: request,
        require_stable: true,
    };
    match harness.ask_now(command) {
        GroupReply::OffsetFetch(group) => group,
        other => panic!("{other:?}"),
    }
}

/// A fetch of named partitions.
pub fn named(group_id: &str, topic: &str, partitions: &[i32]) -> OffsetFetchRequestGroup {
    OffsetFetchRequestGroup {
        group_id: group_id.into(),
        topics: Some(vec![OffsetFetchRequestTopics {
            name: topic.into(),
            partition_indexes: partitions.to_vec(),
            ..OffsetFetchRequestTopics::default()
        }]),
        ..OffsetFetchRequestGroup::default()
    }
}

/// All that a group has committed: topic, partition, offset.
pub fn all_of(harness: &mut Harness, group_id: &str) -> Vec<(String, i32, i64)> {
    let group = fetch(
        harness,
        OffsetFetchRequestGroup {
            group_id: group_id.into(),
            topics: None,
            ..OffsetFetchRequestGroup::default()
        },
    );
    assert_eq!(group.error_code, 0);
    let topics = group.topics.iter();
    topics
        .flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions.map(|partition| {
                (
                    topic.name.to_string(),
                    partition.partition_index,
                    partition.committed_offset,
                )
            })
        })
        .collect()
}

/// Deletes offsets.
pub fn delete(
    harness: &mut Harness,
    group_id: &str,
    offsets: &[(&str, i32)],
) -> OffsetDeleteResponse {
    let topics = offsets.iter().map(|&(name, partition_index)| {
        let partition = OffsetDeleteRequestPartition {
            partition_index,
            ..OffsetDeleteRequestPartition::default()
        };
        OffsetDeleteRequestTopic {
            name: name.into(),
            partitions: vec![partition],
            ..OffsetDeleteRequestTopic::default()
        }
    });
    let request = OffsetDeleteRequest {
        group_id: group_id.into(),
        topics: topics.collect(),
        ..OffsetDeleteRequest::default()
    };
    match harness.ask_now(GroupCommand::OffsetDelete(request)) {
        GroupReply::OffsetDelete(response) => response,
        other => panic!("{other:?}"),
    }
}

/// A member of a classic group.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its group.
    pub group_id: Str,
    /// Its id.
    pub member_id: Str,
    /// The generation that it joined.
    pub generation_id: i32,
}

/// Joins a classic group that is empty, as its only member, and syncs: the group is stable.
pub fn join(harness: &mut Harness, group_id: &str, protocol_type: &str, topic: &str) -> Member {
    let ticket = harness.ask(GroupCommand::JoinGroup(
        // The last version that needs no member id.
        asked(3),
        JoinGroupRequest {
            group_id: group_id.into(),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 60_000,
            protocol_type: protocol_type.into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: "range".into(),
                metadata: subscription(topic),
                ..JoinGroupRequestProtocol::default()
            }],
            ..JoinGroupRequest::default()
        },
    ));
    // The initial rebalance delay.
    harness.advance_ms(3_000);
    let Some(GroupReply::JoinGroup(joined)) = harness.answer(ticket) else {
        panic!("the only member waits for nobody");
    };
    assert_eq!(joined.error_code, 0);
    let synced = harness.ask_now(GroupCommand::SyncGroup(
        asked(3),
        SyncGroupRequest {
            group_id: group_id.into(),
            generation_id: joined.generation_id,
            member_id: joined.member_id.clone(),
            assignments: vec![SyncGroupRequestAssignment {
                member_id: joined.member_id.clone(),
                assignment: Bytes::from_static(b"assigned"),
                ..SyncGroupRequestAssignment::default()
            }],
            ..SyncGroupRequest::default()
        },
    ));
    let GroupReply::SyncGroup(synced) = synced else {
        panic!("{synced:?}");
    };
    assert_eq!(synced.error_code, 0);
    Member {
        group_id: group_id.into(),
        member_id: joined.member_id,
        generation_id: joined.generation_id,
    }
}

/// Leaves a classic group.
pub fn leave(harness: &mut Harness, member: &Member) {
    let request = LeaveGroupRequest {
        group_id: member.group_id.clone(),
        members: vec![MemberIdentity {
            member_id: member.member_id.clone(),
            ..MemberIdentity::default()
        }],
        ..LeaveGroupRequest::default()
    };
    match harness.ask_now(GroupCommand::LeaveGroup(asked(4), request)) {
        GroupReply::LeaveGroup(left) => assert_eq!(left.error_code, 0),
        other => panic!("{other:?}"),
    }
}

/// What a consumer that subscribes to one topic sends with JoinGroup.
pub fn subscription(topic: &str) -> Bytes {
    let subscription = ConsumerProtocolSubscription {
        topics: vec![topic.into()],
        ..ConsumerProtocolSubscription::default()
    };
    let mut writer = Writer::with_capacity(64);
    writer.i16(1);
    subscription.encode(&mut writer, 1).expect("encodes");
    writer.finish().bytes
}

/// Joins a group of KIP-848, or leaves it (epoch -1); its epoch then.
pub fn heartbeat(
    harness: &mut Harness,
    group_id: &str,
    member_id: &str,
    member_epoch: i32,
    topic: &str,
) -> i32 {
    let request = ConsumerGroupHeartbeatRequest {
        group_id: group_id.into(),
        member_id: member_id.into(),
        member_epoch,
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(vec![topic.into()]),
        topic_partitions: Some(Vec::new()),
        ..ConsumerGroupHeartbeatRequest::default()
    };
    match harness.ask_now(GroupCommand::ConsumerGroupHeartbeat(asked(1), request)) {
        GroupReply::ConsumerGroupHeartbeat(response) => {
            assert_eq!(response.error_code, 0, "{:?}", response.error_message);
            response.member_epoch
        }
        other => panic!("{other:?}"),
    }
}
