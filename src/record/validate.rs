//! What a producer's batch must be before it is appended: the checks of Apache's
//! `ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords` and `LogValidator`,
//! in that order, as one function over bytes, rules and the time. It runs on the shard that
//! received the request, while the bytes are in its cache.
//!
//! How deep it looks is an argument: see `Thoroughness`, and `docs/decisions/validation.md`.

use crate::base::ids::Offset;
use crate::base::time::Timestamp;
use crate::record::batch::{
    ATTRIBUTE_LOG_APPEND_TIME, ATTRIBUTES_KNOWN, BatchHeader, HEADER_BYTES, LOG_OVERHEAD_BYTES,
    MAGIC, RecordBatch, TimestampType,
};
use crate::record::build::{self, BatchBuilder};
use crate::record::compress::Compression;
use crate::record::error::BatchError;
use crate::record::iterate::{OpenBatch, PlainRecord, RECORD_BYTES_MIN, Record, Records};
use crate::record::refusal::{FaultKind, RecordError, RecordFault, RecordFaults};
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

/// The most records at fault that a refusal of a batch names. Apache names all of them, however
/// many: an answer of a hundred bytes for each record of seven.
const FAULTS_NAMED_MAX: usize = 1000;

/// The least length field of a message of any format: of one without key and value, magic 0.
const MESSAGE_LENGTH_MIN: i32 = 14;

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
    let batch = the_one_batch(bytes, rules)?;
    let header = *batch.header();
    if header.base_offset.0 != 0 {
        return Err(RecordError::BaseOffset(header.base_offset));
    }
    check_size(&batch, rules)?;
    batch.check_crc().map_err(RecordError::Checksum)?;
    let compression = header.compression().map_err(RecordError::Codec)?;
    check_header(&header, compression)?;

    let target = rules.compression.filter(|(codec, _)| *codec != compression);
    let is_believed = !must_walk(rules, compression) && has_fitting_times(&header, rules, now);
    if target.is_none() && is_believed {
        return Ok(restamp(batch, rules, header.max_timestamp, now));
    }
    if target.is_none() && compression == Compression::None {
        let records = Records::new(&header, &batch.bytes()[HEADER_BYTES..]);
        let walked = check_records(&header, records, rules, now)?;
        // Apache passes the numbers of open records on as they are.
        return Ok(restamp(batch, rules, walked.max_timestamp, now));
    }
    let open = batch
        .open(rules.opened_bytes_max)
        .map_err(RecordError::Records)?;
    let walked = check_records(&header, open.iter(), rules, now)?;
    match (target, walked.misnumbered) {
        (None, Some((batch_index, offset_delta))) => Err(RecordError::OffsetDelta {
            batch_index,
            offset_delta,
        }),
        (None, None) => Ok(restamp(batch, rules, walked.max_timestamp, now)),
        (Some((codec, level)), misnumbered) => {
            let is_odd = misnumbered.is_some()
                || header.timestamp_type() == TimestampType::LogAppendTime
                || header.delete_horizon().is_some();
            let bytes = if is_odd {
                rebuilt(&open, codec, level, rules, now)?
            } else {
                recompressed(&open, codec, level, rules, walked.max_timestamp, now)
            };
            let batch = RecordBatch::parse(bytes).expect("a batch that was just built");
            check_size(&batch, rules)?;
            Ok(batch)
        }
    }
}

/// The one whole batch of the known format, and nothing that counts behind it.
fn the_one_batch(bytes: Bytes, rules: &ProduceRules) -> Result<RecordBatch, RecordError> {
    let (batch, rest) = match RecordBatch::split_first(bytes) {
        Ok(split) => split,
        Err(BatchError::CutOff { .. }) => return Err(RecordError::NoBatch),
        // Old formats are refused by the request's version; other numbers are no format at all.
        Err(BatchError::Magic(magic @ (0 | 1))) => return Err(RecordError::OldMagic(magic)),
        Err(error) => return Err(RecordError::NotABatch(error)),
    };
    if batch.header().compression() == Ok(Compression::Zstd) && !rules.is_zstd_allowed {
        return Err(RecordError::ZstdNotAllowed);
    }
    check_rest(&rest)?;
    Ok(batch)
}

