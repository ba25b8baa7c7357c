//! Brokers: registration, unfencing, fencing, and stopping in order.
//!
//! ```text
//!   register → FENCED ── wants in, has caught up ──→ UNFENCED ── wants to stop ──→ CONTROLLED
//!                ↑                                       │ leads nothing            SHUTDOWN
//!                └── wants out ──────────────────────────┤                             │ leads
//!                                                        └──→ SHUTDOWN NOW (fenced) ←──┘ nothing
//! ```

use super::api_error::ApiError;
use super::partition_updates::{BrokerChange, in_elr_only, in_isr, is_leaderless};
use super::{Controller, ControllerResult, Reply};
use crate::base::ids::NodeId;
use crate::base::uuid::Uuid;
use crate::metadata::features::{KRAFT_VERSION, METADATA_VERSION, METADATA_VERSION_MIN};
use crate::metadata::image::cluster::{BrokerRegistration, VersionRange};
use crate::metadata::image::partition::directory;
use crate::protocol::ErrorCode;
use crate::protocol::messages::broker_heartbeat::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse,
};
use crate::protocol::messages::broker_registration::{
    BrokerRegistrationRequest, BrokerRegistrationResponse,
};
use crate::protocol::metadata_records::broker::{BrokerEndpoint, BrokerFeature};
use crate::protocol::metadata_records::{
    BrokerRegistrationChangeRecord, MetadataRecord, RegisterBrokerRecord,
};
use std::collections::{BTreeMap, BTreeSet};

impl Controller {
    /// Registers a broker. This node's own registration is not refused for a finalized feature that
    /// klamm does not support yet: the start says so instead.
    pub(super) fn register_broker(&self, request: &BrokerRegistrationRequest) -> ControllerResult {
        match self.registration_records(request) {
            Ok((records, epoch)) => {
                let response = BrokerRegistrationResponse {
                    error_code: ErrorCode::NONE.into(),
                    broker_epoch: epoch,
                    ..BrokerRegistrationResponse::default()
                };
                ControllerResult::stepwise(records, Reply::RegisterBroker(response))
            }
            Err(error) => {
                let response = BrokerRegistrationResponse {
                    error_code: error.code.into(),
                    broker_epoch: -1,
                    ..BrokerRegistrationResponse::default()
                };
                ControllerResult::stepwise(Vec::new(), Reply::RegisterBroker(response))
            }
        }
    }

    fn registration_records(
        &self,
        request: &BrokerRegistrationRequest,
    ) -> Result<(Vec<MetadataRecord>, i64), ApiError> {
        let id = NodeId(request.broker_id);
        let version = self.image.features.metadata_version();
        let existing = self.image.cluster.broker(id);
        if *request.cluster_id != *self.settings.cluster_id {
            let message = format!(
                "Expected cluster ID {}, but got cluster ID {}",
                self.settings.cluster_id, request.cluster_id
            );
            return Err(ApiError::new(ErrorCode::INCONSISTENT_CLUSTER_ID, message));
        }
        if request.is_migrating_zk_broker {
            let message = "Controller does not support registering ZK brokers.";
            return Err(ApiError::new(ErrorCode::BROKER_ID_NOT_REGISTERED, message));
        }
        if version.is_directory_assignment_supported() {
            self.check_directories(id, &request.log_dirs)?;
        }
        let features = self.registered_features(request)?;
        let mut record = RegisterBrokerRecord {
            broker_id: request.broker_id,
            is_migrating_zk_broker: false,
            incarnation_id: request.incarnation_id,
            broker_epoch: 0,
            end_points: request
                .listeners
                .iter()
                .map(|listener| BrokerEndpoint {
                    name: listener.name.clone(),
                    host: listener.host.clone(),
                    port: listener.port,
                    security_protocol: listener.security_protocol,
                    ..BrokerEndpoint::default()
                })
                .collect(),
            features,
            rack: request.rack.clone(),
            fenced: true,
            in_controlled_shutdown: false,
            log_dirs: Vec::new(),
            cordoned_log_dirs: None,
            ..RegisterBrokerRecord::default()
        };
        if version.is_directory_assignment_supported() {
            record.log_dirs.clone_from(&request.log_dirs);
        }
        let mut records = Vec::new();
        match existing.filter(|existing| existing.incarnation_id == request.incarnation_id) {
            Some(same) => {
                record.fenced = same.fenced;
                record.in_controlled_shutdown = same.in_controlled_shutdown;
                record.broker_epoch = same.epoch;
            }
            None => {
                record.broker_epoch = self.next_offset().0;
                let is_clean = existing
                    .is_some_and(|existing| existing.epoch == request.previous_broker_epoch);
                self.previous_incarnation_stopped(id, is_clean, &mut records);
            }
        }
        let epoch = record.broker_epoch;
        records.push(MetadataRecord::RegisterBrokerRecord(record));
        Ok((records, epoch))
    }

