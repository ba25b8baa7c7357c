//! CreateTopics: checks names, counts, assignments and settings, places the replicas, and writes
//! one TopicRecord, its ConfigRecords and its PartitionRecords per topic, all in one batch.

use super::api_error::ApiError;
use super::placement;
use super::topic_name::{self, CLUSTER_METADATA_TOPIC};
use super::{Controller, ControllerResult, Reply, named_twice};
use crate::base::ids::{NodeId, TopicId};
use crate::base::limits::RECORDS_PER_COMMAND_MAX;
use crate::base::prng::Prng;
use crate::base::uuid::Uuid;
use crate::config::{Configuration, Overrides, alter, describe};
use crate::metadata::image::configs::ConfigResourceType;
use crate::metadata::image::node_list::NodeList;
use crate::metadata::image::partition::{Partition, directory};
use crate::protocol::ErrorCode;
use crate::protocol::messages::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse,
};
use crate::protocol::metadata_records::{ConfigRecord, MetadataRecord, TopicRecord};
use std::collections::BTreeMap;

impl Controller {
    pub(super) fn create_topics(
        &self,
        request: &CreateTopicsRequest,
        prng: &mut Prng,
    ) -> ControllerResult {
        let mut response = CreateTopicsResponse::default();
        let duplicates = named_twice(request.topics.iter().map(|topic| &*topic.name));
        let configuration = self.dynamic_configuration();
        let mut records = Vec::new();
        for topic in &request.topics {
            let name = &*topic.name;
            if duplicates.contains(name) || name == CLUSTER_METADATA_TOPIC {
                continue; // answered below, once
            }
            let result = if self.asks_for_too_many(request) {
                let message = "Excessively large number of partitions per request.";
                Err(ApiError::new(ErrorCode::POLICY_VIOLATION, message))
            } else {
                self.create_topic(topic, &configuration, prng, &mut records)
            };
            response
                .topics
                .push(result.unwrap_or_else(|error| failed(name, &error)));
        }
        for name in duplicates {
            let error = ApiError::new(ErrorCode::INVALID_REQUEST, "Duplicate topic name.");
            response.topics.push(failed(name, &error));
        }
        let names_metadata = |topic: &CreatableTopic| &*topic.name == CLUSTER_METADATA_TOPIC;
        if request.topics.iter().any(names_metadata) {
            let message =
                format!("Creation of internal topic {CLUSTER_METADATA_TOPIC} is prohibited.");
            let error = ApiError::new(ErrorCode::INVALID_REQUEST, message);
            response.topics.push(failed(CLUSTER_METADATA_TOPIC, &error));
        }
        if records.len() > RECORDS_PER_COMMAND_MAX {
            let message = "Unable to perform excessively large batch operation.";
            let error = ApiError::new(ErrorCode::POLICY_VIOLATION, message);
            response.topics = request
                .topics
                .iter()
                .map(|it| failed(&it.name, &error))
                .collect();
            records.clear();
        }
        if request.validate_only {
            records.clear();
        }
        ControllerResult::atomic(records, Reply::CreateTopics(response))
    }

    /// The records of one request stand in one batch: it must not grow without bound.
    fn asks_for_too_many(&self, request: &CreateTopicsRequest) -> bool {
        let wanted = request
            .topics
            .iter()
            .map(|topic| match topic.assignments.len() {
                0 if topic.num_partitions == -1 => self.settings.configuration.num_partitions(),
                0 => topic.num_partitions.max(0),
                assigned => i32::try_from(assigned).unwrap_or(i32::MAX),
            });
        let total: i64 = wanted.map(i64::from).sum();
        usize::try_from(total).map_or(true, |total| total > RECORDS_PER_COMMAND_MAX)
    }

