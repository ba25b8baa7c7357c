//! Files and directories, on a real file system or in memory.
//!
//! Calls are synchronous: appends go into the page cache (2 µs, where a ring takes 90), and reads on
//! a shard's turn ask for resident pages only ([`File::read_resident`]); what is cold is fetched
//! by the ring (`Io::warm`) and asked for again. Blocking reads are for recovery and tools.

use super::native::residency::Residency;
use super::simulated::disk as simulated;
use crate::base::convert::u64_from;
use crate::base::time::Instant;
use std::fs;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Farther than the kernel reads ahead: 128 KiB where nobody told it otherwise, some MiB where somebody did.
const FAR_BYTES: u64 = 32 << 20;

/// Pages may be on their way for so long after workers were sent for some of a file. Some pages are missing here and
/// there of most files that lie in memory, and one of them must not make the file dear to ask about for good.
const COLD_FOR: Duration = Duration::from_secs(2);

/// Workers were not sent for any of a file yet.
const NEVER: u64 = u64::MAX;

/// One byte of so many is read to see whether a slice is in memory.
const PROBED_BYTES: usize = 64 << 10;

/// A file system: the machine's, or one in memory. Cloning gives another handle to the same one.
#[derive(Clone, Debug)]
pub enum Disk {
    /// The file system of this machine.
    Native,
    /// Files in memory, with the faults that a simulation asks for.
    Simulated(simulated::SimulatedDisk),
}

/// An open file. It may be sent to other cores: it is an immutable handle.
#[derive(Debug)]
pub struct File {
    backend: Backend,
    /// The same file once more, from when it was met cold: see [`File::reader`].
    reader: OnceLock<fs::File>,
    /// What of it is in memory; `None` where that cannot be told.
    residency: OnceLock<Option<Residency>>,
    /// When workers were last sent for a part of it that was not in memory.
    met_cold_at: AtomicU64,
}

#[derive(Debug)]
enum Backend {
    Native(fs::File),
    Simulated(simulated::SimulatedFile),
}

/// A part of a file, to be sent from where it lies.
#[derive(Clone, Debug)]
pub struct FileSlice {
    /// The file.
    pub file: Arc<File>,
    /// Where it begins, in bytes.
    pub position: u64,
    /// How long it is.
    pub bytes: usize,
}

/// How to open a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenMode {
    /// It exists and is only read.
    Read,
    /// It exists, and is read and written.
    Write,
    /// It is read and written, and made where it does not exist.
    Create,
    /// It is read and written, and emptied where it exists.
    Truncate,
}

/// What a read that may not wait found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resident {
    /// So many bytes lay in memory and were read; 0 is the end of the file.
    Read(usize),
    /// The device has to be asked first: see `Io::warm`.
    Cold,
}

/// One name in a directory.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// The name, without the directory's.
    pub name: String,
    /// Whether it is a directory itself.
    pub is_directory: bool,
    /// Length of the file; 0 for a directory.
    pub bytes: u64,
}

/// Space on the device below a directory, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// All there is.
    pub total: u64,
    /// What this process may still use.
    pub usable: u64,
}

/// An exclusive lock on a directory, held until dropped or until the process ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: Arc<File>,
}

/// Whether a file could not be opened because this process, or the machine, has too many open: it can
/// be when some are closed.
#[must_use]
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

