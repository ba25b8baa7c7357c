//! Unclean stops: torn tails, damaged files, interrupted compactions.

use super::*;
use crate::base::convert::{u64_from, usize_from};
use crate::base::prng::Prng;
use crate::log::{AppendError, StorageError};
use crate::record::batch::HEADER_BYTES;
use crate::runtime::disk::OpenMode;

fn path(name: &str) -> std::path::PathBuf {
    Path::new(DIRECTORY).join(name)
}

const FIRST: &str = "00000000000000000000.log";

fn content(disk: &Disk, name: &str) -> Vec<u8> {
    disk.read(&path(name), 1 << 24).unwrap()
}

fn replace(disk: &Disk, name: &str, content: &[u8]) {
    let file = disk.open(&path(name), OpenMode::Truncate).unwrap();
    file.write_at(0, content).unwrap();
}

/// A copy of the directory on a disk of its own.
fn copy(disk: &Disk) -> Disk {
    let target = Disk::Simulated(SimulatedDisk::new());
    target.create_directories(Path::new(DIRECTORY)).unwrap();
    for entry in disk.list(Path::new(DIRECTORY)).unwrap() {
        replace(&target, &entry.name, &content(disk, &entry.name));
    }
    target
}

fn input(recovery_point: i64) -> OpenInput {
    OpenInput {
        clean: false,
        recovery_point: Offset(recovery_point),
        log_start_offset: Offset(0),
    }
}

fn small_segments() -> LogConfig {
    LogConfig {
        segment_bytes: 3000,
        index_interval_bytes: 300,
        ..LogConfig::default()
    }
}

#[test]
fn a_segment_cut_at_any_byte_gives_its_whole_batches() {
    let (disk, _) = disk();
    let config = LogConfig {
        index_interval_bytes: 100,
        ..LogConfig::default()
    };
    let mut log = create(&disk, config.clone());
    for sequence in 0..6 {
        log.append(produced(5, 0, sequence * 2, 2), EPOCH, at(1000))
            .unwrap();
    }
    log.write(&disk, at(1000)).unwrap();
    log.mark_synced(Offset(4), at(1000));
    assert_eq!(log.checkpoint(&disk).unwrap(), Offset(4));
    let all = read_all(&disk, &log);
    let bytes = content(&disk, FIRST);
    let mut prng = Prng::new(1);
    let third = u64_from(all[0].batch_bytes() + all[1].batch_bytes());
    for cut in usize_from(third)..=bytes.len() {
        for tail in 0..3 {
            let disk = copy(&disk);
            let mut torn = bytes[..cut].to_vec();
            match tail {
                0 => {}
                1 => torn.resize(cut + 200, 0),
                _ => {
                    let mut garbage = vec![0; 1 + prng.index(300)];
                    prng.fill(&mut garbage);
                    torn.extend_from_slice(&garbage);
                }
            }
            replace(&disk, FIRST, &torn);
            let recovery_point = if prng.one_in(2) { 4 } else { 0 };
            let (mut log, recovered) = Log::open(
                &disk,
                Path::new(DIRECTORY),
                config.clone(),
                input(recovery_point),
                at(2000),
            )
            .unwrap();
            let mut expected = Vec::new();
            let mut end = 0;
            for header in &all {
                // Zeros can stand for the last bytes of a batch: then they are it.
                let next = end + header.batch_bytes();
                if torn.get(end..next) != Some(&bytes[end..next]) {
                    break;
                }
                end = next;
                expected.push(*header);
            }
            assert_eq!(read_all(&disk, &log), expected);
            let rest = &torn[end..];
            let goes_on_with_zeros = rest.iter().take(HEADER_BYTES).all(|byte| *byte == 0);
            let expected_cut = if goes_on_with_zeros { 0 } else { rest.len() };
            assert_eq!(recovered.bytes_truncated, u64_from(expected_cut));
            assert_eq!(content(&disk, FIRST).len(), end);
            // The producer goes on exactly where the log ends.
            let next = i32::try_from(log.log_end_offset().0).unwrap();
            let again = log.append(produced(5, 0, next - 2, 2), EPOCH, at(2000));
            assert!(matches!(again, Err(AppendError::Duplicate { .. })));
            let gap = log.append(produced(5, 0, next + 2, 2), EPOCH, at(2000));
            assert!(matches!(gap, Err(AppendError::OutOfOrderSequence { .. })));
            log.append(produced(5, 0, next, 2), EPOCH, at(2000))
                .unwrap();
            log.write(&disk, at(2000)).unwrap();
            assert_eq!(read_all(&disk, &log).len(), expected.len() + 1);
        }
    }
}

