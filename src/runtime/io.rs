//! What a turn of a shard sees of the world: what became ready, in; what shall be done, out.
//!
//! One concrete face with two backends, as [`Disk`](super::disk::Disk) has. A turn drains
//! [`Io::next_event`], receives and sends without waiting, and leaves mail, syncs and a deadline behind.

use super::buffer::BufferPool;
use super::disk::{Disk, File};
use super::native::core::NativeCore;
use super::simulated::core::SimulatedCore;
use crate::base::prng::Prng;
use crate::base::time::{Instant, Now};
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IoSlice};
pub use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A core's share of the broker: a machine that the runtime turns.
pub trait Turn {
    /// What one shard may send to another.
    type Mail: Send + 'static;

    /// Takes what became ready, steps, and leaves effects in `io`. Never waits.
    fn turn(&mut self, io: &mut Io<Self::Mail>);

    /// Whether it has come to rest after [`Event::Stop`] and may be dropped.
    fn is_stopped(&self) -> bool;
}

/// A connected socket of this core. The generation tells a closed socket from its successor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId {
    /// Place in the core's table: small, reused.
    pub index: u32,
    /// How often that place was used before.
    pub generation: u32,
}

/// Something that became ready.
#[derive(Debug)]
pub enum Event<M> {
    /// A client connected, and this core owns the connection from now on.
    Accepted {
        /// The connection.
        socket: SocketId,
        /// Which of the broker's listeners it came in by.
        listener: usize,
        /// Who it is.
        peer: SocketAddr,
    },
    /// There is something to receive, or the peer closed. Said once: receive until [`Received::Empty`].
    Readable(SocketId),
    /// What blocked a send has passed.
    Writable(SocketId),
    /// Mail from another shard, or from this one.
    Mail(M),
    /// A sync asked for with [`Io::sync`] ended.
    Synced {
        /// As given to `sync`.
        token: u64,
        /// Whether everything written before is durable.
        result: io::Result<()>,
    },
    /// Pages asked for with [`Io::warm`] are in memory, or cannot be read.
    Warmed {
        /// As given to `warm`.
        token: u64,
        /// Whether the read went well.
        result: io::Result<()>,
    },
    /// A write asked for with [`Io::write`] ended.
    Written {
        /// As given to `write`.
        token: u64,
        /// Whether all of it is in the file; else some of it may be.
        result: io::Result<()>,
    },
    /// A file given to [`Io::replace_file`] has its new content.
    Replaced {
        /// As given to `replace_file`.
        token: u64,
        /// Whether it has; else it keeps the old one.
        result: io::Result<()>,
    },
    /// The process shall end: come to rest.
    Stop,
}

/// What a receive brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now; [`Event::Readable`] will say when there is.
    Empty,
    /// The peer closed, or the connection broke.
    Closed,
}

/// What a send did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// So many bytes are on their way, at least one.
    Bytes(usize),
    /// Nothing now; [`Event::Writable`] will say when to go on.
    Blocked,
    /// The connection broke, or the file could not be read.
    Broken,
}

/// How many bytes went which way, counted since the start.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct IoCounters {
    /// Bytes received from sockets.
    pub received_bytes: u64,
    /// Bytes sent from user memory.
    pub sent_memory_bytes: u64,
    /// Bytes sent from the page cache by sendfile.
    pub sent_file_bytes: u64,
    /// Bytes sent from the device by splice, on the ring.
    pub sent_splice_bytes: u64,
    /// Bytes appended to files, by turns or away from them.
    pub written_bytes: u64,
    /// Of these, the ones that the ring's workers wrote, because a turn might have had to wait.
    pub written_away_bytes: u64,
    /// Turns taken.
    pub turns: u64,
    /// Times the core went to sleep.
    pub sleeps: u64,
    /// Connections that were given to other cores.
    pub handed_over: u64,
}

/// The world as one core sees it during one turn.
pub struct Io<M> {
    pub(super) now: Now,
    pub(super) core: usize,
    pub(super) cores: usize,
    pub(super) events: VecDeque<Event<M>>,
    pub(super) outboxes: Vec<Vec<M>>,
    /// How many connections each core has.
    pub(super) connections: ConnectionCounts,
    pub(super) wake_at: Instant,
    pub(super) again: bool,
    pub(super) counters: IoCounters,
    pub(super) random: Prng,
    pub(super) pool: Arc<BufferPool>,
    pub(super) disk: Disk,
    pub(super) backend: Backend,
}

