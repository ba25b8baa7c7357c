//! What of a file is in memory, asked without touching it.
//!
//! A read that may not wait (`RWF_NOWAIT`) has the page read, or read ahead of, that it does not find: the
//! next such read finds it, and not its neighbours. `cachestat` counts pages that are still on their way.
//! `mincore` counts what can be sent, and changes nothing; it wants the file mapped, and tells the truth to
//! those who may write it. The mapping is an address and nothing more: no page of it is ever touched.
//!
//! 256 KiB cost 0.4 µs by `cachestat`, 2.7 by `mincore`, and 4 by reads of one byte in each 64 KiB (a loop, files
//! that were appended to): so a file that nobody has met cold, of which no page is on its way, is asked by the first.

use super::sys;
use crate::base::convert::{u64_from, usize_from};
use crate::base::limits::SEND_FILE_BYTES_MAX;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// `cachestat` has the same number on every architecture; the libc crate does not know it yet.
const CACHESTAT: libc::c_long = 451;
/// As much as a segment can hold: positions in it are 31 bits.
const MAPPED_BYTES: usize = 1 << 31;
/// Pages that are asked for at once: those of a slice that begins and ends within one.
const PAGES_MAX: usize = SEND_FILE_BYTES_MAX / 4096 + 1;

/// How often `cachestat` is asked at most. It counts too few pages where it makes way for another thread within a
/// large folio (Linux 6.18): once in 1,200 calls on a busy machine, and twice in a row once in 280,000. One wrong
/// "no" has a file that lies in memory asked about by `mincore` for seconds.
const ASKED_MAX: usize = 4;

/// Whether every page of a slice is in the page cache, those on their way included. `None` where the kernel
/// does not say (before Linux 6.5, or a filter of system calls).
pub fn is_cached(file: &File, at: u64, bytes: usize) -> Option<bool> {
    let page_bytes = sys::page_bytes();
    let length = u64_from(bytes.max(1));
    let pages = (at + length).div_ceil(page_bytes) - at / page_bytes;
    for _ in 0..ASKED_MAX {
        if cached_pages(file, at, length)? >= pages {
            return Some(true);
        }
    }
    Some(false)
}

/// What `cachestat` counts.
#[expect(unsafe_code, reason = "the standard library has no cachestat")]
fn cached_pages(file: &File, offset: u64, length: u64) -> Option<u64> {
    #[repr(C)]
    struct Range {
        offset: u64,
        length: u64,
    }
    #[repr(C)]
    #[derive(Default)]
    struct Found {
        cached: u64,
        dirty: u64,
        written_back: u64,
        evicted: u64,
        evicted_of_late: u64,
    }
    let range = Range { offset, length };
    let mut found = Found::default();
    // SAFETY: the call reads one structure and fills the other, both laid out as `linux/mman.h` has them.
    let result = unsafe {
        libc::syscall(
            CACHESTAT,
            file.as_raw_fd(),
            &raw const range,
            &raw mut found,
            0,
        )
    };
    (result == 0).then_some(found.cached)
}

/// A file, mapped to be asked about.
#[derive(Debug)]
pub struct Residency {
    /// Where it is mapped.
    address: usize,
}

impl Residency {
    /// Maps a file.
    #[expect(unsafe_code, reason = "the standard library has no mmap")]
    pub fn of(file: &File) -> io::Result<Residency> {
        // SAFETY: the kernel chooses a place where nothing is; nobody reads or writes through it.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                MAPPED_BYTES,
                libc::PROT_READ,
                libc::MAP_SHARED | libc::MAP_NORESERVE,
                file.as_raw_fd(),
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Residency {
            address: address.expose_provenance(),
        })
    }

    /// Whether every page of a slice is in memory, as far as one call can tell. What lies beyond the end of
    /// the file, or of what is mapped, is not.
    #[expect(unsafe_code, reason = "the standard library has no mincore")]
    #[must_use]
    pub fn has(&self, at: u64, bytes: usize) -> bool {
        let page_bytes = usize_from(sys::page_bytes());
        let start = usize_from(at) / page_bytes * page_bytes;
        let end = usize_from(at).saturating_add(bytes.max(1));
        if end > MAPPED_BYTES {
            return false;
        }
        let pages = (end - start).div_ceil(page_bytes).min(PAGES_MAX);
        let mut found = [0; PAGES_MAX];
        // SAFETY: the range lies within what is mapped, and `found` has a byte for each of its pages.
        let result = unsafe {
            libc::mincore(
                std::ptr::with_exposed_provenance_mut(self.address + start),
                pages * page_bytes,
                found.as_mut_ptr(),
            )
        };
        result == 0 && found[..pages].iter().all(|page| page & 1 == 1)
    }
}

impl Drop for Residency {
    #[expect(unsafe_code, reason = "the standard library has no munmap")]
    fn drop(&mut self) {
        // SAFETY: this is what was mapped, and nothing points into it.
        unsafe {
            libc::munmap(
                std::ptr::with_exposed_provenance_mut(self.address),
                MAPPED_BYTES,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn the_page_cache_has_what_was_just_written_and_no_hole() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 300_000]).unwrap();
        let Some(whole) = is_cached(&file, 0, 300_000) else {
            return; // an older kernel: disk.rs asks by other means
        };
        assert!(whole);
        assert_eq!(is_cached(&file, 4095, 2), Some(true));
        assert_eq!(is_cached(&file, 299_999, 10_000), Some(false));
        file.set_len(1 << 20).unwrap();
        assert_eq!(is_cached(&file, 200_000, 500_000), Some(false));
        assert_eq!(is_cached(&file, 1 << 40, 1), Some(false));
    }

    /// One call in a thousand counted too few pages of this, while others wanted the processor.
    #[test]
    fn what_lies_in_memory_is_said_to_lie_there_however_busy_the_machine_is() {
        const SLICE: usize = 256 << 10;
        let mut file = tempfile::tempfile().unwrap();
        for _ in 0..500 {
            file.write_all(&[7; 66_000]).unwrap();
        }
        let end = 500 * 66_000 - u64_from(SLICE);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        (0..2000).for_each(|_| std::hint::spin_loop());
                        std::thread::sleep(Duration::from_micros(100));
                    }
                });
            }
            let wrong = (0..100_000_u64)
                .map(|step| step * 104_729 * 7 % end)
                .find(|at| is_cached(&file, *at, SLICE) == Some(false));
            is_over.store(true, Ordering::Relaxed);
            assert_eq!(wrong, None);
        });
    }

    #[test]
    fn what_was_just_written_is_in_memory_and_what_is_not_there_is_not() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 300_000]).unwrap();
        let residency = Residency::of(&file).unwrap();
        assert!(residency.has(0, 1));
        assert!(residency.has(4095, SEND_FILE_BYTES_MAX));
        assert!(residency.has(299_999, 1));
        assert!(!residency.has(299_999, 10_000));
        assert!(!residency.has(1 << 30, 1));
        assert!(!residency.has(1 << 40, 1));
        // It grows, and is asked again.
        file.write_all(&[7; 100_000]).unwrap();
        assert!(residency.has(299_999, 10_000));
    }
}
