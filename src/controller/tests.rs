//! The records and replies of commands, shown whole.

use super::*;
use crate::base::ids::{LeaderEpoch, PartitionIndex};
use crate::base::time::Timestamp;
use crate::base::uuid::Uuid;
use crate::config::Configuration;
use crate::metadata::record_text;
use crate::metadata::snapshot::{self, SnapshotReplay};
use crate::protocol::messages::broker_registration::Listener;
use crate::protocol::messages::create_partitions::CreatePartitionsTopic;
use crate::protocol::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use crate::protocol::messages::delete_topics::DeleteTopicState;
use crate::protocol::messages::incremental_alter_configs::{
    AlterConfigsResource as IncrementalAlterConfigsResource,
    AlterableConfig as IncrementalAlterableConfig,
};
use expect_test::expect;

const DIRECTORY: Uuid = Uuid([9; 16]);

/// A controller with its commands replayed at once, as its shell does.
struct Bench {
    controller: Controller,
    prng: Prng,
}

impl Bench {
    fn empty() -> Bench {
        let settings = ControllerSettings {
            node_id: NodeId(1),
            cluster_id: "cluster".to_owned(),
            configuration: Arc::new(Configuration::from_overrides(&[]).unwrap()),
        };
        let controller = Controller::new(settings, MetadataImage::empty());
        Bench {
            controller,
            prng: Prng::new(1),
        }
    }

    /// One broker, registered and unfenced.
    fn started() -> Bench {
        let mut bench = Bench::empty();
        let activation = bench.controller.activate(&default_bootstrap_records());
        bench.replay(activation.records);
        bench.start_broker(1, -1);
        bench
    }

    fn replay(&mut self, records: Vec<MetadataRecord>) {
        if records.is_empty() {
            return;
        }
        let base_offset = self.controller.next_offset();
        let count = i64::try_from(records.len()).unwrap();
        let batch = MetadataBatch {
            base_offset,
            last_offset: base_offset.plus(count - 1),
            leader_epoch: LeaderEpoch(1),
            append_timestamp: Timestamp(1000),
            records,
            control: Vec::new(),
        };
        self.controller.replay(&batch).unwrap();
    }

    fn run(&mut self, command: Command) -> (String, Reply) {
        let result = self.controller.handle(command, &mut self.prng);
        let lines = record_text::lines(&result.records);
        self.replay(result.records);
        (lines, result.reply)
    }

    fn start_broker(&mut self, incarnation: u8, previous_broker_epoch: i64) -> String {
        let request = registration(incarnation, previous_broker_epoch);
        let (mut lines, _) = self.run(Command::RegisterBroker(request));
        lines += &self.heartbeat(false).0;
        lines
    }

    fn heartbeat(&mut self, want_shut_down: bool) -> (String, BrokerHeartbeatResponse) {
        let broker_epoch = self.broker_epoch();
        let (lines, reply) = self.run(Command::BrokerHeartbeat(BrokerHeartbeatRequest {
            broker_id: 1,
            broker_epoch,
            current_metadata_offset: i64::MAX,
            want_fence: false,
            want_shut_down,
            cordoned_log_dirs: Some(Vec::new()),
            ..BrokerHeartbeatRequest::default()
        }));
        let Reply::BrokerHeartbeat(response) = reply else {
            panic!("{reply:?}")
        };
        (lines, response)
    }

    fn broker_epoch(&self) -> i64 {
        self.controller
            .image
            .cluster
            .broker(NodeId(1))
            .unwrap()
            .epoch
    }

    fn create(&mut self, topics: Vec<CreatableTopic>) -> (String, String) {
        let request = CreateTopicsRequest {
            topics,
            ..CreateTopicsRequest::default()
        };
        let (lines, reply) = self.run(Command::CreateTopics(request));
        let Reply::CreateTopics(response) = reply else {
            panic!("{reply:?}")
        };
        let answers = response.topics.iter().map(|topic| {
            format!(
                "{} {} {:?}\n",
                &*topic.name,
                topic.error_code,
                topic.error_message.as_deref().unwrap_or("-")
            )
        });
        (lines, answers.collect())
    }
}

