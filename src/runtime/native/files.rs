//! What a core asks of files, on the workers of its ring: syncs, cold pages, writes that might wait,
//! space given back, small files replaced, removals.

use super::away::Away;
use super::core::{NativeCore, Outcome};
use super::operations::{Operation, Removal};
use super::replace::Replacement;
use crate::base::time::Instant;
use crate::runtime::disk::File;
use bytes::Bytes;
use io_uring::{opcode, squeue, types};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most bytes warmed by one operation: a header scan needs far less.
const WARM_BYTES_MAX: usize = 64 << 10;

/// The token of a replacement that is over, and what became of it.
type Replaced = (u64, io::Result<()>);

impl NativeCore {
    /// See `Io::sync`.
    pub fn sync(&mut self, file: &Arc<File>, token: u64) {
        let descriptor = file
            .descriptor()
            .expect("a native core is given native files");
        let entry = opcode::Fsync::new(types::Fd(descriptor))
            .flags(types::FsyncFlags::DATASYNC)
            .build();
        self.start(
            Operation::Sync {
                _file: Arc::clone(file),
                token,
            },
            entry,
        );
    }

    /// See `Io::sync_directory`.
    pub fn sync_directory(&mut self, path: &Path, token: u64) -> io::Result<()> {
        let directory = std::fs::File::open(path)?;
        // Not DATASYNC: a file system may take names for something that is not data.
        let entry = opcode::Fsync::new(types::Fd(directory.as_raw_fd())).build();
        let operation = Operation::SyncDirectory {
            _directory: directory,
            token,
        };
        self.start(operation, entry);
        Ok(())
    }

    /// See `Io::warm`.
    pub fn warm(&mut self, file: &Arc<File>, at: u64, bytes: usize, token: u64, now: Instant) {
        let descriptor = file
            .reader(now)
            .expect("a native core is given native files");
        let mut buffer = vec![0; bytes.clamp(1, WARM_BYTES_MAX)];
        let length = u32::try_from(buffer.len()).expect("at most WARM_BYTES_MAX");
        // Tried on the core first, as the ring would, it would read ahead in the turn.
        let entry = opcode::Read::new(types::Fd(descriptor), buffer.as_mut_ptr(), length)
            .offset(at)
            .build()
            .flags(squeue::Flags::ASYNC);
        let operation = Operation::Warm {
            _file: Arc::clone(file),
            _buffer: buffer,
            token,
        };
        self.start(operation, entry);
    }

    /// See `Io::write`.
    pub fn write(
        &mut self,
        file: Arc<File>,
        position: u64,
        parts: Vec<Bytes>,
        reserve: Option<(u64, u64)>,
        token: u64,
    ) {
        let away = Away::new(file, position, parts, reserve, token);
        let entry = away.entry();
        self.start(Operation::Write(away), entry);
    }

    /// See `Io::trim`.
    pub fn trim(&mut self, file: Arc<File>, bytes: u64) {
        let descriptor = file.descriptor();
        let descriptor = descriptor.expect("a native core is given native files");
        let entry = opcode::Ftruncate::new(types::Fd(descriptor), bytes)
            .build()
            .flags(squeue::Flags::ASYNC);
        self.start(Operation::Trim { file, bytes }, entry);
    }

    /// See `Io::replace_file`.
    pub fn replace_file(
        &mut self,
        path: &Path,
        content: Vec<u8>,
        token: Option<u64>,
    ) -> io::Result<()> {
        let replacement = Replacement::new(path, content, token)?;
        // One after the other: two of one file must not meet. Of those that wait, the last counts.
        let mut waiting = self.replacements.iter_mut();
        match waiting.find(|one| one.path == path && one.token == token) {
            Some(one) => *one = replacement,
            None => self.replacements.push_back(replacement),
        }
        self.replace_next();
        Ok(())
    }

    fn replace_next(&mut self) {
        if self.replacing.is_some() {
            return;
        }
        if let Some(next) = self.replacements.pop_front() {
            self.replacing = Some(next.path.clone());
            let next = Box::new(next);
            let entry = next.entry();
            self.start(Operation::Replace(next), entry);
        }
    }

    /// A replacement is over; the next one begins.
    pub(super) fn on_replaced(&mut self, done: &Replacement, result: io::Result<()>) -> Outcome {
        self.replacing = None;
        self.replace_next();
        if let (Err(error), None) = (&result, done.token) {
            tracing::error!("{} cannot be replaced: {error}", done.path.display());
        }
        match done.token {
            Some(token) => Outcome::Replaced { token, result },
            None => Outcome::Nothing,
        }
    }

    /// See `Io::abandon_replacements`. One that is under way is waited for: it is a matter of
    /// milliseconds, and of luck.
    pub fn abandon_replacements(&mut self, directory: &Path) -> Vec<Replaced> {
        self.replacements
            .retain(|one| !one.path.starts_with(directory));
        let replacing = self.replacing.as_ref();
        if replacing.is_some_and(|path| path.starts_with(directory)) {
            return self.finish_replacements();
        }
        Vec::new()
    }

    /// Waits until every replacement is over, and says of which somebody wants to hear.
    pub fn finish_replacements(&mut self) -> Vec<Replaced> {
        let mut completions = Vec::new();
        let (mut others, mut replaced) = (Vec::new(), Vec::new());
        while self.replacing.is_some() {
            self.ring().wait();
            self.ring().reap(&mut completions);
            for completion in completions.drain(..) {
                if !self.is_of_replacement(&completion) {
                    others.push(completion);
                } else if let Outcome::Replaced { token, result } = self.complete(completion) {
                    replaced.push((token, result));
                }
            }
        }
        self.ring().put_back(others);
        replaced
    }

    /// See `Io::remove_file`.
    pub fn remove_file(&mut self, path: &Path) {
        self.removals.push_back(Removal::File(path.to_owned()));
        self.remove_next();
    }

    /// See `Io::remove_directory`.
    pub fn remove_directory(&mut self, path: &Path) {
        self.removals.push_back(Removal::Directory(path.to_owned()));
        self.remove_next();
    }

    /// Unlinks one name after the other on the ring's workers: a large file takes milliseconds.
    pub(super) fn remove_next(&mut self) {
        while !self.removing {
            let path = match self.removals.pop_front() {
                None => return,
                Some(Removal::File(path)) => {
                    self.unlink(&path, 0, None);
                    continue;
                }
                Some(Removal::Directory(path)) => path,
            };
            let first = std::fs::read_dir(&path).and_then(|mut names| names.next().transpose());
            match first {
                Ok(Some(entry)) if entry.file_type().is_ok_and(|kind| kind.is_dir()) => {
                    self.removals.push_front(Removal::Directory(path));
                    self.removals.push_front(Removal::Directory(entry.path()));
                }
                Ok(Some(entry)) => self.unlink(&entry.path(), 0, Some(path)),
                Ok(None) => self.unlink(&path, libc::AT_REMOVEDIR, None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!("{} cannot be removed: {error}", path.display()),
            }
        }
    }

    fn unlink(&mut self, path: &Path, flags: i32, then: Option<PathBuf>) {
        use std::os::unix::ffi::OsStrExt;
        let Ok(name) = std::ffi::CString::new(path.as_os_str().as_bytes()) else {
            return;
        };
        let entry = opcode::UnlinkAt::new(types::Fd(libc::AT_FDCWD), name.as_ptr())
            .flags(flags)
            .build();
        self.removing = true;
        self.start(Operation::Unlink { path: name, then }, entry);
    }
}
