//! Syncs of this core's logs: those that an acknowledgement waits for, at once; those that nobody waits
//! for, a few at a time.
//!
//! ```text
//!   write, and records do not count before they are durable ─► start_sync ───────────────┐
//!   flush.ms has passed, recovery points shall move ─► sync_in_line ─► due ─► sync_next ─┴► on_synced
//! ```
//! A core has thousands of logs, and a sync of each holds a descriptor and a worker of the ring: all of
//! them at once would use up the descriptors of the process, and whoever opens a file then fails.

use super::leader::Sync;
use super::partitions::{Partitions, TurnEffects, settle};
use crate::base::collections::HashMap;
use crate::base::ids::TopicPartition;
use crate::base::time::{Instant, Now};
use crate::runtime::disk;
use crate::runtime::io::Io;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// Most files that are synced at once for logs that nobody waits for: half of the ring's workers, so that
/// appends which leave the turn do not stand in line behind syncs, of which one may take 300 ms.
const UNHURRIED_MAX: usize = 2;

/// The syncs of a core.
#[derive(Default)]
pub(super) struct Syncs {
    under_way: HashMap<u64, UnderWay>,
    /// Places of logs that are synced when others are done.
    due: VecDeque<usize>,
    /// How many of those under way nobody waits for.
    unhurried: usize,
    /// No file could be opened, because too many are: it is tried again then.
    paused_until: Instant,
}

/// How long nothing is tried where no file can be opened.
const PAUSE: Duration = Duration::from_secs(1);

/// A sync of one file.
#[derive(Clone, Copy)]
struct UnderWay {
    topic_partition: TopicPartition,
    haste: Haste,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Haste {
    /// An acknowledgement waits for it.
    Hurried,
    /// Nobody does.
    Unhurried,
}

impl Partitions {
    /// Starts a sync of a log that has records which do not count before it. One at a time: what is
    /// written meanwhile is covered by the next (group commit).
    pub(super) fn start_sync<M>(&mut self, io: &mut Io<M>, place: usize) {
        let Some(partition) = self.slots[place].as_mut() else {
            return;
        };
        if partition.sync.is_some() || partition.is_offline || !partition.needs_sync() {
            return;
        }
        self.sync(io, place, Haste::Hurried);
    }

    /// Looks at every log, and puts each that asks for a sync in line: all of them before their recovery
    /// points move, else those whose `flush.ms` has passed. [`Partitions::sync_next`] syncs them.
    pub fn sync_due(&mut self, now: Now, all: bool) {
        for place in 0..self.slots.len() {
            let partition = self.slots[place].as_ref();
            if partition.is_some_and(|partition| all || partition.log.flush_due(now)) {
                self.sync_in_line(place);
            }
        }
    }

    /// Has a log synced when those before it are.
    pub(super) fn sync_in_line(&mut self, place: usize) {
        let Some(partition) = self.slots[place].as_mut() else {
            return;
        };
        if partition.sync.is_none() && !partition.is_offline && !partition.is_sync_due {
            partition.is_sync_due = true;
            self.syncs.due.push_back(place);
        }
    }

    /// When [`Partitions::sync_next`] has something to do that no completion brings.
    #[must_use]
    pub fn next_sync(&self) -> Instant {
        if self.syncs.due.is_empty() || self.syncs.unhurried > 0 {
            return Instant::NEVER;
        }
        self.syncs.paused_until
    }

    /// Starts the syncs that may wait, as long as few of them are under way.
    pub fn sync_next<M>(&mut self, io: &mut Io<M>) {
        while self.syncs.unhurried < UNHURRIED_MAX
            && self.syncs.paused_until <= io.now().instant
            && let Some(place) = self.syncs.due.pop_front()
        {
            // The place may be another partition's now.
            let Some(partition) = self.slots[place].as_mut() else {
                continue;
            };
            let is_due = std::mem::take(&mut partition.is_sync_due);
            if is_due && partition.sync.is_none() && !partition.is_offline {
                self.sync(io, place, Haste::Unhurried);
            }
        }
    }

