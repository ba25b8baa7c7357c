//! A row may be measured in several sittings: further rounds are added to its newest file, where they are
//! of one kind with what is there. When each sitting began, on which machine, stands in the file.

use crate::results::{self, Measured};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What all sittings of a file have in common, and where a result has it.
const IN_COMMON: [(&str, &str); 8] = [
    ("klamm", "/versions/klamm"),
    ("Apache Kafka", "/versions/kafka"),
    ("Java", "/versions/java"),
    ("set of flags for the JVMs", "/jvm"),
    ("processor", "/machine/cpu"),
    ("count of cores", "/machine/cores"),
    ("congestion control", "/machine/congestion_control"),
    ("order of reported pages", "/machine/page_reporting_order"),
];

/// A result that rounds are added to.
#[derive(Clone, Debug)]
pub struct Former {
    /// Its file.
    pub path: PathBuf,
    result: Value,
}

impl Former {
    /// The newest result of a row, or of one system against itself.
    pub fn newest(folder: &Path, row: &str, same: Option<&str>) -> Result<Former, String> {
        for path in results::files(folder)?.into_iter().rev() {
            let result = results::read(&path)?;
            if results::is_of(&result, row, same) {
                return Ok(Former { path, result });
            }
        }
        Err(format!("{row} has no result that rounds could be added to"))
    }

    /// An error where rounds of `head` are not to be mixed with these.
    pub fn must_be_like(&self, head: &Value) -> Result<(), String> {
        let former = &self.result;
        if former["quick"] != false {
            return Err(self.refusal("it is of a quick run, whose figures are no claim"));
        }
        // A commit is of the tree, which may change around a program that stays: its bytes say more.
        let names_program = |result: &Value| {
            let program = result["versions"]["program"].as_str();
            program.is_some_and(|program| !program.is_empty())
        };
        let program = if names_program(former) && names_program(head) {
            ("program of klamm's", "/versions/program")
        } else {
            ("commit", "/versions/commit")
        };
        for (what, at) in IN_COMMON.into_iter().chain([program]) {
            let (then, now) = (former.pointer(at), head.pointer(at));
            if then != now {
                let (then, now) = (said(then), said(now));
                let why = format!("it is of another {what}, {then}, not {now}");
                return Err(self.refusal(&why));
            }
        }
        Ok(())
    }

    /// An error where the load is another one.
    pub fn must_have_load(&self, load: &str) -> Result<(), String> {
        if self.load() == load {
            return Ok(());
        }
        let then = self.load();
        let why = format!("it is of another load, \"{then}\", not \"{load}\"");
        Err(self.refusal(&why))
    }

    fn refusal(&self, why: &str) -> String {
        format!("no rounds are added to {}: {why}", self.path.display())
    }

    /// The load, in words.
    pub fn load(&self) -> &str {
        self.result["load"].as_str().unwrap_or_default()
    }

    /// How many rounds there are: the first that is added has this number.
    pub fn rounds(&self) -> usize {
        rounds_of(&self.result)
    }

    /// The result with these runs added, still with the former comparisons.
    pub fn with(&self, head: &Value, measured: &Measured) -> Value {
        let mut result = self.result.clone();
        let before = self.rounds();
        let mut sittings = match result["sittings"].as_array() {
            Some(known) => known.clone(),
            None => vec![sitting(&result, before)],
        };
        let mut runs = result["runs"].as_array().cloned().unwrap_or_default();
        runs.extend(measured.runs_json());
        result["runs"] = Value::Array(runs);
        let pairs = rounds_of(&result);
        sittings.push(sitting(head, pairs - before));
        result["sittings"] = Value::Array(sittings);
        result["pairs"] = json!(pairs);
        result
    }
}

/// The result of a first sitting, without comparisons.
pub fn first(head: &Value, measured: &Measured) -> Value {
    let mut result = head.clone();
    result["configurations"] = json!(measured.configurations);
    result["load"] = json!(measured.load);
    result["runs"] = Value::Array(measured.runs_json());
    let pairs = rounds_of(&result);
    result["sittings"] = json!([sitting(head, pairs)]);
    result["pairs"] = json!(pairs);
    result
}

