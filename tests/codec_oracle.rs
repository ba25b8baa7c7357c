//! The codec held against Apache Kafka's own classes (tests/java/codec): for every version of every
//! message klamm knows, what either side writes the other reads, and writes again unchanged.
//!
//! `cargo dev test` installs what it needs: Apache's jars and the compiled `CodecOracle`, in
//! `$KLAMM_CACHE/java/codec` (or `.cache/java/codec` of the repository).

use klamm::base::prng::Prng;
use klamm::protocol::catalogue::{Entry, entries};
use klamm::protocol::{ApiKey, ErrorCode};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Random contents per message and version, in each direction.
const ROUNDS: u64 = 20;

/// A running `CodecOracle`.
struct Oracle {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Where `cargo dev test` put the oracle.
fn installed() -> PathBuf {
    let cache = std::env::var_os("KLAMM_CACHE").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache"),
        PathBuf::from,
    );
    let folder = cache.join("java").join("codec");
    assert!(
        folder.join("classes").join("CodecOracle.class").exists(),
        "Apache's classes are not in {}: `cargo dev test` installs them",
        folder.display()
    );
    folder
}

impl Oracle {
    fn start() -> Oracle {
        let folder = installed();
        let class_path = format!("{0}/classes:{0}/jars/*", folder.display());
        let mut child = Command::new("java")
            .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"])
            .args(["-cp", &class_path, "CodecOracle"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("java runs: install a JDK of 17 or later");
        let questions = child.stdin.take().expect("stdin is a pipe");
        let answers = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        Oracle {
            child,
            questions,
            answers,
        }
    }

    fn ask(&mut self, question: &str) -> String {
        self.questions
            .write_all(format!("{question}\n").as_bytes())
            .expect("the oracle listens");
        let mut answer = String::new();
        self.answers
            .read_line(&mut answer)
            .expect("the oracle answers");
        answer.trim_end().to_owned()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // The oracle ends with its input, but a failed test should not wait for that.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|begin| u8::from_str_radix(text.get(begin..begin + 2)?, 16).ok())
        .collect()
}

/// What Apache wrote, klamm reads, and writes again unchanged.
fn from_apache(oracle: &mut Oracle, entry: &Entry, version: i16, seed: u64) -> Result<(), String> {
    let written = oracle.ask(&format!("random {} {version} {seed}", entry.name));
    let bytes = from_hexadecimal(&written).ok_or(written.clone())?;
    match entry.rewrite(bytes.into(), version) {
        Ok(again) if hexadecimal(&again) == written => Ok(()),
        Ok(again) => Err(format!(
            "klamm made of Apache's {written}\n{}",
            hexadecimal(&again)
        )),
        Err(error) => Err(format!("klamm cannot read {written}: {error:?}")),
    }
}

/// What klamm wrote, Apache reads, and writes again unchanged.
fn from_klamm(
    oracle: &mut Oracle,
    entry: &Entry,
    version: i16,
    prng: &mut Prng,
) -> Result<(), String> {
    let written = hexadecimal(&entry.arbitrary(prng, version));
    let again = oracle.ask(&format!("rewrite {} {version} {written}", entry.name));
    if again == written {
        Ok(())
    } else {
        Err(format!("Apache made of klamm's {written}\n{again}"))
    }
}

#[test]
fn apache_and_klamm_read_and_write_the_same_bytes() {
    let mut oracle = Oracle::start();
    let mut prng = Prng::new(44);
    let mut failures = Vec::new();
    let mut checked = 0;
    for entry in entries() {
        let versions = format!("{} {}", entry.versions.low, entry.versions.high);
        let apache = oracle.ask(&format!("versions {}", entry.name));
        if apache != versions {
            failures.push(format!("{}: versions {versions}, not {apache}", entry.name));
            continue;
        }
        for version in entry.versions.iter() {
            let wrong = (0..ROUNDS).find_map(|round| {
                let seed = prng.below(1 << 40) + round;
                from_apache(&mut oracle, &entry, version, seed)
                    .and_then(|()| from_klamm(&mut oracle, &entry, version, &mut prng))
                    .err()
            });
            checked += 1;
            if let Some(wrong) = wrong {
                failures.push(format!("{} v{version}: {wrong}", entry.name));
            }
        }
    }
    println!("{checked} versions of messages, {ROUNDS} contents each way");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A comparison that cannot fail would prove nothing.
#[test]
fn a_wrong_message_is_noticed() {
    let mut oracle = Oracle::start();
    let find = |name| {
        entries()
            .into_iter()
            .find(|entry| entry.name == name)
            .expect("klamm knows the message")
    };
    let (produce, fetch) = (find("ProduceRequest"), find("FetchRequest"));
    let written = hexadecimal(&produce.arbitrary(&mut Prng::new(5), 3));
    let again = oracle.ask(&format!("rewrite FetchRequest 4 {written}"));
    assert_ne!(again, written);
    let written = oracle.ask("random ProduceRequest 9 1");
    let bytes = from_hexadecimal(&written).expect("Apache writes a message");
    assert_ne!(
        fetch.rewrite(bytes.clone().into(), 12).map(Vec::from),
        Ok(bytes)
    );
}

#[test]
fn error_codes_are_apaches() {
    let mut oracle = Oracle::start();
    let ours: Vec<String> = ErrorCode::ALL
        .iter()
        .map(|error| format!("{}:{}:{}", error.code(), error.name(), error.is_retriable()))
        .collect();
    assert_eq!(oracle.ask("errors"), ours.join(" "));
}

#[test]
fn the_table_of_apis_is_apaches() {
    let mut oracle = Oracle::start();
    for api in ApiKey::ALL {
        let versions = api.versions();
        let mut ours = format!("{} {} {}", api.name(), versions.low, versions.high);
        for version in versions.iter() {
            ours += &format!(
                " {}:{}",
                api.request_header_version(version),
                api.response_header_version(version)
            );
        }
        assert_eq!(oracle.ask(&format!("api {}", api.code())), ours);
    }
}
