//! The configuration of a broker: every setting with the value that is in force, read and checked
//! once. It is an immutable value; when a metadata record alters a config, a new one is made
//! ([`Configuration::with_dynamic`]).
//!
//! What wins, first over last: dynamic per broker, dynamic for the cluster, `--override`,
//! environment, file, default.

use super::accessors::Accessed;
use super::error::{ConfigError, ConfigErrors, Notice, Origin};
use super::listener::Listener;
use super::nearest::{is_slip, nearest};
use super::rows::{self, removed::removed};
use super::setting::{Class, Setting};
use super::sources::{self, Assigned, Sources};
use super::value::Value;
use crate::base::collections::HashMap;
use crate::base::ids::NodeId;
use std::collections::BTreeMap;

/// Altered configs: key and value as text.
pub type Overrides = BTreeMap<String, String>;

/// The configuration of a broker.
#[derive(Clone, Debug)]
pub struct Configuration {
    pub(super) assigned: BTreeMap<String, Assigned>,
    pub(super) dynamic_cluster: Overrides,
    pub(super) dynamic_broker: Overrides,
    effective: HashMap<&'static str, Value>,
    pub(super) accessed: Accessed,
    endpoints: Endpoints,
}

/// What `listeners` and its relatives come to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Endpoints {
    pub(super) listeners: Vec<Listener>,
    pub(super) controller_listeners: Vec<Listener>,
    pub(super) advertised: Vec<Listener>,
    pub(super) inter_broker: String,
}

/// What a key names.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Key<'a> {
    /// A setting.
    Setting(&'static Setting),
    /// A setting of one listener: `listener.name.<listener>.<setting>`.
    OfListener {
        /// The listener's name, as it was written.
        listener: &'a str,
        /// The setting.
        setting: &'static Setting,
    },
    /// Once a setting, or one of a plugin.
    Removed(Class),
    /// Nothing that anybody knows.
    Unknown,
}

impl<'a> Key<'a> {
    /// What `key` names.
    #[must_use]
    pub fn of(key: &'a str) -> Key<'a> {
        if let Some(setting) = rows::broker_setting(key) {
            return Key::Setting(setting);
        }
        let prefixed = key.strip_prefix("listener.name.");
        if let Some((listener, rest)) = prefixed.and_then(|rest| rest.split_once('.')) {
            let setting = rows::broker_setting(rest).or_else(|| of_mechanism(rest));
            if let Some(setting) = setting {
                return Key::OfListener { listener, setting };
            }
        }
        match removed(key) {
            Some(class) => Key::Removed(class),
            None => Key::Unknown,
        }
    }
}

/// Settings that may also be given for one SASL mechanism of a listener:
/// `listener.name.<listener>.<mechanism>.<setting>`.
pub(super) const OF_MECHANISM: &[&str] = &[
    "connections.max.reauth.ms",
    "sasl.jaas.config",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.server.callback.handler.class",
];

fn of_mechanism(rest: &str) -> Option<&'static Setting> {
    let (_mechanism, name) = rest.split_once('.')?;
    OF_MECHANISM
        .contains(&name)
        .then(|| rows::broker_setting(name))
        .flatten()
}

/// The valid key that is nearest to `key`; one of a listener keeps its prefix.
#[must_use]
pub fn nearest_key(key: &str) -> Option<String> {
    let names = || rows::all_broker_settings().map(|setting| setting.name);
    let prefixed = key.strip_prefix("listener.name.");
    match prefixed.and_then(|rest| rest.split_once('.')) {
        Some((listener, rest)) => {
            let near = nearest(rest, names())?;
            Some(format!("listener.name.{listener}.{near}"))
        }
        None => nearest(key, names()).map(str::to_owned),
    }
}

impl Default for Configuration {
    /// What a broker is configured with where nobody configured it ([`sources::BUILT_IN`]).
    fn default() -> Configuration {
        Configuration::from_overrides(&[]).expect("a test loads the built-in file without an error")
    }
}

