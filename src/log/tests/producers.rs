//! Idempotent and transactional producers.

use super::*;
use crate::base::convert::usize_from;
use crate::base::prng::Prng;
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

#[test]
fn the_last_five_batches_are_known_again_after_stops_of_both_kinds() {
    for (clean, segment_bytes) in [
        (true, 1 << 20),
        (false, 1 << 20),
        (true, 1500),
        (false, 1500),
    ] {
        let (disk, simulated) = disk();
        let config = LogConfig {
            segment_bytes,
            index_interval_bytes: 200,
            ..LogConfig::default()
        };
        let mut log = create(&disk, config.clone());
        for round in 0..40 {
            append(&mut log, 5, 2, round * 2, 2).unwrap();
            append(&mut log, 6, 0, round, 1).unwrap();
            log.write(&disk, at(1000)).unwrap();
        }
        // This one has written once, and in an epoch before that.
        append(&mut log, 7, 0, 0, 1).unwrap();
        append(&mut log, 7, 1, 0, 1).unwrap();
        log.write(&disk, at(1000)).unwrap();
        let end = log.log_end_offset();
        if clean {
            log.close(&disk, at(1000)).unwrap();
        } else {
            // Killed right after a checkpoint: nothing is read again but the last interval.
            log.mark_synced(end, at(1000));
            assert_eq!(log.checkpoint(&disk).unwrap(), end);
        }
        drop(log);

        let mut log = open(&disk, config.clone(), clean, end);
        for round in 35..40_i32 {
            let offset = Offset(i64::from(round) * 3);
            assert_eq!(duplicate_of(append(&mut log, 5, 2, round * 2, 2)), offset);
            let answer = append(&mut log, 6, 0, round, 1);
            assert_eq!(duplicate_of(answer), offset.plus(2));
        }
        let sixth = append(&mut log, 5, 2, 68, 2);
        assert!(matches!(sixth, Err(AppendError::OutOfOrderSequence { .. })));
        assert_eq!(duplicate_of(append(&mut log, 7, 1, 0, 1)), Offset(121));
        append(&mut log, 5, 2, 80, 1).unwrap();
        assert_eq!(duplicate_of(append(&mut log, 5, 2, 72, 2)), Offset(108));
        drop(log);

        // Pages that are not in memory are not waited for.
        if clean {
            simulated.set_reads_are_cold(true);
            let mut log = open(&disk, config, clean, end);
            assert_eq!(duplicate_of(append(&mut log, 5, 2, 78, 2)), Offset(117));
            let older = append(&mut log, 5, 2, 76, 2);
            assert!(matches!(older, Err(AppendError::OutOfOrderSequence { .. })));
        }
    }
}

#[test]
fn older_batches_are_only_remembered_where_they_lead_up_to_the_last() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    // The sequences wrap within a batch, and between two.
    append(&mut log, 5, 0, i32::MAX - 3, 2).unwrap(); // 0, 1
    append(&mut log, 5, 0, i32::MAX - 1, 3).unwrap(); // 2..=4, its last has sequence 0
    append(&mut log, 5, 0, 1, 1).unwrap(); // 5
    for sequence in 0..4 {
        append(&mut log, 6, 0, sequence, 1).unwrap(); // 6..=9
    }
    log.write(&disk, at(1000)).unwrap();
    log.delete_records_before(Offset(8));
    log.close(&disk, at(1000)).unwrap();
    drop(log);
    let reopen = |log_start_offset| {
        let input = OpenInput {
            clean: true,
            recovery_point: Offset(10),
            log_start_offset,
        };
        let opened = Log::open(
            &disk,
            Path::new(DIRECTORY),
            LogConfig::default(),
            input,
            at(2000),
        );
        opened.unwrap().0
    };
    let mut log = reopen(Offset(0));
    assert_eq!(
        duplicate_of(append(&mut log, 5, 0, i32::MAX - 3, 2)),
        Offset(0)
    );
    assert_eq!(
        duplicate_of(append(&mut log, 5, 0, i32::MAX - 1, 3)),
        Offset(2)
    );
    assert_eq!(duplicate_of(append(&mut log, 6, 0, 0, 1)), Offset(6));
    // What was deleted is not remembered.
    let mut log = reopen(Offset(8));
    assert_eq!(duplicate_of(append(&mut log, 6, 0, 2, 1)), Offset(8));
    assert!(append(&mut log, 6, 0, 1, 1).is_err());
    assert!(append(&mut log, 5, 0, i32::MAX - 1, 3).is_err());
}

