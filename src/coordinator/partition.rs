//! One partition's coordinator: its machine, the commands that wait for their round, and the replies
//! that wait for the high watermark. Lives on the partition's shard, which drives it.
//!
//! ```text
//!              load                    begin_round              the turn's write
//!   Loading ─────────► Active   queue ─────────────► written ──────────────────► end_round
//!      │                 │                                                          │ replay
//!      └────────┬────────┘                                          parked replies ◄┘
//!               ▼                                                     │ high watermark
//!             Gone          NOT_COORDINATOR to all                    ▼ sent
//! ```
//! `CoordinatorRuntime` of Apache Kafka, without its threads.

use super::load::{Loader, Progress};
use super::machine::{Machine, Step, TopicsChanged, World};
use super::round::{Again, Round, Written, told_as};
use crate::base::ids::{Offset, TopicPartition};
use crate::base::time::{Instant, Now};
use crate::partition::work::Origin;
use crate::partition::{Fate, Partitions};
use crate::protocol::errors::ErrorCode;
use crate::protocol::string::Str;
use crate::record::Compression;
use crate::runtime::disk::Disk;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// When a timer whose records could not be written is tried again, as in Kafka.
const RETRY_BACKOFF: Duration = Duration::from_millis(500);

/// When a log that could not be read is tried again, at first; doubled with each further failure.
const LOAD_AGAIN: Duration = Duration::from_secs(1);
/// How long that becomes.
const LOAD_AGAIN_MAX: Duration = Duration::from_secs(60);

/// The coordinator of one partition.
pub struct Coordinator<M: Machine> {
    topic_partition: TopicPartition,
    /// The partition's name, for messages.
    name: String,
    state: State,
    machine: M,
    queue: VecDeque<Queued<M::Command>>,
    /// The round whose records are being written.
    written: VecDeque<Written<M>>,
    /// How many writes of the log had failed when it began.
    failed_writes: u64,
    /// Replies by the offset that the high watermark must reach; the offsets rise.
    parked: VecDeque<(Offset, Vec<Reply<M>>)>,
    /// The end of what was replayed.
    replayed_end: Offset,
    /// What was not written, and when it is tried again.
    again: Vec<(Instant, Again<M::Command>)>,
    /// Changes of metadata that came while the log was being loaded.
    missed: TopicsChanged,
}

enum State {
    Loading(Box<Loading>),
    Active,
    Gone,
}

/// A log that is being replayed, perhaps from a device that fails now and then.
struct Loading {
    loader: Loader,
    /// When it goes on, after a failure; `NEVER` while it goes on by itself.
    again_at: Instant,
    again_after: Duration,
}

type Reply<M> = (Origin, <M as Machine>::Reply);

struct Queued<C> {
    origin: Option<Origin>,
    task: Again<C>,
}

/// What a round may still do with a subject that has records in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// Commands of the kind that shares a round may follow.
    Shared,
    /// Nothing may.
    Closed,
}

impl<M: Machine> Coordinator<M> {
    /// A coordinator whose log, which starts at `start`, is still to be loaded.
    #[must_use]
    pub fn new(
        topic_partition: TopicPartition,
        name: String,
        machine: M,
        start: Offset,
        now: Now,
    ) -> Coordinator<M> {
        Coordinator {
            topic_partition,
            name,
            state: State::Loading(Box::new(Loading {
                loader: Loader::new(start, now),
                again_at: Instant::NEVER,
                again_after: LOAD_AGAIN,
            })),
            machine,
            queue: VecDeque::new(),
            written: VecDeque::new(),
            failed_writes: 0,
            parked: VecDeque::new(),
            replayed_end: Offset(0),
            again: Vec::new(),
            missed: TopicsChanged::default(),
        }
    }

