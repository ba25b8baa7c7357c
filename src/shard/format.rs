//! What turns an empty directory into a log directory: for `start`, which does it by itself, and
//! for `storage format`, which does it when told to.

use crate::base::time::Now;
use crate::controller::quorum::write_bootstrap_checkpoint;
use crate::log::meta_properties::{self, MetaProperties};
use crate::runtime::disk::{DirectoryLock, Disk};
use std::path::{Path, PathBuf};

/// Makes a directory of logs if need be, and locks it: its absolute path, and the lock. `key` is the
/// setting that names it: `log.dirs`, or `metadata.log.dir`.
///
/// # Errors
/// One sentence: who holds it, or what the file system said.
pub fn claim(disk: &Disk, key: &str, path: &Path) -> Result<(PathBuf, DirectoryLock), String> {
    disk.create_directories(path).map_err(|error| {
        format!(
            "{key}: {} cannot be made: {error}; choose a directory that this user may write with: \
             --override {key}=PATH",
            path.display()
        )
    })?;
    let path = disk.absolute(path).map_err(|error| {
        format!(
            "{key}: {} cannot be used: {error}; choose a directory that this user may write with: \
             --override {key}=PATH",
            path.display()
        )
    })?;
    match disk.lock(&path) {
        Ok(Some(lock)) => Ok((path, lock)),
        Ok(None) => Err(format!(
            "{key}: {} is in use by another process, which holds its .lock; find it with: fuser \
             {}/.lock",
            path.display(),
            path.display()
        )),
        Err(error) => Err(format!(
            "{key}: {} cannot be locked: {error}; let this user write there with: chown -R \
             $(id -un) {}",
            path.display(),
            path.display()
        )),
    }
}

/// Gives a log directory its `meta.properties`, and, where it is the metadata log's (`bootstrap` is
/// the time then), the records that a new cluster begins with. The properties come last: with them
/// the directory counts as formatted.
///
/// # Errors
/// One sentence: what the file system said.
pub fn format_directory(
    disk: &Disk,
    path: &Path,
    properties: &MetaProperties,
    bootstrap: Option<Now>,
) -> Result<(), String> {
    if let Some(now) = bootstrap {
        write_bootstrap_checkpoint(disk, path, now).map_err(|error| error.to_string())?;
    }
    meta_properties::write(disk, path, properties).map_err(|error| error.to_string())
}
