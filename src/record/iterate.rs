//! Walks the records of a batch, opening it first where it is compressed.
//!
//! ```text
//! length varint | attributes i8 | timestampDelta varlong | offsetDelta varint
//! | keyLength varint (-1 null) | key | valueLength varint (-1 null) | value
//! | headerCount varint | (keyLength varint | key | valueLength varint (-1 null) | value)*
//! ```
//!
//! Nothing is copied out of an uncompressed batch. `DefaultRecord` of Apache Kafka.

use crate::base::ids::Offset;
use crate::base::time::Timestamp;
use crate::record::batch::{BatchHeader, RecordBatch, TimestampType};
use crate::record::compress::{self, Compression};
use crate::record::error::BatchError;
use crate::record::varint;
use bytes::Bytes;

/// The fewest bytes a record takes: a length, an attribute byte, and five one-byte varints.
pub const RECORD_BYTES_MIN: usize = 7;

/// A batch whose records lie open in memory.
#[derive(Clone, Debug)]
pub struct OpenBatch {
    header: BatchHeader,
    records: Bytes,
}

impl RecordBatch {
    /// Opens the batch: shares its bytes where it is not compressed, else decompresses it into
    /// at most `opened_bytes_max` bytes.
    ///
    /// # Errors
    /// `BatchError::Codec`, `BatchError::Decompress`, `BatchError::TooLargeOpened`.
    pub fn open(&self, opened_bytes_max: usize) -> Result<OpenBatch, BatchError> {
        let records = match self.header().compression()? {
            Compression::None => self.record_bytes(),
            codec @ (Compression::Gzip
            | Compression::Snappy
            | Compression::Lz4
            | Compression::Zstd) => {
                let records = self.record_bytes();
                Bytes::from(compress::decompress(codec, &records, opened_bytes_max)?)
            }
        };
        Ok(OpenBatch {
            header: *self.header(),
            records,
        })
    }
}

impl OpenBatch {
    /// The header of the batch.
    #[must_use]
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The records, one after the other. A field of a record is found again in these bytes with
    /// `Bytes::slice_ref`, which keeps it without a copy.
    #[must_use]
    pub fn record_bytes(&self) -> &Bytes {
        &self.records
    }

    /// Walks the records.
    #[must_use]
    pub fn iter(&self) -> Records<'_> {
        Records::new(&self.header, &self.records)
    }
}

impl<'a> IntoIterator for &'a OpenBatch {
    type Item = Result<Record<'a>, BatchError>;
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.iter()
    }
}

/// A record, borrowed from its batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// Its position in the partition: the base offset of the batch plus the delta.
    pub offset: Offset,
    /// Relative to the base offset of the batch.
    pub offset_delta: i32,
    /// The producer's, or the broker's where the batch has the time of its append.
    pub timestamp: Timestamp,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null (a tombstone where the topic is compacted).
    pub value: Option<&'a [u8]>,
    /// The headers, in order.
    pub headers: Headers<'a>,
    /// Bytes of the whole record, with its length field.
    pub record_bytes: usize,
    /// Bytes of the record after its length field.
    pub body_bytes: usize,
}

/// A header of a record. Kafka's keys are UTF-8, but nothing on the way checks that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// The key, never null.
    pub key: &'a [u8],
    /// The value, or null.
    pub value: Option<&'a [u8]>,
}

/// The headers of a record: checked when the record was read, decoded when walked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Headers<'a> {
    rest: &'a [u8],
    count: usize,
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.count = self.count.checked_sub(1)?;
        let header = take_header(&mut self.rest).expect("checked when the record was read");
        Some(header)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl ExactSizeIterator for Headers<'_> {}

/// What a walk that only checks has to know of a plain record: one without headers, whose numbers
/// take two bytes at most. Nearly all records are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlainRecord {
    /// As the producer has it.
    pub timestamp: Timestamp,
    /// Relative to the base offset of the batch.
    pub offset_delta: i32,
    /// Whether its key is not null.
    pub has_key: bool,
    /// Bytes of the record after its length field.
    pub body_bytes: usize,
    record_bytes: usize,
}

/// The first bytes of a record, in one word: one look at the bounds for all numbers in it.
struct Head {
    word: u128,
    taken: usize,
}

impl Head {
    const BYTES: usize = 16;

    #[inline]
    fn skip(&mut self, bytes: usize) {
        self.word >>= 8 * bytes;
        self.taken += bytes;
    }

    /// A varint of one or two bytes.
    #[inline]
    fn short(&mut self) -> Option<i32> {
        let [low, high, ..] = self.word.to_le_bytes();
        let (value, bytes) = varint::short_i32(low, high)?;
        self.skip(bytes);
        Some(value)
    }
}

/// Walks the records of a batch. After an error it is at its end.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    remaining: i32,
    base_offset: Offset,
    base_timestamp: Timestamp,
    /// The time of the append, where that stands for the records' own.
    append_timestamp: Option<Timestamp>,
    finished: bool,
}

