//! DeleteTopics: one RemoveTopicRecord per topic. The brokers delete the files when they replay it.

use super::api_error::ApiError;
use super::{Controller, ControllerResult, Reply};
use crate::base::ids::TopicId;
use crate::base::uuid::Uuid;
use crate::protocol::ErrorCode;
use crate::protocol::messages::delete_topics::{
    DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse,
};
use crate::protocol::metadata_records::{MetadataRecord, RemoveTopicRecord};
use std::collections::{BTreeMap, BTreeSet};

/// Topics that a request names, each once; what was named twice is refused.
struct Named<T> {
    once: BTreeSet<T>,
    often: BTreeSet<T>,
}

impl<T: Ord + Clone> Named<T> {
    fn new() -> Named<T> {
        Named {
            once: BTreeSet::new(),
            often: BTreeSet::new(),
        }
    }

    fn add(&mut self, item: T) {
        if self.often.contains(&item) {
            return;
        }
        if !self.once.insert(item.clone()) {
            self.once.remove(&item);
            self.often.insert(item);
        }
    }
}

impl Controller {
    pub(super) fn delete_topics(
        &self,
        request: &DeleteTopicsRequest,
        version: i16,
    ) -> ControllerResult {
        let mut results: Vec<DeletableTopicResult> = Vec::new();
        let mut answer = |name: Option<&str>, id: TopicId, error: &ApiError| {
            results.push(DeletableTopicResult {
                name: name.map(Into::into),
                topic_id: id,
                error_code: error.code.into(),
                error_message: error.message.as_deref().map(Into::into),
                ..DeletableTopicResult::default()
            });
        };
        let invalid = |message: &str| ApiError::new(ErrorCode::INVALID_REQUEST, message);
        let disabled = if version < 3 {
            invalid("Topic deletion is disabled.")
        } else {
            ApiError::bare(ErrorCode::TOPIC_DELETION_DISABLED)
        };
        let is_enabled = self.settings.configuration.delete_topic_enable();
        let mut names = Named::new();
        let mut ids = Named::new();
        for name in &request.topic_names {
            names.add(&**name);
        }
        for topic in &request.topics {
            match (topic.name.as_deref(), topic.topic_id) {
                (None, Uuid::ZERO) => {
                    let error = invalid("Neither topic name nor id were specified.");
                    answer(None, Uuid::ZERO, &error);
                }
                (None, id) => ids.add(id),
                (Some(name), Uuid::ZERO) => names.add(name),
                (Some(name), id) => {
                    let error = invalid("You may not specify both topic name and topic id.");
                    answer(Some(name), id, &error);
                }
            }
        }
        for name in &names.often {
            answer(Some(name), Uuid::ZERO, &invalid("Duplicate topic name."));
        }
        for &id in &ids.often {
            answer(None, id, &invalid("Duplicate topic id."));
        }
        let mut deleted: BTreeMap<TopicId, String> = BTreeMap::new();
        for &id in &ids.once {
            match self.image.topics.by_id(id) {
                Some(topic) if is_enabled => {
                    deleted.insert(id, topic.name.to_string());
                }
                Some(topic) => answer(Some(&topic.name), id, &disabled),
                None => {
                    let message = "This server does not host this topic ID.";
                    answer(
                        None,
                        id,
                        &ApiError::new(ErrorCode::UNKNOWN_TOPIC_ID, message),
                    );
                }
            }
        }
        for &name in &names.once {
            let Some(topic) = self.image.topics.by_name(name) else {
                let message = "This server does not host this topic-partition.";
                let error = ApiError::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message);
                answer(Some(name), Uuid::ZERO, &error);
                continue;
            };
            if !is_enabled {
                answer(Some(name), Uuid::ZERO, &disabled);
            } else if ids.often.contains(&topic.id) || deleted.contains_key(&topic.id) {
                deleted.remove(&topic.id);
                let message = "The provided topic name maps to an ID that was already supplied.";
                answer(Some(name), topic.id, &invalid(message));
            } else {
                deleted.insert(topic.id, name.to_owned());
            }
        }
        let mut records = Vec::with_capacity(deleted.len());
        for (id, name) in deleted {
            answer(Some(&name), id, &ApiError::bare(ErrorCode::NONE));
            let record = RemoveTopicRecord {
                topic_id: id,
                ..RemoveTopicRecord::default()
            };
            records.push(MetadataRecord::RemoveTopicRecord(record));
        }
        let response = DeleteTopicsResponse {
            responses: results,
            ..DeleteTopicsResponse::default()
        };
        ControllerResult::atomic(records, Reply::DeleteTopics(response))
    }
}