impl Disk {
    /// Opens a file of a log, of which there may be more than descriptors. Where only the last are left it fails as if
    /// none was: those are for what goes on meanwhile, connections, syncs of directories and checkpoints.
    pub fn open_spare(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<File>> {
        if let Disk::Simulated(disk) = self {
            disk.check_spare()?;
        }
        let file = self.open(path, mode)?;
        match file.descriptor() {
            Some(descriptor) if super::native::disk::is_one_of_the_last(descriptor) => {
                Err(io::Error::from_raw_os_error(libc::EMFILE))
            }
            Some(_) | None => Ok(file),
        }
    }

    /// Opens a file.
    pub fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<File>> {
        let backend = match self {
            Disk::Native => {
                let mut options = fs::OpenOptions::new();
                options.read(true);
                match mode {
                    OpenMode::Read => {}
                    OpenMode::Write => {
                        options.write(true);
                    }
                    OpenMode::Create => {
                        options.write(true).create(true);
                    }
                    OpenMode::Truncate => {
                        options.write(true).create(true).truncate(true);
                    }
                }
                Backend::Native(options.open(path)?)
            }
            Disk::Simulated(disk) => Backend::Simulated(disk.open(path, mode)?),
        };
        Ok(Arc::new(File {
            backend,
            reader: OnceLock::new(),
            residency: OnceLock::new(),
            met_cold_at: AtomicU64::new(NEVER),
        }))
    }

    /// Makes a directory and those above it; one that exists is fine.
    pub fn create_directories(&self, path: &Path) -> io::Result<()> {
        match self {
            Disk::Native => fs::create_dir_all(path),
            Disk::Simulated(disk) => disk.create_directories(path),
        }
    }

    /// Whether a file or directory of that name exists.
    #[must_use]
    pub fn exists(&self, path: &Path) -> bool {
        match self {
            Disk::Native => path.exists(),
            Disk::Simulated(disk) => disk.exists(path),
        }
    }

    /// What a directory holds, sorted by name.
    pub fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = match self {
            Disk::Native => {
                let mut entries = Vec::new();
                for entry in fs::read_dir(path)? {
                    let entry = entry?;
                    let Ok(metadata) = entry.metadata() else {
                        continue;
                    }; // deleted meanwhile
                    entries.push(Entry {
                        name: entry.file_name().to_string_lossy().into_owned(),
                        is_directory: metadata.is_dir(),
                        bytes: if metadata.is_dir() { 0 } else { metadata.len() },
                    });
                }
                entries
            }
            Disk::Simulated(disk) => disk.list(path)?,
        };
        entries.sort();
        Ok(entries)
    }

    /// What a symbolic link says it leads to, whether that exists or not.
    pub fn link_target(&self, path: &Path) -> io::Result<PathBuf> {
        match self {
            Disk::Native => fs::read_link(path),
            // The simulated disk has no links.
            Disk::Simulated(_) => Err(io::Error::from(io::ErrorKind::InvalidInput)),
        }
    }

