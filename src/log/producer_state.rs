//! What each idempotent producer wrote last to one partition: so that what it sends again is
//! answered and not appended again, and so that a gap in its sequence is refused.
//!
//! The state runs ahead of the disk by the batches that are queued: each of their changes is
//! noted, and taken back where the write fails. KIP-98, KIP-360, `ProducerStateManager` and
//! `ProducerAppendInfo` of Apache Kafka.

use crate::base::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::limits::PRODUCERS_PER_PARTITION_MAX;
use crate::base::time::Timestamp;
use crate::log::error::AppendError;
use crate::record::batch::{BatchHeader, HEADER_BYTES};
use crate::record::iterate::Records;
use std::collections::{BTreeMap, VecDeque};

/// Batches that are remembered of each producer: a client has at most so many in flight.
pub const BATCHES_REMEMBERED: usize = 5;

/// A batch that a producer wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProducedBatch {
    /// Sequence of its last record, or none.
    pub last_sequence: Sequence,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// Last offset - first offset.
    pub offset_delta: i32,
    /// Its maximum timestamp.
    pub timestamp: Timestamp,
}

/// What is known of one producer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Producer {
    /// Its newest epoch.
    pub epoch: ProducerEpoch,
    /// Epoch of the transaction coordinator that wrote its last marker, or -1.
    pub coordinator_epoch: i32,
    /// When it last wrote.
    pub last_timestamp: Timestamp,
    /// Where its open transaction began.
    pub current_transaction_first_offset: Option<Offset>,
    /// Its last batches of this epoch, oldest first.
    batches: [Option<ProducedBatch>; BATCHES_REMEMBERED],
}

/// The record of a transaction marker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndTransactionMarker {
    /// The transaction was aborted, not committed.
    pub is_abort: bool,
    /// Epoch of the coordinator that wrote it.
    pub coordinator_epoch: i32,
    /// When.
    pub timestamp: Timestamp,
}

/// A transaction that a marker ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CompletedTransaction {
    /// Whose.
    pub producer_id: ProducerId,
    /// Where it began.
    pub first_offset: Offset,
    /// Offset of the marker.
    pub last_offset: Offset,
    /// It was aborted.
    pub is_aborted: bool,
    /// The first offset of the next open transaction, or the one after the marker.
    pub last_stable_offset: Offset,
}

/// Who appends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A client or a coordinator, through the leader: everything is checked.
    Leader,
    /// The leader's log, or this log in recovery: it was checked when the leader appended it.
    Replication,
}

/// A change that a failed write takes back.
#[derive(Debug)]
struct Undo {
    base_offset: Offset,
    producer_id: ProducerId,
    previous: Option<Producer>,
}

/// All producers of one partition.
#[derive(Debug, Default)]
pub struct ProducerState {
    // A client chooses its producer id: no choice degrades a tree.
    producers: BTreeMap<ProducerId, Box<Producer>>,
    /// Open transactions by their first offset.
    open: BTreeMap<Offset, ProducerId>,
    /// Ended transactions, first to last offset, whose marker may lie above the high watermark.
    unreplicated: BTreeMap<Offset, Offset>,
    journal: Vec<Undo>,
    /// Producers of whom nothing was ever written because the write of their first batch failed: the
    /// epoch and first sequence of that batch. It comes again, and what its producer sent right
    /// after it must not be taken before it. Bounded as `producers` is.
    taken_back: BTreeMap<ProducerId, (ProducerEpoch, Sequence)>,
}

impl Producer {
    fn new(epoch: ProducerEpoch) -> Producer {
        Producer {
            epoch,
            coordinator_epoch: -1,
            last_timestamp: Timestamp::NONE,
            current_transaction_first_offset: None,
            batches: [None; BATCHES_REMEMBERED],
        }
    }

    /// A producer as a snapshot remembers it.
    #[must_use]
    pub fn restored(
        epoch: ProducerEpoch,
        coordinator_epoch: i32,
        last_timestamp: Timestamp,
        current_transaction_first_offset: Option<Offset>,
        last_batch: Option<ProducedBatch>,
    ) -> Producer {
        let mut producer = Producer {
            epoch,
            coordinator_epoch,
            last_timestamp,
            current_transaction_first_offset,
            batches: [None; BATCHES_REMEMBERED],
        };
        producer.batches[0] = last_batch;
        producer
    }

