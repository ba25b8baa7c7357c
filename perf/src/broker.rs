//! The two brokers under measurement: how each is formatted, started, asked and stopped. Both
//! serve on 127.0.0.1 only, with their data in fresh folders on one file system.

use crate::turns::{self, Turns};
use crate::{machine, wire};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Heap and collector as Apache's own start script and its documentation of operations set them.
pub const KAFKA_JVM: [&str; 7] = [
    "-Xms1g",
    "-Xmx1g",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
];
/// The Java clients' options; the same whichever broker they talk to.
pub const CLIENT_JVM: [&str; 3] = ["-Xmx512m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"];
const CLUSTER_ID: &str = "4L6g3nShT-eMCtK--X86sw";
/// What a run has written is gone before the next one begins, on both. Apache deletes nothing in its
/// first `log.initial.task.delay.ms`, 30 s by default.
const DELETE_DELAY_MS: u64 = 500;
const DELETED_WITHIN: Duration = Duration::from_secs(60);
const SERVING_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(60);
/// Until every core of klamm has said how long its turns took.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// Which broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Apache Kafka, one node that is broker and controller.
    Kafka,
    /// The release binary of this repository.
    Klamm,
}

impl System {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            System::Kafka => "kafka",
            System::Klamm => "klamm",
        }
    }
}

/// Where the programs are, and where data may go.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Apache's jars.
    pub jars: PathBuf,
    /// Our own Java classes, compiled.
    pub classes: PathBuf,
    /// The folder `perf/`.
    pub perf: PathBuf,
    /// klamm's release binary.
    pub klamm: PathBuf,
    /// librdkafka's own load generator.
    pub rdkafka: PathBuf,
    /// Data folders, removed at the end; not on tmpfs.
    pub work: PathBuf,
}

impl Installation {
    /// `java` with the class path and the logging configuration, standard error discarded.
    pub fn java(&self, options: &[&str]) -> Command {
        let mut class_path = self.jars.join("*").into_os_string();
        class_path.push(":");
        class_path.push(&self.classes);
        let mut command = Command::new("java");
        command
            .args(options)
            .arg(format!(
                "-Dlog4j2.configurationFile={}",
                self.perf.join("log4j2.properties").display()
            ))
            .arg("-cp")
            .arg(class_path)
            .stdin(Stdio::null());
        command
    }
}

/// A folder formatted or to be formatted for one broker, with the ports it will serve on.
#[derive(Clone, Debug)]
pub struct Node {
    /// Which broker it is for.
    pub system: System,
    /// Holds `data/`, the configuration, and `output`, what the broker printed.
    pub folder: PathBuf,
    /// Kafka clients connect here.
    pub port: u16,
    controller_port: u16,
    /// Settings that differ from the defaults.
    settings: &'static [&'static str],
}

impl Node {
    /// A fresh folder below the work folder; Apache's is formatted, klamm formats its own.
    pub fn fresh(installation: &Installation, system: System, name: &str) -> Result<Node, String> {
        Node::fresh_with(installation, system, name, &[])
    }

