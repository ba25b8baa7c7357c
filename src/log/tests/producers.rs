//! Idempotent and transactional producers.

use super::*;
use crate::log::{AbortedTransaction, AppendError};

fn append(
    log: &mut Log,
    id: i64,
    epoch: i16,
    sequence: i32,
    count: usize,
) -> Result<Offset, AppendError> {
    log.append(produced(id, epoch, sequence, count), EPOCH, at(1000))
        .map(|appended| appended.base_offset)
}

fn duplicate_of(result: Result<Offset, AppendError>) -> Offset {
    match result {
        Err(AppendError::Duplicate { base_offset, .. }) => base_offset,
        other => panic!("{other:?}"),
    }
}

fn transactional(id: i64, epoch: i16, sequence: i32) -> RecordBatch {
    let mut builder = BatchBuilder::new(Offset(0))
        .producer(ProducerId(id), ProducerEpoch(epoch), Sequence(sequence))
        .transactional();
    builder.append(Timestamp(1000), None, Some(b"value"), &[]);
    RecordBatch::parse(builder.finish()).unwrap()
}

pub fn marker(id: i64, epoch: i16, is_abort: bool, coordinator_epoch: i32) -> RecordBatch {
    let mut builder = BatchBuilder::new(Offset(0))
        .producer(ProducerId(id), ProducerEpoch(epoch), Sequence::NONE)
        .transactional()
        .control();
    let key = [0, 0, 0, u8::from(!is_abort)];
    let mut value = vec![0, 0];
    value.extend_from_slice(&coordinator_epoch.to_be_bytes());
    builder.append(Timestamp(1000), Some(&key), Some(&value), &[]);
    RecordBatch::parse(builder.finish()).unwrap()
}

#[test]
fn duplicates_are_answered_and_gaps_refused_queued_or_written() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    for round in 0..7 {
        append(&mut log, 5, 0, round * 2, 2).unwrap();
        if round == 3 {
            log.write(&disk, at(1000)).unwrap();
        }
    }
    // The last five are remembered, whether written or queued.
    for round in 2..7_i32 {
        let answer = append(&mut log, 5, 0, round * 2, 2);
        assert_eq!(duplicate_of(answer), Offset(i64::from(round) * 2));
    }
    for (sequence, count) in [(0, 2), (2, 2), (15, 2), (12, 1), (100, 1)] {
        let answer = append(&mut log, 5, 0, sequence, count);
        assert!(matches!(
            answer,
            Err(AppendError::OutOfOrderSequence { .. })
        ));
    }
    // KIP-360: unknown to the log, any sequence will do; then it is held to.
    append(&mut log, 6, 0, 41, 1).unwrap();
    assert!(append(&mut log, 6, 0, 43, 1).is_err());
    // A new epoch begins at 0, and fences the old one.
    assert!(append(&mut log, 5, 1, 3, 1).is_err());
    append(&mut log, 5, 1, 0, 1).unwrap();
    let fenced = append(&mut log, 5, 0, 14, 1);
    assert!(matches!(
        fenced,
        Err(AppendError::InvalidProducerEpoch { .. })
    ));
    log.write(&disk, at(1000)).unwrap();
    assert_eq!(log.log_end_offset(), Offset(16));
}

#[test]
fn sequences_wrap() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    append(&mut log, 5, 0, i32::MAX - 1, 2).unwrap();
    assert!(append(&mut log, 5, 0, 1, 1).is_err());
    append(&mut log, 5, 0, 0, 3).unwrap();
    append(&mut log, 5, 0, 3, 1).unwrap();
    append(&mut log, 6, 0, i32::MAX, 3).unwrap();
    append(&mut log, 6, 0, 2, 1).unwrap();
    assert_eq!(duplicate_of(append(&mut log, 6, 0, i32::MAX, 3)), Offset(6));
    log.write(&disk, at(1000)).unwrap();
}

