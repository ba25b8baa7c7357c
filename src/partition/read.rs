//! The owner's half of Fetch, ListOffsets and OffsetForLeaderEpoch.

use super::leader::Partition;
use super::partitions::{Partitions, TurnEffects};
use super::work::{
    EpochAnswer, EpochEntry, FetchAnswer, FetchEntry, FetchWork, ListOffsetsAnswer,
    ListOffsetsEntry, ListOffsetsWork,
};
use crate::base::ids::{LeaderEpoch, Offset};
use crate::base::time::Timestamp;
use crate::log::{AbortedTransaction, ReadError};
use crate::protocol::errors::ErrorCode;
use crate::runtime::disk::File;
use crate::runtime::disk::FileSlice;
use crate::runtime::io::Io;
use std::sync::Arc;

/// ListOffsets: the end of what can be read.
pub const LATEST_TIMESTAMP: i64 = -1;
/// ListOffsets: the first record.
pub const EARLIEST_TIMESTAMP: i64 = -2;
/// ListOffsets: the record with the largest timestamp. KIP-734.
pub const MAX_TIMESTAMP: i64 = -3;
/// ListOffsets: the first record on this broker's own disk. KIP-405.
pub const EARLIEST_LOCAL_TIMESTAMP: i64 = -4;
/// ListOffsets: the last record in remote storage. KIP-1005.
pub const LATEST_TIERED_TIMESTAMP: i64 = -5;
/// ListOffsets: the first record not yet in remote storage. KIP-1023.
pub const EARLIEST_PENDING_UPLOAD_TIMESTAMP: i64 = -6;

/// Pages that a read needs and that are not in memory.
struct Cold {
    file: Arc<File>,
    position: u64,
    bytes: usize,
}

impl Partitions {
    /// Finds what is asked for; `None` where pages must be warmed first (they were asked for).
    pub(super) fn fetch<M>(
        &mut self,
        io: &mut Io<M>,
        work: &FetchWork,
        effects: &mut TurnEffects,
    ) -> Option<Vec<FetchAnswer>> {
        let _ = effects;
        let mut answers = Vec::with_capacity(work.entries.len());
        let mut available = 0;
        for entry in &work.entries {
            match self.fetch_one(io, entry, work) {
                Ok(answer) => {
                    available += answer.slice.as_ref().map_or(0, |slice| slice.bytes);
                    answers.push(answer);
                }
                Err(cold) => {
                    let token = self.new_token();
                    io.warm(&cold.file, cold.position, cold.bytes, token);
                    return None;
                }
            }
        }
        // Who has less than it waits for is told when there is more.
        if let Some(watcher) = work.watcher
            && available < work.bytes_min
        {
            for (entry, answer) in work.entries.iter().zip(&answers) {
                if answer.error == ErrorCode::NONE
                    && let Some(partition) = self.get_mut(entry.topic_partition)
                {
                    partition.watch(watcher);
                }
            }
        }
        Some(answers)
    }

