//! Snapshots as files (KIP-630). The name says which beginning of the log the file stands for:
//!
//! ```text
//! 00000000000000001234-0000000007.checkpoint     everything below offset 1234, the last of epoch 7
//!
//! control batch   SnapshotHeader, and with kraft.version 1: KRaftVersion, KRaftVoters
//! data batches    the records of the image
//! control batch   SnapshotFooter
//! ```
//!
//! Offsets in the file count from 0; the batches carry the snapshot's epoch. `bootstrap.checkpoint`
//! beside the metadata log has the same form: what is written into an empty log.

use super::batch::{BatchReadError, MetadataBatch, value_of};
use super::error::ReplayError;
use super::features::MetadataVersion;
use super::image::{MetadataImage, Provenance};
use super::snapshot::{SnapshotReplay, records};
use crate::base::ids::{LeaderEpoch, Offset};
use crate::base::time::Timestamp;
use crate::protocol::metadata_records::MetadataRecord;
use crate::record::control::{KRaftVoter, control_batch};
use crate::record::{BatchBuilder, ControlRecord, RecordBatch};
use crate::runtime::disk::{Disk, OpenMode};
use bytes::Bytes;
use std::path::Path;
use std::{fmt, io};

/// Name of the file with the first records of a log, in the metadata log directory.
pub const BOOTSTRAP_FILE_NAME: &str = "bootstrap.checkpoint";

/// Ends the names of snapshots.
const SUFFIX: &str = ".checkpoint";

/// A snapshot of a large cluster is written in batches of about so many bytes.
const BATCH_BYTES: usize = 1 << 20;

/// Which beginning of the log a snapshot stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SnapshotId {
    /// First offset that it does not contain.
    pub end_offset: Offset,
    /// Epoch of the last record that it contains.
    pub epoch: LeaderEpoch,
}

/// What the quorum's protocol is, as snapshots carry it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QuorumControl {
    /// 0: voters stand in the configuration; 1: in the log.
    pub kraft_version: i16,
    /// The voters, where they stand in the log.
    pub voters: Vec<KRaftVoter>,
}

/// Why a snapshot cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CheckpointError {
    /// A batch is damaged.
    Batch(BatchReadError),
    /// The file does not have the form above.
    Form(&'static str),
    /// Its records do not make an image.
    Replay(ReplayError),
}

impl SnapshotId {
    /// The beginning of nothing: Kafka's bootstrap snapshot, which is never sent to anybody.
    pub const BOOTSTRAP: SnapshotId = SnapshotId {
        end_offset: Offset(0),
        epoch: LeaderEpoch(0),
    };

    /// The snapshot of everything that an image has replayed.
    #[must_use]
    pub fn of(provenance: &Provenance) -> SnapshotId {
        SnapshotId {
            end_offset: provenance.last_offset.next(),
            epoch: provenance.last_epoch,
        }
    }

    /// Name of its file.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{:020}-{:010}{SUFFIX}", self.end_offset.0, self.epoch.0)
    }

    /// The snapshot that a file holds, by its name.
    #[must_use]
    pub fn parse(file_name: &str) -> Option<SnapshotId> {
        let (offset, epoch) = file_name.strip_suffix(SUFFIX)?.split_once('-')?;
        let is_number = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(offset, 20) || !is_number(epoch, 10) {
            return None;
        }
        let end_offset = Offset(offset.parse().ok()?);
        Some(SnapshotId {
            end_offset,
            epoch: LeaderEpoch(epoch.parse().ok()?),
        })
    }
}

/// The bytes of an image's snapshot, batch by batch, so that a large one is never whole in memory.
pub fn write(
    image: &MetadataImage,
    control: &QuorumControl,
    now: Timestamp,
) -> impl Iterator<Item = Bytes> {
    let epoch = image.provenance.last_epoch;
    let last_contained = image.provenance.last_timestamp;
    let version = image.features.metadata_version();
    write_records(
        records(image),
        version,
        epoch,
        last_contained,
        control.clone(),
        now,
    )
}

/// The bytes of `bootstrap.checkpoint`.
#[must_use]
pub fn write_bootstrap(
    bootstrap: &[MetadataRecord],
    version: MetadataVersion,
    now: Timestamp,
) -> Vec<u8> {
    let records = bootstrap.iter().cloned();
    let control = QuorumControl::default();
    let batches = write_records(records, version, LeaderEpoch(0), Timestamp(0), control, now);
    batches.flatten().collect()
}

fn write_records(
    records: impl Iterator<Item = MetadataRecord>,
    version: MetadataVersion,
    epoch: LeaderEpoch,
    last_contained: Timestamp,
    control: QuorumControl,
    now: Timestamp,
) -> impl Iterator<Item = Bytes> {
    let mut header = vec![ControlRecord::SnapshotHeader {
        last_contained_log_timestamp: last_contained,
    }];
    if control.kraft_version > 0 {
        header.push(ControlRecord::KRaftVersion(control.kraft_version));
        header.push(ControlRecord::KRaftVoters(control.voters));
    }
    let mut offset = Offset(0);
    let mut records = records.peekable();
    let mut header = Some(header);
    let mut has_footer = false;
    std::iter::from_fn(move || {
        if let Some(header) = header.take() {
            let bytes = control_batch(offset, epoch, now, &header);
            offset = offset.plus(i64::try_from(header.len()).expect("three records at most"));
            return Some(bytes);
        }
        let mut builder = BatchBuilder::new(offset).leader_epoch(epoch);
        while builder.bytes_len() < BATCH_BYTES {
            let Some(record) = records.next() else { break };
            builder.append(now, None, Some(&value_of(&record, version)), &[]);
        }
        if !builder.is_empty() {
            offset = offset.plus(i64::from(builder.record_count()));
            return Some(builder.finish());
        }
        let is_first = !std::mem::replace(&mut has_footer, true);
        is_first.then(|| control_batch(offset, epoch, now, &[ControlRecord::SnapshotFooter]))
    })
}

