//! Cuts what a socket delivers into frames, with as few copies and system calls as possible.
//!
//! ```text
//!   frame: | size i32 | size bytes |
//!
//!   small frames     one receive into a shared 64 KiB buffer brings many; a few KiB are copied out,
//!                    a full buffer is handed on as it is and replaced
//!   a large frame    its head arrives in the shared buffer; the rest is received straight into a
//!                    page-aligned buffer of its own. After a large frame only one page is asked for,
//!                    so that the next one's rest lands at a page boundary and little is copied.
//! ```

use super::Stranger;
use crate::base::limits::{PAGE_BYTES, RECEIVE_BUFFER_BYTES};
use crate::runtime::buffer::{Buffer, BufferPool};
use crate::runtime::io::{Io, Received, SocketId};
use bytes::{Buf, Bytes};
use std::fmt;
use std::sync::Arc;

/// A frame above this size makes the reader expect another of its kind.
const LARGE_FRAME_BYTES: usize = 32 << 10;
/// A receive of at most this many bytes is copied out of the shared buffer; above it the buffer itself
/// is handed on. A parked request would otherwise hold 64 KiB for its 100 bytes.
const COPIED_BYTES_MAX: usize = 8 << 10;
/// Of a large frame at least so much is waited for, or its end: each wake-up for less costs a turn.
/// It is the largest request of a producer with its defaults.
const AWAITED_BYTES_MAX: usize = 1 << 20;
/// Bytes of a frame's size.
const SIZE_BYTES: usize = 4;

/// Assembles the frames of one connection.
#[derive(Debug, Default)]
pub struct FrameReader {
    state: State,
    expects_large: bool,
    has_received: bool,
}

#[derive(Debug, Default)]
enum State {
    /// Between frames.
    #[default]
    Idle,
    /// Part of a size: 1 to 3 bytes.
    Size {
        bytes: [u8; SIZE_BYTES],
        have: usize,
    },
    /// Part of a frame, in a buffer that will hold all of it, its size included.
    Body {
        buffer: Buffer,
        have: usize,
        need: usize,
    },
}

/// The shared buffer of a core: all its connections receive into it in turn.
#[derive(Debug)]
pub struct Receiver {
    pool: Arc<BufferPool>,
    buffer: Option<Buffer>,
    frame_bytes_max: usize,
}

/// Why a connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// The peer closed, or the network broke.
    Closed,
    /// A size below zero or above `socket.request.max.bytes`.
    Size(i32),
    /// The first bytes belong to another protocol.
    Stranger(Stranger),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Closed => f.write_str("closed the connection"),
            FrameError::Size(size) => write!(
                f,
                "sent a request of {size} bytes, outside of 0 to socket.request.max.bytes"
            ),
            FrameError::Stranger(stranger) => f.write_str(stranger.sentence()),
        }
    }
}

impl Receiver {
    /// A shared buffer; frames larger than `frame_bytes_max` are refused.
    #[must_use]
    pub fn new(pool: &Arc<BufferPool>, frame_bytes_max: usize) -> Receiver {
        Receiver {
            pool: Arc::clone(pool),
            buffer: None,
            frame_bytes_max,
        }
    }
}

