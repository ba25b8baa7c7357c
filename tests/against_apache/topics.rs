//! CreateTopics, CreatePartitions, DeleteTopics.

use crate::side::{Pair, metadata_of, text};
use klamm::base::ids::TopicId;
use klamm::protocol::messages::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use klamm::protocol::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use klamm::protocol::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};

fn topic(name: &str, partitions: i32, replicas: i16) -> CreatableTopic {
    of!(CreatableTopic {
        name: text(name),
        num_partitions: partitions,
        replication_factor: replicas,
    })
}

fn with_configs(topic: CreatableTopic, configs: &[(&str, Option<&str>)]) -> CreatableTopic {
    CreatableTopic {
        configs: configs
            .iter()
            .map(|(name, value)| {
                of!(CreatableTopicConfig {
                    name: text(name),
                    value: value.map(text)
                })
            })
            .collect(),
        ..topic
    }
}

fn assigned(name: &str, partitions: i32, replicas: &[(i32, &[i32])]) -> CreatableTopic {
    CreatableTopic {
        assignments: replicas
            .iter()
            .map(|(partition_index, brokers)| {
                of!(CreatableReplicaAssignment {
                    partition_index: *partition_index,
                    broker_ids: brokers.to_vec(),
                })
            })
            .collect(),
        ..topic(name, partitions, if partitions == -1 { -1 } else { 1 })
    }
}

/// Topics that the other comparisons use.
pub fn create_what_others_need(pair: &mut Pair) {
    pair.ask_in("what others need", 7, &[], |_| {
        of!(CreateTopicsRequest {
            topics: vec![
                topic("plain", 1, 1),
                topic("many", 4, -1),
                with_configs(topic("small", 1, 1), &[("max.message.bytes", Some("300"))]),
                with_configs(
                    topic("compacted", 1, 1),
                    &[("cleanup.policy", Some("compact"))]
                ),
                with_configs(
                    topic("stamped", 1, 1),
                    &[("message.timestamp.type", Some("LogAppendTime"))],
                ),
                with_configs(
                    topic("set", 2, 1),
                    &[
                        ("retention.ms", Some("86400000")),
                        ("cleanup.policy", Some("compact,delete")),
                        ("flush.messages", Some("10")),
                    ],
                ),
            ],
        })
    });
    pair.settle();
}

pub fn compare(pair: &mut Pair) {
    create(pair);
    create_partitions(pair);
    delete(pair);
}

