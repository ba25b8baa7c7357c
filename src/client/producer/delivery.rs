//! What goes into a producer, a record, and what comes out of it in the end: the delivery of a batch.

use crate::base::convert::u64_from;
use crate::base::ids::Offset;
use crate::base::time::{Instant, Timestamp};
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

/// Records of one batch that follow each other: added at the same time, with marks that count up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Mark of the first record; the next one's is one more.
    pub cookie: u64,
    /// How many records.
    pub count: u64,
    /// Bytes of their values.
    pub value_bytes: u64,
    /// When they were added.
    pub enqueued_at: Instant,
}

impl Run {
    /// Takes in one more record, or says that it belongs to a run of its own.
    pub(super) fn extend(&mut self, now: Instant, record: &ProducerRecord<'_>) -> bool {
        let follows =
            self.enqueued_at == now && self.cookie.wrapping_add(self.count) == record.cookie;
        if follows {
            self.count += 1;
            self.value_bytes += value_bytes(record);
        }
        follows
    }

    /// A run of one record.
    pub(super) fn of(now: Instant, record: &ProducerRecord<'_>) -> Run {
        Run {
            cookie: record.cookie,
            count: 1,
            value_bytes: value_bytes(record),
            enqueued_at: now,
        }
    }

    /// The marks of its records, in order.
    pub fn cookies(&self) -> impl Iterator<Item = u64> + use<> {
        let first = self.cookie;
        (0..self.count).map(move |index| first.wrapping_add(index))
    }
}

fn value_bytes(record: &ProducerRecord<'_>) -> u64 {
    u64_from(record.value.map_or(0, <[u8]>::len))
}

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Name of the topic.
    pub topic: Rc<str>,
    /// Which partition of it.
    pub partition: i32,
    /// Its records, in order.
    pub runs: Vec<Run>,
    /// Offset of its first record; `None` where the broker did not say (acks=0, a duplicate).
    /// Or why it was given up.
    pub result: Result<Option<Offset>, DeliveryError>,
}

impl Delivery {
    /// How many records the batch had.
    #[must_use]
    pub fn record_count(&self) -> u64 {
        self.runs.iter().map(|run| run.count).sum()
    }
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
