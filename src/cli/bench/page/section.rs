//! One row of the page: what it does, its table, its charts, what limits it, how both sides were
//! configured, and what it does not show.

use super::headline::{anchor, table};
use super::{Content, charts, shown};
use crate::cli::bench::compare::{PAIRS_FOR_A_CLAIM, is_enough};
use crate::cli::bench::row::Row;
use crate::cli::error::CliError;
use crate::cli::page::figure::{median, short, spread};
use crate::cli::page::frame;
use maud::{Markup, html};
use std::collections::BTreeSet;

pub fn section(content: &Content<'_>, row: &Row) -> Result<Markup, CliError> {
    let machine: Vec<(String, String)> = pairs(row.machine.iter().chain(&row.versions));
    let rounds = row.rounds();
    Ok(html! {
        section id=(anchor(row)) {
            h2 { (row.title) }
            @if !row.description.is_empty() { p.lead { (row.description) } }
            @for remark in &row.remarks { p.note { (remark) } }
            @if !is_enough(rounds) {
                p.note {
                    (rounds) " pairs: enough to look at, too few for a claim, which takes "
                    (PAIRS_FOR_A_CLAIM) "."
                }
            }
            (table(content, &[row], false))
            (charts::latency(row)?)
            (charts::over_time(row)?)
            (charts::cpu(row)?)
            (charts::cores(row)?)
            (charts::turns(row)?)
            (limits(row))
            (figures(row))
            @if !row.load.is_empty() { h3 { "Load" } pre { (row.load) } }
            @if !machine.is_empty() { h3 { "Machine and versions" } (frame::facts(&machine)) }
            @if !row.configurations.is_empty() {
                h3 { "Configurations" }
                @for (name, text) in &row.configurations {
                    p.note { (shown(name)) }
                    pre { (text.trim_end()) }
                }
            }
            @if !row.shows_not.is_empty() {
                div.limits {
                    strong { "What this does not show" }
                    ul { @for line in &row.shows_not { li { (line) } } }
                }
            }
        }
    })
}

fn pairs<'t>(table: impl Iterator<Item = (&'t String, &'t String)>) -> Vec<(String, String)> {
    table
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What the machine itself gave in the minutes of the row.
fn limits(row: &Row) -> Markup {
    let names: BTreeSet<&String> = row
        .runs_of("limit")
        .flat_map(|run| run.figures.keys())
        .collect();
    html! {
        @if !names.is_empty() {
            h3 { "What this machine gave in the same minutes" }
            table {
                tbody {
                    @for name in names {
                        tr {
                            td { (name) }
                            (median_and_spread(&row.values("limit", name)))
                        }
                    }
                }
            }
        }
    }
}

/// Every figure of every contestant: what was not picked for a comparison can be looked up.
fn figures(row: &Row) -> Markup {
    let contestants: Vec<&str> = row
        .contestants()
        .into_iter()
        .filter(|contestant| *contestant != "limit")
        .collect();
    let names: BTreeSet<&String> = row
        .runs
        .iter()
        .filter(|run| run.contestant != "limit")
        .flat_map(|run| run.figures.keys())
        .collect();
    html! {
        @if !names.is_empty() {
            details {
                summary { "All figures: medians and spread" }
                table {
                    thead {
                        tr {
                            th { "figure" }
                            @for contestant in &contestants {
                                th.number { (shown(contestant)) }
                                th.number { "spread" }
                            }
                        }
                    }
                    tbody {
                        @for name in names {
                            tr {
                                td { (name) }
                                @for contestant in &contestants {
                                    (median_and_spread(&row.values(contestant, name)))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn median_and_spread(values: &[f64]) -> Markup {
    html! {
        @match (median(values), spread(values)) {
            (Some(middle), Some((least, most))) => {
                td.number { (short(middle)) }
                td.number { (short(least)) " – " (short(most)) }
            }
            _ => { td.number { "–" } td.number { "–" } }
        }
    }
}
