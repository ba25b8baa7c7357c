//! What shards send each other.

use crate::base::ids::PartitionIndex;
use crate::controller::{Command, Reply};
use crate::coordinator::group::{GroupCommand, GroupReply};
use crate::log::checkpoint::Lines;
use crate::metadata::batch::MetadataBatch;
use crate::metadata::image::MetadataImage;
use crate::partition::session::MovingSession;
use crate::partition::work::{Answer, Origin, RequestId, Work};
use crate::runtime::io::SocketAddr;
use std::sync::Arc;

/// Mail is moved several times on its way, and is as large as its largest kind: what is larger than an answer to
/// a Produce travels in a box.
const MAIL_BYTES_MAX: usize = 104;
const _: () = assert!(size_of::<Mail>() <= MAIL_BYTES_MAX);

/// Mail between shards.
#[derive(Debug)]
pub enum Mail {
    /// For the owner of partitions.
    Work {
        /// Who asks.
        origin: Origin,
        /// What for.
        work: Work,
    },
    /// An owner's answer.
    Answer {
        /// The request that asked.
        request: RequestId,
        /// What came of it.
        answer: Answer,
    },
    /// A partition that a fetch watches has more.
    Wake {
        /// The fetch.
        request: RequestId,
    },
    /// For the controller, on shard 0.
    Command {
        /// Who asks.
        origin: Origin,
        /// What for.
        command: Box<Command>,
    },
    /// The controller's answer. Every shard has replayed the records of what it did.
    Reply {
        /// The request that asked.
        request: RequestId,
        /// What came of it.
        reply: Reply,
    },
    /// For the coordinator of a group.
    Group {
        /// Who asks.
        origin: Origin,
        /// Which partition of `__consumer_offsets` the group is in.
        partition: PartitionIndex,
        /// What for.
        command: Box<GroupCommand>,
    },
    /// A group's answer.
    GroupReply {
        /// The request that asked.
        request: RequestId,
        /// What came of it.
        reply: Box<GroupReply>,
    },
    /// The cluster as shard 0 found it on disk.
    Image(Arc<MetadataImage>),
    /// Records that were committed since.
    Committed(Arc<MetadataBatch>),
    /// For shard 0: a shard has replayed one more batch of those.
    Replayed {
        /// Which shard.
        core: usize,
    },
    /// A shard has opened its logs: what that took.
    Opened(Opened),
    /// All shards have opened their logs: serve.
    Serve,
    /// For shard 0: how far the logs of a shard go, for the checkpoint files.
    Checkpoint {
        /// Where the mail comes from.
        core: usize,
        /// Of its logs, by log directory.
        lines: Vec<CheckpointLines>,
        /// Which files they are for; the last word is for all.
        files: CheckpointFiles,
        /// The shard's last word, after it has closed its logs: whether all were closed cleanly.
        closed_cleanly: Option<bool>,
    },
    /// A log of another core found no descriptor: what can be closed is closed.
    DescriptorsShort,
    /// What a connection that is handed over uses: it comes before the connection does.
    Session(Box<MovingSession>),
    /// For shard 0: why a connection was closed, which is told once.
    Complaint {
        /// The other end.
        peer: SocketAddr,
        /// What it did.
        why: String,
    },
}

/// The checkpoint files, by when they are written.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CheckpointFiles {
    /// Recovery points and high watermarks.
    pub offsets: bool,
    /// Log start offsets.
    pub log_starts: bool,
}

impl CheckpointFiles {
    /// All of them.
    pub const ALL: CheckpointFiles = CheckpointFiles {
        offsets: true,
        log_starts: true,
    };

    /// These, and those.
    #[must_use]
    pub fn or(self, other: CheckpointFiles) -> CheckpointFiles {
        CheckpointFiles {
            offsets: self.offsets || other.offsets,
            log_starts: self.log_starts || other.log_starts,
        }
    }

    /// Whether it is one of them at least.
    #[must_use]
    pub fn is_any(self) -> bool {
        self.offsets || self.log_starts
    }
}

/// What opening its logs took a shard.
#[derive(Clone, Copy, Default, Debug)]
pub struct Opened {
    /// How many logs.
    pub logs: usize,
    /// Bytes that were read again because the last stop was not clean.
    pub scanned_bytes: u64,
    /// Bytes that were cut off because they were never whole.
    pub truncated_bytes: u64,
}

/// What the checkpoint files of one log directory say about the logs of one shard.
#[derive(Clone, Default, Debug)]
pub struct CheckpointLines {
    /// Up to where each is durable.
    pub recovery_points: Lines,
    /// Where those start of which their first segment's name does not tell.
    pub log_starts: Lines,
    /// Up to where the records of each count.
    pub high_watermarks: Lines,
}
