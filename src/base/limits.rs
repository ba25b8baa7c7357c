//! Every limit in one place, and the relations between them, asserted when klamm is compiled.
//! At a limit klamm stops reading that socket, or answers with Kafka's error; it does not grow.

/// Requests of one connection that are being answered; at the limit its socket is not read.
pub const PIPELINE_REQUESTS_MAX: usize = 64;

/// Bytes of the requests of one connection that are being answered; at the limit its socket is not
/// read. A single request may be larger.
pub const REQUEST_BYTES_MAX: usize = 8 << 20;

/// Bytes of replies that wait in memory for one connection; at the limit its socket is not read.
/// Records that lie in files do not count: they are sent from where they are.
pub const REPLY_BYTES_MAX: usize = 1 << 20;

/// Bytes received in one turn, from all connections together: to receive, check and write them is what a turn takes
/// longest for.
pub const RECEIVE_BYTES_PER_TURN_MAX: usize = 512 << 10;

/// Bytes sent in one turn, to all connections together.
pub const SEND_BYTES_PER_TURN_MAX: usize = 2 << 20;

/// Bytes sent to one connection in one turn before others get theirs.
pub const SEND_BYTES_PER_CONNECTION_MAX: usize = 1 << 20;

/// First read of a frame that will be large: the rest is then received at a page boundary.
pub const PAGE_BYTES: usize = 4096;

/// The shard's own receive buffer, shared by all its connections.
pub const RECEIVE_BUFFER_BYTES: usize = 64 << 10;

/// Most bytes of one file given to one call of sendfile: larger calls cost no less per byte.
pub const SEND_FILE_BYTES_MAX: usize = 256 << 10;

/// Mails between two shards that may wait; the sender keeps the rest and tries next turn.
pub const MAILBOX_BATCHES_MAX: usize = 1024;

/// Descriptors that no log's file takes, of a process that may have four times as many: for connections, syncs of
/// directories and checkpoints, which have to go on while logs take turns with the others.
pub const DESCRIPTORS_KEPT: u64 = 256;

/// Longest topic name, as Kafka's.
pub const TOPIC_NAME_BYTES_MAX: usize = 249;

/// Tagged fields klamm reads in one message before it calls the message hostile.
pub const TAGGED_FIELDS_MAX: usize = 1024;

/// Idempotent producers remembered per partition; at the limit the least recent are forgotten.
pub const PRODUCERS_PER_PARTITION_MAX: usize = 1 << 16;

/// Largest checkpoint file of a log directory: some 200,000 partitions with the longest names.
pub const CHECKPOINT_BYTES_MAX: usize = 64 << 20;

/// Bytes of records that recovery reads at a time.
pub const RECOVERY_READ_BYTES: usize = 1 << 20;

/// Partitions of one topic: a record for a higher one is a sign of a broken metadata log.
pub const PARTITIONS_PER_TOPIC_MAX: usize = 1_000_000;

/// Records of one metadata transaction, kept in memory until it ends.
pub const METADATA_TRANSACTION_RECORDS_MAX: usize = 10_000_000;

/// Records that one request may make the controller write, as Kafka's `MAX_RECORDS_PER_USER_OP`.
pub const RECORDS_PER_COMMAND_MAX: usize = 10_000;

/// Largest batch of the metadata log, as Kafka's.
pub const METADATA_BATCH_BYTES_MAX: usize = 8 << 20;

/// Bytes of a coordinator's log that are replayed in one turn while it is loaded; others of the core
/// get their turns in between.
pub const COORDINATOR_LOAD_BYTES_PER_TURN_MAX: usize = 256 << 10;

/// Most bytes that one compressed batch of a coordinator's log may open to.
pub const COORDINATOR_BATCH_OPENED_BYTES_MAX: usize = 64 << 20;

/// Damaged records of one coordinator's log that are named one by one; the rest are counted.
pub const COORDINATOR_DAMAGE_NAMED_MAX: u64 = 100;

/// Member ids that one classic group has given to clients which have not come back with them; at
/// the limit it is as full as if they had.
pub const PENDING_MEMBERS_PER_GROUP_MAX: usize = 10_000;

const _: () = assert!(RECEIVE_BUFFER_BYTES >= PAGE_BYTES);
const _: () = assert!(RECEIVE_BYTES_PER_TURN_MAX >= RECEIVE_BUFFER_BYTES);
const _: () = assert!(SEND_BYTES_PER_TURN_MAX >= SEND_BYTES_PER_CONNECTION_MAX);
