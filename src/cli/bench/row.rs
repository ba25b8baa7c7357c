//! A row as its file keeps it: what was run, every run's figures, and the comparisons made of them.
//! `cargo dev bench` writes files of the same shape; what a file lacks is empty here.

use super::compare::Comparison;
use crate::base::convert::usize_from;
use crate::cli::page::figure::rounded;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Most points of a curve or a series that are believed.
const POINTS_MAX: usize = 10_000;
/// Most runs of a file that are believed.
const RUNS_MAX: usize = 10_000;

/// A percentile and its value, in ascending order.
pub type Points = Vec<(f64, f64)>;

/// What was measured over time; each list is as long as `seconds`, or empty.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Series {
    /// Since the start of the run.
    pub seconds: Vec<f64>,
    /// By name: `mb_per_s`, `requests_per_s`, `p99_ms`.
    pub values: BTreeMap<String, Vec<f64>>,
}

/// One run of one contestant.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Run {
    /// The pair it belongs to, from 0 on.
    pub round: usize,
    /// Who ran: `a`, `b`, `klamm`, `kafka`, `limit`.
    pub contestant: String,
    /// Its figures by name; the unit ends the name.
    pub figures: BTreeMap<String, f64>,
    /// Latency in ms by percentile.
    pub latency_ms: Points,
    /// Over time.
    pub series: Series,
    /// Part of each core of this machine that was busy, 0 to 1.
    pub core_busy: Vec<f64>,
    /// klamm's own turns, or Kafka's stalls, of each core.
    pub turns_ms: Vec<Points>,
}

/// A row.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it does, in words that need no code.
    pub description: String,
    /// What it does not show.
    pub shows_not: Vec<String>,
    /// What is to be known about these runs: throttling, an interruption.
    pub remarks: Vec<String>,
    /// When it began, as text.
    pub started: String,
    /// The machine, by what it is that is said.
    pub machine: BTreeMap<String, String>,
    /// Versions of what took part.
    pub versions: BTreeMap<String, String>,
    /// How each contestant is configured.
    pub configurations: BTreeMap<String, String>,
    /// The load.
    pub load: String,
    /// Who ran against itself, where it did: then it is about noise.
    pub same: Option<String>,
    /// Its runs.
    pub runs: Vec<Run>,
    /// What was made of them.
    pub comparisons: Vec<Comparison>,
}

impl Row {
    /// Of a contestant's runs one figure each, as far as they have it.
    #[must_use]
    pub fn values(&self, contestant: &str, figure: &str) -> Vec<f64> {
        self.runs_of(contestant)
            .filter_map(|run| run.figures.get(figure).copied())
            .collect()
    }

    /// A contestant's runs.
    pub fn runs_of<'r>(&'r self, contestant: &'r str) -> impl Iterator<Item = &'r Run> {
        self.runs
            .iter()
            .filter(move |run| run.contestant == contestant)
    }

    /// Everybody who ran, in the order of their first runs.
    #[must_use]
    pub fn contestants(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for run in &self.runs {
            if !found.contains(&run.contestant.as_str()) {
                found.push(&run.contestant);
            }
        }
        found
    }

    /// How many pairs there are.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.runs
            .iter()
            .map(|run| run.round.saturating_add(1))
            .max()
            .unwrap_or(0)
    }

    /// The row as its file has it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let date = self.started.get(..10).unwrap_or_default();
        let runs: Vec<Value> = self.runs.iter().map(Run::to_json).collect();
        let comparisons: Vec<Value> = self.comparisons.iter().map(Comparison::to_json).collect();
        json!({
            "row": self.name,
            "title": self.title,
            "description": self.description,
            "shows_not": self.shows_not,
            "remarks": self.remarks,
            "date": date,
            "started": self.started,
            "same": self.same,
            "quick": false,
            "pairs": self.rounds(),
            "machine": self.machine,
            "versions": self.versions,
            "configurations": self.configurations,
            "load": self.load,
            "runs": runs,
            "comparisons": comparisons,
        })
    }

    /// Reads a file's content; `None` where it is no row.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Row> {
        let object = value.as_object()?;
        let text = |key: &str| object.get(key).map(words).unwrap_or_default();
        let lines = |key: &str| -> Vec<String> {
            let list = object.get(key).and_then(Value::as_array);
            list.map(|list| list.iter().map(words).collect())
                .unwrap_or_default()
        };
        let runs = object.get("runs")?.as_array()?;
        let mut machine = table(object.get("machine"));
        if let Some(Value::String(kernel)) = object.get("kernel") {
            machine.insert("kernel".to_owned(), kernel.clone());
        }
        let mut configurations = table(object.get("configurations"));
        let jvm = table(object.get("jvm"));
        if !jvm.is_empty() {
            let said: Vec<String> = jvm
                .iter()
                .map(|(whose, flags)| format!("{whose}: {flags}"))
                .collect();
            configurations.insert("jvm".to_owned(), said.join("\n"));
        }
        let started = match object.get("started") {
            Some(started) => words(started),
            None => text("date"),
        };
        Some(Row {
            name: object.get("row")?.as_str()?.to_owned(),
            title: text("title"),
            description: text("description"),
            shows_not: lines("shows_not"),
            remarks: lines("remarks"),
            started,
            machine,
            versions: table(object.get("versions")),
            configurations,
            load: text("load"),
            same: object
                .get("same")
                .and_then(Value::as_str)
                .map(str::to_owned),
            runs: runs
                .iter()
                .take(RUNS_MAX)
                .filter_map(Run::from_json)
                .collect(),
            comparisons: object
                .get("comparisons")
                .and_then(Value::as_array)
                .map(|all| all.iter().filter_map(Comparison::from_json).collect())
                .unwrap_or_default(),
        })
    }
}

