//! `flush.ms`: which logs of this core hold records that are not durable, and when each asks for
//! its sync. A log stands in the queue once, from its first unsynced write to its sync:
//!
//! ```text
//!   write ─► (deadline, place) ─► flush_due ─► sync ─► on_synced: written meanwhile? ─► (deadline, place)
//! ```

use super::partitions::Partitions;
use crate::base::time::Instant;

impl Partitions {
    /// When the earliest `flush.ms` passes; never where no log waits for one.
    #[must_use]
    pub fn next_flush(&self) -> Instant {
        self.flushes.first().map_or(Instant::NEVER, |(at, _)| *at)
    }

    /// Notes when a log asks for its sync, unless that is noted, or it is being synced now.
    pub(super) fn await_flush(&mut self, place: usize) {
        let Some(partition) = self.at(place) else {
            return;
        };
        if partition.flush_at.is_some() || partition.sync.is_some() {
            return;
        }
        if let Some(at) = partition.log.flush_at() {
            partition.flush_at = Some(at);
            self.flushes.insert((at, place));
        }
    }

    /// Notes for all logs anew when each asks for its sync: `flush.ms` has another value.
    pub fn await_flushes(&mut self) {
        self.flushes.clear();
        for partition in self.iter_mut() {
            partition.flush_at = None;
        }
        for place in 0..self.places_end() {
            self.await_flush(place);
        }
    }

    /// Puts each log whose `flush.ms` has passed in line: [`Partitions::sync_next`] syncs it.
    pub fn flush_due(&mut self, now: Instant) {
        while self.next_flush() <= now
            && let Some((_, place)) = self.flushes.pop_first()
        {
            let Some(partition) = self.at(place) else {
                continue;
            };
            partition.flush_at = None;
            // Of one that is being synced, what was written meanwhile is noted when that is done.
            if partition.sync.is_some() || partition.is_offline {
                continue;
            }
            if partition.log.flush_at().is_some_and(|at| at <= now) {
                self.sync_in_line(place);
            } else {
                // It was synced since, for another reason.
                self.await_flush(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
    use std::path::Path;
    use std::rc::Rc;
    use std::sync::Arc;

    const TOPIC_PARTITION: TopicPartition = TopicPartition {
        topic_id: Uuid([1; 16]),
        partition: PartitionIndex(0),
    };

    /// A core with one log, to which it appends at some times.
    struct Core {
        partitions: Partitions,
        /// When records are appended, in milliseconds, the last first.
        appends: Vec<i64>,
        /// When more of the log was durable, and up to where.
        synced: Rc<RefCell<Vec<(Instant, Offset)>>>,
    }

    impl Core {
        fn new(io: &Io<()>, flush_ms: i64, synced: &Rc<RefCell<Vec<(Instant, Offset)>>>) -> Core {
            let config = Arc::new(LogConfig {
                flush_ms,
                ..LogConfig::default()
            });
            let path = Path::new("/topic-0");
            let topic_id = TOPIC_PARTITION.topic_id;
            let log = Log::create(io.disk(), path, topic_id, config, io.now()).unwrap();
            let topic = Str::from("topic");
            let epoch = Some(LeaderEpoch(0));
            let mut partitions = Partitions::default();
            partitions.insert(Partition::new(TOPIC_PARTITION, topic, log, 0, epoch));
            Core {
                partitions,
                appends: vec![70, 10],
                synced: Rc::clone(synced),
            }
        }
    }

    impl Turn for Core {
        type Mail = ();

        fn turn(&mut self, io: &mut Io<()>) {
            let mut effects = TurnEffects::default();
            let now = io.now();
            while let Some(event) = io.next_event() {
                if let Event::Synced { token, result } = event {
                    self.partitions.on_synced(io, token, &result, &mut effects);
                }
            }
            let is_due = |at: &mut i64| Instant(0) + milliseconds(*at) <= now.instant;
            while self.appends.pop_if(is_due).is_some() {
                let mut builder = BatchBuilder::new(Offset(0));
                builder.append(Timestamp(1), None, Some(b"value"), &[]);
                let batch = RecordBatch::parse(builder.finish()).unwrap();
                let partition = self.partitions.get_mut(TOPIC_PARTITION).unwrap();
                partition.log.append(batch, LeaderEpoch(0), now).unwrap();
                self.partitions.mark_dirty(0);
            }
            self.partitions.write(io, &mut effects);
            self.partitions.flush_due(now.instant);
            self.partitions.sync_next(io);
            let partition = self.partitions.get_mut(TOPIC_PARTITION).unwrap();
            let durable = partition.log.synced_to();
            let mut synced = self.synced.borrow_mut();
            if synced.last().is_none_or(|(_, before)| *before < durable) {
                synced.push((now.instant, durable));
            }
            io.wake_at(self.partitions.next_flush());
            if let Some(next) = self.appends.last() {
                io.wake_at(Instant(0) + milliseconds(*next));
            }
        }

        fn is_stopped(&self) -> bool {
            false
        }
    }

    /// What was durable when, in a second of a log with this `flush.ms`.
    fn synced(flush_ms: i64) -> Vec<(Instant, Offset)> {
        let synced = Rc::new(RefCell::new(Vec::new()));
        let mut simulation = Simulation::new(1);
        let build = |io: &mut Io<()>| Ok(Core::new(io, flush_ms, &synced));
        simulation.start(1, build).unwrap();
        while simulation.step(Instant(0) + milliseconds(1000)) {}
        drop(simulation);
        synced.take()
    }

    #[test]
    fn a_log_is_synced_at_its_own_time() {
        let at = |ms| Instant(0) + milliseconds(ms);
        let found = synced(50);
        let [(_, Offset(0)), (first, Offset(1)), (second, Offset(2))] = found[..] else {
            panic!("{found:?}");
        };
        // The second was appended after the first sync, and waits as long after that.
        assert!(at(50) <= first && first < at(70), "{found:?}");
        assert!(first + milliseconds(50) <= second, "{found:?}");
        assert!(second < at(200), "{found:?}");
        // Longer than the second, and never.
        for flush_ms in [2000, i64::MAX] {
            let found = synced(flush_ms);
            assert!(matches!(found[..], [(_, Offset(0))]), "{found:?}");
        }
    }
}
