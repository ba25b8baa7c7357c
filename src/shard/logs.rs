//! The logs of this core on disk: opened when the shard starts, made and deleted as the metadata
//! says.

use super::mail::{CheckpointEntry, Mail, Opened};
use super::start::Directories;
use super::{Phase, Shard};
use crate::base::ids::{LeaderEpoch, NodeId, PartitionIndex, TopicPartition};
use crate::base::time::Now;
use crate::log::{Log, OpenInput, StorageError};
use crate::metadata::delta::{MetadataDelta, PartitionDelta};
use crate::metadata::image::topics::Topic;
use crate::partition::Partition;
use crate::partition::placement::owner;
use crate::protocol::string::Str;
use crate::runtime::io::Io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What this core knows of the log directories.
pub struct Logs {
    /// The directories as they were found at the start, and what they hold.
    pub directories: Arc<Directories>,
    /// How many logs this core has put into each.
    counts: Vec<usize>,
    /// Whether they were closed for a stop: what is still asked of them then is not done.
    pub are_closed: bool,
}

/// A log to open or to make.
struct Wanted {
    topic_partition: TopicPartition,
    topic: Arc<str>,
    /// In which epoch this node leads it, if it does.
    leader_epoch: Option<LeaderEpoch>,
}

impl Logs {
    pub fn new(directories: Arc<Directories>) -> Logs {
        let counts = vec![0; directories.list.len()];
        Logs {
            directories,
            counts,
            are_closed: false,
        }
    }

    /// The directory for a new log: the one with the fewest, as Kafka chooses.
    fn choose(&self) -> usize {
        let fewest = (0..self.counts.len()).min_by_key(|place| self.counts[*place]);
        fewest.expect("there is at least one log directory")
    }
}

impl Shard {
    /// Opens every log that the image puts on this core, and tells shard 0 what that took.
    pub(super) fn open_logs(&mut self, io: &mut Io<Mail>) {
        let mut opened = Opened::default();
        let node_id = self.configuration.node_id();
        let wanted: Vec<Wanted> = self
            .image
            .topics
            .iter()
            .flat_map(|topic| wanted_of(topic, node_id))
            .filter(|wanted| owner(wanted.topic_partition, self.cores) == self.core)
            .collect();
        for wanted in wanted {
            match self.open_log(io, &wanted) {
                Ok(one) => {
                    opened.logs += 1;
                    opened.scanned_bytes += one.scanned_bytes;
                    opened.truncated_bytes += one.truncated_bytes;
                }
                Err(error) => tracing::error!(
                    "{}-{} is offline: {error}",
                    wanted.topic,
                    wanted.topic_partition.partition
                ),
            }
        }
        self.pass(io, 0, Mail::Opened(opened));
    }

    /// Shard 0: removes what a crash left of deleted logs.
    pub(super) fn remove_deleted(&mut self, io: &mut Io<Mail>) {
        let directories = Arc::clone(&self.logs.directories);
        for directory in &directories.list {
            for name in directory.deleted() {
                io.remove_directory(&directory.path.join(name));
            }
        }
    }