    fn fetch_one<M>(
        &mut self,
        io: &Io<M>,
        entry: &FetchEntry,
        work: &FetchWork,
    ) -> Result<FetchAnswer, Cold> {
        let read_committed = work.read_committed;
        let mut answer = FetchAnswer {
            at: entry.at,
            error: ErrorCode::NONE,
            high_watermark: Offset(-1),
            last_stable_offset: Offset(-1),
            log_start_offset: Offset(-1),
            diverging_epoch: None,
            slice: None,
            first_batch_bytes: 0,
            aborted: None,
            leader_epoch: LeaderEpoch::NONE,
        };
        let Some(partition) = self.get_mut(entry.topic_partition) else {
            answer.error = self.why_missing(entry.topic_partition);
            return Ok(answer);
        };
        answer.leader_epoch = partition.leader_epoch;
        let checked = partition
            .check_serves()
            .and_then(|()| partition.check_leader_epoch(entry.current_leader_epoch));
        if let Err(error) = checked {
            answer.error = error;
            return Ok(answer);
        }
        if work.is_from_follower {
            // This broker is the only replica there is.
            answer.error = ErrorCode::NOT_LEADER_OR_FOLLOWER;
            return Ok(answer);
        }
        answer.high_watermark = partition.high_watermark;
        answer.last_stable_offset = partition.last_stable_offset();
        answer.log_start_offset = partition.log.log_start_offset();
        match diverging_epoch(partition, entry) {
            Ok(None) => {}
            Ok(Some(diverging)) => {
                answer.diverging_epoch = Some(diverging);
                return Ok(answer);
            }
            Err(error) => return Ok(nothing_of(answer, error)),
        }
        let end = partition.readable_end(read_committed);
        let bytes_max = entry.bytes_max.unwrap_or(0);
        match partition
            .log
            .read(io.disk(), entry.offset, bytes_max, end, true)
        {
            Ok(slice) if slice.bytes > 0 && entry.bytes_max.is_none() => {
                // Apache throws what it does not expect: KafkaApis answers so.
                answer = nothing_of(answer, ErrorCode::UNKNOWN_SERVER_ERROR);
            }
            Ok(slice) => {
                if read_committed {
                    let found =
                        partition
                            .log
                            .aborted_in_slice(io.disk(), entry.offset, &slice, end);
                    match found {
                        Ok(aborted) => answer.aborted = Some(aborted.iter().map(named).collect()),
                        Err(ReadError::Cold {
                            file,
                            position,
                            bytes,
                        }) => {
                            return Err(Cold {
                                file,
                                position,
                                bytes,
                            });
                        }
                        Err(error) => {
                            tracing::error!("{}: {error}", partition.name());
                            answer.error = ErrorCode::KAFKA_STORAGE_ERROR;
                            return Ok(answer);
                        }
                    }
                }
                if let Some(file) = slice.file {
                    answer.first_batch_bytes = slice.first_batch_bytes;
                    answer.slice = Some(FileSlice {
                        file,
                        position: slice.position,
                        bytes: slice.bytes,
                    });
                }
            }
            Err(ReadError::Cold {
                file,
                position,
                bytes,
            }) => {
                return Err(Cold {
                    file,
                    position,
                    bytes,
                });
            }
            Err(ReadError::OffsetOutOfRange { .. }) => {
                answer = nothing_of(answer, ErrorCode::OFFSET_OUT_OF_RANGE);
            }
            // There is nothing for now: it is asked again, and then there may be a descriptor.
            Err(ReadError::Storage(error)) if error.is_out_of_descriptors() => {
                self.room.ask(io.now().instant);
            }
            Err(ReadError::Storage(error)) => {
                tracing::error!("{}: {error}", partition.name());
                answer.error = ErrorCode::KAFKA_STORAGE_ERROR;
            }
        }
        Ok(answer)
    }

    /// Finds offsets; `None` where pages must be warmed first (they were asked for).
    pub(super) fn list_offsets<M>(
        &mut self,
        io: &mut Io<M>,
        work: &ListOffsetsWork,
    ) -> Option<Vec<ListOffsetsAnswer>> {
        let mut answers = Vec::with_capacity(work.entries.len());
        for entry in &work.entries {
            match self.list_one(io, entry, work.read_committed) {
                Ok(answer) => answers.push(answer),
                Err(cold) => {
                    let token = self.new_token();
                    io.warm(&cold.file, cold.position, cold.bytes, token);
                    return None;
                }
            }
        }
        Some(answers)
    }

