//! Writes snapshots of what is committed, and lets go of what they stand for. A turn writes into the
//! page cache and gives names; the shard's ring makes both durable, one after the other:
//!
//! ```text
//!   begin_snapshot ─► ring: sync the file ─► name_snapshot ─► ring: sync the directory ─► finish_snapshot
//! ```

use super::QuorumController;
use super::error::QuorumError;
use crate::base::convert::u64_from;
use crate::base::time::{Instant, Now, Timestamp};
use crate::config::Configuration;
use crate::metadata::checkpoint::{self, SnapshotId};
use crate::metadata::image::MetadataImage;
use crate::runtime::disk::{File, OpenMode};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A snapshot that is written, and not known to be durable yet.
#[derive(Debug)]
pub(super) struct Writing {
    id: SnapshotId,
    part: PathBuf,
}

/// How often Kafka looks whether snapshots and segments must go.
const CLEAN_INTERVAL: Duration = Duration::from_secs(60);

/// How much of the metadata log and its snapshots stays.
#[derive(Debug)]
pub(super) struct Retention {
    /// `metadata.max.retention.bytes`; negative is unlimited.
    bytes_max: i64,
    /// `metadata.max.retention.ms`; negative is unlimited.
    age_max_ms: i64,
    due_at: Instant,
    /// The oldest snapshot, and the time of its newest record, where it says so: read once.
    oldest: Option<(SnapshotId, Option<Timestamp>)>,
}

impl Retention {
    pub(super) fn new(configuration: &Configuration, now: Instant) -> Retention {
        Retention {
            bytes_max: configuration.metadata_max_retention_bytes(),
            age_max_ms: configuration.metadata_max_retention_ms(),
            due_at: now + CLEAN_INTERVAL,
            oldest: None,
        }
    }
}

impl QuorumController {
    /// Whether enough was committed since the last snapshot, or enough time has passed.
    #[must_use]
    pub fn is_snapshot_due(&self, now: Now) -> bool {
        self.writing.is_none() && self.policy.is_due(now.instant)
    }

    /// Writes a snapshot of an image that has replayed everything `take_committed` gave. Answers
    /// with the file to sync; once it is, call [`QuorumController::name_snapshot`]. An image within
    /// a metadata transaction is left for later.
    pub fn begin_snapshot(
        &mut self,
        image: &MetadataImage,
        now: Now,
    ) -> Result<Option<Arc<File>>, QuorumError> {
        let id = SnapshotId::of(&image.provenance);
        if image.is_in_transaction() || self.snapshots.last() >= Some(&id) {
            return Ok(None);
        }
        assert!(
            self.raft
                .high_watermark()
                .is_some_and(|end| id.end_offset <= end),
            "a snapshot holds only what is committed"
        );
        let part = self.directory.join(id.file_name() + ".part");
        match self.write_part(&part, image, now) {
            Ok(file) => {
                self.writing = Some(Writing { id, part });
                Ok(Some(file))
            }
            Err(error) => {
                // A full disk needs the room; what stays behind the next start removes.
                let _ = self.disk.remove_file(&part);
                Err(QuorumError::io("write the snapshot", &part, error))
            }
        }
    }

    fn write_part(&self, part: &Path, image: &MetadataImage, now: Now) -> io::Result<Arc<File>> {
        let file = self.disk.open(part, OpenMode::Truncate)?;
        let mut position = 0;
        for batch in checkpoint::write(image, &self.control, now.timestamp) {
            file.write_at(position, &batch)?;
            position += u64_from(batch.len());
        }
        Ok(file)
    }

    /// The snapshot's file is durable: it gets its name. Once the directory is durable too, call
    /// [`QuorumController::finish_snapshot`].
    pub fn name_snapshot(&mut self) -> Result<(), QuorumError> {
        let Some(writing) = self.writing.take() else {
            return Ok(());
        };
        let path = self.directory.join(writing.id.file_name());
        let named = self.disk.rename(&writing.part, &path);
        named.map_err(|error| QuorumError::io("rename", &writing.part, error))?;
        self.writing = Some(writing);
        Ok(())
    }

