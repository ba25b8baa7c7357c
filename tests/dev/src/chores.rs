//! The chores that call cargo.

use crate::Project;
use crate::command::run;
use crate::{install, instructions};
use std::process::Command;

/// Everything a change must pass: the cheap checks first.
pub fn ci(project: &Project) -> Result<(), String> {
    fmt(project, true)?;
    lint(project)?;
    test(project, &[])
}

/// Installs what the tests need and runs all of them; `arguments` go to `cargo test`. Without any, the
/// instructions of the hot loops are counted, too.
pub fn test(project: &Project, arguments: &[String]) -> Result<(), String> {
    install::install(project, &[])?;
    run(cargo(project)
        .args(["test", "--workspace"])
        .args(arguments)
        .env("KLAMM_CACHE", &project.cache))?;
    if arguments.is_empty() {
        instructions::instructions(project, &[])?;
    }
    Ok(())
}

/// Replays one seed of the simulator, or a range of them.
pub fn sim(project: &Project, arguments: &[String]) -> Result<(), String> {
    let [seeds] = arguments else {
        return Err("say which seed, or which seeds: cargo dev sim 7, cargo dev sim 1-500".into());
    };
    run(cargo(project)
        .args([
            "test",
            "--test",
            "simulation",
            "the_seeds",
            "--",
            "--nocapture",
        ])
        .env("KLAMM_SEED", seeds))
}

/// rustfmt, writing or (`check`) only complaining.
pub fn fmt(project: &Project, check: bool) -> Result<(), String> {
    let mut command = cargo(project);
    command.args(["fmt", "--all"]);
    if check {
        command.arg("--check");
    }
    run(&mut command)
}

/// Clippy over everything that is built, warnings denied.
pub fn lint(project: &Project) -> Result<(), String> {
    run(cargo(project).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

/// The house rules alone.
pub fn tidy(project: &Project) -> Result<(), String> {
    run(cargo(project).args(["test", "--test", "tidy"]))
}

pub fn cargo(project: &Project) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(&project.root);
    command
}
