//! What the rows of producing do: three drivers, the codecs, and a sync before every ack.

use crate::bench::{Bench, Running, called, measure, now_ms, per_gb};
use crate::broker::Broker;
use crate::clients;
use crate::drivers::{self, Driver, PRODUCER, Payload, Production};
use crate::figures::Figures;
use crate::loads::ask;
use crate::machine::real;
use crate::requests::Load;
use crate::results::Measured;
use crate::{probe, wire};

/// One load into a topic of its own, which is deleted afterwards.
fn produce_once(
    bench: &Bench,
    broker: &mut Broker,
    driver: Driver,
    partitions: i32,
    production: &Production<'_>,
) -> Result<Figures, String> {
    let topic = production.topic;
    wire::create_topic(broker.port(), topic, partitions)?;
    let (mut figures, spent) = measure(broker, |broker| {
        driver.produce(&bench.installation, broker.port(), production)
    })?;
    let stored = real(broker.node.log_bytes(topic));
    figures.insert("log_bytes".into(), stored);
    let each = match production.payload {
        Payload::Bytes(each) => real(each),
        Payload::Lines(path) => clients::line_bytes(path)?,
    };
    let rate = figures.of("records_per_s") * each;
    figures.insert("mb_per_s".into(), rate / 1e6);
    per_gb(&mut figures, &spent, real(production.records) * each);
    let sent = figures.get("wire_bytes").copied().unwrap_or(stored);
    figures.insert(
        "broker_cpu_s_per_wire_gb".into(),
        spent.broker_s * 1e9 / sent,
    );
    broker.must_live()?;
    broker.node.forget_topic(topic)?;
    Ok(figures)
}

/// How a row's producers are described in its result.
fn described(driver: Driver, production: &Production<'_>, partitions: i32) -> String {
    let name = match driver {
        Driver::Klamm => "klamm producer-perf, 4 producers",
        Driver::Java => "Apache's ProducerPerformance",
        Driver::Rdkafka => "librdkafka's rdkafka_performance",
    };
    let payload = match production.payload {
        Payload::Bytes(bytes) => format!("{bytes} B"),
        Payload::Lines(_) => "a line of JSON each, about 1 KiB, of 10,000".to_owned(),
    };
    format!(
        "{name}: {} records, {payload}, {} partitions={partitions}",
        production.records,
        PRODUCER.join(" ")
    )
}

/// See the row.
pub fn produce(
    bench: &Bench,
    measured: &mut Measured,
    partitions: i32,
    value_bytes: u64,
    records: u64,
) -> Result<(), String> {
    let mut running = Running::start(bench, measured, &bench.contestants())?;
    let production = Production {
        topic: "warm-up",
        records: bench.count(records),
        payload: Payload::Bytes(value_bytes),
        compression: "none",
    };
    let told = Driver::ALL.map(|driver| described(driver, &production, partitions));
    measured.load = told.join("; ");
    running.warm_up(bench, |broker, count| {
        // Each driver's requests have a shape of their own.
        let driver = Driver::ALL[count % Driver::ALL.len()];
        produce_once(bench, broker, driver, partitions, &production).map(drop)
    })?;
    let known = drivers::contestants(bench.labels(), &Driver::ALL);
    let labels: Vec<&str> = known.iter().map(|(label, _, _)| label.as_str()).collect();
    bench.alternate(measured, &labels, |label, round| {
        let (_, system, driver) = called(&known, label, |one| &one.0)?;
        let topic = format!("{label}-{round}");
        let production = Production {
            topic: &topic,
            ..production.clone()
        };
        produce_once(
            bench,
            running.get(system)?,
            *driver,
            partitions,
            &production,
        )
    })?;
    running.stop()
}

/// Four codecs on both brokers, and none on klamm's side: what it costs is what the others are held
/// against.
pub fn produce_codecs(
    bench: &Bench,
    measured: &mut Measured,
    driver: Driver,
    records: u64,
) -> Result<(), String> {
    const CODECS: [&str; 4] = ["lz4", "zstd", "snappy", "gzip"];
    const PARTITIONS: i32 = 16;
    let mut running = Running::start(bench, measured, &bench.contestants())?;
    let lines = bench.installation.work.join("lines.json");
    clients::write_json_lines(&lines)?;
    let production = Production {
        topic: "warm-up",
        records: bench.count(records),
        payload: Payload::Lines(&lines),
        compression: "none",
    };
    measured.load = described(driver, &production, PARTITIONS);
    running.warm_up(bench, |broker, count| {
        let compression = CODECS[count % CODECS.len()];
        let production = Production {
            compression,
            ..production.clone()
        };
        produce_once(bench, broker, driver, PARTITIONS, &production).map(drop)
    })?;
    let systems = bench.labels();
    let [_, klamm] = systems;
    let mut known = vec![(format!("{klamm}-none"), klamm, "none")];
    for codec in CODECS {
        known.extend(systems.map(|system| (format!("{system}-{codec}"), system, codec)));
    }
    let labels: Vec<&str> = known.iter().map(|(label, _, _)| label.as_str()).collect();
    bench.alternate(measured, &labels, |label, round| {
        let (_, system, codec) = called(&known, label, |one| &one.0)?;
        let topic = format!("{label}-{round}");
        let production = Production {
            topic: &topic,
            compression: codec,
            ..production.clone()
        };
        produce_once(bench, running.get(system)?, driver, PARTITIONS, &production)
    })?;
    running.stop()
}

/// One record of 1 KiB at a time on each connection, synced before it is acknowledged; beside it a loop
/// that appends as much and syncs.
pub fn fsync(
    bench: &Bench,
    measured: &mut Measured,
    partitions: i32,
    producers_each: i32,
    window: usize,
) -> Result<(), String> {
    const RAW: &str = "fdatasync";
    let mut running = Running::start(bench, measured, &bench.contestants())?;
    measured.load = format!(
        "Produce v7 acks=all, one record of 1 KiB, flush.messages=1, {partitions} partitions with \
         {producers_each} producers each, a connection and {window} in flight for each of them, one \
         client thread; a topic for each run, since the disk's interrupts make one core the better \
         place; fdatasync: a loop that appends a batch of that size to a file and syncs it"
    );
    let configs = [("flush.messages", "1")];
    let batch = || wire::batch(1, &[b'v'; 1024], now_ms());
    let duration = bench.seconds(10);
    let once = |broker: &mut Broker, topic: &str| -> Result<Figures, String> {
        wire::create_topic_with(broker.port(), topic, partitions, &configs)?;
        let batch = batch();
        let frame = |index| wire::produce_with(wire::ACKS_ALL, topic, index % partitions, &batch);
        let load = Load {
            frames: (0..partitions * producers_each).map(frame).collect(),
            window,
            duration,
            error_of: wire::produce_error,
        };
        let mut figures = ask(broker, &load)?;
        let rate = figures.of("requests_per_s");
        figures.insert("acks_per_s".into(), rate);
        broker.node.forget_topic(topic)?;
        Ok(figures)
    };
    running.warm_up(bench, |broker, count| {
        once(broker, &format!("warm-up-{count}")).map(drop)
    })?;
    let [first, second] = bench.labels();
    bench.alternate(measured, &[first, RAW, second], |label, round| {
        if label == RAW {
            return probe::sync(&bench.installation.work, duration / 2, batch().len());
        }
        once(running.get(label)?, &format!("synced-{round}"))
    })?;
    running.stop()
}
