//! `klamm console-consumer`: records on standard output, as `kafka-console-consumer`. As there, it
//! joins a group, one of its own making where none is named, unless a partition is; and unless
//! `--offset` says where to start, which only klamm takes without a partition.

mod group;

use super::BootstrapArguments;
use super::begin::catch_interrupt;
use super::error::CliError;
use super::formatter::{Formatter, Message};
use super::output::{Output, OutputArguments, OutputFormat, notice};
use super::property::{Properties, Spelled, gather};
use super::template::Template;
use super::topic_filter::{IncludeList, is_internal};
use crate::base::ids::Offset;
use crate::base::time::{Instant, milliseconds};
use crate::client::Client;
use crate::client::admin::OffsetSpec;
use crate::client::consumer::{Consumer, ConsumerOptions, FetchedBatch, Isolation};
use crate::client::group::{GroupConsumer, OffsetReset};
use crate::runtime::blocking::Interrupt;
use crate::runtime::disk::Disk;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// Read from Kafka topics and write to standard output.
#[derive(clap::Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["topic", "include"]))]
pub struct ConsoleConsumerArguments {
    #[command(flatten)]
    bootstrap: BootstrapArguments,
    /// The topic to consume from.
    #[arg(long, value_name = "topic")]
    topic: Option<String>,
    /// A regular expression: all topics that match are consumed.
    #[arg(long, value_name = "regex", conflicts_with = "partition")]
    include: Option<String>,
    /// The partition to consume from, outside of any group.
    #[arg(long, value_name = "partition")]
    partition: Option<i32>,
    /// Where to start: a number, earliest (start), latest (end), -N for the last N, or @MS for a
    /// time. [default: latest]
    #[arg(
        long,
        value_name = "offset",
        allow_hyphen_values = true,
        conflicts_with = "from_beginning"
    )]
    offset: Option<String>,
    /// Start with the earliest message rather than the latest, where the group has no offset.
    #[arg(long)]
    from_beginning: bool,
    /// The consumer group to join, which keeps the offsets that were read.
    #[arg(long, value_name = "consumer group id", conflicts_with = "offset")]
    group: Option<String>,
    /// How many messages to consume before exiting; without it, consumption has no end.
    #[arg(long, value_name = "count")]
    max_messages: Option<u64>,
    /// Exit if no message is available for so many milliseconds.
    #[arg(long, value_name = "ms")]
    timeout_ms: Option<i64>,
    /// read_committed leaves out transactional messages that are not committed.
    #[arg(long, value_name = "level", default_value = "read_uncommitted")]
    isolation_level: String,
    /// Skip a message that cannot be printed, instead of stopping.
    #[arg(long)]
    skip_message_on_error: bool,
    /// How messages are printed: Kafka's DefaultMessageFormatter or NoOpMessageFormatter.
    #[arg(
        long,
        value_name = "class",
        default_value = "org.apache.kafka.tools.consumer.DefaultMessageFormatter"
    )]
    formatter: String,
    /// A template instead, as kcat and rpk know them: %t topic, %p partition, %o offset, %k key,
    /// %v value, %h headers, %T timestamp, %K and %V lengths, \n \t \xHH.
    #[arg(long, value_name = "template")]
    format: Option<String>,
    /// How messages are printed, as key=value: print.timestamp print.key print.offset print.epoch
    /// print.partition print.headers print.value, key.separator line.separator headers.separator
    /// null.literal, key.deserializer value.deserializer headers.deserializer.
    #[arg(long, value_name = "key=value")]
    formatter_property: Vec<String>,
    /// Deprecated: use --formatter-property.
    #[arg(long, value_name = "key=value", hide = true)]
    property: Vec<String>,
    /// Property file for --formatter-property.
    #[arg(long, value_name = "file")]
    formatter_config: Option<PathBuf>,
    /// The deserializer of keys, one of Kafka's own.
    #[arg(long, value_name = "class")]
    key_deserializer: Option<String>,
    /// The deserializer of values, one of Kafka's own.
    #[arg(long, value_name = "class")]
    value_deserializer: Option<String>,
    /// A setting of the consumer as key=value, such as fetch.max.bytes=1000000.
    #[arg(long, value_name = "key=value")]
    command_property: Vec<String>,
    /// Deprecated: use --command-property.
    #[arg(long, value_name = "key=value", hide = true)]
    consumer_property: Vec<String>,
    /// Property file with settings of the consumer.
    #[arg(long, value_name = "file")]
    command_config: Option<PathBuf>,
    /// Deprecated: use --command-config.
    #[arg(long = "consumer.config", value_name = "file", hide = true)]
    consumer_config: Option<PathBuf>,
    /// Log lifecycle events. Accepted without effect: it is for Apache's system tests.
    #[arg(long, hide = true)]
    enable_systest_events: bool,
    #[command(flatten)]
    output: OutputArguments,
}

