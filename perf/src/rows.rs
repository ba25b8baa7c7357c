//! The rows of the table: what is run against each broker, and what klamm must reach.

use crate::broker::{self, Broker, Installation, Node, System};
use crate::clients::{self, PRODUCER, Payload, Production};
use crate::machine::{ONE_RUN, Reading, Spent, real, real_length, settle_disk, warm_memory};
use crate::probe::{self, Figures};
use crate::requests::{self, Load};
use crate::results::{Comparison, Goal, Measured, Run, SAME};
use crate::{fetcher, startup, wire};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What the command line asked for.
#[derive(Clone, Debug)]
pub struct Bench {
    /// Programs and folders.
    pub installation: Installation,
    /// Rounds of A B B A.
    pub pairs: usize,
    /// A small one, to see that all works: its figures are no claim.
    pub quick: bool,
    /// This system against itself: the noise floor.
    pub same: Option<System>,
}

/// One row.
#[derive(Clone, Copy)]
pub struct Row {
    /// Its name on the command line and in file names.
    pub name: &'static str,
    /// Its title in the table.
    pub title: &'static str,
    measure: fn(&Bench, &mut Measured) -> Result<(), String>,
    comparisons: &'static [Comparison],
}

const ONE_SIXTH: f64 = 1.0 / 6.0;

const fn against_kafka(what: &'static str, figure: &'static str, goal: Goal) -> Comparison {
    Comparison {
        what,
        subject: ("klamm", figure),
        base: Some(("kafka", figure)),
        goal,
    }
}

const fn alone(
    what: &'static str,
    subject: (&'static str, &'static str),
    goal: Goal,
) -> Comparison {
    Comparison {
        what,
        subject,
        base: None,
        goal,
    }
}

const PRODUCED: [Comparison; 5] = [
    against_kafka(
        "broker CPU, s/GB",
        "broker_cpu_s_per_gb",
        Goal::MedianAtMost(ONE_SIXTH),
    ),
    against_kafka("throughput, MB/s", "mb_per_s", Goal::EveryAbove(1.0)),
    against_kafka("machine busy, s/GB", "machine_busy_s_per_gb", Goal::None),
    against_kafka("p99 of the client, ms", "latency_p99_ms", Goal::None),
    Comparison {
        what: "of receive + CRC + write, MB/s",
        subject: ("klamm", "mb_per_s"),
        base: Some(("limit", "recv_crc_write_mb_per_s")),
        goal: Goal::None,
    },
];

const fn codec(what: &'static str, name: &'static str) -> Comparison {
    Comparison {
        what,
        subject: (name, "broker_cpu_s_per_wire_gb"),
        base: Some(("none", "broker_cpu_s_per_wire_gb")),
        goal: Goal::MedianAtMost(1.3),
    }
}

const REQUESTED: [Comparison; 3] = [
    against_kafka(
        "requests per CPU second",
        "requests_per_broker_cpu_s",
        Goal::MedianAtLeast(3.0),
    ),
    against_kafka(
        "broker CPU, µs/request",
        "broker_cpu_us_per_request",
        Goal::None,
    ),
    against_kafka("requests/s", "requests_per_s", Goal::None),
];

