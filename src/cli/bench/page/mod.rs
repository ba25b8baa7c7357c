//! The page of a bench: what was found first, then each row with its charts, its limits, and what
//! it does not show. A loss stands where a win would, and is as large.

mod charts;
mod headline;
mod section;

use super::compare::Comparison;
use super::row::Row;
use crate::cli::error::CliError;
use crate::cli::page::chart::Tone;
use crate::cli::page::frame;
use maud::html;
use std::collections::BTreeMap;

/// What is true of every page of this kind, whatever was measured.
const ALWAYS: [&str; 3] = [
    "Generator and brokers share this machine unless a broker is elsewhere: what one uses the others \
     lack, and loopback bills one side's work to the other. CPU per unit of work says more than a rate.",
    "One node: nothing here shows replication, failover, or a network.",
    "A ratio is taken within each pair of runs and is about this machine in that minute; absolute \
     figures move by more than the ratios do.",
];

/// Everything that a page shows.
#[derive(Debug)]
pub struct Content<'r> {
    rows: Vec<&'r Row>,
    noise: Noise,
}

/// How far a broker was from itself, as a factor, by row and figure.
type Noise = BTreeMap<(String, String), f64>;

impl<'r> Content<'r> {
    fn new(rows: &'r [Row]) -> Content<'r> {
        let (same, rows): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.same.is_some());
        let mut noise = Noise::new();
        for row in &same {
            for comparison in &row.comparisons {
                let key = (row.name.clone(), comparison.subject.figure.clone());
                if let Some(factor) = comparison.noise() {
                    let known = noise.entry(key).or_insert(factor);
                    *known = known.max(factor);
                }
            }
        }
        Content {
            // A page about noise alone is one about the runs against itself.
            rows: if rows.is_empty() { same } else { rows },
            noise,
        }
    }

    fn noise(&self, row: &Row, comparison: &Comparison) -> Option<f64> {
        let key = (row.name.clone(), comparison.subject.figure.clone());
        self.noise.get(&key).copied()
    }
}

/// The page of these rows.
pub fn page(rows: &[Row], title: &str) -> Result<String, CliError> {
    let content = Content::new(rows);
    let mut sections = Vec::new();
    for row in &content.rows {
        sections.push(section::section(&content, row)?);
    }
    let body = html! {
        (headline::headline(&content)?)
        div.limits {
            strong { "What none of this shows" }
            ul { @for line in ALWAYS { li { (line) } } }
        }
        @for section in &sections { (section) }
    };
    Ok(frame::page(title, &lead(&content), &body))
}

fn lead(content: &Content<'_>) -> String {
    let machine = content.rows.iter().find(|row| !row.machine.is_empty());
    let said = |key: &str| machine.and_then(|row| row.machine.get(key)).cloned();
    let mut parts = vec![match content.rows.len() {
        1 => "One row".to_owned(),
        count => format!("{count} rows"),
    }];
    let starts = || {
        let starts = content.rows.iter().map(|row| row.started.as_str());
        starts.filter(|started| !started.is_empty())
    };
    match (starts().min(), starts().max()) {
        (Some(first), Some(last)) if first != last => {
            parts.push(format!("measured from {first} to {last}"));
        }
        (Some(only), _) => parts.push(format!("measured {only}")),
        (None, _) => {}
    }
    if let Some(cpu) = said("cpu") {
        let cores = said("cores").map_or(String::new(), |cores| format!("{cores} cores of "));
        parts.push(format!("{cores}{cpu}"));
    }
    parts.extend(said("kernel").map(|kernel| format!("Linux {kernel}")));
    parts.join(", ") + "."
}

/// Whose a contestant is, among those of its row.
fn tone(contestant: &str) -> Tone {
    let stem = contestant.split('-').next().unwrap_or(contestant);
    match stem {
        "a" | "klamm" | "first" => Tone::First,
        "b" | "kafka" | "second" => Tone::Second,
        _ => Tone::Other,
    }
}

/// A contestant's name as the page writes it: the letters of a bench are capitals.
fn shown(contestant: &str) -> String {
    match contestant {
        "a" | "b" => contestant.to_uppercase(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::row::Run;

    fn row(name: &str, ratio: f64) -> Row {
        let mut runs = Vec::new();
        for (contestant, value) in [("a", 100.0 * ratio), ("b", 100.0)] {
            runs.push(Run {
                contestant: contestant.to_owned(),
                figures: [("mb_per_s".to_owned(), value)].into(),
                ..Run::default()
            });
        }
        let comparison = Comparison::of(&runs, "MB/s", ("a", "mb_per_s"), Some(("b", "mb_per_s")));
        Row {
            name: name.to_owned(),
            title: name.to_owned(),
            comparisons: comparison.into_iter().collect(),
            runs,
            ..Row::default()
        }
    }

    #[test]
    fn losses_stand_beside_wins() {
        let rows = [row("won", 4.0), row("lost", 0.25)];
        let page = page(&rows, "t").unwrap();
        assert!(page.contains("verdict first\">A"), "{page}");
        assert!(page.contains("verdict second\">B"), "{page}");
        // Charts of curves and cores have no data here: they are left out.
        assert!(page.contains("data-chart=\"ratios\""));
        assert!(!page.contains("data-chart=\"latency\""));
        assert!(!page.contains("data-chart=\"cores\""));
    }

    #[test]
    fn a_run_against_itself_is_the_noise_of_its_row() {
        let mut same = row("won", 1.1);
        same.same = Some("a".to_owned());
        let rows = [row("won", 1.05), same];
        let content = Content::new(&rows);
        assert_eq!(content.rows.len(), 1);
        let noise = content.noise(&rows[0], &rows[0].comparisons[0]).unwrap();
        assert!((noise - 1.1).abs() < 1e-9);
        let page = page(&rows, "t").unwrap();
        assert!(page.contains("no difference"), "{page}");
    }

    #[test]
    fn texts_of_files_are_escaped() {
        let hostile = "<img src=x onerror=alert(1)>";
        let mut row = row(hostile, 2.0);
        row.description = hostile.to_owned();
        row.load = hostile.to_owned();
        row.shows_not = vec![hostile.to_owned()];
        row.remarks = vec![hostile.to_owned()];
        for table in [&mut row.machine, &mut row.versions, &mut row.configurations] {
            table.insert(hostile.to_owned(), hostile.to_owned());
        }
        row.comparisons[0].what = hostile.to_owned();
        let page = page(&[row], hostile).unwrap();
        assert!(!page.contains("<img"), "{page}");
    }
}