/// Where reading starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Start {
    At(Offset),
    /// An offset that the broker knows.
    Listed(OffsetSpec),
    /// So many before the end.
    BeforeEnd(i64),
}

impl ConsoleConsumerArguments {
    fn start(&self) -> Result<Start, CliError> {
        let default = if self.from_beginning {
            "earliest"
        } else {
            "latest"
        };
        let text = self.offset.as_deref().unwrap_or(default);
        let wrong = || {
            CliError::Usage(format!(
                "The provided offset value '{text}' is incorrect. Valid values are 'earliest', \
                 'latest', a number, -N for the last N, or @MS for a time"
            ))
        };
        match text.to_ascii_lowercase().as_str() {
            "earliest" | "start" => Ok(Start::Listed(OffsetSpec::EARLIEST)),
            "latest" | "end" => Ok(Start::Listed(OffsetSpec::LATEST)),
            other => match other.strip_prefix('@') {
                Some(time) => {
                    let time = time.parse::<i64>().map_err(|_| wrong())?;
                    let time = Some(time).filter(|&time| time >= 0).ok_or_else(wrong)?;
                    Ok(Start::Listed(OffsetSpec(time)))
                }
                None => match other.parse::<i64>().map_err(|_| wrong())? {
                    offset if offset >= 0 => Ok(Start::At(Offset(offset))),
                    before => Ok(Start::BeforeEnd(before.saturating_neg())),
                },
            },
        }
    }

    fn formatter(&self) -> Result<Formatter, CliError> {
        if self.output.output == OutputFormat::Json {
            return Ok(Formatter::Json);
        }
        if let Some(template) = &self.format {
            return Ok(Formatter::Template(Template::parse(template)?));
        }
        let mut properties = gather(
            &Disk::Native,
            Spelled {
                name: "--formatter-config",
                current: self.formatter_config.as_deref(),
                deprecated_name: "--formatter-config",
                deprecated: None,
            },
            Spelled {
                name: "--formatter-property",
                current: &self.formatter_property,
                deprecated_name: "--property",
                deprecated: &self.property,
            },
        )?;
        if let Some(class) = &self.key_deserializer {
            properties.set("key.deserializer", class);
        }
        if let Some(class) = &self.value_deserializer {
            properties.set("value.deserializer", class);
        }
        Formatter::of_class(&self.formatter, &properties)
    }

    fn settings(&self) -> Result<Properties, CliError> {
        gather(
            &Disk::Native,
            Spelled {
                name: "--command-config",
                current: self.command_config.as_deref(),
                deprecated_name: "--consumer.config",
                deprecated: self.consumer_config.as_deref(),
            },
            Spelled {
                name: "--command-property",
                current: &self.command_property,
                deprecated_name: "--consumer-property",
                deprecated: &self.consumer_property,
            },
        )
    }

