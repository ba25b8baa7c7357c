//! Memory that sockets are received into: page-aligned, recycled, and handed on as `Bytes`.
//!
//! Receiving into `malloc`'s blocks, which lie 16 bytes past a page, costs three times the CPU of
//! receiving into aligned, touched memory. A buffer becomes [`Bytes`] without a copy; when the last
//! slice of it is dropped, on whichever core, it comes back to the pool of the core it came from.
//!
//! A large buffer is mapped, not allocated: the kernel gives each page of it when it is first
//! touched, so a peer that announces 100 MB and sends 4 bytes takes one page. The allocator would
//! zero all of it: it knows of zeroed memory only where no alignment is asked for.

use crate::base::limits::PAGE_BYTES;
use bytes::Bytes;
use crossbeam_queue::ArrayQueue;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::{Deref, DerefMut};
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Sizes of which the pool keeps buffers: powers of two from a page up to 2 MiB.
const CLASSES: usize = 10;
/// Buffers of each size that the pool keeps, at most.
const KEPT_PER_CLASS: usize = 64;
/// Buffers from this size on are mapped.
const MAPPED_BYTES_MIN: usize = 128 << 10;
/// Bytes the pool keeps: more is given back. A core that receives whole requests of a megabyte for
/// the other core has a dozen under way; to map and touch each of them anew costs a tenth of its time.
const KEPT_BYTES_MAX: usize = 32 << 20;
/// Where huge pages are the rule, a larger buffer is given small ones.
const HUGE_PAGES_MAX: usize = 4 << 20;

/// Mappings of each size that are kept without memory.
const BARE_MAX: usize = 64;

/// Buffers of one core that wait for use.
#[derive(Debug)]
pub struct BufferPool {
    classes: [ArrayQueue<Memory>; CLASSES],
    kept_bytes: AtomicUsize,
    /// Whether a buffer was taken since the last [`BufferPool::rest`].
    is_in_use: AtomicBool,
    /// Mappings whose pages were given back. To map and to unmap would lock the memory map of the whole
    /// process, and whatever core touches new memory then waits.
    bare: [ArrayQueue<Memory>; CLASSES],
}

/// A page-aligned block of memory that one owner fills.
#[derive(Debug)]
pub struct Buffer {
    memory: Option<Memory>,
    pool: Arc<BufferPool>,
}

#[derive(Debug)]
struct Memory {
    address: NonNull<u8>,
    bytes: usize,
}

/// A filled buffer that `Bytes` slices share.
struct Frozen {
    buffer: Buffer,
    filled: usize,
}

impl BufferPool {
    /// An empty pool.
    #[must_use]
    pub fn new() -> Arc<BufferPool> {
        Arc::new(BufferPool {
            classes: std::array::from_fn(|_| ArrayQueue::new(KEPT_PER_CLASS)),
            bare: std::array::from_fn(|_| ArrayQueue::new(BARE_MAX)),
            kept_bytes: AtomicUsize::new(0),
            is_in_use: AtomicBool::new(false),
        })
    }

    /// A buffer of at least `bytes`. What it holds is left over from earlier use.
    #[must_use]
    pub fn take(self: &Arc<Self>, bytes: usize) -> Buffer {
        let bytes = bytes.max(PAGE_BYTES).next_power_of_two();
        self.is_in_use.store(true, Ordering::Relaxed);
        let bare = || self.bare_of(bytes).and_then(ArrayQueue::pop);
        let memory = match self.class(bytes).and_then(ArrayQueue::pop) {
            Some(memory) => {
                self.kept_bytes.fetch_sub(bytes, Ordering::Relaxed);
                memory
            }
            None => bare().unwrap_or_else(|| Memory::allocate(bytes)),
        };
        Buffer {
            memory: Some(memory),
            pool: Arc::clone(self),
        }
    }

    /// Keeps the memory for the next [`BufferPool::take`], where there is room for it.
    fn keep(&self, memory: Memory) {
        let bytes = memory.bytes;
        let Some(class) = self.class(bytes) else {
            return;
        };
        // Counted first: two cores that give back at once must not both find the last room.
        let kept_bytes = self.kept_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let back = if kept_bytes > KEPT_BYTES_MAX {
            Some(memory)
        } else {
            class.push(memory).err()
        };
        if let Some(memory) = back {
            self.kept_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.keep_bare(memory);
        }
    }

