//! From bytes to frames and back: one client's connection, without a task of its own.
//!
//! ```text
//!   socket ─► FrameReader ─► frame ─► (handler) ─► Replies ─► Outgoing ─► socket
//!                                       in request order ┘        └ memory and file slices
//! ```
//! A connection reads no further while too many of its requests are unanswered, or too many bytes
//! of replies wait: back-pressure is simply not receiving.

mod affinity;
mod frames;
mod outgoing;
mod patience;
mod replies;
mod strangers;

pub use affinity::Affinity;
pub use frames::{FrameError, FrameReader, Receiver};
pub use outgoing::{Outgoing, Piece, Progress};
pub use patience::Patience;
pub use replies::{Replies, Reply, Ticket};
pub use strangers::Stranger;

use crate::base::limits::{PIPELINE_REQUESTS_MAX, REPLY_BYTES_MAX, REQUEST_BYTES_MAX};
use crate::base::time::Instant;
use crate::runtime::io::{SocketAddr, SocketId};
use bytes::Bytes;
use std::collections::VecDeque;

/// One client's connection, on the core that serves it. Where that would be better done by another, it
/// moves there when it has nothing under way: its socket and its fetch session go, the rest begins anew.
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
    /// Which core its requests are for.
    pub affinity: Affinity,
    /// Whether its next request can wait a little.
    pub patience: Patience,
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
            affinity: Affinity::default(),
            patience: Patience::default(),
        }
    }

    /// Whether nothing of it is under way: no request, no answer, no part of a frame.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.replies.waiting() == 0
            && self.outgoing.is_empty()
            && self.backlog.is_empty()
            && !self.frames.is_inside_a_frame()
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
