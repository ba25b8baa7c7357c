//! The start of a broker: its directories are found, locked and formatted before any shard runs; then
//! each shard is built on its own core, and shard 0 reads the metadata for all.
//!
//! ```text
//!   Start::prepare ─► shard 0: metadata log, controller ─► Mail::Image ─► every shard: its logs
//!                                                     Mail::Opened ◄──┘
//!                     shard 0: registers the broker ─► Mail::Serve ─► announcement
//! ```

use super::control::Control;
use super::coordinators::Coordinators;
use super::format::{claim, format_directory};
use super::mail::Mail;
use super::timers::Timers;
use super::{Phase, Shard, logs};
use crate::base::prng::Prng;
use crate::base::time::Now;
use crate::base::uuid::Uuid;
use crate::config::Configuration;
use crate::connection::Receiver;
use crate::controller::quorum::DIRECTORY_NAME;
use crate::handler::{Broker, Outbox, ProducerIds};
use crate::log::checkpoint::{self, OffsetCheckpoint};
use crate::log::clean_shutdown;
use crate::log::directory::{self, DirectoryKind};
use crate::log::meta_properties::{self, MetaProperties};
use crate::metadata::checkpoint::BOOTSTRAP_FILE_NAME;
use crate::metadata::image::MetadataImage;
use crate::partition::session::FetchSessions;
use crate::partition::settings::TopicSettingsTable;
use crate::partition::{Partitions, TurnEffects};
use crate::runtime::disk::{DirectoryLock, Disk};
use crate::runtime::io::Io;
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Everything that is decided before the shards run. Shared by them, read-only.
pub struct Start {
    configuration: Arc<Configuration>,
    broker: Arc<Broker>,
    directories: Arc<Directories>,
    announce: Box<dyn Fn(&Announcement) + Send + Sync>,
}

/// The log directories, locked for this process.
pub struct Directories {
    /// In the order of `log.dirs`.
    pub list: Vec<Directory>,
    /// Where the metadata log lies, and that directory's id: one of the list, or one of its own.
    pub home: (PathBuf, Uuid),
    _locks: Vec<DirectoryLock>,
}

/// A directory that was locked, and the setting that names it.
struct Found {
    key: &'static str,
    path: PathBuf,
    properties: Option<MetaProperties>,
}

/// One log directory as it was found.
pub struct Directory {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// Its id, from `meta.properties`.
    pub id: Uuid,
    /// Whether the last stop was a clean one.
    pub is_clean: bool,
    /// From `.kafka_cleanshutdown`: the broker epoch of that stop.
    pub broker_epoch: Option<i64>,
    /// What stands in `recovery-point-offset-checkpoint`.
    pub recovery_points: OffsetCheckpoint,
    /// What stands in `log-start-offset-checkpoint`.
    pub log_start_offsets: OffsetCheckpoint,
    names: BTreeSet<String>,
}

/// What the broker says of itself once it serves.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// How many cores serve.
    pub cores: usize,
    /// The log directories.
    pub directories: Vec<PathBuf>,
    /// The cluster's id.
    pub cluster_id: String,
    /// How many logs were opened.
    pub logs: usize,
    /// Bytes read again because the last stop was not clean.
    pub scanned_bytes: u64,
    /// Bytes cut off.
    pub truncated_bytes: u64,
    /// From the start of the process to serving.
    pub took: Duration,
}

impl Directories {
    /// The directory that holds a log.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.list
            .iter()
            .position(|directory| directory.names.contains(name))
    }
}

