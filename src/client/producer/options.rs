//! What a producer is told when it is made, by Kafka's names and with its defaults.

use crate::record::Compression;
use std::time::Duration;

/// Whose acknowledgement a batch waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acks {
    /// Nobody's: the broker does not answer.
    None,
    /// The leader's.
    Leader,
    /// All in-sync replicas'.
    All,
}

impl Acks {
    /// As the request says it.
    #[must_use]
    pub fn code(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }

    /// As Kafka's `acks` setting writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Acks> {
        match text.trim() {
            "0" => Some(Acks::None),
            "1" => Some(Acks::Leader),
            "-1" | "all" => Some(Acks::All),
            _ => None,
        }
    }
}

/// What a producer is told when it is made. Kafka's names and defaults.
#[derive(Clone, Debug)]
pub struct ProducerOptions {
    /// `acks`.
    pub acks: Acks,
    /// `compression.type`.
    pub compression: Compression,
    /// `compression.gzip.level` or `compression.zstd.level`; `None` is the codec's own default.
    pub compression_level: Option<i32>,
    /// `batch.size`: a batch is sent at the latest when it has so many bytes, uncompressed.
    pub batch_bytes: usize,
    /// `linger.ms`: how long a batch waits for more records.
    pub linger: Duration,
    /// `buffer.memory`: records that wait; beyond it [`Producer::is_full`].
    pub buffer_bytes: usize,
    /// `max.request.size`: bytes of batches in one request.
    pub request_bytes: usize,
    /// `retries`: how often a batch is sent again.
    pub retries: u32,
    /// `retry.backoff.ms`.
    pub retry_backoff: Duration,
    /// `request.timeout.ms`: what the broker may take to gather the acknowledgements.
    pub request_timeout: Duration,
    /// `delivery.timeout.ms`: what a batch may take from its first record to its delivery.
    pub delivery_timeout: Duration,
    /// `max.in.flight.requests.per.connection`.
    pub in_flight_max: usize,
    /// `enable.idempotence`: retries never duplicate nor reorder. KIP-98.
    pub idempotent: bool,
}

impl Default for ProducerOptions {
    fn default() -> ProducerOptions {
        ProducerOptions {
            acks: Acks::All,
            compression: Compression::None,
            compression_level: None,
            batch_bytes: 16_384,
            linger: Duration::from_millis(5),
            buffer_bytes: 32 << 20,
            request_bytes: 1 << 20,
            retries: u32::MAX,
            retry_backoff: Duration::from_millis(100),
            request_timeout: Duration::from_secs(30),
            delivery_timeout: Duration::from_secs(120),
            in_flight_max: 5,
            idempotent: true,
        }
    }
}
