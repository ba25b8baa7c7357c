//! Loading: a coordinator's log is replayed from its start, a slice per turn, before anything is
//! answered from it. Pages that are not in memory are asked for, never waited for.
//!
//! What belongs to a transaction counts when its COMMIT marker is met, and never without one: in the
//! logs that Apache Kafka wrote there may be offsets that were committed by transactions.

use super::machine::Machine;
use crate::base::ids::Offset;
use crate::base::limits::{
    COORDINATOR_BATCH_OPENED_BYTES_MAX, COORDINATOR_DAMAGE_NAMED_MAX,
    COORDINATOR_LOAD_BYTES_PER_TURN_MAX,
};
use crate::base::time::{Instant, Now};
use crate::log::{Log, ReadError, Slice};
use crate::record::control::ControlRecord;
use crate::record::{BatchError, OpenBatch, RecordBatch};
use crate::runtime::disk::{Disk, File, Resident};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How far a load has come.
pub enum Progress {
    /// There is more: in another turn.
    More,
    /// These pages are needed first.
    Cold {
        /// Of which file.
        file: Arc<File>,
        /// From which byte on.
        position: u64,
        /// How many.
        bytes: usize,
    },
    /// All of it is replayed.
    Done,
    /// It cannot be read now. Where it stopped, another step goes on.
    Failed,
}

/// A log on its way into a machine.
pub struct Loader {
    next: Offset,
    /// What is being read: filled up to `filled`.
    slice: Option<Slice>,
    buffer: Vec<u8>,
    filled: usize,
    transactions: Transactions,
    began: Instant,
    records: u64,
    bytes: u64,
    damaged: u64,
}

/// What open transactions have written: by producer and key, with the record's offset.
#[derive(Default)]
struct Transactions {
    open: BTreeMap<i64, BTreeMap<Bytes, (Offset, Option<Bytes>)>>,
}

impl Loader {
    /// Loads from `start` on.
    #[must_use]
    pub fn new(start: Offset, now: Now) -> Loader {
        Loader {
            next: start,
            slice: None,
            buffer: Vec::new(),
            filled: 0,
            transactions: Transactions::default(),
            began: now.instant,
            records: 0,
            bytes: 0,
            damaged: 0,
        }
    }

    /// Replays the next slice of the log. `name` is the partition's, for messages.
    pub fn step<M: Machine>(
        &mut self,
        disk: &Disk,
        log: &Log,
        now: Now,
        name: &str,
        machine: &mut M,
    ) -> Progress {
        let slice = match self.slice.take() {
            Some(slice) => slice,
            None => match self.find(disk, log) {
                Ok(Some(slice)) => {
                    self.filled = 0;
                    slice
                }
                Ok(None) => {
                    self.say_done(now, name);
                    return Progress::Done;
                }
                Err(ReadError::Cold {
                    file,
                    position,
                    bytes,
                }) => {
                    return Progress::Cold {
                        file,
                        position,
                        bytes,
                    };
                }
                Err(ReadError::OffsetOutOfRange { .. } | ReadError::Storage(_))
                    if self.next < log.log_start_offset() =>
                {
                    // Old segments went while we read.
                    self.next = log.log_start_offset();
                    return Progress::More;
                }
                Err(error) => {
                    tracing::error!("{name} cannot be loaded: {error}");
                    return Progress::Failed;
                }
            },
        };
        self.buffer.resize(slice.bytes, 0);
        while let Some(file) = &slice.file
            && self.filled < slice.bytes
        {
            let position = slice.position + crate::base::convert::u64_from(self.filled);
            match file.read_resident(position, &mut self.buffer[self.filled..]) {
                Ok(Resident::Read(0)) => {
                    tracing::error!("{name} cannot be loaded: its file ends at byte {position}");
                    return Progress::Failed;
                }
                Ok(Resident::Read(bytes)) => self.filled += bytes,
                Ok(Resident::Cold) => {
                    let (file, bytes) = (Arc::clone(file), slice.bytes - self.filled);
                    self.slice = Some(slice);
                    return Progress::Cold {
                        file,
                        position,
                        bytes,
                    };
                }
                Err(error) => {
                    tracing::error!("{name} cannot be loaded: {error}");
                    return Progress::Failed;
                }
            }
        }
        self.filled = 0;
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        self.replay_slice(&bytes, now, name, machine)
    }

    fn find(&self, disk: &Disk, log: &Log) -> Result<Option<Slice>, ReadError> {
        let end = log.log_end_offset();
        if self.next >= end {
            return Ok(None);
        }
        let bytes_max = COORDINATOR_LOAD_BYTES_PER_TURN_MAX;
        let slice = log.read(disk, self.next, bytes_max, end, true)?;
        Ok((slice.bytes > 0).then_some(slice))
    }

    /// Replays the whole batches at the beginning of `bytes`.
    fn replay_slice<M: Machine>(
        &mut self,
        bytes: &Bytes,
        now: Now,
        name: &str,
        machine: &mut M,
    ) -> Progress {
        let before = self.next;
        let mut rest = bytes.clone();
        loop {
            let (batch, tail) = match RecordBatch::split_first(rest) {
                Ok(split) => split,
                // The last batch of a slice may be cut off: it begins the next one.
                Err(BatchError::CutOff { .. }) => break,
                Err(error) => {
                    let at = self.next;
                    tracing::error!("{name} cannot be loaded beyond offset {at}: {error}");
                    return Progress::Failed;
                }
            };
            rest = tail;
            let next = batch.header().next_offset();
            // A slice may begin with a batch of which the first records were replayed already.
            if next > self.next {
                self.bytes += crate::base::convert::u64_from(batch.bytes().len());
                self.replay_batch(&batch, now, name, machine);
                self.next = next;
            }
        }
        if self.next == before {
            tracing::error!("{name} cannot be loaded beyond offset {before}: a batch is cut off");
            return Progress::Failed;
        }
        Progress::More
    }

