//! Builds a batch from records: for the client, the controller, the coordinators, and wherever a
//! topic's configuration makes the broker write a batch anew.

use crate::base::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::time::Timestamp;
use crate::record::batch::{
    ATTRIBUTE_CONTROL, ATTRIBUTE_DELETE_HORIZON, ATTRIBUTE_LOG_APPEND_TIME,
    ATTRIBUTE_TRANSACTIONAL, BatchHeader, CHECKSUM_START, HEADER_BYTES, LOG_OVERHEAD_BYTES, MAGIC,
};
use crate::record::checksum::crc32c;
use crate::record::compress::{self, Compression};
use crate::record::iterate::Header;
use crate::record::varint;
use bytes::Bytes;

/// A batch under construction. The settings come first, then the records, then `finish`.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    base_offset: Offset,
    leader_epoch: LeaderEpoch,
    compression: Compression,
    compression_level: Option<i32>,
    flags: i16,
    append_timestamp: Option<Timestamp>,
    delete_horizon: Option<Timestamp>,
    producer_id: ProducerId,
    producer_epoch: ProducerEpoch,
    base_sequence: Sequence,
    /// The first record's timestamp, or the delete horizon.
    base_timestamp: Option<Timestamp>,
    max_timestamp: Timestamp,
    last_offset_delta: i32,
    record_count: i32,
    /// The header's place, then the open records.
    bytes: Vec<u8>,
}

impl BatchBuilder {
    /// An empty, uncompressed batch without a producer, whose first record has that offset.
    #[must_use]
    pub fn new(base_offset: Offset) -> BatchBuilder {
        BatchBuilder::with_capacity(base_offset, HEADER_BYTES)
    }

    /// The same, with room for so many bytes.
    #[must_use]
    pub fn with_capacity(base_offset: Offset, bytes: usize) -> BatchBuilder {
        let mut buffer = Vec::with_capacity(bytes.max(HEADER_BYTES));
        buffer.resize(HEADER_BYTES, 0);
        BatchBuilder {
            base_offset,
            leader_epoch: LeaderEpoch::NONE,
            compression: Compression::None,
            compression_level: None,
            flags: 0,
            append_timestamp: None,
            delete_horizon: None,
            producer_id: ProducerId::NONE,
            producer_epoch: ProducerEpoch::NONE,
            base_sequence: Sequence::NONE,
            base_timestamp: None,
            max_timestamp: Timestamp::NONE,
            last_offset_delta: -1,
            record_count: 0,
            bytes: buffer,
        }
    }

    /// The leader's epoch; without it, none.
    #[must_use]
    pub fn leader_epoch(mut self, leader_epoch: LeaderEpoch) -> BatchBuilder {
        self.leader_epoch = leader_epoch;
        self
    }

