//! Groups, by every client that has them: members come, leave and crash, the broker is killed and
//! started again; nothing committed is read twice, nothing is left out.

use crate::broker::{Broker, unique};
use crate::command_line::create_topic;
use crate::deadline::wait_for;
use crate::installed;
use crate::kcat;
use crate::member::Member;
use std::collections::BTreeSet;
use std::process::Command;

pub const PARTITIONS: i32 = 4;

/// One way of being in a group.
pub struct Way {
    name: &'static str,
    pub program: fn() -> Command,
    pub settings: &'static [&'static str],
}

pub fn start(cores: u16) -> Broker {
    Broker::start_with(
        cores,
        &[
            "auto.create.topics.enable=false",
            // Members that come one after the other need not be waited for.
            "group.initial.rebalance.delay.ms=100",
            // A crash shall be noticed while somebody watches.
            "group.min.session.timeout.ms=1000",
            "group.consumer.min.session.timeout.ms=1000",
            "group.consumer.session.timeout.ms=6000",
            "group.consumer.heartbeat.interval.ms=1000",
            "group.consumer.min.heartbeat.interval.ms=500",
        ],
    )
}

/// Writes one record to each partition, `rounds` times; tells their values.
pub fn produce(broker: &Broker, topic: &str, label: &str, rounds: usize) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for partition in 0..PARTITIONS {
        let lines: Vec<String> = (0..rounds)
            .map(|round| format!("{label}-{partition}-{round}"))
            .collect();
        kcat::write_lines(broker, topic, Some(partition), &lines);
        values.extend(lines);
    }
    values
}

pub fn values(member: &Member) -> BTreeSet<String> {
    let seen = member.seen();
    seen.records
        .into_iter()
        .map(|(_, _, value)| value)
        .collect()
}

/// Waits until the members share all partitions, none of them empty-handed.
pub fn wait_until_shared(members: &[&Member]) {
    wait_for("the members to share all partitions", || {
        let shares: Vec<BTreeSet<i32>> = members
            .iter()
            .map(|member| member.seen().assigned)
            .collect();
        let sum: usize = shares.iter().map(BTreeSet::len).sum();
        let all: BTreeSet<i32> = shares.iter().flatten().copied().collect();
        let is_shared = all.len() == sum
            && all == (0..PARTITIONS).collect()
            && shares.iter().all(|share| !share.is_empty());
        is_shared.then_some(())
    });
}

pub fn wait_until_read(members: &[&Member], wanted: &BTreeSet<String>) {
    wait_for("the members to read all records", || {
        let read: BTreeSet<String> = members.iter().flat_map(|member| values(member)).collect();
        wanted.is_subset(&read).then_some(())
    });
}

/// The life of a group: one member, two, a crash, a return, a leave, a broker's crash, an end, and
/// a successor that goes on where the last commit was.
fn lives(way: &Way, cores: u16) {
    let mut broker = start(cores);
    let topic = unique(&format!("{}-topic", way.name));
    let group = unique(&format!("{}-group", way.name));
    create_topic(&broker, &topic, PARTITIONS);
    let bootstrap = broker.bootstrap.clone();
    let member = |name: &str, more: &[&str]| {
        let settings: Vec<&str> = way.settings.iter().chain(more).copied().collect();
        Member::start((way.program)(), name, &bootstrap, &group, &topic, &settings)
    };

    let first_values = produce(&broker, &topic, "first", 10);
    let first = member("first", &[]);
    wait_until_shared(&[&first]);
    wait_until_read(&[&first], &first_values);

    let second = member("second", &[]);
    wait_until_shared(&[&first, &second]);
    let second_values = produce(&broker, &topic, "second", 10);
    wait_until_read(&[&first, &second], &second_values);
    // What was committed before the rebalance is not read again by the one who came.
    assert!(
        values(&second).is_disjoint(&first_values),
        "committed records were read again"
    );

    second.kill();
    wait_until_shared(&[&first]);
    let third_values = produce(&broker, &topic, "third", 10);
    wait_until_read(&[&first], &third_values);

    let third = member("third", &[]);
    wait_until_shared(&[&first, &third]);
    third.close();
    wait_until_shared(&[&first]);

    broker.kill();
    broker.start_again();
    let fourth_values = produce(&broker, &topic, "fourth", 10);
    wait_until_read(&[&first], &fourth_values);
    wait_until_shared(&[&first]);
    first.close();

    let fifth_values = produce(&broker, &topic, "fifth", 3);
    let last = member("last", &[]);
    wait_until_shared(&[&last]);
    wait_until_read(&[&last], &fifth_values);
    let read_by_last = values(&last);
    assert_eq!(
        read_by_last, fifth_values,
        "it goes on where the last commit was"
    );
    last.close();
}

