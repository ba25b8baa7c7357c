//! The page of one run of a measuring tool: its summary, the latency curve, throughput and p99 over
//! time, what it was told, and the machine that it ran on.

use super::tally::Tally;
use super::timeline::Timeline;
use crate::cli::bench::machine;
use crate::cli::error::CliError;
use crate::cli::page::chart::{self, Curve, Tone};
use crate::cli::page::frame;
use crate::cli::page::{check_writable, write};
use crate::cli::tune::machine::Tree;
use crate::runtime::disk::Disk;
use maud::{Markup, html};
use std::path::{Path, PathBuf};

/// A page that was asked for.
#[derive(Debug)]
pub struct PageFile {
    path: PathBuf,
    title: String,
    settings: Vec<(String, String)>,
    timeline: Timeline,
}

/// What a page shows of a run that has ended.
#[derive(Clone, Debug)]
pub struct Ending<'a> {
    /// What the tool printed at the end, or would have.
    pub summary: Vec<String>,
    /// What else is to be known: a rate that was not kept, records that were lost.
    pub remarks: Vec<String>,
    /// Latencies and what they count from; none for a tool that has none.
    pub latencies: Vec<(&'static str, &'a Tally)>,
}

impl PageFile {
    /// A page at that path, if it can be written there: found out before the run, not after it.
    pub fn new(
        path: Option<&Path>,
        title: String,
        settings: Vec<(String, String)>,
    ) -> Result<Option<PageFile>, CliError> {
        let Some(path) = path else {
            return Ok(None);
        };
        check_writable(&Disk::Native, path)?;
        Ok(Some(PageFile {
            path: path.to_path_buf(),
            title,
            settings,
            timeline: Timeline::default(),
        }))
    }

    /// What was acknowledged over time.
    pub fn timeline(&mut self) -> &mut Timeline {
        &mut self.timeline
    }

    /// Writes it.
    pub fn write(&self, ending: &Ending<'_>) -> Result<(), CliError> {
        let disk = Disk::Native;
        let tree = Tree {
            disk: &disk,
            root: Path::new("/"),
        };
        let machine: Vec<(String, String)> = machine::describe(tree).into_iter().collect();
        let body = body(self, ending, &machine)?;
        let lead = machine
            .iter()
            .find(|(name, _)| name == "kernel")
            .map_or(String::new(), |(_, kernel)| format!("Linux {kernel}. "));
        let lead = format!(
            "{lead}The generator is klamm {}.",
            env!("CARGO_PKG_VERSION")
        );
        write(&disk, &self.path, &frame::page(&self.title, &lead, &body))
    }
}

fn body(
    page: &PageFile,
    ending: &Ending<'_>,
    machine: &[(String, String)],
) -> Result<Markup, CliError> {
    let timeline = &page.timeline;
    let tones = [Tone::First, Tone::Second];
    let curves: Vec<Curve> = ending
        .latencies
        .iter()
        .zip(tones)
        .map(|((_, tally), tone)| bold(tone, tally.curve()))
        .collect();
    let legend: Vec<(Tone, String)> = match ending.latencies.as_slice() {
        [] | [_] => Vec::new(),
        several => several
            .iter()
            .zip(tones)
            .map(|((name, _), tone)| (tone, (*name).to_owned()))
            .collect(),
    };
    let latency = chart::by_percentile(&curves, "records", "latency, ms")?;
    let throughput = chart::over_time(&[bold(Tone::First, timeline.megabytes())], "MB/s")?;
    let records = chart::over_time(&[bold(Tone::First, timeline.records())], "records/s")?;
    let p99 = bold(Tone::First, timeline.quantile_ms(0.99));
    let p50 = bold(Tone::Second, timeline.quantile_ms(0.5));
    let p99 = if ending.latencies.is_empty() {
        None
    } else {
        chart::over_time(&[p99, p50], "ms")?
    };
    let both = [
        (Tone::First, "99th percentile".to_owned()),
        (Tone::Second, "median".to_owned()),
    ];
    let since = ending.latencies.last().map_or("", |(name, _)| name);
    Ok(html! {
        section {
            h2 { "What was found" }
            @for line in &ending.summary { pre { (line) } }
            @for line in &ending.remarks { p.note { (line) } }
            (frame::chart("latency", "Latency by percentile", &legend, latency))
            (frame::chart("throughput", "Throughput over time", &[], throughput))
            (frame::chart("records", "Records over time", &[], records))
            (frame::chart("p99", &format!("Latency over time, {since}"), &both, p99))
        }
        section {
            h2 { "Settings" }
            (frame::facts(&page.settings))
        }
        section {
            h2 { "Machine" }
            (frame::facts(machine))
        }
    })
}

fn bold(tone: Tone, points: Vec<(f64, f64)>) -> Curve {
    Curve {
        tone,
        is_bold: true,
        points,
    }
}
