//! The sockets of a core: each has a place in a table, and a poll in the ring that says when there is
//! something to receive, or one more while it has no room for what is to be sent.

use super::cold::Cold;
use super::core::{NativeCore, Outcome, place, poll_mask};
use super::gather::Gathering;
use super::ring::{GENERATION_MASK, Kind, user_data};
use super::sys;
use crate::base::time::Instant;
use crate::runtime::io::{Received, Sent, SocketId};
use io_uring::{opcode, types};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// What a poll says of a peer that sends no more.
const HANG_UP: i32 = 0x2000 | 0x10 | 0x8; // POLLRDHUP, POLLHUP, POLLERR

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
pub struct Slot {
    generation: u32,
    pub(super) socket: Option<OwnedFd>,
    polls_for_room: bool,
    /// It is with the sockets that can wait, and has no poll in the ring.
    can_wait: bool,
    /// How many bytes must have arrived before the socket counts as readable, where more than one.
    announced_from: Option<i32>,
    /// The peer has closed its side: no further edge will announce the end of the stream.
    hung_up: bool,
    pub(super) cold: Option<Cold>,
}

/// The sockets of a core, by the index that their completions carry.
#[derive(Default)]
pub struct Sockets {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Made when the first socket can wait.
    gathering: Option<Gathering>,
    departures: Vec<Departure>,
}

impl NativeCore {
    /// Takes a connection into the table and watches it.
    pub fn adopt(&mut self, socket: OwnedFd) -> SocketId {
        let index = self.sockets.free.pop().unwrap_or_else(|| {
            self.sockets.slots.push(Slot::default());
            u32::try_from(self.sockets.slots.len() - 1).expect("descriptors are 31 bits")
        });
        let slot = &mut self.sockets.slots[place(index)];
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
        if self.sockets.gathering.is_none() {
            let gathering = Gathering::new()?;
            self.poll_gathering(gathering.descriptor());
            self.sockets.gathering = Some(gathering);
        }
        let gathering = self.sockets.gathering.as_ref().expect("it was just made");
        let slot = &mut self.sockets.slots[place(socket.index)];
        let descriptor = slot.socket.as_ref().expect("slot() returns open ones only");
        if can_wait {
            gathering.add(descriptor, socket)?;
            self.cancel(Kind::Readable, socket);
        } else {
            gathering.remove(descriptor);
            self.poll_for_bytes(socket);
        }
        self.sockets.slots[place(socket.index)].can_wait = can_wait;
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
        let gathering = self.sockets.gathering.as_ref();
        gathering.map_or(Instant::NEVER, Gathering::deadline)
    }

    /// Gives those of the sockets that can wait which have become readable, where it is time to look.
    pub fn gathered(&mut self, now: Instant, mut found: impl FnMut(SocketId)) {
        let Some(gathering) = &mut self.sockets.gathering else {
            return;
        };
        let slots = &mut self.sockets.slots;
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

    pub(super) fn slot(&mut self, socket: SocketId) -> Option<&mut Slot> {
        let slot = self.sockets.slots.get_mut(place(socket.index))?;
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
        let slot = self.sockets.slots.get(place(socket.index));
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

    pub(super) fn poll_for_room(&mut self, socket: SocketId) {
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
        self.sockets.departures.push(Departure {
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
        match (&self.sockets.gathering, &descriptor) {
            (Some(gathering), Some(descriptor)) if can_wait => gathering.remove(descriptor),
            _ => self.cancel(Kind::Readable, socket),
        }
        if polls_for_room {
            self.cancel(Kind::Writable, socket);
        }
        // A pipe that still holds bytes is dropped with them; one being filled belongs to its operation.
        drop(cold);
        self.sockets.free.push(socket.index);
        descriptor
    }

    /// The connections that leave for other cores.
    pub fn departures(&mut self) -> &mut Vec<Departure> {
        &mut self.sockets.departures
    }

    /// A poll for bytes has said something, or has ended.
    pub(super) fn on_readable(&mut self, socket: SocketId, result: i32, more: bool) -> Outcome {
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

    /// A poll for room has ended.
    pub(super) fn on_writable(&mut self, socket: SocketId) -> Outcome {
        let Some(slot) = self.slot(socket) else {
            return Outcome::Nothing;
        };
        slot.polls_for_room = false;
        Outcome::Writable(socket)
    }

    /// The ring's watch of the sockets that can wait has ended.
    pub(super) fn on_gathered(&mut self) {
        if let Some(gathering) = &mut self.sockets.gathering {
            gathering.on_readable();
        }
    }
}
