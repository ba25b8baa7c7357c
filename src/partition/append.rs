//! The owner's half of Produce: batches into the logs' queues, answers when they count.

use super::leader::Partition;
use super::partitions::{Partitions, TurnEffects};
use super::work::{Answer, Origin, ProduceAnswer, ProduceEntry, ProduceRefusal, ProduceWork};
use crate::base::ids::{Offset, TopicPartition};
use crate::base::time::{Now, Timestamp};
use crate::log::AppendError;
use crate::protocol::errors::ErrorCode;
use crate::record::batch::RecordBatch;

/// So many lists of batches are kept for the next requests, and so much room each.
const SPARE_LISTS_MAX: usize = 256;
const SPARE_ROOM_MAX: usize = 16;

/// One Produce request on its way through the owner's turn.
pub(super) struct Round {
    origin: Origin,
    answers: Vec<ProduceAnswer>,
    /// Batches in a log's queue: which answer each belongs to, and the offset it must see pass.
    queued: Vec<Queued>,
}

pub(super) struct Queued {
    answer: usize,
    /// Where the partition was, which another may have now.
    place: usize,
    topic_partition: TopicPartition,
    last_offset: Offset,
}

impl Partitions {
    /// Appends a batch that this broker made itself, as its coordinators do. It is written with all
    /// else of this turn: it counts when the high watermark reaches the offset that is returned, and
    /// is lost where the log end offset does not after the write.
    ///
    /// # Errors
    /// Kafka's code for why it is not appended.
    pub fn append_own(
        &mut self,
        now: Now,
        topic_partition: TopicPartition,
        batch: RecordBatch,
    ) -> Result<Offset, ErrorCode> {
        let place = self
            .place(topic_partition)
            .ok_or(ErrorCode::NOT_LEADER_OR_FOLLOWER)?;
        let partition = self.at(place).expect("a place in the table is taken");
        partition.check_serves()?;
        let leader_epoch = partition.leader_epoch;
        match partition.log.append(batch, leader_epoch, now) {
            Ok(appended) => {
                self.mark_dirty(place);
                Ok(appended.last_offset.next())
            }
            Err(error) => {
                tracing::error!("{}: {error}", partition.name());
                Err(code_of(&error))
            }
        }
    }

    /// Appends the batches of one request to their logs' queues. The answer follows after the write.
    pub(super) fn append(&mut self, now: Now, origin: Origin, work: ProduceWork) {
        let mut round = Round {
            origin,
            answers: Vec::with_capacity(work.entries.len()),
            queued: self.spare_queued.pop().unwrap_or_default(),
        };
        for entry in work.entries {
            self.append_one(now, entry, &mut round);
        }
        self.rounds.push(round);
        self.rounds_may_end = true;
    }

    fn append_one(&mut self, now: Now, entry: ProduceEntry, round: &mut Round) {
        let ProduceEntry {
            at,
            topic_partition,
            batch,
        } = entry;
        let Some(place) = self.place(topic_partition) else {
            let why = self.why_missing(topic_partition);
            round.answers.push(refusal(at, why, None));
            return;
        };
        let partition = self.at(place).expect("a place in the table is taken");
        if let Err(error) = partition.check_serves() {
            round.answers.push(refusal(at, error, None));
            return;
        }
        let leader_epoch = partition.leader_epoch;
        let batch = match batch {
            Ok(batch) => batch,
            Err(refusal) => {
                let log_start_offset = partition.log.log_start_offset();
                let answer = refusal.into_answer(at, log_start_offset);
                round.answers.push(answer);
                return;
            }
        };
        match partition.log.append(batch, leader_epoch, now) {
            Ok(appended) => {
                round.queued.push(Queued {
                    answer: round.answers.len(),
                    place,
                    topic_partition,
                    last_offset: appended.last_offset,
                });
                round.answers.push(ProduceAnswer {
                    at,
                    error: ErrorCode::NONE,
                    message: None,
                    record_errors: Vec::new(),
                    base_offset: appended.base_offset,
                    log_append_time: appended.log_append_time,
                    log_start_offset: partition.log.log_start_offset(),
                });
                self.mark_dirty(place);
            }
            // A producer that retries is told what it would have been told: KIP-98.
            Err(AppendError::Duplicate {
                base_offset,
                last_offset,
                log_start_offset,
                ..
            }) => {
                round.queued.push(Queued {
                    answer: round.answers.len(),
                    place,
                    topic_partition,
                    last_offset,
                });
                round.answers.push(ProduceAnswer {
                    at,
                    error: ErrorCode::NONE,
                    message: None,
                    record_errors: Vec::new(),
                    base_offset,
                    log_append_time: Timestamp::NONE,
                    log_start_offset,
                });
            }
            Err(error) => {
                let code = code_of(&error);
                let mut answer = refusal(at, code, Some(error.to_string()));
                if names_log_start(code) {
                    answer.log_start_offset = partition.log.log_start_offset();
                }
                round.answers.push(answer);
            }
        }
    }

