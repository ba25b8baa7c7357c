//! `cargo dev instructions`: what one turn of each hot loop costs in instructions, counted by callgrind,
//! which gives the same number at every run, held against what is recorded in `perf/instructions.txt`.
//!
//! ```text
//! # a comment
//! 4321  serve a Heartbeat          instructions of one, and which loop of benches/instructions.rs
//! ```

use crate::Project;
use crate::callgrind::own_instructions;
use crate::chores::cargo;
use crate::command::{read, run_quietly};
use crate::install;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How often a loop is run, twice: the difference has no start-up in it.
const COUNTS: [u64; 2] = [200, 700];
/// Change that needs no word, in percent: what a register more or less does.
const TOLERATED_PERCENT: u64 = 5;

const HEADING: &str = "\
# Instructions of one turn of each loop in benches/instructions.rs, as callgrind counts them; of requests,
# those of the shard's turns, without the simulated runtime under them.
# `cargo dev instructions` fails where one has grown by more than 5 %, and says which has shrunk by as much;
# `cargo dev instructions --record` writes what it finds. Whoever makes one grow says in the commit what it buys.
";

/// Counts, and compares or records.
pub fn instructions(project: &Project, arguments: &[String]) -> Result<(), String> {
    let records = match arguments {
        [] => false,
        [flag] if flag == "--record" => true,
        _ => return Err("cargo dev instructions takes --record or nothing".to_owned()),
    };
    install::install(project, &["valgrind".to_owned()])?;
    let program = build(project)?;
    let counted = count_all(&program)?;
    let path = project.root.join("perf/instructions.txt");
    if records {
        let mut text = HEADING.to_owned();
        for (name, count) in &counted {
            writeln!(text, "{count}  {name}").expect("memory takes every byte");
        }
        return std::fs::write(&path, text)
            .map_err(|error| format!("cannot write {}: {error}", path.display()));
    }
    let recorded = parse(&read(&path)?)?;
    for saving in savings(&recorded, &counted) {
        println!("{saving}");
    }
    let complaints = complaints(&recorded, &counted);
    if complaints.is_empty() {
        return Ok(());
    }
    Err(format!(
        "instructions have changed; `cargo dev instructions --record` writes them to {}:\n{}",
        path.display(),
        complaints.join("\n")
    ))
}

/// Builds the loops and gives the program.
fn build(project: &Project) -> Result<PathBuf, String> {
    let printed = run_quietly(cargo(project).args([
        "build",
        "--quiet",
        "--package",
        "klamm",
        "--profile",
        "instructions",
        "--example",
        "instructions",
        "--message-format=json",
    ]))?;
    // "executable":"/…/target/instructions/examples/instructions"
    printed
        .lines()
        .filter_map(|line| line.split_once("\"executable\":\"")?.1.split('"').next())
        .find(|path| path.ends_with("/examples/instructions"))
        .map(PathBuf::from)
        .ok_or_else(|| "cargo did not say where the program is".to_owned())
}

fn count_all(program: &Path) -> Result<Vec<(String, u64)>, String> {
    let listed = run_quietly(Command::new(program).arg("--list"))?;
    let mut counted = Vec::new();
    for name in listed.lines() {
        let [few, many] = COUNTS.map(|count| collected(program, name, count));
        let turns = COUNTS[1] - COUNTS[0];
        counted.push((name.to_owned(), many?.saturating_sub(few?) / turns));
    }
    Ok(counted)
}

/// Instructions of a whole run, as far as they are klamm's.
fn collected(program: &Path, name: &str, count: u64) -> Result<u64, String> {
    let written = program.with_extension("callgrind");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", written.display()))
        .arg(program)
        .arg(name)
        .arg(count.to_string())
        // Nothing of this machine shall decide about the way through the program.
        .env_clear()
        .output()
        .map_err(|error| format!("cannot run valgrind: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("valgrind could not run `{name}`: {said}"));
    }
    own_instructions(&read(&written)?)
        .ok_or_else(|| format!("{} is not what callgrind writes", written.display()))
}

fn parse(text: &str) -> Result<BTreeMap<String, u64>, String> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            line.split_once("  ")
                .and_then(|(count, name)| Some((name.to_owned(), count.parse().ok()?)))
                .ok_or_else(|| {
                    format!("perf/instructions.txt has a line that says nothing: {line}")
                })
        })
        .collect()
}

/// What must not be so: a loop that grew, or one that is known on one side only.
fn complaints(recorded: &BTreeMap<String, u64>, counted: &[(String, u64)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, now) in counted {
        match recorded.get(name) {
            None => complaints.push(format!("{name}: {now}, which is not recorded")),
            Some(before) if *now > before + slack(*before) => {
                complaints.push(format!("{name}: {now}, more than {before}"));
            }
            Some(_) => {}
        }
    }
    let gone = recorded
        .keys()
        .filter(|name| counted.iter().all(|(counted, _)| counted != *name));
    complaints.extend(gone.map(|name| format!("{name}: recorded, and no loop any more")));
    complaints
}

/// What is told and is no fault: until it is recorded, a loop may grow back unseen.
fn savings(recorded: &BTreeMap<String, u64>, counted: &[(String, u64)]) -> Vec<String> {
    counted
        .iter()
        .filter_map(|(name, now)| {
            let before = recorded.get(name)?;
            (now + slack(*before) < *before)
                .then(|| format!("{name}: {now}, fewer than the recorded {before}: record it"))
        })
        .collect()
}

fn slack(recorded: u64) -> u64 {
    recorded * TOLERATED_PERCENT / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grew_by_more_than_a_twentieth_is_a_fault_and_what_shrank_is_told() {
        let recorded = parse("# heading\n1000  same\n1000  grown\n1000  shrunk\n7  gone\n");
        let recorded = recorded.expect("it is sound");
        let counted = [("same", 1050), ("grown", 1051), ("shrunk", 949), ("new", 5)]
            .map(|(name, count)| (name.to_owned(), count));
        assert_eq!(
            complaints(&recorded, &counted),
            [
                "grown: 1051, more than 1000",
                "new: 5, which is not recorded",
                "gone: recorded, and no loop any more",
            ]
        );
        assert_eq!(
            savings(&recorded, &counted),
            ["shrunk: 949, fewer than the recorded 1000: record it"]
        );
        assert!(complaints(&recorded, &[]).len() == 4);
        assert!(parse("a line\n").is_err());
    }
}
