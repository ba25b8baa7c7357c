//! Files in memory. A kill of the simulated process loses nothing that was written, as a page cache
//! does not; faults are switched on by the simulation.

use crate::base::convert::{u64_from, usize_from};
use crate::runtime::disk::{Entry, OpenMode, Resident, Space};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file system in memory.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    nodes: Arc<Mutex<BTreeMap<PathBuf, Node>>>,
    faults: Arc<Faults>,
}

/// What goes wrong, switched by the simulation.
#[derive(Debug)]
struct Faults {
    /// Bytes that can still be written before the disk is full.
    free_bytes: AtomicU64,
    /// Whether each sync fails.
    syncs_fail: AtomicBool,
    /// Whether a sync of the whole file system fails.
    file_system_syncs_fail: AtomicBool,
    /// Whether no file can be cut.
    cuts_fail: AtomicBool,
    /// Whether reads that may not wait find nothing in memory.
    reads_are_cold: AtomicBool,
    /// Whether each read fails.
    reads_fail: AtomicBool,
    /// Whether appends are to be written away from the turn.
    writes_are_slow: AtomicBool,
    /// How many files may be open before none is to spare.
    open_files_max: AtomicU64,
    /// How many are.
    open_files: AtomicU64,
}

#[derive(Clone, Debug)]
enum Node {
    Directory,
    File(Arc<Content>),
}

#[derive(Debug, Default)]
struct Content {
    bytes: Mutex<Vec<u8>>,
    locked: AtomicBool,
}

/// An open file in memory.
#[derive(Debug)]
pub struct SimulatedFile {
    content: Arc<Content>,
    faults: Arc<Faults>,
    holds_lock: AtomicBool,
}

/// One thread runs the simulation: a lock is never contended, and poison means a test panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("{} does not exist", path.display()),
    )
}

impl Default for SimulatedDisk {
    fn default() -> Self {
        SimulatedDisk::new()
    }
}

impl SimulatedDisk {
    /// An empty file system.
    #[must_use]
    pub fn new() -> SimulatedDisk {
        let root = BTreeMap::from([(PathBuf::from("/"), Node::Directory)]);
        SimulatedDisk {
            nodes: Arc::new(Mutex::new(root)),
            faults: Arc::new(Faults {
                free_bytes: AtomicU64::new(1 << 40),
                syncs_fail: AtomicBool::new(false),
                file_system_syncs_fail: AtomicBool::new(false),
                cuts_fail: AtomicBool::new(false),
                reads_are_cold: AtomicBool::new(false),
                reads_fail: AtomicBool::new(false),
                writes_are_slow: AtomicBool::new(false),
                open_files_max: AtomicU64::new(u64::MAX),
                open_files: AtomicU64::new(0),
            }),
        }
    }

