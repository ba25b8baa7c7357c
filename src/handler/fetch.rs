//! Fetch (key 1): records out, from where they lie in the segment files.
//!
//! ```text
//!   begin ─► session ─► Work::Fetch to each owner ─► answers ─► enough? ─► reply
//!                              ▲                                   │ no
//!                              └──── a watched partition grew ◄────┤
//!                                    the deadline passed ◄─────────┘
//! ```

use super::gather::{Gather, Questions};
use super::targets::within;
use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::base::ids::{LeaderEpoch, Offset, PartitionIndex};
use crate::base::time::{Instant, milliseconds};
use crate::partition::session::{FetchContext, FetchPosition, FetchTarget, SessionRequest};
use crate::partition::work::{FetchAnswer, FetchEntry, FetchWork, RequestId, Watcher, Work};
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::fetch::{
    AbortedTransaction, EpochEndOffset, FetchRequest, FetchResponse, FetchableTopicResponse,
    LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use crate::protocol::records::Records;
use crate::runtime::disk::FileSlice;
use crate::runtime::disk::Resident;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// First version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 13;
/// First version that tells a client that asked the wrong leader who leads. KIP-951. The field for it
/// is older, but versions below 12 cannot say it at all.
const LEADERS_SINCE: i16 = 16;
/// Slices up to this size are copied into the reply: one send costs less than two.
const COPIED_BYTES_MAX: usize = 4 << 10;

/// `isolation_level`: everything below the high watermark.
const READ_UNCOMMITTED: i8 = 0;
/// `isolation_level`: everything below the last stable offset.
const READ_COMMITTED: i8 = 1;

/// A Fetch whose reads are with their owners, or that waits for more records.
pub struct Waiting {
    responder: Responder,
    /// When it is answered with whatever there is.
    deadline: Instant,
    connection: u32,
    bytes_min: usize,
    /// The response's limit; none where it is negative.
    bytes_max: Option<usize>,
    read_committed: bool,
    is_from_follower: bool,
    session: FetchContext,
    /// In the order in which they are served.
    partitions: Vec<(FetchTarget, FetchPosition)>,
    gather: Gather<FetchAnswer>,
    /// More came while answers were still under way: look again before waiting.
    was_woken: bool,
    is_due: bool,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: FetchRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::Fetch);
    if ![READ_UNCOMMITTED, READ_COMMITTED].contains(&message.isolation_level) {
        // No such level: Apache throws what it does not expect.
        let error = ErrorCode::UNKNOWN_SERVER_ERROR;
        return refuse(context, &responder, &message, error);
    }
    let replica_id = if message.replica_id == -1 {
        message.replica_state.replica_id
    } else {
        message.replica_id
    };
    let (bytes_min, bytes_max, max_wait_ms, read_committed) = (
        usize::try_from(message.min_bytes).unwrap_or(0),
        usize::try_from(message.max_bytes).ok(),
        i64::from(message.max_wait_ms),
        message.isolation_level == READ_COMMITTED,
    );
    let bytes_max_allowed = usize::try_from(context.configuration.fetch_max_bytes()).unwrap_or(0);
    let session_request = session_request(message, request);
    let random = &mut *context.random;
    let begun = context
        .sessions
        .begin(session_request, context.now.instant, || random.next());
    let (session, partitions) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            let error_code = code(error);
            return responder.reply(&FetchResponse {
                error_code,
                ..FetchResponse::default()
            });
        }
    };
    let waiting = Waiting {
        responder,
        deadline: context.now.instant + milliseconds(max_wait_ms),
        connection: request.connection,
        bytes_min,
        bytes_max: bytes_max.map(|bytes_max| bytes_max.min(bytes_max_allowed)),
        read_committed,
        is_from_follower: replica_id >= 0,
        session,
        partitions,
        gather: Gather::empty(),
        was_woken: false,
        is_due: max_wait_ms <= 0,
    };
    waiting.ask(context, request.id)
}

pub(super) fn on_answers(
    context: &mut Context<'_>,
    id: RequestId,
    mut waiting: Waiting,
    answers: Vec<FetchAnswer>,
) -> Outcome {
    waiting.gather.receive(answers);
    waiting.proceed(context, id)
}

