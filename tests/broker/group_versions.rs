//! Every request of groups in every version, with a good group behind it. The answers that stand here
//! are Apache Kafka's own: `KLAMM_TEST_BROKER=apache UPDATE_EXPECT=1` writes them anew.

use crate::broker::{Broker, unique};
use crate::group_client::{Peer, committing, joining, name, protocol, syncing};
use expect_test::expect;
use klamm::base::uuid::Uuid;
use klamm::protocol::messages::delete_groups::DeleteGroupsRequest;
use klamm::protocol::messages::describe_groups::DescribeGroupsRequest;
use klamm::protocol::messages::find_coordinator::FindCoordinatorRequest;
use klamm::protocol::messages::heartbeat::HeartbeatRequest;
use klamm::protocol::messages::join_group::JoinGroupRequest;
use klamm::protocol::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use klamm::protocol::messages::list_groups::ListGroupsRequest;
use klamm::protocol::messages::offset_commit::OffsetCommitRequest;
use klamm::protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    OffsetFetchResponse,
};
use klamm::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use klamm::protocol::string::Str;
use std::fmt::Write;

const SETTINGS: &[&str] = &[
    "group.initial.rebalance.delay.ms=0",
    "auto.create.topics.enable=false",
    "offsets.topic.num.partitions=4",
];

