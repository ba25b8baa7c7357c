//! One core's sockets and operations, on its ring.
//!
//! A buffer or file that the kernel was given stays in its [`Operation`] until the completion
//! arrives, whatever becomes of the connection meanwhile.

use super::away::{Away, Ended};
use super::gather::Gathering;
use super::pressure::Pressure;
use super::replace::{Progress, Replacement};
use super::ring::{Completion, GENERATION_MASK, Kind, Ring, user_data};
use super::sys;
use crate::base::convert::u64_from;
use crate::base::limits::SEND_FILE_BYTES_MAX;
use crate::base::time::Instant;
use crate::runtime::disk::{File, Resident};
use crate::runtime::io::{IoCounters, Received, Sent, SocketId};
use io_uring::{opcode, types};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes a pipe between a cold file and a socket holds.
const PIPE_BYTES: usize = 256 << 10;
/// One byte of so many is probed before a slice is sent as resident.
const PROBED_BYTES: usize = 64 << 10;
/// What a poll says of a peer that sends no more.
const HANG_UP: i32 = 0x2000 | 0x10 | 0x8; // POLLRDHUP, POLLHUP, POLLERR
/// Pipes kept for the next cold read.
const IDLE_PIPES_MAX: usize = 8;

/// The native side of an `Io`.
pub struct NativeCore {
    ring: Ring,
    slots: Vec<Slot>,
    free_slots: Vec<u32>,
    operations: Vec<Option<Operation>>,
    free_operations: Vec<u32>,
    idle_pipes: Vec<Pipe>,
    pub(super) removals: VecDeque<Removal>,
    pub(super) removing: bool,
    pub(super) replacements: VecDeque<Replacement>,
    /// Which file is being replaced.
    pub(super) replacing: Option<PathBuf>,
    /// Whether writes might have to wait.
    pub pressure: Pressure,
    departures: Vec<Departure>,
    /// Made when the first socket can wait.
    gathering: Option<Gathering>,
}

/// A connection that leaves for another core.
pub struct Departure {
    /// Which core.
    pub core: usize,
    /// The socket.
    pub descriptor: OwnedFd,
    /// As the connection's new core will be told.
    pub listener: usize,
    /// As the connection's new core will be told.
    pub peer: SocketAddr,
}

/// A place in the socket table.
#[derive(Default)]
struct Slot {
    generation: u32,
    socket: Option<OwnedFd>,
    polls_for_room: bool,
    /// It is with the sockets that can wait, and has no poll in the ring.
    can_wait: bool,
    /// How many bytes must have arrived before the socket counts as readable, where more than one.
    announced_from: Option<i32>,
    /// The peer has closed its side: no further edge will announce the end of the stream.
    hung_up: bool,
    cold: Option<Cold>,
}

/// A cold part of a file on its way to a socket: from the device into a pipe by the ring's workers,
/// from the pipe to the socket by this core.
enum Cold {
    /// The splice from the file is under way.
    Filling,
    /// So many bytes lie in the pipe.
    Filled { pipe: Pipe, bytes: usize },
    /// The file could not be read.
    Failed,
}

pub(super) struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
    bytes: usize,
}

/// Something to be removed.
pub(super) enum Removal {
    File(PathBuf),
    /// With all below it.
    Directory(PathBuf),
}

/// Something that the kernel works on, with all that it may touch.
pub(super) enum Operation {
    Sync {
        _file: Arc<File>,
        token: u64,
    },
    SyncDirectory {
        _directory: std::fs::File,
        token: u64,
    },
    Warm {
        _file: Arc<File>,
        _buffer: Vec<u8>,
        token: u64,
    },
    Splice {
        _file: Arc<File>,
        pipe: Pipe,
        socket: SocketId,
    },
    Write(Away),
    Trim {
        file: Arc<File>,
        bytes: u64,
    },
    Replace(Box<Replacement>),
    Unlink {
        path: std::ffi::CString,
        then: Option<PathBuf>,
    },
}

