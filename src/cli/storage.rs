//! `klamm storage`: format the log directories of a node, or say what is in them.

use super::error::CliError;
use super::output::{Output, notice};
use crate::base::ids::NodeId;
use crate::base::time::Now;
use crate::base::uuid::Uuid;
use crate::config::{Configuration, Sources};
use crate::log::meta_properties::{self, MetaProperties};
use crate::metadata::features::METADATA_VERSION_DEFAULT_NAME;
use crate::runtime::blocking::random_bits;
use crate::runtime::disk::Disk;
use crate::runtime::native::process;
use crate::shard::{claim, format_directory};
use std::path::{Path, PathBuf};

/// Largest configuration file that is read.
const CONFIG_BYTES_MAX: usize = 1 << 20;

/// Format the log directories of a node, or say what is in them.
#[derive(clap::Args, Clone, Debug)]
pub struct StorageArguments {
    #[command(subcommand)]
    action: StorageAction,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum StorageAction {
    /// Get information about the log directories on this node.
    Info {
        /// The Kafka configuration file to use.
        #[arg(short = 'c', long, value_name = "file")]
        config: PathBuf,
    },
    /// Format the log directories on this node.
    Format(FormatArguments),
    /// Print a random UUID.
    RandomUuid,
}

/// What `storage format` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct FormatArguments {
    /// The Kafka configuration file to use.
    #[arg(short = 'c', long, value_name = "file")]
    config: PathBuf,
    /// The cluster id to use; klamm storage random-uuid makes one.
    #[arg(short = 't', long, value_name = "id")]
    cluster_id: String,
    /// Skip directories that are already formatted, instead of refusing.
    #[arg(short = 'g', long)]
    ignore_formatted: bool,
    /// Begin with this controller as the only voter: what klamm does with the flag and without it.
    #[arg(short = 's', long)]
    standalone: bool,
}

/// Does what the action says.
pub fn run(arguments: &StorageArguments, output: &mut Output<'_>) -> Result<(), CliError> {
    let disk = Disk::Native;
    match &arguments.action {
        StorageAction::RandomUuid => output.line(random_uuid()?),
        StorageAction::Info { config } => info(&disk, &configuration(&disk, config)?, output),
        StorageAction::Format(arguments) => {
            let configuration = configuration(&disk, &arguments.config)?;
            let now = process::Clock::start().now();
            format(
                &disk,
                &configuration,
                arguments,
                now,
                &mut random_uuid,
                output,
            )
        }
    }
}

fn random_uuid() -> Result<Uuid, CliError> {
    let (high, low) = random_bits()
        .map_err(|error| CliError::Failed(format!("cannot read /dev/urandom: {error}")))?;
    Ok(Uuid::from_random(high, low))
}

fn configuration(disk: &Disk, path: &Path) -> Result<Configuration, CliError> {
    let content = disk
        .read(path, CONFIG_BYTES_MAX)
        .map_err(|error| CliError::Failed(format!("cannot read {}: {error}", path.display())))?;
    let name = path.display().to_string();
    let sources = Sources {
        file: Some((&name, &content)),
        environment: &[],
        overrides: &[],
    };
    // Notices are for the broker to give when it starts with this file.
    Configuration::load(&sources, false)
        .map(|(configuration, _)| configuration)
        .map_err(|errors| CliError::Failed(errors.to_string()))
}

fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::Failed(error.to_string())
}

/// All directories of a node: those of the logs, and the metadata log's where it is another.
fn directories(configuration: &Configuration) -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> =
        configuration.log_dirs().iter().map(PathBuf::from).collect();
    let metadata = PathBuf::from(configuration.metadata_log_dir());
    if !directories.contains(&metadata) {
        directories.push(metadata);
    }
    directories.sort();
    directories.dedup();
    directories
}