    /// Answers each round whose batches all count, or failed. Thousands may wait for a sync, so that
    /// it is not done where nothing can have come of any.
    pub(super) fn answer_rounds(&mut self, effects: &mut TurnEffects) {
        let mut rounds = std::mem::take(&mut self.rounds);
        rounds.retain_mut(|round| {
            self.settle_round(round);
            if !round.queued.is_empty() {
                return true;
            }
            if self.spare_queued.len() < SPARE_LISTS_MAX
                && round.queued.capacity() <= SPARE_ROOM_MAX
            {
                self.spare_queued.push(std::mem::take(&mut round.queued));
            }
            let answers = std::mem::take(&mut round.answers);
            effects
                .answers
                .push((round.origin, Answer::Produce(answers)));
            false
        });
        self.rounds = rounds;
    }

    fn settle_round(&self, round: &mut Round) {
        let answers = &mut round.answers;
        round.queued.retain(|queued| match self.outcome(queued) {
            None => true,
            Some(ErrorCode::NONE) => false,
            Some(error) => {
                fail(&mut answers[queued.answer], error);
                false
            }
        });
    }

    /// What has become of a batch: `None` while that is not known. Without other replicas acks=1 and
    /// acks=all wait for the same: that it counts here.
    fn outcome(&self, queued: &Queued) -> Option<ErrorCode> {
        let partition = self.slots.get(queued.place).and_then(Option::as_ref);
        let same = |partition: &&Partition| partition.topic_partition == queued.topic_partition;
        let Some(partition) = partition.filter(same) else {
            // The topic was deleted meanwhile.
            return Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        };
        if partition.high_watermark > queued.last_offset {
            return Some(ErrorCode::NONE);
        }
        let is_lost = partition.write_failed && !partition.is_dirty;
        let is_lost = is_lost && partition.log.log_end_offset() <= queued.last_offset;
        (is_lost || partition.is_offline).then_some(ErrorCode::KAFKA_STORAGE_ERROR)
    }

    /// Whether a round could be answered that is not.
    pub(super) fn owes_an_answer(&self) -> bool {
        let is_known = |queued: &Queued| self.outcome(queued).is_some();
        let mut rounds = self.rounds.iter();
        rounds.any(|round| round.queued.iter().all(is_known))
    }
}

fn refusal(at: usize, error: ErrorCode, message: Option<String>) -> ProduceAnswer {
    let refusal = ProduceRefusal {
        message,
        ..ProduceRefusal::from(error)
    };
    refusal.into_answer(at, Offset(-1))
}

fn fail(answer: &mut ProduceAnswer, error: ErrorCode) {
    *answer = refusal(answer.at, error, None);
}

/// Whether Apache says where the log starts beside an error: not where it looked at no producer.
fn names_log_start(error: ErrorCode) -> bool {
    ![
        ErrorCode::MESSAGE_TOO_LARGE,
        ErrorCode::RECORD_LIST_TOO_LARGE,
        ErrorCode::CORRUPT_MESSAGE,
    ]
    .contains(&error)
}

/// Kafka's code for what a log refuses.
fn code_of(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::Duplicate { .. } => ErrorCode::DUPLICATE_SEQUENCE_NUMBER,
        AppendError::OutOfOrderSequence { .. } => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
        AppendError::InvalidProducerEpoch { .. } => ErrorCode::INVALID_PRODUCER_EPOCH,
        AppendError::InvalidTransactionState { .. } => ErrorCode::INVALID_TXN_STATE,
        AppendError::CoordinatorFenced { .. } => ErrorCode::TRANSACTION_COORDINATOR_FENCED,
        AppendError::MessageTooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
        AppendError::LargerThanSegment { .. } => ErrorCode::RECORD_LIST_TOO_LARGE,
        AppendError::OffsetNotMonotonic { .. } => ErrorCode::UNKNOWN_SERVER_ERROR,
        AppendError::Corrupt { .. } => ErrorCode::CORRUPT_MESSAGE,
    }
}
