//! What administrators ask: topics made, changed and described; configs; offsets. Each call waits
//! for its answer; what a retry may mend is retried until `request.timeout.ms`.

use super::blocking::Client;
use super::error::ClientError;
use crate::base::ids::{NodeId, Offset};
use crate::base::time::Instant;
use crate::base::uuid::Uuid;
use crate::protocol::messages::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use crate::protocol::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use crate::protocol::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use crate::protocol::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use crate::protocol::messages::describe_topic_partitions::request::{
    Cursor, DescribeTopicPartitionsRequest, TopicRequest,
};
use crate::protocol::messages::describe_topic_partitions::response::DescribeTopicPartitionsResponseTopic;
use crate::protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use crate::protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use crate::protocol::messages::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsTopics,
};
use crate::protocol::{ErrorCode, Request, Str};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Kafka's code of topics among the things that have configs.
pub const RESOURCE_TOPIC: i8 = 2;
/// Kafka's code of brokers among the things that have configs.
pub const RESOURCE_BROKER: i8 = 4;

/// Where a config's value comes from: Kafka's own default.
const SOURCE_DEFAULT: i8 = 5;

/// A topic to make.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; the cluster's default where it is `None`.
    pub partitions: Option<i32>,
    /// How many replicas of each; the cluster's default where it is `None`.
    pub replication_factor: Option<i16>,
    /// Brokers of each partition; chosen by the controller where it is empty.
    pub assignments: Vec<Vec<i32>>,
    /// Its configs, by name.
    pub configs: BTreeMap<String, String>,
}

/// A topic as the cluster describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// Its id.
    pub topic_id: Uuid,
    /// Whether Kafka itself writes it.
    pub is_internal: bool,
    /// Its partitions, in order of their index.
    pub partitions: Vec<PartitionDescription>,
}

/// A partition as the cluster describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionDescription {
    /// Which of its topic.
    pub index: i32,
    /// Its leader; `None` while it has none.
    pub leader: Option<i32>,
    /// Brokers that hold it, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those in sync.
    pub isr: Vec<i32>,
    /// Those that could lead without loss though out of sync (KIP-966); `None` where not known.
    pub elr: Option<Vec<i32>>,
    /// Those that were such when the last leader was lost; `None` where not known.
    pub last_known_elr: Option<Vec<i32>>,
}

/// One config of a topic or a broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// Its value; `None` where it has none, or may not be shown.
    pub value: Option<String>,
    /// Whether that is Kafka's own default.
    pub is_default: bool,
}

/// A partition that moves.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Reassignment {
    /// Brokers it moves to.
    pub adding: Vec<i32>,
    /// Brokers it moves away from.
    pub removing: Vec<i32>,
}

/// Which offset is asked for: a timestamp in ms, or one of Kafka's negative ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OffsetSpec(pub i64);

impl OffsetSpec {
    /// The end of the log.
    pub const LATEST: OffsetSpec = OffsetSpec(-1);
    /// The start of the log.
    pub const EARLIEST: OffsetSpec = OffsetSpec(-2);
    /// The record with the largest timestamp. KIP-734.
    pub const MAX_TIMESTAMP: OffsetSpec = OffsetSpec(-3);
    /// The start of what lies on local disks. KIP-405.
    pub const EARLIEST_LOCAL: OffsetSpec = OffsetSpec(-4);
    /// The last offset in tiered storage. KIP-1005.
    pub const LATEST_TIERED: OffsetSpec = OffsetSpec(-5);
    /// The first offset that tiered storage waits for. KIP-1023.
    pub const EARLIEST_PENDING_UPLOAD: OffsetSpec = OffsetSpec(-6);

    /// The version of ListOffsets that first knew it.
    fn version(self) -> i16 {
        match self.0 {
            -3 => 7,
            -4 => 8,
            -5 => 9,
            -6 => 11,
            _ => 1,
        }
    }
}

/// The offset of a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedOffset {
    /// Name of the topic.
    pub topic: Rc<str>,
    /// Which partition of it.
    pub partition: i32,
    /// The offset; `None` where there is no such record.
    pub result: Result<Option<Offset>, ErrorCode>,
}

