//! What was measured: single runs, the comparisons made of them, and the files they are kept in.

use crate::figures::Figures;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One run of one contestant.
#[derive(Clone, Debug)]
pub struct Run {
    /// The pair it belongs to.
    pub round: usize,
    /// Who ran.
    pub contestant: String,
    /// What came out, by name; the unit ends the name.
    pub figures: Figures,
}

/// All of a row.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// In the order in which they ran.
    pub runs: Vec<Run>,
    /// How each contestant was configured.
    pub configurations: BTreeMap<String, String>,
    /// The load, in words or as a command line.
    pub load: String,
}

/// What a row must reach; without a base a goal is about the subject's own figure.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// The median is no more.
    MedianAtMost(f64),
    /// The median is no less.
    MedianAtLeast(f64),
    /// Every single one is more.
    EveryAbove(f64),
    /// Every single one is no more.
    EveryAtMost(f64),
    /// Only told.
    None,
}

/// One line of the table: a figure of one contestant, over that of another in the same pair.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// What is compared, with its unit.
    pub what: &'static str,
    /// Contestant and figure.
    pub subject: (&'static str, &'static str),
    /// Contestant and figure that it is divided by.
    pub base: Option<(&'static str, &'static str)>,
    /// What must be reached.
    pub goal: Goal,
}

/// The two of an A/A run, in place of kafka and klamm.
pub const SAME: [&str; 2] = ["first", "second"];

/// The contestant's name in an A/A run: "kafka-lz4" is then "first-lz4". Probes keep theirs.
pub fn name_of_the_same(contestant: &str) -> String {
    for (system, same) in ["kafka", "klamm"].into_iter().zip(SAME) {
        match contestant.strip_prefix(system) {
            Some(suffix) if suffix.is_empty() || suffix.starts_with('-') => {
                return format!("{same}{suffix}");
            }
            Some(_) | None => {}
        }
    }
    contestant.to_owned()
}

impl Comparison {
    /// What is compared between systems that are not the same, which then has no goal.
    pub fn is_between_systems(&self) -> bool {
        self.base.is_some()
    }

    /// The comparison over all rounds, as it stands in the result file.
    pub fn evaluate(&self, runs: &[Run], is_same: bool) -> Option<Value> {
        let called = |who: &str| match is_same {
            true => name_of_the_same(who),
            false => who.to_owned(),
        };
        let figure = |(who, name): (&str, &str), round: usize| {
            let who = called(who);
            runs.iter()
                .find(|run| run.round == round && run.contestant == who)
                .and_then(|run| run.figures.get(name).copied())
        };
        let rounds = runs.iter().map(|run| run.round + 1).max()?;
        let mut subjects = Vec::new();
        let mut bases = Vec::new();
        let mut ratios = Vec::new();
        for round in 0..rounds {
            let Some(subject) = figure(self.subject, round) else {
                continue;
            };
            match self.base {
                None => ratios.push(subject),
                Some(base) => {
                    // A growth of memory may come out below nothing: there is no ratio to that.
                    let Some(base) = figure(base, round).filter(|base| *base > 0.0) else {
                        continue;
                    };
                    bases.push(base);
                    ratios.push(subject / base);
                }
            }
            subjects.push(subject);
        }
        let (least, most) = (spread(&ratios)?.0, spread(&ratios)?.1);
        let middle = median(&ratios)?;
        let goal = if is_same { Goal::None } else { self.goal };
        let met = match goal {
            Goal::MedianAtMost(goal) => Some(middle <= goal),
            Goal::MedianAtLeast(goal) => Some(middle >= goal),
            Goal::EveryAbove(goal) => Some(least > goal),
            Goal::EveryAtMost(goal) => Some(most <= goal),
            Goal::None => None,
        };
        let goal = match goal {
            Goal::MedianAtMost(goal) => format!("≤ {}", short(goal)),
            Goal::MedianAtLeast(goal) => format!("≥ {}", short(goal)),
            Goal::EveryAbove(goal) => format!("every > {}", short(goal)),
            Goal::EveryAtMost(goal) => format!("every ≤ {}", short(goal)),
            Goal::None => String::new(),
        };
        Some(json!({
            "what": self.what,
            "subject": {"contestant": called(self.subject.0), "figure": self.subject.1, "median": median(&subjects)},
            "base": self.base.map(|base| json!({
                "contestant": called(base.0), "figure": base.1, "median": median(&bases),
            })),
            "rounds": ratios.len(),
            "median": middle,
            "min": least,
            "max": most,
            "goal": goal,
            "met": met,
        }))
    }
}

/// The middle one, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    if sorted.len() % 2 == 1 {
        Some(upper)
    } else {
        Some((sorted[half - 1] + upper) / 2.0)
    }
}

fn spread(values: &[f64]) -> Option<(f64, f64)> {
    let least = values.iter().copied().min_by(f64::total_cmp)?;
    let most = values.iter().copied().max_by(f64::total_cmp)?;
    Some((least, most))
}

/// A number in three significant digits or so.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 100_000.0 {
        format!("{:.0} k", value / 1e3)
    } else if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

