//! DeleteRecords (key 21): moves the start of logs forward. KIP-107.

use super::gather::{Gather, Questions};
use super::targets::once_each;
use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::base::ids::Offset;
use crate::partition::work::{DeleteAnswer, DeleteEntry, Work};
use crate::protocol::api::ApiKey;
use crate::protocol::messages::delete_records::{
    DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult,
};
use crate::protocol::string::Str;

/// A DeleteRecords that is with the owners.
pub struct Waiting {
    responder: Responder,
    topics: Vec<(Str, Vec<i32>)>,
    gather: Gather<DeleteAnswer>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: DeleteRecordsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let mut topics = Vec::new();
    let mut questions = Questions::new(context);
    let asked = message.topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        let partitions = topic.partitions.into_iter();
        partitions.map(move |it| (name.clone(), it.partition_index, it.offset))
    });
    for (name, partitions) in once_each(asked, |before, now| *before = now) {
        for (&partition, &offset) in &partitions {
            match context.find(&name, partition) {
                Ok(topic_partition) => questions.ask(topic_partition, |at| DeleteEntry {
                    at,
                    topic_partition,
                    offset: Offset(offset),
                }),
                Err(error) => questions.answer(|at| DeleteAnswer {
                    at,
                    error,
                    low_watermark: Offset(-1),
                }),
            }
        }
        topics.push((name, partitions.into_keys().collect()));
    }
    let waiting = Waiting {
        responder: Responder::of(&request.header, ApiKey::DeleteRecords),
        topics,
        gather: questions.send(context, request.id, Work::DeleteRecords),
    };
    waiting.proceed()
}

pub(super) fn on_answers(mut waiting: Waiting, answers: Vec<DeleteAnswer>) -> Outcome {
    waiting.gather.receive(answers);
    waiting.proceed()
}

impl Waiting {
    fn proceed(self) -> Outcome {
        if !self.gather.is_complete() {
            return Outcome::Waits(State::DeleteRecords(self));
        }
        let mut answers = self.gather.into_answers();
        let topics = self
            .topics
            .into_iter()
            .map(|(name, partitions)| DeleteRecordsTopicResult {
                name,
                partitions: partitions
                    .into_iter()
                    .zip(&mut answers)
                    .map(|(partition_index, answer)| DeleteRecordsPartitionResult {
                        partition_index,
                        low_watermark: answer.low_watermark.0,
                        error_code: code(answer.error),
                        ..DeleteRecordsPartitionResult::default()
                    })
                    .collect(),
                ..DeleteRecordsTopicResult::default()
            })
            .collect();
        self.responder.reply(&DeleteRecordsResponse {
            topics,
            ..DeleteRecordsResponse::default()
        })
    }
}
