//! A log directory: which partitions lie in it, by the names of its directories.
//!
//! ```text
//! orders-0                                           a partition
//! orders-0.7f3c…(32 hex digits)-delete               deleted, to be removed
//! orders-0.7f3c…-future                              moves here from another log directory
//! orders-0.7f3c…-stray                               found, but the metadata does not know it
//! ```
//!
//! `UnifiedLog.parseTopicPartitionName` of Apache Kafka.

use crate::base::ids::PartitionIndex;
use crate::base::limits::TOPIC_NAME_BYTES_MAX;
use crate::log::error::StorageError;
use crate::runtime::disk::{DirectoryLock, Disk};
use std::io;
use std::path::{Path, PathBuf};

/// Longest name of a file that Linux' file systems take.
const NAME_BYTES_MAX: usize = 255;

/// What a directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DirectoryKind {
    /// A partition in use.
    Partition,
    /// A partition that was deleted: its files are to be removed.
    Deleted,
    /// A replica that moves here from another log directory.
    Future,
    /// A partition that the metadata does not know.
    Stray,
}

impl DirectoryKind {
    fn suffix(self) -> &'static str {
        match self {
            DirectoryKind::Partition => "",
            DirectoryKind::Deleted => "-delete",
            DirectoryKind::Future => "-future",
            DirectoryKind::Stray => "-stray",
        }
    }
}

/// A directory of a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub kind: DirectoryKind,
    /// The topic's name; of a deleted one perhaps only its beginning.
    pub topic: String,
    /// Which partition.
    pub partition: PartitionIndex,
}

/// What a log directory holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Contents {
    /// The partitions' directories, by name.
    pub partitions: Vec<PartitionDirectory>,
    /// Names of other directories: nothing of klamm's, nor of Apache's.
    pub unknown: Vec<String>,
}

/// Makes the log directory where it does not exist, and locks it for this process.
///
/// # Errors
/// The file system refuses, or another process holds it.
pub fn lock(disk: &Disk, log_directory: &Path) -> Result<DirectoryLock, StorageError> {
    disk.create_directories(log_directory)
        .map_err(|error| StorageError::io("create", log_directory, error))?;
    let held = disk
        .lock(log_directory)
        .map_err(|error| StorageError::io("lock", log_directory, error))?;
    held.ok_or_else(|| {
        let why = io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another broker runs on it; stop that one, or choose another directory with log.dirs",
        );
        StorageError::io("lock", log_directory, why)
    })
}

/// Looks at all directories in a log directory.
///
/// # Errors
/// What the file system said.
pub fn scan(disk: &Disk, log_directory: &Path) -> Result<Contents, StorageError> {
    let entries = disk
        .list(log_directory)
        .map_err(|error| StorageError::io("list", log_directory, error))?;
    let mut contents = Contents::default();
    for entry in entries.into_iter().filter(|entry| entry.is_directory) {
        match parse(&entry.name) {
            Some((topic, partition, kind)) => contents.partitions.push(PartitionDirectory {
                path: log_directory.join(&entry.name),
                kind,
                topic: topic.to_owned(),
                partition,
            }),
            None => contents.unknown.push(entry.name),
        }
    }
    Ok(contents)
}

/// The name of a partition's directory.
#[must_use]
pub fn name(topic: &str, partition: PartitionIndex) -> String {
    format!("{topic}-{partition}")
}

/// The name for a directory that is put aside. Of a topic's name that is too long for it, the end
/// is left out, as Apache does.
#[must_use]
pub fn name_aside(
    topic: &str,
    partition: PartitionIndex,
    kind: DirectoryKind,
    unique: u128,
) -> String {
    let rest = format!("-{partition}.{unique:032x}{}", kind.suffix());
    let mut topic = topic;
    while topic.len() + rest.len() > NAME_BYTES_MAX {
        let last = topic.char_indices().next_back();
        topic = &topic[..last.map_or(0, |(index, _)| index)];
    }
    format!("{topic}{rest}")
}

/// Topic, partition and kind in the name of a directory.
#[must_use]
pub fn parse(name: &str) -> Option<(&str, PartitionIndex, DirectoryKind)> {
    for kind in [
        DirectoryKind::Deleted,
        DirectoryKind::Future,
        DirectoryKind::Stray,
    ] {
        if let Some(stem) = name.strip_suffix(kind.suffix())
            && let Some((stem, unique)) = stem.rsplit_once('.')
            && unique.len() == 32
            && unique.bytes().all(|digit| digit.is_ascii_hexdigit())
        {
            let (topic, partition) = split(stem)?;
            return Some((topic, partition, kind));
        }
    }
    let (topic, partition) = split(name)?;
    Some((topic, partition, DirectoryKind::Partition))
}

fn split(name: &str) -> Option<(&str, PartitionIndex)> {
    let (topic, partition) = name.rsplit_once('-')?;
    let is_canonical = partition.bytes().all(|digit| digit.is_ascii_digit())
        && (partition == "0" || !partition.starts_with('0'));
    let is_legal = topic
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    if topic.is_empty() || topic.len() > TOPIC_NAME_BYTES_MAX || !is_legal || !is_canonical {
        return None;
    }
    Some((topic, PartitionIndex(partition.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    #[test]
    fn names_are_apaches() {
        fn partition(name: &str) -> Option<(&str, i32, DirectoryKind)> {
            parse(name).map(|(topic, index, kind)| (topic, index.0, kind))
        }
        assert_eq!(
            partition("orders-0"),
            Some(("orders", 0, DirectoryKind::Partition))
        );
        assert_eq!(
            partition("a-b.c_d-12"),
            Some(("a-b.c_d", 12, DirectoryKind::Partition))
        );
        let unique = 0x7f3c_u128;
        for kind in [
            DirectoryKind::Deleted,
            DirectoryKind::Future,
            DirectoryKind::Stray,
        ] {
            let aside = name_aside("orders", PartitionIndex(3), kind, unique);
            assert_eq!(partition(&aside), Some(("orders", 3, kind)));
        }
        let long = "t".repeat(249);
        let aside = name_aside(&long, PartitionIndex(7), DirectoryKind::Deleted, unique);
        assert_eq!(aside.len(), 255);
        assert!(partition(&aside).is_some());
        // A topic may be called so: it has no unique id.
        assert_eq!(
            partition("x-delete-0"),
            Some(("x-delete", 0, DirectoryKind::Partition))
        );
        for name in [
            "orders",
            "-0",
            "orders-",
            "orders-x",
            "orders-01",
            "a b-0",
            "orders-99999999999",
        ] {
            assert_eq!(partition(name), None, "{name}");
        }
    }

    #[test]
    fn no_name_makes_it_panic() {
        let mut prng = Prng::new(3);
        for _ in 0..20_000 {
            let mut name = b"orders-0.0123456789abcdef0123456789abcdef-delete".to_vec();
            for _ in 0..1 + prng.index(3) {
                let index = prng.index(name.len());
                name[index] ^= 1 << prng.index(8);
            }
            let _ = parse(&String::from_utf8_lossy(&name));
        }
    }
}
