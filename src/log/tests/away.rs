//! Writing away from the turn: a log hands out what is queued, and goes on when it is written.

use super::*;
use crate::base::convert::u64_from;
use crate::log::file_name;
use crate::log::{AppendError, PendingWrite};
use std::io;

fn append(log: &mut Log, count: usize) -> Offset {
    let appended = log.append(batch(count, 100, 1000), EPOCH, at(1000));
    appended.unwrap().base_offset
}

fn begin(log: &mut Log, disk: &Disk) -> PendingWrite {
    log.begin_write(disk, at(1000)).unwrap().unwrap()
}

fn write(write: &PendingWrite) {
    write
        .file
        .write_at(write.position, &write.parts.concat())
        .unwrap();
}

/// What a batch of one value of some thousand bytes has besides.
fn overhead() -> usize {
    batch(1, 2_000, 1000).bytes().len() - 2_000
}

fn whole_file(log: &Log, disk: &Disk) -> Vec<u8> {
    let path = file_name::path(log.directory(), Offset(0), file_name::LOG);
    disk.read(&path, 1 << 20).unwrap()
}

#[test]
fn what_is_being_written_counts_when_it_is() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    assert!(log.begin_write(&disk, at(1000)).unwrap().is_none());
    append(&mut log, 2);
    append(&mut log, 3);
    let pending = begin(&mut log, &disk);
    assert!(log.is_writing() && !log.has_queued());
    assert_eq!(append(&mut log, 1), Offset(5));
    assert_eq!((log.log_end_offset(), log.bytes()), (Offset(0), 0));
    let deleted = log.delete_old_segments(&disk, at(i64::MAX), Offset(0));
    assert_eq!(deleted.unwrap().segments, 0);
    // Nothing of it is in the recovery point, or in a snapshot.
    assert_eq!(log.checkpoint(&disk).unwrap(), Offset(0));
    write(&pending);
    let bytes = log.end_write(&disk, Ok(())).unwrap();
    assert_eq!(log.log_end_offset(), Offset(5));
    assert_eq!(log.bytes(), bytes);
    assert!(!log.is_writing() && log.has_queued());
    assert_eq!(read_all(&disk, &log).len(), 2);
    // What was appended meanwhile may be written in the turn.
    log.write(&disk, at(1000)).unwrap();
    assert_eq!(read_all(&disk, &log).len(), 3);
    drop(log);
    let log = open(&disk, LogConfig::default(), false, Offset(0));
    assert_eq!(log.log_end_offset(), Offset(6));
}

#[test]
fn a_write_that_fails_takes_with_it_what_was_appended_behind() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    append(&mut log, 1);
    log.write(&disk, at(1000)).unwrap();
    let producer = |log: &mut Log, sequence| {
        log.append(produced(5, 0, sequence, 1), EPOCH, at(1000))
            .map(|appended| appended.base_offset)
    };
    producer(&mut log, 0).unwrap();
    let pending = begin(&mut log, &disk);
    producer(&mut log, 1).unwrap();
    // Both are known already: the second time they would be answered as the first.
    for sequence in [0, 1] {
        let again = producer(&mut log, sequence);
        assert!(matches!(again, Err(AppendError::Duplicate { .. })));
    }
    // The first part of it is in the file.
    pending.file.write_at(pending.position, b"torn").unwrap();
    let full = io::Error::from_raw_os_error(libc::ENOSPC);
    assert!(log.end_write(&disk, Err(full)).is_err());
    assert!(!log.is_writing() && !log.has_queued());
    assert_eq!(log.next_offset(), Offset(1));
    assert_eq!(pending.file.len().unwrap(), pending.position);
    // The producer may send both again, and they get the same offsets.
    assert_eq!(producer(&mut log, 0).unwrap(), Offset(1));
    assert_eq!(producer(&mut log, 1).unwrap(), Offset(2));
    write(&begin(&mut log, &disk));
    log.end_write(&disk, Ok(())).unwrap();
    assert_eq!(log.log_end_offset(), Offset(3));
    assert_eq!(read_all(&disk, &log).len(), 3);
}