    /// Renames a file or directory; a file that stood there is replaced.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self {
            Disk::Native => fs::rename(from, to),
            Disk::Simulated(disk) => disk.rename(from, to),
        }
    }

    /// Removes a file; one that does not exist is fine.
    pub fn remove_file(&self, path: &Path) -> io::Result<()> {
        let result = match self {
            Disk::Native => fs::remove_file(path),
            Disk::Simulated(disk) => disk.remove_file(path),
        };
        ignore_not_found(result)
    }

    /// Removes a directory with all below it; one that does not exist is fine.
    pub fn remove_directory(&self, path: &Path) -> io::Result<()> {
        let result = match self {
            Disk::Native => fs::remove_dir_all(path),
            Disk::Simulated(disk) => disk.remove_directory(path),
        };
        ignore_not_found(result)
    }

    /// Makes the names in a directory durable.
    pub fn sync_directory(&self, path: &Path) -> io::Result<()> {
        match self {
            Disk::Native => fs::File::open(path)?.sync_all(),
            Disk::Simulated(disk) => disk.sync_directory(path),
        }
    }

    /// Makes durable all that was written to the file system which holds a directory, files and names, by whomever: one wait for the
    /// device where a stop leaves thousands of files.
    pub fn sync_file_system(&self, directory: &Path) -> io::Result<()> {
        match self {
            Disk::Native => super::native::disk::sync_file_system(directory),
            Disk::Simulated(disk) => disk.sync_file_system(directory),
        }
    }

    /// The whole content of a small file, or an error of kind `InvalidData` where it is larger than
    /// `bytes_max`. It may wait for the device.
    pub fn read(&self, path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Read)?;
        let bytes = file.len()?;
        if bytes > u64_from(bytes_max) {
            let why = format!(
                "{} holds {bytes} bytes, more than {bytes_max}",
                path.display()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let mut content = vec![0; crate::base::convert::usize_from(bytes)];
        let read = file.read_at(0, &mut content)?;
        content.truncate(read);
        Ok(content)
    }

    /// Replaces a small file as Kafka does with its checkpoints: `<path>.tmp` is written and synced,
    /// then renamed, then the directory is synced. After a crash the old or the new content stands.
    pub fn write_atomically(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let file = self.open(&temporary, OpenMode::Truncate)?;
        file.write_at(0, content)?;
        file.sync_data()?;
        self.rename(&temporary, path)?;
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => self.sync_directory(parent),
            Some(_) | None => self.sync_directory(Path::new(".")),
        }
    }

    /// Locks a directory by its `.lock` file; `None` where another process holds it.
    pub fn lock(&self, directory: &Path) -> io::Result<Option<DirectoryLock>> {
        let file = self.open(&directory.join(".lock"), OpenMode::Create)?;
        let locked = match &file.backend {
            Backend::Native(native) => match native.try_lock() {
                Ok(()) => true,
                Err(fs::TryLockError::WouldBlock) => false,
                Err(fs::TryLockError::Error(error)) => return Err(error),
            },
            Backend::Simulated(simulated) => simulated.try_lock(),
        };
        Ok(locked.then_some(DirectoryLock { _file: file }))
    }

    /// Space on the device that holds a directory.
    pub fn space(&self, path: &Path) -> io::Result<Space> {
        match self {
            Disk::Native => super::native::disk::space(path),
            Disk::Simulated(disk) => Ok(disk.space()),
        }
    }

    /// Whether the simulation asks that writes be done away from the turn.
    pub(super) fn are_writes_slow(&self) -> bool {
        match self {
            Disk::Native => false,
            Disk::Simulated(disk) => disk.are_writes_slow(),
        }
    }

    /// The absolute path of a directory that exists.
    pub fn absolute(&self, path: &Path) -> io::Result<PathBuf> {
        match self {
            Disk::Native => fs::canonicalize(path),
            Disk::Simulated(_) => Ok(path.to_owned()),
        }
    }
}

impl File {
    /// Length in bytes.
    pub fn len(&self) -> io::Result<u64> {
        match &self.backend {
            Backend::Native(file) => Ok(file.metadata()?.len()),
            Backend::Simulated(file) => Ok(file.len()),
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads until `buffer` is full or the file ends; returns the bytes read. It may wait for the
    /// device: for recovery and tools, never for a shard's turn.
    pub fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < buffer.len() {
            let at = position + u64_from(read);
            let count = match &self.backend {
                Backend::Native(file) => match file.read_at(&mut buffer[read..], at) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    result => result?,
                },
                Backend::Simulated(file) => file.read_at(at, &mut buffer[read..])?,
            };
            if count == 0 {
                break;
            }
            read += count;
        }
        Ok(read)
    }

    /// Reads what lies in memory and never waits for the device. It stops short at the first page
    /// that is not resident, and says `Cold` where that is the first.
    pub fn read_resident(&self, position: u64, buffer: &mut [u8]) -> io::Result<Resident> {
        match &self.backend {
            Backend::Native(file) => super::native::disk::read_resident(file, position, buffer),
            Backend::Simulated(file) => file.read_resident(position, buffer),
        }
    }

    /// Writes all of `bytes`.
    pub fn write_at(&self, position: u64, bytes: &[u8]) -> io::Result<()> {
        match &self.backend {
            Backend::Native(file) => file.write_all_at(bytes, position),
            Backend::Simulated(file) => file.write_at(position, bytes),
        }
    }

    /// Writes all of the slices, one after the other, in as few calls as the kernel takes. After an
    /// error some of them may have been written: the caller truncates.
    pub fn write_vectored_at(&self, position: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        match &self.backend {
            Backend::Native(file) => super::native::disk::write_vectored(file, position, slices),
            Backend::Simulated(file) => {
                let mut position = position;
                for slice in slices {
                    file.write_at(position, slice)?;
                    position += u64_from(slice.len());
                }
                Ok(())
            }
        }
    }

