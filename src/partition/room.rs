//! More logs in use than descriptors: they take turns with the files that may be open.
//!
//! ```text
//!   no descriptor is left for a log ─► what it has queued waits ──────────────────┐
//!     │                                                                           ▼
//!     └► a round through all logs ─► files that are durable are closed ─► one that waits is written
//!                                └─► others are synced, then closed ───────▲
//! ```
//! Nothing of it is done while descriptors are left. Other cores may have taken the descriptors: they are asked, too.

use super::partitions::Partitions;
use crate::base::time::{Instant, Now};
use crate::log::StorageError;
use crate::runtime::disk::Disk;
use crate::runtime::io::Io;
use std::collections::VecDeque;
use std::time::Duration;

/// Most logs that are looked at in one turn.
const LOGS_PER_TURN_MAX: usize = 256;
/// How long files go on to be closed as soon as they are durable, after somebody found no descriptor.
const SHORT_FOR: Duration = Duration::from_secs(1);
/// The time between two rounds.
const PAUSE: Duration = Duration::from_millis(100);
/// How many that wait are tried after a round, though it may have closed nothing: connections and other cores may have.
const TRIED_ANYWAY: usize = 16;
/// How often it is told.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Who waits for a descriptor, and what is done about it.
#[derive(Default)]
pub(super) struct Room {
    /// Places of logs with records to write, and no file. They count as dirty.
    waiting: VecDeque<usize>,
    /// Until then descriptors count as short.
    short_until: Instant,
    /// The place of the next log to look at, while a round is under way.
    hand: Option<usize>,
    /// The next round does not begin before.
    round_at: Instant,
    /// How many files were closed since the last round ended.
    closed: usize,
    /// So many logs may take one of the process's last descriptors: none of the others can be had, since connections
    /// have them.
    last_resort: usize,
    /// Somebody has asked since the last round.
    is_asked: bool,
    /// Other cores are to be asked.
    asks_others: bool,
    /// It is told again then.
    told_at: Instant,
}

impl Room {
    /// Whether files are closed as soon as that can be.
    pub(super) fn is_short(&self, now: Instant) -> bool {
        now < self.short_until
    }

    /// A log of this core found no descriptor.
    pub(super) fn ask(&mut self, now: Instant) {
        if !self.is_short(now) {
            self.asks_others = true;
            if self.told_at <= now {
                self.told_at = now + TOLD_EVERY;
                tracing::warn!(
                    "more partitions are in use than files may be open: they take turns, which is slow; raise the \
                     limit with: ulimit -n 1000000 (systemd: LimitNOFILE=1000000)"
                );
            }
        }
        self.is_asked = true;
        self.short_until = now + SHORT_FOR;
    }

    /// A partition is gone.
    pub(super) fn forget(&mut self, place: usize) {
        self.waiting.retain(|waiting| *waiting != place);
    }
}

impl Partitions {
    /// Another core found no descriptor.
    pub fn on_descriptors_short(&mut self, now: Instant) {
        self.room.short_until = now + SHORT_FOR;
    }

    /// Whether other cores are to be told that descriptors are short. Said once.
    pub fn take_descriptors_short(&mut self) -> bool {
        std::mem::take(&mut self.room.asks_others)
    }

    /// Whether what a log has queued can only be written when there is a descriptor for its file. Then it waits for one,
    /// and counts as dirty. So does what is queued for a log that is being synced while others wait: or its file would
    /// never be closed.
    pub(super) fn must_wait_for_room(&mut self, disk: &Disk, now: Now, place: usize) -> bool {
        let others_wait = !self.room.waiting.is_empty();
        let Some(partition) = self.slots[place].as_mut() else {
            return false;
        };
        let gives_way = others_wait && partition.sync.is_some();
        // What else may be wrong with the file is said by the write.
        let is_refused = |opened: Result<(), StorageError>| {
            opened.is_err_and(|error| error.is_out_of_descriptors())
        };
        let mut must_wait = gives_way || is_refused(partition.log.open_for_write(disk));
        if must_wait && !gives_way && self.room.last_resort > 0 {
            self.room.last_resort -= 1;
            must_wait = is_refused(partition.log.open_for_write_at_last(disk));
        }
        if must_wait {
            partition.is_dirty = true;
            self.room.ask(now.instant);
            self.room.waiting.push_back(place);
        }
        must_wait
    }

