//! What the rows of logs and of the process itself do: produce, fetch, small requests, idling, starting.

use crate::bench::{Bench, Running, SOCKETS, measure, now_ms, per_gb};
use crate::broker::{self, Broker, Node, System};
use crate::clients::{self, PRODUCER, Payload, Production};
use crate::machine::{real, real_length};
use crate::probe::{self, Figures};
use crate::requests::{self, Load};
use crate::results::Measured;
use crate::{fetcher, startup, wire};
use std::time::Duration;

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

/// See the row.
pub fn produce(
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

/// See the row.
pub fn produce_codecs(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
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

/// See the row.
pub fn fetch_plain(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
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

/// See the row.
pub fn fetch_java(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
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

/// See the row.
pub fn small_requests(bench: &Bench, measured: &mut Measured, window: usize) -> Result<(), String> {
    const PARTITIONS: i32 = 16;
    const CONNECTIONS: i32 = 64;
    const TOPIC: &str = "requests";
    let contestants = bench.contestants();
    let mut running = Running::start(bench, measured, &contestants)?;
    measured.load = format!(
        "Produce v7 acks=1, one record of 100 B, {CONNECTIONS} connections, {window} in flight on \
         each, {PARTITIONS} partitions, one client thread"
    );
    for (_, broker) in &mut running.0 {
        wire::create_topic(broker.port(), TOPIC, PARTITIONS)?;
    }
    let duration = bench.seconds(10);
    let once = |broker: &mut Broker| -> Result<Figures, String> {
        let batch = wire::batch(1, &[b'v'; 100], now_ms());
        let load = Load {
            frames: (0..CONNECTIONS)
                .map(|index| wire::produce(TOPIC, index % PARTITIONS, &batch))
                .collect(),
            window,
            duration,
            error_of: wire::produce_error,
        };
        ask(broker, &load)
    };
    running.warm_up(bench, |broker, _| once(broker).map(drop))?;
    bench.alternate(
        measured,
        &contestants.map(|(label, _)| label),
        |label, _| once(running.get(label)?),
    )?;
    running.stop()
}

/// Asks, and says what a request has cost.
pub fn ask(broker: &mut Broker, load: &Load) -> Result<Figures, String> {
    let (mut figures, spent) = measure(broker, |broker| {
        let answered = requests::run(broker.port(), load)?;
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
}

/// See the row.
pub fn idle(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
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

/// See the row.
pub fn start(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
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