#[test]
fn a_failed_write_takes_the_producers_back() {
    let (disk, simulated) = disk();
    let mut log = create(&disk, LogConfig::default());
    append(&mut log, 5, 0, 0, 1).unwrap();
    log.write(&disk, at(1000)).unwrap();
    let before: Vec<_> = log
        .producers()
        .producers()
        .map(|(id, producer)| (id, producer.clone()))
        .collect();
    simulated.set_free_bytes(0);
    append(&mut log, 5, 0, 1, 1).unwrap();
    append(&mut log, 5, 1, 0, 1).unwrap();
    append(&mut log, 7, 0, 0, 1).unwrap();
    log.append(transactional(8, 0, 0), EPOCH, at(1000)).unwrap();
    assert!(log.write(&disk, at(1000)).is_err());
    let after: Vec<_> = log
        .producers()
        .producers()
        .map(|(id, producer)| (id, producer.clone()))
        .collect();
    assert_eq!(before, after);
    assert_eq!(log.last_stable_offset(Offset(1)), Offset(1));
    simulated.set_free_bytes(1 << 20);
    append(&mut log, 5, 0, 1, 1).unwrap();
    log.write(&disk, at(1000)).unwrap();
}

#[test]
fn the_state_survives_stops_of_both_kinds_and_rolls() {
    for clean in [true, false] {
        let (disk, _) = disk();
        let config = LogConfig {
            segment_bytes: 500,
            ..LogConfig::default()
        };
        let mut log = create(&disk, config.clone());
        for sequence in 0..50 {
            append(&mut log, 5, 2, sequence, 1).unwrap();
            append(&mut log, 6, 0, sequence, 1).unwrap();
            if sequence % 7 == 0 {
                log.write(&disk, at(1000)).unwrap();
            }
        }
        log.write(&disk, at(1000)).unwrap();
        if clean {
            log.close(&disk, at(1000)).unwrap();
        }
        drop(log);
        let mut log = open(&disk, config, clean, Offset(20));
        assert_eq!(log.log_end_offset(), Offset(100));
        assert_eq!(duplicate_of(append(&mut log, 5, 2, 49, 1)), Offset(98));
        assert_eq!(duplicate_of(append(&mut log, 6, 0, 49, 1)), Offset(99));
        assert!(append(&mut log, 5, 1, 50, 1).is_err());
        append(&mut log, 5, 2, 50, 1).unwrap();
    }
}

#[test]
fn idle_producers_are_forgotten() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    append(&mut log, 5, 0, 0, 1).unwrap();
    log.append(transactional(6, 0, 0), EPOCH, at(1000)).unwrap();
    log.write(&disk, at(1000)).unwrap();
    log.housekeeping(&disk, at(86_400_000)).unwrap();
    assert_eq!(log.producers().producers().count(), 2);
    log.housekeeping(&disk, at(86_401_000)).unwrap();
    // An open transaction keeps its producer.
    let left: Vec<_> = log.producers().producers().map(|(id, _)| id.0).collect();
    assert_eq!(left, [6]);
}

#[test]
fn an_abort_on_a_full_disk_is_still_known() {
    let (disk, simulated) = disk();
    let mut log = create(&disk, LogConfig::default());
    log.append(transactional(8, 0, 0), EPOCH, at(1000)).unwrap();
    log.write(&disk, at(1000)).unwrap();
    let marker = marker(8, 0, true, 2);
    // Room for the marker and half of an index entry.
    simulated.set_free_bytes(u64::try_from(marker.bytes().len()).unwrap() + 17);
    log.append(marker, EPOCH, at(1000)).unwrap();
    log.write(&disk, at(1000)).unwrap();
    let aborted = |log: &Log| {
        log.aborted_transactions(&disk, Offset(0), Offset(2))
            .unwrap()
            .len()
    };
    assert_eq!(aborted(&log), 1);
    let recovered = open(&disk, LogConfig::default(), false, Offset(0));
    assert_eq!(aborted(&recovered), 1);
    simulated.set_free_bytes(1 << 20);
    log.close(&disk, at(1000)).unwrap();
    let log = open(&disk, LogConfig::default(), true, Offset(2));
    assert_eq!(aborted(&log), 1);
}