    fn check_directories(&self, id: NodeId, directories: &[Uuid]) -> Result<(), ApiError> {
        let refuse = |message: String| Err(ApiError::new(ErrorCode::INVALID_REGISTRATION, message));
        if directories.is_empty() {
            return refuse("No directories specified in request".to_owned());
        }
        if directories.iter().any(|&id| directory::is_reserved(id)) {
            return refuse("Reserved directory ID in request".to_owned());
        }
        let distinct: BTreeSet<&Uuid> = directories.iter().collect();
        if distinct.len() != directories.len() {
            return refuse("Duplicate directory ID in request".to_owned());
        }
        for other in self
            .image
            .cluster
            .brokers
            .values()
            .filter(|broker| broker.id != id)
        {
            let shared = directories
                .iter()
                .find(|directory| other.directories.contains(directory));
            if let Some(directory) = shared {
                return refuse(format!(
                    "Broker {} is already registered with directory {directory}",
                    other.id
                ));
            }
        }
        Ok(())
    }

    /// Every feature that is finalized above 0 must be one that the broker supports at that level.
    fn registered_features(
        &self,
        request: &BrokerRegistrationRequest,
    ) -> Result<Vec<BrokerFeature>, ApiError> {
        let mut features: BTreeMap<&str, VersionRange> = request
            .features
            .iter()
            .map(|feature| {
                let (min, max) = (feature.min_supported_version, feature.max_supported_version);
                (&*feature.name, VersionRange { min, max })
            })
            .collect();
        let lowest = VersionRange {
            min: METADATA_VERSION_MIN.0,
            max: METADATA_VERSION_MIN.0,
        };
        features.entry(METADATA_VERSION).or_insert(lowest);
        let is_own = request.broker_id == self.settings.node_id.0;
        for (name, level) in self.image.features.iter().filter(|_| !is_own) {
            let range = features
                .get(name)
                .copied()
                .unwrap_or(VersionRange { min: 0, max: 0 });
            if !range.contains(level) {
                let message = format!(
                    "Unable to register because the broker does not support finalized version \
                     {level} of {name}. The broker wants a version between {} and {}, inclusive.",
                    range.min, range.max
                );
                return Err(ApiError::new(ErrorCode::UNSUPPORTED_VERSION, message));
            }
        }
        debug_assert!(
            self.image.features.level(KRAFT_VERSION) == 0,
            "it has no record"
        );
        let features = features.into_iter().map(|(name, range)| BrokerFeature {
            name: name.into(),
            min_supported_version: range.min,
            max_supported_version: range.max,
            ..BrokerFeature::default()
        });
        Ok(features.collect())
    }

    /// A new incarnation proves that the one before is gone. Unless that stopped in order, what it
    /// had acknowledged and not synced may be gone too (KIP-966).
    fn previous_incarnation_stopped(
        &self,
        id: NodeId,
        is_clean: bool,
        records: &mut Vec<MetadataRecord>,
    ) {
        if is_clean || !self.image.features.metadata_version().is_elr_supported() {
            self.partition_updates(BrokerChange::Leaves(id), in_isr(id), records);
        } else {
            let change = BrokerChange::StoppedUncleanly(id);
            self.partition_updates(change, in_isr(id), records);
            self.partition_updates(change, in_elr_only(id), records);
        }
    }

