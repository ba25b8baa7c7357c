//! All partitions of one core, and the second half of their turn: one write per log that got
//! batches, then the high watermarks, the answers, the wake-ups.

use super::append::{Queued, Round};
use super::leader::Partition;
use super::room::Room;
use super::sync::Syncs;
use super::work::{Answer, Origin, Work};
use crate::base::collections::HashMap;
use crate::base::ids::TopicPartition;
use crate::base::time::{Instant, Now};
use crate::log::ReadError;
use crate::protocol::errors::ErrorCode;
use crate::runtime::disk::Disk;
use crate::runtime::io::Io;
use std::collections::BTreeSet;
use std::ops::Range;

/// The partitions that a core owns.
#[derive(Default)]
pub struct Partitions {
    pub(super) slots: Vec<Option<Partition>>,
    free: Vec<usize>,
    places: HashMap<TopicPartition, usize>,
    /// Those that it owns too, and whose logs could not be opened or made.
    without_log: BTreeSet<TopicPartition>,
    /// Places of partitions with batches to write in this turn.
    pub(super) dirty: Vec<usize>,
    /// Produce requests whose answer waits for a write, or for a sync.
    pub(super) rounds: Vec<Round>,
    /// Empty lists of those that were answered.
    pub(super) spare_queued: Vec<Vec<Queued>>,
    /// Something has happened since that may be what one of them waits for.
    pub(super) rounds_may_end: bool,
    /// Reads that wait for cold pages.
    parked: HashMap<u64, (Origin, Work)>,
    /// Logs whose retention waits for cold pages.
    aging: HashMap<u64, TopicPartition>,
    /// Logs that wait for their `flush.ms`, by deadline and place (`flush.rs`).
    pub(super) flushes: BTreeSet<(Instant, usize)>,
    /// Syncs under way, and those that may wait (`sync.rs`).
    pub(super) syncs: Syncs,
    /// Logs that wait for a descriptor (`room.rs`).
    pub(super) room: Room,
    /// Writes under way on the ring's workers: of which log.
    pub(super) writes: HashMap<u64, TopicPartition>,
    /// Files of leader epochs that are being replaced: of which log.
    pub(super) epochs: HashMap<u64, TopicPartition>,
    /// Fetches that watched a partition which went offline, until the turn's effects take them.
    pub(super) disappointed: Vec<Origin>,
    next_token: u64,
}

/// What a turn of the partitions leaves behind.
#[derive(Default)]
pub struct TurnEffects {
    /// Answers to work.
    pub answers: Vec<(Origin, Answer)>,
    /// Fetches that may find more now.
    pub wakes: Vec<Origin>,
}

impl Partitions {
    /// Takes a partition over.
    pub fn insert(&mut self, partition: Partition) {
        let topic_partition = partition.topic_partition;
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[place] = Some(partition);
        self.without_log.remove(&topic_partition);
        let before = self.places.insert(topic_partition, place);
        assert!(before.is_none(), "{topic_partition:?} is owned already");
        self.await_flush(place);
    }

    /// Takes note of a partition whose log could not be opened or made.
    pub fn insert_without_log(&mut self, topic_partition: TopicPartition) {
        self.without_log.insert(topic_partition);
    }

    /// What is answered of a partition that is not in the table.
    pub(super) fn why_missing(&self, topic_partition: TopicPartition) -> ErrorCode {
        if self.without_log.contains(&topic_partition) {
            ErrorCode::KAFKA_STORAGE_ERROR
        } else {
            ErrorCode::NOT_LEADER_OR_FOLLOWER
        }
    }