/// All rows, in the order of the table.
pub const ROWS: [Row; 10] = [
    Row {
        name: "produce-16",
        title: "produce 1 KiB, 16 partitions, acks=1",
        measure: |bench, measured| produce(bench, measured, 16, 1024, 1_000_000),
        comparisons: &PRODUCED,
    },
    Row {
        name: "produce-100",
        title: "produce 1 KiB, 100 partitions, acks=1",
        measure: |bench, measured| produce(bench, measured, 100, 1024, 1_000_000),
        comparisons: &PRODUCED,
    },
    Row {
        name: "produce-small",
        title: "produce 100 B, 6 partitions, acks=1",
        measure: |bench, measured| produce(bench, measured, 6, 100, 5_000_000),
        comparisons: &[
            PRODUCED[0],
            against_kafka("records/s", "records_per_s", Goal::None),
            PRODUCED[2],
            PRODUCED[3],
        ],
    },
    Row {
        name: "produce-codecs",
        title: "produce 1 KiB of JSON, compressed (over uncompressed)",
        measure: produce_codecs,
        comparisons: &[
            codec("lz4: broker CPU, s/GB on the wire", "lz4"),
            codec("zstd: broker CPU, s/GB on the wire", "zstd"),
            codec("snappy: broker CPU, s/GB on the wire", "snappy"),
            codec("gzip: broker CPU, s/GB on the wire", "gzip"),
        ],
    },
    Row {
        name: "fetch-plain",
        title: "fetch of resident data, 16 partitions, a reader that discards",
        measure: fetch_plain,
        comparisons: &[
            against_kafka(
                "broker CPU, s/GB",
                "broker_cpu_s_per_gb",
                Goal::MedianAtMost(0.5),
            ),
            Comparison {
                what: "of a sendfile loop, MB/s",
                subject: ("klamm", "mb_per_s"),
                base: Some(("sendfile", "mb_per_s")),
                goal: Goal::MedianAtLeast(0.8),
            },
            against_kafka("throughput, MB/s", "mb_per_s", Goal::None),
            against_kafka("machine busy, s/GB", "machine_busy_s_per_gb", Goal::None),
        ],
    },
    Row {
        name: "fetch-java",
        title: "fetch of resident data, 16 partitions, Apache's consumer",
        measure: fetch_java,
        comparisons: &[
            against_kafka(
                "broker CPU, s/GB",
                "broker_cpu_s_per_gb",
                Goal::MedianAtMost(0.5),
            ),
            against_kafka("throughput, MB/s", "mb_per_s", Goal::None),
            against_kafka("machine busy, s/GB", "machine_busy_s_per_gb", Goal::None),
        ],
    },
    Row {
        name: "requests-1",
        title: "one record of 100 B per batch, 64 connections, 1 in flight",
        measure: |bench, measured| small_requests(bench, measured, 1),
        comparisons: &REQUESTED,
    },
    Row {
        name: "requests-5",
        title: "one record of 100 B per batch, 64 connections, 5 in flight",
        measure: |bench, measured| small_requests(bench, measured, 5),
        comparisons: &REQUESTED,
    },
    Row {
        name: "idle",
        title: "idle, freshly started, no connection",
        measure: idle,
        comparisons: &[
            alone("resident, MB", ("klamm", "rss_mb"), Goal::EveryAtMost(20.0)),
            alone(
                "CPU, % of a core",
                ("klamm", "cpu_percent"),
                Goal::EveryAtMost(0.5),
            ),
            against_kafka("resident, MB", "rss_mb", Goal::None),
            against_kafka("CPU, % of a core", "cpu_percent", Goal::None),
        ],
    },
    Row {
        name: "start",
        title: "exec to first acknowledged record",
        measure: start,
        comparisons: &[
            alone(
                "formatted folder, ms",
                ("klamm", "first_ack_ms"),
                Goal::EveryAtMost(50.0),
            ),
            alone(
                "fresh folder, topic created, ms",
                ("klamm-fresh", "first_ack_ms"),
                Goal::EveryAtMost(50.0),
            ),
            against_kafka("formatted folder, ms", "first_ack_ms", Goal::None),
            Comparison {
                what: "fresh folder, topic created, ms",
                subject: ("klamm-fresh", "first_ack_ms"),
                base: Some(("kafka-fresh", "first_ack_ms")),
                goal: Goal::None,
            },
        ],
    },
];

impl Row {
    /// Measures the row.
    pub fn run(&self, bench: &Bench) -> Result<Measured, String> {
        let mut measured = Measured::default();
        (self.measure)(bench, &mut measured)?;
        Ok(measured)
    }

    /// What the table says of it.
    pub fn comparisons(&self, bench: &Bench) -> Vec<Comparison> {
        let same = bench.same.is_some();
        self.comparisons
            .iter()
            // Against itself a system is only compared with itself.
            .filter(|comparison| !same || comparison.base.is_some())
            .map(|comparison| {
                if same {
                    comparison.of_the_same()
                } else {
                    *comparison
                }
            })
            .collect()
    }
}

