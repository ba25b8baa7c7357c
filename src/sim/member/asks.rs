//! What a simulated member asks: the requests of both protocols, and of committed offsets.

use super::{Asked, HEARTBEAT, Member, SESSION, Stage, Way};
use crate::base::uuid::Uuid;
use crate::protocol::Message;
use crate::protocol::Writer;
use crate::protocol::consumer_protocol::assignment::TopicPartition as AssignedPartitions;
use crate::protocol::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription,
};
use crate::protocol::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use crate::protocol::messages::consumer_group_heartbeat::request::TopicPartitions;
use crate::protocol::messages::find_coordinator::FindCoordinatorRequest;
use crate::protocol::messages::heartbeat::HeartbeatRequest;
use crate::protocol::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponseMember,
};
use crate::protocol::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use crate::protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use crate::protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use crate::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use crate::protocol::string::Str;
use crate::sim::ledger::Place;
use crate::sim::link::any_version;
use crate::sim::world::Scene;
use bytes::Bytes;
use std::time::Duration;

/// The group of a run.
const GROUP: &str = "the-group";
const REBALANCE: Duration = Duration::from_secs(10);
/// LeaveGroup has a list of members since this version.
const LEAVES_SINCE: i16 = 3;
/// OffsetFetch has a list of groups since this version; names until the other.
const GROUPS_SINCE: i16 = 8;
const FETCH_NAMES_UNTIL: i16 = 9;
const COMMIT_NAMES_UNTIL: i16 = 9;
/// OffsetCommit of a consumer group's member.
const COMMIT_EPOCHS_SINCE: i16 = 9;
const PROTOCOL: &str = "range";

impl Member {
    pub(super) fn find(&mut self, scene: &mut Scene<'_>) {
        let version = any_version::<FindCoordinatorRequest>(scene.prng, 0);
        let mut request = FindCoordinatorRequest::default();
        if version >= 4 {
            request.coordinator_keys = vec![GROUP.into()];
        } else {
            request.key = GROUP.into();
        }
        self.asked = Asked::Find;
        self.stage = Stage::Waiting;
        self.link.request(scene, version, 0, &request);
    }

