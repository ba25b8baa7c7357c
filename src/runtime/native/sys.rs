//! Single system calls on sockets, pipes and event descriptors, each made safe here.

#![expect(
    unsafe_code,
    reason = "system calls that the standard library does not have"
)]

use crate::base::limits;
use crate::runtime::io::{Received, Sent};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Descriptors for which the kernel's table has room from the start: 512 KiB of its memory.
const DESCRIPTORS_EXPECTED: u64 = 65_536;

/// An eventfd: a counter that wakes who polls it.
pub fn event_descriptor() -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    owned(descriptor)
}

/// Wakes who polls an eventfd.
pub fn raise(event: &OwnedFd) {
    let one = 1u64.to_ne_bytes();
    // SAFETY: eight bytes are written from an array of eight.
    let written = unsafe { libc::write(event.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    // A full counter (2^64 - 2 wake-ups without a read) still wakes.
    let _ = written;
}

/// An epoll instance.
pub fn epoll() -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
}

/// Has an epoll instance note when a socket becomes readable, once for each time that it does.
pub fn epoll_add(epoll: &OwnedFd, socket: &OwnedFd, data: u64) -> io::Result<()> {
    let flags = libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLET;
    let mut event = libc::epoll_event {
        events: u32::from_ne_bytes(flags.to_ne_bytes()),
        u64: data,
    };
    let (epoll, socket) = (epoll.as_raw_fd(), socket.as_raw_fd());
    // SAFETY: the event is a local that the call reads.
    match unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, socket, &raw mut event) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Has an epoll instance forget a socket.
pub fn epoll_remove(epoll: &OwnedFd, socket: &OwnedFd) {
    let (epoll, socket) = (epoll.as_raw_fd(), socket.as_raw_fd());
    // SAFETY: a removal takes no event.
    unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_DEL, socket, std::ptr::null_mut()) };
}

/// Takes all that an epoll instance has noted, each with its data and flags. Never waits.
pub fn epoll_take(epoll: &OwnedFd, mut take: impl FnMut(u64, u32)) {
    const AT_ONCE: usize = 128;
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; AT_ONCE];
    let room = i32::try_from(events.len()).expect("a small array");
    loop {
        // SAFETY: the array has room for as many events as are asked for.
        let count = unsafe { libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr(), room, 0) };
        let count = usize::try_from(count).unwrap_or(0);
        for event in &events[..count] {
            take(event.u64, event.events);
        }
        if count < AT_ONCE {
            return;
        }
    }
}

/// A pipe whose ends do not block, and its capacity in bytes.
pub fn pipe(bytes: usize) -> io::Result<(OwnedFd, OwnedFd, usize)> {
    let mut ends: [RawFd; 2] = [-1; 2];
    // SAFETY: the array takes the two descriptors.
    let result = unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let (read, write) = (owned(ends[0])?, owned(ends[1])?);
    let wanted = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    // SAFETY: no pointers are passed. A refusal (a user's pipe limit) leaves the default size.
    unsafe { libc::fcntl(write.as_raw_fd(), libc::F_SETPIPE_SZ, wanted) };
    // SAFETY: no pointers are passed.
    let capacity = unsafe { libc::fcntl(write.as_raw_fd(), libc::F_GETPIPE_SZ) };
    Ok((read, write, usize::try_from(capacity).unwrap_or(4096)))
}

fn owned(descriptor: RawFd) -> io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call that returned the descriptor gave it to this process alone.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Takes a descriptor that a completion brought.
pub fn adopt(descriptor: RawFd) -> OwnedFd {
    // SAFETY: an accept completed with it, so it is open and belongs to nobody else.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Receives without waiting.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the standard library's list has no end"
)]
pub fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> Received {
    loop {
        // SAFETY: the buffer is borrowed mutably and `len` bytes long.
        let count = unsafe {
            libc::recv(
                socket.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                libc::MSG_DONTWAIT,
            )
        };
        match usize::try_from(count) {
            Ok(0) => return Received::Closed,
            Ok(count) => return Received::Bytes(count),
            Err(_) => match io::Error::last_os_error().kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock => return Received::Empty,
                _ => return Received::Closed,
            },
        }
    }
}

/// Pieces of no more bytes together are copied into one: that costs less than the kernel's reading of a
/// list.
const GATHERED_BYTES_MAX: usize = 512;

