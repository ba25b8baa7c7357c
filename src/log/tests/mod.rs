//! Tests of the log as a whole, on the simulated disk.

mod away;
mod basics;
mod crash;
mod decoders;
mod model;
mod producers;
mod retention;
mod zeros;

use crate::base::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::time::{Instant, Now, Timestamp, milliseconds};
use crate::base::uuid::Uuid;
use crate::log::{Log, LogConfig, OpenInput, Slice};
use crate::record::{BatchBuilder, BatchHeader, RecordBatch};
use crate::runtime::disk::Disk;
use crate::runtime::simulated::disk::SimulatedDisk;
use std::path::Path;

pub const DIRECTORY: &str = "/data/orders-0";
pub const TOPIC_ID: Uuid = Uuid([7; 16]);
pub const EPOCH: LeaderEpoch = LeaderEpoch(3);

pub fn at(ms: i64) -> Now {
    Now {
        instant: Instant(0) + milliseconds(ms),
        timestamp: Timestamp(ms),
    }
}

pub fn disk() -> (Disk, SimulatedDisk) {
    let simulated = SimulatedDisk::new();
    (Disk::Simulated(simulated.clone()), simulated)
}

pub fn create(disk: &Disk, config: LogConfig) -> Log {
    Log::create(disk, Path::new(DIRECTORY), TOPIC_ID, config, at(1000)).unwrap()
}

pub fn open(disk: &Disk, config: LogConfig, clean: bool, recovery_point: Offset) -> Log {
    let input = OpenInput {
        clean,
        recovery_point,
        log_start_offset: Offset(0),
    };
    Log::open(disk, Path::new(DIRECTORY), config, input, at(2000))
        .unwrap()
        .0
}

/// A batch of `count` records with values of `value_bytes`, all at one time.
pub fn batch(count: usize, value_bytes: usize, timestamp: i64) -> RecordBatch {
    let mut builder = BatchBuilder::new(Offset(0));
    let value = vec![b'v'; value_bytes];
    for _ in 0..count {
        builder.append(Timestamp(timestamp), Some(b"key"), Some(&value), &[]);
    }
    RecordBatch::parse(builder.finish()).unwrap()
}

/// A batch of an idempotent producer.
pub fn produced(id: i64, epoch: i16, sequence: i32, count: usize) -> RecordBatch {
    let mut builder = BatchBuilder::new(Offset(0)).producer(
        ProducerId(id),
        ProducerEpoch(epoch),
        Sequence(sequence),
    );
    for _ in 0..count {
        builder.append(Timestamp(1000), None, Some(b"value"), &[]);
    }
    RecordBatch::parse(builder.finish()).unwrap()
}

/// The headers of the whole batches in a slice.
pub fn headers(slice: &Slice) -> Vec<BatchHeader> {
    let mut bytes = vec![0; slice.bytes];
    if let Some(file) = &slice.file {
        let read = file.read_at(slice.position, &mut bytes);
        assert_eq!(read.unwrap(), slice.bytes);
    }
    let mut rest = &bytes[..];
    let mut found = Vec::new();
    while let Ok(header) = BatchHeader::read(rest) {
        if header.batch_bytes() > rest.len() {
            break;
        }
        found.push(header);
        rest = &rest[header.batch_bytes()..];
    }
    found
}

/// Every batch of a log, checked: offsets rise, checksums are right.
pub fn read_all(disk: &Disk, log: &Log) -> Vec<BatchHeader> {
    let mut found: Vec<BatchHeader> = Vec::new();
    let mut offset = log.log_start_offset();
    while offset < log.log_end_offset() {
        let slice = log
            .read_waiting(disk, offset, 1 << 20, log.log_end_offset(), true)
            .unwrap();
        let batches = headers(&slice);
        let Some(last) = batches.last() else { break };
        offset = last.next_offset();
        found.extend(batches);
    }
    assert!(found.is_sorted_by_key(|header| header.base_offset));
    found
}