/// Reads a snapshot and gives each of its records to `each`.
pub fn read(
    bytes: Bytes,
    mut each: impl FnMut(MetadataRecord) -> Result<(), CheckpointError>,
) -> Result<(QuorumControl, Timestamp), CheckpointError> {
    let mut rest = bytes;
    let mut control = QuorumControl::default();
    let mut last_contained = None;
    let mut has_footer = false;
    while !rest.is_empty() {
        let base_offset = Offset(-1);
        let (batch, after) = RecordBatch::split_first(rest).map_err(|error| {
            CheckpointError::Batch(BatchReadError {
                base_offset,
                why: error.to_string(),
            })
        })?;
        rest = after;
        let batch = MetadataBatch::read(&batch).map_err(CheckpointError::Batch)?;
        if has_footer {
            return Err(CheckpointError::Form("something follows its last record"));
        }
        for record in batch.control {
            match record {
                ControlRecord::SnapshotHeader {
                    last_contained_log_timestamp,
                } => {
                    last_contained = Some(last_contained_log_timestamp);
                }
                ControlRecord::KRaftVersion(version) => control.kraft_version = version,
                ControlRecord::KRaftVoters(voters) => control.voters = voters,
                ControlRecord::SnapshotFooter => has_footer = true,
                ControlRecord::Abort { .. }
                | ControlRecord::Commit { .. }
                | ControlRecord::LeaderChange(_)
                | ControlRecord::Unknown(_) => {}
            }
        }
        if last_contained.is_none() {
            return Err(CheckpointError::Form(
                "its first record is not a snapshot header",
            ));
        }
        batch.records.into_iter().try_for_each(&mut each)?;
    }
    let last_contained = last_contained.ok_or(CheckpointError::Form("it is empty"))?;
    if !has_footer {
        return Err(CheckpointError::Form(
            "it is cut off: its last record is missing",
        ));
    }
    Ok((control, last_contained))
}

/// Bytes at the beginning of a snapshot that hold its header: a control batch, with the voters in it
/// where the quorum has them in its log.
const HEADER_READ_BYTES: usize = 64 << 10;

/// The time of the newest record that a snapshot stands for, as its header tells; `None` where the
/// file does not begin with one.
///
/// # Errors
/// What the file system said.
pub fn last_contained(disk: &Disk, path: &Path) -> io::Result<Option<Timestamp>> {
    let file = disk.open(path, OpenMode::Read)?;
    let mut bytes = vec![0; HEADER_READ_BYTES];
    let read = file.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    let Ok((batch, _)) = RecordBatch::split_first(Bytes::from(bytes)) else {
        return Ok(None);
    };
    let control = MetadataBatch::read(&batch).map_or(Vec::new(), |batch| batch.control);
    Ok(control.into_iter().find_map(|record| match record {
        ControlRecord::SnapshotHeader {
            last_contained_log_timestamp,
        } => Some(last_contained_log_timestamp),
        ControlRecord::KRaftVersion(_)
        | ControlRecord::KRaftVoters(_)
        | ControlRecord::SnapshotFooter
        | ControlRecord::Abort { .. }
        | ControlRecord::Commit { .. }
        | ControlRecord::LeaderChange(_)
        | ControlRecord::Unknown(_) => None,
    }))
}

/// Reads a snapshot into an image.
pub fn read_image(
    id: SnapshotId,
    bytes: Bytes,
) -> Result<(MetadataImage, QuorumControl), CheckpointError> {
    let mut replay = SnapshotReplay::new();
    let (control, last_timestamp) = read(bytes, |record| {
        replay.replay(&record).map_err(CheckpointError::Replay)
    })?;
    let provenance = Provenance {
        last_offset: id.end_offset.plus(-1),
        last_epoch: id.epoch,
        last_timestamp,
    };
    let image = replay.finish(provenance).map_err(CheckpointError::Replay)?;
    Ok((image, control))
}

/// Reads `bootstrap.checkpoint`, or a (0, 0) snapshot, which stands for nothing but says what is
/// to be written first.
pub fn read_bootstrap(
    bytes: Bytes,
) -> Result<(Vec<MetadataRecord>, QuorumControl), CheckpointError> {
    let mut records = Vec::new();
    let (control, _) = read(bytes, |record| {
        records.push(record);
        Ok(())
    })?;
    Ok((records, control))
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckpointError::Batch(error) => error.fmt(f),
            CheckpointError::Form(why) => f.write_str(why),
            CheckpointError::Replay(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CheckpointError {}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
