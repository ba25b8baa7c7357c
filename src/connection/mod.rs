//! From bytes to frames and back: one client's connection, without a task of its own.
//!
//! ```text
//!   socket ─► FrameReader ─► frame ─► (handler) ─► Replies ─► Outgoing ─► socket
//!                                       in request order ┘        └ memory and file slices
//! ```
//! A connection reads no further while too many of its requests are unanswered, or too many bytes
//! of replies wait: back-pressure is simply not receiving.

mod frames;
mod outgoing;
mod replies;
mod strangers;

pub use frames::{FrameError, FrameReader, Receiver};
pub use outgoing::{Outgoing, Piece, Progress};
pub use replies::{Replies, Reply, Ticket};
pub use strangers::Stranger;

use crate::base::limits::{PIPELINE_REQUESTS_MAX, REPLY_BYTES_MAX, REQUEST_BYTES_MAX};
use crate::base::time::Instant;
use crate::runtime::io::{SocketAddr, SocketId};
use bytes::Bytes;
use std::collections::VecDeque;

/// One client's connection. Lives on the core that accepted it, for as long as it is open.
#[derive(Debug)]
pub struct Connection {
    /// The socket.
    pub socket: SocketId,
    /// Which of the broker's listeners it came in by.
    pub listener: usize,
    /// Who it is.
    pub peer: SocketAddr,
    /// Assembles frames.
    pub frames: FrameReader,
    /// Frames that came with others, and wait until more of those are answered.
    pub backlog: VecDeque<Bytes>,
    /// Answers, in the order of the requests.
    pub replies: Replies,
    /// What is on its way out.
    pub outgoing: Outgoing,
    /// Whether the socket may hold something that was not received yet.
    pub is_readable: bool,
    /// When it last received something.
    pub active_at: Instant,
}

impl Connection {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(socket: SocketId, listener: usize, peer: SocketAddr, now: Instant) -> Connection {
        Connection {
            socket,
            listener,
            peer,
            frames: FrameReader::default(),
            backlog: VecDeque::new(),
            replies: Replies::default(),
            outgoing: Outgoing::default(),
            is_readable: false,
            active_at: now,
        }
    }

    /// Whether one more request may be begun: not while the connection owes, or is owed, too much.
    #[must_use]
    pub fn may_begin(&self) -> bool {
        self.replies.waiting() < PIPELINE_REQUESTS_MAX
            && self.replies.request_bytes() < REQUEST_BYTES_MAX
            && self.may_reply()
    }

    /// Whether the answers that wait in memory leave room for more.
    #[must_use]
    pub fn may_reply(&self) -> bool {
        self.outgoing.memory_bytes() + self.replies.ready_bytes() < REPLY_BYTES_MAX
    }
}
