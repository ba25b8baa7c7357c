//! DescribeLogDirs (key 35): what lies in each log directory, and how much room is left.

use super::gather::{Gather, Questions};
use super::targets::{once_each, within};
use super::{Context, Outcome, Request, Responder, State, code, decode};
use crate::base::ids::{TopicId, TopicPartition};
use crate::partition::work::{DescribeAnswer, DescribeEntry, Work};
use crate::protocol::api::ApiKey;
use crate::protocol::errors::ErrorCode;
use crate::protocol::messages::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse,
    DescribeLogDirsResult, DescribeLogDirsTopic,
};
use crate::protocol::string::Str;

/// First version that says how much room a directory has. KIP-827.
const SPACE_SINCE: i16 = 4;

/// A DescribeLogDirs that is with the owners.
pub struct Waiting {
    responder: Responder,
    /// Topic and partition of each place.
    partitions: Vec<(Str, i32)>,
    gather: Gather<DescribeAnswer>,
}

pub(super) fn begin(context: &mut Context<'_>, request: &mut Request) -> Outcome {
    let message: DescribeLogDirsRequest = match decode(request) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    let mut partitions = Vec::new();
    let mut questions = Questions::new(context);
    let mut add = |name: Str, topic_partition: TopicPartition| {
        partitions.push((name, topic_partition.partition.0));
        questions.ask(topic_partition, |at| DescribeEntry {
            at,
            topic_partition,
        });
    };
    match message.topics {
        None => {
            for topic in context.image.topics.iter() {
                for (partition, _) in topic.partitions() {
                    if let Ok(topic_partition) = within(topic, partition.0) {
                        add(Str::from(&*topic.name), topic_partition);
                    }
                }
            }
        }
        // What does not exist is left out: Kafka lists what it finds in its directories.
        Some(topics) => {
            let asked = topics.into_iter().flat_map(|topic| {
                let partitions = topic.partitions.into_iter();
                partitions.map(move |partition| (topic.topic.clone(), partition, ()))
            });
            for (name, partitions) in once_each(asked, |(), ()| {}) {
                let Ok(found) = context.find_topic(TopicId::ZERO, &name) else {
                    continue;
                };
                for &partition in partitions.keys() {
                    if let Ok(topic_partition) = within(found, partition) {
                        add(name.clone(), topic_partition);
                    }
                }
            }
        }
    }
    let waiting = Waiting {
        responder: Responder::of(&request.header, ApiKey::DescribeLogDirs),
        partitions,
        gather: questions.send(context, request.id, Work::DescribeLogDirs),
    };
    waiting.proceed(context)
}

pub(super) fn on_answers(
    context: &mut Context<'_>,
    mut waiting: Waiting,
    answers: Vec<DescribeAnswer>,
) -> Outcome {
    waiting.gather.receive(answers);
    waiting.proceed(context)
}

impl Waiting {
    fn proceed(self, context: &Context<'_>) -> Outcome {
        if !self.gather.is_complete() {
            return Outcome::Waits(State::DescribeLogDirs(self));
        }
        let results = context
            .broker
            .directories
            .iter()
            .enumerate()
            .map(|(place, path)| {
                let mut result = DescribeLogDirsResult {
                    error_code: code(ErrorCode::NONE),
                    log_dir: Str::from(path.to_string_lossy().into_owned()),
                    topics: self.topics_in(place),
                    ..DescribeLogDirsResult::default()
                };
                if self.responder.version >= SPACE_SINCE
                    && let Ok(space) = context.disk.space(path)
                {
                    result.total_bytes = i64::try_from(space.total).unwrap_or(i64::MAX);
                    result.usable_bytes = i64::try_from(space.usable).unwrap_or(i64::MAX);
                }
                result
            })
            .collect();
        let response = DescribeLogDirsResponse {
            results,
            ..DescribeLogDirsResponse::default()
        };
        self.responder.reply(&response)
    }

    fn topics_in(&self, directory: usize) -> Vec<DescribeLogDirsTopic> {
        let mut topics: Vec<DescribeLogDirsTopic> = Vec::new();
        for ((name, partition), answer) in self.partitions.iter().zip(self.gather.answers()) {
            if answer.directory != Some(directory) {
                continue;
            }
            let partition = DescribeLogDirsPartition {
                partition_index: *partition,
                partition_size: i64::try_from(answer.bytes).unwrap_or(i64::MAX),
                ..DescribeLogDirsPartition::default()
            };
            match topics.last_mut() {
                Some(topic) if topic.name == *name => topic.partitions.push(partition),
                Some(_) | None => topics.push(DescribeLogDirsTopic {
                    name: name.clone(),
                    partitions: vec![partition],
                    ..DescribeLogDirsTopic::default()
                }),
            }
        }
        topics
    }
}
