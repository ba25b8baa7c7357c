//! What `klamm storage format` writes beside `meta.properties`: the records a new log begins with.
//! The quorum is a static one (kraft.version 0), as Apache formats a node with
//! `controller.quorum.voters`: see docs/decisions/quorum-of-one.md.

use super::error::QuorumError;
use crate::base::time::Now;
use crate::controller::bootstrap::default_bootstrap_records;
use crate::metadata::checkpoint::{BOOTSTRAP_FILE_NAME, write_bootstrap};
use crate::metadata::features::METADATA_VERSION_DEFAULT;
use crate::runtime::disk::Disk;
use std::path::Path;

/// Writes `bootstrap.checkpoint` into a metadata log directory.
pub fn write_bootstrap_checkpoint(
    disk: &Disk,
    log_dir: &Path,
    now: Now,
) -> Result<(), QuorumError> {
    let records = default_bootstrap_records();
    let bytes = write_bootstrap(&records, METADATA_VERSION_DEFAULT, now.timestamp);
    let path = log_dir.join(BOOTSTRAP_FILE_NAME);
    disk.write_atomically(&path, &bytes)
        .map_err(|error| QuorumError::io("write", &path, error))
}
