//! What a topic is configured with: its own configs over the broker's. Those that klamm does
//! something with are fields here; DescribeConfigs reads any of them by [`topic_value`].

use super::broker::{Configuration, Overrides};
use super::rows;
use super::setting::Setting;
use super::value::Value;

/// The settings of a topic that have an effect, resolved. Times are milliseconds, sizes bytes; -1 is "unlimited" where
/// Kafka says so. Each field is the topic config of its name.
#[derive(Clone, PartialEq, Debug)]
pub struct TopicConfig {
    /// What happens to old records; neither of the two keeps them for ever.
    pub cleanup_policy: CleanupPolicy,
    /// How batches are compressed in the log.
    pub compression_type: CompressionType,
    /// Level of gzip, 1 to 9; -1 is the codec's own default.
    pub compression_gzip_level: i32,
    /// Level of lz4, 1 to 17.
    pub compression_lz4_level: i32,
    /// Level of zstd, -131072 to 22.
    pub compression_zstd_level: i32,
    /// How long the files of a deleted segment stay.
    pub file_delete_delay_ms: i64,
    /// Messages after which the log is synced.
    pub flush_messages: i64,
    /// Time after which the log is synced.
    pub flush_ms: i64,
    /// Bytes of records between two entries of the offset index.
    pub index_interval_bytes: i32,
    /// Size of a segment in tests of Kafka's own; overrides `segment_bytes`.
    pub internal_segment_bytes: Option<i32>,
    /// Largest record after decompression, where the broker decompresses it.
    pub max_decompressed_message_bytes: i32,
    /// Largest batch, after compression.
    pub max_message_bytes: i32,
    /// How far a record's time may lie ahead of the broker's.
    pub message_timestamp_after_max_ms: i64,
    /// How far a record's time may lie behind the broker's.
    pub message_timestamp_before_max_ms: i64,
    /// Whose time a record bears.
    pub message_timestamp_type: TimestampType,
    /// Whether segment files are made at full size.
    pub preallocate: bool,
    /// Size of a partition beyond which old segments go; -1 is unlimited.
    pub retention_bytes: i64,
    /// Age beyond which old segments go; -1 is unlimited.
    pub retention_ms: i64,
    /// Size of a segment.
    pub segment_bytes: i32,
    /// Size of an index.
    pub segment_index_bytes: i32,
    /// Largest random time taken off `segment_ms`.
    pub segment_jitter_ms: i64,
    /// Age at which a segment is closed.
    pub segment_ms: i64,
}

/// `cleanup.policy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CleanupPolicy {
    /// Old segments are deleted.
    pub delete: bool,
    /// Only the last record of each key is kept.
    pub compact: bool,
}

/// `compression.type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompressionType {
    /// As the producer compressed it.
    Producer,
    /// Not at all.
    Uncompressed,
    /// gzip.
    Gzip,
    /// snappy.
    Snappy,
    /// lz4.
    Lz4,
    /// zstd.
    Zstd,
}

/// `message.timestamp.type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimestampType {
    /// The producer's time.
    CreateTime,
    /// The broker's time.
    LogAppendTime,
}

/// The broker settings that give a topic config its default, the first that is set, each with the
/// milliseconds (or other units) that one of its own units is.
#[must_use]
pub fn broker_synonyms(topic_config: &str) -> &'static [(&'static str, i64)] {
    match topic_config {
        "cleanup.policy" => &[("log.cleanup.policy", 1)],
        "compression.gzip.level" => &[("compression.gzip.level", 1)],
        "compression.lz4.level" => &[("compression.lz4.level", 1)],
        "compression.type" => &[("compression.type", 1)],
        "compression.zstd.level" => &[("compression.zstd.level", 1)],
        "delete.retention.ms" => &[("log.cleaner.delete.retention.ms", 1)],
        "file.delete.delay.ms" => &[("log.segment.delete.delay.ms", 1)],
        "flush.messages" => &[("log.flush.interval.messages", 1)],
        "flush.ms" => &[
            ("log.flush.interval.ms", 1),
            ("log.flush.scheduler.interval.ms", 1),
        ],
        "index.interval.bytes" => &[("log.index.interval.bytes", 1)],
        "local.retention.bytes" => &[("log.local.retention.bytes", 1)],
        "local.retention.ms" => &[("log.local.retention.ms", 1)],
        "max.compaction.lag.ms" => &[("log.cleaner.max.compaction.lag.ms", 1)],
        "max.decompressed.message.bytes" => &[("max.decompressed.message.bytes", 1)],
        "max.message.bytes" => &[("message.max.bytes", 1)],
        "message.timestamp.after.max.ms" => &[("log.message.timestamp.after.max.ms", 1)],
        "message.timestamp.before.max.ms" => &[("log.message.timestamp.before.max.ms", 1)],
        "message.timestamp.type" => &[("log.message.timestamp.type", 1)],
        "min.cleanable.dirty.ratio" => &[("log.cleaner.min.cleanable.ratio", 1)],
        "min.compaction.lag.ms" => &[("log.cleaner.min.compaction.lag.ms", 1)],
        "min.insync.replicas" => &[("min.insync.replicas", 1)],
        "preallocate" => &[("log.preallocate", 1)],
        "remote.copy.lag.bytes" => &[("log.remote.copy.lag.bytes", 1)],
        "remote.copy.lag.ms" => &[("log.remote.copy.lag.ms", 1)],
        "retention.bytes" => &[("log.retention.bytes", 1)],
        "retention.ms" => &[
            ("log.retention.ms", 1),
            ("log.retention.minutes", 60_000),
            ("log.retention.hours", 3_600_000),
        ],
        "segment.bytes" => &[("log.segment.bytes", 1)],
        "segment.index.bytes" => &[("log.index.size.max.bytes", 1)],
        "segment.jitter.ms" => &[
            ("log.roll.jitter.ms", 1),
            ("log.roll.jitter.hours", 3_600_000),
        ],
        "segment.ms" => &[("log.roll.ms", 1), ("log.roll.hours", 3_600_000)],
        "unclean.leader.election.enable" => &[("unclean.leader.election.enable", 1)],
        _ => &[],
    }
}