/// What a completion means to the shard.
pub enum Outcome {
    /// There is something to receive.
    Readable(SocketId),
    /// A send may go on.
    Writable(SocketId),
    /// A client connected to a listener.
    Accepted {
        descriptor: OwnedFd,
        listener: usize,
        more: bool,
    },
    /// The process has no descriptor left, most likely: the listener must be armed again later.
    AcceptFailed { listener: usize },
    /// Mail arrived.
    Mail { more: bool },
    /// A signal asked for the end.
    Signal,
    /// A signal asked how long turns took.
    Tell,
    /// A sync ended.
    Synced { token: u64, result: io::Result<()> },
    /// A write ended.
    Written { token: u64, result: io::Result<()> },
    /// A file has its new content, or keeps the old one.
    Replaced { token: u64, result: io::Result<()> },
    /// Pages are there.
    Warmed { token: u64, result: io::Result<()> },
    /// Nothing that the shard should hear of.
    Nothing,
}

impl NativeCore {
    /// A core without sockets.
    pub fn new() -> io::Result<NativeCore> {
        Ok(NativeCore {
            ring: Ring::new()?,
            slots: Vec::new(),
            free_slots: Vec::new(),
            operations: Vec::new(),
            free_operations: Vec::new(),
            idle_pipes: Vec::new(),
            removals: VecDeque::new(),
            removing: false,
            replacements: VecDeque::new(),
            replacing: None,
            pressure: Pressure::new(),
            departures: Vec::new(),
            gathering: None,
        })
    }

    /// The ring, to sleep in.
    pub fn ring(&mut self) -> &mut Ring {
        &mut self.ring
    }

    /// Watches for mail.
    pub fn poll_mail(&mut self, descriptor: RawFd) {
        self.poll_descriptor(descriptor, Kind::Mail);
    }

    /// Watches for signals.
    pub fn poll_signal(&mut self, descriptor: RawFd) {
        self.poll_descriptor(descriptor, Kind::Signal);
    }

    /// Watches for a signal that asks how long turns took.
    pub fn poll_tell(&mut self, descriptor: RawFd) {
        self.poll_descriptor(descriptor, Kind::Tell);
    }

    fn poll_descriptor(&mut self, descriptor: RawFd, kind: Kind) {
        let entry = opcode::PollAdd::new(types::Fd(descriptor), poll_mask(libc::POLLIN))
            .multi(true)
            .build()
            .user_data(user_data(kind, 0, 0));
        self.ring.push(&entry);
    }

    /// Accepts from a listener until it fails or ends.
    pub fn accept(&mut self, descriptor: RawFd, listener: usize) {
        let index = u32::try_from(listener).expect("a handful of listeners");
        let entry = opcode::AcceptMulti::new(types::Fd(descriptor))
            .flags(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK)
            .build()
            .user_data(user_data(Kind::Accept, 0, index));
        self.ring.push(&entry);
    }