    /// From now on only so many bytes can be written before the disk is full.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.faults.free_bytes.store(bytes, Ordering::Relaxed);
    }

    /// From now on each sync fails, or none does.
    pub fn set_syncs_fail(&self, fail: bool) {
        self.faults.syncs_fail.store(fail, Ordering::Relaxed);
    }

    /// From now on each sync of the whole file system fails, or none does: the one of a stop.
    pub fn set_file_system_syncs_fail(&self, fail: bool) {
        let fails = &self.faults.file_system_syncs_fail;
        fails.store(fail, Ordering::Relaxed);
    }

    /// From now on no file can be made shorter, or each can.
    pub fn set_cuts_fail(&self, fail: bool) {
        self.faults.cuts_fail.store(fail, Ordering::Relaxed);
    }

    /// From now on nothing is resident, or everything is.
    pub fn set_reads_are_cold(&self, cold: bool) {
        self.faults.reads_are_cold.store(cold, Ordering::Relaxed);
    }

    /// From now on each read fails, or none does.
    pub fn set_reads_fail(&self, fail: bool) {
        self.faults.reads_fail.store(fail, Ordering::Relaxed);
    }

    /// From now on appends are written away from the turn, or in it.
    pub fn set_writes_are_slow(&self, slow: bool) {
        self.faults.writes_are_slow.store(slow, Ordering::Relaxed);
    }

    /// From now on no file can be spared for a log while so many are open.
    pub fn set_open_files_max(&self, most: u64) {
        self.faults.open_files_max.store(most, Ordering::Relaxed);
    }

    /// How many files are open.
    #[must_use]
    pub fn open_files(&self) -> u64 {
        self.faults.open_files.load(Ordering::Relaxed)
    }

    pub(in crate::runtime) fn check_spare(&self) -> io::Result<()> {
        if self.open_files() < self.faults.open_files_max.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(io::Error::from_raw_os_error(libc::EMFILE))
        }
    }

    pub(in crate::runtime) fn are_writes_slow(&self) -> bool {
        self.faults.writes_are_slow.load(Ordering::Relaxed)
    }

    /// The simulated process died: its locks are gone, what it wrote stays.
    pub fn kill(&self) {
        for node in lock(&self.nodes).values() {
            if let Node::File(content) = node {
                content.locked.store(false, Ordering::Relaxed);
            }
        }
    }

    pub(in crate::runtime) fn open(
        &self,
        path: &Path,
        mode: OpenMode,
    ) -> io::Result<SimulatedFile> {
        let mut nodes = lock(&self.nodes);
        let content = match nodes.get(path) {
            Some(Node::File(content)) => Arc::clone(content),
            Some(Node::Directory) => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
            None => match mode {
                OpenMode::Read | OpenMode::Write => return Err(not_found(path)),
                OpenMode::Create | OpenMode::Truncate => {
                    let parent = path.parent().unwrap_or(Path::new("/"));
                    if !matches!(nodes.get(parent), Some(Node::Directory)) {
                        return Err(not_found(parent));
                    }
                    let content = Arc::new(Content::default());
                    nodes.insert(path.to_owned(), Node::File(Arc::clone(&content)));
                    content
                }
            },
        };
        if mode == OpenMode::Truncate {
            lock(&content.bytes).clear();
        }
        self.faults.open_files.fetch_add(1, Ordering::Relaxed);
        Ok(SimulatedFile {
            content,
            faults: Arc::clone(&self.faults),
            holds_lock: AtomicBool::new(false),
        })
    }

    pub(in crate::runtime) fn create_directories(&self, path: &Path) -> io::Result<()> {
        let mut nodes = lock(&self.nodes);
        for ancestor in path.ancestors() {
            match nodes.get(ancestor) {
                Some(Node::File(_)) => {
                    return Err(io::Error::from(io::ErrorKind::NotADirectory));
                }
                Some(Node::Directory) => {}
                None => {
                    nodes.insert(ancestor.to_owned(), Node::Directory);
                }
            }
        }
        Ok(())
    }

    /// Whether a file or directory of that name exists.
    #[must_use]
    pub fn exists(&self, path: &Path) -> bool {
        lock(&self.nodes).contains_key(path)
    }

    pub(in crate::runtime) fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let nodes = lock(&self.nodes);
        if !matches!(nodes.get(path), Some(Node::Directory)) {
            return Err(not_found(path));
        }
        let mut entries = Vec::new();
        for (other, node) in nodes.range(path.to_owned()..).skip(1) {
            if !other.starts_with(path) {
                break;
            }
            if other.parent() != Some(path) {
                continue;
            }
            let name = other
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            entries.push(match node {
                Node::Directory => Entry {
                    name: name.unwrap_or_default(),
                    is_directory: true,
                    bytes: 0,
                },
                Node::File(content) => Entry {
                    name: name.unwrap_or_default(),
                    is_directory: false,
                    bytes: u64_from(lock(&content.bytes).len()),
                },
            });
        }
        Ok(entries)
    }

    pub(in crate::runtime) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut nodes = lock(&self.nodes);
        if !nodes.contains_key(from) {
            return Err(not_found(from));
        }
        let moved: Vec<PathBuf> = nodes
            .keys()
            .filter(|path| path.starts_with(from))
            .cloned()
            .collect();
        for path in moved {
            let node = nodes.remove(&path).expect("the key was just listed");
            let rest = path.strip_prefix(from).expect("it starts with `from`");
            let target = if rest.as_os_str().is_empty() {
                to.to_owned()
            } else {
                to.join(rest)
            };
            nodes.insert(target, node);
        }
        Ok(())
    }

    pub(in crate::runtime) fn remove_file(&self, path: &Path) -> io::Result<()> {
        match lock(&self.nodes).remove(path) {
            Some(_) => Ok(()),
            None => Err(not_found(path)),
        }
    }

    pub(in crate::runtime) fn remove_directory(&self, path: &Path) -> io::Result<()> {
        let mut nodes = lock(&self.nodes);
        if !nodes.contains_key(path) {
            return Err(not_found(path));
        }
        nodes.retain(|other, _| !other.starts_with(path));
        Ok(())
    }

    pub(in crate::runtime) fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.faults.sync()?;
        if self.exists(path) {
            Ok(())
        } else {
            Err(not_found(path))
        }
    }

    pub(in crate::runtime) fn sync_file_system(&self, directory: &Path) -> io::Result<()> {
        if self.faults.file_system_syncs_fail.load(Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        self.sync_directory(directory)
    }

    pub(in crate::runtime) fn space(&self) -> Space {
        Space {
            total: 1 << 40,
            usable: self.faults.free_bytes.load(Ordering::Relaxed),
        }
    }
}

