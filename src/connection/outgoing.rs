//! What is on its way to one client: pieces of memory, and slices of files that go from the page
//! cache to the socket without passing through user memory.

use super::Reply;
use crate::base::convert::u64_from;
use crate::base::limits::SEND_BYTES_PER_CONNECTION_MAX;
use crate::runtime::disk::FileSlice;
use crate::runtime::io::{Io, Sent, SocketId};
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::IoSlice;

/// Pieces of memory given to one call of send.
const SLICES_MAX: usize = 16;

/// A piece of a reply.
#[derive(Debug)]
pub enum Piece {
    /// It lies in memory.
    Memory(Bytes),
    /// It lies in a file.
    File(FileSlice),
}

/// How far a flush came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Everything is on its way.
    Done,
    /// The socket is full, or a cold page is being read; `Writable` will say when to go on.
    Blocked,
    /// This turn's share was used up: go on in the next.
    Again,
    /// The connection broke.
    Broken,
}

/// The queue of pieces.
#[derive(Debug, Default)]
pub struct Outgoing {
    pieces: VecDeque<Piece>,
    memory_bytes: usize,
}

impl Outgoing {
    /// Appends a reply.
    pub fn push(&mut self, reply: Reply) {
        let Reply { mut bytes, files } = reply;
        self.memory_bytes += bytes.len();
        let mut sent_to = 0;
        for (before, file) in files {
            let head = bytes.split_to(before - sent_to);
            sent_to = before;
            if !head.is_empty() {
                self.pieces.push_back(Piece::Memory(head));
            }
            if file.bytes > 0 {
                self.pieces.push_back(Piece::File(file));
            }
        }
        if !bytes.is_empty() {
            self.pieces.push_back(Piece::Memory(bytes));
        }
    }

    /// Bytes that wait in memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Sends as much as the socket takes now, and this connection's share of `budget`, what is left of the turn's bytes:
    /// all memory up to the next file in one call.
    pub fn flush<M>(&mut self, io: &mut Io<M>, socket: SocketId, budget: &mut usize) -> Progress {
        let mut share = SEND_BYTES_PER_CONNECTION_MAX;
        loop {
            if share.min(*budget) == 0 && !self.pieces.is_empty() {
                return Progress::Again;
            }
            let sent = match self.pieces.front() {
                None => return Progress::Done,
                Some(Piece::File(slice)) => {
                    io.send_file(socket, &slice.file, slice.position, slice.bytes)
                }
                Some(Piece::Memory(_)) => self.send_memory(io, socket),
            };
            match sent {
                Sent::Blocked => return Progress::Blocked,
                Sent::Broken => return Progress::Broken,
                Sent::Bytes(count) => {
                    self.advance(count);
                    share = share.saturating_sub(count);
                    *budget = budget.saturating_sub(count);
                }
            }
        }
    }

    fn send_memory<M>(&self, io: &mut Io<M>, socket: SocketId) -> Sent {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut count = 0;
        let mut more = false;
        for piece in &self.pieces {
            match piece {
                Piece::Memory(bytes) if count < SLICES_MAX => {
                    slices[count] = IoSlice::new(bytes);
                    count += 1;
                }
                Piece::Memory(_) | Piece::File(_) => {
                    more = true;
                    break;
                }
            }
        }
        io.send(socket, &slices[..count], more)
    }

    /// Removes `count` sent bytes from the front.
    fn advance(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let piece = self
                .pieces
                .front_mut()
                .expect("no more is sent than was queued");
            let (taken, is_done) = match piece {
                Piece::Memory(bytes) => {
                    let taken = left.min(bytes.len());
                    bytes.advance(taken);
                    self.memory_bytes -= taken;
                    (taken, bytes.is_empty())
                }
                Piece::File(slice) => {
                    let taken = left.min(slice.bytes);
                    slice.position += u64_from(taken);
                    slice.bytes -= taken;
                    (taken, slice.bytes == 0)
                }
            };
            left -= taken;
            if is_done {
                self.pieces.pop_front();
            }
        }
    }
}
