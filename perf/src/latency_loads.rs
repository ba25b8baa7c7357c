//! What the rows of latency do: open loops at a rate, one record after the other, many producers, and
//! producers beside readers of what is no longer in memory. The generator is klamm's own.

use crate::bench::{Bench, Running, called, measure, now_ms};
use crate::broker::Broker;
use crate::cap::Cap;
use crate::drivers::{Payload, Production};
use crate::figures::Figures;
use crate::generator::{self, Load};
use crate::machine::{real, real_length, settle_disk};
use crate::results::{Measured, median};
use crate::{clients, fetcher, wire};
use std::time::Duration;

const KIB: u64 = 1024;
const PARTITIONS: i32 = 16;

/// So many records as fall due at a rate in a time.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate times seconds, both small and positive"
)]
fn due(rate: f64, duration: Duration) -> u64 {
    (rate * duration.as_secs_f64()).round().max(1.0) as u64
}

/// One load at a rate into a topic of its own, which is deleted afterwards.
fn produce_once(
    bench: &Bench,
    broker: &mut Broker,
    topic: &str,
    load: &Load<'_>,
) -> Result<Figures, String> {
    wire::create_topic(broker.port(), topic, PARTITIONS)?;
    let load = Load {
        production: Production {
            topic,
            ..load.production.clone()
        },
        ..load.clone()
    };
    let (mut figures, _) = measure(broker, |broker| {
        generator::produce(&bench.installation, broker.port(), &load)
    })?;
    put_rate(&mut figures);
    broker.must_live()?;
    broker.node.forget_topic(topic)?;
    Ok(figures)
}

fn put_rate(figures: &mut Figures) {
    let rate = figures.of("records_per_s") * real(KIB);
    figures.insert("mb_per_s".into(), rate / 1e6);
}

/// Records of 1 KiB at a rate, or without one for about `duration` at 200,000 a second.
fn steady(rate: Option<f64>, duration: Duration, producers: u64) -> Load<'static> {
    const UNBOUNDED: f64 = 200_000.0;
    Load {
        production: Production {
            topic: "",
            records: due(rate.unwrap_or(UNBOUNDED), duration),
            payload: Payload::Bytes(KIB),
            compression: "none",
        },
        rate,
        producers,
        keys: None,
        linger_ms: None,
    }
}

/// Producers at 50,000 records of 1 KiB a second, with and without lingering.
pub fn at_a_rate(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    const RATE: f64 = 50_000.0;
    let mut running = Running::start(bench, measured, &bench.contestants())?;
    let load = steady(Some(RATE), bench.seconds(20), generator::PRODUCERS);
    measured.load = format!(
        "klamm producer-perf: 4 producers, {RATE} records/s of 1 KiB for {} s, acks=1, \
         batch.size=131072, {PARTITIONS} partitions, linger.ms=5, and 0 in the runs that say so; \
         latency from when each record was due",
        bench.seconds(20).as_secs_f64()
    );
    running.warm_up(bench, |broker, _| {
        produce_once(bench, broker, "warm-up", &load).map(drop)
    })?;
    let systems = bench.labels();
    let mut known: Vec<(String, &str, Option<u64>)> = Vec::new();
    known.extend(systems.map(|system| (system.to_owned(), system, None)));
    known.extend(systems.map(|system| (format!("{system}-linger-0"), system, Some(0))));
    let labels: Vec<&str> = known.iter().map(|(label, _, _)| label.as_str()).collect();
    bench.alternate(measured, &labels, |label, round| {
        let (_, system, linger_ms) = called(&known, label, |one| &one.0)?;
        let load = Load {
            linger_ms: *linger_ms,
            ..load.clone()
        };
        let topic = format!("{label}-{round}");
        produce_once(bench, running.get(system)?, &topic, &load)
    })?;
    running.stop()
}

