//! Zeros behind the end of a segment whose appends are synced one by one.

use super::*;
use crate::base::convert::u64_from;
use crate::log::file_name;
use crate::runtime::disk::OpenMode;

const ZEROS_BYTES: u64 = 256 << 10;

fn synced_one_by_one() -> LogConfig {
    LogConfig {
        flush_messages: 1,
        ..LogConfig::default()
    }
}

fn file_bytes(disk: &Disk, base_offset: Offset) -> u64 {
    let path = file_name::path(Path::new(DIRECTORY), base_offset, file_name::LOG);
    disk.open(&path, OpenMode::Write).unwrap().len().unwrap()
}

fn append(disk: &Disk, log: &mut Log, value_bytes: usize) -> u64 {
    let batch = batch(1, value_bytes, 1000);
    let bytes = u64_from(batch.header().batch_bytes());
    log.append(batch, EPOCH, at(1000)).unwrap();
    log.write(disk, at(1000)).unwrap();
    bytes
}

#[test]
fn the_file_grows_once_for_many_small_appends() {
    let (disk, _) = disk();
    let mut log = create(&disk, synced_one_by_one());
    let each = append(&disk, &mut log, 1000);
    assert_eq!(file_bytes(&disk, Offset(0)), each + ZEROS_BYTES);
    let fitting = ZEROS_BYTES / each;
    for _ in 0..fitting {
        append(&disk, &mut log, 1000);
        assert_eq!(file_bytes(&disk, Offset(0)), each + ZEROS_BYTES);
    }
    append(&disk, &mut log, 1000);
    let end = (fitting + 2) * each;
    assert_eq!(file_bytes(&disk, Offset(0)), end + ZEROS_BYTES);
    assert_eq!(u64_from(read_all(&disk, &log).len()), fitting + 2);
}

#[test]
fn nobody_else_has_zeros() {
    for (config, value_bytes) in [
        (LogConfig::default(), 1000),
        (synced_one_by_one(), 80_000), // few of which would lie on them
    ] {
        let (disk, _) = disk();
        let mut log = create(&disk, config);
        let bytes = append(&disk, &mut log, value_bytes);
        assert_eq!(file_bytes(&disk, Offset(0)), bytes);
    }
}

#[test]
fn a_disk_without_room_for_zeros_takes_the_record() {
    let (disk, simulated) = disk();
    let mut log = create(&disk, synced_one_by_one());
    simulated.set_free_bytes(2000);
    let bytes = append(&disk, &mut log, 1000);
    assert_eq!(file_bytes(&disk, Offset(0)), bytes);
    assert_eq!(read_all(&disk, &log).len(), 1);
}

/// Else a recovery that begins in the next segment would believe the zeros.
#[test]
fn a_rolled_file_is_cut_and_the_next_sync_covers_that() {
    let (disk, _) = disk();
    let mut log = create(&disk, synced_one_by_one());
    let bytes = append(&disk, &mut log, 1000);
    assert_eq!(log.unsynced(&disk).unwrap().len(), 1);
    log.mark_synced(Offset(1), at(1000));
    log.roll(&disk, at(1000)).unwrap();
    assert_eq!(file_bytes(&disk, Offset(0)), bytes);
    assert!(log.unsynced(&disk).unwrap().is_empty());
    append(&disk, &mut log, 1000);
    assert_eq!(log.unsynced(&disk).unwrap().len(), 2);
    assert_eq!(log.unsynced(&disk).unwrap().len(), 1);
}

