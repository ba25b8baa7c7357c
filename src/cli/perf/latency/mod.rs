//! `klamm e2e-latency`: Kafka's `kafka-e2e-latency`, how long a record takes from the producer
//! through the broker to a consumer. As there, one record is on its way at a time; with
//! `--throughput`, records are sent when they are due, however many are on their way.
//!
//! Unlike Kafka's tool, whose consumer asks again and again (`fetch.max.wait.ms=0`), the consumer
//! waits at the broker, as consumers do, unless the setting says otherwise.
//!
//! ```text
//! mod.rs         flags ─► what is to be measured
//! measuring.rs   sends, receives, counts, and says what was found
//! message.rs     what is sent: made, numbered, and compared with what came
//! ```

mod measuring;
mod message;

use super::page::PageFile;
use super::schedule::Schedule;
use super::settings;
use crate::base::convert::usize_from_u32;
use crate::cli::begin::catch_interrupt;
use crate::cli::error::CliError;
use crate::cli::output::{Output, OutputArguments, notice};
use crate::cli::property::Properties;
use crate::client::producer::Acks;
use crate::runtime::disk::Disk;
use measuring::Measuring;
use message::NUMBER_BYTES;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// This tool measures end-to-end latency in Kafka by sending messages and timing their reception.
///
/// Without --throughput one record is on its way at a time. Kafka's older form, HOST:PORT TOPIC
/// NUM-RECORDS ACKS RECORD-SIZE [CONFIG-FILE] without flags, is taken, too.
#[derive(clap::Args, Clone, Debug)]
pub struct LatencyArguments {
    /// The Kafka broker list string in the form HOST1:PORT1,HOST2:PORT2.
    #[arg(long, value_name = "HOST:PORT,...")]
    bootstrap_server: Option<String>,
    /// The topic to use for the test; made with one partition where it does not exist.
    #[arg(long, value_name = "topic-name")]
    topic: Option<String>,
    /// The number of messages to send.
    #[arg(long, value_name = "count")]
    num_records: Option<u64>,
    /// Producer acknowledgements. Must be '1' or 'all'.
    #[arg(long, value_name = "producer-acks")]
    producer_acks: Option<String>,
    /// The size of each message payload in bytes.
    #[arg(long, value_name = "bytes")]
    record_size: Option<u32>,
    /// The size of the message key in bytes. If not set, messages are sent without a key.
    #[arg(long, value_name = "bytes", default_value_t = 0)]
    record_key_size: u32,
    /// The size of the message header key in bytes. Used together with record-header-size.
    #[arg(long, value_name = "bytes", default_value_t = 0)]
    record_header_key_size: u32,
    /// The size of message header value in bytes. Use -1 for null header value.
    #[arg(
        long,
        value_name = "bytes",
        default_value_t = 0,
        allow_hyphen_values = true
    )]
    record_header_size: i32,
    /// The number of headers to include in each message.
    #[arg(long, value_name = "count", default_value_t = 0)]
    num_headers: u16,
    /// A property file for Kafka producer/consumer/admin client configuration.
    #[arg(long, value_name = "config-file")]
    command_config: Option<PathBuf>,
    /// klamm's: send so many records per second, and count latency from when each was due.
    #[arg(long, value_name = "THROUGHPUT")]
    throughput: Option<f64>,
    /// klamm's: write latencies as an HdrHistogram interval log (.hlog) or percentile distribution
    /// (.hgrm); may be given many times.
    #[arg(long, value_name = "FILE")]
    hdr_file: Vec<PathBuf>,
    /// klamm's: write one page with the latency curve and what happened over time.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
    /// Kafka's older form.
    #[arg(hide = true)]
    positional: Vec<String>,
}

/// What is to be measured.
#[derive(Debug)]
struct Plan {
    servers: String,
    topic: Rc<str>,
    records: u64,
    acks: Acks,
    record_bytes: u32,
    config: Option<PathBuf>,
    schedule: Option<Schedule>,
}

