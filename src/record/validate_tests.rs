//! Tests of validation: each refusal, each rewriting, and damage of every kind.

use super::*;
use crate::base::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::prng::Prng;
use crate::record::{BatchBuilder, batch};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn builder() -> BatchBuilder {
    BatchBuilder::new(Offset(0))
}

fn filled(builder: BatchBuilder) -> Bytes {
    let mut builder = builder;
    for index in 0..10 {
        let value = [b'v'; 100];
        let timestamp = Timestamp(NOW.0 - 1000 + index);
        builder.append(timestamp, Some(b"key"), Some(&value), &[]);
    }
    builder.finish()
}

fn rules() -> ProduceRules {
    ProduceRules {
        thoroughness: Thoroughness::AllRecords,
        ..ProduceRules::default()
    }
}

fn refusal(bytes: impl Into<Bytes>, rules: &ProduceRules) -> RecordError {
    validate_produce(bytes.into(), rules, NOW).expect_err("a refusal")
}

/// The records that are named as being at fault.
fn at_fault(error: &RecordError) -> Vec<i32> {
    let RecordError::Faults(faults) = error else {
        panic!("no record is at fault: {error}");
    };
    faults.first.iter().map(|it| it.batch_index).collect()
}

/// The batch with one field of its header replaced, and the checksum made right again.
fn with(bytes: &Bytes, change: impl FnOnce(&mut BatchHeader)) -> Bytes {
    let mut header = BatchHeader::read(bytes).expect("a batch");
    change(&mut header);
    let mut bytes = bytes.to_vec();
    bytes[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
    build::seal(&mut bytes);
    bytes.into()
}

#[test]
fn a_good_batch_passes_untouched() {
    for thoroughness in [
        Thoroughness::Header,
        Thoroughness::OpenRecords,
        Thoroughness::AllRecords,
    ] {
        for codec in Compression::ALL {
            let bytes = filled(builder().compression(codec));
            let rules = ProduceRules {
                thoroughness,
                ..rules()
            };
            let batch = validate_produce(bytes.clone(), &rules, NOW).expect("a good batch");
            assert_eq!(batch.bytes().as_ptr(), bytes.as_ptr(), "no copy");
        }
    }
}

#[test]
fn each_fault_of_a_header_has_kafkas_error() {
    let good = filled(builder());
    let invalid = |bytes: Bytes| {
        let error = refusal(bytes, &rules());
        assert_eq!(error.kafka_name(), "INVALID_RECORD", "{error}");
        error
    };
    assert_eq!(invalid(Bytes::new()), RecordError::NoBatch);
    assert_eq!(invalid(good.slice(..good.len() - 1)), RecordError::NoBatch);
    let two = [good.as_ref(), good.as_ref()].concat();
    let extra = good.len();
    assert_eq!(invalid(two.into()), RecordError::MoreThanOneBatch { extra });
    let mut old = good.to_vec();
    for magic in [0, 1] {
        old[16] = magic;
        assert_eq!(
            invalid(old.clone().into()),
            RecordError::OldMagic(magic.cast_signed())
        );
    }
    invalid(with(&good, |header| header.base_offset = Offset(1)));
    for count in [i32::MIN, -1, 0, 9, 11, i32::MAX] {
        invalid(with(&good, |header| header.record_count = count));
        invalid(with(&good, |header| {
            header.record_count = count;
            header.last_offset_delta = count.wrapping_sub(1);
        }));
        if count != 9 {
            // The last offset is 9 after the first.
            invalid(with(&good, |header| header.last_offset_delta = count));
        }
    }
    invalid(with(&good, |header| {
        header.attributes |= batch::ATTRIBUTE_CONTROL;
    }));
    invalid(filled(builder().producer(
        ProducerId(5),
        ProducerEpoch(0),
        Sequence(-1),
    )));
}

#[test]
fn what_apache_does_not_look_at_passes() {
    let good = filled(builder());
    for (id, epoch) in [(5, -1), (-2, 0)] {
        let producer = builder().producer(ProducerId(id), ProducerEpoch(epoch), Sequence(0));
        assert!(validate_produce(filled(producer), &rules(), NOW).is_ok());
    }
    let horizon = with(&good, |header| {
        header.attributes |= batch::ATTRIBUTE_DELETE_HORIZON;
    });
    let batch = validate_produce(horizon.clone(), &rules(), NOW).expect("it passes");
    assert_eq!(batch.bytes(), &horizon);
}

#[test]
fn what_follows_the_batch_is_dropped_where_it_is_no_batch() {
    let good = filled(builder());
    for extra in [&[0; 5][..], &[0; 11], &good[..20], &good[..good.len() - 1]] {
        let bytes = [good.as_ref(), extra].concat();
        let batch = validate_produce(bytes.into(), &rules(), NOW).expect("the rest is dropped");
        assert_eq!(batch.bytes(), &good);
    }
    let mut odd = good[..20].to_vec();
    odd[16] = 3;
    for extra in [&[0; 12][..], &[0; 20], &odd] {
        let bytes = [good.as_ref(), extra].concat();
        assert_eq!(refusal(bytes, &rules()).kafka_name(), "CORRUPT_MESSAGE");
    }
}

#[test]
fn append_time_of_a_producer_goes_or_is_refused_by_what_the_topic_wants() {
    for codec in Compression::ALL {
        let stamped = with(&filled(builder().compression(codec)), |header| {
            header.attributes |= batch::ATTRIBUTE_LOG_APPEND_TIME;
        });
        for thoroughness in [Thoroughness::Header, Thoroughness::AllRecords] {
            let rules = ProduceRules {
                thoroughness,
                ..rules()
            };
            let batch = validate_produce(stamped.clone(), &rules, NOW).expect("the bit goes");
            assert!(batch.is_valid_crc());
            let header = batch.header();
            assert_eq!(header.timestamp_type(), TimestampType::CreateTime);
            assert_eq!(header.max_timestamp, Timestamp(NOW.0 - 991));
            let stamps = ProduceRules {
                timestamp_type: TimestampType::LogAppendTime,
                ..rules
            };
            let error = refusal(stamped.clone(), &stamps);
            assert_eq!(error.kafka_name(), "INVALID_TIMESTAMP");
            assert_eq!(at_fault(&error), (0..10).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_timestamp_out_of_range_outranks_other_faults_and_damage_outranks_both() {
    let strict = ProduceRules {
        is_compacted: true,
        timestamp_after_max_ms: 500,
        ..rules()
    };
    let mut builder = builder();
    builder.append(NOW, None, None, &[]);
    builder.append(Timestamp(NOW.0 + 501), Some(b"k"), None, &[]);
    builder.append(Timestamp(NOW.0 + 502), None, None, &[]);
    let bytes = builder.finish();
    let error = refusal(bytes.clone(), &strict);
    assert_eq!(error.kafka_name(), "INVALID_TIMESTAMP");
    assert_eq!(
        at_fault(&error),
        [0, 1, 2],
        "the first and the last have no key"
    );
    let mut damaged = bytes.to_vec();
    *damaged.last_mut().expect("a count of headers") = 0x7F;
    build::seal(&mut damaged);
    assert_eq!(refusal(damaged, &strict).kafka_name(), "INVALID_RECORD");
}

#[test]
fn other_faults_have_other_errors() {
    let good = filled(builder());
    let rules = ProduceRules::default();
    let mut flipped = good.to_vec();
    flipped[100] ^= 1;
    assert_eq!(refusal(flipped, &rules).kafka_name(), "CORRUPT_MESSAGE");
    let mut magic = good.to_vec();
    magic[16] = 3;
    assert_eq!(refusal(magic, &rules).kafka_name(), "CORRUPT_MESSAGE");
    let mut length = good.to_vec();
    length[8..12].copy_from_slice(&(-1i32).to_be_bytes());
    assert_eq!(refusal(length, &rules).kafka_name(), "CORRUPT_MESSAGE");

    let small = ProduceRules {
        message_bytes_max: good.len() - 1,
        ..rules
    };
    assert_eq!(
        refusal(good.clone(), &small).kafka_name(),
        "MESSAGE_TOO_LARGE"
    );
    let codec = with(&good, |header| header.attributes |= 7);
    assert_eq!(refusal(codec, &rules).kafka_name(), "UNKNOWN_SERVER_ERROR");
    let no_zstd = ProduceRules {
        is_zstd_allowed: false,
        ..rules
    };
    let zstd = filled(builder().compression(Compression::Zstd));
    assert_eq!(refusal(zstd, &no_zstd), RecordError::ZstdNotAllowed);
}

#[test]
fn timestamps_are_held_to_the_topics_range() {
    let ahead = |thoroughness| ProduceRules {
        timestamp_after_max_ms: 500,
        thoroughness,
        ..rules()
    };
    let mut builder = builder();
    builder.append(NOW, None, None, &[]);
    builder.append(Timestamp(NOW.0 + 501), None, None, &[]);
    let bytes = builder.finish();
    for thoroughness in [Thoroughness::AllRecords, Thoroughness::Header] {
        let error = refusal(bytes.clone(), &ahead(thoroughness));
        assert_eq!(error.kafka_name(), "INVALID_TIMESTAMP");
        assert_eq!(at_fault(&error), [1]);
    }
    // A header that lies about its maximum is only found by walking.
    let lying = with(&bytes, |header| header.max_timestamp = NOW);
    assert!(validate_produce(lying.clone(), &ahead(Thoroughness::Header), NOW).is_ok());
    refusal(lying, &ahead(Thoroughness::OpenRecords));

    let behind = ProduceRules {
        timestamp_before_max_ms: 999,
        thoroughness: Thoroughness::Header,
        ..rules()
    };
    for codec in Compression::ALL {
        let bytes = filled(self::builder().compression(codec));
        let error = refusal(bytes, &behind);
        let first = at_fault(&error)[0];
        assert_eq!(first, 0, "a lower bound walks: {codec}");
    }
    // Records without a timestamp pass, and so does all where the broker stamps.
    let mut none = self::builder();
    none.append(Timestamp::NONE, None, None, &[]);
    assert!(validate_produce(none.finish(), &behind, NOW).is_ok());
    let append = ProduceRules {
        timestamp_type: TimestampType::LogAppendTime,
        ..behind
    };
    assert!(validate_produce(filled(self::builder()), &append, NOW).is_ok());
}

#[test]
fn extreme_timestamps_do_not_overflow() {
    for extreme in [i64::MIN, i64::MIN + 1, i64::MAX] {
        for before in [0, i64::MAX] {
            let mut builder = builder();
            builder.append(Timestamp(extreme), None, None, &[]);
            builder.append(Timestamp(0), None, None, &[]);
            let rules = ProduceRules {
                timestamp_before_max_ms: before,
                timestamp_after_max_ms: before,
                ..rules()
            };
            let result = validate_produce(builder.finish(), &rules, NOW);
            assert_eq!(result.is_ok(), before == i64::MAX && extreme == i64::MAX);
        }
    }
}

#[test]
fn compacted_topics_need_keys() {
    let compacted = ProduceRules {
        is_compacted: true,
        ..ProduceRules::default()
    };
    for codec in Compression::ALL {
        assert!(validate_produce(filled(builder().compression(codec)), &compacted, NOW).is_ok());
        let mut builder = builder().compression(codec);
        builder.append(NOW, Some(b""), None, &[]);
        builder.append(NOW, None, Some(b"v"), &[]);
        let error = refusal(builder.finish(), &compacted);
        assert_eq!(error.kafka_name(), "INVALID_RECORD");
        assert_eq!(at_fault(&error), [1], "{codec}");
    }
}

#[test]
fn append_time_is_stamped() {
    let rules = ProduceRules {
        timestamp_type: TimestampType::LogAppendTime,
        ..ProduceRules::default()
    };
    let batch = validate_produce(filled(builder()), &rules, NOW).expect("a good batch");
    assert!(batch.is_valid_crc());
    assert_eq!(batch.header().max_timestamp, NOW);
    assert_eq!(
        batch.header().timestamp_type(),
        TimestampType::LogAppendTime
    );
    let open = batch.open(0).expect("not compressed");
    for record in &open {
        assert_eq!(record.expect("a record").timestamp, NOW);
    }
}

#[test]
fn a_wrong_maximum_is_put_right_where_records_are_walked() {
    let wrong = with(&filled(builder()), |header| {
        header.max_timestamp = Timestamp(5);
    });
    let batch = validate_produce(wrong, &rules(), NOW).expect("a good batch");
    assert!(batch.is_valid_crc());
    assert_eq!(batch.header().max_timestamp, Timestamp(NOW.0 - 991));
}

#[test]
fn the_topics_codec_takes_the_place_of_the_producers() {
    for from in Compression::ALL {
        for to in Compression::ALL {
            let sent = filled(builder().compression(from).producer(
                ProducerId(5),
                ProducerEpoch(1),
                Sequence(9),
            ));
            let rules = ProduceRules {
                compression: Some((to, Some(5))),
                ..ProduceRules::default()
            };
            let batch = validate_produce(sent.clone(), &rules, NOW).expect("a good batch");
            assert!(batch.is_valid_crc());
            assert_eq!(batch.header().compression(), Ok(to));
            assert_eq!(batch.header().base_sequence, Sequence(9));
            let before = RecordBatch::parse(sent).and_then(|sent| sent.open(1 << 20));
            let after = batch.open(1 << 20).expect("it opens");
            assert_eq!(
                before.expect("it opens").record_bytes(),
                after.record_bytes()
            );
        }
    }
    let zeros = [0; 5000];
    let mut builder = builder().compression(Compression::Gzip);
    builder.append(NOW, None, Some(&zeros), &[]);
    let rules = ProduceRules {
        message_bytes_max: 1000,
        compression: Some((Compression::None, None)),
        ..ProduceRules::default()
    };
    let error = refusal(builder.finish(), &rules);
    assert_eq!(error.kafka_name(), "MESSAGE_TOO_LARGE");
}

#[test]
fn bombs_and_corrupt_payloads_are_refused_where_they_are_opened() {
    let zeros = vec![0; 8 << 20];
    for codec in Compression::ALL {
        let mut builder = builder().compression(codec);
        builder.append(NOW, None, Some(&zeros), &[]);
        let rules = ProduceRules {
            message_bytes_max: 16 << 20,
            opened_bytes_max: 1 << 20,
            ..rules()
        };
        let bytes = builder.finish();
        if codec == Compression::None {
            assert!(
                validate_produce(bytes, &rules, NOW).is_ok(),
                "nothing to open"
            );
            continue;
        }
        let error = refusal(bytes.clone(), &rules);
        assert_eq!(error.kafka_name(), "MESSAGE_TOO_LARGE", "{codec}");

        let mut corrupt = bytes.to_vec();
        corrupt[HEADER_BYTES..].fill(0xA5);
        build::seal(&mut corrupt);
        let error = refusal(corrupt, &rules);
        assert_eq!(
            error.kafka_name(),
            "UNKNOWN_SERVER_ERROR",
            "{codec}: {error}"
        );
    }
}

#[test]
fn the_size_of_opened_records_is_bounded_where_the_topic_says_so() {
    let bounded = |limit| ProduceRules {
        record_opened_bytes_max: limit,
        ..ProduceRules::default()
    };
    for codec in Compression::ALL {
        // 1 attributes, 2 + 1 deltas, 1 + 3 key, 2 + 100 value, 1 headers.
        let bytes = filled(builder().compression(codec));
        assert!(validate_produce(bytes.clone(), &bounded(111), NOW).is_ok());
        let result = validate_produce(bytes, &bounded(108), NOW);
        assert_eq!(result.is_ok(), codec == Compression::None, "{codec}");
    }
}

#[test]
fn records_out_of_their_number_pass_open_and_are_numbered_anew_where_the_codec_changes() {
    for codec in Compression::ALL {
        let mut builder = builder().compression(codec);
        builder.append(NOW, None, None, &[]);
        builder.append_at(Offset(2), NOW, None, None, &[]);
        let gap = with(&builder.finish(), |header| header.last_offset_delta = 1);
        let result = validate_produce(gap.clone(), &rules(), NOW);
        if codec == Compression::None {
            assert_eq!(result.expect("as it came").bytes(), &gap);
        } else {
            let error = result.expect_err("Apache cannot");
            assert_eq!(error.kafka_name(), "UNKNOWN_SERVER_ERROR");
        }
        let target = if codec == Compression::Gzip {
            Compression::None
        } else {
            Compression::Gzip
        };
        let rules = ProduceRules {
            compression: Some((target, None)),
            ..rules()
        };
        let batch = validate_produce(gap, &rules, NOW).expect("numbered anew");
        let open = batch.open(1 << 10).expect("it opens");
        let deltas: Vec<i32> = open
            .iter()
            .map(|record| record.expect("a record").offset_delta)
            .collect();
        assert_eq!(deltas, [0, 1]);
    }
}

/// A refusal of very many records names the first, and counts all.
#[test]
fn the_records_at_fault_are_bounded() {
    let mut builder = builder();
    for _ in 0..FAULTS_NAMED_MAX + 10 {
        builder.append(NOW, None, None, &[]);
    }
    let compacted = ProduceRules {
        is_compacted: true,
        ..rules()
    };
    let RecordError::Faults(faults) = refusal(builder.finish(), &compacted) else {
        panic!("records are at fault");
    };
    assert_eq!(faults.count, FAULTS_NAMED_MAX + 10);
    assert_eq!(faults.first.len(), FAULTS_NAMED_MAX);
}

/// Whatever arrives: no panic, and what passes is whole.
#[test]
fn damaged_batches_never_panic_and_never_pass_broken() {
    let mut prng = Prng::new(11);
    for round in 0..6_000 {
        let codec = Compression::ALL[prng.index(5)];
        let mut bytes = filled(builder().compression(codec)).to_vec();
        for _ in 0..=prng.index(4) {
            let from = if prng.one_in(2) { 0 } else { 16 };
            let at = from + prng.index(bytes.len() - from);
            bytes[at] ^= 1 << prng.index(8);
        }
        if prng.one_in(8) {
            let length = prng.index(bytes.len());
            bytes.truncate(length);
        }
        // Most damage would end at the checksum: make it right, as a hostile sender does.
        if bytes.len() > HEADER_BYTES && !prng.one_in(8) {
            build::seal(&mut bytes);
        }
        let target = prng
            .one_in(3)
            .then(|| (Compression::ALL[prng.index(5)], None));
        let rules = ProduceRules {
            is_compacted: prng.one_in(2),
            compression: target,
            opened_bytes_max: 1 << 20,
            ..rules()
        };
        if let Ok(batch) = validate_produce(bytes.into(), &rules, NOW) {
            assert!(batch.is_valid_crc(), "round {round}");
            let open = batch.open(1 << 20).expect("what passed opens");
            let records: Result<Vec<_>, _> = open.iter().collect();
            let count = records.expect("what passed can be read").len();
            assert_eq!(i32::try_from(count), Ok(batch.header().record_count));
        }
    }
}
