//! The controller with its log: decides commands, appends their records to `__cluster_metadata-0`,
//! and hands them out once they are on disk. It does no waiting while a shard runs:
//!
//! ```text
//!   submit(command)    decide, append to the log's queue, replay into the controller's image
//!   write()            once per turn: everything queued in one write
//!   unsynced()         for the shard's ring to sync; then on_synced(offset)
//!   take_committed()   in order: batches for every shard, replies for those who asked
//! ```

mod broker;
mod error;
mod format;
mod load;
mod snapshots;
#[cfg(test)]
mod tests;

pub use broker::OwnBroker;
pub use error::QuorumError;
pub use format::write_bootstrap_checkpoint;

use super::bootstrap::default_bootstrap_records;
use super::{Command, Controller, ControllerResult, ControllerSettings, Reply};
use crate::base::convert::u64_from;
use crate::base::ids::{NodeId, Offset};
use crate::base::limits::RECORDS_PER_COMMAND_MAX;
use crate::base::prng::Prng;
use crate::base::time::Now;
use crate::base::uuid::Uuid;
use crate::log::{Log, LogConfig, OpenInput, Recovered, StorageError};
use crate::metadata::batch::{MetadataBatch, value_of};
use crate::metadata::checkpoint::{QuorumControl, SnapshotId};
use crate::metadata::image::MetadataImage;
use crate::protocol::metadata_records::MetadataRecord;
use crate::raft::{
    Appended, ElectionState, RaftError, RaftNode, ReplicaKey, SnapshotPolicy, VoterSet,
};
use crate::record::RecordBatch;
use crate::runtime::disk::{Disk, File};
use load::Loaded;
use snapshots::Retention;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Name of the metadata log's directory, in `metadata.log.dir` or the first of `log.dirs`.
pub const DIRECTORY_NAME: &str = "__cluster_metadata-0";

/// What a controller needs to open its log.
#[derive(Clone, Debug)]
pub struct QuorumInput {
    /// The file system.
    pub disk: Disk,
    /// `metadata.log.dir`, or the first of `log.dirs`.
    pub log_dir: PathBuf,
    /// `directory.id` of that directory's `meta.properties`.
    pub directory_id: Uuid,
    /// Node, cluster, configuration.
    pub settings: ControllerSettings,
    /// What the log directory says about how it was closed.
    pub open: OpenInput,
}

/// What comes out of the controller, in the order of the log.
#[derive(Clone, PartialEq, Debug)]
pub enum Committed {
    /// Records for every shard to replay.
    Batch(Arc<MetadataBatch>),
    /// The answer to the command that was submitted with this ticket. Every batch that the command
    /// wrote stands before it.
    Reply {
        /// As given to `submit`.
        ticket: u64,
        /// The answer.
        reply: Reply,
    },
    /// The command that was submitted with this ticket was not carried out: its records could not
    /// be written.
    Failed {
        /// As given to `submit`.
        ticket: u64,
        /// The answer: KAFKA_STORAGE_ERROR.
        reply: Reply,
    },
}

/// An appended batch, or a reply, that waits for the high watermark.
#[derive(Debug)]
struct InFlight {
    /// It is committed when the high watermark lies beyond.
    last_offset: Offset,
    bytes: u64,
    what: Committed,
}

/// The controller of a quorum of one, with its log.
#[derive(Debug)]
pub struct QuorumController {
    disk: Disk,
    directory: PathBuf,
    log: Log,
    raft: RaftNode,
    controller: Controller,
    control: QuorumControl,
    in_flight: VecDeque<InFlight>,
    failed: Vec<(u64, Reply)>,
    policy: SnapshotPolicy,
    snapshots: Vec<SnapshotId>,
    writing: Option<snapshots::Writing>,
    retention: Retention,
}

/// What has to be synced so that everything written is committed.
#[derive(Debug)]
pub struct Unsynced {
    /// Files of the log.
    pub files: Vec<Arc<File>>,
    /// Whether its directory has a new name in it.
    pub is_directory: bool,
    /// To be given to `on_synced` when all of it is.
    pub end_offset: Offset,
}

/// A controller that has opened its log and leads.
#[derive(Debug)]
pub struct Opened {
    /// The controller. What it wrote so far is queued: `commit_waiting`, or the shard's turn, brings
    /// it to disk.
    pub quorum: QuorumController,
    /// Everything that stood in the log: what each shard starts from. The batches that
    /// `take_committed` gives follow it.
    pub image: MetadataImage,
    /// What opening the log had to do.
    pub recovered: Recovered,
}

