//! Typed access to the settings that the broker reads, one line each. Values are Kafka's: times in
//! milliseconds unless the name says otherwise, sizes in bytes, -1 for "unlimited" where Kafka
//! says so. Sizes as `usize` never were negative.

use super::broker::Configuration;

macro_rules! accessors {
    ($($method:ident: $type:ty = $read:ident $name:literal;)*) => {
        impl Configuration {
            $(
                #[doc = concat!("`", $name, "`")]
                #[must_use]
                pub fn $method(&self) -> $type {
                    self.$read($name)
                }
            )*
        }

        /// Calls every accessor, so that a test finds those that name no setting of their type.
        #[cfg(test)]
        pub(super) fn call_all(configuration: &Configuration) -> usize {
            [$({ let _ = configuration.$method(); 1 }),*].iter().sum()
        }
    };
}

accessors! {
    num_partitions: i32 = int "num.partitions";
    default_replication_factor: i32 = int "default.replication.factor";
    auto_create_topics_enable: bool = boolean "auto.create.topics.enable";
    delete_topic_enable: bool = boolean "delete.topic.enable";
    message_max_bytes: i32 = int "message.max.bytes";
    min_insync_replicas: i32 = int "min.insync.replicas";

    socket_request_max_bytes: usize = size "socket.request.max.bytes";
    socket_listen_backlog_size: i32 = int "socket.listen.backlog.size";
    connections_max_idle_ms: i64 = long "connections.max.idle.ms";
    max_connections: i32 = int "max.connections";
    max_connections_per_ip: i32 = int "max.connections.per.ip";
    max_connection_creation_rate: i32 = int "max.connection.creation.rate";
    fetch_max_bytes: i32 = int "fetch.max.bytes";
    max_incremental_fetch_session_cache_slots: usize =
        size "max.incremental.fetch.session.cache.slots";
    max_request_partition_size_limit: i32 = int "max.request.partition.size.limit";
    request_timeout_ms: i32 = int "request.timeout.ms";

    log_retention_check_interval_ms: i64 = long "log.retention.check.interval.ms";
    log_flush_scheduler_interval_ms: i64 = long "log.flush.scheduler.interval.ms";
    log_flush_offset_checkpoint_interval_ms: i32 = int "log.flush.offset.checkpoint.interval.ms";
    log_flush_start_offset_checkpoint_interval_ms: i32 =
        int "log.flush.start.offset.checkpoint.interval.ms";
    log_segment_delete_delay_ms: i64 = long "log.segment.delete.delay.ms";
    log_initial_task_delay_ms: i64 = long "log.initial.task.delay.ms";
    log_cleaner_enable: bool = boolean "log.cleaner.enable";
    log_dir_failure_timeout_ms: i64 = long "log.dir.failure.timeout.ms";
    replica_high_watermark_checkpoint_interval_ms: i64 =
        long "replica.high.watermark.checkpoint.interval.ms";
    replica_lag_time_max_ms: i64 = long "replica.lag.time.max.ms";

    metadata_log_segment_bytes: i32 = int "metadata.log.segment.bytes";
    metadata_log_segment_ms: i64 = long "metadata.log.segment.ms";
    metadata_log_max_record_bytes_between_snapshots: i64 =
        long "metadata.log.max.record.bytes.between.snapshots";
    metadata_log_max_snapshot_interval_ms: i64 = long "metadata.log.max.snapshot.interval.ms";
    metadata_max_idle_interval_ms: i32 = int "metadata.max.idle.interval.ms";
    metadata_max_retention_bytes: i64 = long "metadata.max.retention.bytes";
    metadata_max_retention_ms: i64 = long "metadata.max.retention.ms";
    broker_heartbeat_interval_ms: i32 = int "broker.heartbeat.interval.ms";
    broker_session_timeout_ms: i32 = int "broker.session.timeout.ms";
    controller_quorum_election_timeout_ms: i32 = int "controller.quorum.election.timeout.ms";
    controller_quorum_election_backoff_max_ms: i32 =
        int "controller.quorum.election.backoff.max.ms";
    controller_quorum_fetch_timeout_ms: i32 = int "controller.quorum.fetch.timeout.ms";
    controller_quorum_append_linger_ms: i32 = int "controller.quorum.append.linger.ms";

    producer_id_expiration_ms: i32 = int "producer.id.expiration.ms";
    producer_id_expiration_check_interval_ms: i32 = int "producer.id.expiration.check.interval.ms";
    transaction_max_timeout_ms: i32 = int "transaction.max.timeout.ms";
    transactional_id_expiration_ms: i32 = int "transactional.id.expiration.ms";
    transaction_state_log_num_partitions: i32 = int "transaction.state.log.num.partitions";
    transaction_state_log_replication_factor: i32 = int "transaction.state.log.replication.factor";
    transaction_state_log_min_isr: i32 = int "transaction.state.log.min.isr";
    transaction_state_log_segment_bytes: i32 = int "transaction.state.log.segment.bytes";
    transaction_partition_verification_enable: bool =
        boolean "transaction.partition.verification.enable";
    transaction_abort_timed_out_transaction_cleanup_interval_ms: i32 =
        int "transaction.abort.timed.out.transaction.cleanup.interval.ms";
    transaction_remove_expired_transaction_cleanup_interval_ms: i32 =
        int "transaction.remove.expired.transaction.cleanup.interval.ms";

    group_min_session_timeout_ms: i32 = int "group.min.session.timeout.ms";
    group_max_session_timeout_ms: i32 = int "group.max.session.timeout.ms";
    group_initial_rebalance_delay_ms: i32 = int "group.initial.rebalance.delay.ms";
    group_max_size: i32 = int "group.max.size";
    group_consumer_session_timeout_ms: i32 = int "group.consumer.session.timeout.ms";
    group_consumer_min_session_timeout_ms: i32 = int "group.consumer.min.session.timeout.ms";
    group_consumer_max_session_timeout_ms: i32 = int "group.consumer.max.session.timeout.ms";
    group_consumer_heartbeat_interval_ms: i32 = int "group.consumer.heartbeat.interval.ms";
    group_consumer_min_heartbeat_interval_ms: i32 = int "group.consumer.min.heartbeat.interval.ms";
    group_consumer_max_heartbeat_interval_ms: i32 = int "group.consumer.max.heartbeat.interval.ms";
    group_consumer_max_size: i32 = int "group.consumer.max.size";
    group_consumer_assignment_interval_ms: i32 = int "group.consumer.assignment.interval.ms";
    group_consumer_regex_refresh_interval_ms: i32 = int "group.consumer.regex.refresh.interval.ms";
    offset_metadata_max_bytes: i32 = int "offset.metadata.max.bytes";
    offsets_retention_minutes: i32 = int "offsets.retention.minutes";
    offsets_retention_check_interval_ms: i64 = long "offsets.retention.check.interval.ms";
    offsets_commit_timeout_ms: i32 = int "offsets.commit.timeout.ms";
    offsets_topic_num_partitions: i32 = int "offsets.topic.num.partitions";
    offsets_topic_replication_factor: i32 = int "offsets.topic.replication.factor";
    offsets_topic_segment_bytes: i32 = int "offsets.topic.segment.bytes";
    offsets_topic_compression_codec: i32 = int "offsets.topic.compression.codec";

    quota_window_num: i32 = int "quota.window.num";
    quota_window_size_seconds: i32 = int "quota.window.size.seconds";
    telemetry_max_bytes: i32 = int "telemetry.max.bytes";
}
