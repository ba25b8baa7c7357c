//! The coordinators of this core: one for each partition of `__consumer_offsets` that it owns and
//! leads. They come, are loaded and go as their partitions do, and are driven by the shard's turn.
//!
//! ```text
//!   settle      commands ─► begin_round ─► the turn's write ─► end_round ─► replies
//!   the turn    one slice of one log that is being loaded
//!   on_timers   timers that are due become commands
//! ```

use super::mail::Mail;
use super::{Phase, Shard, keep_room};
use crate::base::collections::HashMap;
use crate::base::ids::{Offset, PartitionIndex, TopicId, TopicPartition};
use crate::base::time::Instant;
use crate::coordinator::group::topic::OFFSETS_TOPIC;
use crate::coordinator::group::{GroupCommand, GroupReply, Groups};
use crate::coordinator::{Coordinator, Machine, Progress, Timers, TopicsChanged, World};
use crate::metadata::delta::MetadataDelta;
use crate::partition::placement::owner;
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::record::Compression;
use crate::runtime::io::Io;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The coordinators of one core.
#[derive(Default)]
pub struct Coordinators {
    topic_id: TopicId,
    groups: BTreeMap<PartitionIndex, Coordinator<Groups>>,
    /// Those with commands, or with replies that wait for the high watermark.
    busy: BTreeSet<PartitionIndex>,
    /// Those whose next slice may be replayed.
    loading: VecDeque<PartitionIndex>,
    /// Those whose next slice is being read from the device.
    warming: HashMap<u64, PartitionIndex>,
    /// When each has a timer that is due.
    deadlines: Timers<PartitionIndex>,
    /// To be sent at the end of the round.
    replies: Vec<(Origin, GroupReply)>,
}

impl Coordinators {
    /// Takes a command for the groups of a partition, which is done in this turn, or refused.
    pub fn submit(
        &mut self,
        origin: Origin,
        partition: PartitionIndex,
        command: Box<GroupCommand>,
    ) {
        match self.groups.get_mut(&partition) {
            Some(coordinator) => {
                coordinator.submit(origin, command, &mut self.replies);
                self.busy.insert(partition);
            }
            None => self.replies.extend(
                Groups::refusal(&command, ErrorCode::NOT_COORDINATOR).map(|reply| (origin, reply)),
            ),
        }
    }

    /// Whether a round is left to be made, or an answer to be sent.
    #[must_use]
    pub fn has_commands(&self) -> bool {
        !self.replies.is_empty()
            || self.busy.iter().any(|partition| {
                let coordinator = self.groups.get(partition);
                coordinator.is_some_and(Coordinator::has_commands)
            })
    }

    /// When the first timer is due.
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        self.deadlines.next_deadline()
    }

    /// Turns timers that are due into commands.
    pub fn on_timers(&mut self, now: Instant) {
        while let Some(partition) = self.deadlines.take_due(now) {
            if let Some(coordinator) = self.groups.get_mut(&partition) {
                coordinator.on_timers(now);
                if coordinator.goes_on_loading(now) {
                    self.loading.push_back(partition);
                }
                self.busy.insert(partition);
            }
        }
    }

    /// Pages that a load waited for are there, or cannot be read. False where the token is somebody
    /// else's.
    pub fn on_warmed(&mut self, token: u64, now: Instant, is_read: bool) -> bool {
        let Some(partition) = self.warming.remove(&token) else {
            return false;
        };
        if is_read {
            self.loading.push_back(partition);
        } else if let Some(coordinator) = self.groups.get_mut(&partition) {
            // At once it would only fail again, as often as the core can ask.
            coordinator.on_unreadable(now);
            self.busy.insert(partition);
        }
        true
    }

    fn remove(&mut self, partition: PartitionIndex) {
        if let Some(mut coordinator) = self.groups.remove(&partition) {
            coordinator.resign(&mut self.replies);
        }
        self.busy.remove(&partition);
        self.deadlines.cancel(&partition);
        self.loading.retain(|loading| *loading != partition);
        self.warming.retain(|_, warming| *warming != partition);
    }
}

impl Shard {
    /// Has a coordinator for each partition that is led here, and for no other; and tells them which
    /// topics changed. Without a delta, everything may have.
    pub(super) fn follow_coordinators(&mut self, io: &mut Io<Mail>, delta: Option<&MetadataDelta>) {
        // Until this broker is registered anew, what it led before its last end is not its own: it
        // would load a log only to give it up.
        if self.phase == Phase::Opening {
            return;
        }
        let topic_id = self
            .image
            .topics
            .by_name(OFFSETS_TOPIC)
            .map_or(TopicId::ZERO, |topic| topic.id);
        let is_concerned = topic_id != self.coordinators.topic_id
            || delta.is_none_or(|delta| {
                let of_topic = |partition| TopicPartition {
                    topic_id,
                    partition: PartitionIndex(partition),
                };
                let mut touched = delta.partitions.range(of_topic(0)..=of_topic(i32::MAX));
                touched.next().is_some()
            });
        if is_concerned {
            self.place_coordinators(io, topic_id);
        }
        let Some(delta) = delta else { return };
        let changed = TopicsChanged::of(&self.image, delta);
        if changed.changed.is_empty() && changed.deleted.is_empty() {
            return;
        }
        let mut world = World {
            now: io.now(),
            image: &self.image,
            configuration: &self.configuration,
            random: io.prng(),
        };
        for (partition, coordinator) in &mut self.coordinators.groups {
            coordinator.on_metadata(&mut world, &changed);
            self.coordinators.busy.insert(*partition);
        }
    }

