//! What a broker makes of its settings: sources, classes, refusals.

use super::*;
use crate::base::prng::Prng;
use crate::config::listener::SecurityProtocol;
use expect_test::{Expect, expect};

/// Loads a file, and gives what is said: errors, or notices.
fn said(file: &str) -> String {
    let sources = Sources {
        file: Some(("server.properties", file.as_bytes())),
        ..Sources::default()
    };
    match Configuration::load(&sources, false) {
        Ok((_, notices)) => notices.iter().map(|notice| format!("{notice}\n")).collect(),
        Err(errors) => format!("{errors}\n"),
    }
}

#[track_caller]
fn says(file: &str, expected: Expect) {
    expected.assert_eq(&said(file));
}

fn loaded(file: &str) -> Configuration {
    let sources = Sources {
        file: Some(("server.properties", file.as_bytes())),
        ..Sources::default()
    };
    Configuration::load(&sources, true).expect("it is sound").0
}

#[test]
fn the_built_in_file_makes_a_broker() {
    let (configuration, notices) =
        Configuration::load(&Sources::default(), true).expect("it is sound");
    assert_eq!(notices, []);
    assert_eq!(configuration.node_id(), NodeId(1));
    assert_eq!(configuration.log_dirs(), ["./klamm-data"]);
    assert_eq!(configuration.metadata_log_dir(), "./klamm-data");
    let [listener] = configuration.listeners() else {
        panic!("one listener");
    };
    assert_eq!(listener.address(), "127.0.0.1:9092");
    assert_eq!(
        configuration.advertised_listeners(),
        configuration.listeners()
    );
    assert_eq!(configuration.inter_broker_listener_name(), "PLAINTEXT");
    assert_eq!(configuration.cores(), None);
    assert_eq!(configuration.int("offsets.topic.replication.factor"), 1);
}

/// A file without a word has Kafka's defaults, not those of the first minute.
#[test]
fn an_empty_file_has_kafkas_defaults() {
    let configuration = loaded("");
    assert!(configuration.listeners()[0].binds_all());
    assert_eq!(configuration.log_dirs(), ["/tmp/kafka-logs"]);
    assert_eq!(configuration.int("offsets.topic.replication.factor"), 3);
    assert_eq!(configuration.node_id(), NodeId(1));
}

/// The file that Apache Kafka ships says nothing that is worth a word, but for what it names.
#[test]
fn the_file_that_kafka_ships_is_taken() {
    let file = "\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=2
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
";
    says(file, expect![""]);
    let configuration = loaded(file);
    assert_eq!(configuration.listeners().len(), 1);
    assert_eq!(configuration.controller_listeners()[0].port, 9093);
    assert_eq!(
        configuration.advertised_listeners()[0].address(),
        "localhost:9092"
    );
}

#[test]
fn later_sources_win() {
    let environment = [
        ("KAFKA_NUM_PARTITIONS".to_owned(), "2".to_owned()),
        (
            "KAFKA_DEFAULT_REPLICATION_FACTOR".to_owned(),
            "2".to_owned(),
        ),
        ("KAFKA_HEAP_OPTS".to_owned(), "-Xmx1g".to_owned()),
        ("HOME".to_owned(), "/root".to_owned()),
    ];
    let overrides = ["num.partitions = 3".to_owned()];
    let file = b"num.partitions=1\ndefault.replication.factor=1\nfetch.max.bytes=5000\n\
        fetch.max.bytes=6000\n";
    let sources = Sources {
        file: Some(("f", file)),
        environment: &environment,
        overrides: &overrides,
    };
    let (configuration, notices) = Configuration::load(&sources, true).expect("it is sound");
    assert_eq!(notices, []);
    assert_eq!(configuration.num_partitions(), 3);
    assert_eq!(configuration.default_replication_factor(), 2);
    assert_eq!(configuration.fetch_max_bytes(), 6000);
    assert_eq!(
        configuration.origin("num.partitions"),
        Some(&Origin::Override)
    );
    let variable = "KAFKA_DEFAULT_REPLICATION_FACTOR".to_owned();
    assert_eq!(
        configuration.origin("default.replication.factor"),
        Some(&Origin::Environment(variable))
    );
    let text = configuration
        .origin("fetch.max.bytes")
        .map(ToString::to_string);
    assert_eq!(text.as_deref(), Some("f:4"));
    // Variables alone take the place of the built-in file too.
    let sources = Sources {
        environment: &environment,
        ..Sources::default()
    };
    let (configuration, _) = Configuration::load(&sources, true).expect("it is sound");
    assert!(configuration.listeners()[0].binds_all());
}