#[test]
fn a_reader_is_told_of_the_aborted_transactions_that_its_slice_touches() {
    let (disk, simulated) = disk();
    let config = LogConfig {
        segment_bytes: 6000,
        index_interval_bytes: 300,
        ..LogConfig::default()
    };
    let mut log = create(&disk, config);
    let mut prng = Prng::new(11);
    let mut open_since: [Option<Offset>; 4] = [None; 4];
    let mut sequences = [0; 4];
    let mut aborted: Vec<(i64, Offset, Offset)> = Vec::new();
    for _ in 0..1500 {
        let producer = prng.index(4);
        let id = i64::try_from(producer).unwrap();
        let offset = log.next_offset();
        match open_since[producer] {
            Some(first) if prng.one_in(3) => {
                let is_abort = prng.one_in(2);
                log.append(marker(id, 0, is_abort, 1), EPOCH, at(1000))
                    .unwrap();
                open_since[producer] = None;
                if is_abort {
                    aborted.push((id, first, offset));
                }
            }
            Some(_) | None => {
                let sequence = sequences[producer];
                sequences[producer] += 1;
                log.append(transactional(id, 0, sequence), EPOCH, at(1000))
                    .unwrap();
                open_since[producer].get_or_insert(offset);
            }
        }
        if prng.one_in(5) {
            log.write(&disk, at(1000)).unwrap();
        }
    }
    log.write(&disk, at(1000)).unwrap();
    let end = log.log_end_offset();
    log.update_high_watermark(end);
    let stable = log.last_stable_offset(end);
    assert_eq!(Some(stable), open_since.iter().flatten().copied().min());
    assert!(log.segments().len() > 10 && aborted.len() > 50);
    for _ in 0..2000 {
        let offset =
            Offset(i64::try_from(prng.index(usize_from(stable.0.cast_unsigned()))).unwrap());
        let bytes_max = 1 + prng.index(3000);
        if prng.one_in(20) {
            simulated.set_reads_are_cold(true);
        }
        let slice = loop {
            match log.read(&disk, offset, bytes_max, stable, true) {
                Err(crate::log::ReadError::Cold { .. }) => {}
                other => break other.unwrap(),
            }
        };
        if prng.one_in(20) {
            simulated.set_reads_are_cold(true);
        }
        let told = loop {
            match log.aborted_in_slice(&disk, offset, &slice, stable) {
                Err(crate::log::ReadError::Cold { .. }) => {}
                other => break other.unwrap(),
            }
        };
        simulated.set_reads_are_cold(false);
        let seen = headers(&slice);
        let last = seen.last().map_or(offset, |header| header.last_offset());
        let touches = |from: Offset, to: Offset| {
            let of = aborted.iter().copied();
            of.filter(move |(_, first, marker)| *marker >= from && *first <= to)
        };
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.producer_id.0, one.first_offset, one.last_offset))
            .collect();
        // Each that matters is there; and those that do not, lie at most an index entry away.
        assert!(touches(offset, last).all(|one| told.contains(&one)));
        assert!(
            told.iter()
                .all(|one| touches(offset, last.plus(20)).any(|it| it == *one))
        );
        assert!(told.is_sorted_by_key(|(_, _, marker)| *marker));
    }
}
