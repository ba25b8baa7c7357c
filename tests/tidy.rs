//! The house rules, held by tests: which room may import from which, what only the runtime may
//! name, how a file opens and how long it may be, words that say nothing, files nobody reaches.
//! Sources are read as text, without their comments: a rule that needs a parser is not simple.
use klamm::config::setting::Class;
use klamm::config::topic::broker_synonyms;
use klamm::config::{Configuration, rows};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, bottom up: a room imports from those above it in this list.
const ROOMS: [&str; 19] = [
    "base",
    "runtime",
    "config",
    "protocol",
    "record",
    "log",
    "raft",
    "metadata",
    "security",
    "partition",
    "controller",
    "coordinator",
    "connection",
    "handler",
    "shard",
    "sim",
    "client",
    "console",
    "cli",
];

/// Rooms that see less than all below them.
const NARROW_ROOMS: [(&str, &[&str]); 1] = [("client", &["base", "runtime", "protocol", "record"])];

/// What only `src/runtime/` may name.
const SEAM: [&str; 12] = [
    "glommio",
    "io_uring::",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::os::fd",
    "Instant::now",
    "SystemTime::now",
    "thread::spawn",
    "unsafe {",
    "unsafe fn",
    "unsafe impl",
];

/// Words that say nothing, or that something is not done.
const BANNED: [&str; 7] = [
    "utils",
    "helpers",
    "Manager",
    "TODO",
    "FIXME",
    "todo!(",
    "unimplemented!(",
];

const LINES_MAX: usize = 800;

/// A source file, its path relative to the repository.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The lines that are code, numbered from 1: comments are left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(number, line)| (number, line.split(" // ").next().unwrap_or(line)))
    }

    /// The room under `src/` that the file is in; none for `lib.rs` and `main.rs`.
    fn room(&self) -> Option<&str> {
        let mut parts = self.path.iter();
        let top = parts.next()?;
        let room = parts.next()?.to_str()?;
        (top == "src" && !room.ends_with("lib.rs") && room != "main.rs")
            .then(|| room.trim_end_matches(".rs"))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under the folders named.
fn sources(folders: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut found);
    }
    assert!(!found.is_empty(), "no sources in {folders:?}");
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source file is UTF-8");
            let path = path
                .strip_prefix(root())
                .expect("under the repository")
                .to_path_buf();
            found.push(Source { path, text });
        }
    }
}

fn everything() -> Vec<Source> {
    sources(&["src", "tests", "benches", "perf"])
}

/// Panics with all complaints at once: one run tells everything that is to be mended.
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Complains of each line of code for which `wrong` gives a reason.
fn complain_of_lines<'a>(
    sources: impl IntoIterator<Item = &'a Source>,
    wrong: impl Fn(&Source, &str) -> Option<String>,
) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (number, line) in source.code() {
            if let Some(reason) = wrong(source, line) {
                complaints.push(format!("{}:{number}: {reason}", source.path.display()));
            }
        }
    }
    complaints
}

/// The rooms that a line of code names by `crate::ROOM`, nested braces included.
fn rooms_named(line: &str) -> Vec<&'static str> {
    let mut named = Vec::new();
    for rest in line.split("crate::").skip(1) {
        let words = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or(list),
            None => rest,
        };
        let firsts = if rest.starts_with('{') {
            words.split(", ").collect()
        } else {
            vec![words]
        };
        for first in firsts {
            let end = first
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(first.len());
            named.extend(ROOMS.iter().filter(|room| **room == &first[..end]));
        }
    }
    named
}

#[test]
fn a_room_imports_only_from_rooms_below_it() {
    let place = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut complaints = Vec::new();
    let sources = sources(&["src"]);
    for source in &sources {
        if let Some(room) = source.room()
            && place(room).is_none()
        {
            complaints.push(format!("{}: no room of ROOMS", source.path.display()));
        }
    }
    complaints.extend(complain_of_lines(&sources, |source, line| {
        let room = source.room()?;
        let narrow = NARROW_ROOMS.iter().find(|(narrow, _)| *narrow == room);
        rooms_named(line).into_iter().find_map(|named| {
            let is_allowed = named == room
                || match narrow {
                    Some((_, seen)) => seen.contains(&named),
                    None => place(named) < place(room),
                };
            (!is_allowed).then(|| format!("{room} may not import from {named}"))
        })
    }));
    none(&complaints);
}

#[test]
fn only_the_runtime_names_the_world() {
    let sources = sources(&["src"]);
    let outside = sources
        .iter()
        .filter(|source| source.room() != Some("runtime"));
    none(&complain_of_lines(outside, |_, line| {
        let named = SEAM.iter().find(|word| line.contains(**word))?;
        Some(format!("`{named}` belongs behind the seam, in src/runtime"))
    }));
}

