//! The system calls on files that the standard library does not have.

use super::waits;
use crate::base::convert::u64_from;
use crate::runtime::disk::{Resident, Space};
use std::ffi::CString;
use std::fs::File;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Most slices the kernel takes in one call (`IOV_MAX`).
const SLICES_MAX: usize = 1024;

fn offset(position: u64) -> io::Result<libc::off_t> {
    libc::off_t::try_from(position).map_err(|_| io::Error::from_raw_os_error(libc::EOVERFLOW))
}

/// `preadv2` with `RWF_NOWAIT`: what is in the page cache, or [`Resident::Cold`].
#[expect(unsafe_code, reason = "the standard library has no preadv2")]
pub fn read_resident(file: &File, position: u64, buffer: &mut [u8]) -> io::Result<Resident> {
    let slice = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: the slice describes `buffer`, which is borrowed mutably for the whole call.
    let read = unsafe {
        libc::preadv2(
            file.as_raw_fd(),
            &raw const slice,
            1,
            offset(position)?,
            libc::RWF_NOWAIT,
        )
    };
    match usize::try_from(read) {
        Ok(read) => Ok(Resident::Read(read)),
        Err(_) => {
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EAGAIN) => Ok(Resident::Cold),
                // A file system without RWF_NOWAIT (tmpfs before 6.x): it lies in memory anyway.
                Some(libc::EOPNOTSUPP) => {
                    use std::os::unix::fs::FileExt;
                    Ok(Resident::Read(file.read_at(buffer, position)?))
                }
                Some(_) | None => Err(error),
            }
        }
    }
}

/// Whether a descriptor is among the last that the process may have.
pub fn is_one_of_the_last(descriptor: RawFd) -> bool {
    super::sys::is_one_of_the_last(descriptor)
}

/// `syncfs`, which tells of a write that failed since the last time (Linux 5.8).
#[expect(unsafe_code, reason = "the standard library has no syncfs")]
pub fn sync_file_system(directory: &Path) -> io::Result<()> {
    let directory = File::open(directory)?;
    // SAFETY: no pointers are passed.
    if unsafe { libc::syncfs(directory.as_raw_fd()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// `fallocate` that leaves the length alone.
#[expect(unsafe_code, reason = "the standard library has no fallocate")]
pub fn reserve(file: &File, position: u64, bytes: u64) {
    if let (Ok(position), Ok(bytes)) = (offset(position), offset(bytes)) {
        // SAFETY: no pointers are passed. A refusal changes nothing.
        unsafe { libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_KEEP_SIZE, position, bytes) };
    }
}

/// `posix_fadvise` that the pages of a file are not needed.
#[expect(unsafe_code, reason = "the standard library has no posix_fadvise")]
pub fn forget_pages(file: &File) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    let error = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// `posix_fadvise` that by this descriptor the kernel reads what it is asked for, and nothing ahead.
#[expect(unsafe_code, reason = "the standard library has no posix_fadvise")]
pub fn read_no_further(file: &File) {
    // SAFETY: no pointers are passed. A refusal changes nothing.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_RANDOM) };
}

/// The same file by another descriptor, whatever its name is by now.
pub fn open_again(file: &File) -> io::Result<File> {
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// `pwritev` until everything is written.
#[expect(unsafe_code, reason = "the standard library has no pwritev")]
pub fn write_vectored(file: &File, position: u64, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    let mut slices = slices;
    let mut position = position;
    while !slices.is_empty() {
        let count = slices.len().min(SLICES_MAX);
        let count_c = libc::c_int::try_from(count).expect("bounded by SLICES_MAX");
        let from = offset(position)?;
        // SAFETY: an IoSlice has the layout of an iovec (guaranteed on Unix), and each borrows its
        // bytes for the whole call.
        let written = waits::appending(|| unsafe {
            libc::pwritev(file.as_raw_fd(), slices.as_ptr().cast(), count_c, from)
        });
        match usize::try_from(written) {
            Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero)),
            Ok(written) => {
                position += u64_from(written);
                IoSlice::advance_slices(&mut slices, written);
            }
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

/// `statvfs` of the file system that holds `path`.
#[expect(unsafe_code, reason = "the standard library has no statvfs")]
pub fn space(path: &Path) -> io::Result<Space> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut answer = MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: the path ends with a zero byte, and `answer` is large enough for a statvfs.
    let result = unsafe { libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so it filled `answer`; all zeros would be valid as well.
    let answer = unsafe { answer.assume_init() };
    Ok(Space {
        total: answer.f_blocks.saturating_mul(answer.f_frsize),
        usable: answer.f_bavail.saturating_mul(answer.f_frsize),
    })
}
