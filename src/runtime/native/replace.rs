//! Replacing a small file by a synced one, step by step on the ring's workers: a core that did it in its
//! turn would wait for the device twice.
//!
//! ```text
//!   open <path>.tmp ─► write ─► sync ─► rename to <path> ─► open the directory ─► sync it
//! ```
//! After a crash the old or the new content stands. `Disk::write_atomically` does the same and waits.

use super::sys;
use crate::base::convert::{u64_from, usize_from_u32};
use io_uring::{opcode, squeue, types};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A file on its way to another content.
pub struct Replacement {
    /// Which file.
    pub path: PathBuf,
    /// How the shard knows it; `None` where nobody waits to hear of it.
    pub token: Option<u64>,
    content: Vec<u8>,
    temporary: CString,
    target: CString,
    directory: CString,
    written: usize,
    /// The temporary file, then the directory.
    open: Option<OwnedFd>,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Open,
    Write,
    Sync,
    Rename,
    OpenDirectory,
    SyncDirectory,
}

/// What became of one step.
pub enum Progress {
    /// The next one is due: start [`Replacement::entry`].
    More,
    /// It is done, or has failed.
    Done(io::Result<()>),
}

impl Replacement {
    /// A replacement that has not begun.
    ///
    /// # Errors
    /// The path holds a zero byte.
    pub fn new(path: &Path, content: Vec<u8>, token: Option<u64>) -> io::Result<Replacement> {
        let target = path.as_os_str().as_bytes();
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        Ok(Replacement {
            path: path.to_owned(),
            token,
            content,
            temporary: CString::new([target, b".tmp"].concat())?,
            target: CString::new(target)?,
            directory: CString::new(directory.as_os_str().as_bytes())?,
            written: 0,
            open: None,
            step: Step::Open,
        })
    }

    /// The step that is due, to be pushed. What it points to must not move: it lives on the heap.
    pub fn entry(&self) -> squeue::Entry {
        let here = types::Fd(libc::AT_FDCWD);
        let open = types::Fd(self.open.as_ref().map_or(-1, AsRawFd::as_raw_fd));
        let entry = match self.step {
            Step::Open => opcode::OpenAt::new(here, self.temporary.as_ptr())
                .flags(libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_CLOEXEC)
                .mode(0o666)
                .build(),
            Step::Write => {
                let rest = &self.content[self.written..];
                let count = u32::try_from(rest.len()).unwrap_or(1 << 30);
                opcode::Write::new(open, rest.as_ptr(), count)
                    .offset(u64_from(self.written))
                    .build()
            }
            Step::Sync => opcode::Fsync::new(open)
                .flags(types::FsyncFlags::DATASYNC)
                .build(),
            Step::Rename => {
                opcode::RenameAt::new(here, self.temporary.as_ptr(), here, self.target.as_ptr())
                    .build()
            }
            Step::OpenDirectory => opcode::OpenAt::new(here, self.directory.as_ptr())
                .flags(libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC)
                .build(),
            Step::SyncDirectory => opcode::Fsync::new(open).build(),
        };
        entry.flags(squeue::Flags::ASYNC)
    }

    /// Takes note of what the step did.
    pub fn end(&mut self, result: i32) -> Progress {
        let Ok(count) = u32::try_from(result) else {
            if [-libc::EINTR, -libc::EAGAIN].contains(&result) {
                return Progress::More;
            }
            return Progress::Done(Err(io::Error::from_raw_os_error(-result)));
        };
        self.step = match self.step {
            Step::Open => {
                self.open = Some(sys::adopt(result));
                Step::Write
            }
            Step::Write => {
                self.written += usize_from_u32(count);
                match self.written < self.content.len() {
                    true if count == 0 => {
                        return Progress::Done(Err(io::ErrorKind::WriteZero.into()));
                    }
                    true => Step::Write,
                    false => Step::Sync,
                }
            }
            Step::Sync => Step::Rename,
            Step::Rename => Step::OpenDirectory,
            Step::OpenDirectory => {
                self.open = Some(sys::adopt(result));
                Step::SyncDirectory
            }
            Step::SyncDirectory => return Progress::Done(Ok(())),
        };
        Progress::More
    }
}