/// Prints as `kafka-storage info` does: the directories, what they say, what is wrong with them.
fn info(
    disk: &Disk,
    configuration: &Configuration,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut found = Vec::new();
    let mut metadata: Option<MetaProperties> = None;
    let mut problems = Vec::new();
    for directory in directories(configuration) {
        let path = directory.display();
        if !disk.exists(&directory) {
            problems.push(format!("{path} does not exist"));
            continue;
        }
        match meta_properties::read(disk, &directory) {
            Err(error) => problems.push(error.to_string()),
            Ok(None) => {
                found.push(path.to_string());
                problems.push(format!("{path} is not formatted."));
            }
            Ok(Some(properties)) => {
                found.push(path.to_string());
                let other = metadata.as_ref().filter(|other| {
                    other.cluster_id != properties.cluster_id || other.node_id != properties.node_id
                });
                if other.is_some() {
                    problems.push(format!(
                        "Metadata for {path} was {}, but other directories say otherwise",
                        described(&properties)
                    ));
                }
                metadata.get_or_insert(properties);
            }
        }
    }
    section(output, "Found log director", &["y", "ies"], &found)?;
    if let Some(properties) = &metadata {
        output.line(format_args!("Found metadata: {}\n", described(properties)))?;
    }
    section(output, "Found problem", &["", "s"], &problems)?;
    match problems.len() {
        0 => Ok(()),
        count => Err(CliError::Failed(format!("{count} problem(s) found"))),
    }
}

fn section(
    output: &mut Output<'_>,
    title: &str,
    endings: &[&str; 2],
    lines: &[String],
) -> Result<(), CliError> {
    if lines.is_empty() {
        return Ok(());
    }
    let ending = endings[usize::from(lines.len() > 1)];
    output.line(format_args!("{title}{ending}:"))?;
    for line in lines {
        output.line(format_args!("  {line}"))?;
    }
    output.line("")
}

/// As Java prints the map of the properties.
fn described(properties: &MetaProperties) -> String {
    let mut pairs = Vec::new();
    if let Some(id) = &properties.cluster_id {
        pairs.push(format!("cluster.id={id}"));
    }
    if let Some(id) = properties.directory_id {
        pairs.push(format!("directory.id={id}"));
    }
    if let Some(id) = properties.node_id {
        pairs.push(format!("node.id={id}"));
    }
    pairs.push(format!("version={}", properties.version));
    format!("{{{}}}", pairs.join(", "))
}

/// Makes log directories of directories that are none yet. One that belongs to another cluster or node is
/// refused before any is touched.
fn format(
    disk: &Disk,
    configuration: &Configuration,
    arguments: &FormatArguments,
    now: Now,
    random_uuid: &mut dyn FnMut() -> Result<Uuid, CliError>,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let cluster_id = arguments.cluster_id.trim();
    if cluster_id.is_empty() {
        return Err(CliError::Usage("--cluster-id may not be empty".to_owned()));
    }
    if Uuid::parse(cluster_id).is_none() {
        notice(format_args!(
            "the cluster id '{cluster_id}' is not one that klamm storage random-uuid would make; \
             it is taken as it is"
        ));
    }
    let node_id = configuration.node_id();
    let mut unformatted = Vec::new();
    for directory in directories(configuration) {
        match meta_properties::read(disk, &directory).map_err(failed)? {
            None => unformatted.push(directory),
            Some(existing) => {
                check_existing(&directory, &existing, cluster_id, node_id, arguments)?
            }
        }
    }
    if unformatted.is_empty() {
        return output.line("All of the log directories are already formatted.");
    }
    if arguments.standalone {
        notice(
            "--standalone changes nothing: klamm's quorum is always this node alone; where Apache \
             Kafka shall start on the directory, name the node in controller.quorum.voters",
        );
    }
    // All are locked before any is written: a broker that runs on one of them keeps all.
    let mut claimed = Vec::new();
    for directory in unformatted {
        let is_metadata = directory.as_path() == Path::new(configuration.metadata_log_dir());
        let is_log_dir = configuration
            .log_dirs()
            .iter()
            .any(|dir| Path::new(dir) == directory);
        let key = if is_log_dir {
            "log.dirs"
        } else {
            "metadata.log.dir"
        };
        let (path, lock) = claim(disk, key, &directory).map_err(CliError::Failed)?;
        claimed.push((directory, path, is_metadata, lock));
    }
    for (directory, path, is_metadata, _lock) in &claimed {
        let kind = if *is_metadata { "metadata" } else { "data" };
        output.line(format_args!(
            "Formatting {kind} directory {} with metadata.version {METADATA_VERSION_DEFAULT_NAME}.",
            directory.display()
        ))?;
        let properties = MetaProperties {
            version: 1,
            cluster_id: Some(cluster_id.to_owned()),
            node_id: Some(node_id),
            directory_id: Some(random_uuid()?),
        };
        format_directory(disk, path, &properties, is_metadata.then_some(now))
            .map_err(CliError::Failed)?;
    }
    Ok(())
}

