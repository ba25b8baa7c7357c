//! Workloads that fetch: what was written before is read again and again, once from the disk, or from
//! the disk round and round while something else is measured.

use super::produce::{self, Until};
use super::row::Run;
use super::session::Session;
use super::side::Side;
use super::stopwatch::{Recorder, Stopwatch, Work, figures};
use super::workload::{Fetching, Producing};
use crate::base::convert::u64_from;
use crate::base::ids::Offset;
use crate::base::time::Instant;
use crate::cli::error::CliError;
use crate::client::admin::OffsetSpec;
use crate::client::consumer::{Consumer, ConsumerOptions};
use crate::client::producer::Acks;
use crate::client::{Client, ClientError, pump_all};
use crate::protocol::messages::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsRequest,
};
use crate::record::{Compression, HEADER_BYTES};
use crate::runtime::disk::{Disk, File, OpenMode};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of each record that is written for them.
const RECORD_BYTES: u32 = 1024;

/// Longest wait: a signal is noticed by then.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// How long nothing may come before it is given up.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// One run on a topic of its own.
pub fn run(
    side: &mut Side,
    session: &Session<'_>,
    workload: &str,
    shape: &Fetching,
    duration: Duration,
) -> Result<Run, CliError> {
    let topic = write(side, session, workload, shape)?;
    if shape.cold {
        let files = files(side, &topic)?;
        forget(&files).map_err(|why| side.failed(&why))?;
    }
    let mut reading = Reading::connect(side, session, &topic, shape)?;
    let stopwatch = Stopwatch::start(session.tree, &side.meter);
    let read = reading.read(session, duration, shape.cold);
    let used = stopwatch.stop();
    match read {
        Ok(()) => {}
        Err(_) if session.interrupt.arrived() => return Err(session.interrupted()),
        Err(error) => return Err(side.failed(&error)),
    }
    let run = Run {
        contestant: side.name.to_owned(),
        figures: figures(&reading.work, &used),
        series: reading.recorder.into_series(),
        core_busy: used.core_busy,
        ..Run::default()
    };
    side.delete_topics();
    Ok(run)
}

/// Writes to a topic of its own what is read then; gives its name.
pub fn write(
    side: &mut Side,
    session: &Session<'_>,
    workload: &str,
    shape: &Fetching,
) -> Result<String, CliError> {
    let (topic, _) = side.create_topic(workload, shape.partitions, &[])?;
    let writing = Producing {
        partitions: shape.partitions,
        record_bytes: RECORD_BYTES,
        producers: 2,
        batch_bytes: 128 << 10,
        linger_ms: 5,
        in_flight: 5,
        acks: Acks::All,
        compression: Compression::None,
        keys: None,
        rate: None,
        synced: false,
    };
    let records = (shape.bytes / u64::from(RECORD_BYTES)).max(1);
    produce::send(side, session, &topic, &writing, Until::Records(records))?;
    Ok(topic)
}

/// The consumers, each with its connection, driven by one thread.
pub struct Reading {
    clients: Vec<Client>,
    consumers: Vec<Consumer>,
    topic: Rc<str>,
    /// Where each partition ends.
    ends: BTreeMap<i32, Offset>,
    /// Of one pass over everything by all consumers: partitions that are not read to their end.
    open: usize,
    /// What was read so far.
    pub work: Work,
    recorder: Recorder,
}

impl Reading {
    /// Connects the consumers to what was written.
    pub fn connect(
        side: &mut Side,
        session: &Session<'_>,
        topic: &str,
        shape: &Fetching,
    ) -> Result<Reading, CliError> {
        let topic = Rc::<str>::from(topic);
        let partitions: Vec<(Rc<str>, i32)> = (0..shape.partitions)
            .map(|partition| (Rc::clone(&topic), partition))
            .collect();
        let listed = side.client.list_offsets(&partitions, OffsetSpec::LATEST);
        let mut ends = BTreeMap::new();
        for offset in listed.map_err(|error| side.failed(&error))? {
            let end = offset.result.map_err(|error| {
                side.failed(&format_args!(
                    "the end of {topic}-{} is not known: {error}",
                    offset.partition
                ))
            })?;
            // What holds nothing is not read: a fetch of it would wait.
            if let Some(end) = end.filter(|end| end.0 > 0) {
                ends.insert(offset.partition, end);
            }
        }
        let mut clients = Vec::new();
        let mut consumers = Vec::new();
        for _ in 0..shape.consumers {
            let mut client = Client::connect_by(session.clock, side.options.clone())
                .map_err(|error| side.failed(&error))?;
            client
                .partition_count(&topic)
                .map_err(|error| side.failed(&error))?;
            let mut consumer = Consumer::new(ConsumerOptions {
                check_crcs: false,
                ..ConsumerOptions::default()
            });
            for partition in ends.keys() {
                consumer.assign(&topic, *partition, Offset(0));
            }
            clients.push(client);
            consumers.push(consumer);
        }
        Ok(Reading {
            open: ends.len() * consumers.len(),
            clients,
            consumers,
            topic,
            ends,
            work: Work::default(),
            recorder: Recorder::new(session.duration),
        })
    }