    /// The same, with these settings, each `key=value`.
    pub fn fresh_with(
        installation: &Installation,
        system: System,
        name: &str,
        settings: &'static [&'static str],
    ) -> Result<Node, String> {
        let node = Node {
            settings,
            system,
            folder: installation.work.join(name),
            port: free_port()?,
            controller_port: free_port()?,
        };
        let _ = fs::remove_dir_all(&node.folder);
        fs::create_dir_all(&node.folder)
            .map_err(|error| format!("cannot make {}: {error}", node.folder.display()))?;
        if system == System::Kafka {
            node.format(installation)?;
        }
        Ok(node)
    }

    fn format(&self, installation: &Installation) -> Result<(), String> {
        let properties = self.folder.join("server.properties");
        fs::write(&properties, self.configuration())
            .map_err(|error| format!("cannot write {}: {error}", properties.display()))?;
        let mut command = installation.java(&["-Xmx256m"]);
        command
            .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
            .arg(&properties);
        let output = crate::orphans::output(&mut command)
            .map_err(|error| format!("cannot run java: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "Apache's StorageTool failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ))
    }

    /// The configuration, as it goes into the results.
    pub fn configuration(&self) -> String {
        let data = self.data();
        let data = data.display();
        let port = self.port;
        let (before, after) = match self.system {
            System::Klamm => (" --override ", ""),
            System::Kafka => ("", "\n"),
        };
        let settings: String = self
            .settings
            .iter()
            .map(|setting| format!("{before}{setting}{after}"))
            .collect();
        match self.system {
            System::Klamm => format!(
                "start --override listeners=PLAINTEXT://127.0.0.1:{port} --override log.dirs={data} \
                 --override log.segment.delete.delay.ms={DELETE_DELAY_MS} \
                 --override log.initial.task.delay.ms={DELETE_DELAY_MS}{settings}"
            ),
            System::Kafka => {
                let controller = self.controller_port;
                format!(
                    "process.roles=broker,controller\n\
                     node.id=1\n\
                     controller.quorum.voters=1@127.0.0.1:{controller}\n\
                     listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
                     advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
                     inter.broker.listener.name=PLAINTEXT\n\
                     controller.listener.names=CONTROLLER\n\
                     listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
                     log.dirs={data}\n\
                     log.segment.delete.delay.ms={DELETE_DELAY_MS}\n\
                     log.initial.task.delay.ms={DELETE_DELAY_MS}\n\
                     offsets.topic.replication.factor=1\n\
                     transaction.state.log.replication.factor=1\n\
                     transaction.state.log.min.isr=1\n\
                     share.coordinator.state.topic.replication.factor=1\n\
                     share.coordinator.state.topic.min.isr=1\n\
                     {settings}"
                )
            }
        }
    }

    /// The broker's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Bytes in the segment files of a topic: what a client sent, as it was compressed.
    pub fn log_bytes(&self, topic: &str) -> u64 {
        let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
        entries(&self.data())
            .filter(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                name.rsplit_once('-').is_some_and(|(of, _)| of == topic)
            })
            .flat_map(|entry| entries(&entry.path()))
            .filter(|file| {
                file.path()
                    .extension()
                    .is_some_and(|extension| extension == "log")
            })
            .filter_map(|file| file.metadata().ok().map(|metadata| metadata.len()))
            .sum()
    }

    /// Drops a topic's pages from memory, those that are on disk already.
    pub fn forget_pages(&self, topic: &str) -> Result<(), String> {
        let drop_pages = || -> std::io::Result<()> {
            for folder in fs::read_dir(self.data())? {
                let folder = folder?;
                let name = folder.file_name().to_string_lossy().into_owned();
                if name.rsplit_once('-').is_none_or(|(of, _)| of != topic) {
                    continue;
                }
                for file in fs::read_dir(folder.path())? {
                    let file = fs::File::open(file?.path())?;
                    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
                }
            }
            Ok(())
        };
        drop_pages().map_err(|error| format!("cannot drop pages of {topic}: {error}"))
    }

    /// Waits until nothing of a deleted topic is left on disk: unlinking what a run has written
    /// shall not be part of the next one.
    pub fn forget_topic(&self, topic: &str) -> Result<(), String> {
        wire::delete_topic(self.port, topic)?;
        let prefix = format!("{topic}-");
        let end = Instant::now() + DELETED_WITHIN;
        while Instant::now() < end {
            let entries = fs::read_dir(self.data()).into_iter().flatten().flatten();
            let mut names = entries.map(|entry| entry.file_name());
            if !names.any(|name| name.to_string_lossy().starts_with(&prefix)) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!(
            "{} still has files of topic {topic} {} s after it was deleted",
            self.system.name(),
            DELETED_WITHIN.as_secs()
        ))
    }

    fn command(&self, installation: &Installation) -> Command {
        match self.system {
            System::Kafka => {
                let mut command = installation.java(&KAFKA_JVM);
                command
                    .arg("kafka.Kafka")
                    .arg(self.folder.join("server.properties"));
                command
            }
            System::Klamm => {
                let mut command = Command::new(&installation.klamm);
                command
                    .args(self.configuration().split(' '))
                    .stdin(Stdio::null());
                command
            }
        }
    }

    /// Starts the broker and returns at once.
    pub fn spawn(&self, installation: &Installation) -> Result<Broker, String> {
        let output = self.folder.join("output");
        let said = |error: std::io::Error| format!("cannot start {}: {error}", self.system.name());
        let file = fs::File::create(&output).map_err(said)?;
        let again = file.try_clone().map_err(said)?;
        let mut command = self.command(installation);
        // Its own process group: Ctrl-C reaches this program alone, which then ends the broker.
        let child = crate::orphans::spawn(command.stdout(file).stderr(again).process_group(0))
            .map_err(said)?;
        Ok(Broker {
            child: Some(child),
            node: self.clone(),
        })
    }

    /// Starts the broker and waits until it serves.
    pub fn start(&self, installation: &Installation) -> Result<Broker, String> {
        let mut broker = self.spawn(installation)?;
        let end = Instant::now() + SERVING_WITHIN;
        while Instant::now() < end {
            broker.must_live()?;
            if wire::serves(self.port) {
                return Ok(broker);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!(
            "{} did not serve within {} s; it printed:\n{}",
            self.system.name(),
            SERVING_WITHIN.as_secs(),
            broker.printed()
        ))
    }
}

/// A running broker. It is killed when this is dropped.
#[derive(Debug)]
pub struct Broker {
    child: Option<Child>,
    /// What it runs on.
    pub node: Node,
}

impl Broker {
    /// Its process.
    pub fn process(&self) -> u32 {
        self.child
            .as_ref()
            .expect("a broker runs until it is stopped")
            .id()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.node.port
    }

    /// An error with what it printed, if the process has ended.
    pub fn must_live(&mut self) -> Result<(), String> {
        let child = self
            .child
            .as_mut()
            .expect("a broker runs until it is stopped");
        match child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!(
                "{} ended ({status}); it printed:\n{}",
                self.node.system.name(),
                self.printed()
            )),
            Err(error) => Err(format!("cannot wait for the broker: {error}")),
        }
    }

    /// How long the turns of each of klamm's cores took since this was asked last. Nothing of Apache,
    /// which has no turns, and nothing where a core does not say it in time.
    pub fn turns(&self) -> Option<Vec<Turns>> {
        if self.node.system != System::Klamm {
            return None;
        }
        let before = self.output();
        let cores = turns::core_count(&before)?;
        let child = self.child.as_ref()?;
        signal(child, rustix::process::Signal::USR1);
        let end = Instant::now() + TOLD_WITHIN;
        while Instant::now() < end {
            let output = self.output();
            let said = turns::read_all(output.get(before.len()..).unwrap_or_default());
            if said.len() == cores {
                return Some(said);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        println!(
            "  klamm did not say within {} s how long its turns took",
            TOLD_WITHIN.as_secs()
        );
        None
    }

    /// All that it printed.
    fn output(&self) -> String {
        fs::read_to_string(self.node.folder.join("output")).unwrap_or_default()
    }

    /// The last lines it printed.
    fn printed(&self) -> String {
        let text = self.output();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// SIGTERM, and an error where it does not end in time or not well.
    pub fn stop(mut self) -> Result<(), String> {
        let mut child = self.child.take().expect("a broker is stopped once");
        let name = self.node.system.name();
        signal(&child, rustix::process::Signal::TERM);
        let end = Instant::now() + STOPPED_WITHIN;
        while Instant::now() < end {
            if let Ok(Some(_)) = child.try_wait() {
                crate::orphans::release(child.id());
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        end_now(&mut child);
        Err(format!(
            "{name} did not stop within {} s of SIGTERM",
            STOPPED_WITHIN.as_secs()
        ))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(child) = self.child.as_mut() {
            end_now(child);
        }
    }
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let process = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(process) = process {
        let _ = rustix::process::kill_process(process, signal);
    }
}

fn end_now(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
    crate::orphans::release(child.id());
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("cannot find a free port: {error}"))
}

/// Memory of a running broker in MB: now and at its highest.
pub fn memory_mb(broker: &Broker) -> Result<(f64, f64), String> {
    machine::memory_mb(broker.process())
}
