//! CreatePartitions: adds partitions to topics that exist. What is there keeps its partition: a
//! count can only grow.

use super::api_error::ApiError;
use super::{Controller, ControllerResult, Reply, named_twice};
use crate::base::limits::RECORDS_PER_COMMAND_MAX;
use crate::base::prng::Prng;
use crate::metadata::image::node_list::NodeList;
use crate::metadata::image::partition::Partition;
use crate::protocol::ErrorCode;
use crate::protocol::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
    CreatePartitionsTopicResult,
};
use crate::protocol::metadata_records::MetadataRecord;

impl Controller {
    pub(super) fn create_partitions(
        &self,
        request: &CreatePartitionsRequest,
        prng: &mut Prng,
    ) -> ControllerResult {
        let mut response = CreatePartitionsResponse::default();
        let duplicates = named_twice(request.topics.iter().map(|topic| &*topic.name));
        let mut answer = |name: &str, error: &ApiError| {
            response.results.push(CreatePartitionsTopicResult {
                name: name.into(),
                error_code: error.code.into(),
                error_message: error.message.as_deref().map(Into::into),
                ..CreatePartitionsTopicResult::default()
            });
        };
        for name in &duplicates {
            answer(
                name,
                &ApiError::new(ErrorCode::INVALID_REQUEST, "Duplicate topic name."),
            );
        }
        let mut records = Vec::new();
        for topic in request
            .topics
            .iter()
            .filter(|topic| !duplicates.contains(&*topic.name))
        {
            match self.new_partitions(topic, records.len(), prng) {
                Ok(new) => {
                    records.extend(new);
                    answer(&topic.name, &ApiError::bare(ErrorCode::NONE));
                }
                Err(error) => answer(&topic.name, &error),
            }
        }
        if request.validate_only {
            records.clear();
        }
        ControllerResult::atomic(records, Reply::CreatePartitions(response))
    }

    fn new_partitions(
        &self,
        request: &CreatePartitionsTopic,
        records_before: usize,
        prng: &mut Prng,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let topic = self
            .image
            .topics
            .by_name(&request.name)
            .ok_or_else(|| ApiError::bare(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION))?;
        let existing = topic.partition_count();
        let wanted = usize::try_from(request.count).unwrap_or(0);
        if wanted == existing {
            let message = format!("Topic already has {existing} partition(s).");
            return Err(ApiError::new(ErrorCode::INVALID_PARTITIONS, message));
        }
        if wanted < existing {
            let message = format!(
                "The topic {} currently has {existing} partition(s); {} would not be an increase.",
                request.name, request.count
            );
            return Err(ApiError::new(ErrorCode::INVALID_PARTITIONS, message));
        }
        let additional = wanted - existing;
        if records_before + additional > RECORDS_PER_COMMAND_MAX {
            let message = "Excessively large number of partitions per request.";
            return Err(ApiError::new(ErrorCode::POLICY_VIOLATION, message));
        }
        let factor = topic
            .partitions()
            .next()
            .map_or(0, |(_, first)| first.replicas.len());
        let partitions: Vec<Partition> = match &request.assignments {
            Some(assignments) if assignments.len() != additional => {
                let message = format!(
                    "Attempted to add {additional} additional partition(s), but only {} \
                     assignment(s) were specified.",
                    assignments.len()
                );
                return Err(ApiError::new(
                    ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                    message,
                ));
            }
            Some(assignments) => (existing..)
                .zip(assignments)
                .map(|(index, assignment)| {
                    let replicas = NodeList::from_ids(&assignment.broker_ids);
                    self.check_manual_assignment(&replicas, Some(factor))?;
                    self.assigned_partition(replicas, i32::try_from(index).unwrap_or(i32::MAX))
                })
                .collect::<Result<_, _>>()?,
            None => {
                let factor = i16::try_from(factor).unwrap_or(i16::MAX);
                self.place_partitions(additional, factor, prng)?
            }
        };
        let version = self.image.features.metadata_version();
        let records = (existing..).zip(partitions).map(|(index, partition)| {
            let index = i32::try_from(index).expect("a topic has fewer than 2^31 partitions");
            MetadataRecord::PartitionRecord(partition.to_record(topic.id, index, version))
        });
        Ok(records.collect())
    }
}