    fn list_one<M>(
        &mut self,
        io: &Io<M>,
        entry: &ListOffsetsEntry,
        read_committed: bool,
    ) -> Result<ListOffsetsAnswer, Cold> {
        let mut answer = ListOffsetsAnswer {
            at: entry.at,
            error: ErrorCode::NONE,
            timestamp: Timestamp::NONE,
            offset: Offset(-1),
            leader_epoch: LeaderEpoch::NONE,
        };
        let Some(partition) = self.get_mut(entry.topic_partition) else {
            answer.error = self.why_missing(entry.topic_partition);
            return Ok(answer);
        };
        let checked = partition
            .check_serves()
            .and_then(|()| partition.check_leader_epoch(entry.current_leader_epoch));
        if let Err(error) = checked {
            answer.error = error;
            return Ok(answer);
        }
        let end = partition.readable_end(read_committed);
        let found = match entry.timestamp {
            LATEST_TIMESTAMP => {
                answer.offset = end;
                answer.leader_epoch = partition.leader_epoch;
                return Ok(answer);
            }
            EARLIEST_TIMESTAMP | EARLIEST_LOCAL_TIMESTAMP | EARLIEST_PENDING_UPLOAD_TIMESTAMP => {
                let start = partition.log.log_start_offset();
                answer.offset = start;
                // Without remote storage nothing is pending.
                if entry.timestamp == EARLIEST_PENDING_UPLOAD_TIMESTAMP {
                    answer.offset = Offset(-1);
                    return Ok(answer);
                }
                answer.leader_epoch = partition
                    .log
                    .leader_epochs()
                    .epoch_of(start)
                    .unwrap_or(LeaderEpoch::NONE);
                return Ok(answer);
            }
            LATEST_TIERED_TIMESTAMP => return Ok(answer),
            MAX_TIMESTAMP => partition.log.max_timestamp(io.disk()),
            timestamp if timestamp >= 0 => partition
                .log
                .offset_for_timestamp(io.disk(), Timestamp(timestamp)),
            _ => {
                answer.error = ErrorCode::INVALID_REQUEST;
                return Ok(answer);
            }
        };
        match found {
            // A record beyond what the reader may see is not found.
            Ok(Some(found)) if found.offset < end => {
                answer.offset = found.offset;
                answer.timestamp = found.timestamp;
                answer.leader_epoch = found.leader_epoch;
            }
            Ok(_) => {}
            Err(ReadError::Cold {
                file,
                position,
                bytes,
            }) => {
                return Err(Cold {
                    file,
                    position,
                    bytes,
                });
            }
            Err(ReadError::Storage(error)) if error.is_out_of_descriptors() => {
                answer.error = ErrorCode::KAFKA_STORAGE_ERROR;
                self.room.ask(io.now().instant);
            }
            Err(error) => {
                tracing::error!("{}: {error}", partition.name());
                answer.error = ErrorCode::KAFKA_STORAGE_ERROR;
            }
        }
        Ok(answer)
    }

    /// Finds where leader epochs end. KIP-101, KIP-320.
    pub(super) fn offset_for_leader_epoch(&mut self, entries: &[EpochEntry]) -> Vec<EpochAnswer> {
        entries.iter().map(|entry| self.epoch_end(entry)).collect()
    }

    fn epoch_end(&mut self, entry: &EpochEntry) -> EpochAnswer {
        let mut answer = EpochAnswer {
            at: entry.at,
            error: ErrorCode::NONE,
            leader_epoch: LeaderEpoch::NONE,
            end_offset: Offset(-1),
        };
        let Some(partition) = self.get_mut(entry.topic_partition) else {
            answer.error = self.why_missing(entry.topic_partition);
            return answer;
        };
        let checked = partition
            .check_serves()
            .and_then(|()| partition.check_leader_epoch(entry.current_leader_epoch));
        if let Err(error) = checked {
            answer.error = error;
            return answer;
        }
        if let Some((epoch, end)) = end_of_epoch(partition, entry.leader_epoch) {
            answer.leader_epoch = epoch;
            answer.end_offset = end;
        }
        answer
    }
}

/// An error beside which Kafka answers -1 for all three offsets.
fn nothing_of(answer: FetchAnswer, error: ErrorCode) -> FetchAnswer {
    FetchAnswer {
        error,
        high_watermark: Offset(-1),
        last_stable_offset: Offset(-1),
        log_start_offset: Offset(-1),
        ..answer
    }
}

/// The largest epoch at or below `epoch`, and the offset after its last record.
fn end_of_epoch(partition: &Partition, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
    partition.log.end_offset_for_epoch(epoch)
}

/// An aborted transaction as a Fetch response names it.
fn named(aborted: &AbortedTransaction) -> (i64, Offset) {
    (aborted.producer_id.0, aborted.first_offset)
}

/// Where a reader whose last record has an epoch parted from this log, if it did. KIP-595. An epoch
/// that this log never saw is out of its range.
fn diverging_epoch(
    partition: &Partition,
    entry: &FetchEntry,
) -> Result<Option<(LeaderEpoch, Offset)>, ErrorCode> {
    if entry.last_fetched_epoch == LeaderEpoch::NONE {
        return Ok(None);
    }
    let (epoch, end) =
        end_of_epoch(partition, entry.last_fetched_epoch).ok_or(ErrorCode::OFFSET_OUT_OF_RANGE)?;
    if entry.offset < partition.log.log_start_offset() {
        return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
    }
    Ok((epoch < entry.last_fetched_epoch || end < entry.offset).then_some((epoch, end)))
}
