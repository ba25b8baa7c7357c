//! What single clients do with groups beyond living in one: topics by an expression that the broker
//! resolves, a group that changes over to the other protocol and back while its members read on, and
//! members that an administrator takes out.

use crate::broker::{Broker, unique};
use crate::command_line::create_topic;
use crate::deadline::wait_for;
use crate::group_client::{Peer, committing, name};
use crate::group_life::{self, JAVA_CONSUMER, JAVA_RANGE, Way, wait_until_read, wait_until_shared};
use crate::installed;
use crate::kcat;
use crate::member::Member;
use klamm::protocol::messages::consumer_group_describe::ConsumerGroupDescribeRequest;
use klamm::protocol::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use klamm::protocol::messages::list_groups::ListGroupsRequest;
use std::collections::BTreeSet;
use std::process::Command;

/// `tests/java/groups/Groups.java` with these words.
fn java(broker: &Broker, words: &[&str]) -> Command {
    let mut command = installed::java_source("client", "tests/java/groups/Groups.java");
    command.arg(&broker.bootstrap).args(words);
    command
}

/// What it prints.
fn printed(broker: &Broker, words: &[&str]) -> String {
    let output = java(broker, words).output().expect("java runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn has_read(member: &Member, value: &str) {
    wait_for(&format!("{value} to be read"), || {
        let records = member.seen().records;
        let mut values = records.iter().map(|(_, _, value)| value);
        values.any(|one| one == value).then_some(())
    });
}

fn write(broker: &Broker, topic: &str, partition: i32, value: &str) {
    kcat::write_lines(broker, topic, Some(partition), &[value.to_owned()]);
}

fn delete_topic(broker: &Broker, topic: &str) {
    let request = DeleteTopicsRequest {
        topics: vec![DeleteTopicState {
            name: Some(topic.into()),
            ..DeleteTopicState::default()
        }],
        timeout_ms: 30_000,
        ..DeleteTopicsRequest::default()
    };
    let response = Peer::of(broker).ask(6, &request);
    assert_eq!(name(response.responses[0].error_code), "NONE");
}

/// One group by an expression, under whose members topics come and go.
struct ByExpression<'a> {
    broker: &'a Broker,
    prefix: String,
    group: String,
}

