//! Metadata: the records of `__cluster_metadata-0`, the image they replay into, what one batch
//! changed in it, and the snapshots that stand for a beginning of the log.

pub mod batch;
pub mod checkpoint;
pub mod delta;
pub mod error;
pub mod features;
pub mod image;
#[cfg(test)]
pub mod record_text;
pub mod snapshot;