    fn replay_batch<M: Machine>(
        &mut self,
        batch: &RecordBatch,
        now: Now,
        name: &str,
        machine: &mut M,
    ) {
        let base_offset = batch.header().base_offset;
        let opened = match batch.open(COORDINATOR_BATCH_OPENED_BYTES_MAX) {
            Ok(opened) => opened,
            Err(error) => {
                self.say_damaged(name, base_offset, &error);
                return;
            }
        };
        if let Err(error) = batch.check_crc() {
            self.name_groups::<M>(&opened, name, &error);
            return;
        }
        if batch.header().is_control() {
            self.replay_control(&opened, now, name, machine);
            return;
        }
        let is_transactional = batch.header().is_transactional();
        let producer_id = batch.header().producer_id.0;
        for record in &opened {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    self.say_damaged(name, base_offset, &error);
                    return;
                }
            };
            let Some(key) = record.key else { continue };
            let key = opened.record_bytes().slice_ref(key);
            let value = record
                .value
                .map(|value| opened.record_bytes().slice_ref(value));
            if is_transactional {
                self.transactions
                    .write(producer_id, record.offset, key, value);
            } else {
                self.transactions.supersede(record.offset, &key);
                self.replay_record(machine, now, name, record.offset, &key, value.as_ref());
            }
        }
    }

    fn replay_record<M: Machine>(
        &mut self,
        machine: &mut M,
        now: Now,
        name: &str,
        offset: Offset,
        key: &Bytes,
        value: Option<&Bytes>,
    ) {
        self.records += 1;
        match M::decode(key, value) {
            Ok(Some(record)) => machine.replay(now, record),
            Ok(None) => {}
            Err(damaged) => self.say_damaged(name, offset, &damaged),
        }
    }

    /// A marker ends its producer's transaction.
    fn replay_control<M: Machine>(
        &mut self,
        opened: &OpenBatch,
        now: Now,
        name: &str,
        machine: &mut M,
    ) {
        let producer_id = opened.header().producer_id.0;
        for record in opened.iter().flatten() {
            match ControlRecord::read(&record) {
                Ok(ControlRecord::Commit { .. }) => {
                    for (key, (offset, value)) in self.transactions.end(producer_id) {
                        self.transactions.supersede(offset, &key);
                        self.replay_record(machine, now, name, offset, &key, value.as_ref());
                    }
                }
                Ok(ControlRecord::Abort { .. }) => {
                    self.transactions.end(producer_id);
                }
                Ok(
                    ControlRecord::LeaderChange(_)
                    | ControlRecord::SnapshotHeader { .. }
                    | ControlRecord::SnapshotFooter
                    | ControlRecord::KRaftVersion(_)
                    | ControlRecord::KRaftVoters(_)
                    | ControlRecord::Unknown(_),
                ) => {}
                Err(error) => self.say_damaged(name, record.offset, &error),
            }
        }
    }

    /// A batch whose checksum is wrong is not believed; whose it is, as far as it says, is named.
    fn name_groups<M: Machine>(&mut self, opened: &OpenBatch, name: &str, error: &BatchError) {
        for record in opened.iter().flatten() {
            let Some(key) = record.key else { continue };
            let key = opened.record_bytes().slice_ref(key);
            match M::owner(&key) {
                Some(owner) => {
                    let what = format!("a record of group {owner} cannot be believed: {error}");
                    self.say_damaged(name, record.offset, &what);
                }
                None => self.say_damaged(name, record.offset, error),
            }
        }
    }

    fn say_damaged(&mut self, name: &str, offset: Offset, what: &dyn fmt::Display) {
        self.damaged += 1;
        if self.damaged <= COORDINATOR_DAMAGE_NAMED_MAX {
            tracing::warn!(
                "{name}, offset {offset}: {what}; it is passed over, the rest is loaded"
            );
        }
    }

    fn say_done(&self, now: Now, name: &str) {
        let open = self.transactions.open.len();
        if self.records > 0 || self.damaged > 0 {
            tracing::info!(
                records = self.records,
                bytes = self.bytes,
                damaged = self.damaged,
                open_transactions = open,
                took = ?now.instant.since(self.began),
                "{name} is loaded"
            );
        }
    }
}

impl Transactions {
    fn write(&mut self, producer_id: i64, offset: Offset, key: Bytes, value: Option<Bytes>) {
        self.open
            .entry(producer_id)
            .or_default()
            .insert(key, (offset, value));
    }

    /// What was written for a key later, outside of the transaction, stays when that is committed.
    fn supersede(&mut self, offset: Offset, key: &Bytes) {
        for written in self.open.values_mut() {
            if written.get(key).is_some_and(|(own, _)| *own < offset) {
                written.remove(key);
            }
        }
    }

    fn end(&mut self, producer_id: i64) -> BTreeMap<Bytes, (Offset, Option<Bytes>)> {
        self.open.remove(&producer_id).unwrap_or_default()
    }
}