    fn place_coordinators(&mut self, io: &Io<Mail>, topic_id: TopicId) {
        let before: Vec<PartitionIndex> = self.coordinators.groups.keys().copied().collect();
        let is_same_topic = self.coordinators.topic_id == topic_id;
        self.coordinators.topic_id = topic_id;
        let mut led: BTreeMap<PartitionIndex, Offset> = BTreeMap::new();
        if let Some(topic) = self.image.topics.by_id(topic_id) {
            for (partition, _) in topic.partitions() {
                let topic_partition = TopicPartition {
                    topic_id,
                    partition,
                };
                if owner(topic_partition, self.cores) == self.core
                    && let Some(found) = self.partitions.get_mut(topic_partition)
                    && found.check_serves().is_ok()
                {
                    led.insert(partition, found.log.log_start_offset());
                }
            }
        }
        for partition in before {
            if !is_same_topic || !led.contains_key(&partition) {
                self.coordinators.remove(partition);
            }
        }
        for (partition, start) in led {
            if self.coordinators.groups.contains_key(&partition) {
                continue;
            }
            let coordinator = Coordinator::new(
                TopicPartition {
                    topic_id,
                    partition,
                },
                format!("{OFFSETS_TOPIC}-{partition}"),
                Groups::default(),
                start,
                io.now(),
            );
            self.coordinators.groups.insert(partition, coordinator);
            self.coordinators.loading.push_back(partition);
        }
    }

    /// Replays the next slice of one log that is being loaded; the others have their turns.
    pub(super) fn load_coordinators(&mut self, io: &mut Io<Mail>) {
        if self.logs.are_closed {
            return;
        }
        while let Some(partition) = self.coordinators.loading.pop_front() {
            let Some(coordinator) = self.coordinators.groups.get_mut(&partition) else {
                continue;
            };
            match coordinator.load(io.now(), io.disk(), &mut self.partitions) {
                Progress::More => {
                    self.coordinators.loading.push_back(partition);
                    break;
                }
                Progress::Cold {
                    file,
                    position,
                    bytes,
                } => {
                    let token = self.partitions.new_token();
                    io.warm(&file, position, bytes, token);
                    self.coordinators.warming.insert(token, partition);
                }
                Progress::Done | Progress::Failed => {
                    self.coordinators.busy.insert(partition);
                }
            }
        }
        if !self.coordinators.loading.is_empty() {
            io.turn_again();
        }
    }

    /// Does one round of each coordinator that has commands: their records are appended.
    pub(super) fn begin_rounds(&mut self, io: &mut Io<Mail>) {
        if self.logs.are_closed || self.coordinators.busy.is_empty() {
            return;
        }
        let code = self.configuration.offsets_topic_compression_codec();
        let compression = i16::try_from(code)
            .ok()
            .and_then(|code| Compression::from_attributes(code).ok())
            .unwrap_or_default();
        let mut world = World {
            now: io.now(),
            image: &self.image,
            configuration: &self.configuration,
            random: io.prng(),
        };
        let coordinators = &mut self.coordinators;
        let (groups, replies) = (&mut coordinators.groups, &mut coordinators.replies);
        for partition in &coordinators.busy {
            if let Some(coordinator) = groups.get_mut(partition)
                && coordinator.has_commands()
            {
                coordinator.begin_round(&mut world, &mut self.partitions, compression, replies);
            }
        }
    }

    /// The turn's write is over: what was written is replayed, and answers leave that may.
    pub(super) fn end_rounds(&mut self, io: &mut Io<Mail>) {
        if self.logs.are_closed {
            return;
        }
        let coordinators = &mut self.coordinators;
        let (groups, deadlines) = (&mut coordinators.groups, &mut coordinators.deadlines);
        let (partitions, replies) = (&mut self.partitions, &mut coordinators.replies);
        let now = io.now();
        coordinators.busy.retain(|partition| {
            let Some(coordinator) = groups.get_mut(partition) else {
                return false;
            };
            coordinator.end_round(now, partitions, replies);
            let deadline = coordinator.next_deadline();
            if deadline == Instant::NEVER {
                deadlines.cancel(partition);
            } else if deadlines.get(partition) != Some(deadline) {
                deadlines.set(*partition, deadline);
            }
            coordinator.has_commands() || coordinator.has_parked() || coordinator.is_writing()
        });
        let mut replies = std::mem::take(&mut self.coordinators.replies);
        for (origin, reply) in replies.drain(..) {
            let mail = Mail::GroupReply {
                request: origin.request,
                reply: Box::new(reply),
            };
            self.pass(io, origin.core, mail);
        }
        keep_room(&mut self.coordinators.replies, replies);
    }
}