    fn options(&self, settings: &Properties) -> Result<ConsumerOptions, CliError> {
        let defaults = ConsumerOptions::default();
        let number = |key: &str, default: i32| match settings.get(key) {
            None => Ok(default),
            Some(text) => text
                .trim()
                .parse::<i32>()
                .ok()
                .filter(|&n| n >= 0)
                .ok_or_else(|| {
                    CliError::Usage(format!("{key} takes a whole number, not '{text}'"))
                }),
        };
        let level = settings
            .get("isolation.level")
            .unwrap_or(&self.isolation_level);
        let isolation = match level {
            "read_committed" => Isolation::ReadCommitted,
            "read_uncommitted" => Isolation::ReadUncommitted,
            other => {
                return Err(CliError::Usage(format!(
                    "--isolation-level is read_committed or read_uncommitted, not '{other}'"
                )));
            }
        };
        Ok(ConsumerOptions {
            max_wait: milliseconds(i64::from(number("fetch.max.wait.ms", 500)?)),
            min_bytes: number("fetch.min.bytes", defaults.min_bytes)?,
            max_bytes: number("fetch.max.bytes", defaults.max_bytes)?,
            partition_bytes: number("max.partition.fetch.bytes", defaults.partition_bytes)?,
            isolation,
            check_crcs: settings.is_true("check.crcs", true),
            rack: settings.get("client.rack").unwrap_or_default().to_owned(),
            retry_backoff: defaults.retry_backoff,
        })
    }
}

/// Prints until the count, the timeout, or Ctrl-C ends it; then says how many there were.
pub fn run(arguments: &ConsoleConsumerArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    let start = arguments.start()?;
    let formatter = arguments.formatter()?;
    let settings = arguments.settings()?;
    let options = arguments.options(&settings)?;
    let mut client_options = super::client_options(&arguments.bootstrap, &settings)?;
    client_options.client_id = settings
        .get("client.id")
        .unwrap_or("console-consumer")
        .to_owned();
    let interrupt = catch_interrupt()?;
    let by_itself = arguments.partition.is_some() || arguments.offset.is_some();
    let membership = group::membership(arguments, &settings, options.clone())?;
    if by_itself && membership.is_named {
        let why = "Options group and partition cannot be specified together.";
        return Err(CliError::Usage(why.to_owned()));
    }
    let mut client = Client::connect(client_options)?;
    let source = if by_itself {
        let partitions = partitions(&mut client, arguments)?;
        let reset = match membership.options.reset {
            OffsetReset::Earliest => OffsetSpec::EARLIEST,
            OffsetReset::Latest | OffsetReset::None => OffsetSpec::LATEST,
        };
        let mut consumer = Consumer::new(options);
        assign(&mut client, &mut consumer, &partitions, start)?;
        Source::Partitions { consumer, reset }
    } else {
        let subscription = group::subscription(arguments, &settings)?;
        let consumer = GroupConsumer::new(&mut client, membership.options, subscription)?;
        Source::Group(Box::new(consumer))
    };
    let mut reading = Reading {
        source,
        formatter,
        skip_errors: arguments.skip_message_on_error,
        remaining: arguments.max_messages.unwrap_or(u64::MAX),
        processed: 0,
        buffer: Vec::new(),
    };
    let timeout = arguments
        .timeout_ms
        .filter(|&timeout| timeout >= 0)
        .map(milliseconds);
    let result = reading.run(&mut client, timeout, &interrupt, output);
    // Left in any case: the others of the group need not wait for the session to end.
    let closed = reading.source.close(&mut client);
    let flushed = output.flush();
    notice(format_args!(
        "Processed a total of {} messages",
        reading.processed
    ));
    result.and(closed).and(flushed)
}

/// The partitions to read.
fn partitions(
    client: &mut Client,
    arguments: &ConsoleConsumerArguments,
) -> Result<Vec<(Rc<str>, i32)>, CliError> {
    if let Some(include) = &arguments.include {
        let list = IncludeList::parse(include)?;
        client.refresh_all_topics()?;
        let matching: Vec<(Rc<str>, i32)> = client
            .cluster()
            .topics()
            .filter(|topic| list.allows(&topic.name) && !is_internal(&topic.name))
            .flat_map(|topic| {
                let name = Rc::clone(&topic.name);
                topic
                    .partitions
                    .iter()
                    .map(move |partition| (Rc::clone(&name), partition.index))
            })
            .collect();
        if matching.is_empty() {
            return Err(CliError::Failed(format!(
                "no topic matches --include '{include}'"
            )));
        }
        return Ok(matching);
    }
    let topic: Rc<str> = Rc::from(arguments.topic.as_deref().unwrap_or_default());
    let count = client.partition_count(&topic)?;
    match arguments.partition {
        Some(partition) if !(0..count).contains(&partition) => Err(CliError::Failed(format!(
            "topic {topic} has {count} partition(s): there is no partition {partition}"
        ))),
        Some(partition) => Ok(vec![(topic, partition)]),
        None => Ok((0..count)
            .map(|partition| (Rc::clone(&topic), partition))
            .collect()),
    }
}