fn sitting(head: &Value, pairs: usize) -> Value {
    json!({
        "started": head["started"],
        "pairs": pairs,
        "machine": head["machine"],
        "versions": head["versions"],
    })
}

fn rounds_of(result: &Value) -> usize {
    let runs = results::runs_of(result);
    runs.iter().map(|run| run.round + 1).max().unwrap_or(0)
}

fn said(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figures;
    use crate::results::Run;

    fn head(started: &str, commit: &str) -> Value {
        json!({
            "row": "idle", "quick": false, "started": started, "jvm": {},
            "machine": {"cpu": "one", "cores": 2, "load_average": started},
            "versions": {"klamm": "klamm 0.1.0", "commit": commit},
        })
    }

    fn measured(rounds: std::ops::Range<usize>) -> Measured {
        let runs = rounds.map(|round| Run {
            round,
            contestant: "klamm".to_owned(),
            figures: Figures::from([("cpu".to_owned(), 1.0)]),
        });
        Measured {
            runs: runs.collect(),
            load: "nothing, for 30 s".to_owned(),
            ..Measured::default()
        }
    }

    fn former(result: Value) -> Former {
        Former {
            path: "idle.json".into(),
            result,
        }
    }

    #[test]
    fn rounds_are_added_and_each_sitting_is_told() {
        let mut old = first(&head("monday", "a"), &measured(0..5));
        // As files were before there could be two.
        old.as_object_mut().expect("an object").remove("sittings");
        let former = former(old);
        assert_eq!(former.rounds(), 5);
        let both = former.with(&head("tuesday", "a"), &measured(5..8));
        assert_eq!(both["pairs"], 8);
        assert_eq!(both["runs"].as_array().expect("runs").len(), 8);
        assert_eq!(both["started"], "monday");
        let told = |place: usize| {
            let sitting = &both["sittings"][place];
            (sitting["started"].as_str(), sitting["pairs"].as_u64())
        };
        assert_eq!(told(0), (Some("monday"), Some(5)));
        assert_eq!(told(1), (Some("tuesday"), Some(3)));
    }

    #[test]
    fn rounds_of_another_kind_are_refused() {
        let there = first(&head("monday", "a"), &measured(0..5));
        let add = |result: &Value, head: &Value| former(result.clone()).must_be_like(head);
        assert_eq!(add(&there, &head("tuesday", "a")), Ok(()));
        for (at, value) in [
            ("/quick", json!(true)),
            ("/versions/commit", json!("b")),
            ("/versions/klamm", json!("klamm 0.2.0")),
            ("/versions/kafka", json!("kafka-clients-4.4.0.jar")),
            ("/machine/cpu", json!("another")),
            ("/jvm/broker", json!("-Xmx2g")),
        ] {
            let mut other = there.clone();
            let (folder, name) = at.rsplit_once('/').expect("a path");
            other.pointer_mut(folder).expect("an object")[name] = value;
            let why = add(&other, &head("tuesday", "a"));
            assert!(why.is_err(), "{at}");
        }
        let load = former(there.clone()).must_have_load("something");
        assert!(load.is_err_and(|why| why.contains("another load")));
        let load = former(there).must_have_load("nothing, for 30 s");
        assert_eq!(load, Ok(()));
    }

    #[test]
    fn the_same_program_is_the_same_whatever_lies_around_it() {
        let named = |commit: &str, program: &str| {
            let mut head = head("monday", commit);
            head["versions"]["program"] = json!(program);
            head
        };
        let there = former(first(&named("a", "crc32c 1"), &measured(0..1)));
        assert_eq!(there.must_be_like(&named("a-dirty", "crc32c 1")), Ok(()));
        assert!(there.must_be_like(&named("a", "crc32c 2")).is_err());
        assert!(there.must_be_like(&head("monday", "b")).is_err());
    }
}
