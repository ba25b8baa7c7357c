//! Reads a metadata log directory: the latest snapshot, then the log behind it.

use super::error::QuorumError;
use crate::base::convert::usize_from;
use crate::base::ids::{LeaderEpoch, Offset};
use crate::base::limits::METADATA_BATCH_BYTES_MAX;
use crate::log::Log;
use crate::metadata::batch::MetadataBatch;
use crate::metadata::checkpoint::{self, BOOTSTRAP_FILE_NAME, QuorumControl, SnapshotId};
use crate::metadata::image::MetadataImage;
use crate::protocol::metadata_records::MetadataRecord;
use crate::record::{ControlRecord, RecordBatch};
use crate::runtime::disk::{Disk, OpenMode};
use bytes::Bytes;
use std::io;
use std::path::Path;

/// What a directory holds.
pub(super) struct Loaded {
    pub image: MetadataImage,
    /// The image at the high watermark cannot be older than this: where the log was read from.
    pub control: QuorumControl,
    /// What is to be written into an empty log; empty where nothing says.
    pub bootstrap: Vec<MetadataRecord>,
    pub last_epoch: LeaderEpoch,
    /// Bytes of the log behind the snapshot.
    pub bytes_since_snapshot: u64,
}

/// The snapshots of a directory, oldest first. What an interrupted write left is removed.
pub(super) fn snapshots(disk: &Disk, directory: &Path) -> Result<Vec<SnapshotId>, QuorumError> {
    let mut snapshots = Vec::new();
    let entries = disk
        .list(directory)
        .map_err(|error| QuorumError::io("list", directory, error))?;
    for entry in entries.iter().filter(|entry| !entry.is_directory) {
        if let Some(id) = SnapshotId::parse(&entry.name) {
            snapshots.push(id);
        } else if entry.name.ends_with(".checkpoint.part") {
            let path = directory.join(&entry.name);
            disk.remove_file(&path)
                .map_err(|error| QuorumError::io("remove", &path, error))?;
        }
    }
    snapshots.sort_unstable();
    Ok(snapshots)
}

/// Loads the latest snapshot of the directory and everything in the log behind it.
pub(super) fn load(
    disk: &Disk,
    directory: &Path,
    log: &Log,
    snapshots: &[SnapshotId],
) -> Result<Loaded, QuorumError> {
    let mut loaded = Loaded {
        image: MetadataImage::empty(),
        control: QuorumControl::default(),
        bootstrap: Vec::new(),
        last_epoch: LeaderEpoch::NONE,
        bytes_since_snapshot: 0,
    };
    match snapshots.last() {
        None | Some(&SnapshotId::BOOTSTRAP) => {
            let beside = directory
                .parent()
                .unwrap_or(Path::new("."))
                .join(BOOTSTRAP_FILE_NAME);
            let of_quorum = directory.join(SnapshotId::BOOTSTRAP.file_name());
            for path in [beside, of_quorum] {
                let Some(bytes) = read_whole(disk, &path)? else {
                    continue;
                };
                let (records, control) =
                    checkpoint::read_bootstrap(bytes).map_err(|error| QuorumError::Checkpoint {
                        path: path.clone(),
                        error,
                    })?;
                if control.kraft_version > 0 {
                    loaded.control = control;
                }
                if !records.is_empty() {
                    loaded.bootstrap = records;
                }
            }
        }
        Some(&id) => {
            let path = directory.join(id.file_name());
            let bytes = read_whole(disk, &path)?.unwrap_or_default();
            let (image, control) =
                checkpoint::read_image(id, bytes).map_err(|error| QuorumError::Checkpoint {
                    path: path.clone(),
                    error,
                })?;
            loaded.image = image;
            loaded.control = control;
            loaded.last_epoch = id.epoch;
        }
    }
    let first = loaded.image.provenance.last_offset.next();
    if log.log_start_offset() > first {
        return Err(QuorumError::Gap {
            directory: directory.to_owned(),
            snapshot_end: first,
            log_start: log.log_start_offset(),
        });
    }
    replay_log(disk, log, first, &mut loaded)?;
    Ok(loaded)
}

fn replay_log(
    disk: &Disk,
    log: &Log,
    first: Offset,
    loaded: &mut Loaded,
) -> Result<(), QuorumError> {
    let end = log.log_end_offset();
    let mut offset = first;
    while offset < end {
        let slice = log
            .read_waiting(disk, offset, METADATA_BATCH_BYTES_MAX, end, true)
            .map_err(|error| QuorumError::Log(error.to_string()))?;
        let mut bytes = vec![0; slice.bytes];
        if let Some(file) = &slice.file {
            let read = file
                .read_at(slice.position, &mut bytes)
                .map_err(|error| QuorumError::io("read", log.directory(), error))?;
            bytes.truncate(read);
        }
        let mut rest = Bytes::from(bytes);
        let before = offset;
        while !rest.is_empty() {
            // A slice may end within a batch: the next one begins with it.
            let Ok((batch, after)) = RecordBatch::split_first(rest) else {
                break;
            };
            rest = after;
            if batch.header().last_offset() < offset {
                continue;
            }
            let batch_bytes = u64::try_from(batch.bytes().len()).unwrap_or(u64::MAX);
            let batch = MetadataBatch::read(&batch).map_err(QuorumError::Batch)?;
            replay_batch(&batch, loaded)?;
            loaded.bytes_since_snapshot += batch_bytes;
            offset = batch.last_offset.next();
        }
        if offset == before {
            let why = format!("nothing can be read at offset {offset}, and it ends at {end}");
            return Err(QuorumError::Log(why));
        }
    }
    Ok(())
}

fn replay_batch(batch: &MetadataBatch, loaded: &mut Loaded) -> Result<(), QuorumError> {
    for record in &batch.control {
        match record {
            ControlRecord::KRaftVersion(version) => loaded.control.kraft_version = *version,
            ControlRecord::KRaftVoters(voters) => loaded.control.voters.clone_from(voters),
            ControlRecord::Abort { .. }
            | ControlRecord::Commit { .. }
            | ControlRecord::LeaderChange(_)
            | ControlRecord::SnapshotHeader { .. }
            | ControlRecord::SnapshotFooter
            | ControlRecord::Unknown(_) => {}
        }
    }
    loaded.image.replay(batch).map_err(QuorumError::Replay)?;
    loaded.last_epoch = loaded.last_epoch.max(batch.leader_epoch);
    Ok(())
}

fn read_whole(disk: &Disk, path: &Path) -> Result<Option<Bytes>, QuorumError> {
    let error = |error: io::Error| QuorumError::io("read", path, error);
    let file = match disk.open(path, OpenMode::Read) {
        Ok(file) => file,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(other) => return Err(error(other)),
    };
    let mut bytes = vec![0; usize_from(file.len().map_err(error)?)];
    let read = file.read_at(0, &mut bytes).map_err(error)?;
    bytes.truncate(read);
    Ok(Some(Bytes::from(bytes)))
}