    /// Its remembered batches, oldest first.
    pub fn batches(&self) -> impl DoubleEndedIterator<Item = &ProducedBatch> {
        self.batches.iter().flatten()
    }

    /// Its last batch.
    #[must_use]
    pub fn last_batch(&self) -> Option<&ProducedBatch> {
        self.batches().next_back()
    }

    /// The sequence of its last record, or none.
    #[must_use]
    pub fn last_sequence(&self) -> Sequence {
        self.last_batch()
            .map_or(Sequence::NONE, |batch| batch.last_sequence)
    }

    fn set_epoch(&mut self, epoch: ProducerEpoch) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.batches = [None; BATCHES_REMEMBERED];
        }
    }

    fn add_batch(&mut self, batch: ProducedBatch) {
        if let Some(free) = self.batches.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(batch);
        } else {
            self.batches.rotate_left(1);
            self.batches[BATCHES_REMEMBERED - 1] = Some(batch);
        }
        self.last_timestamp = batch.timestamp;
    }

    /// The oldest batch that is remembered.
    fn oldest(&self) -> Option<ProducedBatch> {
        self.batches[0]
    }

    /// Whether it has written, in this epoch, before the batches that are remembered.
    fn lacks_batches(&self) -> bool {
        let is_full = self.batches.iter().all(Option::is_some);
        let oldest = self.oldest();
        !is_full && oldest.is_some_and(|oldest| oldest.first_sequence() > Sequence(0))
    }

    /// Puts older batches, oldest first, before those that are remembered: as many as lead up to
    /// them without a gap, and as there is room for.
    fn add_older(&mut self, mut older: VecDeque<ProducedBatch>) {
        while self.lacks_batches()
            && let Some(before) = older.pop_back()
            && let Some(oldest) = self.oldest()
        {
            let leads_up = before.last_sequence.plus(1) == oldest.first_sequence()
                && before.last_offset < oldest.last_offset;
            if !leads_up {
                return;
            }
            self.batches.rotate_right(1);
            self.batches[0] = Some(before);
        }
    }

    fn find(&self, header: &BatchHeader) -> Option<&ProducedBatch> {
        if header.producer_epoch != self.epoch {
            return None;
        }
        self.batches().find(|batch| {
            batch.last_sequence == header.last_sequence()
                && batch.offset_delta == header.last_offset_delta
        })
    }
}

impl ProducedBatch {
    /// Sequence of its first record, or none.
    fn first_sequence(&self) -> Sequence {
        if self.last_sequence < Sequence(0) || self.offset_delta < 0 {
            return Sequence::NONE;
        }
        match self.last_sequence.0 - self.offset_delta {
            first if first >= 0 => Sequence(first),
            // It has wrapped from i32::MAX to 0 within the batch.
            below => Sequence(i32::MAX).plus(below + 1),
        }
    }
}

impl EndTransactionMarker {
    /// The marker in a control batch, or `None` where compaction has emptied the batch.
    ///
    /// ```text
    /// key   0 version i16 | 2 type i16 (0 abort, 1 commit)
    /// value 0 version i16 | 2 coordinatorEpoch i32
    /// ```
    ///
    /// # Errors
    /// Says what is wrong with the record.
    pub fn read(
        header: &BatchHeader,
        batch: &[u8],
    ) -> Result<Option<EndTransactionMarker>, &'static str> {
        if header.record_count == 0 {
            return Ok(None);
        }
        let records = batch
            .get(HEADER_BYTES..)
            .ok_or("a batch shorter than its header")?;
        let record = match Records::new(header, records).next() {
            Some(Ok(record)) => record,
            Some(Err(_)) | None => return Err("a control record that cannot be read"),
        };
        let key = record.key.and_then(|key| key.first_chunk::<4>());
        let Some(&[_, _, high, low]) = key else {
            return Err("a control record without a type");
        };
        let is_abort = match i16::from_be_bytes([high, low]) {
            0 => true,
            1 => false,
            _ => return Err("a control record of a producer that is no transaction marker"),
        };
        let value = record.value.and_then(|value| value.first_chunk::<6>());
        let Some(&[_, _, a, b, c, d]) = value else {
            return Err("a transaction marker without a coordinator epoch");
        };
        Ok(Some(EndTransactionMarker {
            is_abort,
            coordinator_epoch: i32::from_be_bytes([a, b, c, d]),
            timestamp: record.timestamp,
        }))
    }
}

