//! The brokers and controllers of an image: who is registered, where it is reached, what it
//! supports, whether it is fenced.

use crate::base::ids::NodeId;
use crate::base::uuid::Uuid;
use crate::metadata::delta::MetadataDelta;
use crate::metadata::error::ReplayError;
use crate::metadata::features::MetadataVersion;
use crate::metadata::image::partition::directory;
use crate::protocol::metadata_records::broker::{
    BrokerEndpoint, BrokerFeature, ControllerEndpoint, ControllerFeature,
};
use crate::protocol::metadata_records::{
    BrokerRegistrationChangeRecord, RegisterBrokerRecord, RegisterControllerRecord,
    UnregisterBrokerRecord, UnregisterControllerRecord,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a node listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Name of the listener.
    pub name: Arc<str>,
    /// Host as clients reach it.
    pub host: Arc<str>,
    /// Port as clients reach it.
    pub port: u16,
    /// 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    pub security_protocol: i16,
}

/// Levels of a feature that a node supports, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VersionRange {
    /// The lowest.
    pub min: i16,
    /// The highest.
    pub max: i16,
}

impl VersionRange {
    /// Whether the level lies within.
    #[must_use]
    pub fn contains(self, level: i16) -> bool {
        self.min <= level && level <= self.max
    }
}

/// A registered broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokerRegistration {
    /// Its `node.id`.
    pub id: NodeId,
    /// Offset at which this incarnation registered.
    pub epoch: i64,
    /// Chosen anew by the broker at each start.
    pub incarnation_id: Uuid,
    /// Where it listens, in the order of its registration.
    pub listeners: Vec<Endpoint>,
    /// What it supports, by name.
    pub features: BTreeMap<Arc<str>, VersionRange>,
    /// Its rack, if it has one.
    pub rack: Option<Arc<str>>,
    /// A fenced broker leads nothing, and clients are not told about it.
    pub fenced: bool,
    /// It is about to stop: it leads nothing and joins no ISR.
    pub in_controlled_shutdown: bool,
    /// A relic of the migration from ZooKeeper.
    pub is_migrating_zk_broker: bool,
    /// Ids of its log directories that are online, sorted.
    pub directories: Vec<Uuid>,
    /// Log directories that take no new replica (KIP-1066); `None` where it never said.
    pub cordoned_directories: Option<Vec<Uuid>>,
}

/// A registered controller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ControllerRegistration {
    /// Its `node.id`.
    pub id: NodeId,
    /// Chosen anew by the controller at each start.
    pub incarnation_id: Uuid,
    /// A relic of the migration from ZooKeeper.
    pub zk_migration_ready: bool,
    /// Where it listens.
    pub listeners: Vec<Endpoint>,
    /// What it supports, by name.
    pub features: BTreeMap<Arc<str>, VersionRange>,
}

/// The nodes of the cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClusterImage {
    /// Brokers by id.
    pub brokers: BTreeMap<NodeId, BrokerRegistration>,
    /// Controllers by id.
    pub controllers: BTreeMap<NodeId, ControllerRegistration>,
}

