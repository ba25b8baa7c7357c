//! A peer of the group APIs that says what it is told to say, right or wrong, and tells the answer
//! as a line. For tests of what no client does.

use crate::broker::Broker;
use crate::deadline::wait_for;
use crate::exact::call;
use bytes::Bytes;
use klamm::base::uuid::Uuid;
use klamm::protocol::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use klamm::protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use klamm::protocol::messages::describe_groups::{DescribeGroupsRequest, DescribedGroup};
use klamm::protocol::messages::find_coordinator::FindCoordinatorRequest;
use klamm::protocol::messages::heartbeat::HeartbeatRequest;
use klamm::protocol::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use klamm::protocol::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use klamm::protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use klamm::protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use klamm::protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use klamm::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use klamm::protocol::{ErrorCode, Request};
use std::net::TcpStream;

/// The shortest session that a broker allows unless it is told otherwise.
pub const SESSION_MS: i32 = 6_000;

/// One connection.
pub struct Peer {
    pub stream: TcpStream,
}

/// A member of a classic group, as far as it must say who it is.
#[derive(Clone, Debug)]
pub struct Joined {
    pub group: String,
    pub member_id: String,
    pub generation: i32,
}

/// The name of an error: what stands in the tests.
pub fn name(code: i16) -> &'static str {
    ErrorCode(code).name()
}

impl Peer {
    /// Connects.
    pub fn of(broker: &Broker) -> Peer {
        Peer {
            stream: broker.connect(),
        }
    }

    /// Connects; returns when the group's coordinator answers: Apache's takes its time.
    pub fn when_ready(broker: &Broker, group: &str) -> Peer {
        let mut peer = Peer::of(broker);
        wait_for("a coordinator", || {
            (peer.find_coordinator(group) == "NONE").then_some(())
        });
        wait_for("the coordinator to have loaded", || {
            let described = peer.describe(group);
            let error = ErrorCode(described.error_code);
            (error == ErrorCode::NONE || error == ErrorCode::GROUP_ID_NOT_FOUND).then_some(())
        });
        peer
    }