    pub(super) fn join(&mut self, scene: &mut Scene<'_>) {
        self.let_go_of_all(scene);
        let version = any_version::<JoinGroupRequest>(scene.prng, 1);
        let subscription = ConsumerProtocolSubscription {
            topics: scene
                .topics
                .iter()
                .map(|topic| topic.name.as_str().into())
                .collect(),
            ..ConsumerProtocolSubscription::default()
        };
        let request = JoinGroupRequest {
            group_id: GROUP.into(),
            session_timeout_ms: milliseconds(SESSION),
            rebalance_timeout_ms: milliseconds(REBALANCE),
            member_id: self.member_id.clone(),
            protocol_type: "consumer".into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: PROTOCOL.into(),
                metadata: versioned(&subscription),
                ..JoinGroupRequestProtocol::default()
            }],
            ..JoinGroupRequest::default()
        };
        self.asked = Asked::Join;
        self.stage = Stage::Waiting;
        self.link.request(scene, version, 0, &request);
    }

    /// As a leader: every partition to somebody, in turns.
    pub(super) fn assign(
        &self,
        scene: &Scene<'_>,
        members: &[JoinGroupResponseMember],
    ) -> Vec<SyncGroupRequestAssignment> {
        let mut shares = vec![vec![Vec::new(); scene.topics.len()]; members.len()];
        for (turn, place) in scene.places().into_iter().enumerate() {
            shares[turn % members.len()][place.topic].push(place.partition);
        }
        let assignments = members.iter().zip(shares).map(|(member, topics)| {
            let assignment = ConsumerProtocolAssignment {
                assigned_partitions: topics
                    .into_iter()
                    .enumerate()
                    .map(|(topic, partitions)| AssignedPartitions {
                        topic: scene.topics[topic].name.as_str().into(),
                        partitions,
                        ..AssignedPartitions::default()
                    })
                    .collect(),
                ..ConsumerProtocolAssignment::default()
            };
            SyncGroupRequestAssignment {
                member_id: member.member_id.clone(),
                assignment: versioned(&assignment),
                ..SyncGroupRequestAssignment::default()
            }
        });
        assignments.collect()
    }

    pub(super) fn sync(
        &mut self,
        scene: &mut Scene<'_>,
        assignments: Vec<SyncGroupRequestAssignment>,
    ) {
        let version = any_version::<SyncGroupRequest>(scene.prng, 0);
        let request = SyncGroupRequest {
            group_id: GROUP.into(),
            generation_id: self.epoch,
            member_id: self.member_id.clone(),
            protocol_type: (version >= 5).then(|| "consumer".into()),
            protocol_name: (version >= 5).then(|| PROTOCOL.into()),
            assignments,
            ..SyncGroupRequest::default()
        };
        self.asked = Asked::Sync;
        self.stage = Stage::Waiting;
        self.link.request(scene, version, 0, &request);
    }

    pub(super) fn heartbeat(&mut self, scene: &mut Scene<'_>) {
        let version = any_version::<HeartbeatRequest>(scene.prng, 0);
        let request = HeartbeatRequest {
            group_id: GROUP.into(),
            generation_id: self.epoch,
            member_id: self.member_id.clone(),
            ..HeartbeatRequest::default()
        };
        self.beat(scene);
        self.link.request(scene, version, 0, &request);
    }

    fn beat(&mut self, scene: &Scene<'_>) {
        let sent_at = scene.now().instant;
        self.asked = Asked::Heartbeat { sent_at };
        self.stage = Stage::Waiting;
        self.heartbeat_at = sent_at + HEARTBEAT;
    }

    pub(super) fn heartbeat_of_consumer(&mut self, scene: &mut Scene<'_>) {
        let says_all = std::mem::take(&mut self.says_all) || self.epoch == 0;
        let mut topics = vec![Vec::new(); scene.topics.len()];
        for place in &self.owned {
            topics[place.topic].push(place.partition);
        }
        let topics = topics.into_iter().zip(&self.topic_ids);
        let owned = topics.filter(|(partitions, _)| !partitions.is_empty());
        let names = || {
            scene
                .topics
                .iter()
                .map(|topic| topic.name.as_str().into())
                .collect()
        };
        let request = ConsumerGroupHeartbeatRequest {
            group_id: GROUP.into(),
            member_id: self.member_id.clone(),
            member_epoch: self.epoch,
            rebalance_timeout_ms: if says_all {
                milliseconds(REBALANCE)
            } else {
                -1
            },
            subscribed_topic_names: says_all.then(names),
            topic_partitions: Some(
                owned
                    .map(|(partitions, topic_id)| TopicPartitions {
                        topic_id: *topic_id,
                        partitions,
                        ..TopicPartitions::default()
                    })
                    .collect(),
            ),
            ..ConsumerGroupHeartbeatRequest::default()
        };
        self.beat(scene);
        self.link.request(scene, 1, 0, &request);
    }

    pub(super) fn leave(&mut self, scene: &mut Scene<'_>) {
        self.let_go_of_all(scene);
        self.asked = Asked::Leave;
        self.stage = Stage::Waiting;
        match self.way {
            Way::Classic => {
                let version = any_version::<LeaveGroupRequest>(scene.prng, 0);
                let mut request = LeaveGroupRequest {
                    group_id: GROUP.into(),
                    ..LeaveGroupRequest::default()
                };
                if version >= LEAVES_SINCE {
                    request.members = vec![MemberIdentity {
                        member_id: self.member_id.clone(),
                        ..MemberIdentity::default()
                    }];
                } else {
                    request.member_id = self.member_id.clone();
                }
                self.link.request(scene, version, 0, &request);
            }
            Way::Consumer => {
                let request = ConsumerGroupHeartbeatRequest {
                    group_id: GROUP.into(),
                    member_id: self.member_id.clone(),
                    member_epoch: -1,
                    ..ConsumerGroupHeartbeatRequest::default()
                };
                self.link.request(scene, 1, 0, &request);
            }
        }
    }

    pub(super) fn commit(&mut self, scene: &mut Scene<'_>, place: Place) {
        let lowest = match self.way {
            Way::Classic => 2,
            Way::Consumer => COMMIT_EPOCHS_SINCE,
        };
        let version = any_version::<OffsetCommitRequest>(scene.prng, lowest);
        let offset = scene.group.next_commit(place);
        let request = OffsetCommitRequest {
            group_id: GROUP.into(),
            generation_id_or_member_epoch: self.epoch,
            member_id: self.member_id.clone(),
            topics: vec![OffsetCommitRequestTopic {
                name: self.name_of(scene, place, version <= COMMIT_NAMES_UNTIL),
                topic_id: self.id_of(place, version > COMMIT_NAMES_UNTIL),
                partitions: vec![OffsetCommitRequestPartition {
                    partition_index: place.partition,
                    committed_offset: offset,
                    committed_metadata: Some(Str::EMPTY),
                    ..OffsetCommitRequestPartition::default()
                }],
                ..OffsetCommitRequestTopic::default()
            }],
            ..OffsetCommitRequest::default()
        };
        self.asked = Asked::Commit {
            place,
            offset,
            generation: self.epoch,
            newest: scene.group.newest_generation(),
        };
        self.stage = Stage::Waiting;
        self.link.request(scene, version, 0, &request);
    }

    fn name_of(&self, scene: &Scene<'_>, place: Place, is_wanted: bool) -> Str {
        if is_wanted {
            scene.topics[place.topic].name.as_str().into()
        } else {
            Str::EMPTY
        }
    }

    fn id_of(&self, place: Place, is_wanted: bool) -> Uuid {
        if is_wanted {
            self.topic_ids[place.topic]
        } else {
            Uuid::default()
        }
    }

    pub(super) fn ask_offsets(&mut self, scene: &mut Scene<'_>) {
        let version = any_version::<OffsetFetchRequest>(scene.prng, GROUPS_SINCE);
        let topics = scene.topics.iter().enumerate().map(|(topic, spec)| {
            let place = Place {
                topic,
                partition: 0,
            };
            OffsetFetchRequestTopics {
                name: self.name_of(scene, place, version <= FETCH_NAMES_UNTIL),
                topic_id: self.id_of(place, version > FETCH_NAMES_UNTIL),
                partition_indexes: (0..spec.partitions).collect(),
                ..OffsetFetchRequestTopics::default()
            }
        });
        let request = OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: GROUP.into(),
                member_epoch: -1,
                topics: Some(topics.collect()),
                ..OffsetFetchRequestGroup::default()
            }],
            ..OffsetFetchRequest::default()
        };
        let places = scene.places();
        let known = places
            .into_iter()
            .map(|place| (place, scene.group.acked(place)));
        self.asked = Asked::Offsets {
            known: known.collect(),
        };
        self.stage = Stage::Waiting;
        self.link.request(scene, version, 0, &request);
    }
}

fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).expect("seconds")
}

/// A message of members among each other: its version, then the message.
fn versioned<M: Message>(message: &M) -> Bytes {
    let mut writer = Writer::with_capacity(64);
    writer.i16(0);
    message
        .encode(&mut writer, 0)
        .expect("what a version holds");
    writer.finish().bytes
}
