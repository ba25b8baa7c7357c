//! The start that users meet first: five lines when all is well, else one sentence that names what,
//! where, and what mends it, and an exit code that scripts can trust.

use crate::broker::{Broker, free_port, klamm_start};
use crate::deadline::wait_for;
use crate::installed;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
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
fn a_running_broker_is_asked_how_long_its_turns_take() {
    let mut broker = Broker::start(2);
    if !broker.is_klamm() {
        return;
    }
    let lines = |broker: &Broker, what: &str| {
        let printed = broker.printed();
        let lines = printed.lines().filter(|line| line.contains(what));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for asked in 1..=2 {
        broker.signal("USR1");
        let said = wait_for("a line of each core", || {
            let said = lines(&broker, " turns shard=");
            (said.len() >= 2 * asked).then_some(said)
        });
        for field in [
            "shard=0 count=",
            "shard=1 count=",
            "p9999_us=",
            "longest_us=",
        ] {
            assert!(said.iter().any(|line| line.contains(field)), "{said:?}");
        }
    }
    assert!(broker.stop().success());
    assert_eq!(lines(&broker, " all turns shard=").len(), 2);
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
fn an_unknown_key_that_is_a_slip_of_the_pen_is_named_with_what_was_meant() {
    let directory = fresh();
    assert_refused(
        directory.path(),
        &["log.retention.hour=1"],
        &["--override", "log.retention.hour", "log.retention.hours?"],
    );
    let file = directory.path().join("server.properties");
    std::fs::write(&file, "node.id=1\n\nnum.partitons=3\n").expect("a writable folder");
    let mut command = klamm_start(free_port(), &directory.path().join("data"), &[]);
    command.arg(&file);
    let place = format!("{}:3", file.display());
    assert_says(
        &complaint(command),
        &[&place, "num.partitons", "num.partitions?"],
    );
}

/// It may belong to a plugin, as in Kafka.
#[test]
fn a_key_that_resembles_no_setting_is_only_named_unless_klamm_is_to_be_strict() {
    let broker = Broker::start_with(1, &["my.plugin.colour=red"]);
    if !broker.is_klamm() {
        return;
    }
    let said = broker.printed();
    assert!(said.contains("no setting my.plugin.colour"), "{said}");
    let directory = fresh();
    let overrides = ["my.plugin.colour=red".to_owned()];
    let mut command = klamm_start(free_port(), directory.path(), &overrides);
    command.arg("--strict");
    assert_says(&complaint(command), &["--override", "my.plugin.colour"]);
}

#[test]
fn a_port_in_use_is_named() {
    let directory = fresh();
    let port = free_port();
    let _taken = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
    let said = complaint(klamm_start(port, directory.path(), &[]));
    assert_says(&said, &[&port.to_string(), "in use", "ss -ltnp"]);
}

#[test]
fn an_address_of_another_machine_is_named() {
    let directory = fresh();
    // TEST-NET-1 (RFC 5737): nobody's.
    let listener = "listeners=PLAINTEXT://192.0.2.1:9092";
    assert_refused(
        directory.path(),
        &[listener],
        &["listeners", "192.0.2.1", "ip address"],
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let directory = fresh();
    let mut command = klamm_start(free_port(), directory.path(), &[]);
    command.arg("nowhere/server.properties");
    assert_says(&complaint(command), &["nowhere/server.properties"]);
}

#[test]
fn a_directory_that_another_process_holds_is_named() {
    let broker = Broker::start(1);
    if !broker.is_klamm() {
        return;
    }
    let data = broker.data();
    assert_refused(&data, &[], &[&data.display().to_string(), "lock", "fuser"]);
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
fn directories_of_two_clusters_are_named() {
    let root = fresh();
    let at = |name: &str| root.path().join(name);
    for name in ["one", "two"] {
        std::fs::create_dir(at(name)).expect("a writable temporary folder");
        let text = format!("version=1\nnode.id=1\ncluster.id=cluster-{name}\n");
        std::fs::write(at(name).join("meta.properties"), text).expect("our own folder");
    }
    let both = format!("log.dirs={},{}", at("one").display(), at("two").display());
    let (one, two) = (
        at("one").display().to_string(),
        at("two").display().to_string(),
    );
    assert_refused(
        root.path(),
        &[&both],
        &[
            &one,
            &two,
            "cluster-one",
            "cluster-two",
            "--override log.dirs=",
        ],
    );
    // The metadata log's own directory belongs to the same cluster, too.
    let apart = [format!("log.dirs={one}"), format!("metadata.log.dir={two}")];
    assert_refused(
        root.path(),
        &[&apart[0], &apart[1]],
        &[&one, &two, "cluster-one", "cluster-two"],
    );
}

#[test]
fn a_directory_of_something_else_is_named() {
    let directory = fresh();
    std::fs::write(directory.path().join("holiday.jpg"), "").expect("our own folder");
    let place = directory.path().display().to_string();
    assert_refused(
        directory.path(),
        &[],
        &[
            &place,
            "holiday.jpg",
            "meta.properties",
            "--override log.dirs=",
        ],
    );
}

/// A new first directory would make a new metadata log, in which no topic of old is.
#[test]
fn a_directory_without_the_clusters_metadata_is_named() {
    let mut broker = Broker::start(1);
    if !broker.is_klamm() {
        return;
    }
    broker.stop();
    let fresh = fresh();
    let (new, old) = (
        fresh.path().display().to_string(),
        broker.data().display().to_string(),
    );
    let mend = format!("--override metadata.log.dir={old}");
    for apart in [
        format!("log.dirs={new},{old}"),
        format!("metadata.log.dir={new}"),
    ] {
        assert_refused(&broker.data(), &[&apart], &[&new, &old, &mend]);
    }
    assert!(!fresh.path().join("meta.properties").exists());
}

/// The metadata log may lie where no other log does, as in Kafka.
#[test]
fn the_metadata_log_has_a_directory_of_its_own() {
    let root = fresh();
    let metadata = root.path().join("metadata");
    let apart = format!("metadata.log.dir={}", metadata.display());
    let mut broker = Broker::start_with(1, &[&apart]);
    if !broker.is_klamm() {
        return;
    }
    for _ in 0..2 {
        let has = |directory: &Path, name: &str| directory.join(name).exists();
        for directory in [&metadata, &broker.data()] {
            assert!(has(directory, "meta.properties"), "{}", directory.display());
        }
        assert!(has(&metadata, "__cluster_metadata-0"));
        assert!(!has(&broker.data(), "__cluster_metadata-0"));
        broker.stop();
        broker.start_again();
    }
}

/// klamm as somebody who may not pass by the modes of files, nor listen on a port below 1024.
pub fn unprivileged(klamm: &Command) -> Command {
    let mut command = Command::new("setpriv");
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        for set in ["--bounding-set", "--inh-caps"] {
            command.args([set, "-dac_override,-dac_read_search,-net_bind_service"]);
        }
    } else {
        command.arg("--no-new-privs");
    }
    command.arg(klamm.get_program()).args(klamm.get_args());
    command
}

#[test]
fn a_port_that_needs_a_privilege_is_named() {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if first.is_ok_and(|first| first.trim() == "0") {
        println!(
            "not tried: net.ipv4.ip_unprivileged_port_start is 0, every port is for everybody"
        );
        return;
    }
    let directory = fresh();
    let listener = ["listeners=PLAINTEXT://127.0.0.1:1".to_owned()];
    let klamm = klamm_start(free_port(), directory.path(), &listener);
    assert_says(
        &complaint(unprivileged(&klamm)),
        &[
            "listeners",
            "127.0.0.1:1",
            "setcap cap_net_bind_service=+ep",
        ],
    );
}

#[test]
fn a_directory_that_may_not_be_written_is_named() {
    let directory = fresh();
    let mode = |bits| {
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(bits))
            .expect("our own folder");
    };
    let klamm = |data: &Path| unprivileged(&klamm_start(free_port(), data, &[]));
    let place = directory.path().display().to_string();
    mode(0o555);
    let said = complaint(klamm(directory.path()));
    assert_says(&said, &[&place, "Permission denied", "chown"]);
    let said = complaint(klamm(&directory.path().join("data")));
    assert_says(
        &said,
        &[&place, "Permission denied", "--override log.dirs="],
    );
    mode(0o755);
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
