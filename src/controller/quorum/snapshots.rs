//! Writes snapshots of what is committed, and lets go of what they stand for. A turn writes into the
//! page cache and gives names; the shard's ring makes both durable, one after the other:
//!
//! ```text
//!   begin_snapshot ─► ring: sync the file ─► name_snapshot ─► ring: sync the directory ─► finish_snapshot
//! ```

use super::QuorumController;
use super::error::QuorumError;
use crate::base::convert::u64_from;
use crate::base::time::Now;
use crate::metadata::checkpoint::{self, SnapshotId};
use crate::metadata::image::MetadataImage;
use crate::runtime::disk::{File, OpenMode};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A snapshot that is written, and not known to be durable yet.
#[derive(Debug)]
pub(super) struct Writing {
    id: SnapshotId,
    part: PathBuf,
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

    /// The snapshot is durable. Answers with the files that it makes superfluous, for the caller to
    /// remove: older snapshots and the log before it, where together they take more than
    /// `metadata.max.retention.bytes`.
    pub fn finish_snapshot(&mut self, now: Now) -> Result<Vec<PathBuf>, QuorumError> {
        let Some(Writing { id, .. }) = self.writing.take() else {
            return Ok(Vec::new());
        };
        self.snapshots.push(id);
        self.policy.on_snapshot();
        self.let_go(now)
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

    fn let_go(&mut self, now: Now) -> Result<Vec<PathBuf>, QuorumError> {
        let Ok(bytes_max) = u64::try_from(self.retention_bytes_max) else {
            return Ok(Vec::new());
        };
        let Some((latest, older)) = self.snapshots.split_last() else {
            return Ok(Vec::new());
        };
        if self.log.bytes() <= bytes_max {
            return Ok(Vec::new());
        }
        let latest = *latest;
        let superfluous = older
            .iter()
            .map(|snapshot| self.directory.join(snapshot.file_name()))
            .collect();
        self.snapshots = vec![latest];
        self.log.delete_records_before(latest.end_offset);
        self.log
            .delete_old_segments(&self.disk, now, latest.end_offset)?;
        Ok(superfluous)
    }
}