impl Start {
    /// Finds, locks, and where they are new formats the directories of a configuration.
    ///
    /// # Errors
    /// One sentence that says what, where, and how to mend it.
    pub fn prepare(
        disk: &Disk,
        configuration: Configuration,
        now: Now,
        prng: &mut Prng,
        announce: impl Fn(&Announcement) + Send + Sync + 'static,
    ) -> Result<Start, String> {
        let mut locks = Vec::new();
        let mut found = Vec::new();
        let mut take = |key, path: &str| {
            let (path, lock) = claim(disk, key, Path::new(path))?;
            let properties =
                meta_properties::read(disk, &path).map_err(|error| error.to_string())?;
            locks.push(lock);
            found.push(Found {
                key,
                path: path.clone(),
                properties,
            });
            Ok::<PathBuf, String>(path)
        };
        let mut log_dirs = Vec::new();
        for path in configuration.log_dirs() {
            log_dirs.push(take("log.dirs", path)?);
        }
        // The metadata log may have a directory of its own, which then holds nothing else.
        let home = disk
            .absolute(Path::new(configuration.metadata_log_dir()))
            .ok()
            .filter(|path| log_dirs.contains(path));
        let home = match home {
            Some(path) => path,
            None => take("metadata.log.dir", configuration.metadata_log_dir())?,
        };
        let cluster_id = common_cluster_id(&configuration, &found)?
            .unwrap_or_else(|| Uuid::from_random(prng.next(), prng.next()).to_string());
        refuse_headless(disk, &found, &home)?;
        // The metadata's directory first: what is formatted without it is refused from then on.
        found.sort_by_key(|one| one.path != home);
        let mut list = Vec::new();
        let mut home_id = Uuid::ZERO;
        for Found {
            key,
            path,
            properties,
        } in found
        {
            let is_home = home == path;
            let properties = match properties {
                Some(properties) if properties.directory_id.is_some() => properties,
                other => {
                    if other.is_none() {
                        refuse_foreign(disk, key, &path)?;
                    }
                    let properties = MetaProperties {
                        version: 1,
                        cluster_id: Some(cluster_id.clone()),
                        node_id: Some(configuration.node_id()),
                        directory_id: Some(Uuid::from_random(prng.next(), prng.next())),
                    };
                    let bootstrap = (is_home && other.is_none()).then_some(now);
                    format_directory(disk, &path, &properties, bootstrap)?;
                    properties
                }
            };
            let id = properties.directory_id.unwrap_or_default();
            if is_home {
                home_id = id;
            }
            if log_dirs.contains(&path) {
                list.push(Directory::find(disk, path, id).map_err(|error| error.to_string())?);
            }
        }
        list.sort_by_key(|one: &Directory| log_dirs.iter().position(|path| *path == one.path));
        let broker = Broker {
            cluster_id,
            directories: list
                .iter()
                .map(|directory| directory.path.clone())
                .collect(),
        };
        Ok(Start {
            configuration: Arc::new(configuration),
            broker: Arc::new(broker),
            directories: Arc::new(Directories {
                list,
                home: (home, home_id),
                _locks: locks,
            }),
            announce: Box::new(announce),
        })
    }

    /// Builds the shard of the core that `io` belongs to.
    ///
    /// # Errors
    /// One sentence: the metadata cannot be read.
    pub fn build(self: &Arc<Self>, io: &mut Io<Mail>) -> Result<Shard, String> {
        let configuration = Arc::clone(&self.configuration);
        let slots = configuration.max_incremental_fetch_session_cache_slots();
        let mut shard = Shard {
            core: io.core(),
            cores: io.cores(),
            phase: Phase::Opening,
            stops_when_serving: false,
            receiver: Receiver::new(io.pool(), configuration.socket_request_max_bytes()),
            timers: Timers::new(io.now().instant, &configuration),
            sessions: FetchSessions::new(slots.div_ceil(io.cores()), io.core(), io.cores()),
            logs: logs::Logs::new(Arc::clone(&self.directories)),
            static_configuration: Arc::clone(&configuration),
            configuration,
            broker: Arc::clone(&self.broker),
            start: Arc::clone(self),
            image: MetadataImage::empty(),
            topics: TopicSettingsTable::default(),
            producer_ids: ProducerIds::default(),
            connections: super::connections::Connections::default(),
            requests: super::requests::Requests::default(),
            partitions: Partitions::default(),
            coordinators: Coordinators::default(),
            control: None,
            outbox: Outbox::default(),
            effects: TurnEffects::default(),
            readable: VecDeque::new(),
            unsent: Vec::new(),
            frames: Vec::new(),
            local: VecDeque::new(),
            checkpoints: super::checkpoints::Checkpoints::default(),
            complaints: std::collections::BTreeSet::new(),
        };
        if shard.core == 0 {
            let control =
                Control::open(io, &shard.configuration, &shard.broker, &self.directories)?;
            shard.control = Some(control);
            io.turn_again();
        }
        Ok(shard)
    }

