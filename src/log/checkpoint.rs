//! Kafka's checkpoint files: text, one entry a line.
//!
//! ```text
//! 0                          the version
//! 2                          the count of entries
//! orders 0 1842              topic, partition, offset
//! orders 1 77
//! ```
//!
//! They are replaced as a whole, by a rename. An empty file has no entries.
//! `CheckpointFile` and `OffsetCheckpointFile` of Apache Kafka.

use crate::base::ids::{Offset, PartitionIndex};
use crate::base::limits::{CHECKPOINT_BYTES_MAX, TOPIC_NAME_BYTES_MAX};
use crate::log::error::StorageError;
use crate::runtime::disk::Disk;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// Up to which offset each log has been synced.
pub const RECOVERY_POINT: &str = "recovery-point-offset-checkpoint";
/// Where each log starts, where records were deleted below its first segment's end.
pub const LOG_START_OFFSET: &str = "log-start-offset-checkpoint";
/// The high watermarks.
pub const REPLICATION_OFFSET: &str = "replication-offset-checkpoint";
/// Up to which offset each log has been compacted.
pub const CLEANER_OFFSET: &str = "cleaner-offset-checkpoint";

/// One offset per partition, by topic name and index.
pub type OffsetCheckpoint = BTreeMap<(String, PartitionIndex), Offset>;

/// Reads a checkpoint of the log directory; one that does not exist has no entries.
///
/// # Errors
/// The file cannot be read, or a line of it is not what it should be.
pub fn read(disk: &Disk, path: &Path) -> Result<OffsetCheckpoint, StorageError> {
    let text = match disk.read(path, CHECKPOINT_BYTES_MAX) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(StorageError::io("read", path, error)),
    };
    parse(&text).map_err(|why| StorageError::malformed(path, why))
}

/// Replaces a checkpoint of the log directory by what [`content`] made.
///
/// # Errors
/// What the file system said; the old content stands then.
pub fn write(disk: &Disk, path: &Path, content: &[u8]) -> Result<(), StorageError> {
    disk.write_atomically(path, content)
        .map_err(|error| StorageError::io("write", path, error))
}

/// Entries of a checkpoint, as its lines.
#[derive(Clone, Default, Debug)]
pub struct Lines {
    count: usize,
    text: String,
}

impl Lines {
    /// Adds an entry.
    pub fn push(&mut self, topic: &str, partition: PartitionIndex, offset: Offset) {
        self.count += 1;
        writeln!(self.text, "{topic} {partition} {offset}").expect("a String takes all");
    }
}

/// What a checkpoint with all of these entries holds.
#[must_use]
pub fn content<'l>(lines: impl Iterator<Item = &'l Lines> + Clone) -> Vec<u8> {
    let count: usize = lines.clone().map(|lines| lines.count).sum();
    let mut text = format!("0\n{count}\n");
    text.extend(lines.map(|lines| lines.text.as_str()));
    text.into_bytes()
}

/// The entries in the text of a checkpoint.
///
/// # Errors
/// Says which line is wrong.
pub fn parse(text: &[u8]) -> Result<OffsetCheckpoint, String> {
    let mut entries = BTreeMap::new();
    parse_lines(text, |fields| {
        let [topic, partition, offset] = fields else {
            return Err(format!("{} fields where 3 belong", fields.len()));
        };
        if topic.len() > TOPIC_NAME_BYTES_MAX {
            return Err(String::from("a topic name that is too long"));
        }
        let partition = PartitionIndex(number(partition)?);
        if partition.0 < 0 {
            return Err(String::from("a negative partition"));
        }
        entries.insert(((*topic).to_owned(), partition), Offset(number(offset)?));
        Ok(())
    })?;
    Ok(entries)
}

/// Gives the whitespace-split fields of each entry to `entry`.
pub(super) fn parse_lines(
    text: &[u8],
    mut entry: impl FnMut(&[&str]) -> Result<(), String>,
) -> Result<(), String> {
    let text = std::str::from_utf8(text).map_err(|_| String::from("it is not text"))?;
    if text.is_empty() {
        return Ok(());
    }
    let mut lines = text.lines();
    let version = lines.next().unwrap_or_default();
    if version.trim() != "0" {
        return Err(format!("line 1 says version {version:?}, not 0"));
    }
    let count = lines.next().unwrap_or_default();
    let count: usize =
        number(count.trim()).map_err(|_| format!("line 2 says {count:?}, not a count"))?;
    let mut found = 0;
    for (index, line) in lines.enumerate() {
        let fields: Vec<&str> = line.split_whitespace().take(8).collect();
        if fields.is_empty() {
            continue;
        }
        entry(&fields).map_err(|why| format!("line {}: {why}", index + 3))?;
        found += 1;
    }
    if found != count {
        return Err(format!("line 2 announces {count} entries, {found} follow"));
    }
    Ok(())
}

/// A number in a field.
pub(super) fn number<N: std::str::FromStr>(field: &str) -> Result<N, String> {
    field
        .parse()
        .map_err(|_| format!("{field:?} is not a number in range"))
}
