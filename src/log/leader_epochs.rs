//! Where each leader's records begin: what replicas compare to find where they diverge. KIP-101,
//! KIP-279, `LeaderEpochFileCache` of Apache Kafka.
//!
//! Stored as `leader-epoch-checkpoint`: version 0, the count, then `<epoch> <start offset>` lines.

use crate::base::ids::{LeaderEpoch, Offset};
use crate::log::checkpoint;

/// The file's name in a partition's directory.
pub const FILE_NAME: &str = "leader-epoch-checkpoint";

/// An epoch and its first offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EpochEntry {
    /// The epoch.
    pub epoch: LeaderEpoch,
    /// Its first offset.
    pub start_offset: Offset,
}

/// The epochs of one log, both epochs and start offsets increasing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LeaderEpochs {
    entries: Vec<EpochEntry>,
    /// Whether the file lags behind.
    is_dirty: bool,
}

impl LeaderEpochs {
    /// The epochs in the text of the file. Entries that are out of order make it malformed.
    ///
    /// # Errors
    /// Says which line is wrong.
    pub fn parse(text: &[u8]) -> Result<LeaderEpochs, String> {
        let mut entries: Vec<EpochEntry> = Vec::new();
        checkpoint::parse_lines(text, |fields| {
            let [epoch, start_offset] = fields else {
                return Err(format!("{} fields where 2 belong", fields.len()));
            };
            let entry = EpochEntry {
                epoch: LeaderEpoch(checkpoint::number(epoch)?),
                start_offset: Offset(checkpoint::number(start_offset)?),
            };
            let follows = entries.last().is_none_or(|last| {
                entry.epoch > last.epoch && entry.start_offset >= last.start_offset
            });
            if !follows || entry.epoch.0 < 0 || entry.start_offset.0 < 0 {
                return Err(format!("epoch {} is out of order", entry.epoch));
            }
            entries.push(entry);
            Ok(())
        })?;
        Ok(LeaderEpochs {
            entries,
            is_dirty: false,
        })
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!("0\n{}\n", self.entries.len());
        for entry in &self.entries {
            writeln!(text, "{} {}", entry.epoch, entry.start_offset).expect("a String takes all");
        }
        text
    }

    /// Whether the file lags behind.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// The file has been written.
    pub fn set_clean(&mut self) {
        self.is_dirty = false;
    }

    /// What was said to be written may not be.
    pub fn set_dirty(&mut self) {
        self.is_dirty = true;
    }

    /// All entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    /// The newest epoch.
    #[must_use]
    pub fn latest(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|entry| entry.epoch)
    }

    /// Records that `epoch` starts at `start_offset`. Entries that contradict it go: those of the
    /// same or a later epoch, and those that start at the same or a later offset.
    pub fn assign(&mut self, epoch: LeaderEpoch, start_offset: Offset) {
        if epoch.0 < 0 || start_offset.0 < 0 {
            return;
        }
        let last = self.entries.last();
        if last.is_some_and(|last| last.epoch == epoch && start_offset >= last.start_offset) {
            return;
        }
        let kept = self
            .entries
            .partition_point(|entry| entry.epoch < epoch && entry.start_offset < start_offset);
        self.entries.truncate(kept);
        self.entries.push(EpochEntry {
            epoch,
            start_offset,
        });
        self.is_dirty = true;
    }

    /// The epoch of the record at `offset`.
    #[must_use]
    pub fn epoch_of(&self, offset: Offset) -> Option<LeaderEpoch> {
        let count = self
            .entries
            .partition_point(|entry| entry.start_offset <= offset);
        count.checked_sub(1).map(|index| self.entries[index].epoch)
    }

    /// The largest epoch not above `epoch`, and the offset at which the next one begins: the
    /// log's end for the newest. `None` where nothing is known of it.
    #[must_use]
    pub fn end_offset_for(
        &self,
        epoch: LeaderEpoch,
        log_end_offset: Offset,
    ) -> Option<(LeaderEpoch, Offset)> {
        if epoch == LeaderEpoch::NONE {
            return None;
        }
        if self.latest() == Some(epoch) {
            return Some((epoch, log_end_offset));
        }
        let count = self.entries.partition_point(|entry| entry.epoch <= epoch);
        let next = self.entries.get(count)?;
        match count.checked_sub(1) {
            // An epoch before the first known one ends where that begins.
            None => Some((epoch, next.start_offset)),
            Some(index) => Some((self.entries[index].epoch, next.start_offset)),
        }
    }

    /// The newest epoch below `epoch`, for a follower that steps back. KIP-279.
    #[must_use]
    pub fn previous(&self, epoch: LeaderEpoch) -> Option<LeaderEpoch> {
        let count = self.entries.partition_point(|entry| entry.epoch < epoch);
        count.checked_sub(1).map(|index| self.entries[index].epoch)
    }

    /// The log now ends at `end_offset`: epochs that start there or later go.
    pub fn truncate_from_end(&mut self, end_offset: Offset) {
        let kept = self
            .entries
            .partition_point(|entry| entry.start_offset < end_offset);
        if kept < self.entries.len() {
            self.entries.truncate(kept);
            self.is_dirty = true;
        }
    }

    /// The log now starts at `start_offset`: epochs that end before it go, and the one that
    /// holds it starts there.
    pub fn truncate_from_start(&mut self, start_offset: Offset) {
        let count = self
            .entries
            .partition_point(|entry| entry.start_offset <= start_offset);
        let Some(floor) = count.checked_sub(1) else {
            return;
        };
        if floor > 0 || self.entries[floor].start_offset < start_offset {
            self.entries.drain(..floor);
            self.entries[0].start_offset = start_offset;
            self.is_dirty = true;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.is_dirty |= !self.entries.is_empty();
        self.entries.clear();
    }
}
