//! The epoch of a KIP-848 group: when it rises, and from where. The answers that stand here are
//! Apache Kafka's own: `KLAMM_TEST_BROKER=apache UPDATE_EXPECT=1` writes them anew.

use crate::broker::{Broker, unique};
use crate::deadline::wait_for;
use crate::group_client::{Peer, beating, name};
use expect_test::expect;
use klamm::protocol::messages::consumer_group_describe::{
    ConsumerGroupDescribeRequest, DescribedGroup,
};
use klamm::protocol::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use klamm::protocol::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsTopic,
};
use klamm::protocol::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use klamm::protocol::string::Str;
use std::fmt::Write;

const SETTINGS: &[&str] = &[
    "auto.create.topics.enable=false",
    "offsets.topic.num.partitions=1",
    // Every change is looked at by itself.
    "group.consumer.assignment.interval.ms=0",
    "group.consumer.min.assignment.interval.ms=0",
];

/// A group, and what became of it.
struct Scene {
    peer: Peer,
    group: String,
    told: String,
}

impl Scene {
    fn describe(&mut self) -> DescribedGroup {
        let request = ConsumerGroupDescribeRequest {
            group_ids: vec![self.group.as_str().into()],
            ..ConsumerGroupDescribeRequest::default()
        };
        self.peer.ask(1, &request).groups.remove(0)
    }

    /// The epochs of the group after what was done.
    fn note(&mut self, what: &str) {
        let group = self.describe();
        writeln!(
            self.told,
            "{what}: group {}, assignment {}, {}",
            group.group_epoch, group.assignment_epoch, group.group_state
        )
        .expect("a String takes everything");
    }

    /// The epoch that a member has by now.
    fn epoch(&mut self, member: &str) -> i32 {
        let group = self.describe();
        let mut members = group.members.iter();
        let found = members.find(|one| one.member_id.as_str() == member);
        let found = found.unwrap_or_else(|| panic!("no {member} in {group:?}\n{}", self.told));
        found.member_epoch
    }

    fn join(
        &mut self,
        what: &str,
        member: &str,
        change: &dyn Fn(&mut ConsumerGroupHeartbeatRequest),
    ) {
        let mut request = beating(&self.group, member, "");
        change(&mut request);
        let answer = self.peer.consumer_heartbeat(&request);
        assert_eq!(name(answer.error_code), "NONE", "{what}: {answer:?}");
        self.note(what);
    }

    /// A heartbeat of a member that is known, with what it wants to change.
    fn beat(
        &mut self,
        what: &str,
        member: &str,
        change: &dyn Fn(&mut ConsumerGroupHeartbeatRequest),
    ) {
        let mut request = ConsumerGroupHeartbeatRequest {
            group_id: self.group.as_str().into(),
            member_id: member.into(),
            member_epoch: self.epoch(member),
            rebalance_timeout_ms: -1,
            ..ConsumerGroupHeartbeatRequest::default()
        };
        change(&mut request);
        let answer = self.peer.consumer_heartbeat(&request);
        assert_eq!(name(answer.error_code), "NONE", "{what}: {answer:?}");
        self.note(what);
    }

    /// Beats until the group epoch has risen above what it was before a change of topics, which arrives
    /// by itself: in klamm at once, in Apache with a heartbeat.
    fn beat_until_risen(&mut self, what: &str, member: &str, before: i32) {
        wait_for(what, || {
            let request = ConsumerGroupHeartbeatRequest {
                group_id: self.group.as_str().into(),
                member_id: member.into(),
                member_epoch: self.epoch(member),
                rebalance_timeout_ms: -1,
                ..ConsumerGroupHeartbeatRequest::default()
            };
            self.peer.consumer_heartbeat(&request);
            (self.describe().group_epoch > before).then_some(())
        });
        self.note(what);
    }
}

fn names(topics: &[&str]) -> Option<Vec<Str>> {
    Some(topics.iter().map(|&topic| topic.into()).collect())
}

