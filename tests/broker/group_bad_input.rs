//! What groups are asked wrongly: unknown members, stale generations, protocols that fit nobody,
//! offsets of partitions that are not there. The answers that stand here are Apache Kafka's own:
//! `KLAMM_TEST_BROKER=apache UPDATE_EXPECT=1` writes them anew.

use crate::broker::{Broker, unique};
use crate::group_client::{
    Joined, Peer, SESSION_MS, beating, committing, joining, name, protocol, syncing,
};
use crate::wire::{self, Answer, frame};
use expect_test::{Expect, expect};
use klamm::base::uuid::Uuid;
use klamm::protocol::messages::consumer_group_describe::ConsumerGroupDescribeRequest;
use klamm::protocol::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use klamm::protocol::messages::consumer_group_heartbeat::request::TopicPartitions;
use klamm::protocol::messages::delete_groups::DeleteGroupsRequest;
use klamm::protocol::messages::find_coordinator::FindCoordinatorRequest;
use klamm::protocol::messages::join_group::JoinGroupRequest;
use klamm::protocol::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use klamm::protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use klamm::protocol::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use klamm::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use std::fmt::Write;

const SETTINGS: &[&str] = &[
    "group.initial.rebalance.delay.ms=0",
    "auto.create.topics.enable=false",
    "offsets.topic.num.partitions=4",
];

/// What was asked and what was answered, line by line.
#[derive(Default)]
struct Told {
    text: String,
}

impl Told {
    fn note(&mut self, what: &str, answer: impl AsRef<str>) {
        writeln!(self.text, "{what}: {}", answer.as_ref()).expect("a String takes everything");
    }

    fn is(&self, expected: &Expect) {
        expected.assert_eq(&self.text);
    }
}

