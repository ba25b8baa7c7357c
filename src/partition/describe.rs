//! The owner's half of DeleteRecords and DescribeLogDirs.

use super::partitions::Partitions;
use super::work::{DeleteAnswer, DeleteEntry, DescribeAnswer, DescribeEntry};
use crate::base::ids::Offset;
use crate::protocol::errors::ErrorCode;

impl Partitions {
    /// Moves log starts forward, at most to the high watermark. KIP-107.
    pub(super) fn delete_records(&mut self, entries: &[DeleteEntry]) -> Vec<DeleteAnswer> {
        entries
            .iter()
            .map(|entry| self.delete_before(entry))
            .collect()
    }

    fn delete_before(&mut self, entry: &DeleteEntry) -> DeleteAnswer {
        let answer = |error, low_watermark| DeleteAnswer {
            at: entry.at,
            error,
            low_watermark,
        };
        let Some(partition) = self.get_mut(entry.topic_partition) else {
            return answer(self.why_missing(entry.topic_partition), Offset(-1));
        };
        if let Err(error) = partition.check_serves() {
            return answer(error, Offset(-1));
        }
        // Only a topic that deletes by age or size may lose records on request.
        if !partition.log.config().cleanup_policy.delete {
            return answer(ErrorCode::POLICY_VIOLATION, Offset(-1));
        }
        let offset = if entry.offset == Offset(-1) {
            partition.high_watermark
        } else {
            entry.offset
        };
        if offset < Offset(0) || offset > partition.high_watermark {
            return answer(ErrorCode::OFFSET_OUT_OF_RANGE, Offset(-1));
        }
        partition.log.delete_records_before(offset);
        answer(ErrorCode::NONE, partition.log.log_start_offset())
    }

    /// Says how large logs are, and where.
    pub(super) fn describe(&mut self, entries: &[DescribeEntry]) -> Vec<DescribeAnswer> {
        entries
            .iter()
            .map(|entry| {
                let partition = self.get_mut(entry.topic_partition);
                DescribeAnswer {
                    at: entry.at,
                    directory: partition.as_ref().map(|partition| partition.directory),
                    bytes: partition.map_or(0, |partition| partition.log.bytes()),
                }
            })
            .collect()
    }
}
