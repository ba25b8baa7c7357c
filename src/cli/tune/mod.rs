//! `klamm doctor` says what of the machine would hurt; `klamm tune` sets what can be set, and takes
//! it back. Both read `tuning/settings.conf`, and nothing else decides what is wanted.

pub mod apply;
pub mod judge;
pub mod list;
pub mod machine;
pub mod record;
#[cfg(test)]
mod tests;

use super::StartArguments;
use super::error::CliError;
use super::output::{Output, OutputArguments, OutputFormat, notice};
use super::start;
use crate::config::Configuration;
use crate::runtime::disk::Disk;
use crate::runtime::native::process;
use apply::{Applying, Outcome};
use judge::{Change, Finding, State};
use list::{Setting, Wishes};
use machine::Tree;
use record::RECORD_DEFAULT;
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};

/// What `klamm doctor` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct DoctorArguments {
    #[command(flatten)]
    start: StartArguments,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    place: PlaceArguments,
}

/// What `klamm tune` takes.
#[derive(clap::Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("action").required(true))]
pub struct TuneArguments {
    /// Say what is not as wanted; the exit code is 1 where something is to be set.
    #[arg(long, group = "action")]
    check: bool,
    /// Print a shell script that sets it, with the values of now beside.
    #[arg(long, group = "action")]
    print_script: bool,
    /// Set it, having recorded what was.
    #[arg(long, group = "action")]
    apply: bool,
    /// Restore what was before the first --apply since the machine started.
    #[arg(long, group = "action")]
    undo: bool,
    /// Where what was is recorded: /run/klamm-tune/undo.json, unless told otherwise.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    #[command(flatten)]
    start: StartArguments,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    place: PlaceArguments,
}

/// Which machine.
#[derive(clap::Args, Clone, Debug)]
struct PlaceArguments {
    /// A folder that plays the machine: its proc/ and sys/ are read and written. For tests.
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    root: PathBuf,
}

impl PlaceArguments {
    fn is_this_machine(&self) -> bool {
        self.root == Path::new("/")
    }
}

/// Says how the machine stands, and fails where there is a problem.
pub fn doctor(arguments: &DoctorArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    let findings = examine(&arguments.place, &arguments.start)?;
    report(&findings, arguments.output.output, output)?;
    let is_problem = |finding: &Finding| finding.state == State::Problem;
    if findings.iter().any(is_problem) {
        return Err(CliError::Reported);
    }
    Ok(())
}

/// Does what the flag says.
pub fn run(arguments: &TuneArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    let disk = Disk::Native;
    let tree = Tree {
        disk: &disk,
        root: &arguments.place.root,
    };
    let default = RECORD_DEFAULT.trim_start_matches('/');
    let state = match &arguments.state {
        Some(path) => path.clone(),
        None => arguments.place.root.join(default),
    };
    let format = arguments.output.output;
    if arguments.undo {
        let outcomes = apply::undo(tree, &state).map_err(failed)?;
        if outcomes.is_empty() && format == OutputFormat::Text {
            return output.line("nothing to undo: klamm has set nothing since the machine started");
        }
        return report_outcomes(outcomes, format, output);
    }
    let mut findings = examine(&arguments.place, &arguments.start)?;
    if arguments.print_script {
        return output.line(script(&findings));
    }
    findings.retain(|finding| finding.is_tunable);
    if arguments.check {
        report(&findings, format, output)?;
        let is_well = findings.iter().all(|finding| finding.changes.is_empty());
        return if is_well {
            Ok(())
        } else {
            Err(CliError::Reported)
        };
    }
    let changes: Vec<Change> = findings
        .into_iter()
        .flat_map(|finding| finding.changes)
        .collect();
    apply_all(tree, &state, changes, format, output)
}

