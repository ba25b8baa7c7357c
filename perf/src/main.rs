//! klamm beside Apache Kafka on this machine: starts both, drives both with the same load, reads
//! what each costs, and writes the result down. `cargo dev bench` builds and runs it.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a load generator is outside the broker: it opens its own files, sockets and clocks"
)]

mod beats;
mod bench;
mod broker;
mod cap;
mod classic;
mod clients;
mod consumer;
mod drivers;
mod echo;
mod fetcher;
mod figures;
mod generator;
mod group_loads;
mod group_wire;
mod heap;
mod held;
mod kernel;
mod latency_loads;
mod links;
mod loads;
mod machine;
mod offsets;
mod orphans;
mod probe;
mod produce_loads;
mod rdkafka;
mod reading_loads;
mod requests;
mod results;
mod rows;
mod scale_loads;
mod sittings;
mod startup;
mod table;
mod turns;
mod wire;

use bench::Bench;
use broker::{CLIENT_JVM, Installation, KAFKA_JVM, System};
use rows::{ROWS, Row};
use serde_json::{Value, json};
use sittings::Former;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

const USAGE: &str = "\
cargo dev bench [OPTIONS]

  --rows A,B      only these rows (all without it)
  --pairs N       rounds of A B B A, 10 without it: fewer are no claim
  --more          the pairs are added to each row's newest result, where klamm and load are the same
  --quick         2 pairs, a tenth of the load: to see that it works
  --same SYSTEM   klamm or kafka against itself: the noise floor
  --no-warm       do not touch the guest's memory first
  --jars DIR      Apache Kafka's jars (.cache/java/tools/jars without it)
  --klamm FILE    the binary (target/release/klamm without it)
  --render        only put the newest results into docs/BENCHMARKS.md

Rows:
";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(held::SLEEPERS) {
        held::sleep_and_tell();
        return ExitCode::SUCCESS;
    }
    let done = Arguments::read(std::env::args().skip(1)).and_then(|arguments| match arguments {
        Some(arguments) => bench(&arguments),
        None => {
            print!("{USAGE}");
            for row in ROWS {
                println!("  {:<19} {}", row.name, row.title);
            }
            Ok(())
        }
    });
    orphans::end_all();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("cargo dev bench: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Rounds that make a row: with fewer nothing is claimed.
const PAIRS: usize = 10;

struct Arguments {
    rows: Vec<Row>,
    pairs: usize,
    more: bool,
    quick: bool,
    same: Option<System>,
    warm: bool,
    render: bool,
    jars: PathBuf,
    klamm: PathBuf,
    rdkafka: PathBuf,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("perf/ lies in the repository")
}

impl Arguments {
    /// Reads the command line; `None` where help is asked for.
    fn read(mut words: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
        let cache = std::env::var_os("KLAMM_CACHE").map_or(root().join(".cache"), PathBuf::from);
        let mut pairs = None;
        let mut arguments = Arguments {
            rows: ROWS.to_vec(),
            pairs: PAIRS,
            more: false,
            quick: false,
            same: None,
            warm: true,
            render: false,
            jars: cache.join("java/tools/jars"),
            klamm: root().join("target/release/klamm"),
            rdkafka: cache.join("rdkafka/rdkafka_performance"),
        };
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .ok_or(format!("{word} needs a value; --help says which"))
            };
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--rows" => arguments.rows = rows_named(&value()?)?,
                "--pairs" => {
                    let count = value()?
                        .parse::<usize>()
                        .ok()
                        .filter(|count| (1..=100).contains(count));
                    pairs = Some(count.ok_or("--pairs wants a number from 1 to 100")?);
                }
                "--more" => arguments.more = true,
                "--quick" => arguments.quick = true,
                "--same" => {
                    arguments.same = Some(match value()?.as_str() {
                        "klamm" => System::Klamm,
                        "kafka" => System::Kafka,
                        other => return Err(format!("--same is klamm or kafka, not {other}")),
                    });
                }
                "--no-warm" => arguments.warm = false,
                "--render" => arguments.render = true,
                "--jars" => arguments.jars = value()?.into(),
                "--klamm" => arguments.klamm = value()?.into(),
                other => return Err(format!("there is no option {other}; --help lists them")),
            }
        }
        if arguments.more && arguments.quick {
            return Err("--more adds to results, and --quick makes none".to_owned());
        }
        arguments.pairs = pairs.unwrap_or(if arguments.quick { 2 } else { PAIRS });
        Ok(Some(arguments))
    }
}

