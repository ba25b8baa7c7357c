//! The controller: commands in, metadata records out. It never changes what it decides by: its
//! image changes only when the records it returned are replayed, which its shell does as soon as
//! they are appended to the quorum's log. So the next command is decided against everything
//! before it, committed or not; shards and clients see only what is committed.
//!
//! ```text
//!   Command → handle → records + reply → appended, replayed here → committed → shards, reply
//! ```

mod api_error;
mod auto_create;
mod bootstrap;
mod broker;
mod configs;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod failed;
mod partition_change;
mod partition_updates;
mod placement;
mod producer_ids;
pub mod quorum;
mod settings;
#[cfg(test)]
mod tests;
mod topic_name;

pub use api_error::ApiError;
pub use auto_create::auto_create_request;
pub use bootstrap::{default_bootstrap_records, unsupported_features};
pub use settings::ControllerSettings;
pub use topic_name::{CLUSTER_METADATA_TOPIC, check as check_topic_name};

use crate::base::ids::{NodeId, Offset};
use crate::base::prng::Prng;
use crate::metadata::batch::MetadataBatch;
use crate::metadata::delta::MetadataDelta;
use crate::metadata::error::ReplayError;
use crate::metadata::image::MetadataImage;
use crate::protocol::messages::allocate_producer_ids::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse,
};
use crate::protocol::messages::alter_configs::{AlterConfigsRequest, AlterConfigsResponse};
use crate::protocol::messages::broker_heartbeat::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse,
};
use crate::protocol::messages::broker_registration::{
    BrokerRegistrationRequest, BrokerRegistrationResponse,
};
use crate::protocol::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse,
};
use crate::protocol::messages::create_topics::{CreateTopicsRequest, CreateTopicsResponse};
use crate::protocol::messages::delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse};
use crate::protocol::messages::incremental_alter_configs::{
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use crate::protocol::metadata_records::{MetadataRecord, NoOpRecord, RegisterControllerRecord};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the controller is asked to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Create topics.
    CreateTopics(CreateTopicsRequest),
    /// Delete topics, by name or by id. The version of the request decides the error where deleting
    /// is switched off.
    DeleteTopics(DeleteTopicsRequest, i16),
    /// Add partitions to topics.
    CreatePartitions(CreatePartitionsRequest),
    /// Set, delete, extend or shorten single settings.
    IncrementalAlterConfigs(IncrementalAlterConfigsRequest),
    /// Replace all settings of a resource.
    AlterConfigs(AlterConfigsRequest),
    /// Register a broker, or a new incarnation of one.
    RegisterBroker(BrokerRegistrationRequest),
    /// A broker wants to be unfenced, fenced, or to stop.
    BrokerHeartbeat(BrokerHeartbeatRequest),
    /// Register a controller.
    RegisterController(RegisterControllerRecord),
    /// A broker needs a block of producer ids.
    AllocateProducerIds(AllocateProducerIdsRequest),
    /// Write a record that says nothing, so that the end of the log moves.
    NoOp,
}

/// The answer to a command; sent when its records are committed.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// To `Command::CreateTopics`.
    CreateTopics(CreateTopicsResponse),
    /// To `Command::DeleteTopics`.
    DeleteTopics(DeleteTopicsResponse),
    /// To `Command::CreatePartitions`.
    CreatePartitions(CreatePartitionsResponse),
    /// To `Command::IncrementalAlterConfigs`.
    IncrementalAlterConfigs(IncrementalAlterConfigsResponse),
    /// To `Command::AlterConfigs`.
    AlterConfigs(AlterConfigsResponse),
    /// To `Command::RegisterBroker`.
    RegisterBroker(BrokerRegistrationResponse),
    /// To `Command::BrokerHeartbeat`.
    BrokerHeartbeat(BrokerHeartbeatResponse),
    /// To `Command::RegisterController` and `Command::NoOp`.
    Done,
    /// To `Command::AllocateProducerIds`.
    AllocateProducerIds(AllocateProducerIdsResponse),
}

/// What a command comes to.
#[derive(Clone, PartialEq, Debug)]
pub struct ControllerResult {
    /// Records to append, in order; none where nothing changes.
    pub records: Vec<MetadataRecord>,
    /// Whether they must stand in one batch.
    pub is_atomic: bool,
    /// The answer, once they are committed.
    pub reply: Reply,
}