impl Plan {
    /// What the tool was told, for its page.
    fn told(&self) -> Vec<(String, String)> {
        let rate = match self.schedule {
            None => "one record at a time".to_owned(),
            Some(schedule) => format!("{} records/s", schedule.rate()),
        };
        [
            ("topic", self.topic.to_string()),
            ("records", self.records.to_string()),
            ("acks", self.acks.code().to_string()),
            ("record", format!("{} bytes", self.record_bytes)),
            ("throughput", rate),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

impl LatencyArguments {
    fn plan(&self) -> Result<Plan, CliError> {
        let mut named = self.clone();
        if !self.positional.is_empty() {
            named.take_positional()?;
        }
        let missing = |flag: &str| CliError::Usage(format!("Missing required argument {flag}"));
        let acks = named
            .producer_acks
            .ok_or_else(|| missing("--producer-acks"))?;
        let acks = match acks.as_str() {
            "1" => Acks::Leader,
            "all" => Acks::All,
            other => {
                return Err(CliError::Usage(format!(
                    "Invalid value for --producer-acks, '{other}'. Latency testing requires \
                     synchronous acknowledgement. Please use '1' or 'all'."
                )));
            }
        };
        let records = named.num_records.ok_or_else(|| missing("--num-records"))?;
        let record_bytes = named.record_size.ok_or_else(|| missing("--record-size"))?;
        if records == 0 {
            let why = "Value for --num-records must be a positive integer.";
            return Err(CliError::Usage(why.to_owned()));
        }
        if named.record_header_size < -1 {
            let why = "Value for --record-header-size must be a non-negative integer or -1 for null \
                       header value.";
            return Err(CliError::Usage(why.to_owned()));
        }
        let schedule = match named.throughput {
            None => None,
            Some(rate) if rate > 0.0 && rate.is_finite() => {
                Some(Schedule::new(rate, Duration::ZERO))
            }
            Some(rate) => {
                return Err(CliError::Usage(format!(
                    "--throughput takes records per second, not {rate}"
                )));
            }
        };
        if schedule.is_some() && usize_from_u32(record_bytes) < NUMBER_BYTES {
            return Err(CliError::Usage(format!(
                "With --throughput a record says which one it is: --record-size takes at least \
                 {NUMBER_BYTES}"
            )));
        }
        Ok(Plan {
            servers: named
                .bootstrap_server
                .ok_or_else(|| missing("--bootstrap-server"))?,
            topic: Rc::from(named.topic.ok_or_else(|| missing("--topic"))?.as_str()),
            records,
            acks,
            record_bytes,
            config: named.command_config,
            schedule,
        })
    }

    /// bootstrap-server topic num-records producer-acks record-size [optional] command-config.
    fn take_positional(&mut self) -> Result<(), CliError> {
        let words = std::mem::take(&mut self.positional);
        let (first, config) = match words.as_slice() {
            [first @ .., config] if first.len() == 5 => (first, Some(PathBuf::from(config))),
            first => (first, None),
        };
        let [servers, topic, records, acks, bytes] = first else {
            return Err(CliError::Usage(format!(
                "Invalid number of arguments. Expected 5 or 6 positional arguments, but got {}. \
                 Usage: bootstrap-server topic num-records producer-acks record-size [optional] \
                 command-config",
                words.len()
            )));
        };
        notice(
            "WARNING: Positional argument usage is deprecated and will be removed in Apache Kafka \
             5.0. Please use named arguments instead: --bootstrap-server, --topic, --num-records, \
             --producer-acks, --record-size, --command-config",
        );
        let wrong = |word: &str| CliError::Usage(format!("'{word}' is no number"));
        self.bootstrap_server = Some(servers.clone());
        self.topic = Some(topic.clone());
        self.num_records = Some(records.parse().map_err(|_| wrong(records))?);
        self.producer_acks = Some(acks.clone());
        self.record_size = Some(bytes.parse().map_err(|_| wrong(bytes))?);
        self.command_config = config;
        Ok(())
    }
}

/// Measures, and says what was found.
pub fn run(arguments: &LatencyArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    let plan = arguments.plan()?;
    let mut settings = Properties::default();
    if let Some(path) = &plan.config {
        settings.add_file(&Disk::Native, path)?;
    }
    settings::refuse_unsupported(&settings)?;
    let title = format!("e2e-latency over {}", plan.topic);
    let page = PageFile::new(arguments.report.as_deref(), title, plan.told())?;
    let interrupt = catch_interrupt()?;
    let mut measuring = Measuring::start(arguments, &plan, &settings, interrupt, output)?;
    measuring.page = page;
    measuring.run()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Line {
        #[command(flatten)]
        latency: LatencyArguments,
    }

    fn plan(line: &str) -> Result<Plan, CliError> {
        let line = format!("e2e-latency {line}");
        let arguments = Line::try_parse_from(line.split_whitespace()).unwrap();
        arguments.latency.plan()
    }

    #[test]
    fn kafkas_old_and_new_forms_mean_the_same() {
        let old = plan("a:1 t 100 all 20 f.properties").unwrap();
        let new = plan(
            "--bootstrap-server a:1 --topic t --num-records 100 --producer-acks all --record-size 20 \
             --command-config f.properties",
        )
        .unwrap();
        for plan in [old, new] {
            assert_eq!((plan.servers.as_str(), &*plan.topic), ("a:1", "t"));
            assert_eq!(
                (plan.records, plan.acks, plan.record_bytes),
                (100, Acks::All, 20)
            );
            assert_eq!(plan.config, Some(PathBuf::from("f.properties")));
        }
        assert_eq!(plan("a:1 t 100 1 0").unwrap().config, None);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            "a:1 t 100 all",
            "a:1 t x all 20",
            "a:1 t 100 0 20",
            "a:1 t 0 1 20",
            "--bootstrap-server a:1 --topic t",
            "--bootstrap-server a:1 --topic t --num-records 1 --producer-acks 1 --record-size 1 --throughput 5",
            "--bootstrap-server a:1 --topic t --num-records 1 --producer-acks 1 --record-size 9 --throughput 0",
        ] {
            assert_eq!(plan(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
    }
}