/// Sends without waiting.
pub fn send(socket: &OwnedFd, slices: &[IoSlice<'_>], more: bool) -> Sent {
    let mut flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    if more {
        flags |= libc::MSG_MORE;
    }
    let mut gathered = [0; GATHERED_BYTES_MAX];
    let one = gather(slices, &mut gathered).map(IoSlice::new);
    let slices = one.as_ref().map_or(slices, std::slice::from_ref);
    loop {
        let count = if let [only] = slices {
            // SAFETY: the slice is borrowed and `len` bytes long.
            unsafe { libc::send(socket.as_raw_fd(), only.as_ptr().cast(), only.len(), flags) }
        } else {
            // SAFETY: all zeros is a valid msghdr.
            let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
            message.msg_iov = slices.as_ptr().cast_mut().cast();
            message.msg_iovlen = slices.len();
            // SAFETY: an IoSlice has the layout of an iovec, and sendmsg only reads them.
            unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags) }
        };
        if let Some(sent) = sent(count) {
            return sent;
        }
    }
}

/// Several small pieces as one.
fn gather<'a>(slices: &[IoSlice<'_>], into: &'a mut [u8; GATHERED_BYTES_MAX]) -> Option<&'a [u8]> {
    let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
    if slices.len() < 2 || bytes > GATHERED_BYTES_MAX {
        return None;
    }
    let mut end = 0;
    for slice in slices {
        into[end..end + slice.len()].copy_from_slice(slice);
        end += slice.len();
    }
    Some(&into[..end])
}

/// Sends resident pages of a file without waiting for the socket.
pub fn send_file(socket: &OwnedFd, file: RawFd, at: u64, bytes: usize) -> Sent {
    let Ok(mut offset) = libc::off_t::try_from(at) else {
        return Sent::Broken;
    };
    loop {
        // SAFETY: the offset is a local that the call may write.
        let count = unsafe { libc::sendfile(socket.as_raw_fd(), file, &raw mut offset, bytes) };
        if count == 0 {
            return Sent::Broken; // the file is shorter than its log says
        }
        if let Some(sent) = sent(count) {
            return sent;
        }
    }
}

/// Moves what lies in a pipe to a socket without waiting.
pub fn send_pipe(socket: &OwnedFd, pipe: &OwnedFd, bytes: usize) -> Sent {
    loop {
        // SAFETY: null offsets are right for a pipe and a socket.
        let count = unsafe {
            libc::splice(
                pipe.as_raw_fd(),
                std::ptr::null_mut(),
                socket.as_raw_fd(),
                std::ptr::null_mut(),
                bytes,
                libc::SPLICE_F_NONBLOCK | libc::SPLICE_F_MOVE,
            )
        };
        if let Some(sent) = sent(count) {
            return sent;
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the standard library's list has no end"
)]
/// What a send returned, or `None` where a signal interrupted it.
fn sent(count: isize) -> Option<Sent> {
    match usize::try_from(count) {
        Ok(count) => Some(Sent::Bytes(count)),
        Err(_) => match io::Error::last_os_error().kind() {
            io::ErrorKind::Interrupted => None,
            io::ErrorKind::WouldBlock => Some(Sent::Blocked),
            _ => Some(Sent::Broken),
        },
    }
}

/// How long a packet takes to the peer and back, in microseconds, by the kernel's estimate.
pub fn round_trip_micros(socket: &OwnedFd) -> Option<u32> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut bytes = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).ok()?;
    // SAFETY: the structure takes what the kernel knows, and its size is given.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    };
    // SAFETY: all zeros is a valid tcp_info, so what the kernel did not fill is valid, too.
    let info = unsafe { info.assume_init() };
    (result == 0).then_some(info.tcpi_rtt)
}

/// Has the socket count as readable from so many bytes on.
pub fn announce_from(socket: &OwnedFd, bytes: i32) {
    let size = libc::socklen_t::try_from(size_of::<i32>()).expect("four");
    // SAFETY: the value is a local of the size that is given. A refused hint changes nothing.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVLOWAT,
            (&raw const bytes).cast(),
            size,
        );
    }
}

/// Ends both directions: the peer sees it at once, though polls still hold the socket.
pub fn shut_down(socket: &OwnedFd) {
    // SAFETY: no pointers are passed.
    unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_RDWR) };
}