#[test]
fn a_write_ends_where_its_segment_does() {
    let (disk, _) = disk();
    let config = LogConfig {
        segment_bytes: 1000,
        ..LogConfig::default()
    };
    let mut log = create(&disk, config);
    for _ in 0..9 {
        append(&mut log, 2);
    }
    let mut writes = 0;
    while let Some(pending) = log.begin_write(&disk, at(1000)).unwrap() {
        write(&pending);
        log.end_write(&disk, Ok(())).unwrap();
        writes += 1;
    }
    assert_eq!(writes, log.segments().len());
    assert!(writes > 2);
    assert_eq!(log.log_end_offset(), Offset(18));
    assert_eq!(read_all(&disk, &log).len(), 9);
}

#[test]
fn a_write_begins_where_the_last_block_does() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    let mut expected = Vec::new();
    // Within a block, over its end, exactly to its end, and over several.
    let sizes = [100, 200, 5_000, 30, 40, 3_000, 0, 12_000, 1, 4_096, 20];
    for (round, size) in sizes.into_iter().enumerate() {
        let end = expected.len();
        let value = match size {
            0 => 4096 - end % 4096 - overhead(),
            size => size,
        };
        log.append(batch(1, value, 1000), EPOCH, at(1000)).unwrap();
        if round == 8 {
            // A write in the turn: nobody knows the block after it.
            log.write(&disk, at(1000)).unwrap();
        } else {
            let pending = begin(&mut log, &disk);
            let from = if round == 9 { end } else { end - end % 4096 };
            assert_eq!(pending.position, u64_from(from), "round {round}");
            // The page was dropped, and what is not written of the block is something else.
            pending
                .file
                .write_at(u64_from(from), &vec![0xEE; end - from])
                .unwrap();
            write(&pending);
            log.end_write(&disk, Ok(())).unwrap();
        }
        expected = whole_file(&log, &disk);
        if round == 6 {
            assert_eq!(expected.len() % 4096, 0);
        }
    }
    assert_eq!(read_all(&disk, &log).len(), sizes.len());
    drop(log);
    let log = open(&disk, LogConfig::default(), false, Offset(0));
    assert_eq!(log.log_end_offset().0, i64::try_from(sizes.len()).unwrap());
}

#[test]
fn blocks_are_found_before_a_large_segment_grows_and_given_back_when_it_is_rolled() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    let large = |log: &mut Log| {
        let batch = batch(1, 700 << 10, 1000);
        log.append(batch, EPOCH, at(1000)).unwrap();
    };
    large(&mut log);
    assert!(!log.wants_reservation());
    log.write(&disk, at(1000)).unwrap();
    large(&mut log);
    assert!(log.wants_reservation());
    let pending = begin(&mut log, &disk);
    let (start, bytes) = pending.reserve.unwrap();
    assert_eq!(start, pending.position);
    write(&pending);
    log.end_write(&disk, Ok(())).unwrap();
    assert_eq!(start + bytes, 2 * log.bytes());
    large(&mut log);
    assert!(!log.wants_reservation());
    log.write(&disk, at(1000)).unwrap();
    assert!(log.take_trims().is_empty());
    log.roll(&disk, at(1000)).unwrap();
    let trims = log.take_trims();
    assert_eq!(trims.len(), 1);
    assert_eq!(trims[0].1, log.bytes());
}

#[test]
fn a_leader_that_begins_meanwhile_begins_behind_what_is_being_written() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    log.assign_leader_epoch(EPOCH, Offset(0));
    append(&mut log, 2);
    let pending = begin(&mut log, &disk);
    let next = LeaderEpoch(EPOCH.0 + 1);
    let start = log.next_offset();
    log.assign_leader_epoch(next, start);
    write(&pending);
    log.end_write(&disk, Ok(())).unwrap();
    assert_eq!(log.end_offset_for_epoch(EPOCH), Some((EPOCH, Offset(2))));
    assert_eq!(log.end_offset_for_epoch(next), Some((next, Offset(2))));
}
