//! What a request to alter configs comes to: the changes to record, or why there are none, in
//! Kafka's words. Pure: it is given the configs that are set, and says which become what.

use super::broker::{Configuration, Key, Overrides};
use super::error::ConfigError;
use super::rows;
use super::setting::{Class, Scope, Setting, ValueType};
use super::topic::topic_value;
use super::value::{self, Value};

/// Whose configs are altered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource {
    /// A topic.
    Topic,
    /// One broker.
    Broker,
    /// All brokers: the resource BROKER with an empty name.
    Cluster,
    /// A group.
    Group,
    /// A client metrics subscription.
    ClientMetrics,
}

/// What is done to a key; the codes are those of IncrementalAlterConfigs (KIP-339).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// It takes this value.
    Set,
    /// It takes its default.
    Delete,
    /// These elements join its list.
    Append,
    /// These elements leave its list.
    Subtract,
}

impl Operation {
    /// The operation with this code, or `None`.
    #[must_use]
    pub fn from_code(code: i8) -> Option<Operation> {
        match code {
            0 => Some(Operation::Set),
            1 => Some(Operation::Delete),
            2 => Some(Operation::Append),
            3 => Some(Operation::Subtract),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Operation::Set => "SET",
            Operation::Delete => "DELETE",
            Operation::Append => "APPEND",
            Operation::Subtract => "SUBTRACT",
        }
    }
}

/// One change that a client asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<'a> {
    /// The key.
    pub key: &'a str,
    /// What is done to it.
    pub operation: Operation,
    /// The value, which only [`Operation::Delete`] does without.
    pub value: Option<&'a str>,
}

/// Why nothing is altered; the text is for the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AlterError {
    /// Error code INVALID_CONFIG (40).
    InvalidConfig(String),
    /// Error code INVALID_REQUEST (42).
    InvalidRequest(String),
}

/// Keys with their new values; `None` deletes one. One ConfigRecord each.
pub type Changes = Vec<(String, Option<String>)>;

/// What `asked` changes in the configs `current` of a resource. `configuration` is that of this
/// broker; it gives the bounds of groups, and is what a broker's altered configs must fit.
///
/// # Errors
/// The first thing that is wrong; then nothing at all changes.
pub fn alter(
    resource: Resource,
    current: &Overrides,
    asked: &[Change<'_>],
    configuration: &Configuration,
) -> Result<Changes, AlterError> {
    for (place, change) in asked.iter().enumerate() {
        if change.value.is_none() && change.operation != Operation::Delete {
            let text = format!("Null value not supported for : {}", change.key);
            return Err(AlterError::InvalidRequest(text));
        }
        if asked[..place].iter().any(|one| one.key == change.key) {
            let text = "Error due to duplicate config keys".to_owned();
            return Err(AlterError::InvalidRequest(text));
        }
    }
    let mut altered = current.clone();
    for change in asked {
        let value = change.value.unwrap_or_default();
        let text = match change.operation {
            Operation::Delete => {
                altered.remove(change.key);
                continue;
            }
            Operation::Set => value.to_owned(),
            Operation::Append | Operation::Subtract => {
                change_list(resource, &altered, change, value)?
            }
        };
        altered.insert(change.key.to_owned(), text);
    }
    check_keys(resource, asked)?;
    validate(resource, &altered, configuration)?;
    let mut changes = Changes::new();
    for change in asked {
        let new = altered.get(change.key);
        if new != current.get(change.key) {
            changes.push((change.key.to_owned(), new.cloned()));
        }
    }
    Ok(changes)
}

/// What replaces all configs of a resource at once (AlterConfigs): those not named are deleted.
///
/// # Errors
/// The first thing that is wrong.
pub fn replace(
    resource: Resource,
    current: &Overrides,
    named: &[(&str, Option<&str>)],
    configuration: &Configuration,
) -> Result<Changes, AlterError> {
    let mut asked: Vec<Change<'_>> = named
        .iter()
        .map(|(key, value)| Change {
            key,
            operation: Operation::Set,
            value: *value,
        })
        .collect();
    for key in current.keys() {
        if !named.iter().any(|(one, _)| one == key) {
            asked.push(Change {
                key,
                operation: Operation::Delete,
                value: None,
            });
        }
    }
    alter(resource, current, &asked, configuration)
}

/// Checks the configs that a topic is created with.
///
/// # Errors
/// The first that is wrong.
pub fn validate_new_topic(
    configs: &[(&str, Option<&str>)],
    configuration: &Configuration,
) -> Result<Overrides, AlterError> {
    let nulls: Vec<&str> = configs
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(key, _)| *key)
        .collect();
    if !nulls.is_empty() {
        let text = format!(
            "Null value not supported for topic configs: {}",
            nulls.join(",")
        );
        return Err(AlterError::InvalidConfig(text));
    }
    let overrides = configs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.unwrap_or_default().to_owned()))
        .collect();
    validate(Resource::Topic, &overrides, configuration)?;
    Ok(overrides)
}

