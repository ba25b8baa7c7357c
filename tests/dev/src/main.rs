//! `cargo dev`: every chore of the project behind one command. It has no dependencies of its own,
//! so that it builds in a second on a machine that has nothing yet but Rust.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "cargo dev is no part of the broker: it runs programs and writes files as scripts do"
)]

mod bench;
mod callgrind;
mod chores;
mod command;
mod install;
mod instructions;
mod java;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
cargo dev CHORE [ARGUMENTS]

  ci               what a change must pass: format, clippy, everything of `test`
  test [ARGS]      install what the tests need, then cargo test --workspace ARGS
  install [PART]   only install: kcat, chromium, valgrind, python, node, go, java (all of these without
                   PART); rdkafka, which bench needs
  bench [ARGS]     klamm beside Apache Kafka, measured; --help says more
  instructions [--record]   instructions of the hot loops against perf/instructions.txt, under callgrind
  sim SEEDS        replay seeds of the simulator, as 7 or 100-200; KLAMM_LOG=1 shows the log
  fmt              format the sources
  lint             clippy over everything, warnings denied
  tidy             the house rules alone

What is installed goes to .cache/ in the repository; KLAMM_CACHE moves it.
KLAMM_TEST_BROKER=apache runs the broker tests against Apache Kafka: it tests the tests.
KLAMM_TEST_BOOTSTRAP=HOST:PORT runs the client tests against a broker that is running.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (chore, rest) = match arguments.split_first() {
        Some((chore, rest)) => (chore.as_str(), rest),
        None => ("help", &[][..]),
    };
    let project = Project::here();
    let result = match chore {
        "ci" => chores::ci(&project),
        "test" => chores::test(&project, rest),
        "install" => install::install(&project, rest),
        "bench" => bench::bench(&project, rest),
        "instructions" => instructions::instructions(&project, rest),
        "sim" => chores::sim(&project, rest),
        "fmt" => chores::fmt(&project, false),
        "lint" => chores::lint(&project),
        "tidy" => chores::tidy(&project),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        unknown => Err(format!(
            "there is no chore named {unknown}; `cargo dev help` lists them"
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("cargo dev: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Where the sources are, and where what they need is installed.
pub struct Project {
    /// The repository.
    pub root: PathBuf,
    /// Installed packages: never committed, safe to delete.
    pub cache: PathBuf,
}

impl Project {
    fn here() -> Project {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .expect("this crate lies in tests/dev of the repository")
            .to_path_buf();
        let cache = std::env::var_os("KLAMM_CACHE").map_or(root.join(".cache"), PathBuf::from);
        Project { root, cache }
    }
}