/// How many connections each core has: read by all, written where one comes or goes.
#[derive(Clone, Debug)]
pub(super) struct ConnectionCounts(Arc<[AtomicUsize]>);

/// So many connections more than its own a core may give to another that has few.
const HAND_OVER_SLACK: usize = 8;

impl ConnectionCounts {
    pub(super) fn new(cores: usize) -> ConnectionCounts {
        ConnectionCounts((0..cores).map(|_| AtomicUsize::new(0)).collect())
    }

    pub(super) fn of(&self, core: usize) -> usize {
        self.0[core].load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, core: usize) {
        self.0[core].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove(&self, core: usize) {
        self.0[core].fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) enum Backend {
    Native(Box<NativeCore>),
    Simulated(SimulatedCore),
}

impl<M> Io<M> {
    /// Both clocks, as they stood when the turn began.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Which core this is, counted from 0.
    #[must_use]
    pub fn core(&self) -> usize {
        self.core
    }

    /// How many cores there are.
    #[must_use]
    pub fn cores(&self) -> usize {
        self.cores
    }

    /// The next thing that became ready, or `None`: then the turn steps and sends.
    pub fn next_event(&mut self) -> Option<Event<M>> {
        self.events.pop_front()
    }

    /// Leaves mail for a shard; it goes out, with all other mail to that shard, when the turn ends.
    pub fn mail(&mut self, shard: usize, mail: M) {
        self.outboxes[shard].push(mail);
    }

    /// Asks for a turn at `deadline` even if nothing becomes ready. The earliest one counts, and it
    /// counts for the coming sleep only.
    pub fn wake_at(&mut self, deadline: Instant) {
        self.wake_at = self.wake_at.min(deadline);
    }

    /// Asks for another turn without sleeping: work is left over.
    pub fn turn_again(&mut self) {
        self.again = true;
    }

    /// 64 random bits: of the machine's randomness, or of the simulation's seed.
    pub fn random(&mut self) -> u64 {
        self.random.next()
    }

    /// A source of random numbers of this core.
    pub fn prng(&mut self) -> &mut Prng {
        &mut self.random
    }

    /// The file system.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Buffers to receive into.
    #[must_use]
    pub fn pool(&self) -> &Arc<BufferPool> {
        &self.pool
    }

    /// How many bytes went which way.
    #[must_use]
    pub fn counters(&self) -> IoCounters {
        self.counters
    }

    /// Receives what has arrived, at most a buffer full. Never waits.
    pub fn receive(&mut self, socket: SocketId, buffer: &mut [u8]) -> Received {
        let received = match &mut self.backend {
            Backend::Native(core) => core.receive(socket, buffer),
            Backend::Simulated(core) => core.receive(socket, buffer),
        };
        if let Received::Bytes(bytes) = received {
            self.counters.received_bytes += crate::base::convert::u64_from(bytes);
        }
        received
    }

    /// [`Event::Readable`] shall wait until so many bytes are there, or the peer has closed: the rest
    /// of a large frame is worth no turn before. The kernel announces less where its buffer is full.
    pub fn announce_from(&mut self, socket: SocketId, bytes: usize) {
        match &mut self.backend {
            Backend::Native(core) => core.announce_from(socket, bytes),
            Backend::Simulated(_) => {}
        }
    }

    /// Whether what comes next on a connection can wait for some ten milliseconds, so that it is
    /// announced together with what comes on others like it.
    pub fn can_wait(&mut self, socket: SocketId, can_wait: bool) {
        match &mut self.backend {
            Backend::Native(core) => {
                if let Err(error) = core.can_wait(socket, can_wait) {
                    tracing::debug!(
                        "a connection is announced at once, though it can wait: {error}"
                    );
                }
            }
            Backend::Simulated(_) => {}
        }
    }

    /// Whether the peer has closed its side of the connection. Then a receive that was not full says
    /// nothing about what follows: the end itself, which is not announced again.
    #[must_use]
    pub fn has_hung_up(&self, socket: SocketId) -> bool {
        match &self.backend {
            Backend::Native(core) => core.has_hung_up(socket),
            Backend::Simulated(_) => false,
        }
    }

    /// Sends from memory, as much as the socket takes now. `more` holds back a last, short packet
    /// because a file follows.
    pub fn send(&mut self, socket: SocketId, slices: &[IoSlice<'_>], more: bool) -> Sent {
        let sent = match &mut self.backend {
            Backend::Native(core) => core.send(socket, slices, more),
            Backend::Simulated(core) => core.send(socket, slices),
        };
        if let Sent::Bytes(bytes) = sent {
            self.counters.sent_memory_bytes += crate::base::convert::u64_from(bytes);
        }
        sent
    }

    /// Sends from a file without passing through user memory: from the page cache where the pages
    /// are resident, from the device through the ring where they are not. One file transfer of a
    /// socket must be finished before anything else is sent on it.
    pub fn send_file(&mut self, socket: SocketId, file: &Arc<File>, at: u64, bytes: usize) -> Sent {
        match &mut self.backend {
            Backend::Native(core) => core.send_file(
                socket,
                file,
                at,
                bytes,
                self.now.instant,
                &mut self.counters,
            ),
            Backend::Simulated(core) => {
                let sent = core.send_file(socket, file, at, bytes);
                if let Sent::Bytes(bytes) = sent {
                    self.counters.sent_file_bytes += crate::base::convert::u64_from(bytes);
                }
                sent
            }
        }
    }

    /// Closes a connection. Events of it that were under way are not delivered.
    pub fn close(&mut self, socket: SocketId) {
        let was_open = match &mut self.backend {
            Backend::Native(core) => core.close(socket),
            Backend::Simulated(core) => core.close(socket),
        };
        if was_open {
            self.connections.remove(self.core);
        }
        self.forget(socket);
    }

    /// Whether another core may be given one more connection of this one: not where that would make
    /// it serve many more than this one does.
    #[must_use]
    pub fn may_hand_over(&self, core: usize) -> bool {
        let here = self.connections.of(self.core);
        self.connections.of(core) < here + (here / 8).max(HAND_OVER_SLACK)
    }

    /// Gives a connection to another core, where it arrives as [`Event::Accepted`] once this turn is
    /// over, after all mail of this core that was sent before. Here it is gone at once, as if it were
    /// closed.
    pub fn hand_over(&mut self, socket: SocketId, core: usize, listener: usize, peer: SocketAddr) {
        let was_open = match &mut self.backend {
            Backend::Native(native) => native.hand_over(socket, core, listener, peer),
            Backend::Simulated(simulated) => simulated.hand_over(socket, core, listener, peer),
        };
        if was_open {
            self.connections.remove(self.core);
            self.connections.add(core);
            self.counters.handed_over += 1;
        }
        self.forget(socket);
    }

    /// Drops what was announced of a socket that is gone.
    fn forget(&mut self, socket: SocketId) {
        self.events.retain(|event| match event {
            Event::Readable(other) | Event::Writable(other) => *other != socket,
            Event::Accepted { .. }
            | Event::Mail(_)
            | Event::Synced { .. }
            | Event::Warmed { .. }
            | Event::Written { .. }
            | Event::Replaced { .. }
            | Event::Stop => true,
        });
    }

    /// Makes what was written to `file` before this turn's end durable; [`Event::Synced`] says when.
    pub fn sync(&mut self, file: &Arc<File>, token: u64) {
        match &mut self.backend {
            Backend::Native(core) => core.sync(file, token),
            Backend::Simulated(core) => core.sync(file, token),
        }
    }

    /// Whether a write into a file might have to wait now: because too much of the machine's memory is
    /// dirty, or because an append has just waited. Then [`Io::write`] keeps it out of the turn.
    #[must_use]
    pub fn writes_wait(&self) -> bool {
        match &self.backend {
            Backend::Native(core) => core.pressure.is_high(),
            Backend::Simulated(_) => self.disk.are_writes_slow(),
        }
    }

    /// Writes these parts, one after the other, away from the turn; [`Event::Written`] says when. Where
    /// it fails, some of it may have been written. `reserve` asks the file system to find blocks for a
    /// part of the file before, from a byte on and for so many: see [`File::reserve`].
    pub fn write(
        &mut self,
        file: Arc<File>,
        position: u64,
        parts: Vec<Bytes>,
        reserve: Option<(u64, u64)>,
        token: u64,
    ) {
        match &mut self.backend {
            Backend::Native(core) => core.write(file, position, parts, reserve, token),
            Backend::Simulated(core) => core.write(file, position, parts, token),
        }
    }

    /// Cuts a file that is not written any more, away from the turn: what was reserved beyond its end
    /// is given back.
    pub fn trim(&mut self, file: Arc<File>, bytes: u64) {
        match &mut self.backend {
            Backend::Native(core) => core.trim(file, bytes),
            // Nothing was reserved.
            Backend::Simulated(_) => {}
        }
    }

    /// Replaces a small file by one that is durable, away from the turn, as
    /// [`Disk::write_atomically`] does in it. Whoever gives a token hears of it by
    /// [`Event::Replaced`].
    pub fn replace_file(&mut self, path: &std::path::Path, content: Vec<u8>, token: Option<u64>) {
        let started = match &mut self.backend {
            Backend::Native(core) => core.replace_file(path, content, token),
            Backend::Simulated(core) => {
                core.replace_file(&self.disk, path, content, token);
                Ok(())
            }
        };
        if let (Err(error), Some(token)) = (started, token) {
            let result = Err(error);
            self.events.push_back(Event::Replaced { token, result });
            self.again = true;
        }
    }

    /// Nothing below a directory is to be replaced any more: it is about to be deleted.
    pub fn abandon_replacements(&mut self, directory: &std::path::Path) {
        match &mut self.backend {
            Backend::Native(core) => {
                let replaced = core.abandon_replacements(directory);
                self.note_replaced(replaced);
            }
            Backend::Simulated(core) => core.abandon_replacements(directory),
        }
    }

    /// Waits until all that was given to [`Io::replace_file`] is over. For a clean stop only.
    pub fn finish_replacements(&mut self) {
        let replaced = match &mut self.backend {
            Backend::Native(core) => core.finish_replacements(),
            Backend::Simulated(core) => core.finish_replacements(),
        };
        self.note_replaced(replaced);
    }

    fn note_replaced(&mut self, replaced: Vec<(u64, io::Result<()>)>) {
        let events = replaced
            .into_iter()
            .map(|(token, result)| Event::Replaced { token, result });
        self.events.extend(events);
    }

    /// Counts what a turn appended to files.
    pub fn note_written(&mut self, bytes: u64) {
        self.counters.written_bytes += bytes;
    }

    /// Counts what was appended away from the turns.
    pub fn note_written_away(&mut self, bytes: u64) {
        self.counters.written_bytes += bytes;
        self.counters.written_away_bytes += bytes;
    }

    /// Makes the names in a directory durable; [`Event::Synced`] says when.
    pub fn sync_directory(&mut self, path: &std::path::Path, token: u64) {
        let started = match &mut self.backend {
            Backend::Native(core) => core.sync_directory(path, token),
            Backend::Simulated(core) => {
                core.sync_directory(&self.disk, path, token);
                Ok(())
            }
        };
        if let Err(error) = started {
            let result = Err(error);
            self.events.push_back(Event::Synced { token, result });
            self.again = true;
        }
    }

    /// Brings pages of a file into memory; [`Event::Warmed`] says when.
    pub fn warm(&mut self, file: &Arc<File>, at: u64, bytes: usize, token: u64) {
        match &mut self.backend {
            Backend::Native(core) => core.warm(file, at, bytes, token, self.now.instant),
            Backend::Simulated(core) => core.warm(file, token),
        }
    }

    /// Ends the process at once, as a kill does: it cannot go on, and says why on the log first.
    pub fn end_process(&self, why: &str) -> ! {
        tracing::error!("{why}");
        match &self.backend {
            Backend::Native(_) => std::process::exit(1),
            Backend::Simulated(_) => {
                let ended = super::simulated::drive::ProcessEnded(why.to_owned());
                std::panic::resume_unwind(Box::new(ended))
            }
        }
    }

    /// Removes a file, away from the turn: a large one takes milliseconds. One that is not there is
    /// fine.
    pub fn remove_file(&mut self, path: &std::path::Path) {
        match &mut self.backend {
            Backend::Native(core) => core.remove_file(path),
            Backend::Simulated(_) => {
                if let Err(error) = self.disk.remove_file(path) {
                    tracing::warn!("{} could not be removed: {error}", path.display());
                }
            }
        }
    }

    /// Removes a directory with all below it, away from the turn; what is left after a crash is
    /// removed at the next start.
    pub fn remove_directory(&mut self, path: &std::path::Path) {
        match &mut self.backend {
            Backend::Native(core) => core.remove_directory(path),
            Backend::Simulated(_) => {
                if let Err(error) = self.disk.remove_directory(path) {
                    tracing::warn!("{} could not be removed: {error}", path.display());
                }
            }
        }
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socket {}.{}", self.index, self.generation)
    }
}
