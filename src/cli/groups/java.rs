//! What Apache's tool prints of an error: the name of a Java class and its sentence. Scripts look
//! for them, so klamm's tool prints the same.

use crate::cli::error::CliError;
use crate::client::ClientError;
use crate::protocol::ErrorCode;

/// The package of Kafka's exceptions.
const PACKAGE: &str = "org.apache.kafka.common.errors";

/// The class and the sentence of an error that groups meet.
fn known(error: ErrorCode) -> Option<(&'static str, &'static str)> {
    let known = match error {
        ErrorCode::GROUP_ID_NOT_FOUND => {
            ("GroupIdNotFoundException", "The group id does not exist.")
        }
        ErrorCode::NON_EMPTY_GROUP => ("GroupNotEmptyException", "The group is not empty."),
        ErrorCode::INVALID_GROUP_ID => ("InvalidGroupIdException", "The group id is invalid."),
        ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC => (
            "GroupSubscribedToTopicException",
            "Deleting offsets of a topic is forbidden while the consumer group is actively \
             subscribed to it.",
        ),
        ErrorCode::GROUP_AUTHORIZATION_FAILED => {
            ("GroupAuthorizationException", "Group authorization failed.")
        }
        ErrorCode::TOPIC_AUTHORIZATION_FAILED => {
            ("TopicAuthorizationException", "Topic authorization failed.")
        }
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => (
            "UnknownTopicOrPartitionException",
            "This server does not host this topic-partition.",
        ),
        ErrorCode::UNKNOWN_MEMBER_ID => (
            "UnknownMemberIdException",
            "The coordinator is not aware of this member.",
        ),
        ErrorCode::COORDINATOR_NOT_AVAILABLE => (
            "CoordinatorNotAvailableException",
            "The coordinator is not available.",
        ),
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => (
            "CoordinatorLoadInProgressException",
            "The coordinator is loading and hence can't process requests.",
        ),
        ErrorCode::NOT_COORDINATOR => (
            "NotCoordinatorException",
            "This is not the correct coordinator.",
        ),
        ErrorCode::UNSUPPORTED_VERSION => (
            "UnsupportedVersionException",
            "The version of API is not supported.",
        ),
        _ => return None,
    };
    Some(known)
}

/// Kafka's sentence about an error code.
pub fn sentence(error: ErrorCode) -> &'static str {
    known(error).map_or(error.message(), |(_, sentence)| sentence)
}

/// An error code as `Throwable.toString` has it.
pub fn exception_of(error: ErrorCode, message: Option<&str>) -> String {
    match known(error) {
        Some((class, sentence)) => format!("{PACKAGE}.{class}: {}", message.unwrap_or(sentence)),
        None => message.unwrap_or(error.message()).to_owned(),
    }
}

/// An error as `Throwable.toString` has it; klamm's own sentence where Java has no class for it.
pub fn exception(error: &ClientError) -> String {
    match error {
        ClientError::Kafka { error, message, .. } => exception_of(*error, message.as_deref()),
        ClientError::Address { .. }
        | ClientError::Unreachable { .. }
        | ClientError::Connect { .. }
        | ClientError::Disconnected { .. }
        | ClientError::TimedOut { .. }
        | ClientError::Malformed { .. }
        | ClientError::Unsupported { .. }
        | ClientError::Batch { .. } => error.to_string(),
    }
}

/// What ends the verb, in Kafka's words.
pub fn failed(error: &ClientError) -> CliError {
    CliError::Failed(command_failed(exception(error)))
}

/// Kafka's words before what went wrong.
pub fn command_failed(why: impl std::fmt::Display) -> String {
    format!("Executing consumer group command failed due to {why}")
}
