//! The rows of a DescribeConfigs response (KIP-133, KIP-226): every key of a resource with its
//! value in force, where that comes from, and the chain of what would be in force without it.

use super::broker::{Configuration, Key, OF_MECHANISM, Overrides};
use super::rows;
use super::setting::{Scope, Setting, ValueType};
use super::topic::{broker_synonyms, topic_value};
use super::value::Value;

/// Where a value comes from; the codes are those of DescribeConfigs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigSource {
    /// The topic's own config.
    DynamicTopic,
    /// An altered config of this broker.
    DynamicBroker,
    /// An altered config of all brokers.
    DynamicDefaultBroker,
    /// The file, the environment, the command line.
    StaticBroker,
    /// Nothing set it.
    Default,
    /// A logger of the broker.
    DynamicBrokerLogger,
    /// A client metrics subscription.
    DynamicClientMetrics,
    /// The group's own config.
    DynamicGroup,
}

impl ConfigSource {
    /// The code in a DescribeConfigs response.
    #[must_use]
    pub fn code(self) -> i8 {
        match self {
            ConfigSource::DynamicTopic => 1,
            ConfigSource::DynamicBroker => 2,
            ConfigSource::DynamicDefaultBroker => 3,
            ConfigSource::StaticBroker => 4,
            ConfigSource::Default => 5,
            ConfigSource::DynamicBrokerLogger => 6,
            ConfigSource::DynamicClientMetrics => 7,
            ConfigSource::DynamicGroup => 8,
        }
    }
}

/// One link in the chain of what gives a key its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Synonym {
    /// The key, which may differ: a topic's `retention.ms` is the broker's `log.retention.hours`.
    pub name: String,
    /// The value as text; `None` where it is null or secret.
    pub value: Option<String>,
    /// Where it was set.
    pub source: ConfigSource,
}

/// One key of a resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigRow {
    /// The key.
    pub name: String,
    /// The value in force as text; `None` where it is null or secret.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: ConfigSource,
    /// Its type.
    pub value_type: ValueType,
    /// Whether it cannot be altered while the broker runs.
    pub read_only: bool,
    /// Whether it is a secret.
    pub sensitive: bool,
    /// First what is in force, then what each stands over.
    pub synonyms: Vec<Synonym>,
    /// What it is for; empty for a key that nobody knows.
    pub documentation: &'static str,
}

/// Every key of a broker, known or not, in the order of their names.
#[must_use]
pub fn describe_broker(configuration: &Configuration) -> Vec<ConfigRow> {
    let mut listed: Vec<ConfigRow> = rows::broker_settings()
        .map(|setting| broker_row(setting.name, Some(setting), configuration))
        .collect();
    let known: Vec<&str> = rows::broker_settings()
        .map(|setting| setting.name)
        .collect();
    let mut further: Vec<&str> = configuration
        .assigned
        .keys()
        .chain(configuration.dynamic_broker.keys())
        .chain(configuration.dynamic_cluster.keys())
        .map(String::as_str)
        .filter(|key| !known.contains(key))
        .collect();
    further.sort_unstable();
    further.dedup();
    for key in further {
        let setting = match Key::of(key) {
            Key::Setting(setting) | Key::OfListener { setting, .. } => Some(setting),
            Key::Removed(_) | Key::Unknown => None,
        };
        listed.push(broker_row(key, setting, configuration));
    }
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    listed
}

/// The altered configs of all brokers: only those that are set.
#[must_use]
pub fn describe_cluster(configuration: &Configuration) -> Vec<ConfigRow> {
    let row = |(key, text): (&String, &String)| {
        let setting = match Key::of(key) {
            Key::Setting(setting) | Key::OfListener { setting, .. } => Some(setting),
            Key::Removed(_) | Key::Unknown => None,
        };
        let source = ConfigSource::DynamicDefaultBroker;
        let synonyms = vec![Synonym {
            name: key.clone(),
            value: visible(setting, text),
            source,
        }];
        let value = visible(setting, text);
        finish(key, setting, value, source, read_only(key), synonyms)
    };
    configuration.dynamic_cluster.iter().map(row).collect()
}

