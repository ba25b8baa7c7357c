//! Groups that change over: classic consumers in a consumer group, up and down.

use super::*;
use crate::base::ids::PartitionIndex;
use crate::coordinator::group::Kind;
use crate::protocol::Message;
use crate::protocol::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, assignment, subscription,
};
use crate::protocol::coordinator_records::{decode_value, encode_value};
use crate::protocol::messages::heartbeat::HeartbeatRequest;
use crate::protocol::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use crate::protocol::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use crate::protocol::messages::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use bytes::Bytes;

fn metadata(topics: &[&str], owned: &[(&str, &[i32])]) -> Bytes {
    let message = ConsumerProtocolSubscription {
        topics: topics.iter().map(|&topic| topic.into()).collect(),
        owned_partitions: owned
            .iter()
            .map(|&(topic, partitions)| subscription::TopicPartition {
                topic: topic.into(),
                partitions: partitions.to_vec(),
                ..subscription::TopicPartition::default()
            })
            .collect(),
        ..ConsumerProtocolSubscription::default()
    };
    encode_value(&message, ConsumerProtocolSubscription::VERSIONS.high).expect("encodes")
}

fn join_request(member_id: &str, owned: &[(&str, &[i32])]) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: GROUP.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 20_000,
        member_id: member_id.into(),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "cooperative-sticky".into(),
            metadata: metadata(&["orders"], owned),
            ..JoinGroupRequestProtocol::default()
        }],
        ..JoinGroupRequest::default()
    }
}

fn assigned_numbers(assignment: &Bytes) -> Vec<i32> {
    let (message, _) = decode_value::<ConsumerProtocolAssignment>(assignment).expect("reads");
    let topics = message.assigned_partitions.iter();
    topics
        .flat_map(|topic| topic.partitions.iter().copied())
        .collect()
}

impl Cluster {
    fn classic_join(&mut self, request: JoinGroupRequest) -> JoinGroupResponse {
        match self.ask_now(GroupCommand::JoinGroup(asked(9), request)) {
            GroupReply::JoinGroup(response) => response,
            other => panic!("{other:?}"),
        }
    }

    fn classic_sync(
        &mut self,
        member_id: &str,
        generation_id: i32,
        assignments: Vec<SyncGroupRequestAssignment>,
    ) -> SyncGroupResponse {
        let request = SyncGroupRequest {
            group_id: GROUP.into(),
            member_id: member_id.into(),
            generation_id,
            protocol_type: text("consumer"),
            protocol_name: text("cooperative-sticky"),
            assignments,
            ..SyncGroupRequest::default()
        };
        match self.ask_now(GroupCommand::SyncGroup(asked(5), request)) {
            GroupReply::SyncGroup(response) => response,
            other => panic!("{other:?}"),
        }
    }

    fn classic_beat(&mut self, member_id: &str, generation_id: i32) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: GROUP.into(),
            member_id: member_id.into(),
            generation_id,
            ..HeartbeatRequest::default()
        };
        match self.ask_now(GroupCommand::Heartbeat(request)) {
            GroupReply::Heartbeat(response) => ErrorCode(response.error_code),
            other => panic!("{other:?}"),
        }
    }

    /// A classic group of one member, which has all four partitions.
    fn classic_group(&mut self) -> (String, i32) {
        let named = self.classic_join(join_request("", &[]));
        assert_eq!(ErrorCode(named.error_code), ErrorCode::MEMBER_ID_REQUIRED);
        let id = named.member_id.to_string();
        let command = GroupCommand::JoinGroup(asked(9), join_request(&id, &[]));
        let ticket = self.ask(command);
        self.advance_ms(1);
        let Some(GroupReply::JoinGroup(joined)) = self.answer(ticket) else {
            panic!("the initial delay is over");
        };
        assert_eq!(joined.error_code, 0);
        let assignment = ConsumerProtocolAssignment {
            assigned_partitions: vec![assignment::TopicPartition {
                topic: "orders".into(),
                partitions: vec![0, 1, 2, 3],
                ..assignment::TopicPartition::default()
            }],
            ..ConsumerProtocolAssignment::default()
        };
        let all = SyncGroupRequestAssignment {
            member_id: id.as_str().into(),
            assignment: encode_value(&assignment, 3).expect("encodes"),
            ..SyncGroupRequestAssignment::default()
        };
        let synced = self.classic_sync(&id, joined.generation_id, vec![all]);
        assert_eq!(assigned_numbers(&synced.assignment), [0, 1, 2, 3]);
        (id, joined.generation_id)
    }
}

