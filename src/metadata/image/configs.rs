//! The dynamic configurations of an image: what was set for topics, brokers, and others.

use crate::metadata::delta::MetadataDelta;
use crate::protocol::metadata_records::ConfigRecord;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What kind of thing a configuration belongs to, in Kafka's numbers. The number of a kind klamm
/// does not know is kept, so that snapshots keep its settings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConfigResourceType(pub i8);

impl ConfigResourceType {
    /// A topic, by name.
    pub const TOPIC: ConfigResourceType = ConfigResourceType(2);
    /// A broker, by id; the empty name is the default of all brokers.
    pub const BROKER: ConfigResourceType = ConfigResourceType(4);
    /// The log levels of a broker; never recorded.
    pub const BROKER_LOGGER: ConfigResourceType = ConfigResourceType(8);
    /// A subscription of client metrics (KIP-714).
    pub const CLIENT_METRICS: ConfigResourceType = ConfigResourceType(16);
    /// A consumer, share or streams group.
    pub const GROUP: ConfigResourceType = ConfigResourceType(32);
}

/// Something that has settings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConfigResource {
    /// What it is.
    pub resource_type: ConfigResourceType,
    /// Which one.
    pub name: Arc<str>,
}

impl ConfigResource {
    /// The settings of one topic.
    #[must_use]
    pub fn topic(name: &str) -> ConfigResource {
        ConfigResource {
            resource_type: ConfigResourceType::TOPIC,
            name: Arc::from(name),
        }
    }
}

/// Settings by key.
pub type Settings = BTreeMap<Arc<str>, Arc<str>>;

/// All dynamic configurations.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConfigsImage {
    resources: BTreeMap<ConfigResourceType, BTreeMap<Arc<str>, Settings>>,
}

static NO_SETTINGS: Settings = BTreeMap::new();

impl ConfigsImage {
    /// What was set for one resource; empty where nothing was.
    #[must_use]
    pub fn settings(&self, resource_type: ConfigResourceType, name: &str) -> &Settings {
        self.resources
            .get(&resource_type)
            .and_then(|resources| resources.get(name))
            .unwrap_or(&NO_SETTINGS)
    }

    /// What was set for one topic.
    #[must_use]
    pub fn topic(&self, name: &str) -> &Settings {
        self.settings(ConfigResourceType::TOPIC, name)
    }

    /// One setting of one resource.
    #[must_use]
    pub fn value(&self, resource_type: ConfigResourceType, name: &str, key: &str) -> Option<&str> {
        self.settings(resource_type, name)
            .get(key)
            .map(|value| &**value)
    }

    /// Every resource that has settings, by type and name.
    pub fn iter(&self) -> impl Iterator<Item = (ConfigResourceType, &Arc<str>, &Settings)> {
        self.resources
            .iter()
            .flat_map(|(&resource_type, resources)| {
                resources
                    .iter()
                    .map(move |(name, settings)| (resource_type, name, settings))
            })
    }

    pub(super) fn replay(&mut self, record: &ConfigRecord, delta: &mut MetadataDelta) {
        let resource_type = ConfigResourceType(record.resource_type);
        let name: Arc<str> = Arc::from(&*record.resource_name);
        match record.value.as_deref() {
            Some(value) => {
                let resources = self.resources.entry(resource_type).or_default();
                let settings = resources.entry(Arc::clone(&name)).or_default();
                settings.insert(Arc::from(&*record.name), Arc::from(value));
            }
            None => self.delete(resource_type, &name, &record.name),
        }
        delta.configs.insert(ConfigResource {
            resource_type,
            name,
        });
    }

    pub(super) fn topic_deleted(&mut self, name: &str, delta: &mut MetadataDelta) {
        let topics = self.resources.get_mut(&ConfigResourceType::TOPIC);
        if topics.and_then(|topics| topics.remove(name)).is_some() {
            delta.configs.insert(ConfigResource::topic(name));
        }
        self.resources.retain(|_, resources| !resources.is_empty());
    }

    fn delete(&mut self, resource_type: ConfigResourceType, name: &str, key: &str) {
        let Some(resources) = self.resources.get_mut(&resource_type) else {
            return;
        };
        if let Some(settings) = resources.get_mut(name) {
            settings.remove(key);
            if settings.is_empty() {
                resources.remove(name);
            }
        }
        if resources.is_empty() {
            self.resources.remove(&resource_type);
        }
    }
}
