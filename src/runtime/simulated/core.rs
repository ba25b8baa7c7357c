//! One simulated core's sockets and operations: what `NativeCore` is to a ring, on a [`Network`].

use super::network::{Network, PeerEnd};
use crate::runtime::disk::{Disk, File};
use crate::runtime::io::{Received, Sent, SocketId};
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// The simulated side of an `Io`.
pub struct SimulatedCore {
    network: Rc<RefCell<Network>>,
    slots: Vec<Slot>,
    pub(super) pending: Vec<Pending>,
    pub(super) departures: Vec<Departure>,
}

/// A connection that leaves for another core.
pub(super) struct Departure {
    pub(super) core: usize,
    pub(super) end: PeerEnd,
    pub(super) listener: usize,
    pub(super) peer: SocketAddr,
}

#[derive(Default)]
struct Slot {
    generation: u32,
    end: Option<PeerEnd>,
}

/// An operation that the simulated device has not finished.
pub(super) enum Pending {
    Sync {
        file: Arc<File>,
        token: u64,
    },
    SyncDirectory {
        disk: Disk,
        path: PathBuf,
        token: u64,
    },
    Warm {
        token: u64,
    },
}

impl SimulatedCore {
    pub(super) fn new(network: &Rc<RefCell<Network>>) -> SimulatedCore {
        SimulatedCore {
            network: Rc::clone(network),
            slots: Vec::new(),
            pending: Vec::new(),
            departures: Vec::new(),
        }
    }

    pub(super) fn adopt(&mut self, end: PeerEnd) -> SocketId {
        let free = self.slots.iter().position(|slot| slot.end.is_none());
        let index = free.unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        self.slots[index].end = Some(end);
        let index = u32::try_from(index).expect("a simulation has few sockets");
        SocketId {
            index,
            generation: self.slots[place(index)].generation,
        }
    }

    fn end(&self, socket: SocketId) -> Option<PeerEnd> {
        let slot = self.slots.get(place(socket.index))?;
        if slot.generation == socket.generation {
            slot.end
        } else {
            None
        }
    }

    /// The socket that stands for `end` on this core.
    pub(super) fn socket_of(&self, end: PeerEnd) -> Option<SocketId> {
        let index = self.slots.iter().position(|slot| slot.end == Some(end))?;
        let generation = self.slots[index].generation;
        Some(SocketId {
            index: u32::try_from(index).expect("few sockets"),
            generation,
        })
    }

    pub(in crate::runtime) fn receive(&mut self, socket: SocketId, buffer: &mut [u8]) -> Received {
        match self.end(socket) {
            Some(end) => self.network.borrow_mut().receive(end, buffer),
            None => Received::Closed,
        }
    }

    pub(in crate::runtime) fn send(&mut self, socket: SocketId, slices: &[IoSlice<'_>]) -> Sent {
        let Some(end) = self.end(socket) else {
            return Sent::Broken;
        };
        let bytes: Vec<u8> = slices
            .iter()
            .flat_map(|slice| slice.iter().copied())
            .collect();
        self.network.borrow_mut().send(end, &bytes)
    }

    pub(in crate::runtime) fn send_file(
        &mut self,
        socket: SocketId,
        file: &Arc<File>,
        at: u64,
        bytes: usize,
    ) -> Sent {
        let Some(end) = self.end(socket) else {
            return Sent::Broken;
        };
        let mut content = vec![0; bytes];
        match file.read_at(at, &mut content) {
            Ok(read) if read > 0 => self.network.borrow_mut().send(end, &content[..read]),
            Ok(_) | Err(_) => Sent::Broken,
        }
    }

    pub(in crate::runtime) fn close(&mut self, socket: SocketId) -> bool {
        let end = self.release(socket);
        if let Some(end) = end {
            self.network.borrow_mut().close(end);
        }
        end.is_some()
    }

    pub(in crate::runtime) fn hand_over(
        &mut self,
        socket: SocketId,
        core: usize,
        listener: usize,
        peer: SocketAddr,
    ) -> bool {
        let Some(end) = self.release(socket) else {
            return false;
        };
        self.departures.push(Departure {
            core,
            end,
            listener,
            peer,
        });
        true
    }

    fn release(&mut self, socket: SocketId) -> Option<PeerEnd> {
        let end = self.end(socket)?;
        let slot = &mut self.slots[place(socket.index)];
        slot.end = None;
        slot.generation += 1;
        Some(end)
    }

    pub(in crate::runtime) fn sync(&mut self, file: &Arc<File>, token: u64) {
        self.pending.push(Pending::Sync {
            file: Arc::clone(file),
            token,
        });
    }

    pub(in crate::runtime) fn sync_directory(&mut self, disk: &Disk, path: &Path, token: u64) {
        self.pending.push(Pending::SyncDirectory {
            disk: disk.clone(),
            path: path.to_owned(),
            token,
        });
    }

    pub(in crate::runtime) fn warm(&mut self, _file: &Arc<File>, token: u64) {
        self.pending.push(Pending::Warm { token });
    }
}

impl Pending {
    /// Does the work; gives the token and the result of a sync, or of a warming.
    pub(super) fn finish(self) -> (u64, io::Result<()>, bool) {
        match self {
            Pending::Sync { file, token } => (token, file.sync_data(), true),
            Pending::SyncDirectory { disk, path, token } => {
                let result = disk.sync_directory(&path);
                // A descriptor does not mind that the directory was renamed meanwhile.
                let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
                let is_moved = result.as_ref().is_err_and(is_gone);
                (token, if is_moved { Ok(()) } else { result }, true)
            }
            Pending::Warm { token } => (token, Ok(()), false),
        }
    }
}

fn place(index: u32) -> usize {
    crate::base::convert::usize_from_u32(index)
}
