//! Group commit: one write per segment file for all batches that were queued, and rolling.
//!
//! Of each batch the first 16 bytes are written from the queue (base offset, length, leader
//! epoch), the rest from where the network put it; small batches are copied together before.

use crate::base::convert::u64_from;
use crate::base::ids::Offset;
use crate::base::time::Now;
use crate::log::error::StorageError;
use crate::log::file_name;
use crate::log::partition_log::{Log, Queued, RECENT_BATCHES_MAX};
use crate::log::producer_snapshot;
use crate::log::segment::{Located, Place, Segment};
use crate::log::transaction_index::AbortedTransaction;
use crate::record::batch::PATCHED_HEAD_BYTES;
use crate::runtime::disk::{Disk, OpenMode};
use bytes::Bytes;
use std::io::IoSlice;
use std::sync::Arc;

/// Batches up to this size are copied together. The kernel takes longer over two more pieces of memory
/// than such a batch takes to be copied.
const COPIED_BYTES_MAX: usize = 1024;

/// What a write did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// The first offset that is not written: all below is.
    pub log_end_offset: Offset,
    /// Bytes of records written.
    pub bytes: u64,
    /// Batches written.
    pub batches: usize,
}

fn is_small(batch: &Queued) -> bool {
    batch.bytes.len() <= COPIED_BYTES_MAX
}

/// The small ones of these batches, one after the other, as they are to be written.
fn copied(run: &[Queued]) -> Vec<u8> {
    let mut copied = Vec::new();
    for batch in run.iter().filter(|batch| is_small(batch)) {
        copied.extend_from_slice(&batch.head);
        copied.extend_from_slice(&batch.bytes[PATCHED_HEAD_BYTES..]);
    }
    copied
}

/// The pieces of memory of one write: small batches that follow each other are one, in `copied`; large ones lie
/// where the network put them.
fn pieces<'a>(run: &'a [Queued], copied: &'a [u8]) -> Vec<IoSlice<'a>> {
    let mut pieces = Vec::with_capacity(2 * run.len() + 1);
    let (mut from, mut to) = (0, 0);
    for batch in run {
        if is_small(batch) {
            to += batch.bytes.len();
            continue;
        }
        if from < to {
            pieces.push(IoSlice::new(&copied[from..to]));
            from = to;
        }
        pieces.push(IoSlice::new(&batch.head));
        pieces.push(IoSlice::new(&batch.bytes[PATCHED_HEAD_BYTES..]));
    }
    if from < to {
        pieces.push(IoSlice::new(&copied[from..to]));
    }
    pieces
}

impl Log {
    /// Writes all queued batches: one call per segment file. Rolls segments as needed.
    ///
    /// # Errors
    /// What the file system said. Batches below the log end offset are written, the others are
    /// forgotten, with what they changed in the producers' state: the same offsets are given
    /// again. A later write works again when there is room.
    pub fn write(&mut self, disk: &Disk, now: Now) -> Result<Written, StorageError> {
        assert!(!self.is_writing(), "a log is written once at a time");
        let mut queue = std::mem::take(&mut self.queue);
        let result = self.write_queue(disk, now, &queue);
        queue.clear();
        self.queue = queue;
        self.is_busy = true;
        self.producers.commit_below(self.log_end_offset);
        if result.is_err() {
            self.producers.roll_back_from(self.log_end_offset);
            self.next_offset = self.log_end_offset;
        }
        result
    }

    fn write_queue(
        &mut self,
        disk: &Disk,
        now: Now,
        queue: &[Queued],
    ) -> Result<Written, StorageError> {
        let mut bytes = 0;
        let mut rest = queue;
        while let Some(first) = rest.first() {
            if self.must_roll(first, now) {
                self.roll_at(disk, first.header.base_offset, now)?;
            }
            let count = self.write_run(disk, now, rest)?;
            let (run, after) = rest.split_at(count);
            bytes += run.iter().map(|it| u64_from(it.bytes.len())).sum::<u64>();
            if run.iter().any(|batch| batch.completed.is_some()) {
                self.note_transactions(disk, run);
            }
            rest = after;
        }
        Ok(Written {
            log_end_offset: self.log_end_offset,
            bytes,
            batches: queue.len(),
        })
    }

    pub(super) fn must_roll(&self, batch: &Queued, now: Now) -> bool {
        self.active().should_roll(
            &self.config,
            batch.bytes.len(),
            batch.header.last_offset(),
            batch.header.max_timestamp,
            now.timestamp,
        )
    }

    /// Writes the first of these batches, as many as go into the active segment.
    fn write_run(
        &mut self,
        disk: &Disk,
        now: Now,
        queue: &[Queued],
    ) -> Result<usize, StorageError> {
        let mark = self.active().mark();
        let start = self.active().bytes;
        let mut count = 0;
        let config = Arc::clone(&self.config);
        for batch in queue {
            if count > 0 && self.must_roll(batch, now) {
                break;
            }
            self.active_mut()
                .count(&config, &batch.header, batch.header.last_offset());
            count += 1;
        }
        let run = &queue[..count];
        let copied = copied(run);
        let mut pieces = pieces(run, &copied);
        let place = Place {
            disk,
            directory: &self.directory,
        };
        let written = self.active().file(place).and_then(|file| {
            self.active().reserve(file, &config, start);
            file.write_vectored_at(start, &mut pieces).map_err(|error| {
                // What was written of it is cut off again; where that fails too, the next
                // write covers it and recovery stops before it.
                let _ = file.set_len(start);
                let path = self.active().path(&self.directory, file_name::LOG);
                StorageError::io("append to", &path, error)
            })
        });
        if let Err(error) = written {
            self.active_mut().restore(mark);
            return Err(error);
        }
        if self.config.flush_messages == 1
            && !self.config.preallocate
            && let Ok(file) = self.active().file(self.place(disk))
        {
            self.active().write_zeros(file, self.active().bytes - start);
        }
        self.note_written(start, &queue[..count]);
        Ok(count)
    }

