//! The start that users meet first: five lines when all is well, else one sentence that names what,
//! where, and what mends it, and an exit code that scripts can trust.

use crate::broker::{Broker, free_port, klamm_start};
use crate::deadline::wait_for;
use crate::installed;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// What `command` complains of before it gives up.
fn complaint(mut command: Command) -> String {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    let status = wait_for("klamm to refuse to start", || {
        child.try_wait().expect("klamm is our child")
    });
    let output = child.wait_with_output().expect("klamm is our child");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !status.success(),
        "klamm ended as if all were well; it said: {said}"
    );
    assert!(
        status.code().is_some(),
        "klamm was ended by a signal, {status}; it said: {said}"
    );
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// Asserts that a start with these settings is refused, in words that hold all of `words`.
fn assert_refused(directory: &Path, overrides: &[&str], words: &[&str]) {
    let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
    assert_says(
        &complaint(klamm_start(free_port(), directory, &overrides)),
        words,
    );
}

fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(
            said.contains(word),
            "{word:?} is not in what klamm said: {said}"
        );
    }
    let sentences = said.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(
        (1..=3).contains(&sentences),
        "one sentence was promised, klamm said: {said}"
    );
}

fn fresh() -> tempfile::TempDir {
    tempfile::tempdir().expect("a writable temporary folder")
}

#[test]
fn a_start_says_five_lines_and_a_stop_ends_well() {
    let mut broker = Broker::start(2);
    if !broker.is_klamm() {
        return;
    }
    let lines = wait_for("the five lines", || {
        let lines: Vec<String> = broker.printed().lines().map(str::to_owned).collect();
        (lines.len() >= 5).then_some(lines)
    });
    let data = broker.data().display().to_string();
    let wanted = [
        env!("CARGO_PKG_VERSION"),
        &broker.bootstrap,
        "cores",
        &data,
        "recover",
    ];
    for (line, word) in lines.iter().zip(wanted) {
        assert!(line.contains(word), "{word:?} is not in the line {line:?}");
    }
    let status = broker.stop();
    assert!(status.success(), "after SIGTERM klamm ended with {status}");
}

#[test]
fn a_wrong_setting_is_named() {
    let directory = fresh();
    assert_refused(
        directory.path(),
        &["num.partitions=many"],
        &["num.partitions", "many"],
    );
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    let directory = fresh();
    let overrides = ["log.retention.hour=1".to_owned()];
    let mut command = klamm_start(free_port(), directory.path(), &overrides);
    command.arg("--strict");
    assert_says(
        &complaint(command),
        &["log.retention.hour", "log.retention.hours"],
    );
}

#[test]
fn a_port_in_use_is_named() {
    let directory = fresh();
    let port = free_port();
    let _taken = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
    let said = complaint(klamm_start(port, directory.path(), &[]));
    assert_says(&said, &[&port.to_string(), "in use"]);
}

#[test]
fn a_directory_that_another_process_holds_is_named() {
    let broker = Broker::start(1);
    if !broker.is_klamm() {
        return;
    }
    let data = broker.data();
    assert_refused(&data, &[], &[&data.display().to_string(), "lock"]);
}

#[test]
fn a_directory_of_another_node_or_cluster_is_named() {
    let mut broker = Broker::start(1);
    if !broker.is_klamm() {
        return;
    }
    broker.stop();
    let data = broker.data();
    let place = data.display().to_string();
    assert_refused(&data, &["node.id=7"], &[&place, "node.id", "7"]);

    let meta = data.join("meta.properties");
    let text = std::fs::read_to_string(&meta).expect("klamm formatted its directory");
    let foreign: String = text
        .lines()
        .filter(|line| !line.starts_with("node.id"))
        .chain(["node.id=9"])
        .flat_map(|line| [line, "\n"])
        .collect();
    std::fs::write(&meta, foreign).expect("our own file");
    assert_refused(&data, &[], &[&place, "node.id", "9"]);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = fresh();
    let file = directory.path().join("a-file");
    std::fs::write(&file, "").expect("a writable temporary folder");
    let below = file.join("data");
    assert_refused(&below, &[], &[&below.display().to_string()]);
}

/// Under a seccomp filter that refuses the system call, as containers do by default.
#[test]
fn io_uring_switched_off_is_named() {
    let directory = fresh();
    let klamm = klamm_start(free_port(), directory.path(), &[]);
    let mut command = installed::python("without_io_uring.py");
    command.arg(klamm.get_program()).args(klamm.get_args());
    assert_says(&complaint(command), &["io_uring", "seccomp"]);
}

#[test]
fn a_small_memlock_limit_is_named() {
    let directory = fresh();
    let klamm = klamm_start(free_port(), directory.path(), &[]);
    let mut command = Command::new("prlimit");
    command
        .arg("--memlock=16384:16384")
        .arg(klamm.get_program())
        .args(klamm.get_args());
    assert_says(&complaint(command), &["memlock", "ulimit -l"]);
}

#[test]
fn what_a_crash_left_of_deleted_topics_goes() {
    let mut broker = Broker::start(1);
    if !broker.is_klamm() {
        // Apache waits for a minute, and does not start where a foreign directory is.
        return;
    }
    broker.stop();
    let left = broker
        .data()
        .join("gone-0.0123456789abcdef0123456789abcdef-delete");
    // No partition's name: it is somebody else's.
    let foreign = broker.data().join("not-to-delete");
    for folder in [&left, &foreign] {
        std::fs::create_dir(folder).expect("the broker's directory is writable");
        std::fs::write(folder.join("00000000000000000000.log"), [0; 100]).expect("as above");
    }
    broker.start_again();
    wait_for("the rest of a deleted log to go", || {
        (!left.exists()).then_some(())
    });
    assert!(foreign.exists());
}