impl Bench {
    /// Kafka and klamm, or twice the same.
    fn contestants(&self) -> [(&'static str, System); 2] {
        match self.same {
            Some(system) => [(SAME[0], system), (SAME[1], system)],
            None => [("kafka", System::Kafka), ("klamm", System::Klamm)],
        }
    }

    fn seconds(&self, full: u64) -> Duration {
        if self.quick {
            Duration::from_millis(full * 1000 / 5)
        } else {
            Duration::from_secs(full)
        }
    }

    fn count(&self, full: u64) -> u64 {
        if self.quick { full / 10 } else { full }
    }

    /// The probes of one round, as the contestant "limit".
    fn probe(&self, measured: &mut Measured, round: usize, streams: usize) -> Result<(), String> {
        let each = Duration::from_millis(if self.quick { 200 } else { 700 });
        let figures = probe::all(&self.installation.work, each, streams)?;
        measured.push(round, "limit", figures)
    }

    /// Runs every contestant once a round, each second round backwards: A B B A.
    fn alternate(
        &self,
        measured: &mut Measured,
        labels: &[&str],
        mut run: impl FnMut(&str, usize) -> Result<Figures, String>,
    ) -> Result<(), String> {
        for round in 0..self.pairs {
            warm_memory(&self.installation.work, ONE_RUN)?;
            self.probe(measured, round, SOCKETS)?;
            let mut order: Vec<&str> = labels.to_vec();
            if round % 2 == 1 {
                order.reverse();
            }
            for label in order {
                settle_disk(&self.installation.work)?;
                warm_memory(&self.installation.work, ONE_RUN)?;
                let figures = run(label, round)?;
                measured.push(round, label, figures)?;
            }
        }
        Ok(())
    }
}

impl Measured {
    fn push(&mut self, round: usize, contestant: &str, figures: Figures) -> Result<(), String> {
        let told: Vec<String> = figures
            .iter()
            .map(|(name, value)| format!("{name} {}", crate::results::short(*value)))
            .collect();
        println!("  {round} {contestant}: {}", told.join(", "));
        self.runs.push(Run {
            round,
            contestant: contestant.to_owned(),
            figures,
        });
        Ok(())
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(0)
}

/// The running brokers of a row by their labels.
struct Running(Vec<(&'static str, Broker)>);

impl Running {
    fn start(
        bench: &Bench,
        measured: &mut Measured,
        which: &[(&'static str, System)],
    ) -> Result<Running, String> {
        let mut running = Vec::new();
        for (label, system) in which {
            let node = Node::fresh(&bench.installation, *system, label)?;
            measured
                .configurations
                .insert((*label).to_owned(), node.configuration());
            running.push((*label, node.start(&bench.installation)?));
        }
        Ok(Running(running))
    }

    fn get(&mut self, label: &str) -> Result<&mut Broker, String> {
        let found = self.0.iter_mut().find(|(name, _)| *name == label);
        let (_, broker) = found.ok_or(format!("no broker is called {label}"))?;
        broker.must_live()?;
        Ok(broker)
    }

    fn stop(self) -> Result<(), String> {
        for (_, broker) in self.0 {
            broker.stop()?;
        }
        Ok(())
    }

    /// Runs `work` for a JVM until it is warm, for others once.
    fn warm_up(
        &mut self,
        bench: &Bench,
        mut work: impl FnMut(&mut Broker, usize) -> Result<(), String>,
    ) -> Result<(), String> {
        let patience = bench.seconds(45);
        for (label, broker) in &mut self.0 {
            let start = Instant::now();
            let mut count = 0;
            while count == 0 || (broker.node.system == System::Kafka && start.elapsed() < patience)
            {
                work(broker, count)?;
                count += 1;
            }
            println!(
                "  {label}: {count} warm-up runs, {:.0} s",
                start.elapsed().as_secs_f64()
            );
        }
        Ok(())
    }
}

/// Runs `work` and says what it cost: the figures that every run has.
fn measure(
    broker: &mut Broker,
    work: impl FnOnce(&mut Broker) -> Result<Figures, String>,
) -> Result<(Figures, Spent), String> {
    let process = broker.process();
    let before = Reading::now(process)?;
    let mut figures = work(broker)?;
    let spent = before.until_now(process)?;
    let (resident, highest) = broker::memory_mb(broker)?;
    let other = spent.machine_busy_s - spent.broker_s - spent.client_s;
    for (name, value) in [
        ("wall_s", spent.wall_s),
        ("broker_cpu_s", spent.broker_s),
        ("client_cpu_s", spent.client_s),
        ("other_cpu_s", other),
        ("machine_busy_s", spent.machine_busy_s),
        ("steal_s", spent.steal_s),
        ("rss_mb", resident),
        ("rss_highest_mb", highest),
    ] {
        figures.insert(name.into(), value);
    }
    Ok((figures, spent))
}

fn per_gb(figures: &mut Figures, spent: &Spent, bytes: f64) {
    let gigabytes = bytes / 1e9;
    figures.insert("gb".into(), gigabytes);
    figures.insert("broker_cpu_s_per_gb".into(), spent.broker_s / gigabytes);
    figures.insert(
        "machine_busy_s_per_gb".into(),
        spent.machine_busy_s / gigabytes,
    );
}

/// One run of ProducerPerformance into a new topic.
fn produce_once(
    bench: &Bench,
    broker: &mut Broker,
    partitions: i32,
    production: &Production<'_>,
) -> Result<Figures, String> {
    let topic = production.topic;
    wire::create_topic(broker.port(), topic, partitions)?;
    let (mut figures, spent) = measure(broker, |broker| {
        clients::produce(&bench.installation, broker.port(), production)
    })?;
    let stored = real(broker.node.log_bytes(topic));
    figures.insert("log_bytes".into(), stored);
    if let Payload::Bytes(each) = production.payload {
        let bytes = real(production.records) * real(each);
        let rate = figures.get("records_per_s").copied().unwrap_or(0.0) * real(each);
        figures.insert("mb_per_s".into(), rate / 1e6);
        per_gb(&mut figures, &spent, bytes);
    }
    let sent = figures.get("wire_bytes").copied().unwrap_or(stored);
    figures.insert(
        "broker_cpu_s_per_wire_gb".into(),
        spent.broker_s * 1e9 / sent,
    );
    broker.must_live()?;
    Ok(figures)
}

fn produce(
    bench: &Bench,
    measured: &mut Measured,
    partitions: i32,
    value_bytes: u64,
    records: u64,
) -> Result<(), String> {
    let contestants = bench.contestants();
    let mut running = Running::start(bench, measured, &contestants)?;
    let production = Production {
        topic: "",
        records: bench.count(records),
        payload: Payload::Bytes(value_bytes),
        compression: "none",
    };
    measured.load = format!(
        "ProducerPerformance --num-records {} --record-size {value_bytes} {} partitions={partitions}",
        production.records,
        PRODUCER.join(" ")
    );
    running.warm_up(bench, |broker, count| {
        let topic = format!("warm-up-{count}");
        produce_once(
            bench,
            broker,
            partitions,
            &Production {
                topic: &topic,
                ..production.clone()
            },
        )
        .map(drop)
    })?;
    bench.alternate(
        measured,
        &contestants.map(|(label, _)| label),
        |label, round| {
            let topic = format!("run-{round}");
            let production = Production {
                topic: &topic,
                ..production.clone()
            };
            produce_once(bench, running.get(label)?, partitions, &production)
        },
    )?;
    running.stop()
}

fn produce_codecs(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    const CODECS: [&str; 5] = ["none", "lz4", "zstd", "snappy", "gzip"];
    let system = bench.same.unwrap_or(System::Klamm);
    let mut running = Running::start(bench, measured, &[(system.name(), system)])?;
    let lines = bench.installation.work.join("lines.json");
    clients::write_json_lines(&lines)?;
    let records = bench.count(400_000);
    measured.load = format!(
        "ProducerPerformance --num-records {records} --payload-file (10,000 lines of JSON, about 1 KiB) {} partitions=16",
        PRODUCER.join(" ")
    );
    let production = Production {
        topic: "",
        records,
        payload: Payload::Lines(&lines),
        compression: "none",
    };
    running.warm_up(bench, |broker, count| {
        let topic = format!("warm-up-{count}");
        produce_once(
            bench,
            broker,
            16,
            &Production {
                topic: &topic,
                ..production.clone()
            },
        )
        .map(drop)
    })?;
    bench.alternate(measured, &CODECS, |codec, round| {
        let topic = format!("{codec}-{round}");
        let production = Production {
            topic: &topic,
            compression: codec,
            ..production.clone()
        };
        produce_once(bench, running.get(system.name())?, 16, &production)
    })?;
    running.stop()
}

const FETCH_PARTITIONS: usize = 16;
/// Sockets of the plain reader, and of the sendfile loop that it is held against.
const SOCKETS: usize = 4;

fn filled(bench: &Bench, measured: &mut Measured) -> Result<Running, String> {
    let mut running = Running::start(bench, measured, &bench.contestants())?;
    for (_, broker) in &mut running.0 {
        let partitions = i32::try_from(FETCH_PARTITIONS).expect("a small count");
        wire::create_topic(broker.port(), "resident", partitions)?;
        clients::fill(
            broker.port(),
            "resident",
            partitions,
            bench.count(1_000_000_000),
            now_ms(),
        )?;
        broker.must_live()?;
    }
    Ok(running)
}

fn fetch_plain_once(broker: &mut Broker, duration: Duration) -> Result<Figures, String> {
    let (mut figures, spent) = measure(broker, |broker| {
        let fetched = fetcher::fetch(
            broker.port(),
            "resident",
            FETCH_PARTITIONS,
            SOCKETS,
            duration,
        )?;
        let bytes = real_length(fetched.bytes);
        Ok(Figures::from([
            ("bytes".into(), bytes),
            ("mb_per_s".into(), bytes / 1e6 / fetched.seconds),
        ]))
    })?;
    let bytes = figures.get("bytes").copied().unwrap_or(0.0);
    per_gb(&mut figures, &spent, bytes);
    Ok(figures)
}

fn fetch_plain(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    let mut running = filled(bench, measured)?;
    measured.load = format!(
        "Fetch v4 over {SOCKETS} sockets, {FETCH_PARTITIONS} partitions of batches of 127 records of 1 KiB, \
         max bytes 50 MiB, of a partition 1 MiB; sendfile loop: {SOCKETS} sockets, 64 KiB a call"
    );
    let duration = bench.seconds(6);
    running.warm_up(bench, |broker, _| {
        fetch_plain_once(broker, duration).map(drop)
    })?;
    let [(first, _), (second, _)] = bench.contestants();
    bench.alternate(measured, &[first, "sendfile", second], |label, _| {
        if label != "sendfile" {
            return fetch_plain_once(running.get(label)?, duration);
        }
        let figures = probe::sendfile(&bench.installation.work, duration / 2, SOCKETS)?;
        let figure = |name| figures.get(name).copied().unwrap_or(0.0);
        Ok(Figures::from([
            ("mb_per_s".into(), figure("sendfile_mb_per_s")),
            ("cpu_s_per_gb".into(), figure("sendfile_cpu_s_per_gb")),
        ]))
    })?;
    running.stop()
}

fn fetch_java_once(
    bench: &Bench,
    broker: &mut Broker,
    duration: Duration,
) -> Result<Figures, String> {
    let (mut figures, spent) = measure(broker, |broker| {
        let port = broker.port();
        clients::consume(
            &bench.installation,
            port,
            "resident",
            FETCH_PARTITIONS,
            duration,
        )
    })?;
    let figure = |name| figures.get(name).copied().unwrap_or(0.0);
    let (bytes, seconds) = (figure("bytes"), figure("seconds"));
    figures.insert("mb_per_s".into(), bytes / 1e6 / seconds);
    per_gb(&mut figures, &spent, bytes);
    Ok(figures)
}

fn fetch_java(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    let mut running = filled(bench, measured)?;
    let duration = bench.seconds(10);
    measured.load = format!(
        "AssignConsumer with the defaults of Apache's consumer, {FETCH_PARTITIONS} partitions, {} s",
        duration.as_secs_f64()
    );
    running.warm_up(bench, |broker, _| {
        fetch_java_once(bench, broker, duration).map(drop)
    })?;
    bench.alternate(
        measured,
        &bench.contestants().map(|(label, _)| label),
        |label, _| fetch_java_once(bench, running.get(label)?, duration),
    )?;
    running.stop()
}

fn small_requests(bench: &Bench, measured: &mut Measured, window: usize) -> Result<(), String> {
    const PARTITIONS: i32 = 16;
    let contestants = bench.contestants();
    let mut running = Running::start(bench, measured, &contestants)?;
    let load = Load {
        topic: "requests".to_owned(),
        partitions: PARTITIONS,
        connections: 64,
        window,
        value_bytes: 100,
        duration: bench.seconds(10),
    };
    measured.load = format!(
        "Produce v7 acks=1, one record of 100 B, {} connections, {window} in flight on each, \
         {PARTITIONS} partitions, one client thread",
        load.connections
    );
    for (_, broker) in &mut running.0 {
        wire::create_topic(broker.port(), &load.topic, PARTITIONS)?;
    }
    let once = |broker: &mut Broker| -> Result<Figures, String> {
        let (mut figures, spent) = measure(broker, |broker| {
            let answered = requests::run(broker.port(), &load, now_ms())?;
            let requests = real(answered.requests);
            Ok(Figures::from([
                ("requests".into(), requests),
                ("requests_per_s".into(), requests / answered.seconds),
            ]))
        })?;
        let requests = figures.get("requests").copied().unwrap_or(0.0);
        figures.insert(
            "requests_per_broker_cpu_s".into(),
            requests / spent.broker_s,
        );
        figures.insert(
            "broker_cpu_us_per_request".into(),
            spent.broker_s * 1e6 / requests,
        );
        Ok(figures)
    };
    running.warm_up(bench, |broker, _| once(broker).map(drop))?;
    bench.alternate(
        measured,
        &contestants.map(|(label, _)| label),
        |label, _| once(running.get(label)?),
    )?;
    running.stop()
}

fn idle(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    let contestants = bench.contestants();
    let duration = bench.seconds(30);
    measured.load = format!("nothing, for {} s, after 20 s of rest", duration.as_secs());
    let mut configurations = Vec::new();
    bench.alternate(
        measured,
        &contestants.map(|(label, _)| label),
        |label, _| {
            let system = system_of(&contestants, label)?;
            let node = Node::fresh(&bench.installation, system, label)?;
            configurations.push((label.to_owned(), node.configuration()));
            let mut broker = node.start(&bench.installation)?;
            std::thread::sleep(bench.seconds(20));
            let (mut figures, spent) = measure(&mut broker, |_| {
                std::thread::sleep(duration);
                Ok(Figures::new())
            })?;
            figures.insert("cpu_percent".into(), spent.broker_s / spent.wall_s * 100.0);
            broker.stop()?;
            Ok(figures)
        },
    )?;
    measured.configurations.extend(configurations);
    Ok(())
}

fn system_of(contestants: &[(&str, System)], label: &str) -> Result<System, String> {
    let found = contestants.iter().find(|(name, _)| *name == label);
    found
        .map(|(_, system)| *system)
        .ok_or(format!("no contestant is called {label}"))
}

fn start(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    const TOPIC: &str = "first";
    measured.load = "one Produce v7 acks=1 from a client that tries to connect every 0.2 ms; \
                     on a fresh folder (Apache's formatted beforehand) it first creates the topic"
        .to_owned();
    let [(first, one), (second, other)] = bench.contestants();
    // On formatted folders the topic is there: it was created, written to, and the broker stopped.
    let mut formatted = Vec::new();
    for (label, system) in [(first, one), (second, other)] {
        let node = Node::fresh(&bench.installation, system, label)?;
        measured
            .configurations
            .insert(label.to_owned(), node.configuration());
        let (_, broker) = startup::first_ack(&bench.installation, &node, TOPIC, true, now_ms())?;
        broker.stop()?;
        formatted.push((label, node));
    }
    let fresh: [(String, System); 2] = [
        (format!("{first}-fresh"), one),
        (format!("{second}-fresh"), other),
    ];
    let labels = [first, second, &fresh[0].0, &fresh[1].0];
    bench.alternate(measured, &labels, |label, _| {
        let known = formatted.iter().find(|(name, _)| *name == label);
        let (started, broker) = match known {
            Some((_, node)) => {
                startup::first_ack(&bench.installation, node, TOPIC, false, now_ms())?
            }
            None => {
                let found = fresh.iter().find(|(name, _)| name == label);
                let (_, system) = found.ok_or(format!("no contestant is called {label}"))?;
                let node = Node::fresh(&bench.installation, *system, label)?;
                startup::first_ack(&bench.installation, &node, TOPIC, true, now_ms())?
            }
        };
        let cpu = crate::machine::process_cpu_s(broker.process())?;
        let (resident, _) = broker::memory_mb(&broker)?;
        broker.stop()?;
        Ok(Figures::from([
            ("first_ack_ms".into(), started.acknowledged_ms),
            ("connected_ms".into(), started.connected_ms),
            ("broker_cpu_s".into(), cpu),
            ("rss_mb".into(), resident),
        ]))
    })
}