    pub(super) fn broker_heartbeat(&self, request: &BrokerHeartbeatRequest) -> ControllerResult {
        let id = NodeId(request.broker_id);
        let broker = self.image.cluster.broker(id);
        let Some(broker) = broker.filter(|broker| broker.epoch == request.broker_epoch) else {
            let response = BrokerHeartbeatResponse {
                error_code: ErrorCode::STALE_BROKER_EPOCH.into(),
                is_fenced: true,
                ..BrokerHeartbeatResponse::default()
            };
            return ControllerResult::stepwise(Vec::new(), Reply::BrokerHeartbeat(response));
        };
        let is_caught_up = request.current_metadata_offset >= broker.epoch;
        let mut response = BrokerHeartbeatResponse {
            error_code: ErrorCode::NONE.into(),
            is_caught_up,
            is_fenced: broker.fenced,
            should_shut_down: false,
            ..BrokerHeartbeatResponse::default()
        };
        let mut records = Vec::new();
        if broker.fenced {
            if request.want_shut_down {
                response.should_shut_down = true;
            } else if !request.want_fence && is_caught_up {
                self.unfence(broker, &mut records);
                response.is_fenced = false;
            }
        } else if request.want_shut_down {
            if self.leads_something(id) {
                self.begin_controlled_shutdown(broker, &mut records);
            } else {
                self.fence(broker, &mut records);
                response.is_fenced = true;
                response.should_shut_down = true;
            }
        } else if request.want_fence {
            self.fence(broker, &mut records);
            response.is_fenced = true;
        }
        self.cordon(broker, request, &mut records);
        ControllerResult::stepwise(records, Reply::BrokerHeartbeat(response))
    }

    fn unfence(&self, broker: &BrokerRegistration, records: &mut Vec<MetadataRecord>) {
        let change = BrokerRegistrationChangeRecord {
            fenced: -1,
            ..change_of(broker)
        };
        records.push(MetadataRecord::BrokerRegistrationChangeRecord(change));
        self.partition_updates(BrokerChange::Joins(broker.id), is_leaderless, records);
    }

    fn fence(&self, broker: &BrokerRegistration, records: &mut Vec<MetadataRecord>) {
        self.partition_updates(BrokerChange::Leaves(broker.id), in_isr(broker.id), records);
        let change = BrokerRegistrationChangeRecord {
            fenced: 1,
            ..change_of(broker)
        };
        records.push(MetadataRecord::BrokerRegistrationChangeRecord(change));
    }

    fn begin_controlled_shutdown(
        &self,
        broker: &BrokerRegistration,
        records: &mut Vec<MetadataRecord>,
    ) {
        let version = self.image.features.metadata_version();
        if version.is_controlled_shutdown_state_supported() && !broker.in_controlled_shutdown {
            let change = BrokerRegistrationChangeRecord {
                in_controlled_shutdown: 1,
                ..change_of(broker)
            };
            records.push(MetadataRecord::BrokerRegistrationChangeRecord(change));
        }
        self.partition_updates(BrokerChange::Leaves(broker.id), in_isr(broker.id), records);
    }

    fn cordon(
        &self,
        broker: &BrokerRegistration,
        request: &BrokerHeartbeatRequest,
        records: &mut Vec<MetadataRecord>,
    ) {
        let is_supported = self
            .image
            .features
            .metadata_version()
            .is_cordoning_supported();
        let Some(cordoned) = request.cordoned_log_dirs.as_ref().filter(|_| is_supported) else {
            return;
        };
        if broker.cordoned_directories.as_ref() != Some(cordoned) {
            let change = BrokerRegistrationChangeRecord {
                cordoned_log_dirs: Some(cordoned.clone()),
                ..change_of(broker)
            };
            records.push(MetadataRecord::BrokerRegistrationChangeRecord(change));
        }
    }

    fn leads_something(&self, id: NodeId) -> bool {
        let mut topics = self.image.topics.iter();
        topics.any(|topic| {
            topic
                .partitions()
                .any(|(_, partition)| partition.leader == id)
        })
    }
}

fn change_of(broker: &BrokerRegistration) -> BrokerRegistrationChangeRecord {
    BrokerRegistrationChangeRecord {
        broker_id: broker.id.0,
        broker_epoch: broker.epoch,
        ..BrokerRegistrationChangeRecord::default()
    }
}
