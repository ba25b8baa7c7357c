//! The connection to one broker: a socket, and the state machine that speaks on it.

use crate::base::time::Instant;
use crate::client::connection::Connection;
use crate::runtime::blocking::{Interest, Received, Socket};
use std::io::{self, IoSlice};

/// A socket, and what is spoken on it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) socket: Socket,
    pub(super) connection: Connection,
    pub(super) server: String,
}

/// What the socket is waited for.
pub(super) fn interest(link: &Link, now: Instant) -> Interest<'_> {
    if link.connection.outgoing().is_empty() || link.connection.throttled_until() > now {
        Interest::Readable(&link.socket)
    } else {
        Interest::Writable(&link.socket)
    }
}

/// Pieces that are sent with one call, at most: below Linux' limit of 1024 (IOV_MAX).
const PIECES_MAX: usize = 256;

/// When there is something to send that may not be sent yet.
pub(super) fn due(link: &Link, now: Instant) -> Instant {
    let until = link.connection.throttled_until();
    if link.connection.outgoing().is_empty() || until <= now {
        Instant::NEVER
    } else {
        until
    }
}

/// Sends what the socket takes, unless the broker throttles.
pub(super) fn flush(link: &mut Link, now: Instant) -> io::Result<()> {
    if link.connection.throttled_until() > now {
        return Ok(());
    }
    while !link.connection.outgoing().is_empty() {
        let pieces = link.connection.outgoing_pieces().take(PIECES_MAX);
        let pieces: Vec<IoSlice<'_>> = pieces.map(IoSlice::new).collect();
        match link.socket.send(&pieces)? {
            0 => break,
            sent => link.connection.handle_sent(sent),
        }
    }
    Ok(())
}

/// Reads what is there; false where the other side has closed.
pub(super) fn receive(link: &mut Link, buffer: &mut [u8]) -> io::Result<bool> {
    loop {
        match link.socket.receive(buffer)? {
            Received::Bytes(count) => {
                link.connection.handle_bytes(&buffer[..count]);
                if count < buffer.len() {
                    return Ok(true);
                }
            }
            Received::Nothing => return Ok(true),
            Received::Closed => return Ok(false),
        }
    }
}
