//! A broker as its users meet it: a process on a port, with a directory, that can be stopped,
//! killed, and started again. What it printed is shown when the test that owns it fails.

use crate::apache::{self, Quorum};
use crate::deadline::wait_for;
use crate::wire;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Which program serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// The one that the tests are about.
    Klamm,
    /// Its model.
    Apache,
}

/// A broker of one test.
pub struct Broker {
    /// Where clients connect.
    pub bootstrap: String,
    port: u16,
    program: Program,
    /// Whose `server.properties` klamm is started with, too.
    quorum: Option<Quorum>,
    overrides: Vec<String>,
    directory: TempDir,
    running: Option<Child>,
}

impl Broker {
    /// A fresh broker with `cores` shards that does not create topics by itself.
    pub fn start(cores: u16) -> Broker {
        Broker::start_with(cores, &["auto.create.topics.enable=false"])
    }

    /// A fresh broker with these settings.
    pub fn start_with(cores: u16, overrides: &[&str]) -> Broker {
        let mut overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        overrides.push(format!("klamm.cores={cores}"));
        Broker::start_program(Program::chosen(Program::Klamm), None, overrides)
    }

    /// A fresh directory with a broker of this program. Whatever serves it later is started with
    /// the same `server.properties`.
    pub fn start_as(program: Program, quorum: Quorum, overrides: &[&str]) -> Broker {
        let overrides = overrides.iter().map(ToString::to_string).collect();
        Broker::start_program(Program::chosen(program), Some(quorum), overrides)
    }

    fn start_program(program: Program, quorum: Option<Quorum>, overrides: Vec<String>) -> Broker {
        let port = free_port();
        let mut broker = Broker {
            bootstrap: format!("127.0.0.1:{port}"),
            port,
            program,
            quorum,
            overrides,
            directory: tempfile::tempdir().expect("a writable temporary folder"),
            running: None,
        };
        match std::env::var("KLAMM_TEST_BOOTSTRAP") {
            Ok(running_elsewhere) => broker.bootstrap = running_elsewhere,
            Err(_) => broker.start_again(),
        }
        broker
    }

