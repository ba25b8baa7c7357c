//! The part of a turn that faces clients: connections, frames, requests, replies.

use super::mail::Mail;
use super::{Phase, Shard, keep_room};
use crate::base::limits::{RECEIVE_BYTES_PER_TURN_MAX, SEND_BYTES_PER_TURN_MAX};
use crate::base::time::milliseconds;
use crate::connection::{Connection, FrameError, Progress, Reply};
use crate::controller::Reply as CommandReply;
use crate::coordinator::group::GroupReply;
use crate::handler::{self, Context, Outcome, Request};
use crate::partition::work::{Answer, RequestId};
use crate::protocol::api::ApiKey;
use crate::protocol::decode_request_header;
use crate::runtime::io::{Io, SocketAddr, SocketId};
use bytes::Bytes;

/// Different reasons for closing a connection that are remembered.
const COMPLAINTS_MAX: usize = 64;

impl Shard {
    pub(super) fn on_accepted(
        &mut self,
        io: &mut Io<Mail>,
        socket: SocketId,
        listener: usize,
        peer: SocketAddr,
    ) {
        if self.phase == Phase::Stopping {
            io.close(socket);
            return;
        }
        self.connections
            .insert(Connection::new(socket, listener, peer, io.now().instant));
        self.on_readable(socket);
    }

    pub(super) fn on_readable(&mut self, socket: SocketId) {
        if let Some(connection) = self.connections.get_mut(socket)
            && !connection.is_readable
        {
            connection.is_readable = true;
            self.readable.push_back(socket);
        }
    }

    /// Receives once from each connection that may have something, until the turn's bytes are used up, and handles its
    /// frames. A connection that may not be read now stays marked, and is taken up when its replies have left.
    pub(super) fn receive(&mut self, io: &mut Io<Mail>) {
        let mut budget = RECEIVE_BYTES_PER_TURN_MAX;
        for _ in 0..self.readable.len() {
            if budget == 0 {
                break; // the next turn begins with those that are left
            }
            let Some(socket) = self.readable.pop_front() else {
                break;
            };
            self.handle_backlog(io, socket);
            let Some(connection) = self.connections.get_mut(socket) else {
                continue;
            };
            if !connection.may_begin() {
                continue;
            }
            connection.is_readable = false;
            connection.active_at = io.now().instant;
            let mut frames = std::mem::take(&mut self.frames);
            let received =
                connection
                    .frames
                    .receive(io, socket, &mut self.receiver, &mut budget, &mut frames);
            match received {
                Ok(has_more) => {
                    if has_more {
                        self.on_readable(socket);
                    }
                    self.handle_all(io, socket, &mut frames);
                }
                Err(error) => {
                    self.handle_last(io, socket, &mut frames);
                    match error {
                        FrameError::Closed => self.close(io, socket),
                        FrameError::Size(_) | FrameError::Stranger(_) => {
                            self.close_because(io, socket, &error.to_string());
                        }
                    }
                }
            }
            self.frames = frames;
        }
    }

    /// Begins the requests of one receive: as many as the connection may have under way, so that a
    /// thousand small requests cannot ask for a thousand large answers at once. The others wait.
    fn handle_all(&mut self, io: &mut Io<Mail>, socket: SocketId, frames: &mut Vec<Bytes>) {
        for frame in frames.drain(..) {
            let Some(connection) = self.connections.get_mut(socket) else {
                continue;
            };
            if connection.may_begin() && connection.backlog.is_empty() {
                self.handle_frame(io, socket, frame);
            } else {
                connection.backlog.push_back(frame);
                // There is more, but not before something of the connection is answered.
                connection.is_readable = true;
            }
        }
    }

    fn handle_backlog(&mut self, io: &mut Io<Mail>, socket: SocketId) {
        while let Some(connection) = self.connections.get_mut(socket)
            && connection.may_begin()
            && let Some(frame) = connection.backlog.pop_front()
        {
            self.handle_frame(io, socket, frame);
        }
    }

