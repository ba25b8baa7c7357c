//! Recovery after an unclean stop: what had not been synced is read again and checked, cut at the
//! first bad batch, and everything derived from it is built anew.
//!
//! ```text
//!                 recovery point
//!   segment │ segment   │    segment
//!  ─────────┴─────┬─────▼────┬─────────────╳ ← first bad batch: cut here,
//!   believed      │ believed │   checked      later segments removed
//! ```
//!
//! Damage below the recovery point is no torn write: it is reported, and nothing is cut.

use crate::base::ids::Offset;
use crate::base::time::{Now, Timestamp};
use crate::log::error::StorageError;
use crate::log::file_name;
use crate::log::index_file::Patience;
use crate::log::leader_epochs::LeaderEpochs;
use crate::log::open::{OpenInput, Recovered, storage};
use crate::log::partition_log::Log;
use crate::log::producer_snapshot::{self, SNAPSHOT_BYTES_MAX};
use crate::log::producer_state::Origin;
use crate::log::scan::{Scanned, Scanner, Walk};
use crate::log::segment::{Place, Segment, start_of};
use crate::log::transaction_index::AbortedTransaction;
use crate::record::batch::HEADER_BYTES;
use crate::runtime::disk::Disk;
use std::sync::Arc;

/// Where the check of a segment ended.
struct Checked {
    /// Bytes of good batches.
    bytes: u64,
    /// The offset after the last good one.
    end_offset: Offset,
    /// Why it did not reach the end of the file.
    broken: Option<&'static str>,
    bytes_read: u64,
}

impl Log {
    pub(super) fn recover(
        &mut self,
        disk: &Disk,
        input: OpenInput,
        has_epochs: bool,
        recovered: &mut Recovered,
        now: Now,
    ) -> Result<(), StorageError> {
        let recovery_point = input.recovery_point;
        // The segment with the last record below it: where that was rolled, nobody knows whether its file was
        // cut to its end before the stop.
        let first = self.segment_of(recovery_point.plus(-1).max(Offset(0)));
        let (start, start_offset) = self.start_of_check(disk, first, recovery_point)?;
        if !has_epochs {
            self.rebuild_leader_epochs(disk)?;
        }
        self.leader_epochs.truncate_from_end(start_offset);
        self.log_end_offset = start_offset;
        self.load_producers(disk, start_offset, false, now)?;

        let mut index = first;
        let mut start = start;
        while index < self.segments.len() {
            let base_offset = self.segments[index].base_offset;
            if index > first && base_offset < self.log_end_offset {
                // It repeats offsets that the segment before it has: the earlier one stands.
                recovered.segments_removed += self.remove_segments_from(disk, index)?;
                break;
            }
            self.log_end_offset = self.log_end_offset.max(base_offset);
            let file_bytes = self.segments[index].bytes;
            let checked = self.check_segment(disk, index, start)?;
            recovered.bytes_scanned += checked.bytes_read;
            recovered.segments_scanned += 1;
            self.log_end_offset = checked.end_offset;
            if let Some(why) = checked.broken {
                let path = self.segments[index].path(&self.directory, file_name::LOG);
                if checked.end_offset < recovery_point {
                    return Err(StorageError::Damaged {
                        path,
                        position: checked.bytes,
                        recovery_point,
                        why: why.to_owned(),
                    });
                }
                // Zeros were written ahead, and tear nothing.
                if !self.has_zeros_at(disk, index, checked.bytes)? {
                    recovered.bytes_truncated += file_bytes - checked.bytes;
                }
                recovered.segments_removed += self.remove_segments_from(disk, index + 1)?;
            }
            let place = Place {
                disk,
                directory: &self.directory,
            };
            let segment = &mut self.segments[index];
            if checked.broken.is_some() {
                segment.trim_file(place)?;
            }
            // As when it is closed: the largest timestamp has an entry.
            segment.add_time_entry();
            // On a full disk the log is still read: its indexes are kept in memory.
            match segment.persist_indexes(place) {
                Err(error) if !error.is_full() => return Err(error),
                Ok(()) | Err(_) => {}
            }
            index += 1;
            start = 0;
        }
        self.producers.commit_below(self.log_end_offset.next());
        Ok(())
    }

    /// Whether a segment goes on with zeros at a byte: a batch's header of them is none.
    fn has_zeros_at(&self, disk: &Disk, index: usize, position: u64) -> Result<bool, StorageError> {
        let path = self.segments[index].path(&self.directory, file_name::LOG);
        let file = self.segments[index].file(self.place(disk))?;
        let mut header = [1; HEADER_BYTES];
        let read = file
            .read_at(position, &mut header)
            .map_err(|error| StorageError::io("read", &path, error))?;
        Ok(read > 0 && header[..read].iter().all(|byte| *byte == 0))
    }

