//! What may be asked of the core that owns a partition, and what it answers. A request that names
//! partitions of several cores becomes one [`Work`] per core; the answers say where they belong by
//! the place (`at`) that the partition had in the request.

use crate::base::ids::{LeaderEpoch, Offset, TopicPartition};
use crate::base::time::Timestamp;
use crate::protocol::errors::ErrorCode;
use crate::record::batch::RecordBatch;
use crate::runtime::disk::FileSlice;

/// A request that a core is working on: a place in that core's table, told apart from its successors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId {
    /// The place.
    pub index: u32,
    /// How often it was used before.
    pub generation: u32,
}

/// Who asked: which core, for which of its requests.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Origin {
    /// The core of the connection.
    pub core: usize,
    /// Its request.
    pub request: RequestId,
}

/// Who waits for more records in a partition: one fetch per connection can.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watcher {
    /// The waiting request.
    pub origin: Origin,
    /// The connection's place on its core: a newer watch of the same connection replaces the older.
    pub connection: u32,
}

/// Something that the owner of partitions shall do.
#[derive(Debug)]
pub enum Work {
    /// Append batches.
    Produce(ProduceWork),
    /// Find records.
    Fetch(FetchWork),
    /// Find offsets by time, or the ends.
    ListOffsets(ListOffsetsWork),
    /// Find where leader epochs end.
    OffsetForLeaderEpoch(Vec<EpochEntry>),
    /// Move log starts forward.
    DeleteRecords(Vec<DeleteEntry>),
    /// Say how large logs are.
    DescribeLogDirs(Vec<DescribeEntry>),
}

/// What came of a [`Work`].
#[derive(Debug)]
pub enum Answer {
    /// Of `Work::Produce`.
    Produce(Vec<ProduceAnswer>),
    /// Of `Work::Fetch`.
    Fetch(Vec<FetchAnswer>),
    /// Of `Work::ListOffsets`.
    ListOffsets(Vec<ListOffsetsAnswer>),
    /// Of `Work::OffsetForLeaderEpoch`.
    OffsetForLeaderEpoch(Vec<EpochAnswer>),
    /// Of `Work::DeleteRecords`.
    DeleteRecords(Vec<DeleteAnswer>),
    /// Of `Work::DescribeLogDirs`.
    DescribeLogDirs(Vec<DescribeAnswer>),
}

/// Batches to append, at most one per partition. Validated, and their CRC checked, by the asker.
#[derive(Debug)]
pub struct ProduceWork {
    /// Whether the answer waits for the high watermark (acks=all), or for the write only (acks=1).
    pub waits_for_replicas: bool,
    /// The batches.
    pub entries: Vec<ProduceEntry>,
}

/// One batch to append.
#[derive(Debug)]
pub struct ProduceEntry {
    /// Place in the request.
    pub at: usize,
    /// Where to.
    pub topic_partition: TopicPartition,
    /// What.
    pub batch: RecordBatch,
}

/// What came of one batch.
#[derive(Debug)]
pub struct ProduceAnswer {
    /// Place in the request.
    pub at: usize,
    /// `NONE`, or why it was not appended.
    pub error: ErrorCode,
    /// One sentence, where Kafka gives one.
    pub message: Option<String>,
    /// Offset of its first record, or -1.
    pub base_offset: Offset,
    /// The broker's timestamp where the topic wants it, or -1.
    pub log_append_time: Timestamp,
    /// First offset of the log, or -1.
    pub log_start_offset: Offset,
}

/// Where to read.
#[derive(Clone, Debug)]
pub struct FetchWork {
    /// Whether records of open and aborted transactions are withheld or listed.
    pub read_committed: bool,
    /// Registered in each partition that has fewer than `bytes_min` bytes.
    pub watcher: Option<Watcher>,
    /// How many bytes the asker waits for.
    pub bytes_min: usize,
    /// The partitions.
    pub entries: Vec<FetchEntry>,
}

/// One partition to read.
#[derive(Clone, Debug)]
pub struct FetchEntry {
    /// Place in the request.
    pub at: usize,
    /// Which.
    pub topic_partition: TopicPartition,
    /// First offset wanted.
    pub offset: Offset,
    /// Most bytes wanted; one whole batch is given even if it is larger.
    pub bytes_max: usize,
    /// The leader epoch that the client knows, or -1.
    pub current_leader_epoch: LeaderEpoch,
    /// The epoch of the last record that the client has, or -1.
    pub last_fetched_epoch: LeaderEpoch,
}

