//! Pages that say what was measured: one file of HTML each, with its charts in it, that loads
//! nothing. Every text that came from outside is escaped where it is put in.
//!
//! ```text
//! figure.rs   what a figure's name says of it: its unit, and which way is better
//! chart/      figures to SVG, by plotters; no data, no chart
//! frame.rs    the page around them, by maud; style.css is its looks, light, dark and in print
//! ```

pub mod chart;
pub mod figure;
pub mod frame;

use super::error::CliError;
use crate::runtime::disk::{Disk, OpenMode};
use std::path::Path;

/// Whether a page can be written there, found out before anything is measured for it. A file that
/// is there stays as it is.
pub fn check_writable(disk: &Disk, path: &Path) -> Result<(), CliError> {
    let existed = disk.exists(path);
    let opened = disk.open(path, OpenMode::Create);
    opened.map_err(|error| unwritable(path, &error))?;
    if !existed {
        disk.remove_file(path)
            .map_err(|error| unwritable(path, &error))?;
    }
    Ok(())
}

/// Writes a page.
pub fn write(disk: &Disk, path: &Path, page: &str) -> Result<(), CliError> {
    // Truncated and written, not renamed over: it may be a device or somebody's link.
    let file = disk.open(path, OpenMode::Truncate);
    file.and_then(|file| file.write_at(0, page.as_bytes()))
        .map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::Failed(format!(
        "the report {} cannot be written: {error}",
        path.display()
    ))
}
