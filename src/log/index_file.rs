//! A file of sorted fixed-size entries, the newest of which are still in memory only.
//!
//! ```text
//!   in the file, read when asked for        in memory
//!  ┌───────┬───────┬───────┬───────┐   ┌───────┬───────┐
//!  │ entry │ entry │ entry │ entry │   │ entry │ entry │  pending
//!  └───────┴───────┴───────┴───────┘   └───────┴───────┘
//!           persisted = 4
//! ```
//!
//! Apache maps index files of full length and writes to them with every entry. klamm keeps no
//! descriptor open and writes entries in bulk, when the segment is rolled, when the recovery
//! point is recorded, and at a clean stop: the file always has its exact length.

use crate::base::convert::{u64_from, usize_from_u32};
use crate::log::error::{ReadError, StorageError};
use crate::runtime::disk::{Disk, OpenMode, Resident};
use std::cell::OnceCell;
use std::io;
use std::path::Path;

/// One entry of an index.
pub trait IndexEntry: Copy {
    /// Its size in the file.
    const BYTES: usize;
    /// Reads it from exactly so many bytes.
    fn decode(bytes: &[u8]) -> Self;
    /// Appends it to `out`.
    fn encode(self, out: &mut Vec<u8>);
    /// Whether it can stand after `previous`, or first where there is none.
    fn follows(self, previous: Option<Self>) -> bool;
}

/// Whether a read may wait for the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// Recovery, retention, tools.
    Wait,
    /// A shard's turn: the answer may be `ReadError::Cold`.
    Resident,
}

/// Why an index could not be used as it stands.
#[derive(Debug)]
pub enum LoadError {
    /// It is missing, of a wrong length, or not sorted: it has to be built anew from the log.
    Unusable,
    /// As the reader is told.
    Read(ReadError),
}

impl From<ReadError> for LoadError {
    fn from(error: ReadError) -> LoadError {
        LoadError::Read(error)
    }
}

/// An index of one segment.
#[derive(Debug)]
pub struct IndexFile<E> {
    /// Entries of the file that are valid.
    persisted: u32,
    /// The file's entries, once they were needed.
    loaded: OnceCell<Box<[E]>>,
    /// Entries that the file does not have yet.
    pending: Vec<E>,
    /// The last entry of all, where known.
    last: Option<E>,
}

impl<E: IndexEntry> IndexFile<E> {
    /// An index without entries.
    #[must_use]
    pub fn empty() -> IndexFile<E> {
        IndexFile {
            persisted: 0,
            loaded: OnceCell::new(),
            pending: Vec::new(),
            last: None,
        }
    }

    /// An index that stands in a file of that length. Its last entry is not known yet.
    #[must_use]
    pub fn stored(bytes: u64) -> IndexFile<E> {
        let persisted = u32::try_from(bytes / u64_from(E::BYTES)).unwrap_or(u32::MAX);
        IndexFile {
            persisted,
            ..IndexFile::empty()
        }
    }

    /// Entries, in the file and pending.
    #[must_use]
    pub fn entries(&self) -> usize {
        usize_from_u32(self.persisted) + self.pending.len()
    }

    /// Whether all entries are in the file.
    #[must_use]
    pub fn is_persisted(&self) -> bool {
        self.pending.is_empty()
    }

    /// The last entry; `None` where there is none, or it has not been read from the file.
    #[must_use]
    pub fn last(&self) -> Option<E> {
        self.last
    }

    /// Appends an entry.
    pub fn push(&mut self, entry: E) {
        self.pending.push(entry);
        self.last = Some(entry);
    }

    /// How many entries are pending, to return to with [`IndexFile::restore`].
    #[must_use]
    pub fn mark(&self) -> (usize, Option<E>) {
        (self.pending.len(), self.last)
    }

    /// Takes back what was pushed since the mark.
    pub fn restore(&mut self, mark: (usize, Option<E>)) {
        self.pending.truncate(mark.0);
        self.last = mark.1;
    }

    /// The last entry for which `is_floor` holds; it must hold for a first part of the entries.
    ///
    /// # Errors
    /// [`LoadError::Unusable`] where the file has to be built anew, or what reading it said.
    pub fn floor(
        &self,
        disk: &Disk,
        path: &Path,
        patience: Patience,
        is_floor: impl Fn(&E) -> bool,
    ) -> Result<Option<E>, LoadError> {
        let pending = self.pending.partition_point(&is_floor);
        if pending > 0 {
            return Ok(Some(self.pending[pending - 1]));
        }
        let loaded = self.load(disk, path, patience)?;
        let count = loaded.partition_point(&is_floor);
        Ok(count.checked_sub(1).map(|index| loaded[index]))
    }

    /// The first entry for which `is_below` does not hold; it must hold for a first part of the
    /// entries.
    ///
    /// # Errors
    /// As [`IndexFile::floor`].
    pub fn ceiling(
        &self,
        disk: &Disk,
        path: &Path,
        patience: Patience,
        is_below: impl Fn(&E) -> bool,
    ) -> Result<Option<E>, LoadError> {
        let pending = self.pending.partition_point(&is_below);
        if pending == 0 {
            let loaded = self.load(disk, path, patience)?;
            let count = loaded.partition_point(&is_below);
            if count < loaded.len() {
                return Ok(Some(loaded[count]));
            }
        }
        Ok(self.pending.get(pending).copied())
    }