fn registration(incarnation: u8, previous_broker_epoch: i64) -> BrokerRegistrationRequest {
    BrokerRegistrationRequest {
        broker_id: 1,
        cluster_id: "cluster".into(),
        incarnation_id: Uuid([incarnation; 16]),
        listeners: vec![Listener {
            name: "PLAINTEXT".into(),
            host: "localhost".into(),
            port: 9092,
            ..Listener::default()
        }],
        log_dirs: vec![DIRECTORY],
        previous_broker_epoch,
        ..BrokerRegistrationRequest::default()
    }
}

fn topic(name: &str, num_partitions: i32) -> CreatableTopic {
    CreatableTopic {
        name: name.into(),
        num_partitions,
        replication_factor: -1,
        ..CreatableTopic::default()
    }
}

#[test]
fn a_new_log_begins_as_kafkas_does() {
    let mut bench = Bench::empty();
    let activation = bench.controller.activate(&default_bootstrap_records());
    expect![[r#"
        BeginTransaction
        FeatureLevel metadata.version 30
        FeatureLevel eligible.leader.replicas.version 1
        FeatureLevel group.version 1
        Config 4 "" min.insync.replicas = Some("1")
        EndTransaction
    "#]]
    .assert_eq(&record_text::lines(&activation.records));
    bench.replay(activation.records);
    assert_eq!(
        bench
            .controller
            .activate(&default_bootstrap_records())
            .records,
        []
    );
    expect![[r#"
        RegisterBroker 1 epoch 6 fenced true log_dirs [CQkJCQkJCQkJCQkJCQkJCQ]
        BrokerRegistrationChange 1 epoch 6 fenced -1 stopping 0 cordoned None
        BrokerRegistrationChange 1 epoch 6 fenced 0 stopping 0 cordoned Some([])
    "#]]
    .assert_eq(&bench.start_broker(1, -1));
    assert!(bench.controller.is_active(NodeId(1)));
}

#[test]
fn a_topic_is_a_topic_record_its_configs_and_its_partitions() {
    let mut bench = Bench::started();
    let mut foo = topic("foo", 2);
    foo.configs.push(CreatableTopicConfig {
        name: "retention.ms".into(),
        value: Some("1000".into()),
        ..CreatableTopicConfig::default()
    });
    let (records, answers) = bench.create(vec![foo]);
    expect![[r#"
        Topic foo s_KvbQ_HQMWFO1WWRzZM6g
        Config 2 "foo" retention.ms = Some("1000")
        Partition 0 replicas [1] isr [1] leader 1 leader_epoch 0 partition_epoch 0 directories [CQkJCQkJCQkJCQkJCQkJCQ]
        Partition 1 replicas [1] isr [1] leader 1 leader_epoch 0 partition_epoch 0 directories [CQkJCQkJCQkJCQkJCQkJCQ]
    "#]]
    .assert_eq(&records);
    expect![[r#"
        foo 0 "-"
    "#]]
    .assert_eq(&answers);
}

#[test]
fn what_cannot_be_created_is_refused_in_kafkas_words() {
    let mut bench = Bench::started();
    bench.create(vec![topic("taken", 1), topic("a.b", 1)]);
    let with_configs = |name: &str, key: &str, value: Option<&str>| CreatableTopic {
        configs: vec![CreatableTopicConfig {
            name: key.into(),
            value: value.map(Into::into),
            ..CreatableTopicConfig::default()
        }],
        ..topic(name, 1)
    };
    let with_factor = |name: &str, replication_factor| CreatableTopic {
        replication_factor,
        ..topic(name, 1)
    };
    let assigned = |name: &str, assignments: &[(i32, &[i32])]| CreatableTopic {
        assignments: assignments
            .iter()
            .map(
                |&(partition_index, broker_ids)| CreatableReplicaAssignment {
                    partition_index,
                    broker_ids: broker_ids.to_vec(),
                    ..CreatableReplicaAssignment::default()
                },
            )
            .collect(),
        ..topic(name, -1)
    };
    let (records, answers) = bench.create(vec![
        topic("", 1),
        topic("sp ace", 1),
        topic("taken", 1),
        topic("a_b", 1),
        topic("twice", 1),
        topic("twice", 1),
        topic("__cluster_metadata", 1),
        topic("none", 0),
        topic("minus", -2),
        with_factor("zero", 0),
        with_factor("three", 3),
        with_configs("unknown", "no.such.config", Some("1")),
        with_configs("wrong", "retention.ms", Some("soon")),
        with_configs("null", "retention.ms", None),
        assigned("stranger", &[(0, &[7])]),
        assigned("double", &[(0, &[1, 1])]),
        assigned("gap", &[(0, &[1]), (2, &[1])]),
        assigned("again", &[(0, &[1]), (0, &[1])]),
        assigned("nobody", &[(0, &[])]),
        CreatableTopic {
            num_partitions: 1,
            ..assigned("both", &[(0, &[1])])
        },
        CreatableTopic {
            replication_factor: 1,
            ..assigned("both2", &[(0, &[1])])
        },
        assigned("fine", &[(1, &[1]), (0, &[1])]),
    ]);
    expect![[r#"
         17 "Topic name is invalid: the empty string is not allowed"
        sp ace 17 "Topic name is invalid: 'sp ace' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        taken 36 "Topic 'taken' already exists."
        a_b 17 "Topic 'a_b' collides with existing topic: a.b"
        none 37 "Number of partitions was set to an invalid non-positive value."
        minus 37 "Number of partitions was set to an invalid non-positive value."
        zero 38 "Replication factor must be larger than 0, or -1 to use the default value."
        three 38 "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned."
        unknown 40 "Unknown topic config name: no.such.config"
        wrong 40 "Invalid value soon for configuration retention.ms: Not a number of type LONG"
        null 40 "Null value not supported for topic configs: retention.ms"
        stranger 39 "The manual partition assignment includes broker 7, but no such broker is registered."
        double 39 "The manual partition assignment includes the broker 1 more than once."
        gap 39 "partitions should be a consecutive 0-based integer sequence"
        again 39 "Found multiple manual partition assignments for partition 0"
        nobody 39 "The manual partition assignment includes an empty replica list."
        both 42 "A manual partition assignment was specified, but numPartitions was not set to -1."
        both2 42 "A manual partition assignment was specified, but replication factor was not set to -1."
        fine 0 "-"
        twice 42 "Duplicate topic name."
        __cluster_metadata 42 "Creation of internal topic __cluster_metadata is prohibited."
    "#]]
    .assert_eq(&answers);
    assert_eq!(records.lines().count(), 3, "{records}");
    let (_, answers) = bench.create(vec![topic("huge", 10_001)]);
    expect![[r#"
        huge 44 "Excessively large number of partitions per request."
    "#]]
    .assert_eq(&answers);
    let (records, answers) = bench.create(vec![topic("large", 10_000)]);
    expect![[r#"
        large 44 "Unable to perform excessively large batch operation."
    "#]]
    .assert_eq(&answers);
    assert_eq!(records, "");
}

#[test]
fn only_validating_writes_nothing() {
    let mut bench = Bench::started();
    let request = CreateTopicsRequest {
        topics: vec![topic("foo", 3)],
        validate_only: true,
        ..CreateTopicsRequest::default()
    };
    let result = bench
        .controller
        .handle(Command::CreateTopics(request), &mut bench.prng);
    assert_eq!(result.records, []);
    let Reply::CreateTopics(response) = result.reply else {
        panic!()
    };
    assert_eq!(
        (
            response.topics[0].error_code,
            response.topics[0].num_partitions
        ),
        (0, 3)
    );
}

#[test]
fn topics_are_deleted_by_name_and_by_id() {
    let mut bench = Bench::started();
    bench.create(vec![topic("a.1", 1), topic("b", 1), topic("c", 1)]);
    let id = |bench: &Bench, name| bench.controller.image.topics.by_name(name).unwrap().id;
    let state = |name: Option<&str>, topic_id| DeleteTopicState {
        name: name.map(Into::into),
        topic_id,
        ..DeleteTopicState::default()
    };
    let request = DeleteTopicsRequest {
        topics: vec![
            state(Some("a.1"), Uuid::ZERO),
            state(None, id(&bench, "b")),
            state(Some("c"), id(&bench, "c")),
            state(None, Uuid::ZERO),
            state(None, Uuid([5; 16])),
            state(Some("gone"), Uuid::ZERO),
        ],
        topic_names: vec!["twice".into(), "twice".into()],
        ..DeleteTopicsRequest::default()
    };
    let (records, reply) = bench.run(Command::DeleteTopics(request, 6));
    assert_eq!(
        records
            .lines()
            .filter(|line| line.starts_with("RemoveTopic"))
            .count(),
        2
    );
    let Reply::DeleteTopics(response) = reply else {
        panic!()
    };
    let mut answers: Vec<String> = response
        .responses
        .iter()
        .map(|topic| {
            let name = topic.name.as_deref().unwrap_or("-");
            let message = topic.error_message.as_deref().unwrap_or("-");
            format!("{name} {} {message:?}", topic.error_code)
        })
        .collect();
    answers.sort();
    expect![[r#"
        - 100 "This server does not host this topic ID."
        - 42 "Neither topic name nor id were specified."
        a.1 0 "-"
        b 0 "-"
        c 42 "You may not specify both topic name and topic id."
        gone 3 "This server does not host this topic-partition."
        twice 42 "Duplicate topic name.""#]]
    .assert_eq(&answers.join("\n"));
    assert_eq!(bench.controller.image.topics.len(), 1);
    assert!(
        bench.controller.unified_names.is_empty(),
        "its unified name is free again"
    );
    bench.create(vec![topic("a_1", 1)]);
    assert_eq!(bench.controller.image.topics.len(), 2);
}

#[test]
fn partitions_are_added_and_never_taken() {
    let mut bench = Bench::started();
    bench.create(vec![topic("foo", 2)]);
    let mut add = |name: &str, count| {
        let request = CreatePartitionsRequest {
            topics: vec![CreatePartitionsTopic {
                name: name.into(),
                count,
                assignments: None,
                ..CreatePartitionsTopic::default()
            }],
            ..CreatePartitionsRequest::default()
        };
        let (records, reply) = bench.run(Command::CreatePartitions(request));
        let Reply::CreatePartitions(response) = reply else {
            panic!()
        };
        let result = &response.results[0];
        format!(
            "{records}{} {:?}\n",
            result.error_code,
            result.error_message.as_deref()
        )
    };
    let all = add("foo", 3) + &add("foo", 3) + &add("foo", 1) + &add("bar", 1);
    expect![[r#"
        Partition 2 replicas [1] isr [1] leader 1 leader_epoch 0 partition_epoch 0 directories [CQkJCQkJCQkJCQkJCQkJCQ]
        0 None
        37 Some("Topic already has 3 partition(s).")
        37 Some("The topic foo currently has 3 partition(s); 1 would not be an increase.")
        3 None
    "#]]
    .assert_eq(&all);
}

#[test]
fn a_clean_stop_and_start_is_written_as_apache_4_3_1_writes_it() {
    let mut bench = Bench::started();
    bench.create(vec![topic("foo", 1)]);
    let epoch = bench.broker_epoch();
    let (begun, response) = bench.heartbeat(true);
    assert!(!response.should_shut_down);
    let (ended, response) = bench.heartbeat(true);
    assert!(response.should_shut_down);
    let started = bench.start_broker(2, epoch);
    expect![[r#"
        BrokerRegistrationChange 1 epoch 6 fenced 0 stopping 1 cordoned None
        PartitionChange 0 isr [] leader -1 elr [1] last_known_elr [1]
        BrokerRegistrationChange 1 epoch 6 fenced 1 stopping 0 cordoned None
        RegisterBroker 1 epoch 14 fenced true log_dirs [CQkJCQkJCQkJCQkJCQkJCQ]
        BrokerRegistrationChange 1 epoch 14 fenced -1 stopping 0 cordoned None
        PartitionChange 0 isr [1] leader 1 elr [] last_known_elr []
        BrokerRegistrationChange 1 epoch 14 fenced 0 stopping 0 cordoned Some([])
    "#]]
    .assert_eq(&(begun + &ended + &started));
    let topic = bench.controller.image.topics.by_name("foo").unwrap();
    let partition = topic.partition(PartitionIndex(0)).unwrap();
    assert_eq!(partition.leader(), Some((NodeId(1), LeaderEpoch(2))));
}

#[test]
fn after_a_crash_the_last_leader_leads_and_recovers() {
    let mut bench = Bench::started();
    bench.create(vec![topic("foo", 1)]);
    let started = bench.start_broker(2, -1);
    expect![[r#"
        PartitionChange 0 isr [] leader -1 last_known_elr [1]
        RegisterBroker 1 epoch 11 fenced true log_dirs [CQkJCQkJCQkJCQkJCQkJCQ]
        BrokerRegistrationChange 1 epoch 11 fenced -1 stopping 0 cordoned None
        PartitionChange 0 isr [1] leader 1 leader_recovery_state 1 last_known_elr []
        BrokerRegistrationChange 1 epoch 11 fenced 0 stopping 0 cordoned Some([])
    "#]]
    .assert_eq(&started);
}

#[test]
fn configs_are_set_and_deleted() {
    let mut bench = Bench::started();
    bench.create(vec![topic("foo", 1)]);
    let mut alter = |resource_type, name: &str, key: &str, operation, value: Option<&str>| {
        let request = IncrementalAlterConfigsRequest {
            resources: vec![IncrementalAlterConfigsResource {
                resource_type,
                resource_name: name.into(),
                configs: vec![IncrementalAlterableConfig {
                    name: key.into(),
                    config_operation: operation,
                    value: value.map(Into::into),
                    ..IncrementalAlterableConfig::default()
                }],
                ..IncrementalAlterConfigsResource::default()
            }],
            ..IncrementalAlterConfigsRequest::default()
        };
        let (records, reply) = bench.run(Command::IncrementalAlterConfigs(request));
        let Reply::IncrementalAlterConfigs(response) = reply else {
            panic!()
        };
        let result = &response.responses[0];
        format!(
            "{records}{} {:?}\n",
            result.error_code,
            result.error_message.as_deref()
        )
    };
    let all = [
        alter(2, "foo", "retention.ms", 0, Some("5")),
        alter(2, "foo", "retention.ms", 0, Some("5")),
        alter(2, "foo", "cleanup.policy", 2, Some("compact")),
        alter(2, "foo", "retention.ms", 1, None),
        alter(2, "foo", "retention.ms", 2, Some("5")),
        alter(2, "foo", "min.insync.replicas", 0, Some("1")),
        alter(2, "bar", "retention.ms", 0, Some("5")),
        alter(4, "", "min.insync.replicas", 1, None),
        alter(4, "1", "min.insync.replicas", 0, Some("2")),
        alter(4, "2", "log.retention.ms", 0, Some("2")),
        alter(4, "x", "log.retention.ms", 0, Some("2")),
        alter(4, "", "log.retention.ms", 0, Some("2")),
        alter(4, "", "log.retention.ms", 0, Some("2")),
        alter(8, "1", "root", 0, Some("INFO")),
    ]
    .concat();
    expect![[r#"
        Config 2 "foo" retention.ms = Some("5")
        0 None
        0 None
        Config 2 "foo" cleanup.policy = Some("delete,compact")
        0 None
        Config 2 "foo" retention.ms = None
        0 None
        40 Some("Can't APPEND to key retention.ms because its type is not LIST.")
        Config 2 "foo" min.insync.replicas = Some("1")
        ClearElr "foo"
        0 None
        3 Some("The topic 'bar' does not exist.")
        40 Some("Cluster-level min.insync.replicas cannot be removed while ELR is enabled.")
        40 Some("Broker-level min.insync.replicas cannot be altered while ELR is enabled.")
        42 Some("Unexpected broker id, expected 1, but received 2")
        42 Some("Node id must be an integer, but it is: x")
        Config 4 "" log.retention.ms = Some("2")
        0 None
        Config 4 "" log.retention.ms = Some("2")
        0 None
        42 Some("Unknown resource type 8")
    "#]]
    .assert_eq(&all);
}

#[test]
fn blocks_of_producer_ids_follow_each_other() {
    let mut bench = Bench::started();
    let epoch = bench.broker_epoch();
    let mut allocate = |broker_epoch| {
        let request = AllocateProducerIdsRequest {
            broker_id: 1,
            broker_epoch,
            ..AllocateProducerIdsRequest::default()
        };
        let (records, reply) = bench.run(Command::AllocateProducerIds(request));
        let Reply::AllocateProducerIds(response) = reply else {
            panic!()
        };
        (
            records,
            response.error_code,
            response.producer_id_start,
            response.producer_id_len,
        )
    };
    assert_eq!(
        allocate(epoch),
        ("ProducerIds next 1000\n".to_owned(), 0, 0, 1000)
    );
    assert_eq!(
        allocate(epoch),
        ("ProducerIds next 2000\n".to_owned(), 0, 1000, 1000)
    );
    assert_eq!(allocate(epoch + 1).1, 77);
}

/// Random commands: an image that replays what the controller wrote equals the controller's own,
/// and the image that its snapshot describes equals it too.
#[test]
fn images_agree_whatever_was_commanded() {
    for seed in 0..40 {
        let mut bench = Bench::started();
        let mut follower = bench.controller.image.clone();
        let mut prng = Prng::new(seed);
        for step in 0..60 {
            let command = random_command(&mut prng, &bench);
            let result = bench.controller.handle(command, &mut prng);
            if result.records.is_empty() {
                continue;
            }
            let base_offset = bench.controller.next_offset();
            let count = i64::try_from(result.records.len()).unwrap();
            let batch = MetadataBatch {
                base_offset,
                last_offset: base_offset.plus(count - 1),
                leader_epoch: LeaderEpoch(1),
                append_timestamp: Timestamp(step),
                records: result.records,
                control: Vec::new(),
            };
            let delta = bench.controller.replay(&batch).unwrap();
            assert_eq!(
                follower.replay(&batch).unwrap(),
                delta,
                "seed {seed}, step {step}"
            );
            for partition in delta.partitions.keys() {
                let found = follower
                    .topics
                    .partition(partition.topic_id, partition.partition);
                assert!(found.is_some(), "seed {seed}: a delta names what exists");
            }
        }
        assert_eq!(follower, bench.controller.image, "seed {seed}");
        let mut replay = SnapshotReplay::new();
        for record in snapshot::records(&follower) {
            replay.replay(&record).unwrap();
        }
        let copy = replay.finish(follower.provenance).unwrap();
        assert_eq!(copy, follower, "seed {seed}");
    }
}

fn random_command(prng: &mut Prng, bench: &Bench) -> Command {
    let name = ["a", "b.c", "b_c", "d"][prng.index(4)];
    let count = i32::try_from(prng.below(6)).unwrap();
    match prng.below(7) {
        0 | 1 => Command::CreateTopics(CreateTopicsRequest {
            topics: vec![topic(name, count)],
            ..CreateTopicsRequest::default()
        }),
        2 => {
            let topic_names = vec![name.into()];
            Command::DeleteTopics(
                DeleteTopicsRequest {
                    topic_names,
                    ..DeleteTopicsRequest::default()
                },
                5,
            )
        }
        3 => Command::CreatePartitions(CreatePartitionsRequest {
            topics: vec![CreatePartitionsTopic {
                name: name.into(),
                count,
                assignments: None,
                ..CreatePartitionsTopic::default()
            }],
            ..CreatePartitionsRequest::default()
        }),
        4 => Command::RegisterBroker(registration(
            u8::try_from(prng.below(3)).unwrap(),
            [-1, bench.broker_epoch()][prng.index(2)],
        )),
        5 => Command::BrokerHeartbeat(BrokerHeartbeatRequest {
            broker_id: 1,
            broker_epoch: bench.broker_epoch(),
            current_metadata_offset: i64::MAX,
            want_fence: prng.one_in(3),
            want_shut_down: prng.one_in(3),
            ..BrokerHeartbeatRequest::default()
        }),
        _ => Command::IncrementalAlterConfigs(IncrementalAlterConfigsRequest {
            resources: vec![IncrementalAlterConfigsResource {
                resource_type: 2,
                resource_name: name.into(),
                configs: vec![IncrementalAlterableConfig {
                    name: "retention.ms".into(),
                    config_operation: i8::try_from(prng.below(2)).unwrap(),
                    value: Some(count.to_string().as_str().into()),
                    ..IncrementalAlterableConfig::default()
                }],
                ..IncrementalAlterConfigsResource::default()
            }],
            ..IncrementalAlterConfigsRequest::default()
        }),
    }
}
