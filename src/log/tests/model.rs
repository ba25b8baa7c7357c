//! Random operations, crashes and full disks, compared step by step with a list of batches.

use super::*;
use crate::base::convert::u64_from;
use crate::base::prng::Prng;
use crate::runtime::disk::OpenMode;
use std::collections::BTreeMap;

struct World {
    prng: Prng,
    disk: Disk,
    simulated: SimulatedDisk,
    config: LogConfig,
    log: Log,
    /// What was written, in order.
    written: Vec<BatchHeader>,
    /// What is queued, with the offsets it was given.
    queued: Vec<BatchHeader>,
    log_start_offset: Offset,
    /// What stands in the checkpoint file.
    recovery_point: Offset,
    sequences: BTreeMap<i64, i32>,
    end_offset: Offset,
    epoch: i32,
    clock: i64,
}

impl World {
    fn new(seed: u64) -> World {
        let mut prng = Prng::new(seed);
        let (disk, simulated) = disk();
        let config = LogConfig {
            segment_bytes: 700 + u32::try_from(prng.below(4000)).unwrap(),
            index_interval_bytes: u32::try_from(prng.below(500)).unwrap(),
            retention_ms: -1,
            retention_bytes: 4000,
            file_delete_delay_ms: 5,
            preallocate: prng.one_in(4),
            flush_messages: if prng.one_in(3) { 1 } else { i64::MAX },
            ..LogConfig::default()
        };
        let log = create(&disk, config.clone());
        World {
            prng,
            disk,
            simulated,
            config,
            log,
            written: Vec::new(),
            queued: Vec::new(),
            log_start_offset: Offset(0),
            recovery_point: Offset(0),
            sequences: BTreeMap::new(),
            end_offset: Offset(0),
            epoch: 0,
            clock: 1000,
        }
    }

    fn now(&mut self) -> Now {
        self.clock += self.prng.below(3).cast_signed();
        at(self.clock)
    }

    fn step(&mut self) {
        match self.prng.below(24) {
            0..=7 => self.append(),
            8..=12 => self.write(),
            13 => self.full_disk(),
            14 => {
                self.write();
                let now = self.now();
                self.log.roll(&self.disk, now).unwrap();
            }
            15 | 16 => self.sync(),
            17 => {
                let now = self.now();
                self.log.housekeeping(&self.disk, now).unwrap();
            }
            18 => self.delete_records(),
            19 => self.delete_old(),
            20 => self.truncate(),
            21 => self.stop_cleanly(),
            22 => self.crash(),
            _ => self.epoch += 1,
        }
        self.check();
    }

    fn append(&mut self) {
        for _ in 0..1 + self.prng.index(5) {
            let count = 1 + self.prng.index(3);
            let now = self.now();
            let id = self.prng.below(4).cast_signed();
            let batch = if id == 0 {
                let value_bytes = self.prng.index(150);
                batch(count, value_bytes, self.clock)
            } else {
                let sequence = self.sequences.get(&id).map_or(0, |last| last + 1);
                produced(id, 0, sequence, count)
            };
            let mut header = *batch.header();
            let epoch = LeaderEpoch(self.epoch);
            let appended = self.log.append(batch, epoch, now).unwrap();
            header.base_offset = appended.base_offset;
            header.partition_leader_epoch = epoch;
            assert_eq!(appended.last_offset, header.last_offset());
            self.queued.push(header);
            self.find_sequences();
        }
    }

    fn write(&mut self) {
        let now = self.now();
        let before = self.queued.len();
        let written = self.log.write(&self.disk, now).unwrap();
        assert_eq!(written.batches, before);
        self.written.append(&mut self.queued);
        self.note_end();
    }

