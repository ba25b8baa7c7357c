//! Apache Kafka in klamm's place, from the jars that its tools came with: what it answers is
//! right by definition, so a test that fails on it is a wrong test.

use crate::installed::java;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the voters of its quorum stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quorum {
    /// In `controller.quorum.voters`.
    Static,
    /// In the metadata log: KIP-853, `kafka-storage format --standalone`.
    Dynamic,
}

/// The file with its settings, for a directory and a port.
pub fn properties(directory: &Path, port: u16, quorum: Quorum, overrides: &[String]) -> PathBuf {
    let properties = directory.with_extension("properties");
    let settings = settings(directory, port, quorum, overrides);
    std::fs::write(&properties, settings).expect("a writable folder");
    properties
}

/// The command that starts Apache Kafka with its data in `directory`, formatted when it is new.
pub fn start(directory: &Path, port: u16, quorum: Quorum, overrides: &[String]) -> Command {
    let properties = properties(directory, port, quorum, overrides);
    if !directory.join("meta.properties").exists() {
        let how: &[&str] = match quorum {
            Quorum::Static => &[],
            Quorum::Dynamic => &["--standalone"],
        };
        let formatted = java("tools", "kafka.tools.StorageTool")
            .args(["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c"])
            .arg(&properties)
            .args(how)
            .stdout(Stdio::null())
            .status()
            .expect("java runs");
        assert!(
            formatted.success(),
            "Apache Kafka's directory was not formatted"
        );
    }
    let mut command = java("tools", "kafka.Kafka");
    command.arg(properties);
    command
}

fn settings(directory: &Path, port: u16, quorum: Quorum, overrides: &[String]) -> String {
    let controller = port + 1;
    let voters = match quorum {
        Quorum::Static => format!("controller.quorum.voters=1@127.0.0.1:{controller}"),
        Quorum::Dynamic => format!("controller.quorum.bootstrap.servers=127.0.0.1:{controller}"),
    };
    let mut lines = vec![
        "process.roles=broker,controller".to_owned(),
        "node.id=1".to_owned(),
        voters,
        format!("listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"),
        format!("advertised.listeners=PLAINTEXT://127.0.0.1:{port}"),
        "controller.listener.names=CONTROLLER".to_owned(),
        format!("log.dirs={}", directory.display()),
        "offsets.topic.replication.factor=1".to_owned(),
        "transaction.state.log.replication.factor=1".to_owned(),
        "transaction.state.log.min.isr=1".to_owned(),
    ];
    lines.extend(
        overrides
            .iter()
            .filter(|line| !line.starts_with("klamm."))
            .cloned(),
    );
    lines.join("\n") + "\n"
}