    /// Cuts the file, or extends it with zeros.
    pub fn set_len(&self, bytes: u64) -> io::Result<()> {
        match &self.backend {
            Backend::Native(file) => file.set_len(bytes),
            Backend::Simulated(file) => file.set_len(bytes),
        }
    }

    /// The descriptor by which the ring's workers read what is not in memory. It is another one than that of
    /// shards, because the kernel reads ahead in whoever touches a file next, and takes megabytes of pages
    /// for it, which may mean to wait until others are given up: that is for a worker, never for a turn.
    pub(super) fn reader(&self, now: Instant) -> Option<RawFd> {
        let Backend::Native(file) = &self.backend else {
            return None;
        };
        self.met_cold_at.store(now.0, Ordering::Relaxed);
        if self.reader.get().is_none() {
            super::native::disk::read_no_further(file);
            match super::native::disk::open_again(file) {
                Ok(reader) => drop(self.reader.set(reader)),
                // Too many are open: one for both will do.
                Err(_) => return Some(file.as_raw_fd()),
            }
        }
        self.reader.get().map(AsRawFd::as_raw_fd)
    }

    /// Whether a slice can be sent from memory, and would not have the kernel read ahead of it: while workers
    /// read this file, what lies far ahead must be in memory, too, unless the file ends before.
    pub(super) fn is_resident(&self, position: u64, bytes: usize, now: Instant) -> bool {
        let Backend::Native(file) = &self.backend else {
            return self.probe(position, bytes);
        };
        let met_cold_at = self.met_cold_at.load(Ordering::Relaxed);
        if met_cold_at == NEVER || now.since(Instant(met_cold_at)) > COLD_FOR {
            let is_cached = super::native::residency::is_cached(file, position, bytes);
            return is_cached.unwrap_or_else(|| self.probe(position, bytes));
        }
        let residency = self.residency.get_or_init(|| Residency::of(file).ok());
        let Some(residency) = residency else {
            return false; // too much is mapped; workers can read it all the same
        };
        let far = position + FAR_BYTES;
        let ends_before = || file.metadata().is_ok_and(|found| found.len() <= far);
        residency.has(position, bytes) && (residency.has(far, 1) || ends_before())
    }

    /// Reads one byte of each 64 KiB: what the kernel has read ahead of somebody came in larger pieces.
    fn probe(&self, position: u64, bytes: usize) -> bool {
        let last = position + u64_from(bytes.saturating_sub(1));
        let mut probed = (position..last).step_by(PROBED_BYTES).chain([last]);
        probed.all(|at| matches!(self.read_resident(at, &mut [0]), Ok(Resident::Read(_))))
    }

    /// Reserves blocks of the device for a part of the file, beyond its end too, which stays where it
    /// is. A hint: what the file system cannot do is left undone. Cutting the file gives back what is
    /// beyond its end.
    pub fn reserve(&self, position: u64, bytes: u64) {
        match &self.backend {
            Backend::Native(file) => super::native::disk::reserve(file, position, bytes),
            Backend::Simulated(_) => {}
        }
    }

    /// Makes the content durable; it waits for the device. A shard's turn uses `Io::sync`.
    pub fn sync_data(&self) -> io::Result<()> {
        match &self.backend {
            Backend::Native(file) => file.sync_data(),
            Backend::Simulated(file) => file.sync_data(),
        }
    }

    /// Asks the kernel to keep none of the file in memory: what is written waits for the device
    /// first, and what is in use stays.
    pub fn forget_pages(&self) -> io::Result<()> {
        match &self.backend {
            Backend::Native(file) => {
                file.sync_data()?;
                super::native::disk::forget_pages(file)
            }
            Backend::Simulated(_) => Ok(()),
        }
    }