fn cluster(settings: &[&str]) -> Cluster {
    let mut all = vec![
        "group.consumer.assignment.interval.ms=0",
        "group.initial.rebalance.delay.ms=0",
    ];
    all.extend(settings);
    let mut cluster = Cluster::new(&all);
    cluster.make_topic("orders", 4);
    cluster
}

#[test]
fn a_classic_group_is_upgraded_and_downgraded_without_a_stop() {
    let mut cluster = cluster(&[]);
    let (classic, generation) = cluster.classic_group();

    // The first consumer of the new kind comes: what the other has stays with it for now.
    let modern = cluster.must_beat(join("m", &["orders"]));
    assert_eq!(modern.member_epoch, generation + 1);
    assert_eq!(assigned(&modern), Some(BTreeSet::new()));
    cluster.check_owners();
    cluster.check_replay();
    let types: Vec<i8> = cluster
        .describe()
        .members
        .iter()
        .map(|one| one.member_type)
        .collect();
    assert!(types.contains(&0) && types.contains(&1), "{types:?}");

    // The classic one is told to join again, and learns what it may keep.
    assert_eq!(
        cluster.classic_beat(&classic, generation),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    let owned: &[(&str, &[i32])] = &[("orders", &[0, 1, 2, 3])];
    let joined = cluster.classic_join(join_request(&classic, owned));
    assert_eq!((joined.error_code, joined.generation_id), (0, generation));
    assert_eq!(joined.protocol_name, text("cooperative-sticky"));
    let synced = cluster.classic_sync(&classic, generation, Vec::new());
    let kept = assigned_numbers(&synced.assignment);
    assert_eq!(kept.len(), 2);
    assert_eq!(
        cluster.classic_beat(&classic, generation),
        ErrorCode::REBALANCE_IN_PROGRESS,
        "it is to say that it gave the others back"
    );
    let owned: &[(&str, &[i32])] = &[("orders", &kept)];
    let joined = cluster.classic_join(join_request(&classic, owned));
    assert_eq!(
        (joined.error_code, joined.generation_id),
        (0, generation + 1)
    );
    let synced = cluster.classic_sync(&classic, generation + 1, Vec::new());
    assert_eq!(assigned_numbers(&synced.assignment), kept);
    assert_eq!(
        cluster.classic_beat(&classic, generation + 1),
        ErrorCode::NONE
    );
    assert_eq!(
        cluster.classic_beat(&classic, generation),
        ErrorCode::ILLEGAL_GENERATION
    );
    let modern = cluster.must_beat(beat("m", generation + 1));
    assert_eq!(assigned(&modern).expect("they are free").len(), 2);
    assert_eq!(cluster.group().state_name(), "Stable");
    cluster.check_owners();
    cluster.check_replay();

    // The last of the new kind leaves: the group is classic again, and its member joins anew.
    cluster.must_beat(beat("m", -1));
    assert!(cluster.groups.consumer(GROUP).is_none());
    cluster.advance_ms(1);
    assert_eq!(
        cluster.classic_beat(&classic, generation + 1),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    let joined = cluster.classic_join(join_request(&classic, owned));
    assert_eq!(
        (joined.error_code, joined.generation_id),
        (0, generation + 2)
    );
    assert_eq!(joined.leader, joined.member_id, "it leads again");
    cluster.restart();
    assert!(
        cluster.groups.consumer(GROUP).is_none(),
        "for a restart too"
    );
    cluster.compact(false);
    cluster.restart();
    assert!(matches!(
        cluster.groups.groups[GROUP].kind,
        Kind::Classic(_)
    ));
}

#[test]
fn who_waits_in_the_classic_group_is_told_to_come_again() {
    let mut cluster = cluster(&["group.initial.rebalance.delay.ms=3000"]);
    let named = cluster.classic_join(join_request("", &[]));
    let request = join_request(&named.member_id, &[]);
    let waiting = cluster.ask(GroupCommand::JoinGroup(asked(9), request));
    assert!(cluster.answer(waiting).is_none());
    cluster.must_beat(join("m", &["orders"]));
    let Some(GroupReply::JoinGroup(response)) = cluster.answer(waiting) else {
        panic!("it is told");
    };
    assert_eq!(
        ErrorCode(response.error_code),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    assert_eq!(cluster.group().member_count(), 2);
    let joined = cluster.classic_join(join_request(&named.member_id, &[]));
    assert_eq!(joined.error_code, 0);
    // One that joined and does not sync is fenced, though its heartbeats come.
    for _ in 0..5 {
        cluster.must_beat(beat("m", 1));
        cluster.classic_beat(&named.member_id, 1);
        cluster.advance_ms(5_000);
    }
    assert_eq!(cluster.group().member_count(), 1);
    cluster.check_owners();
    cluster.check_replay();
}

#[test]
fn a_policy_may_forbid_it() {
    let mut up = cluster(&["group.consumer.migration.policy=downgrade"]);
    up.classic_group();
    let refused = up.beat(join("m", &["orders"]));
    assert_eq!(code(&refused), ErrorCode::GROUP_ID_NOT_FOUND);
    assert!(up.groups.consumer(GROUP).is_none());

    let mut down = cluster(&["group.consumer.migration.policy=upgrade"]);
    let (classic, generation) = down.classic_group();
    down.must_beat(join("m", &["orders"]));
    down.must_beat(beat("m", -1));
    assert_eq!(down.group().member_count(), 1, "it stays a consumer group");
    // The classic member's own heartbeat sees to it that all is assigned to it again.
    assert_eq!(
        down.classic_beat(&classic, generation),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    let owned: &[(&str, &[i32])] = &[("orders", &[0, 1, 2, 3])];
    let joined = down.classic_join(join_request(&classic, owned));
    assert_eq!(joined.generation_id, generation + 2);
    let synced = down.classic_sync(&classic, joined.generation_id, Vec::new());
    assert_eq!(assigned_numbers(&synced.assignment), [0, 1, 2, 3]);
    down.check_replay();
}

#[test]
fn requests_of_classic_members_are_checked() {
    let mut cluster = cluster(&["group.consumer.max.size=2"]);
    cluster.must_beat(join("m", &["orders"]));
    let mut connect = join_request("c", &[]);
    connect.protocol_type = "connect".into();
    let mut garbage = join_request("c", &[]);
    garbage.protocols[0].metadata = Bytes::from_static(&[0, 1, 0, 0, 0, 9]);
    let mut nothing = join_request("c", &[]);
    nothing.protocols.clear();
    for request in [connect, garbage, nothing] {
        let refused = cluster.classic_join(request);
        let code = ErrorCode(refused.error_code);
        assert_eq!(code, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    let joined = cluster.classic_join(join_request("c", &[]));
    assert_eq!((joined.error_code, joined.generation_id), (0, 3));
    let full = cluster.classic_join(join_request("d", &[]));
    assert_eq!(
        ErrorCode(full.error_code),
        ErrorCode::GROUP_MAX_SIZE_REACHED
    );
    let mut other = join_request("c", &[]);
    other.protocols[0].name = "range".into();
    assert_eq!(
        cluster.classic_join(other).error_code,
        0,
        "it alone has other protocols"
    );
    let sync = |cluster: &mut Cluster, id, epoch| cluster.classic_sync(id, epoch, Vec::new());
    for (id, epoch, error) in [
        ("c", 1, ErrorCode::ILLEGAL_GENERATION),
        ("m", 1, ErrorCode::UNKNOWN_MEMBER_ID),
        ("x", 1, ErrorCode::UNKNOWN_MEMBER_ID),
        ("c", 3, ErrorCode::INCONSISTENT_GROUP_PROTOCOL),
    ] {
        assert_eq!(
            ErrorCode(sync(&mut cluster, id, epoch).error_code),
            error,
            "{id}"
        );
    }
    assert_eq!(cluster.classic_beat("m", 1), ErrorCode::UNKNOWN_MEMBER_ID);

    let identity = |member_id: &str| MemberIdentity {
        member_id: member_id.into(),
        ..MemberIdentity::default()
    };
    let request = LeaveGroupRequest {
        group_id: GROUP.into(),
        members: ["c", "c", "m", "x"].map(identity).into(),
        ..LeaveGroupRequest::default()
    };
    let GroupReply::LeaveGroup(left) = cluster.ask_now(GroupCommand::LeaveGroup(asked(5), request))
    else {
        panic!("it is answered as it was asked");
    };
    let codes: Vec<i16> = left
        .members
        .iter()
        .map(|member| member.error_code)
        .collect();
    let unknown = ErrorCode::UNKNOWN_MEMBER_ID.code();
    assert_eq!(codes, [0, unknown, unknown, unknown]);
    assert_eq!(cluster.group().member_count(), 1);
    let partition = TopicPartition {
        topic_id: Uuid([1; 16]),
        partition: PartitionIndex(0),
    };
    assert!(!cluster.group().is_free(partition));
    cluster.must_beat(beat("m", 2));
    cluster.check_replay();
}