    /// Syncs a log whose records, or whose files' names, are not all durable.
    fn sync<M>(&mut self, io: &mut Io<M>, place: usize, haste: Haste) {
        let Some(partition) = self.slots[place].as_mut() else {
            return;
        };
        let topic_partition = partition.topic_partition;
        let up_to = partition.log.log_end_offset();
        let files = match partition.log.unsynced(io.disk()) {
            Ok(files) => files,
            Err(error) if error.is_out_of_descriptors() => {
                self.syncs.pause(io.now().instant);
                self.sync_in_line(place);
                return;
            }
            Err(error) => {
                partition.go_offline(&error, &mut self.disappointed);
                self.rounds_may_end = true;
                return;
            }
        };
        // A segment that was begun since has a name that must be durable too.
        let directory = partition
            .log
            .take_directory_unsynced()
            .then(|| partition.log.directory().to_owned());
        if files.is_empty() && directory.is_none() {
            return;
        }
        partition.sync = Some(Sync {
            up_to,
            files: files.len() + usize::from(directory.is_some()),
            is_unopened: false,
        });
        let one = UnderWay {
            topic_partition,
            haste,
        };
        if let Some(directory) = directory {
            let token = self.new_token();
            self.syncs.insert(token, one);
            io.sync_directory(&directory, token);
        }
        for file in files {
            let token = self.new_token();
            self.syncs.insert(token, one);
            io.sync(&file, token);
        }
    }

    /// A file of a log is durable, or never will be: a failed sync is not retried, because the kernel
    /// has already marked the pages as clean. Who waited for it is answered by the turn's `write`, once
    /// for all syncs that ended.
    pub fn on_synced<M>(
        &mut self,
        io: &mut Io<M>,
        token: u64,
        result: &io::Result<()>,
        effects: &mut TurnEffects,
    ) {
        let Some(topic_partition) = self.syncs.remove(token) else {
            return;
        };
        if let Some(place) = self.place(topic_partition) {
            self.note_synced(io, place, result, effects);
            self.rounds_may_end = true;
        }
    }

    fn note_synced<M>(
        &mut self,
        io: &mut Io<M>,
        place: usize,
        result: &io::Result<()>,
        effects: &mut TurnEffects,
    ) {
        let partition = self.slots[place]
            .as_mut()
            .expect("a place in the table is taken");
        let Some(sync) = partition.sync.as_mut() else {
            return;
        };
        sync.files -= 1;
        match result {
            Ok(()) => {}
            // Nothing was tried: the directory could not be opened.
            Err(error) if disk::is_out_of_descriptors(error) => {
                sync.is_unopened = true;
                partition.log.doubt_directory();
                self.syncs.pause(io.now().instant);
            }
            Err(error) => partition.go_offline(error, &mut self.disappointed),
        }
        let Some(sync) = partition.sync.take_if(|sync| sync.files == 0) else {
            return;
        };
        if sync.is_unopened {
            self.sync_in_line(place);
            return;
        }
        if !partition.is_offline {
            partition.log.mark_synced(sync.up_to, io.now());
            settle(partition, effects);
        }
        self.start_sync(io, place);
        self.await_flush(place);
        if self.room.is_short(io.now().instant) {
            self.let_go(place);
        }
    }
}

impl Syncs {
    /// Whether some are under way, or in line.
    pub(super) fn go_on(&self) -> bool {
        !self.under_way.is_empty() || !self.due.is_empty()
    }

    fn insert(&mut self, token: u64, one: UnderWay) {
        self.unhurried += usize::from(one.haste == Haste::Unhurried);
        self.under_way.insert(token, one);
    }

    fn remove(&mut self, token: u64) -> Option<TopicPartition> {
        let one = self.under_way.remove(&token)?;
        self.unhurried -= usize::from(one.haste == Haste::Unhurried);
        Some(one.topic_partition)
    }

