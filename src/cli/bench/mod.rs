//! `klamm bench`: named workloads against one broker, or against two in turn, and one page that says
//! what was found. It renders pages from result files, too: its own and those of `cargo dev bench`.
//!
//! ```text
//! workload.rs   what there is, in words          session.rs   pairs of runs, A B B A
//! side.rs       a broker, its topics             produce.rs, fetch.rs, catch_up.rs, end_to_end.rs,
//! process.rs    its CPU and memory               quiet.rs     what a run does; orders.rs: JSON to send
//! machine.rs    cores, limit probes              stopwatch.rs what a run used, and its figures
//! row.rs        a row and its JSON, files.rs     compare.rs   ratios within pairs, verdicts
//! page/         the page
//! ```

mod catch_up;
pub mod compare;
mod end_to_end;
mod fetch;
pub mod files;
pub mod machine;
mod orders;
pub mod page;
pub mod process;
mod produce;
mod quiet;
pub mod row;
pub mod session;
pub mod side;
pub mod stopwatch;
pub mod summary;
pub mod workload;

use super::error::CliError;
use super::output::{Output, OutputArguments, OutputFormat, notice};
use super::page as pages;
use super::tune::machine::Tree;
use crate::runtime::blocking::{Clock, Interrupt};
use crate::runtime::disk::Disk;
use crate::runtime::native::process::raise_open_files_limit;
use row::Row;
use serde_json::Value;
use session::{Outcome, Session, measure};
use side::{Side, SideArguments};
use std::path::{Path, PathBuf};
use std::time::Duration;
use workload::{WORKLOADS, Workload};

/// Longest run, in seconds.
const DURATION_MAX_S: f64 = 3600.0;
/// Shortest run, in seconds.
const DURATION_MIN_S: f64 = 0.2;

/// Compare two brokers, or measure one, by named workloads, and write one page about it.
///
/// Runs alternate between the brokers (A B B A), each on a topic of its own that is deleted afterwards.
/// Use a broker whose disk and CPU you may fill: the load is as much as it takes.
#[derive(clap::Args, Clone, Debug)]
pub struct BenchArguments {
    /// What to run; all of --list where none is named.
    #[arg(value_name = "WORKLOAD")]
    workloads: Vec<String>,
    /// Say what workloads there are, and what each does.
    #[arg(long, conflicts_with_all = ["render", "bootstrap_server"])]
    list: bool,
    /// The broker that is measured: side A.
    #[arg(long, value_name = "HOST:PORT", required_unless_present_any = ["list", "render"])]
    bootstrap_server: Option<String>,
    /// The broker that it is compared with: side B.
    #[arg(long, value_name = "HOST:PORT", requires = "bootstrap_server")]
    against: Option<String>,
    /// Process of side A, whose CPU and memory are read; without it the one that listens on the port.
    #[arg(long, value_name = "PID", conflicts_with = "cgroup")]
    pid: Option<u32>,
    /// Process of side B.
    #[arg(
        long,
        value_name = "PID",
        requires = "against",
        conflicts_with = "against_cgroup"
    )]
    against_pid: Option<u32>,
    /// Control group of side A in place of a process: a folder such as /sys/fs/cgroup/broker.
    #[arg(long, value_name = "FOLDER")]
    cgroup: Option<PathBuf>,
    /// Control group of side B.
    #[arg(long, value_name = "FOLDER", requires = "against")]
    against_cgroup: Option<PathBuf>,
    /// Pairs of runs. Ten make a claim.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Seconds that a run takes.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    duration: f64,
    /// Seconds that each side is loaded before the first pair: a JVM wants 60.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    warm_up: f64,
    /// Run A against itself first, as often: what differs then is noise.
    #[arg(long)]
    noise: bool,
    /// Write a page of what was found.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Keep the results in this folder, a JSON file for each row.
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
    /// Measure nothing: write --report from the result files of this folder.
    #[arg(long, value_name = "FOLDER", requires = "report", conflicts_with_all = ["bootstrap_server", "results"])]
    render: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

/// Lists, renders, or measures.
pub fn run(arguments: &BenchArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    if arguments.list {
        return summary::list(output, arguments.output.output);
    }
    let disk = Disk::Native;
    if let Some(report) = &arguments.report {
        pages::check_writable(&disk, report)?;
    }
    if let (Some(folder), Some(report)) = (&arguments.render, &arguments.report) {
        let rows = files::read(&disk, folder)?;
        let page = page::page(&rows, &title(&rows))?;
        return pages::write(&disk, report, &page);
    }
    let workloads = arguments.chosen()?;
    arguments.check_durations()?;
    if let Some(folder) = &arguments.results {
        files::prepare(&disk, folder)?;
    }
    let interrupt = Interrupt::catch()
        .map_err(|error| CliError::Failed(format!("cannot catch Ctrl-C: {error}")))?;
    // A connection is a file.
    raise_open_files_limit();
    let temporary = std::env::temp_dir();
    let session = Session {
        clock: Clock::start(),
        interrupt,
        tree: Tree {
            disk: &disk,
            root: Path::new("/"),
        },
        duration: Duration::from_secs_f64(arguments.duration),
        warm_up: Duration::from_secs_f64(arguments.warm_up),
        rounds: arguments.runs,
        folder: arguments.results.as_deref().unwrap_or(&temporary),
        seed: 0,
    };
    let mut sides = arguments.sides(&session)?;
    if let [first, second] = sides.as_slice()
        && first.identity() == second.identity()
    {
        notice("Both sides are the same broker: what differs is noise.");
    }
    for side in sides.iter().filter(|side| !side.meter.is_known()) {
        notice(format_args!(
            "{}: {}",
            side.servers,
            side.meter.describe_unknown()
        ));
    }
    let mut bench = Bench {
        arguments,
        session,
        disk: &disk,
        rows: Vec::new(),
        failures: Vec::new(),
    };
    let ended = bench.measure_all(&workloads, &mut sides);
    for side in &mut sides {
        side.delete_topics();
    }
    bench.finish(output)?;
    ended
}