impl QuorumController {
    /// Opens the log, or makes it, takes the lead, and writes what a new leader writes first. It
    /// waits for the device.
    pub fn open(input: QuorumInput, now: Now) -> Result<Opened, QuorumError> {
        let QuorumInput {
            disk,
            log_dir,
            directory_id,
            settings,
            open,
        } = input;
        let directory = log_dir.join(DIRECTORY_NAME);
        let config = Arc::new(log_config(&settings));
        let (mut log, recovered) = open_log(&disk, &directory, config, open, now)?;
        let snapshots = load::snapshots(&disk, &directory)?;
        if let Some(latest) = snapshots
            .last()
            .filter(|latest| latest.end_offset > log.log_end_offset())
        {
            // What the snapshot stands for was committed; what is left of the log is older.
            log.truncate_fully_and_start_at(&disk, latest.end_offset, now)?;
        }
        let loaded = load::load(&disk, &directory, &log, &snapshots)?;
        let mut raft = take_part(&disk, &directory, &settings, directory_id, &loaded, &log)?;
        lead(&disk, &directory, &mut raft)?;
        let Loaded {
            image,
            control,
            bootstrap,
            bytes_since_snapshot,
            ..
        } = loaded;
        let configuration = &settings.configuration;
        let mut policy = SnapshotPolicy::new(
            u64::try_from(configuration.metadata_log_max_record_bytes_between_snapshots())
                .unwrap_or(u64::MAX),
            interval(configuration.metadata_log_max_snapshot_interval_ms()),
        );
        policy.on_committed(bytes_since_snapshot, now.instant);
        let retention = Retention::new(configuration, now.instant);
        let mut quorum = QuorumController {
            disk,
            directory,
            log,
            raft,
            controller: Controller::new(settings, image.clone()),
            control,
            in_flight: VecDeque::new(),
            failed: Vec::new(),
            policy,
            snapshots,
            writing: None,
            retention,
        };
        let leader_change = quorum.raft.append_leader_change(now.timestamp);
        quorum.queue(leader_change, Vec::new(), now)?;
        let bootstrap = if bootstrap.is_empty() {
            default_bootstrap_records()
        } else {
            bootstrap
        };
        let activation = quorum.controller.activate(&bootstrap);
        quorum.append(activation, now)?;
        Ok(Opened {
            quorum,
            image,
            recovered,
        })
    }

    /// Everything appended so far, committed or not: what the next command is decided by.
    #[must_use]
    pub fn controller(&self) -> &Controller {
        &self.controller
    }

    /// The node's role in its quorum.
    #[must_use]
    pub fn raft(&self) -> &RaftNode {
        &self.raft
    }

    /// The metadata log: for followers, tools and DescribeLogDirs.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Decides a command and appends its records. Its answer comes out of `take_committed`.
    pub fn submit(
        &mut self,
        ticket: u64,
        command: Command,
        now: Now,
        prng: &mut Prng,
    ) -> Result<(), QuorumError> {
        let result = self.controller.handle(command, prng);
        let reply = self.append(result, now)?;
        // A reply without records waits too: what it says may rest on what is not yet committed.
        self.in_flight.push_back(InFlight {
            last_offset: self.raft.log_end_offset().plus(-1),
            bytes: 0,
            what: Committed::Reply { ticket, reply },
        });
        Ok(())
    }

    /// Whether something waits to be written.
    #[must_use]
    pub fn has_queued(&self) -> bool {
        self.log.has_queued()
    }

    /// Writes everything queued. Where that fails (a full disk), the commands of the batches that
    /// were not written fail, the controller goes back to what is in the log, and the answer says
    /// why: for the operator's eyes, the controller goes on.
    pub fn write(&mut self, now: Now) -> Result<Option<StorageError>, QuorumError> {
        if !self.log.has_queued() {
            return Ok(None);
        }
        match self.log.write(&self.disk, now) {
            Ok(_) => Ok(None),
            Err(error) => {
                self.fall_back(now)?;
                Ok(Some(error))
            }
        }
    }

    /// What to sync so that everything written is committed; nothing where nothing is to be.
    pub fn unsynced(&mut self) -> Result<Unsynced, QuorumError> {
        Ok(Unsynced {
            files: self.log.unsynced(&self.disk)?,
            is_directory: self.log.take_directory_unsynced(),
            end_offset: self.log.log_end_offset(),
        })
    }

    /// Everything below `end_offset` is on disk.
    pub fn on_synced(&mut self, end_offset: Offset, now: Now) {
        self.log.mark_synced(end_offset, now);
        if self.raft.on_synced(end_offset)
            && let Some(high_watermark) = self.raft.high_watermark()
        {
            self.log.update_high_watermark(high_watermark);
        }
    }

