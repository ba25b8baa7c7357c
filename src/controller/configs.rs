//! IncrementalAlterConfigs and AlterConfigs: dynamic settings of topics, brokers, the default of all
//! brokers, groups, and client metrics. Each resource is answered by itself; what is refused changes
//! nothing. Which values are valid stands in `config::alter`.

use super::api_error::ApiError;
use super::topic_name;
use super::{Controller, ControllerResult, Reply, named_twice};
use crate::base::ids::NodeId;
use crate::config::alter::{self, AlterError, Change, Changes, Operation};
use crate::config::{Configuration, Overrides};
use crate::metadata::image::configs::{ConfigResourceType, Settings};
use crate::protocol::ErrorCode;
use crate::protocol::messages::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
};
use crate::protocol::messages::incremental_alter_configs::{
    AlterConfigsResource as IncrementalAlterConfigsResource,
    AlterConfigsResourceResponse as IncrementalAlterConfigsResourceResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use crate::protocol::metadata_records::{ClearElrRecord, ConfigRecord, MetadataRecord};
use std::collections::BTreeSet;

const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

/// A resource that a request names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Resource<'a> {
    resource_type: ConfigResourceType,
    name: &'a str,
}

impl Controller {
    pub(super) fn incremental_alter_configs(
        &self,
        request: &IncrementalAlterConfigsRequest,
    ) -> ControllerResult {
        let resource_of = |altered: &'_ IncrementalAlterConfigsResource| {
            ConfigResourceType(altered.resource_type)
        };
        let duplicates = duplicates(
            request
                .resources
                .iter()
                .map(|one| (resource_of(one), &*one.resource_name)),
        );
        let configuration = self.dynamic_configuration();
        let mut records = Vec::new();
        let mut response = IncrementalAlterConfigsResponse::default();
        for altered in &request.resources {
            let resource = Resource {
                resource_type: resource_of(altered),
                name: &altered.resource_name,
            };
            let result = once(&duplicates, resource)
                .and_then(|()| self.incrementally_altered(resource, altered, &configuration))
                .map(|new| records.extend(new));
            let error = result
                .err()
                .unwrap_or_else(|| ApiError::bare(ErrorCode::NONE));
            response
                .responses
                .push(IncrementalAlterConfigsResourceResponse {
                    error_code: error.code.into(),
                    error_message: error.message.as_deref().map(Into::into),
                    resource_type: altered.resource_type,
                    resource_name: altered.resource_name.clone(),
                    ..IncrementalAlterConfigsResourceResponse::default()
                });
        }
        if request.validate_only {
            records.clear();
        }
        ControllerResult::atomic(records, Reply::IncrementalAlterConfigs(response))
    }

    pub(super) fn alter_configs(&self, request: &AlterConfigsRequest) -> ControllerResult {
        let resource_of =
            |altered: &'_ AlterConfigsResource| ConfigResourceType(altered.resource_type);
        let duplicates = duplicates(
            request
                .resources
                .iter()
                .map(|one| (resource_of(one), &*one.resource_name)),
        );
        let configuration = self.dynamic_configuration();
        let mut records = Vec::new();
        let mut response = AlterConfigsResponse::default();
        for altered in &request.resources {
            let resource = Resource {
                resource_type: resource_of(altered),
                name: &altered.resource_name,
            };
            let result = once(&duplicates, resource)
                .and_then(|()| self.replaced(resource, altered, &configuration))
                .map(|new| records.extend(new));
            let error = result
                .err()
                .unwrap_or_else(|| ApiError::bare(ErrorCode::NONE));
            response.responses.push(AlterConfigsResourceResponse {
                error_code: error.code.into(),
                error_message: error.message.as_deref().map(Into::into),
                resource_type: altered.resource_type,
                resource_name: altered.resource_name.clone(),
                ..AlterConfigsResourceResponse::default()
            });
        }
        if request.validate_only {
            records.clear();
        }
        ControllerResult::atomic(records, Reply::AlterConfigs(response))
    }

    fn incrementally_altered(
        &self,
        resource: Resource<'_>,
        altered: &IncrementalAlterConfigsResource,
        configuration: &Configuration,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let mut asked = Vec::with_capacity(altered.configs.len());
        for config in &altered.configs {
            let Some(operation) = Operation::from_code(config.config_operation) else {
                return Err(unknown_operation(resource, config.config_operation));
            };
            let value = config.value.as_deref();
            asked.push(Change {
                key: &config.name,
                operation,
                value,
            });
        }
        let kind = self.kind_of(resource)?;
        let current = self.overrides_of(resource);
        let changes = alter::alter(kind, &current, &asked, configuration)?;
        let keys = asked.iter().map(|change| change.key);
        self.config_records(resource, keys, &current, changes)
    }

    fn replaced(
        &self,
        resource: Resource<'_>,
        altered: &AlterConfigsResource,
        configuration: &Configuration,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let named: Vec<(&str, Option<&str>)> = altered
            .configs
            .iter()
            .map(|config| (&*config.name, config.value.as_deref()))
            .collect();
        let kind = self.kind_of(resource)?;
        let current = self.overrides_of(resource);
        let changes = alter::replace(kind, &current, &named, configuration)?;
        let keys = named.iter().map(|&(key, _)| key);
        self.config_records(resource, keys, &current, changes)
    }

    /// The configuration of this node with what was altered since it started.
    pub(super) fn dynamic_configuration(&self) -> Configuration {
        let configs = &self.image.configs;
        let node = self.settings.node_id.0.to_string();
        let of_node = overrides(configs.settings(ConfigResourceType::BROKER, &node));
        let of_cluster = overrides(configs.settings(ConfigResourceType::BROKER, ""));
        self.settings
            .configuration
            .with_dynamic(&of_node, &of_cluster)
            .0
    }

    fn overrides_of(&self, resource: Resource<'_>) -> Overrides {
        overrides(
            self.image
                .configs
                .settings(resource.resource_type, resource.name),
        )
    }

    /// Whether there is such a resource, and by which rules its settings go.
    fn kind_of(&self, resource: Resource<'_>) -> Result<alter::Resource, ApiError> {
        let name = resource.name;
        let invalid = |message: String| Err(ApiError::new(ErrorCode::INVALID_REQUEST, message));
        match resource.resource_type {
            ConfigResourceType::TOPIC => {
                if name.is_empty() {
                    return invalid("Default topic resources are not allowed.".to_owned());
                }
                topic_name::check(name)
                    .map_err(|why| ApiError::new(ErrorCode::INVALID_TOPIC_EXCEPTION, why))?;
                if self.image.topics.by_name(name).is_none() {
                    let message = format!("The topic '{name}' does not exist.");
                    return Err(ApiError::new(
                        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                        message,
                    ));
                }
                Ok(alter::Resource::Topic)
            }
            ConfigResourceType::BROKER if name.is_empty() => Ok(alter::Resource::Cluster),
            ConfigResourceType::BROKER => match name.parse::<i32>() {
                Err(_) => invalid(format!("Node id must be an integer, but it is: {name}")),
                // A broker checks what is changed of itself; of another it cannot.
                Ok(id) if NodeId(id) != self.settings.node_id => invalid(format!(
                    "Unexpected broker id, expected {}, but received {name}",
                    self.settings.node_id
                )),
                Ok(_) => Ok(alter::Resource::Broker),
            },
            ConfigResourceType::GROUP if name.is_empty() => {
                invalid("Default group resources are not allowed.".to_owned())
            }
            ConfigResourceType::GROUP => Ok(alter::Resource::Group),
            ConfigResourceType::CLIENT_METRICS if name.is_empty() => {
                invalid("Subscription name can't be empty".to_owned())
            }
            ConfigResourceType::CLIENT_METRICS => Ok(alter::Resource::ClientMetrics),
            ConfigResourceType(other) => invalid(format!("Unknown resource type {other}")),
        }
    }

    fn config_records<'a>(
        &self,
        resource: Resource<'_>,
        asked: impl Iterator<Item = &'a str>,
        current: &Overrides,
        mut changes: Changes,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let is_broker = resource.resource_type == ConfigResourceType::BROKER;
        let min_isr = changes
            .iter()
            .find(|(key, _)| key == MIN_INSYNC_REPLICAS)
            .cloned();
        let min_isr = min_isr.filter(|_| self.is_elr_enabled());
        if let Some((_, value)) = min_isr.as_ref().filter(|_| is_broker) {
            // KIP-966: every controller must work with the same minimum.
            let refuse = |message| Err(ApiError::new(ErrorCode::INVALID_CONFIG, message));
            if !resource.name.is_empty() {
                return refuse(
                    "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
                );
            }
            if value.is_none() {
                return refuse(
                    "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
                );
            }
        }
        if is_broker {
            // KAFKA-14136: a broker reloads what it is told again (a renewed certificate under an
            // unchanged path), so its settings are written even where they stay.
            for key in asked {
                if !changes.iter().any(|(changed, _)| changed == key) {
                    changes.push((key.to_owned(), current.get(key).cloned()));
                }
            }
        }
        let mut records: Vec<MetadataRecord> = changes
            .into_iter()
            .map(|(key, value)| {
                MetadataRecord::ConfigRecord(ConfigRecord {
                    resource_type: resource.resource_type.0,
                    resource_name: resource.name.into(),
                    name: key.as_str().into(),
                    value: value.as_deref().map(Into::into),
                    ..ConfigRecord::default()
                })
            })
            .collect();
        if min_isr.is_some() {
            // KIP-966: who was eligible under the old minimum need not be under the new one.
            let is_topic = resource.resource_type == ConfigResourceType::TOPIC;
            records.push(MetadataRecord::ClearElrRecord(ClearElrRecord {
                topic_name: if is_topic {
                    resource.name.into()
                } else {
                    "".into()
                },
                ..ClearElrRecord::default()
            }));
        }
        Ok(records)
    }
}

