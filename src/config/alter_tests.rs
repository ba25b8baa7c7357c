//! The texts here are what Apache Kafka 4.3.1 answered, asked the same; where klamm's differ, a
//! comment says so.

use super::*;
use expect_test::{Expect, expect};

fn map(pairs: &[(&str, &str)]) -> Overrides {
    let owned = pairs
        .iter()
        .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
    owned.collect()
}

fn told(result: Result<Changes, AlterError>) -> String {
    match result {
        Ok(changes) => format!("ok {changes:?}"),
        Err(AlterError::InvalidConfig(text)) => format!("40 {text}"),
        Err(AlterError::InvalidRequest(text)) => format!("42 {text}"),
    }
}

/// Sets each `key=value` alone, and gives all answers.
#[track_caller]
fn sets(resource: Resource, pairs: &[&str], expected: Expect) {
    let configuration = Configuration::default();
    let mut text = String::new();
    for pair in pairs {
        let (key, value) = pair.split_once('=').expect("key=value");
        let change = Change {
            key,
            operation: Operation::Set,
            value: Some(value),
        };
        let answer = alter(resource, &Overrides::new(), &[change], &configuration);
        text.push_str(&format!("{pair}: {}\n", told(answer)));
    }
    expected.assert_eq(&text);
}

#[test]
fn a_topic() {
    sets(
        Resource::Topic,
        &[
            "no.such.key=1",
            "retention.ms=abc",
            "retention.ms=-2",
            "retention.ms=",
            "segment.bytes=1",
            "segment.bytes=99999999999",
            "cleanup.policy=foo",
            "cleanup.policy=delete,compact",
            "cleanup.policy=",
            "compression.type=bar",
            "compression.gzip.level=0",
            "compression.lz4.level=18",
            "min.cleanable.dirty.ratio=2",
            "min.cleanable.dirty.ratio=x",
            "min.cleanable.dirty.ratio=.5f",
            "preallocate=maybe",
            "preallocate=TRUE",
            " retention.ms=5",
            "leader.replication.throttled.replicas=*",
            "leader.replication.throttled.replicas=0:1,1:2",
            "leader.replication.throttled.replicas=none",
            "message.timestamp.type=logappendtime",
            "remote.storage.enable=true",
            "internal.segment.bytes=1000",
            "max.message.bytes=0x10",
            "max.message.bytes=+5",
            "retention.ms=700000000 ",
        ],
        expect![[r#"
            no.such.key=1: 40 Unknown topic config name: no.such.key
            retention.ms=abc: 40 Invalid value abc for configuration retention.ms: Not a number of type LONG
            retention.ms=-2: 40 Invalid value -2 for configuration retention.ms: Value must be at least -1
            retention.ms=: 40 Invalid value  for configuration retention.ms: Not a number of type LONG
            segment.bytes=1: 40 Invalid value 1 for configuration segment.bytes: Value must be at least 1048576
            segment.bytes=99999999999: 40 Invalid value 99999999999 for configuration segment.bytes: Not a number of type INT
            cleanup.policy=foo: 40 Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete
            cleanup.policy=delete,compact: ok [("cleanup.policy", Some("delete,compact"))]
            cleanup.policy=: ok [("cleanup.policy", Some(""))]
            compression.type=bar: 40 Invalid value bar for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer
            compression.gzip.level=0: 40 Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1
            compression.lz4.level=18: 40 Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17
            min.cleanable.dirty.ratio=2: 40 Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1
            min.cleanable.dirty.ratio=x: 40 Invalid value x for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE
            min.cleanable.dirty.ratio=.5f: ok [("min.cleanable.dirty.ratio", Some(".5f"))]
            preallocate=maybe: 40 Invalid value maybe for configuration preallocate: Expected value to be either true or false
            preallocate=TRUE: ok [("preallocate", Some("TRUE"))]
             retention.ms=5: 40 Unknown topic config name:  retention.ms
            leader.replication.throttled.replicas=*: ok [("leader.replication.throttled.replicas", Some("*"))]
            leader.replication.throttled.replicas=0:1,1:2: ok [("leader.replication.throttled.replicas", Some("0:1,1:2"))]
            leader.replication.throttled.replicas=none: 40 Invalid value [none] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...
            message.timestamp.type=logappendtime: 40 Invalid value logappendtime for configuration message.timestamp.type: String must be one of: CreateTime, LogAppendTime
            remote.storage.enable=true: 40 Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.
            internal.segment.bytes=1000: ok [("internal.segment.bytes", Some("1000"))]
            max.message.bytes=0x10: 40 Invalid value 0x10 for configuration max.message.bytes: Not a number of type INT
            max.message.bytes=+5: ok [("max.message.bytes", Some("+5"))]
            retention.ms=700000000 : ok [("retention.ms", Some("700000000 "))]
        "#]],
    );
}

#[test]
fn lists_grow_and_shrink() {
    let configuration = Configuration::default();
    let mut current = Overrides::new();
    let mut text = String::new();
    for (operation, key, elements) in [
        (Operation::Append, "retention.ms", "1"),
        (Operation::Subtract, "no.such", "1"),
        (Operation::Append, "cleanup.policy", "compact"),
        (Operation::Append, "cleanup.policy", "compact"),
        (Operation::Subtract, "cleanup.policy", "foo"),
        (Operation::Subtract, "cleanup.policy", "delete"),
        (Operation::Subtract, "cleanup.policy", "compact"),
        (Operation::Delete, "cleanup.policy", ""),
        (Operation::Delete, "no.such", ""),
    ] {
        let change = Change {
            key,
            operation,
            value: Some(elements),
        };
        let answer = alter(Resource::Topic, &current, &[change], &configuration);
        for (key, value) in answer.as_ref().map_or(&[][..], Vec::as_slice) {
            match value {
                Some(value) => current.insert(key.clone(), value.clone()),
                None => current.remove(key),
            };
        }
        text.push_str(&format!(
            "{operation:?} {key} {elements}: {}\n",
            told(answer)
        ));
    }
    expect![[r#"
        Append retention.ms 1: 40 Can't APPEND to key retention.ms because its type is not LIST.
        Subtract no.such 1: 40 Can't SUBTRACT to key no.such because its type is not LIST.
        Append cleanup.policy compact: ok [("cleanup.policy", Some("delete,compact"))]
        Append cleanup.policy compact: ok []
        Subtract cleanup.policy foo: ok []
        Subtract cleanup.policy delete: ok [("cleanup.policy", Some("compact"))]
        Subtract cleanup.policy compact: ok [("cleanup.policy", Some(""))]
        Delete cleanup.policy : ok [("cleanup.policy", None)]
        Delete no.such : ok []
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_request_as_a_whole() {
    let configuration = Configuration::default();
    let set = |key, value| Change {
        key,
        operation: Operation::Set,
        value,
    };
    let asked = |asked: &[Change<'_>], current: &[(&str, &str)]| {
        told(alter(Resource::Topic, &map(current), asked, &configuration))
    };
    let duplicate = [
        set("retention.ms", Some("1")),
        set("retention.ms", Some("2")),
    ];
    let lag = [("min.compaction.lag.ms", "100")];
    let answers = [
        asked(&[set("retention.ms", None)], &[]),
        asked(&duplicate, &[]),
        asked(&[set("max.compaction.lag.ms", Some("1"))], &lag),
        // What already is so is not recorded again.
        asked(&[set("min.compaction.lag.ms", Some("100"))], &lag),
        told(replace(
            Resource::Topic,
            &map(&[("retention.ms", "1"), ("flush.ms", "1")]),
            &[("flush.ms", Some("2"))],
            &configuration,
        )),
        told(validate_new_topic(&[("retention.ms", None)], &configuration).map(|_| Vec::new())),
        told(validate_new_topic(&[("a", Some("b"))], &configuration).map(|_| Vec::new())),
        told(validate_new_topic(&[("flush.ms", Some("5"))], &configuration).map(|_| Vec::new())),
    ];
    expect![[r#"
        42 Null value not supported for : retention.ms
        42 Error due to duplicate config keys
        40 conflict topic config setting min.compaction.lag.ms (100) > max.compaction.lag.ms (1)
        ok []
        ok [("flush.ms", Some("2")), ("retention.ms", None)]
        40 Null value not supported for topic configs: retention.ms
        40 Unknown topic config name: a
        ok []"#]]
    .assert_eq(&answers.join("\n"));
}

const BROKER_PAIRS: &[&str] = &[
    "no.such.key=1",
    "num.partitions=3",
    "node.id=2",
    "advertised.listeners=PLAINTEXT://a:1",
    "log.retention.ms=abc",
    // Kafka takes -2 for -1, and 0 as the cluster's default; klamm refuses 0 in both.
    "log.retention.ms=-2",
    "log.retention.ms=0",
    "log.roll.ms=0",
    "num.io.threads=0",
    "num.io.threads=9",
    // Kafka would open it; klamm does not yet.
    "listeners=PLAINTEXT://127.0.0.1:29099",
    "ssl.keystore.location=/x",
    // Kafka takes it for a listener without TLS too; klamm refuses what it would not read.
    "listener.name.plaintext.ssl.keystore.location=/x",
    "listener.name.plaintext.max.connections=5",
    "log.cleanup.policy=foo",
    "log.cleanup.policy=compact",
    "min.insync.replicas=0",
    // Kafka answers with Java's StringIndexOutOfBoundsException.
    "max.connections.per.ip.overrides=abc",
    "sasl.jaas.config=foo",
    "leader.replication.throttled.rate=100",
    "follower.replication.throttled.rate=abc",
    "group.consumer.assignment.interval.ms=2000",
    "compression.type=foo",
];

#[test]
fn a_broker() {
    sets(
        Resource::Broker,
        BROKER_PAIRS,
        expect![[r#"
        no.such.key=1: ok [("no.such.key", Some("1"))]
        num.partitions=3: 42 Cannot update these configs dynamically: [num.partitions]
        node.id=2: 42 Cannot update these configs dynamically: [node.id]
        advertised.listeners=PLAINTEXT://a:1: 42 Cannot update these configs dynamically: [advertised.listeners]
        log.retention.ms=abc: 42 Invalid value abc for configuration log.retention.ms: Not a number of type LONG
        log.retention.ms=-2: ok [("log.retention.ms", Some("-2"))]
        log.retention.ms=0: 42 log.retention.ms must be at least 1, or -1 to keep records for ever
        log.roll.ms=0: 42 log.roll.ms must be at least 1
        num.io.threads=0: 42 Invalid value 0 for configuration num.io.threads: Value must be at least 1
        num.io.threads=9: ok [("num.io.threads", Some("9"))]
        listeners=PLAINTEXT://127.0.0.1:29099: 42 klamm reads listeners only when it starts: set it in server.properties
        ssl.keystore.location=/x: 42 These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.location]
        listener.name.plaintext.ssl.keystore.location=/x: 42 klamm refuses listener.name.plaintext.ssl.keystore.location: it does not serve TLS yet, and it will read PEM files instead of Java key stores; remove the line; to convert the store: keytool -importkeystore -srckeystore STORE -destkeystore store.p12 -deststoretype PKCS12 && openssl pkcs12 -in store.p12 -out server.pem
        listener.name.plaintext.max.connections=5: ok [("listener.name.plaintext.max.connections", Some("5"))]
        log.cleanup.policy=foo: 42 Invalid value foo for configuration log.cleanup.policy: String must be one of: compact, delete
        log.cleanup.policy=compact: ok [("log.cleanup.policy", Some("compact"))]
        min.insync.replicas=0: 42 Invalid value 0 for configuration min.insync.replicas: Value must be at least 1
        max.connections.per.ip.overrides=abc: 42 max.connections.per.ip.overrides must be host:count pairs, as in 127.0.0.1:100
        sasl.jaas.config=foo: ok [("sasl.jaas.config", Some("foo"))]
        leader.replication.throttled.rate=100: ok [("leader.replication.throttled.rate", Some("100"))]
        follower.replication.throttled.rate=abc: 42 Invalid value abc for configuration follower.replication.throttled.rate: Not a number of type LONG
        group.consumer.assignment.interval.ms=2000: ok [("group.consumer.assignment.interval.ms", Some("2000"))]
        compression.type=foo: 42 Invalid value foo for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer
    "#]],
    );
}

#[test]
fn all_brokers() {
    sets(
        Resource::Cluster,
        BROKER_PAIRS,
        expect![[r#"
        no.such.key=1: ok [("no.such.key", Some("1"))]
        num.partitions=3: 42 Cannot update these configs dynamically: [num.partitions]
        node.id=2: 42 Cannot update these configs dynamically: [node.id]
        advertised.listeners=PLAINTEXT://a:1: 42 Cannot update these configs dynamically: [advertised.listeners]
        log.retention.ms=abc: 42 Invalid value abc for configuration log.retention.ms: Not a number of type LONG
        log.retention.ms=-2: ok [("log.retention.ms", Some("-2"))]
        log.retention.ms=0: 42 log.retention.ms must be at least 1, or -1 to keep records for ever
        log.roll.ms=0: 42 log.roll.ms must be at least 1
        num.io.threads=0: 42 Invalid value 0 for configuration num.io.threads: Value must be at least 1
        num.io.threads=9: ok [("num.io.threads", Some("9"))]
        listeners=PLAINTEXT://127.0.0.1:29099: 42 Cannot update these configs at default cluster level, broker id must be specified: [listeners]
        ssl.keystore.location=/x: 42 These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.location]
        listener.name.plaintext.ssl.keystore.location=/x: 42 Cannot update these configs at default cluster level, broker id must be specified: [listener.name.plaintext.ssl.keystore.location]
        listener.name.plaintext.max.connections=5: ok [("listener.name.plaintext.max.connections", Some("5"))]
        log.cleanup.policy=foo: 42 Invalid value foo for configuration log.cleanup.policy: String must be one of: compact, delete
        log.cleanup.policy=compact: ok [("log.cleanup.policy", Some("compact"))]
        min.insync.replicas=0: 42 Invalid value 0 for configuration min.insync.replicas: Value must be at least 1
        max.connections.per.ip.overrides=abc: 42 max.connections.per.ip.overrides must be host:count pairs, as in 127.0.0.1:100
        sasl.jaas.config=foo: 42 Cannot update these configs at default cluster level, broker id must be specified: [sasl.jaas.config]
        leader.replication.throttled.rate=100: ok [("leader.replication.throttled.rate", Some("100"))]
        follower.replication.throttled.rate=abc: 42 Invalid value abc for configuration follower.replication.throttled.rate: Not a number of type LONG
        group.consumer.assignment.interval.ms=2000: ok [("group.consumer.assignment.interval.ms", Some("2000"))]
        compression.type=foo: 42 Invalid value foo for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer
    "#]],
    );
    let change = Change {
        key: "num.io.threads",
        operation: Operation::Append,
        value: Some("3"),
    };
    let configuration = Configuration::default();
    let answer = alter(
        Resource::Broker,
        &Overrides::new(),
        &[change],
        &configuration,
    );
    expect!["40 Config value append is not allowed for config key: num.io.threads"]
        .assert_eq(&told(answer));
}

#[test]
fn a_group() {
    sets(
        Resource::Group,
        &[
            "consumer.session.timeout.ms=1",
            "consumer.session.timeout.ms=50000",
            "consumer.session.timeout.ms=x",
            "no.such=1",
            "share.auto.offset.reset=foo",
            "share.auto.offset.reset=by_duration:PT1H",
            "share.auto.offset.reset=by_duration:P",
            "share.auto.offset.reset=by_duration:PT0S",
            "share.auto.offset.reset=by_duration:P2DT1.5S",
            "share.delivery.count.limit=1",
            "share.isolation.level=x",
            "consumer.heartbeat.interval.ms=50000",
            "share.record.lock.duration.ms=999999999",
            "share.partition.max.record.locks=5000",
            "streams.num.standby.replicas=99",
        ],
        expect![[r#"
            consumer.session.timeout.ms=1: 40 consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms
            consumer.session.timeout.ms=50000: ok [("consumer.session.timeout.ms", Some("50000"))]
            consumer.session.timeout.ms=x: 40 Invalid value x for configuration consumer.session.timeout.ms: Not a number of type INT
            no.such=1: 40 Unknown group config name: no.such
            share.auto.offset.reset=foo: 40 Invalid value foo for configuration share.auto.offset.reset: Invalid value `foo` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.
            share.auto.offset.reset=by_duration:PT1H: ok [("share.auto.offset.reset", Some("by_duration:PT1H"))]
            share.auto.offset.reset=by_duration:P: 40 Invalid value by_duration:P for configuration share.auto.offset.reset: Invalid value `by_duration:P` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.
            share.auto.offset.reset=by_duration:PT0S: 40 Invalid value by_duration:PT0S for configuration share.auto.offset.reset: Invalid value `by_duration:PT0S` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.
            share.auto.offset.reset=by_duration:P2DT1.5S: ok [("share.auto.offset.reset", Some("by_duration:P2DT1.5S"))]
            share.delivery.count.limit=1: 40 Invalid value 1 for configuration share.delivery.count.limit: Value must be at least 2
            share.isolation.level=x: 40 Invalid value x for configuration share.isolation.level: String must be one of: read_committed, read_uncommitted
            consumer.heartbeat.interval.ms=50000: 40 consumer.heartbeat.interval.ms must be less than or equal to group.consumer.max.heartbeat.interval.ms
            share.record.lock.duration.ms=999999999: 40 share.record.lock.duration.ms must be less than or equal to group.share.max.record.lock.duration.ms
            share.partition.max.record.locks=5000: 40 share.partition.max.record.locks must be less than or equal to group.share.max.partition.max.record.locks
            streams.num.standby.replicas=99: 40 streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas
        "#]],
    );
}

#[test]
fn client_metrics() {
    sets(
        Resource::ClientMetrics,
        &[
            "interval.ms=1",
            "interval.ms=1000",
            "no.such=1",
            "match=foo",
            "match=client_id=a",
            "match=client_nose=a",
            "metrics=x,y",
            "metrics=*",
        ],
        expect![[r#"
            interval.ms=1: 42 Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)
            interval.ms=1000: ok [("interval.ms", Some("1000"))]
            no.such=1: 42 Unknown client metrics configuration: no.such
            match=foo: 40 Illegal client matching pattern: foo
            match=client_id=a: ok [("match", Some("client_id=a"))]
            match=client_nose=a: 40 Illegal client matching pattern: client_nose=a
            metrics=x,y: ok [("metrics", Some("x,y"))]
            metrics=*: ok [("metrics", Some("*"))]
        "#]],
    );
}
