//! The command line: one verb per Kafka tool, with Kafka's own flags, and `start`.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done (also
//! where nobody reads standard output any more), 1 it did not work, 2 the command line cannot be
//! meant, 130 interrupted: once where a tool measures, twice elsewhere.

mod begin;
pub mod bench;
pub mod console_consumer;
pub mod console_producer;
pub mod dump_log;
pub mod error;
pub mod formatter;
pub mod get_offsets;
pub mod groups;
pub mod line_reader;
pub mod output;
pub mod page;
pub mod perf;
pub mod property;
pub mod start;
pub mod storage;
pub mod template;
pub mod topic_filter;
pub mod topics;
pub mod tune;

use crate::client::ClientOptions;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use error::CliError;
use output::{Output, notice};
use property::Properties;
use std::path::PathBuf;
use std::process::ExitCode;

/// A broker that speaks Apache Kafka's wire protocol, and its tools.
#[derive(Parser, Debug)]
#[command(
    name = "klamm",
    version,
    propagate_version = true,
    infer_long_args = true,
    max_term_width = 100
)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Start a broker: without a file, on 127.0.0.1:9092 with its data in ./klamm-data.
    Start(StartArguments),
    /// Create, delete, describe, or change a topic.
    Topics(topics::TopicsArguments),
    /// Read standard input and publish it to Kafka.
    ConsoleProducer(console_producer::ConsoleProducerArguments),
    /// Read from Kafka topics and write to standard output.
    ConsoleConsumer(console_consumer::ConsoleConsumerArguments),
    /// Print the offsets of partitions: the end, the start, or those of a time.
    GetOffsets(get_offsets::GetOffsetsArguments),
    /// List, describe and delete consumer groups, and reset their offsets.
    Groups(groups::GroupsArguments),
    /// Measure how fast and how soon records are taken: a load generator for any Kafka broker.
    ProducerPerf(perf::producer::ProducerPerfArguments),
    /// Measure how fast records can be read, as a member of a group.
    ConsumerPerf(perf::consumer::ConsumerPerfArguments),
    /// Measure how long a record takes from its producer to a consumer.
    E2eLatency(perf::latency::LatencyArguments),
    /// Compare two brokers, or measure one, by named workloads, and write one page about it.
    Bench(bench::BenchArguments),
    /// Print what segment, index, snapshot and checkpoint files hold, and verify it.
    DumpLog(dump_log::DumpLogArguments),
    /// Format the log directories of a node, or say what is in them.
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Storage(storage::StorageArguments),
    /// Say what of this machine would hurt a broker, and how to mend it.
    Doctor(tune::DoctorArguments),
    /// Set what a broker wants of this machine, and take it back.
    Tune(tune::TuneArguments),
}

/// What `klamm start` takes: `kafka-server-start`'s arguments.
#[derive(clap::Args, Clone, PartialEq, Eq, Default, Debug)]
pub struct StartArguments {
    /// Configuration as Kafka reads it; without it, defaults that work at once.
    #[arg(value_name = "server.properties")]
    pub properties: Option<PathBuf>,
    /// A setting that wins over the file and the environment; may be given many times.
    #[arg(long = "override", value_name = "key=value")]
    pub overrides: Vec<String>,
    /// Refuse every setting that klamm does not know, not only those that resemble one.
    #[arg(long)]
    pub strict: bool,
}

/// Where the brokers are, and how to talk to them: the same on every tool.
#[derive(clap::Args, Clone, Debug)]
pub struct BootstrapArguments {
    /// The Kafka servers to connect to, in the form HOST1:PORT1,HOST2:PORT2.
    #[arg(long, value_name = "HOST:PORT,...")]
    pub bootstrap_server: String,
}

/// What a client is told by the flags and settings of a tool.
fn client_options(
    bootstrap: &BootstrapArguments,
    settings: &Properties,
) -> Result<ClientOptions, CliError> {
    let client_id = settings.get("client.id").unwrap_or("klamm");
    ClientOptions::new(&bootstrap.bootstrap_server, client_id)
        .map_err(|error| CliError::Usage(error.to_string()))
}

