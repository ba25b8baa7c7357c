//! The `partition.metadata` file: which topic a directory belongs to. A topic of the same name
//! that is created anew has another id, so that old files are not taken for its own.
//!
//! ```text
//! version: 0
//! topic_id: 5bWP2VIYSBmw4Z3BvdyT0g        (no line end)
//! ```
//!
//! `PartitionMetadataFile` of Apache Kafka.

use crate::base::ids::TopicId;
use crate::log::error::StorageError;
use crate::runtime::disk::Disk;
use std::io;
use std::path::Path;

/// The file's name in a partition's directory.
pub const FILE_NAME: &str = "partition.metadata";

/// Reads the topic id; `None` where there is no file.
///
/// # Errors
/// The file cannot be read, or is not in its format.
pub fn read(disk: &Disk, directory: &Path) -> Result<Option<TopicId>, StorageError> {
    let path = directory.join(FILE_NAME);
    match disk.read(&path, 4096) {
        Ok(text) => parse(&text)
            .map(Some)
            .map_err(|why| StorageError::malformed(&path, why)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StorageError::io("read", &path, error)),
    }
}

/// Writes the topic id. It is not synced by itself: a partition without the file takes the id that
/// the metadata gives it.
///
/// # Errors
/// What the file system said.
pub fn write(disk: &Disk, directory: &Path, topic_id: TopicId) -> Result<(), StorageError> {
    use crate::runtime::disk::OpenMode;
    let path = directory.join(FILE_NAME);
    let failed = |error| StorageError::io("write", &path, error);
    let file = disk.open(&path, OpenMode::Truncate).map_err(failed)?;
    file.write_at(0, to_text(topic_id).as_bytes())
        .map_err(failed)
}

/// The text of the file.
#[must_use]
pub fn to_text(topic_id: TopicId) -> String {
    format!("version: 0\ntopic_id: {topic_id}")
}

/// The topic id in the text of the file.
///
/// # Errors
/// Says what is wrong with it.
pub fn parse(text: &[u8]) -> Result<TopicId, String> {
    let text = std::str::from_utf8(text).map_err(|_| String::from("it is not text"))?;
    let mut lines = text.lines();
    let version = value(lines.next(), "version")?;
    if version != "0" {
        return Err(format!("version {version:?} is not 0"));
    }
    let id = value(lines.next(), "topic_id")?;
    match TopicId::parse(id) {
        Some(id) if id != TopicId::ZERO => Ok(id),
        Some(_) => Err(String::from("the topic id is zero")),
        None => Err(format!("{id:?} is not a topic id")),
    }
}

fn value<'t>(line: Option<&'t str>, key: &str) -> Result<&'t str, String> {
    line.and_then(|line| line.strip_prefix(key))
        .and_then(|rest| rest.strip_prefix(':'))
        .filter(|rest| rest.starts_with(char::is_whitespace))
        .map(str::trim)
        .ok_or_else(|| format!("no line \"{key}: …\" where it belongs"))
}
