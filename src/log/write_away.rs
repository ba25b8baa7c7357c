//! Writing away from the turn: where a write may have to wait, the log hands out what is to be written
//! and goes on when it is told what became of it.
//!
//! ```text
//!   append ─► queue ─► begin_write ─► (somebody writes) ─► end_write: the log end offset advances
//!               ▲                            │
//!               └── appended meanwhile ──────┘  waits for the next begin_write
//! ```
//! Until `end_write` the batches do not exist for readers, and the active segment stays the active one.
//!
//! A write begins where the file's last block does, with what is there already, once that is known:
//!
//! ```text
//!   ─────┬───────────────┬─────────┊─────┬───────────────┬────
//!        │               │ written ┊ new…                │
//!   ─────┴───────────────┴─────────┊─────┴───────────────┴────
//!                        └ the write     └ the segment's end was here
//! ```
//! Where memory is short, the page of that block may have been dropped since. To write a part of it, the
//! kernel would have to read the rest from a device that is busy; to write all of it, it need not.

use crate::base::convert::{u64_from, usize_from};
use crate::base::time::Now;
use crate::log::error::StorageError;
use crate::log::file_name;
use crate::log::partition_log::{Log, Queued};
use crate::log::segment::Place;
use crate::record::batch::PATCHED_HEAD_BYTES;
use crate::runtime::disk::{Disk, File};
use bytes::{BufMut, Bytes, BytesMut};
use std::io;
use std::sync::Arc;

/// What file systems read and write at once.
const BLOCK_BYTES: u64 = 4096;

/// Most batches of one write: each is two slices, of which the kernel takes 1,024.
const BATCHES_MAX: usize = 512;

/// What is to be written.
#[derive(Debug)]
pub struct PendingWrite {
    /// Into which file,
    pub file: Arc<File>,
    /// from which byte on.
    pub position: u64,
    /// The bytes, one part after the other.
    pub parts: Vec<Bytes>,
    /// For which part of the file blocks are to be found before.
    pub reserve: Option<(u64, u64)>,
}

/// Batches that are being written.
#[derive(Debug)]
pub(super) struct Run {
    file: Arc<File>,
    /// Where the batches begin.
    start: u64,
    /// What was known of the block in which they do.
    open_block: Bytes,
    batches: Vec<Queued>,
}

impl Log {
    /// Whether what [`Log::begin_write`] gave is being written.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// Whether blocks are to be found before what is queued is written: that may wait for the device.
    #[must_use]
    pub fn wants_reservation(&self) -> bool {
        let bytes = |batch: &Queued| u64_from(batch.bytes.len());
        let queued = self.queue.iter().map(bytes).sum();
        self.active().wants_reservation(queued)
    }

    /// Files that were rolled with blocks reserved beyond their ends, and their lengths: who takes them
    /// cuts them. What nobody takes is cut by [`Log::housekeeping`].
    pub fn take_trims(&mut self) -> Vec<(Arc<File>, u64)> {
        std::mem::take(&mut self.trims)
    }

    /// Begins to write what is queued, as much of it as goes into one segment file; `None` where
    /// nothing is. The caller writes it and calls [`Log::end_write`]; until then this is not called again.
    ///
    /// # Errors
    /// A new segment could not be made. All that was queued is forgotten, as in [`Log::write`].
    pub fn begin_write(
        &mut self,
        disk: &Disk,
        now: Now,
    ) -> Result<Option<PendingWrite>, StorageError> {
        assert!(!self.is_writing(), "a log is written once at a time");
        let mut queue = std::mem::take(&mut self.queue);
        let Some(first) = queue.first() else {
            return Ok(None);
        };
        let begun = self.prepare(disk, now, first);
        let file = match begun {
            Ok(file) => file,
            Err(error) => {
                self.forget_queue();
                return Err(error);
            }
        };
        let start = self.active().bytes;
        let open_block = self.active_mut().take_open_block();
        let count = self.count_run(now, &queue);
        self.queue = queue.split_off(count);
        let mut heads = BytesMut::with_capacity(count * PATCHED_HEAD_BYTES);
        for batch in &queue {
            heads.put_slice(&batch.head);
        }
        let mut heads = heads.freeze();
        let mut parts = Vec::with_capacity(1 + 2 * count);
        if !open_block.is_empty() {
            parts.push(open_block.clone());
        }
        for batch in &queue {
            parts.push(heads.split_to(PATCHED_HEAD_BYTES));
            parts.push(batch.bytes.slice(PATCHED_HEAD_BYTES..));
        }
        let bytes = queue.iter().map(|batch| u64_from(batch.bytes.len())).sum();
        let reserve = self.active().take_reservation(&self.config, bytes);
        let position = start - u64_from(open_block.len());
        self.writing = Some(Run {
            file: Arc::clone(&file),
            start,
            open_block,
            batches: queue,
        });
        Ok(Some(PendingWrite {
            file,
            position,
            parts,
            reserve,
        }))
    }