    /// Takes a connection into the table and watches it.
    pub fn adopt(&mut self, socket: OwnedFd) -> SocketId {
        let index = self.free_slots.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).expect("descriptors are 31 bits")
        });
        let slot = &mut self.slots[place(index)];
        let id = SocketId {
            index,
            generation: slot.generation,
        };
        slot.socket = Some(socket);
        self.poll_for_bytes(id);
        id
    }

    fn poll_for_bytes(&mut self, socket: SocketId) {
        let Some(slot) = self.slot(socket) else {
            return;
        };
        let descriptor = slot.socket.as_ref().expect("slot() returns open ones only");
        let mask = poll_mask(libc::POLLIN | libc::POLLRDHUP);
        let entry = opcode::PollAdd::new(types::Fd(descriptor.as_raw_fd()), mask)
            .multi(true)
            .build()
            .user_data(user_data(Kind::Readable, socket.generation, socket.index));
        self.ring.push(&entry);
    }

    /// See `Io::can_wait`.
    pub fn can_wait(&mut self, socket: SocketId, can_wait: bool) -> io::Result<()> {
        if self
            .slot(socket)
            .is_none_or(|slot| slot.can_wait == can_wait)
        {
            return Ok(());
        }
        if self.gathering.is_none() {
            let gathering = Gathering::new()?;
            self.poll_gathering(gathering.descriptor());
            self.gathering = Some(gathering);
        }
        let gathering = self.gathering.as_ref().expect("it was just made");
        let slot = &mut self.slots[place(socket.index)];
        let descriptor = slot.socket.as_ref().expect("slot() returns open ones only");
        if can_wait {
            gathering.add(descriptor, socket)?;
            self.cancel(Kind::Readable, socket);
        } else {
            gathering.remove(descriptor);
            self.poll_for_bytes(socket);
        }
        self.slots[place(socket.index)].can_wait = can_wait;
        Ok(())
    }

    fn poll_gathering(&mut self, descriptor: RawFd) {
        let entry = opcode::PollAdd::new(types::Fd(descriptor), poll_mask(libc::POLLIN))
            .build()
            .user_data(user_data(Kind::Gathered, 0, 0));
        self.ring.push(&entry);
    }

    /// When the sockets that can wait must be looked at.
    pub fn gathered_at(&self) -> Instant {
        let gathering = self.gathering.as_ref();
        gathering.map_or(Instant::NEVER, Gathering::deadline)
    }

    /// Gives those of the sockets that can wait which have become readable, where it is time to look.
    pub fn gathered(&mut self, now: Instant, mut found: impl FnMut(SocketId)) {
        let Some(gathering) = &mut self.gathering else {
            return;
        };
        let slots = &mut self.slots;
        let is_armed = gathering.look(now, |socket, flags| {
            let slot = slots.get_mut(place(socket.index));
            if let Some(slot) = slot.filter(|slot| slot.generation == socket.generation) {
                slot.hung_up |= flags & HANG_UP.unsigned_abs() != 0;
                found(socket);
            }
        });
        if is_armed {
            let descriptor = gathering.descriptor();
            self.poll_gathering(descriptor);
        }
    }

    fn cancel(&mut self, kind: Kind, socket: SocketId) {
        let target = user_data(kind, socket.generation, socket.index);
        let entry = opcode::AsyncCancel::new(target).build();
        self.ring
            .push(&entry.user_data(user_data(Kind::Cancel, 0, 0)));
    }

    fn slot(&mut self, socket: SocketId) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(place(socket.index))?;
        (slot.generation == socket.generation && slot.socket.is_some()).then_some(slot)
    }

    /// See `Io::receive`.
    pub fn receive(&mut self, socket: SocketId, buffer: &mut [u8]) -> Received {
        match self.slot(socket).and_then(|slot| slot.socket.as_ref()) {
            Some(descriptor) => sys::receive(descriptor, buffer),
            None => Received::Closed,
        }
    }

    /// See `Io::announce_from`.
    pub fn announce_from(&mut self, socket: SocketId, bytes: usize) {
        let wanted = i32::try_from(bytes).ok().filter(|bytes| *bytes > 1);
        if let Some(slot) = self.slot(socket)
            && slot.announced_from != wanted
        {
            slot.announced_from = wanted;
            let descriptor = slot.socket.as_ref().expect("slot() returns open ones only");
            sys::announce_from(descriptor, wanted.unwrap_or(1));
        }
    }

    /// See `Io::has_hung_up`.
    pub fn has_hung_up(&self, socket: SocketId) -> bool {
        let slot = self.slots.get(place(socket.index));
        slot.is_some_and(|slot| slot.generation == socket.generation && slot.hung_up)
    }

    /// See `Io::send`.
    pub fn send(&mut self, socket: SocketId, slices: &[IoSlice<'_>], more: bool) -> Sent {
        let Some(slot) = self.slot(socket) else {
            return Sent::Broken;
        };
        let descriptor = slot.socket.as_ref().expect("slot() returns open ones only");
        let sent = sys::send(descriptor, slices, more);
        if sent == Sent::Blocked {
            self.poll_for_room(socket);
        }
        sent
    }

    /// See `Io::send_file`.
    pub fn send_file(
        &mut self,
        socket: SocketId,
        file: &Arc<File>,
        at: u64,
        bytes: usize,
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
                if !is_resident(file, at, bytes) {
                    return self.fill_from(socket, file, at, bytes);
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
    fn fill_from(&mut self, socket: SocketId, file: &Arc<File>, at: u64, bytes: usize) -> Sent {
        let pipe = match self.idle_pipes.pop().map_or_else(Pipe::new, Ok) {
            Ok(pipe) => pipe,
            Err(error) => {
                tracing::warn!("no pipe for a cold read: {error}");
                return Sent::Broken;
            }
        };
        let source = file
            .descriptor()
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

    fn poll_for_room(&mut self, socket: SocketId) {
        let Some(slot) = self.slot(socket) else {
            return;
        };
        if slot.polls_for_room {
            return;
        }
        slot.polls_for_room = true;
        let descriptor = slot
            .socket
            .as_ref()
            .expect("slot() returns open ones only")
            .as_raw_fd();
        let entry = opcode::PollAdd::new(types::Fd(descriptor), poll_mask(libc::POLLOUT))
            .build()
            .user_data(user_data(Kind::Writable, socket.generation, socket.index));
        self.ring.push(&entry);
    }

    /// See `Io::close`. False where it was not open.
    pub fn close(&mut self, socket: SocketId) -> bool {
        let descriptor = self.release(socket);
        if let Some(descriptor) = &descriptor {
            // A poll holds the socket open until its cancellation is through.
            sys::shut_down(descriptor);
        }
        descriptor.is_some()
    }

    /// See `Io::hand_over`. False where it was not open.
    pub fn hand_over(
        &mut self,
        socket: SocketId,
        core: usize,
        listener: usize,
        peer: SocketAddr,
    ) -> bool {
        self.announce_from(socket, 1);
        let Some(descriptor) = self.release(socket) else {
            return false;
        };
        self.departures.push(Departure {
            core,
            descriptor,
            listener,
            peer,
        });
        true
    }

    /// Takes a socket out of the table and ends its polls.
    fn release(&mut self, socket: SocketId) -> Option<OwnedFd> {
        let slot = self.slot(socket)?;
        let descriptor = slot.socket.take();
        let polls_for_room = std::mem::take(&mut slot.polls_for_room);
        let cold = slot.cold.take();
        let can_wait = std::mem::take(&mut slot.can_wait);
        slot.hung_up = false;
        slot.announced_from = None;
        slot.generation = slot.generation.wrapping_add(1) & GENERATION_MASK;
        match (&self.gathering, &descriptor) {
            (Some(gathering), Some(descriptor)) if can_wait => gathering.remove(descriptor),
            _ => self.cancel(Kind::Readable, socket),
        }
        if polls_for_room {
            self.cancel(Kind::Writable, socket);
        }
        // A pipe that still holds bytes is dropped with them; one being filled belongs to its operation.
        drop(cold);
        self.free_slots.push(socket.index);
        descriptor
    }

    /// The connections that leave for other cores.
    pub fn departures(&mut self) -> &mut Vec<Departure> {
        &mut self.departures
    }

    pub(super) fn start(&mut self, operation: Operation, entry: io_uring::squeue::Entry) {
        let index = self.free_operations.pop().unwrap_or_else(|| {
            self.operations.push(None);
            u32::try_from(self.operations.len() - 1).expect("bounded by what is in flight")
        });
        self.operations[place(index)] = Some(operation);
        self.ring
            .push(&entry.user_data(user_data(Kind::Operation, 0, index)));
    }

    /// Whether the kernel still works on something that must not be abandoned.
    pub fn has_operations(&self) -> bool {
        self.free_operations.len() < self.operations.len()
    }

    /// Whether a completion is of a file that is being replaced.
    pub(super) fn is_of_replacement(&self, completion: &Completion) -> bool {
        let operation = self.operations.get(place(completion.index));
        completion.kind == Kind::Operation && matches!(operation, Some(Some(Operation::Replace(_))))
    }

    /// Takes note of a completion.
    pub fn complete(&mut self, completion: Completion) -> Outcome {
        let Completion {
            kind,
            generation,
            index,
            result,
            more,
        } = completion;
        let socket = SocketId { index, generation };
        match kind {
            // The socket can wait from now on, or it is gone.
            Kind::Readable if result == -libc::ECANCELED => Outcome::Nothing,
            Kind::Readable => {
                let Some(slot) = self.slot(socket) else {
                    return Outcome::Nothing;
                };
                slot.hung_up |= result < 0 || result & HANG_UP != 0;
                if !more && !slot.can_wait {
                    // The kernel ended the multishot poll (its queue overflowed): arm it again.
                    self.poll_for_bytes(socket);
                }
                Outcome::Readable(socket)
            }
            Kind::Writable => match self.slot(socket) {
                Some(slot) => {
                    slot.polls_for_room = false;
                    Outcome::Writable(socket)
                }
                None => Outcome::Nothing,
            },
            Kind::Accept => {
                let listener = place(index);
                if result < 0 {
                    return Outcome::AcceptFailed { listener };
                }
                Outcome::Accepted {
                    descriptor: sys::adopt(result),
                    listener,
                    more,
                }
            }
            Kind::Mail => Outcome::Mail { more },
            Kind::Signal => Outcome::Signal,
            Kind::Tell => Outcome::Tell,
            Kind::Gathered => {
                if let Some(gathering) = &mut self.gathering {
                    gathering.on_readable();
                }
                Outcome::Nothing
            }
            Kind::Timer | Kind::Cancel => Outcome::Nothing,
            Kind::Operation => self.finish(index, result),
        }
    }

    fn finish(&mut self, index: u32, result: i32) -> Outcome {
        let operation = self.operations[place(index)]
            .take()
            .expect("an operation completes once");
        self.free_operations.push(index);
        let outcome = if result < 0 {
            Err(io::Error::from_raw_os_error(-result))
        } else {
            Ok(())
        };
        match operation {
            Operation::Sync { token, .. } | Operation::SyncDirectory { token, .. } => {
                Outcome::Synced {
                    token,
                    result: outcome,
                }
            }
            Operation::Warm { token, .. } => Outcome::Warmed {
                token,
                result: outcome,
            },
            Operation::Splice { pipe, socket, .. } => {
                let Some(slot) = self.slot(socket) else {
                    return Outcome::Nothing;
                };
                slot.cold = Some(match usize::try_from(result) {
                    Ok(bytes) if bytes > 0 => Cold::Filled { pipe, bytes },
                    Ok(_) | Err(_) => Cold::Failed,
                });
                Outcome::Writable(socket)
            }
            Operation::Write(mut away) => match away.end(result) {
                Ended::More => {
                    let entry = away.entry();
                    self.start(Operation::Write(away), entry);
                    Outcome::Nothing
                }
                Ended::Done(result) => Outcome::Written {
                    token: away.token,
                    result,
                },
            },
            Operation::Trim { file, bytes } => {
                if result == -libc::EINVAL {
                    // A kernel before 6.9: it is done here and now.
                    let _ = file.set_len(bytes);
                }
                Outcome::Nothing // what could not be given back is given back at the clean stop
            }
            Operation::Replace(mut replacement) => match replacement.end(result) {
                Progress::More => {
                    let entry = replacement.entry();
                    self.start(Operation::Replace(replacement), entry);
                    Outcome::Nothing
                }
                Progress::Done(result) => self.on_replaced(&replacement, result),
            },
            Operation::Unlink { path, then } => {
                self.removing = false;
                match (outcome, then) {
                    (Ok(()), Some(directory)) => {
                        self.removals.push_front(Removal::Directory(directory));
                    }
                    (Ok(()), None) => {}
                    // Its directory was removed meanwhile, with all that was in it.
                    (Err(error), None) if error.kind() == io::ErrorKind::NotFound => {}
                    (Err(error), _) => {
                        tracing::warn!("{} was not removed: {error}", path.to_string_lossy());
                    }
                }
                self.remove_next();
                Outcome::Nothing
            }
        }
    }
}

impl Pipe {
    fn new() -> io::Result<Pipe> {
        let (read, write, bytes) = sys::pipe(PIPE_BYTES)?;
        Ok(Pipe { read, write, bytes })
    }
}

/// Probes one byte of each 64 KiB: read-ahead brings neighbours in together. `cachestat` would
/// count pages that are still on their way.
fn is_resident(file: &File, at: u64, bytes: usize) -> bool {
    let mut byte = [0];
    let last = at + u64_from(bytes.saturating_sub(1));
    let mut probed = (at..last).step_by(PROBED_BYTES).chain([last]);
    probed.all(|position| {
        matches!(
            file.read_resident(position, &mut byte),
            Ok(Resident::Read(_))
        )
    })
}

fn poll_mask(events: libc::c_short) -> u32 {
    u32::try_from(events).expect("poll's flags are small and positive")
}

fn place(index: u32) -> usize {
    crate::base::convert::usize_from_u32(index)
}