    pub(super) fn announce(&self, announcement: &Announcement) {
        (self.announce)(announcement);
    }
}

impl Directory {
    /// Names of logs that were deleted, and whose files a crash kept from going.
    pub fn deleted(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).filter(|name| {
            directory::parse(name).is_some_and(|(_, _, kind)| kind == DirectoryKind::Deleted)
        })
    }

    fn find(disk: &Disk, path: PathBuf, id: Uuid) -> Result<Directory, crate::log::StorageError> {
        let clean = clean_shutdown::read(disk, &path)?;
        // From here on a stop is an unclean one, until the logs are closed.
        clean_shutdown::remove(disk, &path)?;
        let names = disk
            .list(&path)
            .map_err(|error| crate::log::StorageError::io("list", &path, error))?
            .into_iter()
            .filter(|entry| entry.is_directory)
            .map(|entry| entry.name)
            .collect();
        Ok(Directory {
            id,
            is_clean: clean.is_some(),
            broker_epoch: clean.and_then(|clean| clean.broker_epoch),
            recovery_points: checkpoint::read(disk, &path.join(checkpoint::RECOVERY_POINT))?,
            log_start_offsets: checkpoint::read(disk, &path.join(checkpoint::LOG_START_OFFSET))?,
            names,
            path,
        })
    }
}

/// The cluster id of all directories that have one. They must agree, and be this node's.
fn common_cluster_id(
    configuration: &Configuration,
    found: &[Found],
) -> Result<Option<String>, String> {
    let mut first: Option<(&Path, &str)> = None;
    for Found {
        path, properties, ..
    } in found
    {
        let Some(properties) = properties else {
            continue;
        };
        if let Some(node_id) = properties.node_id
            && node_id != configuration.node_id()
        {
            return Err(format!(
                "{} belongs to node {node_id}, and this is node {}; start it with: --override \
                 node.id={node_id}",
                path.join("meta.properties").display(),
                configuration.node_id()
            ));
        }
        let Some(cluster_id) = properties.cluster_id.as_deref() else {
            continue;
        };
        match first {
            Some((other, known)) if known != cluster_id => {
                return Err(format!(
                    "{} belongs to cluster {cluster_id}, and {} to cluster {known}; name the \
                     directories of one cluster only, as with: --override log.dirs={}",
                    path.display(),
                    other.display(),
                    other.display()
                ));
            }
            Some(_) => {}
            None => first = Some((path, cluster_id)),
        }
    }
    Ok(first.map(|(_, cluster_id)| cluster_id.to_owned()))
}

/// Where the logs of a cluster are, its metadata must be, too: a new metadata log knows no topic.
fn refuse_headless(disk: &Disk, found: &[Found], home: &Path) -> Result<(), String> {
    let is_new = |one: &Found| one.path == home && one.properties.is_none();
    let formatted = || found.iter().filter(|one| one.properties.is_some());
    let has_metadata = |one: &&Found| disk.exists(&one.path.join(DIRECTORY_NAME));
    match formatted().find(has_metadata).or(formatted().next()) {
        Some(known) if found.iter().any(is_new) => Err(format!(
            "{} is to hold the metadata log and holds none, but {} belongs to a cluster, whose \
             topics would not be found; name the directory that has __cluster_metadata-0 with: \
             --override metadata.log.dir={}",
            home.display(),
            known.path.display(),
            known.path.display()
        )),
        Some(_) | None => Ok(()),
    }
}

/// A directory without `meta.properties` that is not empty is somebody else's.
fn refuse_foreign(disk: &Disk, key: &str, path: &Path) -> Result<(), String> {
    let entries = disk.list(path).map_err(|error| {
        format!(
            "{key}: {} cannot be listed: {error}; choose a directory that this user may read with: \
             --override {key}=PATH",
            path.display()
        )
    })?;
    let foreign = entries
        .iter()
        // A format that was cut off may have left the checkpoint behind.
        .find(|entry| ![".lock", "lost+found", BOOTSTRAP_FILE_NAME].contains(&&*entry.name));
    match foreign {
        None => Ok(()),
        Some(entry) => Err(format!(
            "{key}: {} holds {} but no meta.properties, so it is not a Kafka data directory; choose \
             an empty one with: --override {key}=PATH",
            path.display(),
            entry.name
        )),
    }
}