    /// Sends any request.
    pub fn ask<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        call(&mut self.stream, version, request)
    }

    pub fn find_coordinator(&mut self, group: &str) -> &'static str {
        let request = FindCoordinatorRequest {
            coordinator_keys: vec![group.into()],
            ..FindCoordinatorRequest::default()
        };
        name(self.ask(4, &request).coordinators[0].error_code)
    }

    pub fn create_topic(&mut self, topic: &str, partitions: i32) {
        let topic = CreatableTopic {
            name: topic.into(),
            num_partitions: partitions,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            timeout_ms: 30_000,
            ..CreateTopicsRequest::default()
        };
        let response = self.ask(5, &request);
        assert_eq!(name(response.topics[0].error_code), "NONE");
    }

    /// A topic's id, when the broker knows it.
    pub fn topic_id(&mut self, topic: &str) -> Uuid {
        wait_for("a topic's id", || {
            let request = MetadataRequest {
                topics: Some(vec![MetadataRequestTopic {
                    name: Some(topic.into()),
                    ..MetadataRequestTopic::default()
                }]),
                ..MetadataRequest::default()
            };
            let response = self.ask(12, &request);
            (response.topics[0].error_code == 0).then(|| response.topics[0].topic_id)
        })
    }

    pub fn join(&mut self, request: &JoinGroupRequest) -> JoinGroupResponse {
        self.ask(9, request)
    }

    /// Joins a group that has nobody else, and assigns itself something.
    pub fn join_alone(&mut self, group: &str) -> Joined {
        let mut request = joining(group);
        let first = self.join(&request);
        assert_eq!(name(first.error_code), "MEMBER_ID_REQUIRED");
        request.member_id = first.member_id;
        let response = self.join(&request);
        assert_eq!(name(response.error_code), "NONE");
        let joined = Joined {
            group: group.to_owned(),
            member_id: response.member_id.to_string(),
            generation: response.generation_id,
        };
        let mut request = syncing(&joined);
        request.assignments = vec![SyncGroupRequestAssignment {
            member_id: response.member_id,
            assignment: Bytes::from_static(b"all of it"),
            ..SyncGroupRequestAssignment::default()
        }];
        assert_eq!(name(self.ask(5, &request).error_code), "NONE");
        joined
    }

    pub fn heartbeat(&mut self, joined: &Joined) -> &'static str {
        let request = HeartbeatRequest {
            group_id: joined.group.as_str().into(),
            generation_id: joined.generation,
            member_id: joined.member_id.as_str().into(),
            ..HeartbeatRequest::default()
        };
        name(self.ask(4, &request).error_code)
    }

    pub fn leave(&mut self, joined: &Joined) {
        let request = LeaveGroupRequest {
            group_id: joined.group.as_str().into(),
            members: vec![MemberIdentity {
                member_id: joined.member_id.as_str().into(),
                ..MemberIdentity::default()
            }],
            ..LeaveGroupRequest::default()
        };
        assert_eq!(name(self.ask(5, &request).error_code), "NONE");
    }

    pub fn describe(&mut self, group: &str) -> DescribedGroup {
        let request = DescribeGroupsRequest {
            groups: vec![group.into()],
            ..DescribeGroupsRequest::default()
        };
        self.ask(6, &request).groups.remove(0)
    }

    pub fn consumer_heartbeat(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
    ) -> ConsumerGroupHeartbeatResponse {
        self.ask(1, request)
    }

    /// Commits; the answer is one error for each partition, sorted by partition.
    pub fn commit(&mut self, version: i16, request: &OffsetCommitRequest) -> Vec<&'static str> {
        let response = self.ask(version, request);
        let topics = response.topics.iter();
        let mut partitions: Vec<_> = topics.flat_map(|topic| &topic.partitions).collect();
        partitions.sort_by_key(|partition| partition.partition_index);
        let errors = partitions.into_iter();
        errors.map(|partition| name(partition.error_code)).collect()
    }

    /// Commits without membership; panics where that is refused.
    pub fn commit_simply(&mut self, group: &str, topic: &str, offset: i64) {
        let request = committing(group, topic, &[(0, offset, "")]);
        assert_eq!(self.commit(9, &request), ["NONE"], "{group}");
    }

    /// Commits as a member; panics where that is refused.
    pub fn commit_as(&mut self, joined: &Joined, topic: &str, offset: i64) {
        let mut request = committing(&joined.group, topic, &[(0, offset, "")]);
        request.generation_id_or_member_epoch = joined.generation;
        request.member_id = joined.member_id.as_str().into();
        assert_eq!(self.commit(9, &request), ["NONE"], "{}", joined.group);
    }

    /// What is committed for partition 0; -1 for nothing.
    pub fn committed(&mut self, group: &str, topic: &str) -> i64 {
        let request = OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: group.into(),
                topics: Some(vec![OffsetFetchRequestTopics {
                    name: topic.into(),
                    partition_indexes: vec![0],
                    ..OffsetFetchRequestTopics::default()
                }]),
                ..OffsetFetchRequestGroup::default()
            }],
            ..OffsetFetchRequest::default()
        };
        let response = self.ask(9, &request);
        assert_eq!(name(response.groups[0].error_code), "NONE", "{group}");
        response.groups[0].topics[0].partitions[0].committed_offset
    }
}

/// A JoinGroup as it should be.
pub fn joining(group: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: 5_000,
        protocol_type: "consumer".into(),
        protocols: vec![protocol("range", b"")],
        ..JoinGroupRequest::default()
    }
}

pub fn protocol(name: &str, metadata: &'static [u8]) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol {
        name: name.into(),
        metadata: Bytes::from_static(metadata),
        ..JoinGroupRequestProtocol::default()
    }
}

/// A SyncGroup as it should be, of one who does not lead.
pub fn syncing(joined: &Joined) -> SyncGroupRequest {
    SyncGroupRequest {
        group_id: joined.group.as_str().into(),
        generation_id: joined.generation,
        member_id: joined.member_id.as_str().into(),
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        ..SyncGroupRequest::default()
    }
}

/// An OffsetCommit of partitions with their offsets and metadata, without membership.
pub fn committing(group: &str, topic: &str, of: &[(i32, i64, &str)]) -> OffsetCommitRequest {
    let partitions = of.iter().map(
        |(partition, offset, metadata)| OffsetCommitRequestPartition {
            partition_index: *partition,
            committed_offset: *offset,
            committed_metadata: Some((*metadata).into()),
            ..OffsetCommitRequestPartition::default()
        },
    );
    OffsetCommitRequest {
        group_id: group.into(),
        topics: vec![OffsetCommitRequestTopic {
            name: topic.into(),
            partitions: partitions.collect(),
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    }
}

/// The first heartbeat of a member of a KIP-848 group, as it should be.
pub fn beating(group: &str, member: &str, topic: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: group.into(),
        member_id: member.into(),
        member_epoch: 0,
        rebalance_timeout_ms: 5_000,
        subscribed_topic_names: Some(vec![topic.into()]),
        topic_partitions: Some(Vec::new()),
        ..ConsumerGroupHeartbeatRequest::default()
    }
}