#[test]
fn a_file_opens_with_what_it_is() {
    let complaints: Vec<String> = everything()
        .iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| format!("{}: does not open with `//! `", source.path.display()))
        .collect();
    none(&complaints);
}

#[test]
fn a_file_is_at_most_800_lines_long() {
    let complaints: Vec<String> = everything()
        .iter()
        .map(|source| (source, source.text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(source, lines)| format!("{}: {lines} lines, split it", source.path.display()))
        .collect();
    none(&complaints);
}

#[test]
fn no_banned_word_is_used() {
    let sources = everything();
    let others = sources
        .iter()
        .filter(|source| !source.path.ends_with("tidy.rs"));
    none(&complain_of_lines(others, |_, line| {
        let word = BANNED.iter().find(|word| line.contains(**word))?;
        // The names of Apache's classes are settings' values, not ours.
        if line.contains("\"org.apache.kafka.") {
            return None;
        }
        Some(format!("`{word}`"))
    }));
}

#[test]
fn an_ignored_test_says_why() {
    let sources = everything();
    let others = sources
        .iter()
        .filter(|source| !source.path.ends_with("tidy.rs"));
    none(&complain_of_lines(others, |_, line| {
        line.contains("#[ignore]")
            .then(|| "#[ignore] without a reason".to_owned())
    }));
}

/// Tests wait with a deadline, in `tests/broker/deadline.rs`; they assert nothing about time.
#[test]
fn no_test_asserts_on_the_clock() {
    let sources = sources(&["tests"]);
    let others = sources.iter().filter(|source| {
        let is_the_deadline = source.path.ends_with("broker/deadline.rs");
        !is_the_deadline && !source.path.ends_with("tidy.rs")
    });
    none(&complain_of_lines(others, |_, line| {
        let clock = ["Instant::now", "SystemTime::now", ".elapsed()"];
        let named = clock.iter().find(|word| line.contains(**word))?;
        Some(format!("`{named}`: wait with deadline::wait_for"))
    }));
}

/// Each file under `src/` is declared by a `mod` line of the file above it.
#[test]
fn no_file_is_dead() {
    let sources = sources(&["src"]);
    let mut reached: BTreeSet<PathBuf> = ["src/lib.rs", "src/main.rs"].map(PathBuf::from).into();
    loop {
        let before = reached.len();
        for source in &sources {
            if reached.contains(&source.path) {
                reached.extend(declared(source));
            }
        }
        if reached.len() == before {
            break;
        }
    }
    let complaints: Vec<String> = sources
        .iter()
        .filter(|source| !reached.contains(&source.path))
        .map(|source| format!("{}: no `mod` line leads here", source.path.display()))
        .collect();
    none(&complaints);
}

/// The files that the `mod` lines of a source can mean.
fn declared(source: &Source) -> Vec<PathBuf> {
    let stem = source.path.file_stem().unwrap_or_default();
    let folder = source.path.parent().expect("a source lies in a folder");
    let is_root = ["mod", "lib", "main"].iter().any(|root| stem == *root);
    let below = if is_root {
        folder.to_path_buf()
    } else {
        folder.join(stem)
    };
    let mut files = Vec::new();
    let mut path_attribute = None;
    for (_, line) in source.code() {
        let line = line.trim();
        if let Some(path) = line.strip_prefix("#[path = \"") {
            path_attribute = path.strip_suffix("\"]").map(|path| folder.join(path));
            continue;
        }
        let words = line
            .strip_prefix("pub ")
            .or(line.strip_prefix("pub(crate) "))
            .unwrap_or(line);
        let words = words.strip_prefix("pub(super) ").unwrap_or(words);
        let Some(name) = words
            .strip_prefix("mod ")
            .and_then(|rest| rest.strip_suffix(';'))
        else {
            continue;
        };
        files.extend(path_attribute.take());
        files.push(below.join(format!("{name}.rs")));
        files.push(below.join(name).join("mod.rs"));
    }
    files
}

/// The code of the sources that `wanted` picks, without what their tests at the end do.
fn code_where(sources: &[Source], wanted: impl Fn(&str) -> bool) -> String {
    let mut all = String::new();
    for source in sources {
        let path = source.path.to_string_lossy();
        if path.ends_with("tests.rs") || path.contains("/tests/") || !wanted(&path) {
            continue;
        }
        let code = source.code().map(|(_, line)| line);
        for line in code.take_while(|line| line.trim() != "mod tests {") {
            all.push_str(line);
            all.push('\n');
        }
    }
    all
}

/// A setting that is called implemented is read by somebody, one without effect by nobody.
#[test]
fn a_setting_has_the_effect_that_its_row_says() {
    let sources = sources(&["src"]);
    let served = code_where(&sources, |path| {
        let is_a_clients = path.starts_with("src/client") || path.starts_with("src/cli");
        !path.starts_with("src/config") && (!is_a_clients || path == "src/cli/start.rs")
    });
    let checked = code_where(&sources, |path| {
        path == "src/config/broker.rs" || path == "src/config/checks.rs"
    });
    let fields = code_where(&sources, |path| path == "src/config/topic.rs");
    let calls = |method: &str| served.contains(&format!(".{method}()"));
    let names = |code: &str, key: &str| code.contains(&format!("\"{key}\""));
    let field = |key: &str| key.replace('.', "_");
    let reads_field = |key: &str| {
        let field = format!(".{}", field(key));
        served.match_indices(&field).any(|(at, _)| {
            let next = served[at + field.len()..].chars().next();
            !next.is_some_and(|next| next.is_alphanumeric() || next == '_' || next == '(')
        })
    };
    let mut complaints = Vec::new();
    for (method, key) in Configuration::ACCESSORS {
        if !calls(method) {
            complaints.push(format!("{key}: nobody calls {method}()"));
        }
    }
    let topic_settings = || {
        let hidden = rows::topic::TOPIC_INTERNAL;
        rows::topic_settings().iter().chain(hidden)
    };
    for setting in topic_settings() {
        let key = setting.name;
        let is_read = match setting.class {
            Class::Implemented => reads_field(key) || names(&served, key),
            Class::WithoutEffect(_) => !fields.contains(&format!("pub {}:", field(key))),
            Class::Refused(_) => true,
        };
        if !is_read {
            complaints.push(format!("topic's {key}: its row says {:?}", setting.class));
        }
    }
    for setting in rows::all_broker_settings() {
        let key = setting.name;
        let has_accessor = Configuration::ACCESSORS.iter().any(|(_, of)| *of == key);
        let mut inherited = topic_settings().filter(|topic| {
            let is_its_default = |(name, _): &(&str, i64)| *name == key;
            topic.class == Class::Implemented
                && broker_synonyms(topic.name).iter().any(is_its_default)
        });
        let is_read = has_accessor || inherited.next().is_some();
        let is_true = match setting.class {
            Class::Implemented => is_read || names(&served, key) || names(&checked, key),
            Class::WithoutEffect(_) => !is_read,
            Class::Refused(_) => true,
        };
        if !is_true {
            complaints.push(format!("{key}: its row says {:?}", setting.class));
        }
    }
    none(&complaints);
}

/// What nobody names nobody needs.
#[test]
fn a_dependency_is_named() {
    let mut complaints = Vec::new();
    for (package, folders) in [
        ("Cargo.toml", &["src", "tests", "benches"][..]),
        ("perf/Cargo.toml", &["perf"]),
    ] {
        let manifest = fs::read_to_string(root().join(package)).expect("a manifest");
        let sources = sources(folders);
        let code: Vec<&str> = sources
            .iter()
            .flat_map(|source| source.code().map(|(_, line)| line))
            .collect();
        let mut section = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line;
                continue;
            }
            let Some((name, _)) = line.split_once(" = ") else {
                continue;
            };
            let name = name.replace('-', "_");
            let words = [format!("{name}::"), format!("{name}!")];
            let is_named = words
                .iter()
                .any(|word| code.iter().any(|line| line.contains(word)));
            if section.ends_with("dependencies]") && !is_named {
                complaints.push(format!("{package}: nobody names {name}"));
            }
        }
    }
    none(&complaints);
}

/// The rules themselves are tested: each must catch what it forbids.
#[test]
fn imports_are_seen_in_every_form() {
    assert_eq!(rooms_named("use crate::log::PartitionLog;"), ["log"]);
    assert_eq!(
        rooms_named("use crate::{base, raft::Raft};"),
        ["base", "raft"]
    );
    assert_eq!(
        rooms_named("    let x: crate::shard::Shard = crate::cli::x();"),
        ["shard", "cli"]
    );
    assert!(rooms_named("use std::fmt;").is_empty());
    let source = Source {
        path: PathBuf::from("src/log/mod.rs"),
        text: "pub mod a;\n// mod b;\n#[path = \"c_tests.rs\"]\nmod tests;\n".to_owned(),
    };
    let files = declared(&source);
    assert!(files.contains(&PathBuf::from("src/log/a.rs")));
    assert!(files.contains(&PathBuf::from("src/log/c_tests.rs")));
    assert!(!files.contains(&PathBuf::from("src/log/b.rs")));
}