    pub(super) fn note_written(&mut self, start: u64, run: &[Queued]) {
        let mut position = start;
        let skipped = run.len().saturating_sub(RECENT_BATCHES_MAX);
        for (index, batch) in run.iter().enumerate() {
            let header = &batch.header;
            if index >= skipped {
                if self.recent.len() == RECENT_BATCHES_MAX {
                    self.recent.pop_front();
                }
                self.recent.push_back(Located {
                    base_offset: header.base_offset,
                    last_offset: header.last_offset(),
                    position,
                    bytes: batch.bytes.len(),
                });
            }
            position += u64_from(batch.bytes.len());
            // A leader may have begun since the batch was appended: its records are not these.
            let epoch = Some(header.partition_leader_epoch);
            if self.leader_epochs.latest() != epoch
                && self.leader_epochs.epoch_of(header.base_offset) != epoch
            {
                self.leader_epochs
                    .assign(header.partition_leader_epoch, header.base_offset);
            }
            self.log_end_offset = header.next_offset();
            self.batch_end_offset = self.log_end_offset;
        }
    }

    /// Adds aborted transactions to the segment's `.txnindex`. Their markers are written, so that
    /// this may not fail: what finds no room on the disk is kept, and written later.
    pub(super) fn note_transactions(&mut self, disk: &Disk, run: &[Queued]) {
        let aborted = run
            .iter()
            .filter_map(|batch| batch.completed)
            .filter(|completed| completed.is_aborted)
            .map(AbortedTransaction::from);
        let directory = self.directory.clone();
        let place = Place {
            disk,
            directory: &directory,
        };
        let segment = self.active_mut();
        segment.aborted_pending.extend(aborted);
        let _ = segment.persist_aborted(place);
    }

    /// Ends the active segment and starts another at the log's end. Does nothing where the active
    /// segment is empty.
    ///
    /// # Errors
    /// What the file system said; the active segment then stays.
    pub fn roll(&mut self, disk: &Disk, now: Now) -> Result<(), StorageError> {
        if self.active().bytes == 0 {
            return Ok(());
        }
        self.roll_at(disk, self.log_end_offset, now)
    }

    /// Ends the active segment and starts another at `base_offset`.
    pub(super) fn roll_at(
        &mut self,
        disk: &Disk,
        base_offset: Offset,
        now: Now,
    ) -> Result<(), StorageError> {
        if self.active().bytes == 0 && self.active().base_offset == base_offset {
            return Ok(());
        }
        self.start_segment(disk, base_offset, now)?;
        let sealed = self.segments.len() - 2;
        if self.segments[sealed].bytes == 0 {
            // Nothing was in it, and the next offset lies too far off to be relative to it.
            let empty = self.segments.remove(sealed);
            return self.remove_files(disk, &empty);
        }
        // From here on nothing may fail: what could not be written (the disk is full) is derived
        // from the log, and written later or built anew.
        let place = Place {
            disk,
            directory: &self.directory,
        };
        let segment = &mut self.segments[sealed];
        segment.set_open_block(Bytes::new()); // nothing follows on it
        segment.add_time_entry();
        let _ = segment.persist_indexes(place);
        if self.config.preallocate || segment.has_zeros() {
            let is_cut = segment.trim_file(place).is_ok();
            // Where it cannot be opened it was let go, and nothing is let go that is longer than its records.
            if let Ok(file) = segment.file(place).map(Arc::clone) {
                if is_cut {
                    self.cuts.push(file);
                } else {
                    self.uncut.push((segment.base_offset, file, segment.bytes));
                }
            }
        } else if segment.take_reserved()
            && let Ok(file) = segment.file(place)
        {
            // That takes milliseconds, on a device that is told of what is free.
            self.trims.push((Arc::clone(file), segment.bytes));
        }
        let _ = self.write_producer_snapshot(disk, base_offset);
        Ok(())
    }

    /// Removes all files of a segment.
    pub(super) fn remove_files(&self, disk: &Disk, segment: &Segment) -> Result<(), StorageError> {
        for kind in [
            file_name::LOG,
            file_name::INDEX,
            file_name::TIME_INDEX,
            file_name::TRANSACTION_INDEX,
        ] {
            let path = segment.path(&self.directory, kind);
            disk.remove_file(&path)
                .map_err(|error| StorageError::io("remove", &path, error))?;
        }
        Ok(())
    }

    /// Writes the producers' state below `offset`, where it is not written yet.
    pub(super) fn write_producer_snapshot(
        &mut self,
        disk: &Disk,
        offset: Offset,
    ) -> Result<(), StorageError> {
        if self.snapshots.last().is_some_and(|last| *last >= offset) {
            return Ok(());
        }
        let path = file_name::path(&self.directory, offset, file_name::SNAPSHOT);
        let failed = |error| StorageError::io("write", &path, error);
        let bytes = producer_snapshot::encode(&self.producers.as_of(offset));
        let file = disk.open(&path, OpenMode::Truncate).map_err(failed)?;
        file.write_at(0, &bytes).map_err(failed)?;
        self.snapshots.push(offset);
        Ok(())
    }
}