impl BrokerRegistration {
    /// Whether it may lead partitions and join ISRs.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.fenced && !self.in_controlled_shutdown
    }

    /// A listener by its name.
    #[must_use]
    pub fn listener(&self, name: &str) -> Option<&Endpoint> {
        self.listeners
            .iter()
            .find(|endpoint| &*endpoint.name == name)
    }

    /// Whether a replica in that directory can be served; one whose directory is not known can.
    #[must_use]
    pub fn has_online_directory(&self, id: Uuid) -> bool {
        match id {
            directory::MIGRATING | directory::UNASSIGNED => true,
            directory::LOST => false,
            id => self.directories.contains(&id),
        }
    }

    /// The directory of a new replica: the only one, or "not yet chosen" where there are several.
    #[must_use]
    pub fn default_directory(&self) -> Uuid {
        match self.directories.as_slice() {
            [] => directory::MIGRATING,
            [only] => *only,
            _ => directory::UNASSIGNED,
        }
    }

    /// The record that describes this registration whole, as far as `version` can carry it.
    #[must_use]
    pub fn to_record(&self, version: MetadataVersion) -> RegisterBrokerRecord {
        let log_dirs = if version.is_directory_assignment_supported() {
            self.directories.clone()
        } else {
            Vec::new()
        };
        let cordoned = self.cordoned_directories.clone();
        RegisterBrokerRecord {
            broker_id: self.id.0,
            is_migrating_zk_broker: self.is_migrating_zk_broker,
            incarnation_id: self.incarnation_id,
            broker_epoch: self.epoch,
            end_points: self
                .listeners
                .iter()
                .map(|endpoint| BrokerEndpoint {
                    name: (&*endpoint.name).into(),
                    host: (&*endpoint.host).into(),
                    port: endpoint.port,
                    security_protocol: endpoint.security_protocol,
                    ..BrokerEndpoint::default()
                })
                .collect(),
            features: self
                .features
                .iter()
                .map(|(name, range)| BrokerFeature {
                    name: (&**name).into(),
                    min_supported_version: range.min,
                    max_supported_version: range.max,
                    ..BrokerFeature::default()
                })
                .collect(),
            rack: self.rack.as_deref().map(Into::into),
            fenced: self.fenced,
            in_controlled_shutdown: self.in_controlled_shutdown,
            log_dirs,
            cordoned_log_dirs: cordoned.filter(|_| version.is_cordoning_supported()),
            ..RegisterBrokerRecord::default()
        }
    }
}

impl ControllerRegistration {
    /// The record that describes this registration whole.
    #[must_use]
    pub fn to_record(&self) -> RegisterControllerRecord {
        RegisterControllerRecord {
            controller_id: self.id.0,
            incarnation_id: self.incarnation_id,
            zk_migration_ready: self.zk_migration_ready,
            end_points: self
                .listeners
                .iter()
                .map(|endpoint| ControllerEndpoint {
                    name: (&*endpoint.name).into(),
                    host: (&*endpoint.host).into(),
                    port: endpoint.port,
                    security_protocol: endpoint.security_protocol,
                    ..ControllerEndpoint::default()
                })
                .collect(),
            features: self
                .features
                .iter()
                .map(|(name, range)| ControllerFeature {
                    name: (&**name).into(),
                    min_supported_version: range.min,
                    max_supported_version: range.max,
                    ..ControllerFeature::default()
                })
                .collect(),
            ..RegisterControllerRecord::default()
        }
    }
}

impl ClusterImage {
    /// A broker by its id.
    #[must_use]
    pub fn broker(&self, id: NodeId) -> Option<&BrokerRegistration> {
        self.brokers.get(&id)
    }

    /// Whether the broker is registered and may lead.
    #[must_use]
    pub fn is_active(&self, id: NodeId) -> bool {
        self.broker(id).is_some_and(BrokerRegistration::is_active)
    }

    pub(super) fn replay_register_broker(
        &mut self,
        record: &RegisterBrokerRecord,
        delta: &mut MetadataDelta,
    ) {
        let id = NodeId(record.broker_id);
        let mut directories = record.log_dirs.clone();
        directories.sort_unstable();
        let listeners = record.end_points.iter().map(|endpoint| Endpoint {
            name: Arc::from(&*endpoint.name),
            host: Arc::from(&*endpoint.host),
            port: endpoint.port,
            security_protocol: endpoint.security_protocol,
        });
        let features = record.features.iter().map(|feature| {
            let range = VersionRange {
                min: feature.min_supported_version,
                max: feature.max_supported_version,
            };
            (Arc::from(&*feature.name), range)
        });
        let registration = BrokerRegistration {
            id,
            epoch: record.broker_epoch,
            incarnation_id: record.incarnation_id,
            listeners: listeners.collect(),
            features: features.collect(),
            rack: record.rack.as_deref().map(Arc::from),
            fenced: record.fenced,
            in_controlled_shutdown: record.in_controlled_shutdown,
            is_migrating_zk_broker: record.is_migrating_zk_broker,
            directories,
            cordoned_directories: record.cordoned_log_dirs.clone(),
        };
        self.brokers.insert(id, registration);
        delta.brokers.insert(id);
    }

