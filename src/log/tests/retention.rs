//! Retention, deleted records, truncation, syncs, and finding records by time.

use super::*;
use crate::base::prng::Prng;
use crate::log::config::CleanupPolicy;
use crate::record::Compression;

fn names(disk: &Disk) -> Vec<String> {
    disk.list(Path::new(DIRECTORY))
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect()
}

fn filled(disk: &Disk, config: LogConfig, batches: i64) -> Log {
    let mut log = create(disk, config);
    for round in 0..batches {
        log.append(batch(1, 100, 1000 + round), EPOCH, at(1000 + round))
            .unwrap();
    }
    log.write(disk, at(1000)).unwrap();
    log
}

fn small() -> LogConfig {
    LogConfig {
        segment_bytes: 1000,
        file_delete_delay_ms: 60_000,
        ..LogConfig::default()
    }
}

#[test]
fn old_segments_go_by_time() {
    let (disk, _) = disk();
    let config = LogConfig {
        retention_ms: 5000,
        ..small()
    };
    let mut log = filled(&disk, config, 60);
    let segments = log.segments().len();
    let end = log.log_end_offset();
    let none = log.delete_old_segments(&disk, at(6000), end).unwrap();
    assert_eq!(none.segments, 0);
    // Not from the high watermark on.
    let some = log
        .delete_old_segments(&disk, at(1_000_000), Offset(20))
        .unwrap();
    assert!(some.segments > 0 && log.log_start_offset() <= Offset(20));
    assert!(some.has_start_moved);
    let all = log.delete_old_segments(&disk, at(1_000_000), end).unwrap();
    assert_eq!(some.segments + all.segments, segments);
    assert_eq!(log.log_start_offset(), end);
    assert_eq!(log.segments().len(), 1);
    assert_eq!(log.bytes(), 0);
    assert!(names(&disk).iter().any(|name| name.ends_with(".deleted")));
    log.housekeeping(&disk, at(1_000_000)).unwrap();
    assert!(names(&disk).iter().any(|name| name.ends_with(".deleted")));
    log.housekeeping(&disk, at(1_060_000)).unwrap();
    assert!(!names(&disk).iter().any(|name| name.ends_with(".deleted")));
    let appended = log.append(batch(1, 1, 1), EPOCH, at(1)).unwrap();
    assert_eq!(appended.base_offset, end);
    log.write(&disk, at(1)).unwrap();
    log.close(&disk, at(1)).unwrap();
    let log = open(&disk, small(), true, Offset(0));
    assert_eq!(log.log_start_offset(), end);
    assert_eq!(log.log_end_offset(), end.next());
}

#[test]
fn old_segments_go_by_size_and_not_where_the_policy_is_to_compact() {
    let (disk, _) = disk();
    let config = LogConfig {
        retention_bytes: 2500,
        ..small()
    };
    let mut log = filled(&disk, config.clone(), 60);
    log.set_config(LogConfig {
        cleanup_policy: CleanupPolicy {
            delete: false,
            compact: true,
        },
        ..config.clone()
    });
    let end = log.log_end_offset();
    assert_eq!(
        log.delete_old_segments(&disk, at(1100), end)
            .unwrap()
            .segments,
        0
    );
    log.set_config(config);
    log.delete_old_segments(&disk, at(1100), end).unwrap();
    assert!(log.bytes() >= 2500 && log.bytes() < 3500, "{}", log.bytes());
}

#[test]
fn deleted_records_move_the_start() {
    let (disk, _) = disk();
    let mut log = filled(&disk, small(), 60);
    assert!(log.delete_records_before(Offset(30)));
    assert!(!log.delete_records_before(Offset(30)));
    assert!(log.read(&disk, Offset(29), 1, Offset(60), true).is_err());
    assert_eq!(log.leader_epochs().entries()[0].start_offset, Offset(30));
    let segments = log.segments().len();
    log.delete_old_segments(&disk, at(1100), Offset(60))
        .unwrap();
    assert!(log.segments().len() < segments);
    assert_eq!(log.log_start_offset(), Offset(30));
    assert!(log.segments().next().unwrap().base_offset <= Offset(30));
    log.close(&disk, at(1100)).unwrap();
    let input = OpenInput {
        clean: true,
        recovery_point: Offset(60),
        log_start_offset: Offset(30),
    };
    let (log, recovered) = Log::open(&disk, Path::new(DIRECTORY), small(), input, at(1)).unwrap();
    assert_eq!(recovered.bytes_scanned, 0);
    assert_eq!(log.log_start_offset(), Offset(30));
    // A start beyond the end: the log was lost, and goes on there, empty.
    let input = OpenInput {
        log_start_offset: Offset(100),
        ..input
    };
    let (mut log, _) = Log::open(&disk, Path::new(DIRECTORY), small(), input, at(1)).unwrap();
    assert_eq!(log.log_end_offset(), Offset(100));
    assert_eq!(log.bytes(), 0);
    log.append(batch(1, 1, 1), EPOCH, at(1)).unwrap();
    assert_eq!(log.write(&disk, at(1)).unwrap().log_end_offset, Offset(101));
}

