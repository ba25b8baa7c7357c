//! Logs that are written away from the turn, by the ring's workers, while a write may have to wait: one
//! write of a log at a time, and what is appended meanwhile goes with the next (group commit).

use super::partitions::{Partitions, TurnEffects, settle};
use crate::runtime::io::Io;
use std::io;

impl Partitions {
    /// Whether logs are being written away from the turn.
    #[must_use]
    pub fn are_writing(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Has what a log's queue holds written by the ring's workers.
    pub(super) fn write_away<M>(
        &mut self,
        io: &mut Io<M>,
        place: usize,
        effects: &mut TurnEffects,
    ) {
        let Some(partition) = self.at(place) else {
            return;
        };
        if partition.log.is_writing() {
            return; // a failed write of this turn had it noted twice
        }
        partition.is_dirty = false;
        if self.must_wait_for_room(io.disk(), io.now(), place) {
            return;
        }
        let partition = self.at(place).expect("it was there");
        let topic_partition = partition.topic_partition;
        match partition.log.begin_write(io.disk(), io.now()) {
            Ok(None) => {}
            Ok(Some(write)) => {
                let token = self.new_token();
                self.writes.insert(token, topic_partition);
                // Who searches for blocks while the device is busy waits for maps of what is free; the
                // kernel finds them by itself, when it writes back.
                let reserve = write.reserve.filter(|_| !io.writes_wait());
                io.write(write.file, write.position, write.parts, reserve, token);
            }
            Err(error) => {
                partition.note_failed_write(&error);
                settle(partition, effects);
            }
        }
        self.trim(io, place);
    }

    /// Gives back what was reserved for segments that were just rolled.
    pub(super) fn trim<M>(&mut self, io: &mut Io<M>, place: usize) {
        let Some(partition) = self.at(place) else {
            return;
        };
        for (file, bytes) in partition.log.take_trims() {
            io.trim(file, bytes);
        }
    }

    /// A write of the ring's workers has ended: what it wrote counts, and what was appended meanwhile
    /// is written in this turn. Where it failed, that is lost too: its offsets follow on what is lost.
    pub fn on_written<M>(
        &mut self,
        io: &mut Io<M>,
        token: u64,
        result: io::Result<()>,
        effects: &mut TurnEffects,
    ) {
        let Some(topic_partition) = self.writes.remove(&token) else {
            return;
        };
        let Some(place) = self.place(topic_partition) else {
            return;
        };
        let partition = self.at(place).expect("a place in the table is taken");
        match partition.log.end_write(io.disk(), result) {
            Ok(bytes) => io.note_written_away(bytes),
            Err(error) => {
                partition.is_dirty = false;
                partition.note_failed_write(&error);
            }
        }
        if !partition.is_offline {
            settle(partition, effects);
        }
        if partition.log.has_queued() && !partition.is_dirty {
            partition.is_dirty = true;
            self.dirty.push(place);
        }
        self.start_sync(io, place);
        self.await_flush(place);
        self.answer_rounds(effects);
    }

    /// Brings the recovery point of a log up to what is synced, after the file of its leader epochs.
    /// Answers whether there was anything to do.
    pub fn move_recovery_point<M>(&mut self, io: &mut Io<M>, place: usize) -> bool {
        let Some(partition) = self.at(place) else {
            return false;
        };
        if partition.is_offline || partition.are_epochs_pending {
            return false;
        }
        if let Some((path, content)) = partition.log.take_leader_epochs() {
            partition.are_epochs_pending = true;
            let topic_partition = partition.topic_partition;
            let token = self.new_token();
            self.epochs.insert(token, topic_partition);
            io.replace_file(&path, content, Some(token));
            return true;
        }
        let before = partition.log.recovery_point();
        match partition.log.checkpoint(io.disk()) {
            Ok(after) => before != after,
            Err(error) => {
                tracing::error!("{}: {error}", partition.name());
                true
            }
        }
    }

    /// The file of a log's leader epochs is replaced, or could not be.
    pub fn on_replaced<M>(&mut self, io: &mut Io<M>, token: u64, result: &io::Result<()>) {
        let topic_partition = self.epochs.remove(&token);
        let Some(place) = topic_partition.and_then(|it| self.place(it)) else {
            return;
        };
        let partition = self.at(place).expect("a place in the table is taken");
        partition.are_epochs_pending = false;
        if let Err(error) = result {
            tracing::error!(
                "{}: leader epochs were not written: {error}",
                partition.name()
            );
            partition.log.doubt_leader_epochs();
        } else {
            self.move_recovery_point(io, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::base::ids::{LeaderEpoch, Offset, PartitionIndex, TopicPartition};
    use crate::base::time::{Instant, Timestamp, milliseconds};
    use crate::base::uuid::Uuid;
    use crate::log::{Log, LogConfig};
    use crate::partition::work::{Answer, Origin, ProduceEntry, ProduceWork, RequestId, Work};
    use crate::partition::{Partition, Partitions, TurnEffects};
    use crate::protocol::errors::ErrorCode;
    use crate::protocol::string::Str;
    use crate::record::{BatchBuilder, RecordBatch};
    use crate::runtime::io::{Event, Io, Turn};
    use crate::runtime::simulated::drive::Simulation;
    use std::cell::RefCell;
    use std::path::Path;
    use std::rc::Rc;

    const TOPIC_PARTITION: TopicPartition = TopicPartition {
        topic_id: Uuid([1; 16]),
        partition: PartitionIndex(0),
    };

    /// A core that appends one record after the other, without waiting for answers.
    struct Core {
        partitions: Partitions,
        asked: u32,
        heard: Rc<RefCell<Vec<(u32, ErrorCode, Offset)>>>,
        /// Whether a turn began while a write was under way, and one record more was queued.
        has_gathered: Rc<RefCell<bool>>,
    }

    impl Core {
        fn ask(&mut self, io: &mut Io<()>, effects: &mut TurnEffects) {
            let mut builder = BatchBuilder::new(Offset(0));
            builder.append(Timestamp(1), None, Some(b"value"), &[]);
            let batch = RecordBatch::parse(builder.finish()).unwrap();
            let request = RequestId {
                index: self.asked,
                generation: 0,
            };
            self.asked += 1;
            let entry = ProduceEntry {
                at: 0,
                topic_partition: TOPIC_PARTITION,
                batch: Ok(batch),
            };
            let work = Work::Produce(ProduceWork {
                waits_for_replicas: true,
                entries: vec![entry],
            });
            let origin = Origin { core: 0, request };
            self.partitions.perform(io, origin, work, effects);
        }

        fn hear(&mut self, effects: TurnEffects) {
            for (origin, answer) in effects.answers {
                let Answer::Produce(answers) = answer else {
                    panic!("{answer:?}");
                };
                let (error, offset) = (answers[0].error, answers[0].base_offset);
                let index = origin.request.index;
                self.heard.borrow_mut().push((index, error, offset));
            }
        }
    }

    impl Turn for Core {
        type Mail = ();

        fn turn(&mut self, io: &mut Io<()>) {
            let mut effects = TurnEffects::default();
            while let Some(event) = io.next_event() {
                if let Event::Written { token, result } = event {
                    self.partitions.on_written(io, token, result, &mut effects);
                }
            }
            if self.asked < 20 {
                self.ask(io, &mut effects);
                io.turn_again();
            }
            self.partitions.write(io, &mut effects);
            let partition = self.partitions.get_mut(TOPIC_PARTITION).unwrap();
            let is_gathering = partition.log.is_writing() && partition.log.has_queued();
            *self.has_gathered.borrow_mut() |= is_gathering;
            // What was not written is not acknowledged.
            assert!(partition.high_watermark <= partition.log.log_end_offset());
            self.hear(effects);
        }

        fn is_stopped(&self) -> bool {
            false
        }
    }

    /// What is answered to twenty records, in the order of the answers; the disk may be full.
    fn answers(seed: u64, is_full: bool) -> (Vec<(u32, ErrorCode, Offset)>, bool) {
        let heard = Rc::new(RefCell::new(Vec::new()));
        let has_gathered = Rc::new(RefCell::new(false));
        let mut simulation = Simulation::new(seed);
        let build = |io: &mut Io<()>| {
            let path = Path::new("/topic-0");
            let id = TOPIC_PARTITION.topic_id;
            let log = Log::create(io.disk(), path, id, LogConfig::default(), io.now()).unwrap();
            let (topic, epoch) = (Str::from("topic"), Some(LeaderEpoch(0)));
            let mut partitions = Partitions::default();
            partitions.insert(Partition::new(TOPIC_PARTITION, topic, log, 0, epoch));
            Ok(Core {
                partitions,
                asked: 0,
                heard: Rc::clone(&heard),
                has_gathered: Rc::clone(&has_gathered),
            })
        };
        simulation.start(1, build).unwrap();
        simulation.disk().set_writes_are_slow(true);
        if is_full {
            simulation.disk().set_free_bytes(200);
        }
        while simulation.step(Instant(0) + milliseconds(1000)) {}
        drop(simulation);
        (heard.take(), has_gathered.take())
    }

    #[test]
    fn each_record_is_answered_when_it_is_written_and_in_order() {
        let mut gathered = 0;
        for seed in 0..20 {
            let (heard, has_gathered) = answers(seed, false);
            let wanted = (0..20).map(|index| (index, ErrorCode::NONE, Offset(i64::from(index))));
            assert_eq!(heard, wanted.collect::<Vec<_>>(), "seed {seed}");
            gathered += u32::from(has_gathered);
        }
        assert!(gathered > 10, "{gathered}");
    }

    #[test]
    fn what_a_failed_write_takes_with_it_is_answered_so() {
        for seed in 0..20 {
            let (heard, _) = answers(seed, true);
            assert_eq!(heard.len(), 20, "seed {seed}");
            let written = heard.iter().filter(|answer| answer.1 == ErrorCode::NONE);
            let offsets: Vec<Offset> = written.map(|answer| answer.2).collect();
            // 200 bytes are two of these batches.
            assert!((1..=2).contains(&offsets.len()), "seed {seed}: {heard:?}");
            assert_eq!(offsets[0], Offset(0));
            let is_lost =
                |answer: &&(u32, ErrorCode, Offset)| answer.1 == ErrorCode::KAFKA_STORAGE_ERROR;
            let lost = heard.iter().filter(is_lost).count();
            assert_eq!(lost + offsets.len(), 20, "seed {seed}: {heard:?}");
        }
    }
}