    /// Keeps a mapping without its memory, where there is room for it.
    fn keep_bare(&self, memory: Memory) {
        if let Some(bare) = self.bare_of(memory.bytes) {
            memory.give_back_pages();
            drop(bare.push(memory));
        }
    }

    /// Gives all memory back that nobody has asked for since the last call. Called now and then.
    pub fn rest(&self) {
        if self.is_in_use.swap(false, Ordering::Relaxed) {
            return;
        }
        for class in &self.classes {
            while let Some(memory) = class.pop() {
                self.kept_bytes.fetch_sub(memory.bytes, Ordering::Relaxed);
                self.keep_bare(memory);
            }
        }
    }

    fn class(&self, bytes: usize) -> Option<&ArrayQueue<Memory>> {
        self.classes.get(class_of(bytes))
    }

    fn bare_of(&self, bytes: usize) -> Option<&ArrayQueue<Memory>> {
        let bare = self.bare.get(class_of(bytes));
        bare.filter(|_| bytes >= MAPPED_BYTES_MIN)
    }
}

fn class_of(bytes: usize) -> usize {
    let class = (bytes / PAGE_BYTES).trailing_zeros();
    usize::try_from(class).expect("at most 64")
}

impl Buffer {
    /// The first `filled` bytes as `Bytes`, without a copy.
    ///
    /// # Panics
    /// If the buffer is smaller than that.
    #[must_use]
    pub fn freeze(self, filled: usize) -> Bytes {
        assert!(
            filled <= self.len(),
            "{filled} bytes of a buffer of {}",
            self.len()
        );
        Bytes::from_owner(Frozen {
            buffer: self,
            filled,
        })
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.as_ref().expect("taken only by drop").as_slice()
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.memory
            .as_mut()
            .expect("taken only by drop")
            .as_mut_slice()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.pool.keep(memory);
        }
    }
}

impl AsRef<[u8]> for Frozen {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }
}

#[expect(
    unsafe_code,
    reason = "the standard library has no aligned byte buffer, and no mapping"
)]
impl Memory {
    fn layout(bytes: usize) -> Layout {
        Layout::from_size_align(bytes, PAGE_BYTES).expect("a power of two of at least a page")
    }

    fn allocate(bytes: usize) -> Memory {
        if bytes >= MAPPED_BYTES_MIN {
            return Memory::map(bytes);
        }
        let layout = Memory::layout(bytes);
        // SAFETY: the layout is not of size zero.
        let address = unsafe { alloc_zeroed(layout) };
        let Some(address) = NonNull::new(address) else {
            handle_alloc_error(layout)
        };
        Memory { address, bytes }
    }

    fn map(bytes: usize) -> Memory {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new private mapping, at an address that the kernel chooses.
        let address = unsafe { libc::mmap(null_mut(), bytes, protection, flags, -1, 0) };
        if address == libc::MAP_FAILED {
            handle_alloc_error(Memory::layout(bytes))
        }
        // Where huge pages are the rule, one byte would take 2 MiB.
        if bytes > HUGE_PAGES_MAX {
            // SAFETY: the range is the mapping that was just made; the advice changes no content.
            unsafe { libc::madvise(address, bytes, libc::MADV_NOHUGEPAGE) };
        }
        let address = NonNull::new(address.cast()).expect("a mapping is not at zero");
        Memory { address, bytes }
    }

    /// Keeps the mapping, and reads as zeros from now on.
    fn give_back_pages(&self) {
        // SAFETY: the range is this mapping, which nobody else uses.
        unsafe {
            libc::madvise(
                self.address.as_ptr().cast(),
                self.bytes,
                libc::MADV_DONTNEED,
            );
        }
    }

    fn as_slice(&self) -> &[u8] {
        // SAFETY: the block is `bytes` long, initialised, and borrowed with `self`.
        unsafe { std::slice::from_raw_parts(self.address.as_ptr(), self.bytes) }
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: the block is `bytes` long, initialised, and borrowed mutably with `self`.
        unsafe { std::slice::from_raw_parts_mut(self.address.as_ptr(), self.bytes) }
    }
}

#[expect(unsafe_code, reason = "see allocate")]
impl Drop for Memory {
    fn drop(&mut self) {
        if self.bytes >= MAPPED_BYTES_MIN {
            // SAFETY: it was mapped with this size and is not used any more.
            let unmapped = unsafe { libc::munmap(self.address.as_ptr().cast(), self.bytes) };
            assert_eq!(unmapped, 0, "a mapping can be given back");
            return;
        }
        // SAFETY: it was allocated with this layout and is not used any more.
        unsafe { dealloc(self.address.as_ptr(), Memory::layout(self.bytes)) }
    }
}