/// Apache looks at the operations on a broker before its controller does; the controller throws what
/// it does not expect.
fn unknown_operation(resource: Resource<'_>, operation: i8) -> ApiError {
    if resource.resource_type == ConfigResourceType::BROKER {
        let message = format!("Unknown operations type {operation}");
        return ApiError::new(ErrorCode::INVALID_REQUEST, message);
    }
    ApiError::bare(ErrorCode::UNKNOWN_SERVER_ERROR)
}

impl From<AlterError> for ApiError {
    fn from(error: AlterError) -> ApiError {
        match error {
            AlterError::InvalidConfig(message) => ApiError::new(ErrorCode::INVALID_CONFIG, message),
            AlterError::InvalidRequest(message) => {
                ApiError::new(ErrorCode::INVALID_REQUEST, message)
            }
        }
    }
}

/// Settings of the image as the configuration takes them.
pub(super) fn overrides(settings: &Settings) -> Overrides {
    settings
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

fn duplicates<'a>(
    resources: impl Iterator<Item = (ConfigResourceType, &'a str)>,
) -> BTreeSet<Resource<'a>> {
    named_twice(resources.map(|(resource_type, name)| Resource {
        resource_type,
        name,
    }))
}

fn once(duplicates: &BTreeSet<Resource<'_>>, resource: Resource<'_>) -> Result<(), ApiError> {
    if duplicates.contains(&resource) {
        let message = "Each resource must appear at most once.";
        return Err(ApiError::new(ErrorCode::INVALID_REQUEST, message));
    }
    Ok(())
}
