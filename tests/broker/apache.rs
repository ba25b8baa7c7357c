//! Apache Kafka in klamm's place, from the jars that its tools came with: what it answers is
//! right by definition, so a test that fails on it is a wrong test.

use crate::installed::java;
use std::path::Path;
use std::process::{Command, Stdio};

/// The command that starts Apache Kafka with its data in `directory`, formatted when it is new.
pub fn start(directory: &Path, port: u16, overrides: &[String]) -> Command {
    let properties = directory.with_extension("properties");
    std::fs::write(&properties, settings(directory, port, overrides)).expect("a writable folder");
    if !directory.join("meta.properties").exists() {
        let formatted = java("tools", "kafka.tools.StorageTool")
            .args(["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c"])
            .arg(&properties)
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

fn settings(directory: &Path, port: u16, overrides: &[String]) -> String {
    let controller = port + 1;
    let mut lines = vec![
        "process.roles=broker,controller".to_owned(),
        "node.id=1".to_owned(),
        format!("controller.quorum.voters=1@127.0.0.1:{controller}"),
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