    fn prepare(
        &mut self,
        disk: &Disk,
        now: Now,
        first: &Queued,
    ) -> Result<Arc<File>, StorageError> {
        if self.must_roll(first, now) {
            self.roll_at(disk, first.header.base_offset, now)?;
        }
        let place = Place {
            disk,
            directory: &self.directory,
        };
        self.active().file(place).cloned()
    }

    /// How many of these batches go into the active segment with one write.
    fn count_run(&mut self, now: Now, queue: &[Queued]) -> usize {
        let mark = self.active().mark();
        let config = Arc::clone(&self.config);
        let mut count = 0;
        for batch in queue.iter().take(BATCHES_MAX) {
            if count > 0 && self.must_roll(batch, now) {
                break;
            }
            let last_offset = batch.header.last_offset();
            self.active_mut().count(&config, &batch.header, last_offset);
            count += 1;
        }
        self.active_mut().restore(mark);
        count
    }

    /// What [`Log::begin_write`] gave is written, or was not. Answers with the bytes of records.
    ///
    /// # Errors
    /// It was not: it is forgotten, and all that was queued behind it, as in [`Log::write`].
    pub fn end_write(&mut self, disk: &Disk, result: io::Result<()>) -> Result<u64, StorageError> {
        let run = self.writing.take().expect("a write was begun");
        if let Err(error) = result {
            // What was written of it is cut off again; where that fails too, the next write covers
            // it and recovery stops before it.
            let _ = run.file.set_len(run.start);
            let path = self.active().path(&self.directory, file_name::LOG);
            self.forget_queue();
            return Err(StorageError::io("append to", &path, error));
        }
        let config = Arc::clone(&self.config);
        let mut bytes = 0;
        for batch in &run.batches {
            let last_offset = batch.header.last_offset();
            self.active_mut().count(&config, &batch.header, last_offset);
            bytes += u64_from(batch.bytes.len());
        }
        self.active_mut().set_open_block(run.block_after());
        self.note_written(run.start, &run.batches);
        if run.batches.iter().any(|batch| batch.completed.is_some()) {
            self.note_transactions(disk, &run.batches);
        }
        self.is_busy = true;
        self.producers.commit_below(self.log_end_offset);
        Ok(bytes)
    }
}

impl Run {
    /// What is written of the last block, after this is; empty where nobody knows.
    fn block_after(&self) -> Bytes {
        let bytes = |batch: &Queued| u64_from(batch.bytes.len());
        let end = self.start + self.batches.iter().map(bytes).sum::<u64>();
        let wanted = usize_from(end % BLOCK_BYTES);
        let parts = self.batches.iter().rev().flat_map(|batch| {
            let body = &batch.bytes[PATCHED_HEAD_BYTES..];
            [body, &batch.head[..]]
        });
        let mut block = vec![0; wanted];
        let mut missing = wanted;
        for part in parts.chain([&self.open_block[..]]) {
            let taken = part.len().min(missing);
            let from = &part[part.len() - taken..];
            block[missing - taken..missing].copy_from_slice(from);
            missing -= taken;
            if missing == 0 {
                return block.into();
            }
        }
        Bytes::new()
    }
}
