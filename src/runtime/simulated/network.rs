//! Connections in memory: two streams of bytes with a bounded buffer each. What arrives is cut at
//! random places, as TCP may.

use crate::base::prng::Prng;
use crate::runtime::io::{Received, Sent};
use std::collections::VecDeque;

/// Bytes on their way in one direction, at most: a sender is blocked then.
const STREAM_BYTES_MAX: usize = 64 << 10;

/// One end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PeerEnd {
    connection: usize,
    /// Whether it is the broker's end; the other is a client's.
    is_broker: bool,
}

/// All connections of a simulation.
pub struct Network {
    connections: Vec<Connection>,
    prng: Prng,
    /// Ends whose owner shall be told that there is something to receive, or room to send.
    pub(super) readable: VecDeque<PeerEnd>,
    pub(super) writable: VecDeque<PeerEnd>,
}

#[derive(Default)]
struct Connection {
    to_broker: Stream,
    to_client: Stream,
}

#[derive(Default)]
struct Stream {
    bytes: VecDeque<u8>,
    closed: bool,
    sender_waits: bool,
}

impl Network {
    pub(super) fn new(prng: Prng) -> Network {
        Network {
            connections: Vec::new(),
            prng,
            readable: VecDeque::new(),
            writable: VecDeque::new(),
        }
    }

    /// A new connection: the client's end and the broker's.
    pub(super) fn connect(&mut self) -> (PeerEnd, PeerEnd) {
        self.connections.push(Connection::default());
        let connection = self.connections.len() - 1;
        (
            PeerEnd {
                connection,
                is_broker: false,
            },
            PeerEnd {
                connection,
                is_broker: true,
            },
        )
    }

    fn incoming(&mut self, end: PeerEnd) -> &mut Stream {
        let connection = &mut self.connections[end.connection];
        if end.is_broker {
            &mut connection.to_broker
        } else {
            &mut connection.to_client
        }
    }

    fn outgoing(&mut self, end: PeerEnd) -> &mut Stream {
        self.incoming(other(end))
    }

    pub(super) fn receive(&mut self, end: PeerEnd, buffer: &mut [u8]) -> Received {
        let random = self.prng.next();
        let stream = self.incoming(end);
        if stream.bytes.is_empty() {
            return if stream.closed {
                Received::Closed
            } else {
                Received::Empty
            };
        }
        let most = stream.bytes.len().min(buffer.len());
        let count = if random & 3 == 0 {
            1 + crate::base::convert::usize_from(random >> 2) % most
        } else {
            most
        };
        for (into, byte) in buffer.iter_mut().zip(stream.bytes.drain(..count)) {
            *into = byte;
        }
        let left = !stream.bytes.is_empty();
        if std::mem::take(&mut stream.sender_waits) {
            self.writable.push_back(other(end));
        }
        if left {
            // A short receive means "empty" to the shard: what is left must be announced anew.
            self.readable.push_back(end);
        }
        Received::Bytes(count)
    }

    pub(super) fn send(&mut self, end: PeerEnd, bytes: &[u8]) -> Sent {
        let stream = self.outgoing(end);
        if stream.closed {
            return Sent::Broken;
        }
        let room = STREAM_BYTES_MAX - stream.bytes.len();
        let count = room.min(bytes.len());
        if count == 0 {
            stream.sender_waits = true;
            return Sent::Blocked;
        }
        stream.bytes.extend(&bytes[..count]);
        self.readable.push_back(other(end));
        Sent::Bytes(count)
    }

    /// Closes both directions: the peer reads what is on its way, then the end.
    pub(super) fn close(&mut self, end: PeerEnd) {
        self.incoming(end).closed = true;
        self.outgoing(end).closed = true;
        self.readable.push_back(other(end));
    }
}

fn other(end: PeerEnd) -> PeerEnd {
    PeerEnd {
        connection: end.connection,
        is_broker: !end.is_broker,
    }
}

impl PeerEnd {
    pub(super) fn is_broker(self) -> bool {
        self.is_broker
    }
}
