//! Typed access to the settings that the broker reads, one line each. Values are Kafka's: times in
//! milliseconds unless the name says otherwise, sizes in bytes, -1 for "unlimited" where Kafka
//! says so. Sizes as `usize` never were negative. A line without a reader does not stay: a test in
//! `tests/tidy.rs` holds these lines, and the classes of the rows, against the code.

use super::broker::Configuration;

macro_rules! accessors {
    ($($method:ident: $type:ty = $read:ident $name:literal;)*) => {
        /// The values of these settings, each looked up by its name once and not by every request that
        /// goes by it.
        #[derive(Clone, Copy, Default, Debug)]
        pub(super) struct Accessed {
            $($method: $type),*
        }

        impl Accessed {
            /// Reads them all.
            pub(super) fn of(configuration: &Configuration) -> Accessed {
                Accessed {
                    $($method: configuration.$read($name)),*
                }
            }
        }

        impl Configuration {
            /// Each method here, with the setting that it reads.
            pub const ACCESSORS: &[(&str, &str)] = &[$((stringify!($method), $name)),*];

            $(
                #[doc = concat!("`", $name, "`")]
                #[must_use]
                pub fn $method(&self) -> $type {
                    self.accessed.$method
                }
            )*
        }
    };
}

accessors! {
    num_partitions: i32 = int "num.partitions";
    default_replication_factor: i32 = int "default.replication.factor";
    auto_create_topics_enable: bool = boolean "auto.create.topics.enable";
    delete_topic_enable: bool = boolean "delete.topic.enable";
    min_insync_replicas: i32 = int "min.insync.replicas";

    socket_request_max_bytes: usize = size "socket.request.max.bytes";
    socket_listen_backlog_size: i32 = int "socket.listen.backlog.size";
    connections_max_idle_ms: i64 = long "connections.max.idle.ms";
    fetch_max_bytes: i32 = int "fetch.max.bytes";
    max_incremental_fetch_session_cache_slots: usize =
        size "max.incremental.fetch.session.cache.slots";
    max_request_partition_size_limit: usize = size "max.request.partition.size.limit";

    klamm_validate_compressed_records: bool = boolean "klamm.validate.compressed.records";

    log_retention_check_interval_ms: i64 = long "log.retention.check.interval.ms";
    log_flush_scheduler_interval_ms: i64 = long "log.flush.scheduler.interval.ms";
    log_flush_offset_checkpoint_interval_ms: i32 = int "log.flush.offset.checkpoint.interval.ms";
    log_flush_start_offset_checkpoint_interval_ms: i32 =
        int "log.flush.start.offset.checkpoint.interval.ms";
    log_initial_task_delay_ms: i64 = long "log.initial.task.delay.ms";
    replica_high_watermark_checkpoint_interval_ms: i64 =
        long "replica.high.watermark.checkpoint.interval.ms";
    producer_id_expiration_ms: i32 = int "producer.id.expiration.ms";

    metadata_log_segment_bytes: i32 = int "metadata.log.segment.bytes";
    metadata_log_segment_ms: i64 = long "metadata.log.segment.ms";
    metadata_log_max_record_bytes_between_snapshots: i64 =
        long "metadata.log.max.record.bytes.between.snapshots";
    metadata_log_max_snapshot_interval_ms: i64 = long "metadata.log.max.snapshot.interval.ms";
    metadata_max_retention_bytes: i64 = long "metadata.max.retention.bytes";
    metadata_max_retention_ms: i64 = long "metadata.max.retention.ms";
    internal_metadata_delete_delay_millis: i64 = long "internal.metadata.delete.delay.millis";

    group_min_session_timeout_ms: i32 = int "group.min.session.timeout.ms";
    group_max_session_timeout_ms: i32 = int "group.max.session.timeout.ms";
    group_initial_rebalance_delay_ms: i32 = int "group.initial.rebalance.delay.ms";
    group_max_size: i32 = int "group.max.size";
    group_consumer_max_size: i32 = int "group.consumer.max.size";
    group_consumer_regex_refresh_interval_ms: i32 = int "group.consumer.regex.refresh.interval.ms";
    offset_metadata_max_bytes: i32 = int "offset.metadata.max.bytes";
    offsets_retention_minutes: i32 = int "offsets.retention.minutes";
    offsets_retention_check_interval_ms: i64 = long "offsets.retention.check.interval.ms";
    offsets_topic_num_partitions: i32 = int "offsets.topic.num.partitions";
    offsets_topic_replication_factor: i32 = int "offsets.topic.replication.factor";
    offsets_topic_segment_bytes: i32 = int "offsets.topic.segment.bytes";
    offsets_topic_compression_codec: i32 = int "offsets.topic.compression.codec";
}