impl BenchArguments {
    fn chosen(&self) -> Result<Vec<&'static Workload>, CliError> {
        if self.workloads.is_empty() {
            return Ok(WORKLOADS.iter().collect());
        }
        let unknown = |name: &String| {
            let known: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
            CliError::Usage(format!(
                "there is no workload '{name}'; there are {}",
                known.join(", ")
            ))
        };
        let named = self.workloads.iter();
        named
            .map(|name| workload::named(name).ok_or_else(|| unknown(name)))
            .collect()
    }

    fn check_durations(&self) -> Result<(), CliError> {
        let wrong = |flag: &str, from: f64, value: f64| {
            Err(CliError::Usage(format!(
                "{flag} takes seconds from {from} to {DURATION_MAX_S}, not {value}"
            )))
        };
        if !(DURATION_MIN_S..=DURATION_MAX_S).contains(&self.duration) {
            return wrong("--duration", DURATION_MIN_S, self.duration);
        }
        if !(0.0..=DURATION_MAX_S).contains(&self.warm_up) {
            return wrong("--warm-up", 0.0, self.warm_up);
        }
        Ok(())
    }

    fn sides(&self, session: &Session<'_>) -> Result<Vec<Side>, CliError> {
        let first = self
            .bootstrap_server
            .as_deref()
            .map(|servers| SideArguments {
                name: "a",
                servers,
                pid: self.pid,
                cgroup: self.cgroup.as_deref(),
            });
        let second = self.against.as_deref().map(|servers| SideArguments {
            name: "b",
            servers,
            pid: self.against_pid,
            cgroup: self.against_cgroup.as_deref(),
        });
        [first, second]
            .into_iter()
            .flatten()
            .map(|side| Side::connect(session.clock, session.tree, side))
            .collect()
    }
}

/// What is being measured, and what was found so far.
struct Bench<'a> {
    arguments: &'a BenchArguments,
    session: Session<'a>,
    disk: &'a Disk,
    rows: Vec<Row>,
    failures: Vec<String>,
}

impl Bench<'_> {
    /// Measures every workload. One that fails does not keep the others from being measured; the
    /// error names those that did. Ctrl-C ends it.
    fn measure_all(&mut self, workloads: &[&Workload], sides: &mut [Side]) -> Result<(), CliError> {
        for workload in workloads {
            notice(format_args!("{}: {}", workload.name, workload.title));
            let noises: &[bool] = if self.arguments.noise {
                &[true, false]
            } else {
                &[false]
            };
            for noise in noises {
                let chosen = if *noise { &mut sides[..1] } else { &mut *sides };
                let Outcome { mut row, error } = measure(&self.session, workload, chosen, *noise)?;
                if let Some(error) = &error {
                    row.remarks
                        .push(format!("The row is not complete: {error}"));
                }
                let is_empty = row.contestants().iter().all(|who| *who == machine::LIMIT);
                if !is_empty {
                    if let Some(folder) = &self.arguments.results {
                        let path = files::write(self.disk, folder, &row)?;
                        notice(format_args!("{}", path.display()));
                    }
                    self.rows.push(row);
                }
                match error {
                    None => {}
                    Some(error @ CliError::Interrupted(_)) => return Err(error),
                    Some(error) => {
                        notice(format_args!("{}: {error}", workload.name));
                        self.failures.push(format!("{}: {error}", workload.name));
                        break;
                    }
                }
            }
        }
        match self.failures.as_slice() {
            [] => Ok(()),
            [only] => Err(CliError::Failed(only.clone())),
            [first, rest @ ..] => Err(CliError::Failed(format!(
                "{first} (and {} more that failed, as said above)",
                rest.len()
            ))),
        }
    }

    /// Prints what was found, and writes the page.
    fn finish(&self, output: &mut Output<'_>) -> Result<(), CliError> {
        match self.arguments.output.output {
            OutputFormat::Json => {
                let rows: Vec<Value> = self.rows.iter().map(Row::to_json).collect();
                output.line(Value::Array(rows))?;
            }
            OutputFormat::Text => summary::print(output, &self.rows)?,
        }
        output.flush()?;
        if let (Some(report), false) = (&self.arguments.report, self.rows.is_empty()) {
            let page = page::page(&self.rows, &title(&self.rows))?;
            pages::write(self.disk, report, &page)?;
            notice(format_args!("{}", report.display()));
        }
        Ok(())
    }
}

/// A page's title: who was compared.
fn title(rows: &[Row]) -> String {
    let compared = rows.iter().filter(|row| row.same.is_none());
    let comparisons = compared.flat_map(|row| &row.comparisons);
    let pair = comparisons
        .filter(|comparison| comparison.is_between_brokers())
        .find_map(|comparison| {
            let base = comparison.base.as_ref()?;
            Some((
                comparison.subject.contestant.clone(),
                base.contestant.clone(),
            ))
        });
    let server = |who: &str| {
        let texts = rows.iter().filter_map(|row| row.configurations.get(who));
        let mut lines = texts.filter_map(|text| text.lines().next());
        lines.next().unwrap_or_default().to_owned()
    };
    match pair {
        Some((first, second)) if first == "a" && second == "b" => {
            format!("A, {}, beside B, {}", server("a"), server("b"))
        }
        Some((first, second)) => format!("{first} beside {second}"),
        None => format!("One broker: {}", server("a")),
    }
}
