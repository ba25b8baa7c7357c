//! One batch on its way: open while records are added, then finished, and sealed under the producer's
//! identity each time it is sent.

use super::delivery::{ProducerRecord, Run};
use super::options::ProducerOptions;
use crate::base::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::time::Instant;
use crate::protocol::ErrorCode;
use crate::record::{BatchBuilder, build};
use bytes::{Bytes, BytesMut};

/// Room that a record takes in its batch beyond its fields, at most.
const RECORD_OVERHEAD_BYTES: usize = 32;

/// Most memory that a batch takes before it has a record: `batch.size` may be far above what comes.
const BATCH_CAPACITY_MAX: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Batch {
    /// How many batches of its partition came before it.
    pub(super) ordinal: u64,
    content: Content,
    pub(super) runs: Vec<Run>,
    pub(super) record_count: i32,
    pub(super) bytes: usize,
    pub(super) created: Instant,
    pub(super) not_before: Instant,
    pub(super) attempts: u32,
    pub(super) last_error: Option<ErrorCode>,
    /// Sequence of its first record under the producer's present identity, once it was sent.
    pub(super) sequence: Option<Sequence>,
}

#[derive(Debug)]
enum Content {
    Open(Box<BatchBuilder>),
    Finished(Bytes),
    /// Only while it is being finished.
    Taken,
}

impl Batch {
    pub(super) fn open(now: Instant, ordinal: u64, options: &ProducerOptions) -> Batch {
        // A batch is most often filled: memory for all of it at once spares moving what is there.
        let capacity = options.batch_bytes.min(BATCH_CAPACITY_MAX);
        let mut builder =
            BatchBuilder::with_capacity(Offset(0), capacity).compression(options.compression);
        if let Some(level) = options.compression_level {
            builder = builder.compression_level(level);
        }
        Batch {
            ordinal,
            content: Content::Open(Box::new(builder)),
            runs: Vec::with_capacity(1),
            record_count: 0,
            bytes: 0,
            created: now,
            not_before: Instant(0),
            attempts: 0,
            last_error: None,
            sequence: None,
        }
    }

    pub(super) fn append(&mut self, now: Instant, record: &ProducerRecord<'_>) {
        match &mut self.content {
            Content::Open(builder) => {
                builder.append(record.timestamp, record.key, record.value, record.headers);
            }
            Content::Finished(_) | Content::Taken => {
                panic!("only the open batch of a queue takes records")
            }
        }
        self.record_count += 1;
        if !self
            .runs
            .last_mut()
            .is_some_and(|run| run.extend(now, record))
        {
            self.runs.push(Run::of(now, record));
        }
    }

    /// Takes note of the builder's size; returns by how much it grew.
    pub(super) fn grow(&mut self) -> usize {
        let bytes = match &self.content {
            Content::Open(builder) => builder.bytes_len(),
            Content::Finished(bytes) => bytes.len(),
            Content::Taken => self.bytes,
        };
        let grown = bytes.saturating_sub(self.bytes);
        self.bytes = bytes.max(self.bytes);
        grown
    }

    /// Finishes the batch under an identity; a finished one gets the new identity written over.
    pub(super) fn seal(
        &mut self,
        identity: Option<(ProducerId, ProducerEpoch)>,
        sequence: Sequence,
    ) {
        let (producer_id, producer_epoch, sequence) = match identity {
            Some((producer_id, producer_epoch)) => (producer_id, producer_epoch, sequence),
            None => (ProducerId::NONE, ProducerEpoch::NONE, Sequence::NONE),
        };
        self.content = match std::mem::replace(&mut self.content, Content::Taken) {
            Content::Open(builder) => Content::Finished(
                builder
                    .producer(producer_id, producer_epoch, sequence)
                    .finish(),
            ),
            Content::Finished(bytes) => {
                let mut stamp = [0; 14];
                stamp[..8].copy_from_slice(&producer_id.0.to_be_bytes());
                stamp[8..10].copy_from_slice(&producer_epoch.0.to_be_bytes());
                stamp[10..].copy_from_slice(&sequence.0.to_be_bytes());
                if bytes[PRODUCER_STAMP] == stamp {
                    Content::Finished(bytes)
                } else {
                    let mut bytes = BytesMut::from(bytes);
                    bytes[PRODUCER_STAMP].copy_from_slice(&stamp);
                    build::seal(&mut bytes);
                    Content::Finished(bytes.freeze())
                }
            }
            Content::Taken => panic!("a batch is sealed by one caller at a time"),
        };
    }

    /// How large it is on the wire, once it is sealed.
    pub(super) fn wire_bytes(&self) -> usize {
        match &self.content {
            Content::Finished(bytes) => bytes.len(),
            Content::Open(_) | Content::Taken => 0,
        }
    }

    pub(super) fn bytes_to_send(&self) -> Bytes {
        match &self.content {
            Content::Finished(bytes) => bytes.clone(),
            Content::Open(_) | Content::Taken => panic!("a batch is sealed before it is sent"),
        }
    }
}

/// Where producer id, epoch and base sequence lie in a batch (inventory 3.5).
const PRODUCER_STAMP: std::ops::Range<usize> = 43..57;

/// Most bytes that a record takes in its batch.
pub(super) fn record_bytes(record: &ProducerRecord<'_>) -> usize {
    let field = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
    let headers: usize = record
        .headers
        .iter()
        .map(|header| header.key.len() + field(header.value) + 10)
        .sum();
    RECORD_OVERHEAD_BYTES + field(record.key) + field(record.value) + headers
}
