//! One partition on disk, in Apache Kafka's files. Lives on the partition's shard; it holds no
//! clock and does no waiting of its own: time and the disk are arguments.
//!
//! ```text
//! <topic>-<p>/
//!   00000000000000000000.log         record batches, one after the other       segment
//!   00000000000000000000.index       offset → position, every 4 KiB            offset_index
//!   00000000000000000000.timeindex   largest timestamp → offset                time_index
//!   00000000000000000000.txnindex    aborted transactions, where there are any transaction_index
//!   00000000000000000000.snapshot    producers up to that offset               producer_snapshot
//!   leader-epoch-checkpoint          where each leader's records begin         leader_epochs
//!   partition.metadata               the topic's id                            partition_metadata
//! ```
//!
//! The way of a batch: [`Log::append`] gives it offsets and queues it; [`Log::write`] writes all
//! that is queued; [`Log::read`] answers with the slice of the file that holds an offset.

pub mod append;
pub mod checkpoint;
pub mod clean_shutdown;
pub mod config;
pub mod directory;
pub mod error;
pub mod file_name;
mod index_file;
pub mod leader_epochs;
pub mod meta_properties;
mod offset_index;
mod older_batches;
pub mod open;
mod open_files;
pub mod partition_log;
pub mod partition_metadata;
pub mod producer_snapshot;
pub mod producer_state;
pub mod read;
mod recovery;
pub mod retention;
mod scan;
mod segment;
mod sync;
#[cfg(test)]
mod tests;
mod time_index;
pub mod timestamps;
pub mod transaction_index;
mod truncate;
pub mod write;
mod write_away;

pub use append::Appended;
pub use config::{CleanupPolicy, LogConfig};
pub use error::{AppendError, ReadError, StorageError};
pub use leader_epochs::{EpochEntry, LeaderEpochs};
pub use open::{OpenInput, Recovered};
pub use partition_log::{Log, SegmentInfo};
pub use producer_state::{Producer, ProducerState};
pub use read::Slice;
pub use retention::Deleted;
pub use timestamps::TimestampedOffset;
pub use transaction_index::AbortedTransaction;
pub use write::Written;
pub use write_away::PendingWrite;
