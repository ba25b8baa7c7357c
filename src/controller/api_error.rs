//! An error as a response carries it: Kafka's code, and a sentence.

use crate::protocol::ErrorCode;

/// A refused request, or a refused part of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiError {
    /// Kafka's code.
    pub code: ErrorCode,
    /// What is wrong, or `None` where the code says it all.
    pub message: Option<String>,
}

impl ApiError {
    /// A code with a sentence.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ApiError {
        ApiError {
            code,
            message: Some(message.into()),
        }
    }

    /// A code that says it all.
    #[must_use]
    pub fn bare(code: ErrorCode) -> ApiError {
        ApiError {
            code,
            message: None,
        }
    }
}