    /// When [`Partitions::make_room`] has something to do that no completion brings.
    #[must_use]
    pub fn next_room(&self) -> Instant {
        if self.room.is_asked {
            self.room.round_at
        } else {
            Instant::NEVER
        }
    }

    /// Closes files while descriptors are short, those of some logs in each turn; who waits for one is written with
    /// this turn's write.
    pub fn make_room<M>(&mut self, io: &mut Io<M>) {
        let now = io.now().instant;
        if !self.room.waiting.is_empty() {
            self.room.ask(now);
        } else if !self.room.is_short(now) {
            self.room.hand = None;
            return;
        }
        let Some(first) = self.room.hand.or((self.room.round_at <= now).then_some(0)) else {
            return;
        };
        let end = self.places_end();
        let last = end.min(first.saturating_add(LOGS_PER_TURN_MAX));
        for place in first..last {
            self.let_go(place);
        }
        self.room.hand = (last < end).then_some(last);
        if last < end {
            io.turn_again();
        } else {
            self.room.round_at = now + PAUSE;
            self.room.is_asked = !self.room.waiting.is_empty();
            // What others were told lasts for a second.
            self.room.asks_others |= self.room.is_asked;
            let is_hopeless = std::mem::take(&mut self.room.closed) == 0 && !self.syncs.go_on();
            self.room.last_resort = if is_hopeless { TRIED_ANYWAY } else { 0 };
            self.go_on_waiting(TRIED_ANYWAY);
        }
    }

    /// Closes what files of a log can be closed, or has it synced first.
    pub(super) fn let_go(&mut self, place: usize) {
        let Some(partition) = self.at(place) else {
            return;
        };
        if partition.is_offline {
            return;
        }
        let let_go = partition.log.let_go_of_files();
        if let_go.wants_sync {
            self.sync_in_line(place);
        }
        self.room.closed += let_go.closed;
        self.go_on_waiting(let_go.closed);
    }

