//! Settings of a single group: given to it by Apache's `kafka-configs`, refused by the broker's bounds
//! in Apache's words, and in force for the members of a KIP-848 group.

use crate::broker::{Broker, unique};
use crate::deadline::wait_for;
use crate::group_client::{Peer, beating, name};
use crate::tools::{CONFIGS, call, run};
use expect_test::expect;
use klamm::protocol::messages::consumer_group_describe::ConsumerGroupDescribeRequest;
use klamm::protocol::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;

/// Bounds in which a test need not wait long.
const SETTINGS: &[&str] = &[
    "auto.create.topics.enable=false",
    "group.consumer.min.session.timeout.ms=1000",
    "group.consumer.min.heartbeat.interval.ms=100",
];

/// What the tool says to these words of flags, run after run.
fn told(broker: &Broker, group: &str, lines: &[&str]) -> String {
    let at = format!(
        "--bootstrap-server {} --entity-type groups",
        broker.bootstrap
    );
    let calls: Vec<_> = lines
        .iter()
        .map(|line| call(CONFIGS, &format!("{at} {line}").replace("GROUP", group)))
        .collect();
    let mut told = String::new();
    for (line, ended) in lines.iter().zip(run(broker.folder(), &calls)) {
        let complaint = ended
            .stderr
            .lines()
            .filter(|line| !line.starts_with("\tat "));
        let said = ended.stdout.lines().chain(complaint);
        // Later Kafkas have more settings for the other kinds of groups.
        let said = said.filter(|line| {
            let kinds = ["  share.", "  streams.", "  errors."];
            !kinds.iter().any(|kind| line.starts_with(kind))
        });
        let said: String = said.map(|line| format!("    {line}\n")).collect();
        told += &format!("{line}: {}\n{said}", ended.code);
    }
    told.replace(group, "GROUP")
        .replace(&broker.bootstrap, "BROKER")
}

