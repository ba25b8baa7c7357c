//! `__consumer_offsets` changes hands between klamm and Apache Kafka, with a group of every kind in it:
//! both have the same groups, members, epochs, assignments and offsets, and nothing that a member would
//! notice.

use crate::apache::Quorum;
use crate::broker::{Broker, Program, unique};
use crate::deadline::wait_for;
use crate::group_client::{Peer, beating, committing, joining, name, protocol, syncing};
use klamm::protocol::messages::consumer_group_describe::{
    Assignment, ConsumerGroupDescribeRequest,
};
use klamm::protocol::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use klamm::protocol::messages::join_group::JoinGroupRequest;
use klamm::protocol::messages::list_groups::ListGroupsRequest;
use klamm::protocol::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use klamm::protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use std::collections::BTreeSet;

const SETTINGS: &[&str] = &[
    "group.initial.rebalance.delay.ms=0",
    "auto.create.topics.enable=false",
    // Nobody shall be missed while the brokers change.
    "group.consumer.session.timeout.ms=60000",
    "group.consumer.assignment.interval.ms=0",
    "group.consumer.min.assignment.interval.ms=0",
    "broker.rack=north",
];
const CLASSIC_SESSION_MS: i32 = 300_000;

/// Names of what is in the directory.
struct Names {
    topic: String,
    simple: String,
    classic: String,
    fixed: String,
    modern: String,
    by_regex: String,
}

impl Names {
    fn groups(&self) -> [&String; 5] {
        [
            &self.simple,
            &self.classic,
            &self.fixed,
            &self.modern,
            &self.by_regex,
        ]
    }
}

fn fill(broker: &Broker) -> Names {
    let names = Names {
        topic: unique("exchanged"),
        simple: unique("simple"),
        classic: unique("classic"),
        fixed: unique("static"),
        modern: unique("modern"),
        by_regex: unique("by-regex"),
    };
    let topic = names.topic.as_str();
    let mut peer = Peer::when_ready(broker, &names.simple);
    for group in names.groups() {
        Peer::when_ready(broker, group);
    }
    peer.create_topic(topic, 4);
    peer.topic_id(topic);
    let commit = committing(&names.simple, topic, &[(0, 11, "a note"), (3, 0, "")]);
    assert_eq!(peer.commit(9, &commit), ["NONE", "NONE"]);

    for (group, instance) in [(&names.classic, None), (&names.fixed, Some("instance"))] {
        let mut join = JoinGroupRequest {
            session_timeout_ms: CLASSIC_SESSION_MS,
            group_instance_id: instance.map(Into::into),
            protocol_type: "any".into(),
            protocols: vec![protocol("first", b"what I want")],
            ..joining(group)
        };
        let mut joined = peer.join(&join);
        if name(joined.error_code) == "MEMBER_ID_REQUIRED" {
            join.member_id = joined.member_id;
            joined = peer.join(&join);
        }
        assert_eq!(name(joined.error_code), "NONE");
        let member = crate::group_client::Joined {
            group: group.clone(),
            member_id: joined.member_id.to_string(),
            generation: joined.generation_id,
        };
        let sync = SyncGroupRequest {
            group_instance_id: instance.map(Into::into),
            protocol_type: Some("any".into()),
            protocol_name: Some("first".into()),
            assignments: vec![SyncGroupRequestAssignment {
                member_id: joined.member_id.clone(),
                assignment: b"all of it"[..].into(),
                ..SyncGroupRequestAssignment::default()
            }],
            ..syncing(&member)
        };
        assert_eq!(name(peer.ask(5, &sync).error_code), "NONE");
        let mut commit = committing(group, topic, &[(1, 5, "")]);
        commit.generation_id_or_member_epoch = member.generation;
        commit.member_id = joined.member_id;
        commit.group_instance_id = instance.map(Into::into);
        assert_eq!(peer.commit(9, &commit), ["NONE"]);
    }

    let beat = |peer: &mut Peer, request: &ConsumerGroupHeartbeatRequest| {
        let answer = peer.consumer_heartbeat(request);
        assert_eq!(name(answer.error_code), "NONE", "{answer:?}");
        answer.member_epoch
    };
    let by_regex = ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: None,
        subscribed_topic_regex: Some(format!("{topic}|nothing").into()),
        ..beating(&names.by_regex, "three", topic)
    };
    let mut epoch = beat(&mut peer, &by_regex);
    // Then the coordinator knows the topic: before, Apache's would give out nothing of it, and more later.
    wait_for("the expression to be resolved", || {
        epoch = beat(
            &mut peer,
            &ConsumerGroupHeartbeatRequest {
                group_id: names.by_regex.as_str().into(),
                member_id: "three".into(),
                member_epoch: epoch,
                rebalance_timeout_ms: -1,
                ..ConsumerGroupHeartbeatRequest::default()
            },
        );
        (epoch == 2).then_some(())
    });

    let first = beating(&names.modern, "one", topic);
    beat(&mut peer, &first);
    let second = ConsumerGroupHeartbeatRequest {
        instance_id: Some("other-instance".into()),
        rack_id: Some("north".into()),
        server_assignor: Some("range".into()),
        ..beating(&names.modern, "two", topic)
    };
    let epoch = beat(&mut peer, &second);
    let mut commit = committing(&names.modern, topic, &[(2, 7, "by an epoch")]);
    commit.generation_id_or_member_epoch = epoch;
    commit.member_id = "two".into();
    assert_eq!(peer.commit(9, &commit), ["NONE"]);
    names
}