/// Gives the consumer its partitions, each at its start.
fn assign(
    client: &mut Client,
    consumer: &mut Consumer,
    partitions: &[(Rc<str>, i32)],
    start: Start,
) -> Result<(), CliError> {
    let spec = match start {
        Start::At(offset) => {
            for (topic, partition) in partitions {
                consumer.assign(topic, *partition, offset);
            }
            return Ok(());
        }
        Start::Listed(spec) => spec,
        Start::BeforeEnd(_) => OffsetSpec::LATEST,
    };
    // A time after the last record gives no offset: then the end is where reading starts.
    let listed = client.list_offsets(partitions, spec)?;
    let ends = client.list_offsets(partitions, OffsetSpec::LATEST)?;
    let starts = client.list_offsets(partitions, OffsetSpec::EARLIEST)?;
    for ((listed, end), earliest) in listed.into_iter().zip(ends).zip(starts) {
        let what = |error| {
            CliError::Failed(format!(
                "cannot find where to start in {}-{}: {error}",
                listed.topic, listed.partition
            ))
        };
        let end = end.result.map_err(what)?.unwrap_or(Offset(0));
        let offset = match start {
            Start::BeforeEnd(count) => {
                let earliest = earliest.result.map_err(what)?.unwrap_or(Offset(0));
                Offset(end.0.saturating_sub(count)).max(earliest)
            }
            Start::At(_) | Start::Listed(_) => listed.result.map_err(what)?.unwrap_or(end),
        };
        consumer.assign(&listed.topic, listed.partition, offset);
    }
    Ok(())
}

/// Where records come from.
enum Source {
    /// Partitions that nobody else is asked about, and where one of them starts anew whose
    /// position does not exist.
    Partitions {
        consumer: Consumer,
        reset: OffsetSpec,
    },
    Group(Box<GroupConsumer>),
}

impl Source {
    /// The next batch that has come.
    fn poll_batch(&mut self, client: &mut Client) -> Result<Option<FetchedBatch>, CliError> {
        match self {
            Source::Partitions { consumer, .. } => Ok(consumer.poll_batch()?),
            Source::Group(consumer) => {
                let batch = consumer.poll_batch(client)?;
                for line in consumer.take_notices() {
                    notice(line);
                }
                Ok(batch)
            }
        }
    }

    fn wait(&mut self, client: &mut Client, until: Instant) -> Result<(), CliError> {
        match self {
            Source::Partitions { consumer, reset } => {
                client.drive_consumer(consumer, until)?;
                while let Some(lost) = consumer.poll_out_of_range() {
                    let partition = [(lost.topic, lost.partition)];
                    assign(client, consumer, &partition, Start::Listed(*reset))?;
                }
                Ok(())
            }
            Source::Group(consumer) => Ok(consumer.wait(client, until)?),
        }
    }

    /// What follows the offset was not read after all: a group will read it again.
    fn rewind(&mut self, batch: &FetchedBatch, offset: Offset) {
        match self {
            Source::Partitions { .. } => {}
            Source::Group(consumer) => consumer.rewind(&batch.topic, batch.partition, offset),
        }
    }

    fn close(&mut self, client: &mut Client) -> Result<(), CliError> {
        match self {
            Source::Partitions { .. } => Ok(()),
            Source::Group(consumer) => Ok(consumer.close(client)?),
        }
    }
}

struct Reading {
    source: Source,
    formatter: Formatter,
    skip_errors: bool,
    remaining: u64,
    processed: u64,
    buffer: Vec<u8>,
}