/// Every key of a topic, in the order of their names.
#[must_use]
pub fn describe_topic(overrides: &Overrides, configuration: &Configuration) -> Vec<ConfigRow> {
    let own = ConfigSource::DynamicTopic;
    let row = |setting: &'static Setting| {
        let inherited = match broker_synonyms(setting.name) {
            [(first, _), ..] => chain(first, configuration),
            [] => Vec::new(),
        };
        let value = topic_value(setting, overrides, configuration);
        resource_row(setting, &value, overrides, own, inherited)
    };
    let hidden = rows::topic::TOPIC_INTERNAL.iter();
    let hidden = hidden.filter(|setting| overrides.contains_key(setting.name));
    let mut listed: Vec<_> = rows::topic_settings().iter().map(row).collect();
    listed.extend(hidden.map(row));
    listed
}

/// Every key of a group, in the order of their names.
#[must_use]
pub fn describe_group(overrides: &Overrides, configuration: &Configuration) -> Vec<ConfigRow> {
    let own = ConfigSource::DynamicGroup;
    let row = |setting: &'static Setting| {
        let inherited = match group_synonym(setting.name) {
            Some(broker) => chain(broker.name, configuration),
            None => vec![default_synonym(setting)],
        };
        let value = group_value(setting, overrides, configuration);
        resource_row(setting, &value, overrides, own, inherited)
    };
    let hidden = rows::group::GROUP_INTERNAL.iter();
    let hidden = hidden.filter(|setting| overrides.contains_key(setting.name));
    let mut listed: Vec<_> = rows::group_settings().iter().map(row).collect();
    listed.extend(hidden.map(row));
    listed
}

/// Every key of a client metrics subscription, in the order of their names.
#[must_use]
pub fn describe_client_metrics(overrides: &Overrides) -> Vec<ConfigRow> {
    let own = ConfigSource::DynamicClientMetrics;
    let row = |setting: &'static Setting| {
        let text = overrides.get(setting.name);
        let value = text.and_then(|text| Value::read(setting, text).ok());
        let value = value.unwrap_or_else(|| Value::default_of(setting));
        resource_row(setting, &value, overrides, own, Vec::new())
    };
    rows::client_metrics_settings().iter().map(row).collect()
}

/// The value in force of a group config: the group's own, or the broker's `group.…`, or the
/// default.
#[must_use]
pub fn group_value(
    setting: &'static Setting,
    overrides: &Overrides,
    configuration: &Configuration,
) -> Value {
    let own = overrides.get(setting.name);
    if let Some(Ok(value)) = own.map(|text| Value::read(setting, text)) {
        return value;
    }
    match group_synonym(setting.name).map(|broker| configuration.value(broker.name)) {
        // A group has one assignor, the broker a list of them: the first is the default.
        Some(Value::List(elements)) if setting.value_type != ValueType::List => {
            let first = elements.first();
            first.map_or(Value::Null, |first| Value::Text(first.clone()))
        }
        Some(value) => value.clone(),
        None => Value::default_of(setting),
    }
}

/// The setting of the broker that is the default of a group's.
fn group_synonym(group_config: &str) -> Option<&'static Setting> {
    match group_config {
        "streams.assignor.name" => rows::broker_setting("group.streams.assignors"),
        other => rows::broker_setting(&format!("group.{other}")),
    }
}

fn broker_row(
    key: &str,
    setting: Option<&'static Setting>,
    configuration: &Configuration,
) -> ConfigRow {
    let synonyms = chain(key, configuration);
    let source = synonyms
        .first()
        .map_or(ConfigSource::Default, |first| first.source);
    let value = match setting {
        Some(setting) if setting.sensitive() => None,
        Some(setting) if setting.name == key => configuration.value(key).to_text(),
        Some(_) | None => synonyms.first().and_then(|first| first.value.clone()),
    };
    finish(key, setting, value, source, read_only(key), synonyms)
}

fn resource_row(
    setting: &'static Setting,
    value: &Value,
    overrides: &Overrides,
    own: ConfigSource,
    inherited: Vec<Synonym>,
) -> ConfigRow {
    let mut synonyms = inherited;
    if let Some(text) = overrides.get(setting.name) {
        let link = Synonym {
            name: setting.name.to_owned(),
            value: visible(Some(setting), text),
            source: own,
        };
        synonyms.insert(0, link);
    }
    let source = synonyms
        .first()
        .map_or(ConfigSource::Default, |first| first.source);
    finish(
        setting.name,
        Some(setting),
        value.to_text(),
        source,
        false,
        synonyms,
    )
}

