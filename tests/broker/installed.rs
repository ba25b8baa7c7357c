//! Where `cargo dev install` put the clients and tools.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file in the cache; panics with the mending command where it is not there.
pub fn cached(path: &str) -> PathBuf {
    let cache = std::env::var_os("KLAMM_CACHE").map_or(root().join(".cache"), PathBuf::from);
    let found = cache.join(path);
    assert!(
        found.exists(),
        "{} is not there: run `cargo dev install`",
        found.display()
    );
    found
}

/// A Python client under `tests/clients/python`.
pub fn python(program: &str) -> Command {
    let mut command = Command::new(cached("python/bin/python"));
    command.arg(root().join("tests/clients/python").join(program));
    command
}

/// A program on kafkajs.
pub fn node(program: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg(root().join("tests/clients/node").join(program))
        .env("NODE_PATH", cached("node/node_modules"))
        .env("KAFKAJS_NO_PARTITIONER_WARNING", "1");
    command
}

/// The franz-go client.
pub fn go() -> Command {
    Command::new(cached("go/client"))
}

/// The franz-go client as a member of a group.
pub fn go_member() -> Command {
    let mut command = go();
    command.arg("member");
    command
}

/// A class of the Java part `part`, or of its jars.
pub fn java(part: &str, class: &str) -> Command {
    let mut command = java_with(part);
    command.arg(class);
    command
}

/// A program of one source file, with the jars of the Java part `part`.
pub fn java_source(part: &str, path: &str) -> Command {
    let mut command = java_with(part);
    command.arg(root().join(path));
    command
}

fn java_with(part: &str) -> Command {
    let jars = cached(&format!("java/{part}/jars"));
    let classes = jars.with_file_name("classes");
    let mut command = Command::new("java");
    command
        .args([
            "-Xms64m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
        ])
        .arg(format!(
            "-Dlog4j2.configurationFile={}",
            root().join("tests/java/tools/log4j2.properties").display()
        ))
        .arg("-classpath")
        .arg(format!("{}:{}/*", classes.display(), jars.display()));
    command
}
