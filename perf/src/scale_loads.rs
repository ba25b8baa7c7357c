//! What the rows of size do: many connections, many partitions, each on a broker that was just started.

use crate::bench::{Bench, called, measure};
use crate::broker::{self, Broker, Node, System};
use crate::figures::Figures;
use crate::heap;
use crate::links::Links;
use crate::machine::{Reading, real, real_length};
use crate::results::Measured;
use crate::wire;
use std::time::Instant;

const KIB_OF_MB: f64 = 1e6 / 1024.0;

/// Connections that have asked once and then say nothing.
pub fn connections(bench: &Bench, measured: &mut Measured, full: u64) -> Result<(), String> {
    let count = usize::try_from(bench.count(full)).expect("a small count");
    let quiet = bench.seconds(10);
    measured.load = format!(
        "a broker that was just started; {count} connections of one client thread, one after the other, \
         each answered ApiVersions once; then {} s of rest with all of them open. Memory is the growth of \
         klamm's resident set, and of what is alive in Apache's heap after a full collection: what the \
         kernel keeps for a socket is not in it",
        quiet.as_secs_f64()
    );
    on_fresh_brokers(bench, measured, &bench.labels(), |broker| {
        let (_, before) = kept_kib(broker)?;
        let start = Instant::now();
        let links = Links::open(broker.port(), count)
            .map_err(|error| format!("cannot open {count} connections: {error}"))?;
        let connected_s = start.elapsed().as_secs_f64();
        std::thread::sleep(bench.seconds(5));
        let (mut figures, spent) = measure(broker, |_| {
            std::thread::sleep(quiet);
            Ok(Figures::new())
        })?;
        // Not before the rest: a full collection of Apache's is no part of its idling.
        let (kept, after) = kept_kib(broker)?;
        drop(links);
        let each = real_length(count);
        for (name, value) in [
            (kept, (after - before) / each),
            ("connect_s", connected_s),
            ("connect_us", connected_s * 1e6 / each),
            ("cpu_percent", spent.broker_s / spent.wall_s * 100.0),
        ] {
            figures.insert(name.into(), value);
        }
        Ok(figures)
    })
}

/// Memory that a broker does not get rid of in KiB, and what it is called for each connection. Of Apache's only
/// what lies in its heap: buffers outside of it, and what the JVM keeps for itself, are left out, to its advantage.
fn kept_kib(broker: &Broker) -> Result<(&'static str, f64), String> {
    match broker.node.system {
        System::Kafka => {
            heap::live_kib(broker.process()).map(|kib| ("heap_kib_per_connection", kib))
        }
        System::Klamm => {
            let (resident, _) = broker::memory_mb(broker)?;
            Ok(("kib_per_connection", resident * KIB_OF_MB))
        }
    }
}

/// Topics of a thousand partitions, without a client.
pub fn partitions(
    bench: &Bench,
    measured: &mut Measured,
    topics: u64,
    labels: &[&str],
) -> Result<(), String> {
    let each = i32::try_from(bench.count(1_000)).expect("a small count");
    let count = topics * bench.count(1_000);
    let quiet = bench.seconds(15);
    measured.load = format!(
        "a broker that was just started; {topics} topics of {each} partitions, one after the other, each \
         created when ListOffsets answers for all of its partitions (at most 300 s and a minute); then \
         {} s of rest",
        quiet.as_secs_f64()
    );
    on_fresh_brokers(bench, measured, labels, |broker| {
        let (before, _) = broker::memory_mb(broker)?;
        let reading = Reading::now(broker.process())?;
        for topic in 0..topics {
            wire::create_topic(broker.port(), &format!("many-{topic}"), each)?;
        }
        let created = reading.until_now(broker.process())?;
        std::thread::sleep(bench.seconds(5));
        let (after, _) = broker::memory_mb(broker)?;
        let (mut figures, spent) = measure(broker, |_| {
            std::thread::sleep(quiet);
            Ok(Figures::new())
        })?;
        for (name, value) in [
            ("create_s", created.wall_s),
            ("create_cpu_s", created.broker_s),
            (
                "kib_per_partition",
                (after - before) * KIB_OF_MB / real(count),
            ),
            ("cpu_percent", spent.broker_s / spent.wall_s * 100.0),
        ] {
            figures.insert(name.into(), value);
        }
        Ok(figures)
    })
}

/// Each run on a broker of its own: memory that an earlier one left behind would hide what this one
/// takes. Nothing is deleted before the row's end: for minutes afterwards ext4 passes over each inode that
/// was freed (`recently_deleted`), and files are made at a fraction of the rate.
fn on_fresh_brokers(
    bench: &Bench,
    measured: &mut Measured,
    labels: &[&str],
    run: impl Fn(&mut Broker) -> Result<Figures, String>,
) -> Result<(), String> {
    let contestants: [(&str, System); 2] = bench.contestants();
    let mut configurations = Vec::new();
    bench.alternate(measured, labels, |label, round| {
        let (_, system) = called(&contestants, label, |one| one.0)?;
        let folder = format!("{label}/{round}");
        let node = Node::fresh(&bench.installation, *system, &folder)?;
        configurations.push((label.to_owned(), node.configuration()));
        let mut broker = node.start(&bench.installation)?;
        std::thread::sleep(bench.seconds(10));
        let figures = run(&mut broker)?;
        broker.must_live()?;
        broker.stop()?;
        Ok(figures)
    })?;
    measured.configurations.extend(configurations);
    Ok(())
}