    pub(super) fn replay_unregister_broker(
        &mut self,
        record: &UnregisterBrokerRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        self.registered(
            "UnregisterBrokerRecord",
            record.broker_id,
            record.broker_epoch,
        )?;
        self.brokers.remove(&NodeId(record.broker_id));
        delta.brokers.insert(NodeId(record.broker_id));
        Ok(())
    }

    pub(super) fn replay_fencing(
        &mut self,
        name: &'static str,
        broker_id: i32,
        broker_epoch: i64,
        fenced: bool,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        self.registered(name, broker_id, broker_epoch)?.fenced = fenced;
        delta.brokers.insert(NodeId(broker_id));
        Ok(())
    }

    pub(super) fn replay_registration_change(
        &mut self,
        record: &BrokerRegistrationChangeRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ReplayError> {
        let name = "BrokerRegistrationChangeRecord";
        let fenced = tri_state(name, "Fenced", record.fenced)?;
        let stopping = tri_state(name, "InControlledShutdown", record.in_controlled_shutdown)?;
        let broker = self.registered(name, record.broker_id, record.broker_epoch)?;
        if let Some(fenced) = fenced {
            broker.fenced = fenced;
        }
        if let Some(stopping) = stopping {
            broker.in_controlled_shutdown = stopping;
        }
        if !record.log_dirs.is_empty() {
            broker.directories.clone_from(&record.log_dirs);
            broker.directories.sort_unstable();
        }
        if let Some(cordoned) = &record.cordoned_log_dirs {
            broker.cordoned_directories = Some(cordoned.clone());
        }
        delta.brokers.insert(NodeId(record.broker_id));
        Ok(())
    }

    pub(super) fn replay_register_controller(
        &mut self,
        record: &RegisterControllerRecord,
        delta: &mut MetadataDelta,
    ) {
        let id = NodeId(record.controller_id);
        let listeners = record.end_points.iter().map(|endpoint| Endpoint {
            name: Arc::from(&*endpoint.name),
            host: Arc::from(&*endpoint.host),
            port: endpoint.port,
            security_protocol: endpoint.security_protocol,
        });
        let features = record.features.iter().map(|feature| {
            let range = VersionRange {
                min: feature.min_supported_version,
                max: feature.max_supported_version,
            };
            (Arc::from(&*feature.name), range)
        });
        let registration = ControllerRegistration {
            id,
            incarnation_id: record.incarnation_id,
            zk_migration_ready: record.zk_migration_ready,
            listeners: listeners.collect(),
            features: features.collect(),
        };
        self.controllers.insert(id, registration);
        delta.controllers = true;
    }

    pub(super) fn replay_unregister_controller(
        &mut self,
        record: &UnregisterControllerRecord,
        delta: &mut MetadataDelta,
    ) {
        self.controllers.remove(&NodeId(record.controller_id));
        delta.controllers = true;
    }

    fn registered(
        &mut self,
        record: &'static str,
        broker_id: i32,
        broker_epoch: i64,
    ) -> Result<&mut BrokerRegistration, ReplayError> {
        let broker = self.brokers.get_mut(&NodeId(broker_id)).ok_or_else(|| {
            ReplayError::record(record, format!("broker {broker_id} is not registered"))
        })?;
        if broker.epoch != broker_epoch {
            let why = format!(
                "broker {broker_id} is registered with epoch {}, not {broker_epoch}",
                broker.epoch
            );
            return Err(ReplayError::record(record, why));
        }
        Ok(broker)
    }
}

/// -1 clears, 0 leaves alone, 1 sets.
fn tri_state(record: &'static str, field: &str, code: i8) -> Result<Option<bool>, ReplayError> {
    match (field, code) {
        (_, 0) => Ok(None),
        (_, 1) => Ok(Some(true)),
        ("Fenced", -1) => Ok(Some(false)),
        (_, code) => Err(ReplayError::record(record, format!("{field} is {code}"))),
    }
}