/// Keyed producers, ever more of them, at one rate; and as many records as the most of them get rid of.
pub fn producers(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    const RATE: f64 = 20_000.0;
    const KEYS: u64 = 1_000_000;
    const COUNTS: [u64; 3] = [4, 50, 400];
    let mut running = Running::start(bench, measured, &bench.contestants())?;
    measured.load = format!(
        "klamm producer-perf: 4, 50 and 400 producers, {RATE} records/s of 1 KiB in all for {} s, \
         {KEYS} keys, acks=1 linger.ms=5 batch.size=131072, {PARTITIONS} partitions; latency from when \
         each record was due; then 400 without a rate",
        bench.seconds(15).as_secs_f64()
    );
    let load = |rate, producers| Load {
        keys: Some(KEYS),
        ..steady(
            rate,
            bench.seconds(if rate.is_some() { 15 } else { 10 }),
            producers,
        )
    };
    running.warm_up(bench, |broker, count| {
        let producers = COUNTS[count % COUNTS.len()];
        produce_once(bench, broker, "warm-up", &load(Some(RATE), producers)).map(drop)
    })?;
    let mut known: Vec<(String, &str, Option<f64>, u64)> = Vec::new();
    for count in COUNTS {
        let systems = bench.labels();
        known.extend(systems.map(|one| (format!("{one}-{count}"), one, Some(RATE), count)));
    }
    let systems = bench.labels();
    known.extend(systems.map(|one| (format!("{one}-400-unbounded"), one, None, 400)));
    let labels: Vec<&str> = known.iter().map(|(label, ..)| label.as_str()).collect();
    bench.alternate(measured, &labels, |label, round| {
        let (_, system, rate, count) = called(&known, label, |one| &one.0)?;
        let topic = format!("{label}-{round}");
        produce_once(bench, running.get(system)?, &topic, &load(*rate, *count))
    })?;
    running.stop()
}

fn end_to_end_once(
    bench: &Bench,
    broker: &mut Broker,
    topic: &str,
    records: u64,
    record_bytes: u64,
    rate: Option<f64>,
) -> Result<Figures, String> {
    let (mut figures, spent) = measure(broker, |broker| {
        let port = broker.port();
        generator::end_to_end(
            &bench.installation,
            port,
            topic,
            records,
            record_bytes,
            rate,
        )
    })?;
    figures.insert(
        "broker_cpu_us_per_record".into(),
        spent.broker_s * 1e6 / real(records),
    );
    broker.must_live()?;
    Ok(figures)
}

/// A record of 100 B, through the broker and back, and then the next.
pub fn one_at_a_time(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    const TOPIC: &str = "one";
    const BYTES: u64 = 100;
    let mut running = Running::start(bench, measured, &bench.contestants())?;
    let records = bench.count(20_000);
    measured.load = format!(
        "klamm e2e-latency: {records} records of {BYTES} B, one after the other, acks=1, one partition, \
         a consumer that waits at the broker"
    );
    for (_, broker) in &mut running.0 {
        wire::create_topic(broker.port(), TOPIC, 1)?;
    }
    running.warm_up(bench, |broker, _| {
        end_to_end_once(bench, broker, TOPIC, records, BYTES, None).map(drop)
    })?;
    bench.alternate(measured, &bench.labels(), |label, _| {
        end_to_end_once(bench, running.get(label)?, TOPIC, records, BYTES, None)
    })?;
    running.stop()
}

/// Open loop at parts of what the slower system can do.
pub fn end_to_end(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    const PERCENT: [u32; 3] = [10, 50, 80];
    const TRIALS: usize = 3;
    const UNBOUNDED: f64 = 1e6;
    let mut running = Running::start(bench, measured, &bench.contestants())?;
    // A topic for each run, which is deleted after it: all of them together would not fit on the disk.
    let once = |broker: &mut Broker, topic: &str, records, rate| {
        wire::create_topic(broker.port(), topic, PARTITIONS)?;
        let figures = end_to_end_once(bench, broker, topic, records, KIB, Some(rate))?;
        broker.node.forget_topic(topic)?;
        Ok::<_, String>(figures)
    };
    running.warm_up(bench, |broker, _| {
        once(broker, "warm-up", bench.count(50_000), 10_000.0).map(drop)
    })?;
    // Rounds that are added run at the rates of those that are there.
    let former = bench.former.as_ref();
    let former_most = former.and_then(|former| most_in(former.load()));
    let tried = match former_most {
        Some(_) => Vec::new(),
        None => bench.labels().to_vec(),
    };
    let mut slowest = former_most.unwrap_or(f64::INFINITY);
    for label in tried {
        let mut rates = Vec::new();
        for _ in 0..TRIALS {
            let figures = once(running.get(label)?, "most", bench.count(300_000), UNBOUNDED)?;
            rates.push(figures.of("records_per_s"));
        }
        let rate = median(&rates).unwrap_or(0.0);
        println!("  {label}: {rate:.0} records/s at most");
        slowest = slowest.min(rate);
    }
    let duration = bench.seconds(20);
    measured.load = format!(
        "klamm e2e-latency: records of 1 KiB, acks=1 linger.ms=0, {PARTITIONS} partitions, one producer \
         and one consumer, at 10, 50 and 80 % of {slowest:.0} records/s, which is the most that the \
         slower system delivers, for {} s each; latency from when each record was due until it is read",
        duration.as_secs_f64()
    );
    let mut known: Vec<(String, &str, f64)> = Vec::new();
    for percent in PERCENT {
        let rate = slowest * f64::from(percent) / 100.0;
        let systems = bench.labels();
        known.extend(systems.map(|one| (format!("{one}-{percent}"), one, rate)));
    }
    let labels: Vec<&str> = known.iter().map(|(label, ..)| label.as_str()).collect();
    bench.alternate(measured, &labels, |label, round| {
        let (_, system, rate) = called(&known, label, |one| &one.0)?;
        let topic = format!("{label}-{round}");
        once(running.get(system)?, &topic, due(*rate, duration), *rate)
    })?;
    running.stop()
}