pub(super) fn on_wake(
    context: &mut Context<'_>,
    id: RequestId,
    mut waiting: Waiting,
    is_due: bool,
) -> Outcome {
    waiting.is_due |= is_due;
    if !waiting.gather.is_complete() {
        waiting.was_woken = true;
        return Outcome::Waits(State::Fetch(waiting));
    }
    if is_due {
        // What was found when the fetch began to wait is still there, and still too little.
        return waiting.answer(context);
    }
    waiting.ask(context, id)
}

/// Answers the whole request with an error; before version 13 clients look for it at each partition.
fn refuse(
    context: &Context<'_>,
    responder: &Responder,
    message: &FetchRequest,
    error: ErrorCode,
) -> Outcome {
    let mut response = FetchResponse {
        error_code: code(error),
        session_id: message.session_id,
        ..FetchResponse::default()
    };
    if responder.version < TOPIC_IDS_SINCE {
        for topic in &message.topics {
            let partitions = topic.partitions.iter().map(|partition| {
                let target = FetchTarget {
                    topic_id: topic.topic_id,
                    topic: topic.topic.clone(),
                    partition: PartitionIndex(partition.partition),
                };
                let answer = not_found(0, error);
                let records = Records::Bytes(Bytes::new());
                partition_data(context, responder.version, &target, &answer, records)
            });
            response.responses.push(FetchableTopicResponse {
                topic: topic.topic.clone(),
                topic_id: topic.topic_id,
                partitions: partitions.collect(),
                ..FetchableTopicResponse::default()
            });
        }
    }
    responder.reply(&response)
}

/// A leader epoch as a Fetch request says it: every negative one is none.
fn epoch(epoch: i32) -> LeaderEpoch {
    LeaderEpoch(epoch.max(LeaderEpoch::NONE.0))
}

/// Each partition once, as Apache keeps them in a map: where it was named first, as it was named last.
fn once_each(partitions: Vec<(FetchTarget, FetchPosition)>) -> Vec<(FetchTarget, FetchPosition)> {
    if partitions.len() < 2 {
        return partitions;
    }
    let mut sorted: Vec<&FetchTarget> = partitions.iter().map(|(target, _)| target).collect();
    sorted.sort_unstable();
    if sorted.windows(2).all(|pair| pair[0] != pair[1]) {
        return partitions;
    }
    let mut places: BTreeMap<FetchTarget, usize> = BTreeMap::new();
    let mut once: Vec<(FetchTarget, FetchPosition)> = Vec::with_capacity(partitions.len());
    for (target, position) in partitions {
        match places.entry(target.clone()) {
            Entry::Occupied(known) => once[*known.get()].1 = position,
            Entry::Vacant(vacant) => {
                vacant.insert(once.len());
                once.push((target, position));
            }
        }
    }
    once
}

/// The part of a request that sessions are about.
fn session_request(message: FetchRequest, request: &Request) -> SessionRequest {
    let mut partitions = Vec::new();
    for topic in message.topics {
        for partition in topic.partitions {
            let target = FetchTarget {
                topic_id: topic.topic_id,
                topic: topic.topic.clone(),
                partition: PartitionIndex(partition.partition),
            };
            let position = FetchPosition {
                offset: Offset(partition.fetch_offset),
                bytes_max: partition.partition_max_bytes,
                current_leader_epoch: epoch(partition.current_leader_epoch),
                last_fetched_epoch: epoch(partition.last_fetched_epoch),
            };
            partitions.push((target, position));
        }
    }
    let partitions = once_each(partitions);
    let mut forgotten = Vec::new();
    for topic in message.forgotten_topics_data {
        for partition in topic.partitions {
            forgotten.push(FetchTarget {
                topic_id: topic.topic_id,
                topic: topic.topic.clone(),
                partition: PartitionIndex(partition),
            });
        }
    }
    SessionRequest {
        connection: request.connection,
        session_id: message.session_id,
        epoch: message.session_epoch,
        uses_topic_ids: request.header.api_version >= TOPIC_IDS_SINCE,
        partitions,
        forgotten,
    }
}

