//! A slice of a file to a socket: by `sendfile` where it is in memory. A cold one goes from the device into
//! a pipe by the ring's workers, and from the pipe to the socket by this core.
//!
//! ```text
//!   is it in memory? ──yes──► sendfile ─► socket                         in the turn
//!         │no                                                            ───────────
//!         └──► splice file ─► pipe                                       on a worker
//!                   └──► splice pipe ─► socket                           in the turn
//! ```
//! What the kernel has just read ahead of the workers (`File::reader`) does not count: a turn that sent that
//! would read on in their place (`File::is_resident`).

use super::core::{NativeCore, Outcome};
use super::operations::Operation;
use super::sys;
use crate::base::convert::u64_from;
use crate::base::limits::SEND_FILE_BYTES_MAX;
use crate::base::time::Instant;
use crate::runtime::disk::File;
use crate::runtime::io::{IoCounters, Sent, SocketId};
use io_uring::{opcode, types};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

/// Bytes a pipe between a cold file and a socket holds.
const PIPE_BYTES: usize = 256 << 10;
/// Pipes kept for the next cold read.
const IDLE_PIPES_MAX: usize = 8;

/// How far a cold slice is on its way to a socket.
pub enum Cold {
    /// The splice from the file is under way.
    Filling,
    /// So many bytes lie in the pipe.
    Filled { pipe: Pipe, bytes: usize },
    /// The file could not be read.
    Failed,
}

/// A pipe, to splice through.
pub struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
    bytes: usize,
}

impl NativeCore {
    /// See `Io::send_file`.
    pub fn send_file(
        &mut self,
        socket: SocketId,
        file: &Arc<File>,
        at: u64,
        bytes: usize,
        now: Instant,
        counters: &mut IoCounters,
    ) -> Sent {
        let Some(slot) = self.slot(socket) else {
            return Sent::Broken;
        };
        let descriptor = slot.socket.as_ref().expect("slot() returns open ones only");
        let sent = match slot.cold.take() {
            Some(Cold::Filling) => {
                slot.cold = Some(Cold::Filling);
                return Sent::Blocked; // the splice's completion says Writable
            }
            Some(Cold::Failed) => return Sent::Broken,
            Some(Cold::Filled {
                pipe,
                bytes: filled,
            }) => {
                let sent = sys::send_pipe(descriptor, &pipe.read, filled);
                if let Sent::Bytes(count) = sent {
                    counters.sent_splice_bytes += u64_from(count);
                    if count == filled {
                        self.keep_pipe(pipe);
                        return sent;
                    }
                    slot.cold = Some(Cold::Filled {
                        pipe,
                        bytes: filled - count,
                    });
                } else {
                    slot.cold = Some(Cold::Filled {
                        pipe,
                        bytes: filled,
                    });
                }
                sent
            }
            None => {
                let bytes = bytes.min(SEND_FILE_BYTES_MAX);
                if !file.is_resident(at, bytes, now) {
                    return self.fill_from(socket, file, at, bytes, now);
                }
                let file = file
                    .descriptor()
                    .expect("a native core is given native files");
                let sent = sys::send_file(descriptor, file, at, bytes);
                if let Sent::Bytes(count) = sent {
                    counters.sent_file_bytes += u64_from(count);
                }
                sent
            }
        };
        if sent == Sent::Blocked {
            self.poll_for_room(socket);
        }
        sent
    }

    /// Starts a splice from a cold file into a pipe, on a worker of the ring.
    fn fill_from(
        &mut self,
        socket: SocketId,
        file: &Arc<File>,
        at: u64,
        bytes: usize,
        now: Instant,
    ) -> Sent {
        let pipe = match self.idle_pipes.pop().map_or_else(Pipe::new, Ok) {
            Ok(pipe) => pipe,
            Err(error) => {
                tracing::warn!("no pipe for a cold read: {error}");
                return Sent::Broken;
            }
        };
        let source = file
            .reader(now)
            .expect("a native core is given native files");
        let wanted = bytes.max(1).min(pipe.bytes);
        let Ok(offset) = i64::try_from(at) else {
            return Sent::Broken;
        };
        let entry = opcode::Splice::new(
            types::Fd(source),
            offset,
            types::Fd(pipe.write.as_raw_fd()),
            -1,
            u32::try_from(wanted).expect("at most a pipe"),
        )
        .build();
        let operation = Operation::Splice {
            _file: Arc::clone(file),
            pipe,
            socket,
        };
        self.start(operation, entry);
        if let Some(slot) = self.slot(socket) {
            slot.cold = Some(Cold::Filling);
        }
        Sent::Blocked
    }

    fn keep_pipe(&mut self, pipe: Pipe) {
        if self.idle_pipes.len() < IDLE_PIPES_MAX {
            self.idle_pipes.push(pipe);
        }
    }

    /// A splice into a pipe has ended.
    pub(super) fn on_filled(&mut self, socket: SocketId, pipe: Pipe, result: i32) -> Outcome {
        let Some(slot) = self.slot(socket) else {
            return Outcome::Nothing;
        };
        slot.cold = Some(match usize::try_from(result) {
            Ok(bytes) if bytes > 0 => Cold::Filled { pipe, bytes },
            Ok(_) | Err(_) => Cold::Failed,
        });
        Outcome::Writable(socket)
    }
}

impl Pipe {
    fn new() -> io::Result<Pipe> {
        let (read, write, bytes) = sys::pipe(PIPE_BYTES)?;
        Ok(Pipe { read, write, bytes })
    }
}
