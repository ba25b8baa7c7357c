//! Metadata (key 3): which topics there are, who leads their partitions, where brokers are reached.
//! Topics that are asked for and missing are created where the broker allows it.

use super::describe_cluster::{CLUSTER_OPERATIONS, OPERATIONS_NOT_ASKED, TOPIC_OPERATIONS};
use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::base::ids::TopicId;
use crate::controller::{Command, auto_create_request, check_topic_name};
use crate::metadata::image::cluster::BrokerRegistration;
use crate::metadata::image::topics::Topic;
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use crate::protocol::string::Str;
use std::collections::BTreeSet;

/// First version that may call topics by their ids: 10 and 11 have the field, and not the right.
const TOPIC_IDS_SINCE: i16 = 12;

/// A Metadata whose missing topics are being created.
pub struct Waiting {
    responder: Responder,
    message: MetadataRequest,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: MetadataRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::Metadata);
    if let Some(error) = refusal(&message, responder.version) {
        return responder.reply(&refused(message, error));
    }
    let missing = missing_topics(context, &message);
    if !missing.is_empty() {
        let names = missing.iter().map(|name| &**name);
        let command = Command::CreateTopics(auto_create_request(names, context.configuration));
        context
            .outbox
            .commands
            .push((context.origin(request.id), command));
        return Outcome::Waits(State::Metadata(Waiting { responder, message }));
    }
    respond(context, &responder, message)
}

/// Why a request as a whole is refused.
fn refusal(message: &MetadataRequest, version: i16) -> Option<ErrorCode> {
    let topics = || message.topics.iter().flatten();
    let names_nothing =
        |topic: &MetadataRequestTopic| topic.topic_id == TopicId::ZERO && topic.name.is_none();
    if version < TOPIC_IDS_SINCE {
        let mut topics = topics();
        let is_refused = topics.any(|it| it.topic_id != TopicId::ZERO || it.name.is_none());
        is_refused.then_some(ErrorCode::INVALID_REQUEST)
    } else if topics().all(|topic| topic.topic_id == TopicId::ZERO) {
        // Where there are ids, names do not count.
        let is_refused = topics().any(names_nothing);
        is_refused.then_some(ErrorCode::UNKNOWN_SERVER_ERROR)
    } else {
        None
    }
}

/// The error stands at each topic that was asked for; of the response itself it is since version 13.
fn refused(message: MetadataRequest, error: ErrorCode) -> MetadataResponse {
    let topics = message.topics.into_iter().flatten();
    let topics = topics.map(|topic| MetadataResponseTopic {
        error_code: code(error),
        name: Some(topic.name.unwrap_or_default()),
        topic_id: topic.topic_id,
        topic_authorized_operations: OPERATIONS_NOT_ASKED,
        ..MetadataResponseTopic::default()
    });
    MetadataResponse {
        topics: topics.collect(),
        error_code: code(error),
        ..MetadataResponse::default()
    }
}

/// What could be created has been: what is missing now is unknown.
pub(super) fn on_created(context: &mut Context<'_>, waiting: Waiting) -> Outcome {
    respond(context, &waiting.responder, waiting.message)
}

/// Names that shall be created because somebody asked for them.
fn missing_topics(context: &Context<'_>, message: &MetadataRequest) -> Vec<Str> {
    if !message.allow_auto_topic_creation || !context.configuration.auto_create_topics_enable() {
        return Vec::new();
    }
    let topics = &context.image.topics;
    let asked = || message.topics.iter().flatten();
    if asked().any(|topic| topic.topic_id != TopicId::ZERO) {
        return Vec::new();
    }
    asked()
        .filter_map(|topic| topic.name.clone())
        .filter(|name| topics.by_name(name).is_none() && check_topic_name(name).is_ok())
        .collect()
}

