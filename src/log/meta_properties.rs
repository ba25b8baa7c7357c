//! The `meta.properties` file of a log directory: which cluster, node and directory it belongs to.
//!
//! ```text
//! version=1
//! cluster.id=MkU3OEVBNTcwNTJENDM2Qg
//! node.id=1
//! directory.id=pT8RsWvpR7KqxnFhR3r3Xw
//! ```
//!
//! A file of version 0 (ZooKeeper's time) has `broker.id` in place of `node.id`. The text is that
//! of Java's properties: comments, escapes, `=` or `:`. KIP-631, KIP-858, `MetaProperties` of
//! Apache Kafka.

use crate::base::ids::NodeId;
use crate::base::uuid::Uuid;
use crate::log::error::StorageError;
use crate::runtime::disk::Disk;
use std::io;
use std::path::Path;

/// The file's name in a log directory.
pub const FILE_NAME: &str = "meta.properties";

/// What the file says. Everything but the version may be missing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MetaProperties {
    /// 0 or 1.
    pub version: i32,
    /// The cluster: 22 characters by default, but any text is legal.
    pub cluster_id: Option<String>,
    /// The node that the directory belongs to.
    pub node_id: Option<NodeId>,
    /// The directory itself.
    pub directory_id: Option<Uuid>,
}

impl MetaProperties {
    /// The properties in the text of the file.
    ///
    /// # Errors
    /// Says which property is wrong.
    pub fn parse(text: &[u8]) -> Result<MetaProperties, String> {
        let text = std::str::from_utf8(text).map_err(|_| String::from("it is not text"))?;
        let mut version = None;
        let mut broker_id = None;
        let mut properties = MetaProperties::default();
        for line in text.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let (key, value) = split(line);
            match key.as_str() {
                "version" => version = Some(integer(&key, &value)?),
                "cluster.id" => properties.cluster_id = Some(value),
                "node.id" => properties.node_id = Some(NodeId(integer(&key, &value)?)),
                "broker.id" => broker_id = Some(NodeId(integer(&key, &value)?)),
                "directory.id" => {
                    let id = Uuid::parse(&value)
                        .filter(|id| *id != Uuid::ZERO)
                        .ok_or_else(|| format!("directory.id={value} is not a directory id"))?;
                    properties.directory_id = Some(id);
                }
                _ => {} // as Apache: other properties are left alone
            }
        }
        properties.version = version.ok_or("it has no version")?;
        match properties.version {
            0 => properties.node_id = broker_id,
            1 => {}
            other => return Err(format!("version={other} is neither 0 nor 1")),
        }
        if properties.node_id.is_some_and(|id| id.0 < 0) {
            return Err(String::from("the node's id is negative"));
        }
        Ok(properties)
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec![format!("version={}", self.version)];
        if let Some(id) = &self.cluster_id {
            lines.push(format!("cluster.id={}", escaped(id)));
        }
        if let Some(id) = self.node_id {
            let key = if self.version == 0 {
                "broker.id"
            } else {
                "node.id"
            };
            lines.push(format!("{key}={id}"));
        }
        if let Some(id) = self.directory_id {
            lines.push(format!("directory.id={id}"));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// Reads the file of a log directory; `None` where there is none: the directory is not formatted.
///
/// # Errors
/// The file cannot be read, or is not in its format. It cannot be derived: klamm does not start.
pub fn read(disk: &Disk, log_directory: &Path) -> Result<Option<MetaProperties>, StorageError> {
    let path = log_directory.join(FILE_NAME);
    match disk.read(&path, 65_536) {
        Ok(text) => MetaProperties::parse(&text)
            .map(Some)
            .map_err(|why| StorageError::malformed(&path, why)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StorageError::io("read", &path, error)),
    }
}

/// Replaces the file of a log directory.
///
/// # Errors
/// What the file system said; the old content stands then.
pub fn write(
    disk: &Disk,
    log_directory: &Path,
    properties: &MetaProperties,
) -> Result<(), StorageError> {
    let path = log_directory.join(FILE_NAME);
    disk.write_atomically(&path, properties.to_text().as_bytes())
        .map_err(|error| StorageError::io("write", &path, error))
}

/// Key and value of a line; both without their escapes.
fn split(line: &str) -> (String, String) {
    let mut key = String::new();
    let mut characters = line.char_indices();
    let mut rest = "";
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => key.extend(characters.next().map(|(_, escaped)| escaped)),
            '=' | ':' => {
                rest = &line[index + 1..];
                break;
            }
            character if character.is_whitespace() => {
                let after = line[index..].trim_start();
                rest = after.strip_prefix(['=', ':']).unwrap_or(after);
                break;
            }
            character => key.push(character),
        }
    }
    let mut value = String::new();
    let mut characters = rest.trim_start().chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => value.extend(characters.next()),
            character => value.push(character),
        }
    }
    (key, value)
}

fn escaped(value: &str) -> String {
    let mut out = String::new();
    for character in value.chars() {
        if matches!(character, '\\' | '=' | ':' | '#' | '!') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

fn integer(key: &str, value: &str) -> Result<i32, String> {
    value
        .parse()
        .map_err(|_| format!("{key}={value} is not a 32-bit number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    #[test]
    fn reads_what_apache_writes() {
        let text = b"#\n#Sun Nov 22 04:00:00 UTC 2026\ncluster.id=4L6g3nShT-eMCtK--X86sw\n\
            directory.id=pT8RsWvpR7KqxnFhR3r3Xw\nnode.id=1\nversion=1\n";
        let properties = MetaProperties::parse(text).unwrap();
        assert_eq!(properties.version, 1);
        assert_eq!(properties.node_id, Some(NodeId(1)));
        assert_eq!(
            properties.cluster_id.as_deref(),
            Some("4L6g3nShT-eMCtK--X86sw")
        );
        assert_eq!(
            properties.directory_id,
            Uuid::parse("pT8RsWvpR7KqxnFhR3r3Xw")
        );
        let again = MetaProperties::parse(properties.to_text().as_bytes());
        assert_eq!(again, Ok(properties));
        let old = MetaProperties::parse(b"version=0\nbroker.id : 7\ncluster.id=a\\:b\\=c");
        let old = old.unwrap();
        assert_eq!(old.node_id, Some(NodeId(7)));
        assert_eq!(old.cluster_id.as_deref(), Some("a:b=c"));
        assert_eq!(MetaProperties::parse(old.to_text().as_bytes()), Ok(old));
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, why) in [
            ("node.id=1", "it has no version"),
            ("version=2", "version=2 is neither 0 nor 1"),
            ("version=1\nnode.id=x", "node.id=x is not a 32-bit number"),
            ("version=1\nnode.id=-4", "the node's id is negative"),
            (
                "version=1\ndirectory.id=4",
                "directory.id=4 is not a directory id",
            ),
        ] {
            assert_eq!(MetaProperties::parse(text.as_bytes()).unwrap_err(), why);
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let sound =
            b"version=1\ncluster.id=abc\\=d\nnode.id=1\ndirectory.id=pT8RsWvpR7KqxnFhR3r3Xw";
        let mut prng = Prng::new(11);
        for _ in 0..20_000 {
            let mut text = sound.to_vec();
            for _ in 0..1 + prng.index(4) {
                let index = prng.index(text.len());
                text[index] ^= 1 << prng.index(8);
            }
            text.truncate(prng.index(text.len() + 1));
            let _ = MetaProperties::parse(&text);
        }
    }
}