/// What lies behind the records of a rolled segment is believed by a start after a clean stop, and by a recovery that
/// begins behind it.
#[test]
fn a_rolled_file_that_cannot_be_cut_is_neither_synced_nor_closed() {
    let (disk, simulated) = disk();
    let mut log = create(&disk, synced_one_by_one());
    let bytes = append(&disk, &mut log, 1000);
    simulated.set_cuts_fail(true);
    log.roll(&disk, at(1000)).unwrap();
    append(&disk, &mut log, 1000);
    assert!(log.unsynced(&disk).is_err());
    assert!(log.close(&disk, at(1000)).is_err());
    simulated.set_cuts_fail(false);
    assert_eq!(log.unsynced(&disk).unwrap().len(), 2);
    assert_eq!(file_bytes(&disk, Offset(0)), bytes);
    log.close(&disk, at(1000)).unwrap();
    let log = open(&disk, synced_one_by_one(), true, Offset(2));
    assert_eq!(read_all(&disk, &log).len(), 2);
}

#[test]
fn what_is_appended_to_again_is_not_cut_by_its_former_length() {
    let (disk, simulated) = disk();
    let mut log = create(&disk, synced_one_by_one());
    append(&disk, &mut log, 1000);
    append(&disk, &mut log, 1000);
    simulated.set_cuts_fail(true);
    log.roll(&disk, at(1000)).unwrap();
    append(&disk, &mut log, 1000);
    simulated.set_cuts_fail(false);
    assert!(log.truncate_to(&disk, Offset(1), at(1000)).unwrap());
    append(&disk, &mut log, 5000);
    assert_eq!(log.unsynced(&disk).unwrap().len(), 1);
    assert_eq!(read_all(&disk, &log).len(), 2);
}

#[test]
fn a_recovery_cuts_them_off_and_calls_nothing_torn() {
    let (disk, simulated) = disk();
    let config = synced_one_by_one();
    let mut log = create(&disk, config.clone());
    let each = append(&disk, &mut log, 1000);
    append(&disk, &mut log, 1000);
    drop(log);
    simulated.kill();
    let input = OpenInput {
        clean: false,
        recovery_point: Offset(0),
        log_start_offset: Offset(0),
    };
    let opened = Log::open(&disk, Path::new(DIRECTORY), config, input, at(2000));
    let (mut log, recovered) = opened.unwrap();
    assert_eq!(recovered.bytes_truncated, 0);
    assert_eq!(file_bytes(&disk, Offset(0)), 2 * each);
    append(&disk, &mut log, 1000);
    assert_eq!(read_all(&disk, &log).len(), 3);
}

/// A power failure takes the cut with it; the recovery point already stood at the end of the segment.
#[test]
fn a_recovery_looks_at_the_segment_before_its_point() {
    let (disk, _) = disk();
    let config = synced_one_by_one();
    let mut log = create(&disk, config.clone());
    let bytes = append(&disk, &mut log, 1000);
    log.mark_synced(Offset(1), at(1000));
    log.checkpoint(&disk).unwrap();
    log.roll(&disk, at(1000)).unwrap();
    drop(log);
    let path = file_name::path(Path::new(DIRECTORY), Offset(0), file_name::LOG);
    let file = disk.open(&path, OpenMode::Write).unwrap();
    file.set_len(bytes + ZEROS_BYTES).unwrap();
    let log = open(&disk, config, false, Offset(1));
    assert_eq!(file_bytes(&disk, Offset(0)), bytes);
    assert_eq!(log.log_end_offset(), Offset(1));
    assert_eq!(read_all(&disk, &log).len(), 1);
}

#[test]
fn an_idle_segment_and_a_closed_one_end_where_their_records_do() {
    let (disk, _) = disk();
    let mut log = create(&disk, synced_one_by_one());
    let bytes = append(&disk, &mut log, 1000);
    log.mark_synced(Offset(1), at(1000));
    for ms in [2000, 3000, 4000] {
        log.housekeeping(&disk, at(ms)).unwrap();
    }
    assert!(!log.active().has_file());
    assert_eq!(file_bytes(&disk, Offset(0)), bytes);
    append(&disk, &mut log, 1000);
    assert!(file_bytes(&disk, Offset(0)) > 2 * bytes);
    log.close(&disk, at(5000)).unwrap();
    assert_eq!(file_bytes(&disk, Offset(0)), 2 * bytes);
}