/// What the slower system delivers at most, as the load of [`end_to_end`] says it.
fn most_in(load: &str) -> Option<f64> {
    let (_, rest) = load.split_once(" 80 % of ")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// A broker's memory, its page cache included: heap and cache of Apache, or all for the cache of klamm.
const CAP_BYTES: u64 = 2 << 30;
const HISTORY: &str = "history";
const HISTORY_BYTES: u64 = 5_000_000_000;
const READERS: usize = 4;

/// Producers at a fixed rate, first alone, then beside readers that catch up from the disk.
pub fn cold(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    const RATE: f64 = 10_000.0;
    let mut running = Running::start(bench, measured, &bench.contestants())?;
    let mut caps = Vec::new();
    for (label, broker) in &mut running.0 {
        let cap = Cap::new(label, CAP_BYTES);
        if let Some(cap) = &cap {
            cap.take_in(broker.process())?;
        }
        caps.extend(cap);
        wire::create_topic(broker.port(), HISTORY, PARTITIONS)?;
        let bytes = bench.count(HISTORY_BYTES);
        clients::fill(broker.port(), HISTORY, PARTITIONS, bytes, now_ms())?;
    }
    let capped = match caps.len() == running.0.len() {
        true => format!(
            "each broker in a memory cgroup of {} GiB, page cache included",
            CAP_BYTES >> 30
        ),
        false => "no memory cgroup could be made here: no cap".to_owned(),
    };
    let duration = bench.seconds(15);
    measured.load = format!(
        "{capped}. {HISTORY} holds {:.1} GB in {PARTITIONS} partitions, its pages dropped (fadvise) \
         before each run. klamm producer-perf: 4 producers, {RATE} records/s of 1 KiB for {} s, acks=1 \
         linger.ms=5, into another topic, first alone, then while {READERS} plain sockets read {HISTORY} \
         from its beginning, round and round; latency from when each record was due",
        real(bench.count(HISTORY_BYTES)) / 1e9,
        duration.as_secs_f64()
    );
    let load = steady(Some(RATE), duration, generator::PRODUCERS);
    running.warm_up(bench, |broker, _| {
        produce_once(bench, broker, "warm-up", &load).map(drop)
    })?;
    bench.alternate(measured, &bench.labels(), |label, round| {
        let broker = running.get(label)?;
        let before = produce_once(bench, broker, &format!("before-{round}"), &load)?;
        settle_disk(&bench.installation.work)?;
        broker.node.forget_pages(HISTORY)?;
        let port = broker.port();
        let partitions = usize::try_from(PARTITIONS).expect("a small count");
        let reading = std::thread::spawn(move || {
            fetcher::fetch(port, HISTORY, partitions, READERS, duration)
        });
        let during = produce_once(bench, broker, &format!("during-{round}"), &load);
        let read = reading
            .join()
            .map_err(|_| "a reader panicked".to_owned())??;
        let mut figures = during?;
        let held_up = [&before, &figures].map(|of| of.get("held_up_ms").copied().unwrap_or(0.0));
        for (name, value) in [
            ("held_up_ms", held_up[0].max(held_up[1])),
            ("before_p99_ms", before.of("latency_p99_ms")),
            ("before_p999_ms", before.of("latency_p999_ms")),
            (
                "p99_growth",
                figures.of("latency_p99_ms") / before.of("latency_p99_ms"),
            ),
            (
                "read_mb_per_s",
                real_length(read.bytes) / 1e6 / read.seconds,
            ),
        ] {
            figures.insert(name.into(), value);
        }
        Ok(figures)
    })?;
    let stopped = running.stop();
    drop(caps);
    stopped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rates_of_an_earlier_sitting_are_found_in_its_load() {
        let load = "one producer and one consumer, at 10, 50 and 80 % of 199116 records/s, which is \
                    the most that the slower system delivers, for 20 s each";
        assert_eq!(most_in(load), Some(199_116.0));
        assert_eq!(most_in("nothing, for 30 s"), None);
    }
}
