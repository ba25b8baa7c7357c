//! What the rows of reading, of small requests and of the process itself do: fetch, requests, idling,
//! starting.

use crate::bench::{Bench, Running, SOCKETS, measure, now_ms, per_gb};
use crate::broker::{self, Broker, Node, System};
use crate::drivers::{self, Driver};
use crate::figures::Figures;
use crate::machine::real_length;
use crate::probe;
use crate::requests::{self, Load};
use crate::results::Measured;
use crate::{clients, echo, fetcher, startup, wire};
use std::time::Duration;

const FETCH_PARTITIONS: usize = 16;

/// Bytes of a topic that is read round and round, and of one that is read once.
const RESIDENT_BYTES: u64 = 1_000_000_000;
const ONCE_BYTES: u64 = 3_000_000_000;

/// Both brokers with a topic of so many bytes.
fn filled(bench: &Bench, measured: &mut Measured, bytes: u64) -> Result<Running, String> {
    let mut running = Running::start(bench, measured, &bench.contestants())?;
    for (_, broker) in &mut running.0 {
        let partitions = i32::try_from(FETCH_PARTITIONS).expect("a small count");
        wire::create_topic(broker.port(), "resident", partitions)?;
        clients::fill(
            broker.port(),
            "resident",
            partitions,
            bench.count(bytes),
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
    let mut running = filled(bench, measured, RESIDENT_BYTES)?;
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
    let mut running = filled(bench, measured, RESIDENT_BYTES)?;
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
pub fn fetch_drivers(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    let mut running = filled(bench, measured, ONCE_BYTES)?;
    // Two batches fewer than were written: all that is asked for is there.
    let records = bench.count(ONCE_BYTES) / 1_100;
    measured.load = format!(
        "klamm consumer-perf, Apache's ConsumerPerformance and librdkafka's rdkafka_performance, each \
         with its defaults and as a group of one: {records} records of 1 KiB from {FETCH_PARTITIONS} \
         partitions. MB/s counts from when the group has its partitions; CPU is that of all"
    );
    running.warm_up(bench, |broker, count| {
        let group = format!("warm-up-{count}");
        fetch_driven(bench, broker, Driver::Klamm, &group, records).map(drop)
    })?;
    let known = drivers::contestants(bench.labels(), &Driver::ALL);
    let labels: Vec<&str> = known.iter().map(|(label, _, _)| label.as_str()).collect();
    bench.alternate(measured, &labels, |label, round| {
        let found = known.iter().find(|(name, _, _)| name == label);
        let (_, system, driver) = found.ok_or(format!("no contestant is called {label}"))?;
        let group = format!("{label}-{round}");
        fetch_driven(bench, running.get(system)?, *driver, &group, records)
    })?;
    running.stop()
}

fn fetch_driven(
    bench: &Bench,
    broker: &mut Broker,
    driver: Driver,
    group: &str,
    records: u64,
) -> Result<Figures, String> {
    let (mut figures, spent) = measure(broker, |broker| {
        driver.consume(
            &bench.installation,
            broker.port(),
            "resident",
            group,
            records,
        )
    })?;
    let bytes = figures.of("bytes");
    per_gb(&mut figures, &spent, bytes);
    Ok(figures)
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
    let load = || {
        let batch = wire::batch(1, &[b'v'; 100], now_ms());
        Load {
            frames: (0..CONNECTIONS)
                .map(|index| wire::produce(TOPIC, index % PARTITIONS, &batch))
                .collect(),
            window,
            duration: bench.seconds(10),
            error_of: wire::produce_error,
        }
    };
    ask_all(bench, measured, &mut running, load)?;
    running.stop()
}

/// Both brokers and an echo server are asked the same.
pub fn ask_all(
    bench: &Bench,
    measured: &mut Measured,
    running: &mut Running,
    load: impl Fn() -> Load,
) -> Result<(), String> {
    running.warm_up(bench, |broker, _| ask(broker, &load()).map(drop))?;
    let [first, second] = bench.labels();
    bench.alternate(measured, &[first, ECHO, second], |label, _| {
        let load = load();
        if label != ECHO {
            return ask(running.get(label)?, &load);
        }
        let frame = load.frames.first().ok_or("a load of no connections")?;
        let reply = echo::reply_of(running.get(first)?.port(), frame)?;
        echo::ask(&load, &reply)
    })
}

/// The contestant that does nothing but receive and send.
pub const ECHO: &str = "echo";

/// Asks, and says what a request has cost.
pub fn ask(broker: &mut Broker, load: &Load) -> Result<Figures, String> {
    let (mut figures, spent) = measure(broker, |broker| {
        let answered = requests::run(broker.port(), load)?;
        Ok(answered.figures())
    })?;
    let requests = figures.of("requests");
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
