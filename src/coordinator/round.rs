//! What one round of commands makes: batches of records, each with the replies that rest on it.

use super::machine::{Machine, Step};
use crate::base::convert::{usize_from, usize_from_u32};
use crate::base::ids::{Offset, TopicPartition};
use crate::base::time::Now;
use crate::partition::work::Origin;
use crate::partition::{Partition, Partitions};
use crate::protocol::errors::ErrorCode;
use crate::record::batch::HEADER_BYTES;
use crate::record::{BatchBuilder, Compression, RecordBatch};
use bytes::Bytes;

/// Bytes that a record takes beside its key and value, at most: five lengths and deltas as varints,
/// its attributes, and no headers.
const RECORD_OVERHEAD_BYTES: usize = 40;

/// A command that nobody waits for, to be done again should its records not be written.
#[derive(Clone)]
pub enum Again<C> {
    /// What follows on loading.
    Loaded,
    /// A timer, or a change of metadata.
    Command(Box<C>),
}

/// What a step made, until it is known whether it was written.
pub struct Unit<M: Machine> {
    /// To be replayed.
    pub records: Vec<M::Record>,
    /// To be sent.
    pub replies: Vec<(Origin, M::Reply)>,
    /// To be done again where it was not.
    pub again: Option<Again<M::Command>>,
}

/// The steps of one batch.
pub struct Written<M: Machine> {
    /// The offset after the batch, or why it was not appended.
    pub appended: Result<Offset, ErrorCode>,
    /// The steps.
    pub units: Vec<Unit<M>>,
}

/// A round that is being made: batches are appended as they fill.
pub struct Round<'p, M: Machine> {
    partitions: &'p mut Partitions,
    topic_partition: TopicPartition,
    now: Now,
    batch_bytes_max: usize,
    compression: Compression,
    /// The batch that is being filled: most rounds only read, and have none.
    builder: Option<BatchBuilder>,
    units: Vec<Unit<M>>,
    written: Vec<Written<M>>,
}

impl<'p, M: Machine> Round<'p, M> {
    /// An empty round; `None` where the partition is not here.
    pub fn new(
        partitions: &'p mut Partitions,
        topic_partition: TopicPartition,
        now: Now,
        compression: Compression,
    ) -> Option<Round<'p, M>> {
        let batch_bytes_max = batch_bytes_max(partitions.get_mut(topic_partition)?);
        Some(Round {
            partitions,
            topic_partition,
            now,
            batch_bytes_max,
            compression,
            builder: None,
            units: Vec::new(),
            written: Vec::new(),
        })
    }

    /// Adds a step that has records. They stand in one batch, or nowhere.
    pub fn push(&mut self, step: Step<M>, again: Option<Again<M::Command>>) {
        let unit = Unit {
            records: step.records,
            replies: step.replies,
            again,
        };
        let encoded = match encode::<M>(&unit.records) {
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::error!("a coordinator's record cannot be written: {error}");
                return self.refuse(unit, ErrorCode::UNKNOWN_SERVER_ERROR);
            }
        };
        let bytes: usize = encoded.iter().map(record_bytes).sum();
        if HEADER_BYTES + bytes > self.batch_bytes_max {
            return self.refuse(unit, ErrorCode::MESSAGE_TOO_LARGE);
        }
        let filled = self.builder.as_ref().map_or(0, BatchBuilder::bytes_len);
        if filled + bytes > self.batch_bytes_max {
            self.flush();
        }
        let (timestamp, compression) = (self.now.timestamp, self.compression);
        let builder = self
            .builder
            .get_or_insert_with(|| BatchBuilder::new(Offset(0)).compression(compression));
        for (key, value) in &encoded {
            builder.append(timestamp, Some(&key[..]), value.as_deref(), &[]);
        }
        self.units.push(unit);
    }

    /// Whether any record waits to be written.
    pub fn has_records(&self) -> bool {
        !self.units.is_empty() || !self.written.is_empty()
    }

    /// Appends what is left. What was appended counts after the turn's write, or not at all.
    pub fn finish(mut self) -> Vec<Written<M>> {
        self.flush();
        self.written
    }

    fn flush(&mut self) {
        let Some(builder) = self.builder.take() else {
            return;
        };
        let batch = RecordBatch::parse(builder.finish()).expect("a built batch is one batch");
        let appended = self
            .partitions
            .append_own(self.now, self.topic_partition, batch);
        self.written.push(Written {
            appended,
            units: std::mem::take(&mut self.units),
        });
    }

    fn refuse(&mut self, unit: Unit<M>, error: ErrorCode) {
        self.written.push(Written {
            appended: Err(error),
            units: vec![unit],
        });
    }
}

/// What is told to who asked, instead of what went wrong in a log. As Kafka's group coordinator says
/// it: a client shall look for the coordinator again, come again, or give up.
#[must_use]
pub fn told_as(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        | ErrorCode::NOT_ENOUGH_REPLICAS
        | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND
        | ErrorCode::REQUEST_TIMED_OUT => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ErrorCode::NOT_LEADER_OR_FOLLOWER | ErrorCode::KAFKA_STORAGE_ERROR => {
            ErrorCode::NOT_COORDINATOR
        }
        ErrorCode::MESSAGE_TOO_LARGE
        | ErrorCode::RECORD_LIST_TOO_LARGE
        | ErrorCode::INVALID_FETCH_SIZE => ErrorCode::UNKNOWN_SERVER_ERROR,
        error => error,
    }
}

type Encoded = (Bytes, Option<Bytes>);

fn encode<M: Machine>(
    records: &[M::Record],
) -> Result<Vec<Encoded>, crate::protocol::writer::EncodeError> {
    records.iter().map(|record| M::encode(record)).collect()
}

fn record_bytes((key, value): &Encoded) -> usize {
    RECORD_OVERHEAD_BYTES + key.len() + value.as_ref().map_or(0, Bytes::len)
}

fn batch_bytes_max(partition: &Partition) -> usize {
    let config = partition.log.config();
    usize_from_u32(config.max_message_bytes.min(config.segment_bytes)).min(usize_from(1 << 30))
}
