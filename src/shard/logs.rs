//! The logs of this core on disk: opened when the shard starts, made and deleted as the metadata
//! says.

use super::changes::Change;
use super::mail::{CheckpointLines, Mail, Opened};
use super::start::Directories;
use super::{Phase, Shard};
use crate::base::ids::{LeaderEpoch, NodeId, Offset, PartitionIndex, TopicPartition};
use crate::base::time::{Instant, Now};
use crate::log::checkpoint::OffsetCheckpoint;
use crate::log::partition_metadata;
use crate::log::{Log, OpenInput, StorageError};
use crate::metadata::image::topics::Topic;
use crate::partition::Partition;
use crate::partition::placement::owner;
use crate::protocol::string::Str;
use crate::runtime::disk::Disk;
use crate::runtime::io::Io;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Most logs whose recovery points move in one turn: each has files to write.
const MOVED_MAX: usize = 4;
/// Most logs that are looked at for that in one turn.
const LOOKED_AT_MAX: usize = 1024;
/// When a log that could not be opened or made is tried again; then after twice as long each time.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// And at least so often.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);
/// Logs made again in one turn; of those that must be opened, and perhaps checked, only one is.
const RETRIES_PER_TURN_MAX: usize = 32;

/// What this core knows of the log directories.
pub struct Logs {
    /// The directories as they were found at the start, and what they hold.
    pub directories: Arc<Directories>,
    /// How many logs this core has put into each.
    counts: Vec<usize>,
    /// Whether they were closed for a stop: what is still asked of them then is not done.
    pub are_closed: bool,
    /// What committed metadata asks for and is not done yet.
    pub(super) changes: VecDeque<Change>,
    /// The place of the log whose recovery point moves next, while a round is under way.
    pub next_recovery_point: Option<usize>,
    /// The place of the next log that housekeeping looks at, while it goes on.
    pub next_to_tidy: Option<usize>,
    /// They are closed as soon as the ring's workers have written what they were given.
    pub close_when_written: bool,
    /// Logs of this core that could not be opened or made, and what is to be done again.
    offline: BTreeMap<TopicPartition, Missing>,
    /// When; never, where there is none of them.
    pub retry_at: Instant,
    retry_after: Duration,
    /// The last that was tried again.
    retried: Option<TopicPartition>,
}

/// A log that this core should have and does not.
struct Missing {
    topic: Arc<str>,
    /// It lies in that log directory, and could not be opened; without one it is to be made.
    place: Option<usize>,
    /// Whether trying again may help: the file system refused, the files are not damaged.
    may_recover: bool,
}

/// A log to open or to make.
pub(super) struct Wanted {
    pub(super) topic_partition: TopicPartition,
    topic: Arc<str>,
    /// In which epoch this node leads it, if it does.
    pub(super) leader_epoch: Option<LeaderEpoch>,
}

impl Logs {
    pub fn new(directories: Arc<Directories>) -> Logs {
        let counts = vec![0; directories.list.len()];
        Logs {
            directories,
            counts,
            are_closed: false,
            close_when_written: false,
            next_recovery_point: None,
            next_to_tidy: None,
            changes: VecDeque::new(),
            offline: BTreeMap::new(),
            retry_at: Instant::NEVER,
            retry_after: RETRY_AFTER,
            retried: None,
        }
    }

    /// The directory for a new log: the one with the fewest, as Kafka chooses.
    fn choose(&self) -> usize {
        let fewest = (0..self.counts.len()).min_by_key(|place| self.counts[*place]);
        fewest.expect("there is at least one log directory")
    }

    /// The logs to be tried again in this turn, and where they lie.
    fn take_due(&mut self) -> Vec<(TopicPartition, Option<usize>)> {
        let after = self.retried.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.offline.range((after, Bound::Unbounded));
        let earlier = self.retried.map(|last| self.offline.range(..=last));
        let mut due = Vec::new();
        for (&topic_partition, missing) in later.chain(earlier.into_iter().flatten()) {
            if !missing.may_recover {
                continue;
            }
            // Checking a log takes its time: one in a turn.
            if missing.place.is_some() && !due.is_empty() {
                break;
            }
            due.push((topic_partition, missing.place));
            if missing.place.is_some() || due.len() == RETRIES_PER_TURN_MAX {
                break;
            }
        }
        self.retried = due.last().map(|(last, _)| *last);
        due
    }

