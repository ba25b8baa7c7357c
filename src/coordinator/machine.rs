//! What a coordinator is made of: groups now; transactions and share groups later.

use crate::base::ids::TopicId;
use crate::base::prng::Prng;
use crate::base::time::{Instant, Now};
use crate::config::Configuration;
use crate::metadata::delta::{MetadataDelta, PartitionDelta};
use crate::metadata::image::MetadataImage;
use crate::metadata::image::topics::Topic;
use crate::partition::work::Origin;
use crate::protocol::errors::ErrorCode;
use crate::protocol::reader::DecodeError;
use crate::protocol::string::Str;
use crate::protocol::writer::EncodeError;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::fmt;

/// What a machine may look at.
pub struct World<'a> {
    /// Both clocks.
    pub now: Now,
    /// The cluster, as this core has replayed it.
    pub image: &'a MetadataImage,
    /// The settings in force.
    pub configuration: &'a Configuration,
    /// Randomness.
    pub random: &'a mut Prng,
}

/// What a command makes: records to write, and replies that leave when they are written. Replies
/// may be to others than the one who asked: members that wait for a rebalance, say.
#[derive(Debug)]
pub struct Step<M: Machine + ?Sized> {
    /// To be written as one unit, and then replayed.
    pub records: Vec<M::Record>,
    /// Who is told what.
    pub replies: Vec<(Origin, M::Reply)>,
}

/// A state machine on a partition of an internal topic. What its records say is changed by
/// [`Machine::replay`] alone; `handle` may change only what no restart needs to know (who waits,
/// timers, members of a classic group that is between two generations).
pub trait Machine {
    /// What may be asked of it.
    type Command: Clone;
    /// What it writes.
    type Record;
    /// What it answers.
    type Reply;

    /// What a command is about: two commands of one round never have the same subject. `None` is
    /// about everything, and has a round of its own.
    fn subject(command: &Self::Command) -> Option<&Str>;

    /// Whether commands of this kind may follow each other in one round though they have the same
    /// subject: each does the same whether or not it sees what the others write.
    fn shares_round(command: &Self::Command) -> bool {
        let _ = command;
        false
    }

    /// Does a command. `origin` is `None` for what a timer asked.
    fn handle(
        &mut self,
        world: &mut World<'_>,
        origin: Option<Origin>,
        command: Self::Command,
    ) -> Step<Self>;

    /// Takes a record that is written into the state: after `handle`, and when the log is loaded.
    fn replay(&mut self, now: Now, record: Self::Record);

    /// The whole log was replayed: timers begin here. What it returns is done like any command's.
    fn on_loaded(&mut self, world: &mut World<'_>) -> Step<Self>;

    /// Topics that the log still speaks of and the cluster no longer has: they were deleted while
    /// nobody led the partition.
    fn topics_gone(&self, image: &MetadataImage) -> Vec<(Str, TopicId)> {
        let _ = image;
        Vec::new()
    }

    /// Topics came, went, grew or moved: commands that take note of it.
    fn on_metadata(&mut self, world: &mut World<'_>, changed: &TopicsChanged)
    -> Vec<Self::Command>;

    /// When the next timer is due, or [`Instant::NEVER`].
    fn next_deadline(&self) -> Instant;

    /// Commands of timers that are due; each timer is taken once.
    fn due(&mut self, now: Instant) -> Vec<Self::Command>;

    /// The partition is led elsewhere now: what those are told who wait in the machine itself, as
    /// members do for a rebalance. Nothing is asked of it afterwards.
    fn resign(&mut self, error: ErrorCode) -> Vec<(Origin, Self::Reply)> {
        let _ = error;
        Vec::new()
    }

    /// The answer to a command that cannot be done now (COORDINATOR_LOAD_IN_PROGRESS,
    /// NOT_COORDINATOR), in the shape of its own response.
    fn refusal(command: &Self::Command, error: ErrorCode) -> Option<Self::Reply>;

    /// What is said instead of a reply whose records could not be written.
    fn failed(reply: Self::Reply, error: ErrorCode) -> Self::Reply;

    /// A record as key and value; a value of `None` is a tombstone.
    ///
    /// # Errors
    /// A field that its version cannot hold.
    fn encode(record: &Self::Record) -> Result<(Bytes, Option<Bytes>), EncodeError>;

    /// Reads a record; `None` where it is of a type that this machine does not have.
    ///
    /// # Errors
    /// What cannot be read.
    fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Option<Self::Record>, DamagedRecord>;

    /// Whose a record is, by its key; `None` where it does not tell.
    fn owner(key: &Bytes) -> Option<Str>;
}

/// A record that cannot be read: it is named and passed over, the rest of the log counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DamagedRecord {
    /// Whose it is, where the key still tells.
    pub subject: Option<Str>,
    /// What is wrong with it.
    pub error: DecodeError,
}

impl fmt::Display for DamagedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Some(subject) => write!(
                f,
                "a record of group {subject} cannot be read: {}",
                self.error
            ),
            None => write!(f, "a record cannot be read: {}", self.error),
        }
    }
}