    fn create_topic(
        &self,
        topic: &CreatableTopic,
        configuration: &Configuration,
        prng: &mut Prng,
        records: &mut Vec<MetadataRecord>,
    ) -> Result<CreatableTopicResult, ApiError> {
        self.check_new_name(&topic.name)?;
        let configs = self.check_creation_configs(topic, configuration)?;
        let partitions = if topic.assignments.is_empty() {
            self.placed_partitions(topic, prng)?
        } else {
            self.assigned_partitions(topic)?
        };
        let topic_id = self.new_topic_id(prng);
        let version = self.image.features.metadata_version();
        records.push(MetadataRecord::TopicRecord(TopicRecord {
            name: topic.name.clone(),
            topic_id,
            ..TopicRecord::default()
        }));
        // Kafka's order: a broker knows a topic's settings before it opens a partition.
        records.extend(configs.iter().map(|(key, value)| {
            MetadataRecord::ConfigRecord(ConfigRecord {
                resource_type: ConfigResourceType::TOPIC.0,
                resource_name: topic.name.clone(),
                name: key.as_str().into(),
                value: Some(value.as_str().into()),
                ..ConfigRecord::default()
            })
        }));
        records.extend((0_i32..).zip(&partitions).map(|(index, partition)| {
            MetadataRecord::PartitionRecord(partition.to_record(topic_id, index, version))
        }));
        let replicas = partitions
            .first()
            .map_or(0, |partition| partition.replicas.len());
        Ok(CreatableTopicResult {
            name: topic.name.clone(),
            topic_id,
            error_code: ErrorCode::NONE.into(),
            error_message: None,
            topic_config_error_code: ErrorCode::NONE.into(),
            num_partitions: i32::try_from(partitions.len()).unwrap_or(i32::MAX),
            replication_factor: i16::try_from(replicas).unwrap_or(i16::MAX),
            configs: Some(creation_result_configs(&configs, configuration)),
            ..CreatableTopicResult::default()
        })
    }

    fn check_new_name(&self, name: &str) -> Result<(), ApiError> {
        topic_name::check(name)
            .map_err(|why| ApiError::new(ErrorCode::INVALID_TOPIC_EXCEPTION, why))?;
        if self.image.topics.by_name(name).is_some() {
            let message = format!("Topic '{name}' already exists.");
            return Err(ApiError::new(ErrorCode::TOPIC_ALREADY_EXISTS, message));
        }
        let unified = topic_name::unified(name);
        let colliding = unified.and_then(|unified| self.unified_names.get(&unified)?.first());
        if let Some(existing) = colliding {
            let message = format!("Topic '{name}' collides with existing topic: {existing}");
            return Err(ApiError::new(ErrorCode::INVALID_TOPIC_EXCEPTION, message));
        }
        Ok(())
    }

    fn check_creation_configs(
        &self,
        topic: &CreatableTopic,
        configuration: &Configuration,
    ) -> Result<Overrides, ApiError> {
        let configs: Vec<(&str, Option<&str>)> = topic
            .configs
            .iter()
            .map(|config| (&*config.name, config.value.as_deref()))
            .collect();
        Ok(alter::validate_new_topic(&configs, configuration)?)
    }

    fn assigned_partitions(&self, topic: &CreatableTopic) -> Result<Vec<Partition>, ApiError> {
        let contradiction = |what: &str| {
            let message = format!(
                "A manual partition assignment was specified, but {what} was not set to -1."
            );
            Err(ApiError::new(ErrorCode::INVALID_REQUEST, message))
        };
        if topic.replication_factor != -1 {
            return contradiction("replication factor");
        }
        if topic.num_partitions != -1 {
            return contradiction("numPartitions");
        }
        let mut partitions: BTreeMap<i32, Partition> = BTreeMap::new();
        let mut replication_factor = None;
        for assignment in &topic.assignments {
            let index = assignment.partition_index;
            if partitions.contains_key(&index) {
                let message =
                    format!("Found multiple manual partition assignments for partition {index}");
                return Err(ApiError::new(
                    ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                    message,
                ));
            }
            let replicas = NodeList::from_ids(&assignment.broker_ids);
            self.check_manual_assignment(&replicas, replication_factor)?;
            replication_factor = Some(replicas.len());
            partitions.insert(index, self.assigned_partition(replicas, index)?);
        }
        if !partitions
            .keys()
            .copied()
            .eq(0..i32::try_from(partitions.len()).unwrap_or(i32::MAX))
        {
            let message = "partitions should be a consecutive 0-based integer sequence";
            return Err(ApiError::new(
                ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                message,
            ));
        }
        Ok(partitions.into_values().collect())
    }

    pub(super) fn assigned_partition(
        &self,
        replicas: NodeList,
        index: i32,
    ) -> Result<Partition, ApiError> {
        let isr: NodeList = replicas
            .iter()
            .copied()
            .filter(|&replica| self.is_active(replica))
            .collect();
        if isr.is_empty() {
            let message = format!(
                "All brokers specified in the manual partition assignment for partition {index} are \
                 fenced or in controlled shutdown."
            );
            return Err(ApiError::new(
                ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                message,
            ));
        }
        Ok(self.new_partition(replicas, isr))
    }

