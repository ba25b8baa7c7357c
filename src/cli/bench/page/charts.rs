//! The charts of a row, as far as its runs have what they show.

use super::{shown, tone};
use crate::cli::bench::row::{Row, Run};
use crate::cli::error::CliError;
use crate::cli::page::chart::{self, Bar, Curve, Tone};
use crate::cli::page::figure::median;
use crate::cli::page::frame;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// Most cores that are shown one by one.
const CORES_MAX: usize = 16;

/// Figures of CPU, the first that a row has is drawn.
const CPU: [(&str, &str, &str); 5] = [
    (
        "broker_cpu_s_per_gb",
        "CPU seconds per GB",
        "Broker CPU per GB of records",
    ),
    (
        "broker_cpu_us_per_request",
        "CPU microseconds per request",
        "Broker CPU per request",
    ),
    (
        "broker_cpu_us_per_record",
        "CPU microseconds per record",
        "Broker CPU per record",
    ),
    ("cpu_percent", "percent of one core", "Broker CPU"),
    ("broker_cpu_s", "CPU seconds", "Broker CPU"),
];

/// Whose runs are drawn: not those of limits.
fn brokers(row: &Row) -> Vec<&str> {
    let all = row.contestants();
    let (brokers, rest): (Vec<&str>, Vec<&str>) =
        all.into_iter().partition(|who| tone(who) != Tone::Other);
    if brokers.is_empty() { rest } else { brokers }
}

fn legend(contestants: &[&str]) -> Vec<(Tone, String)> {
    contestants
        .iter()
        .map(|who| (tone(who), shown(who)))
        .collect()
}

/// Latency by percentile: each run thin, the median of them bold.
pub fn latency(row: &Row) -> Result<Markup, CliError> {
    let brokers = brokers(row);
    let mut curves = Vec::new();
    for who in &brokers {
        let runs: Vec<&[(f64, f64)]> = row
            .runs_of(who)
            .map(|run| run.latency_ms.as_slice())
            .filter(|points| !points.is_empty())
            .collect();
        if runs.len() > 1 {
            curves.extend(runs.iter().map(|points| Curve {
                tone: tone(who),
                is_bold: false,
                points: points.to_vec(),
            }));
        }
        curves.push(Curve {
            tone: tone(who),
            is_bold: true,
            points: middle(&runs),
        });
    }
    let svg = chart::by_percentile(&curves, "records", "latency, ms")?;
    let caption = "Latency by percentile: bold the median of the runs, thin each run";
    Ok(frame::chart("latency", caption, &legend(&brokers), svg))
}

/// The pointwise median of curves, where all of them have the percentile.
fn middle(runs: &[&[(f64, f64)]]) -> Vec<(f64, f64)> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    first
        .iter()
        .filter_map(|(percentile, _)| {
            let values: Option<Vec<f64>> = runs
                .iter()
                .map(|run| {
                    let found = run.iter().find(|point| point.0 == *percentile);
                    found.map(|point| point.1)
                })
                .collect();
            Some((*percentile, median(&values?)?))
        })
        .collect()
}

/// Throughput and p99 over time.
pub fn over_time(row: &Row) -> Result<Markup, CliError> {
    let rate = [
        ("mb_per_s", "MB/s", "Throughput over time"),
        ("requests_per_s", "requests/s", "Requests over time"),
        ("records_per_s", "records/s", "Records over time"),
    ]
    .into_iter()
    .find(|(name, _, _)| {
        let mut runs = row.runs.iter();
        runs.any(|run| run.series.values.contains_key(*name))
    });
    let brokers = brokers(row);
    let mut drawn = Vec::new();
    let rate = rate.map(|(name, unit, caption)| ("throughput", name, unit, caption));
    let p99 = Some(("p99", "p99_ms", "p99, ms", "99th percentile over time"));
    for (kind, name, unit, caption) in [rate, p99].into_iter().flatten() {
        let mut curves = Vec::new();
        for who in &brokers {
            let runs: Vec<&Run> = row
                .runs_of(who)
                .filter(|run| run.series.values.contains_key(name))
                .collect();
            let bold = middle_run(&runs, name);
            for (index, run) in runs.iter().enumerate() {
                let seconds = run.series.seconds.iter().copied();
                let values = run.series.values[name].iter().copied();
                curves.push(Curve {
                    tone: tone(who),
                    is_bold: bold == Some(index),
                    points: seconds.zip(values).collect(),
                });
            }
        }
        let svg = chart::over_time(&curves, unit)?;
        let caption = format!("{caption}: bold the run in the middle, thin the others");
        drawn.push(frame::chart(kind, &caption, &legend(&brokers), svg));
    }
    Ok(html! { @for chart in &drawn { (chart) } })
}

/// Of several runs the one whose mean is the middle one.
fn middle_run(runs: &[&Run], name: &str) -> Option<usize> {
    let mut means: Vec<(f64, usize)> = runs
        .iter()
        .enumerate()
        .map(|(index, run)| {
            let values = &run.series.values[name];
            (values.iter().sum::<f64>(), index)
        })
        .collect();
    means.sort_by(|left, right| left.0.total_cmp(&right.0));
    means.get(means.len() / 2).map(|(_, index)| *index)
}

/// CPU of the brokers.
pub fn cpu(row: &Row) -> Result<Markup, CliError> {
    let brokers = brokers(row);
    for (figure, unit, caption) in CPU {
        let bars: Vec<Bar> = brokers
            .iter()
            .map(|who| Bar {
                label: shown(who),
                tone: tone(who),
                values: row.values(who, figure),
            })
            .collect();
        if let Some(svg) = chart::bars(&bars, unit)? {
            let caption = format!("{caption}: the bar is the median, a dot each run");
            return Ok(frame::chart("cpu", &caption, &[], Some(svg)));
        }
    }
    Ok(html! {})
}

/// How busy each core of the machine was.
pub fn cores(row: &Row) -> Result<Markup, CliError> {
    let mut bars = Vec::new();
    let brokers = brokers(row);
    for who in &brokers {
        let cores = row.runs_of(who).map(|run| run.core_busy.len()).max();
        for core in 0..cores.unwrap_or(0).min(CORES_MAX) {
            let busy = row
                .runs_of(who)
                .filter_map(|run| run.core_busy.get(core).copied());
            bars.push(Bar {
                label: format!("{}, core {core}", shown(who)),
                tone: tone(who),
                values: busy.map(|busy| 100.0 * busy).collect(),
            });
        }
    }
    let svg = chart::bars(&bars, "percent of the core that was busy")?;
    let caption = "How busy each core of this machine was, by everything that ran on it";
    Ok(frame::chart("cores", caption, &[], svg))
}

/// How long a core of the broker was away at once.
pub fn turns(row: &Row) -> Result<Markup, CliError> {
    let mut curves = Vec::new();
    let mut drawn = BTreeSet::new();
    for run in &row.runs {
        for points in &run.turns_ms {
            drawn.insert(run.contestant.as_str());
            curves.push(Curve {
                tone: tone(&run.contestant),
                is_bold: false,
                points: points.clone(),
            });
        }
    }
    let svg = chart::by_percentile(&curves, "turns", "at once, ms")?;
    let drawn: Vec<&str> = drawn.into_iter().collect();
    let caption = "How long a core was away at once: klamm's turns, Kafka's stalls";
    Ok(frame::chart("turns", caption, &legend(&drawn), svg))
}
