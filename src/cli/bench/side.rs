//! One of the two brokers that are measured: how it is reached, what its process is, how it is
//! configured, and the topics that were made on it, which go when the bench does.

use super::process::Meter;
use crate::base::ids::NodeId;
use crate::base::prng::Prng;
use crate::cli::error::CliError;
use crate::cli::output::notice;
use crate::cli::tune::machine::Tree;
use crate::client::admin::{NewTopic, RESOURCE_BROKER};
use crate::client::{Client, ClientOptions};
use crate::protocol::ErrorCode;
use crate::runtime::blocking::{Clock, is_own_address, random_bits};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Names of all topics that are made begin so.
pub const TOPIC_PREFIX: &str = "klamm-bench-";

/// Longest wait for an answer: a broker that takes longer is not measured.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Most settings of a broker that are shown.
const SETTINGS_MAX: usize = 200;

/// What a side is told on the command line.
#[derive(Clone, Copy, Debug)]
pub struct SideArguments<'a> {
    /// `a` or `b`.
    pub name: &'static str,
    /// Its bootstrap servers.
    pub servers: &'a str,
    /// Its process, where that is said.
    pub pid: Option<u32>,
    /// Its control group, where that is said.
    pub cgroup: Option<&'a Path>,
}

/// A broker that is measured.
#[derive(Debug)]
pub struct Side {
    /// `a` or `b`.
    pub name: &'static str,
    /// As it was given.
    pub servers: String,
    /// For the connections of its load.
    pub options: ClientOptions,
    /// For what is asked beside the load.
    pub client: Client,
    /// Where its CPU time is read.
    pub meter: Meter,
    topics: Vec<String>,
    prng: Prng,
}

impl Side {
    /// Connects, and finds the process.
    pub fn connect(
        clock: Clock,
        tree: Tree<'_>,
        arguments: SideArguments<'_>,
    ) -> Result<Side, CliError> {
        let mut options = ClientOptions::new(arguments.servers, "klamm-bench")
            .map_err(|error| CliError::Usage(error.to_string()))?;
        options.request_timeout = ANSWER_MAX;
        options.max_block = ANSWER_MAX;
        let client = Client::connect_by(clock, options.clone())
            .map_err(|error| failed(arguments.name, arguments.servers, &error))?;
        let brokers: Vec<(String, u16)> = client
            .cluster()
            .brokers()
            .map(|broker| (broker.host.clone(), broker.port))
            .collect();
        // One process is asked for its CPU, so there is one broker, and it is on this machine.
        let local = match (options.bootstrap.as_slice(), brokers.as_slice()) {
            ([(host, port)], [_]) if is_own_address(host) => Some(*port),
            _ => None,
        };
        let meter = Meter::find(tree, arguments.pid, arguments.cgroup, local)?;
        let (seed, _) = random_bits().map_err(|error| {
            CliError::Failed(format!("the kernel gives no random bits: {error}"))
        })?;
        Ok(Side {
            name: arguments.name,
            servers: arguments.servers.to_owned(),
            options,
            client,
            meter,
            topics: Vec::new(),
            prng: Prng::new(seed),
        })
    }

    /// An error of this side, with its name in front.
    #[must_use]
    pub fn failed(&self, error: &dyn std::fmt::Display) -> CliError {
        failed(self.name, &self.servers, error)
    }

    /// What tells whether two sides are one broker.
    #[must_use]
    pub fn identity(&self) -> (Option<String>, Vec<(String, u16)>) {
        let cluster = self.client.cluster();
        let brokers = cluster.brokers();
        (
            cluster.cluster_id().map(str::to_owned),
            brokers
                .map(|broker| (broker.host.clone(), broker.port))
                .collect(),
        )
    }

    /// Makes a topic of one's own, gives its name and how long it took.
    pub fn create_topic(
        &mut self,
        workload: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Result<(String, Duration), CliError> {
        let name = format!("{TOPIC_PREFIX}{workload}-{:016x}", self.prng.next());
        // Remembered first: it may exist even where the answer does not come.
        self.topics.push(name.clone());
        let started = self.client.now().instant;
        let topic = NewTopic {
            name: name.clone(),
            partitions: Some(partitions),
            replication_factor: Some(1),
            configs: configs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<String, String>>(),
            ..NewTopic::default()
        };
        self.client
            .create_topic(&topic)
            .map_err(|error| self.failed(&error))?;
        let took = self.client.now().instant.since(started);
        self.wait_for_leaders(&name, partitions)?;
        Ok((name, took))
    }

    /// A leader is sometimes chosen a moment after the topic is there.
    fn wait_for_leaders(&mut self, topic: &str, partitions: i32) -> Result<(), CliError> {
        let started = self.client.now().instant;
        loop {
            self.client
                .refresh(Some(&[topic]), false)
                .map_err(|error| self.failed(&error))?;
            let cluster = self.client.cluster();
            let led = |index: i32| cluster.leader(topic, index).is_some();
            if cluster.partition_count(topic) == partitions && (0..partitions).all(led) {
                return Ok(());
            }
            if self.client.now().instant.since(started) > ANSWER_MAX {
                let why = format!("topic {topic} has no leaders yet");
                return Err(self.failed(&why));
            }
            self.client
                .pause(Duration::from_millis(20))
                .map_err(|error| self.failed(&error))?;
        }
    }

    /// Deletes what was made. What stays is named: somebody else has to delete it.
    pub fn delete_topics(&mut self) {
        for topic in std::mem::take(&mut self.topics) {
            let deleted = self.client.delete_topics(std::slice::from_ref(&topic));
            match deleted {
                Ok(()) => {}
                Err(error) if error.code() == Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) => {}
                Err(error) => notice(format_args!(
                    "The topic {topic} at {} could not be deleted: {error}",
                    self.servers
                )),
            }
        }
    }

    /// How it is configured, in words: what is not Kafka's own default.
    pub fn configuration(&mut self, tree: Tree<'_>) -> String {
        let (cluster_id, brokers) = self.identity();
        let mut lines = vec![
            self.servers.clone(),
            self.meter.describe(tree),
            format!(
                "cluster {}, {} broker(s)",
                cluster_id.as_deref().unwrap_or("without an id"),
                brokers.len()
            ),
        ];
        let nodes: Vec<NodeId> = self
            .client
            .cluster()
            .brokers()
            .map(|broker| broker.node)
            .collect();
        let Some(first) = nodes.first() else {
            return lines.join("\n");
        };
        // What is secret the broker itself keeps back.
        match self.client.configs(RESOURCE_BROKER, &[first.0.to_string()]) {
            Ok(configs) => {
                let entries = configs.into_values().flatten();
                let set = entries.filter(|entry| !entry.is_default);
                lines.extend(set.take(SETTINGS_MAX).map(|entry| {
                    format!(
                        "{}={}",
                        entry.name,
                        entry.value.unwrap_or("(hidden)".to_owned())
                    )
                }));
            }
            Err(error) => lines.push(format!("its settings are not known: {error}")),
        }
        lines.join("\n")
    }
}

fn failed(name: &str, servers: &str, error: &dyn std::fmt::Display) -> CliError {
    CliError::Failed(format!("side {}, {servers}: {error}", name.to_uppercase()))
}
