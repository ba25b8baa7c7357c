//! The `.kafka_cleanshutdown` file of a log directory: its logs were closed, nothing has to be
//! recovered. Written as the last thing at a stop, removed as the first thing at a start.
//!
//! ```text
//! {"version":0,"brokerEpoch":42}
//! ```
//!
//! KIP-966, `CleanShutdownFileHandler` of Apache Kafka.

use crate::log::error::StorageError;
use crate::runtime::disk::Disk;
use std::io;
use std::path::Path;

/// The file's name in a log directory.
pub const FILE_NAME: &str = ".kafka_cleanshutdown";

/// The broker stopped cleanly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CleanShutdown {
    /// The epoch that the broker had, where the file says so.
    pub broker_epoch: Option<i64>,
}

/// Reads the file; `None` where the last stop was not a clean one. A file that cannot be understood
/// stands for a clean stop all the same, as with Apache, whose older files were empty.
///
/// # Errors
/// What the file system said.
pub fn read(disk: &Disk, log_directory: &Path) -> Result<Option<CleanShutdown>, StorageError> {
    let path = log_directory.join(FILE_NAME);
    match disk.read(&path, 4096) {
        Ok(text) => Ok(Some(CleanShutdown {
            broker_epoch: parse(&text),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Ok(Some(CleanShutdown { broker_epoch: None }))
        }
        Err(error) => Err(StorageError::io("read", &path, error)),
    }
}

/// Writes the file. All logs of the directory have been closed before.
///
/// # Errors
/// What the file system said.
pub fn write(disk: &Disk, log_directory: &Path, broker_epoch: i64) -> Result<(), StorageError> {
    let path = log_directory.join(FILE_NAME);
    let text = format!("{{\"version\":0,\"brokerEpoch\":{broker_epoch}}}");
    disk.write_atomically(&path, text.as_bytes())
        .map_err(|error| StorageError::io("write", &path, error))
}

/// Removes the file: from now on a stop is not a clean one.
///
/// # Errors
/// What the file system said.
pub fn remove(disk: &Disk, log_directory: &Path) -> Result<(), StorageError> {
    let path = log_directory.join(FILE_NAME);
    disk.remove_file(&path)
        .and_then(|()| disk.sync_directory(log_directory))
        .map_err(|error| StorageError::io("remove", &path, error))
}

/// The broker epoch in the text of the file.
fn parse(text: &[u8]) -> Option<i64> {
    let json: serde_json::Value = serde_json::from_slice(text).ok()?;
    if json.get("version")?.as_i64()? != 0 {
        return None;
    }
    json.get("brokerEpoch")?
        .as_i64()
        .filter(|epoch| *epoch >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use crate::runtime::simulated::disk::SimulatedDisk;

    #[test]
    fn reads_what_it_writes() {
        let disk = Disk::Simulated(SimulatedDisk::new());
        let directory = Path::new("/data");
        disk.create_directories(directory).unwrap();
        assert_eq!(read(&disk, directory).unwrap(), None);
        write(&disk, directory, 42).unwrap();
        let found = read(&disk, directory).unwrap().unwrap();
        assert_eq!(found.broker_epoch, Some(42));
        remove(&disk, directory).unwrap();
        assert_eq!(read(&disk, directory).unwrap(), None);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut prng = Prng::new(5);
        for _ in 0..5000 {
            let mut text = b"{\"version\":0,\"brokerEpoch\":42}".to_vec();
            let index = prng.index(text.len());
            text[index] ^= 1 << prng.index(8);
            text.truncate(prng.index(text.len() + 1));
            let _ = parse(&text);
        }
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"{\"version\":1,\"brokerEpoch\":42}"), None);
    }
}