impl Waiting {
    /// When it must be woken. Never again once its time is up: it then waits for answers that are
    /// under way, and a shard that woke it at once would turn in place and never receive them.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (!self.is_due).then_some(self.deadline)
    }

    /// Sends each owner its partitions.
    fn ask(mut self, context: &mut Context<'_>, id: RequestId) -> Outcome {
        self.was_woken = false;
        let mut questions = Questions::new(context);
        let uses_topic_ids = self.responder.version >= TOPIC_IDS_SINCE;
        let mut bytes_max = self.bytes_max;
        for (target, position) in &self.partitions {
            let found = context
                .find_called(uses_topic_ids, target.topic_id, &target.topic)
                .and_then(|topic| within(topic, target.partition.0));
            match found {
                Ok(topic_partition) => {
                    let own = usize::try_from(position.bytes_max).ok();
                    questions.ask(topic_partition, |at| FetchEntry {
                        at,
                        topic_partition,
                        offset: position.offset,
                        bytes_max: own.zip(bytes_max).map(|(own, all)| own.min(all)),
                        current_leader_epoch: position.current_leader_epoch,
                        last_fetched_epoch: position.last_fetched_epoch,
                    });
                    // A negative limit meets one partition: what is left after it is nothing.
                    bytes_max = bytes_max.or(Some(0));
                }
                Err(error) => questions.answer(|at| not_found(at, error)),
            }
        }
        let watcher = (!self.is_due && self.bytes_min > 0).then(|| Watcher {
            origin: context.origin(id),
            connection: self.connection,
        });
        let (read_committed, bytes_min) = (self.read_committed, self.bytes_min);
        let is_from_follower = self.is_from_follower;
        self.gather = questions.send(context, id, |entries| {
            Work::Fetch(FetchWork {
                read_committed,
                is_from_follower,
                watcher,
                bytes_min,
                entries,
            })
        });
        self.proceed(context, id)
    }

    fn proceed(self, context: &mut Context<'_>, id: RequestId) -> Outcome {
        if !self.gather.is_complete() {
            return Outcome::Waits(State::Fetch(self));
        }
        // Kafka answers at once: when time is up, nothing is asked, enough is there, an error, or a
        // divergence. No more than the response's limit counts.
        let mut available = 0;
        let mut is_urgent = self.is_due || self.bytes_min == 0 || self.partitions.is_empty();
        for answer in self.gather.answers() {
            is_urgent |= answer.error != ErrorCode::NONE || answer.diverging_epoch.is_some();
            available += answer.slice.as_ref().map_or(0, |slice| slice.bytes);
        }
        if is_urgent || available >= self.bytes_min.min(self.bytes_max.unwrap_or(0)) {
            return self.answer(context);
        }
        if self.was_woken {
            return self.ask(context, id);
        }
        Outcome::Waits(State::Fetch(self))
    }

    /// Builds the response: records in the order of the partitions, up to the response's limit.
    fn answer(self, context: &mut Context<'_>) -> Outcome {
        let mut left = self.bytes_max.unwrap_or(0);
        let mut has_records = false;
        let mut files = Vec::new();
        let mut response = FetchResponse {
            session_id: self.session.session_id,
            ..FetchResponse::default()
        };
        let mut needs_leader = false;
        let mut answers: Vec<_> = self
            .partitions
            .iter()
            .zip(self.gather.into_answers())
            .collect();
        // As Apache: what there is no partition for comes last.
        answers.sort_by_key(|(_, answer)| is_unknown(answer.error));
        for ((target, position), mut answer) in answers {
            // The first records are given whole, however large: a reader must get on.
            let slice = if has_records {
                let own = usize::try_from(position.bytes_max).unwrap_or(0);
                within_limit(&mut answer, own.min(left))
            } else {
                answer.slice.take()
            };
            let is_told = context.sessions.tell(
                self.session,
                target,
                answer.high_watermark,
                answer.log_start_offset,
                slice.is_some(),
                answer.error != ErrorCode::NONE || answer.diverging_epoch.is_some(),
            );
            if !is_told {
                continue;
            }
            if let Some(slice) = &slice {
                has_records = true;
                left = left.saturating_sub(slice.bytes);
            }
            needs_leader |= names_leader(answer.error);
            let records = place(slice, &mut files);
            let version = self.responder.version;
            let partition = partition_data(context, version, target, &answer, records);
            match response.responses.last_mut() {
                Some(topic) if topic.topic == target.topic && topic.topic_id == target.topic_id => {
                    topic.partitions.push(partition);
                }
                Some(_) | None => response.responses.push(FetchableTopicResponse {
                    topic: target.topic.clone(),
                    topic_id: target.topic_id,
                    partitions: vec![partition],
                    ..FetchableTopicResponse::default()
                }),
            }
        }
        if needs_leader && self.responder.version >= LEADERS_SINCE {
            response.node_endpoints = context
                .clients_brokers()
                .map(|(node_id, host, port, rack)| NodeEndpoint {
                    node_id,
                    host,
                    port,
                    rack,
                    ..NodeEndpoint::default()
                })
                .collect();
        }
        self.responder.reply_with_files(&response, files)
    }
}