    /// Where checking starts in the segment that holds the recovery point: at the last batch below
    /// it that a sound index knows, else at the beginning.
    fn start_of_check(
        &mut self,
        disk: &Disk,
        index: usize,
        recovery_point: Offset,
    ) -> Result<(u64, Offset), StorageError> {
        let directory = self.directory.clone();
        let place = Place {
            disk,
            directory: &directory,
        };
        let segment = &mut self.segments[index];
        let base_offset = segment.base_offset;
        if recovery_point <= base_offset || segment.is_index_suspect() || segment.bytes == 0 {
            return Ok((0, base_offset));
        }
        let below = recovery_point.plus(-1);
        let Ok(Some(floor)) = segment.floor(place, below, Patience::Wait) else {
            return Ok((0, base_offset));
        };
        // The time index is needed as well.
        let _ = segment.time_floor(place, Timestamp::NONE, Patience::Wait);
        if segment.is_index_suspect() {
            return Ok((0, base_offset));
        }
        let position = start_of(Some(floor));
        let found = segment.with_extent(place, |extent| {
            extent.walk(position, Patience::Wait, |_, _| true)
        });
        match found.map_err(storage)? {
            Walk::Found { header, .. }
                if segment.relative(header.last_offset()) == Some(floor.relative_offset) =>
            {
                Ok((position, header.base_offset))
            }
            Walk::Found { .. } | Walk::End | Walk::Broken { .. } => {
                segment.suspect_indexes();
                Ok((0, base_offset))
            }
        }
    }

    /// Checks a segment from byte `start`, and counts its batches as if they were appended.
    fn check_segment(
        &mut self,
        disk: &Disk,
        index: usize,
        start: u64,
    ) -> Result<Checked, StorageError> {
        let directory = self.directory.clone();
        let place = Place {
            disk,
            directory: &directory,
        };
        let config = Arc::clone(&self.config);
        let path = self.segments[index].path(&directory, file_name::LOG);
        let file = Arc::clone(self.segments[index].file(place)?);
        let file_bytes = self.segments[index].bytes;
        self.rewind(place, index, start)?;
        let checked_from = self.log_end_offset;
        let extent = crate::log::scan::Extent {
            file: &file,
            path: &path,
            end: file_bytes,
        };
        let mut scanner = Scanner::new(extent, start);
        let mut end_offset = self.log_end_offset;
        let mut aborted = Vec::new();
        let broken = loop {
            let (header, bytes) = match scanner.next()? {
                Scanned::End => break None,
                Scanned::Broken { why } => break Some(why),
                Scanned::Batch { header, bytes } => (header, bytes),
            };
            let segment = &mut self.segments[index];
            if header.base_offset < end_offset {
                break Some("a batch whose offsets lie below those before it");
            }
            if segment.relative(header.last_offset()).is_none() {
                break Some("a batch whose offsets lie too far from the segment's");
            }
            match self
                .producers
                .append(Origin::Replication, &header, header.base_offset, bytes)
            {
                Ok(Some(completed)) if completed.is_aborted => {
                    aborted.push(AbortedTransaction::from(completed));
                }
                Ok(_) => {}
                Err(_) => break Some("a transaction marker that cannot be read"),
            }
            segment.count(&config, &header, header.last_offset());
            if self.leader_epochs.latest() != Some(header.partition_leader_epoch) {
                self.leader_epochs
                    .assign(header.partition_leader_epoch, header.base_offset);
            }
            end_offset = header.next_offset();
            self.producers.commit_below(end_offset);
        };
        let bytes_read = scanner.bytes_read;
        self.rewrite_transaction_index(place, index, checked_from, &aborted)?;
        Ok(Checked {
            bytes: self.segments[index].bytes,
            end_offset,
            broken,
            bytes_read,
        })
    }

    /// Makes the segment end at byte `start` for the moment, so that batches can be counted anew.
    fn rewind(&mut self, place: Place<'_>, index: usize, start: u64) -> Result<(), StorageError> {
        let now = self.segments[index].created;
        let segment = &mut self.segments[index];
        if start > 0 {
            return segment.rewind(place, start).map_err(storage);
        }
        let base_offset = segment.base_offset;
        let has_transaction_index = segment.has_transaction_index;
        self.segments[index] = Segment::empty(base_offset, now);
        self.segments[index].has_transaction_index = has_transaction_index;
        Ok(())
    }

    /// Keeps the entries below what was checked, and adds those that were found there.
    fn rewrite_transaction_index(
        &mut self,
        place: Place<'_>,
        index: usize,
        checked_from: Offset,
        found: &[AbortedTransaction],
    ) -> Result<(), StorageError> {
        use crate::log::transaction_index;
        let segment = &self.segments[index];
        let path = segment.path(place.directory, file_name::TRANSACTION_INDEX);
        let mut entries = Vec::new();
        if segment.has_transaction_index
            && let Ok(bytes) = place.disk.read(&path, transaction_index::FILE_BYTES_MAX)
        {
            entries = transaction_index::decode(&bytes).unwrap_or_default();
            entries.retain(|entry| entry.last_offset < checked_from);
        }
        entries.extend_from_slice(found);
        if entries.is_empty() {
            place
                .disk
                .remove_file(&path)
                .map_err(|error| StorageError::io("remove", &path, error))?;
            self.segments[index].has_transaction_index = false;
            return Ok(());
        }
        let text: Vec<u8> = entries.iter().flat_map(transaction_index::encode).collect();
        match place.disk.write_atomically(&path, &text) {
            Ok(()) => self.segments[index].has_transaction_index = true,
            Err(error) => {
                let error = StorageError::io("write", &path, error);
                if !error.is_full() {
                    return Err(error);
                }
                self.segments[index].has_transaction_index = false;
                self.segments[index].aborted_pending = entries;
            }
        }
        Ok(())
    }