/// Who is at the other end; the unspecified address where the connection is already gone.
pub fn peer(socket: &OwnedFd) -> SocketAddr {
    // SAFETY: all zeros is a valid sockaddr_storage.
    let mut storage: libc::sockaddr_storage = unsafe { MaybeUninit::zeroed().assume_init() };
    let mut bytes =
        libc::socklen_t::try_from(size_of::<libc::sockaddr_storage>()).expect("a small structure");
    // SAFETY: the storage takes any address, and its size is given.
    let result = unsafe {
        libc::getpeername(
            socket.as_raw_fd(),
            (&raw mut storage).cast(),
            &raw mut bytes,
        )
    };
    if result == 0 && i32::from(storage.ss_family) == libc::AF_INET {
        // SAFETY: the family says that this is a sockaddr_in.
        let v4 = unsafe { *(&raw const storage).cast::<libc::sockaddr_in>() };
        let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
        return SocketAddr::new(IpAddr::V4(ip), u16::from_be(v4.sin_port));
    }
    if result == 0 && i32::from(storage.ss_family) == libc::AF_INET6 {
        // SAFETY: the family says that this is a sockaddr_in6.
        let v6 = unsafe { *(&raw const storage).cast::<libc::sockaddr_in6>() };
        let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
        return SocketAddr::new(IpAddr::V6(ip), u16::from_be(v6.sin6_port));
    }
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)
}

/// How many descriptors the process may have, and to how many it may raise that.
fn open_files_limit() -> Option<libc::rlimit> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure takes the two limits.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    (answer == 0).then_some(limit)
}

/// Whether a descriptor is among the last that the process may have. The kernel gives the lowest that is free: what
/// lies below is in use. The limit may be changed while the process runs.
pub fn is_one_of_the_last(descriptor: RawFd) -> bool {
    open_files_limit().is_some_and(|limit| {
        let kept = (limit.rlim_cur / 4).min(limits::DESCRIPTORS_KEPT);
        u64::try_from(descriptor).is_ok_and(|descriptor| descriptor >= limit.rlim_cur - kept)
    })
}

/// Raises the soft limit of open files to the hard one; returns the limit in force.
pub fn raise_open_files_limit() -> u64 {
    let Some(mut limit) = open_files_limit() else {
        return 1024;
    };
    let soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the structure holds the limits that were just read.
    let limit = if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } == 0 {
        limit.rlim_cur
    } else {
        soft
    };
    widen_descriptor_table(limit);
    limit
}

/// Has the kernel make the process's table of descriptors as large as it will be: later, when there are
/// several threads, the one that opens one too many waits for all processors (12 ms were seen).
fn widen_descriptor_table(limit: u64) {
    let last = i32::try_from(limit.min(DESCRIPTORS_EXPECTED)).unwrap_or(0) - 1;
    if let Ok(descriptor) = event_descriptor() {
        // SAFETY: no pointers are passed. A refusal changes nothing.
        let copy = unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_DUPFD_CLOEXEC, last) };
        drop(owned(copy));
    }
}

/// How often a thread gave up its processor.
#[derive(Clone, Copy, Debug)]
pub struct Switches {
    /// Because it waited.
    pub voluntary: i64,
    /// Because others were let run.
    pub involuntary: i64,
}

/// What the kernel has counted for the calling thread; `None` where it does not say.
pub fn switches() -> Option<Switches> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the structure is large enough for an rusage.
    if unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so it filled `usage`; all zeros would be valid as well.
    let usage = unsafe { usage.assume_init() };
    Some(Switches {
        voluntary: usage.ru_nvcsw,
        involuntary: usage.ru_nivcsw,
    })
}

/// Bytes of a page of memory.
pub fn page_bytes() -> u64 {
    // SAFETY: no pointers are passed.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).unwrap_or(4096)
}

/// Sets how many connections may wait to be accepted.
pub fn set_backlog(listener: &std::net::TcpListener, backlog: i32) {
    // SAFETY: no pointers are passed. A refusal leaves the backlog as it was.
    unsafe { libc::listen(listener.as_raw_fd(), backlog) };
}

/// 64 bits from the machine's own source of randomness.
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: the array is eight bytes long. Eight bytes are never delivered in part.
    let count = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    assert_eq!(count, 8, "getrandom failed: {}", io::Error::last_os_error());
    u64::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_pieces_are_sent_as_one() {
        let mut into = [0; GATHERED_BYTES_MAX];
        let half = [7; GATHERED_BYTES_MAX / 2];
        let pieces = [IoSlice::new(&half), IoSlice::new(&half)];
        assert_eq!(
            gather(&pieces, &mut into),
            Some(&[7; GATHERED_BYTES_MAX][..])
        );
        let pieces = [
            IoSlice::new(b"one "),
            IoSlice::new(&[]),
            IoSlice::new(b"two"),
        ];
        assert_eq!(gather(&pieces, &mut into), Some(&b"one two"[..]));
        assert_eq!(gather(&pieces[..1], &mut into), None);
        let pieces = [IoSlice::new(&half), IoSlice::new(&half), IoSlice::new(b"1")];
        assert_eq!(gather(&pieces, &mut into), None);
    }
}