fn apply_all(
    tree: Tree<'_>,
    state: &Path,
    changes: Vec<Change>,
    format: OutputFormat,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    if changes.is_empty() && format == OutputFormat::Text {
        return output.line("nothing to set: all is as wanted");
    }
    if changes.is_empty() {
        return report_outcomes(Vec::new(), format, output);
    }
    let forbidden = apply::forbidden(tree, &changes);
    if let Some(why) = refusal(&forbidden) {
        return Err(CliError::Failed(why));
    }
    let mut outcomes = Vec::new();
    for outcome in Applying::begin(tree, state, changes).map_err(failed)? {
        if format == OutputFormat::Text {
            // Each at once: whoever interrupts it sees how far it came.
            output.line(outcome_line(&outcome))?;
            output.flush()?;
        }
        outcomes.push(outcome);
    }
    match format {
        OutputFormat::Json => report_outcomes(outcomes, format, output),
        OutputFormat::Text => {
            notice(format_args!(
                "what was is in {}; back to it with: klamm tune --undo{}",
                state.display(),
                if state == Path::new(RECORD_DEFAULT) {
                    String::new()
                } else {
                    format!(" --state {}", state.display())
                }
            ));
            all_done(&outcomes)
        }
    }
}

fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::Failed(error.to_string())
}

/// Why nothing is changed where something may not be.
fn refusal(forbidden: &[(Change, io::Error)]) -> Option<String> {
    let (first, error) = forbidden.first()?;
    let mut names: Vec<&str> = forbidden
        .iter()
        .map(|(change, _)| change.name.as_str())
        .collect();
    // A setting of each core is one setting.
    names.dedup();
    let mend = if error.kind() == io::ErrorKind::PermissionDenied {
        "run it as root: sudo klamm tune --apply"
    } else {
        "in a container, run it on the host instead"
    };
    Some(format!(
        "{} cannot be written: {error}; nothing was changed. To be set: {}; {mend}",
        first.file,
        names.join(", ")
    ))
}

/// Reads the machine that this configuration would run on, and judges it.
fn examine(place: &PlaceArguments, start: &StartArguments) -> Result<Vec<Finding>, CliError> {
    let configuration = start::configure(start).map_err(CliError::Failed)?;
    let disk = Disk::Native;
    let tree = Tree {
        disk: &disk,
        root: &place.root,
    };
    let io_uring = place
        .is_this_machine()
        .then(|| process::check_io_uring().map_err(|unfit| unfit.to_string()));
    let settings = list::embedded();
    Ok(diagnose(tree, &settings, &configuration, io_uring.as_ref()))
}

/// Everything between a configuration and its findings.
fn diagnose(
    tree: Tree<'_>,
    settings: &[Setting],
    configuration: &Configuration,
    io_uring: Option<&Result<(), String>>,
) -> Vec<Finding> {
    let cores = match configuration.cores() {
        Some(cores) => cores,
        None => machine::cores(tree).len().max(1),
    };
    let wishes = Wishes {
        backlog: u64::try_from(configuration.socket_listen_backlog_size()).unwrap_or(0),
        cores: crate::base::convert::u64_from(cores),
    };
    let mut directories: Vec<PathBuf> =
        configuration.log_dirs().iter().map(PathBuf::from).collect();
    let metadata = PathBuf::from(configuration.metadata_log_dir());
    if !directories.contains(&metadata) {
        directories.push(metadata);
    }
    let machine = machine::read(tree, settings, &directories, io_uring);
    judge::judge(settings, &machine, wishes)
}

fn report(
    findings: &[Finding],
    format: OutputFormat,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match format {
        OutputFormat::Text => {
            for finding in findings {
                output.line(judge::line(finding))?;
            }
            let count = |state| {
                findings
                    .iter()
                    .filter(|finding| finding.state == state)
                    .count()
            };
            let (problems, advice) = (count(State::Problem), count(State::Advice));
            let plural = if problems == 1 { "" } else { "s" };
            notice(format_args!(
                "{problems} problem{plural}, {advice} of advice, {} ok",
                count(State::Ok)
            ));
            Ok(())
        }
        OutputFormat::Json => {
            let findings: Vec<Value> = findings.iter().map(finding_json).collect();
            output.line(Value::Array(findings))
        }
    }
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "state": finding.state.word(),
        "name": finding.name,
        "where": finding.places,
        "found": finding.found,
        "wanted": finding.wanted,
        "why": finding.why,
        "mend": finding.mend,
        "measured": finding.measured,
        "source": finding.source,
        "set": finding.changes.iter().map(change_json).collect::<Vec<Value>>(),
    })
}

