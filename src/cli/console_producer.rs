//! `klamm console-producer`: lines of standard input become records, as `kafka-console-producer`.

use super::BootstrapArguments;
use super::error::CliError;
use super::line_reader::{LineReader, LineSplitter};
use super::output::notice;
use super::property::{Properties, Spelled, gather};
use crate::base::prng::Prng;
use crate::client::partitioner::{StickyPartitioner, partition_of_key};
use crate::client::producer::{Acks, Producer, ProducerOptions, ProducerRecord};
use crate::client::{Client, Wake};
use crate::record::{Compression, Header};
use crate::runtime::blocking::{SocketBuffers, random_bits, read_standard_input};
use crate::runtime::disk::Disk;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// Read standard input and publish it to Kafka.
#[derive(clap::Args, Clone, Debug)]
pub struct ConsoleProducerArguments {
    #[command(flatten)]
    bootstrap: BootstrapArguments,
    /// The topic name to produce messages to.
    #[arg(long, value_name = "topic")]
    topic: String,
    /// Send each message and wait for its acknowledgement before the next.
    #[arg(long)]
    sync: bool,
    /// The compression codec: none, gzip, snappy, lz4 or zstd; gzip where none is named.
    #[arg(long, value_name = "codec", num_args = 0..=1, default_missing_value = "gzip")]
    compression_codec: Option<String>,
    /// Bytes of one batch of a partition: it is sent at the latest when it has so many.
    #[arg(long, value_name = "size")]
    batch_size: Option<usize>,
    /// Deprecated: use --batch-size.
    #[arg(long, value_name = "size", hide = true)]
    max_partition_memory_bytes: Option<usize>,
    /// How often a message is sent again before it is dropped. [default: 3]
    #[arg(long, value_name = "count")]
    message_send_max_retries: Option<u32>,
    /// How long to wait before sending again, in ms. [default: 100]
    #[arg(long, value_name = "ms")]
    retry_backoff_ms: Option<u64>,
    /// How long a message waits for others in its batch, in ms. [default: 1000]
    #[arg(long, value_name = "ms")]
    timeout: Option<u64>,
    /// The acknowledgements to wait for: 0, 1, or -1 (all). [default: -1]
    #[arg(long, value_name = "acks", allow_hyphen_values = true)]
    request_required_acks: Option<String>,
    /// How long the broker may take to gather the acknowledgements, in ms. [default: 1500]
    #[arg(long, value_name = "ms")]
    request_timeout_ms: Option<u64>,
    /// How long a send may block, in ms. [default: 60000]
    #[arg(long, value_name = "ms")]
    max_block_ms: Option<u64>,
    /// Bytes of records that may wait to be sent. [default: 33554432]
    #[arg(long, value_name = "bytes")]
    max_memory_bytes: Option<usize>,
    /// After how long metadata is asked for again, in ms. Accepted; klamm asks when it has to.
    #[arg(long, value_name = "ms", hide = true)]
    metadata_expiry_ms: Option<u64>,
    /// Bytes of a socket's send buffer; -1 leaves it to the kernel. [default: 102400]
    #[arg(long, value_name = "size", allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-1..))]
    socket_buffer_size: Option<i32>,
    /// How lines are read: only Kafka's org.apache.kafka.tools.LineMessageReader.
    #[arg(
        long,
        value_name = "class",
        default_value = "org.apache.kafka.tools.LineMessageReader"
    )]
    line_reader: String,
    /// How lines are taken apart, as key=value: parse.key=false parse.headers=false
    /// ignore.error=false key.separator=\t headers.delimiter=\t headers.separator=,
    /// headers.key.separator=: null.marker= (what stands for null).
    #[arg(long, value_name = "key=value")]
    reader_property: Vec<String>,
    /// Deprecated: use --reader-property.
    #[arg(long, value_name = "key=value", hide = true)]
    property: Vec<String>,
    /// Property file for --reader-property.
    #[arg(long, value_name = "file")]
    reader_config: Option<PathBuf>,
    /// A setting of the producer as key=value, such as acks=1 or linger.ms=5.
    #[arg(long, value_name = "key=value")]
    command_property: Vec<String>,
    /// Deprecated: use --command-property.
    #[arg(long, value_name = "key=value", hide = true)]
    producer_property: Vec<String>,
    /// Property file with settings of the producer.
    #[arg(long, value_name = "file")]
    command_config: Option<PathBuf>,
    /// Deprecated: use --command-config.
    #[arg(long = "producer.config", value_name = "file", hide = true)]
    producer_config: Option<PathBuf>,
}

