//! A write on the ring's workers: what the kernel reads from until the completion arrives.

use crate::base::convert::{u64_from, usize_from_u32};
use crate::runtime::disk::File;
use bytes::{Buf, Bytes};
use io_uring::{opcode, squeue, types};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// Most slices the kernel takes in one call (`IOV_MAX`).
const SLICES_MAX: usize = 1024;

/// Bytes on their way into a file.
pub struct Away {
    file: Arc<File>,
    position: u64,
    /// What is not written yet.
    parts: VecDeque<Bytes>,
    /// The first of the parts, as the kernel wants them: it reads this while it writes.
    slices: Vec<libc::iovec>,
    /// Blocks that are found before anything is written: where they begin, and how many bytes.
    reserve: Option<(u64, u64)>,
    /// How the shard knows it.
    pub token: u64,
}

/// What became of one call.
pub enum Ended {
    /// All is written, or nothing more will be.
    Done(io::Result<()>),
    /// There is more to write: start [`Away::entry`] again.
    More,
}

impl Away {
    /// A write of these parts, one after the other.
    pub fn new(
        file: Arc<File>,
        position: u64,
        parts: Vec<Bytes>,
        reserve: Option<(u64, u64)>,
        token: u64,
    ) -> Away {
        let mut away = Away {
            file,
            position,
            parts: parts.into(),
            slices: Vec::new(),
            reserve,
            token,
        };
        away.fill();
        away
    }

    fn fill(&mut self) {
        self.slices.clear();
        let parts = self.parts.iter().take(SLICES_MAX);
        self.slices.extend(parts.map(|part| libc::iovec {
            iov_base: part.as_ptr().cast_mut().cast(),
            iov_len: part.len(),
        }));
    }

    /// What to push. It must never be tried on the core itself: the file system might wait.
    pub fn entry(&self) -> squeue::Entry {
        let descriptor = self.file.descriptor();
        let descriptor = descriptor.expect("a native core is given native files");
        if let Some((start, bytes)) = self.reserve {
            return opcode::Fallocate::new(types::Fd(descriptor), bytes)
                .offset(start)
                .mode(libc::FALLOC_FL_KEEP_SIZE)
                .build()
                .flags(squeue::Flags::ASYNC);
        }
        let count = u32::try_from(self.slices.len()).expect("bounded by SLICES_MAX");
        opcode::Writev::new(types::Fd(descriptor), self.slices.as_ptr(), count)
            .offset(self.position)
            .build()
            .flags(squeue::Flags::ASYNC)
    }

    /// Takes note of what a call did.
    pub fn end(&mut self, result: i32) -> Ended {
        if self.reserve.take().is_some() {
            return Ended::More; // a hint: what the file system cannot do is left undone
        }
        let mut written = match u32::try_from(result) {
            Ok(0) => return Ended::Done(Err(io::ErrorKind::WriteZero.into())),
            Ok(written) => usize_from_u32(written),
            Err(_) if [-libc::EINTR, -libc::EAGAIN].contains(&result) => return Ended::More,
            Err(_) => return Ended::Done(Err(io::Error::from_raw_os_error(-result))),
        };
        self.position += u64_from(written);
        while let Some(first) = self.parts.front_mut() {
            if written < first.len() {
                first.advance(written);
                break;
            }
            written -= first.len();
            self.parts.pop_front();
        }
        if self.parts.is_empty() {
            return Ended::Done(Ok(()));
        }
        self.fill();
        Ended::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::disk::{Disk, OpenMode};

    #[test]
    fn what_a_short_write_left_is_written_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = Disk::Native.open(&path, OpenMode::Create).unwrap();
        let parts = ["ab", "cde", "f"].map(|part| Bytes::from_static(part.as_bytes()));
        let mut away = Away::new(file, 10, parts.into(), Some((0, 4096)), 7);
        assert!(matches!(away.end(-libc::EOPNOTSUPP), Ended::More));
        assert_eq!(away.slices.len(), 3);
        assert!(matches!(away.end(3), Ended::More));
        assert_eq!(away.position, 13);
        let left: Vec<&[u8]> = away.parts.iter().map(|part| &part[..]).collect();
        assert_eq!(left, [&b"de"[..], &b"f"[..]]);
        assert_eq!(away.slices[0].iov_len, 2);
        assert!(matches!(away.end(-libc::EINTR), Ended::More));
        assert!(matches!(away.end(3), Ended::Done(Ok(()))));
        assert!(matches!(away.end(0), Ended::Done(Err(_))));
        assert!(matches!(away.end(-libc::ENOSPC), Ended::Done(Err(_))));
    }
}