#[test]
fn truncation_leaves_a_log_that_goes_on() {
    let (disk, _) = disk();
    let mut log = create(&disk, small());
    for round in 0..60 {
        let epoch = LeaderEpoch(round / 10);
        log.append(produced(4, 0, round * 3, 3), epoch, at(1000))
            .unwrap();
    }
    log.write(&disk, at(1000)).unwrap();
    log.append(batch(1, 1, 1), EPOCH, at(1)).unwrap();
    assert!(!log.truncate_to(&disk, Offset(180), at(1)).unwrap());
    assert_eq!(log.next_offset(), Offset(180));
    for target in [170, 100, 99, 61, 30, 1] {
        assert!(log.truncate_to(&disk, Offset(target), at(1000)).unwrap());
        assert_eq!(log.log_end_offset(), Offset(target));
        let all = read_all(&disk, &log);
        let end = all.last().map_or(0, |header| header.next_offset().0);
        assert_eq!(end, target / 3 * 3);
        let latest = i32::try_from((target - 1) / 30).unwrap();
        assert_eq!(log.leader_epochs().latest(), Some(LeaderEpoch(latest)));
        let last = log.producers().producer(ProducerId(4));
        let last = last.map_or(-1, |producer| producer.last_sequence().0);
        assert_eq!(i64::from(last), end - 1);
    }
    log.append(batch(2, 1, 1), LeaderEpoch(9), at(1)).unwrap();
    log.write(&disk, at(1)).unwrap();
    assert_eq!(log.log_end_offset(), Offset(3));
    log.truncate_fully_and_start_at(&disk, Offset(500), at(1))
        .unwrap();
    assert_eq!(log.leader_epochs().latest(), None);
    let kept = log.append_as_is(as_is(700)).unwrap();
    assert_eq!(kept.base_offset, Offset(700));
    assert!(log.append_as_is(as_is(700)).is_err());
    log.write(&disk, at(1)).unwrap();
    let slice = log.read(&disk, Offset(500), 1, Offset(701), true).unwrap();
    assert_eq!(slice.base_offset, Offset(700));
    assert_eq!(log.end_offset_for_epoch(LeaderEpoch(0)), None);
}

fn as_is(base_offset: i64) -> RecordBatch {
    let mut builder = BatchBuilder::new(Offset(base_offset));
    builder.append(Timestamp(1), None, Some(b"value"), &[]);
    RecordBatch::parse(builder.finish()).unwrap()
}

#[test]
fn offsets_too_far_apart_roll() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    for base_offset in [1 << 32, (1 << 32) + 5, 1 << 40] {
        log.append_as_is(as_is(base_offset)).unwrap();
    }
    log.write(&disk, at(1)).unwrap();
    let bases: Vec<i64> = log.segments().map(|it| it.base_offset.0).collect();
    assert_eq!(bases, [1 << 32, 1 << 40]);
    assert_eq!(read_all(&disk, &log).len(), 3);
}

#[test]
fn segments_roll_by_age_and_by_full_indexes() {
    let (disk, _) = disk();
    let config = LogConfig {
        segment_ms: 100,
        ..LogConfig::default()
    };
    let mut log = create(&disk, config.clone());
    for timestamp in [1000, 1100, 1101, 1150, 1202] {
        log.append(batch(1, 1, timestamp), EPOCH, at(5)).unwrap();
    }
    log.write(&disk, at(5)).unwrap();
    let bases: Vec<i64> = log.segments().map(|it| it.base_offset.0).collect();
    assert_eq!(bases, [0, 2, 4]);
    let config = LogConfig {
        segment_index_bytes: 36,
        index_interval_bytes: 0,
        ..LogConfig::default()
    };
    log.set_config(config);
    for timestamp in 1202..1212 {
        log.append(batch(1, 1, timestamp), EPOCH, at(5)).unwrap();
    }
    log.write(&disk, at(5)).unwrap();
    // Three slots of twelve bytes, one of them kept free: two entries, and the batch before them.
    let bases: Vec<i64> = log.segments().map(|it| it.base_offset.0).collect();
    assert_eq!(bases, [0, 2, 4, 7, 10, 13]);
}