impl<'a> Records<'a> {
    /// Walks `records`, the open records of the batch with that header.
    #[must_use]
    pub fn new(header: &BatchHeader, records: &'a [u8]) -> Records<'a> {
        let append_timestamp = match header.timestamp_type() {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(header.max_timestamp),
        };
        Records {
            rest: records,
            remaining: header.record_count,
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_timestamp,
            finished: false,
        }
    }

    /// The next record, where it is a plain one with a time of its own; it stays the next one. `None`
    /// says nothing: the record is then read in full.
    #[inline]
    #[must_use]
    pub fn peek_plain(&self) -> Option<PlainRecord> {
        if self.remaining <= 0 || self.finished || self.append_timestamp.is_some() {
            return None;
        }
        let word = u128::from_le_bytes(*self.rest.first_chunk::<{ Head::BYTES }>()?);
        let mut head = Head { word, taken: 0 };
        let body_bytes = usize::try_from(head.short()?).ok()?;
        let record_bytes = head.taken + body_bytes;
        head.skip(1);
        let timestamp_delta = head.short()?;
        let offset_delta = head.short()?;
        let key_bytes = head.short()?;
        let (value_bytes, value_at) = if key_bytes == -1 {
            (head.short()?, head.taken)
        } else {
            let at = head.taken + usize::try_from(key_bytes).ok()?;
            let [low, high] = *self.rest.get(at..)?.first_chunk()?;
            let (value_bytes, bytes) = varint::short_i32(low, high)?;
            (value_bytes, at + bytes)
        };
        let value_end = match value_bytes {
            -1 => value_at,
            count => value_at + usize::try_from(count).ok()?,
        };
        // The count of headers is the last byte.
        let is_whole = value_end + 1 == record_bytes && self.rest.get(value_end) == Some(&0);
        is_whole.then(|| PlainRecord {
            timestamp: Timestamp(
                self.base_timestamp
                    .0
                    .wrapping_add(i64::from(timestamp_delta)),
            ),
            offset_delta,
            has_key: key_bytes != -1,
            body_bytes,
            record_bytes,
        })
    }

    /// Goes over the record that `peek_plain` has just given.
    #[inline]
    pub fn pass(&mut self, plain: PlainRecord) {
        self.rest = &self.rest[plain.record_bytes..];
        self.remaining -= 1;
    }

    fn take(&mut self) -> Result<Option<Record<'a>>, BatchError> {
        if self.remaining < 0 {
            return Err(BatchError::RecordCount(self.remaining));
        }
        if self.remaining == 0 {
            return match self.rest.len() {
                0 => Ok(None),
                extra => Err(BatchError::AfterLastRecord { extra }),
            };
        }
        self.remaining -= 1;
        let before = self.rest.len();
        let length = varint::take_i32(&mut self.rest)?;
        let length = usize::try_from(length).map_err(|_| BatchError::RecordLength)?;
        let body = take_bytes(&mut self.rest, length)?;
        let record_bytes = before - self.rest.len();
        self.record(body, record_bytes).map(Some)
    }

    fn record(&self, body: &'a [u8], record_bytes: usize) -> Result<Record<'a>, BatchError> {
        // Fields are bounded by the record's own length, so a lie in one is found in this record.
        let mut rest = body;
        take_bytes(&mut rest, 1)?; // attributes: unused, and Apache ignores them
        let timestamp_delta = varint::take_i64(&mut rest)?;
        let offset_delta = varint::take_i32(&mut rest)?;
        let key = take_nullable(&mut rest)?;
        let value = take_nullable(&mut rest)?;
        let header_count = varint::take_i32(&mut rest)?;
        let headers = take_headers(&mut rest, header_count)?;
        if !rest.is_empty() {
            return Err(BatchError::RecordLength);
        }
        let own = self.base_timestamp.0.wrapping_add(timestamp_delta);
        let offset = self.base_offset.0.saturating_add(i64::from(offset_delta));
        Ok(Record {
            offset: Offset(offset),
            offset_delta,
            timestamp: self.append_timestamp.unwrap_or(Timestamp(own)),
            key,
            value,
            headers,
            record_bytes,
            body_bytes: body.len(),
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BatchError>;

    fn next(&mut self) -> Option<Result<Record<'a>, BatchError>> {
        if self.finished {
            return None;
        }
        let taken = self.take().transpose();
        self.finished = !matches!(taken, Some(Ok(_)));
        taken
    }
}

fn take_bytes<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], BatchError> {
    let (taken, tail) = rest
        .split_at_checked(count)
        .ok_or(BatchError::RecordCutOff)?;
    *rest = tail;
    Ok(taken)
}

/// A field whose length -1 means null. Apache takes every negative length for null; no client
/// writes another, so here it is an error.
fn take_nullable<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, BatchError> {
    match varint::take_i32(rest)? {
        -1 => Ok(None),
        length => {
            let count = usize::try_from(length).map_err(|_| BatchError::FieldLength(length))?;
            take_bytes(rest, count).map(Some)
        }
    }
}

fn take_header<'a>(rest: &mut &'a [u8]) -> Result<Header<'a>, BatchError> {
    let key = take_nullable(rest)?.ok_or(BatchError::FieldLength(-1))?;
    let value = take_nullable(rest)?;
    Ok(Header { key, value })
}

/// Walks over the headers once, so that whoever reads them later cannot fail.
fn take_headers<'a>(rest: &mut &'a [u8], count: i32) -> Result<Headers<'a>, BatchError> {
    let all = *rest;
    // A header takes two bytes at least.
    let bounded = usize::try_from(count).ok().filter(|n| *n <= all.len() / 2);
    let count = bounded.ok_or(BatchError::HeaderCount(count))?;
    for _ in 0..count {
        take_header(rest)?;
    }
    Ok(Headers { rest: all, count })
}

#[cfg(test)]
#[path = "iterate_tests.rs"]
mod tests;