    fn full_disk(&mut self) {
        self.append();
        let room = self.prng.below(1500);
        self.simulated.set_free_bytes(room);
        let now = self.now();
        let result = self.log.write(&self.disk, now);
        self.simulated.set_free_bytes(1 << 30);
        let end = self.log.log_end_offset();
        let queued = std::mem::take(&mut self.queued);
        let count = queued.len();
        let kept: Vec<_> = queued
            .into_iter()
            .filter(|header| header.base_offset < end)
            .collect();
        assert!(result.is_err() || kept.len() == count);
        self.written.extend(kept);
        self.note_end();
        self.find_sequences();
    }

    fn note_end(&mut self) {
        let last = self.written.last().map(BatchHeader::next_offset);
        self.end_offset = self.end_offset.max(last.unwrap_or(Offset(0)));
    }

    fn sync(&mut self) {
        self.log.unsynced(&self.disk).unwrap();
        let now = self.now();
        self.log.mark_synced(self.log.log_end_offset(), now);
        self.recovery_point = self.log.checkpoint(&self.disk).unwrap();
    }

    fn delete_records(&mut self) {
        self.write();
        let range = self.end_offset.0 - self.log_start_offset.0 + 1;
        let distance = self.prng.below(range.cast_unsigned()).cast_signed() / 3;
        let target = self.log_start_offset.plus(distance);
        self.log.delete_records_before(target);
        self.log_start_offset = target;
    }

    fn delete_old(&mut self) {
        self.write();
        let now = self.now();
        let high_watermark = self.end_offset;
        self.log
            .delete_old_segments(&self.disk, now, high_watermark)
            .unwrap();
        self.log_start_offset = self.log.log_start_offset();
    }

    fn truncate(&mut self) {
        if self.prng.one_in(2) {
            self.write();
        }
        let range = self.end_offset.0 - self.log_start_offset.0 + 2;
        let distance = self.prng.below(range.cast_unsigned()).cast_signed() / 4;
        let target = self.end_offset.plus(-distance).max(self.log_start_offset);
        let now = self.now();
        self.log.truncate_to(&self.disk, target, now).unwrap();
        self.queued.clear();
        self.written.retain(|header| header.last_offset() < target);
        self.end_offset = self.end_offset.min(target);
        self.recovery_point = self.recovery_point.min(self.log.recovery_point());
        self.find_sequences();
    }

    fn stop_cleanly(&mut self) {
        let now = self.now();
        self.written.append(&mut self.queued);
        self.note_end();
        self.log.close(&self.disk, now).unwrap();
        self.recovery_point = self.log.recovery_point();
        self.forget_gap();
        assert!(self.recovery_point <= self.end_offset);
        self.open(true);
    }

    fn crash(&mut self) {
        self.queued.clear();
        self.simulated.kill();
        if self.prng.one_in(2) {
            self.tear();
        }
        self.forget_gap();
        self.open(false);
    }

    /// After a truncation into a batch the end lies above the last one. Nothing but the name of a
    /// segment keeps that over a stop, as with Apache.
    fn forget_gap(&mut self) {
        let last = self.written.last().map(BatchHeader::next_offset);
        let base = self.log.segments().last().map(|it| it.base_offset);
        self.end_offset = last.unwrap_or(Offset(0)).max(base.unwrap());
    }

    /// Cuts the active segment anywhere above the recovery point, and perhaps adds garbage.
    fn tear(&mut self) {
        let active = self.log.segments().last().unwrap();
        let mut position = 0;
        let mut least = 0;
        for header in &self.written {
            if header.base_offset >= active.base_offset {
                position += header.batch_bytes();
                if header.base_offset < self.recovery_point {
                    least = position;
                }
            }
        }
        assert_eq!(u64_from(position), active.bytes);
        let name = format!("{:020}.log", active.base_offset.0);
        let path = Path::new(DIRECTORY).join(name);
        let file = self.disk.open(&path, OpenMode::Write).unwrap();
        let cut = least + self.prng.index(position - least + 1);
        let mut next = [0];
        file.read_at(u64_from(cut), &mut next).unwrap();
        file.set_len(u64_from(cut)).unwrap();
        if self.prng.one_in(2) {
            let mut garbage = vec![0; 1 + self.prng.index(200)];
            self.prng.fill(&mut garbage);
            // Garbage must not happen to be what was cut off.
            garbage[0] = !next[0];
            file.write_at(u64_from(cut), &garbage).unwrap();
        }
        let mut position = 0;
        self.written.retain(|header| {
            if header.base_offset < active.base_offset {
                return true;
            }
            position += header.batch_bytes();
            position <= cut
        });
    }