#[test]
fn coordinators_are_found_in_every_version() {
    const LIST_SINCE: i16 = 4;
    let broker = Broker::start_with(2, SETTINGS);
    let (one, two) = (unique("group"), unique("group"));
    let mut peer = Peer::when_ready(&broker, &one);
    let here = |host: &Str, port: i32| {
        let is_here = format!("{host}:{port}") == broker.bootstrap;
        if is_here { "here" } else { "elsewhere" }
    };
    let mut told = String::new();
    for version in 0..=6 {
        let mut line = format!("{version}:");
        if version < LIST_SINCE {
            let request = FindCoordinatorRequest {
                key: one.as_str().into(),
                ..FindCoordinatorRequest::default()
            };
            let found = peer.ask(version, &request);
            let place = here(&found.host, found.port);
            write!(line, " {} {place}", name(found.error_code)).expect("memory");
        } else {
            let request = FindCoordinatorRequest {
                coordinator_keys: [&one, &two, &one].map(|key| key.as_str().into()).to_vec(),
                ..FindCoordinatorRequest::default()
            };
            for found in peer.ask(version, &request).coordinators {
                let key = if *found.key == *one { "one" } else { "two" };
                let place = here(&found.host, found.port);
                write!(line, " {key} {} {place}", name(found.error_code)).expect("memory");
            }
        }
        writeln!(told, "{line}").expect("memory");
    }
    expect![[r#"
        0: NONE here
        1: NONE here
        2: NONE here
        3: NONE here
        4: one NONE here two NONE here one NONE here
        5: one NONE here two NONE here one NONE here
        6: one NONE here two NONE here one NONE here
    "#]]
    .assert_eq(&told);
}

/// The committed offset of one partition, with all that stands beside it.
fn offset(offset: i64, epoch: i32, metadata: Option<&Str>, error: i16) -> String {
    let metadata = metadata.map_or("null", Str::as_str);
    format!(" {offset} epoch {epoch} {metadata:?} {}", name(error))
}

fn offsets(response: &OffsetFetchResponse) -> String {
    let mut line = String::new();
    for topic in &response.topics {
        for one in &topic.partitions {
            line += &offset(
                one.committed_offset,
                one.committed_leader_epoch,
                one.metadata.as_ref(),
                one.error_code,
            );
        }
    }
    let mut groups: Vec<_> = response.groups.iter().collect();
    groups.sort_by(|one, other| one.group_id.as_str().cmp(other.group_id.as_str()));
    for group in groups {
        write!(line, " [{}:", name(group.error_code)).expect("memory");
        for topic in &group.topics {
            let mut partitions: Vec<_> = topic.partitions.iter().collect();
            partitions.sort_by_key(|one| one.partition_index);
            for one in partitions {
                line += &offset(
                    one.committed_offset,
                    one.committed_leader_epoch,
                    one.metadata.as_ref(),
                    one.error_code,
                );
            }
        }
        line += "]";
    }
    line
}

#[test]
fn offsets_are_committed_and_fetched_in_every_version() {
    const IDS_SINCE: i16 = 10;
    const EPOCHS_SINCE: i16 = 6;
    const GROUPS_SINCE: i16 = 8;
    const STABLE_SINCE: i16 = 7;
    const ALL_SINCE: i16 = 2;
    let broker = Broker::start_with(2, SETTINGS);
    let (one, two, topic) = (unique("a-group"), unique("b-group"), unique("topic"));
    let mut peer = Peer::when_ready(&broker, &one);
    Peer::when_ready(&broker, &two);
    peer.create_topic(&topic, 2);
    let topic_id = peer.topic_id(&topic);
    peer.commit_simply(&two, &topic, 77);
    let names = |version: i16| -> (Str, Uuid) {
        if version < IDS_SINCE {
            (topic.as_str().into(), Uuid::ZERO)
        } else {
            (Str::EMPTY, topic_id)
        }
    };
    let fetch = |version: i16, groups: &[&String], all: bool| {
        let mut request = OffsetFetchRequest {
            require_stable: version >= STABLE_SINCE,
            ..OffsetFetchRequest::default()
        };
        if version < GROUPS_SINCE {
            request.group_id = one.as_str().into();
            request.topics = (!all).then(|| {
                vec![OffsetFetchRequestTopic {
                    name: topic.as_str().into(),
                    partition_indexes: vec![0, 1],
                    ..OffsetFetchRequestTopic::default()
                }]
            });
            return request;
        }
        let (name, topic_id) = names(version);
        let topics = vec![OffsetFetchRequestTopics {
            name,
            topic_id,
            partition_indexes: vec![0, 1],
            ..OffsetFetchRequestTopics::default()
        }];
        request.groups = groups
            .iter()
            .map(|group| OffsetFetchRequestGroup {
                group_id: group.as_str().into(),
                topics: (!all).then(|| topics.clone()),
                ..OffsetFetchRequestGroup::default()
            })
            .collect();
        request
    };

    let mut told = String::new();
    for version in 2..=10 {
        let note = format!("by {version}");
        let mut commit: OffsetCommitRequest =
            committing(&one, &topic, &[(0, i64::from(version), &note)]);
        let of_topic = &mut commit.topics[0];
        (of_topic.name, of_topic.topic_id) = names(version);
        if version >= EPOCHS_SINCE {
            of_topic.partitions[0].committed_leader_epoch = 0;
        }
        let errors = peer.commit(version, &commit).join(" ");
        let found = offsets(&peer.ask(10, &fetch(10, &[&one], false)));
        writeln!(told, "commit {version}: {errors},{found}").expect("memory");
    }
    for version in 1..=10 {
        let some = offsets(&peer.ask(version, &fetch(version, &[&one], false)));
        writeln!(told, "fetch {version}:{some}").expect("memory");
        if version >= ALL_SINCE {
            let all = offsets(&peer.ask(version, &fetch(version, &[&one, &two], true)));
            writeln!(told, "fetch {version}, all topics:{all}").expect("memory");
        }
        if version >= GROUPS_SINCE {
            let both = offsets(&peer.ask(version, &fetch(version, &[&one, &two], false)));
            writeln!(told, "fetch {version}, two groups:{both}").expect("memory");
        }
    }
    expect![[r#"
        commit 2: NONE, [NONE: 2 epoch -1 "by 2" NONE -1 epoch -1 "" NONE]
        commit 3: NONE, [NONE: 3 epoch -1 "by 3" NONE -1 epoch -1 "" NONE]
        commit 4: NONE, [NONE: 4 epoch -1 "by 4" NONE -1 epoch -1 "" NONE]
        commit 5: NONE, [NONE: 5 epoch -1 "by 5" NONE -1 epoch -1 "" NONE]
        commit 6: NONE, [NONE: 6 epoch 0 "by 6" NONE -1 epoch -1 "" NONE]
        commit 7: NONE, [NONE: 7 epoch 0 "by 7" NONE -1 epoch -1 "" NONE]
        commit 8: NONE, [NONE: 8 epoch 0 "by 8" NONE -1 epoch -1 "" NONE]
        commit 9: NONE, [NONE: 9 epoch 0 "by 9" NONE -1 epoch -1 "" NONE]
        commit 10: NONE, [NONE: 10 epoch 0 "by 10" NONE -1 epoch -1 "" NONE]
        fetch 1: 10 epoch -1 "by 10" NONE -1 epoch -1 "" NONE
        fetch 2: 10 epoch -1 "by 10" NONE -1 epoch -1 "" NONE
        fetch 2, all topics: 10 epoch -1 "by 10" NONE
        fetch 3: 10 epoch -1 "by 10" NONE -1 epoch -1 "" NONE
        fetch 3, all topics: 10 epoch -1 "by 10" NONE
        fetch 4: 10 epoch -1 "by 10" NONE -1 epoch -1 "" NONE
        fetch 4, all topics: 10 epoch -1 "by 10" NONE
        fetch 5: 10 epoch 0 "by 10" NONE -1 epoch -1 "" NONE
        fetch 5, all topics: 10 epoch 0 "by 10" NONE
        fetch 6: 10 epoch 0 "by 10" NONE -1 epoch -1 "" NONE
        fetch 6, all topics: 10 epoch 0 "by 10" NONE
        fetch 7: 10 epoch 0 "by 10" NONE -1 epoch -1 "" NONE
        fetch 7, all topics: 10 epoch 0 "by 10" NONE
        fetch 8: [NONE: 10 epoch 0 "by 10" NONE -1 epoch -1 "" NONE]
        fetch 8, all topics: [NONE: 10 epoch 0 "by 10" NONE] [NONE: 77 epoch -1 "" NONE]
        fetch 8, two groups: [NONE: 10 epoch 0 "by 10" NONE -1 epoch -1 "" NONE] [NONE: 77 epoch -1 "" NONE -1 epoch -1 "" NONE]
        fetch 9: [NONE: 10 epoch 0 "by 10" NONE -1 epoch -1 "" NONE]
        fetch 9, all topics: [NONE: 10 epoch 0 "by 10" NONE] [NONE: 77 epoch -1 "" NONE]
        fetch 9, two groups: [NONE: 10 epoch 0 "by 10" NONE -1 epoch -1 "" NONE] [NONE: 77 epoch -1 "" NONE -1 epoch -1 "" NONE]
        fetch 10: [NONE: 10 epoch 0 "by 10" NONE -1 epoch -1 "" NONE]
        fetch 10, all topics: [NONE: 10 epoch 0 "by 10" NONE] [NONE: 77 epoch -1 "" NONE]
        fetch 10, two groups: [NONE: 10 epoch 0 "by 10" NONE -1 epoch -1 "" NONE] [NONE: 77 epoch -1 "" NONE -1 epoch -1 "" NONE]
    "#]].assert_eq(&told);
}

/// A life in each version: join, sync, heartbeat, described, listed, left, deleted.
#[test]
fn a_classic_group_lives_in_every_version() {
    let broker = Broker::start_with(2, SETTINGS);
    let first = unique("group");
    let mut peer = Peer::when_ready(&broker, &first);
    let mut told = String::new();
    for version in 0..=9_i16 {
        let group = unique("group");
        Peer::when_ready(&broker, &group);
        let life = life(&mut peer, &group, version);
        writeln!(told, "{version}:{life}").expect("memory");
    }
    expect![[r#"
        0: join NONE generation 1 protocol Some("first") leader true members 1 skip false, sync NONE None "all of it", heartbeat NONE, described NONE Dead "" "" [], described NONE Stable "any" "first" [None "what I want"], listed "any" "" "", leave NONE, delete NONE, delete GROUP_ID_NOT_FOUND
        1: join NONE generation 1 protocol Some("first") leader true members 1 skip false, sync NONE None "all of it", heartbeat NONE, described NONE Dead "" "" [], described NONE Stable "any" "first" [None "what I want"], listed "any" "" "", leave NONE, delete NONE, delete GROUP_ID_NOT_FOUND
        2: join NONE generation 1 protocol Some("first") leader true members 1 skip false, sync NONE None "all of it", heartbeat NONE, described NONE Dead "" "" [], described NONE Stable "any" "first" [None "what I want"], listed "any" "" "", leave NONE, delete NONE, delete GROUP_ID_NOT_FOUND
        3: join NONE generation 1 protocol Some("first") leader true members 1 skip false, sync NONE None "all of it", heartbeat NONE, described NONE Dead "" "" [], described NONE Stable "any" "first" [None "what I want"], listed "any" "" "", leave NONE UNKNOWN_MEMBER_ID NONE UNKNOWN_MEMBER_ID, delete NONE, delete GROUP_ID_NOT_FOUND
        4: id required, join NONE generation 1 protocol Some("first") leader true members 1 skip false, sync NONE None "all of it", heartbeat NONE, described NONE Dead "" "" [], described NONE Stable "any" "first" [None "what I want"], listed "any" "Stable" "", leave NONE UNKNOWN_MEMBER_ID NONE UNKNOWN_MEMBER_ID, delete NONE, delete GROUP_ID_NOT_FOUND
        5: join NONE generation 1 protocol Some("first") leader true members 1 skip false, sync NONE Some("first") "all of it", heartbeat NONE, described NONE Dead "" "" [], described NONE Stable "any" "first" [Some("instance") "what I want"], listed "any" "Stable" "classic", leave NONE UNKNOWN_MEMBER_ID NONE UNKNOWN_MEMBER_ID, delete NONE, delete GROUP_ID_NOT_FOUND
        6: join NONE generation 1 protocol Some("first") leader true members 1 skip false, sync NONE Some("first") "all of it", heartbeat NONE, described GROUP_ID_NOT_FOUND Dead "" "" [], described NONE Stable "any" "first" [Some("instance") "what I want"], listed "any" "Stable" "classic", leave NONE UNKNOWN_MEMBER_ID NONE UNKNOWN_MEMBER_ID, delete NONE, delete GROUP_ID_NOT_FOUND
        7: join NONE generation 1 protocol Some("first") leader true members 1 skip false, sync NONE Some("first") "all of it", heartbeat NONE, described GROUP_ID_NOT_FOUND Dead "" "" [], described NONE Stable "any" "first" [Some("instance") "what I want"], listed "any" "Stable" "classic", leave NONE UNKNOWN_MEMBER_ID NONE UNKNOWN_MEMBER_ID, delete NONE, delete GROUP_ID_NOT_FOUND
        8: join NONE generation 1 protocol Some("first") leader true members 1 skip false, sync NONE Some("first") "all of it", heartbeat NONE, described GROUP_ID_NOT_FOUND Dead "" "" [], described NONE Stable "any" "first" [Some("instance") "what I want"], listed "any" "Stable" "classic", leave NONE UNKNOWN_MEMBER_ID NONE UNKNOWN_MEMBER_ID, delete NONE, delete GROUP_ID_NOT_FOUND
        9: join NONE generation 1 protocol Some("first") leader true members 1 skip false, sync NONE Some("first") "all of it", heartbeat NONE, described GROUP_ID_NOT_FOUND Dead "" "" [], described NONE Stable "any" "first" [Some("instance") "what I want"], listed "any" "Stable" "classic", leave NONE UNKNOWN_MEMBER_ID NONE UNKNOWN_MEMBER_ID, delete NONE, delete GROUP_ID_NOT_FOUND
    "#]].assert_eq(&told);
}

fn life(peer: &mut Peer, group: &str, version: i16) -> String {
    const LEAVE_BATCH_SINCE: i16 = 3;
    const STATES_SINCE: i16 = 4;
    const TYPES_SINCE: i16 = 5;
    const INSTANCE_SINCE: i16 = 5;
    let mut line = String::new();
    let mut join: JoinGroupRequest = joining(group);
    // Of consumers Apache reads what they want: it never answers one whose bytes are no subscription.
    join.protocol_type = "any".into();
    join.protocols = vec![protocol("first", b"what I want"), protocol("second", b"")];
    if version >= INSTANCE_SINCE {
        join.group_instance_id = Some("instance".into());
    }
    let mut joined = peer.ask(version, &join);
    if name(joined.error_code) == "MEMBER_ID_REQUIRED" {
        line += " id required,";
        join.member_id = joined.member_id;
        joined = peer.ask(version, &join);
    }
    let is_leader = joined.leader == joined.member_id;
    write!(
        line,
        " join {} generation {} protocol {:?} leader {is_leader} members {} skip {}",
        name(joined.error_code),
        joined.generation_id,
        joined.protocol_name,
        joined.members.len(),
        joined.skip_assignment,
    )
    .expect("memory");
    let member = crate::group_client::Joined {
        group: group.to_owned(),
        member_id: joined.member_id.to_string(),
        generation: joined.generation_id,
    };
    let sync = SyncGroupRequest {
        assignments: vec![SyncGroupRequestAssignment {
            member_id: joined.member_id.clone(),
            assignment: b"all of it"[..].into(),
            ..SyncGroupRequestAssignment::default()
        }],
        protocol_type: Some("any".into()),
        protocol_name: Some("first".into()),
        ..syncing(&member)
    };
    let synced = peer.ask(version.min(5), &sync);
    write!(
        line,
        ", sync {} {:?} {:?}",
        name(synced.error_code),
        synced.protocol_name,
        String::from_utf8_lossy(&synced.assignment)
    )
    .expect("memory");
    let heartbeat = HeartbeatRequest {
        group_id: group.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..HeartbeatRequest::default()
    };
    let beat = peer.ask(version.min(4), &heartbeat);
    write!(line, ", heartbeat {}", name(beat.error_code)).expect("memory");

    let describe = DescribeGroupsRequest {
        groups: vec![group.into(), "nothing".into()],
        ..DescribeGroupsRequest::default()
    };
    // Apache names them in the order of a hash table.
    let mut groups = peer.ask(version.min(6), &describe).groups;
    groups.sort_by_key(|described| described.group_state.to_string());
    for described in groups {
        let members = described.members.iter().map(|one| {
            let metadata = String::from_utf8_lossy(&one.member_metadata).into_owned();
            format!("{:?} {metadata:?}", one.group_instance_id)
        });
        write!(
            line,
            ", described {} {} {:?} {:?} [{}]",
            name(described.error_code),
            described.group_state,
            described.protocol_type,
            described.protocol_data,
            members.collect::<Vec<_>>().join(", ")
        )
        .expect("memory");
    }
    let list_version = version.min(5);
    let list = ListGroupsRequest {
        states_filter: if list_version >= STATES_SINCE {
            vec!["stable".into()]
        } else {
            Vec::new()
        },
        types_filter: if list_version >= TYPES_SINCE {
            vec!["Classic".into()]
        } else {
            Vec::new()
        },
        ..ListGroupsRequest::default()
    };
    let listed = peer.ask(list_version, &list).groups;
    let own = listed.iter().find(|one| *one.group_id == *group);
    let own = own.map(|one| {
        format!(
            "{:?} {:?} {:?}",
            one.protocol_type, one.group_state, one.group_type
        )
    });
    write!(line, ", listed {}", own.unwrap_or_default()).expect("memory");

    let leave_version = version.min(5);
    let mut leave = LeaveGroupRequest {
        group_id: group.into(),
        ..LeaveGroupRequest::default()
    };
    if leave_version < LEAVE_BATCH_SINCE {
        leave.member_id = joined.member_id;
    } else {
        leave.members = [("nobody".into(), None), (joined.member_id, None)]
            .map(|(member_id, group_instance_id)| MemberIdentity {
                member_id,
                group_instance_id,
                ..MemberIdentity::default()
            })
            .to_vec();
        // As an administrator removes a static member: by its instance alone.
        leave.members.push(MemberIdentity {
            group_instance_id: Some("instance".into()),
            ..MemberIdentity::default()
        });
    }
    let left = peer.ask(leave_version, &leave);
    write!(line, ", leave {}", name(left.error_code)).expect("memory");
    for one in &left.members {
        write!(line, " {}", name(one.error_code)).expect("memory");
    }
    let delete = DeleteGroupsRequest {
        groups_names: vec![group.into(), "nothing".into()],
        ..DeleteGroupsRequest::default()
    };
    let mut deleted = peer.ask(version.min(2), &delete).results;
    deleted.sort_by_key(|one| *one.group_id == *"nothing");
    for one in deleted {
        write!(line, ", delete {}", name(one.error_code)).expect("memory");
    }
    line
}

/// A group whose members are no consumers: what Confluent's Schema Registry elects its leader with.
#[test]
fn any_type_of_protocol_has_its_group() {
    let broker = Broker::start_with(2, SETTINGS);
    let group = unique("schema-registry");
    let mut peer = Peer::when_ready(&broker, &group);
    let mut other = Peer::of(&broker);
    let identity = br#"{"version":1,"host":"one","port":8081,"master_eligibility":true}"#;
    let mut join = JoinGroupRequest {
        protocol_type: "sr".into(),
        protocols: vec![protocol("v0", identity)],
        ..joining(&group)
    };
    join.member_id = peer.join(&join).member_id;
    let leader = peer.join(&join);
    assert_eq!(name(leader.error_code), "NONE");
    assert_eq!(leader.protocol_name.as_deref(), Some("v0"));
    assert_eq!(leader.protocol_type.as_deref(), Some("sr"));
    assert_eq!(&*leader.members[0].metadata, identity);

    // A consumer is no part of it.
    let consumer = other.join(&joining(&group));
    assert_eq!(name(consumer.error_code), "INCONSISTENT_GROUP_PROTOCOL");

    let elected = br#"{"version":1,"error":0,"master":"one"}"#;
    let sync = SyncGroupRequest {
        group_id: group.as_str().into(),
        generation_id: leader.generation_id,
        member_id: leader.member_id.clone(),
        protocol_type: Some("sr".into()),
        protocol_name: Some("v0".into()),
        assignments: vec![SyncGroupRequestAssignment {
            member_id: leader.member_id.clone(),
            assignment: elected[..].into(),
            ..SyncGroupRequestAssignment::default()
        }],
        ..SyncGroupRequest::default()
    };
    let synced = peer.ask(5, &sync);
    assert_eq!(name(synced.error_code), "NONE");
    assert_eq!(&*synced.assignment, elected);
    let described = peer.describe(&group);
    assert_eq!(described.protocol_type, "sr");
    assert_eq!(described.protocol_data, "v0");
    assert_eq!(described.group_state, "Stable");
    let listed = peer.ask(5, &ListGroupsRequest::default()).groups;
    let own = listed.iter().find(|one| *one.group_id == *group);
    assert_eq!(own.expect("it is listed").protocol_type, "sr");
}

/// A consumer that says nothing readable of its topics is a member like any other. Apache Kafka 4.3.1
/// fails where it reads it, and never answers.
#[test]
fn a_subscription_that_cannot_be_read_is_a_members_own_affair() {
    let broker = Broker::start_with(1, SETTINGS);
    if !broker.is_klamm() {
        return;
    }
    let group = unique("group");
    let mut peer = Peer::when_ready(&broker, &group);
    let mut join = JoinGroupRequest {
        protocols: vec![protocol("range", b"what I want")],
        ..joining(&group)
    };
    join.member_id = peer.join(&join).member_id;
    assert_eq!(name(peer.join(&join).error_code), "NONE");
}

/// `group.min.session.timeout.ms` and `group.max.session.timeout.ms`, both ends included.
#[test]
fn sessions_are_as_long_as_the_broker_allows() {
    let mut settings = SETTINGS.to_vec();
    settings.extend([
        "group.min.session.timeout.ms=7000",
        "group.max.session.timeout.ms=9000",
    ]);
    let broker = Broker::start_with(1, &settings);
    let group = unique("group");
    let mut peer = Peer::when_ready(&broker, &group);
    let mut told = String::new();
    for timeout in [6_999, 7_000, 9_000, 9_001] {
        let request = JoinGroupRequest {
            session_timeout_ms: timeout,
            ..joining(&group)
        };
        let error = name(peer.join(&request).error_code);
        writeln!(told, "{timeout} ms: {error}").expect("memory");
    }
    expect![[r#"
        6999 ms: INVALID_SESSION_TIMEOUT
        7000 ms: MEMBER_ID_REQUIRED
        9000 ms: MEMBER_ID_REQUIRED
        9001 ms: INVALID_SESSION_TIMEOUT
    "#]]
    .assert_eq(&told);
}
