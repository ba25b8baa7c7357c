//! ListOffsets (key 2): the ends of partitions, or the first record at or after a time.

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
use std::collections::BTreeSet;

/// The least version at which each of Kafka's negative timestamps is known.
const NEGATIVE_SINCE: [(i64, i16); 4] = [(-3, 7), (-4, 8), (-5, 9), (-6, 11)];

/// A ListOffsets whose look-ups are with their owners.
pub struct Waiting {
    responder: Responder,
    topics: Vec<(Str, Vec<i32>)>,
    answers: Vec<Option<ListOffsetsAnswer>>,
    cores_to_answer: usize,
}

pub(super) fn begin(context: &mut Context<'_>, request: &Request) -> Outcome {
    let message: ListOffsetsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let version = request.header.api_version;
    let read_committed = message.isolation_level == 1;
    let mut waiting = Waiting {
        responder: Responder::of(&request.header, ApiKey::ListOffsets),
        topics: Vec::new(),
        answers: Vec::new(),
        cores_to_answer: 0,
    };
    let mut entries = Vec::new();
    let mut seen = BTreeSet::new();
    for topic in message.topics {
        let mut partitions = Vec::new();
        for partition in topic.partitions {
            let at = waiting.answers.len();
            partitions.push(partition.partition_index);
            let checked = if seen.insert((topic.name.clone(), partition.partition_index)) {
                check_timestamp(partition.timestamp, version)
                    .and_then(|()| context.find(&topic.name, partition.partition_index))
            } else {
                Err(ErrorCode::INVALID_REQUEST)
            };
            match checked {
                Ok(topic_partition) => {
                    let entry = ListOffsetsEntry {
                        at,
                        topic_partition,
                        timestamp: partition.timestamp,
                        current_leader_epoch: LeaderEpoch(partition.current_leader_epoch),
                    };
                    entries.push((topic_partition, entry));
                    waiting.answers.push(None);
                }
                Err(error) => waiting.answers.push(Some(ListOffsetsAnswer {
                    at,
                    error,
                    timestamp: Timestamp::NONE,
                    offset: Offset(-1),
                    leader_epoch: LeaderEpoch::NONE,
                })),
            }
        }
        waiting.topics.push((topic.name, partitions));
    }
    waiting.cores_to_answer = context.spread(request.id, entries, |entries| {
        Work::ListOffsets(ListOffsetsWork {
            read_committed,
            entries,
        })
    });
    waiting.proceed()
}

pub(super) fn on_answers(mut waiting: Waiting, answers: Vec<ListOffsetsAnswer>) -> Outcome {
    for answer in answers {
        let at = answer.at;
        waiting.answers[at] = Some(answer);
    }
    waiting.cores_to_answer -= 1;
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
        if self.cores_to_answer > 0 {
            return Outcome::Waits(State::ListOffsets(self));
        }
        let mut answers = self.answers.into_iter().flatten();
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