    /// Whether its log is still being replayed.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        match self.state {
            State::Loading(_) => true,
            State::Active | State::Gone => false,
        }
    }

    /// Whether commands wait for a round that may begin.
    #[must_use]
    pub fn has_commands(&self) -> bool {
        !self.queue.is_empty() && !self.is_writing()
    }

    /// Whether the records of a round are still being written.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        !self.written.is_empty()
    }

    /// Whether replies wait for the high watermark.
    #[must_use]
    pub fn has_parked(&self) -> bool {
        !self.parked.is_empty()
    }

    /// The machine, as far as it has replayed.
    #[must_use]
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// Takes a command. It is done in a round of this turn; or refused at once.
    pub fn submit(
        &mut self,
        origin: Origin,
        command: Box<M::Command>,
        replies: &mut Vec<Reply<M>>,
    ) {
        let error = match self.state {
            State::Active => {
                self.queue.push_back(Queued {
                    origin: Some(origin),
                    task: Again::Command(command),
                });
                return;
            }
            State::Loading(_) => ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
            State::Gone => ErrorCode::NOT_COORDINATOR,
        };
        replies.extend(M::refusal(&command, error).map(|reply| (origin, reply)));
    }

    /// Replays the next slice of the log. Nothing is done once it is loaded. What cannot be read is
    /// tried again when [`Coordinator::goes_on_loading`] says so.
    pub fn load(&mut self, now: Now, disk: &Disk, partitions: &mut Partitions) -> Progress {
        let State::Loading(loading) = &mut self.state else {
            return Progress::Done;
        };
        let Some(partition) = partitions.get_mut(self.topic_partition) else {
            self.state = State::Gone;
            return Progress::Failed;
        };
        if partition.log.is_writing() || partition.log.has_queued() {
            return Progress::More; // what is replayed must be all there is
        }
        let (loader, machine) = (&mut loading.loader, &mut self.machine);
        let progress = loader.step(disk, &partition.log, now, &self.name, machine);
        match progress {
            Progress::More => loading.again_after = LOAD_AGAIN,
            Progress::Cold { .. } => {}
            Progress::Failed => loading.fail(now.instant),
            Progress::Done => {
                self.state = State::Active;
                self.replayed_end = partition.log.log_end_offset();
                self.queue.push_front(Queued {
                    origin: None,
                    task: Again::Loaded,
                });
            }
        }
        progress
    }

    /// The pages that a load waited for could not be read.
    pub fn on_unreadable(&mut self, now: Instant) {
        match &mut self.state {
            State::Loading(loading) => loading.fail(now),
            State::Active | State::Gone => {}
        }
    }

    /// Whether a load that failed is to go on now. Said once.
    pub fn goes_on_loading(&mut self, now: Instant) -> bool {
        match &mut self.state {
            State::Loading(loading) if loading.again_at <= now => {
                loading.again_at = Instant::NEVER;
                true
            }
            State::Loading(_) | State::Active | State::Gone => false,
        }
    }

    /// Takes note of topics that came and went.
    pub fn on_metadata(&mut self, world: &mut World<'_>, changed: &TopicsChanged) {
        match self.state {
            State::Loading(_) => {
                self.missed.changed.extend(changed.changed.iter().cloned());
                self.missed.deleted.extend(changed.deleted.iter().cloned());
            }
            State::Active => {
                let commands = self.machine.on_metadata(world, changed);
                self.enqueue(commands);
            }
            State::Gone => {}
        }
    }

    /// Takes the commands of timers that are due.
    pub fn on_timers(&mut self, now: Instant) {
        let mut position = 0;
        while position < self.again.len() {
            if self.again[position].0 <= now {
                let (_, task) = self.again.swap_remove(position);
                self.queue.push_back(Queued { origin: None, task });
            } else {
                position += 1;
            }
        }
        match self.state {
            State::Active => {
                let commands = self.machine.due(now);
                self.enqueue(commands);
            }
            State::Loading(_) | State::Gone => {}
        }
    }

    /// When [`Coordinator::on_timers`] or [`Coordinator::goes_on_loading`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        let own = match &self.state {
            State::Active => self.machine.next_deadline(),
            State::Loading(loading) => loading.again_at,
            State::Gone => Instant::NEVER,
        };
        let again = self.again.iter().map(|(at, _)| *at).min();
        again.map_or(own, |at| at.min(own))
    }

    fn enqueue(&mut self, commands: Vec<M::Command>) {
        self.queue
            .extend(commands.into_iter().map(|command| Queued {
                origin: None,
                task: Again::Command(Box::new(command)),
            }));
    }

    /// Does one round of what waits: the records are appended, to be written with all else of this
    /// turn. What must see what this round wrote stays for the next. What only read is answered at once
    /// where all that it saw counts.
    pub fn begin_round(
        &mut self,
        world: &mut World<'_>,
        partitions: &mut Partitions,
        compression: Compression,
        replies: &mut Vec<Reply<M>>,
    ) {
        assert!(self.written.is_empty(), "a round ends before the next");
        let Some(mut round) =
            Round::<M>::new(partitions, self.topic_partition, world.now, compression)
        else {
            return;
        };
        let mut subjects: BTreeMap<Str, Subject> = BTreeMap::new();
        let mut deferred = VecDeque::new();
        let before = replies.len();
        while let Some(Queued { origin, task }) = self.queue.pop_front() {
            let subject = match &task {
                Again::Loaded => None,
                Again::Command(command) => M::subject(command).cloned(),
            };
            let shares = match &task {
                Again::Loaded => false,
                Again::Command(command) => M::shares_round(command),
            };
            let mut is_noted = false;
            match &subject {
                // What is about everything sees all, and all later ones see it.
                None if round.has_records() => {
                    self.queue.push_front(Queued { origin, task });
                    break;
                }
                None => {}
                Some(subject) => match subjects.get_mut(subject) {
                    None => {}
                    Some(Subject::Shared) if shares => is_noted = true,
                    Some(known) => {
                        *known = Subject::Closed;
                        deferred.push_back(Queued { origin, task });
                        continue;
                    }
                },
            }
            let again = origin.is_none().then(|| task.clone());
            let step = match task {
                Again::Loaded => self.on_loaded(world),
                Again::Command(command) => self.machine.handle(world, origin, *command),
            };
            if step.records.is_empty() {
                replies.extend(step.replies);
                continue;
            }
            round.push(step, again);
            match subject {
                None => break,
                Some(_) if is_noted => {}
                Some(subject) => {
                    let known = if shares {
                        Subject::Shared
                    } else {
                        Subject::Closed
                    };
                    subjects.insert(subject, known);
                }
            }
        }
        if !deferred.is_empty() {
            deferred.append(&mut self.queue);
            self.queue = deferred;
        }
        self.written = round.finish().into();
        let partition = partitions.get_mut(self.topic_partition);
        self.failed_writes = partition.as_ref().map_or(0, |one| one.failed_writes());
        let counts = partition.is_some_and(|partition| {
            partition.check_serves().is_ok() && self.replayed_end <= partition.high_watermark
        });
        if !counts && replies.len() > before {
            let readers = replies.split_off(before);
            self.parked.push_back((self.replayed_end, readers));
        }
    }

    fn on_loaded(&mut self, world: &mut World<'_>) -> Step<M> {
        let mut missed = std::mem::take(&mut self.missed);
        missed.deleted.extend(self.machine.topics_gone(world.image));
        if !missed.changed.is_empty() || !missed.deleted.is_empty() {
            let commands = self.machine.on_metadata(world, &missed);
            self.enqueue(commands);
        }
        self.machine.on_loaded(world)
    }

    /// The turn's write is over: what was written is replayed, and its replies wait for the high
    /// watermark; what was not is answered so; what still is being written waits for another turn.
    /// Then replies leave that may.
    pub fn end_round(
        &mut self,
        now: Now,
        partitions: &mut Partitions,
        replies: &mut Vec<Reply<M>>,
    ) {
        let Some(partition) = partitions.get_mut(self.topic_partition) else {
            self.give_up(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, replies);
            return;
        };
        while let Some(written) = self.written.pop_front() {
            let fate = written
                .appended
                .map(|end| (end, partition.fate(end, self.failed_writes)));
            match fate {
                Ok((_, Fate::Pending)) => {
                    self.written.push_front(written);
                    break;
                }
                Ok((end, Fate::Written)) => {
                    let mut parked = Vec::new();
                    for unit in written.units {
                        for record in unit.records {
                            self.machine.replay(now, record);
                        }
                        parked.extend(unit.replies);
                    }
                    self.replayed_end = end;
                    if !parked.is_empty() {
                        self.parked.push_back((end, parked));
                    }
                }
                Ok((_, Fate::Lost)) => {
                    self.fail(now, written, ErrorCode::KAFKA_STORAGE_ERROR, replies);
                }
                Err(error) => self.fail(now, written, error, replies),
            }
        }
        if let Err(why) = partition.check_serves() {
            self.give_up(why, replies);
            return;
        }
        while let Some((end, _)) = self.parked.front() {
            if *end > partition.high_watermark {
                break;
            }
            if let Some((_, parked)) = self.parked.pop_front() {
                replies.extend(parked);
            }
        }
    }

    fn fail(
        &mut self,
        now: Now,
        written: Written<M>,
        error: ErrorCode,
        replies: &mut Vec<Reply<M>>,
    ) {
        let told = told_as(error);
        tracing::warn!("{}: records were not written: {error:?}", self.name);
        for unit in written.units {
            replies.extend(
                unit.replies
                    .into_iter()
                    .map(|(origin, reply)| (origin, M::failed(reply, told))),
            );
            // Nobody would ask for it again: it must not be lost.
            if let Some(again) = unit.again {
                self.again.push((now.instant + RETRY_BACKOFF, again));
            }
        }
    }

    /// Its partition serves no more, and nobody has said so yet.
    fn give_up(&mut self, why: ErrorCode, replies: &mut Vec<Reply<M>>) {
        if !matches!(self.state, State::Gone) {
            tracing::warn!("{}: its coordinator gives up: {why:?}", self.name);
        }
        self.resign(replies);
    }

    /// This broker does not lead the partition any more, or its log has failed: all who wait are told
    /// to look for the coordinator again, and so are all who come.
    pub fn resign(&mut self, replies: &mut Vec<Reply<M>>) {
        self.state = State::Gone;
        let error = ErrorCode::NOT_COORDINATOR;
        for (_, parked) in self.parked.drain(..) {
            replies.extend(
                parked
                    .into_iter()
                    .map(|(origin, reply)| (origin, M::failed(reply, error))),
            );
        }
        for written in self.written.drain(..) {
            for unit in written.units {
                replies.extend(
                    unit.replies
                        .into_iter()
                        .map(|(origin, reply)| (origin, M::failed(reply, error))),
                );
            }
        }
        for queued in self.queue.drain(..) {
            let (Some(origin), Again::Command(command)) = (queued.origin, queued.task) else {
                continue;
            };
            replies.extend(M::refusal(&command, error).map(|reply| (origin, reply)));
        }
        replies.extend(self.machine.resign(error));
        self.again.clear();
    }
}

impl Loading {
    fn fail(&mut self, now: Instant) {
        self.again_at = now + self.again_after;
        self.again_after = (self.again_after * 2).min(LOAD_AGAIN_MAX);
    }
}

#[cfg(test)]
#[path = "partition_tests.rs"]
mod tests;