    /// What arrived before the end still counts: acks=0 producers close this way. Of what else a
    /// connection asked, no more is begun than if it were open.
    fn handle_last(&mut self, io: &mut Io<Mail>, socket: SocketId, frames: &mut Vec<Bytes>) {
        for frame in frames.drain(..) {
            let Some(connection) = self.connections.get_mut(socket) else {
                continue;
            };
            let is_produce = frame.starts_with(&ApiKey::Produce.code().to_be_bytes());
            if connection.may_begin() || is_produce && connection.may_reply() {
                self.handle_frame(io, socket, frame);
            }
        }
    }

    fn handle_frame(&mut self, io: &mut Io<Mail>, socket: SocketId, frame: Bytes) {
        let Some(connection) = self.connections.get_mut(socket) else {
            return;
        };
        let frame_bytes = frame.len();
        let (header, body) = match decode_request_header(frame) {
            Ok(read) => read,
            Err(error) => {
                let why = format!("sent a request header that cannot be read: {error}");
                self.close_because(io, socket, &why);
                return;
            }
        };
        let ticket = connection.replies.begin(frame_bytes);
        let listener = connection.listener;
        let peer = connection.peer;
        let api = header.api_key;
        let can_wait = connection.patience.note(api, io.now().instant);
        io.can_wait(socket, can_wait);
        let id = self.requests.begin(connection, ticket);
        let request = Request {
            id,
            connection: socket.index,
            listener,
            peer,
            header,
            body,
        };
        let works_before = self.outbox.works.len();
        let groups_before = self.outbox.groups.len();
        self.step(io, id, |context| handler::handle(context, request));
        let Some(connection) = self.connections.get_mut(socket) else {
            return;
        };
        let works = self.outbox.works[works_before..].iter().map(|work| work.0);
        let groups = self.outbox.groups[groups_before..].iter();
        connection.affinity.note(works, groups.map(|group| group.0));
    }

    pub(super) fn on_answer(&mut self, io: &mut Io<Mail>, id: RequestId, answer: Answer) {
        let Some(state) = self.requests.resume(id) else {
            return;
        };
        self.step(io, id, |context| {
            handler::on_answer(context, id, state, answer)
        });
    }

    pub(super) fn on_group_reply(&mut self, io: &mut Io<Mail>, id: RequestId, reply: GroupReply) {
        // Who waited may be gone with its connection: then nobody is told.
        let Some(state) = self.requests.resume(id) else {
            return;
        };
        self.step(io, id, |context| {
            handler::on_group_reply(context, state, reply)
        });
    }

    pub(super) fn on_reply(&mut self, io: &mut Io<Mail>, id: RequestId, reply: CommandReply) {
        let Some(state) = self.requests.resume(id) else {
            return;
        };
        self.step(io, id, |context| {
            handler::on_reply(context, id, state, reply)
        });
    }