fn finish(
    key: &str,
    setting: Option<&'static Setting>,
    value: Option<String>,
    source: ConfigSource,
    read_only: bool,
    synonyms: Vec<Synonym>,
) -> ConfigRow {
    ConfigRow {
        name: key.to_owned(),
        value,
        source,
        value_type: setting.map_or(ValueType::Unknown, |setting| setting.value_type),
        read_only,
        // What nobody knows may be the password of a plugin.
        sensitive: setting.is_none_or(Setting::sensitive),
        synonyms,
        documentation: setting.map_or("", |setting| setting.documentation),
    }
}

/// Whether a key of a broker cannot be altered. Kafka calls a key with a listener's prefix
/// read-only even where it is not.
fn read_only(key: &str) -> bool {
    match rows::broker_setting(key) {
        Some(setting) => setting.scope == Scope::ReadOnly,
        None => true,
    }
}

/// The text of a value as a chain shows it: as it was written, unless it is a secret.
fn visible(setting: Option<&'static Setting>, text: &str) -> Option<String> {
    match setting {
        Some(setting) if !setting.sensitive() => Some(text.to_owned()),
        Some(_) | None => None,
    }
}

fn default_synonym(setting: &'static Setting) -> Synonym {
    Synonym {
        name: setting.name.to_owned(),
        value: Value::default_of(setting).to_text(),
        source: ConfigSource::Default,
    }
}

/// The keys of a broker that say the same, the stronger first.
fn same_keys(key: &str) -> Vec<&str> {
    match key {
        "log.roll.ms" | "log.roll.hours" => vec!["log.roll.ms", "log.roll.hours"],
        "log.roll.jitter.ms" | "log.roll.jitter.hours" => {
            vec!["log.roll.jitter.ms", "log.roll.jitter.hours"]
        }
        "log.flush.interval.ms" => {
            vec!["log.flush.interval.ms", "log.flush.scheduler.interval.ms"]
        }
        "log.retention.ms" | "log.retention.minutes" | "log.retention.hours" => vec![
            "log.retention.ms",
            "log.retention.minutes",
            "log.retention.hours",
        ],
        other => match Key::of(other) {
            Key::OfListener { setting, .. } => {
                let of_mechanism = OF_MECHANISM.contains(&setting.name);
                debug_assert!(of_mechanism || other.ends_with(setting.name));
                vec![other, setting.name]
            }
            Key::Setting(_) | Key::Removed(_) | Key::Unknown => vec![other],
        },
    }
}

/// What gives `key` its value, strongest first. As Kafka builds it: source by source, and what
/// comes before `key` itself is left out, so that a key that is null has no chain even where a
/// weaker one of the same meaning is set.
fn chain(key: &str, configuration: &Configuration) -> Vec<Synonym> {
    let keys = same_keys(key);
    let mut links = Vec::new();
    let mut link = |name: &str, text: Option<&str>, source| {
        if let Some(text) = text {
            let setting = match Key::of(name) {
                Key::Setting(setting) | Key::OfListener { setting, .. } => Some(setting),
                Key::Removed(_) | Key::Unknown => None,
            };
            links.push(Synonym {
                name: name.to_owned(),
                value: visible(setting, text),
                source,
            });
        }
    };
    for name in &keys {
        let text = configuration.dynamic_broker.get(*name).map(String::as_str);
        link(name, text, ConfigSource::DynamicBroker);
    }
    for name in &keys {
        let text = configuration.dynamic_cluster.get(*name).map(String::as_str);
        link(name, text, ConfigSource::DynamicDefaultBroker);
    }
    for name in &keys {
        let assigned = configuration.assigned.get(*name);
        link(
            name,
            assigned.map(|one| one.text.as_str()),
            ConfigSource::StaticBroker,
        );
    }
    for name in &keys {
        let default = rows::broker_setting(name).and_then(|setting| setting.default);
        link(name, default, ConfigSource::Default);
    }
    links
        .into_iter()
        .skip_while(|link| link.name != key)
        .collect()
}

#[cfg(test)]
#[path = "describe_tests.rs"]
mod tests;
