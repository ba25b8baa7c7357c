//! Expressions of subscriptions held against RE2/J, with which Apache Kafka compiles and matches them
//! (`tests/java/regexes/Regexes.java`): what one refuses the other refuses, and both find the same
//! topics. First a list that has everything RE2/J's language has, then expressions put together at
//! random of its parts.
//!
//! The jars are those of `tests/java/codec/pom.xml`, which `cargo dev install` (and `cargo dev test`) brings into
//! `$KLAMM_CACHE/java/codec/jars` (`.cache/java/codec/jars`). Without them the test fails, and says so.

#![expect(
    clippy::disallowed_methods,
    reason = "a thread writes to Java while this one reads from it"
)]

use klamm::base::prng::Prng;
use klamm::coordinator::group::consumer::regex::compile;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const EXPRESSIONS: &str = include_str!("java/regexes/expressions.txt");

const NAMES: &[&str] = &[
    "a", "b", "ab", "aa", "aaa", "A", "AB", "_", "-", ".", "..a", "0", "10", "a.b", "a-b", "a_b",
    "topic-1", "Topic_2", "d", "k", "K", "s", "S", "Q", "E", "Z", "z", "b-0.A_s",
];

/// What random expressions are made of.
const PARTS: &[&str] = &[
    "a",
    "b",
    "A",
    "s",
    "K",
    "0",
    "-",
    "_",
    ".",
    "\\.",
    "|",
    "(",
    ")",
    "(?:",
    "(?i)",
    "(?i:",
    "(?-i)",
    "(?-i:",
    "(?s-i)",
    "(?U)",
    "(?P<n>",
    "(?<m>",
    "*",
    "+",
    "?",
    "??",
    "{2}",
    "{0,2}",
    "{1,}",
    "{,2}",
    "{01}",
    "{1000}",
    "{1001}",
    "{2,1}",
    "{",
    "}",
    "^",
    "$",
    "\\b",
    "\\B",
    "\\A",
    "\\z",
    "\\Z",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\pL",
    "\\PL",
    "\\p{Lu}",
    "\\p{^Ll}",
    "\\p{Greek}",
    "\\p{Nope}",
    "\\pP",
    "\\Q",
    "\\E",
    "\\Qa-b\\E",
    "\\x61",
    "\\x{4b}",
    "\\x{212a}",
    "\\141",
    "\\1",
    "\\0",
    "\\_",
    "\\q",
    "[",
    "]",
    "[a-z]",
    "[^a]",
    "[^a-b]",
    "[[:alpha:]]",
    "[[:^digit:]]",
    "[[:nope:]]",
    "[:alpha:]",
    "[a&&b]",
    "[\\d_]",
    "[\\pL-]",
    "[^\\PL]",
    "[]a]",
    "[a-",
    "-z]",
    "[a-\\d]",
    "[ſ]",
    "ſ",
    "é",
    "&&",
    "~~",
    "--",
    "\\",
    " ",
    "#",
];

const RANDOM_COUNT: usize = 30_000;
const PARTS_MAX: u64 = 9;

/// Whether RE2/J would never come back: under `(?i)` it walks from a letter to its other cases until it
/// is where it began, and from U+1C80 to U+1C88 the way does not lead back. Of what random expressions
/// are made of, only a range up to U+212A has such a letter.
fn is_endless_for_apache(expression: &str) -> bool {
    expression.contains("(?i") && expression.contains("-\\x{212a}")
}

fn ask_apache(expressions: &[String]) -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let cache = std::env::var_os("KLAMM_CACHE").map_or(root.join(".cache"), PathBuf::from);
    let jars = cache.join("java/codec/jars");
    let is_installed = std::fs::read_dir(&jars).is_ok_and(|entries| {
        let mut names = entries.flatten().map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().starts_with("re2j-"))
    });
    assert!(
        is_installed,
        "RE2/J is not in {}: `cargo dev install` brings it",
        jars.display()
    );
    let mut process = Command::new("java")
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-cp"])
        .arg(jars.join("*"))
        .arg(root.join("tests/java/regexes/Regexes.java"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("java runs: install a JDK of 17 or later");
    let mut input = process.stdin.take().expect("piped");
    let mut text = NAMES.join(" ");
    for expression in expressions {
        text.push('\n');
        for byte in expression.bytes() {
            write!(text, "{byte:02x}").expect("memory takes every byte");
        }
    }
    text.push('\n');
    // Java answers while it reads: who only writes would wait for who only writes.
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = process.wait_with_output().expect("java ends");
    writer
        .join()
        .expect("no panic")
        .expect("java reads everything");
    assert!(output.status.success(), "java ended badly");
    let answers = String::from_utf8(output.stdout).expect("java writes text");
    answers.lines().map(str::to_owned).collect()
}

/// klamm's answer; `None` where it refuses what would be too large.
fn ask_klamm(expression: &str) -> Option<String> {
    match compile(expression) {
        Ok(regex) => {
            let matched = NAMES.iter().enumerate();
            let places: Vec<String> = matched
                .filter(|(_, name)| regex.is_match(name.as_bytes()))
                .map(|(place, _)| place.to_string())
                .collect();
            Some(format!("ok {}", places.join(",")))
        }
        Err(why) if why.starts_with("it compiles to") || why.starts_with("it nests") => None,
        Err(_) => Some("-".to_owned()),
    }
}

#[test]
fn expressions_mean_what_they_mean_to_apache() {
    let mut expressions: Vec<String> = EXPRESSIONS.lines().map(str::to_owned).collect();
    let mut random = Prng::new(20_261_128);
    for _ in 0..RANDOM_COUNT {
        let count = 1 + random.below(PARTS_MAX);
        let parts = (0..count).map(|_| PARTS[random.index(PARTS.len())]);
        let expression: String = parts.collect();
        if !is_endless_for_apache(&expression) {
            expressions.push(expression);
        }
    }
    let answers = ask_apache(&expressions);
    assert_eq!(answers.len(), expressions.len(), "one answer a line");
    let mut differences = String::new();
    let (mut taken, mut too_large) = (0, 0);
    for (expression, apache) in expressions.iter().zip(&answers) {
        let Some(klamm) = ask_klamm(expression) else {
            too_large += 1;
            continue;
        };
        taken += usize::from(apache.starts_with("ok"));
        if klamm != *apache {
            writeln!(
                differences,
                "{expression}\n  Apache {apache}\n  klamm  {klamm}"
            )
            .expect("memory");
        }
    }
    assert!(differences.is_empty(), "{differences}");
    // The test would prove little if nearly all were refused, or set aside.
    assert!(taken > expressions.len() / 8, "{taken} are expressions");
    assert!(too_large < expressions.len() / 100, "{too_large} too large");
}