/// What follows the batch: nothing, or what Apache takes for the beginning of a batch that is cut
/// off, which it drops. `ByteBufferLogInputStream` of Apache Kafka.
fn check_rest(rest: &[u8]) -> Result<(), RecordError> {
    let Some(length) = rest.get(8..LOG_OVERHEAD_BYTES) else {
        return Ok(());
    };
    let length = i32::from_be_bytes(*length.first_chunk().expect("12 - 8 bytes"));
    if length < MESSAGE_LENGTH_MIN {
        return Err(RecordError::NotABatch(BatchError::Length(length)));
    }
    let Some(magic) = rest.get(16).map(|magic| magic.cast_signed()) else {
        return Ok(());
    };
    if !(0..=MAGIC).contains(&magic) {
        return Err(RecordError::NotABatch(BatchError::Magic(magic)));
    }
    let whole = usize::try_from(length).is_ok_and(|it| it <= rest.len() - LOG_OVERHEAD_BYTES);
    if whole {
        return Err(RecordError::MoreThanOneBatch { extra: rest.len() });
    }
    Ok(())
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
    Ok(())
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

/// Whether the times in the header let the records pass: an honest maximum bounds all of theirs.
/// Where they do not, the records are looked at: they decide.
fn has_fitting_times(header: &BatchHeader, rules: &ProduceRules, now: Timestamp) -> bool {
    let is_stamped = header.timestamp_type() == TimestampType::LogAppendTime;
    match rules.timestamp_type {
        TimestampType::CreateTime => {
            let is_without = header.max_timestamp == Timestamp::NONE;
            is_in_range(header.base_timestamp, rules, now)
                && is_in_range(header.max_timestamp, rules, now)
                && !(is_stamped && is_without)
        }
        TimestampType::LogAppendTime => !is_stamped,
    }
}

/// Whether a topic that keeps its producers' timestamps takes this one; none is always taken.
fn is_in_range(timestamp: Timestamp, rules: &ProduceRules, now: Timestamp) -> bool {
    // As in Apache, an age that no number can hold is too great for any bound.
    let age_ms = now.0.checked_sub(timestamp.0);
    let is_early = age_ms.is_none_or(|age_ms| age_ms > rules.timestamp_before_max_ms);
    let latest = now.0.saturating_add(rules.timestamp_after_max_ms);
    timestamp == Timestamp::NONE || !is_early && timestamp.0 <= latest
}

/// What a walk through all records found.
struct Walked {
    max_timestamp: Timestamp,
    /// The first record that is not numbered by its place, and its number.
    misnumbered: Option<(i32, i32)>,
}

/// Walks all records. As in Apache, a batch that cannot be read to its end is refused for that,
/// else for the records that its topic does not take.
fn check_records(
    header: &BatchHeader,
    mut records: Records<'_>,
    rules: &ProduceRules,
    now: Timestamp,
) -> Result<Walked, RecordError> {
    let body_bytes_max = match header.compression() {
        Ok(Compression::None) => usize::MAX,
        Ok(Compression::Gzip | Compression::Snappy | Compression::Lz4 | Compression::Zstd)
        | Err(_) => rules.record_opened_bytes_max,
    };
    let mut walked = Walked {
        max_timestamp: Timestamp::NONE,
        misnumbered: None,
    };
    let mut faults = RecordFaults::default();
    for batch_index in 0.. {
        if let Some(plain) = records.peek_plain()
            && plain.offset_delta == batch_index
            && plain.body_bytes <= body_bytes_max
            && is_faultless(&plain, rules, now)
        {
            walked.max_timestamp = walked.max_timestamp.max(plain.timestamp);
            records.pass(plain);
            continue;
        }
        let Some(record) = records.next() else {
            break;
        };
        let record = record.map_err(RecordError::Records)?;
        if record.body_bytes > body_bytes_max {
            return Err(RecordError::RecordTooLarge {
                batch_index,
                body_bytes: record.body_bytes,
                limit: body_bytes_max,
            });
        }
        walked.max_timestamp = walked.max_timestamp.max(record.timestamp);
        if record.offset_delta != batch_index && walked.misnumbered.is_none() {
            walked.misnumbered = Some((batch_index, record.offset_delta));
        }
        if let Some(kind) = fault_of(&record, header, rules, now) {
            faults.push(RecordFault { batch_index, kind }, FAULTS_NAMED_MAX);
        }
    }
    if faults.count > 0 {
        return Err(RecordError::Faults(faults));
    }
    Ok(walked)
}

/// Whether a plain record is one that `fault_of` has nothing against, seen without a look at rare cases:
/// times before 1970, and a time where the record may have none.
fn is_faultless(plain: &PlainRecord, rules: &ProduceRules, now: Timestamp) -> bool {
    (plain.has_key || !rules.is_compacted)
        && plain.timestamp.0 >= 0
        && (rules.timestamp_type == TimestampType::LogAppendTime
            || is_in_range(plain.timestamp, rules, now))
}

fn fault_of(
    record: &Record<'_>,
    header: &BatchHeader,
    rules: &ProduceRules,
    now: Timestamp,
) -> Option<FaultKind> {
    if rules.is_compacted && record.key.is_none() {
        return Some(FaultKind::MissingKey);
    }
    let has_own_time =
        rules.timestamp_type == TimestampType::CreateTime && record.timestamp != Timestamp::NONE;
    if has_own_time {
        return (!is_in_range(record.timestamp, rules, now)).then(|| FaultKind::Timestamp {
            offset: record.offset,
            timestamp: record.timestamp,
            earliest: Timestamp(now.0.saturating_sub(rules.timestamp_before_max_ms)),
            latest: Timestamp(now.0.saturating_add(rules.timestamp_after_max_ms)),
        });
    }
    let is_stamped = header.timestamp_type() == TimestampType::LogAppendTime;
    is_stamped.then(|| FaultKind::AppendTimeFromProducer {
        offset: record.offset,
        timestamp: record.timestamp,
        key_bytes: record.key.map(<[u8]>::len),
        value_bytes: record.value.map(<[u8]>::len),
    })
}

/// The batch with the timestamp type of its topic and that maximum: itself where it has both,
/// else a copy with another header and checksum.
fn restamp(
    batch: RecordBatch,
    rules: &ProduceRules,
    max_timestamp: Timestamp,
    now: Timestamp,
) -> RecordBatch {
    let stamped = stamped(*batch.header(), rules, max_timestamp, now);
    if stamped == *batch.header() {
        return batch;
    }
    let mut bytes = batch.into_bytes().to_vec();
    bytes[..HEADER_BYTES].copy_from_slice(&stamped.to_bytes());
    build::seal(&mut bytes);
    RecordBatch::parse(Bytes::from(bytes)).expect("its length has not changed")
}

fn stamped(
    mut header: BatchHeader,
    rules: &ProduceRules,
    max_timestamp: Timestamp,
    now: Timestamp,
) -> BatchHeader {
    let before = header;
    match rules.timestamp_type {
        TimestampType::CreateTime => {
            header.attributes &= !ATTRIBUTE_LOG_APPEND_TIME;
            header.max_timestamp = max_timestamp;
        }
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
/// changes. Its size is to be checked again, since the topic's codec may do worse.
fn recompressed(
    open: &OpenBatch,
    codec: Compression,
    level: Option<i32>,
    rules: &ProduceRules,
    max_timestamp: Timestamp,
    now: Timestamp,
) -> Bytes {
    let mut header = stamped(*open.header(), rules, max_timestamp, now);
    header.attributes &= ATTRIBUTES_KNOWN;
    build::compressed(header, codec, level, open.record_bytes())
}

/// As `recompressed`, of a batch whose header or numbers would not be true of it: each record is
/// written anew, with the number of its place and the time that it had for its readers.
fn rebuilt(
    open: &OpenBatch,
    codec: Compression,
    level: Option<i32>,
    rules: &ProduceRules,
    now: Timestamp,
) -> Result<Bytes, RecordError> {
    let header = open.header();
    let mut builder = BatchBuilder::new(Offset(0)).compression(codec).producer(
        header.producer_id,
        header.producer_epoch,
        header.base_sequence,
    );
    if let Some(level) = level {
        builder = builder.compression_level(level);
    }
    if header.is_transactional() {
        builder = builder.transactional();
    }
    if rules.timestamp_type == TimestampType::LogAppendTime {
        builder = builder.log_append_time(now);
    }
    for (offset_delta, record) in (0..).zip(open) {
        let record = record.map_err(RecordError::Records)?;
        builder.append_delta(
            offset_delta,
            record.timestamp,
            record.key,
            record.value,
            record.headers,
        );
    }
    Ok(builder.finish())
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