fn create(pair: &mut Pair) {
    for validate_only in [true, false] {
        pair.ask_masked(
            &format!("good, validate only {validate_only}"),
            &[],
            |_, version| {
                of!(CreateTopicsRequest {
                    topics: vec![
                        topic(&format!("good-{version}"), 2, 1),
                        topic(&format!("defaults-{version}"), -1, -1),
                        with_configs(
                            topic(&format!("configs-{version}"), 1, 1),
                            &[
                                ("retention.ms", Some("1000")),
                                ("segment.bytes", Some("1048576"))
                            ],
                        ),
                        assigned(&format!("assigned-{version}"), -1, &[(0, &[1]), (1, &[1])]),
                    ],
                    validate_only: validate_only,
                })
            },
        );
    }
    pair.settle();
    pair.ask("what was created", |_| {
        metadata_of(&["good-5", "defaults-5", "assigned-5"])
    });
    let long = "x".repeat(250);
    let cases: Vec<(&str, Vec<CreatableTopic>)> = vec![
        ("no topics", vec![]),
        ("exists", vec![topic("plain", 1, 1)]),
        (
            "twice",
            vec![
                topic("twice", 1, 1),
                topic("twice", 2, 1),
                topic("once", 1, 1),
            ],
        ),
        ("empty name", vec![topic("", 1, 1)]),
        ("dot", vec![topic(".", 1, 1)]),
        ("dots", vec![topic("..", 1, 1)]),
        ("blank", vec![topic("a b", 1, 1)]),
        ("long", vec![topic(&long, 1, 1)]),
        (
            "collides",
            vec![topic("col.lide", 1, 1), topic("col_lide", 1, 1)],
        ),
        ("metadata", vec![topic("__cluster_metadata", 1, 1)]),
        ("no partitions", vec![topic("wrong", 0, 1)]),
        ("negative partitions", vec![topic("wrong", -2, 1)]),
        ("too many partitions", vec![topic("wrong", 200_000, 1)]),
        ("no replicas", vec![topic("wrong", 1, 0)]),
        ("negative replicas", vec![topic("wrong", 1, -2)]),
        ("too many replicas", vec![topic("wrong", 1, 2)]),
        (
            "unknown key",
            vec![with_configs(topic("wrong", 1, 1), &[("nope", Some("1"))])],
        ),
        (
            "wrong value",
            vec![with_configs(
                topic("wrong", 1, 1),
                &[("retention.ms", Some("x"))],
            )],
        ),
        (
            "out of range",
            vec![with_configs(
                topic("wrong", 1, 1),
                &[("segment.ms", Some("0"))],
            )],
        ),
        (
            "null value",
            vec![with_configs(
                topic("wrong", 1, 1),
                &[("retention.ms", None)],
            )],
        ),
        (
            "null after a value",
            vec![with_configs(
                topic("wrong", 1, 1),
                &[("retention.ms", Some("1")), ("nope", None)],
            )],
        ),
        (
            "local retention",
            vec![with_configs(
                topic("wrong", 1, 1),
                &[
                    ("local.retention.ms", Some("9")),
                    ("retention.ms", Some("5")),
                ],
            )],
        ),
        (
            "policy",
            vec![with_configs(
                topic("wrong", 1, 1),
                &[("cleanup.policy", Some("eat"))],
            )],
        ),
        (
            "remote",
            vec![with_configs(
                topic("wrong", 1, 1),
                &[("remote.storage.enable", Some("true"))],
            )],
        ),
        (
            "assigned with counts",
            vec![assigned("wrong", 1, &[(0, &[1])])],
        ),
        (
            "assigned to unknown",
            vec![assigned("wrong", -1, &[(0, &[9])])],
        ),
        ("assigned to none", vec![assigned("wrong", -1, &[(0, &[])])]),
        (
            "assigned twice",
            vec![assigned("wrong", -1, &[(0, &[1, 1])])],
        ),
        (
            "assigned with a gap",
            vec![assigned("wrong", -1, &[(0, &[1]), (2, &[1])])],
        ),
        (
            "assigned one twice",
            vec![assigned("wrong", -1, &[(0, &[1]), (0, &[1])])],
        ),
        (
            "assigned negative",
            vec![assigned("wrong", -1, &[(-1, &[1])])],
        ),
        (
            "assigned unevenly",
            vec![assigned("wrong", -1, &[(0, &[1]), (1, &[1, 2])])],
        ),
    ];
    for (what, topics) in cases {
        for validate_only in [true, false] {
            let ask = |_: &_| {
                of!(CreateTopicsRequest {
                    topics: topics.clone(),
                    validate_only: validate_only
                })
            };
            pair.ask_in(
                &format!("{what}, validate only {validate_only}"),
                7,
                &[],
                ask,
            );
            if !validate_only {
                pair.ask_in(&format!("{what}, again"), 2, &[], ask);
            }
        }
    }
    pair.settle();
}