    /// How `finish` compresses the records.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> BatchBuilder {
        self.compression = compression;
        self
    }

    /// How hard; without it, as the codec does by itself.
    #[must_use]
    pub fn compression_level(mut self, level: i32) -> BatchBuilder {
        self.compression_level = Some(level);
        self
    }

    /// The idempotent producer, and the sequence of the first record. KIP-98.
    #[must_use]
    pub fn producer(
        mut self,
        producer_id: ProducerId,
        producer_epoch: ProducerEpoch,
        base_sequence: Sequence,
    ) -> BatchBuilder {
        self.producer_id = producer_id;
        self.producer_epoch = producer_epoch;
        self.base_sequence = base_sequence;
        self
    }

    /// The batch belongs to a transaction.
    #[must_use]
    pub fn transactional(mut self) -> BatchBuilder {
        self.flags |= ATTRIBUTE_TRANSACTIONAL;
        self
    }

    /// The batch holds control records; see `record::control`.
    #[must_use]
    pub fn control(mut self) -> BatchBuilder {
        self.flags |= ATTRIBUTE_CONTROL;
        self
    }

    /// Stamps all records with the time of the append.
    #[must_use]
    pub fn log_append_time(mut self, timestamp: Timestamp) -> BatchBuilder {
        self.flags |= ATTRIBUTE_LOG_APPEND_TIME;
        self.append_timestamp = Some(timestamp);
        self
    }

    /// When tombstones and markers may go: it takes the place of the base timestamp. KIP-534.
    #[must_use]
    pub fn delete_horizon(mut self, horizon: Timestamp) -> BatchBuilder {
        self.flags |= ATTRIBUTE_DELETE_HORIZON;
        self.base_timestamp = Some(horizon);
        self.delete_horizon = Some(horizon);
        self
    }

    /// Appends a record after the last one.
    ///
    /// # Panics
    /// Where the batch would exceed Kafka's 2 GiB: callers bound it long before, by `bytes_len`.
    pub fn append(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) {
        let offset_delta = self.last_offset_delta + 1;
        self.append_delta(offset_delta, timestamp, key, value, headers.iter().copied());
    }

    /// Appends a record with an offset of its own, beyond the last: compaction leaves gaps.
    ///
    /// # Panics
    /// Where the offset is not beyond the last one and within 2^31 of the first.
    pub fn append_at(
        &mut self,
        offset: Offset,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) {
        let delta = self.delta(offset);
        self.append_delta(delta, timestamp, key, value, headers.iter().copied());
    }

    /// Ends the batch at `offset`, where compaction has removed its last records, or all.
    ///
    /// # Panics
    /// Where the offset is below that of the last record or not within 2^31 of the first.
    pub fn end_at(&mut self, offset: Offset) {
        let delta = self.delta(offset);
        assert!(
            delta >= self.last_offset_delta,
            "a batch ends at or after its last record"
        );
        self.last_offset_delta = delta;
    }

    fn delta(&self, offset: Offset) -> i32 {
        i32::try_from(offset.0 - self.base_offset.0)
            .expect("the offsets of one batch lie within 2^31 of its first")
    }

    /// Appends a record whose headers come from anywhere, as from another batch.
    ///
    /// # Panics
    /// Where the delta is not beyond the last one, or the batch would exceed 2 GiB.
    pub fn append_delta<'h>(
        &mut self,
        offset_delta: i32,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl ExactSizeIterator<Item = Header<'h>> + Clone,
    ) {
        assert!(
            offset_delta > self.last_offset_delta,
            "records are appended in the order of their offsets"
        );
        let base = *self.base_timestamp.get_or_insert(timestamp);
        let timestamp_delta = timestamp.0.wrapping_sub(base.0);
        let header_count = length_i32(headers.len());
        let headers_bytes: usize = headers.clone().map(|header| header_bytes(&header)).sum();
        let body_bytes = 1
            + varint::size_i64(timestamp_delta)
            + varint::size_i32(offset_delta)
            + nullable_bytes(key)
            + nullable_bytes(value)
            + varint::size_i32(header_count)
            + headers_bytes;
        varint::put_i32(&mut self.bytes, length_i32(body_bytes));
        self.bytes.push(0); // attributes of a record: none are defined
        varint::put_i64(&mut self.bytes, timestamp_delta);
        varint::put_i32(&mut self.bytes, offset_delta);
        put_nullable(&mut self.bytes, key);
        put_nullable(&mut self.bytes, value);
        varint::put_i32(&mut self.bytes, header_count);
        for header in headers {
            put_nullable(&mut self.bytes, Some(header.key));
            put_nullable(&mut self.bytes, header.value);
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.last_offset_delta = offset_delta;
        self.record_count += 1;
    }

    /// Records appended so far.
    #[must_use]
    pub fn record_count(&self) -> i32 {
        self.record_count
    }

    /// No record has been appended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.record_count == 0
    }

    /// Bytes of the batch so far, before compression.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        self.bytes.len()
    }

    /// The finished batch. Without records it is what compaction leaves of a producer's last
    /// batch: a bare header.
    ///
    /// # Panics
    /// Where the batch exceeds Kafka's 2 GiB.
    #[must_use]
    pub fn finish(self) -> Bytes {
        let header = BatchHeader {
            base_offset: self.base_offset,
            batch_length: 0,
            partition_leader_epoch: self.leader_epoch,
            magic: MAGIC,
            crc: 0,
            attributes: self.flags,
            last_offset_delta: self.last_offset_delta,
            base_timestamp: self.base_timestamp.unwrap_or(Timestamp::NONE),
            max_timestamp: self.append_timestamp.unwrap_or(self.max_timestamp),
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            record_count: self.record_count,
        };
        // A batch without records is never marked as compressed: there is nothing to open.
        match self.compression {
            Compression::None => assemble(header, self.bytes),
            Compression::Gzip | Compression::Snappy | Compression::Lz4 | Compression::Zstd
                if self.record_count == 0 =>
            {
                assemble(header, self.bytes)
            }
            codec @ (Compression::Gzip
            | Compression::Snappy
            | Compression::Lz4
            | Compression::Zstd) => {
                let open = &self.bytes[HEADER_BYTES..];
                compressed(header, codec, self.compression_level, open)
            }
        }
    }
}

/// A batch of open records, compressed anew; length, codec and checksum of `header` are set.
///
/// # Panics
/// Where the batch exceeds Kafka's 2 GiB.
#[must_use]
pub fn compressed(
    mut header: BatchHeader,
    compression: Compression,
    level: Option<i32>,
    open_records: &[u8],
) -> Bytes {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + open_records.len() / 2);
    bytes.resize(HEADER_BYTES, 0);
    compress::compress(compression, level, open_records, &mut bytes);
    header.attributes = header.attributes & !7 | compression.attribute_bits();
    assemble(header, bytes)
}

/// Sets length and checksum, and puts the header before the records in `bytes`.
fn assemble(mut header: BatchHeader, mut bytes: Vec<u8>) -> Bytes {
    header.batch_length = length_i32(bytes.len() - LOG_OVERHEAD_BYTES);
    bytes[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
    seal(&mut bytes);
    Bytes::from(bytes)
}

/// Writes the checksum of a whole batch into its header.
///
/// # Panics
/// Where `batch` is shorter than a header.
pub fn seal(batch: &mut [u8]) {
    let crc = crc32c(&batch[CHECKSUM_START..]);
    batch[17..CHECKSUM_START].copy_from_slice(&crc.to_be_bytes());
}

fn length_i32(length: usize) -> i32 {
    i32::try_from(length).expect("a batch, and all in it, is bounded far below 2 GiB")
}

fn nullable_bytes(field: Option<&[u8]>) -> usize {
    match field {
        None => 1,
        Some(field) => varint::size_i32(length_i32(field.len())) + field.len(),
    }
}

fn header_bytes(header: &Header<'_>) -> usize {
    nullable_bytes(Some(header.key)) + nullable_bytes(header.value)
}

fn put_nullable(out: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        None => varint::put_i32(out, -1),
        Some(field) => {
            varint::put_i32(out, length_i32(field.len()));
            out.extend_from_slice(field);
        }
    }
}