/// What the leaders said so far.
type Listed = BTreeMap<(Rc<str>, i32), Result<Option<Offset>, ErrorCode>>;

impl Client {
    /// Asks until the answer's errors are none that a retry may mend. `judge` finds the error.
    fn administer<R: Request>(
        &mut self,
        request: &R,
        judge: impl Fn(&R::Response) -> Result<(), ClientError>,
    ) -> Result<R::Response, ClientError> {
        let deadline = self.now().instant + self.options().request_timeout;
        loop {
            let response = self.call_any(request)?;
            match judge(&response) {
                Ok(()) => return Ok(response),
                Err(error) if error.is_retriable() && self.now().instant < deadline => {
                    self.pause(self.options().retry_backoff)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn timeout_ms(&self) -> i32 {
        i32::try_from(self.options().request_timeout.as_millis()).unwrap_or(i32::MAX)
    }

    /// Makes a topic.
    pub fn create_topic(&mut self, topic: &NewTopic) -> Result<(), ClientError> {
        let assigned = !topic.assignments.is_empty();
        let assignments = (0..)
            .zip(&topic.assignments)
            .map(|(partition_index, brokers)| CreatableReplicaAssignment {
                partition_index,
                broker_ids: brokers.clone(),
                ..CreatableReplicaAssignment::default()
            });
        let configs = topic
            .configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig {
                name: name.as_str().into(),
                value: Some(value.as_str().into()),
                ..CreatableTopicConfig::default()
            });
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: topic.name.as_str().into(),
                num_partitions: topic.partitions.filter(|_| !assigned).unwrap_or(-1),
                replication_factor: topic.replication_factor.filter(|_| !assigned).unwrap_or(-1),
                assignments: assignments.collect(),
                configs: configs.collect(),
                ..CreatableTopic::default()
            }],
            timeout_ms: self.timeout_ms(),
            ..CreateTopicsRequest::default()
        };
        self.administer(&request, |response| {
            response.topics.iter().try_for_each(|topic| {
                judged(
                    "CreateTopics",
                    topic.error_code,
                    topic.error_message.as_ref(),
                )
            })
        })
        .map(|_| ())
    }

    /// Gives a topic more partitions, those that are new on the brokers of `assignments` where
    /// it is not empty.
    pub fn create_partitions(
        &mut self,
        topic: &str,
        count: i32,
        assignments: &[Vec<i32>],
    ) -> Result<(), ClientError> {
        let assignments: Vec<CreatePartitionsAssignment> = assignments
            .iter()
            .map(|brokers| CreatePartitionsAssignment {
                broker_ids: brokers.clone(),
                ..CreatePartitionsAssignment::default()
            })
            .collect();
        let request = CreatePartitionsRequest {
            topics: vec![CreatePartitionsTopic {
                name: topic.into(),
                count,
                assignments: (!assignments.is_empty()).then_some(assignments),
                ..CreatePartitionsTopic::default()
            }],
            timeout_ms: self.timeout_ms(),
            ..CreatePartitionsRequest::default()
        };
        self.administer(&request, |response| {
            response.results.iter().try_for_each(|topic| {
                judged(
                    "CreatePartitions",
                    topic.error_code,
                    topic.error_message.as_ref(),
                )
            })
        })
        .map(|_| ())
    }

    /// Deletes topics. The first error is returned; the others may be deleted.
    pub fn delete_topics(&mut self, names: &[String]) -> Result<(), ClientError> {
        if names.is_empty() {
            return Ok(());
        }
        // Up to version 5 names alone, from version 6 on names or ids.
        let request = DeleteTopicsRequest {
            topics: names
                .iter()
                .map(|name| DeleteTopicState {
                    name: Some(name.as_str().into()),
                    ..DeleteTopicState::default()
                })
                .collect(),
            topic_names: names.iter().map(|name| Str::from(name.as_str())).collect(),
            timeout_ms: self.timeout_ms(),
            ..DeleteTopicsRequest::default()
        };
        self.administer(&request, |response| {
            response.responses.iter().try_for_each(|topic| {
                judged(
                    "DeleteTopics",
                    topic.error_code,
                    topic.error_message.as_ref(),
                )
            })
        })
        .map(|_| ())
    }

