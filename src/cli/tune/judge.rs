//! What is wrong with a machine: the list of settings held against what was found. Pure.

use super::list::{Setting, Weight, Wishes};
use super::machine::{Machine, Observation};

/// How a setting stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// As wanted.
    Ok,
    /// It may cost speed.
    Advice,
    /// klamm will not run, or not safely.
    Problem,
}

impl State {
    /// The word that begins the line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Advice => "advice",
            State::Problem => "problem",
        }
    }
}

/// A file to write, and what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The setting's name.
    pub name: String,
    /// The file of the kernel.
    pub file: String,
    /// What it holds.
    pub before: String,
    /// What it shall hold.
    pub set: String,
}

/// One setting, and one value of it; where several devices have the same, they are one finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The setting's name.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// Where: devices or directories; empty where there is but one place.
    pub places: Vec<String>,
    /// What was found.
    pub found: String,
    /// What is wanted.
    pub wanted: String,
    /// What it is good for.
    pub why: String,
    /// How to mend it.
    pub mend: String,
    /// The measurement behind it, or "unmeasured here".
    pub measured: String,
    /// Where the knowledge comes from.
    pub source: String,
    /// What `klamm tune --apply` writes.
    pub changes: Vec<Change>,
    /// Whether `klamm tune` has to do with it at all.
    pub is_tunable: bool,
}

/// Holds the list against a machine, in the list's order. What a machine does not have (a card, a
/// disk, a file of a newer kernel) is not judged.
#[must_use]
pub fn judge(settings: &[Setting], machine: &Machine, wishes: Wishes) -> Vec<Finding> {
    let mut findings = Vec::new();
    for setting in settings {
        let mut of_setting: Vec<Finding> = Vec::new();
        let observations = machine.observations.get(&setting.name);
        for observation in observations.into_iter().flatten() {
            let finding = finding(setting, observation, wishes);
            let same = of_setting
                .iter_mut()
                .find(|other| other.state == finding.state && other.found == finding.found);
            match same {
                Some(other) => {
                    other.places.extend(finding.places);
                    other.changes.extend(finding.changes);
                }
                None => of_setting.push(finding),
            }
        }
        findings.extend(of_setting);
    }
    findings
}

/// A finding about which nothing is known yet but that all is well.
fn fine(setting: &Setting, wishes: Wishes) -> Finding {
    Finding {
        name: setting.name.clone(),
        state: State::Ok,
        places: Vec::new(),
        found: String::new(),
        wanted: setting.wanted.describe(wishes),
        why: setting.why.clone(),
        mend: mend(setting, wishes),
        measured: setting.measured.clone(),
        source: setting.source.clone(),
        changes: Vec::new(),
        is_tunable: setting.set.is_some(),
    }
}

fn finding(setting: &Setting, observation: &Observation, wishes: Wishes) -> Finding {
    let mut finding = fine(setting, wishes);
    if !observation.place.is_empty() {
        finding.places.push(observation.place.clone());
    }
    match &observation.value {
        Ok(value) => {
            finding.found.clone_from(value);
            if setting.wanted.holds(value, wishes) {
                return finding;
            }
            finding.state = match setting.weight {
                Weight::Advice => State::Advice,
                Weight::Problem => State::Problem,
            };
            if let (Some(set), Some(file)) = (&setting.set, &observation.file) {
                finding.changes.push(Change {
                    name: setting.name.clone(),
                    file: file.clone(),
                    before: value.clone(),
                    set: set.of(wishes),
                });
            }
        }
        // What cannot be read is not known to be wrong.
        Err(why) => {
            finding.found.clone_from(why);
            finding.state = State::Advice;
            finding.mend = "run it as root, or outside of the container".to_owned();
        }
    }
    finding
}

fn mend(setting: &Setting, wishes: Wishes) -> String {
    match (&setting.mend, &setting.set) {
        (Some(mend), _) => mend.clone(),
        (None, Some(set)) => format!("klamm tune --apply, which sets {}", set.of(wishes)),
        // The list's parser lets no such setting pass.
        (None, None) => String::new(),
    }
}

/// The line of a finding: found, wanted, why, how to mend; what is as wanted says only the first.
#[must_use]
pub fn line(finding: &Finding) -> String {
    let place = match finding.places.as_slice() {
        [] => String::new(),
        [place] => format!(" ({place})"),
        [first, second] => format!(" ({first}; {second})"),
        [first, .., last] => format!(" ({first} to {last}, {} of them)", finding.places.len()),
    };
    let head = format!(
        "{:<8} {}{place}: {}",
        finding.state.word(),
        finding.name,
        finding.found
    );
    match finding.state {
        State::Ok => head,
        State::Advice | State::Problem => format!(
            "{head}; wanted: {}; why: {}; mend: {}",
            finding.wanted, finding.why, finding.mend
        ),
    }
}
