//! What a topic's configuration means to its log and to who produces to it, resolved once per topic
//! and core.

use crate::base::collections::HashMap;
use crate::base::ids::TopicId;
use crate::config::{CompressionType, Configuration, Overrides, TimestampType, TopicConfig};
use crate::log::{CleanupPolicy, LogConfig};
use crate::metadata::image::MetadataImage;
use crate::metadata::image::configs::Settings;
use crate::metadata::image::topics::Topic;
use crate::record::batch;
use crate::record::compress::Compression;
use crate::record::validate::{ProduceRules, Thoroughness};
use std::rc::Rc;
use std::sync::Arc;

/// The settings of one topic.
#[derive(Debug)]
pub struct TopicSettings {
    /// What each produced batch must be.
    pub rules: ProduceRules,
    /// How each of its logs is kept.
    pub log: Arc<LogConfig>,
}

/// The settings of the topics that this core has had to do with.
#[derive(Debug, Default)]
pub struct TopicSettingsTable {
    by_id: HashMap<TopicId, Rc<TopicSettings>>,
}

impl TopicSettingsTable {
    /// The settings of a topic.
    pub fn of(
        &mut self,
        image: &MetadataImage,
        configuration: &Configuration,
        topic: &Topic,
    ) -> Rc<TopicSettings> {
        let resolve = || Rc::new(TopicSettings::resolve(image, configuration, topic));
        Rc::clone(self.by_id.entry(topic.id).or_insert_with(resolve))
    }

    /// Forgets everything: some configuration has changed, or a topic is gone.
    pub fn clear(&mut self) {
        self.by_id.clear();
    }
}

/// Settings of the metadata image as the configuration takes them.
#[must_use]
pub fn overrides(settings: &Settings) -> Overrides {
    settings
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

impl TopicSettings {
    fn resolve(
        image: &MetadataImage,
        configuration: &Configuration,
        topic: &Topic,
    ) -> TopicSettings {
        let own = overrides(image.configs.topic(&topic.name));
        let config = TopicConfig::resolve(&own, configuration);
        TopicSettings {
            rules: produce_rules(&config, configuration),
            log: Arc::new(log_config(&config, configuration)),
        }
    }
}

fn produce_rules(config: &TopicConfig, configuration: &Configuration) -> ProduceRules {
    ProduceRules {
        message_bytes_max: size(config.max_message_bytes),
        timestamp_type: match config.message_timestamp_type {
            TimestampType::CreateTime => batch::TimestampType::CreateTime,
            TimestampType::LogAppendTime => batch::TimestampType::LogAppendTime,
        },
        timestamp_before_max_ms: config.message_timestamp_before_max_ms,
        timestamp_after_max_ms: config.message_timestamp_after_max_ms,
        is_compacted: config.cleanup_policy.compact,
        compression: match config.compression_type {
            CompressionType::Producer => None,
            CompressionType::Uncompressed => Some((Compression::None, None)),
            CompressionType::Gzip => Some((Compression::Gzip, Some(config.compression_gzip_level))),
            CompressionType::Snappy => Some((Compression::Snappy, None)),
            CompressionType::Lz4 => Some((Compression::Lz4, Some(config.compression_lz4_level))),
            CompressionType::Zstd => Some((Compression::Zstd, Some(config.compression_zstd_level))),
        },
        record_opened_bytes_max: size(config.max_decompressed_message_bytes),
        // The records of what is not compressed are walked: a count that lies is refused. What is
        // compressed is opened only where somebody asks for it (docs/decisions/validation.md).
        thoroughness: match configuration.klamm_validate_compressed_records() {
            true => Thoroughness::AllRecords,
            false => Thoroughness::OpenRecords,
        },
        ..ProduceRules::default()
    }
}

fn log_config(config: &TopicConfig, configuration: &Configuration) -> LogConfig {
    LogConfig {
        segment_bytes: unsigned(
            config
                .internal_segment_bytes
                .unwrap_or(config.segment_bytes),
        ),
        segment_ms: config.segment_ms,
        segment_jitter_ms: config.segment_jitter_ms,
        segment_index_bytes: unsigned(config.segment_index_bytes),
        index_interval_bytes: unsigned(config.index_interval_bytes),
        retention_ms: config.retention_ms,
        retention_bytes: config.retention_bytes,
        max_message_bytes: unsigned(config.max_message_bytes),
        flush_messages: config.flush_messages,
        flush_ms: config.flush_ms,
        file_delete_delay_ms: config.file_delete_delay_ms,
        cleanup_policy: CleanupPolicy {
            delete: config.cleanup_policy.delete,
            compact: config.cleanup_policy.compact,
        },
        preallocate: config.preallocate,
        producer_id_expiration_ms: i64::from(configuration.producer_id_expiration_ms()),
    }
}

fn size(bytes: i32) -> usize {
    usize::try_from(bytes).unwrap_or(0)
}

fn unsigned(bytes: i32) -> u32 {
    u32::try_from(bytes).unwrap_or(0)
}