fn check_existing(
    directory: &Path,
    existing: &MetaProperties,
    cluster_id: &str,
    node_id: NodeId,
    arguments: &FormatArguments,
) -> Result<(), CliError> {
    let path = directory.display();
    if !arguments.ignore_formatted {
        return Err(CliError::Failed(format!(
            "Log directory {path} is already formatted. Use --ignore-formatted to ignore this \
             directory and format the others."
        )));
    }
    if let Some(found) = existing.cluster_id.as_deref()
        && found != cluster_id
    {
        return Err(CliError::Failed(format!(
            "Invalid cluster.id in: {path}/meta.properties. Expected {cluster_id}, but read {found}"
        )));
    }
    if let Some(found) = existing.node_id
        && found != node_id
    {
        return Err(CliError::Failed(format!(
            "Stored node id {found} doesn't match configured node id {node_id} in \
             {path}/meta.properties"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{Instant, Timestamp};
    use expect_test::expect;

    fn arguments(cluster_id: &str, ignore_formatted: bool) -> FormatArguments {
        FormatArguments {
            config: PathBuf::new(),
            cluster_id: cluster_id.to_owned(),
            ignore_formatted,
            standalone: true,
        }
    }

    #[test]
    fn formats_once_and_tells_what_is_there() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name).display().to_string();
        let file = root.path().join("server.properties");
        let dirs = format!("log.dirs={},{}\nnode.id=3\n", at("a"), at("b"));
        let text = format!(
            "{dirs}process.roles=broker,controller\ncontroller.listener.names=C\n\
             controller.quorum.voters=3@localhost:9093\nlisteners=PLAINTEXT://:9092,C://:9093\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,C:PLAINTEXT\n"
        );
        Disk::Native
            .write_atomically(&file, text.as_bytes())
            .unwrap();
        let configuration = configuration(&Disk::Native, &file).unwrap();
        let mut out = Vec::new();
        let mut output = Output::to(&mut out);
        let mut ids = 0;
        let mut next_id = || {
            ids += 1;
            Ok(Uuid([ids; 16]))
        };
        let now = Now {
            instant: Instant(0),
            timestamp: Timestamp(1_700_000_000_000),
        };
        let mut step = |cluster_id: &str, ignore: bool, output: &mut Output<'_>| {
            let arguments = arguments(cluster_id, ignore);
            let result = format(
                &Disk::Native,
                &configuration,
                &arguments,
                now,
                &mut next_id,
                output,
            );
            if let Err(error) = result {
                output.line(format_args!("! {error}")).unwrap();
            }
        };
        let show = |output: &mut Output<'_>| {
            if let Err(error) = info(&Disk::Native, &configuration, output) {
                output.line(format_args!("! {error}")).unwrap();
            }
        };
        show(&mut output);
        step("AAAAAAAAAAAAAAAAAAAAAQ", false, &mut output);
        show(&mut output);
        step("AAAAAAAAAAAAAAAAAAAAAQ", false, &mut output);
        step("AAAAAAAAAAAAAAAAAAAAAQ", true, &mut output);
        step("AAAAAAAAAAAAAAAAAAAAAg", true, &mut output);
        output.flush().unwrap();
        drop(output);
        let root = format!("{}/", root.path().display());
        expect![[r#"
            Found problems:
              a does not exist
              b does not exist

            ! 2 problem(s) found
            Formatting metadata directory a with metadata.version 4.3-IV0.
            Formatting data directory b with metadata.version 4.3-IV0.
            Found log directories:
              a
              b

            Found metadata: {cluster.id=AAAAAAAAAAAAAAAAAAAAAQ, directory.id=AQEBAQEBAQEBAQEBAQEBAQ, node.id=3, version=1}

            ! Log directory a is already formatted. Use --ignore-formatted to ignore this directory and format the others.
            All of the log directories are already formatted.
            ! Invalid cluster.id in: a/meta.properties. Expected AAAAAAAAAAAAAAAAAAAAAg, but read AAAAAAAAAAAAAAAAAAAAAQ
        "#]].assert_eq(&String::from_utf8(out).unwrap().replace(&root, ""));
    }
}
