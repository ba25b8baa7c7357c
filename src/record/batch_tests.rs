//! Tests of the header view and the owner of a batch's bytes.

use super::*;
use crate::base::prng::Prng;
use crate::record::BatchBuilder;

fn sample() -> Bytes {
    let mut builder = BatchBuilder::new(Offset(42))
        .leader_epoch(LeaderEpoch(3))
        .producer(ProducerId(7), ProducerEpoch(1), Sequence(i32::MAX))
        .transactional();
    builder.append(Timestamp(1000), Some(b"k"), Some(b"v"), &[]);
    builder.append(Timestamp(900), None, None, &[]);
    builder.finish()
}

#[test]
fn header_says_what_the_builder_was_told() {
    let batch = RecordBatch::parse(sample()).expect("a batch");
    let header = batch.header();
    assert!(batch.is_valid_crc());
    assert_eq!(header.base_offset, Offset(42));
    assert_eq!(header.last_offset(), Offset(43));
    assert_eq!(header.next_offset(), Offset(44));
    assert_eq!(header.partition_leader_epoch, LeaderEpoch(3));
    assert_eq!(header.base_timestamp, Timestamp(1000));
    assert_eq!(header.max_timestamp, Timestamp(1000));
    assert_eq!(header.record_count, 2);
    assert_eq!(header.batch_bytes(), batch.bytes().len());
    assert_eq!(header.last_sequence(), Sequence(0));
    assert_eq!(header.compression(), Ok(Compression::None));
    assert_eq!(header.timestamp_type(), TimestampType::CreateTime);
    assert_eq!(header.delete_horizon(), None);
    assert!(header.is_transactional() && !header.is_control());
    assert_eq!(batch.bytes()[..HEADER_BYTES], header.to_bytes());
}

#[test]
fn patched_head_leaves_the_checksum_valid() {
    let batch = RecordBatch::parse(sample()).expect("a batch");
    let mut bytes = batch.patched_head(Offset(9), LeaderEpoch(5)).to_vec();
    bytes.extend_from_slice(&batch.bytes()[PATCHED_HEAD_BYTES..]);
    let patched = RecordBatch::parse(bytes.into()).expect("a batch");
    assert!(patched.is_valid_crc());
    assert_eq!(patched.header().base_offset, Offset(9));
    assert_eq!(patched.header().partition_leader_epoch, LeaderEpoch(5));
    assert_eq!(patched.header().crc, batch.header().crc);
}

#[test]
fn splits_and_refuses() {
    let one = sample();
    let two = Bytes::from([one.as_ref(), one.as_ref()].concat());
    let (first, rest) = RecordBatch::split_first(two.clone()).expect("the first of two");
    assert_eq!(first.bytes(), &one);
    assert_eq!(rest, one);
    let extra = one.len();
    assert_eq!(RecordBatch::parse(two), Err(BatchError::Trailing { extra }));
    for have in 0..one.len() {
        let error = RecordBatch::parse(one.slice(..have)).expect_err("cut off");
        assert!(matches!(error, BatchError::CutOff { .. }), "{error}");
    }
    let mut bytes = one.to_vec();
    bytes[8..12].copy_from_slice(&48i32.to_be_bytes());
    assert_eq!(BatchHeader::read(&bytes), Err(BatchError::Length(48)));
    bytes[16] = 1;
    assert_eq!(BatchHeader::read(&bytes), Err(BatchError::Magic(1)));
    assert_eq!(BatchHeader::read(&bytes[..20]), Err(BatchError::Magic(1)));
}

#[test]
fn every_flipped_bit_under_the_checksum_is_found() {
    let good = sample().to_vec();
    for bit in 17 * 8..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let batch = RecordBatch::parse(bytes.into()).expect("length and magic are untouched");
        assert!(batch.check_crc().is_err(), "bit {bit}");
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut prng = Prng::new(2);
    for _ in 0..20_000 {
        let mut bytes = vec![0; prng.index(200)];
        prng.fill(&mut bytes);
        if bytes.len() > 16 && !prng.one_in(4) {
            bytes[16] = 2;
            bytes[8..10].fill(0);
        }
        if let Ok((batch, rest)) = RecordBatch::split_first(Bytes::from(bytes.clone())) {
            let header = batch.header();
            assert_eq!(batch.bytes().len() + rest.len(), bytes.len());
            assert_eq!(header.to_bytes(), bytes[..HEADER_BYTES]);
            let _ = (
                header.last_offset(),
                header.next_offset(),
                header.last_sequence(),
            );
            assert!(!batch.is_valid_crc(), "one in four billion");
        }
    }
}