fn rows_named(names: &str) -> Result<Vec<Row>, String> {
    names
        .split(',')
        .map(|name| {
            let found = ROWS.iter().find(|row| row.name == name);
            found
                .copied()
                .ok_or(format!("there is no row {name}; --help lists them"))
        })
        .collect()
}

fn bench(arguments: &Arguments) -> Result<(), String> {
    let perf = root().join("perf");
    let results = perf.join("results");
    let document = root().join("docs/BENCHMARKS.md");
    let readme = root().join("README.md");
    if arguments.render {
        return table::render(&results, &document, &readme, &ROWS);
    }
    machine::raise_open_files();
    let installation = prepare(arguments, &perf)?;
    kernel::prepare();
    if arguments.warm && !arguments.quick {
        println!("warming the guest's memory");
        machine::warm_memory(&installation.work, machine::ALL_MEMORY)?;
    }
    let bench = Bench {
        installation,
        pairs: arguments.pairs,
        quick: arguments.quick,
        same: arguments.same,
        former: None,
    };
    let mut failures = Vec::new();
    for row in &arguments.rows {
        println!("{}: {}", row.name, row.title);
        match measure(&bench, row, &results, arguments.more) {
            Ok(result) => println!("\n{}", table::table(&[&result])),
            // The other rows are worth having even where one fails.
            Err(why) => {
                eprintln!("{}: {why}", row.name);
                keep_outputs(&bench.installation.work, row.name);
                failures.push(row.name);
            }
        }
    }
    if !bench.quick {
        table::render(&results, &document, &readme, &ROWS)?;
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(format!("rows that failed: {}", failures.join(", ")))
    }
}

/// Copies what the brokers of a row that failed have printed to `target/perf/failed/`: the work folder
/// goes with this program.
fn keep_outputs(work: &Path, row: &str) {
    let kept = root().join("target/perf/failed");
    let _ = std::fs::create_dir_all(&kept);
    for node in std::fs::read_dir(work).into_iter().flatten().flatten() {
        let name = node.file_name().to_string_lossy().into_owned();
        let to = kept.join(format!("{row}-{name}"));
        if std::fs::copy(node.path().join("output"), &to).is_ok() {
            eprintln!("  what {name} printed: {}", to.display());
        }
    }
}