impl Configuration {
    /// Reads and checks all that a broker is configured with, and says what is worth saying once.
    /// A key that nobody knows is an error where it is a known one with a slip of the pen, and any
    /// such key with `strict`; else it may be a plugin's, and is a notice.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first.
    pub fn load(
        sources: &Sources<'_>,
        strict: bool,
    ) -> Result<(Configuration, Vec<Notice>), ConfigErrors> {
        let (mut assigned, mut errors) = sources::gather(sources);
        let mut notices = Vec::new();
        for (key, value) in &assigned {
            examine(key, value, strict, &mut errors, &mut notices);
        }
        mirror_node_id(&mut assigned, &mut errors);
        let mut configuration = Configuration {
            assigned,
            dynamic_cluster: Overrides::new(),
            dynamic_broker: Overrides::new(),
            effective: HashMap::default(),
            accessed: Accessed::default(),
            endpoints: Endpoints::default(),
        };
        configuration.take_effect();
        if errors.is_empty() {
            match super::checks::check(&configuration) {
                Ok(endpoints) => configuration.endpoints = endpoints,
                Err(found) => errors = found,
            }
        }
        errors.sort_by(|one, other| one.origin().cmp(&other.origin()));
        notices.sort_by(|one, other| one.origin().cmp(other.origin()));
        if errors.is_empty() {
            Ok((configuration, notices))
        } else {
            Err(ConfigErrors(errors))
        }
    }

