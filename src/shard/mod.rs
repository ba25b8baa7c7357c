//! One core's share of the broker, and its turn.
//!
//! ```text
//!   events in        what became ready: connections, bytes, mail, finished disk operations
//!   receive          whole frames from every socket that may have some
//!   handle           each frame by its API; work for owners of partitions leaves as mail, also to here
//!   work             what others ask of this core's partitions
//!   write            one write per log; answers of what counts now
//!   send             one flush per connection
//!   effects out      mail, syncs, the next deadline
//! ```
//! There is no task per connection and no waiting: what is not ready is a state in a table.

mod changes;
mod checkpoints;
mod connections;
mod control;
mod coordinators;
mod format;
mod housekeeping;
mod logs;
mod mail;
mod requests;
mod serve;
mod start;
mod timers;

pub use format::{claim, format_directory};
pub use mail::{Mail, Opened};
pub use start::{Announcement, Directories, Start};

use crate::config::Configuration;
use crate::connection::Receiver;
use crate::handler::{Broker, Outbox, ProducerIds};
use crate::metadata::image::MetadataImage;
use crate::partition::session::FetchSessions;
use crate::partition::settings::TopicSettingsTable;
use crate::partition::work::{Origin, RequestId, Work};
use crate::partition::{Partition, Partitions, TurnEffects};
use crate::runtime::io::{Event, Io, SocketId, Turn};
use bytes::Bytes;
use connections::Connections;
use requests::Requests;
use std::collections::VecDeque;
use std::sync::Arc;

/// So many items a list may hold when it is kept for the next turn.
const KEPT_ROOM_MAX: usize = 1024;

/// What the shard is doing with its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// The cluster's metadata, or the logs of other shards, are still being read.
    Opening,
    /// Requests are served.
    Serving,
    /// No new requests: logs are being closed.
    Stopping,
    /// Everything is closed.
    Stopped,
}

/// One core's share of the broker.
pub struct Shard {
    core: usize,
    cores: usize,
    phase: Phase,
    /// The process was asked to end before it served.
    stops_when_serving: bool,
    broker: Arc<Broker>,
    start: Arc<Start>,
    /// The settings in force: static ones, with the dynamic ones of the image over them.
    configuration: Arc<Configuration>,
    static_configuration: Arc<Configuration>,
    image: MetadataImage,
    topics: TopicSettingsTable,
    sessions: FetchSessions,
    producer_ids: ProducerIds,
    connections: Connections,
    requests: Requests,
    receiver: Receiver,
    partitions: Partitions,
    logs: logs::Logs,
    coordinators: coordinators::Coordinators,
    /// The metadata log and the controller: on shard 0 only.
    control: Option<control::Control>,
    outbox: Outbox,
    effects: TurnEffects,
    /// Sockets that may hold something that was not received yet.
    readable: VecDeque<SocketId>,
    /// Connections with something to send.
    unsent: Vec<SocketId>,
    frames: Vec<Bytes>,
    /// Answers and wake-ups for requests of this core.
    local: VecDeque<Mail>,
    timers: timers::Timers,
    /// Why connections were closed: each reason is told once, by shard 0 for all.
    complaints: std::collections::BTreeSet<String>,
    checkpoints: checkpoints::Checkpoints,
}

impl Turn for Shard {
    type Mail = Mail;

    fn turn(&mut self, io: &mut Io<Mail>) {
        if self.control.is_some() {
            self.begin(io);
        }
        while let Some(event) = io.next_event() {
            self.on_event(io, event);
        }
        if self.phase == Phase::Serving {
            self.receive(io);
        }
        self.settle(io);
        self.on_timers(io);
        self.load_coordinators(io);
        self.apply_changes(io);
        self.settle(io);
        if self.logs.close_when_written && !self.partitions.are_writing() {
            self.close_own(io);
        }
        self.send(io);
        self.request_wake(io);
    }

    fn is_stopped(&self) -> bool {
        self.phase == Phase::Stopped
    }
}

impl Shard {
    /// Whether one of its logs was found broken: after such a life the next start checks the logs.
    #[must_use]
    pub fn has_broken_log(&self) -> bool {
        let mut all = self.partitions.between(0..self.partitions.places_end());
        all.any(Partition::is_offline)
    }

    fn on_event(&mut self, io: &mut Io<Mail>, event: Event<Mail>) {
        match event {
            Event::Accepted {
                socket,
                listener,
                peer,
            } => {
                self.on_accepted(io, socket, listener, peer);
            }
            Event::Readable(socket) => self.on_readable(socket),
            Event::Writable(socket) => self.unsent.push(socket),
            Event::Mail(mail) => self.on_mail(io, mail),
            Event::Synced { token, result } => {
                if control::is_control_token(token) {
                    self.on_metadata_synced(io, token, result);
                } else {
                    self.partitions
                        .on_synced(io, token, &result, &mut self.effects);
                }
            }
            Event::Warmed { token, result } => {
                let is_read = result.is_ok();
                if let Err(error) = result {
                    tracing::warn!("a cold page could not be read: {error}");
                }
                let now = io.now().instant;
                if !self.coordinators.on_warmed(token, now, is_read) {
                    self.partitions.on_warmed(io, token, &mut self.effects);
                }
            }
            Event::Written { token, result } => {
                self.partitions
                    .on_written(io, token, result, &mut self.effects);
            }
            Event::Replaced { token, result } => {
                self.partitions.on_replaced(io, token, &result);
            }
            Event::Stop => self.on_stop(io),
        }
    }

