//! Why the metadata log cannot be opened, or be written any more.

use crate::base::ids::Offset;
use crate::log::StorageError;
use crate::metadata::batch::BatchReadError;
use crate::metadata::checkpoint::CheckpointError;
use crate::metadata::error::ReplayError;
use crate::raft::{QuorumStateError, RaftError};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What stops a controller. Each is fatal: without metadata there is no broker.
#[derive(Debug)]
pub enum QuorumError {
    /// The file system refuses.
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The log's files refuse.
    Storage(StorageError),
    /// The log cannot be read.
    Log(String),
    /// `quorum-state` cannot be read.
    QuorumState(QuorumStateError),
    /// This node cannot lead.
    Raft(RaftError),
    /// A snapshot cannot be read.
    Checkpoint {
        /// Its file.
        path: PathBuf,
        /// Why.
        error: CheckpointError,
    },
    /// A batch of the log cannot be read.
    Batch(BatchReadError),
    /// A record does not fit those before it.
    Replay(ReplayError),
    /// The controller refuses this node's own broker.
    Registration(String),
    /// Records between the latest snapshot and the log are missing.
    Gap {
        /// The directory.
        directory: PathBuf,
        /// Where the snapshot ends.
        snapshot_end: Offset,
        /// Where the log starts.
        log_start: Offset,
    },
}

impl QuorumError {
    pub(super) fn io(action: &'static str, path: &Path, error: io::Error) -> QuorumError {
        QuorumError::Io {
            action,
            path: path.to_owned(),
            error,
        }
    }
}

impl fmt::Display for QuorumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QuorumError::Io {
                action,
                path,
                error,
            } => {
                write!(f, "cannot {action} {}: {error}", path.display())
            }
            QuorumError::Storage(error) => error.fmt(f),
            QuorumError::Log(why) => write!(f, "the metadata log cannot be read: {why}"),
            QuorumError::QuorumState(error) => error.fmt(f),
            QuorumError::Raft(error) => error.fmt(f),
            QuorumError::Checkpoint { path, error } => {
                write!(
                    f,
                    "the snapshot {} cannot be read: {error}; restore it from a copy",
                    path.display()
                )
            }
            QuorumError::Batch(error) => write!(f, "the metadata log is damaged: {error}"),
            QuorumError::Replay(error) => error.fmt(f),
            QuorumError::Registration(reply) => {
                write!(f, "this node's own controller refuses its broker: {reply}")
            }
            QuorumError::Gap {
                directory,
                snapshot_end,
                log_start,
            } => write!(
                f,
                "records of the metadata log in {} are missing: the latest snapshot ends at offset \
                 {snapshot_end}, and the log starts at {log_start}; restore the snapshot that ends \
                 there",
                directory.display()
            ),
        }
    }
}

impl std::error::Error for QuorumError {}

impl From<StorageError> for QuorumError {
    fn from(error: StorageError) -> QuorumError {
        QuorumError::Storage(error)
    }
}

impl From<ReplayError> for QuorumError {
    fn from(error: ReplayError) -> QuorumError {
        QuorumError::Replay(error)
    }
}