    /// Writes and syncs at once, and waits for the device: at start and at stop, where nothing goes
    /// on without it.
    pub fn commit_waiting(&mut self, now: Now) -> Result<(), QuorumError> {
        if let Some(error) = self.write(now)? {
            return Err(QuorumError::Storage(error));
        }
        let unsynced = self.unsynced()?;
        for file in unsynced.files {
            let path = &self.directory;
            file.sync_data()
                .map_err(|error| QuorumError::io("sync", path, error))?;
        }
        if unsynced.is_directory {
            self.sync_directory()?;
        }
        self.on_synced(unsynced.end_offset, now);
        Ok(())
    }

    /// What has been committed since it was asked last.
    pub fn take_committed(&mut self, now: Now) -> Vec<Committed> {
        let mut committed: Vec<Committed> = self
            .failed
            .drain(..)
            .map(|(ticket, reply)| Committed::Failed { ticket, reply })
            .collect();
        let Some(high_watermark) = self.raft.high_watermark() else {
            return committed;
        };
        while let Some(first) = self
            .in_flight
            .pop_front_if(|it| it.last_offset < high_watermark)
        {
            if first.bytes > 0 {
                self.policy.on_committed(first.bytes, now.instant);
            }
            committed.push(first.what);
        }
        committed
    }

    /// Leads no longer, brings everything to disk and leaves the directory as a clean open expects
    /// it. It waits for the device.
    pub fn close(&mut self, now: Now) -> Result<(), QuorumError> {
        self.commit_waiting(now)?;
        self.raft.resign();
        self.log.close(&self.disk, now)?;
        Ok(())
    }

    /// What may stand for this log in `recovery-point-offset-checkpoint`, after its derived files
    /// were brought up to date.
    pub fn checkpoint(&mut self) -> Result<Offset, QuorumError> {
        Ok(self.log.checkpoint(&self.disk)?)
    }

    fn append(&mut self, result: ControllerResult, now: Now) -> Result<Reply, QuorumError> {
        let ControllerResult {
            records,
            is_atomic,
            reply,
        } = result;
        if !records.is_empty() {
            if is_atomic {
                self.append_batch(records, now)?;
            } else {
                let mut rest = records;
                while rest.len() > RECORDS_PER_COMMAND_MAX {
                    let after = rest.split_off(RECORDS_PER_COMMAND_MAX);
                    self.append_batch(rest, now)?;
                    rest = after;
                }
                self.append_batch(rest, now)?;
            }
        }
        Ok(reply)
    }

    fn append_batch(&mut self, records: Vec<MetadataRecord>, now: Now) -> Result<(), QuorumError> {
        let version = self.controller.image().features.metadata_version();
        let values: Vec<_> = records
            .iter()
            .map(|record| value_of(record, version))
            .collect();
        let appended = self.raft.append(&values, now.timestamp);
        self.queue(appended, records, now)
    }

    fn queue(
        &mut self,
        appended: Appended,
        records: Vec<MetadataRecord>,
        now: Now,
    ) -> Result<(), QuorumError> {
        let bytes = u64_from(appended.bytes.len());
        let batch =
            RecordBatch::parse(appended.bytes).expect("a batch that was just built is one batch");
        let control = if batch.header().is_control() {
            MetadataBatch::read(&batch)
                .map_err(QuorumError::Batch)?
                .control
        } else {
            Vec::new()
        };
        self.log
            .append(batch, appended.leader_epoch, now)
            .map_err(|error| QuorumError::Log(error.to_string()))?;
        let batch = MetadataBatch {
            base_offset: appended.base_offset,
            last_offset: appended.last_offset,
            leader_epoch: appended.leader_epoch,
            append_timestamp: appended.timestamp,
            records,
            control,
        };
        self.controller.replay(&batch)?;
        self.in_flight.push_back(InFlight {
            last_offset: appended.last_offset,
            bytes,
            what: Committed::Batch(Arc::new(batch)),
        });
        Ok(())
    }

