//! What a `.snapshot` leaves out: of each producer it keeps the last batch only, and a client may
//! send any of its last five again. They still stand at the end of the log, so that opening it
//! reads their headers back.
//!
//! ```text
//!   index    │       │       │       │       │  the last INTERVALS_MAX entries
//!   log  ────┴──a1───┴──b1───┴──a2───┴──a3───┤
//!                └────────────┴───────┘ read back      snapshot: a3, b1
//! ```
//!
//! Apache Kafka does not: after a restart it answers the older ones with
//! OUT_OF_ORDER_SEQUENCE_NUMBER. Nothing here is needed for anything else, so nothing is waited for:
//! what is not in the page cache, as after a crash of the machine, stays forgotten.

use crate::base::ids::{Offset, ProducerId};
use crate::log::index_file::Patience;
use crate::log::partition_log::Log;
use crate::log::producer_state::{BATCHES_REMEMBERED, ProducedBatch, ProducerState};
use crate::log::segment::Segment;
use crate::record::batch::BatchHeader;
use crate::runtime::disk::Disk;
use std::collections::{BTreeMap, VecDeque};

/// How far back is looked, in entries of the offset index: one for each 4 KiB of small batches, and
/// for each larger batch. About so many reads of 8 KiB, for each log, at a start.
const INTERVALS_MAX: usize = 64;
/// Headers that are looked at in a segment: where `index.interval.bytes` is large, the above says
/// little.
const HEADERS_MAX: usize = 8192;
/// Segments that are looked at: the active one may have just begun.
const SEGMENTS_MAX: usize = 2;

impl Log {
    /// Looks for the batches before those that the producers' state knows, at the end of the log.
    /// What cannot be read is left out.
    pub(super) fn remember_older_batches(&mut self, disk: &Disk) {
        let mut budget = INTERVALS_MAX;
        for index in (0..self.segments.len()).rev().take(SEGMENTS_MAX) {
            if budget == 0 || !self.producers.lacks_batches_from(self.log_start_offset) {
                return;
            }
            let Some((found, intervals)) = self.producers_batches(disk, index, budget) else {
                return;
            };
            for (producer_id, older) in found {
                self.producers.remember_older(producer_id, older);
            }
            budget = budget.saturating_sub(intervals);
        }
    }

    /// The last batches, in one segment, of producers of whom too few are known; and how many
    /// entries of its index that took.
    fn producers_batches(
        &self,
        disk: &Disk,
        index: usize,
        intervals_max: usize,
    ) -> Option<(BTreeMap<ProducerId, VecDeque<ProducedBatch>>, usize)> {
        let segment: &Segment = &self.segments[index];
        let mut found: BTreeMap<ProducerId, VecDeque<ProducedBatch>> = BTreeMap::new();
        if segment.bytes == 0 {
            return Some((found, 0));
        }
        let place = self.place(disk);
        let (start, intervals) = segment.start_of_last(place, intervals_max)?;
        let producers: &ProducerState = &self.producers;
        let mut headers = 0;
        let walked = segment.with_extent(place, |extent| {
            extent.walk(start, Patience::Resident, |_, header| {
                headers += 1;
                if let Some(older) = older_batch(producers, header, self.log_start_offset) {
                    let last = found.entry(header.producer_id).or_default();
                    if last.len() == BATCHES_REMEMBERED {
                        last.pop_front();
                    }
                    last.push_back(older);
                }
                headers == HEADERS_MAX
            })
        });
        walked.ok().map(|_| (found, intervals))
    }
}

/// The batch of that header, where its producer's state should know it and does not.
fn older_batch(
    producers: &ProducerState,
    header: &BatchHeader,
    log_start_offset: Offset,
) -> Option<ProducedBatch> {
    if !header.has_producer_id() || header.is_control() || header.base_sequence.0 < 0 {
        return None;
    }
    let producer = producers.producer(header.producer_id)?;
    let oldest = producer.batches().next()?;
    let is_older = header.producer_epoch == producer.epoch
        && header.last_offset() < oldest.last_offset
        && header.base_offset >= log_start_offset;
    is_older.then(|| ProducedBatch {
        last_sequence: header.last_sequence(),
        last_offset: header.last_offset(),
        offset_delta: header.last_offset_delta,
        timestamp: header.max_timestamp,
    })
}
