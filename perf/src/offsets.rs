//! How long a broker takes to load the offsets that groups have committed.

use crate::bench::{Bench, Running, called};
use crate::broker::{Broker, Installation, Node, System};
use crate::figures::Figures;
use crate::group_wire;
use crate::links::Links;
use crate::machine::{process_cpu_s, real, real_length, settle_disk};
use crate::results::Measured;
use crate::{broker, wire};
use std::fs;
use std::io;
use std::time::{Duration, Instant};

const TOPIC: &str = "loaded";
const PARTITIONS: i32 = 1_000;
const CONNECTIONS: usize = 16;
const GIVE_UP: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(5);

/// Each broker commits the offsets, which then are a log without any key twice; stops; and starts
/// again, its log not in memory.
pub fn load(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    let contestants = bench.contestants();
    let groups = bench.count(3_000);
    let records = groups * u64::try_from(PARTITIONS).expect("a positive count");
    measured.load = format!(
        "{groups} groups with committed offsets for {PARTITIONS} partitions of one topic: {records} \
         records, no key twice, in the 50 partitions of __consumer_offsets; the broker is stopped, \
         the pages of the log are dropped (fadvise), the broker is started. The rate per core is \
         records over the longest time that klamm names for a partition (they are loaded side by \
         side) and over its cores"
    );
    let mut running = Running::start(bench, measured, &contestants)?;
    for (_, broker) in &mut running.0 {
        wire::create_topic(broker.port(), TOPIC, PARTITIONS)?;
        commit_all(broker, groups)?;
    }
    let nodes: Vec<(&str, Node)> = running
        .0
        .iter()
        .map(|(label, broker)| (*label, broker.node.clone()))
        .collect();
    running.stop()?;
    bench.alternate(
        measured,
        &contestants.map(|(label, _)| label),
        |label, _| {
            let (_, node) = called(&nodes, label, |one| one.0)?;
            load_once(&bench.installation, node, records)
        },
    )
}

