//! OffsetForLeaderEpoch (key 23): where a leader epoch ends, so that a client can tell whether its
//! records were cut off. KIP-320.

use super::gather::{Gather, Questions};
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
    gather: Gather<EpochAnswer>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: OffsetForLeaderEpochRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let mut topics = Vec::new();
    let mut questions = Questions::new(context);
    for topic in message.topics {
        let mut partitions = Vec::new();
        for partition in topic.partitions {
            partitions.push(partition.partition);
            match context.find(&topic.topic, partition.partition) {
                Ok(topic_partition) => questions.ask(topic_partition, |at| EpochEntry {
                    at,
                    topic_partition,
                    current_leader_epoch: LeaderEpoch(partition.current_leader_epoch),
                    leader_epoch: LeaderEpoch(partition.leader_epoch),
                }),
                Err(error) => questions.answer(|at| EpochAnswer {
                    at,
                    error,
                    leader_epoch: LeaderEpoch::NONE,
                    end_offset: Offset(-1),
                }),
            }
        }
        topics.push((topic.topic, partitions));
    }
    let waiting = Waiting {
        responder: Responder::of(&request.header, ApiKey::OffsetForLeaderEpoch),
        topics,
        gather: questions.send(context, request.id, Work::OffsetForLeaderEpoch),
    };
    waiting.proceed()
}

pub(super) fn on_answers(mut waiting: Waiting, answers: Vec<EpochAnswer>) -> Outcome {
    waiting.gather.receive(answers);
    waiting.proceed()
}

impl Waiting {
    fn proceed(self) -> Outcome {
        if !self.gather.is_complete() {
            return Outcome::Waits(State::OffsetForLeaderEpoch(self));
        }
        let mut answers = self.gather.into_answers();
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
