//! What can go wrong for a client, each as a sentence that says what, where, and how to mend it.

use crate::base::ids::Offset;
use crate::protocol::errors::ErrorCode;
use crate::record::BatchError;
use std::fmt;
use std::io;
use std::time::Duration;

/// Why the client could not do what it was asked.
#[derive(Debug)]
pub enum ClientError {
    /// `bootstrap.servers` cannot be read.
    Address {
        /// What was given.
        given: String,
    },
    /// No bootstrap server could be reached.
    Unreachable {
        /// The servers, as they were given.
        servers: String,
        /// What the last of them said.
        last: String,
    },
    /// A server is not known, or could not be reached.
    Connect {
        /// Host and port, or the broker's id.
        server: String,
        /// Why.
        error: io::Error,
    },
    /// The connection broke.
    Disconnected {
        /// Host and port.
        server: String,
        /// Why, where it says.
        error: Option<io::Error>,
    },
    /// No answer came in time.
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
    },
    /// What came is not Kafka's protocol.
    Malformed {
        /// What it should have been.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Client and broker have no version of an API in common.
    Unsupported {
        /// The API's name.
        api: String,
        /// What the broker serves of it; `None` is nothing.
        broker: Option<(i16, i16)>,
    },
    /// The broker answered with an error.
    Kafka {
        /// What was asked.
        what: String,
        /// Kafka's error.
        error: ErrorCode,
        /// What the broker says about it.
        message: Option<String>,
    },
    /// A fetched batch cannot be read.
    Batch {
        /// Name of the topic.
        topic: String,
        /// Which partition of it.
        partition: i32,
        /// Where the batch begins.
        offset: Offset,
        /// What is wrong with it.
        error: BatchError,
    },
}

impl ClientError {
    /// An answer with an error.
    #[must_use]
    pub fn kafka(what: &str, error: ErrorCode, message: Option<String>) -> ClientError {
        ClientError::Kafka {
            what: what.to_owned(),
            error,
            message,
        }
    }

    /// The error that the broker answered with, where that is what went wrong.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            ClientError::Kafka { error, .. } => Some(*error),
            ClientError::Address { .. }
            | ClientError::Unreachable { .. }
            | ClientError::Connect { .. }
            | ClientError::Disconnected { .. }
            | ClientError::TimedOut { .. }
            | ClientError::Malformed { .. }
            | ClientError::Unsupported { .. }
            | ClientError::Batch { .. } => None,
        }
    }

    /// Whether a topic was to be created that exists.
    #[must_use]
    pub fn is_topic_exists(&self) -> bool {
        self.code() == Some(ErrorCode::TOPIC_ALREADY_EXISTS)
    }

    /// Whether the same may succeed a moment later, perhaps elsewhere.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        match self {
            ClientError::Connect { .. } | ClientError::Disconnected { .. } => true,
            ClientError::Kafka { error, .. } => error.is_retriable(),
            ClientError::Address { .. }
            | ClientError::Unreachable { .. }
            | ClientError::TimedOut { .. }
            | ClientError::Malformed { .. }
            | ClientError::Unsupported { .. }
            | ClientError::Batch { .. } => false,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Address { given } => write!(
                f,
                "'{given}' names no servers: --bootstrap-server takes HOST:PORT, several by comma"
            ),
            ClientError::Unreachable { servers, last } => write!(
                f,
                "no broker answers at {servers} ({last}): is one started there?"
            ),
            ClientError::Connect { server, error } => {
                write!(f, "cannot connect to {server}: {error}")
            }
            ClientError::Disconnected { server, error } => match error {
                Some(error) => write!(f, "the connection to {server} broke: {error}"),
                None => write!(
                    f,
                    "{server} closed the connection: is that a Kafka listener without TLS?"
                ),
            },
            ClientError::TimedOut { what, after } => {
                write!(f, "{what} was not answered within {} ms", after.as_millis())
            }
            ClientError::Malformed { what, why } => {
                write!(f, "what came as {what} cannot be read: {why}")
            }
            ClientError::Unsupported { api, broker } => match broker {
                Some((min, max)) => write!(
                    f,
                    "the broker serves {api} in versions {min} to {max}, which klamm does not speak"
                ),
                None => write!(f, "the broker does not serve {api}"),
            },
            ClientError::Kafka {
                what,
                error,
                message,
            } => match message {
                Some(message) => f.write_str(message),
                None => write!(f, "{what} failed: {error}"),
            },
            ClientError::Batch {
                topic,
                partition,
                offset,
                error,
            } => write!(
                f,
                "the batch at offset {offset} of {topic}-{partition} cannot be read: {error}"
            ),
        }
    }
}

impl std::error::Error for ClientError {}