    /// Starts the broker on the directory it has, and waits until it serves.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "the broker still runs");
        let (data, port, overrides) = (self.data(), self.port, &self.overrides);
        let mut command = match (self.program, self.quorum) {
            (Program::Klamm, None) => klamm_start(port, &data, overrides),
            (Program::Klamm, Some(quorum)) => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_klamm"));
                command
                    .arg("start")
                    .arg(apache::properties(&data, port, quorum, overrides));
                command
            }
            (Program::Apache, quorum) => {
                let quorum = quorum.unwrap_or(Quorum::Static);
                apache::start(&data, port, quorum, overrides)
            }
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(self.output("stdout"))
            .stderr(self.output("stderr"))
            .spawn()
            .expect("the broker's program can be run");
        self.running = Some(child);
        wait_for("the broker to serve", || {
            let ended = self
                .running
                .as_mut()?
                .try_wait()
                .expect("the broker is our child");
            assert!(ended.is_none(), "the broker ended: {}", self.printed());
            answers(&self.bootstrap).then_some(())
        });
    }

    /// Starts another program on the directory, which nobody serves now.
    pub fn hand_to(&mut self, program: Program) {
        self.program = Program::chosen(program);
        self.start_again();
    }

    /// A fresh broker, Apache's.
    pub fn start_apache(overrides: &[&str]) -> Broker {
        let overrides = overrides.iter().map(ToString::to_string).collect();
        Broker::start_program(Program::Apache, None, overrides)
    }

    /// Stops the broker; the other one, klamm for Apache's or Apache's for klamm, goes on with its
    /// directory.
    pub fn hand_over(&mut self) {
        self.stop();
        self.program = match self.program {
            Program::Klamm => Program::Apache,
            Program::Apache => Program::Klamm,
        };
        self.start_again();
    }

    /// Ends the broker as a crash would: nothing is written any more.
    pub fn kill(&mut self) {
        let mut child = self.running.take().expect("the broker runs");
        child.kill().expect("our own child can be killed");
        child.wait().expect("our own child can be waited for");
    }

    /// Asks the broker to stop, as systemd does, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        let mut child = self.running.take().expect("the broker runs");
        terminate(&child);
        wait_for("the broker to stop after SIGTERM", || {
            child.try_wait().expect("the broker is our child")
        })
    }

    /// Sends the broker a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        let child = self.running.as_ref().expect("the broker runs");
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &child.id().to_string()])
            .status()
            .expect("kill is on every Linux");
        assert!(sent.success(), "the broker had ended");
    }

    /// Where the broker keeps its partitions.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A folder for what a test writes beside the broker's data.
    pub fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// What the broker printed so far, in all its runs.
    pub fn printed(&self) -> String {
        ["stdout", "stderr"]
            .map(|name| std::fs::read_to_string(self.folder().join(name)).unwrap_or_default())
            .join("")
    }

    /// From now on the broker's process may have so many files open, sockets among them.
    pub fn limit_open_files(&self, most: usize) {
        let child = self.running.as_ref().expect("the broker runs");
        let limited = Command::new("prlimit")
            .arg(format!("--nofile={most}:{most}"))
            .args(["--pid", &child.id().to_string()])
            .status()
            .expect("prlimit is on every Linux");
        assert!(limited.success(), "the broker had ended");
    }

    /// How many files the broker's process has open.
    pub fn open_files(&self) -> usize {
        let child = self.running.as_ref().expect("the broker runs");
        std::fs::read_dir(format!("/proc/{}/fd", child.id()))
            .expect("a running process has descriptors")
            .count()
    }

    /// Memory of the broker's process that is resident, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// The most memory of the broker's process that was ever resident, in bytes.
    pub fn resident_bytes_peak(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    fn status_bytes(&self, field: &str) -> u64 {
        let child = self.running.as_ref().expect("the broker runs");
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))
            .expect("a running process has a status");
        let line = status
            .lines()
            .find(|line| line.starts_with(field))
            .expect("Linux says how much is resident");
        let kibibytes: u64 = line
            .split_whitespace()
            .nth(1)
            .and_then(|number| number.parse().ok())
            .expect("a number of KiB");
        kibibytes * 1024
    }

    /// What hostile clients may drive the broker's memory to: a JVM takes what it is given.
    pub fn resident_bytes_max(&self) -> u64 {
        match self.program {
            Program::Klamm => 128 << 20,
            Program::Apache => 1 << 30,
        }
    }

    /// Whether this is klamm: what only klamm promises is not asked of Apache.
    pub fn is_klamm(&self) -> bool {
        matches!(self.program, Program::Klamm)
    }

    /// A connection to the broker, as any program may open one.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.bootstrap).expect("the broker listens")
    }

    fn output(&self, name: &str) -> File {
        File::options()
            .append(true)
            .create(true)
            .open(self.folder().join(name))
            .expect("a writable temporary folder")
    }
}

impl Program {
    /// The one that plays its part: where the tests are tested, Apache plays all of them.
    fn chosen(self) -> Program {
        match std::env::var("KLAMM_TEST_BROKER").as_deref() {
            Ok("apache") => Program::Apache,
            _ => self,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            // The test is over: how the broker ends no longer matters.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- the broker printed ---\n{}---", self.printed());
        }
    }
}

/// `klamm start`, listening on `port` with its data in `directory`.
pub fn klamm_start(port: u16, directory: &Path, overrides: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klamm"));
    command
        .arg("start")
        .args([
            "--override",
            &format!("listeners=PLAINTEXT://127.0.0.1:{port}"),
        ])
        .args(["--override", &format!("log.dirs={}", directory.display())]);
    for pair in overrides {
        command.args(["--override", pair]);
    }
    command
}

/// Whether a broker answers there. That something listens is not enough: the kernel takes the
/// sockets of a killed process's rings apart a moment after the process is gone.
fn answers(bootstrap: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(bootstrap) else {
        return false;
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .expect("a timeout above zero");
    stream.write_all(&wire::api_versions()).is_ok() && stream.read_exact(&mut [0; 4]).is_ok()
}

/// SIGTERM to a child, as systemd sends it.
pub fn terminate(child: &Child) {
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .expect("kill is on every Linux");
    assert!(
        sent.success(),
        "the broker had ended before it was asked to"
    );
}

/// A port that is free, and the one after it too. Below those that the kernel hands out to
/// connections, and spread by process id, so that test runs side by side do not meet.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let spread = u16::try_from(std::process::id() % 500).expect("below 500") * 24;
    loop {
        let port = 20_000 + (spread + NEXT.fetch_add(2, Ordering::Relaxed)) % 12_000;
        if [port, port + 1]
            .iter()
            .all(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        {
            return port;
        }
    }
}

/// A topic name that no other test has used, even against a broker that keeps running.
pub fn unique(name: &str) -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{count}", std::process::id())
}