    fn on_mail(&mut self, io: &mut Io<Mail>, mail: Mail) {
        match mail {
            Mail::Work { origin, work } => self.perform(io, origin, work),
            Mail::Answer { request, answer } => self.on_answer(io, request, answer),
            Mail::Wake { request } => self.on_wake(io, request, false),
            Mail::Command { origin, command } => self.on_command(io, origin, *command),
            Mail::Reply { request, reply } => self.on_reply(io, request, reply),
            Mail::Group {
                origin,
                partition,
                command,
            } => self.coordinators.submit(origin, partition, command),
            Mail::GroupReply { request, reply } => self.on_group_reply(io, request, *reply),
            Mail::Image(image) => self.on_image(io, MetadataImage::clone(&image)),
            Mail::Committed(batch) => self.on_committed(io, &batch),
            Mail::Replayed { core } => self.on_replayed(io, core),
            Mail::Opened(opened) => self.on_opened(io, opened),
            Mail::Serve => self.on_serve(io),
            Mail::Checkpoint {
                core,
                lines,
                files,
                closed_cleanly,
            } => {
                self.on_checkpoint(io, core, lines, files, closed_cleanly);
            }
            Mail::DescriptorsShort => self.partitions.on_descriptors_short(io.now().instant),
            Mail::Session(moving) => self.sessions.arrive(*moving, io.now().instant),
            Mail::Complaint { peer, why } => self.complain(io, peer, why),
        }
    }

    /// Passes on what the steps of this turn left for each other until nothing is left: work to
    /// owners, writes, answers, wake-ups, commands. What is for other shards leaves as mail.
    fn settle(&mut self, io: &mut Io<Mail>) {
        loop {
            let mut works = std::mem::take(&mut self.outbox.works);
            for (core, origin, work) in works.drain(..) {
                if core == self.core {
                    self.perform(io, origin, work);
                } else {
                    io.mail(core, Mail::Work { origin, work });
                }
            }
            keep_room(&mut self.outbox.works, works);
            for (origin, command) in std::mem::take(&mut self.outbox.commands) {
                if self.core == 0 {
                    self.on_command(io, origin, command);
                } else {
                    let command = Box::new(command);
                    io.mail(0, Mail::Command { origin, command });
                }
            }
            let mut groups = std::mem::take(&mut self.outbox.groups);
            for (core, origin, partition, command) in groups.drain(..) {
                if core == self.core {
                    self.coordinators.submit(origin, partition, command);
                } else {
                    io.mail(
                        core,
                        Mail::Group {
                            origin,
                            partition,
                            command,
                        },
                    );
                }
            }
            keep_room(&mut self.outbox.groups, groups);
            self.write_metadata(io);
            self.begin_rounds(io);
            self.partitions.write(io, &mut self.effects);
            self.end_rounds(io);
            let mut answers = std::mem::take(&mut self.effects.answers);
            for (origin, answer) in answers.drain(..) {
                self.pass(
                    io,
                    origin.core,
                    Mail::Answer {
                        request: origin.request,
                        answer,
                    },
                );
            }
            keep_room(&mut self.effects.answers, answers);
            for origin in std::mem::take(&mut self.effects.wakes) {
                self.pass(
                    io,
                    origin.core,
                    Mail::Wake {
                        request: origin.request,
                    },
                );
            }
            let is_left = self.coordinators.has_commands() && !self.logs.are_closed;
            if self.local.is_empty() && !is_left {
                break;
            }
            while let Some(mail) = self.local.pop_front() {
                self.on_mail(io, mail);
            }
        }
    }

    /// Does what is asked of this core's partitions, unless their logs were closed for a stop: what
    /// was appended after that would stand in a log whose marker says that all of it is known, and
    /// the next start would not find its producers. Nobody is answered then: the connections close.
    fn perform(&mut self, io: &mut Io<Mail>, origin: Origin, work: Work) {
        if !self.logs.are_closed && !self.logs.close_when_written {
            self.partitions.perform(io, origin, work, &mut self.effects);
        }
    }

    /// Sends mail, or keeps it for this very turn where it is for this shard.
    fn pass(&mut self, io: &mut Io<Mail>, core: usize, mail: Mail) {
        if core == self.core {
            self.local.push_back(mail);
        } else {
            io.mail(core, mail);
        }
    }

    /// Sends mail to every shard, this one included.
    fn broadcast(&mut self, io: &mut Io<Mail>, mut mail: impl FnMut() -> Mail) {
        for core in 0..self.cores {
            self.pass(io, core, mail());
        }
    }

    fn request_wake(&mut self, io: &mut Io<Mail>) {
        let is_readable = !self.readable.is_empty() && self.phase == Phase::Serving;
        if is_readable || !self.logs.changes.is_empty() {
            io.turn_again();
        }
        if let Some(deadline) = self.requests.next_deadline() {
            io.wake_at(deadline);
        }
        if self.phase == Phase::Serving {
            io.wake_at(self.coordinators.next_deadline());
            io.wake_at(self.next_timer());
        }
    }

    fn on_wake(&mut self, io: &mut Io<Mail>, request: RequestId, is_due: bool) {
        let Some(state) = self.requests.resume(request) else {
            return;
        };
        self.step(io, request, |context| {
            crate::handler::on_wake(context, request, state, is_due)
        });
    }
}

/// Gives the room of a list that was emptied back to where it came from: the next turn fills as much.
fn keep_room<T>(list: &mut Vec<T>, emptied: Vec<T>) {
    if list.capacity() == 0 && emptied.capacity() <= KEPT_ROOM_MAX {
        *list = emptied;
    }
}