fn create_partitions(pair: &mut Pair) {
    let ask = |name: &str, count: i32, assignments: Option<&[&[i32]]>, validate_only: bool| {
        of!(CreatePartitionsRequest {
            topics: vec![of!(CreatePartitionsTopic {
                name: text(name),
                count: count,
                assignments: assignments.map(|assignments| {
                    assignments
                        .iter()
                        .map(|brokers| {
                            of!(CreatePartitionsAssignment {
                                broker_ids: brokers.to_vec()
                            })
                        })
                        .collect()
                }),
            })],
            timeout_ms: 1000,
            validate_only: validate_only,
        })
    };
    let cases: &[(&str, &str, i32, Option<&[&[i32]]>)] = &[
        ("more", "good-2", 4, None),
        ("more, assigned", "good-3", 4, Some(&[&[1], &[1]])),
        ("same", "many", 4, None),
        ("fewer", "many", 1, None),
        ("none", "many", 0, None),
        ("negative", "many", -1, None),
        ("far more", "many", 200_000, None),
        ("missing", "missing", 4, None),
        ("invalid", "a b", 4, None),
        ("assigned too few", "many", 6, Some(&[&[1]])),
        ("assigned too many", "many", 5, Some(&[&[1], &[1]])),
        ("assigned none", "many", 5, Some(&[])),
        ("assigned to unknown", "many", 5, Some(&[&[9]])),
        ("assigned to nobody", "many", 5, Some(&[&[]])),
        ("assigned twice", "many", 5, Some(&[&[1, 1]])),
        ("assigned unevenly", "many", 5, Some(&[&[1, 2]])),
    ];
    for &(what, name, count, assignments) in cases {
        for validate_only in [true, false] {
            pair.ask(&format!("{what}, validate only {validate_only}"), |_| {
                ask(name, count, assignments, validate_only)
            });
        }
    }
    pair.ask("no topics", |_| of!(CreatePartitionsRequest {}));
    pair.ask("twice", |_| {
        let topic = |count: i32| {
            of!(CreatePartitionsTopic {
                name: text("many"),
                count: count,
                assignments: None
            })
        };
        of!(CreatePartitionsRequest {
            topics: vec![topic(7), topic(8)]
        })
    });
    pair.settle();
    pair.ask("what there is now", |_| {
        metadata_of(&["good-2", "good-3", "many"])
    });
}

fn delete(pair: &mut Pair) {
    let by_name = |names: &[&str]| {
        of!(DeleteTopicsRequest {
            topic_names: names.iter().map(|name| text(name)).collect()
        })
    };
    for version in 1..=5 {
        let name = format!("good-{version}");
        pair.ask_in("by name", version, &[], |_| {
            by_name(&[&name, "missing", "a b", ""])
        });
        pair.ask_in("twice", version, &[], |_| {
            by_name(&["assigned-3", "assigned-3"])
        });
        pair.ask_in("none", version, &[], |_| by_name(&[]));
    }
    let state = |name: Option<&str>, topic_id: TopicId| {
        of!(DeleteTopicState {
            name: name.map(text),
            topic_id: topic_id
        })
    };
    type Named<'a> = (&'a str, Option<&'a str>, Option<&'a str>);
    let cases: &[(&str, &[Named<'_>])] = &[
        ("missing name", &[("", Some("missing"), None)]),
        ("neither", &[("", None, None)]),
        ("empty name", &[("", Some(""), None)]),
        ("unknown id", &[("", None, Some("unknown"))]),
        (
            "name and id",
            &[("", Some("defaults-2"), Some("defaults-2"))],
        ),
        (
            "name and unknown id",
            &[("", Some("defaults-2"), Some("unknown"))],
        ),
        (
            "id twice",
            &[
                ("", None, Some("defaults-3")),
                ("", None, Some("defaults-3")),
            ],
        ),
        (
            "name, then id",
            &[
                ("", Some("defaults-3"), None),
                ("", None, Some("defaults-3")),
            ],
        ),
        (
            "name twice",
            &[
                ("", Some("defaults-3"), None),
                ("", Some("defaults-3"), None),
            ],
        ),
        ("by id", &[("", None, Some("defaults-4"))]),
        (
            "by name in 6",
            &[("", Some("defaults-5"), None), ("", Some("missing"), None)],
        ),
    ];
    for (what, topics) in cases {
        pair.ask_in(what, 6, &[], |side| {
            of!(DeleteTopicsRequest {
                topics: topics
                    .iter()
                    .map(|(_, name, id)| {
                        let id = match id {
                            None => TopicId::ZERO,
                            Some("unknown") => klamm::base::uuid::Uuid([7; 16]),
                            Some(name) => side.id(name),
                        };
                        state(*name, id)
                    })
                    .collect(),
            })
        });
    }
}
