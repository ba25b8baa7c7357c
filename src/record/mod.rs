//! Kafka's v2 record batch: what producers send, segment files hold, and consumers fetch.
//! Owned by every shard; pure functions over bytes, no I/O and no clock. Records pass through:
//! a batch is opened here only where a topic's own configuration, or a tool, asks for it.

pub mod batch;
pub mod build;
pub mod checksum;
pub mod compress;
pub mod control;
pub mod error;
pub mod iterate;
pub mod refusal;
mod snappy;
pub mod validate;
mod varint;

pub use batch::{BatchHeader, HEADER_BYTES, RecordBatch, TimestampType};
pub use build::BatchBuilder;
pub use compress::Compression;
pub use control::ControlRecord;
pub use error::BatchError;
pub use iterate::{Header, OpenBatch, Record, Records};
pub use refusal::{RecordError, RecordFaults};
pub use validate::{ProduceRules, Thoroughness, validate_produce};
