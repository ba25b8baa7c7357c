//! What a producer's batch must be before it is appended: the checks of Apache's
//! `ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords` and `LogValidator`,
//! in that order, as one function over bytes, rules and the time. It runs on the shard that
//! received the request, while the bytes are in its cache.
//!
//! How deep it looks is an argument: see `Thoroughness`, and `docs/decisions/validation.md`.

use crate::base::ids::ProducerId;
use crate::base::time::Timestamp;
use crate::record::batch::{
    ATTRIBUTE_LOG_APPEND_TIME, ATTRIBUTES_KNOWN, BatchHeader, HEADER_BYTES, RecordBatch,
    TimestampType,
};
use crate::record::build;
use crate::record::compress::Compression;
use crate::record::error::BatchError;
use crate::record::iterate::{OpenBatch, RECORD_BYTES_MIN, Record};
use crate::record::refusal::RecordError;
use bytes::Bytes;

/// How far validation looks beyond the header and the checksum, where nothing in the topic's
/// configuration makes it look further.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Thoroughness {
    /// Believes the header about its records, once the checksum is right.
    #[default]
    Header,
    /// Walks the records of batches that are not compressed.
    OpenRecords,
    /// Walks all records, decompressing for it, as Apache does.
    AllRecords,
}

/// What a topic, and the version of the request, ask of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProduceRules {
    /// `max.message.bytes`: of a whole batch, as it will be written.
    pub message_bytes_max: usize,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`; `i64::MAX` for no bound.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`; `i64::MAX` for no bound.
    pub timestamp_after_max_ms: i64,
    /// `cleanup.policy` has `compact`: each record needs a key.
    pub is_compacted: bool,
    /// `compression.type`, and its level; none for `producer`.
    pub compression: Option<(Compression, Option<i32>)>,
    /// The version of the request allows zstd: Produce from 7 on. KIP-110.
    pub is_zstd_allowed: bool,
    /// `max.decompressed.message.bytes`: of one record of a compressed batch. Below its default,
    /// compressed batches are walked.
    pub record_opened_bytes_max: usize,
    /// The most bytes that the records of a batch may open to, where they must be opened. Klamm's
    /// own bound against bombs: Kafka has none for a batch.
    pub opened_bytes_max: usize,
    /// How far to look where no rule above says how far.
    pub thoroughness: Thoroughness,
}

/// Kafka's default of `max.decompressed.message.bytes`: the longest array of Java.
const RECORD_OPENED_BYTES_DEFAULT: usize = 2_147_483_639;

/// Room for a batch of Kafka's default size that compresses sixty-fold.
const OPENED_BYTES_DEFAULT: usize = 64 << 20;

impl Default for ProduceRules {
    /// Kafka's defaults of a topic.
    fn default() -> ProduceRules {
        ProduceRules {
            message_bytes_max: 1_048_588,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            is_compacted: false,
            compression: None,
            is_zstd_allowed: true,
            record_opened_bytes_max: RECORD_OPENED_BYTES_DEFAULT,
            opened_bytes_max: OPENED_BYTES_DEFAULT,
            thoroughness: Thoroughness::default(),
        }
    }
}

/// The one batch that a producer's `bytes` are, fit to be appended: the bytes themselves, or,
/// where the topic's configuration asks for it, the batch written anew. Base offset and leader
/// epoch are still the producer's; `RecordBatch::patched_head` replaces them.
///
/// # Errors
/// `RecordError`, which knows Kafka's error code. The first fault found decides.
pub fn validate_produce(
    bytes: Bytes,
    rules: &ProduceRules,
    now: Timestamp,
) -> Result<RecordBatch, RecordError> {
    let batch = the_one_batch(bytes)?;
    let header = *batch.header();
    if header.compression() == Ok(Compression::Zstd) && !rules.is_zstd_allowed {
        return Err(RecordError::ZstdNotAllowed);
    }
    if header.base_offset.0 != 0 {
        return Err(RecordError::BaseOffset(header.base_offset));
    }
    check_size(&batch, rules)?;
    batch.check_crc().map_err(RecordError::Checksum)?;
    let compression = header.compression().map_err(RecordError::Codec)?;
    check_header(&header, compression)?;

    let target = rules.compression.filter(|(codec, _)| *codec != compression);
    if target.is_none() && !must_walk(rules, compression) {
        check_header_timestamps(&header, rules, now)?;
        return restamp(batch, rules, header.max_timestamp, now);
    }
    let open = batch
        .open(rules.opened_bytes_max)
        .map_err(RecordError::Records)?;
    let max_timestamp = check_records(&open, rules, now)?;
    match target {
        None => restamp(batch, rules, max_timestamp, now),
        Some((codec, level)) => recompress(&open, codec, level, rules, max_timestamp, now),
    }
}