#[expect(
    unsafe_code,
    reason = "a block of memory has one owner, who may be on any core"
)]
// SAFETY: the pointer is owned by this value alone, and bytes may be read and freed anywhere.
unsafe impl Send for Memory {}
#[expect(unsafe_code, reason = "shared references only read")]
// SAFETY: `&Memory` gives only `&[u8]`.
unsafe impl Sync for Memory {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_aligned_and_comes_back() {
        let pool = BufferPool::new();
        let mut buffer = pool.take(70_000);
        assert_eq!(buffer.len(), 131_072);
        assert_eq!(buffer.as_ptr().align_offset(PAGE_BYTES), 0);
        buffer[0] = 7;
        let address = buffer.as_ptr();
        let bytes = buffer.freeze(100);
        let slice = bytes.slice(0..1);
        drop(bytes);
        assert_eq!(&slice[..], [7]);
        std::thread::scope(|scope| {
            scope.spawn(move || drop(slice));
        });
        assert_eq!(
            pool.take(131_072).as_ptr(),
            address,
            "recycled after a drop elsewhere"
        );
    }

    #[test]
    fn a_large_buffer_takes_memory_only_where_it_is_touched() {
        let resident = || {
            let status = std::fs::read_to_string("/proc/self/statm").expect("Linux says it");
            let pages = status
                .split(' ')
                .nth(1)
                .and_then(|it| it.parse::<usize>().ok());
            pages.expect("a number of pages") * PAGE_BYTES
        };
        let pool = BufferPool::new();
        let before = resident();
        let buffers: Vec<Buffer> = (0..16)
            .map(|_| {
                let mut buffer = pool.take(100 << 20);
                buffer[..4].copy_from_slice(b"size");
                buffer
            })
            .collect();
        // Other tests run beside this one, and take some.
        assert!(resident() < before + (256 << 20));
        assert_eq!(buffers[15][..5], *b"size\0");
    }

    #[test]
    fn what_is_kept_is_bounded_and_given_back_when_nobody_asks() {
        let pool = BufferPool::new();
        let kept = || pool.kept_bytes.load(Ordering::Relaxed);
        let many: Vec<Buffer> = (0..40).map(|_| pool.take(1 << 20)).collect();
        assert_eq!(kept(), 0);
        drop(many);
        assert_eq!(kept(), KEPT_BYTES_MAX);
        drop(pool.take(PAGE_BYTES));
        assert_eq!(kept(), KEPT_BYTES_MAX, "one more finds no room");
        let one = pool.take(1 << 20);
        assert_eq!(kept(), KEPT_BYTES_MAX - (1 << 20));
        pool.rest();
        assert_eq!(kept(), KEPT_BYTES_MAX - (1 << 20), "it was in use");
        pool.rest();
        assert_eq!(kept(), 0);
        drop(one);
        assert_eq!(kept(), 1 << 20);
    }

    #[test]
    fn beyond_what_is_kept_mappings_stay_without_their_memory() {
        const KEPT: usize = KEPT_BYTES_MAX / (2 << 20);
        let pool = BufferPool::new();
        let mut buffers: Vec<Buffer> = (0..KEPT + BARE_MAX + 4)
            .map(|_| pool.take(2 << 20))
            .collect();
        for buffer in &mut buffers {
            buffer[5] = 7;
        }
        let addresses: Vec<_> = buffers.iter().map(|buffer| buffer.as_ptr()).collect();
        drop(buffers);
        assert_eq!(pool.class(2 << 20).map(ArrayQueue::len), Some(KEPT));
        assert_eq!(pool.bare_of(2 << 20).map(ArrayQueue::len), Some(BARE_MAX));
        let again: Vec<Buffer> = (0..KEPT + BARE_MAX).map(|_| pool.take(2 << 20)).collect();
        assert!(
            again
                .iter()
                .all(|buffer| addresses.contains(&buffer.as_ptr()))
        );
        assert_eq!(again.iter().filter(|buffer| buffer[5] == 7).count(), KEPT);
        // Small ones come from the allocator, which has memory of its own.
        assert!(pool.bare_of(64 << 10).is_none());
    }

    #[test]
    fn a_huge_buffer_is_not_kept() {
        let pool = BufferPool::new();
        drop(pool.take(16 << 20));
        assert!(pool.class(16 << 20).is_none());
    }
}