impl<'a> ByExpression<'a> {
    fn new(broker: &'a Broker) -> ByExpression<'a> {
        ByExpression {
            broker,
            prefix: unique("by-expression"),
            group: unique("pattern"),
        }
    }

    fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// What the members subscribe to.
    fn expression(&self) -> String {
        format!("{}-.*", self.prefix)
    }

    fn create(&self, name: &str, partitions: i32) {
        create_topic(self.broker, &self.topic(name), partitions);
    }

    fn write(&self, name: &str, partition: i32, value: &str) {
        write(self.broker, &self.topic(name), partition, value);
    }

    /// A topic comes under a member that named none, goes, and comes back as another of that name,
    /// which the broker assigns to the member.
    fn topics_come_and_go(&self, member: impl FnOnce(&Self) -> Member) -> Member {
        self.create("first", 1);
        create_topic(self.broker, &format!("not-{}-first", self.prefix), 2);
        self.write("first", 0, "of-the-first");
        let member = member(self);
        has_read(&member, "of-the-first");
        assert_eq!(member.seen().assigned, BTreeSet::from([0]));

        self.create("second", 3);
        self.write("second", 2, "of-the-second");
        has_read(&member, "of-the-second");
        assert_eq!(member.seen().assigned, BTreeSet::from([0, 1, 2]));

        delete_topic(self.broker, &self.topic("second"));
        wait_for("the deleted topic to be given up", || {
            (member.seen().assigned == BTreeSet::from([0])).then_some(())
        });
        self.write("first", 0, "of-the-first-again");
        has_read(&member, "of-the-first-again");

        self.create("second", 2);
        self.write("second", 1, "of-another-second");
        wait_for("the other topic to be assigned", || {
            let mut assigned = self.assigned();
            assigned.sort();
            let expected = [("first", 0), ("second", 0), ("second", 1)];
            let expected = expected.map(|(name, partition)| (self.topic(name), partition));
            (assigned == expected).then_some(())
        });
        member
    }

    /// What the broker assigns to the group's members, as it says itself.
    fn assigned(&self) -> Vec<(String, i32)> {
        let request = ConsumerGroupDescribeRequest {
            group_ids: vec![self.group.as_str().into()],
            ..ConsumerGroupDescribeRequest::default()
        };
        let described = Peer::of(self.broker).ask(1, &request);
        let members = described.groups.into_iter().flat_map(|one| one.members);
        members
            .flat_map(|one| one.assignment.topic_partitions)
            .flat_map(|topic| {
                let name = topic.topic_name.to_string();
                let partitions = topic.partitions.into_iter();
                partitions.map(move |partition| (name.clone(), partition))
            })
            .collect()
    }
}

/// What was read, each value once.
fn values_read_once(member: Member) -> BTreeSet<String> {
    let records = member.close().records;
    let values: Vec<String> = records.into_iter().map(|(_, _, value)| value).collect();
    let different: BTreeSet<String> = values.iter().cloned().collect();
    assert_eq!(different.len(), values.len(), "read twice: {values:?}");
    different
}

/// Of the topic that came back, the broker's part only is asked of the member that saw it go. The
/// Java client (4.3.1 and 4.4.0, with Apache Kafka as with klamm) that subscribes by a
/// `SubscriptionPattern` asks for topics by id; when the answer says that an id is unknown, as it
/// does of a deleted topic that is still its own, an `IllegalStateException` ("Use
/// errorsByTopicId() when managing topic using topic id") leaves its request open for ever. It
/// never asks again, and so learns of no further topic. Its successor takes over.
#[test]
fn the_java_client_reads_topics_of_an_expression_as_they_come_and_go() {
    let broker = group_life::start(2);
    let by_expression = ByExpression::new(&broker);
    let start = |of: &ByExpression<'_>| {
        let program = java(&broker, &["pattern", &of.group, &of.expression()]);
        Member::run(program, "java by expression")
    };
    let member = by_expression.topics_come_and_go(start);
    values_read_once(member);
    let successor = start(&by_expression);
    has_read(&successor, "of-another-second");
    by_expression.write("first", 0, "of-the-first-at-last");
    has_read(&successor, "of-the-first-at-last");
    let expected = ["of-another-second", "of-the-first-at-last"];
    let expected = expected.map(str::to_owned).into();
    assert_eq!(values_read_once(successor), expected);
}

#[test]
fn confluent_kafka_reads_topics_of_an_expression_as_they_come_and_go() {
    let broker = group_life::start(1);
    let by_expression = ByExpression::new(&broker);
    let member = by_expression.topics_come_and_go(|of| {
        Member::start(
            installed::python("confluent_member.py"),
            "confluent by expression",
            &broker.bootstrap,
            &of.group,
            &format!("^{}", of.expression()),
            &["group.protocol=consumer"],
        )
    });
    has_read(&member, "of-another-second");
    values_read_once(member);
}

fn type_of(broker: &Broker, group: &str) -> String {
    let listed = Peer::of(broker)
        .ask(5, &ListGroupsRequest::default())
        .groups;
    let own = listed.iter().find(|one| *one.group_id == *group);
    own.map(|one| one.group_type.to_string())
        .unwrap_or_default()
}