fn change_json(change: &Change) -> Value {
    json!({ "file": change.file, "from": change.before, "to": change.set })
}

fn outcome_line(outcome: &Outcome) -> String {
    let Change {
        name,
        file,
        before,
        set,
    } = &outcome.change;
    let note = match &outcome.note {
        Some(note) => format!(" ({note})"),
        None => String::new(),
    };
    match &outcome.result {
        None => format!("as it was  {name} {file}{note}"),
        Some(Ok(())) => format!("set        {name} {file}: {before} -> {set}{note}"),
        Some(Err(error)) => format!("FAILED     {name} {file}: {before} -> {set}: {error}{note}"),
    }
}

fn report_outcomes(
    outcomes: Vec<Outcome>,
    format: OutputFormat,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match format {
        OutputFormat::Text => {
            for outcome in &outcomes {
                output.line(outcome_line(outcome))?;
            }
        }
        OutputFormat::Json => {
            let outcomes = outcomes.iter().map(|outcome| {
                let (did, error) = match &outcome.result {
                    None => ("nothing", Value::Null),
                    Some(Ok(())) => ("set", Value::Null),
                    Some(Err(error)) => ("failed", Value::String(error.to_string())),
                };
                json!({
                    "name": outcome.change.name,
                    "file": outcome.change.file,
                    "from": outcome.change.before,
                    "to": outcome.change.set,
                    "did": did,
                    "error": error,
                    "note": outcome.note,
                })
            });
            output.line(Value::Array(outcomes.collect()))?;
        }
    }
    all_done(&outcomes)
}

fn all_done(outcomes: &[Outcome]) -> Result<(), CliError> {
    let is_failed = |outcome: &Outcome| matches!(outcome.result, Some(Err(_)));
    match outcomes.iter().filter(|outcome| is_failed(outcome)).count() {
        0 => Ok(()),
        count => Err(CliError::Failed(format!(
            "{count} of {} settings could not be set, as said above",
            outcomes.len()
        ))),
    }
}

/// A shell script that sets what is not as wanted, and says in comments what people must mend.
fn script(findings: &[Finding]) -> String {
    let mut lines = vec![
        "#!/bin/sh".to_owned(),
        "# What klamm wants of this machine and does not find. It lasts until the next start; to keep"
            .to_owned(),
        "# it, put what is in /proc/sys into /etc/sysctl.d, or use tuning/systemd/klamm-tuning.service."
            .to_owned(),
    ];
    for finding in findings {
        if finding.state == State::Ok {
            continue;
        }
        lines.push(String::new());
        lines.push(comment(&format!("{}: {}", finding.name, finding.why)));
        lines.push(comment(&format!(
            "found {}, wanted {}; measured: {}; source: {}",
            finding.found, finding.wanted, finding.measured, finding.source
        )));
        for change in &finding.changes {
            lines.push(comment(&format!(
                "back with: {}",
                write_command(&change.file, &change.before)
            )));
            lines.push(write_command(&change.file, &change.set));
        }
        if finding.changes.is_empty() {
            lines.push(comment(&format!("by hand: {}", finding.mend)));
        }
    }
    lines.join("\n")
}

/// One line, whatever a device or a kernel calls itself.
fn comment(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("# {plain}")
}

fn write_command(file: &str, value: &str) -> String {
    format!("echo {} > {}", quoted(value), quoted(file))
}

/// A word for the shell, which takes nothing within single quotes for anything but itself.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
