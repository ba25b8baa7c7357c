//! Produce (key 0): batches in, offsets out.
//!
//! Each batch is checked here, on the connection's core, while its bytes are in the cache; then it
//! travels to its owner as the slice of the received frame that it is.

use super::gather::{Gather, Questions};
use super::metadata::is_internal;
use super::targets::within;
use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::base::ids::{Offset, TopicId, TopicPartition};
use crate::base::time::Timestamp;
use crate::partition::work::{ProduceAnswer, ProduceEntry, ProduceWork, Work};
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::produce::{
    BatchIndexAndErrorMessage, PartitionProduceData, PartitionProduceResponse, ProduceRequest,
    ProduceResponse, TopicProduceResponse,
};
use crate::protocol::records::Records;
use crate::protocol::string::Str;
use crate::record::batch::RecordBatch;
use crate::record::validate::{ProduceRules, validate_produce};

/// First version whose batches may be compressed with zstd. KIP-110.
const ZSTD_SINCE: i16 = 7;
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
    topics: Vec<TopicShape>,
    gather: Gather<ProduceAnswer>,
}

/// What the response must repeat of the request.
struct TopicShape {
    name: Str,
    topic_id: TopicId,
    partitions: Vec<i32>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &Request) -> Outcome {
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
    let mut topics = Vec::with_capacity(message.topic_data.len());
    let is_zstd_allowed = request.header.api_version >= ZSTD_SINCE;
    // Apache's own tools may: they call themselves so.
    let is_internal_allowed = request.header.client_id.as_deref() == Some(ADMIN_CLIENT_ID);
    let is_transactional = message.transactional_id.is_some();
    let mut questions = Questions::new(context);
    for topic in message.topic_data {
        let mut shape = TopicShape {
            name: topic.name,
            topic_id: topic.topic_id,
            partitions: Vec::with_capacity(topic.partition_data.len()),
        };
        for partition in topic.partition_data {
            shape.partitions.push(partition.index);
            let checked = if waits_for_replicas.is_none() {
                Err(Refusal::from(ErrorCode::INVALID_REQUIRED_ACKS))
            } else {
                check(
                    context,
                    &shape,
                    partition,
                    is_zstd_allowed,
                    is_internal_allowed,
                )
                .and_then(|checked| refuse_transactional(checked, is_transactional))
            };
            match checked {
                Ok((topic_partition, batch)) => {
                    questions.ask(topic_partition, |at| ProduceEntry {
                        at,
                        topic_partition,
                        batch,
                    });
                }
                Err(refusal) => questions.answer(|at| refusal.into_answer(at)),
            }
        }
        topics.push(shape);
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

/// Why a batch never reaches its owner.
struct Refusal {
    error: ErrorCode,
    message: Option<String>,
}

impl From<ErrorCode> for Refusal {
    fn from(error: ErrorCode) -> Refusal {
        Refusal {
            error,
            message: None,
        }
    }
}

impl Refusal {
    fn into_answer(self, at: usize) -> ProduceAnswer {
        ProduceAnswer {
            at,
            error: self.error,
            message: self.message,
            base_offset: Offset(-1),
            log_append_time: Timestamp::NONE,
            log_start_offset: Offset(-1),
        }
    }
}

/// A batch of a transaction would hold back every reader of committed records for ever: there is no
/// coordinator yet that could end it. The codes are Apache's: of a request without a transactional id,
/// and of a transaction that nobody began. A transactional id alone does no harm.
fn refuse_transactional(
    (topic_partition, batch): (TopicPartition, RecordBatch),
    has_transactional_id: bool,
) -> Result<(TopicPartition, RecordBatch), Refusal> {
    if !batch.header().is_transactional() {
        return Ok((topic_partition, batch));
    }
    Err(Refusal::from(if has_transactional_id {
        ErrorCode::INVALID_TXN_STATE
    } else {
        ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    }))
}

/// Finds the partition, and validates the batch by its topic's settings.
fn check(
    context: &mut Context<'_>,
    topic: &TopicShape,
    partition: PartitionProduceData,
    is_zstd_allowed: bool,
    is_internal_allowed: bool,
) -> Result<(TopicPartition, RecordBatch), Refusal> {
    let found = context.find_topic(topic.topic_id, &topic.name)?;
    let topic_partition = within(found, partition.index)?;
    if is_internal(&found.name) && !is_internal_allowed {
        return Err(ErrorCode::INVALID_TOPIC_EXCEPTION.into());
    }
    let settings = context
        .topics
        .of(context.image, context.configuration, found);
    let records = match partition.records {
        Some(Records::Bytes(bytes)) => bytes,
        Some(Records::Elsewhere { .. }) | None => return Err(ErrorCode::INVALID_RECORD.into()),
    };
    let rules = ProduceRules {
        is_zstd_allowed,
        ..settings.rules
    };
    let batch =
        validate_produce(records, &rules, context.now.timestamp).map_err(|error| Refusal {
            error: ErrorCode(error.kafka_code()),
            message: Some(error.to_string()),
        })?;
    Ok((topic_partition, batch))
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
                    .partitions
                    .into_iter()
                    .zip(&mut answers)
                    .map(|(index, answer)| partition_response(index, answer))
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
        record_errors: Vec::<BatchIndexAndErrorMessage>::new(),
        error_message: answer.message.map(Str::from),
        ..PartitionProduceResponse::default()
    }
}