impl Run {
    fn to_json(&self) -> Value {
        let figures: Map<String, Value> = self
            .figures
            .iter()
            .map(|(name, value)| (name.clone(), json!(rounded(*value))))
            .collect();
        let mut object = json!({
            "round": self.round,
            "contestant": self.contestant,
            "figures": figures,
        });
        if !self.latency_ms.is_empty() {
            object["latency_ms"] = points_json(&self.latency_ms);
        }
        if !self.series.seconds.is_empty() {
            let mut series = Map::new();
            series.insert("s".to_owned(), numbers_json(&self.series.seconds));
            for (name, values) in &self.series.values {
                series.insert(name.clone(), numbers_json(values));
            }
            object["series"] = Value::Object(series);
        }
        if !self.core_busy.is_empty() {
            object["core_busy"] = numbers_json(&self.core_busy);
        }
        if !self.turns_ms.is_empty() {
            let cores: Vec<Value> = self.turns_ms.iter().map(|core| points_json(core)).collect();
            object["turns_ms"] = Value::Array(cores);
        }
        object
    }

    fn from_json(value: &Value) -> Option<Run> {
        let object = value.as_object()?;
        let figures = object.get("figures").and_then(Value::as_object);
        let figures = figures
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
        let turns = object.get("turns_ms").or_else(|| object.get("stalls_ms"));
        Some(Run {
            round: usize_from(object.get("round")?.as_u64()?).min(RUNS_MAX),
            contestant: object.get("contestant")?.as_str()?.to_owned(),
            figures: figures.collect(),
            latency_ms: object.get("latency_ms").map(points).unwrap_or_default(),
            series: object.get("series").map(series).unwrap_or_default(),
            core_busy: object.get("core_busy").map(numbers).unwrap_or_default(),
            turns_ms: turns.map(cores).unwrap_or_default(),
        })
    }
}

/// A string as it is, anything else as JSON.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn table(value: Option<&Value>) -> BTreeMap<String, String> {
    let object = value.and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), words(value)))
        .collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().into_iter().flatten();
    list.take(POINTS_MAX).filter_map(Value::as_f64).collect()
}

fn points(value: &Value) -> Points {
    let list = value.as_array().into_iter().flatten();
    let mut points: Points = list
        .take(POINTS_MAX)
        .filter_map(|pair| match numbers(pair)[..] {
            [percentile, value] => Some((percentile, value)),
            _ => None,
        })
        .collect();
    points.sort_by(|left, right| left.0.total_cmp(&right.0));
    points
}

/// Histograms of several cores, or one alone.
fn cores(value: &Value) -> Vec<Points> {
    let alone = points(value);
    if !alone.is_empty() {
        return vec![alone];
    }
    let list = value.as_array().into_iter().flatten();
    list.take(POINTS_MAX).map(points).collect()
}

fn series(value: &Value) -> Series {
    let seconds = value.get("s").map(numbers).unwrap_or_default();
    let object = value.as_object().into_iter().flatten();
    let values = object
        .filter(|(name, _)| *name != "s")
        .map(|(name, list)| (name.clone(), numbers(list)))
        .filter(|(_, list)| list.len() == seconds.len());
    Series {
        values: values.collect(),
        seconds,
    }
}

fn points_json(points: &[(f64, f64)]) -> Value {
    points
        .iter()
        .map(|(percentile, value)| json!([rounded(*percentile), rounded(*value)]))
        .collect()
}

fn numbers_json(numbers: &[f64]) -> Value {
    numbers.iter().map(|value| json!(rounded(*value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let row = Row {
            name: "produce-1k".to_owned(),
            title: "t".to_owned(),
            started: "2026-11-28T12:00:00Z".to_owned(),
            same: Some("a".to_owned()),
            runs: vec![Run {
                round: 1,
                contestant: "a".to_owned(),
                figures: BTreeMap::from([("mb_per_s".to_owned(), 123.456)]),
                latency_ms: vec![(0.0, 0.5), (99.0, 4.0)],
                series: Series {
                    seconds: vec![0.5, 1.0],
                    values: BTreeMap::from([("p99_ms".to_owned(), vec![1.0, 2.0])]),
                },
                core_busy: vec![0.5, 1.0],
                turns_ms: vec![vec![(50.0, 0.1)]],
            }],
            ..Row::default()
        };
        assert_eq!(Row::from_json(&row.to_json()), Some(row));
    }

    #[test]
    fn a_file_of_another_kind_is_no_row() {
        for other in [
            json!(null),
            json!([]),
            json!({}),
            json!({"row": 1, "runs": []}),
        ] {
            assert_eq!(Row::from_json(&other), None);
        }
    }

    #[test]
    fn lists_of_another_length_are_left_out() {
        let read = series(&json!({"s": [1, 2], "mb_per_s": [1], "p99_ms": [3, 4]}));
        assert_eq!(read.values.len(), 1);
        let one = cores(&json!([[50, 1], [99, 2]]));
        assert_eq!(one.len(), 1);
        assert_eq!(cores(&json!([[[50, 1]], [[50, 2]]])).len(), 2);
    }
}
