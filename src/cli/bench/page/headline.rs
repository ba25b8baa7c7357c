//! What was found, before anything else: every comparison of every row, and the bars of those that
//! have a better and a worse.

use super::{Content, shown, tone};
use crate::cli::bench::compare::{Comparison, Verdict};
use crate::cli::bench::row::Row;
use crate::cli::error::CliError;
use crate::cli::page::chart::{RatioBar, Tone, ratios};
use crate::cli::page::figure::short;
use crate::cli::page::frame;
use maud::{Markup, html};

pub fn headline(content: &Content<'_>) -> Result<Markup, CliError> {
    let mut bars = Vec::new();
    let mut names = None;
    for row in &content.rows {
        for comparison in &row.comparisons {
            let Some((times, times_min, times_max)) = comparison.times_better() else {
                continue;
            };
            if names.is_none() {
                names = comparison.base.as_ref().map(|base| {
                    (
                        shown(&comparison.subject.contestant),
                        shown(&base.contestant),
                    )
                });
            }
            let tone = match comparison.verdict(content.noise(row, comparison)) {
                Verdict::Subject => Tone::First,
                Verdict::Base => Tone::Second,
                Verdict::NoDifference | Verdict::None => Tone::Other,
            };
            bars.push(RatioBar {
                label: format!("{}: {}", row.name, comparison.what),
                times,
                times_min,
                times_max,
                text: format!("{} ×", short(times)),
                tone,
            });
        }
    }
    let (first, second) = names.unwrap_or_else(|| ("A".to_owned(), "B".to_owned()));
    let chart = ratios(&bars, &first, &second)?;
    let legend = [
        (Tone::First, format!("{first} better")),
        (Tone::Second, format!("{second} better")),
        (Tone::Other, "no difference that the pairs show".to_owned()),
    ];
    let caption = "How many times better: to the right of 1 the one, to the left the other. \
                   The line through a bar is the spread of the pairs.";
    Ok(html! {
        section {
            h2 { "What was found" }
            (table(content, &content.rows, true))
            (frame::chart("ratios", caption, &legend, chart))
        }
    })
}

/// The comparisons of rows, as a table.
pub fn table(content: &Content<'_>, rows: &[&Row], with_titles: bool) -> Markup {
    let has_goals = rows
        .iter()
        .flat_map(|row| &row.comparisons)
        .any(|comparison| !comparison.goal.is_empty());
    let has_noise = !content.noise.is_empty();
    let columns = 6 + usize::from(has_goals) + usize::from(has_noise);
    html! {
        table {
            thead {
                tr {
                    th { "figure" }
                    th.number { "its median" }
                    th.number { "the other's" }
                    th.number { "ratio" }
                    th.number { "spread" }
                    @if has_noise { th.number title="how far one was from itself" { "noise" } }
                    th { "verdict" }
                    @if has_goals { th { "goal" } }
                }
            }
            tbody {
                @for row in rows {
                    @if with_titles {
                        tr.group {
                            td colspan=(columns) { a href={ "#" (anchor(row)) } { (row.title) } }
                        }
                    }
                    @for comparison in &row.comparisons {
                        (line(content, row, comparison, has_noise, has_goals))
                    }
                }
            }
        }
    }
}

fn line(
    content: &Content<'_>,
    row: &Row,
    comparison: &Comparison,
    has_noise: bool,
    has_goals: bool,
) -> Markup {
    // What differs from a limit is no noise.
    let noise = content
        .noise(row, comparison)
        .filter(|_| comparison.is_between_brokers());
    let number = |value: Option<f64>| value.map_or("–".to_owned(), short);
    let subject = shown(&comparison.subject.contestant);
    let base = comparison.base.as_ref();
    let ratio = match base {
        Some(_) => short(comparison.median),
        None => "–".to_owned(),
    };
    html! {
        tr {
            td { (comparison.what) }
            td.number {
                (number(comparison.subject.median)) " " span.note { (subject) }
            }
            td.number {
                @match base {
                    Some(base) => {
                        (number(base.median)) " " span.note { (shown(&base.contestant)) }
                    }
                    None => { "–" }
                }
            }
            td.number { (ratio) }
            td.number { (short(comparison.min)) " – " (short(comparison.max)) }
            @if has_noise {
                td.number {
                    @if let Some(noise) = noise { "± " (short(100.0 * (noise - 1.0))) " %" }
                    @else { "–" }
                }
            }
            (verdict(comparison, noise))
            @if has_goals {
                td { (comparison.goal) }
            }
        }
    }
}

fn verdict(comparison: &Comparison, noise: Option<f64>) -> Markup {
    let goal = match comparison.met {
        Some(true) => ", goal met",
        Some(false) => ", goal missed",
        None => "",
    };
    let winner = |contestant: &str| {
        html! {
            td class={ "verdict " (tone(contestant).class()) } { (shown(contestant)) (goal) }
        }
    };
    match (comparison.verdict(noise), &comparison.base) {
        (Verdict::Subject, _) => winner(&comparison.subject.contestant),
        (Verdict::Base, Some(base)) => winner(&base.contestant),
        (Verdict::NoDifference, _) => html! { td.verdict.other { "no difference" (goal) } },
        (Verdict::Base, None) | (Verdict::None, _) => html! {
            td { (goal.trim_start_matches(", ")) }
        },
    }
}

/// The name of a row's section within the page.
pub fn anchor(row: &Row) -> String {
    let word = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    format!("row-{}", row.name.chars().map(word).collect::<String>())
}