/// Folders, jars, and our own Java class compiled against them.
fn prepare(arguments: &Arguments, perf: &Path) -> Result<Installation, String> {
    let target = root().join("target/perf");
    // What a killed run left behind.
    for entry in std::fs::read_dir(&target).into_iter().flatten().flatten() {
        let is_a_run = entry.file_name().to_string_lossy().parse::<u32>().is_ok();
        let alive = Path::new("/proc").join(entry.file_name()).exists();
        if is_a_run && !alive {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let work = target.join(std::process::id().to_string());
    let classes = work.join("classes");
    std::fs::create_dir_all(&classes)
        .map_err(|error| format!("cannot make {}: {error}", classes.display()))?;
    orphans::guard(&work)?;
    if machine::file_system(&work).contains("tmpfs") {
        return Err(format!(
            "{} is on tmpfs: disks are part of the measurement",
            work.display()
        ));
    }
    let only_klamm = arguments.same == Some(System::Klamm);
    if arguments.same != Some(System::Kafka) && !arguments.klamm.is_file() {
        return Err(format!(
            "there is no {}; cargo build --release makes it",
            arguments.klamm.display()
        ));
    }
    if !arguments.jars.is_dir() {
        return Err(format!(
            "Apache Kafka's jars are not in {}; cargo dev install java brings them{}",
            arguments.jars.display(),
            if only_klamm {
                " (its clients are needed too)"
            } else {
                ""
            }
        ));
    }
    let mut javac = Command::new("javac");
    javac
        .arg("-d")
        .arg(&classes)
        .arg("-cp")
        .arg(arguments.jars.join("*"))
        .arg(perf.join("java/AssignConsumer.java"));
    let compiled =
        orphans::output(&mut javac).map_err(|error| format!("cannot run javac: {error}"))?;
    if !compiled.status.success() {
        return Err(format!(
            "javac failed: {}",
            String::from_utf8_lossy(&compiled.stderr)
        ));
    }
    Ok(Installation {
        jars: arguments.jars.clone(),
        classes,
        perf: perf.to_path_buf(),
        klamm: arguments.klamm.clone(),
        rdkafka: arguments.rdkafka.clone(),
        work,
    })
}

/// Measures one row, writes its file, and gives what is in it.
fn measure(bench: &Bench, row: &Row, results: &Path, more: bool) -> Result<Value, String> {
    let head = head(bench, row);
    let mut bench = bench.clone();
    if more {
        let former = Former::newest(results, row.name, bench.same.map(System::name))?;
        former.must_be_like(&head)?;
        bench.former = Some(former);
    }
    let measured = row.run(&bench)?;
    let mut result = match &bench.former {
        Some(former) => former.with(&head, &measured),
        None => sittings::first(&head, &measured),
    };
    let runs = results::runs_of(&result);
    result["comparisons"] = json!(row.evaluate(&runs, bench.same.is_some()));
    // The words are those of today, also where rounds are added to an older file.
    result["title"] = json!(row.title);
    result["description"] = json!(row.description);
    result["shows_not"] = json!(row.shows_not);
    // A trial is looked at, not kept.
    if !bench.quick {
        let path = match bench.former {
            Some(former) => former.path,
            None => results.join(file_name(&head)),
        };
        results::write(&path, &result)?;
        println!("  {}", path.display());
    }
    Ok(result)
}

/// What of a result is known before anything is measured.
fn head(bench: &Bench, row: &Row) -> Value {
    let started = utc_now();
    json!({
        "row": row.name,
        "title": row.title,
        "date": &started[..10],
        "started": started,
        "quick": bench.quick,
        "same": bench.same.map(System::name),
        "machine": machine::describe(&bench.installation.work),
        "versions": versions(bench),
        "jvm": {"broker": KAFKA_JVM.join(" "), "client": CLIENT_JVM.join(" ")},
    })
}

/// "2026-11-22-0450-idle.json"
fn file_name(head: &Value) -> String {
    let text = |name: &str| head[name].as_str().unwrap_or_default();
    let time = text("started").replace(':', "").replace('T', "-");
    let same = head["same"].as_str();
    let same = same.map_or(String::new(), |system| format!("-same-{system}"));
    format!("{}-{}{same}.json", &time[..15], text("row"))
}

fn versions(bench: &Bench) -> Value {
    let installation = &bench.installation;
    let klamm = installation.klamm.display().to_string();
    let kafka = std::fs::read_dir(&installation.jars)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| name.starts_with("kafka-clients-"));
    json!({
        "klamm": machine::first_line(&klamm, &["--version"], root()),
        "program": program(&installation.klamm),
        "commit": machine::first_line("git", &["describe", "--always", "--dirty"], root()),
        "kafka": kafka,
        "java": machine::first_line("java", &["-version"], root()),
        "rustc": machine::first_line("rustc", &["--version"], root()),
    })
}

/// What tells a binary from another one; empty where there is none.
fn program(path: &Path) -> String {
    std::fs::read(path).map_or(String::new(), |bytes| {
        let checksum = crc32c::crc32c(&bytes);
        format!("crc32c {checksum:08x} of {} bytes", bytes.len())
    })
}

/// "2026-11-22T04:50:07Z"
fn utc_now() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's civil_from_days, for days since 1970 that are never negative.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Arguments>, String> {
        Arguments::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn more_pairs_are_as_many_as_without() {
        let arguments = read("--more --rows idle").expect("known options");
        let arguments = arguments.expect("no help");
        assert!(arguments.more);
        assert_eq!((arguments.pairs, arguments.rows.len()), (PAIRS, 1));
        assert!(read("--more --quick").is_err());
    }

    #[test]
    fn a_file_is_named_by_when_it_began() {
        let mut head = json!({"row": "idle", "started": "2026-11-22T04:50:07Z", "same": null});
        assert_eq!(file_name(&head), "2026-11-22-0450-idle.json");
        head["same"] = json!("klamm");
        assert_eq!(file_name(&head), "2026-11-22-0450-idle-same-klamm.json");
    }
}