fn commit_all(broker: &Broker, groups: u64) -> Result<(), String> {
    let names: Vec<String> = (0..groups)
        .map(|group| format!("loaded-{group:05}"))
        .collect();
    let start = Instant::now();
    group_wire::find_coordinators(broker.port(), names.iter().map(String::as_str))?;
    let commit = || -> io::Result<()> {
        let mut links = Links::open(broker.port(), CONNECTIONS)?;
        let mut frames = names
            .iter()
            .map(|group| group_wire::offset_commit(group, TOPIC, 0..PARTITIONS, 1_000_000));
        let mut open = 0;
        for (link, frame) in (0..CONNECTIONS).zip(&mut frames) {
            links.send(link, &frame)?;
            open += 1;
        }
        while open > 0 {
            for reply in links.replies(GIVE_UP)? {
                let error = group_wire::offset_commit_error(&reply.body)?;
                if error != group_wire::NONE {
                    return Err(io::Error::other(format!("error code {error}")));
                }
                match frames.next() {
                    Some(frame) => links.send(reply.link, &frame)?,
                    None => open -= 1,
                }
            }
        }
        Ok(())
    };
    commit().map_err(|error| format!("cannot commit offsets: {error}"))?;
    println!(
        "  {}: committed in {:.1} s",
        broker.node.system.name(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn load_once(installation: &Installation, node: &Node, records: u64) -> Result<Figures, String> {
    settle_disk(&installation.work)?;
    node.forget_pages("__consumer_offsets")?;
    let start = Instant::now();
    let mut broker = node.spawn(installation)?;
    let loaded = loop {
        let loaded = Loaded::read(node);
        if loaded.records >= records {
            break loaded;
        }
        if start.elapsed() > GIVE_UP {
            let found = loaded.records;
            return Err(format!("only {found} of {records} offsets were loaded"));
        }
        broker.must_live()?;
        std::thread::sleep(LOOK);
    };
    let loaded_s = start.elapsed().as_secs_f64();
    let broker_cpu_s = process_cpu_s(broker.process())?;
    let (resident, _) = broker::memory_mb(&broker)?;
    broker.stop()?;
    let mut figures = Figures::from([
        ("records".into(), real(loaded.records)),
        ("loaded_s".into(), loaded_s),
        ("longest_s".into(), loaded.longest_s),
        ("sum_s".into(), loaded.sum_s),
        ("broker_cpu_s".into(), broker_cpu_s),
        (
            "records_per_cpu_s".into(),
            real(loaded.records) / broker_cpu_s,
        ),
        ("rss_mb".into(), resident),
    ]);
    let per_core = match node.system {
        // One thread loads one partition after the other.
        System::Kafka => loaded.sum_s,
        System::Klamm => {
            let cores = std::thread::available_parallelism().map_or(1, |count| count.get());
            loaded.longest_s * real_length(cores)
        }
    };
    figures.insert(
        "records_per_s_and_core".into(),
        real(loaded.records) / per_core,
    );
    Ok(figures)
}

/// What the broker says of the partitions that it has loaded.
#[derive(Default)]
struct Loaded {
    records: u64,
    longest_s: f64,
    sum_s: f64,
}

impl Loaded {
    fn read(node: &Node) -> Loaded {
        let text = fs::read_to_string(node.folder.join("output")).unwrap_or_default();
        let mut loaded = Loaded::default();
        for line in text.lines() {
            let said = match node.system {
                System::Klamm => klamm_said(line),
                System::Kafka => kafka_said(line),
            };
            if let Some((records, seconds)) = said {
                loaded.records += records;
                loaded.longest_s = loaded.longest_s.max(seconds);
                loaded.sum_s += seconds;
            }
        }
        loaded
    }
}

/// "… __consumer_offsets-7 is loaded records=60000 bytes=… took=51.2ms"
fn klamm_said(line: &str) -> Option<(u64, f64)> {
    let after = |name: &str| {
        let (_, rest) = line.split_once(name)?;
        rest.split_whitespace().next()
    };
    line.contains(" is loaded").then_some(())?;
    Some((after("records=")?.parse().ok()?, seconds(after("took=")?)?))
}

/// A duration as Rust prints it.
fn seconds(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let value: f64 = digits.parse().ok()?;
    Some(match &text[digits.len()..] {
        "s" => value,
        "ms" => value / 1e3,
        "ns" => value / 1e9,
        _ => value / 1e6,
    })
}

/// "Finished loading of metadata from __consumer_offsets-7 with epoch 1 in 123ms where 3ms was spent
/// in the scheduler. Loaded 60000 records which total to 6000000 bytes."
fn kafka_said(line: &str) -> Option<(u64, f64)> {
    let (_, rest) = line.split_once("Finished loading of metadata from")?;
    let after = |name: &str| {
        let (_, rest) = rest.split_once(name)?;
        rest.split(|letter: char| !letter.is_ascii_digit()).next()
    };
    let milliseconds: f64 = after(" in ")?.parse().ok()?;
    let waited: f64 = after("where ")?.parse().ok()?;
    Some((
        after("Loaded ")?.parse().ok()?,
        (milliseconds - waited) / 1e3,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_brokers_are_understood() {
        let klamm =
            "INFO __consumer_offsets-7 is loaded records=60000 bytes=9 damaged=0 took=51.5ms";
        assert_eq!(klamm_said(klamm), Some((60_000, 0.0515)));
        let kafka = "Finished loading of metadata from __consumer_offsets-7 with epoch 1 in 123ms \
                     where 3ms was spent in the scheduler. Loaded 600 records which total to 6 bytes.";
        assert_eq!(kafka_said(kafka), Some((600, 0.12)));
        assert_eq!(kafka_said("Started"), None);
        assert_eq!(seconds("1.5s"), Some(1.5));
    }
}