    /// Opens a log where it lies, or makes it where the metadata knows it and no directory does.
    fn open_log(&mut self, io: &Io<Mail>, wanted: &Wanted) -> Result<Opened, StorageError> {
        let directories = Arc::clone(&self.logs.directories);
        let name = directory_name(&wanted.topic, wanted.topic_partition.partition);
        let Some(place) = directories.find(&name) else {
            self.create_log(io, wanted)?;
            return Ok(Opened::default());
        };
        let directory = &directories.list[place];
        let key = (wanted.topic.to_string(), wanted.topic_partition.partition);
        let input = OpenInput {
            clean: directory.is_clean,
            recovery_point: directory
                .recovery_points
                .get(&key)
                .copied()
                .unwrap_or_default(),
            log_start_offset: directory
                .log_start_offsets
                .get(&key)
                .copied()
                .unwrap_or_default(),
        };
        let path = directory.path.join(&name);
        let config = self.log_config(wanted.topic_partition);
        let (mut log, recovered) = Log::open(io.disk(), &path, config, input, io.now())?;
        if log.topic_id() != wanted.topic_partition.topic_id {
            // The directory belongs to a topic of the same name that was deleted.
            tracing::warn!(
                "{} belongs to a deleted topic: it is set aside",
                path.display()
            );
            let stray = stray_path(&path, log.topic_id());
            log.rename_directory(io.disk(), &stray)?;
            self.create_log(io, wanted)?;
            return Ok(Opened::default());
        }
        self.adopt_log(wanted, log, place);
        Ok(Opened {
            logs: 1,
            scanned_bytes: recovered.bytes_scanned,
            truncated_bytes: recovered.bytes_truncated,
        })
    }

    fn create_log(&mut self, io: &Io<Mail>, wanted: &Wanted) -> Result<(), StorageError> {
        let place = self.logs.choose();
        let name = directory_name(&wanted.topic, wanted.topic_partition.partition);
        let path = self.logs.directories.list[place].path.join(name);
        let config = self.log_config(wanted.topic_partition);
        let topic_id = wanted.topic_partition.topic_id;
        let log = Log::create(io.disk(), &path, topic_id, config, io.now())?;
        self.adopt_log(wanted, log, place);
        Ok(())
    }

    fn adopt_log(&mut self, wanted: &Wanted, log: Log, place: usize) {
        self.logs.counts[place] += 1;
        self.partitions.insert(Partition::new(
            wanted.topic_partition,
            Str::from(&*wanted.topic),
            log,
            place,
            wanted.leader_epoch,
        ));
    }

    fn log_config(&mut self, topic_partition: TopicPartition) -> Arc<crate::log::LogConfig> {
        match self.image.topics.by_id(topic_partition.topic_id) {
            Some(topic) => {
                let settings = self.topics.of(&self.image, &self.configuration, topic);
                Arc::clone(&settings.log)
            }
            None => Arc::default(),
        }
    }

    /// Makes and deletes logs as committed metadata says.
    pub(super) fn apply_to_logs(&mut self, io: &mut Io<Mail>, delta: &MetadataDelta) {
        for topic in &delta.topics_deleted {
            for (partition, _) in topic.partitions() {
                self.delete_log(
                    io,
                    TopicPartition {
                        topic_id: topic.id,
                        partition,
                    },
                );
            }
        }
        if !delta.configs.is_empty() {
            self.reconfigure_logs();
        }
        let node_id = self.configuration.node_id();
        for (&topic_partition, change) in &delta.partitions {
            if owner(topic_partition, self.cores) != self.core {
                continue;
            }
            let Some(topic) = self.image.topics.by_id(topic_partition.topic_id) else {
                continue;
            };
            let found =
                wanted_of(topic, node_id).find(|one| one.topic_partition == topic_partition);
            let Some(wanted) = found else { continue };
            match change {
                PartitionDelta::Created => {
                    if let Err(error) = self.create_log(io, &wanted) {
                        tracing::error!(
                            "{}-{} could not be made: {error}",
                            wanted.topic,
                            topic_partition.partition
                        );
                    }
                }
                PartitionDelta::Changed { .. } => {
                    if let Some(partition) = self.partitions.get_mut(topic_partition) {
                        partition.follow_metadata(wanted.leader_epoch);
                    }
                }
            }
        }
    }

    /// Renames a log's directory at once, so that a topic of the same name can be made; its files go
    /// in the background.
    fn delete_log(&mut self, io: &mut Io<Mail>, topic_partition: TopicPartition) {
        let Some(mut partition) = self.partitions.remove(topic_partition, &mut self.effects) else {
            return;
        };
        self.logs.counts[partition.directory] -= 1;
        let from = partition.log.directory().to_owned();
        let to = deleted_path(&from, io.random(), io.random());
        match partition.log.rename_directory(io.disk(), &to) {
            Ok(()) => io.remove_directory(&to),
            Err(error) => tracing::error!("a deleted log stays behind: {error}"),
        }
    }