    /// Some descriptors are free: as many logs that wait are written.
    fn go_on_waiting(&mut self, count: usize) {
        for _ in 0..count {
            let Some(place) = self.room.waiting.pop_front() else {
                return;
            };
            self.dirty.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TRIED_ANYWAY;
    use crate::base::ids::{LeaderEpoch, Offset, PartitionIndex, TopicPartition};
    use crate::base::time::{Instant, Timestamp, milliseconds};
    use crate::base::uuid::Uuid;
    use crate::log::{Log, LogConfig};
    use crate::partition::{Partition, Partitions, TurnEffects};
    use crate::protocol::string::Str;
    use crate::record::{BatchBuilder, RecordBatch};
    use crate::runtime::io::{Event, Io, Turn};
    use crate::runtime::simulated::drive::Simulation;
    use std::cell::RefCell;
    use std::path::PathBuf;
    use std::rc::Rc;
    use std::sync::Arc;

    const LOGS: i32 = 600;
    const OPEN_FILES_MAX: u64 = 20;
    const TURNS: i64 = 5;
    const TOPIC_ID: Uuid = Uuid([1; 16]);

    /// A core that appends to all of its logs in each of its first turns.
    struct Core {
        partitions: Partitions,
        turns_left: i64,
        seen: Rc<RefCell<Seen>>,
    }

    #[derive(Default)]
    struct Seen {
        /// Logs that hold all that was appended, at the end.
        whole: usize,
        failed_writes: u64,
        open_files_most: u64,
        asked_others: usize,
    }

    fn named(index: i32) -> TopicPartition {
        TopicPartition {
            topic_id: TOPIC_ID,
            partition: PartitionIndex(index),
        }
    }

    impl Core {
        fn new(io: &Io<()>, seen: &Rc<RefCell<Seen>>) -> Core {
            let config = Arc::new(LogConfig::default());
            let mut partitions = Partitions::default();
            for index in 0..LOGS {
                let path = PathBuf::from(format!("/topic-{index}"));
                let log = Log::create(io.disk(), &path, TOPIC_ID, Arc::clone(&config), io.now());
                let (topic, epoch) = (Str::from("topic"), Some(LeaderEpoch(0)));
                let partition = Partition::new(named(index), topic, log.unwrap(), 0, epoch);
                partitions.insert(partition);
            }
            Core {
                partitions,
                turns_left: TURNS,
                seen: Rc::clone(seen),
            }
        }
    }

    impl Turn for Core {
        type Mail = ();

        fn turn(&mut self, io: &mut Io<()>) {
            let mut effects = TurnEffects::default();
            while let Some(event) = io.next_event() {
                match event {
                    Event::Synced { token, result } => {
                        self.partitions.on_synced(io, token, &result, &mut effects);
                    }
                    Event::Written { token, result } => {
                        self.partitions.on_written(io, token, result, &mut effects);
                    }
                    Event::Accepted { .. }
                    | Event::Readable(_)
                    | Event::Writable(_)
                    | Event::Mail(_)
                    | Event::Warmed { .. }
                    | Event::Replaced { .. }
                    | Event::Stop => {}
                }
            }
            if self.turns_left > 0 {
                self.turns_left -= 1;
                for index in 0..LOGS {
                    let mut builder = BatchBuilder::new(Offset(0));
                    builder.append(Timestamp(1), None, Some(b"value"), &[]);
                    let batch = RecordBatch::parse(builder.finish()).unwrap();
                    let appended = self.partitions.append_own(io.now(), named(index), batch);
                    appended.unwrap();
                }
                io.turn_again();
            }
            self.partitions.write(io, &mut effects);
            self.partitions.make_room(io);
            self.partitions.sync_next(io);
            self.partitions.write(io, &mut effects);
            io.wake_at(self.partitions.next_room());
            io.wake_at(self.partitions.next_sync());
            let mut seen = self.seen.borrow_mut();
            seen.asked_others += usize::from(self.partitions.take_descriptors_short());
            let partitions = self.partitions.iter_mut();
            seen.failed_writes = partitions.map(|it| it.failed_writes()).sum();
            let is_whole = |partition: &&mut Partition| {
                partition.log.log_end_offset() == Offset(TURNS) && !partition.log.has_queued()
            };
            seen.whole = self.partitions.iter_mut().filter(is_whole).count();
        }

        fn is_stopped(&self) -> bool {
            false
        }
    }

    /// What came of a core that appends to all of its logs, within ten seconds.
    fn append_to_all(seed: u64, open_files_max: u64, are_writes_slow: bool) -> Seen {
        let seen = Rc::default();
        let mut simulation = Simulation::new(seed);
        let disk = simulation.disk().clone();
        let build = |io: &mut Io<()>| Ok(Core::new(io, &seen));
        simulation.start(1, build).unwrap();
        disk.set_open_files_max(open_files_max);
        disk.set_writes_are_slow(are_writes_slow);
        while simulation.step(Instant(0) + milliseconds(10_000)) {
            let most = &mut seen.borrow_mut().open_files_most;
            *most = (*most).max(disk.open_files());
        }
        drop(simulation);
        Rc::into_inner(seen).unwrap().into_inner()
    }

    #[test]
    fn logs_take_turns_with_the_files_that_may_be_open() {
        for seed in 0..4 {
            let seen = append_to_all(seed, OPEN_FILES_MAX, seed % 2 == 1);
            assert_eq!(seen.failed_writes, 0, "seed {seed}");
            assert_eq!(seen.whole, usize::try_from(LOGS).unwrap(), "seed {seed}");
            // Checkpoints and the like may take a few of the last.
            let most = seen.open_files_most;
            assert!(most <= OPEN_FILES_MAX + 4, "seed {seed}: {most}");
            assert!(seen.asked_others > 0, "seed {seed}");
        }
    }

    #[test]
    fn where_connections_have_all_descriptors_but_the_last_logs_take_some_of_those() {
        let seen = append_to_all(0, 0, false);
        assert_eq!(seen.failed_writes, 0);
        assert_eq!(seen.whole, usize::try_from(LOGS).unwrap());
        let most = u64::try_from(2 * TRIED_ANYWAY).unwrap();
        assert!(seen.open_files_most <= most, "{}", seen.open_files_most);
    }
}
