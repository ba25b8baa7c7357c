//! Writes snapshots of what is committed, and lets go of what they stand for.

use super::QuorumController;
use super::error::QuorumError;
use crate::base::convert::u64_from;
use crate::base::time::Now;
use crate::metadata::checkpoint::{self, SnapshotId};
use crate::metadata::image::MetadataImage;
use crate::runtime::disk::OpenMode;

impl QuorumController {
    /// Whether enough was committed since the last snapshot, or enough time has passed.
    #[must_use]
    pub fn is_snapshot_due(&self, now: Now) -> bool {
        self.policy.is_due(now.instant)
    }

    /// Writes a snapshot of an image that has replayed everything `take_committed` gave, and waits
    /// for the device: some ten milliseconds for a thousand partitions. An image within a metadata
    /// transaction is left for later.
    pub fn take_snapshot(&mut self, image: &MetadataImage, now: Now) -> Result<(), QuorumError> {
        let id = SnapshotId::of(&image.provenance);
        if image.is_in_transaction() || self.snapshots.last() >= Some(&id) {
            return Ok(());
        }
        assert!(
            self.raft
                .high_watermark()
                .is_some_and(|end| id.end_offset <= end),
            "a snapshot holds only what is committed"
        );
        let path = self.directory.join(id.file_name());
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = std::path::PathBuf::from(part);
        let error = |error| QuorumError::io("write the snapshot", &part, error);
        let file = self.disk.open(&part, OpenMode::Truncate).map_err(error)?;
        let mut position = 0;
        for batch in checkpoint::write(image, &self.control, now.timestamp) {
            file.write_at(position, &batch).map_err(error)?;
            position += u64_from(batch.len());
        }
        file.sync_data().map_err(error)?;
        self.disk.rename(&part, &path).map_err(error)?;
        self.sync_directory()?;
        self.snapshots.push(id);
        self.policy.on_snapshot();
        self.let_go(now)
    }

    /// Removes the snapshots before the latest, and the log before it, where together they take
    /// more than `metadata.max.retention.bytes`.
    fn let_go(&mut self, now: Now) -> Result<(), QuorumError> {
        let Ok(bytes_max) = u64::try_from(self.retention_bytes_max) else {
            return Ok(());
        };
        let Some((latest, older)) = self.snapshots.split_last() else {
            return Ok(());
        };
        if self.log.bytes() <= bytes_max {
            return Ok(());
        }
        let latest = *latest;
        for snapshot in older {
            let path = self.directory.join(snapshot.file_name());
            self.disk
                .remove_file(&path)
                .map_err(|error| QuorumError::io("remove", &path, error))?;
        }
        self.snapshots = vec![latest];
        self.log.delete_records_before(latest.end_offset);
        self.log
            .delete_old_segments(&self.disk, now, latest.end_offset)?;
        Ok(())
    }
}