    /// After a failed write: forgets the batches that were not written, and reads again what the
    /// log holds, because the controller had decided by more than that.
    fn fall_back(&mut self, now: Now) -> Result<(), QuorumError> {
        let end = self.log.log_end_offset();
        let mut kept = VecDeque::with_capacity(self.in_flight.len());
        for in_flight in self.in_flight.drain(..) {
            if in_flight.last_offset < end {
                kept.push_back(in_flight);
            } else if let Committed::Reply { ticket, reply } = in_flight.what {
                self.failed.push((ticket, reply.failed()));
            }
        }
        self.in_flight = kept;
        let loaded = load::load(&self.disk, &self.directory, &self.log, &self.snapshots)?;
        self.controller = Controller::new(self.controller.settings().clone(), loaded.image);
        self.raft.truncate(end);
        if self
            .raft
            .leader()
            .is_some_and(|leader| leader.epoch_start_offset >= end)
        {
            // Not even the LeaderChange record was written: nothing can be committed without it.
            let leader_change = self.raft.append_leader_change(now.timestamp);
            self.queue(leader_change, Vec::new(), now)?;
        }
        Ok(())
    }

    fn sync_directory(&self) -> Result<(), QuorumError> {
        let path = &self.directory;
        self.disk
            .sync_directory(path)
            .map_err(|error| QuorumError::io("sync", path, error))
    }
}

fn open_log(
    disk: &Disk,
    directory: &Path,
    config: Arc<LogConfig>,
    open: OpenInput,
    now: Now,
) -> Result<(Log, Recovered), QuorumError> {
    if disk.exists(directory) {
        let (mut log, recovered) = Log::open(disk, directory, config, open, now)?;
        if log.topic_id() == Uuid::ZERO {
            // A directory that was formatted for a dynamic quorum holds only a snapshot.
            log.set_topic_id(disk, Uuid::METADATA_TOPIC)?;
        }
        Ok((log, recovered))
    } else {
        let log = Log::create(disk, directory, Uuid::METADATA_TOPIC, config, now)?;
        Ok((log, Recovered::default()))
    }
}

/// Who votes, and in which epoch this node is.
fn take_part(
    disk: &Disk,
    directory: &Path,
    settings: &ControllerSettings,
    directory_id: Uuid,
    loaded: &Loaded,
    log: &Log,
) -> Result<RaftNode, QuorumError> {
    let election = ElectionState::load(disk, directory).map_err(QuorumError::QuorumState)?;
    let kraft_version = loaded.control.kraft_version;
    let is_static = kraft_version == 0;
    let own = ReplicaKey {
        id: settings.node_id,
        directory_id: if is_static { Uuid::ZERO } else { directory_id },
    };
    let key = |id: NodeId| ReplicaKey {
        id,
        directory_id: Uuid::ZERO,
    };
    let remembered = election
        .as_ref()
        .map(|election| election.voters.clone())
        .unwrap_or_default();
    let voters = if !is_static {
        let voters = loaded.control.voters.iter();
        voters
            .map(|voter| ReplicaKey {
                id: voter.voter_id,
                directory_id: voter.directory_id,
            })
            .collect()
    } else if remembered.is_empty() {
        vec![own]
    } else {
        remembered.into_iter().map(key).collect()
    };
    let voters = VoterSet::new(voters);
    let end = log.log_end_offset();
    RaftNode::new(
        own,
        voters,
        kraft_version,
        election.as_ref(),
        end,
        loaded.last_epoch,
    )
    .map_err(QuorumError::Raft)
}

/// Elects itself; the vote is on disk before anything is appended in its name.
fn lead(disk: &Disk, directory: &Path, raft: &mut RaftNode) -> Result<(), QuorumError> {
    let kraft_version = raft.kraft_version();
    let election = raft
        .start()
        .ok_or(QuorumError::Raft(RaftError::EpochsExhausted))?;
    election
        .store(disk, directory, kraft_version)
        .map_err(|error| QuorumError::io("write", directory, error))
}

fn log_config(settings: &ControllerSettings) -> LogConfig {
    let configuration = &settings.configuration;
    let of_tests = configuration.value("internal.metadata.log.segment.bytes");
    let segment_bytes = of_tests
        .number()
        .filter(|bytes| *bytes > 0)
        .unwrap_or_else(|| i64::from(configuration.metadata_log_segment_bytes()));
    LogConfig {
        segment_bytes: u32::try_from(segment_bytes).unwrap_or(1 << 30),
        segment_ms: configuration.metadata_log_segment_ms(),
        file_delete_delay_ms: configuration.internal_metadata_delete_delay_millis(),
        // Snapshots decide what may go, not age or size.
        retention_ms: -1,
        retention_bytes: -1,
        max_message_bytes: u32::MAX,
        ..LogConfig::default()
    }
}

fn interval(milliseconds: i64) -> Option<Duration> {
    let milliseconds = u64::try_from(milliseconds)
        .ok()
        .filter(|&milliseconds| milliseconds > 0);
    milliseconds.map(Duration::from_millis)
}