impl ConsoleProducerArguments {
    fn settings(&self) -> Result<Properties, CliError> {
        gather(
            &Disk::Native,
            Spelled {
                name: "--command-config",
                current: self.command_config.as_deref(),
                deprecated_name: "--producer.config",
                deprecated: self.producer_config.as_deref(),
            },
            Spelled {
                name: "--command-property",
                current: &self.command_property,
                deprecated_name: "--producer-property",
                deprecated: &self.producer_property,
            },
        )
    }

    fn reader(&self) -> Result<LineReader, CliError> {
        if !self.line_reader.ends_with("LineMessageReader") {
            return Err(CliError::Usage(format!(
                "klamm has no line reader {}: it has org.apache.kafka.tools.LineMessageReader",
                self.line_reader
            )));
        }
        let properties = gather(
            &Disk::Native,
            Spelled {
                name: "--reader-config",
                current: self.reader_config.as_deref(),
                deprecated_name: "--reader-config",
                deprecated: None,
            },
            Spelled {
                name: "--reader-property",
                current: &self.reader_property,
                deprecated_name: "--property",
                deprecated: &self.property,
            },
        )?;
        LineReader::new(&properties)
    }

    fn buffers(&self, settings: &Properties) -> Result<SocketBuffers, CliError> {
        let mut buffers = SocketBuffers {
            send_bytes: Some(100 << 10),
            receive_bytes: None,
        };
        super::perf::settings::buffers(settings, &mut buffers)?;
        if let Some(bytes) = self.socket_buffer_size {
            buffers.send_bytes = usize::try_from(bytes).ok();
        }
        Ok(buffers)
    }

    /// Flags over settings over the defaults of Kafka's tool.
    fn options(&self, settings: &Properties) -> Result<ProducerOptions, CliError> {
        let acks = pick(
            self.request_required_acks.as_deref(),
            settings,
            "acks",
            "-1",
        );
        let codec = pick(
            self.compression_codec.as_deref(),
            settings,
            "compression.type",
            "none",
        );
        let number =
            |flag: Option<u64>, key: &str, default: u64| number(flag, settings, key, default);
        let size = |flag: Option<usize>, key: &str, default: u64| match flag {
            Some(bytes) => Ok(bytes),
            None => number(None, key, default).map(crate::base::convert::usize_from),
        };
        let acks = Acks::parse(acks)
            .ok_or_else(|| CliError::Usage(format!("acks takes 0, 1, -1 or all, not '{acks}'")))?;
        let codec = Compression::from_name(codec).ok_or_else(|| {
            CliError::Usage(format!(
                "the compression codec is none, gzip, snappy, lz4 or zstd, not '{codec}'"
            ))
        })?;
        let batch_bytes = self.batch_size.or(self.max_partition_memory_bytes);
        let retries = number(self.message_send_max_retries.map(u64::from), "retries", 3)?;
        let in_flight = number(None, "max.in.flight.requests.per.connection", 5)?;
        Ok(ProducerOptions {
            acks,
            compression: codec,
            compression_level: None,
            batch_bytes: size(batch_bytes, "batch.size", 16_384)?.max(1),
            linger: Duration::from_millis(number(self.timeout, "linger.ms", 1000)?),
            buffer_bytes: size(self.max_memory_bytes, "buffer.memory", 32 << 20)?.max(1),
            request_bytes: size(None, "max.request.size", 1 << 20)?,
            retries: u32::try_from(retries).unwrap_or(u32::MAX),
            retry_backoff: Duration::from_millis(number(
                self.retry_backoff_ms,
                "retry.backoff.ms",
                100,
            )?),
            request_timeout: Duration::from_millis(number(
                self.request_timeout_ms,
                "request.timeout.ms",
                1500,
            )?),
            delivery_timeout: Duration::from_millis(number(None, "delivery.timeout.ms", 120_000)?),
            in_flight_max: crate::base::convert::usize_from(in_flight.clamp(1, 5)),
            idempotent: acks == Acks::All && settings.is_true("enable.idempotence", true),
        })
    }
}

