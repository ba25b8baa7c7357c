//! Append, write, read, roll, and open again.

use super::*;
use crate::log::{ReadError, file_name};
use crate::record::batch::PATCHED_HEAD_BYTES;

#[test]
fn what_is_appended_is_read_after_it_was_written() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    let first = log.append(batch(3, 10, 1000), EPOCH, at(1000)).unwrap();
    assert_eq!(
        (first.base_offset, first.last_offset),
        (Offset(0), Offset(2))
    );
    let second = log.append(batch(2, 10, 1001), EPOCH, at(1000)).unwrap();
    assert_eq!(second.base_offset, Offset(3));
    assert_eq!(log.log_end_offset(), Offset(0));
    assert_eq!(log.next_offset(), Offset(5));
    let written = log.write(&disk, at(1001)).unwrap();
    assert_eq!((written.log_end_offset, written.batches), (Offset(5), 2));

    let slice = log
        .read(&disk, Offset(0), 1 << 20, Offset(5), true)
        .unwrap();
    let found = headers(&slice);
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].base_offset, Offset(3));
    assert_eq!(found[1].partition_leader_epoch, EPOCH);
    assert_eq!(slice.next_offset, Some(Offset(5)));
    // From inside a batch, the whole batch.
    let slice = log
        .read(&disk, Offset(4), 1 << 20, Offset(5), true)
        .unwrap();
    assert_eq!(slice.base_offset, Offset(3));
    // Up to a bound.
    let slice = log
        .read(&disk, Offset(0), 1 << 20, Offset(3), true)
        .unwrap();
    assert_eq!(headers(&slice).len(), 1);
    assert_eq!(slice.bytes, found[0].batch_bytes());
    // A slice may cut its last batch, but not its first.
    let slice = log.read(&disk, Offset(0), 10, Offset(5), true).unwrap();
    assert_eq!(slice.bytes, found[0].batch_bytes());
    let slice = log.read(&disk, Offset(0), 10, Offset(5), false).unwrap();
    assert_eq!(slice.bytes, 0);
    let slice = log.read(&disk, Offset(5), 10, Offset(5), true).unwrap();
    assert_eq!(slice.bytes, 0);
    let beyond = log.read(&disk, Offset(6), 10, Offset(5), true);
    assert!(matches!(beyond, Err(ReadError::OffsetOutOfRange { .. })));
}

#[test]
fn batches_of_one_write_lie_as_they_came_whatever_their_sizes() {
    // Small ones are copied together, at the beginning, between large ones, and at the end.
    let sizes = [10, 20, 3000, 30, 940, 960, 5000, 2000, 40, 50];
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    let mut wanted = Vec::new();
    for size in sizes {
        let batch = batch(1, size, 1000);
        wanted.push(batch.bytes().clone());
        log.append(batch, EPOCH, at(1000)).unwrap();
    }
    log.write(&disk, at(1000)).unwrap();
    assert_eq!(read_all(&disk, &log).len(), sizes.len());
    let end = log.log_end_offset();
    let slice = log.read(&disk, Offset(0), 1 << 20, end, true).unwrap();
    let mut bytes = vec![0; slice.bytes];
    let file = slice.file.as_ref().unwrap();
    file.read_at(slice.position, &mut bytes).unwrap();
    let mut rest = &bytes[..];
    for (header, wanted) in headers(&slice).iter().zip(&wanted) {
        let (found, after) = rest.split_at(header.batch_bytes());
        assert_eq!(found[PATCHED_HEAD_BYTES..], wanted[PATCHED_HEAD_BYTES..]);
        rest = after;
    }
    assert!(rest.is_empty());
}

#[test]
fn a_log_that_nobody_uses_has_no_file_open_once_it_is_synced() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    assert!(!log.active().has_file(), "of a new log");
    log.append(batch(3, 10, 1000), EPOCH, at(1000)).unwrap();
    log.write(&disk, at(1000)).unwrap();
    for _ in 0..3 {
        log.housekeeping(&disk, at(2000)).unwrap();
        assert!(log.active().has_file(), "what is not synced stays open");
    }
    log.mark_synced(Offset(3), at(2000));
    let read = |log: &Log| {
        let slice = log.read(&disk, Offset(0), 1 << 20, Offset(3), true);
        headers(&slice.unwrap()).len()
    };
    assert_eq!(read(&log), 1);
    log.housekeeping(&disk, at(3000)).unwrap();
    assert!(log.active().has_file(), "it was read since the last time");
    log.housekeeping(&disk, at(4000)).unwrap();
    assert!(!log.active().has_file());
    assert_eq!(read(&log), 1);
    log.housekeeping(&disk, at(5000)).unwrap();
    log.housekeeping(&disk, at(6000)).unwrap();
    log.append(batch(1, 10, 1001), EPOCH, at(6000)).unwrap();
    log.write(&disk, at(6000)).unwrap();
    log.close(&disk, at(7000)).unwrap();
    let log = open(&disk, LogConfig::default(), true, Offset(4));
    assert_eq!(log.log_end_offset(), Offset(4));
    assert!(!log.active().has_file(), "of a log that was opened");
}