#[test]
fn damage_below_the_recovery_point_is_not_cut_off() {
    let (disk, _) = disk();
    let mut log = create(&disk, LogConfig::default());
    for _ in 0..4 {
        log.append(batch(2, 30, 1000), EPOCH, at(1000)).unwrap();
    }
    log.write(&disk, at(1000)).unwrap();
    let batch_bytes = read_all(&disk, &log)[0].batch_bytes();
    let mut bytes = content(&disk, FIRST);
    bytes[batch_bytes + 80] ^= 1;
    replace(&disk, FIRST, &bytes);
    let result = Log::open(
        &disk,
        Path::new(DIRECTORY),
        LogConfig::default(),
        input(6),
        at(2000),
    );
    match result {
        Err(StorageError::Damaged { position, .. }) => assert_eq!(position, u64_from(batch_bytes)),
        other => panic!("{other:?}"),
    }
    assert_eq!(content(&disk, FIRST), bytes);
    // Without that point it is a torn tail.
    let log = open(&disk, LogConfig::default(), false, Offset(0));
    assert_eq!(log.log_end_offset(), Offset(2));
}

#[test]
fn segments_behind_a_bad_batch_are_removed() {
    let (disk, _) = disk();
    let mut log = create(&disk, small_segments());
    for _ in 0..100 {
        log.append(batch(1, 100, 1000), EPOCH, at(1000)).unwrap();
    }
    log.write(&disk, at(1000)).unwrap();
    let bases: Vec<Offset> = log.segments().map(|segment| segment.base_offset).collect();
    assert!(bases.len() > 4);
    let name = format!("{:020}.log", bases[2].0);
    let mut bytes = content(&disk, &name);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    replace(&disk, &name, &bytes);
    let (log, recovered) = Log::open(
        &disk,
        Path::new(DIRECTORY),
        small_segments(),
        input(bases[1].0),
        at(2000),
    )
    .unwrap();
    assert_eq!(log.segments().len(), 3);
    assert_eq!(recovered.segments_removed, bases.len() - 3);
    assert!(log.log_end_offset() > bases[2] && log.log_end_offset() < bases[3]);
    assert_eq!(
        read_all(&disk, &log).last().unwrap().next_offset(),
        log.log_end_offset()
    );
    let names: Vec<String> = disk
        .list(Path::new(DIRECTORY))
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    let gone = format!("{:020}", bases[3].0);
    assert!(
        names.iter().all(|name| !name.starts_with(&gone)),
        "{names:?}"
    );
}

#[test]
fn what_can_be_derived_may_be_damaged_or_lost() {
    let (origin, _) = disk();
    let mut log = create(&origin, small_segments());
    for round in 0..60 {
        let epoch = LeaderEpoch(round / 20);
        log.append(produced(5, 0, round, 1), epoch, at(1000))
            .unwrap();
        log.append(batch(2, 60, 1000 + i64::from(round)), epoch, at(1000))
            .unwrap();
        log.write(&origin, at(1000)).unwrap();
    }
    let end = log.log_end_offset();
    let all = read_all(&origin, &log);
    let epochs = log.leader_epochs().entries().to_vec();
    log.close(&origin, at(1500)).unwrap();
    let names: Vec<String> = origin
        .list(Path::new(DIRECTORY))
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| !name.ends_with(".log") && name != "partition.metadata")
        .collect();
    assert!(names.len() > 10, "{names:?}");
    let mut prng = Prng::new(77);
    for round in 0..600 {
        let disk = copy(&origin);
        let name = &names[prng.index(names.len())];
        let mut bytes = content(&disk, name);
        match round % 4 {
            0 => disk.remove_file(&path(name)).unwrap(),
            1 => {
                bytes.truncate(prng.index(bytes.len() + 1));
                replace(&disk, name, &bytes);
            }
            2 if !bytes.is_empty() => {
                let index = prng.index(bytes.len());
                bytes[index] ^= 1 << prng.index(8);
                replace(&disk, name, &bytes);
            }
            _ => {
                prng.fill(&mut bytes);
                replace(&disk, name, &bytes);
            }
        }
        let clean = prng.one_in(2);
        let recovery_point = if prng.one_in(2) { end } else { Offset(0) };
        let mut log = open(&disk, small_segments(), clean, recovery_point);
        assert_eq!(log.log_end_offset(), end, "{name}");
        for header in &all {
            let slice = log.read(&disk, header.last_offset(), 1, end, true).unwrap();
            assert_eq!(slice.base_offset, header.base_offset, "{name}");
        }
        let later = log.offset_for_timestamp(&disk, Timestamp(1030)).unwrap();
        // A time index that is wrong and yet sorted can hide the segment.
        if !name.ends_with(".timeindex") {
            assert_eq!(later.unwrap().timestamp, Timestamp(1030), "{name}");
        }
        if name != "leader-epoch-checkpoint" || round % 4 == 0 {
            assert_eq!(log.leader_epochs().entries(), epochs, "{name}");
        }
        if !clean || !name.ends_with(".snapshot") {
            let again = log.append(produced(5, 0, 59, 1), EPOCH, at(2000));
            assert!(
                matches!(again, Err(AppendError::Duplicate { .. })),
                "{name} {clean} {again:?}"
            );
        }
        log.append(batch(1, 1, 3000), LeaderEpoch(9), at(2000))
            .unwrap();
        log.write(&disk, at(2000)).unwrap();
        log.housekeeping(&disk, at(2000)).unwrap();
        log.housekeeping(&disk, at(2000)).unwrap();
        log.close(&disk, at(2000)).unwrap();
        let log = open(&disk, small_segments(), true, Offset(0));
        assert_eq!(log.log_end_offset(), end.next());
        assert_eq!(read_all(&disk, &log).len(), all.len() + 1);
    }
}

