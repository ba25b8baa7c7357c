//! `klamm producer-perf`: Kafka's `kafka-producer-perf-test`, its flags, its lines, and more load
//! per CPU second than it has.

use super::hdr::HdrFiles;
use super::keys::KeyPlan;
use super::load::{self, LoadPlan, PRODUCERS_MAX, Together};
use super::page::PageFile;
use super::payload::PayloadPlan;
use super::report::{Files, Report};
use super::schedule::Schedule;
use super::settings;
use crate::base::prng::Prng;
use crate::cli::begin::catch_interrupt;
use crate::cli::error::CliError;
use crate::cli::output::{Output, OutputArguments, OutputFormat};
use crate::cli::property::{Properties, Spelled, gather};
use crate::client::ClientOptions;
use crate::runtime::blocking::{Clock, side_by_side};
use crate::runtime::disk::Disk;
use std::path::PathBuf;
use std::time::Duration;

/// Room for what a record has beside its value, at most.
const RECORD_OVERHEAD_BYTES: usize = 128;

/// Largest range of keys: Kafka's tool keeps it in 32 bits with a sign.
const KEY_RANGE_MAX: i64 = 2_147_483_647;

/// How records come by their keys, in Kafka's words (KIP-1299).
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum KeyDistribution {
    /// Keys are null.
    None,
    /// All keys of the range in turn.
    Range,
    /// One of the range by chance.
    Random,
}

/// This tool is used to verify the producer performance.
///
/// Standard output has the lines of kafka-producer-perf-test and nothing else. Latency there is from
/// the sending of a record to its acknowledgement. Where a throughput is given, latency from the time
/// at which each record was due is said on standard error, in --output json and in --hdr-file: it
/// leaves out nothing when the broker is slow.
#[derive(clap::Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("payload")
    .required(true)
    .args(["record_size", "payload_file", "payload_monotonic"]))]
pub struct ProducerPerfArguments {
    /// The servers to connect to. Wins over bootstrap.servers of --command-property and
    /// --command-config.
    #[arg(long, value_name = "HOST:PORT,...")]
    bootstrap_server: Option<String>,
    /// Produce records to this topic.
    #[arg(long, value_name = "TOPIC")]
    topic: String,
    /// Number of records to produce, by all producers together.
    #[arg(long, value_name = "NUM-RECORDS", value_parser = clap::value_parser!(u64).range(1..))]
    num_records: u64,
    /// Record size in bytes. Exactly one of --record-size, --payload-file, --payload-monotonic.
    #[arg(long, value_name = "RECORD-SIZE", value_parser = clap::value_parser!(u32).range(1..))]
    record_size: Option<u32>,
    /// File to read the record payloads from: one of them is drawn for each record.
    #[arg(long, value_name = "PAYLOAD-FILE")]
    payload_file: Option<PathBuf>,
    /// What separates the payloads of --payload-file; new line where nothing is said.
    #[arg(
        long,
        value_name = "PAYLOAD-DELIMITER",
        default_value = "\\n",
        hide_default_value = true
    )]
    payload_delimiter: String,
    /// Payload is a monotonically increasing integer.
    #[arg(long)]
    payload_monotonic: bool,
    /// Records per second, at most; -1 for as many as are taken.
    #[arg(
        long,
        value_name = "THROUGHPUT",
        default_value = "-1",
        allow_hyphen_values = true
    )]
    throughput: f64,
    /// Settings of the producer, such as acks=1 linger.ms=10; several after one flag, as in Kafka.
    #[arg(long, value_name = "key=value", num_args = 1..)]
    command_property: Vec<String>,
    /// Deprecated: use --command-property.
    #[arg(long, value_name = "key=value", num_args = 1.., hide = true)]
    producer_props: Vec<String>,
    /// Property file with settings of the producer.
    #[arg(long, value_name = "CONFIG-FILE")]
    command_config: Option<PathBuf>,
    /// Deprecated: use --command-config.
    #[arg(long = "producer.config", value_name = "CONFIG-FILE", hide = true)]
    producer_config: Option<PathBuf>,
    /// Print out metrics at the end of the test.
    #[arg(long)]
    print_metrics: bool,
    /// Not yet: klamm's client has no transactions.
    #[arg(long, value_name = "TRANSACTIONAL-ID", hide = true)]
    transactional_id: Option<String>,
    /// Not yet: klamm's client has no transactions.
    #[arg(
        long,
        value_name = "TRANSACTION-DURATION",
        hide = true,
        allow_hyphen_values = true
    )]
    transaction_duration_ms: Option<i64>,
    /// How many of the first records are warm-up: the rest has a second summary line.
    #[arg(long, value_name = "WARMUP-RECORDS", default_value_t = 0)]
    warmup_records: u64,
    /// Milliseconds between two lines of progress.
    #[arg(
        long,
        value_name = "INTERVAL-MS",
        default_value_t = 5000,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    reporting_interval: u64,
    /// How keys are chosen: none (they are null), range (0, 1, 2 and so on in turn), or random.
    #[arg(
        long,
        value_name = "none|range|random",
        default_value = "none",
        hide_possible_values = true
    )]
    key_distribution: KeyDistribution,
    /// How many keys there are, from 0 on, where --key-distribution is range or random.
    #[arg(
        long,
        value_name = "KEY-RANGE",
        value_parser = clap::value_parser!(u32).range(1..=KEY_RANGE_MAX)
    )]
    record_key_range: Option<u32>,
    /// What decides everything random.
    #[arg(
        long,
        value_name = "SEED",
        default_value_t = 0,
        allow_hyphen_values = true
    )]
    random_seed: i64,
    /// klamm's: how many producers, each with connections of its own.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..=PRODUCERS_MAX)
    )]
    producers: u64,
    /// klamm's: how many threads drive them; one drives many producers.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1024))]
    threads: u64,
    /// klamm's: give each record one of so many keys; without it keys are null.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    keys: Option<u64>,
    /// klamm's: some keys come more often, by Zipf's law with this exponent (0.99 is usual).
    #[arg(long, value_name = "EXPONENT", requires = "keys")]
    key_skew: Option<f64>,
    /// klamm's: how long the rate grows from 0 to --throughput, in ms.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    ramp: u64,
    /// klamm's: write latencies as an HdrHistogram interval log (.hlog) or percentile distribution
    /// (.hgrm); may be given many times.
    #[arg(long, value_name = "FILE")]
    hdr_file: Vec<PathBuf>,
    /// klamm's: write one page with the latency curve and what happened over time.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