#[test]
fn a_file_that_is_longer_than_its_segment_stays_open_until_it_is_cut() {
    let (disk, _) = disk();
    let config = LogConfig {
        preallocate: true,
        ..LogConfig::default()
    };
    let mut log = create(&disk, config);
    log.housekeeping(&disk, at(1000)).unwrap();
    log.housekeeping(&disk, at(2000)).unwrap();
    assert!(log.active().has_file());
    log.close(&disk, at(3000)).unwrap();
    let file = disk.read(&log.active().path(Path::new(DIRECTORY), file_name::LOG), 1);
    assert_eq!(file.unwrap().len(), 0);
}

#[test]
fn every_offset_of_many_segments_is_found() {
    let (disk, simulated) = disk();
    let config = LogConfig {
        segment_bytes: 20_000,
        index_interval_bytes: 300,
        ..LogConfig::default()
    };
    let mut log = create(&disk, config.clone());
    for round in 0..200_usize {
        for _ in 0..1 + round % 5 {
            log.append(batch(1 + round % 7, 20, 1000), EPOCH, at(1000))
                .unwrap();
        }
        log.write(&disk, at(1000)).unwrap();
    }
    let end = log.log_end_offset();
    assert!(log.segments().len() > 3);
    let all = read_all(&disk, &log);
    assert_eq!(all.last().unwrap().next_offset(), end);
    let check = |log: &Log| {
        for header in &all {
            for offset in header.base_offset.0..header.next_offset().0 {
                simulated.set_reads_are_cold(offset % 3 == 0);
                let slice = match log.read(&disk, Offset(offset), 1, end, true) {
                    Ok(slice) => slice,
                    Err(ReadError::Cold { .. }) => {
                        simulated.set_reads_are_cold(false);
                        log.read(&disk, Offset(offset), 1, end, true).unwrap()
                    }
                    Err(error) => panic!("{error}"),
                };
                assert_eq!(slice.base_offset, header.base_offset);
                assert_eq!(slice.bytes, header.batch_bytes());
            }
            // Each bound is kept.
            simulated.set_reads_are_cold(false);
            let from = Offset((header.base_offset.0 - 20).max(0));
            let slice = log
                .read(&disk, from, 5000, header.next_offset(), true)
                .unwrap();
            if let Some(last) = headers(&slice).last() {
                assert!(last.next_offset() <= header.next_offset());
            }
        }
    };
    check(&log);
    log.close(&disk, at(1500)).unwrap();
    drop(log);
    let log = open(&disk, config.clone(), true, Offset(0));
    assert_eq!(log.log_end_offset(), end);
    check(&log);
    let log = open(&disk, config.clone(), false, Offset(0));
    assert_eq!(log.log_end_offset(), end);
    check(&log);
    let log = open(&disk, config, false, Offset(end.0 / 2));
    assert_eq!(log.log_end_offset(), end);
    check(&log);
}

#[test]
fn a_full_disk_loses_nothing_that_was_written() {
    let (disk, simulated) = disk();
    let mut log = create(&disk, LogConfig::default());
    log.append(produced(9, 0, 0, 2), EPOCH, at(1000)).unwrap();
    log.write(&disk, at(1000)).unwrap();
    simulated.set_free_bytes(30);
    log.append(produced(9, 0, 2, 2), EPOCH, at(1000)).unwrap();
    log.append(batch(1, 10, 1000), EPOCH, at(1000)).unwrap();
    let error = log.write(&disk, at(1000)).unwrap_err();
    assert!(error.is_full());
    assert_eq!(log.log_end_offset(), Offset(2));
    assert_eq!(log.next_offset(), Offset(2));
    assert_eq!(read_all(&disk, &log).len(), 1);
    simulated.set_free_bytes(1 << 20);
    let again = log.append(produced(9, 0, 2, 2), EPOCH, at(1000)).unwrap();
    assert_eq!(again.base_offset, Offset(2));
    log.write(&disk, at(1000)).unwrap();
    assert_eq!(read_all(&disk, &log).len(), 2);
    log.close(&disk, at(1000)).unwrap();
    let log = open(&disk, LogConfig::default(), true, Offset(0));
    assert_eq!(log.log_end_offset(), Offset(4));
}