impl FrameReader {
    /// Whether part of a frame has been received: a connection that lets one wait is slow, not idle.
    #[must_use]
    pub fn is_inside_a_frame(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Receives what is there and appends whole frames, without their sizes, to `frames`.
    /// True where the socket may hold more: `budget`, what is left of the turn's bytes, is used up.
    pub fn receive<M>(
        &mut self,
        io: &mut Io<M>,
        socket: SocketId,
        receiver: &mut Receiver,
        budget: &mut usize,
        frames: &mut Vec<Bytes>,
    ) -> Result<bool, FrameError> {
        while *budget > 0 {
            let (received, asked) = match &mut self.state {
                State::Body { buffer, have, need } => {
                    let asked = (*need - *have).min(*budget);
                    let end = *have + asked;
                    (io.receive(socket, &mut buffer[*have..end]), asked)
                }
                State::Idle | State::Size { .. } => {
                    let pool = &receiver.pool;
                    let buffer = receiver
                        .buffer
                        .get_or_insert_with(|| pool.take(RECEIVE_BUFFER_BYTES));
                    let asked = if self.expects_large {
                        PAGE_BYTES
                    } else {
                        RECEIVE_BUFFER_BYTES
                    };
                    (io.receive(socket, &mut buffer[..asked]), asked)
                }
            };
            let count = match received {
                Received::Empty => {
                    io.announce_from(socket, self.awaited());
                    return Ok(false);
                }
                Received::Closed => return Err(FrameError::Closed),
                Received::Bytes(count) => count,
            };
            self.take(count, receiver, frames)?;
            if count < asked && !io.has_hung_up(socket) {
                io.announce_from(socket, self.awaited());
                return Ok(false); // a short receive means that the socket is empty
            }
            *budget = budget.saturating_sub(count);
        }
        Ok(true)
    }

    /// How many bytes are worth the next turn.
    fn awaited(&self) -> usize {
        match &self.state {
            State::Body { have, need, .. } => (need - have).min(AWAITED_BYTES_MAX),
            State::Idle | State::Size { .. } => 1,
        }
    }

    /// Takes `count` bytes that were received into whichever buffer the state names.
    fn take(
        &mut self,
        count: usize,
        receiver: &mut Receiver,
        frames: &mut Vec<Bytes>,
    ) -> Result<(), FrameError> {
        if let State::Body { have, need, .. } = &mut self.state {
            *have += count;
            if have < need {
                return Ok(());
            }
            if let State::Body { buffer, need, .. } = std::mem::take(&mut self.state) {
                self.expects_large = need > LARGE_FRAME_BYTES;
                frames.push(buffer.freeze(need).slice(SIZE_BYTES..));
            }
            return Ok(());
        }
        let chunk = if count <= COPIED_BYTES_MAX {
            let buffer = receiver.buffer.as_ref().expect("it was just received into");
            Bytes::copy_from_slice(&buffer[..count])
        } else {
            receiver
                .buffer
                .take()
                .expect("it was just received into")
                .freeze(count)
        };
        self.split(chunk, receiver, frames)
    }

    /// Cuts a chunk into frames; what is left begins a new state.
    fn split(
        &mut self,
        chunk: Bytes,
        receiver: &Receiver,
        frames: &mut Vec<Bytes>,
    ) -> Result<(), FrameError> {
        let mut rest = chunk;
        if let State::Size { bytes, have } = &mut self.state {
            let missing = (SIZE_BYTES - *have).min(rest.len());
            bytes[*have..*have + missing].copy_from_slice(&rest[..missing]);
            *have += missing;
            rest.advance(missing);
            if *have < SIZE_BYTES {
                return Ok(());
            }
            let size = *bytes;
            self.state = State::Idle;
            rest = self.begin(size, rest, receiver, frames)?;
        }
        while !rest.is_empty() {
            let Some((size, _)) = rest.split_first_chunk::<SIZE_BYTES>() else {
                let mut bytes = [0; SIZE_BYTES];
                bytes[..rest.len()].copy_from_slice(&rest);
                self.state = State::Size {
                    bytes,
                    have: rest.len(),
                };
                return Ok(());
            };
            let size = *size;
            rest.advance(SIZE_BYTES);
            rest = self.begin(size, rest, receiver, frames)?;
        }
        Ok(())
    }

    /// Begins the frame of this size with the bytes that follow it; gives back what is beyond it.
    fn begin(
        &mut self,
        size: [u8; SIZE_BYTES],
        mut rest: Bytes,
        receiver: &Receiver,
        frames: &mut Vec<Bytes>,
    ) -> Result<Bytes, FrameError> {
        if !std::mem::replace(&mut self.has_received, true)
            && let Some(stranger) = Stranger::recognise(size)
        {
            return Err(FrameError::Stranger(stranger));
        }
        let claimed = i32::from_be_bytes(size);
        let length = usize::try_from(claimed).map_err(|_| FrameError::Size(claimed))?;
        if length > receiver.frame_bytes_max {
            return Err(FrameError::Size(claimed));
        }
        if length <= rest.len() {
            let frame = rest.split_to(length);
            self.expects_large = false;
            frames.push(frame);
            return Ok(rest);
        }
        // The size is believed no further than a buffer that grows with what really arrives would
        // be: a large buffer's memory is taken only where bytes are received (`runtime::buffer`).
        let need = SIZE_BYTES + length;
        let mut buffer = receiver.pool.take(need);
        buffer[..SIZE_BYTES].copy_from_slice(&size);
        buffer[SIZE_BYTES..SIZE_BYTES + rest.len()].copy_from_slice(&rest);
        self.state = State::Body {
            buffer,
            have: SIZE_BYTES + rest.len(),
            need,
        };
        Ok(Bytes::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::convert::{u64_from, usize_from_u32};
    use crate::base::prng::Prng;
    use crate::base::time::milliseconds;
    use crate::runtime::io::{Event, Sent, Turn};
    use crate::runtime::simulated::drive::Simulation;
    use std::cell::RefCell;
    use std::rc::Rc;

    fn receiver() -> Receiver {
        Receiver::new(&BufferPool::new(), 1 << 20)
    }

    /// Feeds `stream` as receives of random lengths would.
    fn feed(stream: &[u8], prng: &mut Prng) -> Result<Vec<Bytes>, FrameError> {
        let mut receiver = receiver();
        let mut reader = FrameReader::default();
        let mut frames = Vec::new();
        let mut rest = stream;
        while !rest.is_empty() {
            let most = match &mut reader.state {
                State::Body { have, need, .. } => *need - *have,
                State::Idle | State::Size { .. } if reader.expects_large => PAGE_BYTES,
                State::Idle | State::Size { .. } => RECEIVE_BUFFER_BYTES,
            };
            let count = (1 + prng.index(most)).min(rest.len());
            match &mut reader.state {
                State::Body { buffer, have, .. } => {
                    buffer[*have..*have + count].copy_from_slice(&rest[..count]);
                }
                State::Idle | State::Size { .. } => {
                    let pool = &receiver.pool;
                    let buffer = receiver
                        .buffer
                        .get_or_insert_with(|| pool.take(RECEIVE_BUFFER_BYTES));
                    buffer[..count].copy_from_slice(&rest[..count]);
                }
            }
            reader.take(count, &mut receiver, &mut frames)?;
            rest = &rest[count..];
        }
        assert!(!reader.is_inside_a_frame());
        Ok(frames)
    }

    #[test]
    fn frames_of_every_size_survive_every_cut() {
        for seed in 0..200 {
            let mut prng = Prng::new(seed);
            let mut stream = Vec::new();
            let mut expected = Vec::new();
            for _ in 0..20 {
                let length = match prng.below(4) {
                    0 => 0,
                    1 => prng.index(200),
                    2 => prng.index(10_000),
                    _ => prng.index(200_000),
                };
                let mut frame = vec![0; length];
                prng.fill(&mut frame);
                stream.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
                stream.extend_from_slice(&frame);
                expected.push(frame);
            }
            let frames = feed(&stream, &mut prng).unwrap();
            assert!(frames == expected, "seed {seed}");
        }
    }

    #[test]
    fn a_size_that_is_negative_or_too_large_is_refused() {
        let mut prng = Prng::new(1);
        assert_eq!(
            feed(&[0xFF; 4], &mut prng).unwrap_err(),
            FrameError::Size(-1)
        );
        let large = (1i32 << 20) + 1;
        assert_eq!(
            feed(&large.to_be_bytes(), &mut prng).unwrap_err(),
            FrameError::Size(large)
        );
        assert_eq!(
            feed(b"GET / HTTP/1.1\r\n\r\n", &mut prng).unwrap_err(),
            FrameError::Stranger(Stranger::Http)
        );
    }

    /// Receives from one connection, so many bytes a turn.
    struct Core {
        reader: FrameReader,
        receiver: Receiver,
        socket: Option<SocketId>,
        seen: Rc<RefCell<Seen>>,
    }

    #[derive(Default)]
    struct Seen {
        frames: Vec<Bytes>,
        most_within_a_frame: u64,
    }

    /// Less than the simulated network holds of a connection.
    const BUDGET: usize = 10_000;

    impl Turn for Core {
        type Mail = ();

        fn turn(&mut self, io: &mut Io<()>) {
            while let Some(event) = io.next_event() {
                if let Event::Accepted { socket, .. } = event {
                    self.socket = Some(socket);
                }
            }
            let Some(socket) = self.socket else {
                return;
            };
            let is_within = self.reader.is_inside_a_frame();
            let before = io.counters().received_bytes;
            let (mut budget, mut seen) = (BUDGET, self.seen.borrow_mut());
            let (receiver, frames) = (&mut self.receiver, &mut seen.frames);
            let received = self
                .reader
                .receive(io, socket, receiver, &mut budget, frames);
            if received.unwrap() {
                io.turn_again();
            }
            let count = io.counters().received_bytes - before;
            if is_within {
                seen.most_within_a_frame = seen.most_within_a_frame.max(count);
            }
        }

        fn is_stopped(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_frame_larger_than_the_bytes_of_a_turn_takes_several() {
        let seen = Rc::new(RefCell::new(Seen::default()));
        let mut simulation = Simulation::new(1);
        let build = |_: &mut Io<()>| {
            Ok(Core {
                reader: FrameReader::default(),
                receiver: receiver(),
                socket: None,
                seen: Rc::clone(&seen),
            })
        };
        simulation.start(1, build).unwrap();
        let client = simulation.connect().unwrap();
        let mut stream = Vec::new();
        for length in [10_u32, 500_000, 10] {
            stream.extend_from_slice(&length.to_be_bytes());
            stream.resize(stream.len() + usize_from_u32(length), 7);
        }
        let mut rest = &stream[..];
        for _ in 0..1000 {
            if let Sent::Bytes(count) = simulation.send(client, rest) {
                rest = &rest[count..];
            }
            simulation.step(simulation.now().instant + milliseconds(1));
        }
        drop(simulation);
        let seen = Rc::into_inner(seen).unwrap().into_inner();
        let lengths: Vec<usize> = seen.frames.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [10, 500_000, 10]);
        // The last turn of a frame receives the small one behind it, too.
        let most = u64_from(BUDGET + SIZE_BYTES + 10);
        let seen_most = seen.most_within_a_frame;
        assert!(0 < seen_most && seen_most <= most, "{seen_most}");
    }
}