impl Measured {
    /// The runs as they go into the file, figures rounded to what they are worth.
    pub fn runs_json(&self) -> Vec<Value> {
        let runs = self.runs.iter();
        runs.map(|run| run.figures.json(run.round, &run.contestant))
            .collect()
    }
}

/// The files of results, oldest first: their names begin with the date.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|error| format!("cannot list {}: {error}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    paths.sort();
    Ok(paths)
}

/// What is in a file.
pub fn read(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string());
    text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()))
        .map_err(|why| format!("cannot read {}: {why}", path.display()))
}

/// Keeps a result, whole or not at all: earlier rounds may be in the file that it takes the place of.
pub fn write(path: &Path, result: &Value) -> Result<(), String> {
    let said = |why: String| format!("cannot write {}: {why}", path.display());
    let text = serde_json::to_string_pretty(result).map_err(|error| said(error.to_string()))?;
    let new = path.with_extension("new");
    fs::write(&new, text + "\n")
        .and_then(|()| fs::rename(&new, path))
        .map_err(|error| said(error.to_string()))
}

/// Whether a result is of this row, and of this system against itself, or of two.
pub fn is_of(result: &Value, row: &str, same: Option<&str>) -> bool {
    result["row"] == row && result["same"].as_str() == same
}

/// The runs of a result, their figures alone.
pub fn runs_of(result: &Value) -> Vec<Run> {
    let runs = result["runs"].as_array().into_iter().flatten();
    runs.filter_map(|run| {
        let figures = run["figures"].as_object()?.iter();
        let figures = figures.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
        Some(Run {
            round: usize::try_from(run["round"].as_u64()?).ok()?,
            contestant: run["contestant"].as_str()?.to_owned(),
            figures: figures.collect(),
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(round: usize, contestant: &str, value: f64) -> Run {
        let figures = Figures::from([("cpu".to_owned(), value)]);
        Run {
            round,
            contestant: contestant.to_owned(),
            figures,
        }
    }

    #[test]
    fn a_ratio_is_taken_within_its_pair() {
        let runs = [
            run(0, "kafka", 10.0),
            run(0, "klamm", 1.0),
            run(1, "klamm", 4.0),
            run(1, "kafka", 20.0),
            run(2, "kafka", 8.0),
            run(2, "klamm", 2.0),
        ];
        let comparison = Comparison {
            what: "CPU",
            subject: ("klamm", "cpu"),
            base: Some(("kafka", "cpu")),
            goal: Goal::MedianAtMost(0.2),
        };
        let found = comparison.evaluate(&runs, false).expect("there are runs");
        assert_eq!(found["median"], 0.2);
        assert_eq!(found["min"], 0.1);
        assert_eq!(found["max"], 0.25);
        assert_eq!(found["met"], true);
        assert_eq!(found["base"]["median"], 10.0);
        let strict = Comparison {
            goal: Goal::EveryAbove(0.1),
            ..comparison
        };
        assert_eq!(
            strict.evaluate(&runs, false).expect("there are runs")["met"],
            false
        );
    }

    #[test]
    fn a_system_against_itself_has_other_names_and_no_goal() {
        assert_eq!(name_of_the_same("kafka-lz4"), "first-lz4");
        assert_eq!(name_of_the_same("klamm"), "second");
        assert_eq!(name_of_the_same("limit"), "limit");
        let comparison = Comparison {
            what: "CPU",
            subject: ("klamm-lz4", "cpu"),
            base: Some(("kafka-lz4", "cpu")),
            goal: Goal::MedianAtMost(0.2),
        };
        let mut runs = vec![run(0, "first-lz4", 2.0), run(0, "second-lz4", 2.0)];
        let found = comparison.evaluate(&runs, true).expect("there are runs");
        assert_eq!(found["subject"]["contestant"], "second-lz4");
        assert_eq!(
            (found["median"].as_f64(), found["met"].is_null()),
            (Some(1.0), true)
        );
        // Nothing is compared with what is below nothing.
        runs[0].figures.insert("cpu".to_owned(), -1.0);
        assert!(comparison.evaluate(&runs, true).is_none());
    }

    #[test]
    fn runs_are_read_as_they_were_written() {
        let measured = Measured {
            runs: vec![run(0, "kafka", 10.0), run(3, "klamm", 1.5)],
            ..Measured::default()
        };
        let read = runs_of(&json!({"runs": measured.runs_json()}));
        let found = read
            .iter()
            .map(|run| (run.round, run.contestant.as_str(), run.figures.of("cpu")));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [(0, "kafka", 10.0), (3, "klamm", 1.5)]
        );
        assert!(runs_of(&json!({"row": "idle"})).is_empty());
    }

    #[test]
    fn without_runs_there_is_no_comparison() {
        let alone = Comparison {
            what: "memory",
            subject: ("klamm", "rss_mb"),
            base: None,
            goal: Goal::None,
        };
        assert!(alone.evaluate(&[], false).is_none());
        assert!(alone.evaluate(&[run(0, "kafka", 1.0)], false).is_none());
    }
}