impl ProducerPerfArguments {
    fn settings(&self) -> Result<Properties, CliError> {
        let mut settings = gather(
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
                deprecated_name: "--producer-props",
                deprecated: &self.producer_props,
            },
        )?;
        if let Some(servers) = &self.bootstrap_server {
            settings.set("bootstrap.servers", servers);
        }
        Ok(settings)
    }

    fn plan(&self, settings: &Properties) -> Result<LoadPlan, CliError> {
        if self.transactional_id.is_some() || self.transaction_duration_ms.is_some() {
            return Err(CliError::Failed(
                "--transactional-id and --transaction-duration-ms: klamm's client has no transactions yet"
                    .to_owned(),
            ));
        }
        settings::refuse_unsupported(settings)?;
        settings::name_unknown(settings);
        if self.warmup_records >= self.num_records {
            return Err(CliError::Usage(
                "The value for --warmup-records must be strictly fewer than the number of records in \
                 the test, --num-records."
                    .to_owned(),
            ));
        }
        let servers = settings.get("bootstrap.servers").ok_or_else(|| {
            CliError::Usage(
                "At least one of --bootstrap-server, --command-property, --producer-props, \
                 --producer.config or --command-config must be specified, with the servers"
                    .to_owned(),
            )
        })?;
        let client_id = settings.get("client.id").unwrap_or("perf-producer-client");
        let mut client = ClientOptions::new(servers, client_id)
            .map_err(|error| CliError::Usage(error.to_string()))?;
        settings::client(settings, &mut client)?;
        let producer = settings::producer(settings)?;
        let mut prng = Prng::new(self.random_seed.cast_unsigned());
        let payloads = match (&self.payload_file, self.record_size) {
            (Some(path), _) => {
                PayloadPlan::from_file(&Disk::Native, path, &self.payload_delimiter)?
            }
            (None, Some(bytes)) => PayloadPlan::letters(bytes, &mut prng),
            (None, None) => PayloadPlan::Monotonic,
        };
        let largest = payloads.bytes_max() + RECORD_OVERHEAD_BYTES;
        if largest > producer.request_bytes {
            return Err(CliError::Failed(format!(
                "A record of {} bytes is larger than max.request.size, {}, allows: raise it by \
                 --command-property max.request.size={largest}, and the topic's max.message.bytes",
                payloads.bytes_max(),
                producer.request_bytes
            )));
        }
        Ok(LoadPlan {
            client,
            producer,
            topic: self.topic.clone(),
            producers: self.producers.min(self.num_records),
            records: self.num_records,
            warmup_records: self.warmup_records,
            schedule: self.schedule()?,
            payloads,
            keys: self.keys()?,
            seed: prng.next(),
        })
    }

    fn schedule(&self) -> Result<Option<Schedule>, CliError> {
        if self.throughput.is_nan() || self.throughput == 0.0 {
            return Err(CliError::Usage(format!(
                "--throughput takes records per second, or -1 for as many as are taken, not {}",
                self.throughput
            )));
        }
        // As in Kafka, any rate below zero is none.
        if self.throughput < 0.0 || self.throughput.is_infinite() {
            if self.ramp > 0 {
                return Err(CliError::Usage(
                    "--ramp is the way to a rate: give that one by --throughput".to_owned(),
                ));
            }
            return Ok(None);
        }
        let ramp = Duration::from_millis(self.ramp);
        Ok(Some(Schedule::new(self.throughput, ramp)))
    }

    /// What the tool was told, for its page. Settings of ssl and sasl hold secrets.
    fn told(&self, settings: &Properties, plan: &LoadPlan) -> Vec<(String, String)> {
        let rate = plan
            .schedule
            .map_or("as many as are taken".to_owned(), |schedule| {
                format!("{} records/s", schedule.rate())
            });
        let mut told: Vec<(String, String)> = [
            ("topic", plan.topic.clone()),
            ("records", plan.records.to_string()),
            (
                "largest record",
                format!("{} bytes", plan.payloads.bytes_max()),
            ),
            ("throughput", rate),
            ("producers", plan.producers.to_string()),
            ("threads", self.threads.to_string()),
            ("keys", format!("{:?}", plan.keys)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        let shown = |key: &str| {
            !["ssl.", "sasl."]
                .iter()
                .any(|secret| key.starts_with(secret))
        };
        let given = settings.iter().filter(|(key, _)| shown(key));
        told.extend(given.map(|(key, value)| (key.to_owned(), value.to_owned())));
        told
    }

    fn keys(&self) -> Result<KeyPlan, CliError> {
        let refused = |why: &str| Err(CliError::Usage(why.to_owned()));
        match (self.key_distribution, self.record_key_range) {
            (KeyDistribution::None, None) => self.own_keys(),
            (KeyDistribution::None, Some(_)) => refused(
                "--record-key-range is for keys, and --key-distribution none gives records none: \
                 give --key-distribution range or random with it",
            ),
            (KeyDistribution::Range | KeyDistribution::Random, None) => refused(
                "--key-distribution range and random choose from a range of keys: give how many \
                 there are by --record-key-range",
            ),
            (KeyDistribution::Range | KeyDistribution::Random, Some(_)) if self.keys.is_some() => {
                refused(
                    "--keys and --key-distribution both say which keys records have: give only one \
                     of them",
                )
            }
            (KeyDistribution::Range, Some(count)) => Ok(KeyPlan::InTurn(u64::from(count))),
            (KeyDistribution::Random, Some(count)) => Ok(KeyPlan::Uniform(u64::from(count))),
        }
    }

    /// Keys by klamm's own flags.
    fn own_keys(&self) -> Result<KeyPlan, CliError> {
        match (self.keys, self.key_skew) {
            (None, _) => Ok(KeyPlan::None),
            (Some(count), None) => Ok(KeyPlan::Uniform(count)),
            (Some(count), Some(exponent)) if exponent > 0.0 && exponent.is_finite() => {
                Ok(KeyPlan::Zipf(count, exponent))
            }
            (Some(_), Some(exponent)) => Err(CliError::Usage(format!(
                "--key-skew takes an exponent above 0, such as 0.99, not {exponent}"
            ))),
        }
    }
}

/// Sends the load and reports it.
pub fn run(arguments: &ProducerPerfArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    let settings = arguments.settings()?;
    let plan = arguments.plan(&settings)?;
    let title = format!("producer-perf to {}", plan.topic);
    let told = arguments.told(&settings, &plan);
    let page = PageFile::new(arguments.report.as_deref(), title, told)?;
    let format = arguments.output.output;
    if plan.warmup_records > 0 && format == OutputFormat::Text {
        output.line(format_args!(
            "Warmup first {} records. Steady state results will print after the complete test summary.",
            plan.warmup_records
        ))?;
        output.flush()?;
    }
    let interrupt = catch_interrupt()?;
    let spread = load::spread(plan.producers, arguments.threads);
    let together = Together::new(Clock::start(), interrupt, spread.len());
    let windows = load::windows(spread.len());
    let interval = Duration::from_millis(arguments.reporting_interval);
    let hdr = HdrFiles::new(arguments.hdr_file.clone());
    let files = Files { hdr, page };
    let mut report = Report::new(&plan, &together, &windows, output, format, interval, files);
    let jobs = spread
        .into_iter()
        .zip(&windows)
        .map(|(numbers, window)| {
            let (plan, together) = (&plan, &together);
            move || load::run(plan, numbers, together, window)
        })
        .collect();
    let tick = report.tick_interval();
    let ended = side_by_side(jobs, tick, || report.tick())
        .map_err(|error| CliError::Failed(format!("cannot start a thread: {error}")))?;
    report.finish(&ended, arguments.print_metrics)
}
