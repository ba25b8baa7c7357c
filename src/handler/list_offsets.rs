//! ListOffsets (key 2): the ends of partitions, or the first record at or after a time.

use super::gather::{Gather, Questions};
use super::targets::once_each;
use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::base::ids::{LeaderEpoch, Offset};
use crate::base::time::Timestamp;
use crate::partition::work::{ListOffsetsAnswer, ListOffsetsEntry, ListOffsetsWork, Work};
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use crate::protocol::string::Str;

/// The least version at which each of Kafka's negative timestamps is known.
const NEGATIVE_SINCE: [(i64, i16); 4] = [(-3, 7), (-4, 8), (-5, 9), (-6, 11)];

/// A ListOffsets whose look-ups are with their owners.
pub struct Waiting {
    responder: Responder,
    topics: Vec<(Str, Vec<i32>)>,
    gather: Gather<ListOffsetsAnswer>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: ListOffsetsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let version = request.header.api_version;
    let read_committed = message.isolation_level == 1;
    let mut topics = Vec::new();
    let mut questions = Questions::new(context);
    let asked = message.topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        let partitions = topic.partitions.into_iter();
        partitions.map(move |it| (name.clone(), it.partition_index, Some(it)))
    });
    // Of two wishes for one partition, none is granted.
    for (name, partitions) in once_each(asked, |before, _| *before = None) {
        for (&partition, asked) in &partitions {
            let asked = asked.as_ref().ok_or(ErrorCode::INVALID_REQUEST);
            let checked = asked.and_then(|asked| {
                check_timestamp(asked.timestamp, version)?;
                Ok((asked, context.find(&name, partition)?))
            });
            match checked {
                Ok((asked, topic_partition)) => {
                    questions.ask(topic_partition, |at| ListOffsetsEntry {
                        at,
                        topic_partition,
                        timestamp: asked.timestamp,
                        current_leader_epoch: LeaderEpoch(asked.current_leader_epoch),
                    });
                }
                Err(error) => questions.answer(|at| ListOffsetsAnswer {
                    at,
                    error,
                    timestamp: Timestamp::NONE,
                    offset: Offset(-1),
                    leader_epoch: LeaderEpoch::NONE,
                }),
            }
        }
        topics.push((name, partitions.into_keys().collect()));
    }
    let waiting = Waiting {
        responder: Responder::of(&request.header, ApiKey::ListOffsets),
        topics,
        gather: questions.send(context, request.id, |entries| {
            Work::ListOffsets(ListOffsetsWork {
                read_committed,
                entries,
            })
        }),
    };
    waiting.proceed()
}

pub(super) fn on_answers(mut waiting: Waiting, answers: Vec<ListOffsetsAnswer>) -> Outcome {
    waiting.gather.receive(answers);
    waiting.proceed()
}

fn check_timestamp(timestamp: i64, version: i16) -> Result<(), ErrorCode> {
    let known = NEGATIVE_SINCE
        .iter()
        .find(|(negative, _)| *negative == timestamp);
    match known {
        Some((_, since)) if version < *since => Err(ErrorCode::UNSUPPORTED_VERSION),
        None if timestamp < -2 => Err(ErrorCode::UNSUPPORTED_VERSION),
        Some(_) | None => Ok(()),
    }
}

impl Waiting {
    fn proceed(self) -> Outcome {
        if !self.gather.is_complete() {
            return Outcome::Waits(State::ListOffsets(self));
        }
        let mut answers = self.gather.into_answers();
        let topics = self
            .topics
            .into_iter()
            .map(|(name, partitions)| ListOffsetsTopicResponse {
                name,
                partitions: partitions
                    .into_iter()
                    .zip(&mut answers)
                    .map(|(partition_index, answer)| ListOffsetsPartitionResponse {
                        partition_index,
                        error_code: code(answer.error),
                        timestamp: answer.timestamp.0,
                        offset: answer.offset.0,
                        leader_epoch: if self.responder.version >= 4 {
                            answer.leader_epoch.0
                        } else {
                            LeaderEpoch::NONE.0
                        },
                        ..ListOffsetsPartitionResponse::default()
                    })
                    .collect(),
                ..ListOffsetsTopicResponse::default()
            })
            .collect();
        self.responder.reply(&ListOffsetsResponse {
            topics,
            ..ListOffsetsResponse::default()
        })
    }
}