    /// Describes topics, asking for so many partitions at a time; from a broker before 3.8, by
    /// its metadata.
    pub fn describe_topics(
        &mut self,
        names: &[String],
        partition_limit: i32,
    ) -> Result<Vec<TopicDescription>, ClientError> {
        let mut described: Vec<TopicDescription> = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            // The topics before the cursor have been answered.
            let after = cursor.as_ref().map_or("", |cursor| &cursor.topic_name);
            let mut wanted: Vec<&String> =
                names.iter().filter(|name| name.as_str() >= after).collect();
            wanted.sort();
            let request = DescribeTopicPartitionsRequest {
                topics: wanted
                    .iter()
                    .map(|name| TopicRequest {
                        name: name.as_str().into(),
                        ..TopicRequest::default()
                    })
                    .collect(),
                response_partition_limit: partition_limit,
                cursor: cursor.clone(),
                ..DescribeTopicPartitionsRequest::default()
            };
            let response = match self.call_any(&request) {
                Err(ClientError::Unsupported { .. }) => return self.described_by_metadata(names),
                result => result?,
            };
            let before = (
                described.len(),
                described.last().map_or(0, |last| last.partitions.len()),
            );
            for topic in &response.topics {
                let name = topic
                    .name
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let what = format!("describing topic {name}");
                judged(&what, topic.error_code, None)?;
                let partitions = described_partitions(topic);
                match described.last_mut().filter(|last| last.name == name) {
                    Some(last) => last.partitions.extend(partitions),
                    None => described.push(TopicDescription {
                        name,
                        topic_id: topic.topic_id,
                        is_internal: topic.is_internal,
                        partitions,
                    }),
                }
            }
            let after = (
                described.len(),
                described.last().map_or(0, |last| last.partitions.len()),
            );
            cursor = response.next_cursor.map(|next| Cursor {
                topic_name: next.topic_name,
                partition_index: next.partition_index,
                ..Cursor::default()
            });
            // A cursor that leads nowhere would be followed for ever.
            if cursor.is_none() || before == after {
                break;
            }
        }
        for topic in &mut described {
            topic.partitions.sort_by_key(|partition| partition.index);
        }
        Ok(described)
    }

    fn described_by_metadata(
        &mut self,
        names: &[String],
    ) -> Result<Vec<TopicDescription>, ClientError> {
        self.refresh_all_topics()?;
        let topics = names.iter().filter_map(|name| self.cluster().topic(name));
        Ok(topics
            .map(|topic| TopicDescription {
                name: topic.name.to_string(),
                topic_id: topic.topic_id,
                is_internal: topic.is_internal,
                partitions: topic
                    .partitions
                    .iter()
                    .map(|partition| PartitionDescription {
                        index: partition.index,
                        leader: partition.leader.map(|leader| leader.0),
                        replicas: partition.replicas.clone(),
                        isr: partition.isr.clone(),
                        elr: None,
                        last_known_elr: None,
                    })
                    .collect(),
            })
            .collect())
    }

    /// All configs of topics, in the broker's order.
    pub fn topic_configs(
        &mut self,
        names: &[String],
    ) -> Result<BTreeMap<String, Vec<ConfigEntry>>, ClientError> {
        self.configs(RESOURCE_TOPIC, names)
    }

    /// All configs of topics, or of brokers (which have to be asked themselves).
    pub fn configs(
        &mut self,
        resource_type: i8,
        names: &[String],
    ) -> Result<BTreeMap<String, Vec<ConfigEntry>>, ClientError> {
        let request = DescribeConfigsRequest {
            resources: names
                .iter()
                .map(|name| DescribeConfigsResource {
                    resource_type,
                    resource_name: name.as_str().into(),
                    configuration_keys: None,
                    ..DescribeConfigsResource::default()
                })
                .collect(),
            ..DescribeConfigsRequest::default()
        };
        let response = match names.first().and_then(|name| name.parse::<i32>().ok()) {
            Some(node) if resource_type == RESOURCE_BROKER => self.call(NodeId(node), &request)?,
            Some(_) | None => self.call_any(&request)?,
        };
        let mut configs = BTreeMap::new();
        for result in &response.results {
            let what = format!("describing configs of {}", result.resource_name);
            judged(&what, result.error_code, result.error_message.as_ref())?;
            let entries = result.configs.iter().map(|config| ConfigEntry {
                name: config.name.to_string(),
                value: config.value.as_ref().map(ToString::to_string),
                is_default: config.config_source == SOURCE_DEFAULT,
            });
            configs.insert(result.resource_name.to_string(), entries.collect());
        }
        Ok(configs)
    }

    /// Sets configs of a topic or broker; those with `None` go back to their defaults.
    pub fn alter_configs(
        &mut self,
        resource_type: i8,
        name: &str,
        changes: &BTreeMap<String, Option<String>>,
    ) -> Result<(), ClientError> {
        let configs = changes.iter().map(|(name, value)| AlterableConfig {
            name: name.as_str().into(),
            // 0 sets, 1 deletes.
            config_operation: i8::from(value.is_none()),
            value: value.as_deref().map(Str::from),
            ..AlterableConfig::default()
        });
        let request = IncrementalAlterConfigsRequest {
            resources: vec![AlterConfigsResource {
                resource_type,
                resource_name: name.into(),
                configs: configs.collect(),
                ..AlterConfigsResource::default()
            }],
            ..IncrementalAlterConfigsRequest::default()
        };
        self.administer(&request, |response| {
            response.responses.iter().try_for_each(|result| {
                let message = result.error_message.as_ref();
                judged("IncrementalAlterConfigs", result.error_code, message)
            })
        })
        .map(|_| ())
    }

    /// Partitions of these topics that move. A broker that does not know of such has none.
    pub fn reassignments(
        &mut self,
        names: &[String],
    ) -> Result<BTreeMap<(String, i32), Reassignment>, ClientError> {
        let request = ListPartitionReassignmentsRequest {
            timeout_ms: self.timeout_ms(),
            topics: Some(
                names
                    .iter()
                    .map(|name| ListPartitionReassignmentsTopics {
                        name: name.as_str().into(),
                        partition_indexes: (0..self.cluster().partition_count(name)).collect(),
                        ..ListPartitionReassignmentsTopics::default()
                    })
                    .collect(),
            ),
            ..ListPartitionReassignmentsRequest::default()
        };
        let response = match self.call_any(&request) {
            Err(ClientError::Unsupported { .. }) => return Ok(BTreeMap::new()),
            result => result?,
        };
        let message = response.error_message.as_ref();
        judged("ListPartitionReassignments", response.error_code, message)?;
        let mut moving = BTreeMap::new();
        for topic in &response.topics {
            for partition in &topic.partitions {
                moving.insert(
                    (topic.name.to_string(), partition.partition_index),
                    Reassignment {
                        adding: partition.adding_replicas.clone(),
                        removing: partition.removing_replicas.clone(),
                    },
                );
            }
        }
        Ok(moving)
    }

    /// One offset of each partition, in the order they were given. Leaders that moved are asked
    /// again; what is left then is that partition's error.
    pub fn list_offsets(
        &mut self,
        partitions: &[(Rc<str>, i32)],
        spec: OffsetSpec,
    ) -> Result<Vec<ListedOffset>, ClientError> {
        let deadline = self.now().instant + self.options().request_timeout;
        let mut results = Listed::new();
        loop {
            self.ask_leaders(partitions, spec, &mut results)?;
            let again = partitions
                .iter()
                .any(|partition| is_open(&results, partition));
            if !again || self.now().instant >= deadline {
                break;
            }
            self.refresh_between(deadline)?;
        }
        Ok(partitions
            .iter()
            .map(|(topic, partition)| ListedOffset {
                topic: Rc::clone(topic),
                partition: *partition,
                result: results
                    .get(&(Rc::clone(topic), *partition))
                    .cloned()
                    .unwrap_or(Err(ErrorCode::LEADER_NOT_AVAILABLE)),
            })
            .collect())
    }

    fn refresh_between(&mut self, deadline: Instant) -> Result<(), ClientError> {
        self.pause(
            self.options()
                .retry_backoff
                .min(deadline.since(self.now().instant)),
        )?;
        let names: Vec<String> = self
            .cluster()
            .topics()
            .map(|topic| topic.name.to_string())
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.refresh(Some(&names), false)
    }

    /// Asks each leader for those of its partitions that are still open.
    fn ask_leaders(
        &mut self,
        partitions: &[(Rc<str>, i32)],
        spec: OffsetSpec,
        results: &mut Listed,
    ) -> Result<(), ClientError> {
        let mut by_leader: BTreeMap<NodeId, BTreeMap<&Rc<str>, Vec<i32>>> = BTreeMap::new();
        for partition in partitions
            .iter()
            .filter(|partition| is_open(results, partition))
        {
            let (topic, index) = partition;
            if let Some(leader) = self.cluster().leader(topic, *index) {
                let topics = by_leader.entry(leader).or_default();
                topics.entry(topic).or_default().push(*index);
            }
        }
        for (leader, topics) in by_leader {
            let topic_requests = topics.iter().map(|(topic, indexes)| ListOffsetsTopic {
                name: (&***topic).into(),
                partitions: indexes
                    .iter()
                    .map(|&partition_index| ListOffsetsPartition {
                        partition_index,
                        timestamp: spec.0,
                        ..ListOffsetsPartition::default()
                    })
                    .collect(),
                ..ListOffsetsTopic::default()
            });
            let request = ListOffsetsRequest {
                replica_id: -1,
                topics: topic_requests.collect(),
                timeout_ms: self.timeout_ms(),
                ..ListOffsetsRequest::default()
            };
            let response = match self.version::<ListOffsetsRequest>(leader) {
                Ok(version) if version < spec.version() => Err(ClientError::Unsupported {
                    api: format!("ListOffsets for {}", spec.0),
                    broker: Some((1, version)),
                }),
                Ok(_) => self.call(leader, &request),
                Err(error) => Err(error),
            };
            let response = match response {
                Err(error) if error.is_retriable() => continue,
                result => result?,
            };
            for topic in &response.topics {
                let name: Rc<str> = Rc::from(&*topic.name);
                for partition in &topic.partitions {
                    let result = match ErrorCode::from(partition.error_code) {
                        ErrorCode::NONE => {
                            Ok(Some(Offset(partition.offset)).filter(|offset| offset.0 >= 0))
                        }
                        error => Err(error),
                    };
                    results.insert((Rc::clone(&name), partition.partition_index), result);
                }
            }
        }
        Ok(())
    }
}

/// Whether a partition has to be asked for (again).
fn is_open(results: &Listed, partition: &(Rc<str>, i32)) -> bool {
    match results.get(partition) {
        None => true,
        Some(Ok(_)) => false,
        Some(Err(error)) => error.is_retriable(),
    }
}

fn judged(what: &str, code: i16, message: Option<&Str>) -> Result<(), ClientError> {
    match ErrorCode::from(code) {
        ErrorCode::NONE => Ok(()),
        error => {
            let message = message
                .map(ToString::to_string)
                .filter(|text| !text.is_empty());
            Err(ClientError::kafka(what, error, message))
        }
    }
}

fn described_partitions(topic: &DescribeTopicPartitionsResponseTopic) -> Vec<PartitionDescription> {
    topic
        .partitions
        .iter()
        .map(|partition| PartitionDescription {
            index: partition.partition_index,
            leader: (partition.leader_id >= 0).then_some(partition.leader_id),
            replicas: partition.replica_nodes.clone(),
            isr: partition.isr_nodes.clone(),
            elr: partition.eligible_leader_replicas.clone(),
            last_known_elr: partition.last_known_elr.clone(),
        })
        .collect()
}