    /// Removes the segments from `index` on, with their files.
    pub(super) fn remove_segments_from(
        &mut self,
        disk: &Disk,
        index: usize,
    ) -> Result<usize, StorageError> {
        let removed = self.segments.split_off(index);
        for segment in &removed {
            self.remove_files(disk, segment)?;
        }
        Ok(removed.len())
    }

    /// The producers as of `end`: from the newest sound snapshot, and the log from there on.
    pub(super) fn load_producers(
        &mut self,
        disk: &Disk,
        end: Offset,
        is_clean: bool,
        now: Now,
    ) -> Result<(), StorageError> {
        self.producers.clear();
        let mut from = None;
        // A snapshot from before the first segment cannot be brought up to date.
        let first = self.segments[0].base_offset;
        let is_usable = |offset: &Offset| *offset <= end && *offset >= first;
        while let Some(position) = self.snapshots.iter().rposition(is_usable) {
            let offset = self.snapshots[position];
            let path = file_name::path(&self.directory, offset, file_name::SNAPSHOT);
            let producers = match disk.read(&path, SNAPSHOT_BYTES_MAX) {
                Ok(bytes) => producer_snapshot::decode(&bytes),
                Err(error) => Err(error.to_string()),
            };
            if let Ok(mut producers) = producers {
                let expiration_ms = self.config.producer_id_expiration_ms;
                producers.retain(|(_, producer)| {
                    let idle = now.timestamp.0.saturating_sub(producer.last_timestamp.0);
                    producer.current_transaction_first_offset.is_some() || idle < expiration_ms
                });
                self.producers.restore(producers);
                from = Some(offset);
                break;
            }
            // It can be derived: an older one, and the log since then, say the same.
            self.snapshots.remove(position);
            self.remove_snapshots(disk, &[offset])?;
        }
        let from = match from {
            // Also below the log start, as long as the batches are there: or the state would be
            // that of an older batch than the producer's last.
            Some(from) => from,
            // Written without producer state, by an old broker: as Apache, start without.
            None if is_clean => return Ok(()),
            None => self.log_start_offset,
        };
        self.replay_producers(disk, from, end)
    }

    /// Takes the batches of `from` up to `end` into the producers' state.
    fn replay_producers(
        &mut self,
        disk: &Disk,
        from: Offset,
        end: Offset,
    ) -> Result<(), StorageError> {
        let first = self.segment_of(from);
        let place = Place {
            disk,
            directory: &self.directory,
        };
        for segment in &self.segments[first..] {
            if from >= end || segment.base_offset >= end {
                break;
            }
            let located = segment.locate(place, from, Patience::Wait);
            let Some(located) = located.map_err(storage)? else {
                continue;
            };
            let producers = &mut self.producers;
            segment.with_extent(place, |extent| {
                let mut failed = None;
                extent
                    .walk(located.position, Patience::Wait, |position, header| {
                        if header.base_offset >= end || failed.is_some() {
                            return true;
                        }
                        if !header.has_producer_id() || header.last_offset() < from {
                            return false;
                        }
                        let batch = if header.is_control() {
                            extent.batch(position, header, Patience::Wait)
                        } else {
                            Ok(Vec::new())
                        };
                        match batch {
                            Ok(batch) => {
                                // A marker that cannot be read changes nothing.
                                let _ = producers.append(
                                    Origin::Replication,
                                    header,
                                    header.base_offset,
                                    &batch,
                                );
                                producers.commit_below(header.next_offset());
                            }
                            Err(error) => failed = Some(error),
                        }
                        false
                    })
                    .map_err(storage)?;
                failed.map_or(Ok(()), |error| Err(storage(error)))
            })?;
        }
        Ok(())
    }

    /// The epochs as the log's batches have them: every header is read.
    pub(super) fn rebuild_leader_epochs(&mut self, disk: &Disk) -> Result<(), StorageError> {
        let mut epochs = LeaderEpochs::default();
        let place = Place {
            disk,
            directory: &self.directory,
        };
        for segment in &self.segments {
            let walk = segment.with_extent(place, |extent| {
                extent.walk(0, Patience::Wait, |_, header| {
                    if epochs.latest() != Some(header.partition_leader_epoch) {
                        epochs.assign(header.partition_leader_epoch, header.base_offset);
                    }
                    false
                })
            });
            if walk.map_err(storage)? != Walk::End {
                break;
            }
        }
        self.leader_epochs = epochs;
        Ok(())
    }
}
