//! DeleteRecords (key 21): moves the start of logs forward. KIP-107.

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
    answers: Vec<Option<DeleteAnswer>>,
    cores_to_answer: usize,
}

pub(super) fn begin(context: &mut Context<'_>, request: &Request) -> Outcome {
    let message: DeleteRecordsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let mut waiting = Waiting {
        responder: Responder::of(&request.header, ApiKey::DeleteRecords),
        topics: Vec::new(),
        answers: Vec::new(),
        cores_to_answer: 0,
    };
    let mut entries = Vec::new();
    for topic in message.topics {
        let mut partitions = Vec::new();
        for partition in topic.partitions {
            let at = waiting.answers.len();
            partitions.push(partition.partition_index);
            match context.find(&topic.name, partition.partition_index) {
                Ok(topic_partition) => {
                    let offset = Offset(partition.offset);
                    entries.push((
                        topic_partition,
                        DeleteEntry {
                            at,
                            topic_partition,
                            offset,
                        },
                    ));
                    waiting.answers.push(None);
                }
                Err(error) => waiting.answers.push(Some(DeleteAnswer {
                    at,
                    error,
                    low_watermark: Offset(-1),
                })),
            }
        }
        waiting.topics.push((topic.name, partitions));
    }
    waiting.cores_to_answer = context.spread(request.id, entries, Work::DeleteRecords);
    waiting.proceed()
}

pub(super) fn on_answers(mut waiting: Waiting, answers: Vec<DeleteAnswer>) -> Outcome {
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
            return Outcome::Waits(State::DeleteRecords(self));
        }
        let mut answers = self.answers.into_iter().flatten();
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