fn pick<'a>(
    flag: Option<&'a str>,
    settings: &'a Properties,
    key: &str,
    default: &'a str,
) -> &'a str {
    flag.or_else(|| settings.get(key)).unwrap_or(default)
}

fn number(
    flag: Option<u64>,
    settings: &Properties,
    key: &str,
    default: u64,
) -> Result<u64, CliError> {
    match (flag, settings.get(key)) {
        (Some(number), _) => Ok(number),
        (None, Some(text)) => text
            .trim()
            .parse()
            .map_err(|_| CliError::Usage(format!("{key} takes a whole number, not '{text}'"))),
        (None, None) => Ok(default),
    }
}

/// Reads lines until standard input ends; then waits until all are delivered. Records that were
/// given up are named on standard error, and make the exit code 1.
pub fn run(arguments: &ConsoleProducerArguments) -> Result<(), CliError> {
    let settings = arguments.settings()?;
    let mut reader = arguments.reader()?;
    let options = arguments.options(&settings)?;
    let mut client_options = super::client_options(&arguments.bootstrap, &settings)?;
    client_options.client_id = settings
        .get("client.id")
        .unwrap_or("console-producer")
        .to_owned();
    client_options.max_block = Duration::from_millis(number(
        arguments.max_block_ms,
        &settings,
        "max.block.ms",
        60_000,
    )?);
    client_options.buffers = arguments.buffers(&settings)?;
    let client = Client::connect(client_options)?;
    let (seed, _) = random_bits()
        .map_err(|error| CliError::Failed(format!("cannot read /dev/urandom: {error}")))?;
    let mut session = Session {
        client,
        topic: Rc::from(arguments.topic.as_str()),
        partitioner: StickyPartitioner::new(Prng::new(seed), options.batch_bytes),
        producer: Producer::new(options),
        sync: arguments.sync,
        failed: 0,
    };
    let mut splitter = LineSplitter::default();
    let mut buffer = vec![0; 64 << 10];
    let mut ended = false;
    while !ended {
        session.wait_for_input()?;
        let count = read_standard_input(&mut buffer)
            .map_err(|error| CliError::Failed(format!("cannot read standard input: {error}")))?;
        ended = count == 0;
        splitter.push(&buffer[..count])?;
        while let Some(line) = splitter.next_line(ended) {
            if let Err(error) = session.produce(&mut reader, line) {
                // What came before the bad line is still delivered, as Kafka does on close.
                drop(session.finish());
                return Err(error);
            }
        }
    }
    session.finish()
}

struct Session {
    client: Client,
    topic: Rc<str>,
    partitioner: StickyPartitioner,
    producer: Producer,
    sync: bool,
    failed: u64,
}

impl Session {
    /// Serves the brokers until standard input has something.
    fn wait_for_input(&mut self) -> Result<(), CliError> {
        loop {
            let wake = self.client.drive_producer(&mut self.producer, true)?;
            self.report();
            if wake == Wake::StandardInput {
                return Ok(());
            }
        }
    }