    /// Gives a partition up: its topic was deleted. Who watches it is woken and finds it gone.
    pub fn remove(
        &mut self,
        topic_partition: TopicPartition,
        effects: &mut TurnEffects,
    ) -> Option<Partition> {
        self.without_log.remove(&topic_partition);
        let place = self.places.remove(&topic_partition)?;
        let partition = self.slots[place].take()?;
        self.rounds_may_end = true;
        self.free.push(place);
        self.dirty.retain(|dirty| *dirty != place);
        self.room.forget(place);
        if let Some(at) = partition.flush_at {
            self.flushes.remove(&(at, place));
        }
        effects
            .wakes
            .extend(partition.watchers.iter().map(|watcher| watcher.origin));
        Some(partition)
    }

    /// Finds a partition.
    pub fn get_mut(&mut self, topic_partition: TopicPartition) -> Option<&mut Partition> {
        let place = *self.places.get(&topic_partition)?;
        self.slots[place].as_mut()
    }

    pub(super) fn place(&self, topic_partition: TopicPartition) -> Option<usize> {
        self.places.get(&topic_partition).copied()
    }

    pub(super) fn at(&mut self, place: usize) -> Option<&mut Partition> {
        self.slots[place].as_mut()
    }

    /// One more than the last place.
    pub fn places_end(&self) -> usize {
        self.slots.len()
    }