impl Reading {
    fn run(
        &mut self,
        client: &mut Client,
        timeout: Option<Duration>,
        interrupt: &Interrupt,
        output: &mut Output<'_>,
    ) -> Result<(), CliError> {
        let deadline = |now: Instant| timeout.map_or(Instant::NEVER, |timeout| now + timeout);
        let mut give_up_at = deadline(client.now().instant);
        while self.remaining > 0 && !interrupt.arrived() {
            match self.source.poll_batch(client)? {
                Some(batch) => {
                    self.print(&batch, output)?;
                    give_up_at = deadline(client.now().instant);
                }
                None => {
                    // Before waiting, what was read is shown.
                    output.flush()?;
                    if client.now().instant >= give_up_at {
                        return Ok(());
                    }
                    self.source.wait(client, give_up_at)?;
                }
            }
        }
        Ok(())
    }

    /// Prints the batch, or as much of it as is wanted; the group's offset stands behind what was
    /// printed.
    fn print(&mut self, batch: &FetchedBatch, output: &mut Output<'_>) -> Result<(), CliError> {
        let header = batch.batch.header();
        let mut printed = batch.from;
        for record in batch.records() {
            if self.remaining == 0 {
                self.source.rewind(batch, printed);
                break;
            }
            let record = record.map_err(|error| {
                CliError::Failed(format!(
                    "a record of {}-{} in the batch at offset {} cannot be read: {error}",
                    batch.topic, batch.partition, header.base_offset
                ))
            })?;
            let next = record.offset.next();
            let message = Message {
                topic: &batch.topic,
                partition: batch.partition,
                leader_epoch: header.partition_leader_epoch.0,
                timestamp_type: header.timestamp_type(),
                record,
            };
            self.buffer.clear();
            let result = match self.formatter.write(&message, &mut self.buffer) {
                Ok(()) => output.bytes(&self.buffer),
                Err(error) if self.skip_errors => {
                    notice(format_args!(
                        "Error processing message, skipping it: {error}"
                    ));
                    Ok(())
                }
                Err(error) => Err(error),
            };
            self.remaining -= 1;
            self.processed += 1;
            if result.is_err() {
                self.source.rewind(batch, printed);
                return result;
            }
            printed = next;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    #[command(infer_long_args = true)]
    struct Line {
        #[command(flatten)]
        consumer: ConsoleConsumerArguments,
    }

    pub(in crate::cli::console_consumer) fn arguments(line: &str) -> ConsoleConsumerArguments {
        let line = format!("c --bootstrap-server a:1 --topic t {line}");
        Line::try_parse_from(line.split_whitespace())
            .unwrap()
            .consumer
    }

    #[test]
    fn offsets_are_numbers_names_counts_or_times() {
        let start = |line: &str| arguments(line).start();
        assert_eq!(start("").unwrap(), Start::Listed(OffsetSpec::LATEST));
        assert_eq!(
            start("--from-beginning").unwrap(),
            Start::Listed(OffsetSpec::EARLIEST)
        );
        assert_eq!(
            start("--offset earliest").unwrap(),
            Start::Listed(OffsetSpec::EARLIEST)
        );
        assert_eq!(
            start("--offset end").unwrap(),
            Start::Listed(OffsetSpec::LATEST)
        );
        assert_eq!(start("--offset 12").unwrap(), Start::At(Offset(12)));
        assert_eq!(start("--offset -12").unwrap(), Start::BeforeEnd(12));
        assert_eq!(
            start("--offset @99").unwrap(),
            Start::Listed(OffsetSpec(99))
        );
        for bad in ["--offset abc", "--offset @-1", "--offset @", "--offset 1x"] {
            assert!(start(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn settings_and_formats_are_checked() {
        let options = |line: &str| {
            let arguments = arguments(line);
            arguments.options(&arguments.settings()?)
        };
        assert_eq!(options("").unwrap().isolation, Isolation::ReadUncommitted);
        let committed = options("--isolation-level read_committed").unwrap();
        assert_eq!(committed.isolation, Isolation::ReadCommitted);
        assert!(options("--isolation-level dirty").is_err());
        assert!(options("--command-property fetch.min.bytes=-1").is_err());
        assert!(arguments("--formatter Bogus").formatter().is_err());
        assert!(arguments("--format %q").formatter().is_err());
        assert!(arguments("--value-deserializer Avro").formatter().is_err());
        assert!(matches!(
            arguments("-o json").formatter().unwrap(),
            Formatter::Json
        ));
    }
}