    /// The descriptor, for the native backend's own calls.
    pub(super) fn descriptor(&self) -> Option<RawFd> {
        match &self.backend {
            Backend::Native(file) => Some(file.as_raw_fd()),
            Backend::Simulated(_) => None,
        }
    }
}

fn ignore_not_found(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What workers have read ahead is not for turns: they would go on reading ahead.
    #[test]
    fn of_a_file_that_workers_read_the_far_page_must_be_in_memory_too() {
        const PART: usize = 64 << 10;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = Disk::Native.open(&path, OpenMode::Create).unwrap();
        file.set_len(2 * FAR_BYTES).unwrap();
        let near_the_end = FAR_BYTES + (1 << 20);
        file.write_at(0, &[7; PART]).unwrap();
        file.write_at(near_the_end, &[7; PART]).unwrap();
        let now = Instant(7);
        assert!(file.is_resident(0, PART, now));
        let reader = file.reader(now);
        assert!(reader.is_some() && reader != file.descriptor());
        assert_eq!(file.reader(now), reader);
        assert!(!file.is_resident(0, PART, now));
        assert!(file.is_resident(near_the_end, PART, now));
        assert!(!file.is_resident(near_the_end + (1 << 20), PART, now));
        // Until they have been away from it for a while.
        let later = now + COLD_FOR + Duration::from_nanos(1);
        assert!(file.is_resident(0, PART, later));
        assert!(!file.is_resident(0, 2 * PART, later));
        file.write_at(FAR_BYTES, &[7]).unwrap();
        assert!(file.is_resident(0, PART, now));
    }

    fn exercise(disk: &Disk, root: &Path) {
        let directory = root.join("topic-0");
        disk.create_directories(&directory).unwrap();
        let path = directory.join("00000000000000000000.log");
        let file = disk.open(&path, OpenMode::Create).unwrap();
        let mut slices = [IoSlice::new(b"hello "), IoSlice::new(b"world")];
        file.write_vectored_at(0, &mut slices).unwrap();
        let mut buffer = [0; 32];
        assert_eq!(file.read_at(6, &mut buffer).unwrap(), 5);
        assert_eq!(&buffer[..5], b"world");
        assert_eq!(
            file.read_resident(0, &mut buffer).unwrap(),
            Resident::Read(11)
        );
        assert_eq!(
            file.read_resident(11, &mut buffer).unwrap(),
            Resident::Read(0)
        );
        file.set_len(5).unwrap();
        assert_eq!(disk.read(&path, 100).unwrap(), b"hello");
        assert!(disk.read(&path, 3).is_err());
        disk.write_atomically(&directory.join("checkpoint"), b"0\n0\n")
            .unwrap();
        let names: Vec<_> = disk
            .list(&directory)
            .unwrap()
            .into_iter()
            .map(|e| e.name)
            .collect();
        assert_eq!(names, ["00000000000000000000.log", "checkpoint"]);
        disk.rename(&directory, &root.join("topic-0.x-delete"))
            .unwrap();
        assert!(!disk.exists(&path));
        // An open file stays readable after its directory was renamed, and after it was removed.
        disk.remove_directory(&root.join("topic-0.x-delete"))
            .unwrap();
        disk.remove_directory(&root.join("topic-0.x-delete"))
            .unwrap();
        assert_eq!(file.read_at(0, &mut buffer).unwrap(), 5);
        let lock = disk.lock(root).unwrap();
        assert!(lock.is_some());
        assert!(disk.lock(root).unwrap().is_none());
        drop(lock);
        assert!(disk.lock(root).unwrap().is_some());
        assert!(disk.space(root).unwrap().usable > 0);
    }

    #[test]
    fn the_native_disk_does_what_it_says() {
        let root = tempfile::tempdir().unwrap();
        exercise(&Disk::Native, root.path());
    }

    #[test]
    fn the_simulated_disk_does_the_same() {
        let disk = Disk::Simulated(simulated::SimulatedDisk::new());
        disk.create_directories(Path::new("/data")).unwrap();
        exercise(&disk, Path::new("/data"));
    }
}
