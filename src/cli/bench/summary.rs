//! What a bench says on standard output: the workloads there are, and a table of what was found.

use super::compare::{Comparison, Verdict};
use super::row::Row;
use super::workload::{ELSEWHERE, WORKLOADS};
use crate::cli::error::CliError;
use crate::cli::output::{Output, OutputFormat};
use crate::cli::page::figure::short;
use serde_json::{Value, json};

/// Longest line of a description.
const LINE_MAX: usize = 96;

/// Says what workloads there are.
pub fn list(output: &mut Output<'_>, format: OutputFormat) -> Result<(), CliError> {
    if format == OutputFormat::Json {
        let workloads = WORKLOADS.iter().map(|workload| {
            json!({
                "name": workload.name,
                "title": workload.title,
                "description": workload.description,
                "shows_not": workload.shows_not,
            })
        });
        return output.line(Value::Array(workloads.collect()));
    }
    for workload in &WORKLOADS {
        output.line(format_args!("{}: {}", workload.name, workload.title))?;
        for line in wrapped(workload.description) {
            output.line(format_args!("    {line}"))?;
        }
    }
    output.line(ELSEWHERE)
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < LINE_MAX => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Prints the comparisons of all rows.
pub fn print(output: &mut Output<'_>, rows: &[Row]) -> Result<(), CliError> {
    for row in rows {
        let same = if row.same.is_some() {
            ", A against itself"
        } else {
            ""
        };
        output.line(format_args!(
            "{}{same} ({} pairs): {}",
            row.name,
            row.rounds(),
            row.title
        ))?;
        for comparison in &row.comparisons {
            // Nobody is better than itself.
            let shown = line(comparison, row.same.is_none());
            output.line(format_args!("  {shown}"))?;
        }
        for remark in &row.remarks {
            output.line(format_args!("  {remark}"))?;
        }
    }
    Ok(())
}

fn line(comparison: &Comparison, judged: bool) -> String {
    let number = |value: Option<f64>| value.map_or("-".to_owned(), short);
    let spread = format!("{} to {}", short(comparison.min), short(comparison.max));
    let subject = &comparison.subject;
    let Some(base) = &comparison.base else {
        let middle = short(comparison.median);
        return format!("{:<36} {middle} ({spread})", comparison.what);
    };
    let verdict = match comparison.verdict(None) {
        Verdict::Subject => format!("{} is better", subject.contestant),
        Verdict::Base => format!("{} is better", base.contestant),
        Verdict::NoDifference => "no difference".to_owned(),
        Verdict::None => String::new(),
    };
    let verdict = if judged { verdict } else { String::new() };
    let line = format!(
        "{:<36} {} {}, {} {}, ratio {} ({spread})  {verdict}",
        comparison.what,
        subject.contestant,
        number(subject.median),
        base.contestant,
        number(base.median),
        short(comparison.median),
    );
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::row::Run;
    use expect_test::expect;

    #[test]
    fn the_table_says_who_is_better() {
        let run = |contestant: &str, value: f64| Run {
            contestant: contestant.to_owned(),
            figures: [("mb_per_s".to_owned(), value)].into(),
            ..Run::default()
        };
        let runs = [run("a", 150.0), run("b", 300.0)];
        let of = |base| Comparison::of(&runs, "throughput, MB/s", ("a", "mb_per_s"), base).unwrap();
        expect!["throughput, MB/s                     a 150, b 300, ratio 0.500 (0.500 to 0.500)  b is better"]
            .assert_eq(&line(&of(Some(("b", "mb_per_s"))), true));
        expect!["throughput, MB/s                     150 (150 to 150)"]
            .assert_eq(&line(&of(None), true));
    }

    #[test]
    fn the_list_has_every_workload() {
        let mut printed = Vec::new();
        list(&mut Output::to(&mut printed), OutputFormat::Text).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        for workload in &WORKLOADS {
            assert!(printed.contains(&format!("{}: ", workload.name)));
        }
        assert!(printed.lines().all(|line| line.len() <= 100));
        assert!(printed.ends_with(&format!("{ELSEWHERE}\n")));
    }
}
