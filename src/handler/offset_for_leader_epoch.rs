//! OffsetForLeaderEpoch (key 23): where a leader epoch ends, so that a client can tell whether its
//! records were cut off. KIP-320.

use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::base::ids::{LeaderEpoch, Offset};
use crate::partition::work::{EpochAnswer, EpochEntry, Work};
use crate::protocol::api::ApiKey;
use crate::protocol::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    OffsetForLeaderTopicResult,
};
use crate::protocol::string::Str;

/// An OffsetForLeaderEpoch whose look-ups are with their owners.
pub struct Waiting {
    responder: Responder,
    topics: Vec<(Str, Vec<i32>)>,
    answers: Vec<Option<EpochAnswer>>,
    cores_to_answer: usize,
}

pub(super) fn begin(context: &mut Context<'_>, request: &Request) -> Outcome {
    let message: OffsetForLeaderEpochRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let mut waiting = Waiting {
        responder: Responder::of(&request.header, ApiKey::OffsetForLeaderEpoch),
        topics: Vec::new(),
        answers: Vec::new(),
        cores_to_answer: 0,
    };
    let mut entries = Vec::new();
    for topic in message.topics {
        let mut partitions = Vec::new();
        for partition in topic.partitions {
            let at = waiting.answers.len();
            partitions.push(partition.partition);
            match context.find(&topic.topic, partition.partition) {
                Ok(topic_partition) => {
                    let entry = EpochEntry {
                        at,
                        topic_partition,
                        current_leader_epoch: LeaderEpoch(partition.current_leader_epoch),
                        leader_epoch: LeaderEpoch(partition.leader_epoch),
                    };
                    entries.push((topic_partition, entry));
                    waiting.answers.push(None);
                }
                Err(error) => waiting.answers.push(Some(EpochAnswer {
                    at,
                    error,
                    leader_epoch: LeaderEpoch::NONE,
                    end_offset: Offset(-1),
                })),
            }
        }
        waiting.topics.push((topic.topic, partitions));
    }
    waiting.cores_to_answer = context.spread(request.id, entries, Work::OffsetForLeaderEpoch);
    waiting.proceed()
}

pub(super) fn on_answers(mut waiting: Waiting, answers: Vec<EpochAnswer>) -> Outcome {
    for answer in answers {
        let at = answer.at;
        waiting.answers[at] = Some(answer);
    }
    waiting.cores_to_answer -= 1;
    waiting.proceed()
}

impl Waiting {
    fn proceed(self) -> Outcome {
        if self.cores_to_answer > 0 {
            return Outcome::Waits(State::OffsetForLeaderEpoch(self));
        }
        let mut answers = self.answers.into_iter().flatten();
        let topics = self
            .topics
            .into_iter()
            .map(|(topic, partitions)| OffsetForLeaderTopicResult {
                topic,
                partitions: partitions
                    .into_iter()
                    .zip(&mut answers)
                    .map(|(partition, answer)| EpochEndOffset {
                        error_code: code(answer.error),
                        partition,
                        leader_epoch: answer.leader_epoch.0,
                        end_offset: answer.end_offset.0,
                        ..EpochEndOffset::default()
                    })
                    .collect(),
                ..OffsetForLeaderTopicResult::default()
            })
            .collect();
        let response = OffsetForLeaderEpochResponse {
            topics,
            ..OffsetForLeaderEpochResponse::default()
        };
        self.responder.reply(&response)
    }
}