    /// Lets a handler work on a request, and does what it says.
    pub(super) fn step(
        &mut self,
        io: &mut Io<Mail>,
        id: RequestId,
        handle: impl FnOnce(&mut Context<'_>) -> Outcome,
    ) {
        let disk = io.disk().clone();
        let listener = self
            .configuration
            .listeners()
            .get(self.requests.listener(id));
        let listener = listener.map_or("", |listener| listener.name.as_str());
        let mut context = Context {
            now: io.now(),
            core: self.core,
            cores: self.cores,
            broker: &self.broker,
            image: &self.image,
            topics: &mut self.topics,
            sessions: &mut self.sessions,
            producer_ids: &mut self.producer_ids,
            outbox: &mut self.outbox,
            disk: &disk,
            random: io.prng(),
            listener,
            configuration: &self.configuration,
        };
        match handle(&mut context) {
            Outcome::Waits(state) => self.requests.park(id, state),
            Outcome::Reply(reply) => self.finish(id, Some(reply)),
            Outcome::Silent => self.finish(id, None),
            Outcome::Close(why) => {
                if let Some(entry) = self.requests.end(id) {
                    let socket = SocketId {
                        index: entry.connection,
                        generation: entry.connection_generation,
                    };
                    self.close_because(io, socket, &why);
                }
            }
        }
    }

    fn finish(&mut self, id: RequestId, reply: Option<Reply>) {
        let Some(entry) = self.requests.end(id) else {
            return;
        };
        let socket = SocketId {
            index: entry.connection,
            generation: entry.connection_generation,
        };
        let Some(connection) = self.connections.get_mut(socket) else {
            return;
        };
        if let Some(reply) = &reply {
            connection.affinity.note_reply(reply.file_bytes());
        }
        connection
            .replies
            .finish(entry.ticket, reply, &mut connection.outgoing);
        self.unsent.push(socket);
    }

    /// Sends once on each connection that has something to send, until the turn's bytes are used up.
    pub(super) fn send(&mut self, io: &mut Io<Mail>) {
        let mut budget = SEND_BYTES_PER_TURN_MAX;
        let mut unsent = std::mem::take(&mut self.unsent);
        for socket in unsent.drain(..) {
            let Some(connection) = self.connections.get_mut(socket) else {
                continue;
            };
            let progress = connection.outgoing.flush(io, socket, &mut budget);
            let takes_more = connection.is_readable && connection.may_begin();
            match progress {
                Progress::Done => {
                    if let Some(core) = connection.affinity.elsewhere(self.core)
                        && connection.is_at_rest()
                        && self.hand_over(io, socket, core)
                    {
                        continue;
                    }
                }
                Progress::Blocked => {}
                Progress::Again => {
                    self.unsent.push(socket);
                    io.turn_again();
                }
                Progress::Broken => {
                    self.close(io, socket);
                    continue;
                }
            }
            // A connection that was full and is not any more is read from again.
            if takes_more && !self.readable.contains(&socket) {
                self.readable.push_back(socket);
            }
        }
        keep_room(&mut self.unsent, unsent);
    }

    /// Gives a connection to the core that its requests are for, unless that has too many already.
    fn hand_over(&mut self, io: &mut Io<Mail>, socket: SocketId, core: usize) -> bool {
        if !io.may_hand_over(core) {
            if let Some(connection) = self.connections.get_mut(socket) {
                connection.affinity.put_off();
            }
            return false;
        }
        let Some(connection) = self.connections.remove(socket) else {
            return false;
        };
        if let Some(moving) = self.sessions.leave(socket.index) {
            self.pass(io, core, Mail::Session(Box::new(moving)));
        }
        io.hand_over(socket, core, connection.listener, connection.peer);
        true
    }

    fn close_because(&mut self, io: &mut Io<Mail>, socket: SocketId, why: &str) {
        if let Some(connection) = self.connections.get_mut(socket) {
            // What was answered before still goes out.
            let mut budget = SEND_BYTES_PER_TURN_MAX;
            connection.outgoing.flush(io, socket, &mut budget);
            let peer = connection.peer;
            self.complain(io, peer, why.to_owned());
        }
        self.close(io, socket);
    }

    /// Tells why a connection was closed. The same said for ten thousand connections helps nobody:
    /// each reason is told once, by shard 0, to which each other shard passes it once.
    pub(super) fn complain(&mut self, io: &mut Io<Mail>, peer: SocketAddr, why: String) {
        if self.complaints.len() >= COMPLAINTS_MAX {
            self.complaints.clear();
        }
        if !self.complaints.insert(why.clone()) {
            return;
        }
        if self.core == 0 {
            tracing::info!("{peer} {why}: the connection is closed");
        } else {
            self.pass(io, 0, Mail::Complaint { peer, why });
        }
    }

    fn close(&mut self, io: &mut Io<Mail>, socket: SocketId) {
        if self.connections.remove(socket).is_some() {
            io.close(socket);
        }
    }

    /// Closes connections that have not sent anything for `connections.max.idle.ms`, unless they wait
    /// for an answer.
    pub(super) fn close_idle(&mut self, io: &mut Io<Mail>) {
        let idle_max = milliseconds(self.configuration.connections_max_idle_ms());
        let now = io.now().instant;
        for socket in self.connections.sockets() {
            let Some(connection) = self.connections.get_mut(socket) else {
                continue;
            };
            if now.since(connection.active_at) > idle_max && connection.replies.waiting() == 0 {
                self.close(io, socket);
            }
        }
    }
}