#[test]
fn records_are_found_by_their_time() {
    let mut prng = Prng::new(9);
    for round in 0..6 {
        let (disk, _) = disk();
        let config = LogConfig {
            segment_bytes: 2000,
            index_interval_bytes: 200,
            ..LogConfig::default()
        };
        let mut log = create(&disk, config.clone());
        let mut model: Vec<(i64, i64)> = Vec::new();
        for step in 0..80_i64 {
            let codec = Compression::ALL[prng.index(5)];
            let mut builder = BatchBuilder::new(Offset(0)).compression(codec);
            for _ in 0..1 + prng.index(4) {
                let jitter = prng.below(40).cast_signed();
                let timestamp = 1000 + step * 10 + jitter;
                builder.append(Timestamp(timestamp), None, Some(b"some value"), &[]);
                model.push((i64::try_from(model.len()).unwrap(), timestamp));
            }
            let batch = RecordBatch::parse(builder.finish()).unwrap();
            log.append(batch, EPOCH, at(1000)).unwrap();
            if prng.one_in(3) {
                log.write(&disk, at(1000)).unwrap();
            }
        }
        log.write(&disk, at(1000)).unwrap();
        if round % 2 == 1 {
            log.close(&disk, at(1000)).unwrap();
            log = open(&disk, config, true, Offset(0));
        }
        let check = |log: &Log, start: i64| {
            for timestamp in (990..1900).step_by(3) {
                let expected = model
                    .iter()
                    .find(|(offset, found)| *offset >= start && *found >= timestamp);
                let found = log
                    .offset_for_timestamp(&disk, Timestamp(timestamp))
                    .unwrap()
                    .map(|found| (found.offset.0, found.timestamp.0));
                assert_eq!(found.as_ref(), expected, "{timestamp}");
            }
        };
        check(&log, 0);
        let largest = model.iter().map(|(_, timestamp)| *timestamp).max().unwrap();
        let expected = model.iter().find(|(_, found)| *found == largest).unwrap();
        let found = log.max_timestamp(&disk).unwrap().unwrap();
        assert_eq!((found.offset.0, found.timestamp.0), *expected);
        assert_eq!(found.leader_epoch, EPOCH);
        log.delete_records_before(Offset(50));
        check(&log, 50);
    }
}

#[test]
fn syncs_move_the_recovery_point_when_the_derived_files_follow() {
    let (disk, _) = disk();
    let config = LogConfig {
        flush_messages: 5,
        flush_ms: 1000,
        ..small()
    };
    let mut log = create(&disk, config.clone());
    assert!(log.unsynced(&disk).unwrap().is_empty());
    for _ in 0..4 {
        log.append(batch(1, 300, 1000), EPOCH, at(1000)).unwrap();
    }
    log.write(&disk, at(1000)).unwrap();
    assert!(!log.flush_due(at(1500)));
    assert_eq!(log.flush_at(), Some(at(2000).instant));
    assert!(log.flush_due(at(2000)));
    assert_eq!(log.unsynced(&disk).unwrap().len(), 2);
    assert!(log.take_directory_unsynced());
    assert!(!log.take_directory_unsynced());
    log.mark_synced(Offset(4), at(2000));
    assert!(log.unsynced(&disk).unwrap().is_empty());
    assert!(!log.flush_due(at(9000)));
    assert_eq!(log.flush_at(), None);
    assert_eq!(log.recovery_point(), Offset(0));
    assert_eq!(log.checkpoint(&disk).unwrap(), Offset(4));
    for _ in 0..5 {
        log.append(batch(1, 10, 1000), EPOCH, at(2000)).unwrap();
    }
    log.write(&disk, at(2000)).unwrap();
    assert!(log.flush_due(at(2000)));
    let tail = log.bytes();
    drop(log);
    let input = OpenInput {
        clean: false,
        recovery_point: Offset(4),
        log_start_offset: Offset(0),
    };
    let (log, recovered) = Log::open(&disk, Path::new(DIRECTORY), config, input, at(1)).unwrap();
    assert_eq!(log.log_end_offset(), Offset(9));
    // Only what follows the last index entry below the recovery point was read.
    assert!(recovered.bytes_scanned < tail);
    assert_eq!(log.recovery_point(), Offset(4));
}
