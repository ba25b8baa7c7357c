//! What the settings were before klamm changed them: a small file, whole on the disk before the
//! first of them is written.
//!
//! ```text
//! {"version":1, "boot":"3f0c…", "settings":[
//!   {"name":"vm.swappiness", "file":"/proc/sys/vm/swappiness", "before":"60", "set":"1"}, … ]}
//! ```
//!
//! `boot` is the kernel's boot_id: settings end with the boot, so what another one left is no record.

use super::judge::Change;
use super::list::is_of_the_kernel;
use super::machine::Tree;
use crate::runtime::disk::{DirectoryLock, Disk};
use serde_json::{Value, json};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Where the record lies, unless told otherwise: where it ends with the boot, as the settings do.
pub const RECORD_DEFAULT: &str = "/run/klamm-tune/undo.json";

const RECORD_BYTES_MAX: usize = 16 << 20;
const VERSION: u64 = 1;

/// Why a record cannot be used.
#[derive(Debug)]
pub enum RecordError {
    /// The file, what was tried with it, and the kernel's answer.
    Io(PathBuf, &'static str, io::Error),
    /// It is not what klamm writes.
    Damaged(PathBuf, String),
    /// Another `klamm tune` is at work.
    Busy(PathBuf),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::Io(path, tried, error) => {
                write!(f, "{} cannot be {tried}: {error}", path.display())?;
                if error.kind() == io::ErrorKind::PermissionDenied {
                    write!(f, "; run it as root: sudo klamm tune …")?;
                }
                Ok(())
            }
            RecordError::Damaged(path, why) => write!(
                f,
                "{} is not what klamm tune wrote: {why}; nothing was changed. Mend it by hand, or \
                 remove it and restart the machine, which undoes every setting",
                path.display()
            ),
            RecordError::Busy(path) => write!(
                f,
                "another klamm tune holds {}; wait until it has ended",
                path.display()
            ),
        }
    }
}

/// The file, held against others who would use it at the same time.
#[derive(Debug)]
pub struct Record<'a> {
    disk: &'a Disk,
    path: PathBuf,
    boot: String,
    /// What was, in the order in which it was changed.
    pub entries: Vec<Change>,
    /// Whether there was a file, if only an empty one or one of an earlier boot.
    pub is_there: bool,
    _lock: Option<DirectoryLock>,
}

