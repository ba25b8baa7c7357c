//! `cargo dev bench`: klamm beside Apache Kafka on this machine. It builds the broker and the
//! harness, which lives in `perf/`, as they are measured: in release mode.

use crate::Project;
use crate::command::run;
use crate::install;
use std::process::Command;

/// Builds and runs the harness; `arguments` go to it, and `--help` says which there are.
pub fn bench(project: &Project, arguments: &[String]) -> Result<(), String> {
    let asks = |words: &[&str]| arguments.iter().any(|word| words.contains(&word.as_str()));
    let only_reads = asks(&["--help", "-h", "--render"]);
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    build.current_dir(&project.root).args([
        "build",
        "--quiet",
        "--release",
        "--package",
        "klamm-perf",
    ]);
    if !only_reads {
        install::install(project, &["java".to_owned(), "rdkafka".to_owned()])?;
    }
    // Even where another klamm is measured, this one draws the page.
    if !asks(&["--help", "-h"]) {
        build.args(["--package", "klamm"]);
    }
    run(&mut build)?;
    let measured = run(Command::new(project.root.join("target/release/klamm-perf"))
        .args(arguments)
        .current_dir(&project.root)
        .env("KLAMM_CACHE", &project.cache));
    // Rows that were measured are worth a page even where one failed.
    if !asks(&["--help", "-h", "--quick"]) {
        page(project)?;
    }
    measured
}

/// The page of all results that are kept.
fn page(project: &Project) -> Result<(), String> {
    run(Command::new(project.root.join("target/release/klamm"))
        .args(["bench", "--render", "perf/results"])
        .args(["--report", "target/bench-report.html"])
        .current_dir(&project.root))?;
    println!("target/bench-report.html");
    Ok(())
}