    /// The snapshot is durable.
    pub fn finish_snapshot(&mut self) {
        if let Some(Writing { id, .. }) = self.writing.take() {
            self.snapshots.push(id);
            self.policy.on_snapshot();
        }
    }

    /// The snapshot could not be made durable: another is written when one is due.
    pub fn abandon_snapshot(&mut self) -> Option<PathBuf> {
        self.writing.take().map(|writing| writing.part)
    }

    /// The metadata log's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The files of parts of the log that were let go long enough ago, for the caller to remove.
    pub fn take_removable(&mut self, now: Now) -> Vec<PathBuf> {
        self.log.take_removable(now)
    }

    /// Once a minute: lets go of what newer snapshots stand for. The files are removed later, by
    /// who asks [`QuorumController::take_removable`].
    pub fn clean_if_due(&mut self, now: Now) -> Result<(), QuorumError> {
        if now.instant < self.retention.due_at {
            return Ok(());
        }
        self.retention.due_at = now.instant + CLEAN_INTERVAL;
        self.let_go_by_bytes(now)?;
        self.let_go_by_age(now)
    }

    /// Lets go of the oldest snapshots while log and snapshots together take more than
    /// `metadata.max.retention.bytes`.
    fn let_go_by_bytes(&mut self, now: Now) -> Result<(), QuorumError> {
        let Ok(bytes_max) = u64::try_from(self.retention.bytes_max) else {
            return Ok(());
        };
        if self.snapshots.len() < 2 {
            return Ok(());
        }
        let sizes = self
            .disk
            .list(&self.directory)
            .map_err(|error| QuorumError::io("list", &self.directory, error))?;
        let bytes_of = |snapshot: &SnapshotId| {
            let name = snapshot.file_name();
            let entry = sizes.iter().find(|entry| entry.name == name);
            entry.map_or(0, |entry| entry.bytes)
        };
        let mut snapshot_bytes: u64 = self.snapshots.iter().map(bytes_of).sum();
        while let [oldest, _, ..] = self.snapshots.as_slice()
            && self.log.bytes() + snapshot_bytes > bytes_max
        {
            snapshot_bytes = snapshot_bytes.saturating_sub(bytes_of(oldest));
            self.let_go_of_oldest(now)?;
        }
        Ok(())
    }

    /// Lets go of the oldest snapshots whose records are all older than `metadata.max.retention.ms`.
    fn let_go_by_age(&mut self, now: Now) -> Result<(), QuorumError> {
        if self.retention.age_max_ms < 0 {
            return Ok(());
        }
        while let [oldest, _, ..] = *self.snapshots.as_slice() {
            let newest = match self.retention.oldest {
                Some((id, newest)) if id == oldest => newest,
                Some(_) | None => {
                    let path = self.directory.join(oldest.file_name());
                    checkpoint::last_contained(&self.disk, &path)
                        .map_err(|error| QuorumError::io("read the snapshot", &path, error))?
                }
            };
            self.retention.oldest = Some((oldest, newest));
            // One whose beginning cannot be read has no age: it goes by size.
            let is_old = newest.is_some_and(|newest| {
                now.timestamp.0.saturating_sub(newest.0) > self.retention.age_max_ms
            });
            if !is_old {
                break;
            }
            self.let_go_of_oldest(now)?;
        }
        Ok(())
    }

    /// Lets go of the oldest snapshot, and of the log before the next, which stands for it.
    fn let_go_of_oldest(&mut self, now: Now) -> Result<(), QuorumError> {
        let [oldest, next, ..] = *self.snapshots.as_slice() else {
            return Ok(());
        };
        let path = self.directory.join(oldest.file_name());
        self.log.retire_file(&self.disk, &path, now)?;
        self.snapshots.remove(0);
        self.log.delete_records_before(next.end_offset);
        self.log
            .delete_old_segments(&self.disk, now, next.end_offset)?;
        Ok(())
    }
}
