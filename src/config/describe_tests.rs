//! The chains here are what Apache Kafka 4.3.1 answered, asked the same.

use super::*;
use crate::config::sources::Sources;
use expect_test::{Expect, expect};
use std::fmt::Write as _;

fn map(pairs: &[(&str, &str)]) -> Overrides {
    let owned = pairs
        .iter()
        .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
    owned.collect()
}

fn configuration() -> Configuration {
    let file = b"log.retention.hours=100\nlog.roll.hours=50\nlog.roll.jitter.hours=1\n\
        message.max.bytes=1500000\nlog.flush.scheduler.interval.ms=123456\n\
        listener.name.plaintext.max.connections=77\ncustom.password=geheim\nnode.id=1\n\
        sasl.jaas.config=geheim\n";
    let sources = Sources {
        file: Some(("server.properties", file)),
        ..Sources::default()
    };
    let (configuration, _) = Configuration::load(&sources, false).expect("it is sound");
    let broker = map(&[
        ("log.retention.ms", "1000000"),
        ("message.max.bytes", "2000000"),
    ]);
    let cluster = map(&[("log.retention.ms", "2000000")]);
    let (configuration, errors) = configuration.with_dynamic(&broker, &cluster);
    assert_eq!(errors, []);
    configuration
}

#[track_caller]
fn shows(rows: &[ConfigRow], keys: &[&str], expected: Expect) {
    let mut text = String::new();
    for key in keys {
        let row = rows
            .iter()
            .find(|row| row.name == *key)
            .expect("it is listed");
        let value = row.value.as_deref().unwrap_or("null");
        let kind = row.value_type.kafka_name();
        write!(text, "{key}={value} {kind} {}", row.source.code()).expect("text");
        for (flag, name) in [(row.read_only, " ro"), (row.sensitive, " secret")] {
            text.push_str(if flag { name } else { "" });
        }
        for link in &row.synonyms {
            let value = link.value.as_deref().unwrap_or("null");
            let code = link.source.code();
            write!(text, "; {code} {}={value}", link.name).expect("text");
        }
        text.push('\n');
    }
    expected.assert_eq(&text);
}