fn respond(context: &Context<'_>, responder: &Responder, message: MetadataRequest) -> Outcome {
    let version = responder.version;
    let mut response = MetadataResponse {
        brokers: context
            .clients_brokers()
            .map(|(node_id, host, port, rack)| MetadataResponseBroker {
                node_id,
                host,
                port,
                rack,
                ..MetadataResponseBroker::default()
            })
            .collect(),
        cluster_id: Some(Str::from(context.broker.cluster_id.as_str())),
        controller_id: context.configuration.node_id().0,
        ..MetadataResponse::default()
    };
    // In version 0 an empty list means all topics; later null does, and empty means none.
    let topics = message
        .topics
        .filter(|topics| version > 0 || !topics.is_empty());
    let operations = if message.include_topic_authorized_operations {
        TOPIC_OPERATIONS
    } else {
        OPERATIONS_NOT_ASKED
    };
    let mut seen = BTreeSet::new();
    response.topics = match topics {
        None => context
            .image
            .topics
            .iter()
            .map(|topic| describe(topic, operations))
            .collect(),
        // A topic that is asked for twice is described once; where there are ids, names do not count.
        Some(topics) => {
            let uses_ids = topics.iter().any(|topic| topic.topic_id != TopicId::ZERO);
            topics
                .into_iter()
                .filter(|topic| !uses_ids || topic.topic_id != TopicId::ZERO)
                .map(|topic| MetadataRequestTopic {
                    name: topic.name.filter(|_| !uses_ids),
                    ..topic
                })
                .filter(|topic| seen.insert((topic.topic_id, topic.name.clone())))
                .map(|topic| match find(context, &topic) {
                    Ok(found) => describe(found, operations),
                    Err(error) => unknown(topic, error, operations),
                })
                .collect()
        }
    };
    if message.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    responder.reply(&response)
}

fn unknown(
    topic: MetadataRequestTopic,
    error: ErrorCode,
    operations: i32,
) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: code(error),
        // What is unknown by id has no name.
        topic_authorized_operations: match topic.name {
            Some(_) => operations,
            None => OPERATIONS_NOT_ASKED,
        },
        name: topic.name,
        topic_id: topic.topic_id,
        ..MetadataResponseTopic::default()
    }
}

fn find<'a>(
    context: &'a Context<'_>,
    topic: &MetadataRequestTopic,
) -> Result<&'a Topic, ErrorCode> {
    if topic.topic_id != TopicId::ZERO {
        return context.find_topic(topic.topic_id, "");
    }
    let name = topic.name.as_deref().unwrap_or_default();
    if check_topic_name(name).is_err() {
        return Err(ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
    context.find_topic(TopicId::ZERO, name)
}

fn describe(topic: &Topic, topic_authorized_operations: i32) -> MetadataResponseTopic {
    MetadataResponseTopic {
        name: Some(Str::from(&*topic.name)),
        topic_id: topic.id,
        is_internal: is_internal(&topic.name),
        partitions: topic
            .partitions()
            .map(|(index, partition)| {
                let leader = partition.leader();
                MetadataResponsePartition {
                    error_code: code(match leader {
                        Some(_) => ErrorCode::NONE,
                        None => ErrorCode::LEADER_NOT_AVAILABLE,
                    }),
                    partition_index: index.0,
                    leader_id: leader.map_or(-1, |(node, _)| node.0),
                    leader_epoch: partition.leader_epoch.0,
                    replica_nodes: partition.replicas.iter().map(|node| node.0).collect(),
                    isr_nodes: partition.isr.iter().map(|node| node.0).collect(),
                    ..MetadataResponsePartition::default()
                }
            })
            .collect(),
        topic_authorized_operations,
        ..MetadataResponseTopic::default()
    }
}

/// Topics that Kafka keeps for itself.
pub(super) fn is_internal(name: &str) -> bool {
    matches!(
        name,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}

impl Context<'_> {
    /// Brokers that clients may use: id, host, port, rack.
    pub(super) fn clients_brokers(&self) -> impl Iterator<Item = (i32, Str, i32, Option<Str>)> {
        self.image
            .cluster
            .brokers
            .values()
            .filter(|broker| !broker.fenced)
            .filter_map(|broker| {
                let (host, port) = self.endpoint(broker)?;
                Some((
                    broker.id.0,
                    host,
                    port,
                    broker.rack.as_deref().map(Str::from),
                ))
            })
    }

    /// The epoch of this broker's registration, or -1.
    pub(super) fn own_broker_epoch(&self) -> i64 {
        let own = self
            .image
            .cluster
            .brokers
            .get(&self.configuration.node_id());
        own.map_or(-1, |broker| broker.epoch)
    }

    /// Where a broker is reached by the listener that this request came in by.
    pub(super) fn endpoint(&self, broker: &BrokerRegistration) -> Option<(Str, i32)> {
        let listener = broker.listener(self.listener)?;
        Some((Str::from(&*listener.host), i32::from(listener.port)))
    }
}
