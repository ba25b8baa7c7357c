//! The settings of one log, as plain numbers. `src/config` maps topic settings onto it; all
//! partitions of a topic share one.

/// What happens to old records: `cleanup.policy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CleanupPolicy {
    /// Segments beyond the retention are deleted.
    pub delete: bool,
    /// Of each key only the last record is kept.
    pub compact: bool,
}

/// The settings of one log. Times are in milliseconds; `-1` as a retention is "none".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogConfig {
    /// `segment.bytes`: a segment is rolled before it would exceed this.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment is rolled when its first record is older than this.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: at most so much is taken off `segment_ms`, differently per segment.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`: a segment is rolled when an index of it has this size.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: bytes of records between two entries of the index.
    pub index_interval_bytes: u32,
    /// `retention.ms`, or -1.
    pub retention_ms: i64,
    /// `retention.bytes`, or -1.
    pub retention_bytes: i64,
    /// `max.message.bytes`: the largest batch that a leader appends.
    pub max_message_bytes: u32,
    /// `flush.messages`: so many unsynced records make a sync due.
    pub flush_messages: i64,
    /// `flush.ms`: records unsynced for so long make a sync due.
    pub flush_ms: i64,
    /// `file.delete.delay.ms`: how long deleted segments stay on disk, for readers.
    pub file_delete_delay_ms: i64,
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `preallocate`: the active segment's file has its full length from the beginning.
    pub preallocate: bool,
    /// `producer.id.expiration.ms`: an idempotent producer idle for so long is forgotten.
    pub producer_id_expiration_ms: i64,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig {
            segment_bytes: 1 << 30,
            segment_ms: 604_800_000,
            segment_jitter_ms: 0,
            segment_index_bytes: 10_485_760,
            index_interval_bytes: 4096,
            retention_ms: 604_800_000,
            retention_bytes: -1,
            max_message_bytes: 1_048_588,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            file_delete_delay_ms: 60_000,
            cleanup_policy: CleanupPolicy {
                delete: true,
                compact: false,
            },
            preallocate: false,
            producer_id_expiration_ms: 86_400_000,
        }
    }
}
