//! When a snapshot of the metadata is due: after so many bytes, or after so long (KIP-630).

use crate::base::time::Instant;
use std::time::Duration;

/// Counts what was committed since the last snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotPolicy {
    bytes_max: u64,
    interval_max: Option<Duration>,
    bytes_since: u64,
    since: Option<Instant>,
}

impl SnapshotPolicy {
    /// `metadata.log.max.record.bytes.between.snapshots` and `metadata.log.max.snapshot.interval.ms`,
    /// of which 0 (here `None`) means never.
    #[must_use]
    pub fn new(bytes_max: u64, interval_max: Option<Duration>) -> SnapshotPolicy {
        SnapshotPolicy {
            bytes_max,
            interval_max,
            bytes_since: 0,
            since: None,
        }
    }

    /// A batch was committed.
    pub fn on_committed(&mut self, bytes: u64, now: Instant) {
        self.bytes_since = self.bytes_since.saturating_add(bytes);
        self.since.get_or_insert(now);
    }

    /// A snapshot of everything committed was taken.
    pub fn on_snapshot(&mut self) {
        self.bytes_since = 0;
        self.since = None;
    }

    /// Whether one should be taken now.
    #[must_use]
    pub fn is_due(&self, now: Instant) -> bool {
        let waited = self.since.zip(self.interval_max);
        self.bytes_since >= self.bytes_max
            || waited.is_some_and(|(since, interval)| now.since(since) >= interval)
    }
}
