//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs.

use crate::side::{Pair, text};
use klamm::protocol::messages::alter_configs;
use klamm::protocol::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use klamm::protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// Name, operation, value.
type Change<'a> = (&'a str, i8, Option<&'a str>);

pub fn compare(pair: &mut Pair) {
    describe(pair);
    incremental(pair);
    replace(pair);
}

fn describe_one(kind: i8, name: &str, keys: Option<&[&str]>) -> DescribeConfigsRequest {
    of!(DescribeConfigsRequest {
        resources: vec![of!(DescribeConfigsResource {
            resource_type: kind,
            resource_name: text(name),
            configuration_keys: keys.map(|keys| keys.iter().map(|key| text(key)).collect()),
        })],
    })
}

fn describe(pair: &mut Pair) {
    for version in 1..=4 {
        for name in ["plain", "set"] {
            for (synonyms, documentation) in [(false, false), (true, false), (true, version == 4)] {
                let what = format!("{name}, synonyms {synonyms}, documentation {documentation}");
                pair.ask_in(&what, version, &[], |_| DescribeConfigsRequest {
                    include_synonyms: synonyms,
                    include_documentation: documentation,
                    ..describe_one(TOPIC, name, None)
                });
            }
        }
    }
    let cases: &[(i8, &str, Option<&[&str]>)] = &[
        (TOPIC, "plain", Some(&[])),
        (
            TOPIC,
            "plain",
            Some(&["retention.ms", "nope", "segment.ms", "retention.ms"]),
        ),
        (TOPIC, "missing", None),
        (TOPIC, "a b", None),
        (TOPIC, "", None),
        (
            BROKER,
            "1",
            Some(&["log.retention.ms", "num.partitions", "message.max.bytes"]),
        ),
        (BROKER, "", Some(&["log.retention.ms", "num.partitions"])),
        (BROKER, "", None),
        (BROKER, "9", None),
        (BROKER, "one", None),
        (BROKER, "-1", None),
        (BROKER_LOGGER, "9", None),
        (BROKER_LOGGER, "", None),
        (BROKER_LOGGER, "one", None),
        (CLIENT_METRICS, "", None),
        (CLIENT_METRICS, "missing", None),
        (GROUP, "", None),
        (GROUP, "missing", None),
        (0, "plain", None),
        (1, "plain", None),
        (7, "plain", None),
        (-1, "plain", None),
    ];
    for (kind, name, keys) in cases {
        pair.ask(&format!("type {kind}, {name:?}, {keys:?}"), |_| {
            describe_one(*kind, name, *keys)
        });
    }
    pair.ask("nothing", |_| of!(DescribeConfigsRequest {}));
    pair.ask("several", |_| {
        let mut request = describe_one(TOPIC, "plain", Some(&["retention.ms"]));
        request
            .resources
            .extend(describe_one(TOPIC, "missing", None).resources);
        request
            .resources
            .extend(describe_one(BROKER, "1", Some(&["broker.id", "node.id"])).resources);
        request
            .resources
            .extend(describe_one(TOPIC, "plain", Some(&["segment.ms"])).resources);
        request
    });
    broker_configs(pair);
}

/// Every key of a broker that both have: what only one has is the business of its own tests.
fn broker_configs(pair: &mut Pair) {
    let request = DescribeConfigsRequest {
        include_synonyms: true,
        ..describe_one(BROKER, "1", None)
    };
    let mut keys = [&mut pair.apache, &mut pair.klamm].map(|side| {
        let crate::side::Answer::Response(response) = side.ask(4, &request) else {
            panic!("no answer");
        };
        let configs = response
            .results
            .into_iter()
            .flat_map(|result| result.configs);
        configs
            .map(|config| config.name.to_string())
            .collect::<Vec<_>>()
    });
    let [apache, klamm] = &mut keys;
    println!(
        "only Apache's: {:?}",
        apache
            .iter()
            .filter(|key| !klamm.contains(key))
            .collect::<Vec<_>>()
    );
    println!(
        "only klamm's: {:?}",
        klamm
            .iter()
            .filter(|key| !apache.contains(key))
            .collect::<Vec<_>>()
    );
    apache.retain(|key| klamm.contains(key));
    let distinct = [
        "controller.quorum.voters",
        "log.dirs",
        "log.dir",
        "listeners",
        "advertised.listeners",
    ];
    for key in apache
        .iter()
        .filter(|key| !distinct.contains(&key.as_str()))
    {
        pair.ask_in(&format!("broker's {key}"), 4, &[], |_| {
            DescribeConfigsRequest {
                include_synonyms: true,
                ..describe_one(BROKER, "1", Some(&[key]))
            }
        });
    }
}