/// The list after elements joined or left it. A list that is not set starts as its default.
fn change_list(
    resource: Resource,
    altered: &Overrides,
    change: &Change<'_>,
    elements: &str,
) -> Result<String, AlterError> {
    let setting = match setting_of(resource, change.key) {
        Some(setting) if setting.value_type == ValueType::List => setting,
        Some(_) | None => return Err(AlterError::InvalidConfig(not_a_list(resource, change))),
    };
    let current = altered.get(change.key).map(String::as_str);
    let mut list = value::list(current.or(setting.default).unwrap_or_default());
    for element in value::list(elements) {
        let place = list.iter().position(|one| *one == element);
        match (change.operation, place) {
            (Operation::Subtract, Some(place)) => {
                list.remove(place);
            }
            (Operation::Subtract, None) | (_, Some(_)) => {}
            (Operation::Append | Operation::Set | Operation::Delete, None) => list.push(element),
        }
    }
    Ok(list.join(","))
}

fn not_a_list(resource: Resource, change: &Change<'_>) -> String {
    match resource {
        Resource::Broker | Resource::Cluster => format!(
            "Config value {} is not allowed for config key: {}",
            change.operation.name().to_lowercase(),
            change.key
        ),
        Resource::Topic | Resource::Group | Resource::ClientMetrics => format!(
            "Can't {} to key {} because its type is not LIST.",
            change.operation.name(),
            change.key
        ),
    }
}

fn setting_of(resource: Resource, key: &str) -> Option<&'static Setting> {
    match resource {
        Resource::Topic => rows::topic_setting(key),
        Resource::Group => rows::group_setting(key),
        Resource::ClientMetrics => rows::client_metrics_setting(key),
        Resource::Broker | Resource::Cluster => match Key::of(key) {
            Key::Setting(setting) | Key::OfListener { setting, .. } => Some(setting),
            Key::Removed(_) | Key::Unknown => None,
        },
    }
}

