//! An accepted socket, made ready to be served: how it waits, and how much the kernel may hold of what is sent.
//!
//! Left to itself the kernel lets megabytes of an answer lie between a broker and a reader that is near, and
//! by the time the reader comes to them the processor's caches know nothing of them any more: with what Kafka
//! allows, 100 KiB, `sendfile` costs a half to a third (docs/decisions/fetches.md). A reader that is far needs
//! those megabytes: no more than one buffer is under way at a time, so that 100 KiB (the kernel doubles it) would
//! be 4 MB a second over 50 ms.

use super::sys;
use std::os::fd::OwnedFd;

/// What Kafka has lie in a socket, unless told otherwise.
const NEAR_BYTES: i32 = 100 << 10;
/// A peer is near up to this many microseconds there and back, which 200 KiB under way make 2 GB a second.
const NEAR_MICROS: u32 = 100;

/// How much the kernel may hold of what is sent by a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendBuffer {
    /// As was configured.
    Bytes(i32),
    /// What the kernel makes of the connection as it goes.
    Kernel,
    /// Little where the peer is near, else the kernel's.
    ByDistance,
}

impl SendBuffer {
    /// `SO_SNDBUF` for a peer that far away, if it shall be set.
    fn bytes(self, round_trip_micros: impl FnOnce() -> Option<u32>) -> Option<i32> {
        match self {
            SendBuffer::Bytes(bytes) => Some(bytes),
            SendBuffer::Kernel => None,
            SendBuffer::ByDistance => round_trip_micros()
                .is_some_and(|micros| micros <= NEAR_MICROS)
                .then_some(NEAR_BYTES),
        }
    }
}

/// Prepares an accepted socket: no waiting, no Nagle, and its buffers.
pub fn prepare(socket: &OwnedFd, send_buffer: SendBuffer, receive_buffer: Option<i32>) {
    sys::set_non_blocking(socket);
    sys::option(socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
    sys::option(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1);
    // The handshake has timed the way there and back.
    if let Some(bytes) = send_buffer.bytes(|| sys::round_trip_micros(socket)) {
        sys::option(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, bytes);
    }
    if let Some(bytes) = receive_buffer {
        sys::option(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn send_buffer_of(wanted: SendBuffer) -> (i32, i32) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = OwnedFd::from(listener.accept().unwrap().0);
        let before = sys::get_option(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF);
        prepare(&socket, wanted, None);
        let after = sys::get_option(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF);
        (before, after)
    }

    #[test]
    fn the_kernel_sizes_what_nobody_has_configured_for_a_peer_that_is_far() {
        let (before, after) = send_buffer_of(SendBuffer::Kernel);
        assert_eq!(before, after);
        assert_eq!(SendBuffer::ByDistance.bytes(|| Some(101)), None);
        assert_eq!(SendBuffer::ByDistance.bytes(|| None), None);
        assert_eq!(SendBuffer::ByDistance.bytes(|| Some(100)), Some(102_400));
    }

    #[test]
    fn what_is_configured_holds_for_every_distance() {
        let (_, after) = send_buffer_of(SendBuffer::Bytes(65_536));
        assert_eq!(after, 2 * 65_536, "the kernel doubles it");
        assert_eq!(SendBuffer::Bytes(7).bytes(|| Some(50_000)), Some(7));
    }

    #[test]
    fn a_handshake_has_timed_the_way_to_the_peer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = OwnedFd::from(listener.accept().unwrap().0);
        assert!(sys::round_trip_micros(&socket).is_some());
    }
}