/// Exactly one whole batch of the known format.
fn the_one_batch(bytes: Bytes) -> Result<RecordBatch, RecordError> {
    match RecordBatch::parse(bytes) {
        Ok(batch) => Ok(batch),
        Err(BatchError::CutOff { .. }) => Err(RecordError::NoBatch),
        Err(BatchError::Trailing { extra }) => Err(RecordError::MoreThanOneBatch { extra }),
        // Old formats are refused by the request's version; other numbers are no format at all.
        Err(BatchError::Magic(magic @ (0 | 1))) => Err(RecordError::OldMagic(magic)),
        Err(error) => Err(RecordError::NotABatch(error)),
    }
}

fn check_size(batch: &RecordBatch, rules: &ProduceRules) -> Result<(), RecordError> {
    let batch_bytes = batch.bytes().len();
    if batch_bytes > rules.message_bytes_max {
        return Err(RecordError::TooLarge {
            batch_bytes,
            limit: rules.message_bytes_max,
        });
    }
    Ok(())
}

/// What the header says of itself.
fn check_header(header: &BatchHeader, compression: Compression) -> Result<(), RecordError> {
    let count = header.record_count;
    if count <= 0 || i64::from(header.last_offset_delta) + 1 != i64::from(count) {
        return Err(RecordError::Count {
            last_offset_delta: header.last_offset_delta,
            record_count: count,
        });
    }
    let record_bytes = header.batch_bytes() - HEADER_BYTES;
    if compression == Compression::None
        && usize::try_from(count).is_ok_and(|count| count > record_bytes / RECORD_BYTES_MIN)
    {
        return Err(RecordError::Records(BatchError::RecordCount(count)));
    }
    if header.is_control() {
        return Err(RecordError::Control);
    }
    if header.has_producer_id() && header.base_sequence.0 < 0 {
        return Err(RecordError::Sequence {
            producer_id: header.producer_id,
            base_sequence: header.base_sequence,
        });
    }
    // -1 is the one way to say "none".
    let is_idempotent = header.producer_id != ProducerId::NONE;
    if is_idempotent && (header.producer_id.0 < 0 || header.producer_epoch.0 < 0) {
        return Err(RecordError::Epoch {
            producer_id: header.producer_id,
            producer_epoch: header.producer_epoch,
        });
    }
    if header.delete_horizon().is_some() {
        return Err(RecordError::DeleteHorizon);
    }
    match header.timestamp_type() {
        TimestampType::CreateTime => Ok(()),
        TimestampType::LogAppendTime => Err(RecordError::AppendTimeFromProducer),
    }
}

/// The topic's configuration, or the thoroughness asked for, needs the records themselves.
fn must_walk(rules: &ProduceRules, compression: Compression) -> bool {
    let is_bounded_below = rules.timestamp_type == TimestampType::CreateTime
        && rules.timestamp_before_max_ms != i64::MAX;
    let is_thorough = match rules.thoroughness {
        Thoroughness::Header => false,
        Thoroughness::OpenRecords => compression == Compression::None,
        Thoroughness::AllRecords => true,
    };
    let has_record_bound = compression != Compression::None
        && rules.record_opened_bytes_max < RECORD_OPENED_BYTES_DEFAULT;
    rules.is_compacted || is_bounded_below || has_record_bound || is_thorough
}

/// The two timestamps in the header: an honest maximum bounds those of all records.
fn check_header_timestamps(
    header: &BatchHeader,
    rules: &ProduceRules,
    now: Timestamp,
) -> Result<(), RecordError> {
    check_timestamp(header.base_timestamp, None, rules, now)?;
    check_timestamp(header.max_timestamp, None, rules, now)
}

fn check_timestamp(
    timestamp: Timestamp,
    batch_index: Option<i32>,
    rules: &ProduceRules,
    now: Timestamp,
) -> Result<(), RecordError> {
    let is_checked =
        rules.timestamp_type == TimestampType::CreateTime && timestamp != Timestamp::NONE;
    let earliest = Timestamp(now.0.saturating_sub(rules.timestamp_before_max_ms));
    let latest = Timestamp(now.0.saturating_add(rules.timestamp_after_max_ms));
    // As in Apache, an age that no number can hold is too great for any bound.
    let age_ms = now.0.checked_sub(timestamp.0);
    let is_early = age_ms.is_none_or(|age_ms| age_ms > rules.timestamp_before_max_ms);
    if is_checked && (is_early || timestamp > latest) {
        return Err(RecordError::Timestamp {
            batch_index,
            timestamp,
            earliest,
            latest,
        });
    }
    Ok(())
}

