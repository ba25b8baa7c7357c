//! What goes into a producer, a record, and what comes out of it in the end: the delivery of a batch.

use crate::base::ids::Offset;
use crate::base::time::Timestamp;
use crate::protocol::ErrorCode;
use crate::record::Header;
use std::rc::Rc;

/// A record on its way in. What is borrowed is copied once, into its batch.
#[derive(Clone, Copy, Debug)]
pub struct ProducerRecord<'a> {
    /// When it came to be.
    pub timestamp: Timestamp,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
    /// The headers, in order.
    pub headers: &'a [Header<'a>],
    /// The caller's mark, given back with the delivery.
    pub cookie: u64,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Name of the topic.
    pub topic: Rc<str>,
    /// Which partition of it.
    pub partition: i32,
    /// The marks of its records, in order.
    pub cookies: Vec<u64>,
    /// Offset of its first record; `None` where the broker did not say (acks=0, a duplicate).
    /// Or why it was given up.
    pub result: Result<Option<Offset>, DeliveryError>,
}

/// Why a batch was given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeliveryError {
    /// The broker refused it.
    Refused {
        /// Kafka's error.
        error: ErrorCode,
        /// What the broker says about it.
        message: Option<String>,
    },
    /// `delivery.timeout.ms` passed, or the retries were used up; with the last error.
    Expired {
        /// Kafka's error, where there was one: `None` is "no answer".
        last_error: Option<ErrorCode>,
    },
}

impl std::fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DeliveryError::Refused { error, message } => match message {
                Some(message) => write!(f, "{error}: {message}"),
                None => write!(f, "{error}"),
            },
            DeliveryError::Expired { last_error } => match last_error {
                Some(error) => write!(f, "retried without success, last because of {error}"),
                None => f.write_str("no broker took it in time"),
            },
        }
    }
}