impl Faults {
    fn sync(&self) -> io::Result<()> {
        if self.syncs_fail.load(Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        Ok(())
    }
}

impl SimulatedFile {
    pub(in crate::runtime) fn len(&self) -> u64 {
        u64_from(lock(&self.content.bytes).len())
    }

    pub(in crate::runtime) fn read_at(
        &self,
        position: u64,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        if self.faults.reads_fail.load(Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        let bytes = lock(&self.content.bytes);
        let from = usize_from(position).min(bytes.len());
        let count = buffer.len().min(bytes.len() - from);
        buffer[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    pub(in crate::runtime) fn read_resident(
        &self,
        position: u64,
        buffer: &mut [u8],
    ) -> io::Result<Resident> {
        // Cold once: the read that follows the warming finds the pages.
        if self.faults.reads_are_cold.swap(false, Ordering::Relaxed) && position < self.len() {
            return Ok(Resident::Cold);
        }
        Ok(Resident::Read(self.read_at(position, buffer)?))
    }

    pub(in crate::runtime) fn write_at(&self, position: u64, source: &[u8]) -> io::Result<()> {
        let mut bytes = lock(&self.content.bytes);
        let from = usize_from(position);
        let end = from + source.len();
        let growth = u64_from(end.saturating_sub(bytes.len()));
        let free = self.faults.free_bytes.load(Ordering::Relaxed);
        if growth > free {
            return Err(io::Error::from_raw_os_error(libc::ENOSPC));
        }
        self.faults
            .free_bytes
            .store(free - growth, Ordering::Relaxed);
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[from..end].copy_from_slice(source);
        Ok(())
    }

    pub(in crate::runtime) fn set_len(&self, length: u64) -> io::Result<()> {
        let mut bytes = lock(&self.content.bytes);
        let length = usize_from(length);
        if length < bytes.len() && self.faults.cuts_fail.load(Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        bytes.resize(length, 0);
        Ok(())
    }

    pub(in crate::runtime) fn sync_data(&self) -> io::Result<()> {
        self.faults.sync()
    }

    pub(in crate::runtime) fn try_lock(&self) -> bool {
        let taken = self.content.locked.swap(true, Ordering::Relaxed);
        if !taken {
            self.holds_lock.store(true, Ordering::Relaxed);
        }
        !taken
    }
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        self.faults.open_files.fetch_sub(1, Ordering::Relaxed);
        if self.holds_lock.load(Ordering::Relaxed) {
            self.content.locked.store(false, Ordering::Relaxed);
        }
    }
}
