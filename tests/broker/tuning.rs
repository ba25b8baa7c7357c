//! `klamm tune` as a process that can be killed, on a made-up machine: whatever was set until then is
//! taken back by `--undo`.

use crate::command_line::klamm;
use crate::deadline::wait_for;
use crate::startup::unprivileged;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a pipe holds on Linux, unless told otherwise.
const PIPE_BYTES: usize = 65_536;

/// A machine on which six settings are not as wanted.
const MACHINE: [(&str, &str); 8] = [
    ("proc/sys/kernel/osrelease", "6.18.0\n"),
    ("proc/sys/kernel/random/boot_id", "a-boot\n"),
    ("proc/sys/kernel/io_uring_disabled", "2\n"),
    ("proc/sys/kernel/numa_balancing", "1\n"),
    ("proc/sys/vm/swappiness", "60\n"),
    ("proc/sys/net/core/somaxconn", "1\n"),
    ("proc/sys/net/ipv4/tcp_slow_start_after_idle", "1\n"),
    ("proc/sys/net/ipv4/tcp_congestion_control", "bbr\n"),
];
const CHANGES: usize = 6;

fn made_up() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a writable temporary folder");
    for (path, content) in MACHINE {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a writable folder");
        std::fs::write(path, content).expect("a writable folder");
    }
    folder
}

/// Every file of the machine, byte by byte.
fn content(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = MACHINE.iter().map(|(path, _)| root.join(path));
    files
        .map(|path| {
            let content = std::fs::read(&path).expect("it is there");
            (path, content)
        })
        .collect()
}

fn words(root: &Path, flag: &str) -> Vec<String> {
    let root = root.display();
    ["tune", flag, "--root"]
        .map(str::to_owned)
        .into_iter()
        .chain([root.to_string(), "--override".to_owned()])
        .chain([format!("log.dirs={root}/data")])
        .collect()
}

fn tune(root: &Path, flag: &str) -> String {
    let words = words(root, flag);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = klamm(&words, "");
    assert_eq!(ended.code, Some(0), "{flag}: {}", ended.stderr);
    ended.stdout
}

#[test]
fn an_apply_that_is_killed_is_undone() {
    for lines in 0..=CHANGES {
        let machine = made_up();
        let root = machine.path();
        let before = content(root);
        let mut child = Command::new(env!("CARGO_BIN_EXE_klamm"))
            .args(words(root, "--apply"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("klamm can be run");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        // How far it came beyond them is the scheduler's.
        for line in stdout.lines().take(lines) {
            assert!(line.expect("it prints text").starts_with("set "));
        }
        child.kill().expect("our own child can be killed");
        child.wait().expect("our own child can be waited for");
        tune(root, "--undo");
        assert_eq!(content(root), before, "killed after {lines} lines");
        // Nothing of it is in the way of the next.
        assert_eq!(tune(root, "--apply").lines().count(), CHANGES);
        tune(root, "--check");
        tune(root, "--undo");
        assert_eq!(content(root), before);
    }
}

/// Nobody reads what it prints: it stands still between the first setting and the second.
#[test]
fn an_apply_that_is_killed_between_two_settings_is_undone() {
    let machine = made_up();
    let root = machine.path();
    let before = content(root);
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer
        .write_all(&[b' '; PIPE_BYTES])
        .expect("that is what it holds");
    let mut child = Command::new(env!("CARGO_BIN_EXE_klamm"))
        .args(words(root, "--apply"))
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .expect("klamm can be run");
    let changed = |root: &Path| {
        let now = content(root);
        now.iter()
            .filter(|(path, held)| before[*path] != **held)
            .count()
    };
    wait_for("the first setting", || (changed(root) > 0).then_some(()));
    child.kill().expect("our own child can be killed");
    child.wait().expect("our own child can be waited for");
    drop(reader);
    assert_eq!(changed(root), 1);
    tune(root, "--undo");
    assert_eq!(content(root), before);
}

/// `klamm tune --apply` by somebody who may not pass by the modes of files.
fn apply_unprivileged(root: &Path) -> Output {
    let mut klamm = Command::new(env!("CARGO_BIN_EXE_klamm"));
    klamm.args(words(root, "--apply"));
    let mut command = unprivileged(&klamm);
    command.stdin(Stdio::null());
    command.output().expect("setpriv can be run")
}

fn make_read_only(file: &Path) {
    let mode = std::fs::Permissions::from_mode(0o444);
    std::fs::set_permissions(file, mode).expect("our own file");
}

#[test]
fn a_file_that_may_not_be_written_is_named_and_nothing_is_changed() {
    let machine = made_up();
    let root = machine.path();
    let before = content(root);
    // Not the first that would be set.
    make_read_only(&root.join("proc/sys/vm/swappiness"));
    let ended = apply_unprivileged(root);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    let sentence = "klamm: /proc/sys/vm/swappiness cannot be written: Permission denied (os error \
                    13); nothing was changed. To be set: vm.swappiness; run it as root: sudo klamm \
                    tune --apply";
    assert!(said.lines().any(|line| line == sentence), "{said}");
    assert!(ended.stdout.is_empty());
    assert_eq!(content(root), before);
    assert!(!root.join("run").exists(), "there is nothing to record");
}

#[test]
fn nobody_need_be_root_where_all_is_as_wanted() {
    let machine = made_up();
    let root = machine.path();
    tune(root, "--apply");
    for (path, _) in MACHINE {
        make_read_only(&root.join(path));
    }
    let ended = apply_unprivileged(root);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert_eq!(ended.stdout, b"nothing to set: all is as wanted\n");
}
