//! Produce (key 0): batches in, offsets out.
//!
//! Each batch is checked here, on the connection's core, while its bytes are in the cache; then it
//! travels to its owner as the slice of the received frame that it is.

use super::gather::{Gather, Questions};
use super::metadata::is_internal;
use super::targets::within;
use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::base::ids::{Offset, TopicId, TopicPartition};
use crate::partition::work::{ProduceAnswer, ProduceEntry, ProduceRefusal, ProduceWork, Work};
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::produce::{
    BatchIndexAndErrorMessage, PartitionProduceData, PartitionProduceResponse, ProduceRequest,
    ProduceResponse, TopicProduceData, TopicProduceResponse,
};
use crate::protocol::records::Records;
use crate::protocol::string::Str;
use crate::record::RecordError;
use crate::record::batch::RecordBatch;
use crate::record::validate::{ProduceRules, validate_produce};
use std::collections::BTreeMap;

/// First version whose batches may be compressed with zstd. KIP-110.
const ZSTD_SINCE: i16 = 7;
/// First version that calls topics by their ids. KIP-516.
const TOPIC_IDS_SINCE: i16 = 13;
/// The most records at fault that a response names, of all its partitions. Apache has no bound, and
/// answers a hundred bytes for each record of seven.
const RECORD_ERRORS_MAX: usize = 10_000;
/// What Apache's administrative programs are called, which may write to internal topics.
const ADMIN_CLIENT_ID: &str = "__admin_client";
/// acks=0: the client does not listen.
const ACKS_NONE: i16 = 0;
/// acks=1: the leader has it.
const ACKS_LEADER: i16 = 1;
/// acks=all: every in-sync replica has it.
const ACKS_ALL: i16 = -1;

/// A Produce whose batches are with their owners.
pub struct Waiting {
    responder: Responder,
    acks: i16,
    /// What the response repeats of the request: the records are with the owners.
    topics: Vec<TopicProduceData>,
    gather: Gather<ProduceAnswer>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: ProduceRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let responder = Responder::of(&request.header, ApiKey::Produce);
    let waits_for_replicas = match message.acks {
        ACKS_NONE | ACKS_LEADER => Some(false),
        ACKS_ALL => Some(true),
        _ => None,
    };
    let mut topics = merged(message.topic_data);
    let mut checks = Checks {
        uses_topic_ids: request.header.api_version >= TOPIC_IDS_SINCE,
        is_zstd_allowed: request.header.api_version >= ZSTD_SINCE,
        is_acks_known: waits_for_replicas.is_some(),
        // Apache's own tools may: they call themselves so.
        is_internal_allowed: request.header.client_id.as_deref() == Some(ADMIN_CLIENT_ID),
        has_transactional_id: message.transactional_id.is_some(),
        record_errors_left: RECORD_ERRORS_MAX,
    };
    let mut questions = Questions::new(context);
    for topic in &mut topics {
        for partition in &mut topic.partition_data {
            let called = (topic.topic_id, &topic.name);
            match checks.check(context, called, partition) {
                Ok((topic_partition, batch)) => {
                    questions.ask(topic_partition, |at| ProduceEntry {
                        at,
                        topic_partition,
                        batch,
                    });
                }
                Err(refusal) => questions.answer(|at| refusal.into_answer(at, Offset(-1))),
            }
        }
    }
    let waits_for_replicas = waits_for_replicas.unwrap_or(false);
    let waiting = Waiting {
        responder,
        acks: message.acks,
        topics,
        gather: questions.send(context, request.id, |entries| {
            Work::Produce(ProduceWork {
                waits_for_replicas,
                entries,
            })
        }),
    };
    waiting.proceed()
}

pub(super) fn on_answers(
    _context: &mut Context<'_>,
    mut waiting: Waiting,
    answers: Vec<ProduceAnswer>,
) -> Outcome {
    waiting.gather.receive(answers);
    waiting.proceed()
}

/// Each topic and each partition of it once, as Apache keeps them in a map: what is named later
/// counts, and a topic without partitions is left out.
fn merged(mut topics: Vec<TopicProduceData>) -> Vec<TopicProduceData> {
    topics.retain(|topic| !topic.partition_data.is_empty());
    if topics.len() > 1 && has_duplicates(topics.iter().map(|it| (it.topic_id, &it.name))) {
        let mut places: BTreeMap<(TopicId, Str), usize> = BTreeMap::new();
        let mut once: Vec<TopicProduceData> = Vec::with_capacity(topics.len());
        for topic in topics {
            let next = once.len();
            let place = *places
                .entry((topic.topic_id, topic.name.clone()))
                .or_insert(next);
            if place == next {
                once.push(topic);
            } else {
                once[place].partition_data.extend(topic.partition_data);
            }
        }
        topics = once;
    }
    for topic in &mut topics {
        let partitions = &mut topic.partition_data;
        if partitions.len() > 1 && has_duplicates(partitions.iter().map(|it| it.index)) {
            let last: BTreeMap<i32, PartitionProduceData> = std::mem::take(partitions)
                .into_iter()
                .map(|partition| (partition.index, partition))
                .collect();
            *partitions = last.into_values().collect();
        }
    }
    topics
}

fn has_duplicates<K: Ord>(keys: impl Iterator<Item = K>) -> bool {
    let mut keys: Vec<K> = keys.collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair[0] == pair[1])
}

