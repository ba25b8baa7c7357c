//! Tests of walking records: what the builder wrote, and what a hostile sender might.

use super::*;
use crate::base::prng::Prng;
use crate::record::BatchBuilder;
use crate::record::batch::{HEADER_BYTES, RECORDS_COUNT_POSITION};

fn some_bytes(prng: &mut Prng, bytes_max: usize) -> Option<Vec<u8>> {
    if prng.one_in(5) {
        return None;
    }
    let mut bytes = vec![0; prng.index(bytes_max)];
    prng.fill(&mut bytes);
    Some(bytes)
}

type Owned = (
    i64,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Vec<(Vec<u8>, Option<Vec<u8>>)>,
);

fn random_records(prng: &mut Prng) -> Vec<Owned> {
    let count = 1 + prng.index(20);
    (0..count)
        .map(|_| {
            let timestamp = 1_700_000_000_000 + prng.below(10_000).cast_signed() - 5_000;
            let headers = (0..prng.index(4))
                .map(|_| {
                    let key = some_bytes(prng, 20).unwrap_or_default();
                    (key, some_bytes(prng, 100))
                })
                .collect();
            let key = some_bytes(prng, 100);
            (timestamp, key, some_bytes(prng, 400), headers)
        })
        .collect()
}

fn build(builder: BatchBuilder, records: &[Owned]) -> Bytes {
    let mut builder = builder;
    for (timestamp, key, value, headers) in records {
        let headers: Vec<_> = headers
            .iter()
            .map(|(key, value)| Header {
                key,
                value: value.as_deref(),
            })
            .collect();
        builder.append(
            Timestamp(*timestamp),
            key.as_deref(),
            value.as_deref(),
            &headers,
        );
    }
    builder.finish()
}

/// Walks all records; they end, or one is an error.
fn walk(batch: &RecordBatch) -> Result<Vec<Owned>, BatchError> {
    let open = batch.open(1 << 20)?;
    let mut records = Vec::new();
    for (index, record) in open.iter().enumerate() {
        let record = record?;
        assert_eq!(record.headers.count(), record.headers.len());
        let index = i64::try_from(index).expect("small");
        if record.offset.0 - batch.header().base_offset.0 != index {
            continue; // a flipped bit in an offset delta
        }
        records.push((
            record.timestamp.0,
            record.key.map(<[u8]>::to_vec),
            record.value.map(<[u8]>::to_vec),
            record
                .headers
                .map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec)))
                .collect(),
        ));
    }
    Ok(records)
}

#[test]
fn reads_what_the_builder_wrote() {
    let mut prng = Prng::new(3);
    for _ in 0..200 {
        let records = random_records(&mut prng);
        let bytes = build(BatchBuilder::new(Offset(5)), &records);
        let batch = RecordBatch::parse(bytes).expect("a batch");
        assert_eq!(walk(&batch), Ok(records));
    }
}

#[test]
fn append_time_stands_for_all() {
    let mut builder = BatchBuilder::new(Offset(0)).log_append_time(Timestamp(77));
    builder.append(Timestamp(5), None, Some(b"a"), &[]);
    let batch = RecordBatch::parse(builder.finish()).expect("a batch");
    let walked = walk(&batch).expect("one record");
    assert_eq!(walked[0].0, 77);
}

#[test]
fn lies_about_counts_are_found() {
    let mut prng = Prng::new(4);
    let records = random_records(&mut prng);
    let bytes = build(BatchBuilder::new(Offset(5)), &records);
    let count = i32::try_from(records.len()).expect("small");
    for lie in [-1, 0, count - 1, count + 1, i32::MAX, i32::MIN] {
        let mut bytes = bytes.to_vec();
        bytes[RECORDS_COUNT_POSITION..HEADER_BYTES].copy_from_slice(&lie.to_be_bytes());
        let batch = RecordBatch::parse(bytes.into()).expect("the header is whole");
        assert!(walk(&batch).is_err(), "{lie} records");
    }
}

#[test]
fn flipped_bits_and_random_records_never_panic() {
    let mut prng = Prng::new(5);
    for _ in 0..300 {
        let records = random_records(&mut prng);
        let good = build(BatchBuilder::new(Offset(5)), &records).to_vec();
        for _ in 0..30 {
            let mut bytes = good.clone();
            for _ in 0..=prng.index(3) {
                let at = HEADER_BYTES + prng.index(bytes.len() - HEADER_BYTES);
                bytes[at] ^= 1 << prng.index(8);
            }
            let _ = walk(&RecordBatch::parse(bytes.into()).expect("the header is whole"));
        }
        let mut bytes = good;
        prng.fill(&mut bytes[RECORDS_COUNT_POSITION..]);
        let _ = walk(&RecordBatch::parse(bytes.into()).expect("the header is whole"));
    }
}

/// Walks by `peek_plain` where that gives something, and compares it with the record read in full.
/// Answers how many were plain.
fn walk_plain(header: &BatchHeader, records: &[u8]) -> usize {
    let mut walk = Records::new(header, records);
    let mut plains = 0;
    loop {
        let plain = walk.peek_plain();
        let mut passed = walk.clone();
        let record = walk.next();
        let Some(plain) = plain else {
            match record {
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return plains,
            }
        };
        let record = record.unwrap().unwrap();
        assert_eq!(plain.timestamp, record.timestamp);
        assert_eq!(plain.offset_delta, record.offset_delta);
        assert_eq!(plain.has_key, record.key.is_some());
        assert_eq!(plain.body_bytes, record.body_bytes);
        assert_eq!(record.headers.len(), 0);
        passed.pass(plain);
        assert_eq!(passed.rest, walk.rest);
        assert_eq!(passed.remaining, walk.remaining);
        plains += 1;
    }
}

#[test]
fn a_plain_record_is_what_it_is_when_read_in_full_damaged_or_not() {
    let mut prng = Prng::new(7);
    let mut plains = 0;
    for _ in 0..300 {
        let mut records = random_records(&mut prng);
        for (timestamp, _, value, headers) in &mut records {
            if prng.one_in(2) {
                headers.clear();
            }
            if prng.one_in(8) {
                // Around the lengths whose varints grow.
                *value = Some(vec![7; 50 + prng.index(20)]);
            }
            if prng.one_in(20) {
                *value = Some(vec![7; 8_180 + prng.index(20)]);
            }
            *timestamp += prng.index(3).try_into().map_or(0, |it: i64| it * 4_000);
        }
        let bytes = build(BatchBuilder::new(Offset(0)), &records);
        let header = BatchHeader::read(&bytes).unwrap();
        let open = &bytes[HEADER_BYTES..];
        plains += walk_plain(&header, open);
        for _ in 0..50 {
            let mut damaged = open.to_vec();
            let place = prng.index(damaged.len());
            damaged[place] ^= 1 << prng.index(8);
            walk_plain(&header, &damaged);
            walk_plain(&header, &damaged[..place]);
        }
    }
    assert!(plains > 1000, "{plains} of some 3,000");
}
