//! What a run did, or what it broke.

use std::fmt;

/// What a run did: counted, so that a run in which nothing happened is noticed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// A hash over all that happened: the same seed gives the same.
    pub trace: u64,
    /// Things that happened in the process.
    pub steps: u64,
    /// Records acknowledged; each was found again.
    pub acks: u64,
    /// Records read and compared.
    pub reads: u64,
    /// Batches that were sent again after a restart, and not known any more.
    pub forgotten: u64,
    /// Fetches that brought records.
    pub fetches: u64,
    /// Offsets found by time and judged.
    pub lookups: u64,
    /// Topics made and deleted.
    pub topic_changes: u64,
    /// Times the process was killed.
    pub kills: u64,
    /// Times it was stopped, and came to rest.
    pub stops: u64,
    /// Times it ended by itself, because its metadata could not be made durable.
    pub ends: u64,
    /// Times it ran.
    pub starts: u64,
    /// Times the disk was full.
    pub full_disks: u64,
    /// Times syncs failed.
    pub failed_syncs: u64,
    /// Times pages were cold.
    pub cold_pages: u64,
    /// Times appends were written away from the turn.
    pub slow_writes: u64,
    /// Times hardly any file could be opened for a log.
    pub few_descriptors: u64,
    /// Clean stops whose files could not be made durable.
    pub unsynced_stops: u64,
    /// Stops with a log that was found broken.
    pub broken_stops: u64,
    /// Connections that a client gave up.
    pub disconnects: u64,
    /// Partitions that members of a group were given.
    pub grants: u64,
    /// Offsets that a group committed.
    pub commits: u64,
    /// Committed offsets that were read and judged.
    pub committed_reads: u64,
    /// Times that a member was told that it is none.
    pub fenced: u64,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed that shows it.
    pub seed: u64,
    /// What was broken.
    pub what: String,
    /// The last things that happened before.
    pub notes: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "    {note}")?;
        }
        writeln!(f, "{}", self.what)?;
        write!(f, "replay it with: cargo dev sim {}", self.seed)
    }
}
