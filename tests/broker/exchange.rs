//! Whole directories change hands: what klamm wrote, Apache Kafka 4.3.1 serves, and the other way
//! round. Records, topics, settings and transactions are the same in every hand, and each of them
//! writes on where the other has stopped.

use crate::apache::Quorum;
use crate::broker::{Broker, Program};
use crate::deadline::wait_for;
use crate::exact;
use crate::installed;
use crate::kcat;
use crate::plan::{Record, Topic};
use crate::report::Seen;
use crate::tools;
use serde_json::Value;

/// The topics that `exchange.py create` leaves, and how many partitions each has.
const TOPICS: [(&str, i32); 3] = [("orders", 3), ("small.segments", 1), ("compacted", 2)];

/// Fewer partitions of the internal topic than Apache's default of 50: they are not what this is
/// about, and each takes time.
const SETTINGS: [&str; 3] = [
    "auto.create.topics.enable=false",
    "transaction.state.log.num.partitions=2",
    "group.initial.rebalance.delay.ms=0",
];

/// Runs `exchange.py`; what it printed.
fn exchange(broker: &Broker, verb: &str, more: &[&str]) -> String {
    let output = installed::python("exchange.py")
        .args([verb, &broker.bootstrap])
        .args(more)
        .output()
        .expect("python runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "exchange.py {verb}: {complaint}");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// Everything that a broker says of topics and settings.
fn described(broker: &Broker) -> Value {
    let printed = exchange(broker, "describe", &[]);
    serde_json::from_str(&printed).expect("it prints JSON")
}

/// Writes to every topic, in the name of whoever serves now.
fn write(broker: &Broker, whom: &str) {
    for (name, partitions) in TOPICS {
        for codec in ["none", "gzip", "lz4", "zstd"] {
            let record = |number: i32| Record {
                partition: number % partitions,
                timestamp: None,
                key: Some(format!("{whom}-{number}").into_bytes()),
                value: Some(format!("{whom} {codec} {number} ").repeat(300).into_bytes()),
                headers: vec![("by".to_owned(), Some(whom.as_bytes().to_vec()))],
            };
            let topic = Topic {
                name: name.to_owned(),
                codec,
                acks: "all",
                idempotent: false,
                configs: Vec::new(),
                records: (0..60).map(record).collect(),
            };
            kcat::produce(broker, &topic);
        }
    }
}

/// Everything that stands in the topics, partition by partition.
fn records(broker: &Broker) -> Vec<(&'static str, Vec<Seen>)> {
    TOPICS
        .iter()
        .map(|&(name, _)| {
            let mut seen = kcat::read(broker, name);
            seen.sort_by_key(|seen| (seen.record.partition, seen.offset));
            (name, seen)
        })
        .collect()
}

/// The next in the row starts on the directory, and finds all that was there; then it writes on.
fn hand_to(broker: &mut Broker, program: Program, whom: &str) {
    let before = Found::now(broker);
    broker.stop();
    broker.hand_to(program);
    before.assert_found(broker, whom);
    write(broker, whom);
}

/// All that a broker has.
struct Found {
    described: Value,
    records: Vec<(&'static str, Vec<Seen>)>,
}

impl Found {
    fn now(broker: &Broker) -> Found {
        let described = described(broker);
        let records = records(broker);
        assert!(records.iter().all(|(_, seen)| seen.len() >= 240));
        Found { described, records }
    }

    fn assert_found(&self, broker: &Broker, whom: &str) {
        let after = Found::now(broker);
        for ((name, before), (_, after)) in self.records.iter().zip(&after.records) {
            let differs = before.iter().zip(after).find(|(one, other)| one != other);
            assert_eq!(differs, None, "{whom} finds other records in {name}");
            assert_eq!(before.len(), after.len(), "records in {name} for {whom}");
        }
        let (before, after) = (&self.described, &after.described);
        assert_eq!(before, after, "what {whom} says of topics and settings");
    }
}

/// Makes topics, gives settings to them, to the broker, and to all brokers.
fn create(broker: &Broker) {
    exchange(broker, "create", &[]);
    // librdkafka cannot say that.
    exact::alter_all_brokers(&mut broker.connect(), "message.max.bytes", "3000000");
}

#[test]
fn klamms_directory_goes_to_apache_and_comes_back() {
    let mut broker = Broker::start_as(Program::Klamm, Quorum::Static, &SETTINGS);
    create(&broker);
    write(&broker, "klamm");
    hand_to(&mut broker, Program::Apache, "apache");
    hand_to(&mut broker, Program::Klamm, "klamm-again");
    let printed = broker.printed();
    assert!(!printed.contains("bytes checked"), "{printed}");
}

/// What klamm writes ahead of records that are synced one by one is cut off by whoever comes after a kill.
#[test]
fn zeros_of_a_killed_klamm_are_cut_off_by_apache() {
    let settings = [&SETTINGS[..], &["log.flush.interval.messages=1"]].concat();
    let mut broker = Broker::start_as(Program::Klamm, Quorum::Static, &settings);
    create(&broker);
    write(&broker, "klamm");
    let before = Found::now(&broker);
    broker.kill();
    let segment = broker.data().join("orders-0/00000000000000000000.log");
    let bytes = std::fs::read(segment).expect("klamm's segment");
    assert!(bytes.ends_with(&[0; 1000]), "it has zeros ahead");
    broker.hand_to(Program::Apache);
    before.assert_found(&broker, "apache");
    write(&broker, "apache");
    hand_to(&mut broker, Program::Klamm, "klamm-again");
}

#[test]
fn apaches_directory_of_a_dynamic_quorum_goes_to_klamm_and_comes_back() {
    let mut broker = Broker::start_as(Program::Apache, Quorum::Dynamic, &SETTINGS);
    create(&broker);
    write(&broker, "apache");
    hand_to(&mut broker, Program::Klamm, "klamm");
    hand_to(&mut broker, Program::Apache, "apache-again");
}

/// What a reader sees of the partition with the transactions, by Kafka's two isolation levels:
/// offsets, and the first word of each value.
fn by_isolation(broker: &Broker) -> [Vec<(i64, String)>; 2] {
    ["read_uncommitted", "read_committed"].map(|level| {
        let found = kcat::read_isolated(broker, "small.segments", level);
        let word = |seen: Seen| {
            let value = String::from_utf8(seen.record.value.expect("a value")).expect("text");
            let word = value.split(' ').next().expect("a first word");
            (seen.offset, word.to_owned())
        };
        found.into_iter().map(word).collect()
    })
}

/// The words of a kind of record, as `exchange.py` counts them.
fn words(kind: &str, count: usize) -> impl Iterator<Item = String> {
    let kind = kind.to_owned();
    (0..count).map(move |number| format!("{kind}-{number}"))
}

#[test]
fn transactions_of_a_killed_apache_are_read_by_klamm_and_ended_by_apache() {
    let mut broker = Broker::start_as(Program::Apache, Quorum::Static, &SETTINGS);
    create(&broker);
    write(&broker, "apache");
    exchange(&broker, "transactions", &["small.segments"]);
    let before = Found::now(&broker);
    let isolated = by_isolation(&broker);
    let [all, committed] = &isolated;
    // What is written above the open transaction is not seen, committed or not.
    let expected: Vec<String> = words("committed", 10)
        .chain(words("plain", 5))
        .chain(words("plain-later", 5))
        .collect();
    let seen = committed.iter().map(|(_, word)| word);
    let seen: Vec<&String> = seen.filter(|word| *word != "apache").collect();
    assert_eq!(seen, expected.iter().collect::<Vec<_>>());
    assert_eq!(all.len() - committed.len(), 80 + 5 + 5 + 5);

    broker.kill();
    for how in ["after the kill", "after a clean stop", "after klamm's kill"] {
        broker.hand_to(Program::Klamm);
        before.assert_found(&broker, how);
        assert_eq!(by_isolation(&broker), isolated, "{how}");
        if how == "after a clean stop" {
            broker.kill();
            continue;
        }
        if how == "after the kill" {
            tools::console_consumer_sees(
                &broker,
                "small.segments --isolation-level read_committed",
                committed.iter().map(|(_, word)| word.as_str()),
            );
        }
        broker.stop();
    }

    broker.hand_to(Program::Apache);
    before.assert_found(&broker, "apache");
    exchange(&broker, "finish", &["small.segments"]);
    let last: Vec<String> = words("committed-above-open", 5)
        .chain(words("committed-at-last", 5))
        .collect();
    let expected: Vec<String> = committed
        .iter()
        .map(|(_, word)| word.clone())
        .chain(last)
        .collect();
    // The markers of a transaction are written a moment after its producer was answered.
    wait_for("the transaction to be seen", || {
        let [_, committed] = by_isolation(&broker);
        let seen = committed.into_iter().map(|(_, word)| word);
        (seen.collect::<Vec<_>>() == expected).then_some(())
    });
}