    /// Adds what the checkpoint files shall go on to say about logs that could not be opened.
    pub(super) fn add_missing(&self, lines: &mut [CheckpointLines]) {
        for (topic_partition, missing) in &self.offline {
            let Some(place) = missing.place else {
                continue;
            };
            let (directory, topic) = (&self.directories.list[place], &*missing.topic);
            let index = topic_partition.partition;
            let key = (topic.to_owned(), index);
            let found = |offsets: &OffsetCheckpoint| offsets.get(&key).copied();
            let recovery_point = found(&directory.recovery_points).unwrap_or_default();
            lines[place]
                .recovery_points
                .push(topic, index, recovery_point);
            lines[place]
                .high_watermarks
                .push(topic, index, recovery_point);
            let start = found(&directory.log_start_offsets);
            if let Some(start) = start.filter(|start| *start > Offset(0)) {
                lines[place].log_starts.push(topic, index, start);
            }
        }
    }

    /// Whether the marker of a clean stop would be true of logs that could not be opened: they are
    /// as they were found.
    fn are_missing_clean(&self) -> bool {
        let mut places = self.offline.values().filter_map(|missing| missing.place);
        places.all(|place| self.directories.list[place].is_clean)
    }
}

impl Wanted {
    fn directory_name(&self) -> String {
        directory_name(&self.topic, self.topic_partition.partition)
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
                Err(error) => {
                    let place = self.logs.directories.find(&wanted.directory_name());
                    self.put_offline(io, &wanted, place, &error);
                }
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

    /// Notes that a log could not be opened or made. A full disk, or too many open files, pass:
    /// then it is tried again.
    fn put_offline(
        &mut self,
        io: &Io<Mail>,
        wanted: &Wanted,
        place: Option<usize>,
        error: &StorageError,
    ) {
        let may_recover = match error {
            StorageError::Io { .. } => true,
            StorageError::Malformed { .. } | StorageError::Damaged { .. } => false,
        };
        let topic_partition = wanted.topic_partition;
        let (topic, partition) = (&wanted.topic, topic_partition.partition);
        let until = if may_recover {
            "it is tried again"
        } else {
            "until the broker restarts"
        };
        tracing::error!("{topic}-{partition} is offline, {until}: {error}");
        self.partitions.insert_without_log(topic_partition);
        let missing = Missing {
            topic: Arc::clone(topic),
            place,
            may_recover,
        };
        self.logs.offline.insert(topic_partition, missing);
        if may_recover && self.logs.retry_at == Instant::NEVER {
            self.logs.retry_after = RETRY_AFTER;
            self.logs.retry_at = io.now().instant + RETRY_AFTER;
        }
    }

    /// Tries again to open or to make the logs that could not be: some of them, and the next time
    /// those after them.
    pub(super) fn retry_logs(&mut self, io: &Io<Mail>) {
        let mut has_failed = false;
        let mut has_succeeded = false;
        for (topic_partition, place) in self.logs.take_due() {
            let topic = self.image.topics.by_id(topic_partition.topic_id);
            let node_id = self.configuration.node_id();
            let wanted = topic.and_then(|topic| {
                wanted_of(topic, node_id).find(|one| one.topic_partition == topic_partition)
            });
            let Some(wanted) = wanted else {
                self.logs.offline.remove(&topic_partition);
                continue;
            };
            let done = match place {
                Some(_) => self.open_log(io, &wanted).map(|_| ()),
                None => self.create_log(io, &wanted),
            };
            let name = wanted.directory_name();
            match done {
                Ok(()) => tracing::info!("{name} is online again"),
                Err(ref error) => tracing::debug!("{name} is still offline: {error}"),
            }
            has_failed |= done.is_err();
            has_succeeded |= done.is_ok();
        }
        let logs = &mut self.logs;
        let now = io.now().instant;
        if has_succeeded {
            logs.retry_after = RETRY_AFTER;
        } else {
            logs.retry_after = (logs.retry_after * 2).min(RETRY_AFTER_MAX);
        }
        logs.retry_at = if !logs.offline.values().any(|missing| missing.may_recover) {
            Instant::NEVER
        } else if has_failed {
            now + logs.retry_after
        } else {
            now
        };
    }

    /// Opens a log where it lies, or makes it where the metadata knows it and no directory does.
    fn open_log(&mut self, io: &Io<Mail>, wanted: &Wanted) -> Result<Opened, StorageError> {
        let directories = Arc::clone(&self.logs.directories);
        let name = wanted.directory_name();
        let found = directories.find(&name);
        let is_there = |place: &usize| {
            let path = directories.list[*place].path.join(&name);
            io.disk().exists(&path)
        };
        let Some(place) = found.filter(is_there) else {
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
        let path = self.logs.directories.list[place]
            .path
            .join(wanted.directory_name());
        let config = self.log_config(wanted.topic_partition);
        let topic_id = wanted.topic_partition.topic_id;
        set_aside(io.disk(), &path)?;
        match Log::create(io.disk(), &path, topic_id, config, io.now()) {
            Ok(log) => {
                self.adopt_log(wanted, log, place);
                Ok(())
            }
            Err(error) => {
                // Half a log would be taken for one that belongs to another topic.
                let _ = io.disk().remove_directory(&path);
                Err(error)
            }
        }
    }

    fn adopt_log(&mut self, wanted: &Wanted, log: Log, place: usize) {
        self.logs.counts[place] += 1;
        self.logs.offline.remove(&wanted.topic_partition);
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

    /// Makes the log of a new partition, or takes note that it could not be.
    pub(super) fn make_log(&mut self, io: &Io<Mail>, wanted: &Wanted) {
        if let Err(error) = self.create_log(io, wanted) {
            self.put_offline(io, wanted, None, &error);
        }
    }

    /// Renames a log's directory at once, so that a topic of the same name can be made; its files go
    /// in the background.
    pub(super) fn delete_log(&mut self, io: &mut Io<Mail>, topic_partition: TopicPartition) {
        let removed = self.partitions.remove(topic_partition, &mut self.effects);
        let missing = self.logs.offline.remove(&topic_partition);
        let from = match (&removed, missing) {
            (Some(partition), _) => {
                self.logs.counts[partition.directory] -= 1;
                partition.log.directory().to_owned()
            }
            (None, Some(missing)) => match missing.place {
                Some(place) => self.logs.directories.list[place]
                    .path
                    .join(directory_name(&missing.topic, topic_partition.partition)),
                None => return,
            },
            (None, None) => return,
        };
        // What was not written yet is not wanted any more: the log goes before its files.
        drop(removed);
        // Another topic of its name may have a directory there soon.
        io.abandon_replacements(&from);
        if !io.disk().exists(&from) {
            return;
        }
        let to = deleted_path(&from, io.random(), io.random());
        match io.disk().rename(&from, &to) {
            Ok(()) => io.remove_directory(&to),
            Err(error) => {
                tracing::error!("the deleted log {} stays behind: {error}", from.display());
            }
        }
    }

    pub(super) fn reconfigure_logs(&mut self) {
        for partition in self.partitions.iter_mut() {
            let topic_id = partition.topic_partition.topic_id;
            if let Some(topic) = self.image.topics.by_id(topic_id) {
                let settings = self.topics.of(&self.image, &self.configuration, topic);
                partition.log.set_config(Arc::clone(&settings.log));
            }
        }
        self.partitions.await_flushes();
    }

    /// Brings recovery points up to what is synced: of some logs in each turn. When it has been through
    /// all, the next round of syncs begins.
    pub(super) fn move_recovery_points(&mut self, io: &mut Io<Mail>) {
        let Some(first) = self.logs.next_recovery_point else {
            return;
        };
        let end = self.partitions.places_end();
        let last = end.min(first.saturating_add(LOOKED_AT_MAX));
        let mut moved = 0;
        let mut place = first;
        while place < last && moved < MOVED_MAX {
            moved += usize::from(self.partitions.move_recovery_point(io, place));
            place += 1;
        }
        if place < end {
            self.logs.next_recovery_point = Some(place);
            io.turn_again();
        } else {
            self.logs.next_recovery_point = None;
            self.partitions.sync_due(io.now(), true);
        }
    }

    /// Closes every log: a clean stop. False where one could not be closed.
    pub(super) fn close_logs(&mut self, io: &mut Io<Mail>) -> bool {
        let now: Now = io.now();
        io.finish_replacements();
        let mut is_clean = self.phase == Phase::Stopping && self.logs.are_missing_clean();
        self.logs.are_closed = true;
        // What is left to do takes descriptors, of which there may be none.
        for partition in self.partitions.iter_mut() {
            partition.log.let_go_before_sync();
        }
        for partition in self.partitions.iter_mut() {
            if partition.is_offline() {
                tracing::error!("{} was offline: the next start checks it", partition.name());
                is_clean = false;
                continue;
            }
            partition.doubt_pending_epochs();
            if let Err(error) = partition.log.close_unsynced(io.disk(), now) {
                tracing::error!("{} was not closed cleanly: {error}", partition.name());
                is_clean = false;
            }
            partition.log.let_go_before_sync();
        }
        is_clean
    }
}

/// The partitions of a topic that this node has a replica of. After a clean stop none of them has a
/// leader, until the broker is unfenced.
pub(super) fn wanted_of(topic: &Topic, node_id: NodeId) -> impl Iterator<Item = Wanted> {
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

/// Gives a directory that stands where a log is to be made another name: of its records the metadata
/// knows nothing.
fn set_aside(disk: &Disk, path: &Path) -> Result<(), StorageError> {
    if !disk.list(path).is_ok_and(|entries| !entries.is_empty()) {
        return Ok(());
    }
    let topic_id = partition_metadata::read(disk, path).ok().flatten();
    let stray = stray_path(path, topic_id.unwrap_or_default());
    tracing::warn!("{} is not known: it is set aside", path.display());
    disk.rename(path, &stray)
        .map_err(|error| StorageError::io("rename", path, error))
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
