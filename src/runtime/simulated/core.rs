//! One simulated core's sockets and operations: what `NativeCore` is to a ring, on a [`Network`].

use super::network::{Network, PeerEnd};
use crate::base::prng::Prng;
use crate::runtime::disk::{Disk, File};
use crate::runtime::io::{Event, Received, Sent, SocketId};
use bytes::Bytes;
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
    Replace {
        disk: Disk,
        path: PathBuf,
        content: Vec<u8>,
        token: Option<u64>,
    },
    Write {
        file: Arc<File>,
        position: u64,
        parts: Vec<Bytes>,
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

    pub(in crate::runtime) fn replace_file(
        &mut self,
        disk: &Disk,
        path: &Path,
        content: Vec<u8>,
        token: Option<u64>,
    ) {
        self.pending.push(Pending::Replace {
            disk: disk.clone(),
            path: path.to_owned(),
            content,
            token,
        });
    }

    /// Ends all replacements, in their order.
    pub(in crate::runtime) fn finish_replacements(&mut self) -> Vec<(u64, io::Result<()>)> {
        let is_replacement = |pending: &mut Pending| matches!(pending, Pending::Replace { .. });
        let replacements: Vec<Pending> = self.pending.extract_if(.., is_replacement).collect();
        let events = replacements.into_iter().map(Pending::finish::<()>);
        let replaced = events.filter_map(|event| match event {
            Some(Event::Replaced { token, result }) => Some((token, result)),
            Some(_) | None => None,
        });
        replaced.collect()
    }

    pub(in crate::runtime) fn abandon_replacements(&mut self, directory: &Path) {
        self.pending.retain(|pending| match pending {
            Pending::Replace { path, .. } => !path.starts_with(directory),
            Pending::Sync { .. }
            | Pending::SyncDirectory { .. }
            | Pending::Warm { .. }
            | Pending::Write { .. } => true,
        });
    }

    /// What may end next, in place of the one that was chosen: replacements end in their order.
    pub(super) fn next_to_finish(&self, chosen: usize) -> usize {
        let is_replacement = |pending: &Pending| matches!(pending, Pending::Replace { .. });
        match self.pending.get(chosen) {
            Some(pending) if is_replacement(pending) => {
                let first = self.pending.iter().position(is_replacement);
                first.unwrap_or(chosen)
            }
            Some(_) | None => chosen,
        }
    }

    pub(in crate::runtime) fn write(
        &mut self,
        file: Arc<File>,
        position: u64,
        parts: Vec<Bytes>,
        token: u64,
    ) {
        self.pending.push(Pending::Write {
            file,
            position,
            parts,
            token,
        });
    }

    pub(in crate::runtime) fn warm(&mut self, _file: &Arc<File>, token: u64) {
        self.pending.push(Pending::Warm { token });
    }
}

impl Pending {
    /// Does the work; says to the shard that it is done.
    pub(super) fn finish<M>(self) -> Option<Event<M>> {
        Some(match self {
            Pending::Sync { file, token } => Event::Synced {
                token,
                result: file.sync_data(),
            },
            Pending::SyncDirectory { disk, path, token } => {
                let result = disk.sync_directory(&path);
                // A descriptor does not mind that the directory was renamed meanwhile.
                let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
                let is_moved = result.as_ref().is_err_and(is_gone);
                let result = if is_moved { Ok(()) } else { result };
                Event::Synced { token, result }
            }
            Pending::Warm { token } => Event::Warmed {
                token,
                result: Ok(()),
            },
            Pending::Write {
                file,
                position,
                parts,
                token,
            } => Event::Written {
                token,
                result: file.write_at(position, &parts.concat()),
            },
            Pending::Replace {
                disk,
                path,
                content,
                token,
            } => {
                let result = disk.write_atomically(&path, &content);
                if let (Err(error), None) = (&result, token) {
                    tracing::error!("{} cannot be replaced: {error}", path.display());
                }
                return token.map(|token| Event::Replaced { token, result });
            }
        })
    }

    /// The process is killed: of a write that is under way all, nothing, or the first part is done.
    pub(super) fn kill(self, prng: &mut Prng) {
        match self {
            Pending::Sync { .. }
            | Pending::SyncDirectory { .. }
            | Pending::Warm { .. }
            | Pending::Replace { .. } => {}
            Pending::Write {
                file,
                position,
                parts,
                ..
            } => {
                let bytes = parts.concat();
                let done = prng.index(bytes.len() + 1);
                // On a full disk it would have failed.
                let _ = file.write_at(position, &bytes[..done]);
            }
        }
    }
}

fn place(index: u32) -> usize {
    crate::base::convert::usize_from_u32(index)
}