impl std::error::Error for DamagedRecord {}

/// What a change of metadata means to coordinators.
#[derive(Clone, Debug, Default)]
pub struct TopicsChanged {
    /// Names of topics that were made, have more partitions, or may have replicas in other racks.
    pub changed: Vec<Str>,
    /// Names and ids of topics that were deleted.
    pub deleted: Vec<(Str, TopicId)>,
}

impl TopicsChanged {
    /// What a change is for those who want topics. `image` has it already.
    ///
    /// Racks are looked at where a partition or one of its brokers changed; Apache looks only where a
    /// partition did, which a broker that comes back in another rack sees to.
    #[must_use]
    pub fn of(image: &MetadataImage, delta: &MetadataDelta) -> TopicsChanged {
        let has_racks = image
            .cluster
            .brokers
            .values()
            .any(|broker| broker.rack.is_some());
        let mut ids: BTreeSet<TopicId> = delta.topics_created.clone();
        for (partition, change) in &delta.partitions {
            let matters = match change {
                PartitionDelta::Created => true,
                PartitionDelta::Changed { .. } => has_racks,
            };
            if matters {
                ids.insert(partition.topic_id);
            }
        }
        let mut topics: BTreeSet<&str> = ids
            .iter()
            .filter_map(|id| Some(&*image.topics.by_id(*id)?.name))
            .collect();
        if !delta.brokers.is_empty() {
            let has_replica = |topic: &Topic| {
                topic.partitions().any(|(_, partition)| {
                    let replicas = &partition.replicas;
                    replicas.iter().any(|node| delta.brokers.contains(node))
                })
            };
            let moved = image.topics.iter().filter(|topic| has_replica(topic));
            topics.extend(moved.map(|topic| &*topic.name));
        }
        TopicsChanged {
            changed: topics.into_iter().map(Str::from).collect(),
            deleted: delta
                .topics_deleted
                .iter()
                .map(|topic| (Str::from(&*topic.name), topic.id))
                .collect(),
        }
    }
}

impl<M: Machine + ?Sized> Step<M> {
    /// Nothing to write, nobody to tell.
    #[must_use]
    pub fn nothing() -> Step<M> {
        Step {
            records: Vec::new(),
            replies: Vec::new(),
        }
    }

    /// Only an answer to the one who asked.
    #[must_use]
    pub fn reply(origin: Option<Origin>, reply: M::Reply) -> Step<M> {
        Step::written(Vec::new(), origin, reply)
    }

    /// Records, and an answer to the one who asked.
    #[must_use]
    pub fn written(records: Vec<M::Record>, origin: Option<Origin>, reply: M::Reply) -> Step<M> {
        Step {
            records,
            replies: origin.map(|origin| (origin, reply)).into_iter().collect(),
        }
    }

    /// Adds what another step made.
    pub fn extend(&mut self, other: Step<M>) {
        self.records.extend(other.records);
        self.replies.extend(other.replies);
    }
}