    pub(super) fn check_manual_assignment(
        &self,
        replicas: &NodeList,
        replication_factor: Option<usize>,
    ) -> Result<(), ApiError> {
        let refuse = |what: String| {
            let message = format!("The manual partition assignment includes {what}");
            Err(ApiError::new(
                ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                message,
            ))
        };
        if replicas.is_empty() {
            return refuse("an empty replica list.".to_owned());
        }
        let mut sorted: Vec<NodeId> = replicas.to_vec();
        sorted.sort_unstable();
        let mut previous = None;
        for broker in sorted {
            if self.image.cluster.broker(broker).is_none() {
                return refuse(format!(
                    "broker {broker}, but no such broker is registered."
                ));
            }
            if previous == Some(broker) {
                return refuse(format!("the broker {broker} more than once."));
            }
            previous = Some(broker);
        }
        match replication_factor {
            Some(factor) if factor != replicas.len() => refuse(format!(
                "a partition with {} replica(s), but this is not consistent with previous \
                 partitions, which have {factor} replica(s).",
                replicas.len()
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn placed_partitions(
        &self,
        topic: &CreatableTopic,
        prng: &mut Prng,
    ) -> Result<Vec<Partition>, ApiError> {
        if topic.replication_factor < -1 || topic.replication_factor == 0 {
            let message =
                "Replication factor must be larger than 0, or -1 to use the default value.";
            return Err(ApiError::new(
                ErrorCode::INVALID_REPLICATION_FACTOR,
                message,
            ));
        }
        if topic.num_partitions < -1 || topic.num_partitions == 0 {
            let message = "Number of partitions was set to an invalid non-positive value.";
            return Err(ApiError::new(ErrorCode::INVALID_PARTITIONS, message));
        }
        let count = match topic.num_partitions {
            -1 => self.settings.configuration.num_partitions(),
            count => count,
        };
        let factor = match topic.replication_factor {
            -1 => {
                let factor = self.settings.configuration.default_replication_factor();
                i16::try_from(factor).unwrap_or(i16::MAX)
            }
            factor => factor,
        };
        let count = usize::try_from(count).unwrap_or(0);
        self.place_partitions(count, factor, prng)
    }

    pub(super) fn place_partitions(
        &self,
        count: usize,
        replication_factor: i16,
        prng: &mut Prng,
    ) -> Result<Vec<Partition>, ApiError> {
        let refuse = |why: &str| {
            let message =
                format!("Unable to replicate the partition {replication_factor} time(s): {why}");
            ApiError::new(ErrorCode::INVALID_REPLICATION_FACTOR, message)
        };
        let placed = placement::place(&self.image.cluster, count, replication_factor, prng)
            .map_err(|why| refuse(&why))?;
        let partitions = placed.into_iter().map(|replicas| {
            let isr: NodeList = replicas
                .iter()
                .copied()
                .filter(|&replica| self.is_active(replica))
                .collect();
            if isr.is_empty() {
                return Err(refuse(
                    "All brokers are currently fenced or in controlled shutdown.",
                ));
            }
            Ok(self.new_partition(replicas, isr))
        });
        partitions.collect()
    }

    fn new_partition(&self, replicas: NodeList, isr: NodeList) -> Partition {
        let directories = replicas
            .iter()
            .map(|&replica| self.default_directory(replica))
            .collect();
        Partition::new(replicas, directories, isr)
    }

    pub(super) fn default_directory(&self, broker: NodeId) -> Uuid {
        let broker = self.image.cluster.broker(broker);
        broker.map_or(directory::UNASSIGNED, |broker| broker.default_directory())
    }

    fn new_topic_id(&self, prng: &mut Prng) -> TopicId {
        loop {
            let id = Uuid::from_random(prng.next(), prng.next());
            if self.image.topics.by_id(id).is_none() {
                return id;
            }
        }
    }
}

fn creation_result_configs(
    creation: &Overrides,
    configuration: &Configuration,
) -> Vec<CreatableTopicConfigs> {
    let rows = describe::describe_topic(creation, configuration).into_iter();
    let configs = rows.map(|row| CreatableTopicConfigs {
        name: row.name.as_str().into(),
        value: row.value.as_deref().map(Into::into),
        read_only: row.read_only,
        config_source: row.source.code(),
        is_sensitive: row.sensitive,
        ..CreatableTopicConfigs::default()
    });
    configs.collect()
}

/// The answer that a topic was not created.
pub(super) fn failed(name: &str, error: &ApiError) -> CreatableTopicResult {
    CreatableTopicResult {
        name: name.into(),
        error_code: error.code.into(),
        error_message: error.message.as_deref().map(Into::into),
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}