#[test]
fn a_broker() {
    let rows = describe_broker(&configuration());
    assert!(rows.is_sorted_by(|one, next| one.name < next.name));
    shows(
        &rows,
        &[
            "log.retention.ms",
            "log.retention.minutes",
            "log.retention.hours",
            "log.roll.ms",
            "log.roll.hours",
            "message.max.bytes",
            "log.flush.interval.ms",
            "node.id",
            "broker.id",
            "listeners",
            "listener.security.protocol.map",
            "log.dirs",
            "sasl.jaas.config",
            "custom.password",
            "listener.name.plaintext.max.connections",
            "log.cleaner.io.max.bytes.per.second",
            "klamm.cores",
            "klamm.validate.compressed.records",
        ],
        expect![[r#"
            log.retention.ms=1000000 LONG 2; 2 log.retention.ms=1000000; 3 log.retention.ms=2000000; 4 log.retention.hours=100; 5 log.retention.hours=168
            log.retention.minutes=null INT 5 ro
            log.retention.hours=100 INT 4 ro; 4 log.retention.hours=100; 5 log.retention.hours=168
            log.roll.ms=null LONG 5
            log.roll.hours=50 INT 4 ro; 4 log.roll.hours=50; 5 log.roll.hours=168
            message.max.bytes=2000000 INT 2; 2 message.max.bytes=2000000; 4 message.max.bytes=1500000; 5 message.max.bytes=1048588
            log.flush.interval.ms=null LONG 5
            node.id=1 INT 4 ro; 4 node.id=1
            broker.id=1 INT 4 ro; 4 broker.id=1; 5 broker.id=-1
            listeners=PLAINTEXT://:9092 LIST 5; 5 listeners=PLAINTEXT://:9092
            listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL STRING 5; 5 listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
            log.dirs=null LIST 5 ro
            sasl.jaas.config=null PASSWORD 4 secret; 4 sasl.jaas.config=null
            custom.password=null UNKNOWN 4 ro secret; 4 custom.password=null
            listener.name.plaintext.max.connections=77 INT 4 ro; 4 listener.name.plaintext.max.connections=77; 5 max.connections=2147483647
            log.cleaner.io.max.bytes.per.second=1.7976931348623157E308 DOUBLE 5; 5 log.cleaner.io.max.bytes.per.second=1.7976931348623157E308
            klamm.cores=null INT 5 ro
            klamm.validate.compressed.records=false BOOLEAN 5; 5 klamm.validate.compressed.records=false
        "#]],
    );
    assert!(!rows.iter().any(|row| row.name.starts_with("unstable.")));
}

#[test]
fn the_cluster() {
    shows(
        &describe_cluster(&configuration()),
        &["log.retention.ms"],
        expect![[r#"
            log.retention.ms=2000000 LONG 3; 3 log.retention.ms=2000000
        "#]],
    );
}

#[test]
fn a_topic() {
    let overrides = map(&[
        ("max.message.bytes", "+5"),
        ("preallocate", "TRUE"),
        ("internal.segment.bytes", "1000"),
    ]);
    let rows = describe_topic(&overrides, &configuration());
    shows(
        &rows,
        &[
            "retention.ms",
            "segment.ms",
            "segment.jitter.ms",
            "max.message.bytes",
            "flush.ms",
            "preallocate",
            "cleanup.policy",
            "remote.storage.enable",
            "min.insync.replicas",
            "internal.segment.bytes",
        ],
        expect![[r#"
            retention.ms=1000000 LONG 2; 2 log.retention.ms=1000000; 3 log.retention.ms=2000000; 4 log.retention.hours=100; 5 log.retention.hours=168
            segment.ms=180000000 LONG 5
            segment.jitter.ms=3600000 LONG 5
            max.message.bytes=5 INT 1; 1 max.message.bytes=+5; 2 message.max.bytes=2000000; 4 message.max.bytes=1500000; 5 message.max.bytes=1048588
            flush.ms=123456 LONG 5
            preallocate=true BOOLEAN 1; 1 preallocate=TRUE; 5 log.preallocate=false
            cleanup.policy=delete LIST 5; 5 log.cleanup.policy=delete
            remote.storage.enable=false BOOLEAN 5
            min.insync.replicas=1 INT 5; 5 min.insync.replicas=1
            internal.segment.bytes=1000 INT 1; 1 internal.segment.bytes=1000
        "#]],
    );
}

#[test]
fn a_group_and_client_metrics() {
    let overrides = map(&[("share.auto.offset.reset", "by_duration:PT1H")]);
    let rows = describe_group(&overrides, &configuration());
    let keys = [
        "consumer.session.timeout.ms",
        "share.auto.offset.reset",
        "share.isolation.level",
    ];
    shows(
        &rows,
        &keys,
        expect![[r#"
        consumer.session.timeout.ms=45000 INT 5; 5 group.consumer.session.timeout.ms=45000
        share.auto.offset.reset=by_duration:PT1H STRING 8; 8 share.auto.offset.reset=by_duration:PT1H; 5 share.auto.offset.reset=latest
        share.isolation.level=read_uncommitted STRING 5; 5 share.isolation.level=read_uncommitted
    "#]],
    );
    let rows = describe_client_metrics(&map(&[("interval.ms", "1000")]));
    shows(
        &rows,
        &["interval.ms", "match"],
        expect![[r#"
        interval.ms=1000 INT 7; 7 interval.ms=1000
        match= LIST 5
    "#]],
    );
}

#[test]
fn every_topic_config_of_the_broker_is_inherited() {
    use crate::config::topic::{CompressionType, TopicConfig};
    let topic = TopicConfig::resolve(&Overrides::new(), &configuration());
    assert_eq!(topic.retention_ms, 1_000_000);
    assert_eq!(topic.segment_ms, 180_000_000);
    assert_eq!(topic.segment_jitter_ms, 3_600_000);
    assert_eq!(topic.max_message_bytes, 2_000_000);
    assert_eq!(topic.flush_ms, 123_456);
    assert_eq!(topic.internal_segment_bytes, None);
    let own = map(&[
        ("compression.type", "zstd"),
        ("cleanup.policy", "compact"),
        ("retention.ms", "x"),
    ]);
    let topic = TopicConfig::resolve(&own, &configuration());
    assert_eq!(topic.compression_type, CompressionType::Zstd);
    assert!(topic.cleanup_policy.compact && !topic.cleanup_policy.delete);
    assert_eq!(
        topic.retention_ms, 1_000_000,
        "what cannot be read counts as not there"
    );
    let default = TopicConfig::default();
    assert_eq!(
        (default.retention_ms, default.segment_ms),
        (604_800_000, 604_800_000)
    );
    assert_eq!((default.retention_bytes, default.flush_ms), (-1, i64::MAX));
    // Each topic config with a synonym has the broker's bounds, type and default; but for units.
    for setting in rows::topic_settings() {
        for (name, _) in broker_synonyms(setting.name) {
            let broker = rows::broker_setting(name).expect("it is a setting of the broker");
            let ours = Value::default_of(setting);
            if let [_] = broker_synonyms(setting.name) {
                assert_eq!(Value::default_of(broker), ours, "{name}");
                assert_eq!(broker.value_type, setting.value_type, "{name}");
            }
        }
    }
}