    /// The entry that has `count - 1` others after it, where there are so many. It is read alone,
    /// and not held against its neighbours.
    ///
    /// # Errors
    /// As [`IndexFile::floor`].
    pub fn nth_last(
        &self,
        disk: &Disk,
        path: &Path,
        patience: Patience,
        count: usize,
    ) -> Result<Option<E>, LoadError> {
        let Some(index) = self.entries().checked_sub(count) else {
            return Ok(None);
        };
        let persisted = usize_from_u32(self.persisted);
        if let Some(pending) = index.checked_sub(persisted) {
            return Ok(self.pending.get(pending).copied());
        }
        let position = u64_from(index * E::BYTES);
        let bytes = read_range(disk, path, position, E::BYTES, patience)?;
        Ok(Some(E::decode(&bytes)))
    }

    /// The entries in the file, read and checked once.
    fn load(&self, disk: &Disk, path: &Path, patience: Patience) -> Result<&[E], LoadError> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        if self.persisted == 0 {
            return Ok(&[]);
        }
        let bytes = read_range(
            disk,
            path,
            0,
            usize_from_u32(self.persisted) * E::BYTES,
            patience,
        )?;
        let mut entries = Vec::with_capacity(bytes.len() / E::BYTES);
        let mut previous = None;
        for chunk in bytes.chunks_exact(E::BYTES) {
            let entry = E::decode(chunk);
            if !entry.follows(previous) {
                return Err(LoadError::Unusable);
            }
            entries.push(entry);
            previous = Some(entry);
        }
        Ok(self.loaded.get_or_init(|| entries.into_boxed_slice()))
    }

    /// Reads the last entry from the file, where it is not known.
    ///
    /// # Errors
    /// As [`IndexFile::floor`].
    pub fn read_last(
        &self,
        disk: &Disk,
        path: &Path,
        patience: Patience,
    ) -> Result<Option<E>, LoadError> {
        if self.last.is_some() || self.persisted == 0 {
            return Ok(self.last);
        }
        let position = u64_from((usize_from_u32(self.persisted) - 1) * E::BYTES);
        let bytes = read_range(disk, path, position, E::BYTES, patience)?;
        Ok(Some(E::decode(&bytes)))
    }

    /// Remembers the last entry that [`IndexFile::read_last`] found.
    pub fn set_last(&mut self, last: Option<E>) {
        self.last = last;
    }

    /// Writes the pending entries to the file, which then has its exact length.
    ///
    /// # Errors
    /// What the file system said; the entries then stay pending.
    pub fn persist(&mut self, disk: &Disk, path: &Path) -> Result<(), StorageError> {
        let failed = |source| StorageError::io("write", path, source);
        let file = disk.open(path, OpenMode::Create).map_err(failed)?;
        let position = u64_from(usize_from_u32(self.persisted) * E::BYTES);
        let mut bytes = Vec::with_capacity(self.pending.len() * E::BYTES);
        for entry in &self.pending {
            entry.encode(&mut bytes);
        }
        let end = position + u64_from(bytes.len());
        if !bytes.is_empty() {
            file.write_at(position, &bytes).map_err(failed)?;
        }
        if file.len().map_err(failed)? != end {
            file.set_len(end).map_err(failed)?;
        }
        let count = u32::try_from(self.pending.len()).unwrap_or(u32::MAX);
        self.persisted = self.persisted.saturating_add(count);
        self.pending = Vec::new();
        self.loaded.take();
        Ok(())
    }

    /// Keeps the first entries, for which `keep` holds. The file is cut at the next `persist`.
    ///
    /// # Errors
    /// As [`IndexFile::floor`].
    pub fn truncate(
        &mut self,
        disk: &Disk,
        path: &Path,
        keep: impl Fn(&E) -> bool,
    ) -> Result<(), LoadError> {
        let loaded = self.load(disk, path, Patience::Wait)?;
        let kept = loaded.partition_point(&keep);
        let last_loaded = kept.checked_sub(1).map(|index| loaded[index]);
        if kept < usize_from_u32(self.persisted) {
            self.persisted = u32::try_from(kept).expect("not more than there were");
            self.pending = Vec::new();
            self.loaded.take();
        }
        let pending = self.pending.partition_point(&keep);
        self.pending.truncate(pending);
        self.last = self.pending.last().copied().or(last_loaded);
        Ok(())
    }

    /// Forgets what was read from the file.
    pub fn drop_loaded(&mut self) {
        self.loaded.take();
    }
}

/// Reads exactly that range of a file.
fn read_range(
    disk: &Disk,
    path: &Path,
    position: u64,
    bytes: usize,
    patience: Patience,
) -> Result<Vec<u8>, LoadError> {
    let failed = |source| LoadError::Read(StorageError::io("read", path, source).into());
    let file = match disk.open(path, OpenMode::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LoadError::Unusable),
        Err(error) => return Err(failed(error)),
    };
    let available = file.len().map_err(failed)?;
    if available < position + u64_from(bytes) {
        return Err(LoadError::Unusable);
    }
    let mut buffer = vec![0; bytes];
    let read = match patience {
        Patience::Wait => file.read_at(position, &mut buffer).map_err(failed)?,
        Patience::Resident => match file.read_resident(position, &mut buffer).map_err(failed)? {
            Resident::Read(read) => read,
            Resident::Cold => 0,
        },
    };
    if read < bytes {
        return Err(match patience {
            Patience::Wait => LoadError::Unusable,
            Patience::Resident => LoadError::Read(ReadError::Cold {
                file,
                position: position + u64_from(read),
                bytes: bytes - read,
            }),
        });
    }
    Ok(buffer)
}