fn changes(kind: i8, name: &str, changes: &[Change<'_>]) -> AlterConfigsResource {
    of!(AlterConfigsResource {
        resource_type: kind,
        resource_name: text(name),
        configs: changes
            .iter()
            .map(|(key, operation, value)| {
                of!(AlterableConfig {
                    name: text(key),
                    config_operation: *operation,
                    value: value.map(text),
                })
            })
            .collect(),
    })
}

fn incremental(pair: &mut Pair) {
    let cases: &[(i8, &str, &[Change<'_>])] = &[
        (TOPIC, "set", &[("retention.ms", SET, Some("1000000"))]),
        (TOPIC, "set", &[("retention.ms", DELETE, None)]),
        (TOPIC, "set", &[("retention.ms", DELETE, Some("ignored"))]),
        (
            TOPIC,
            "set",
            &[("cleanup.policy", SUBTRACT, Some("compact"))],
        ),
        (TOPIC, "set", &[("cleanup.policy", APPEND, Some("compact"))]),
        (
            TOPIC,
            "set",
            &[("cleanup.policy", APPEND, Some("compact,delete"))],
        ),
        (
            TOPIC,
            "plain",
            &[("cleanup.policy", APPEND, Some("compact"))],
        ),
        (
            TOPIC,
            "plain",
            &[("cleanup.policy", SUBTRACT, Some("delete"))],
        ),
        (TOPIC, "plain", &[("cleanup.policy", DELETE, None)]),
        (TOPIC, "plain", &[("retention.ms", APPEND, Some("1"))]),
        (TOPIC, "plain", &[("retention.ms", SUBTRACT, Some("1"))]),
        (TOPIC, "plain", &[("retention.ms", SET, None)]),
        (TOPIC, "plain", &[("cleanup.policy", APPEND, None)]),
        (TOPIC, "plain", &[("retention.ms", 7, Some("1"))]),
        (TOPIC, "plain", &[("retention.ms", -1, Some("1"))]),
        (TOPIC, "plain", &[("retention.ms", SET, Some("x"))]),
        (TOPIC, "plain", &[("segment.ms", SET, Some("0"))]),
        (TOPIC, "plain", &[("cleanup.policy", SET, Some("eat"))]),
        (TOPIC, "plain", &[("nope", SET, Some("1"))]),
        (TOPIC, "plain", &[("nope", DELETE, None)]),
        (
            TOPIC,
            "plain",
            &[
                ("retention.ms", SET, Some("5")),
                ("retention.ms", SET, Some("6")),
            ],
        ),
        (
            TOPIC,
            "plain",
            &[
                ("retention.ms", SET, Some("5")),
                ("retention.ms", DELETE, None),
            ],
        ),
        (TOPIC, "plain", &[("min.insync.replicas", SET, Some("0"))]),
        (TOPIC, "plain", &[("min.insync.replicas", SET, Some("2"))]),
        (TOPIC, "plain", &[("min.insync.replicas", DELETE, None)]),
        (TOPIC, "plain", &[("max.message.bytes", SET, Some("-1"))]),
        (TOPIC, "plain", &[("compression.type", SET, Some("gzip"))]),
        (TOPIC, "plain", &[("compression.type", SET, Some("brotli"))]),
        (TOPIC, "plain", &[("compression.type", DELETE, None)]),
        (TOPIC, "plain", &[("", SET, Some("1"))]),
        (TOPIC, "plain", &[]),
        (TOPIC, "missing", &[("retention.ms", SET, Some("5"))]),
        (TOPIC, "a b", &[("retention.ms", SET, Some("5"))]),
        (TOPIC, "", &[("retention.ms", SET, Some("5"))]),
        (BROKER, "1", &[("log.cleaner.threads", SET, Some("2"))]),
        (BROKER, "1", &[("log.cleaner.threads", SET, Some("9"))]),
        (BROKER, "1", &[("log.cleaner.threads", DELETE, None)]),
        (BROKER, "1", &[("log.retention.ms", SET, Some("x"))]),
        (BROKER, "1", &[("node.id", SET, Some("5"))]),
        (
            BROKER,
            "1",
            &[("listeners", SET, Some("PLAINTEXT://127.0.0.1:1"))],
        ),
        (BROKER, "1", &[("nope", SET, Some("5"))]),
        (
            BROKER,
            "1",
            &[("log.flush.interval.messages", SET, Some("0"))],
        ),
        (
            BROKER,
            "",
            &[("log.flush.interval.messages", SET, Some("0"))],
        ),
        (BROKER, "", &[("log.retention.ms", SET, Some("-1"))]),
        (BROKER, "", &[("log.retention.ms", DELETE, None)]),
        (BROKER, "", &[("node.id", SET, Some("5"))]),
        (BROKER, "", &[("ssl.keystore.location", SET, Some("/x"))]),
        (BROKER, "9", &[("log.retention.ms", SET, Some("5"))]),
        (BROKER, "one", &[("log.retention.ms", SET, Some("5"))]),
        (BROKER_LOGGER, "9", &[("kafka", SET, Some("INFO"))]),
        (BROKER_LOGGER, "one", &[("kafka", SET, Some("INFO"))]),
        (
            GROUP,
            "",
            &[("consumer.session.timeout.ms", SET, Some("50000"))],
        ),
        (
            GROUP,
            "g",
            &[("consumer.session.timeout.ms", SET, Some("50000"))],
        ),
        (
            GROUP,
            "g",
            &[("consumer.session.timeout.ms", SET, Some("1"))],
        ),
        (GROUP, "g", &[("nope", SET, Some("1"))]),
        (CLIENT_METRICS, "", &[("interval.ms", SET, Some("50000"))]),
        (CLIENT_METRICS, "m", &[("interval.ms", SET, Some("50000"))]),
        (CLIENT_METRICS, "m", &[("interval.ms", SET, Some("1"))]),
        (CLIENT_METRICS, "m", &[("nope", SET, Some("1"))]),
        (0, "plain", &[("retention.ms", SET, Some("5"))]),
        (1, "plain", &[("retention.ms", SET, Some("5"))]),
        (7, "plain", &[("retention.ms", SET, Some("5"))]),
    ];
    for (kind, name, asked) in cases {
        for validate_only in [true, false] {
            let what = format!("type {kind} {name:?} {asked:?}, validate only {validate_only}");
            pair.ask(&what, |_| {
                of!(IncrementalAlterConfigsRequest {
                    resources: vec![changes(*kind, name, asked)],
                    validate_only: validate_only,
                })
            });
            pair.settle();
            pair.ask_in(&format!("after {what}"), 4, &[], |_| {
                DescribeConfigsRequest {
                    include_synonyms: true,
                    ..describe_one(TOPIC, name, None)
                }
            });
        }
    }
    pair.ask("nothing", |_| of!(IncrementalAlterConfigsRequest {}));
    pair.ask("a resource twice", |_| {
        let resource = changes(TOPIC, "plain", &[("retention.ms", SET, Some("-1"))]);
        of!(IncrementalAlterConfigsRequest {
            resources: vec![resource.clone(), resource]
        })
    });
    pair.ask("good and bad", |_| {
        of!(IncrementalAlterConfigsRequest {
            resources: vec![
                changes(TOPIC, "plain", &[("retention.ms", SET, Some("-1"))]),
                changes(TOPIC, "missing", &[("retention.ms", SET, Some("-1"))]),
                changes(TOPIC, "set", &[("retention.ms", SET, Some("x"))]),
            ],
        })
    });
}

fn replace(pair: &mut Pair) {
    let cases: &[(i8, &str, &[(&str, Option<&str>)])] = &[
        (TOPIC, "set", &[("flush.messages", Some("7"))]),
        (TOPIC, "set", &[]),
        (TOPIC, "set", &[("flush.messages", None)]),
        (TOPIC, "set", &[("flush.messages", Some("x"))]),
        (TOPIC, "set", &[("nope", Some("x"))]),
        (
            TOPIC,
            "set",
            &[("flush.messages", Some("7")), ("flush.messages", Some("8"))],
        ),
        (TOPIC, "missing", &[("flush.messages", Some("7"))]),
        (BROKER, "1", &[("log.cleaner.threads", Some("1"))]),
        (BROKER, "1", &[]),
        (BROKER, "9", &[]),
        (BROKER, "", &[("log.retention.ms", Some("x"))]),
        (BROKER, "", &[]),
        (BROKER_LOGGER, "1", &[("kafka", Some("INFO"))]),
        (1, "set", &[("flush.messages", Some("7"))]),
    ];
    for (kind, name, configs) in cases {
        for validate_only in [true, false] {
            let what = format!("type {kind} {name:?} {configs:?}, validate only {validate_only}");
            pair.ask(&what, |_| {
                of!(alter_configs::AlterConfigsRequest {
                    resources: vec![of!(alter_configs::AlterConfigsResource {
                        resource_type: *kind,
                        resource_name: text(name),
                        configs: configs
                            .iter()
                            .map(|(key, value)| {
                                of!(alter_configs::AlterableConfig {
                                    name: text(key),
                                    value: value.map(text),
                                })
                            })
                            .collect(),
                    })],
                    validate_only: validate_only,
                })
            });
            pair.settle();
            pair.ask_in(&format!("after {what}"), 4, &[], |_| {
                describe_one(TOPIC, name, Some(&["flush.messages", "retention.ms"]))
            });
        }
    }
}