    /// The built-in configuration with these settings over it: `key=value`, as `--override`.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn from_overrides(overrides: &[&str]) -> Result<Configuration, ConfigErrors> {
        let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
        let sources = Sources {
            overrides: &overrides,
            ..Sources::default()
        };
        Configuration::load(&sources, true).map(|(configuration, _)| configuration)
    }

    /// The same broker with these altered configs in force, of itself and of the cluster; they
    /// replace those before. What no longer makes sense is left out, and said: a record of an
    /// older version must not keep a broker from starting.
    #[must_use]
    pub fn with_dynamic(
        &self,
        broker: &Overrides,
        cluster: &Overrides,
    ) -> (Configuration, Vec<ConfigError>) {
        let mut errors = Vec::new();
        let mut sound = |overrides: &Overrides| {
            let mut kept = overrides.clone();
            kept.retain(|key, text| match wrong_value(key, text, &Origin::Dynamic) {
                Some(error) => {
                    errors.push(error);
                    false
                }
                None => true,
            });
            kept
        };
        let mut configuration = self.clone();
        configuration.dynamic_broker = sound(broker);
        configuration.dynamic_cluster = sound(cluster);
        configuration.take_effect();
        (configuration, errors)
    }

    /// Reads the value in force of every setting.
    fn take_effect(&mut self) {
        let effective = rows::all_broker_settings().map(|setting| {
            let value = self
                .text_in_force(setting.name)
                .and_then(|text| Value::read(setting, text).ok())
                .unwrap_or_else(|| Value::default_of(setting));
            (setting.name, value)
        });
        self.effective = effective.collect();
        self.accessed = Accessed::of(self);
    }

    fn text_in_force(&self, key: &str) -> Option<&str> {
        let dynamic = self.dynamic_broker.get(key);
        let dynamic = dynamic.or_else(|| self.dynamic_cluster.get(key));
        match dynamic {
            Some(text) => Some(text),
            None => self
                .assigned
                .get(key)
                .map(|assigned| assigned.text.as_str()),
        }
    }

    /// The value in force of the setting `name`.
    ///
    /// # Panics
    /// Where there is no such setting.
    #[must_use]
    pub fn value(&self, name: &str) -> &Value {
        self.effective
            .get(name)
            .unwrap_or_else(|| panic!("there is no setting {name}"))
    }

    /// Where the static value of `key` was written, or `None` where it has its default.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.assigned.get(key).map(|assigned| &assigned.origin)
    }

    /// Every static key that was given, with its value and where it was written.
    pub fn assigned(&self) -> impl Iterator<Item = (&str, &Assigned)> {
        self.assigned
            .iter()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// This node: `node.id`.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        NodeId(self.int("node.id"))
    }

    /// Where clients (and other brokers) are listened for; never empty.
    #[must_use]
    pub fn listeners(&self) -> &[Listener] {
        &self.endpoints.listeners
    }

    /// Where controllers would be listened for: those of `listeners` that
    /// `controller.listener.names` names. Empty in a cluster of one.
    #[must_use]
    pub fn controller_listeners(&self) -> &[Listener] {
        &self.endpoints.controller_listeners
    }

    /// What clients are told to connect to, in the order of `listeners` where it is not set.
    /// An empty host is for this machine's own host name, port 0 for the one that was bound.
    #[must_use]
    pub fn advertised_listeners(&self) -> &[Listener] {
        &self.endpoints.advertised
    }

    /// What was bound: the ports of the listeners, in their order, and this machine's name. They
    /// stand for port 0 and for the empty host in what clients are told.
    pub fn set_bound(&mut self, ports: &[u16], host_name: &str) {
        let before = self.endpoints.listeners.clone();
        for (listener, port) in self.endpoints.listeners.iter_mut().zip(ports) {
            listener.port = *port;
        }
        for advertised in &mut self.endpoints.advertised {
            if advertised.binds_all() {
                advertised.host = host_name.to_owned();
            }
            let place = before
                .iter()
                .position(|listener| listener.name == advertised.name);
            if advertised.port == 0
                && let Some(port) = place.and_then(|place| ports.get(place))
            {
                advertised.port = *port;
            }
        }
    }

    /// The name of the listener that brokers use among themselves.
    #[must_use]
    pub fn inter_broker_listener_name(&self) -> &str {
        &self.endpoints.inter_broker
    }

    /// The directories of the logs; never empty. `log.dirs`, else `log.dir`.
    #[must_use]
    pub fn log_dirs(&self) -> &[String] {
        match self.value("log.dirs").list() {
            [] => self.value("log.dir").list(),
            dirs => dirs,
        }
    }

    /// The directory of the metadata log: `metadata.log.dir`, else the first of [`Self::log_dirs`].
    #[must_use]
    pub fn metadata_log_dir(&self) -> &str {
        match self.value("metadata.log.dir").text() {
            Some(dir) => dir,
            None => self.log_dirs().first().map_or("", String::as_str),
        }
    }

    /// How many cores serve, or `None` for all: `klamm.cores`.
    #[must_use]
    pub fn cores(&self) -> Option<usize> {
        let cores = self.value("klamm.cores").number()?;
        usize::try_from(cores).ok()
    }

    /// `broker.rack`.
    #[must_use]
    pub fn broker_rack(&self) -> Option<&str> {
        self.value("broker.rack").text()
    }

    pub(super) fn int(&self, name: &str) -> i32 {
        i32::try_from(self.long(name)).expect("a value of type INT was read as one")
    }

    pub(super) fn long(&self, name: &str) -> i64 {
        let number = self.value(name).number();
        number.expect("a setting that an accessor reads is a number and has a default")
    }

    pub(super) fn boolean(&self, name: &str) -> bool {
        let boolean = self.value(name).boolean();
        boolean.expect("a setting that an accessor reads is a boolean and has a default")
    }

    pub(super) fn size(&self, name: &str) -> usize {
        usize::try_from(self.long(name)).unwrap_or(0)
    }
}