/// All that a broker tells of the groups.
fn told(broker: &Broker, names: &Names) -> String {
    let mut peer = Peer::of(broker);
    let mut lines = BTreeSet::new();
    for group in names.groups() {
        let mut peer = Peer::when_ready(broker, group);
        let described = peer.describe(group);
        for member in &described.members {
            lines.insert(format!(
                "{group} classic {} {} {} {:?} {} {:?} {:?}",
                described.group_state,
                described.protocol_type,
                described.protocol_data,
                member.member_id,
                member.client_id,
                member.member_metadata,
                member.member_assignment
            ));
        }
        let request = ConsumerGroupDescribeRequest {
            group_ids: vec![group.as_str().into()],
            ..ConsumerGroupDescribeRequest::default()
        };
        let described = peer.ask(1, &request).groups.remove(0);
        let partitions = |assignment: &Assignment| {
            let topics = assignment.topic_partitions.iter();
            let mut numbers: Vec<i32> = topics.flat_map(|one| one.partitions.clone()).collect();
            numbers.sort_unstable();
            numbers
        };
        for member in &described.members {
            lines.insert(format!(
                "{group} modern {} epoch {} assignment {} by {}: {} {:?} {:?} epoch {} {:?} {:?} has {:?} shall have {:?}",
                described.group_state,
                described.group_epoch,
                described.assignment_epoch,
                described.assignor_name,
                member.member_id,
                member.instance_id,
                member.rack_id,
                member.member_epoch,
                member.subscribed_topic_names,
                member.subscribed_topic_regex,
                partitions(&member.assignment),
                partitions(&member.target_assignment),
            ));
        }
        let fetch = OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: group.as_str().into(),
                topics: None,
                ..OffsetFetchRequestGroup::default()
            }],
            ..OffsetFetchRequest::default()
        };
        for topic in &peer.ask(9, &fetch).groups[0].topics {
            for one in &topic.partitions {
                lines.insert(format!(
                    "{group} offset {} {}: {} {:?} {}",
                    topic.name,
                    one.partition_index,
                    one.committed_offset,
                    one.metadata,
                    one.committed_leader_epoch
                ));
            }
        }
    }
    for listed in peer.ask(5, &ListGroupsRequest::default()).groups {
        lines.insert(format!(
            "listed {} {} {} {}",
            listed.group_id, listed.protocol_type, listed.group_state, listed.group_type
        ));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn changes_hands(mut broker: Broker) {
    let names = fill(&broker);
    let first = told(&broker, &names);
    for part in [
        "classic Stable any first",
        "modern Reconciling epoch 3",
        "offset",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    for hand in ["the second", "the first again"] {
        broker.hand_over();
        assert_eq!(told(&broker, &names), first, "{hand}");
        // A member goes on in its epoch, and nothing has risen.
        let mut peer = Peer::of(&broker);
        let request = ConsumerGroupHeartbeatRequest {
            group_id: names.by_regex.as_str().into(),
            member_id: "three".into(),
            member_epoch: 2,
            rebalance_timeout_ms: -1,
            ..ConsumerGroupHeartbeatRequest::default()
        };
        let answer = peer.consumer_heartbeat(&request);
        assert_eq!(name(answer.error_code), "NONE", "{hand}: {answer:?}");
        assert_eq!(answer.member_epoch, 2, "{hand}");
        assert_eq!(told(&broker, &names), first, "{hand}, after a heartbeat");
    }
}

#[test]
fn groups_of_klamm_are_apaches_and_klamms_again() {
    changes_hands(Broker::start_as(Program::Klamm, Quorum::Static, SETTINGS));
}

#[test]
fn groups_of_apache_are_klamms_and_apaches_again() {
    changes_hands(Broker::start_as(Program::Apache, Quorum::Static, SETTINGS));
}