#[test]
fn dynamic_configs_win_over_static_ones() {
    let configuration = loaded("message.max.bytes=1000\nlog.segment.bytes=2000000\n");
    let map = |pairs: &[(&str, &str)]| -> Overrides {
        let owned = pairs
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
        owned.collect()
    };
    let (configuration, errors) = configuration.with_dynamic(
        &map(&[("message.max.bytes", "3000"), ("log.retention.ms", "soon")]),
        &map(&[
            ("message.max.bytes", "2000"),
            ("log.segment.bytes", "3000000"),
        ]),
    );
    assert_eq!(configuration.int("message.max.bytes"), 3000);
    assert_eq!(
        configuration.value("log.segment.bytes").number(),
        Some(3_000_000)
    );
    assert_eq!(configuration.value("log.retention.ms"), &Value::Null);
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["dynamic config: log.retention.ms is 'soon', but must be a whole number of 64 bits"]
    );
    let (configuration, _) = configuration.with_dynamic(&Overrides::new(), &Overrides::new());
    assert_eq!(configuration.int("message.max.bytes"), 1000);
}

#[test]
fn wrong_values() {
    says(
        "num.partitions=many\nnum.io.threads=0\nlog.cleaner.threads=99999999999\n\
         auto.create.topics.enable=yes\ncompression.lz4.level=18\nlog.retention.bytes=1.5\n\
         log.cleaner.min.cleanable.ratio=half\nlog.cleaner.min.cleanable.ratio=2\n\
         compression.type=zstandard\ncompression.gzip.level=0\nlog.cleanup.policy=delete, compct\n\
         offsets.topic.replication.factor=40000\nssl.key.password=\n\
         log.message.timestamp.type=createtime\ngroup.consumer.migration.policy=up\n",
        expect![[r#"
            server.properties:1: num.partitions is 'many', but must be a whole number of 32 bits
            server.properties:2: num.io.threads is '0', but must be at least 1
            server.properties:3: log.cleaner.threads is '99999999999', but must be a whole number of 32 bits
            server.properties:4: auto.create.topics.enable is 'yes', but must be true or false
            server.properties:5: compression.lz4.level is '18', but must be at most 17
            server.properties:6: log.retention.bytes is '1.5', but must be a whole number of 64 bits
            server.properties:8: log.cleaner.min.cleanable.ratio is '2', but must be at most 1
            server.properties:9: compression.type is 'zstandard', but must be one of uncompressed, zstd, lz4, snappy, gzip, producer
            server.properties:10: compression.gzip.level is '0', but must be from 1 to 9, or -1
            server.properties:11: log.cleanup.policy is 'delete, compct', but must be one of compact, delete (did you mean compact?)
            server.properties:12: offsets.topic.replication.factor is '40000', but must be a whole number of 16 bits
            server.properties:14: log.message.timestamp.type is 'createtime', but must be one of CreateTime, LogAppendTime (did you mean CreateTime?)
            server.properties:15: group.consumer.migration.policy is 'up', but must be one of DISABLED, DOWNGRADE, UPGRADE, BIDIRECTIONAL
        "#]],
    );
}

#[test]
fn unknown_and_removed_keys() {
    says(
        "num.partitons=1\nlog.dri=/x\nfoo=bar\nNode.Id=1\n\
         listener.name.plaintext.max.conections=1\n",
        expect![[r#"
            server.properties:1: there is no setting num.partitons: did you mean num.partitions?
            server.properties:2: there is no setting log.dri: did you mean log.dir?
            server.properties:4: there is no setting Node.Id: did you mean node.id?
            server.properties:5: there is no setting listener.name.plaintext.max.conections: did you mean listener.name.plaintext.max.connections?
        "#]],
    );
    // What resembles no setting may be a plugin's own, as in Kafka.
    says(
        "foo=bar\nlog.retention.days=7\ninter.broker.protocol.version=3.9\n\
         super.users=User:admin\nrsm.config.bucket=b\n",
        expect![[r#"
            server.properties:1: there is no setting foo
            server.properties:2: there is no setting log.retention.days: did you mean log.retention.ms?
            server.properties:3: inter.broker.protocol.version has no effect: Apache Kafka 4.0 removed it
            server.properties:4: super.users has no effect: klamm has no access control lists yet
            server.properties:5: rsm.config.bucket has no effect: klamm keeps all segments on its own disks
        "#]],
    );
    let environment = [("KAFKA_NUM_PARTITONS".to_owned(), "1".to_owned())];
    let sources = Sources {
        environment: &environment,
        ..Sources::default()
    };
    let (_, notices) = Configuration::load(&sources, false).expect("it may be another program's");
    expect!["environment variable KAFKA_NUM_PARTITONS: there is no setting num.partitons: did you mean num.partitions?"]
        .assert_eq(&notices[0].to_string());
    says(
        "zookeeper.connect=localhost:2181\ndelegation.token.master.key=x\n",
        expect![[r#"
            server.properties:1: klamm refuses zookeeper.connect: ZooKeeper is gone since Apache Kafka 4.0, and the topics it knows would not be found; migrate the cluster to KRaft with Apache Kafka 3.9, then remove the line
            server.properties:2: klamm refuses delegation.token.master.key: it has no delegation tokens yet, and clients that hold one could not log in; remove the line
        "#]],
    );
    let sources = Sources {
        file: Some(("server.properties", b"foo=1\n")),
        ..Sources::default()
    };
    let errors = Configuration::load(&sources, true).expect_err("strict");
    expect!["server.properties:1: there is no setting foo"].assert_eq(&errors.to_string());
}

#[test]
fn what_klamm_refuses() {
    says(
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
         remote.log.storage.system.enable=true\nssl.keystore.location=/etc/k.jks\n\
         ssl.truststore.location=/etc/t.jks\ndelegation.token.secret.key=geheim\n\
         create.topic.policy.class.name=a.B\nclient.quota.callback.class=a.B\n\
         principal.builder.class=a.B\nconfig.providers=file\nssl.client.auth=required\n\
         transaction.two.phase.commit.enable=true\n",
        expect![[r#"
            server.properties:1: klamm refuses authorizer.class.name: it has no access control lists yet, and everyone would be allowed everything; remove the line, and let only trusted hosts reach the listeners
            server.properties:2: klamm refuses remote.log.storage.system.enable: it has no remote storage, and segments that lie there would be lost to readers; set it to false once all topics have remote.storage.enable=false
            server.properties:3: klamm refuses ssl.keystore.location: it does not serve TLS yet, and it will read PEM files instead of Java key stores; remove the line; to convert the store: keytool -importkeystore -srckeystore STORE -destkeystore store.p12 -deststoretype PKCS12 && openssl pkcs12 -in store.p12 -out server.pem
            server.properties:4: klamm refuses ssl.truststore.location: it does not serve TLS yet, and it will read PEM files instead of Java trust stores; remove the line; to convert the store: keytool -list -rfc -keystore STORE > trusted.pem
            server.properties:5: klamm refuses delegation.token.secret.key: it has no delegation tokens yet, and clients that hold one could not log in; remove the line
            server.properties:6: klamm refuses create.topic.policy.class.name: it loads no Java classes, and what this policy forbids would be allowed; remove the line
            server.properties:7: klamm refuses client.quota.callback.class: it loads no Java classes, and the quotas of this one would not hold; remove the line
            server.properties:8: klamm refuses principal.builder.class: it loads no Java classes, and clients would act under other names; remove the line
            server.properties:9: klamm refuses config.providers: it loads no Java classes, and ${provider:path:key} would be taken for the value itself; remove the line, and write the values into the file or into KAFKA_ variables
            server.properties:10: klamm refuses ssl.client.auth: it does not serve TLS yet, and no client would be asked for its certificate; remove the line, and let only trusted hosts reach the listeners
            server.properties:11: klamm refuses transaction.two.phase.commit.enable: it has no two-phase commit yet, and prepared transactions would be aborted; set it to false
        "#]],
    );
    // Saying the default, or nothing, asks for nothing.
    says(
        "authorizer.class.name=\nremote.log.storage.system.enable=false\nssl.client.auth=none\n\
         ssl.keystore.location=\nssl.keystore.type=JKS\nconfig.providers=\n",
        expect![[""]],
    );
}

#[test]
fn what_has_no_effect_is_said() {
    says(
        "num.network.threads=6\nqueued.max.requests=1\nsasl.jaas.config=secret\n\
         ssl.protocol=TLSv1.2\nreplica.lag.time.max.ms=1\nmetric.reporters=a.B\n\
         log.cleaner.threads=2\n",
        expect![[r#"
            server.properties:1: num.network.threads has no effect: klamm has one shard per core instead of thread pools: klamm.cores sets how many
            server.properties:2: queued.max.requests has no effect: klamm has one shard per core instead of thread pools: klamm.cores sets how many
            server.properties:3: sasl.jaas.config has no effect: klamm does not serve SASL yet
            server.properties:4: ssl.protocol has no effect: klamm does not serve TLS yet
            server.properties:5: replica.lag.time.max.ms has no effect: klamm is a cluster of one, for now
            server.properties:6: metric.reporters has no effect: klamm loads no Java classes to report its metrics
            server.properties:7: log.cleaner.threads has no effect: klamm does not compact yet: cleanup.policy=compact asks for keys and keeps every record
        "#]],
    );
}

#[test]
fn roles_quorum_and_ids() {
    says(
        "process.roles=broker\n",
        expect![[r#"
        server.properties:1: process.roles is 'broker', but must be broker,controller: klamm is both in one node, for now
    "#]],
    );
    says(
        "process.roles=broker,contoller\n",
        expect![[r#"
        server.properties:1: process.roles is 'broker,contoller', but must be one of broker, controller (did you mean controller?)
    "#]],
    );
    says(
        "node.id=-1\n",
        expect![[r#"
        server.properties:1: node.id is '-1', but must be at least 0
    "#]],
    );
    says(
        "node.id=1\nbroker.id=2\n",
        expect![[r#"
        server.properties:2: broker.id is '2', but must be 1 as node.id, or left out
    "#]],
    );
    says(
        "node.id=1\ncontroller.quorum.voters=1@a:9093,2@b:9093,3@c:9093\n",
        expect![[r#"
            server.properties:2: klamm refuses controller.quorum.voters: it is a cluster of one for now, and would wait for the others for ever; let it name only this node, or remove the line
        "#]],
    );
    says(
        "node.id=2\ncontroller.quorum.voters=1@a:9093\n",
        expect![[r#"
            server.properties:2: klamm refuses controller.quorum.voters: it is a cluster of one for now, and would wait for the others for ever; let it name only this node, or remove the line
        "#]],
    );
    says(
        "controller.quorum.voters=a:9093\n",
        expect![[r#"
        server.properties:1: controller.quorum.voters is 'a:9093', but must be id@host:port, as in 1@localhost:9093
    "#]],
    );
    says(
        "controller.quorum.bootstrap.servers=a:1,b:1\n",
        expect![[r#"
            server.properties:1: klamm refuses controller.quorum.bootstrap.servers: it is a cluster of one for now, and would wait for the others for ever; let it name only this node, or remove the line
        "#]],
    );
    assert_eq!(
        said("node.id=7\ncontroller.quorum.voters=7@localhost:9093\n"),
        ""
    );
    let configuration = loaded("broker.id=5\n");
    assert_eq!(configuration.node_id(), NodeId(5));
    let configuration = Configuration::from_overrides(&["broker.id=5"]).expect("it is sound");
    assert_eq!(configuration.node_id(), NodeId(5));
}

#[test]
fn listeners() {
    says(
        "listeners=9092\n",
        expect![[r#"
        server.properties:1: listeners is '9092', but must be NAME://host:port, as in PLAINTEXT://127.0.0.1:9092, separated by commas
    "#]],
    );
    says(
        "listeners=PLAINTXT://:9092\n",
        expect![[r#"
            server.properties:1: listeners is 'PLAINTXT://:9092', but must be named as in listener.security.protocol.map, where PLAINTXT is not (did you mean PLAINTEXT?)
        "#]],
    );
    says(
        "listeners=SSL://:9093\n",
        expect![[r#"
            server.properties:1: klamm refuses the listener SSL://:9093: it does not serve TLS or SASL yet, and clients would meet plain text; use PLAINTEXT listeners, reachable from trusted hosts only
        "#]],
    );
    says(
        "listeners=SASL_PLAINTEXT://:9093,PLAINTEXT://:9092\n",
        expect![[r#"
            server.properties:1: klamm refuses the listener SASL_PLAINTEXT://:9093: it does not serve TLS or SASL yet, and clients would meet plain text; use PLAINTEXT listeners, reachable from trusted hosts only
        "#]],
    );
    says(
        "listeners=PLAINTEXT://a:1,PLAINTEXT://a:2\n",
        expect![[r#"
            server.properties:1: listeners is 'PLAINTEXT://a:1,PLAINTEXT://a:2', but must be of different names (PLAINTEXT comes twice)
        "#]],
    );
    says(
        "listeners=A://a:1,B://:1\nlistener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT\n\
         inter.broker.listener.name=A\n",
        expect![[r#"
            server.properties:1: listeners is 'A://a:1,B://:1', but must be on different ports (1 comes twice)
        "#]],
    );
    says(
        "listeners=PLAINTEXT://0.0.0.0:9092\n",
        expect![[r#"
            advertised.listeners must be set to what clients can dial, as in PLAINTEXT://HOST:9092: listeners binds all interfaces
        "#]],
    );
    says(
        "listeners=PLAINTEXT://0.0.0.0:9092\nadvertised.listeners=PLAINTEXT://0.0.0.0:9092\n",
        expect![[r#"
            server.properties:2: advertised.listeners is 'PLAINTEXT://0.0.0.0:9092', but must be an address that clients can dial, not 0.0.0.0
        "#]],
    );
    says(
        "advertised.listeners=PLAINTXT://a:9092\n",
        expect![[r#"
            server.properties:1: advertised.listeners is 'PLAINTXT://a:9092', but must be named as in listener.security.protocol.map, where PLAINTXT is not (did you mean PLAINTEXT?)
        "#]],
    );
    says(
        "inter.broker.listener.name=INTERNAL\n",
        expect![[r#"
        server.properties:1: inter.broker.listener.name is 'INTERNAL', but must be the name of a listener for clients: PLAINTEXT
    "#]],
    );
    says(
        "security.inter.broker.protocol=SSL\n",
        expect![[r#"
        server.properties:1: security.inter.broker.protocol is 'SSL', but must be the protocol of one of the listeners
    "#]],
    );
    says(
        "listener.security.protocol.map=A:TLS\n",
        expect![[r#"
            server.properties:1: listener.security.protocol.map is 'A:TLS', but must be NAME:PROTOCOL pairs ('A:TLS' is none), of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL
        "#]],
    );
    says(
        "listeners=CONTROLLER://:9093\ncontroller.listener.names=CONTROLLER\n",
        expect![[r#"
            server.properties:1: listeners is 'CONTROLLER://:9093', but must be NAME://host:port, at least one that controller.listener.names does not name
        "#]],
    );
    let configuration = loaded(
        "listeners=internal://:9092,EXTERNAL://[::1]:9094\ninter.broker.listener.name=INTERNAL\n\
         listener.security.protocol.map=INTERNAL:PLAINTEXT,EXTERNAL:plaintext\n\
         advertised.listeners=INTERNAL://kafka-1:9092,EXTERNAL://localhost:9094\n\
         listener.name.internal.max.connections=5\n",
    );
    let [internal, external] = configuration.listeners() else {
        panic!("two listeners");
    };
    assert_eq!(
        (internal.name.as_str(), internal.host.as_str()),
        ("INTERNAL", "")
    );
    assert_eq!(
        (external.address().as_str(), external.protocol.code()),
        ("[::1]:9094", 0)
    );
    assert_eq!(SecurityProtocol::Plaintext.name(), "PLAINTEXT");
    assert_eq!(
        configuration.advertised_listeners()[0].address(),
        "kafka-1:9092"
    );
}

#[test]
fn settings_that_do_not_fit_together() {
    says(
        "log.dirs=,\n",
        expect![[r#"
            server.properties:1: log.dirs is ',', but must be directories, separated by commas
        "#]],
    );
    says(
        "log.dirs=/a,/b,/a\n",
        expect![[r#"
        server.properties:1: log.dirs is '/a,/b,/a', but must be directories that differ from each other
    "#]],
    );
    says(
        "log.retention.hours=0\nlog.roll.ms=0\nlog.roll.jitter.ms=-1\n",
        expect![[r#"
            server.properties:1: log.retention.hours is '0', but must be at least 1, or -1 to keep records for ever
            server.properties:2: log.roll.ms is '0', but must be at least 1
            server.properties:3: log.roll.jitter.ms is '-1', but must be at least 0
        "#]],
    );
    says(
        "group.min.session.timeout.ms=10\ngroup.max.session.timeout.ms=5\n\
         group.consumer.session.timeout.ms=5\n",
        expect![[r#"
            server.properties:2: group.max.session.timeout.ms is '5', but must be at least 10, which is group.min.session.timeout.ms
            server.properties:3: group.consumer.session.timeout.ms is '5', but must be from 45000 (group.consumer.min.session.timeout.ms) to 60000 (group.consumer.max.session.timeout.ms)
        "#]],
    );
    says(
        "max.connections.per.ip.overrides=localhost\n",
        expect![[r#"
            server.properties:1: max.connections.per.ip.overrides is 'localhost', but must be host:count pairs, as in 127.0.0.1:100
        "#]],
    );
    says(
        "klamm.cores=0\n",
        expect![[r#"
        server.properties:1: klamm.cores is '0', but must be at least 1
    "#]],
    );
    says(
        "a=\\u12",
        expect![[r#"
        server.properties: line 1: \u must be followed by four hexadecimal digits, as in \u00e9
    "#]],
    );
    let overrides = ["num.partitions".to_owned(), "num.partitions=x".to_owned()];
    let sources = Sources {
        overrides: &overrides,
        ..Sources::default()
    };
    let errors = Configuration::load(&sources, false).expect_err("both are wrong");
    expect![[r#"
        --override num.partitions: must be key=value, as in num.partitions=3
        --override: num.partitions is 'x', but must be a whole number of 32 bits"#]]
    .assert_eq(&errors.to_string());
}

#[test]
fn secrets_are_not_shown() {
    for setting in rows::all_broker_settings().filter(|setting| setting.sensitive()) {
        let text = said(&format!("{}=geheim\n", setting.name));
        assert!(!text.contains("geheim"), "{text}");
    }
}

/// Random values for every setting are taken or refused with a sentence; nothing panics.
#[test]
fn fuzz() {
    let values = [
        "",
        " ",
        "-1",
        "0",
        "1",
        "99999999999999999999",
        "1e400",
        "NaN",
        "true",
        "a,b,,c",
        "PLAINTEXT://",
        "PLAINTEXT://:0",
        "://:1",
        "A:B",
        "1@",
        "@:1",
        "1@x:1",
        "*",
        "by_duration:P",
        "\u{0}",
        "é",
        "${file:x}",
        "2147483648",
        "-9223372036854775808",
        "9223372036854775807",
    ];
    let names: Vec<&str> = rows::all_broker_settings()
        .map(|setting| setting.name)
        .collect();
    for seed in 0..3_000 {
        let mut random = Prng::new(seed);
        let mut file = String::new();
        for _ in 0..=random.index(4) {
            let name = names[random.index(names.len())];
            file.push_str(&format!("{name}={}\n", values[random.index(values.len())]));
        }
        let _ = said(&file);
    }
}