    fn pause(&mut self, now: Instant) {
        if self.paused_until <= now {
            tracing::error!(
                "too many files are open to sync a log, which is tried again: raise the limit with: \
                 ulimit -n 1000000 (systemd: LimitNOFILE=1000000)"
            );
        }
        self.paused_until = now + PAUSE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{LeaderEpoch, PartitionIndex};
    use crate::base::time::milliseconds;
    use crate::base::uuid::Uuid;
    use crate::log::{Log, LogConfig};
    use crate::partition::Partition;
    use crate::protocol::string::Str;
    use crate::runtime::io::{Event, Turn};
    use crate::runtime::simulated::drive::Simulation;
    use std::cell::RefCell;
    use std::path::PathBuf;
    use std::rc::Rc;
    use std::sync::Arc;

    const LOGS: usize = 1000;

    /// A core with many logs, whose files are all to be made durable; some syncs find no descriptor.
    struct Core {
        partitions: Partitions,
        refused: usize,
        is_asked: bool,
        seen: Rc<RefCell<Seen>>,
    }

    #[derive(Default)]
    struct Seen {
        most_at_once: usize,
        done: usize,
        ended_at: Option<Instant>,
        offline: usize,
    }

    impl Core {
        fn new(io: &Io<()>, refused: usize, seen: &Rc<RefCell<Seen>>) -> Core {
            let config = Arc::new(LogConfig::default());
            let topic_id = Uuid([1; 16]);
            let mut partitions = Partitions::default();
            for index in 0..LOGS {
                let path = PathBuf::from(format!("/topic-{index}"));
                let config = Arc::clone(&config);
                let log = Log::create(io.disk(), &path, topic_id, config, io.now()).unwrap();
                let topic_partition = TopicPartition {
                    topic_id,
                    partition: PartitionIndex(i32::try_from(index).unwrap()),
                };
                let epoch = Some(LeaderEpoch(0));
                let topic = Str::from("topic");
                partitions.insert(Partition::new(topic_partition, topic, log, 0, epoch));
            }
            Core {
                partitions,
                refused,
                is_asked: false,
                seen: Rc::clone(seen),
            }
        }
    }

    impl Turn for Core {
        type Mail = ();

        fn turn(&mut self, io: &mut Io<()>) {
            let mut effects = TurnEffects::default();
            let mut seen = self.seen.borrow_mut();
            if !std::mem::replace(&mut self.is_asked, true) {
                self.partitions.sync_due(io.now(), true);
            }
            while let Some(event) = io.next_event() {
                let Event::Synced { token, mut result } = event else {
                    continue;
                };
                if self.refused > 0 {
                    self.refused -= 1;
                    result = Err(io::Error::from_raw_os_error(libc::EMFILE));
                }
                seen.done += usize::from(result.is_ok());
                self.partitions.on_synced(io, token, &result, &mut effects);
            }
            self.partitions.sync_next(io);
            io.wake_at(self.partitions.next_sync());
            let syncs = &self.partitions.syncs;
            seen.most_at_once = seen.most_at_once.max(syncs.under_way.len());
            if syncs.due.is_empty() && syncs.under_way.is_empty() {
                seen.ended_at.get_or_insert(io.now().instant);
            }
            let offline = self.partitions.iter_mut();
            seen.offline = offline.filter(|partition| partition.is_offline()).count();
        }

        fn is_stopped(&self) -> bool {
            false
        }
    }

    fn sync_all(refused: usize) -> Seen {
        let seen = Rc::default();
        let mut simulation = Simulation::new(1);
        let build = |io: &mut Io<()>| Ok(Core::new(io, refused, &seen));
        simulation.start(1, build).unwrap();
        while simulation.step(Instant(0) + milliseconds(60_000)) {}
        drop(simulation);
        Rc::into_inner(seen).unwrap().into_inner()
    }

    #[test]
    fn logs_for_which_nobody_waits_are_synced_a_few_at_a_time() {
        let seen = sync_all(0);
        assert_eq!(seen.most_at_once, UNHURRIED_MAX);
        assert_eq!((seen.done, seen.offline), (LOGS, 0));
    }

    #[test]
    fn a_log_whose_directory_cannot_be_opened_for_now_is_synced_later() {
        let seen = sync_all(40);
        assert_eq!((seen.done, seen.offline), (LOGS, 0));
        let ended_at = seen.ended_at.expect("an end");
        assert!(Instant(0) + PAUSE <= ended_at, "{ended_at:?}");
    }
}
