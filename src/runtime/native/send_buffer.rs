//! How much of what is sent the kernel may hold in a socket.
//!
//! Left to itself the kernel lets megabytes of an answer lie between a broker and a reader that is near. By
//! the time the reader comes to them the processor's caches know nothing of them any more, and both sides
//! pay up to three times as much for each (docs/decisions/fetches.md). So where a socket is full for the first time,
//! it is asked how far its peer is and how much that peer takes:
//!
//! ```text
//!   far                         the kernel's sizing: what is under way must fill the line
//!   near, and takes little      the kernel's sizing: the reader's own buffer keeps it short, and what lies
//!                               here goes on by itself as the reader reads, without a turn
//!   near, and takes much        256 KiB
//! ```

use super::sys;
use std::os::fd::OwnedFd;

/// What a near peer that takes much at a time is sent at most before it has read.
const NEAR_BYTES: i32 = 256 << 10;
/// A peer is near up to this many microseconds there and back: the buffer (the kernel doubles it) then makes
/// 5 GB a second.
const NEAR_MICROS: u32 = 100;
/// A peer's receive window that is larger than a near peer's share.
const WINDOW_BYTES: u32 = 256 << 10;

/// How much the kernel may hold of what is sent by a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendBuffer {
    /// As was configured.
    Bytes(i32),
    /// What the kernel makes of the connection as it goes.
    Kernel,
    /// By how far the peer is, and what it takes.
    ByPeer,
}

/// What the kernel knows of the way to a peer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Way {
    /// The shortest time there and back of the last minutes, the handshake's among them.
    pub round_trip_micros: u32,
    /// What the peer takes before it has read any.
    pub window_bytes: u32,
}

impl Way {
    fn piles_up(self) -> bool {
        self.round_trip_micros <= NEAR_MICROS && self.window_bytes > WINDOW_BYTES
    }
}

impl SendBuffer {
    /// Prepares an accepted socket.
    pub fn prepare(self, socket: &OwnedFd) {
        if let SendBuffer::Bytes(bytes) = self {
            set(socket, bytes);
        }
    }

    /// The socket takes no more: whether that is to stay so, or it is asked again the next time.
    pub fn is_settled(self, socket: &OwnedFd) -> bool {
        if self != SendBuffer::ByPeer {
            return true;
        }
        let piles_up = sys::way(socket).is_some_and(Way::piles_up);
        if piles_up {
            set(socket, NEAR_BYTES);
        }
        piles_up
    }
}

fn set(socket: &OwnedFd, bytes: i32) {
    sys::option(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    fn pair(receive_bytes: i32) -> (TcpStream, OwnedFd) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Accepted sockets have it from their listener: this end plays the reader.
        sys::option(&listener, libc::SOL_SOCKET, libc::SO_RCVBUF, receive_bytes);
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_nonblocking(true).unwrap();
        let reader = OwnedFd::from(listener.accept().unwrap().0);
        (client, reader)
    }

    fn send_buffer_of(socket: &OwnedFd) -> i32 {
        sys::get_option(socket, libc::SOL_SOCKET, libc::SO_SNDBUF)
    }

    /// Whether a full socket is settled, and what it has then.
    fn full(wanted: SendBuffer, receive_bytes: i32) -> (bool, i32, i32) {
        let (mut client, reader) = pair(receive_bytes);
        wanted.prepare(&OwnedFd::from(client.try_clone().unwrap()));
        while client.write(&[7; 16 << 10]).is_ok() {}
        let socket = OwnedFd::from(client);
        let before = send_buffer_of(&socket);
        let is_settled = wanted.is_settled(&socket);
        drop(reader);
        (is_settled, before, send_buffer_of(&socket))
    }

    #[test]
    fn a_near_peer_that_takes_little_is_left_to_the_kernel_and_asked_again() {
        let (is_settled, before, after) = full(SendBuffer::ByPeer, 64 << 10);
        assert!(!is_settled);
        assert_eq!(before, after);
    }

    #[test]
    fn what_is_configured_is_not_asked_about() {
        let (is_settled, before, after) = full(SendBuffer::Bytes(65_536), 1 << 20);
        assert!(is_settled);
        assert_eq!(
            (before, after),
            (2 * 65_536, 2 * 65_536),
            "the kernel doubles it"
        );
        let (is_settled, before, after) = full(SendBuffer::Kernel, 1 << 20);
        assert!(is_settled);
        assert_eq!(before, after);
    }

    #[test]
    fn answers_pile_up_between_those_that_are_near_and_take_much() {
        let piles_up = |round_trip_micros, window_bytes| {
            let way = Way {
                round_trip_micros,
                window_bytes,
            };
            way.piles_up()
        };
        assert!(piles_up(100, 300 << 10));
        assert!(!piles_up(100, 256 << 10));
        assert!(!piles_up(101, 300 << 10));
        let (client, _reader) = pair(1 << 20);
        let way = sys::way(&OwnedFd::from(client)).unwrap();
        assert!(way.window_bytes > 0, "{way:?}");
    }

    #[test]
    fn a_near_peer_that_takes_much_is_sent_a_part_at_a_time() {
        let (mut client, reader) = pair(1 << 20);
        let mut reader = TcpStream::from(reader);
        let socket = OwnedFd::from(client.try_clone().unwrap());
        let part = [7; 16 << 10];
        let mut read = [0; 16 << 10];
        // The window opens as the reader reads.
        let opened = (0..10_000).any(|_| {
            client.write_all(&part).unwrap();
            reader.read_exact(&mut read).unwrap();
            SendBuffer::ByPeer.is_settled(&socket)
        });
        assert!(opened, "{:?}", sys::way(&socket));
        assert_eq!(send_buffer_of(&socket), 2 * NEAR_BYTES);
    }
}