    /// Reads for so long, or everything once.
    fn read(
        &mut self,
        session: &Session<'_>,
        duration: Duration,
        once: bool,
    ) -> Result<(), ClientError> {
        let now = || session.clock.now().instant;
        let started = now();
        let mut last = (started, 0);
        let mut before = Work::default();
        loop {
            let at = now();
            let elapsed = at.since(started);
            if self.recorder.is_due(elapsed) {
                let bytes = self.work.bytes - before.bytes;
                let records = self.work.records - before.records;
                self.recorder.end_interval(elapsed, bytes, records, None);
                before = self.work;
            }
            if session.interrupt.arrived() || elapsed >= duration || (once && self.open == 0) {
                self.work.elapsed = elapsed;
                return if session.interrupt.arrived() {
                    Err(gone_quiet(Duration::ZERO))
                } else {
                    Ok(())
                };
            }
            if self.work.bytes > last.1 {
                last = (at, self.work.bytes);
            } else if at.since(last.0) > SILENCE_MAX {
                return Err(gone_quiet(SILENCE_MAX));
            }
            self.serve(at + WAIT_MAX, once)?;
        }
    }

    /// Reads until that moment, round and round; the pages of these files are dropped before each round.
    pub fn go_on(
        &mut self,
        session: &Session<'_>,
        files: &[Arc<File>],
        until: Instant,
    ) -> Result<(), String> {
        let begun = session.clock.now().instant;
        let mut now = begun;
        while now < until && !session.interrupt.arrived() {
            if self.open == 0 {
                forget(files)?;
                self.begin_again();
            }
            self.serve(until.min(now + WAIT_MAX), true)
                .map_err(|error| error.to_string())?;
            now = session.clock.now().instant;
        }
        self.work.elapsed += now.since(begun);
        Ok(())
    }

    fn begin_again(&mut self) {
        for consumer in &mut self.consumers {
            for partition in self.ends.keys() {
                consumer.assign(&self.topic, *partition, Offset(0));
            }
        }
        self.open = self.ends.len() * self.consumers.len();
    }

    fn serve(&mut self, until: Instant, once: bool) -> Result<(), ClientError> {
        let mut due = until;
        for (client, consumer) in self.clients.iter_mut().zip(&mut self.consumers) {
            due = due.min(client.send_fetches(consumer)?);
        }
        pump_all(&mut self.clients, due, false)?;
        for (client, consumer) in self.clients.iter_mut().zip(&mut self.consumers) {
            client.receive_fetches(consumer)?;
            while let Some(fetched) = consumer.poll_batch()? {
                let header = fetched.batch.header();
                self.work.bytes += u64_from(HEADER_BYTES + fetched.batch.record_bytes().len());
                self.work.records += u64::try_from(header.record_count).unwrap_or(0);
                let end = self.ends.get(&fetched.partition);
                if end.is_none_or(|end| header.next_offset() < *end) {
                    continue;
                }
                if once {
                    self.open = self.open.saturating_sub(1);
                    consumer.set_paused(&self.topic, fetched.partition, true);
                } else {
                    // From the start again, before it is asked for what is not there yet.
                    consumer.assign(&self.topic, fetched.partition, Offset(0));
                }
            }
        }
        Ok(())
    }
}

fn gone_quiet(after: Duration) -> ClientError {
    ClientError::TimedOut {
        what: "fetch".to_owned(),
        after,
    }
}

/// Drops the pages of files, so that the disk has to be read.
pub fn forget(files: &[Arc<File>]) -> Result<(), String> {
    files
        .iter()
        .try_for_each(|file| file.forget_pages())
        .map_err(|error| format!("its log files cannot be dropped from memory: {error}"))
}

/// The log files of a topic, to drop their pages.
pub fn files(side: &mut Side, topic: &str) -> Result<Vec<Arc<File>>, CliError> {
    let mut files = Vec::new();
    for folder in folders(side, topic)? {
        let unseen = |error: std::io::Error| {
            side.failed(&format_args!(
                "{} cannot be opened, and what is to be read from the disk has to be dropped from \
                 memory first: that needs the broker's files on this machine, and to be allowed to \
                 read them: {error}",
                folder.display()
            ))
        };
        for entry in Disk::Native.list(&folder).map_err(unseen)? {
            if !entry.name.ends_with(".log") {
                continue;
            }
            let file = Disk::Native
                .open(&folder.join(&entry.name), OpenMode::Read)
                .map_err(unseen)?;
            files.push(file);
        }
    }
    if files.is_empty() {
        let why = "its log files cannot be found, so they cannot be dropped from memory";
        return Err(side.failed(&why));
    }
    Ok(files)
}

/// Where a topic's partitions lie.
fn folders(side: &mut Side, topic: &str) -> Result<Vec<PathBuf>, CliError> {
    let cluster = side.client.cluster();
    let partitions: Vec<i32> = (0..cluster.partition_count(topic)).collect();
    let nodes: Vec<_> = cluster.brokers().map(|broker| broker.node).collect();
    let mut folders = Vec::new();
    for node in nodes {
        let request = DescribeLogDirsRequest {
            topics: Some(vec![DescribableLogDirTopic {
                topic: topic.into(),
                partitions: partitions.clone(),
                ..DescribableLogDirTopic::default()
            }]),
            ..DescribeLogDirsRequest::default()
        };
        let described = side.client.call(node, &request);
        let described = described.map_err(|error| side.failed(&error))?;
        for directory in &described.results {
            for found in &directory.topics {
                folders.extend(found.partitions.iter().map(|partition| {
                    let name = format!("{topic}-{}", partition.partition_index);
                    Path::new(&*directory.log_dir).join(name)
                }));
            }
        }
    }
    // A broker tells of no more partitions than were asked for.
    folders.truncate(partitions.len());
    Ok(folders)
}