impl ControllerResult {
    fn atomic(records: Vec<MetadataRecord>, reply: Reply) -> ControllerResult {
        ControllerResult {
            records,
            is_atomic: true,
            reply,
        }
    }

    fn stepwise(records: Vec<MetadataRecord>, reply: Reply) -> ControllerResult {
        ControllerResult {
            records,
            is_atomic: false,
            reply,
        }
    }
}

/// The controller of a cluster, on the node that leads the quorum.
#[derive(Clone, Debug)]
pub struct Controller {
    settings: ControllerSettings,
    image: MetadataImage,
    // Names of topics with `.` or `_`, as metrics would write them: two topics must not share one.
    unified_names: BTreeMap<String, BTreeSet<Arc<str>>>,
}

impl Controller {
    /// A controller whose image has replayed the whole log.
    #[must_use]
    pub fn new(settings: ControllerSettings, image: MetadataImage) -> Controller {
        let mut unified_names: BTreeMap<String, BTreeSet<Arc<str>>> = BTreeMap::new();
        for topic in image.topics.iter() {
            if let Some(unified) = topic_name::unified(&topic.name) {
                unified_names
                    .entry(unified)
                    .or_default()
                    .insert(Arc::clone(&topic.name));
            }
        }
        Controller {
            settings,
            image,
            unified_names,
        }
    }

    /// Everything appended so far, committed or not.
    #[must_use]
    pub fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// What the configuration says.
    #[must_use]
    pub fn settings(&self) -> &ControllerSettings {
        &self.settings
    }

    /// Replays a batch that was appended; every batch, in order, control batches too.
    pub fn replay(&mut self, batch: &MetadataBatch) -> Result<MetadataDelta, ReplayError> {
        let delta = self.image.replay(batch)?;
        for topic in &delta.topics_deleted {
            let Some(unified) = topic_name::unified(&topic.name) else {
                continue;
            };
            if let Some(names) = self.unified_names.get_mut(&unified) {
                names.remove(&topic.name);
                if names.is_empty() {
                    self.unified_names.remove(&unified);
                }
            }
        }
        for topic in delta
            .topics_created
            .iter()
            .filter_map(|&id| self.image.topics.by_id(id))
        {
            if let Some(unified) = topic_name::unified(&topic.name) {
                self.unified_names
                    .entry(unified)
                    .or_default()
                    .insert(Arc::clone(&topic.name));
            }
        }
        Ok(delta)
    }

    /// Decides a command.
    #[must_use]
    pub fn handle(&self, command: Command, prng: &mut Prng) -> ControllerResult {
        match command {
            Command::CreateTopics(request) => self.create_topics(&request, prng),
            Command::DeleteTopics(request, version) => self.delete_topics(&request, version),
            Command::CreatePartitions(request) => self.create_partitions(&request, prng),
            Command::IncrementalAlterConfigs(request) => self.incremental_alter_configs(&request),
            Command::AlterConfigs(request) => self.alter_configs(&request),
            Command::RegisterBroker(request) => self.register_broker(&request),
            Command::BrokerHeartbeat(request) => self.broker_heartbeat(&request),
            Command::RegisterController(record) => self.register_controller(record),
            Command::AllocateProducerIds(request) => self.allocate_producer_ids(&request),
            Command::NoOp => {
                let record = MetadataRecord::NoOpRecord(NoOpRecord::default());
                ControllerResult::atomic(vec![record], Reply::Done)
            }
        }
    }

    fn register_controller(&self, record: RegisterControllerRecord) -> ControllerResult {
        let version = self.image.features.metadata_version();
        let records = if version.is_controller_registration_supported() {
            vec![MetadataRecord::RegisterControllerRecord(record)]
        } else {
            Vec::new()
        };
        ControllerResult::atomic(records, Reply::Done)
    }

    fn next_offset(&self) -> Offset {
        self.image.provenance.last_offset.next()
    }

    fn is_active(&self, broker: NodeId) -> bool {
        self.image.cluster.is_active(broker)
    }
}

/// What a request names more than once.
fn named_twice<T: Ord + Copy>(names: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert(*name)).collect()
}