#[test]
fn a_bad_join_is_refused_as_apache_does() {
    let broker = Broker::start_with(2, SETTINGS);
    let (group, other) = (unique("group"), unique("group"));
    let mut peer = Peer::when_ready(&broker, &group);
    let joined = peer.join_alone(&group);
    let mut told = Told::default();
    let mut ask = |what: &str, change: &dyn Fn(&mut JoinGroupRequest)| {
        let mut request = joining(&group);
        change(&mut request);
        told.note(what, name(peer.join(&request).error_code));
    };
    ask("empty group id", &|join| join.group_id = "".into());
    ask("no id yet", &|_| {});
    for timeout in [-1, 0, SESSION_MS - 1, 1_800_001, i32::MAX] {
        ask(&format!("session of {timeout} ms"), &|join| {
            join.session_timeout_ms = timeout;
        });
    }
    ask("rebalance of -1 ms", &|join| join.rebalance_timeout_ms = -1);
    ask("unknown member", &|join| join.member_id = "nobody".into());
    ask("unknown member of no group", &|join| {
        join.group_id = other.as_str().into();
        join.member_id = "nobody".into();
    });
    ask("no protocols", &|join| join.protocols.clear());
    ask("no protocols, no group", &|join| {
        join.group_id = other.as_str().into();
        join.protocols.clear();
    });
    ask("no protocol type", &|join| join.protocol_type = "".into());
    ask("no protocol type, no group", &|join| {
        join.group_id = other.as_str().into();
        join.protocol_type = "".into();
    });
    ask("other protocol type", &|join| {
        join.protocol_type = "connect".into()
    });
    ask("no protocol in common", &|join| {
        join.protocols = vec![protocol("sticky", b"")];
    });
    ask("the member with no protocol in common", &|join| {
        join.member_id = joined.member_id.as_str().into();
        join.protocols = vec![protocol("sticky", b"")];
    });
    ask("unknown static member", &|join| {
        join.member_id = "nobody".into();
        join.group_instance_id = Some("instance".into());
    });
    ask("the member as a static one", &|join| {
        join.member_id = joined.member_id.as_str().into();
        join.group_instance_id = Some("instance".into());
    });
    told.note("the member after all that", peer.heartbeat(&joined));
    told.is(&expect![[r#"
        empty group id: INVALID_GROUP_ID
        no id yet: MEMBER_ID_REQUIRED
        session of -1 ms: INVALID_SESSION_TIMEOUT
        session of 0 ms: INVALID_SESSION_TIMEOUT
        session of 5999 ms: INVALID_SESSION_TIMEOUT
        session of 1800001 ms: INVALID_SESSION_TIMEOUT
        session of 2147483647 ms: INVALID_SESSION_TIMEOUT
        rebalance of -1 ms: MEMBER_ID_REQUIRED
        unknown member: UNKNOWN_MEMBER_ID
        unknown member of no group: UNKNOWN_MEMBER_ID
        no protocols: INCONSISTENT_GROUP_PROTOCOL
        no protocols, no group: INCONSISTENT_GROUP_PROTOCOL
        no protocol type: INCONSISTENT_GROUP_PROTOCOL
        no protocol type, no group: INCONSISTENT_GROUP_PROTOCOL
        other protocol type: INCONSISTENT_GROUP_PROTOCOL
        no protocol in common: INCONSISTENT_GROUP_PROTOCOL
        the member with no protocol in common: INCONSISTENT_GROUP_PROTOCOL
        unknown static member: UNKNOWN_MEMBER_ID
        the member as a static one: UNKNOWN_MEMBER_ID
        the member after all that: NONE
    "#]]);
}

#[test]
fn a_bad_sync_heartbeat_or_leave_is_refused_as_apache_does() {
    let broker = Broker::start_with(2, SETTINGS);
    let (group, nowhere) = (unique("group"), unique("group"));
    let mut peer = Peer::when_ready(&broker, &group);
    let joined = peer.join_alone(&group);
    let stale = |change: &dyn Fn(&mut Joined)| {
        let mut joined = joined.clone();
        change(&mut joined);
        joined
    };
    let mut told = Told::default();
    let wrong = [
        ("empty group id", stale(&|member| member.group.clear())),
        (
            "no such group",
            stale(&|member| member.group.clone_from(&nowhere)),
        ),
        (
            "unknown member",
            stale(&|member| member.member_id = "nobody".to_owned()),
        ),
        ("empty member id", stale(&|member| member.member_id.clear())),
        (
            "the generation before",
            stale(&|member| member.generation -= 1),
        ),
        (
            "the generation after",
            stale(&|member| member.generation += 1),
        ),
        ("generation -1", stale(&|member| member.generation = -1)),
    ];
    for (what, wrong) in &wrong {
        told.note(&format!("heartbeat, {what}"), peer.heartbeat(wrong));
        let answer = peer.ask(5, &syncing(wrong)).error_code;
        told.note(&format!("sync, {what}"), name(answer));
    }
    let mut sync = |what: &str, change: &dyn Fn(&mut SyncGroupRequest)| {
        let mut request = syncing(&joined);
        change(&mut request);
        let response = peer.ask(5, &request);
        let answer = format!("{} {:?}", name(response.error_code), response.assignment);
        told.note(&format!("sync, {what}"), answer);
    };
    sync("other protocol type", &|sync| {
        sync.protocol_type = Some("connect".into())
    });
    sync("other protocol", &|sync| {
        sync.protocol_name = Some("sticky".into())
    });
    sync("no protocol type", &|sync| sync.protocol_type = None);
    sync("unknown instance", &|sync| {
        sync.group_instance_id = Some("instance".into())
    });
    // What members are given is theirs alone to read: a partition that does not exist included.
    sync("of the settled generation, for nobody", &|sync| {
        sync.assignments = vec![SyncGroupRequestAssignment {
            member_id: "nobody".into(),
            assignment: b"partition 99"[..].into(),
            ..SyncGroupRequestAssignment::default()
        }];
    });
    let mut leave = |what: &str, group: &str, members: &[(&str, Option<&str>)]| {
        let members = members.iter().map(|(member_id, instance)| MemberIdentity {
            member_id: (*member_id).into(),
            group_instance_id: instance.map(Into::into),
            ..MemberIdentity::default()
        });
        let request = LeaveGroupRequest {
            group_id: group.into(),
            members: members.collect(),
            ..LeaveGroupRequest::default()
        };
        let response = peer.ask(5, &request);
        let members = response.members.iter();
        let members: Vec<&str> = members.map(|member| name(member.error_code)).collect();
        let answer = format!("{} {members:?}", name(response.error_code));
        told.note(&format!("leave, {what}"), answer);
    };
    leave("empty group id", "", &[("nobody", None)]);
    leave("no such group", &nowhere, &[("nobody", None)]);
    leave(
        "unknown member",
        &group,
        &[("nobody", None), ("", Some("instance"))],
    );
    leave("nobody", &group, &[]);
    told.note("the member after all that", peer.heartbeat(&joined));
    told.is(&expect![[r#"
        heartbeat, empty group id: INVALID_GROUP_ID
        sync, empty group id: INVALID_GROUP_ID
        heartbeat, no such group: UNKNOWN_MEMBER_ID
        sync, no such group: UNKNOWN_MEMBER_ID
        heartbeat, unknown member: UNKNOWN_MEMBER_ID
        sync, unknown member: UNKNOWN_MEMBER_ID
        heartbeat, empty member id: UNKNOWN_MEMBER_ID
        sync, empty member id: UNKNOWN_MEMBER_ID
        heartbeat, the generation before: ILLEGAL_GENERATION
        sync, the generation before: ILLEGAL_GENERATION
        heartbeat, the generation after: ILLEGAL_GENERATION
        sync, the generation after: ILLEGAL_GENERATION
        heartbeat, generation -1: ILLEGAL_GENERATION
        sync, generation -1: ILLEGAL_GENERATION
        sync, other protocol type: INCONSISTENT_GROUP_PROTOCOL b""
        sync, other protocol: INCONSISTENT_GROUP_PROTOCOL b""
        sync, no protocol type: INCONSISTENT_GROUP_PROTOCOL b""
        sync, unknown instance: UNKNOWN_MEMBER_ID b""
        sync, of the settled generation, for nobody: NONE b"all of it"
        leave, empty group id: INVALID_GROUP_ID []
        leave, no such group: NONE ["UNKNOWN_MEMBER_ID"]
        leave, unknown member: NONE ["UNKNOWN_MEMBER_ID", "UNKNOWN_MEMBER_ID"]
        leave, nobody: NONE []
        the member after all that: NONE
    "#]]);
}

#[test]
fn a_bad_commit_is_refused_as_apache_does() {
    let broker = Broker::start_with(2, SETTINGS);
    let (group, simple, topic) = (unique("group"), unique("group"), unique("topic"));
    let mut peer = Peer::when_ready(&broker, &group);
    peer.create_topic(&topic, 2);
    let topic_id = peer.topic_id(&topic);
    let joined = peer.join_alone(&group);
    let mut told = Told::default();
    let of_member = |generation: i32, member: &str| {
        let mut request = committing(&group, &topic, &[(0, 5, "")]);
        request.generation_id_or_member_epoch = generation;
        request.member_id = member.into();
        request
    };
    for (what, generation, member) in [
        ("the member", joined.generation, joined.member_id.as_str()),
        ("unknown member", joined.generation, "nobody"),
        ("no member", -1, ""),
        ("stale generation", joined.generation - 1, &joined.member_id),
        (
            "generation to come",
            joined.generation + 1,
            &joined.member_id,
        ),
        ("generation -1 of the member", -1, &joined.member_id),
    ] {
        let answer = peer.commit(9, &of_member(generation, member));
        told.note(what, answer.join(" "));
    }
    let mut no_group = of_member(1, "nobody");
    no_group.group_id = simple.as_str().into();
    for version in [8, 9] {
        let answer = peer.commit(version, &no_group);
        told.note(
            &format!("no such group, version {version}"),
            answer.join(" "),
        );
    }

    let (fits, too_long) = ("m".repeat(4096), "m".repeat(4097));
    let of = [
        (0, 1, fits.as_str()),
        (1, 2, too_long.as_str()),
        (7, 3, ""),
        (-1, 4, ""),
    ];
    let answer = peer.commit(9, &committing(&simple, &topic, &of));
    told.note(
        "4096 and 4097 of metadata, partitions 7 and -1",
        answer.join(" "),
    );
    let of = [(0, 1, "m".repeat(32_767)), (1, 5, String::new())];
    let of: Vec<_> = of
        .iter()
        .map(|(p, o, text)| (*p, *o, text.as_str()))
        .collect();
    let answer = peer.commit(9, &committing(&simple, &topic, &of));
    told.note("32767 of metadata", answer.join(" "));
    let answer = peer.commit(9, &committing(&simple, "nothing", &[(0, 1, "")]));
    told.note("no such topic", answer.join(" "));
    let answer = peer.commit(9, &committing(&simple, "no/topic", &[(0, 1, "")]));
    told.note("no name of a topic", answer.join(" "));
    let mut by_id = committing(&simple, "", &[(0, 1, ""), (2, 1, "")]);
    by_id.topics[0].topic_id = topic_id;
    told.note("by id, partition 2", peer.commit(10, &by_id).join(" "));
    by_id.topics[0].topic_id = Uuid::from_random(1, 2);
    told.note("no such id", peer.commit(10, &by_id).join(" "));
    by_id.topics[0].topic_id = Uuid::default();
    told.note("id zero", peer.commit(10, &by_id).join(" "));
    let answer = peer.commit(9, &committing(&simple, &topic, &[(0, -7, "")]));
    told.note("offset -7", answer.join(" "));
    told.note(
        "then committed",
        peer.committed(&simple, &topic).to_string(),
    );
    let answer = peer.commit(9, &committing("", &topic, &[(0, 9, "")]));
    told.note("empty group id", answer.join(" "));
    told.note("then committed", peer.committed("", &topic).to_string());
    let longest = "g".repeat(32_767);
    let answer = peer.commit(9, &committing(&longest, &topic, &[(0, 9, "")]));
    told.note("group id of 32767", answer.join(" "));
    told.note(
        "then committed",
        peer.committed(&longest, &topic).to_string(),
    );
    let answer = peer.commit(9, &committing(&simple, &topic, &[]));
    told.note("no partitions", format!("{answer:?}"));
    told.is(&expect![[r#"
        the member: NONE
        unknown member: UNKNOWN_MEMBER_ID
        no member: UNKNOWN_MEMBER_ID
        stale generation: ILLEGAL_GENERATION
        generation to come: ILLEGAL_GENERATION
        generation -1 of the member: ILLEGAL_GENERATION
        no such group, version 8: ILLEGAL_GENERATION
        no such group, version 9: GROUP_ID_NOT_FOUND
        4096 and 4097 of metadata, partitions 7 and -1: UNKNOWN_TOPIC_OR_PARTITION NONE OFFSET_METADATA_TOO_LARGE UNKNOWN_TOPIC_OR_PARTITION
        32767 of metadata: OFFSET_METADATA_TOO_LARGE NONE
        no such topic: UNKNOWN_TOPIC_OR_PARTITION
        no name of a topic: UNKNOWN_TOPIC_OR_PARTITION
        by id, partition 2: NONE UNKNOWN_TOPIC_OR_PARTITION
        no such id: UNKNOWN_TOPIC_ID UNKNOWN_TOPIC_ID
        id zero: UNKNOWN_TOPIC_ID UNKNOWN_TOPIC_ID
        offset -7: NONE
        then committed: -7
        empty group id: NONE
        then committed: 9
        group id of 32767: NONE
        then committed: 9
        no partitions: []
    "#]]);
}

#[test]
fn a_bad_admin_request_is_refused_as_apache_does() {
    let broker = Broker::start_with(2, SETTINGS);
    let (group, simple, nowhere, topic) = (
        unique("group"),
        unique("group"),
        unique("group"),
        unique("topic"),
    );
    let mut peer = Peer::when_ready(&broker, &group);
    peer.create_topic(&topic, 2);
    peer.join_alone(&group);
    peer.commit_simply(&simple, &topic, 3);
    let mut told = Told::default();
    for (what, group) in [
        ("empty id", ""),
        ("no such group", &nowhere),
        ("group with members", &group),
    ] {
        let delete = DeleteGroupsRequest {
            groups_names: vec![group.into()],
            ..DeleteGroupsRequest::default()
        };
        let response = peer.ask(2, &delete);
        told.note(
            &format!("delete, {what}"),
            name(response.results[0].error_code),
        );
        let described = peer.describe(group);
        told.note(
            &format!("describe, {what}"),
            format!("{} {}", name(described.error_code), described.group_state),
        );
        let request = ConsumerGroupDescribeRequest {
            group_ids: vec![group.into()],
            ..ConsumerGroupDescribeRequest::default()
        };
        let response = peer.ask(1, &request);
        let error = name(response.groups[0].error_code);
        told.note(&format!("describe as consumer group, {what}"), error);
    }
    let mut delete = |what: &str, group: &str, topic: &str, partition: i32| {
        let request = OffsetDeleteRequest {
            group_id: group.into(),
            topics: vec![OffsetDeleteRequestTopic {
                name: topic.into(),
                partitions: vec![OffsetDeleteRequestPartition {
                    partition_index: partition,
                    ..OffsetDeleteRequestPartition::default()
                }],
                ..OffsetDeleteRequestTopic::default()
            }],
            ..OffsetDeleteRequest::default()
        };
        let response = peer.ask(0, &request);
        let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
        let partitions: Vec<&str> = partitions.map(|one| name(one.error_code)).collect();
        let answer = format!("{} {partitions:?}", name(response.error_code));
        told.note(&format!("delete offset, {what}"), answer);
    };
    delete("empty group id", "", &topic, 0);
    delete("no such group", &nowhere, &topic, 0);
    delete("group with members", &group, &topic, 0);
    delete("no such topic", &simple, "nothing", 0);
    delete("no such partition", &simple, &topic, 7);
    delete("nothing committed", &simple, &topic, 1);
    for (what, group, member, epoch) in [
        ("empty id", "", None, -1),
        ("no such group", nowhere.as_str(), None, -1),
        (
            "no such group, of a member",
            nowhere.as_str(),
            Some("nobody"),
            1,
        ),
        (
            "classic group, of a member",
            group.as_str(),
            Some("nobody"),
            1,
        ),
    ] {
        let request = OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: group.into(),
                member_id: member.map(Into::into),
                member_epoch: epoch,
                topics: None,
                ..OffsetFetchRequestGroup::default()
            }],
            ..OffsetFetchRequest::default()
        };
        let response = peer.ask(9, &request);
        let group = &response.groups[0];
        let answer = format!(
            "{} of {} topics",
            name(group.error_code),
            group.topics.len()
        );
        told.note(&format!("fetch offsets, {what}"), answer);
    }
    let mut find = |what: &str, version: i16, key_type: i8, key: &str| {
        let request = FindCoordinatorRequest {
            key: if version < 4 { key.into() } else { "".into() },
            key_type,
            coordinator_keys: if version < 4 {
                Vec::new()
            } else {
                vec![key.into()]
            },
            ..FindCoordinatorRequest::default()
        };
        let response = peer.ask(version, &request);
        let error = match response.coordinators.first() {
            Some(coordinator) => coordinator.error_code,
            None => response.error_code,
        };
        told.note(&format!("find coordinator, {what}"), name(error));
    };
    find("empty id", 4, 0, "");
    find("of kind 3", 3, 3, "key");
    find("of kind -1", 4, -1, "key");
    find("of shares before its version", 5, 2, "key");
    told.is(&expect![[r#"
        delete, empty id: GROUP_ID_NOT_FOUND
        describe, empty id: GROUP_ID_NOT_FOUND Dead
        describe as consumer group, empty id: INVALID_GROUP_ID
        delete, no such group: GROUP_ID_NOT_FOUND
        describe, no such group: GROUP_ID_NOT_FOUND Dead
        describe as consumer group, no such group: GROUP_ID_NOT_FOUND
        delete, group with members: NON_EMPTY_GROUP
        describe, group with members: NONE Stable
        describe as consumer group, group with members: GROUP_ID_NOT_FOUND
        delete offset, empty group id: INVALID_GROUP_ID []
        delete offset, no such group: GROUP_ID_NOT_FOUND []
        delete offset, group with members: NONE ["GROUP_SUBSCRIBED_TO_TOPIC"]
        delete offset, no such topic: NONE ["UNKNOWN_TOPIC_OR_PARTITION"]
        delete offset, no such partition: NONE ["UNKNOWN_TOPIC_OR_PARTITION"]
        delete offset, nothing committed: NONE ["NONE"]
        fetch offsets, empty id: NONE of 0 topics
        fetch offsets, no such group: NONE of 0 topics
        fetch offsets, no such group, of a member: NONE of 0 topics
        fetch offsets, classic group, of a member: NONE of 0 topics
        find coordinator, empty id: NONE
        find coordinator, of kind 3: INVALID_REQUEST
        find coordinator, of kind -1: INVALID_REQUEST
        find coordinator, of shares before its version: INVALID_REQUEST
    "#]]);
}

#[test]
fn a_bad_heartbeat_of_a_consumer_group_is_refused_as_apache_does() {
    let broker = Broker::start_with(2, SETTINGS);
    let (group, classic, topic) = (unique("group"), unique("group"), unique("topic"));
    let mut peer = Peer::when_ready(&broker, &group);
    peer.create_topic(&topic, 2);
    let topic_id = peer.topic_id(&topic);
    let known = peer.join_alone(&classic);
    let member = "member-of-this-test";
    let first = peer.consumer_heartbeat(&beating(&group, member, &topic));
    assert_eq!(name(first.error_code), "NONE", "{:?}", first.error_message);
    let mut told = Told::default();
    let mut static_one = beating(&group, "static-member", &topic);
    static_one.instance_id = Some("instance".into());
    let answer = peer.consumer_heartbeat(&static_one);
    assert_eq!(
        name(answer.error_code),
        "NONE",
        "{:?}",
        answer.error_message
    );
    let mut ask = |what: &str, change: &dyn Fn(&mut ConsumerGroupHeartbeatRequest)| {
        let mut request = beating(&group, "another-member", &topic);
        change(&mut request);
        let response = peer.consumer_heartbeat(&request);
        let message = response.error_message.unwrap_or_default();
        let message = message
            .replace(&group, "GROUP")
            .replace(&classic, "CLASSIC")
            // Apache's first epoch is 2, and was 1 before 4.3.
            .replace(&format!("({})", first.member_epoch), "(EPOCH)");
        told.note(what, format!("{} {message}", name(response.error_code)));
    };
    ask("empty group id", &|beat| beat.group_id = "".into());
    ask("empty member id", &|beat| beat.member_id = "".into());
    ask("empty instance id", &|beat| {
        beat.instance_id = Some("".into())
    });
    ask("empty rack", &|beat| beat.rack_id = Some("".into()));
    ask("no rebalance timeout", &|beat| {
        beat.rebalance_timeout_ms = -1
    });
    ask("no subscription", &|beat| {
        beat.subscribed_topic_names = None
    });
    ask("partitions when it joins", &|beat| {
        beat.topic_partitions = Some(vec![TopicPartitions {
            topic_id,
            partitions: vec![0],
            ..TopicPartitions::default()
        }]);
    });
    ask("assignor nobody has", &|beat| {
        beat.server_assignor = Some("mine".into())
    });
    ask("epoch -3", &|beat| beat.member_epoch = -3);
    ask("epoch -2 without an instance", &|beat| {
        beat.member_epoch = -2
    });
    ask("unknown member", &|beat| beat.member_epoch = 1);
    ask("unknown member leaves", &|beat| beat.member_epoch = -1);
    ask("unknown instance leaves", &|beat| {
        beat.member_epoch = -2;
        beat.instance_id = Some("nobody".into());
    });
    ask("instance of another", &|beat| {
        beat.instance_id = Some("instance".into())
    });
    ask("no such group", &|beat| {
        beat.group_id = "nowhere".into();
        beat.member_epoch = 1;
    });
    ask("classic group, of a member", &|beat| {
        beat.group_id = classic.as_str().into();
        beat.member_id = known.member_id.as_str().into();
        beat.member_epoch = 1;
    });
    ask("epoch to come", &|beat| {
        beat.member_id = member.into();
        beat.member_epoch = 1_000;
    });
    ask("partition that does not exist", &|beat| {
        beat.member_id = member.into();
        beat.member_epoch = first.member_epoch;
        beat.topic_partitions = Some(vec![TopicPartitions {
            topic_id,
            partitions: vec![7],
            ..TopicPartitions::default()
        }]);
    });
    ask("topic that does not exist", &|beat| {
        beat.member_id = member.into();
        beat.member_epoch = first.member_epoch;
        beat.topic_partitions = Some(vec![TopicPartitions {
            topic_id: Uuid::from_random(1, 2),
            partitions: vec![0],
            ..TopicPartitions::default()
        }]);
    });
    told.is(&expect![[r#"
        empty group id: INVALID_REQUEST GroupId can't be empty.
        empty member id: INVALID_REQUEST MemberId can't be empty.
        empty instance id: INVALID_REQUEST InstanceId can't be empty.
        empty rack: INVALID_REQUEST RackId can't be empty.
        no rebalance timeout: INVALID_REQUEST RebalanceTimeoutMs must be provided in first request.
        no subscription: INVALID_REQUEST Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.
        partitions when it joins: INVALID_REQUEST TopicPartitions must be empty when (re-)joining.
        assignor nobody has: UNSUPPORTED_ASSIGNOR ServerAssignor mine is not supported. Supported assignors: uniform, range.
        epoch -3: INVALID_REQUEST MemberEpoch is invalid.
        epoch -2 without an instance: INVALID_REQUEST InstanceId can't be null.
        unknown member: UNKNOWN_MEMBER_ID Member another-member is not a member of group GROUP.
        unknown member leaves: UNKNOWN_MEMBER_ID Member another-member is not a member of group GROUP.
        unknown instance leaves: UNKNOWN_MEMBER_ID Instance id nobody is unknown.
        instance of another: UNRELEASED_INSTANCE_ID Static member another-member with instance id instance cannot join the group because the instance id is owned by static-member member.
        no such group: GROUP_ID_NOT_FOUND Consumer group nowhere not found.
        classic group, of a member: GROUP_ID_NOT_FOUND Group CLASSIC is not a consumer group.
        epoch to come: FENCED_MEMBER_EPOCH The consumer group member has a greater member epoch (1000) than the one known by the group coordinator (EPOCH). The member must abandon all its partitions and rejoin.
        partition that does not exist: NONE 
        topic that does not exist: NONE 
    "#]]);
    // The words about expressions are those of whoever reads them.
    for regex in ["[", "*", "a)|(b", "(?=a)", "(?<", r"\1", "(a", r"\pX"] {
        let mut request = beating(&group, "another-member", &topic);
        request.subscribed_topic_names = None;
        request.subscribed_topic_regex = Some(regex.into());
        let answer = peer.consumer_heartbeat(&request);
        let error = name(answer.error_code);
        assert_eq!(error, "INVALID_REGULAR_EXPRESSION", "{regex}: {answer:?}");
    }
}

/// Group ids that are null, and longer than a record could hold.
#[test]
fn a_group_id_that_is_none_ends_its_connection() {
    const HEARTBEAT: i16 = 12;
    let broker = Broker::start_with(1, SETTINGS);
    let group = unique("group");
    let mut peer = Peer::when_ready(&broker, &group);
    let joined = peer.join_alone(&group);
    // Version 0, where a string has two bytes of length: -1 is null.
    let null = wire::request(HEARTBEAT, 0, &[0xff, 0xff, 0, 0, 0, 1, 0, 1, b'm']);
    // Version 4: a compact string's length, plus one, is a varint; 0 is null. Then tagged fields.
    let rest = [&[0, 0, 0, 1][..], &[2, b'm', 0, 0]].concat();
    let compact_null = [&[0, 0][..], &rest].concat();
    let too_long = [&[0, 0x81, 0x80, 0x02][..], &[b'g'; 32_768], &rest].concat();
    for (what, bytes) in [
        ("null", null),
        ("null", wire::request(HEARTBEAT, 4, &compact_null)),
        ("32768 bytes", wire::request(HEARTBEAT, 4, &too_long)),
    ] {
        let answer = wire::send(&mut broker.connect(), &frame(&bytes));
        assert_eq!(answer, Answer::Closed, "a group id of {what}");
    }
    assert_eq!(peer.heartbeat(&joined), "NONE");
}

/// Nobody has looked for a coordinator yet, so there is none.
#[test]
fn a_request_before_there_is_a_coordinator_is_sent_to_look_for_one() {
    let broker = Broker::start_with(2, SETTINGS);
    let (group, topic) = (unique("group"), unique("topic"));
    let mut peer = Peer::of(&broker);
    peer.create_topic(&topic, 1);
    let joined = Joined {
        group: group.clone(),
        member_id: "m".to_owned(),
        generation: 1,
    };
    let mut told = Told::default();
    told.note("join", name(peer.join(&joining(&group)).error_code));
    told.note("sync", name(peer.ask(5, &syncing(&joined)).error_code));
    told.note("heartbeat", peer.heartbeat(&joined));
    let leave = LeaveGroupRequest {
        group_id: group.as_str().into(),
        members: vec![MemberIdentity::default()],
        ..LeaveGroupRequest::default()
    };
    told.note("leave", name(peer.ask(5, &leave).error_code));
    let answer = peer.commit(9, &committing(&group, &topic, &[(0, 1, "")]));
    told.note("commit", answer.join(" "));
    let fetch = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.as_str().into(),
            ..OffsetFetchRequestGroup::default()
        }],
        ..OffsetFetchRequest::default()
    };
    told.note(
        "fetch offsets",
        name(peer.ask(9, &fetch).groups[0].error_code),
    );
    told.note("describe", name(peer.describe(&group).error_code));
    let delete = DeleteGroupsRequest {
        groups_names: vec![group.as_str().into()],
        ..DeleteGroupsRequest::default()
    };
    told.note("delete", name(peer.ask(2, &delete).results[0].error_code));
    let beat = peer.consumer_heartbeat(&beating(&group, "m", &topic));
    told.note("consumer heartbeat", name(beat.error_code));
    let describe = ConsumerGroupDescribeRequest {
        group_ids: vec![group.as_str().into()],
        ..ConsumerGroupDescribeRequest::default()
    };
    told.note(
        "consumer describe",
        name(peer.ask(1, &describe).groups[0].error_code),
    );
    told.is(&expect![[r#"
        join: NOT_COORDINATOR
        sync: NOT_COORDINATOR
        heartbeat: NOT_COORDINATOR
        leave: NOT_COORDINATOR
        commit: NOT_COORDINATOR
        fetch offsets: NOT_COORDINATOR
        describe: NOT_COORDINATOR
        delete: NOT_COORDINATOR
        consumer heartbeat: NOT_COORDINATOR
        consumer describe: NOT_COORDINATOR
    "#]]);
    let mut peer = Peer::when_ready(&broker, &group);
    peer.join_alone(&group);
}
