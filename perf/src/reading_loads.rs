//! What the rows of reading do: a reader that discards, Apache's consumer, three perf tools, several groups
//! at once.

use crate::bench::{Bench, Running, SOCKETS, called, measure, now_ms, per_gb};
use crate::broker::Broker;
use crate::drivers::{self, Driver};
use crate::figures::Figures;
use crate::machine::real_length;
use crate::probe;
use crate::results::Measured;
use crate::{clients, fetcher, wire};
use std::thread;
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
         max bytes 50 MiB, of a partition 1 MiB; sendfile loop: {SOCKETS} sockets, 256 KiB a call"
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
        let (_, system, driver) = called(&known, label, |one| &one.0)?;
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
pub fn fetch_groups(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    const GROUPS: [usize; 3] = [1, 3, 5];
    let mut running = filled(bench, measured, RESIDENT_BYTES)?;
    // Two batches fewer than were written: all that is asked for is there.
    let records = bench.count(RESIDENT_BYTES) / 1_100;
    measured.load = format!(
        "1, 3 and 5 groups of one klamm consumer-perf each, all at once: each reads the same {records} records of 1 KiB \
         from {FETCH_PARTITIONS} partitions. MB/s is what all have read over the time of the slowest from when its group had its \
         partitions"
    );
    running.warm_up(bench, |broker, count| {
        read_by_groups(bench, broker, 3, &format!("warm-up-{count}"), records).map(drop)
    })?;
    let contestants: Vec<(String, &str, usize)> = GROUPS
        .into_iter()
        .flat_map(|groups| {
            bench
                .labels()
                .map(|system| (format!("{system}-{groups}"), system, groups))
        })
        .collect();
    let labels: Vec<&str> = contestants
        .iter()
        .map(|(label, _, _)| label.as_str())
        .collect();
    bench.alternate(measured, &labels, |label, round| {
        let (_, system, groups) = called(&contestants, label, |one| &one.0)?;
        let name = format!("{label}-{round}");
        read_by_groups(bench, running.get(system)?, *groups, &name, records)
    })?;
    running.stop()
}

fn read_by_groups(
    bench: &Bench,
    broker: &mut Broker,
    groups: usize,
    name: &str,
    records: u64,
) -> Result<Figures, String> {
    let (mut figures, spent) = measure(broker, |broker| {
        let port = broker.port();
        let read = |group: usize| {
            let group = format!("{name}-{group}");
            Driver::Klamm.consume(&bench.installation, port, "resident", &group, records)
        };
        let all: Result<Vec<Figures>, String> = thread::scope(|scope| {
            let readers: Vec<_> = (0..groups)
                .map(|group| scope.spawn(move || read(group)))
                .collect();
            let ended = readers.into_iter().map(|reader| {
                let panicked = |_| "a reader panicked".to_owned();
                reader.join().map_err(panicked).flatten()
            });
            ended.collect()
        });
        Ok(together(&all?))
    })?;
    let bytes = figures.of("bytes");
    per_gb(&mut figures, &spent, bytes);
    Ok(figures)
}

/// What readers that began at once have read, and at which rate: the slowest ends the time.
fn together(readers: &[Figures]) -> Figures {
    let bytes = |reader: &Figures| reader.of("bytes");
    let seconds = |reader: &Figures| bytes(reader) / 1e6 / reader.of("mb_per_s");
    let all: f64 = readers.iter().map(bytes).sum();
    let slowest = readers.iter().map(seconds).fold(0.0, f64::max);
    Figures::from([
        ("bytes".into(), all),
        ("mb_per_s".into(), all / 1e6 / slowest),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_together_are_as_long_as_the_slowest() {
        let reader = |bytes: f64, mb_per_s: f64| {
            Figures::from([("bytes".into(), bytes), ("mb_per_s".into(), mb_per_s)])
        };
        let all = together(&[reader(1e9, 1000.0), reader(1e9, 500.0)]);
        assert_eq!(all.of("bytes"), 2e9);
        assert_eq!(all.of("mb_per_s"), 1000.0);
    }
}