/// One key that was given: what is wrong with it, or worth saying.
fn examine(
    key: &str,
    assigned: &Assigned,
    strict: bool,
    errors: &mut Vec<ConfigError>,
    notices: &mut Vec<Notice>,
) {
    let origin = assigned.origin.clone();
    let class = match Key::of(key) {
        Key::Setting(setting) | Key::OfListener { setting, .. } => {
            if let Some(error) = wrong_value(key, &assigned.text, &origin) {
                errors.push(error);
                return;
            }
            if asks_nothing(setting, &assigned.text) {
                return;
            }
            setting.class
        }
        Key::Removed(class) => class,
        Key::Unknown => {
            let near = nearest_key(key);
            // Other programs have variables that begin like Kafka's.
            let is_ours = !matches!(origin, Origin::Environment(_));
            let is_slip = is_ours && near.as_ref().is_some_and(|near| is_slip(key, near));
            let key = key.to_owned();
            if strict || is_slip {
                errors.push(ConfigError::Unknown { key, origin, near });
            } else {
                notices.push(Notice::Unknown { key, origin, near });
            }
            return;
        }
    };
    let key = key.to_owned();
    match class {
        Class::Implemented => {}
        Class::WithoutEffect(_) if origin == Origin::BuiltIn => {}
        Class::WithoutEffect(reason) => notices.push(Notice::WithoutEffect {
            key,
            origin,
            reason,
        }),
        Class::Refused(refusal) => errors.push(ConfigError::Refused {
            key,
            origin,
            refusal,
        }),
    }
}

/// Whether a sound value asks for nothing: it repeats the default, or what klamm does of itself
/// where nobody configured it, or it is an empty text where there is no default.
fn asks_nothing(setting: &'static Setting, text: &str) -> bool {
    let value = Value::read(setting, text);
    let same = |other: &str| Value::read(setting, other) == value;
    let empty = setting.default.is_none() && text.trim().is_empty();
    empty || setting.default.is_some_and(same) || built_in(setting.name).is_some_and(same)
}

/// The value of a key in the built-in file.
fn built_in(key: &str) -> Option<&'static str> {
    let mut lines = sources::BUILT_IN.lines();
    lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

/// What is wrong with the value of `key`, where that is a setting.
fn wrong_value(key: &str, text: &str, origin: &Origin) -> Option<ConfigError> {
    let setting = match Key::of(key) {
        Key::Setting(setting) | Key::OfListener { setting, .. } => setting,
        Key::Removed(_) | Key::Unknown => return None,
    };
    let problem = Value::read(setting, text).err()?;
    Some(ConfigError::Wrong {
        key: key.to_owned(),
        shown: (!setting.sensitive()).then(|| text.to_owned()),
        origin: Some(origin.clone()),
        expected: problem.expected(),
    })
}

/// `broker.id` is an older name of `node.id`: where one is given, the other follows. What is more
/// deliberate wins over what is built in; otherwise two different ids are an error.
fn mirror_node_id(assigned: &mut BTreeMap<String, Assigned>, errors: &mut Vec<ConfigError>) {
    let node = assigned.get("node.id").cloned();
    let broker = assigned
        .get("broker.id")
        .filter(|broker| broker.text.trim() != "-1")
        .cloned();
    let chosen = match (node, broker) {
        (Some(node), Some(broker)) if node.text.trim() != broker.text.trim() => {
            if node.origin != Origin::BuiltIn {
                errors.push(ConfigError::Wrong {
                    key: "broker.id".to_owned(),
                    shown: Some(broker.text),
                    origin: Some(broker.origin),
                    expected: format!("{} as node.id, or left out", node.text),
                });
                return;
            }
            broker
        }
        (Some(node), Some(_) | None) => node,
        (None, Some(broker)) => broker,
        (None, None) => Assigned {
            text: "1".to_owned(),
            origin: Origin::BuiltIn,
        },
    };
    assigned.insert("node.id".to_owned(), chosen.clone());
    assigned.insert("broker.id".to_owned(), chosen);
    let roles = Assigned {
        text: "broker,controller".to_owned(),
        origin: Origin::BuiltIn,
    };
    assigned.entry("process.roles".to_owned()).or_insert(roles);
}

#[cfg(test)]
#[path = "broker_tests.rs"]
mod tests;