/// What the request says of all its batches.
struct Checks {
    uses_topic_ids: bool,
    is_zstd_allowed: bool,
    is_acks_known: bool,
    is_internal_allowed: bool,
    has_transactional_id: bool,
    record_errors_left: usize,
}

/// Where a batch goes: or the refusal of it, where that is to say where the log starts.
type Checked = (TopicPartition, Result<RecordBatch, ProduceRefusal>);

impl Checks {
    /// Finds the partition, takes its batch, and validates that by the topic's settings.
    fn check(
        &mut self,
        context: &mut Context<'_>,
        (topic_id, name): (TopicId, &Str),
        partition: &mut PartitionProduceData,
    ) -> Result<Checked, ProduceRefusal> {
        let records = partition.records.take();
        let found = context.find_called(self.uses_topic_ids, topic_id, name)?;
        let topic_partition = within(found, partition.index)?;
        if !self.is_acks_known {
            return Err(ErrorCode::INVALID_REQUIRED_ACKS.into());
        }
        if is_internal(&found.name) && !self.is_internal_allowed {
            return Err(ErrorCode::INVALID_TOPIC_EXCEPTION.into());
        }
        let settings = context
            .topics
            .of(context.image, context.configuration, found);
        let records = match records {
            Some(Records::Bytes(bytes)) => bytes,
            Some(Records::Elsewhere { .. }) | None => return Err(ErrorCode::INVALID_RECORD.into()),
        };
        let rules = ProduceRules {
            is_zstd_allowed: self.is_zstd_allowed,
            ..settings.rules
        };
        match validate_produce(records, &rules, context.now.timestamp) {
            Ok(batch) => {
                self.refuse_transactional(&batch)?;
                Ok((topic_partition, Ok(batch)))
            }
            Err(error) => {
                let refusal = self.refusal(&error, &found.name, partition.index);
                // Before version 7 Apache meets an unknown codec earlier: where it looks for zstd.
                let is_early = matches!(error, RecordError::Codec(_)) && !self.is_zstd_allowed;
                if error.names_log_start() && !is_early {
                    Ok((topic_partition, Err(refusal)))
                } else {
                    Err(refusal)
                }
            }
        }
    }

    fn refusal(&mut self, error: &RecordError, topic: &str, partition: i32) -> ProduceRefusal {
        let code = ErrorCode(error.kafka_code());
        let RecordError::Faults(faults) = error else {
            return ProduceRefusal {
                message: Some(error.to_string()),
                ..ProduceRefusal::from(code)
            };
        };
        let name = format!("{topic}-{partition}");
        let named = faults.first.len().min(self.record_errors_left);
        self.record_errors_left -= named;
        ProduceRefusal {
            error: code,
            message: Some(faults.text(&name)),
            record_errors: faults.first[..named]
                .iter()
                .map(|fault| (fault.batch_index, fault.text(&name)))
                .collect(),
        }
    }

    /// A batch of a transaction would hold back every reader of committed records for ever: there
    /// is no coordinator yet that could end it. The codes are Apache's: of a request without a
    /// transactional id, and of a transaction that nobody began. A transactional id alone does no
    /// harm.
    fn refuse_transactional(&self, batch: &RecordBatch) -> Result<(), ProduceRefusal> {
        if !batch.header().is_transactional() {
            return Ok(());
        }
        Err(ProduceRefusal::from(if self.has_transactional_id {
            ErrorCode::INVALID_TXN_STATE
        } else {
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        }))
    }
}

impl Waiting {
    fn proceed(self) -> Outcome {
        if !self.gather.is_complete() {
            return Outcome::Waits(State::Produce(self));
        }
        if self.acks == ACKS_NONE {
            // Nobody listens to an error either: Kafka closes the connection to be noticed.
            let failed = self
                .gather
                .answers()
                .find(|answer| answer.error != ErrorCode::NONE);
            return match failed {
                Some(answer) => Outcome::Close(format!(
                    "produced with acks=0 and failed: {:?}",
                    answer.error
                )),
                None => Outcome::Silent,
            };
        }
        let mut answers = self.gather.into_answers();
        let responses = self
            .topics
            .into_iter()
            .map(|topic| TopicProduceResponse {
                name: topic.name,
                topic_id: topic.topic_id,
                partition_responses: topic
                    .partition_data
                    .iter()
                    .zip(&mut answers)
                    .map(|(partition, answer)| partition_response(partition.index, answer))
                    .collect(),
                ..TopicProduceResponse::default()
            })
            .collect();
        let response = ProduceResponse {
            responses,
            ..ProduceResponse::default()
        };
        self.responder.reply(&response)
    }
}

fn partition_response(index: i32, answer: ProduceAnswer) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code: code(answer.error),
        base_offset: answer.base_offset.0,
        log_append_time_ms: answer.log_append_time.0,
        log_start_offset: answer.log_start_offset.0,
        record_errors: answer
            .record_errors
            .into_iter()
            .map(|(batch_index, message)| BatchIndexAndErrorMessage {
                batch_index,
                batch_index_error_message: Some(Str::from(message)),
                ..BatchIndexAndErrorMessage::default()
            })
            .collect(),
        error_message: answer.message.map(Str::from),
        ..PartitionProduceResponse::default()
    }
}