/// What one partition has.
#[derive(Debug)]
pub struct FetchAnswer {
    /// Place in the request.
    pub at: usize,
    /// `NONE`, or why there are no records.
    pub error: ErrorCode,
    /// The high watermark, or -1.
    pub high_watermark: Offset,
    /// The last stable offset, or -1.
    pub last_stable_offset: Offset,
    /// First offset of the log, or -1.
    pub log_start_offset: Offset,
    /// The client's log and this one parted here: epoch and end offset. KIP-595.
    pub diverging_epoch: Option<(LeaderEpoch, Offset)>,
    /// The records.
    pub slice: Option<FileSlice>,
    /// Producer id and first offset of each aborted transaction among them; `None` unless
    /// read_committed.
    pub aborted: Option<Vec<(i64, Offset)>>,
    /// The leader epoch here, for clients whose own is wrong. KIP-951.
    pub leader_epoch: LeaderEpoch,
}

/// Offsets to find.
#[derive(Clone, Debug)]
pub struct ListOffsetsWork {
    /// Whether "latest" means the last stable offset.
    pub read_committed: bool,
    /// The partitions.
    pub entries: Vec<ListOffsetsEntry>,
}

/// One offset to find.
#[derive(Clone, Debug)]
pub struct ListOffsetsEntry {
    /// Place in the request.
    pub at: usize,
    /// Which partition.
    pub topic_partition: TopicPartition,
    /// A time, or one of Kafka's negative ones.
    pub timestamp: i64,
    /// The leader epoch that the client knows, or -1.
    pub current_leader_epoch: LeaderEpoch,
}

/// An offset found.
#[derive(Clone, Debug)]
pub struct ListOffsetsAnswer {
    /// Place in the request.
    pub at: usize,
    /// `NONE`, or why not.
    pub error: ErrorCode,
    /// Timestamp of the record, or -1.
    pub timestamp: Timestamp,
    /// The offset, or -1.
    pub offset: Offset,
    /// Its leader epoch, or -1.
    pub leader_epoch: LeaderEpoch,
}

/// A leader epoch whose end is asked for.
#[derive(Clone, Debug)]
pub struct EpochEntry {
    /// Place in the request.
    pub at: usize,
    /// Which partition.
    pub topic_partition: TopicPartition,
    /// The leader epoch that the client knows, or -1.
    pub current_leader_epoch: LeaderEpoch,
    /// The epoch in question.
    pub leader_epoch: LeaderEpoch,
}

/// Where an epoch ends.
#[derive(Clone, Debug)]
pub struct EpochAnswer {
    /// Place in the request.
    pub at: usize,
    /// `NONE`, or why not.
    pub error: ErrorCode,
    /// The largest epoch at or below the one asked for, or -1.
    pub leader_epoch: LeaderEpoch,
    /// The offset after its last record, or -1.
    pub end_offset: Offset,
}

/// A log start to move.
#[derive(Clone, Debug)]
pub struct DeleteEntry {
    /// Place in the request.
    pub at: usize,
    /// Which partition.
    pub topic_partition: TopicPartition,
    /// The new start; -1 is the high watermark.
    pub offset: Offset,
}

/// A log start, moved.
#[derive(Clone, Debug)]
pub struct DeleteAnswer {
    /// Place in the request.
    pub at: usize,
    /// `NONE`, or why not.
    pub error: ErrorCode,
    /// The start now, or -1.
    pub low_watermark: Offset,
}

/// A log to describe.
#[derive(Clone, Debug)]
pub struct DescribeEntry {
    /// Place in the request.
    pub at: usize,
    /// Which partition.
    pub topic_partition: TopicPartition,
}

/// A log, described.
#[derive(Clone, Debug)]
pub struct DescribeAnswer {
    /// Place in the request.
    pub at: usize,
    /// Which of the broker's log directories holds it; `None` where it is not open.
    pub directory: Option<usize>,
    /// Its size.
    pub bytes: u64,
}

/// An answer that says which place of the request it belongs to.
pub trait Placed {
    /// Place in the request.
    fn at(&self) -> usize;
}

macro_rules! placed {
    ($($answer:ident)*) => {
        $(impl Placed for $answer {
            fn at(&self) -> usize {
                self.at
            }
        })*
    };
}

placed! { ProduceAnswer FetchAnswer ListOffsetsAnswer EpochAnswer DeleteAnswer DescribeAnswer }
