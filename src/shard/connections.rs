//! The connections of this core, in a table by the place that the runtime gave their sockets.

use crate::base::convert::usize_from_u32;
use crate::connection::Connection;
use crate::runtime::io::SocketId;

/// The table.
#[derive(Default)]
pub struct Connections {
    slots: Vec<Option<Connection>>,
    count: usize,
}

impl Connections {
    /// Takes a connection in.
    pub fn insert(&mut self, connection: Connection) {
        let place = usize_from_u32(connection.socket.index);
        if self.slots.len() <= place {
            self.slots.resize_with(place + 1, || None);
        }
        self.slots[place] = Some(connection);
        self.count += 1;
    }

    /// Finds a connection.
    pub fn get_mut(&mut self, socket: SocketId) -> Option<&mut Connection> {
        let connection = self.slots.get_mut(usize_from_u32(socket.index))?.as_mut()?;
        (connection.socket == socket).then_some(connection)
    }

    /// Takes a connection out.
    pub fn remove(&mut self, socket: SocketId) -> Option<Connection> {
        self.get_mut(socket)?;
        self.count -= 1;
        self.slots[usize_from_u32(socket.index)].take()
    }

    /// All sockets, in the order of their places.
    pub fn sockets(&self) -> Vec<SocketId> {
        self.slots
            .iter()
            .flatten()
            .map(|connection| connection.socket)
            .collect()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }
}