/// Walks all records; gives their largest timestamp. As in Apache, a batch that cannot be read
/// to its end is refused for that, else for the first timestamp out of range, else for the first
/// other fault of a record.
fn check_records(
    open: &OpenBatch,
    rules: &ProduceRules,
    now: Timestamp,
) -> Result<Timestamp, RecordError> {
    let body_bytes_max = match open.header().compression() {
        Ok(Compression::None) => usize::MAX,
        Ok(Compression::Gzip | Compression::Snappy | Compression::Lz4 | Compression::Zstd)
        | Err(_) => rules.record_opened_bytes_max,
    };
    let mut max_timestamp = Timestamp::NONE;
    let mut refusal: Option<RecordError> = None;
    for (batch_index, record) in (0..).zip(open) {
        let record = record.map_err(RecordError::Records)?;
        if record.body_bytes > body_bytes_max {
            return Err(RecordError::RecordTooLarge {
                batch_index,
                body_bytes: record.body_bytes,
                limit: body_bytes_max,
            });
        }
        max_timestamp = max_timestamp.max(record.timestamp);
        if let Err(fault) = check_record(&record, batch_index, rules, now) {
            let is_first = refusal.is_none();
            let outranks = fault.is_timestamp() && !refusal.is_some_and(|one| one.is_timestamp());
            if is_first || outranks {
                refusal = Some(fault);
            }
        }
    }
    refusal.map_or(Ok(max_timestamp), Err)
}

fn check_record(
    record: &Record<'_>,
    batch_index: i32,
    rules: &ProduceRules,
    now: Timestamp,
) -> Result<(), RecordError> {
    // Apache numbers such records anew where it must rewrite the batch, and passes them on where
    // not; consumers that seek would then miss some.
    if record.offset_delta != batch_index {
        return Err(RecordError::OffsetDelta {
            batch_index,
            offset_delta: record.offset_delta,
        });
    }
    if rules.is_compacted && record.key.is_none() {
        return Err(RecordError::MissingKey { batch_index });
    }
    check_timestamp(record.timestamp, Some(batch_index), rules, now)
}

/// The batch with the timestamp type of its topic and that maximum: itself where it has both,
/// else a copy with another header and checksum.
fn restamp(
    batch: RecordBatch,
    rules: &ProduceRules,
    max_timestamp: Timestamp,
    now: Timestamp,
) -> Result<RecordBatch, RecordError> {
    let stamped = stamped(*batch.header(), rules, max_timestamp, now);
    if stamped == *batch.header() {
        return Ok(batch);
    }
    let mut bytes = batch.into_bytes().to_vec();
    bytes[..HEADER_BYTES].copy_from_slice(&stamped.to_bytes());
    build::seal(&mut bytes);
    let batch = RecordBatch::parse(Bytes::from(bytes)).expect("its length has not changed");
    Ok(batch)
}

fn stamped(
    mut header: BatchHeader,
    rules: &ProduceRules,
    max_timestamp: Timestamp,
    now: Timestamp,
) -> BatchHeader {
    let before = header;
    match rules.timestamp_type {
        TimestampType::CreateTime => header.max_timestamp = max_timestamp,
        TimestampType::LogAppendTime => {
            header.attributes |= ATTRIBUTE_LOG_APPEND_TIME;
            header.max_timestamp = now;
        }
    }
    if header != before {
        // As Apache: bits without a meaning pass in a batch that passes, and go in a new header.
        header.attributes &= ATTRIBUTES_KNOWN;
    }
    header
}

/// The batch with the codec of its topic. The records keep their bytes: only their wrapping
/// changes. The size is checked again, since the topic's codec may do worse.
fn recompress(
    open: &OpenBatch,
    codec: Compression,
    level: Option<i32>,
    rules: &ProduceRules,
    max_timestamp: Timestamp,
    now: Timestamp,
) -> Result<RecordBatch, RecordError> {
    let mut header = stamped(*open.header(), rules, max_timestamp, now);
    header.attributes &= ATTRIBUTES_KNOWN;
    let bytes = build::compressed(header, codec, level, open.record_bytes());
    let batch = RecordBatch::parse(bytes).expect("a batch that was just built");
    check_size(&batch, rules)?;
    Ok(batch)
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
