//! Where settings come from, later over earlier: the file, `KAFKA_*` environment variables by the
//! rule of Kafka's image, `--override key=value`. Without a file and such variables, a file that
//! is built in takes their place: it makes the first minute work.

use super::error::{ConfigError, Origin};
use super::properties::{self, Property};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a broker is configured with where nobody configured it: reachable from this machine only,
/// its data below the current directory, internal topics for a cluster of one.
pub const BUILT_IN: &str = "\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:9092
log.dirs=./klamm-data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
";

/// Variables that Kafka's image and scripts keep for themselves: they are no settings.
const NOT_SETTINGS: &[&str] = &[
    "KAFKA_CLASSPATH",
    "KAFKA_CLUSTER_ID",
    "KAFKA_DEBUG",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_HEAP_OPTS",
    "KAFKA_HOME",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_MODE",
    "KAFKA_OPTS",
    "KAFKA_SSL_KEYSTORE_CREDENTIALS",
    "KAFKA_SSL_KEYSTORE_FILENAME",
    "KAFKA_SSL_KEY_CREDENTIALS",
    "KAFKA_SSL_TRUSTSTORE_CREDENTIALS",
    "KAFKA_SSL_TRUSTSTORE_FILENAME",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_USER",
    "KAFKA_VERSION",
];

/// All that a broker is configured with, as it was given.
#[derive(Clone, Copy, Default, Debug)]
pub struct Sources<'a> {
    /// The name and the content of `server.properties`.
    pub file: Option<(&'a str, &'a [u8])>,
    /// Environment variables, by name and value; those that do not start with `KAFKA_` are ignored.
    pub environment: &'a [(String, String)],
    /// What followed each `--override`: `key=value`.
    pub overrides: &'a [String],
}

/// A value, and where it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assigned {
    /// The value as it was written.
    pub text: String,
    /// Where.
    pub origin: Origin,
}

/// Every key with the value that wins, and what cannot be read at all.
#[must_use]
pub fn gather(sources: &Sources<'_>) -> (BTreeMap<String, Assigned>, Vec<ConfigError>) {
    let mut assigned = BTreeMap::new();
    let mut errors = Vec::new();
    let variables = variables(sources.environment);
    if let Some((path, bytes)) = sources.file {
        match properties::parse(bytes) {
            Ok(read) => {
                let path: Arc<str> = Arc::from(path);
                assign(&mut assigned, read, |line| Origin::File {
                    path: Arc::clone(&path),
                    line,
                });
            }
            Err(error) => errors.push(ConfigError::File {
                path: path.to_owned(),
                error,
            }),
        }
    } else if variables.is_empty() {
        let read = properties::parse(BUILT_IN.as_bytes())
            .expect("the built-in file is short and has no escapes");
        assign(&mut assigned, read, |_| Origin::BuiltIn);
    }
    for (key, variable, value) in variables {
        let origin = Origin::Environment(variable);
        let text = value;
        assigned.insert(key, Assigned { text, origin });
    }
    for text in sources.overrides {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                assigned.insert(
                    key.trim().to_owned(),
                    Assigned {
                        text: value.to_owned(),
                        origin: Origin::Override,
                    },
                );
            }
            Some(_) | None => errors.push(ConfigError::NotAnAssignment(text.clone())),
        }
    }
    (assigned, errors)
}

fn assign(
    assigned: &mut BTreeMap<String, Assigned>,
    properties: Vec<Property>,
    origin: impl Fn(u32) -> Origin,
) {
    for property in properties {
        // What a backslash at the very end of a file leaves says nothing.
        if property.key.is_empty() && property.value.is_empty() {
            continue;
        }
        let value = Assigned {
            text: property.value,
            origin: origin(property.line),
        };
        assigned.insert(property.key, value);
    }
}

/// The settings among environment variables: key, variable, value; in the order of the variables.
fn variables(environment: &[(String, String)]) -> Vec<(String, String, String)> {
    let mut found: Vec<_> = environment
        .iter()
        .filter_map(|(variable, value)| Some((key_of(variable)?, variable.clone(), value.clone())))
        .collect();
    found.sort();
    found
}

/// The key that an environment variable sets by the rule of Kafka's image, or `None` where it sets
/// none: after `KAFKA_`, in small letters, `_` is a dot, `__` an underscore, `___` a dash.
#[must_use]
pub fn key_of(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("KAFKA_")?;
    if rest.is_empty() || NOT_SETTINGS.contains(&variable) {
        return None;
    }
    let key = rest.to_lowercase().replace("___", "-");
    Some(
        key.replace("__", "\u{0}")
            .replace('_', ".")
            .replace('\u{0}', "_"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule_of_the_image() {
        let key = |variable| key_of(variable).unwrap_or_default();
        assert_eq!(key("KAFKA_NUM_PARTITIONS"), "num.partitions");
        assert_eq!(
            key("KAFKA_LISTENER_NAME_MY__L_SSL_CLIENT_AUTH"),
            "listener.name.my_l.ssl.client.auth"
        );
        assert_eq!(
            key("KAFKA_LISTENER_NAME_A_SCRAM___SHA___256_SASL_JAAS_CONFIG"),
            "listener.name.a.scram-sha-256.sasl.jaas.config"
        );
        for not in [
            "KAFKA_HEAP_OPTS",
            "KAFKA_OPTS",
            "KAFKA_",
            "PATH",
            "kafka_num_partitions",
        ] {
            assert_eq!(key_of(not), None, "{not}");
        }
    }
}