#[test]
fn apaches_tool_gives_a_group_settings() {
    let broker = Broker::start_with(2, SETTINGS);
    let group = unique("settled");
    Peer::when_ready(&broker, &group);
    let told = told(
        &broker,
        &group,
        &[
            "--describe --entity-name GROUP",
            "--alter --entity-name GROUP --add-config consumer.session.timeout.ms=2000,consumer.heartbeat.interval.ms=300",
            "--describe --entity-name GROUP",
            "--describe --entity-name GROUP --all",
            "--describe",
            "--alter --entity-name GROUP --add-config consumer.session.timeout.ms=999",
            "--alter --entity-name GROUP --add-config consumer.session.timeout.ms=60001",
            "--alter --entity-name GROUP --add-config consumer.heartbeat.interval.ms=99",
            "--alter --entity-name GROUP --add-config consumer.heartbeat.interval.ms=2000",
            "--alter --entity-name GROUP --add-config consumer.session.timeout.ms=soon",
            "--alter --entity-name GROUP --add-config retention.ms=1",
            "--alter --entity-default --add-config consumer.session.timeout.ms=2000",
            "--alter --entity-name GROUP --delete-config consumer.session.timeout.ms",
            "--alter --entity-name GROUP --delete-config consumer.session.timeout.ms",
            "--describe --entity-name GROUP",
        ],
    );
    expect![[r#"
        --describe --entity-name GROUP: 0
            The group 'GROUP' doesn't exist and doesn't have dynamic config.
        --alter --entity-name GROUP --add-config consumer.session.timeout.ms=2000,consumer.heartbeat.interval.ms=300: 0
            Completed updating config for group GROUP.
        --describe --entity-name GROUP: 0
            Dynamic configs for group GROUP are:
              consumer.heartbeat.interval.ms=300 sensitive=false synonyms={DYNAMIC_GROUP_CONFIG:consumer.heartbeat.interval.ms=300, DEFAULT_CONFIG:group.consumer.heartbeat.interval.ms=5000}
              consumer.session.timeout.ms=2000 sensitive=false synonyms={DYNAMIC_GROUP_CONFIG:consumer.session.timeout.ms=2000, DEFAULT_CONFIG:group.consumer.session.timeout.ms=45000}
        --describe --entity-name GROUP --all: 0
            All configs for group GROUP are:
              consumer.assignment.interval.ms=1000 sensitive=false synonyms={DEFAULT_CONFIG:group.consumer.assignment.interval.ms=1000}
              consumer.heartbeat.interval.ms=300 sensitive=false synonyms={DYNAMIC_GROUP_CONFIG:consumer.heartbeat.interval.ms=300, DEFAULT_CONFIG:group.consumer.heartbeat.interval.ms=5000}
              consumer.session.timeout.ms=2000 sensitive=false synonyms={DYNAMIC_GROUP_CONFIG:consumer.session.timeout.ms=2000, DEFAULT_CONFIG:group.consumer.session.timeout.ms=45000}
        --describe: 0
            Dynamic configs for group GROUP are:
              consumer.heartbeat.interval.ms=300 sensitive=false synonyms={DYNAMIC_GROUP_CONFIG:consumer.heartbeat.interval.ms=300, DEFAULT_CONFIG:group.consumer.heartbeat.interval.ms=5000}
              consumer.session.timeout.ms=2000 sensitive=false synonyms={DYNAMIC_GROUP_CONFIG:consumer.session.timeout.ms=2000, DEFAULT_CONFIG:group.consumer.session.timeout.ms=45000}
        --alter --entity-name GROUP --add-config consumer.session.timeout.ms=999: 1
            Error while executing config command with args '--bootstrap-server BROKER --entity-type groups --alter --entity-name GROUP --add-config consumer.session.timeout.ms=999'
            java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.InvalidConfigurationException: consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms
            Caused by: org.apache.kafka.common.errors.InvalidConfigurationException: consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms
        --alter --entity-name GROUP --add-config consumer.session.timeout.ms=60001: 1
            Error while executing config command with args '--bootstrap-server BROKER --entity-type groups --alter --entity-name GROUP --add-config consumer.session.timeout.ms=60001'
            java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.InvalidConfigurationException: consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms
            Caused by: org.apache.kafka.common.errors.InvalidConfigurationException: consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms
        --alter --entity-name GROUP --add-config consumer.heartbeat.interval.ms=99: 1
            Error while executing config command with args '--bootstrap-server BROKER --entity-type groups --alter --entity-name GROUP --add-config consumer.heartbeat.interval.ms=99'
            java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.InvalidConfigurationException: consumer.heartbeat.interval.ms must be greater than or equal to group.consumer.min.heartbeat.interval.ms
            Caused by: org.apache.kafka.common.errors.InvalidConfigurationException: consumer.heartbeat.interval.ms must be greater than or equal to group.consumer.min.heartbeat.interval.ms
        --alter --entity-name GROUP --add-config consumer.heartbeat.interval.ms=2000: 1
            Error while executing config command with args '--bootstrap-server BROKER --entity-type groups --alter --entity-name GROUP --add-config consumer.heartbeat.interval.ms=2000'
            java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.InvalidConfigurationException: consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms
            Caused by: org.apache.kafka.common.errors.InvalidConfigurationException: consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms
        --alter --entity-name GROUP --add-config consumer.session.timeout.ms=soon: 1
            Error while executing config command with args '--bootstrap-server BROKER --entity-type groups --alter --entity-name GROUP --add-config consumer.session.timeout.ms=soon'
            java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.InvalidConfigurationException: Invalid value soon for configuration consumer.session.timeout.ms: Not a number of type INT
            Caused by: org.apache.kafka.common.errors.InvalidConfigurationException: Invalid value soon for configuration consumer.session.timeout.ms: Not a number of type INT
        --alter --entity-name GROUP --add-config retention.ms=1: 1
            Error while executing config command with args '--bootstrap-server BROKER --entity-type groups --alter --entity-name GROUP --add-config retention.ms=1'
            java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.InvalidConfigurationException: Unknown group config name: retention.ms
            Caused by: org.apache.kafka.common.errors.InvalidConfigurationException: Unknown group config name: retention.ms
        --alter --entity-default --add-config consumer.session.timeout.ms=2000: 1
            An entity name must be specified with --alter of groups
        --alter --entity-name GROUP --delete-config consumer.session.timeout.ms: 0
            Completed updating config for group GROUP.
        --alter --entity-name GROUP --delete-config consumer.session.timeout.ms: 0
            Completed updating config for group GROUP.
        --describe --entity-name GROUP: 0
            Dynamic configs for group GROUP are:
              consumer.heartbeat.interval.ms=300 sensitive=false synonyms={DYNAMIC_GROUP_CONFIG:consumer.heartbeat.interval.ms=300, DEFAULT_CONFIG:group.consumer.heartbeat.interval.ms=5000}
    "#]].assert_eq(&told);
}

#[test]
fn a_groups_own_timeouts_are_in_force() {
    let broker = Broker::start_with(2, SETTINGS);
    let (own, other, topic) = (unique("own"), unique("other"), unique("topic"));
    let mut peer = Peer::when_ready(&broker, &own);
    Peer::when_ready(&broker, &other);
    peer.create_topic(&topic, 1);
    peer.topic_id(&topic);
    let alter = |group: &str, settings: &str| {
        let line = format!("--alter --entity-name GROUP --add-config {settings}");
        let told = told(&broker, group, &[&line]);
        assert!(told.contains("Completed updating config"), "{told}");
    };
    alter(
        &own,
        "consumer.session.timeout.ms=2000,consumer.heartbeat.interval.ms=300",
    );
    // The one with the broker's timeouts is silent for longer than the other.
    let of_broker = peer.consumer_heartbeat(&beating(&other, "silent", &topic));
    assert_eq!(name(of_broker.error_code), "NONE");
    assert_eq!(of_broker.heartbeat_interval_ms, 5_000);
    let of_group = peer.consumer_heartbeat(&beating(&own, "silent", &topic));
    assert_eq!(name(of_group.error_code), "NONE");
    assert_eq!(of_group.heartbeat_interval_ms, 300);
    wait_for("the silent member to be taken out", || {
        (members(&mut peer, &own) == 0).then_some(())
    });
    assert_eq!(members(&mut peer, &other), 1, "five seconds are not 45");

    // What is changed holds from the next heartbeat on.
    alter(&other, "consumer.heartbeat.interval.ms=700");
    let again = peer.consumer_heartbeat(&ConsumerGroupHeartbeatRequest {
        member_epoch: of_broker.member_epoch,
        topic_partitions: None,
        ..beating(&other, "silent", &topic)
    });
    assert_eq!(name(again.error_code), "NONE");
    assert_eq!(again.heartbeat_interval_ms, 700);
}

fn members(peer: &mut Peer, group: &str) -> usize {
    let request = ConsumerGroupDescribeRequest {
        group_ids: vec![group.into()],
        ..ConsumerGroupDescribeRequest::default()
    };
    let described = peer.ask(1, &request).groups.remove(0);
    assert_eq!(name(described.error_code), "NONE");
    described.members.len()
}
