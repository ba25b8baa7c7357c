//! Requests that this core is answering, in a table with reused places.

use crate::base::time::Instant;
use crate::connection::{Connection, Ticket};
use crate::handler::State;
use crate::partition::work::RequestId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The table.
#[derive(Default)]
pub struct Requests {
    slots: Vec<Slot>,
    free: Vec<u32>,
    deadlines: BinaryHeap<Reverse<(Instant, RequestId)>>,
}

struct Slot {
    generation: u32,
    entry: Option<Entry>,
}

/// One request.
pub struct Entry {
    /// The place of its connection.
    pub connection: u32,
    /// How often that place was used before.
    pub connection_generation: u32,
    /// The listener that the connection came in by.
    pub listener: usize,
    /// Its place in the connection's order.
    pub ticket: Ticket,
    /// What it waits for; `None` while a handler works on it.
    pub state: Option<State>,
}

impl Requests {
    /// Takes a place for a request that is about to be handled.
    pub fn begin(&mut self, connection: &Connection, ticket: Ticket) -> RequestId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                entry: None,
            });
            u32::try_from(self.slots.len() - 1).expect("bounded by connections and pipelines")
        });
        let slot = &mut self.slots[crate::base::convert::usize_from_u32(index)];
        slot.entry = Some(Entry {
            connection: connection.socket.index,
            connection_generation: connection.socket.generation,
            listener: connection.listener,
            ticket,
            state: None,
        });
        RequestId {
            index,
            generation: slot.generation,
        }
    }

    /// Lets a request wait.
    pub fn park(&mut self, id: RequestId, state: State) {
        if let Some(deadline) = state.deadline() {
            self.deadlines.push(Reverse((deadline, id)));
        }
        let entry = self
            .entry(id)
            .expect("a request parks while it is in the table");
        entry.state = Some(state);
    }

    /// Takes a waiting request's state, to go on with it; `None` where it has ended.
    pub fn resume(&mut self, id: RequestId) -> Option<State> {
        self.entry(id)?.state.take()
    }

    /// Ends a request and frees its place.
    pub fn end(&mut self, id: RequestId) -> Option<Entry> {
        let slot = self
            .slots
            .get_mut(crate::base::convert::usize_from_u32(id.index))?;
        if slot.generation != id.generation {
            return None;
        }
        let entry = slot.entry.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index);
        Some(entry)
    }

    /// The listener that a request came in by.
    #[must_use]
    pub fn listener(&self, id: RequestId) -> usize {
        let slot = self
            .slots
            .get(crate::base::convert::usize_from_u32(id.index));
        slot.and_then(|slot| slot.entry.as_ref())
            .map_or(0, |entry| entry.listener)
    }

    fn entry(&mut self, id: RequestId) -> Option<&mut Entry> {
        let slot = self
            .slots
            .get_mut(crate::base::convert::usize_from_u32(id.index))?;
        if slot.generation == id.generation {
            slot.entry.as_mut()
        } else {
            None
        }
    }

    /// A request whose deadline has passed, if there is one.
    pub fn due(&mut self, now: Instant) -> Option<RequestId> {
        while let Some(Reverse((deadline, id))) = self.deadlines.peek().copied() {
            if deadline > now {
                return None;
            }
            self.deadlines.pop();
            if self.entry(id).is_some_and(|entry| entry.state.is_some()) {
                return Some(id);
            }
        }
        None
    }

    /// When the next deadline passes. Deadlines of requests that ended are dropped on the way.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        while let Some(Reverse((deadline, id))) = self.deadlines.peek().copied() {
            if self.entry(id).is_some() {
                return Some(deadline);
            }
            self.deadlines.pop();
        }
        None
    }
}
