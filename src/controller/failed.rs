//! What is answered where a command was decided and its records could not be written: as Kafka,
//! KAFKA_STORAGE_ERROR for each thing that would have gone well. Clients try that again.

use super::{ApiError, Reply, create_topics};
use crate::protocol::ErrorCode;

/// For the operator, who finds the reason in the broker's log.
const MESSAGE: &str = "The metadata log could not be written: see the log of the broker.";

impl Reply {
    /// The same answer, if nothing of it came true. What was refused stays refused.
    #[must_use]
    pub fn failed(mut self) -> Reply {
        let none = i16::from(ErrorCode::NONE);
        let storage = i16::from(ErrorCode::KAFKA_STORAGE_ERROR);
        let message = || Some(MESSAGE.into());
        match &mut self {
            Reply::CreateTopics(response) => {
                let error = ApiError::new(ErrorCode::KAFKA_STORAGE_ERROR, MESSAGE);
                for topic in &mut response.topics {
                    if topic.error_code == none {
                        *topic = create_topics::failed(&topic.name, &error);
                    }
                }
            }
            Reply::DeleteTopics(response) => {
                for topic in &mut response.responses {
                    if topic.error_code == none {
                        topic.error_code = storage;
                        topic.error_message = message();
                    }
                }
            }
            Reply::CreatePartitions(response) => {
                for topic in &mut response.results {
                    if topic.error_code == none {
                        topic.error_code = storage;
                        topic.error_message = message();
                    }
                }
            }
            Reply::IncrementalAlterConfigs(response) => {
                for resource in &mut response.responses {
                    if resource.error_code == none {
                        resource.error_code = storage;
                        resource.error_message = message();
                    }
                }
            }
            Reply::AlterConfigs(response) => {
                for resource in &mut response.responses {
                    if resource.error_code == none {
                        resource.error_code = storage;
                        resource.error_message = message();
                    }
                }
            }
            Reply::RegisterBroker(response) => response.error_code = storage,
            Reply::BrokerHeartbeat(response) => response.error_code = storage,
            Reply::AllocateProducerIds(response) => response.error_code = storage,
            Reply::Done => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::messages::create_topics::{CreatableTopicResult, CreateTopicsResponse};

    #[test]
    fn what_would_have_gone_well_failed_and_what_was_refused_stays_refused() {
        let result = |name: &str, error: ErrorCode| CreatableTopicResult {
            name: name.into(),
            error_code: error.into(),
            num_partitions: 3,
            ..CreatableTopicResult::default()
        };
        let reply = Reply::CreateTopics(CreateTopicsResponse {
            topics: vec![
                result("good", ErrorCode::NONE),
                result("bad", ErrorCode::TOPIC_ALREADY_EXISTS),
            ],
            ..CreateTopicsResponse::default()
        });
        let Reply::CreateTopics(failed) = reply.failed() else {
            panic!("another reply");
        };
        let codes: Vec<i16> = failed.topics.iter().map(|topic| topic.error_code).collect();
        assert_eq!(codes, [56, 36]);
        assert_eq!(failed.topics[0].num_partitions, -1);
        assert_eq!(failed.topics[0].error_message.as_deref(), Some(MESSAGE));
    }
}