impl<'a> Record<'a> {
    /// Reads the record; one of an earlier boot counts as none. Nothing is written.
    pub fn look(tree: Tree<'a>, path: &Path) -> Result<Record<'a>, RecordError> {
        let disk = tree.disk;
        let boot = tree.value("/proc/sys/kernel/random/boot_id");
        let mut record = Record {
            disk,
            path: path.to_owned(),
            boot: boot.unwrap_or_default(),
            entries: Vec::new(),
            is_there: disk.exists(path),
            _lock: None,
        };
        if record.is_there {
            let content = disk
                .read(path, RECORD_BYTES_MAX)
                .map_err(|error| RecordError::Io(path.to_owned(), "read", error))?;
            let (boot, entries) = decode(&content)
                .map_err(|why| RecordError::Damaged(path.to_owned(), why.to_string()))?;
            if boot == record.boot {
                record.entries = entries;
            }
        }
        Ok(record)
    }

    /// Makes the folder, locks it, and reads the record.
    pub fn hold(tree: Tree<'a>, path: &Path) -> Result<Record<'a>, RecordError> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        let io = |tried| move |error| RecordError::Io(folder.to_owned(), tried, error);
        tree.disk.create_directories(folder).map_err(io("made"))?;
        let lock = tree.disk.lock(folder).map_err(io("locked"))?;
        let Some(lock) = lock else {
            return Err(RecordError::Busy(folder.to_owned()));
        };
        let mut record = Record::look(tree, path)?;
        record._lock = Some(lock);
        Ok(record)
    }

    /// Adds what is about to be changed, and writes all to the disk. A file that stands in it keeps
    /// the value that it had at first: what is changed twice was klamm's own in between.
    pub fn remember(&mut self, changes: &[Change]) -> Result<(), RecordError> {
        for change in changes {
            match self
                .entries
                .iter_mut()
                .find(|entry| entry.file == change.file)
            {
                Some(entry) => entry.set.clone_from(&change.set),
                None => self.entries.push(change.clone()),
            }
        }
        let content = encode(&self.boot, &self.entries);
        self.disk
            .write_atomically(&self.path, content.as_bytes())
            .map_err(|error| RecordError::Io(self.path.clone(), "written", error))
    }

    /// Removes the file: nothing is left to be undone.
    pub fn forget(&mut self) -> Result<(), RecordError> {
        self.entries.clear();
        self.disk
            .remove_file(&self.path)
            .map_err(|error| RecordError::Io(self.path.clone(), "removed", error))
    }
}

fn encode(boot: &str, entries: &[Change]) -> String {
    let settings: Vec<Value> = entries
        .iter()
        .map(|entry| {
            json!({
                "name": entry.name,
                "file": entry.file,
                "before": entry.before,
                "set": entry.set,
            })
        })
        .collect();
    let record = json!({ "version": VERSION, "boot": boot, "settings": settings });
    format!("{record:#}\n")
}

/// The boot and the entries, or what is wrong. Root will write what stands here where it says: only
/// files of the kernel's settings are taken.
fn decode(content: &[u8]) -> Result<(String, Vec<Change>), &'static str> {
    let record: Value = serde_json::from_slice(content).map_err(|_| "it is no JSON")?;
    if record.get("version").and_then(Value::as_u64) != Some(VERSION) {
        return Err("it is of another version of klamm");
    }
    let boot = record.get("boot").and_then(Value::as_str);
    let settings = record.get("settings").and_then(Value::as_array);
    let (Some(boot), Some(settings)) = (boot, settings) else {
        return Err("it has no boot or no settings");
    };
    let mut entries = Vec::new();
    for setting in settings {
        let text = |key| {
            let value = setting.get(key).and_then(Value::as_str);
            value.map(str::to_owned).ok_or("a setting lacks a part")
        };
        let entry = Change {
            name: text("name")?,
            file: text("file")?,
            before: text("before")?,
            set: text("set")?,
        };
        if !is_of_the_kernel(&entry.file) {
            return Err("it names a file that is no setting of the kernel");
        }
        entries.push(entry);
    }
    Ok((boot.to_owned(), entries))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    fn entry(file: &str) -> Change {
        Change {
            name: "vm.swappiness".to_owned(),
            file: file.to_owned(),
            before: "60 \"é\"".to_owned(),
            set: "1".to_owned(),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let entries = vec![entry("/proc/sys/a"), entry("/sys/b")];
        let content = encode("boot", &entries);
        let read = decode(content.as_bytes());
        assert_eq!(read, Ok(("boot".to_owned(), entries)));
    }

    #[test]
    fn root_is_not_led_astray() {
        for file in [
            "/etc/passwd",
            "/proc/sys/../../etc/passwd",
            "/sys",
            "proc/sys/a",
            "/proc/self/mem",
        ] {
            let content = encode("boot", &[entry(file)]);
            let refused = decode(content.as_bytes()).unwrap_err();
            assert_eq!(
                refused, "it names a file that is no setting of the kernel",
                "{file}"
            );
        }
    }

    #[test]
    fn a_damaged_record_is_refused_or_read() {
        let whole = encode("boot", &[entry("/proc/sys/a"), entry("/sys/b")]).into_bytes();
        let mut prng = Prng::new(11);
        let mut refused = 0;
        for _ in 0..2_000 {
            let mut content = whole.clone();
            if prng.one_in(2) {
                content.truncate(prng.index(content.len()));
            } else {
                let at = prng.index(content.len());
                content[at] = content[at].wrapping_add(1);
            }
            refused += u32::from(decode(&content).is_err());
        }
        assert!(refused > 1_000, "the canary: {refused}");
    }
}
