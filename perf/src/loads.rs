//! What the rows of small requests and of the process itself do: requests, idling, starting.

use crate::bench::{Bench, Running, called, measure, now_ms};
use crate::broker::{self, Broker, Node, System};
use crate::figures::Figures;
use crate::requests::{self, Load};
use crate::results::Measured;
use crate::{echo, startup, wire};

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
            let (_, system) = called(&contestants, label, |one| one.0)?;
            let node = Node::fresh(&bench.installation, *system, label)?;
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
                let (_, system) = called(&fresh, label, |one| &one.0)?;
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