const CONFLUENT: Way = Way {
    name: "confluent",
    program: || installed::python("confluent_member.py"),
    settings: &["session.timeout.ms=6000", "heartbeat.interval.ms=500"],
};
const CONFLUENT_COOPERATIVE: Way = Way {
    name: "confluent-cooperative",
    program: || installed::python("confluent_member.py"),
    settings: &[
        "session.timeout.ms=6000",
        "heartbeat.interval.ms=500",
        "partition.assignment.strategy=cooperative-sticky",
    ],
};
const CONFLUENT_CONSUMER: Way = Way {
    name: "confluent-848",
    program: || installed::python("confluent_member.py"),
    settings: &["group.protocol=consumer"],
};
const CONFLUENT_ROUND_ROBIN: Way = Way {
    name: "confluent-roundrobin",
    program: || installed::python("confluent_member.py"),
    settings: &[
        "session.timeout.ms=6000",
        "heartbeat.interval.ms=500",
        "partition.assignment.strategy=roundrobin",
    ],
};
const KAFKA_PYTHON: Way = Way {
    name: "kafka-python",
    program: || installed::python("kafka_python_in_group.py"),
    settings: &["session_timeout_ms=6000", "heartbeat_interval_ms=500"],
};
const AIOKAFKA: Way = Way {
    name: "aiokafka",
    program: || installed::python("aiokafka_member.py"),
    settings: &["session_timeout_ms=6000", "heartbeat_interval_ms=500"],
};
const KAFKAJS: Way = Way {
    name: "kafkajs",
    program: || installed::node("member.js"),
    settings: &["sessionTimeout=6000", "heartbeatInterval=500"],
};
const FRANZ_GO: Way = Way {
    name: "franz-go",
    program: || installed::go_member(),
    settings: &["protocol=classic"],
};
const FRANZ_GO_CONSUMER: Way = Way {
    name: "franz-go-848",
    program: || installed::go_member(),
    settings: &["protocol=consumer"],
};
pub const JAVA_RANGE: Way = Way {
    name: "java-range",
    program: || installed::java("client", "Member"),
    settings: &[
        "group.protocol=classic",
        "session.timeout.ms=6000",
        "heartbeat.interval.ms=500",
        "partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor",
    ],
};
const JAVA_COOPERATIVE: Way = Way {
    name: "java-cooperative",
    program: || installed::java("client", "Member"),
    settings: &[
        "group.protocol=classic",
        "session.timeout.ms=6000",
        "heartbeat.interval.ms=500",
        "partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
    ],
};
const JAVA_ROUND_ROBIN: Way = Way {
    name: "java-roundrobin",
    program: || installed::java("client", "Member"),
    settings: &[
        "group.protocol=classic",
        "session.timeout.ms=6000",
        "heartbeat.interval.ms=500",
        "partition.assignment.strategy=org.apache.kafka.clients.consumer.RoundRobinAssignor",
    ],
};
const JAVA_STICKY: Way = Way {
    name: "java-sticky",
    program: || installed::java("client", "Member"),
    settings: &[
        "group.protocol=classic",
        "session.timeout.ms=6000",
        "heartbeat.interval.ms=500",
        "partition.assignment.strategy=org.apache.kafka.clients.consumer.StickyAssignor",
    ],
};
pub const JAVA_CONSUMER: Way = Way {
    name: "java-848",
    program: || installed::java("client", "Member"),
    settings: &["group.protocol=consumer"],
};

#[test]
fn confluent_kafka_lives_in_a_group() {
    lives(&CONFLUENT, 2);
}

#[test]
fn confluent_kafka_lives_in_a_group_by_round_robin() {
    lives(&CONFLUENT_ROUND_ROBIN, 1);
}

#[test]
fn confluent_kafka_lives_in_a_cooperative_group() {
    lives(&CONFLUENT_COOPERATIVE, 1);
}

#[test]
fn confluent_kafka_lives_in_a_consumer_group() {
    lives(&CONFLUENT_CONSUMER, 2);
}

#[test]
fn kafka_python_lives_in_a_group() {
    lives(&KAFKA_PYTHON, 1);
}

#[test]
fn aiokafka_lives_in_a_group() {
    lives(&AIOKAFKA, 2);
}

#[test]
fn kafkajs_lives_in_a_group() {
    lives(&KAFKAJS, 1);
}

#[test]
fn franz_go_lives_in_a_group() {
    lives(&FRANZ_GO, 2);
}

#[test]
fn franz_go_lives_in_a_consumer_group() {
    lives(&FRANZ_GO_CONSUMER, 1);
}

#[test]
fn the_java_client_lives_in_a_group_by_range() {
    lives(&JAVA_RANGE, 1);
}

#[test]
fn the_java_client_lives_in_a_group_by_round_robin() {
    lives(&JAVA_ROUND_ROBIN, 2);
}

#[test]
fn the_java_client_lives_in_a_sticky_group() {
    lives(&JAVA_STICKY, 1);
}

#[test]
fn the_java_client_lives_in_a_cooperative_group() {
    lives(&JAVA_COOPERATIVE, 2);
}

#[test]
fn the_java_client_lives_in_a_consumer_group() {
    lives(&JAVA_CONSUMER, 2);
}

/// KIP-345: a static member that comes back within its session causes no rebalance.
#[test]
fn a_static_member_of_the_java_client_returns_without_a_rebalance() {
    let broker = start(2);
    let topic = unique("static-topic");
    let group = unique("static-group");
    create_topic(&broker, &topic, PARTITIONS);
    let member = |name: &str| {
        let instance = format!("group.instance.id={name}");
        let settings = [
            "group.protocol=classic",
            "session.timeout.ms=30000",
            "heartbeat.interval.ms=500",
            instance.as_str(),
        ];
        let program = installed::java("client", "Member");
        Member::start(program, name, &broker.bootstrap, &group, &topic, &settings)
    };
    let one = member("one");
    let two = member("two");
    wait_until_shared(&[&one, &two]);
    let (share, changes) = (two.seen().assigned, one.seen().assignments);
    two.kill();
    let two = member("two");
    wait_until_shared(&[&one, &two]);
    assert_eq!(two.seen().assigned, share, "it has what it had");
    assert_eq!(
        one.seen().assignments,
        changes,
        "the other was not disturbed"
    );
}