    fn produce(&mut self, reader: &mut LineReader, line: &[u8]) -> Result<(), CliError> {
        let record = reader.parse(line)?;
        let count = self.client.partition_count(&self.topic)?;
        let partition = match record.key {
            Some(key) => partition_of_key(key, count),
            None => self.partitioner.choose(&self.topic, count, line.len()),
        };
        let headers: Vec<Header<'_>> = record
            .headers
            .iter()
            .map(|&(key, value)| Header { key, value })
            .collect();
        let now = self.client.now();
        let record = ProducerRecord {
            timestamp: now.timestamp,
            key: record.key,
            value: record.value,
            headers: &headers,
            cookie: 0,
        };
        self.producer
            .enqueue(now.instant, &self.topic, partition, record);
        if self.sync {
            return self.flush();
        }
        while self.producer.is_full() {
            self.client.drive_producer(&mut self.producer, false)?;
            self.report();
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), CliError> {
        self.producer.set_flushing(true);
        while !self.producer.is_idle() {
            self.client.drive_producer(&mut self.producer, false)?;
            self.report();
        }
        self.producer.set_flushing(false);
        self.report();
        Ok(())
    }

    fn report(&mut self) {
        while let Some(delivery) = self.producer.poll_delivery() {
            if let Err(error) = &delivery.result {
                let count = delivery.record_count();
                self.failed += count;
                notice(format_args!(
                    "Error when sending {count} message(s) to topic {}, partition {}: {error}",
                    delivery.topic, delivery.partition
                ));
            }
        }
    }

    fn finish(&mut self) -> Result<(), CliError> {
        self.flush()?;
        self.client.finish_sending()?;
        match self.failed {
            0 => Ok(()),
            failed => Err(CliError::Failed(format!(
                "{failed} message(s) were not delivered"
            ))),
        }
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
        producer: ConsoleProducerArguments,
    }

    fn options(line: &str) -> Result<ProducerOptions, CliError> {
        let line = format!("p --bootstrap-server a:1 --topic t {line}");
        let arguments = Line::try_parse_from(line.split_whitespace())
            .unwrap()
            .producer;
        arguments.options(&arguments.settings()?)
    }

    #[test]
    fn the_flag_for_the_send_buffer_wins_over_the_setting() {
        let sent = |line: &str| {
            let line = format!("p --bootstrap-server a:1 --topic t {line}");
            let arguments = Line::try_parse_from(line.split_whitespace())
                .unwrap()
                .producer;
            let buffers = arguments.buffers(&arguments.settings().unwrap());
            buffers.unwrap().send_bytes
        };
        assert_eq!(sent(""), Some(102_400), "as Kafka's tool");
        let set = "--command-property send.buffer.bytes=70000";
        assert_eq!(sent(set), Some(70_000));
        assert_eq!(
            sent(&format!("{set} --socket-buffer-size 9000")),
            Some(9000)
        );
        assert_eq!(sent("--socket-buffer-size -1"), None, "the kernel's");
    }

    #[test]
    fn the_defaults_are_those_of_kafkas_tool() {
        let options = options("").unwrap();
        assert_eq!(options.acks, Acks::All);
        assert!(options.idempotent);
        assert_eq!(options.linger, Duration::from_secs(1));
        assert_eq!(options.retries, 3);
        assert_eq!(options.request_timeout, Duration::from_millis(1500));
        assert_eq!(options.compression, Compression::None);
    }

    #[test]
    fn flags_win_over_properties() {
        let options = options(
            "--command-property acks=0 --command-property linger.ms=7 --request-required-acks 1 \
             --compression-codec --command-property batch.size=9",
        )
        .unwrap();
        assert_eq!(options.acks, Acks::Leader);
        assert!(!options.idempotent, "idempotence needs acks=all");
        assert_eq!(options.linger, Duration::from_millis(7));
        assert_eq!(options.compression, Compression::Gzip);
        assert_eq!(options.batch_bytes, 9);
    }

    #[test]
    fn wrong_values_are_refused() {
        for line in [
            "--request-required-acks 2",
            "--compression-codec brotli",
            "--command-property linger.ms=soon",
            "--command-property novalue",
        ] {
            assert!(options(line).is_err(), "{line}");
        }
    }
}
