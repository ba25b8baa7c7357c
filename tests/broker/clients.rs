//! Every client's round trip: it creates topics, writes records of every kind in every codec it
//! has, and reads them back; each client against a broker of one core and of two. What one client
//! wrote, the others read. And each client is told of every fault as Kafka tells it.

use crate::broker::Broker;
use crate::installed;
use crate::kcat;
use crate::plan::{self, CODECS, Refuses, Topic};
use crate::report::Report;
use std::process::Command;

/// One client program, and what its interface keeps its user from sending.
struct Client {
    name: &'static str,
    program: fn() -> Command,
    refuses: Refuses,
    /// Faults that this client's interface does not show.
    silent_about: &'static [&'static str],
}

const CONFLUENT: Client = Client {
    name: "confluent-kafka",
    program: || installed::python("confluent_client.py"),
    refuses: Refuses {
        null_header: false,
        null_key_and_value: false,
    },
    silent_about: &[],
};

const KAFKA_PYTHON: Client = Client {
    name: "kafka-python",
    program: || installed::python("kafka_python_client.py"),
    refuses: Refuses {
        null_header: true,
        null_key_and_value: true,
    },
    silent_about: &["produce to an unknown topic", "alter a config to nonsense"],
};

const AIOKAFKA: Client = Client {
    name: "aiokafka",
    program: || installed::python("aiokafka_client.py"),
    refuses: Refuses {
        null_header: false,
        null_key_and_value: true,
    },
    silent_about: &[
        "produce to an unknown topic",
        "alter a config to nonsense",
        "offset at the largest time",
    ],
};

const FRANZ_GO: Client = Client {
    name: "franz-go",
    program: installed::go,
    refuses: Refuses {
        null_header: false,
        null_key_and_value: false,
    },
    silent_about: &[],
};

const JAVA: Client = Client {
    name: "java",
    program: || installed::java("client", "Client"),
    refuses: Refuses {
        null_header: false,
        null_key_and_value: false,
    },
    silent_about: &[],
};

/// It has no consumer outside a group: another client reads what it wrote.
const KAFKAJS: Client = Client {
    name: "kafkajs",
    program: || installed::node("client.js"),
    refuses: Refuses {
        null_header: true,
        null_key_and_value: false,
    },
    silent_about: &[
        "offset at the largest time",
        "fetch beyond the end",
        "alter a config to nonsense",
    ],
};

/// What every client must be told, by Kafka's error code or as the number that was asked for.
const OUTCOMES: [(&str, i64); 22] = [
    ("create an existing topic", 36),
    ("create a topic with a bad name", 17),
    ("create a topic with 3 replicas", 38),
    ("produce to an unknown topic", 3),
    ("produce a record that is too large", 10),
    ("offset, earliest", 0),
    ("offset, latest", 10),
    ("offset at a time", 5),
    ("offset at the largest time", 9),
    ("offset after all times", -1),
    ("fetch beyond the end", 1),
    ("create partitions", 0),
    ("create fewer partitions", 37),
    ("partitions", 4),
    ("alter a config", 0),
    ("retention.ms", 777_000),
    ("alter a config to nonsense", 40),
    ("delete records", 4),
    ("offset, earliest, after deleting records", 4),
    ("delete an unknown topic", 3),
    ("delete a topic", 0),
    ("the deleted topic is listed", 0),
];

impl Client {
    /// Topics in every codec, and uncompressed with every `acks`.
    fn topics(&self) -> Vec<Topic> {
        let in_codecs = CODECS.map(|codec| Topic::varied(self.name, codec, self.refuses));
        let with_acks =
            ["0", "1", "all"].map(|acks| Topic::with_acks(self.name, acks, self.refuses));
        in_codecs.into_iter().chain(with_acks).collect()
    }