    /// All partitions, in the order of their places.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Partition> {
        self.slots.iter_mut().flatten()
    }

    /// Those in some of the places.
    pub fn between(&self, places: Range<usize>) -> impl Iterator<Item = &Partition> {
        self.slots.get(places).unwrap_or_default().iter().flatten()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// Does one piece of work, or parks it until pages are warm, or until this turn's write.
    pub fn perform<M>(
        &mut self,
        io: &mut Io<M>,
        origin: Origin,
        work: Work,
        effects: &mut TurnEffects,
    ) {
        let answer = match work {
            Work::Produce(work) => {
                self.append(io.now(), origin, work);
                return;
            }
            Work::Fetch(work) => match self.fetch(io, &work, effects) {
                Some(answers) => Answer::Fetch(answers),
                None => return self.park(io, origin, Work::Fetch(work)),
            },
            Work::ListOffsets(work) => match self.list_offsets(io, &work) {
                Some(answers) => Answer::ListOffsets(answers),
                None => return self.park(io, origin, Work::ListOffsets(work)),
            },
            Work::OffsetForLeaderEpoch(entries) => {
                Answer::OffsetForLeaderEpoch(self.offset_for_leader_epoch(&entries))
            }
            Work::DeleteRecords(entries) => Answer::DeleteRecords(self.delete_records(&entries)),
            Work::DescribeLogDirs(entries) => Answer::DescribeLogDirs(self.describe(&entries)),
        };
        effects.answers.push((origin, answer));
    }

    /// Parks work whose pages were just asked for, under the token that was used last.
    fn park<M>(&mut self, _io: &mut Io<M>, origin: Origin, work: Work) {
        self.parked.insert(self.next_token, (origin, work));
    }

    /// A token for a sync or a warming that no other has.
    pub fn new_token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    /// Goes on with a read whose pages are there now. A page that cannot be read is met again by the
    /// read itself, which then reports it.
    pub fn on_warmed<M>(&mut self, io: &mut Io<M>, token: u64, effects: &mut TurnEffects) {
        if let Some((origin, work)) = self.parked.remove(&token) {
            self.perform(io, origin, work, effects);
        } else if let Some(topic_partition) = self.aging.remove(&token)
            && let Some(place) = self.place(topic_partition)
        {
            self.delete_old(io, place);
        }
    }

    /// Writes what the turn appended, one write per log, here or on the ring's workers; then answers
    /// what counts now.
    pub fn write<M>(&mut self, io: &mut Io<M>, effects: &mut TurnEffects) {
        self.rounds_may_end |= !self.dirty.is_empty();
        let all_away = io.writes_wait();
        let mut away = Vec::new();
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.retain(|&place| match self.at(place) {
            // Of one that is being written, on_written goes on with what is queued.
            Some(partition) if partition.log.is_writing() => {
                partition.is_dirty = false;
                false
            }
            Some(partition) if all_away || partition.log.wants_reservation() => {
                away.push(place);
                false
            }
            Some(_) | None => true,
        });
        self.dirty = dirty;
        let (dirty, bytes) = self.write_logs(io.disk(), io.now(), effects);
        io.note_written(bytes);
        let is_short = self.room.is_short(io.now().instant);
        for place in dirty {
            self.trim(io, place);
            self.start_sync(io, place);
            if is_short {
                self.let_go(place);
            }
        }
        for place in away {
            self.write_away(io, place, effects);
        }
        if std::mem::take(&mut self.rounds_may_end) {
            self.answer_rounds(effects);
        }
        debug_assert!(!self.owes_an_answer(), "what ends a round says so");
        effects.wakes.append(&mut self.disappointed);
    }

    /// Writes what was appended, and says into which places, and how many bytes: what of it counts,
    /// counts.
    pub fn write_logs(
        &mut self,
        disk: &Disk,
        now: Now,
        effects: &mut TurnEffects,
    ) -> (Vec<usize>, u64) {
        let dirty = std::mem::take(&mut self.dirty);
        let mut bytes = 0;
        for &place in &dirty {
            let Some(partition) = self.slots[place].as_mut() else {
                continue;
            };
            partition.is_dirty = false;
            if partition.log.is_writing() {
                continue; // on_written goes on with it
            }
            if self.must_wait_for_room(disk, now, place) {
                continue;
            }
            let partition = self.slots[place].as_mut().expect("it was there");
            match partition.log.write(disk, now) {
                Ok(written) => bytes += written.bytes,
                Err(error) => partition.note_failed_write(&error),
            }
            // What was written before a failure counts.
            settle(partition, effects);
            self.await_flush(place);
        }
        (dirty, bytes)
    }

    /// Marks a partition as having batches for this turn's write.
    pub(super) fn mark_dirty(&mut self, place: usize) {
        let partition = self.slots[place]
            .as_mut()
            .expect("a place in the table is taken");
        if !partition.is_dirty {
            partition.is_dirty = true;
            partition.write_failed = false;
            self.dirty.push(place);
        }
    }

    /// Regular work on the logs in some of the places: what is old goes, files that nobody needs open are let go.
    pub fn housekeeping<M>(&mut self, io: &mut Io<M>, places: Range<usize>) {
        for place in places {
            self.delete_old(io, place);
            let Some(partition) = self.slots[place].as_mut() else {
                continue;
            };
            if partition.is_offline {
                continue;
            }
            for path in partition.log.take_removable(io.now()) {
                io.remove_file(&path);
            }
            if let Err(error) = partition.log.housekeeping(io.disk(), io.now()) {
                tracing::error!("{}: {error}", partition.name());
            }
        }
    }

    /// Takes segments that are too old, or too many, out of a log. Whether they are may have to be
    /// read from the device first: then that is asked for, and this is done again.
    fn delete_old<M>(&mut self, io: &mut Io<M>, place: usize) {
        let Some(partition) = self.slots[place].as_mut() else {
            return;
        };
        if partition.is_offline {
            return;
        }
        let high_watermark = partition.high_watermark;
        let deleted =
            partition
                .log
                .delete_old_segments_if_resident(io.disk(), io.now(), high_watermark);
        match deleted {
            Ok(_) => {}
            Err(ReadError::Cold {
                file,
                position,
                bytes,
            }) => {
                let topic_partition = partition.topic_partition;
                let token = self.new_token();
                self.aging.insert(token, topic_partition);
                io.warm(&file, position, bytes, token);
            }
            Err(error) => tracing::error!("{}: {error}", partition.name()),
        }
    }
}

/// Takes what is written, or synced, into the high watermark, and wakes who waits for it.
pub(super) fn settle(partition: &mut Partition, effects: &mut TurnEffects) {
    if partition.advance_high_watermark() {
        effects
            .wakes
            .extend(partition.watchers.drain(..).map(|watcher| watcher.origin));
    }
}