/// Members of one group by both protocols: it changes over when the first of the new one comes, and
/// back when the last of it goes; what is committed is kept, and nobody stops reading.
#[test]
fn a_group_of_the_java_client_changes_over_and_back() {
    let broker = group_life::start(2);
    let (topic, group) = (unique("migrated"), unique("migrating"));
    create_topic(&broker, &topic, group_life::PARTITIONS);
    let member = |name: &str, way: &Way| {
        Member::start(
            (way.program)(),
            name,
            &broker.bootstrap,
            &group,
            &topic,
            way.settings,
        )
    };
    let first_values = group_life::produce(&broker, &topic, "first", 5);
    let one = member("classic one", &JAVA_RANGE);
    let two = member("classic two", &JAVA_RANGE);
    wait_until_shared(&[&one, &two]);
    wait_until_read(&[&one, &two], &first_values);
    assert_eq!(type_of(&broker, &group), "classic");

    let three = member("modern three", &JAVA_CONSUMER);
    wait_until_shared(&[&one, &two, &three]);
    assert_eq!(type_of(&broker, &group), "consumer");
    let second_values = group_life::produce(&broker, &topic, "second", 5);
    wait_until_read(&[&one, &two, &three], &second_values);

    // All but one change over.
    one.close();
    let four = member("modern four", &JAVA_CONSUMER);
    wait_until_shared(&[&two, &three, &four]);
    let third_values = group_life::produce(&broker, &topic, "third", 5);
    wait_until_read(&[&two, &three, &four], &third_values);
    assert!(
        group_life::values(&four).is_subset(&third_values),
        "what was committed by the other protocol is read again"
    );

    // And back.
    three.close();
    wait_until_shared(&[&two, &four]);
    assert_eq!(type_of(&broker, &group), "consumer");
    four.close();
    wait_until_shared(&[&two]);
    assert_eq!(type_of(&broker, &group), "classic");
    let fourth_values = group_life::produce(&broker, &topic, "fourth", 5);
    wait_until_read(&[&two], &fourth_values);
    let five = member("classic five", &JAVA_RANGE);
    wait_until_shared(&[&two, &five]);
    assert!(group_life::values(&five).is_empty());
    two.close();
    five.close();
}

/// LeaveGroup by somebody else: one static member by its name, then everybody.
#[test]
fn an_administrator_takes_members_out() {
    let broker = group_life::start(2);
    let (topic, group) = (unique("topic"), unique("removed-from"));
    create_topic(&broker, &topic, group_life::PARTITIONS);
    let member = |name: &str| {
        let instance = format!("group.instance.id={name}");
        let settings = [
            "group.protocol=classic",
            "session.timeout.ms=300000",
            "heartbeat.interval.ms=500",
            instance.as_str(),
        ];
        let program = installed::java("client", "Member");
        Member::start(program, name, &broker.bootstrap, &group, &topic, &settings)
    };
    let one = member("one");
    let two = member("two");
    wait_until_shared(&[&one, &two]);
    // Its session would go on for five minutes.
    two.kill();
    assert_eq!(printed(&broker, &["remove", &group, "two"]), "removed\n");
    wait_until_shared(&[&one]);
    one.kill();
    assert_eq!(printed(&broker, &["remove", &group]), "removed\n");
    let described = Peer::of(&broker).describe(&group);
    assert_eq!(described.group_state, "Empty");
}

/// All topics of several groups in one request, by the Java client's administrator.
#[test]
fn the_java_client_asks_for_all_offsets_of_many_groups() {
    let broker = group_life::start(2);
    let topics = ["a-topic", "b-topic"].map(unique);
    let groups = ["a-group", "b-group", "c-group"].map(unique);
    let mut peer = Peer::when_ready(&broker, &groups[0]);
    let mut expected = String::new();
    for (count, group) in groups.iter().enumerate() {
        Peer::when_ready(&broker, group);
        for topic in &topics {
            if count == 0 {
                create_topic(&broker, topic, 2);
                peer.topic_id(topic);
            }
            // The last has nothing.
            if count < 2 {
                let offset = i64::try_from(count).expect("few") + 3;
                let commit = committing(group, topic, &[(0, offset, "note"), (1, 9, "")]);
                assert_eq!(peer.commit(9, &commit), ["NONE", "NONE"]);
                expected += &format!("{group} {topic}-0 {offset} note\n{group} {topic}-1 9 \n");
            }
        }
    }
    let mut words = vec!["offsets"];
    words.extend(groups.iter().map(String::as_str));
    assert_eq!(printed(&broker, &words), expected);
}