impl ProducerState {
    /// The batch of that header, where its producer wrote it before.
    #[must_use]
    pub fn find_duplicate(&self, header: &BatchHeader) -> Option<&ProducedBatch> {
        if !header.has_producer_id() || header.is_control() || header.base_sequence.0 < 0 {
            return None;
        }
        self.producers.get(&header.producer_id)?.find(header)
    }

    /// Takes a batch of a producer into account, which will have that base offset. `batch` is
    /// read only where it is a control batch.
    ///
    /// # Errors
    /// As [`AppendError`] says; nothing has changed then.
    pub fn append(
        &mut self,
        origin: Origin,
        header: &BatchHeader,
        base_offset: Offset,
        batch: &[u8],
    ) -> Result<Option<CompletedTransaction>, AppendError> {
        if !header.has_producer_id() {
            return Ok(None);
        }
        let producer_id = header.producer_id;
        let previous = self.producers.get(&producer_id).map(|known| &**known);
        let mut producer = match previous {
            Some(known) => known.clone(),
            None => Producer::new(header.producer_epoch),
        };
        let mut completed = None;
        if header.is_control() {
            let marker = EndTransactionMarker::read(header, batch)
                .map_err(|why| AppendError::Corrupt { why })?;
            let Some(marker) = marker else {
                return Ok(None);
            };
            if origin == Origin::Leader {
                check_epoch(producer_id, previous, header.producer_epoch)?;
                check_coordinator(producer_id, previous, marker.coordinator_epoch)?;
            }
            if let Some(first_offset) = producer.current_transaction_first_offset.take() {
                completed = Some((first_offset, marker.is_abort));
            }
            producer.set_epoch(header.producer_epoch);
            producer.coordinator_epoch = marker.coordinator_epoch;
            producer.last_timestamp = marker.timestamp;
        } else {
            if origin == Origin::Leader {
                check_epoch(producer_id, previous, header.producer_epoch)?;
                if header.base_sequence.0 >= 0 {
                    check_sequence(producer_id, previous, header)?;
                    if previous.is_none() {
                        self.check_taken_back(header)?;
                    }
                }
                if producer.current_transaction_first_offset.is_some() && !header.is_transactional()
                {
                    return Err(AppendError::InvalidTransactionState { producer_id });
                }
            }
            producer.set_epoch(header.producer_epoch);
            producer.add_batch(ProducedBatch {
                last_sequence: header.last_sequence(),
                last_offset: base_offset.plus(i64::from(header.last_offset_delta)),
                offset_delta: header.last_offset_delta,
                timestamp: header.max_timestamp,
            });
            if header.is_transactional() && producer.current_transaction_first_offset.is_none() {
                producer.current_transaction_first_offset = Some(base_offset);
                self.open.insert(base_offset, producer_id);
            }
        }
        self.replace(base_offset, producer_id, producer);
        let last_offset = base_offset.plus(i64::from(header.last_offset_delta));
        Ok(completed.map(|(first_offset, is_aborted)| {
            self.open.remove(&first_offset);
            self.unreplicated.insert(first_offset, last_offset);
            let next_open = self.open.keys().next().copied();
            CompletedTransaction {
                producer_id,
                first_offset,
                last_offset,
                is_aborted,
                last_stable_offset: next_open.unwrap_or(last_offset.next()),
            }
        }))
    }

    fn replace(&mut self, base_offset: Offset, producer_id: ProducerId, producer: Producer) {
        let previous = match self.producers.get_mut(&producer_id) {
            Some(known) => Some(std::mem::replace(&mut **known, producer)),
            None => {
                if self.producers.len() >= PRODUCERS_PER_PARTITION_MAX {
                    self.forget_oldest();
                }
                self.producers.insert(producer_id, Box::new(producer));
                None
            }
        };
        self.journal.push(Undo {
            base_offset,
            producer_id,
            previous,
        });
    }