/// Whether the keys of a broker may be altered at all while it runs, and at this level.
fn check_keys(resource: Resource, asked: &[Change<'_>]) -> Result<(), AlterError> {
    let cluster = match resource {
        Resource::Cluster => true,
        Resource::Broker => false,
        Resource::Topic | Resource::Group | Resource::ClientMetrics => return Ok(()),
    };
    let mut fixed = Vec::new();
    let mut bare = Vec::new();
    let mut single = Vec::new();
    for change in asked
        .iter()
        .filter(|one| one.operation != Operation::Delete)
    {
        match Key::of(change.key) {
            Key::Setting(setting) if setting.scope == Scope::ReadOnly => fixed.push(change.key),
            Key::Setting(setting) if OF_LISTENER_ONLY.contains(&setting.name) => {
                bare.push(change.key);
            }
            Key::Setting(setting) | Key::OfListener { setting, .. }
                if cluster && setting.scope == Scope::PerBroker =>
            {
                single.push(change.key);
            }
            Key::Setting(_) | Key::OfListener { .. } | Key::Removed(_) | Key::Unknown => {}
        }
    }
    let refuse = |text: &str, keys: &[&str]| {
        Err(AlterError::InvalidRequest(format!(
            "{text}: [{}]",
            keys.join(", ")
        )))
    };
    if !fixed.is_empty() {
        return refuse("Cannot update these configs dynamically", &fixed);
    }
    if !bare.is_empty() {
        return refuse(
            "These security configs can be dynamically updated only per-listener using the \
             listener prefix",
            &bare,
        );
    }
    if !single.is_empty() {
        return refuse(
            "Cannot update these configs at default cluster level, broker id must be specified",
            &single,
        );
    }
    Ok(())
}

/// Keys that are altered for one listener, never for all.
const OF_LISTENER_ONLY: &[&str] = &[
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

/// Checks all configs of a resource, each alone and then together.
fn validate(
    resource: Resource,
    altered: &Overrides,
    configuration: &Configuration,
) -> Result<(), AlterError> {
    for (key, text) in altered {
        let Some(setting) = setting_of(resource, key) else {
            match resource {
                Resource::Topic => {
                    let text = format!("Unknown topic config name: {key}");
                    return Err(AlterError::InvalidConfig(text));
                }
                Resource::Group => {
                    let text = format!("Unknown group config name: {key}");
                    return Err(AlterError::InvalidConfig(text));
                }
                Resource::ClientMetrics => {
                    let text = format!("Unknown client metrics configuration: {key}");
                    return Err(AlterError::InvalidRequest(text));
                }
                // Kafka keeps what it does not know: it may be for a plugin.
                Resource::Broker | Resource::Cluster => continue,
            }
        };
        let value = Value::read(setting, text).map_err(|problem| {
            let message = problem.kafka_message(key, text, setting.value_type);
            match resource {
                Resource::Topic | Resource::Group | Resource::ClientMetrics => {
                    AlterError::InvalidConfig(message)
                }
                Resource::Broker | Resource::Cluster => AlterError::InvalidRequest(message),
            }
        })?;
        refuse_unsafe(resource, key, setting, &value)?;
    }
    match resource {
        Resource::Topic => validate_topic(altered, configuration),
        Resource::Group => validate_group(altered, configuration),
        Resource::ClientMetrics => validate_client_metrics(altered),
        Resource::Broker => validate_broker(altered, &configuration.dynamic_cluster, configuration),
        Resource::Cluster => validate_broker(&configuration.dynamic_broker, altered, configuration),
    }
}

/// What may not be ignored cannot be altered either.
fn refuse_unsafe(
    resource: Resource,
    key: &str,
    setting: &'static Setting,
    value: &Value,
) -> Result<(), AlterError> {
    if *value == Value::default_of(setting) {
        return Ok(());
    }
    if resource == Resource::Topic && key == "remote.storage.enable" {
        let text = "Tiered Storage functionality is disabled in the broker. Topic cannot be \
                    configured with remote log storage.";
        return Err(AlterError::InvalidConfig(text.to_owned()));
    }
    if matches!(key, "listeners" | "listener.security.protocol.map") {
        let text = format!("klamm reads {key} only when it starts: set it in server.properties");
        return Err(AlterError::InvalidRequest(text));
    }
    match setting.class {
        Class::Implemented | Class::WithoutEffect(_) => Ok(()),
        Class::Refused(refusal) => Err(AlterError::InvalidRequest(format!(
            "klamm refuses {key}: {}; {}",
            refusal.reason, refusal.mend
        ))),
    }
}

fn validate_topic(altered: &Overrides, configuration: &Configuration) -> Result<(), AlterError> {
    let number = |key: &str| {
        let setting = rows::topic_setting(key)?;
        topic_value(setting, altered, configuration).number()
    };
    let lags = number("min.compaction.lag.ms").zip(number("max.compaction.lag.ms"));
    if let Some((least, most)) = lags.filter(|(least, most)| least > most) {
        return Err(AlterError::InvalidConfig(format!(
            "conflict topic config setting min.compaction.lag.ms ({least}) > max.compaction.lag.ms \
             ({most})"
        )));
    }
    Ok(())
}

fn validate_broker(
    broker: &Overrides,
    cluster: &Overrides,
    configuration: &Configuration,
) -> Result<(), AlterError> {
    let (new, _) = configuration.with_dynamic(broker, cluster);
    match super::checks::check(&new) {
        Ok(_) => Ok(()),
        Err(errors) => {
            let said = errors.first().map(|error| match error {
                ConfigError::Wrong { key, expected, .. } => format!("{key} must be {expected}"),
                ConfigError::File { .. }
                | ConfigError::NotAnAssignment(_)
                | ConfigError::Unknown { .. }
                | ConfigError::Refused { .. } => error.to_string(),
            });
            Err(AlterError::InvalidRequest(said.unwrap_or_default()))
        }
    }
}

/// A group stays within what `group.<type>.min.…` and `group.<type>.max.…` of the broker allow.
fn validate_group(altered: &Overrides, configuration: &Configuration) -> Result<(), AlterError> {
    let refuse = |text: String| Err(AlterError::InvalidConfig(text));
    for key in altered.keys() {
        let Some(setting) = rows::group_setting(key) else {
            continue;
        };
        let Some(number) = super::describe::group_value(setting, altered, configuration).number()
        else {
            continue;
        };
        let Some((family, rest)) = key.split_once('.') else {
            continue;
        };
        // One bound is not named after its key.
        let rest = rest.strip_prefix("num.").unwrap_or(rest);
        let least = format!("group.{family}.min.{rest}");
        let most = match rest {
            "partition.max.record.locks" => "group.share.max.partition.max.record.locks".to_owned(),
            _ => format!("group.{family}.max.{rest}"),
        };
        let bound = |name: &str| {
            rows::broker_setting(name).and_then(|_| configuration.value(name).number())
        };
        if bound(&least).is_some_and(|bound| number < bound) {
            return refuse(format!("{key} must be greater than or equal to {least}"));
        }
        if bound(&most).is_some_and(|bound| number > bound) {
            return refuse(format!("{key} must be less than or equal to {most}"));
        }
    }
    for family in ["consumer", "share", "streams"] {
        let session = format!("{family}.session.timeout.ms");
        let heartbeat = format!("{family}.heartbeat.interval.ms");
        let number = |key: &str| {
            let setting = rows::group_setting(key)?;
            super::describe::group_value(setting, altered, configuration).number()
        };
        if number(&session) <= number(&heartbeat) {
            return refuse(format!("{session} must be greater than {heartbeat}"));
        }
    }
    Ok(())
}

/// What a client metrics subscription can match on. KIP-714.
const MATCH_KEYS: &[&str] = &[
    "client_id",
    "client_instance_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

fn validate_client_metrics(altered: &Overrides) -> Result<(), AlterError> {
    if let Some(text) = altered.get("interval.ms") {
        let interval = text.trim().parse::<i32>().unwrap_or(0);
        if !(100..=3_600_000).contains(&interval) {
            return Err(AlterError::InvalidRequest(format!(
                "Invalid value {text} for interval.ms, interval must be between 100 and 3600000 \
                 (1 hour)"
            )));
        }
    }
    for pattern in value::list(altered.get("match").map_or("", String::as_str)) {
        let sound = pattern
            .split_once('=')
            .is_some_and(|(key, text)| MATCH_KEYS.contains(&key.trim()) && !text.trim().is_empty());
        if !sound {
            let text = format!("Illegal client matching pattern: {pattern}");
            return Err(AlterError::InvalidConfig(text));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "alter_tests.rs"]
mod tests;