/// The records of a later partition, of which so many bytes may go into the response: at least one
/// whole batch, or nothing.
fn within_limit(answer: &mut FetchAnswer, limit: usize) -> Option<FileSlice> {
    let mut slice = answer.slice.take()?;
    if limit == 0 {
        return None;
    }
    if answer.first_batch_bytes > limit {
        // Apache reads a part of the batch, drops it, and with it what it found of transactions.
        answer.aborted = None;
        return None;
    }
    slice.bytes = slice.bytes.min(limit);
    Some(slice)
}

/// Leaves a slice in its file, or copies it into memory where that is cheaper.
fn place(slice: Option<FileSlice>, files: &mut Vec<FileSlice>) -> Records {
    let Some(slice) = slice else {
        return Records::Bytes(Bytes::new());
    };
    if slice.bytes <= COPIED_BYTES_MAX {
        let mut copy = vec![0; slice.bytes];
        let read = slice.file.read_resident(slice.position, &mut copy);
        if matches!(read, Ok(Resident::Read(count)) if count == slice.bytes) {
            return Records::Bytes(Bytes::from(copy));
        }
    }
    let records = Records::Elsewhere {
        bytes: slice.bytes,
        token: files.len(),
    };
    files.push(slice);
    records
}

/// Whether an error says that there is no such partition.
fn is_unknown(error: ErrorCode) -> bool {
    error == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION || error == ErrorCode::UNKNOWN_TOPIC_ID
}

/// Whether an error sends the client to another leader. KIP-951.
fn names_leader(error: ErrorCode) -> bool {
    error == ErrorCode::NOT_LEADER_OR_FOLLOWER || error == ErrorCode::FENCED_LEADER_EPOCH
}

fn partition_data(
    context: &Context<'_>,
    version: i16,
    target: &FetchTarget,
    answer: &FetchAnswer,
    records: Records,
) -> PartitionData {
    let mut data = PartitionData {
        partition_index: target.partition.0,
        error_code: code(answer.error),
        high_watermark: answer.high_watermark.0,
        last_stable_offset: answer.last_stable_offset.0,
        log_start_offset: answer.log_start_offset.0,
        aborted_transactions: answer.aborted.as_ref().map(|aborted| {
            aborted
                .iter()
                .map(|&(producer_id, first_offset)| AbortedTransaction {
                    producer_id,
                    first_offset: first_offset.0,
                    ..AbortedTransaction::default()
                })
                .collect()
        }),
        records: Some(records),
        ..PartitionData::default()
    };
    if let Some((epoch, end_offset)) = answer.diverging_epoch {
        data.diverging_epoch = EpochEndOffset {
            epoch: epoch.0,
            end_offset: end_offset.0,
            ..EpochEndOffset::default()
        };
    }
    if names_leader(answer.error) && version >= LEADERS_SINCE {
        data.current_leader = LeaderIdAndEpoch {
            leader_id: context.configuration.node_id().0,
            leader_epoch: answer.leader_epoch.0,
            ..LeaderIdAndEpoch::default()
        };
    }
    data
}

fn not_found(at: usize, error: ErrorCode) -> FetchAnswer {
    FetchAnswer {
        at,
        error,
        high_watermark: Offset(-1),
        last_stable_offset: Offset(-1),
        log_start_offset: Offset(-1),
        diverging_epoch: None,
        slice: None,
        first_batch_bytes: 0,
        // Apache says "none", not null, of a partition that it never looked into.
        aborted: Some(Vec::new()),
        leader_epoch: LeaderEpoch::NONE,
    }
}