    /// Runs one verb of the client program; panics with what it printed when it fails.
    fn run(&self, verb: &str, broker: &Broker, topics: &[Topic]) -> Report {
        let plan_path = broker
            .folder()
            .join(format!("{}-{verb}-plan.json", self.name));
        let report_path = broker
            .folder()
            .join(format!("{}-{verb}-report.json", self.name));
        let plan = plan::to_json(&broker.bootstrap, topics);
        std::fs::write(&plan_path, plan.to_string()).expect("a writable temporary folder");
        let output = (self.program)()
            .arg(verb)
            .arg(&plan_path)
            .arg(&report_path)
            .output()
            .unwrap_or_else(|error| panic!("{} cannot be run: {error}", self.name));
        assert!(
            output.status.success(),
            "{} {verb} failed, {}\n{}{}",
            self.name,
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let report = std::fs::read_to_string(&report_path).expect("the client wrote its report");
        Report::from_json(&serde_json::from_str(&report).expect("the report is JSON"))
    }

    fn reads_back_what_it_wrote(&self, cores: u16) {
        let broker = Broker::start(cores);
        let topics = self.topics();
        let report = self.run("round-trip", &broker, &topics);
        report.assert_acked(&topics);
        report.assert_read(&topics);
    }

    fn is_told_of_every_fault(&self) {
        let broker = Broker::start(2);
        let report = self.run("faults", &broker, &[Topic::for_faults(self.name)]);
        for (what, code) in OUTCOMES {
            let said = report.outcomes.get(what);
            if self.silent_about.contains(&what) {
                assert_eq!(said, None, "{} does tell about: {what}", self.name);
            } else {
                assert_eq!(said, Some(&code), "{} on: {what}", self.name);
            }
        }
    }
}

#[test]
fn confluent_kafka_reads_back_what_it_wrote_on_one_core() {
    CONFLUENT.reads_back_what_it_wrote(1);
}

#[test]
fn confluent_kafka_reads_back_what_it_wrote_on_two_cores() {
    CONFLUENT.reads_back_what_it_wrote(2);
}

#[test]
fn confluent_kafka_is_told_of_every_fault() {
    CONFLUENT.is_told_of_every_fault();
}

#[test]
fn kafka_python_reads_back_what_it_wrote_on_one_core() {
    KAFKA_PYTHON.reads_back_what_it_wrote(1);
}

#[test]
fn kafka_python_reads_back_what_it_wrote_on_two_cores() {
    KAFKA_PYTHON.reads_back_what_it_wrote(2);
}

#[test]
fn kafka_python_is_told_of_every_fault() {
    KAFKA_PYTHON.is_told_of_every_fault();
}

#[test]
fn aiokafka_reads_back_what_it_wrote_on_one_core() {
    AIOKAFKA.reads_back_what_it_wrote(1);
}

#[test]
fn aiokafka_reads_back_what_it_wrote_on_two_cores() {
    AIOKAFKA.reads_back_what_it_wrote(2);
}

#[test]
fn aiokafka_is_told_of_every_fault() {
    AIOKAFKA.is_told_of_every_fault();
}

#[test]
fn franz_go_reads_back_what_it_wrote_on_one_core() {
    FRANZ_GO.reads_back_what_it_wrote(1);
}

#[test]
fn franz_go_reads_back_what_it_wrote_on_two_cores() {
    FRANZ_GO.reads_back_what_it_wrote(2);
}

#[test]
fn franz_go_is_told_of_every_fault() {
    FRANZ_GO.is_told_of_every_fault();
}

#[test]
fn the_java_client_reads_back_what_it_wrote_on_one_core() {
    JAVA.reads_back_what_it_wrote(1);
}

#[test]
fn the_java_client_reads_back_what_it_wrote_on_two_cores() {
    JAVA.reads_back_what_it_wrote(2);
}

#[test]
fn the_java_client_is_told_of_every_fault() {
    JAVA.is_told_of_every_fault();
}

#[test]
fn what_kafkajs_writes_is_read_by_another_client_from_one_core() {
    kafkajs_writes_and_another_reads(1);
}

#[test]
fn what_kafkajs_writes_is_read_by_another_client_from_two_cores() {
    kafkajs_writes_and_another_reads(2);
}

#[test]
fn kafkajs_is_told_of_every_fault() {
    KAFKAJS.is_told_of_every_fault();
}

fn kafkajs_writes_and_another_reads(cores: u16) {
    let broker = Broker::start(cores);
    let topics = KAFKAJS.topics();
    KAFKAJS
        .run("produce", &broker, &topics)
        .assert_acked(&topics);
    CONFLUENT.run("read", &broker, &topics).assert_read(&topics);
}

#[test]
fn kcat_reads_back_what_it_wrote_on_one_core() {
    kcat_reads_back_what_it_wrote(1);
}

#[test]
fn kcat_reads_back_what_it_wrote_on_two_cores() {
    kcat_reads_back_what_it_wrote(2);
}

/// kcat creates no topics by itself: the broker does, as it does by default.
fn kcat_reads_back_what_it_wrote(cores: u16) {
    let broker = Broker::start_with(cores, &["num.partitions=3"]);
    let topics: Vec<Topic> = CODECS.map(kcat::topic).into_iter().collect();
    let mut report = Report::default();
    for topic in &topics {
        kcat::produce(&broker, topic);
        report
            .read
            .insert(topic.name.clone(), kcat::read(&broker, &topic.name));
    }
    report.assert_read(&topics);
    CONFLUENT.run("read", &broker, &topics).assert_read(&topics);
}

#[test]
fn what_one_client_wrote_every_other_reads_alike() {
    let broker = Broker::start(2);
    // What all of them can send: the readers must agree on one set of topics.
    let common = Refuses {
        null_header: true,
        null_key_and_value: true,
    };
    let writers = [
        &CONFLUENT,
        &KAFKA_PYTHON,
        &AIOKAFKA,
        &FRANZ_GO,
        &JAVA,
        &KAFKAJS,
    ];
    let mut topics = Vec::new();
    for (index, writer) in writers.into_iter().enumerate() {
        let topic = Topic::varied(writer.name, CODECS[index % CODECS.len()], common);
        let written = [topic];
        writer
            .run("produce", &broker, &written)
            .assert_acked(&written);
        topics.extend(written);
    }
    for reader in [&CONFLUENT, &KAFKA_PYTHON, &AIOKAFKA, &FRANZ_GO, &JAVA] {
        reader.run("read", &broker, &topics).assert_read(&topics);
    }
}