    fn reconfigure_logs(&mut self) {
        for partition in self.partitions.iter_mut() {
            let topic_id = partition.topic_partition.topic_id;
            if let Some(topic) = self.image.topics.by_id(topic_id) {
                let settings = self.topics.of(&self.image, &self.configuration, topic);
                partition.log.set_config(Arc::clone(&settings.log));
            }
        }
    }

    /// What the checkpoint files shall say about this core's logs.
    pub(super) fn checkpoint_entries(&mut self) -> Vec<CheckpointEntry> {
        self.partitions
            .iter_mut()
            .map(|partition| CheckpointEntry {
                directory: partition.directory,
                topic: Arc::from(&*partition.topic),
                partition: partition.topic_partition.partition.0,
                recovery_point: partition.log.recovery_point(),
                log_start_offset: partition.log.log_start_offset(),
                first_segment_offset: partition
                    .log
                    .segments()
                    .next()
                    .map_or(partition.log.log_start_offset(), |segment| {
                        segment.base_offset
                    }),
                high_watermark: partition.high_watermark,
            })
            .collect()
    }

    /// Brings recovery points up to what is synced.
    pub(super) fn move_recovery_points(&mut self, io: &Io<Mail>) {
        for partition in self.partitions.iter_mut() {
            if let Err(error) = partition.log.checkpoint(io.disk()) {
                tracing::error!("{}: {error}", partition.name());
            }
        }
    }

    /// Closes every log: a clean stop. False where one could not be closed.
    pub(super) fn close_logs(&mut self, io: &Io<Mail>) -> bool {
        let now: Now = io.now();
        let mut is_clean = self.phase == Phase::Stopping;
        self.logs.are_closed = true;
        for partition in self.partitions.iter_mut() {
            if let Err(error) = partition.log.close(io.disk(), now) {
                tracing::error!("{} was not closed cleanly: {error}", partition.name());
                is_clean = false;
            }
        }
        is_clean
    }
}

/// The partitions of a topic that this node has a replica of. After a clean stop none of them has a
/// leader, until the broker is unfenced.
fn wanted_of(topic: &Topic, node_id: NodeId) -> impl Iterator<Item = Wanted> {
    topic
        .partitions()
        .filter(move |(_, partition)| partition.replicas.contains(&node_id))
        .map(move |(index, partition)| Wanted {
            topic_partition: TopicPartition {
                topic_id: topic.id,
                partition: index,
            },
            topic: Arc::clone(&topic.name),
            leader_epoch: (partition.leader == node_id).then_some(partition.leader_epoch),
        })
}

fn directory_name(topic: &str, partition: PartitionIndex) -> String {
    format!("{topic}-{partition}")
}

/// `<topic>-<partition>.<32 hex digits>-delete`, the topic cut so that a file name stays a file name.
fn deleted_path(from: &Path, high: u64, low: u64) -> PathBuf {
    suffixed(from, &format!(".{high:016x}{low:016x}-delete"))
}

fn stray_path(from: &Path, topic_id: crate::base::uuid::Uuid) -> PathBuf {
    let (high, low) = topic_id.0.split_at(8);
    let word = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("eight bytes"));
    suffixed(
        from,
        &format!(".{:016x}{:016x}-stray", word(high), word(low)),
    )
}

fn suffixed(from: &Path, suffix: &str) -> PathBuf {
    const NAME_BYTES_MAX: usize = 255;
    let name = from
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let kept: String = name.chars().take(NAME_BYTES_MAX - suffix.len()).collect();
    from.with_file_name(format!("{kept}{suffix}"))
}