/// Runs the command line and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let mut output = Output::standard();
    let result = run(arguments.verb, &mut output).and_then(|code| {
        output.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            // What was printed before the error belongs to the user; the error itself wins.
            drop(output.flush());
            if !matches!(error, CliError::ClosedPipe | CliError::Reported) {
                notice(format_args!("klamm: {error}"));
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(verb: Verb, output: &mut Output<'_>) -> Result<ExitCode, CliError> {
    match verb {
        Verb::Start(arguments) => return Ok(start::run(arguments)),
        Verb::Topics(arguments) => topics::run(&arguments, output)?,
        Verb::ConsoleProducer(arguments) => console_producer::run(&arguments)?,
        Verb::ConsoleConsumer(arguments) => console_consumer::run(&arguments, output)?,
        Verb::GetOffsets(arguments) => get_offsets::run(&arguments, output)?,
        Verb::Groups(arguments) => groups::run(&arguments, output)?,
        Verb::ProducerPerf(arguments) => perf::producer::run(&arguments, output)?,
        Verb::ConsumerPerf(arguments) => perf::consumer::run(&arguments, output)?,
        Verb::E2eLatency(arguments) => perf::latency::run(&arguments, output)?,
        Verb::Bench(arguments) => bench::run(&arguments, output)?,
        Verb::DumpLog(arguments) => dump_log::run(&arguments, output)?,
        Verb::Storage(arguments) => storage::run(&arguments, output)?,
        Verb::Doctor(arguments) => tune::doctor(&arguments, output)?,
        Verb::Tune(arguments) => tune::run(&arguments, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints help and version as clap does, and any error as one sentence.
fn usage(error: &clap::Error) -> ExitCode {
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if !is_answer {
        let rendered = error.render().to_string();
        notice(format_args!("klamm: {}", sentence(&rendered)));
        return ExitCode::from(2);
    }
    // A closed pipe is not an error here either.
    drop(error.print());
    if error.use_stderr() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// Clap's paragraphs as one sentence: what is wrong and what may have been meant.
fn sentence(rendered: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut continues = false;
    for line in rendered.lines() {
        let line = line.trim();
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        let line = line
            .trim_start_matches("error: ")
            .trim_start_matches("tip: ");
        if line.is_empty() {
            continue;
        }
        match parts.last_mut() {
            Some(last) if continues => {
                last.push(' ');
                last.push_str(line);
            }
            Some(_) | None => parts.push(line.to_owned()),
        }
        continues = continues || line.ends_with(':');
    }
    format!("{} (see --help)", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use expect_test::{Expect, expect};

    #[test]
    fn the_command_tree_is_sound() {
        Arguments::command().debug_assert();
    }

    fn refused(line: &str, expected: &Expect) {
        let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
        expected.assert_eq(&sentence(&error.render().to_string()));
    }

    #[test]
    fn a_wrong_command_line_is_one_sentence() {
        refused(
            "klamm topics --list",
            &expect![
                "the following required arguments were not provided: --bootstrap-server <HOST:PORT,...> (see --help)"
            ],
        );
        refused(
            "klamm topics --bootstrap-server a:1 --lisst",
            &expect![
                "unexpected argument '--lisst' found; a similar argument exists: '--list' (see --help)"
            ],
        );
        refused(
            "klamm topcs",
            &expect![
                "unrecognized subcommand 'topcs'; some similar subcommands exist: 'groups', 'topics' (see --help)"
            ],
        );
        refused(
            "klamm topics --bootstrap-server a:1 --create --partitions x",
            &expect![
                "invalid value 'x' for '--partitions <# of partitions>': invalid digit found in string (see --help)"
            ],
        );
        refused(
            "klamm storage format -c f",
            &expect![
                "the following required arguments were not provided: --cluster-id <id> (see --help)"
            ],
        );
    }

    fn taken(line: &str) -> Verb {
        match Arguments::try_parse_from(line.split(' ')) {
            Ok(arguments) => arguments.verb,
            Err(error) => panic!("{line}: {error}"),
        }
    }

    #[test]
    fn kafkas_own_lines_are_taken() {
        let Verb::Start(start) =
            taken("klamm start f.properties --override a=b --override c=d=e --strict")
        else {
            panic!("not start")
        };
        assert_eq!(start.overrides, ["a=b", "c=d=e"]);
        assert!(start.strict);
        for line in [
            "klamm start",
            "klamm topics --bootstrap-server a:1,b:2 --create --topic t --partitions 3 \
             --replication-factor 1 --config a=b --config c=d --if-not-exists",
            "klamm topics --bootstrap-server=a:1 --describe --exclude-internal \
             --under-replicated-partitions --command-config f",
            "klamm topics --bootstrap a:1 --list",
            "klamm console-producer --bootstrap-server a:1 --topic t --compression-codec",
            "klamm console-producer --bootstrap-server a:1 --topic t --compression-codec=lz4 --sync",
            "klamm console-producer --bootstrap-server a:1 --topic t --compression-codec zstd \
             --reader-property parse.key=true --request-required-acks -1 --batch-size 1 \
             --producer-property a=b --timeout 5",
            "klamm console-producer --bootstrap-server a:1 --topic t --property parse.key=true",
            "klamm console-consumer --bootstrap-server a:1 --topic t --partition 0 --offset -2",
            "klamm console-consumer --bootstrap-server a:1 --topic t --from-beginning \
             --max-messages 5 --timeout-ms 100 --property print.key=true \
             --isolation-level read_committed --consumer-property a=b",
            "klamm console-consumer --bootstrap-server a:1 --include t.* -o json",
            "klamm get-offsets --bootstrap-server a:1 --topic t --time -1",
            "klamm get-offsets --bootstrap-server a:1 --topic-partitions t:0-3 --time earliest",
            "klamm groups --bootstrap-server a:1 --describe --group g --members --verbose",
            "klamm console-consumer --bootstrap-server a:1 --topic t --group g --from-beginning",
            "klamm bench --list",
            "klamm bench produce-1k idle --bootstrap-server a:1 --against b:2 --runs 3 --duration 0.5 \
             --pid 1 --against-cgroup /sys/fs/cgroup/x --noise --report r.html --results d -o json",
            "klamm bench --render d --report r.html",
            "klamm dump-log --files 00.log --offsets-decoder",
            "klamm dump-log --files a.log,b.index --print-data-log --deep-iteration",
            "klamm storage format -t x -c f --ignore-formatted --standalone",
            "klamm storage format --cluster-id x --config f -g",
            "klamm storage info -c f",
            "klamm storage random-uuid",
            "klamm doctor",
            "klamm doctor server.properties --override klamm.cores=2 -o json",
            "klamm tune --check -o json",
            "klamm tune --print-script f.properties",
            "klamm tune --apply --state f",
            "klamm tune --undo",
        ] {
            let line: Vec<&str> = line.split_whitespace().collect();
            drop(taken(&line.join(" ")));
        }
    }
}