/// The value in force of a topic config: the topic's own, or the broker's, or the default. A value
/// of the topic's own that cannot be read counts as not there.
#[must_use]
pub fn topic_value(
    setting: &'static Setting,
    overrides: &Overrides,
    configuration: &Configuration,
) -> Value {
    let own = overrides.get(setting.name);
    match own.map(|text| Value::read(setting, text)) {
        Some(Ok(value)) => value,
        Some(Err(_)) | None => inherited(setting, configuration),
    }
}

fn inherited(setting: &'static Setting, configuration: &Configuration) -> Value {
    for (name, unit) in broker_synonyms(setting.name) {
        match configuration.value(name) {
            Value::Null => {}
            // Kafka takes every negative age for "for ever".
            Value::Number(number) if setting.name == "retention.ms" && *number < 0 => {
                return Value::Number(-1);
            }
            Value::Number(number) => return Value::Number(number.saturating_mul(*unit)),
            value @ (Value::Boolean(_) | Value::Double(_) | Value::Text(_) | Value::List(_)) => {
                return value.clone();
            }
        }
    }
    Value::default_of(setting)
}

impl TopicConfig {
    /// The topic's own configs over those of the broker in force.
    #[must_use]
    pub fn resolve(overrides: &Overrides, configuration: &Configuration) -> TopicConfig {
        let read = Reader {
            overrides,
            configuration,
        };
        let policy = read.value("cleanup.policy");
        let in_policy = |name: &str| policy.list().iter().any(|one| one == name);
        TopicConfig {
            cleanup_policy: CleanupPolicy {
                delete: in_policy("delete"),
                compact: in_policy("compact"),
            },
            compression_type: CompressionType::of(&read.value("compression.type")),
            compression_gzip_level: read.int("compression.gzip.level"),
            compression_lz4_level: read.int("compression.lz4.level"),
            compression_zstd_level: read.int("compression.zstd.level"),
            file_delete_delay_ms: read.long("file.delete.delay.ms"),
            flush_messages: read.long("flush.messages"),
            flush_ms: read.long("flush.ms"),
            index_interval_bytes: read.int("index.interval.bytes"),
            internal_segment_bytes: read.optional_int("internal.segment.bytes"),
            max_decompressed_message_bytes: read.int("max.decompressed.message.bytes"),
            max_message_bytes: read.int("max.message.bytes"),
            message_timestamp_after_max_ms: read.long("message.timestamp.after.max.ms"),
            message_timestamp_before_max_ms: read.long("message.timestamp.before.max.ms"),
            message_timestamp_type: TimestampType::of(&read.value("message.timestamp.type")),
            preallocate: read.boolean("preallocate"),
            retention_bytes: read.long("retention.bytes"),
            retention_ms: read.long("retention.ms"),
            segment_bytes: read.int("segment.bytes"),
            segment_index_bytes: read.int("segment.index.bytes"),
            segment_jitter_ms: read.long("segment.jitter.ms"),
            segment_ms: read.long("segment.ms"),
        }
    }
}

impl Default for TopicConfig {
    /// A topic without configs of its own, on a broker that nobody configured.
    fn default() -> TopicConfig {
        TopicConfig::resolve(&Overrides::new(), &Configuration::default())
    }
}

struct Reader<'a> {
    overrides: &'a Overrides,
    configuration: &'a Configuration,
}

impl Reader<'_> {
    fn value(&self, name: &str) -> Value {
        let setting = rows::topic_setting(name).expect("a test resolves every field");
        topic_value(setting, self.overrides, self.configuration)
    }

    fn long(&self, name: &str) -> i64 {
        let number = self.value(name).number();
        number.expect("a number with a default, as a test shows")
    }

    fn int(&self, name: &str) -> i32 {
        i32::try_from(self.long(name)).expect("a value of type INT was read as one")
    }

    fn optional_int(&self, name: &str) -> Option<i32> {
        let number = self.value(name).number()?;
        i32::try_from(number).ok()
    }

    fn boolean(&self, name: &str) -> bool {
        let boolean = self.value(name).boolean();
        boolean.expect("a boolean with a default, as a test shows")
    }
}

impl CompressionType {
    fn of(value: &Value) -> CompressionType {
        match value.text() {
            Some("uncompressed") => CompressionType::Uncompressed,
            Some("gzip") => CompressionType::Gzip,
            Some("snappy") => CompressionType::Snappy,
            Some("lz4") => CompressionType::Lz4,
            Some("zstd") => CompressionType::Zstd,
            Some(_) | None => CompressionType::Producer,
        }
    }
}

impl TimestampType {
    fn of(value: &Value) -> TimestampType {
        match value.text() {
            Some("LogAppendTime") => TimestampType::LogAppendTime,
            Some(_) | None => TimestampType::CreateTime,
        }
    }
}
