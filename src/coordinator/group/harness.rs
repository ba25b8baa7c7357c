//! A coordinator without a broker, for the tests of groups: it does commands as the runtime does
//! them (records are encoded, kept as a log, replayed; then the replies leave), turns its own
//! clock, and starts anew from its log. Each request is answered at most once, or it panics.

use super::{Asked, Client, GroupCommand, GroupRecord, GroupReply, Groups, Step};
use crate::base::prng::Prng;
use crate::base::time::{Instant, Now, Timestamp};
use crate::config::Configuration;
use crate::coordinator::machine::{Machine, TopicsChanged, World};
use crate::metadata::image::MetadataImage;
use crate::partition::work::{Origin, RequestId};
use crate::protocol::errors::ErrorCode;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the wall clock said when the other clock began.
const BEGAN_AT: i64 = 1_700_000_000_000;

/// A request that was asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ticket(u32);

/// Groups, and a world around them.
pub struct Harness {
    /// The machine.
    pub groups: Groups,
    /// Both clocks.
    pub now: Now,
    /// The cluster.
    pub image: MetadataImage,
    /// The settings.
    pub configuration: Configuration,
    /// Randomness of the machine.
    pub random: Prng,
    /// Whether records cannot be written at the moment.
    pub writes_fail: bool,
    /// What was written, oldest first.
    pub log: Vec<(Bytes, Option<Bytes>)>,
    tickets: u32,
    open: BTreeSet<Ticket>,
    answers: BTreeMap<Ticket, GroupReply>,
}

/// As a request of this version.
pub fn asked(version: i16) -> Asked {
    Asked {
        client: Client {
            id: "client".into(),
            host: "/127.0.0.1".into(),
        },
        version,
    }
}

impl Harness {
    /// Groups with the built-in settings and these over them: `key=value`.
    pub fn new(settings: &[&str]) -> Harness {
        let mut harness = Harness {
            groups: Groups::default(),
            now: Now {
                instant: Instant(1_000_000_000),
                timestamp: Timestamp(BEGAN_AT + 1000),
            },
            image: MetadataImage::empty(),
            configuration: Configuration::from_overrides(settings).expect("sound settings"),
            random: Prng::new(7),
            writes_fail: false,
            log: Vec::new(),
            tickets: 0,
            open: BTreeSet::new(),
            answers: BTreeMap::new(),
        };
        harness.on_loaded();
        harness
    }

    /// Asks; the answer may come at once or later.
    pub fn ask(&mut self, command: GroupCommand) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.open.insert(ticket);
        let origin = Origin {
            core: 0,
            request: RequestId {
                index: ticket.0,
                generation: 0,
            },
        };
        self.handle(Some(origin), command);
        ticket
    }

    /// Takes the answer to a request, where it has come.
    pub fn answer(&mut self, ticket: Ticket) -> Option<GroupReply> {
        self.answers.remove(&ticket)
    }

    /// Asks what is answered at once.
    pub fn ask_now(&mut self, command: GroupCommand) -> GroupReply {
        let ticket = self.ask(command);
        self.answer(ticket).expect("is answered at once")
    }

    /// How many requests wait for their answers.
    pub fn waiting(&self) -> usize {
        self.open.len()
    }

    /// Lets time pass, from one timer to the next.
    pub fn advance(&mut self, duration: Duration) {
        let until = self.now.instant + duration;
        let mut steps = 0;
        loop {
            let next = self.groups.next_deadline();
            if next > until {
                break;
            }
            self.set_time(next.max(self.now.instant));
            for command in self.groups.due(self.now.instant) {
                self.handle(None, command);
            }
            steps += 1;
            assert!(steps < 1_000_000, "timers that are due for ever");
        }
        self.set_time(until);
    }

    /// Lets milliseconds pass.
    pub fn advance_ms(&mut self, milliseconds: u64) {
        self.advance(Duration::from_millis(milliseconds));
    }

    /// Tells that topics changed; the image is the test's to change before.
    pub fn topics_changed(&mut self, changed: &TopicsChanged) {
        let mut world = World {
            now: self.now,
            image: &self.image,
            configuration: &self.configuration,
            random: &mut self.random,
        };
        for command in self.groups.on_metadata(&mut world, changed) {
            self.handle(None, command);
        }
    }

    /// The coordinator dies and another reads its log; who waited is not answered any more.
    pub fn restart(&mut self) {
        self.groups = Groups::default();
        self.open.clear();
        for (key, value) in self.log.clone() {
            let record = GroupRecord::decode(&key, value.as_ref()).expect("what was written");
            let record = record.expect("of a kind that klamm has");
            self.groups.replay(self.now, record);
        }
        self.on_loaded();
    }

    /// Keeps the last record of each key, as the log cleaner does; tombstones go where `is_late`.
    pub fn compact(&mut self, is_late: bool) {
        let mut seen = BTreeSet::new();
        let mut kept: Vec<_> = std::mem::take(&mut self.log);
        kept.reverse();
        kept.retain(|(key, value)| seen.insert(key.clone()) && (value.is_some() || !is_late));
        kept.reverse();
        self.log = kept;
    }

    /// The records that were written since the log had `from`, decoded.
    pub fn records_since(&self, from: usize) -> Vec<GroupRecord> {
        let records = self.log.iter().skip(from);
        records
            .map(|(key, value)| {
                let record = GroupRecord::decode(key, value.as_ref()).expect("what was written");
                record.expect("of a kind that klamm has")
            })
            .collect()
    }

    fn on_loaded(&mut self) {
        let mut world = World {
            now: self.now,
            image: &self.image,
            configuration: &self.configuration,
            random: &mut self.random,
        };
        let step = self.groups.on_loaded(&mut world);
        self.finish(step);
    }

    fn handle(&mut self, origin: Option<Origin>, command: GroupCommand) {
        let mut world = World {
            now: self.now,
            image: &self.image,
            configuration: &self.configuration,
            random: &mut self.random,
        };
        let step = self.groups.handle(&mut world, origin, command);
        self.finish(step);
    }

    fn finish(&mut self, step: Step) {
        let fails = self.writes_fail && !step.records.is_empty();
        if !fails {
            for record in step.records {
                self.log.push(record.encode().expect("encodes"));
                self.groups.replay(self.now, record);
            }
        }
        for (origin, reply) in step.replies {
            let ticket = Ticket(origin.request.index);
            assert!(
                self.open.remove(&ticket),
                "{ticket:?} is not open: {reply:?}"
            );
            let reply = match fails {
                true => reply.failed(ErrorCode::COORDINATOR_NOT_AVAILABLE),
                false => reply,
            };
            self.answers.insert(ticket, reply);
        }
    }

    fn set_time(&mut self, instant: Instant) {
        self.now.instant = instant;
        let milliseconds = i64::try_from(instant.0 / 1_000_000).expect("tests are short");
        self.now.timestamp = Timestamp(BEGAN_AT + milliseconds);
    }
}