    /// Makes room by forgetting the eighth that wrote least recently.
    fn forget_oldest(&mut self) {
        let mut timestamps: Vec<Timestamp> = self.idle().map(|(_, time)| time).collect();
        let keep_from = timestamps.len() / 8;
        if timestamps.is_empty() {
            return;
        }
        let (_, &mut oldest_kept, _) = timestamps.select_nth_unstable(keep_from);
        self.forget(|_, time| time <= oldest_kept);
    }

    fn idle(&self) -> impl Iterator<Item = (ProducerId, Timestamp)> {
        self.producers
            .iter()
            .filter(|(_, producer)| producer.current_transaction_first_offset.is_none())
            .map(|(&id, producer)| (id, producer.last_timestamp))
    }

    fn forget(&mut self, is_forgotten: impl Fn(ProducerId, Timestamp) -> bool) {
        self.producers.retain(|&id, producer| {
            producer.current_transaction_first_offset.is_some()
                || !is_forgotten(id, producer.last_timestamp)
        });
    }

    /// Forgets producers without an open transaction that have not written for so long.
    pub fn expire(&mut self, now: Timestamp, expiration_ms: i64) {
        if self.journal.is_empty() {
            self.forget(|_, last| now.0.saturating_sub(last.0) >= expiration_ms);
        }
    }

    /// What was queued below `offset` has been written: it is not taken back any more.
    pub fn commit_below(&mut self, offset: Offset) {
        let written = self
            .journal
            .partition_point(|undo| undo.base_offset < offset);
        self.journal.drain(..written);
        if self.journal.capacity() > 64 {
            self.journal.shrink_to(8);
        }
    }

    /// What was queued from `offset` on was not written: takes it back.
    pub fn roll_back_from(&mut self, offset: Offset) {
        while self
            .journal
            .last()
            .is_some_and(|undo| undo.base_offset >= offset)
        {
            let undo = self.journal.pop().expect("it was just looked at");
            match undo.previous {
                Some(previous) => self.producers.insert(undo.producer_id, Box::new(previous)),
                None => {
                    let first = self.producers.remove(&undo.producer_id);
                    self.wait_for(undo.producer_id, first.as_deref());
                    first
                }
            };
        }
        self.unreplicated.retain(|_, last| *last < offset);
        self.find_open();
    }

    /// The first batch of a producer was taken back.
    fn wait_for(&mut self, producer_id: ProducerId, taken_back: Option<&Producer>) {
        let Some((producer, batch)) = taken_back
            .and_then(|producer| Some((producer, producer.last_batch()?)))
            .filter(|(_, batch)| batch.last_sequence.0 >= 0)
        else {
            return;
        };
        if self.taken_back.len() < PRODUCERS_PER_PARTITION_MAX {
            let first = Sequence(batch.last_sequence.0.saturating_sub(batch.offset_delta));
            self.taken_back.insert(producer_id, (producer.epoch, first));
        }
    }