#[test]
fn random_damage_of_any_file_never_panics() {
    let (origin, _) = disk();
    let mut log = create(&origin, small_segments());
    for round in 0..40 {
        log.append(produced(5, 0, round, 1), EPOCH, at(1000))
            .unwrap();
        log.append(batch(2, 60, 1000 + i64::from(round)), EPOCH, at(1000))
            .unwrap();
        log.write(&origin, at(1000)).unwrap();
    }
    log.close(&origin, at(1500)).unwrap();
    let names: Vec<String> = origin
        .list(Path::new(DIRECTORY))
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    let mut prng = Prng::new(78);
    for _ in 0..1500 {
        let disk = copy(&origin);
        for _ in 0..1 + prng.index(3) {
            let name = &names[prng.index(names.len())];
            let mut bytes = content(&disk, name);
            for _ in 0..1 + prng.index(8) {
                if !bytes.is_empty() {
                    let index = prng.index(bytes.len());
                    bytes[index] ^= 1 << prng.index(8);
                }
            }
            if prng.one_in(3) {
                bytes.truncate(prng.index(bytes.len() + 1));
            }
            replace(&disk, name, &bytes);
        }
        let opened = Log::open(
            &disk,
            Path::new(DIRECTORY),
            small_segments(),
            OpenInput {
                clean: prng.one_in(2),
                ..input(prng.below(150).cast_signed())
            },
            at(2000),
        );
        let Ok((mut log, _)) = opened else { continue };
        let end = log.log_end_offset();
        for offset in (0..end.0).take(300) {
            let _ = log.read(&disk, Offset(offset), 500, end, true);
        }
        let _ = log.offset_for_timestamp(&disk, Timestamp(1020));
        let _ = log.max_timestamp(&disk);
        let _ = log.append(batch(1, 1, 3000), EPOCH, at(2000));
        let _ = log.write(&disk, at(2000));
        let _ = log.truncate_to(&disk, Offset(end.0 / 2), at(2000));
        let _ = log.housekeeping(&disk, at(2000));
        let _ = log.delete_old_segments(&disk, at(i64::MAX / 2), end);
        let _ = log.close(&disk, at(2000));
    }
}

#[test]
fn interrupted_compactions_are_completed_or_undone() {
    let (origin, _) = disk();
    let mut log = create(&origin, small_segments());
    for _ in 0..60 {
        log.append(batch(1, 100, 1000), EPOCH, at(1000)).unwrap();
    }
    log.write(&origin, at(1000)).unwrap();
    let all = read_all(&origin, &log);
    let bases: Vec<Offset> = log.segments().map(|segment| segment.base_offset).collect();
    log.close(&origin, at(1000)).unwrap();
    // A cleaned file of the first two segments: the first and the last batch of them are left.
    let end = bases[2];
    let mut merged = Vec::new();
    for header in &all {
        if header.base_offset == Offset(0) || header.next_offset() == end {
            let mut bytes = batch(1, 100, 1000).bytes().to_vec();
            bytes[..8].copy_from_slice(&header.base_offset.0.to_be_bytes());
            merged.extend_from_slice(&bytes);
        }
    }
    // Still being written: it goes.
    let disk = copy(&origin);
    replace(&disk, "00000000000000000000.log.cleaned", &merged);
    replace(&disk, "00000000000000000000.index.cleaned", b"");
    replace(&disk, "00000000000000000007.log.deleted", b"x");
    let log = open(&disk, small_segments(), false, Offset(60));
    assert_eq!(read_all(&disk, &log), all);
    let names = disk.list(Path::new(DIRECTORY)).unwrap();
    assert!(
        names
            .iter()
            .all(|entry| !entry.name.ends_with(".cleaned") && !entry.name.ends_with(".deleted"))
    );
    // Written: it takes the place of both segments.
    let disk = copy(&origin);
    replace(&disk, "00000000000000000000.log.swap", &merged);
    let log = open(&disk, small_segments(), false, Offset(60));
    let found = read_all(&disk, &log);
    assert_eq!(found[0].base_offset, Offset(0));
    assert_eq!(found[1].next_offset(), end);
    let rest: Vec<_> = all
        .iter()
        .filter(|header| header.base_offset >= end)
        .copied()
        .collect();
    assert_eq!(found[2..], rest);
    // A record that compaction removed: the next one answers.
    let slice = log.read(&disk, Offset(2), 1, Offset(60), true).unwrap();
    assert_eq!(slice.base_offset, end.plus(-1));
    // Half renamed: undone, the old segments are whole.
    let disk = copy(&origin);
    replace(&disk, "00000000000000000000.log.cleaned", &merged);
    replace(&disk, "00000000000000000000.index.swap", b"");
    let log = open(&disk, small_segments(), false, Offset(60));
    assert_eq!(read_all(&disk, &log), all);
}