#[test]
fn epochs_rise_as_apaches_do() {
    let broker = Broker::start_with(2, SETTINGS);
    let group = unique("group");
    let mut peer = Peer::when_ready(&broker, &group);
    let topics = ["one", "two", "three"].map(unique);
    let [one, two, three] = topics.each_ref().map(String::as_str);
    for topic in [one, two] {
        peer.create_topic(topic, 2);
        peer.topic_id(topic);
    }
    let mut scene = Scene {
        peer,
        group,
        told: String::new(),
    };
    scene.join("a joins", "a", &|beat| {
        beat.subscribed_topic_names = names(&[one])
    });
    scene.join("a joins again", "a", &|beat| {
        beat.subscribed_topic_names = names(&[one])
    });
    scene.join("b joins", "b", &|beat| {
        beat.subscribed_topic_names = names(&[one])
    });
    scene.join("c joins and wants nothing", "c", &|beat| {
        beat.subscribed_topic_names = names(&[])
    });
    scene.beat("a wants two topics", "a", &|beat| {
        beat.subscribed_topic_names = names(&[one, two])
    });
    scene.beat("in another order", "a", &|beat| {
        beat.subscribed_topic_names = names(&[two, one])
    });
    scene.beat("a topic that is not there", "a", &|beat| {
        beat.subscribed_topic_names = names(&[one, two, three]);
    });
    scene.beat("another rack", "a", &|beat| {
        beat.rack_id = Some("rack".into())
    });
    scene.beat("another assignor", "a", &|beat| {
        beat.server_assignor = Some("range".into())
    });
    scene.beat("another rebalance timeout", "a", &|beat| {
        beat.rebalance_timeout_ms = 7_000
    });

    let before = scene.describe().group_epoch;
    scene.peer.create_topic(three, 1);
    scene.beat_until_risen("the topic is made", "a", before);
    let before = scene.describe().group_epoch;
    let grown = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: three.into(),
            count: 3,
            assignments: None,
            ..CreatePartitionsTopic::default()
        }],
        timeout_ms: 30_000,
        ..CreatePartitionsRequest::default()
    };
    assert_eq!(
        name(scene.peer.ask(3, &grown).results[0].error_code),
        "NONE"
    );
    scene.beat_until_risen("it grows", "a", before);
    let before = scene.describe().group_epoch;
    let deleted = DeleteTopicsRequest {
        topics: vec![DeleteTopicState {
            name: Some(three.into()),
            ..DeleteTopicState::default()
        }],
        timeout_ms: 30_000,
        ..DeleteTopicsRequest::default()
    };
    assert_eq!(
        name(scene.peer.ask(6, &deleted).responses[0].error_code),
        "NONE"
    );
    scene.beat_until_risen("it goes", "a", before);

    scene.beat("c leaves", "c", &|beat| beat.member_epoch = -1);
    scene.beat("b leaves", "b", &|beat| beat.member_epoch = -1);
    scene.beat("a beats", "a", &|_| {});
    scene.join("a static member joins", "s", &|beat| {
        beat.subscribed_topic_names = names(&[two]);
        beat.instance_id = Some("instance".into());
    });
    scene.beat("it goes away", "s", &|beat| {
        beat.member_epoch = -2;
        beat.instance_id = Some("instance".into());
    });
    scene.join("it comes back", "t", &|beat| {
        beat.subscribed_topic_names = names(&[two]);
        beat.instance_id = Some("instance".into());
    });
    scene.beat("it goes away again", "t", &|beat| {
        beat.member_epoch = -2;
        beat.instance_id = Some("instance".into());
    });
    scene.join("it comes back for another topic", "u", &|beat| {
        beat.subscribed_topic_names = names(&[one]);
        beat.instance_id = Some("instance".into());
    });
    scene.beat("it leaves", "u", &|beat| {
        beat.member_epoch = -1;
        beat.instance_id = Some("instance".into());
    });
    scene.beat("a leaves, and nobody is left", "a", &|beat| {
        beat.member_epoch = -1
    });
    scene.join("d joins", "d", &|beat| {
        beat.subscribed_topic_names = names(&[one])
    });
    expect![[r#"
        a joins: group 2, assignment 2, Stable
        a joins again: group 2, assignment 2, Stable
        b joins: group 3, assignment 3, Reconciling
        c joins and wants nothing: group 3, assignment 3, Reconciling
        a wants two topics: group 4, assignment 4, Reconciling
        in another order: group 4, assignment 4, Reconciling
        a topic that is not there: group 5, assignment 5, Reconciling
        another rack: group 5, assignment 5, Reconciling
        another assignor: group 5, assignment 5, Reconciling
        another rebalance timeout: group 5, assignment 5, Reconciling
        the topic is made: group 6, assignment 6, Reconciling
        it grows: group 7, assignment 7, Reconciling
        it goes: group 8, assignment 8, Reconciling
        c leaves: group 9, assignment 8, Assigning
        b leaves: group 10, assignment 8, Assigning
        a beats: group 10, assignment 10, Reconciling
        a static member joins: group 11, assignment 11, Reconciling
        it goes away: group 11, assignment 11, Reconciling
        it comes back: group 11, assignment 11, Reconciling
        it goes away again: group 11, assignment 11, Reconciling
        it comes back for another topic: group 12, assignment 12, Reconciling
        it leaves: group 13, assignment 12, Assigning
        a leaves, and nobody is left: group 14, assignment 12, Empty
        d joins: group 15, assignment 15, Stable
    "#]]
    .assert_eq(&scene.told);
}

/// Who joins a new group and wants nothing.
#[test]
fn the_first_epoch_is_apaches() {
    let broker = Broker::start_with(1, SETTINGS);
    let group = unique("group");
    let mut peer = Peer::when_ready(&broker, &group);
    let topic = unique("topic");
    peer.create_topic(&topic, 1);
    peer.topic_id(&topic);
    let mut scene = Scene {
        peer,
        group,
        told: String::new(),
    };
    scene.join("nothing", "a", &|beat| {
        beat.subscribed_topic_names = names(&[])
    });
    scene.join("nothing, another", "b", &|beat| {
        beat.subscribed_topic_names = names(&[])
    });
    scene.beat("a topic", "a", &|beat| {
        beat.subscribed_topic_names = names(&[&topic])
    });
    scene.beat("the other leaves", "b", &|beat| beat.member_epoch = -1);
    scene.group = unique("group");
    scene.join("a topic that is not there", "a", &|beat| {
        beat.subscribed_topic_names = names(&["nowhere"]);
    });
    expect![[r#"
        nothing: group 1, assignment 1, Stable
        nothing, another: group 1, assignment 1, Stable
        a topic: group 2, assignment 2, Reconciling
        the other leaves: group 3, assignment 2, Assigning
        a topic that is not there: group 2, assignment 2, Stable
    "#]]
    .assert_eq(&scene.told);
}

/// Expressions: Apache looks for their topics on a thread of its own, so the epoch that counts is
/// the one that the group comes to.
#[test]
fn epochs_of_expressions_come_to_apaches() {
    let broker = Broker::start_with(1, SETTINGS);
    let group = unique("group");
    let mut peer = Peer::when_ready(&broker, &group);
    let topic = unique("topic");
    peer.create_topic(&topic, 1);
    peer.topic_id(&topic);
    let mut scene = Scene {
        peer,
        group,
        told: String::new(),
    };
    let settled = |scene: &mut Scene, what: &str, member: &str, partitions: usize| {
        wait_for(what, || {
            let epoch = scene.epoch(member);
            let request = ConsumerGroupHeartbeatRequest {
                group_id: scene.group.as_str().into(),
                member_id: member.into(),
                member_epoch: epoch,
                rebalance_timeout_ms: -1,
                topic_partitions: Some(Vec::new()),
                ..ConsumerGroupHeartbeatRequest::default()
            };
            scene.peer.consumer_heartbeat(&request);
            let group = scene.describe();
            let mut members = group.members.iter();
            let one = members.find(|one| one.member_id.as_str() == member)?;
            let count: usize = one
                .target_assignment
                .topic_partitions
                .iter()
                .map(|topic| topic.partitions.len())
                .sum();
            let is_settled = count == partitions && group.group_epoch == group.assignment_epoch;
            (is_settled && one.member_epoch == group.group_epoch).then_some(())
        });
        scene.note(what);
    };
    let request = |scene: &Scene, member: &str, regex: &str| {
        let mut request = beating(&scene.group, member, "");
        request.subscribed_topic_names = None;
        request.subscribed_topic_regex = Some(regex.into());
        request
    };
    let joining = request(&scene, "a", &format!("{topic}.*"));
    scene.peer.consumer_heartbeat(&joining);
    settled(&mut scene, "a joins by an expression", "a", 1);
    let joining = request(&scene, "b", "nothing.*");
    scene.peer.consumer_heartbeat(&joining);
    settled(&mut scene, "b joins by one that means nothing", "b", 0);
    expect![[r#"
        a joins by an expression: group 2, assignment 2, Stable
        b joins by one that means nothing: group 2, assignment 2, Stable
    "#]]
    .assert_eq(&scene.told);
}