    fn open(&mut self, clean: bool) {
        let input = OpenInput {
            clean,
            recovery_point: self.recovery_point,
            log_start_offset: self.log_start_offset,
        };
        let (log, recovered) = Log::open(
            &self.disk,
            Path::new(DIRECTORY),
            self.config.clone(),
            input,
            at(self.clock),
        )
        .unwrap();
        assert!(!clean || recovered.segments_scanned == 0);
        self.log = log;
        if self.log.log_start_offset() > self.end_offset {
            self.end_offset = self.log.log_end_offset();
            self.written.clear();
        }
        self.recovery_point = self.recovery_point.min(self.end_offset);
        self.find_sequences();
    }

    fn find_sequences(&mut self) {
        self.sequences.clear();
        for header in self.written.iter().chain(&self.queued) {
            if header.has_producer_id() {
                self.sequences
                    .insert(header.producer_id.0, header.last_sequence().0);
            }
        }
        // What the log remembers of batches that were deleted is as good.
        for (id, producer) in self.log.producers().producers() {
            let last = producer.last_sequence().0;
            let known = self.sequences.entry(id.0).or_insert(last);
            assert_eq!(*known, last, "producer {id}");
        }
    }

    fn check(&mut self) {
        assert_eq!(self.log.log_end_offset(), self.end_offset);
        assert_eq!(self.log.log_start_offset(), self.log_start_offset);
        let next = self.queued.last().map(BatchHeader::next_offset);
        assert_eq!(self.log.next_offset(), next.unwrap_or(self.end_offset));
        let first = self.log.segments().next().unwrap().base_offset;
        self.written.retain(|header| header.base_offset >= first);
        let expected: Vec<BatchHeader> = self
            .written
            .iter()
            .filter(|header| header.last_offset() >= self.log_start_offset)
            .copied()
            .collect();
        let found: Vec<BatchHeader> = read_all(&self.disk, &self.log);
        assert_eq!(found, expected);
        for _ in 0..5 {
            let Some(wanted) = expected.get(self.prng.index(expected.len().max(1))) else {
                break;
            };
            let upper_index = self.prng.index(expected.len());
            let upper = expected[upper_index].next_offset();
            let bytes_max = self.prng.index(1000);
            let offset = wanted.last_offset();
            let slice = self
                .log
                .read(&self.disk, offset, bytes_max, upper, true)
                .unwrap();
            let found = headers(&slice);
            if upper <= offset {
                assert_eq!(slice.bytes, 0);
                continue;
            }
            assert_eq!(found[0], *wanted);
            assert!(found.iter().all(|header| header.next_offset() <= upper));
            assert!(slice.bytes <= bytes_max.max(wanted.batch_bytes()));
            if let Some(next) = slice.next_offset {
                assert!(next >= found[found.len() - 1].next_offset() && next <= upper);
            }
        }
        // Epochs: each batch's own is what the cache says of its offset.
        for header in &expected {
            let epoch = self.log.leader_epochs().epoch_of(header.last_offset());
            assert_eq!(epoch, Some(header.partition_leader_epoch));
        }
    }
}

#[test]
fn a_log_is_a_list_of_batches_whatever_happens() {
    for seed in 0..150 {
        let mut world = World::new(seed);
        for _ in 0..120 {
            world.step();
        }
    }
}