#[test]
fn transactions_hold_the_last_stable_offset() {
    for clean in [true, false] {
        let (disk, _) = disk();
        let config = LogConfig {
            segment_bytes: 600,
            ..LogConfig::default()
        };
        let mut log = create(&disk, config.clone());
        append(&mut log, 1, 0, 0, 3).unwrap(); // 0..=2
        log.append(transactional(8, 0, 0), EPOCH, at(1000)).unwrap(); // 3
        log.append(transactional(9, 0, 0), EPOCH, at(1000)).unwrap(); // 4
        let outside = append(&mut log, 8, 0, 1, 1);
        assert!(matches!(
            outside,
            Err(AppendError::InvalidTransactionState { .. })
        ));
        log.append(marker(8, 0, true, 2), EPOCH, at(1000)).unwrap(); // 5
        log.write(&disk, at(1000)).unwrap();
        let end = log.log_end_offset();
        assert_eq!(end, Offset(6));
        // The marker is not below the high watermark: its transaction is still undecided.
        assert_eq!(log.last_stable_offset(Offset(5)), Offset(3));
        assert_eq!(log.last_stable_offset(Offset(6)), Offset(4));
        assert_eq!(log.last_stable_offset(Offset(2)), Offset(2));
        log.update_high_watermark(Offset(6));
        let zombie = log.append(marker(9, 0, false, 3), EPOCH, at(1000));
        assert!(zombie.is_ok()); // 6
        let zombie = log.append(marker(8, 0, false, 1), EPOCH, at(1000));
        assert!(matches!(zombie, Err(AppendError::CoordinatorFenced { .. })));
        log.write(&disk, at(1000)).unwrap();
        assert_eq!(log.last_stable_offset(Offset(7)), Offset(7));
        for _ in 0..4 {
            log.append(batch(2, 80, 1000), EPOCH, at(1000)).unwrap();
        }
        log.write(&disk, at(1000)).unwrap();
        let expected = [AbortedTransaction {
            producer_id: ProducerId(8),
            first_offset: Offset(3),
            last_offset: Offset(5),
            last_stable_offset: Offset(4),
        }];
        let aborted = |log: &Log, from, to| {
            log.aborted_transactions(&disk, Offset(from), Offset(to))
                .unwrap()
        };
        assert_eq!(aborted(&log, 0, 10), expected);
        assert_eq!(aborted(&log, 4, 5), expected);
        assert_eq!(aborted(&log, 6, 10), []);
        assert_eq!(aborted(&log, 0, 3), []);
        if clean {
            log.close(&disk, at(1000)).unwrap();
        }
        let mut log = open(&disk, config, clean, Offset(0));
        assert_eq!(aborted(&log, 0, 10), expected);
        let end = log.log_end_offset();
        assert_eq!(log.last_stable_offset(end), end);
        log.truncate_to(&disk, Offset(5), at(1000)).unwrap();
        assert_eq!(aborted(&log, 0, 10), []);
        assert_eq!(log.last_stable_offset(Offset(5)), Offset(3));
    }
}

#[test]
fn what_follows_a_first_batch_that_was_not_written_waits_for_it() {
    let (disk, simulated) = disk();
    let mut log = create(&disk, LogConfig::default());
    simulated.set_free_bytes(10);
    append(&mut log, 5, 0, 0, 2).unwrap();
    append(&mut log, 5, 0, 2, 2).unwrap();
    log.write(&disk, at(1000)).unwrap_err();
    simulated.set_free_bytes(1 << 20);
    // The third was on its way already.
    let early = append(&mut log, 5, 0, 4, 2);
    assert!(matches!(early, Err(AppendError::OutOfOrderSequence { .. })));
    for sequence in [0, 2, 4] {
        append(&mut log, 5, 0, sequence, 2).unwrap();
    }
    log.write(&disk, at(1000)).unwrap();
    // It fails again, and the producer has gone on to a new epoch meanwhile.
    simulated.set_free_bytes(10);
    append(&mut log, 6, 0, 0, 1).unwrap();
    log.write(&disk, at(1000)).unwrap_err();
    simulated.set_free_bytes(1 << 20);
    append(&mut log, 6, 1, 0, 1).unwrap();
    log.write(&disk, at(1000)).unwrap();
}