    /// A producer of whom nothing stands here: its first batch was taken back, or there was none.
    fn check_taken_back(&mut self, header: &BatchHeader) -> Result<(), AppendError> {
        let producer_id = header.producer_id;
        match self.taken_back.get(&producer_id) {
            Some(&(epoch, first))
                if epoch == header.producer_epoch && first != header.base_sequence =>
            {
                Err(AppendError::OutOfOrderSequence {
                    producer_id,
                    last_sequence: Sequence::NONE,
                    sequence: header.base_sequence,
                })
            }
            Some(_) => {
                self.taken_back.remove(&producer_id);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn find_open(&mut self) {
        self.open = self
            .producers
            .iter()
            .filter_map(|(&id, producer)| Some((producer.current_transaction_first_offset?, id)))
            .collect();
    }

    /// The producers as of `offset`: without what was queued from there on.
    #[must_use]
    pub fn as_of(&self, offset: Offset) -> Vec<(ProducerId, &Producer)> {
        let mut earlier: BTreeMap<ProducerId, Option<&Producer>> = BTreeMap::new();
        for undo in &self.journal {
            if undo.base_offset >= offset {
                earlier
                    .entry(undo.producer_id)
                    .or_insert(undo.previous.as_ref());
            }
        }
        self.producers
            .iter()
            .filter_map(|(&id, producer)| match earlier.get(&id) {
                None => Some((id, &**producer)),
                Some(previous) => previous.map(|previous| (id, previous)),
            })
            .collect()
    }

    /// Whether any producer has written, above `log_start_offset`, before the batches that are
    /// remembered of it.
    #[must_use]
    pub fn lacks_batches_from(&self, log_start_offset: Offset) -> bool {
        self.producers.values().any(|producer| {
            let oldest = producer.batches().next();
            producer.lacks_batches()
                && oldest.is_some_and(|oldest| oldest.last_offset > log_start_offset)
        })
    }

    /// Puts batches that a producer wrote before those that are remembered, oldest first, before
    /// them, where they lead up to them without a gap.
    pub fn remember_older(&mut self, producer_id: ProducerId, older: VecDeque<ProducedBatch>) {
        if let Some(producer) = self.producers.get_mut(&producer_id) {
            producer.add_older(older);
        }
    }

    /// Takes over what a snapshot remembers.
    pub fn restore(&mut self, producers: Vec<(ProducerId, Producer)>) {
        self.producers = producers
            .into_iter()
            .map(|(id, producer)| (id, Box::new(producer)))
            .collect();
        self.unreplicated.clear();
        self.journal.clear();
        self.taken_back.clear();
        self.find_open();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = ProducerState::default();
    }

    /// No producer is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// All producers, for DescribeProducers.
    pub fn producers(&self) -> impl Iterator<Item = (ProducerId, &Producer)> {
        self.producers
            .iter()
            .map(|(&id, producer)| (id, &**producer))
    }

    /// What is known of one producer.
    #[must_use]
    pub fn producer(&self, producer_id: ProducerId) -> Option<&Producer> {
        self.producers.get(&producer_id).map(|producer| &**producer)
    }

    /// The first offset that is not decided at this high watermark: of an open transaction, or of
    /// one whose marker is not below it.
    #[must_use]
    pub fn first_unstable_offset(&self, high_watermark: Offset) -> Option<Offset> {
        let open = self.open.keys().next().copied();
        let unreplicated = self
            .unreplicated
            .iter()
            .find(|(_, last)| **last >= high_watermark)
            .map(|(&first, _)| first);
        match (open, unreplicated) {
            (Some(open), Some(unreplicated)) => Some(open.min(unreplicated)),
            (open, unreplicated) => open.or(unreplicated),
        }
    }

    /// Forgets ended transactions whose markers lie below the high watermark.
    pub fn update_high_watermark(&mut self, high_watermark: Offset) {
        if !self.unreplicated.is_empty() {
            self.unreplicated.retain(|_, last| *last >= high_watermark);
        }
    }
}

// KIP-98: a fenced epoch is refused.
fn check_epoch(
    producer_id: ProducerId,
    known: Option<&Producer>,
    epoch: ProducerEpoch,
) -> Result<(), AppendError> {
    match known {
        Some(known) if epoch < known.epoch => Err(AppendError::InvalidProducerEpoch {
            producer_id,
            current: known.epoch,
            epoch,
        }),
        Some(_) | None => Ok(()),
    }
}

fn check_coordinator(
    producer_id: ProducerId,
    known: Option<&Producer>,
    epoch: i32,
) -> Result<(), AppendError> {
    match known {
        Some(known) if known.coordinator_epoch > epoch => Err(AppendError::CoordinatorFenced {
            producer_id,
            current: known.coordinator_epoch,
            epoch,
        }),
        Some(_) | None => Ok(()),
    }
}

fn check_sequence(
    producer_id: ProducerId,
    known: Option<&Producer>,
    header: &BatchHeader,
) -> Result<(), AppendError> {
    // KIP-360: a producer that the log has forgotten (retention, DeleteRecords) may go on with
    // any sequence; within an epoch that is new to the log it has to start from 0.
    let Some(known) = known.filter(|known| known.epoch != ProducerEpoch::NONE) else {
        return Ok(());
    };
    let last_sequence = if header.producer_epoch == known.epoch {
        known.last_sequence()
    } else {
        Sequence::NONE
    };
    let follows = match last_sequence {
        Sequence::NONE => header.base_sequence == Sequence(0),
        last => header.base_sequence == last.plus(1),
    };
    if follows {
        return Ok(());
    }
    Err(AppendError::OutOfOrderSequence {
        producer_id,
        last_sequence,
        sequence: header.base_sequence,
    })
}
