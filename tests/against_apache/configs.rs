//! AlterConfigs and IncrementalAlterConfigs. What is described afterwards: `src/config/describe_tests.rs`.

use crate::side::{Pair, text};
use klamm::protocol::messages::alter_configs;
use klamm::protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// Name, operation, value.
type Change<'a> = (&'a str, i8, Option<&'a str>);

/// A key and its value.
type Setting<'a> = (&'a str, Option<&'a str>);

pub fn compare(pair: &mut Pair) {
    incremental(pair);
    replace(pair);
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
        (BROKER, "1", &[("log.cleaner.threads", DELETE, None)]),
        (BROKER, "1", &[("log.retention.ms", SET, Some("x"))]),
        (BROKER, "1", &[("node.id", SET, Some("5"))]),
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
    let cases: &[(i8, &str, &[Setting])] = &[
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
        }
    }
}
